//! Exchange between the restoration and the other parts of a room.

use clock::Moment;
use protocol::signaling::{Member, RestoredRoom, ServerMessage};

use super::{Join, ResumeClaims, Room, members::RoomMember, restoration};

impl Room {
    /// Takes over the knowledge of a page that presents a valid resume token. A room that has its
    /// memory considers only the elections in it.
    pub(super) fn learn_from(&mut self, now: Moment, join: &Join, claims: &ResumeClaims) {
        let snapshot = join.hello.snapshot.as_deref();
        if let Some(snapshot) = snapshot.filter(|_| self.terms.host().is_some()) {
            let elections = &snapshot.elections;
            let announcements =
                self.terms
                    .consider_elections(now, &claims.peer, elections, &self.members);
            for announcement in announcements {
                self.announce(Some(announcement));
            }
        }
        if !self.restoration.is_needed() {
            return;
        }
        for token in snapshot.map_or(&[][..], |snapshot| &snapshot.bans) {
            if let Some(peer) = self.access.peer_to_ban(token, &*self.signer) {
                self.ban(now, peer, String::new());
            }
        }
        let vote = self.restoration.vote_of(join, claims);
        let known_epoch = vote.as_ref().map_or(0, |vote| vote.epoch());
        self.terms.raise_epoch_floor(known_epoch.max(claims.epoch));
        let members = snapshot.map_or(&[][..], |snapshot| &snapshot.members);
        let highest = restoration::highest_number(members, claims);
        self.members.reserve_up_to(highest);
        if let Some(collection) = self.restoration.collecting() {
            if let Some(vote) = vote {
                collection.votes.insert(claims.peer.clone(), vote);
            }
            self.list_members(now, members, claims);
        } else if let Some(term) = vote.as_ref().and_then(|vote| vote.last_term()) {
            let announcement = self.terms.surpass(now, &claims.peer, term, &self.members);
            self.announce(announcement);
        }
    }

    /// Lists the members of a snapshot as away.
    fn list_members(&mut self, now: Moment, members: &[Member], own: &ResumeClaims) {
        for member in restoration::plausible_members(members, own) {
            let is_known = self.members.contains(member.number)
                || self.members.number_of(&member.peer).is_some();
            if is_known || self.access.is_banned(&member.peer) || self.is_full() {
                continue;
            }
            let number = member.number;
            let listed = RoomMember {
                peer: member.peer.clone(),
                keys: member.keys,
                incarnation: member.incarnation,
                presented_incarnation: None,
                presence: self.away_since(now),
                authenticated: false,
                direct_links: Vec::new(),
                known_pages: Vec::new(),
            };
            let member = listed.describe(number);
            self.members.insert(number, listed);
            self.announce_except(number, &ServerMessage::Joined { member });
        }
    }

    /// Names the host when the time for snapshots is over, and admits the new members that wait.
    pub(super) fn finish_restoring(&mut self, now: Moment) {
        let Some(mut collection) = self.restoration.finish(now) else {
            return;
        };
        let away = self.away_since(now);
        self.members.restart_unauthenticated(away);
        collection
            .votes
            .retain_eligible(&self.members, &self.access);
        match collection.votes.count(&self.members) {
            Some(mut voted) => {
                voted
                    .first_host
                    .take_if(|first| self.access.is_banned(first));
                self.access.set_locked(voted.locked);
                self.terms.restore(voted, &self.members);
            }
            // The result is announced below.
            None => _ = self.terms.appoint(&self.members),
        }
        self.announce_restored();
        for join in collection.waiting {
            let socket = join.socket;
            self.join_new(join);
            self.note_heard(now, Some(socket));
        }
    }

    fn announce_restored(&mut self) {
        if let Some(first_host) = self.terms.first_host().cloned() {
            let restored = RestoredRoom {
                hosts: self.terms.list(),
                first_host,
                locked: self.access.is_locked(),
            };
            self.announce(Some(ServerMessage::Restored(Box::new(restored))));
        }
    }
}
