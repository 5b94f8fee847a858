//! A rider's page: what it has beside its node, and the timeline passed on as the
//! app's session does it.

use std::{collections::BTreeMap, time::Duration};

use clock::GroupTime;
use mesh::node::{Input, Node, NodeEvent};
use mesh::peer_limits::{PeerLimits, PeerRequest};
use protocol::{
    peer::{DeliveryClass, Incarnation, LinkState, PeerId},
    signaling::Member,
};
use ride::{
    message::PeerMessage,
    timeline::{Change, Head, Phase, RideClock, SignedEvent, SigningKey, Timeline, TimelineSync},
    workout::{Draft, Interval, IntervalKind, Target, Workout},
};

use crate::net::{Net, seed_of_keys};

/// What somebody says that is not of the timeline begins with this; a [`PeerMessage`] never does.
const SAID: u8 = b's';

pub struct Page {
    key: SigningKey,
    pub load: Option<(PeerId, Incarnation)>,
    pub timeline: Timeline,
    timeline_sync: TimelineSync,
    limits: PeerLimits,
    clock: RideClock,
    /// What the browser has kept of the timeline.
    kept: Vec<SignedEvent>,
    /// Group time, and the start and the time ridden by it, as last seen.
    time: Option<i64>,
    ridden: (Option<GroupTime>, Duration),
    pub said: u32,
    pub heard: BTreeMap<(PeerId, u32), u32>,
    pub refused: bool,
}

impl Page {
    pub fn new(rider: usize) -> Self {
        Self {
            key: SigningKey::from_seed(seed_of_keys(rider)).unwrap(),
            load: None,
            timeline: Timeline::new(),
            timeline_sync: TimelineSync::default(),
            limits: PeerLimits::default(),
            clock: RideClock::default(),
            kept: Vec::new(),
            time: None,
            ridden: (None, Duration::ZERO),
            said: 0,
            heard: BTreeMap::new(),
            refused: false,
        }
    }

    /// The page knows what its browser has kept, and nothing else.
    pub fn load_again(&mut self) {
        *self = Self {
            key: self.key.clone(),
            kept: std::mem::take(&mut self.kept),
            ..Self::new(0)
        };
    }

    /// Takes in all that has happened.
    pub fn look(&mut self, net: &mut Net, at: usize, seed: u64) {
        let me = net.riders[at].node.me();
        self.load = me.map(|me| (me.peer.clone(), me.incarnation));
        for event in std::mem::take(&mut net.riders[at].events) {
            self.hear(net, at, seed, event);
        }
        self.catch_up(net, at);
        self.settle(net, at);
        self.look_at_clock(net, at, seed);
    }

    fn look_at_clock(&mut self, net: &Net, at: usize, seed: u64) {
        let time = net.group_time(at);
        let ran_back = time < self.time && time.is_some();
        assert!(!ran_back, "seed {seed}: time ran back for {at}");
        self.time = time.or(self.time);
        let phase = time.map(|time| self.clock.read(&self.timeline, GroupTime(time)));
        let elapsed = match phase {
            Some(
                Phase::Riding { elapsed }
                | Phase::Paused { elapsed, .. }
                | Phase::Ended { elapsed },
            ) => elapsed,
            _ => return,
        };
        let ridden = (self.timeline.started_at(), elapsed);
        let ran_back = ridden.0 == self.ridden.0 && ridden.1 < self.ridden.1;
        assert!(!ran_back, "seed {seed}: ride time ran back for {at}");
        self.ridden = ridden;
    }

    fn hear(&mut self, net: &mut Net, at: usize, seed: u64, event: NodeEvent) {
        let now = net.now;
        match event {
            NodeEvent::Welcomed { members, .. } => {
                self.timeline_sync = TimelineSync::default();
                self.take_kept(net, at);
                self.gossip(net, at);
                members.iter().for_each(|member| self.meet(net, at, member));
            }
            NodeEvent::Joined(member) => self.meet(net, at, &member),
            NodeEvent::Returned(member) => self.meet(net, at, &member),
            NodeEvent::Left { peer, .. } => self.timeline_sync.remove_peer(&peer),
            NodeEvent::HostChanged(_) => self.timeline_sync.host_changed(now),
            NodeEvent::HeartbeatPayload {
                from,
                payload: bytes,
            } => {
                if let Some(head) = Head::from_bytes(&bytes) {
                    self.timeline_sync.update_head(now, &from, head);
                }
            }
            NodeEvent::Received { from, payload, .. } => match payload.split_first() {
                Some((&SAID, said)) => self.hear_said(from, said, at, seed),
                _ => self.hear_message(net, at, &from, &payload),
            },
            NodeEvent::JoinRefused { code, .. } => {
                assert!(self.load.is_none(), "seed {seed}: {code:?} for {at}");
                self.refused = true;
            }
            _ => {}
        }
    }

    fn hear_said(&mut self, from: PeerId, said: &[u8], at: usize, seed: u64) {
        let [load, number] = said.as_chunks().0 else {
            panic!("seed {seed}: {said:?} for {at}");
        };
        let (load, number) = (u32::from_be_bytes(*load), u32::from_be_bytes(*number));
        let last = self.heard.entry((from.clone(), load)).or_default();
        assert!(
            number > *last,
            "seed {seed}: {number} of {from} again for {at}"
        );
        *last = number;
    }

    fn hear_message(&mut self, net: &mut Net, at: usize, from: &PeerId, payload: &[u8]) {
        match PeerMessage::decode(payload).unwrap() {
            PeerMessage::Timeline(events) => {
                let gap = self.take(net, at, events);
                if gap && self.limits.allow(net.now, from, PeerRequest::WholeTimeline) {
                    let head = Head::NONE;
                    tell(net, at, from, &PeerMessage::TimelineRequest { head });
                }
            }
            PeerMessage::TimelineRequest { head } => {
                if self.limits.allow(net.now, from, PeerRequest::Timeline) {
                    self.tell_since(net, at, from, head);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn take_kept(&mut self, net: &mut Net, at: usize) {
        if self.timeline.head() == Head::NONE {
            self.timeline.restore(self.kept.clone());
            self.changed(net, at);
        }
    }

    /// Takes events in; true if some before them are missing.
    fn take(&mut self, net: &mut Net, at: usize, events: Vec<SignedEvent>) -> bool {
        let terms = net.riders[at].node.host_terms();
        let taken = self.timeline.merge(events, |epoch, host| {
            let mut terms = terms.iter();
            let term = terms.find(|term| term.epoch == epoch && term.peer == *host);
            term.map(|term| term.sign_key)
        });
        if taken.grew {
            self.changed(net, at);
        }
        taken.gap
    }

    fn changed(&mut self, net: &mut Net, at: usize) {
        self.kept = self.timeline.since(Head::NONE);
        self.gossip(net, at);
    }

    fn gossip(&self, net: &mut Net, at: usize) {
        let head = self.timeline.head().to_bytes().to_vec();
        net.feed(at, Input::SetHeartbeatPayload(head));
    }

    /// The host tells a newcomer everything.
    fn meet(&self, net: &mut Net, at: usize, member: &Member) {
        if net.riders[at].node.is_host() {
            self.tell_since(net, at, &member.peer, Head::NONE);
        }
    }

    fn tell_since(&self, net: &mut Net, at: usize, to: &PeerId, head: Head) {
        let events = self.timeline.since(head);
        if !events.is_empty() {
            tell_as(
                net,
                at,
                to,
                DeliveryClass::Bulk,
                &PeerMessage::Timeline(events),
            );
        }
    }

    fn catch_up(&mut self, net: &mut Net, at: usize) {
        let head = self.timeline.head();
        let in_reach = in_reach(&net.riders[at].node);
        let now = net.now;
        if let Some(ahead) = self.timeline_sync.next_request(now, head, &in_reach) {
            tell(net, at, ahead, &PeerMessage::TimelineRequest { head });
        }
    }

    fn settle(&mut self, net: &mut Net, at: usize) {
        let node = &net.riders[at].node;
        let hosts = node.is_host() && !node.host_controls_suspended();
        let hosts = hosts.then(|| node.epoch());
        let head = self.timeline.head();
        if self.timeline_sync.needs_no_op(net.now, head, hosts) {
            self.decide(net, at, Change::NoOp);
        }
    }

    /// Decides something as host, if that makes sense.
    pub fn decide(&mut self, net: &mut Net, at: usize, change: Change) {
        let node = &net.riders[at].node;
        let (Some(me), epoch) = (node.me().map(|me| me.peer.clone()), node.epoch()) else {
            return;
        };
        let event = self.timeline.append(change, epoch, &me, &self.key);
        if let Ok(event) = event {
            let message = PeerMessage::Timeline(vec![event]);
            net.broadcast(at, DeliveryClass::Control, &message.encode());
            self.changed(net, at);
        }
    }

    /// An event that only looks as if it were the host's, and a message with it.
    pub fn forge(
        &self,
        host: &PeerId,
        epoch: u32,
        at: GroupTime,
    ) -> Option<(Vec<SignedEvent>, Vec<u8>)> {
        let mut timeline = self.timeline.clone();
        let any = [Change::End { at }, Change::Share(workout(66))];
        let mut made = any.into_iter();
        let made = made.find_map(|change| timeline.append(change, epoch, host, &self.key).ok())?;
        let events = vec![made];
        let message = PeerMessage::Timeline(events.clone()).encode();
        Some((events, message))
    }
}

pub fn say((load, number): (u32, u32)) -> Vec<u8> {
    [&[SAID][..], &load.to_be_bytes(), &number.to_be_bytes()].concat()
}

pub fn workout(minutes: u64) -> Workout {
    let interval = |minutes| {
        let length = Duration::from_secs(60 * minutes);
        Interval::new(length, IntervalKind::Steady, Target::steady(0.8))
    };
    Workout::new(Draft {
        intervals: [minutes, 1, 2].map(interval).to_vec(),
        ..Draft::default()
    })
    .unwrap()
}

fn in_reach(node: &Node) -> Vec<PeerId> {
    let reached = |peer: &&Member| {
        let link = node.link_state(&peer.peer);
        matches!(link, Some(LinkState::Direct | LinkState::Relayed))
    };
    let reached = node.members().filter(reached);
    reached.map(|member| member.peer.clone()).collect()
}

fn tell(net: &mut Net, at: usize, to: &PeerId, message: &PeerMessage) {
    tell_as(net, at, to, DeliveryClass::Control, message);
}

fn tell_as(net: &mut Net, at: usize, to: &PeerId, class: DeliveryClass, message: &PeerMessage) {
    let (to, payload) = (to.clone(), message.encode());
    net.feed(at, Input::Send { to, class, payload });
}
