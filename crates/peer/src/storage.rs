//! What a browser would store of a ride, in memory.

use protocol::peer::Token;
use session::storage::{StorageCommand, StoredIdentity, StoredRide};

/// Stored data of one ride. It is gone with the process.
#[derive(Debug, Default)]
pub(crate) struct MemoryStorage {
    ride: StoredRide,
}

impl MemoryStorage {
    /// Everything that is stored. The rider has no other page.
    pub(crate) fn load(&self) -> StoredRide {
        StoredRide {
            tab_is_alone: true,
            ..self.ride.clone()
        }
    }

    /// Token of the rider.
    pub(crate) fn token(&self) -> Option<&Token> {
        self.ride.tab_identity.as_ref().map(|own| &own.token)
    }

    pub(crate) fn carry_out(&mut self, command: StorageCommand) {
        let ride = &mut self.ride;
        match command {
            StorageCommand::SaveProfile(profile) => ride.profile = Some(profile),
            StorageCommand::SaveIdentity(identity) => ride.tab_identity = Some(*identity),
            StorageCommand::ForgetIdentity(peer) => {
                let is_other = |own: &StoredIdentity| own.peer != peer;
                ride.tab_identity = ride.tab_identity.take().filter(is_other);
            }
            StorageCommand::SaveTimeline(timeline) => ride.timeline = Some(timeline),
            StorageCommand::SaveNames(names) => ride.names = names,
            StorageCommand::SaveBan => ride.banned = true,
            StorageCommand::SaveFtp(_)
            | StorageCommand::SaveSubSport(_)
            | StorageCommand::SaveDevices(_)
            | StorageCommand::SaveBridge(_)
            | StorageCommand::MarkHidden
            | StorageCommand::ClearJoining
            | StorageCommand::ClearHidden => {}
        }
    }
}
