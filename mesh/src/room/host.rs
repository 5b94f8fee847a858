use super::{PeerNumber, Room, ServerMessage};
use crate::signaling::{HostTerm, MAX_HOST_TERMS};

impl Room {
    /// Makes the longest-present member host, if there is one.
    pub(super) fn appoint(&mut self) {
        let present = |(_, rider): &(&PeerNumber, &super::Rider)| rider.socket().is_some();
        let longest = self
            .members
            .iter()
            .find(present)
            .or(self.members.iter().next());
        if let Some(number) = longest.map(|(number, _)| *number) {
            let term = self.begin_term(number);
            self.tell_all(&ServerMessage::Host { term });
        }
    }

    /// Starts the next epoch with a member as host, without telling anybody.
    pub(super) fn begin_term(&mut self, number: PeerNumber) -> HostTerm {
        let rider = &self.members[&number];
        let term = HostTerm {
            epoch: self.epoch() + 1,
            peer: rider.peer.clone(),
            sign_key: rider.keys.sign,
        };
        self.host = Some(number);
        self.terms.push_back(term.clone());
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.pop_front();
        }
        term
    }

    pub(super) fn epoch(&self) -> u32 {
        self.terms.back().map_or(0, |term| term.epoch)
    }

    fn tell_all(&mut self, message: &ServerMessage) {
        self.tell_others(PeerNumber(0), message);
    }
}
