//! Exchange between the restoration and the other parts of a room.

use clock::Moment;
use protocol::{
    peer::{MemberRole, PeerId},
    signaling::{Member, RestoredRoom, RoomSnapshot, ServerMessage},
};

use super::{
    HostClaims, Join, ResumeClaims, Room, Standing, Statement, members::RoomMember, restoration,
};

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
            let mut newest_first = elections.iter().rev();
            let accepted = newest_first.find(|it| self.terms.is_newest(&it.term));
            if let Some(evidence) = &mut self.restoration.evidence
                && let Some(election) = accepted
            {
                evidence.accepted(election, &self.members);
            }
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
        let host = snapshot.and_then(|snapshot| self.verify_host_token(snapshot));
        let signed_epoch = host.as_ref().map_or(0, |host| host.epoch).max(claims.epoch);
        self.restoration.note_signed_epoch(signed_epoch);
        let vote = self.restoration.vote_of(join, claims);
        let known_epoch = vote.as_ref().map_or(0, |vote| vote.epoch());
        self.terms.raise_epoch_floor(known_epoch.max(signed_epoch));
        let is_former = self.restoration.standing(&claims.peer) == Standing::Left;
        let newest_election = snapshot.and_then(|snapshot| snapshot.elections.last());
        let election = newest_election.filter(|election| {
            self.restoration.is_collecting() && self.restoration.is_plausible(election.term.epoch)
        });
        match &mut self.restoration.evidence {
            Some(evidence) if is_former => evidence.add_former(&claims.peer),
            Some(evidence) => {
                evidence.add(claims, host, &self.members);
                election
                    .into_iter()
                    .for_each(|it| evidence.add_election(it));
            }
            None => {}
        }
        let members = snapshot.map_or(&[][..], |snapshot| &snapshot.members);
        let highest = restoration::highest_number(members, claims);
        self.members.reserve_up_to(highest);
        if let Some(collection) = self.restoration.collecting() {
            if is_former {
                collection.votes.exclude(claims.peer.clone());
            }
            if let Some(vote) = vote {
                collection.votes.insert(claims, vote);
            }
            if !is_former {
                self.list_members(now, members, claims);
            }
            return;
        }
        self.consider_late_evidence(now);
        if let Some(term) = vote.as_ref().and_then(|vote| vote.last_term()) {
            let announcement = self.terms.surpass(now, &claims.peer, term, &self.members);
            self.announce(announcement);
        }
    }

    fn verify_host_token(&self, snapshot: &RoomSnapshot) -> Option<HostClaims> {
        match self.signer.verify(snapshot.host_token.as_ref()?)? {
            Statement::Host(claims) => Some(claims),
            Statement::Resume(_) | Statement::Ban(_) => None,
        }
    }

    /// Makes the rider the host that evidence names which was not known when another one was named.
    /// If it is away, it has the host's grace period to return.
    pub(super) fn consider_late_evidence(&mut self, now: Moment) {
        let Some(evidence) = &mut self.restoration.evidence else {
            return;
        };
        if self.terms.host().is_none() {
            return;
        }
        let is_known = |host: &HostClaims| self.terms.knows(host.epoch, &host.peer);
        let highest_epoch = self.terms.highest_known_epoch();
        let named = evidence.name_late(&self.members, is_known, highest_epoch);
        let Some(named) = named else {
            return;
        };
        let away = self.away_since(now);
        self.members.restart_absence(named.number, away);
        if let Some(member) = self.members.get(named.number) {
            let first_host = named.first_host.filter(|first| self.may_be_host(first));
            let announcement = self.terms.correct(named.number, member, first_host);
            self.announce(announcement);
        }
    }

    /// Lists the members of a snapshot as away.
    fn list_members(&mut self, now: Moment, members: &[Member], own: &ResumeClaims) {
        for member in restoration::plausible_members(members, own) {
            let is_known = self.members.contains(member.number)
                || self.members.number_of(&member.peer).is_some();
            let is_gone = self.restoration.standing(&member.peer) != Standing::Member
                || self.access.is_banned(&member.peer);
            if is_known || is_gone || self.is_full_for(member.role) {
                continue;
            }
            let number = member.number;
            let listed = RoomMember {
                peer: member.peer.clone(),
                role: member.role,
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
            self.announce_except(number, ServerMessage::Joined { member });
        }
    }

    /// Names the host when the time for snapshots is over, and admits the new members that wait.
    pub(super) fn finish_restoring(&mut self, now: Moment) {
        if !self.restoration.is_due(now) {
            return;
        }
        if self.only_others_have_returned()
            && let Some(collection) = self.restoration.collecting()
        {
            return collection.extend(now + self.settings.restore_wait);
        }
        let Some(mut collection) = self.restoration.finish() else {
            return;
        };
        let away = self.away_since(now);
        self.members.restart_unauthenticated(away);
        let may_vote = |peer: &PeerId| {
            self.restoration.standing(peer) == Standing::Member && !self.access.is_banned(peer)
        };
        collection.votes.retain_eligible(&self.members, may_vote);
        let evidence = self.restoration.evidence.as_mut();
        let named = evidence.and_then(|evidence| evidence.name(&self.members));
        let result = match named {
            Some(named) => Some(collection.votes.about(named)),
            None => collection.votes.count(&self.members),
        };
        match result {
            Some(mut voted) => {
                voted.first_host.take_if(|first| !self.may_be_host(first));
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

    /// Returns `false` for banned peers and for members that are not riders.
    fn may_be_host(&self, peer: &PeerId) -> bool {
        let member = self.members.find(peer);
        let is_banned =
            self.access.is_banned(peer) || self.restoration.standing(peer) == Standing::Banned;
        !is_banned && member.is_none_or(|(_, member)| member.is_rider())
    }

    /// Returns `true` if members have presented tokens, but none of them is a rider, and no new
    /// rider waits.
    fn only_others_have_returned(&mut self) -> bool {
        let returned = self.members.iter().map(|(_, member)| member);
        let mut roles = returned.filter(|it| it.authenticated).map(|it| it.role);
        let Some(first) = roles.next() else {
            return false;
        };
        let has_rider = first.is_rider() || roles.any(|role| role.is_rider());
        let waiting = self.restoration.collecting();
        let rider_waits = waiting.is_some_and(|it| it.waiting_beside(MemberRole::Rider) > 0);
        !has_rider && !rider_waits
    }

    fn announce_restored(&mut self) {
        if let Some(first_host) = self.terms.first_host().cloned() {
            let restored = RestoredRoom {
                hosts: self.terms.list(),
                host_token: self.host_token(),
                first_host,
                locked: self.access.is_locked(),
            };
            self.announce(Some(ServerMessage::Restored(Box::new(restored))));
        }
    }
}
