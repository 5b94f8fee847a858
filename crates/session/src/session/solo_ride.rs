//! Solo rides: without a network, as host and only rider.

use clock::{GroupTime, Moment};
use mesh::clock_sync::GroupOffset;
use protocol::peer::PeerNumber;
use ride::{
    recording::stored::SoloRider,
    rider::{Bias, Ftp},
};

use super::RideSession;
use crate::{
    Output,
    api::UnfinishedSolo,
    rider::{OwnRider, provisional_id},
    shared_timeline::SharedTimeline,
    storage::StoredProfile,
    view::{JoinError, Notice, Stage},
};

impl RideSession {
    /// Rides alone: as host and only rider, without a network.
    pub(super) fn open_solo(
        &mut self,
        now: Moment,
        profile: Option<StoredProfile>,
        default_name: &str,
    ) {
        let name = profile
            .as_ref()
            .and_then(|profile| profile.name.parse().ok());
        let name = name.or_else(|| default_name.parse().ok());
        let ftp = profile.and_then(|profile| Ftp::new(profile.ftp).ok());
        let seed = self.config.entropy.take();
        let me = name.zip(seed);
        let me = me.and_then(|(name, seed)| OwnRider::new(name, ftp.unwrap_or_default(), seed));
        let Some(me) = me else {
            self.view.stage = Stage::CannotJoin(JoinError::Other);
            return;
        };
        self.roster.add(&provisional_id(), PeerNumber(1), true);
        self.roster.set_host(&provisional_id());
        self.view.is_host = true;
        self.outputs.push_back(Output::FindUnfinishedSolo);
        self.ride_solo(now, me, GroupOffset(0));
        self.use_simulator(now);
    }

    /// Begins or resumes a ride as this rider.
    fn ride_solo(&mut self, now: Moment, me: OwnRider, offset: GroupOffset) {
        self.set_rider(now, OwnRider { ready: true, ..me });
        self.group.set_last_offset(Some(offset));
        self.show_own_profile();
        self.open_recording(now);
        self.view.stage = Stage::Lobby;
    }

    /// Offers to resume a ride that was not finished.
    pub(super) fn unfinished_solo(&mut self, found: Box<UnfinishedSolo>) {
        if self.can_resume() {
            self.view.unfinished = Some(found.ride.clone());
            self.unfinished = Some(found);
        }
    }

    /// The ride that was offered goes on in another tab.
    pub(super) fn unfinished_taken(&mut self) {
        self.view.unfinished = None;
        self.unfinished = None;
        self.notify(Notice::ResumedElsewhere);
    }

    fn can_resume(&self) -> bool {
        self.code.is_none() && self.takes_part && self.view.stage == Stage::Lobby
    }

    /// Resumes the ride that was not finished, at the place where it was stored last.
    pub(super) fn resume_unfinished(&mut self, now: Moment) {
        if !self.can_resume() {
            return;
        }
        self.view.unfinished = None;
        let Some(found) = self.unfinished.take() else {
            return;
        };
        let rider = found.rider;
        let seed = <[u8; 32]>::try_from(rider.seed.as_slice()).ok();
        let Some(me) = seed.and_then(|seed| OwnRider::new(rider.name, rider.ftp, seed)) else {
            return;
        };
        let me = OwnRider {
            bias: Bias::new(rider.bias),
            ..me
        };
        if recording_key(&me) != found.ride.key {
            return;
        }
        self.timeline = SharedTimeline::default();
        self.timeline.restore_events(found.events);
        let since_origin = i64::try_from(now.since_origin().as_micros()).unwrap_or(i64::MAX);
        let offset = GroupOffset(rider.time.0.saturating_sub(since_origin));
        self.ride_solo(now, me, offset);
        self.ride.recording.set_waited();
        self.timeline_changed(now);
    }
}

/// Key under which the recording of a solo ride is stored.
pub(super) fn recording_key(me: &OwnRider) -> String {
    format!("solo/{:016x}", me.seed_number())
}

/// Rider to store, once group time is known.
pub(super) fn rider(me: &OwnRider, time: Option<GroupTime>) -> Option<SoloRider> {
    Some(SoloRider {
        seed: me.seed.to_vec().into(),
        name: me.name.clone(),
        ftp: me.ftp,
        bias: me.bias.percent(),
        time: time?,
    })
}
