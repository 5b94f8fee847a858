//! A room that was lost with the server's memory, put together again by those
//! who were in it.
//!
//! A good token brings its rider back at once, under the same id and number;
//! others are relayed to it as ever. The members that a page tells of are away
//! until they come with a token of their own. Who is host is decided after
//! [`RoomSettings::restore_wait`](super::RoomSettings): the one whom most
//! holders of a good token name. Newcomers wait until then, since the ride may
//! be locked.
//!
//! Law: a page is believed what the server signed (its own token, the notes of
//! who was removed). The rest is counted, bounded, and never makes an epoch
//! fall behind one that any page has seen. Only those count who are there when
//! it is decided.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use super::{Join, Presence, ResumeClaims, Rider, Room, ServerMessage, SocketId};
use protocol::{
    peer::{Incarnation, PeerId, PeerNumber},
    signaling::{HostTerm, MAX_HOST_TERMS, Member, RestoredRoom},
};

/// No ride comes near this epoch or number; whoever reports a higher one lies.
const BELIEVABLE: u32 = 1 << 24;

/// How long nobody can make the host begin another term by claiming one.
const PASS_REST: Duration = Duration::from_secs(30);

/// What the room remembers.
#[derive(Debug)]
pub(super) enum Memory {
    /// Everything: it has been there from the start.
    Whole,
    /// Nothing but what its riders tell.
    Restoring(Restoring),
    /// What its riders told.
    Restored,
}

/// A room that asks its riders.
#[derive(Debug)]
pub(super) struct Restoring {
    until: Duration,
    votes: BTreeMap<PeerId, Vote>,
    waiting: VecDeque<Join>,
}

/// What one holder of a good token says.
#[derive(Debug)]
struct Vote {
    number: PeerNumber,
    /// Not empty, epochs rising.
    hosts: Vec<HostTerm>,
    first_host: Option<PeerId>,
    locked: bool,
}

/// One page, as another knows it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct KnownPage {
    pub(super) number: PeerNumber,
    peer: PeerId,
    incarnation: Incarnation,
}

impl KnownPage {
    fn new(number: PeerNumber, rider: &Rider) -> Self {
        Self {
            number,
            peer: rider.peer.clone(),
            incarnation: rider.incarnation,
        }
    }
}

impl Restoring {
    pub(super) fn until(&self) -> Duration {
        self.until
    }

    /// Lets somebody new wait.
    pub(super) fn keep_waiting(&mut self, join: Join) {
        self.waiting.push_back(join);
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

impl Vote {
    fn last(&self) -> Option<&HostTerm> {
        self.hosts.last()
    }

    fn epoch(&self) -> u32 {
        self.last().map_or(0, |term| term.epoch)
    }
}

impl Memory {
    pub(super) fn lost(now: Duration, wait: Duration) -> Self {
        Self::Restoring(Restoring {
            until: now + wait,
            votes: BTreeMap::new(),
            waiting: VecDeque::new(),
        })
    }
}

impl Room {
    pub(super) fn is_restoring(&self) -> bool {
        matches!(self.memory, Memory::Restoring(_))
    }

    pub(super) fn is_waiting(&self, socket: SocketId) -> bool {
        match &self.memory {
            Memory::Restoring(restoring) => {
                let mut waiting = restoring.waiting.iter();
                waiting.any(|join| join.socket == socket)
            }
            Memory::Whole | Memory::Restored => false,
        }
    }

    pub(super) fn stop_waiting(&mut self, socket: SocketId) {
        if let Memory::Restoring(restoring) = &mut self.memory {
            restoring.waiting.retain(|join| join.socket != socket);
        }
    }

    /// Takes what a rider with a good token tells of the ride. A room that
    /// has its memory does not need it.
    pub(super) fn learn(&mut self, now: Duration, join: &Join, pass: &ResumeClaims) {
        let restore = join.hello.snapshot.as_deref();
        if let Some(restore) = restore.filter(|_| self.host.is_some()) {
            self.take_elections(now, &pass.peer, restore);
        }
        if matches!(self.memory, Memory::Whole) {
            return;
        }
        for note in restore.map_or(&[][..], |restore| &restore.bans) {
            self.take_note(now, note);
        }
        self.signed_epoch = self.signed_epoch.max(pass.epoch);
        let vote = vote(join, pass).filter(|vote| self.is_near(vote));
        let told = vote.as_ref().map_or(0, Vote::epoch);
        self.epoch_floor = self.epoch_floor.max(pass.epoch).max(told);
        let members = restore.map_or(&[][..], |restore| &restore.members);
        self.skip_numbers(members, pass);
        if let Memory::Restoring(restoring) = &mut self.memory {
            if let Some(vote) = vote {
                restoring.votes.insert(pass.peer.clone(), vote);
            }
            self.list(now, members, pass);
        } else if let Some(term) = vote.as_ref().and_then(Vote::last)
            && self.may_pass(now, &pass.peer, term)
        {
            self.pass_by(term);
        }
    }

    /// Whether a page may know of a term that no token has been seen of: there
    /// may have been as many since as it remembers.
    fn is_near(&self, vote: &Vote) -> bool {
        vote.epoch() <= self.signed_epoch.saturating_add(MAX_HOST_TERMS as u32)
    }

    /// Whether a term that somebody tells of may lead to a new one: not twice in
    /// a short time for the same rider's sake.
    pub(super) fn may_pass(&mut self, now: Duration, peer: &PeerId, term: &HostTerm) -> bool {
        self.passed.retain(|(_, at)| now < *at + PASS_REST);
        let news = self.terms.back() != Some(term) && self.epoch() <= term.epoch;
        let rests = self.passed.iter().any(|(passed, _)| passed == peer);
        if news && !rests {
            self.passed.push((peer.clone(), now));
        }
        !rests
    }

    /// Somebody comes late and knows of a term that the others did not tell of:
    /// the host begins one after it.
    pub(super) fn pass_by(&mut self, known: &HostTerm) {
        let ours = self.terms.back();
        let is_ours = ours.is_some_and(|term| term.epoch > known.epoch || term == known);
        if let Some(host) = self.host.filter(|_| !is_ours) {
            self.epoch_floor = self.epoch_floor.max(known.epoch);
            self.crown(host);
        }
    }

    /// Numbers that any page knows are not given to anybody else.
    fn skip_numbers(&mut self, members: &[Member], pass: &ResumeClaims) {
        let numbers = members.iter().map(|member| member.number);
        let believable = numbers.filter(|number| number.0 < BELIEVABLE);
        let highest = believable.chain([pass.number]).max();
        let next = highest.map_or(1, |number| number.0.saturating_add(1));
        self.next_number = self.next_number.max(next);
    }

    /// Lists the others as away.
    fn list(&mut self, now: Duration, members: &[Member], pass: &ResumeClaims) {
        for member in members {
            let number = member.number;
            let believable = (1..BELIEVABLE).contains(&number.0) && number != pass.number;
            let known = self.members.contains_key(&number)
                || self.number_of(&member.peer).is_some()
                || self.is_barred(&member.peer);
            let listed = !believable || known || member.peer == pass.peer || self.is_full();
            if listed {
                continue;
            }
            let rider = Rider {
                peer: member.peer.clone(),
                keys: member.keys,
                incarnation: member.incarnation,
                before: None,
                presence: self.away(now),
                heard: Duration::ZERO,
                vouched: false,
                reaches: Vec::new(),
                knows: Vec::new(),
            };
            self.members.insert(number, rider);
            let member = self.member(number, &self.members[&number]);
            self.tell_others(number, &ServerMessage::Joined { member });
        }
    }

    /// Whether a page that comes back and those who are back know of each
    /// other alike. If one of two remembers what the other has forgotten, their
    /// links would not fit together.
    pub(super) fn is_known_alike(&self, join: &Join, pass: &ResumeClaims) -> bool {
        let knows = pages_told(join);
        let own = KnownPage {
            number: pass.number,
            peer: pass.peer.clone(),
            incarnation: pass.incarnation,
        };
        let others = self.members.iter().filter(|(_, other)| other.vouched);
        let mut others = others.filter(|(_, other)| other.peer != pass.peer);
        others.all(|(number, other)| {
            let theirs = KnownPage::new(*number, other);
            knows.contains(&theirs) == other.knows.contains(&own)
        })
    }

    /// The pages that a page goes on to know after its welcome: what is not in
    /// the welcome as it was, it forgets.
    pub(super) fn pages_kept(&self, join: &Join) -> Vec<KnownPage> {
        let mut told = pages_told(join);
        told.retain(|page| {
            let member = self.members.get(&page.number);
            member.is_some_and(|member| KnownPage::new(page.number, member) == *page)
        });
        told
    }

    /// Says who is host, when it is time, and lets in who waits.
    pub(super) fn finish_restoring(&mut self, now: Duration) {
        let Memory::Restoring(restoring) = &mut self.memory else {
            return;
        };
        if restoring.until > now {
            return;
        }
        let mut votes = std::mem::take(&mut restoring.votes);
        let waiting = std::mem::take(&mut restoring.waiting);
        self.memory = Memory::Restored;
        votes.retain(|peer, _| !self.is_barred(peer));
        if votes.keys().any(|peer| self.is_here(peer)) {
            votes.retain(|peer, _| self.is_here(peer));
        }
        let away = self.away(now);
        for rider in self.members.values_mut().filter(|rider| !rider.vouched) {
            rider.presence = away;
        }
        match self.elect(&votes) {
            Some((number, vote)) => self.adopt(number, vote, &votes),
            None => _ = self.longest_present().map(|number| self.begin_term(number)),
        }
        self.announce_restored();
        for join in waiting {
            let socket = join.socket;
            self.newcomer(join);
            self.hear(now, Some(socket));
        }
    }

    /// Whether a rider came with a token of its own and is still there.
    fn is_here(&self, peer: &PeerId) -> bool {
        let member = self.number_of(peer).map(|number| &self.members[&number]);
        member.is_some_and(|rider| rider.vouched && rider.socket().is_some())
    }

    /// The host whom most name, as the one knows it best who knows most.
    fn elect<'a>(&self, votes: &'a BTreeMap<PeerId, Vote>) -> Option<(PeerNumber, &'a Vote)> {
        let counted = || votes.values();
        let names = |vote: &Vote, host: &PeerId| vote.last().is_some_and(|it| it.peer == *host);
        let supporters = |host| counted().filter(|vote| names(vote, host)).count();
        let alike = |one: &Vote| counted().filter(|it| it.hosts == one.hosts).count();
        let candidates = counted().filter_map(|vote| {
            let host = &vote.last()?.peer;
            let number = self.number_of(host)?;
            let rank = (supporters(host), vote.epoch(), alike(vote));
            Some(((rank, Reverse(vote.number)), (number, vote)))
        });
        let best = candidates.max_by_key(|(rank, _)| *rank);
        best.map(|(_, elected)| elected)
    }

    fn adopt(&mut self, number: PeerNumber, vote: &Vote, votes: &BTreeMap<PeerId, Vote>) {
        let agree = votes.values().filter(|it| it.last() == vote.last());
        let locked = agree.clone().filter(|it| it.locked).count();
        self.locked = 2 * locked >= agree.count() && locked > 0;
        self.terms = vote.hosts.iter().cloned().collect();
        self.host = Some(number);
        let first = vote.first_host.clone();
        let first = first.filter(|first| !self.is_barred(first));
        self.first_host = first.or(vote.last().map(|term| term.peer.clone()));
        let host = &self.members[&number];
        let new_key = host.vouched && self.needs_new_term(number, host.keys.sign);
        let terms = votes.values().filter_map(Vote::last);
        let contested = terms
            .filter(|term| term.epoch == self.epoch())
            .any(|term| Some(term) != vote.last());
        if self.epoch() < self.epoch_floor || contested || new_key {
            self.begin_term(number);
        }
    }

    fn announce_restored(&mut self) {
        if let Some(first_host) = self.first_host.clone() {
            let restored = RestoredRoom {
                hosts: self.terms.iter().cloned().collect(),
                first_host,
                locked: self.locked,
            };
            self.tell_all(&ServerMessage::Restored(Box::new(restored)));
        }
    }

    fn away(&self, now: Duration) -> Presence {
        Presence::Away {
            since: now,
            until: now + self.settings.grace,
        }
    }
}

/// The pages of others that a page says it knows.
fn pages_told(join: &Join) -> Vec<KnownPage> {
    let restore = join.hello.snapshot.iter();
    let members = restore.flat_map(|restore| &restore.members);
    let page = |member: &Member| KnownPage {
        number: member.number,
        peer: member.peer.clone(),
        incarnation: member.incarnation,
    };
    members.map(page).collect()
}

/// What a page says of the host, or, where it forgot everything, its token.
fn vote(join: &Join, pass: &ResumeClaims) -> Option<Vote> {
    let told = join.hello.snapshot.as_deref().map(|restore| Vote {
        number: pass.number,
        hosts: restore.hosts.clone(),
        first_host: restore.first_host.clone(),
        locked: restore.locked,
    });
    let signed = || Vote {
        number: pass.number,
        hosts: vec![HostTerm {
            epoch: pass.epoch,
            peer: pass.peer.clone(),
            sign_key: join.hello.keys.sign,
        }],
        first_host: None,
        locked: false,
    };
    told.filter(makes_sense).or(pass.host.then(signed))
}

fn makes_sense(vote: &Vote) -> bool {
    let rising = vote.hosts.is_sorted_by(|a, b| a.epoch < b.epoch);
    rising && (1..BELIEVABLE).contains(&vote.epoch())
}
