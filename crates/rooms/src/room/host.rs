//! Who is host, and until when.

use std::time::Duration;

use super::{Presence, Rider, Room, ServerMessage, SocketId};
use protocol::{
    peer::{PeerId, PeerNumber},
    signaling::{ErrorCode, HostTerm, MAX_HOST_TERMS, close},
};

impl Room {
    /// Makes the longest-present member host, if there is one.
    pub(super) fn appoint(&mut self) {
        if let Some(number) = self.longest_present() {
            self.crown(number);
        }
    }

    /// Starts the next epoch with a member as host, and tells everybody.
    pub(super) fn crown(&mut self, number: PeerNumber) {
        let term = self.begin_term(number);
        let first_host = self.first_host.clone().unwrap_or(term.peer.clone());
        self.tell_all(&ServerMessage::Host { term, first_host });
    }

    /// Starts the next epoch with a member as host, without telling anybody.
    pub(super) fn begin_term(&mut self, number: PeerNumber) -> HostTerm {
        let rider = &self.members[&number];
        let term = HostTerm {
            epoch: self.epoch().max(self.epoch_floor).saturating_add(1),
            peer: rider.peer.clone(),
            sign_key: rider.keys.sign,
        };
        self.host = Some(number);
        self.first_host.get_or_insert_with(|| term.peer.clone());
        self.terms.push_back(term.clone());
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.pop_front();
        }
        term
    }

    pub(super) fn epoch(&self) -> u32 {
        self.terms.back().map_or(0, |term| term.epoch)
    }

    /// Whether events that this key signs are not the newest term's.
    pub(super) fn needs_new_term(&self, number: PeerNumber, sign_key: [u8; 32]) -> bool {
        let signs = self.terms.back().map(|term| term.sign_key);
        self.host == Some(number) && signs != Some(sign_key)
    }

    /// The present rider of the lowest number, or, where nobody is present, the
    /// away one.
    pub(super) fn longest_present(&self) -> Option<PeerNumber> {
        let present = |(_, rider): &(&PeerNumber, &Rider)| rider.socket().is_some();
        let longest = self.members.iter().find(present);
        let longest = longest.or(self.members.iter().next());
        longest.map(|(number, _)| *number)
    }

    /// When the host, away and reached by nobody, loses the ride to somebody
    /// who is present.
    pub(super) fn succession_at(&self) -> Option<Duration> {
        let host = self.members.get(&self.host?)?;
        let Presence::Away { since, .. } = host.presence else {
            return None;
        };
        let mut present = self
            .members
            .values()
            .filter(|rider| rider.socket().is_some())
            .peekable();
        present.peek()?;
        let reached = present.any(|rider| rider.reaches.contains(&host.peer));
        (!reached).then(|| since + self.settings.host_grace)
    }

    pub(super) fn succeed(&mut self, now: Duration) {
        if self.succession_at().is_some_and(|at| at <= now) {
            self.appoint();
        }
    }

    /// The host makes somebody else host of its own will, and keeps no claim.
    pub(super) fn hand_over(&mut self, from: PeerNumber, to: &PeerId) -> Result<(), ErrorCode> {
        self.require_host(from)?;
        let present = |(_, rider): &(&PeerNumber, &Rider)| rider.socket().is_some();
        let next = self
            .members
            .iter()
            .filter(present)
            .find(|(number, rider)| rider.peer == *to && **number != from)
            .map(|(number, _)| *number)
            .ok_or(ErrorCode::NoSuchRider)?;
        if self.first_host.as_ref() == Some(&self.members[&from].peer) {
            self.first_host = Some(to.clone());
        }
        self.crown(next);
        Ok(())
    }

    /// The first host takes the ride back.
    pub(super) fn reclaim(&mut self, number: PeerNumber) -> Result<(), ErrorCode> {
        let first = self.first_host.as_ref() == Some(&self.members[&number].peer);
        if !first || self.host.is_none() {
            return Err(ErrorCode::NotFirstHost);
        }
        if self.host != Some(number) {
            self.crown(number);
        }
        Ok(())
    }

    /// The host ends the ride for everybody: the room is dead, whoever comes
    /// is turned away.
    pub(super) fn end(&mut self, now: Duration, from: PeerNumber) -> Result<(), ErrorCode> {
        self.require_host(from)?;
        self.tell_all(&ServerMessage::Ended);
        let mut sockets: Vec<SocketId> = self.sockets.keys().copied().collect();
        sockets.sort();
        for socket in sockets {
            self.close(socket, close::ENDED, "the host ended the ride");
        }
        self.sockets.clear();
        self.members.clear();
        self.host = None;
        self.ended = true;
        self.dies_at = Some(now);
        Ok(())
    }

    pub(super) fn require_host(&self, number: PeerNumber) -> Result<(), ErrorCode> {
        match self.host == Some(number) {
            true => Ok(()),
            false => Err(ErrorCode::NotHost),
        }
    }
}
