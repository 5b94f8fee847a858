//! Admission of a hello: as a new member, or as one that the room knows.

use clock::Moment;
use protocol::{
    peer::{Incarnation, MemberRole, PeerId, PeerNumber},
    signaling::{ErrorCode, LeftReason, Member, ServerMessage, VERSION, close},
};

use super::{
    Join, ResumeClaims, Room, SocketId, Standing, StandingChange, Statement, known_pages,
    members::{Presence, ReturningPage, RoomMember},
};
use crate::ClientKey;

/// Number of incarnations that two tabs of one member may plausibly be apart.
const MAX_TABS: u32 = 16;

/// Identity that a valid resume token proves.
enum ResumeTarget {
    /// Authenticated member, with its current page load.
    Member(PeerNumber, Incarnation),
    /// Member of the ride before the server lost its memory, listed by a snapshot or not.
    Restored(PeerNumber),
    /// Former member.
    Departed,
    /// Page that a newer page of the same member has replaced.
    ReplacedPage,
}

impl Room {
    pub(super) fn join(&mut self, now: Moment, join: Join) {
        let socket = join.socket;
        let refused = match () {
            () if join.hello.version != VERSION => Some(ErrorCode::UnsupportedVersion),
            () if self.lifetime.was_ended_by_host() => Some(ErrorCode::NoSuchRide),
            () => None,
        };
        if let Some(error) = refused {
            return self.outputs.refuse(socket, error, close::REFUSED);
        }
        if self.members.of_socket(socket).is_some() || self.restoration.is_waiting(socket) {
            let error = ServerMessage::error(ErrorCode::BadMessage);
            return self.outputs.send(socket, error);
        }
        let claims = self.verify_resume(now, &join);
        let known_key = claims
            .as_ref()
            .and_then(|claims| self.members.sign_key(&claims.peer));
        // A page keeps its key together with its token. The others verify what a member has signed
        // before with the key that it joined with, so that another key would be another rider.
        let has_other_key = known_key.is_some_and(|key| key != join.hello.keys.sign);
        if join.hello.resume.is_some() && (claims.is_none() || has_other_key) {
            let error = ErrorCode::BadToken;
            return self.outputs.refuse(socket, error, close::REFUSED);
        }
        if !self.admits(now, join.client, claims.as_ref(), is_same_page(&join)) {
            let error = ErrorCode::RateLimited;
            return self.outputs.refuse(socket, error, close::REFUSED);
        }
        match claims {
            None => self.join_new(join),
            Some(claims) => self.resume(now, &join, &claims),
        }
    }

    /// Counts a join for its rate limit. Members are counted apart from newcomers, so that these
    /// never keep them out.
    fn admits(
        &mut self,
        now: Moment,
        client: ClientKey,
        claims: Option<&ResumeClaims>,
        is_same_page: bool,
    ) -> bool {
        let target = claims.map(|claims| self.resume_target(claims, is_same_page));
        match (claims, target) {
            (None, _) | (_, None | Some(ResumeTarget::Departed)) => {
                self.join_rate.admits_newcomer(now, client)
            }
            (Some(claims), Some(_)) => self.join_rate.admits_return(now, &claims.peer),
        }
    }

    /// Admits a page without a resume token, or lets it wait until the room is restored.
    pub(super) fn join_new(&mut self, join: Join) {
        let role = join.hello.role;
        let max_waiting = self.max_members_beside(role);
        let is_full = self.is_full_for(role);
        let refused = match self.restoration.collecting() {
            Some(collection) if collection.waiting_beside(role) < max_waiting => {
                return collection.waiting.push_back(join);
            }
            Some(_) => Some(ErrorCode::RideFull),
            None if self.access.is_locked() => Some(ErrorCode::RideLocked),
            None if is_full => Some(ErrorCode::RideFull),
            None => None,
        };
        match refused {
            Some(error) => self.outputs.refuse(join.socket, error, close::REFUSED),
            None => {
                let (peer, number) = (join.fresh_peer.clone(), self.members.next_number());
                self.enter(&join, peer, role, number, Incarnation(1));
            }
        }
    }

    /// Claims of the hello's resume token, if it is valid for the member and page of the hello.
    ///
    /// Tokens do not expire while their ride goes on. Only a restored room looks at the expiry, of
    /// tokens of members that it has not welcomed yet.
    fn verify_resume(&self, now: Moment, join: &Join) -> Option<ResumeClaims> {
        let resume = join.hello.resume.as_ref()?;
        let Statement::Resume(claims) = self.signer.verify(&resume.token)? else {
            return None;
        };
        let is_same_peer = claims.peer == resume.peer;
        let is_same_load = resume
            .incarnation
            .is_none_or(|load| load == claims.incarnation);
        let wall_time = self.restoration.wall_time(now);
        let is_current = wall_time.is_none_or(|wall_time| {
            claims.expires > wall_time || self.members.has_been_welcomed(&claims.peer)
        });
        (is_same_peer && is_same_load && is_current).then_some(claims)
    }

    /// Admits a page with a valid resume token.
    fn resume(&mut self, now: Moment, join: &Join, claims: &ResumeClaims) {
        let is_same_page = is_same_page(join);
        if let ResumeTarget::ReplacedPage = self.resume_target(claims, is_same_page) {
            return self.replace_socket(join.socket);
        }
        if !self.is_banned(now, &claims.peer) {
            self.learn_from(now, join, claims);
        }
        if self.is_banned(now, &claims.peer) {
            let reason = self.access.ban_reason(&claims.peer).unwrap_or_default();
            return self.outputs.close_kicked(join.socket, reason.to_owned());
        }
        match self.resume_target(claims, is_same_page) {
            ResumeTarget::Member(number, known) => {
                let load = match is_same_page && claims.incarnation >= known {
                    true => claims.incarnation,
                    false => next(known),
                };
                self.return_as(join, number, load);
            }
            ResumeTarget::Restored(number) => self.return_restored(now, join, number, claims),
            ResumeTarget::Departed | ResumeTarget::ReplacedPage => {
                self.rejoin(now, join, claims);
            }
        }
        // The member itself may be the host that it has evidence for.
        self.consider_late_evidence(now);
    }

    /// Returns `true` for a banned peer. A restored room takes over a ban from before the restart,
    /// with its ban token, when the peer returns.
    fn is_banned(&mut self, now: Moment, peer: &PeerId) -> bool {
        if self.access.is_banned(peer) {
            return true;
        }
        let is_banned = self.restoration.standing(peer) == Standing::Banned;
        if is_banned && !self.access.has_all_bans() {
            self.ban(now, peer.clone(), String::new());
        }
        is_banned
    }

    fn resume_target(&self, claims: &ResumeClaims, is_same_page: bool) -> ResumeTarget {
        match self.members.find(&claims.peer) {
            Some((_, member)) if !member.authenticated => ResumeTarget::Restored(claims.number),
            Some((_, member)) if is_same_page && member.has_replaced(claims.incarnation) => {
                ResumeTarget::ReplacedPage
            }
            Some((number, member)) => ResumeTarget::Member(number, member.incarnation),
            None if self.restoration.is_collecting()
                && self.restoration.standing(&claims.peer) != Standing::Left =>
            {
                ResumeTarget::Restored(claims.number)
            }
            None => ResumeTarget::Departed,
        }
    }

    /// Gives a member its new socket, from the same page or from a newer one.
    fn return_as(&mut self, join: &Join, number: PeerNumber, load: Incarnation) {
        let Some(member) = self.members.get(number) else {
            return;
        };
        let is_same_page = load == member.incarnation;
        let page = ReturningPage {
            incarnation: load,
            presented_incarnation: other_presented(join, load),
            keys: join.hello.keys,
        };
        match self.members.reconnect(number, join.socket, page) {
            Some(old) if is_same_page => {
                let reason = "this page has a newer socket";
                self.outputs.close(old, close::SUPERSEDED, reason);
            }
            Some(old) => self.replace_socket(old),
            None => {}
        }
        self.greet(join, number, |member| ServerMessage::Returned { member });
    }

    /// Closes the socket of a page that a newer page of the same member has replaced.
    fn replace_socket(&mut self, socket: SocketId) {
        self.outputs.send(socket, ServerMessage::Replaced);
        let reason = "a newer page is this rider";
        self.outputs.close(socket, close::REPLACED, reason);
    }

    /// Admits a member of a restored room. Its token outweighs what the snapshots of others say
    /// about it, and about the holder of its number.
    fn return_restored(
        &mut self,
        now: Moment,
        join: &Join,
        number: PeerNumber,
        claims: &ResumeClaims,
    ) {
        let snapshot = join.hello.snapshot.as_deref();
        let is_known =
            is_same_page(join) && known_pages::is_mutual(&self.members, claims, snapshot);
        let listed = self.members.find(&claims.peer);
        // Others may know a newer tab of this member, by a slightly higher incarnation.
        let newest = claims.incarnation.0.saturating_add(MAX_TABS);
        let last_load = listed
            .map(|(_, member)| member.incarnation)
            .filter(|load| (claims.incarnation.0..=newest).contains(&load.0))
            .unwrap_or(claims.incarnation);
        let listed = listed.map(|(number, _)| number);
        let is_listed_alike = listed == Some(number);
        if !is_listed_alike {
            let wrongly_listed = listed.into_iter().chain([number]);
            wrongly_listed.for_each(|number| self.remove_unauthenticated(now, number));
        }
        let is_taken = !is_listed_alike && self.members.contains(number);
        let load = match is_known && !is_taken {
            true => claims.incarnation,
            false => next(last_load),
        };
        if is_listed_alike {
            let listed_role = self.members.get(number).map(|member| member.role);
            let keeps_place = listed_role.is_some_and(|it| it.is_rider() == claims.role.is_rider());
            if !keeps_place && !self.make_place(now, claims.role) {
                return self
                    .outputs
                    .refuse(join.socket, ErrorCode::RideFull, close::REFUSED);
            }
            let known_pages = known_pages::kept(&self.members, snapshot);
            self.members.authenticate(number, claims.role, known_pages);
            if !claims.role.is_rider() {
                // It may have been listed as a rider, and even named host.
                self.terms.revoke_first_host(&claims.peer);
                let announcement = self.terms.succeed(number, &self.members);
                self.announce(announcement);
                self.terms.fill_first_host(&self.members);
            }
            return self.return_as(join, number, load);
        }
        let number = match is_taken {
            true => self.members.next_number(),
            false => number,
        };
        self.enter_again(now, join, claims, number, load);
    }

    /// Admits a former member under a new number. One who left gives way to the members that a
    /// restored room waits for.
    fn rejoin(&mut self, now: Moment, join: &Join, claims: &ResumeClaims) {
        let has_left = self.restoration.standing(&claims.peer) == Standing::Left;
        if has_left && self.is_full_for(claims.role) {
            return self
                .outputs
                .refuse(join.socket, ErrorCode::RideFull, close::REFUSED);
        }
        let departed = self.members.take_departed(&claims.peer);
        let last_load = departed.map_or(claims.incarnation, |load| load.max(claims.incarnation));
        let number = self.members.next_number();
        self.enter_again(now, join, claims, number, next(last_load));
        if self.members.contains(number) {
            let peer = claims.peer.clone();
            self.outputs.record(StandingChange::Returned(peer));
        }
    }

    fn enter_again(
        &mut self,
        now: Moment,
        join: &Join,
        claims: &ResumeClaims,
        number: PeerNumber,
        load: Incarnation,
    ) {
        if !self.make_place(now, claims.role) {
            return self
                .outputs
                .refuse(join.socket, ErrorCode::RideFull, close::REFUSED);
        }
        self.enter(join, claims.peer.clone(), claims.role, number, load);
    }

    fn enter(
        &mut self,
        join: &Join,
        peer: PeerId,
        role: MemberRole,
        number: PeerNumber,
        load: Incarnation,
    ) {
        let snapshot = join.hello.snapshot.as_deref();
        let member = RoomMember {
            peer,
            role,
            keys: join.hello.keys,
            incarnation: load,
            presented_incarnation: other_presented(join, load),
            presence: Presence::Present(join.socket),
            authenticated: true,
            direct_links: Vec::new(),
            known_pages: known_pages::kept(&self.members, snapshot),
        };
        self.members.insert(number, member);
        self.lifetime.extend();
        self.greet(join, number, |member| ServerMessage::Joined { member });
    }

    /// Welcomes a member and announces it to the others. A new term begins if it is the first rider,
    /// or the host with another signing key.
    fn greet(
        &mut self,
        join: &Join,
        number: PeerNumber,
        announcement: impl Fn(Member) -> ServerMessage,
    ) {
        let Some(member) = self.members.get(number) else {
            return;
        };
        let needs_host = self.terms.host().is_none() && !self.restoration.is_collecting();
        let new_term = match needs_host && member.is_rider() {
            true => Some(self.terms.begin(number, member)),
            false => self.terms.renew_for_key(number, member),
        };
        let description = member.describe(number);
        let welcome = self.welcome(number, member, join.server_time);
        self.outputs
            .send(join.socket, ServerMessage::Welcome(Box::new(welcome)));
        self.announce_except(number, announcement(description));
        if let Some(new_term) = new_term {
            self.announce_except(number, new_term);
        }
    }

    /// Removes a member that is known only from snapshots.
    fn remove_unauthenticated(&mut self, now: Moment, number: PeerNumber) {
        let member = self.members.get(number);
        if member.is_some_and(|member| !member.authenticated) {
            self.remove(now, number, LeftReason::Gone);
        }
    }

    /// Makes a place for a holder of a token: if there is none, a member that is known only from
    /// snapshots is removed. Returns `false` if all places belong to holders of tokens.
    fn make_place(&mut self, now: Moment, role: MemberRole) -> bool {
        if !self.is_full_for(role) {
            return true;
        }
        let number = self.members.newest_unauthenticated_beside(role);
        number
            .inspect(|number| self.remove(now, *number, LeftReason::Gone))
            .is_some()
    }
}

/// Returns `true` if the hello is a new socket of a running page, and not of a reloaded one.
fn is_same_page(join: &Join) -> bool {
    let resume = join.hello.resume.as_ref();
    resume.is_some_and(|resume| resume.incarnation.is_some())
}

/// Incarnation that the page presented, if the room assigns it another one.
fn other_presented(join: &Join, assigned: Incarnation) -> Option<Incarnation> {
    let resume = join.hello.resume.as_ref()?;
    resume
        .incarnation
        .filter(|presented| *presented != assigned)
}

fn next(load: Incarnation) -> Incarnation {
    Incarnation(load.0.saturating_add(1))
}
