//! The parts of a rider's page beside its node, with the timeline exchanged as the session does.

use std::{collections::BTreeMap, time::Duration};

use clock::GroupTime;
use mesh::{
    node::{Input, Node, NodeEvent},
    peer_limits::{PeerLimits, PeerRequest},
};
use protocol::{
    peer::{DeliveryClass, Incarnation, LinkState, PeerId},
    signaling::Member,
};
use ride::{
    message::PeerMessage,
    timeline::{Change, Head, Phase, RideClock, SignedEvent, SigningKey, Timeline, TimelineSync},
    workout::{Draft, Interval, IntervalKind, Target, Workout},
};

use crate::network::{Network, key_seed};

/// First byte of a numbered message. A [`PeerMessage`] never starts with it.
const NUMBERED: u8 = b's';

pub struct Page {
    key: SigningKey,
    pub load: Option<(PeerId, Incarnation)>,
    pub timeline: Timeline,
    timeline_sync: TimelineSync,
    limits: PeerLimits,
    clock: RideClock,
    /// Timeline as the browser keeps it for a reload.
    kept: Vec<SignedEvent>,
    /// Newest group time, to check that it never runs backwards.
    time: Option<i64>,
    /// Start of the ride and time ridden, to check that it never runs backwards.
    ridden: (Option<GroupTime>, Duration),
    /// Number of the newest numbered message.
    pub sent: u32,
    /// Number of the newest message received from each page load.
    pub received: BTreeMap<(PeerId, u32), u32>,
    pub is_refused: bool,
}

impl Page {
    pub fn new(rider: usize) -> Self {
        Self {
            key: SigningKey::from_seed(key_seed(rider)).unwrap(),
            load: None,
            timeline: Timeline::new(),
            timeline_sync: TimelineSync::default(),
            limits: PeerLimits::default(),
            clock: RideClock::default(),
            kept: Vec::new(),
            time: None,
            ridden: (None, Duration::ZERO),
            sent: 0,
            received: BTreeMap::new(),
            is_refused: false,
        }
    }

    /// Forgets everything that the browser has not kept.
    pub fn reload(&mut self) {
        *self = Self {
            key: self.key.clone(),
            kept: std::mem::take(&mut self.kept),
            ..Self::new(0)
        };
    }

    /// Handles the events since the last call, and checks the clock.
    pub fn update(&mut self, net: &mut Network, at: usize, seed: u64) {
        let me = net.riders[at].node.me();
        self.load = me.map(|me| (me.peer.clone(), me.incarnation));
        for event in std::mem::take(&mut net.riders[at].events) {
            self.handle(net, at, seed, event);
        }
        self.catch_up(net, at);
        self.append_no_op(net, at);
        self.check_clock(net, at, seed);
    }

    fn check_clock(&mut self, net: &Network, at: usize, seed: u64) {
        let time = net.group_time(at);
        let is_backwards = time < self.time && time.is_some();
        assert!(!is_backwards, "seed {seed}: group time of {at}");
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
        let is_backwards = ridden.0 == self.ridden.0 && ridden.1 < self.ridden.1;
        assert!(!is_backwards, "seed {seed}: time ridden of {at}");
        self.ridden = ridden;
    }

    fn handle(&mut self, net: &mut Network, at: usize, seed: u64, event: NodeEvent) {
        let now = net.now;
        match event {
            NodeEvent::Welcomed { members, .. } => {
                self.timeline_sync = TimelineSync::default();
                self.restore(net, at);
                self.send_head(net, at);
                members
                    .iter()
                    .for_each(|member| self.greet(net, at, member));
            }
            NodeEvent::Joined(member) => self.greet(net, at, &member),
            NodeEvent::Returned(member) => self.greet(net, at, &member),
            NodeEvent::Left { peer, .. } => self.timeline_sync.remove_peer(&peer),
            NodeEvent::HostChanged(_) => self.timeline_sync.host_changed(now),
            NodeEvent::HeartbeatPayload { from, payload } => {
                if let Some(head) = Head::from_bytes(&payload) {
                    self.timeline_sync.update_head(now, &from, head);
                }
            }
            NodeEvent::Received { from, payload, .. } => match payload.split_first() {
                Some((&NUMBERED, numbers)) => self.receive_numbered(from, numbers, at, seed),
                _ => self.receive_message(net, at, &from, &payload),
            },
            NodeEvent::JoinRefused { code, .. } => {
                assert!(self.load.is_none(), "seed {seed}: {code:?} for {at}");
                self.is_refused = true;
            }
            _ => {}
        }
    }

    fn receive_numbered(&mut self, from: PeerId, numbers: &[u8], at: usize, seed: u64) {
        let [load, number] = numbers.as_chunks().0 else {
            panic!("seed {seed}: {numbers:?} for {at}");
        };
        let (load, number) = (u32::from_be_bytes(*load), u32::from_be_bytes(*number));
        let last = self.received.entry((from.clone(), load)).or_default();
        assert!(
            number > *last,
            "seed {seed}: {number} of {from} again for {at}"
        );
        *last = number;
    }

    fn receive_message(&mut self, net: &mut Network, at: usize, from: &PeerId, payload: &[u8]) {
        match PeerMessage::decode(payload).unwrap() {
            PeerMessage::Timeline(events) => {
                let gap = self.merge(net, at, events);
                if gap && self.limits.allow(net.now, from, PeerRequest::WholeTimeline) {
                    let head = Head::NONE;
                    send(net, at, from, &PeerMessage::TimelineRequest { head });
                }
            }
            PeerMessage::TimelineRequest { head } => {
                if self.limits.allow(net.now, from, PeerRequest::Timeline) {
                    self.send_timeline(net, at, from, head);
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn restore(&mut self, net: &mut Network, at: usize) {
        if self.timeline.head() == Head::NONE {
            self.timeline.restore(self.kept.clone());
            self.timeline_changed(net, at);
        }
    }

    /// Merges events. Returns whether earlier ones are missing.
    fn merge(&mut self, net: &mut Network, at: usize, events: Vec<SignedEvent>) -> bool {
        let terms = net.riders[at].node.host_terms();
        let merged = self.timeline.merge(events, |epoch, host| {
            let mut terms = terms.iter();
            let term = terms.find(|term| term.epoch == epoch && term.peer == *host);
            term.map(|term| term.sign_key)
        });
        if merged.grew {
            self.timeline_changed(net, at);
        }
        merged.gap
    }

    fn timeline_changed(&mut self, net: &mut Network, at: usize) {
        self.kept = self.timeline.since(Head::NONE);
        self.send_head(net, at);
    }

    fn send_head(&self, net: &mut Network, at: usize) {
        let head = self.timeline.head().to_bytes().to_vec();
        net.feed(at, Input::SetHeartbeatPayload(head));
    }

    /// The host sends a member that joined the whole timeline.
    fn greet(&self, net: &mut Network, at: usize, member: &Member) {
        if net.riders[at].node.is_host() {
            self.send_timeline(net, at, &member.peer, Head::NONE);
        }
    }

    fn send_timeline(&self, net: &mut Network, at: usize, to: &PeerId, head: Head) {
        let events = self.timeline.since(head);
        if !events.is_empty() {
            send_as(
                net,
                at,
                to,
                DeliveryClass::Bulk,
                &PeerMessage::Timeline(events),
            );
        }
    }

    fn catch_up(&mut self, net: &mut Network, at: usize) {
        let head = self.timeline.head();
        let in_reach = in_reach(&net.riders[at].node);
        let now = net.now;
        if let Some(ahead) = self.timeline_sync.next_request(now, head, &in_reach) {
            send(net, at, ahead, &PeerMessage::TimelineRequest { head });
        }
    }

    fn append_no_op(&mut self, net: &mut Network, at: usize) {
        let node = &net.riders[at].node;
        let hosts = node.is_host() && !node.host_controls_suspended();
        let hosts = hosts.then(|| node.epoch());
        let head = self.timeline.head();
        if self.timeline_sync.needs_no_op(net.now, head, hosts) {
            self.decide(net, at, Change::NoOp);
        }
    }

    /// Makes a change as host, if the timeline accepts it.
    pub fn decide(&mut self, net: &mut Network, at: usize, change: Change) {
        let node = &net.riders[at].node;
        let (Some(me), epoch) = (node.me().map(|me| me.peer.clone()), node.epoch()) else {
            return;
        };
        let event = self.timeline.append(change, epoch, &me, &self.key);
        if let Ok(event) = event {
            let message = PeerMessage::Timeline(vec![event]);
            net.broadcast(at, DeliveryClass::Control, &message.encode());
            self.timeline_changed(net, at);
        }
    }

    /// Forges an event in the host's name, and a message with it.
    pub fn forge(
        &self,
        host: &PeerId,
        epoch: u32,
        at: GroupTime,
    ) -> Option<(Vec<SignedEvent>, Vec<u8>)> {
        let mut timeline = self.timeline.clone();
        let changes = [Change::End { at }, Change::Share(workout(66))];
        let mut changes = changes.into_iter();
        let forged =
            changes.find_map(|change| timeline.append(change, epoch, host, &self.key).ok())?;
        let events = vec![forged];
        let message = PeerMessage::Timeline(events.clone()).encode();
        Some((events, message))
    }
}

/// Message with a number for a page load.
pub fn numbered(load: u32, number: u32) -> Vec<u8> {
    [&[NUMBERED][..], &load.to_be_bytes(), &number.to_be_bytes()].concat()
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
    let is_reached = |peer: &&Member| {
        let link = node.link_state(&peer.peer);
        matches!(link, Some(LinkState::Direct | LinkState::Relayed))
    };
    let reached = node.members().filter(is_reached);
    reached.map(|member| member.peer.clone()).collect()
}

fn send(net: &mut Network, at: usize, to: &PeerId, message: &PeerMessage) {
    send_as(net, at, to, DeliveryClass::Control, message);
}

fn send_as(net: &mut Network, at: usize, to: &PeerId, class: DeliveryClass, message: &PeerMessage) {
    let (to, payload) = (to.clone(), message.encode());
    net.feed(at, Input::Send { to, class, payload });
}
