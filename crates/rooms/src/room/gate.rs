//! Who is kept out: a locked room, and riders who were removed.

use std::time::Duration;

use super::{Presence, Room, ServerMessage, SocketId, Statement};
use protocol::{
    peer::{PeerId, PeerNumber, Token},
    signaling::{ErrorCode, LeftReason, MAX_BANS, close},
};

/// A rider who was removed.
#[derive(Debug)]
pub(super) struct Barred {
    peer: PeerId,
    pub(super) note: Token,
    /// Empty where a room that was lost has it from a note.
    reason: String,
}

impl Room {
    pub(super) fn kick(
        &mut self,
        now: Duration,
        from: PeerNumber,
        peer: PeerId,
        reason: String,
    ) -> Result<(), ErrorCode> {
        self.require_host(from)?;
        let target = self.number_of(&peer).filter(|number| *number != from);
        target.ok_or(ErrorCode::NoSuchRider)?;
        if self.barred.len() >= MAX_BANS {
            return Err(ErrorCode::TooManyBans);
        }
        self.bar(now, peer, reason);
        Ok(())
    }

    /// Removes a rider for good and gives everybody the note of it.
    pub(super) fn bar(&mut self, now: Duration, peer: PeerId, reason: String) {
        let note = self.signer.sign(&Statement::Ban(peer.clone()));
        let member = self.number_of(&peer);
        let presence = member.and_then(|number| self.members.get(&number));
        if let Some(Presence::Present(socket)) = presence.map(|rider| rider.presence) {
            self.turn_out(socket, reason.clone());
        }
        self.barred.push(Barred {
            peer: peer.clone(),
            note: note.clone(),
            reason,
        });
        self.first_host.take_if(|first| *first == peer);
        if let Some(number) = member {
            self.remove(now, number, LeftReason::Kicked);
        }
        if self.first_host.is_none() {
            let host = self.host.and_then(|host| self.members.get(&host));
            self.first_host = host.map(|rider| rider.peer.clone());
        }
        self.tell_all(&ServerMessage::Banned { token: note });
    }

    /// Takes a note that a page kept, as long as there may be more of them.
    pub(super) fn take_note(&mut self, now: Duration, note: &Token) {
        if self.barred.len() < MAX_BANS
            && let Some(Statement::Ban(peer)) = self.signer.verify(note)
            && !self.is_barred(&peer)
        {
            self.bar(now, peer, String::new());
        }
    }

    /// Tells a rider who was removed why it does not get in.
    pub(super) fn turn_out_barred(&mut self, socket: SocketId, peer: &PeerId) {
        let barred = self.barred.iter().find(|barred| barred.peer == *peer);
        let reason = barred.map(|barred| barred.reason.clone());
        self.turn_out(socket, reason.unwrap_or_default());
    }

    fn turn_out(&mut self, socket: SocketId, reason: String) {
        self.send(socket, ServerMessage::Kicked { reason });
        self.close(socket, close::KICKED, "removed by the host");
    }

    pub(super) fn is_barred(&self, peer: &PeerId) -> bool {
        self.barred.iter().any(|barred| barred.peer == *peer)
    }

    pub(super) fn set_locked(&mut self, from: PeerNumber, locked: bool) -> Result<(), ErrorCode> {
        self.require_host(from)?;
        if std::mem::replace(&mut self.locked, locked) != locked {
            self.tell_all(&ServerMessage::Locked { locked });
        }
        Ok(())
    }
}
