//! Hosts whom the riders named while they could not reach the server.
//!
//! A room that has its memory stays with the host it knows, unless it is shown
//! the votes of more than half of its members for a later epoch. A term without
//! such votes does not count; the room only sees to it that its own epoch is the
//! higher one.
//!
//! Law: a member's vote is checked with the key that it said hello with, never
//! with one that another told.

use std::time::Duration;

use super::{Rider, Room, ServerMessage};
use protocol::{
    election::Election,
    peer::{PeerId, PeerNumber},
    signaling::{HostTerm, MAX_HOST_TERMS, RoomSnapshot},
};

/// Epochs further ahead are not believed without votes.
const AHEAD: u32 = 64;

impl Room {
    /// Takes the hosts for whom a page shows enough votes.
    pub(super) fn take_elections(&mut self, now: Duration, peer: &PeerId, restore: &RoomSnapshot) {
        for election in &restore.elections {
            if election.term.epoch > self.epoch().max(self.epoch_floor) {
                self.take_election(election);
            }
        }
        // Not proved, perhaps because too many of those who voted are gone.
        let last = restore.elections.last().map(|election| &election.term);
        let near = |term: &&HostTerm| term.epoch <= self.epoch().saturating_add(AHEAD);
        if let Some(term) = last.filter(near)
            && self.may_pass(now, peer, term)
        {
            self.pass_by(term);
        }
    }

    fn take_election(&mut self, election: &Election) {
        let term = &election.term;
        let vouched = |number: &PeerNumber| self.members.get(number).filter(|it| it.vouched);
        let is_candidate =
            |rider: &&Rider| rider.peer == term.peer && rider.keys.sign == term.sign_key;
        let candidate = self.number_of(&term.peer);
        let candidate = candidate.filter(|number| vouched(number).filter(is_candidate).is_some());
        let key_of = |number| vouched(&number).map(|rider| rider.keys.sign);
        let elected = election.is_majority_of(self.members.len()) && election.is_genuine(key_of);
        let Some(candidate) = candidate.filter(|_| elected) else {
            return;
        };
        self.host = Some(candidate);
        self.terms.push_back(term.clone());
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.pop_front();
        }
        let first_host = self.first_host.get_or_insert_with(|| term.peer.clone());
        let first_host = first_host.clone();
        let term = term.clone();
        self.tell_all(&ServerMessage::Host { term, first_host });
    }
}
