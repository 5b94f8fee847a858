use std::time::Duration;

use super::{Gone, Join, Memory, Presence, ResumeClaims, Rider, Room, SocketId, Statement};
use protocol::{
    peer::{Incarnation, PeerId, PeerNumber},
    signaling::{ErrorCode, LeftReason, Member, ServerMessage, VERSION, close},
};

/// So many riders who left are remembered by their page load.
const MAX_GONE: usize = 256;
/// A rider's tabs are believed to be so many incarnations apart.
const MAX_TABS: u32 = 16;

/// Who a rider with a good token is to this room.
enum Claim {
    /// A member who has been here since the room knows.
    Member(PeerNumber),
    /// A member of the room that was lost, of whom others told or not yet.
    Restored(PeerNumber),
    /// Somebody who was here.
    Gone,
    /// A page that is this rider no more.
    Stale,
}

impl Room {
    pub(super) fn join(&mut self, now: Duration, join: Join) {
        let socket = join.socket;
        if join.hello.version != VERSION {
            return self.turn_away(socket, ErrorCode::UnsupportedVersion, close::REFUSED);
        }
        if self.ended {
            return self.turn_away(socket, ErrorCode::NoSuchRide, close::REFUSED);
        }
        if self.sockets.contains_key(&socket) || self.is_waiting(socket) {
            return self.send(socket, ServerMessage::error(ErrorCode::BadMessage));
        }
        match (&join.hello.resume, self.pass(&join)) {
            (None, _) => self.newcomer(join),
            (Some(_), None) => self.turn_away(socket, ErrorCode::BadToken, close::REFUSED),
            (Some(_), Some(pass)) => self.known(now, join, &pass),
        }
    }

    /// Somebody without a token.
    pub(super) fn newcomer(&mut self, join: Join) {
        if let Memory::Restoring(restoring) = &mut self.memory {
            if restoring.waiting() < self.settings.max_riders as usize {
                return restoring.keep_waiting(join);
            }
            return self.turn_away(join.socket, ErrorCode::RideFull, close::REFUSED);
        }
        if self.locked {
            return self.turn_away(join.socket, ErrorCode::RideLocked, close::REFUSED);
        }
        if self.is_full() {
            return self.turn_away(join.socket, ErrorCode::RideFull, close::REFUSED);
        }
        let (peer, number) = (join.fresh_peer.clone(), PeerNumber(self.next_number));
        self.enter(&join, peer, number, Incarnation(1));
    }

    pub(super) fn remember(&mut self, rider: Rider) {
        self.gone.push_back(Gone {
            peer: rider.peer,
            incarnation: rider.incarnation,
        });
        if self.gone.len() > MAX_GONE {
            self.gone.pop_front();
        }
    }

    /// What the token proves, if it is good and the rider's own.
    fn pass(&self, join: &Join) -> Option<ResumeClaims> {
        let resume = join.hello.resume.as_ref()?;
        let Some(Statement::Rider(pass)) = self.signer.verify(&resume.token) else {
            return None;
        };
        let own = pass.peer == resume.peer;
        let same_load = |load| load == pass.incarnation;
        let good = pass.expires > join.server_time / 1_000;
        (own && good && resume.incarnation.is_none_or(same_load)).then_some(pass)
    }

    /// Somebody with a good token.
    fn known(&mut self, now: Duration, join: Join, pass: &ResumeClaims) {
        let same_page = is_same_page(&join);
        if matches!(self.claim(pass, same_page), Claim::Stale) {
            self.send(join.socket, ServerMessage::Replaced);
            let reason = "a newer page is this rider";
            return self.close(join.socket, close::REPLACED, reason);
        }
        if !self.is_barred(&pass.peer) {
            self.learn(now, &join, pass);
        }
        if self.is_barred(&pass.peer) {
            return self.turn_out_barred(join.socket, &pass.peer);
        }
        match self.claim(pass, same_page) {
            Claim::Member(number) => {
                let known = self.members[&number].incarnation;
                let load = match same_page && pass.incarnation >= known {
                    true => pass.incarnation,
                    false => self.next_load(number),
                };
                self.come_back(&join, number, load);
            }
            Claim::Restored(number) => self.enter_restored(now, &join, number, pass),
            Claim::Gone | Claim::Stale => self.join_again(now, &join, pass),
        }
    }

    fn claim(&self, pass: &ResumeClaims, same_page: bool) -> Claim {
        let member = self.number_of(&pass.peer);
        let member = member.and_then(|number| Some((number, self.members.get(&number)?)));
        match member {
            Some((_, rider)) if !rider.vouched => Claim::Restored(pass.number),
            Some((_, rider)) if same_page && rider.is_newer_than(pass.incarnation) => Claim::Stale,
            Some((number, _)) => Claim::Member(number),
            None if self.is_restoring() => Claim::Restored(pass.number),
            None => Claim::Gone,
        }
    }

    /// A member has a new socket: the same page, or a newer one.
    fn come_back(&mut self, join: &Join, number: PeerNumber, load: Incarnation) {
        let Some(rider) = self.members.get_mut(&number) else {
            return;
        };
        let old = rider.socket();
        let same_page = load == rider.incarnation;
        rider.incarnation = load;
        rider.before = renumbered(join, load);
        rider.keys = join.hello.keys;
        rider.presence = Presence::Present(join.socket);
        self.sockets.insert(join.socket, number);
        if let Some(old) = old {
            self.drop_socket(old, same_page);
        }
        self.greet(join, number, |member| ServerMessage::Returned { member });
    }

    fn next_load(&self, number: PeerNumber) -> Incarnation {
        Incarnation(self.members[&number].incarnation.0.saturating_add(1))
    }

    /// A member of the room that was lost is here again. What others told of
    /// it does not count beside its token.
    fn enter_restored(
        &mut self,
        now: Duration,
        join: &Join,
        number: PeerNumber,
        pass: &ResumeClaims,
    ) {
        let listed = self.number_of(&pass.peer);
        let fits = is_same_page(join) && self.is_known_alike(join, pass);
        // A newer tab may be known by the incarnation after this one; others may lie.
        let told = listed.and_then(|listed| self.members.get(&listed));
        let told = told.map_or(0, |rider| rider.incarnation.0);
        let near = pass.incarnation.0..=pass.incarnation.0.saturating_add(MAX_TABS);
        let last = Some(told).filter(|told| near.contains(told));
        let last = last.unwrap_or(pass.incarnation.0);
        let wrong = listed.filter(|listed| *listed != number);
        let impostor = Some(number).filter(|number| listed != Some(*number));
        for one in [wrong, impostor].into_iter().flatten() {
            self.strike(now, one);
        }
        let taken = listed != Some(number) && self.members.contains_key(&number);
        let load = match fits && !taken {
            true => pass.incarnation,
            false => Incarnation(last.saturating_add(1)),
        };
        if listed == Some(number) {
            let knows = self.pages_kept(join);
            if let Some(rider) = self.members.get_mut(&number) {
                rider.vouched = true;
                rider.knows = knows;
            }
            return self.come_back(join, number, load);
        }
        let number = match taken {
            true => PeerNumber(self.next_number),
            false => number,
        };
        self.enter_again(now, join, number, load);
    }

    /// Somebody who was here joins again, under a new number.
    fn join_again(&mut self, now: Duration, join: &Join, pass: &ResumeClaims) {
        let gone = self.gone.iter().position(|gone| gone.peer == pass.peer);
        let gone = gone.and_then(|index| self.gone.remove(index));
        let last = gone.map_or(pass.incarnation, |gone| {
            gone.incarnation.max(pass.incarnation)
        });
        let load = Incarnation(last.0.saturating_add(1));
        self.enter_again(now, join, PeerNumber(self.next_number), load);
    }

    fn enter_again(&mut self, now: Duration, join: &Join, number: PeerNumber, load: Incarnation) {
        if self.is_full() && !self.strike_one(now) {
            return self.turn_away(join.socket, ErrorCode::RideFull, close::REFUSED);
        }
        if let Some(resume) = &join.hello.resume {
            self.enter(join, resume.peer.clone(), number, load);
        }
    }

    fn enter(&mut self, join: &Join, peer: PeerId, number: PeerNumber, incarnation: Incarnation) {
        let presence = Presence::Present(join.socket);
        let rider = Rider {
            peer,
            keys: join.hello.keys,
            incarnation,
            before: renumbered(join, incarnation),
            presence,
            heard: Duration::ZERO,
            vouched: true,
            reaches: Vec::new(),
            knows: self.pages_kept(join),
        };
        self.members.insert(number, rider);
        self.sockets.insert(join.socket, number);
        self.next_number = self.next_number.max(number.0.saturating_add(1));
        self.dies_at = None;
        self.dead = false;
        if self.host.is_none() && !self.is_restoring() {
            self.begin_term(number);
        }
        self.greet(join, number, |member| ServerMessage::Joined { member });
    }

    /// Welcomes a rider and tells the others; a host with another key begins a
    /// new epoch.
    fn greet(
        &mut self,
        join: &Join,
        number: PeerNumber,
        message: impl Fn(Member) -> ServerMessage,
    ) {
        let new_term = self.needs_new_term(number, join.hello.keys.sign);
        let term = new_term.then(|| self.begin_term(number));
        self.welcome(join.socket, number, join.server_time);
        let member = self.member(number, &self.members[&number]);
        self.tell_others(number, &message(member));
        if let Some((term, first_host)) = term.zip(self.first_host.clone()) {
            self.tell_others(number, &ServerMessage::Host { term, first_host });
        }
    }

    /// Takes a member off the list of whom only others told.
    fn strike(&mut self, now: Duration, number: PeerNumber) {
        if self
            .members
            .get(&number)
            .is_some_and(|rider| !rider.vouched)
        {
            self.remove(now, number, LeftReason::Gone);
        }
    }

    /// Makes room for somebody with a token where others only told of somebody.
    fn strike_one(&mut self, now: Duration) -> bool {
        let told = self.members.iter().rev().find(|(_, rider)| !rider.vouched);
        let told = told.map(|(number, _)| *number);
        told.inspect(|number| self.strike(now, *number)).is_some()
    }

    fn drop_socket(&mut self, old: SocketId, same_page: bool) {
        self.sockets.remove(&old);
        if same_page {
            self.close(old, close::SUPERSEDED, "this page has a newer socket");
        } else {
            self.send(old, ServerMessage::Replaced);
            self.close(old, close::REPLACED, "a newer page is this rider");
        }
    }
}

impl Rider {
    /// Whether a page of this incarnation is this rider no more.
    fn is_newer_than(&self, page: Incarnation) -> bool {
        page < self.incarnation && self.before != Some(page)
    }
}

/// By which incarnation a page came that is given another.
fn renumbered(join: &Join, given: Incarnation) -> Option<Incarnation> {
    let resume = join.hello.resume.as_ref()?;
    resume.incarnation.filter(|came| *came != given)
}

/// Whether a page that was here has a new socket; if not, it was loaded anew.
fn is_same_page(join: &Join) -> bool {
    let resume = join.hello.resume.as_ref();
    resume.is_some_and(|resume| resume.incarnation.is_some())
}
