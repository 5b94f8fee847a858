//! One rider's link to one other: two carriers, one stream a class.
//!
//! - [`RtcCommand`], [`RtcEvent`]: what the driver is told and tells of the
//!   link's RTCPeerConnection.
//! - `connection`: one such connection, negotiated and judged.
//! - `calls`: how it gets one, loses it and gets another.
//! - `incoming`: what it makes of frames; `outgoing`: what it sends, and when.
//! - `buffers`: what waits in the data channels, and [`low_watermark`], when to
//!   tell that it is less.
//! - `pace`, `budget`: how much of it is on its way at once, and relayed in a
//!   second.
//! - `stream`: what makes control and bulk reliable over any carrier.
//!
//! Law: frames go over the data channels while these are *direct*: open, heard
//! within 1.5 s, and the other side says that it hears us there too. Otherwise
//! they go over the relay while both sockets are up, and wait while not. What a
//! carrier loses when it is left is sent again over the next.
//!
//! Beats go over the data channels whenever they are open, so that both
//! carriers are judged by what comes over them. Nothing heard over any carrier
//! for 5 s: the other is away, whatever the server says. It is sent beats, and
//! everything else again as soon as it is heard.

mod budget;
mod buffers;
mod calls;
mod connection;
mod incoming;
mod outgoing;
mod pace;
mod rtc;
mod stream;

pub(crate) use budget::Budget;
pub use buffers::low_watermark;
pub use rtc::{RtcCommand, RtcEvent, SdpKind};

use clock::Moment;

use std::{collections::VecDeque, time::Duration};

use crate::{
    backoff::Backoff,
    clock_sync::OffsetFilter,
    link_frame::{Body, Heartbeat, ReceptionReport},
};
use connection::Connection;
use outgoing::Stream;
use protocol::{
    election::Election,
    peer::{DeliveryClass, Incarnation, LinkState, PeerNumber},
    signaling::Signal,
};

const BEAT: Duration = Duration::from_millis(500);
const QUICK_BEAT: Duration = Duration::from_millis(100);
const QUICK_BEATS: u8 = 5;
/// Acknowledgements wait a little for company.
const ACK: Duration = Duration::from_millis(20);
/// Tries that fail are repeated after 1, 2 and 4 s, then every 30 s, for good.
const RETRY: Duration = Duration::from_secs(1);
const RETRY_LIMIT: Duration = Duration::from_secs(30);
const SHORT_RETRIES: u32 = 3;
/// Each so many tries a new connection is made; the others look for other
/// network paths for the one there is.
const NEW_EVERY: u32 = 3;
/// Nothing heard over any carrier for so long, the other is away.
const AWAY: Duration = Duration::from_secs(5);
/// Without a beat for so long, the other may have slept for so long, by a clock that
/// slept too: what was known of that clock counts no more.
const CLOCK_DOUBTED: Duration = Duration::from_millis(1_500);
/// Beats to somebody who is away are this far apart.
const SLOW_BEAT: Duration = Duration::from_secs(2);
/// The polite side calls a lost connection back; the other waits for it.
const IMPOLITE_PATIENCE: Duration = Duration::from_secs(2);

/// One page, by its rider's number and its incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) number: PeerNumber,
    pub(crate) incarnation: Incarnation,
}

/// Which ways to the other are open now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Both sockets are up: frames can be relayed, signals passed.
    pub(crate) relay: bool,
    /// A direct link is wanted.
    pub(crate) direct: bool,
    /// The other's socket is lost.
    pub(crate) away: bool,
    /// Others are reached without the server, so that silence is the other's.
    pub(crate) others: bool,
    /// How long a try may take to become direct.
    pub(crate) patience: Duration,
}

/// What carries a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    Direct,
    Relay,
}

/// What a link wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Open a connection.
    Open { connection: u32 },
    /// Tell a connection what to do.
    Rtc {
        connection: u32,
        command: RtcCommand,
    },
    /// Hand a signal to the other page.
    Signal(Signal),
    /// Relay a frame to the other page.
    Relay {
        class: DeliveryClass,
        frame: Vec<u8>,
    },
    /// Something came.
    Received {
        class: DeliveryClass,
        payload: Vec<u8>,
    },
    /// The other's gossip changed.
    Gossip(Vec<u8>),
    /// Votes came, from the other itself.
    Election(Election),
    /// A connection there is is tried once more.
    Tried,
    /// A try became direct.
    Succeeded,
    /// A try did not become direct in time.
    Failed,
}

/// The newest beat of the other.
#[derive(Clone, Copy, Debug)]
struct Newest {
    sent: i64,
    came: Moment,
    group_offset: Option<i64>,
    epoch: u32,
}

/// All that one rider's page keeps for one page of another.
#[derive(Debug)]
pub(crate) struct Link {
    me: Page,
    them: Page,
    reach: Reach,
    carrier: Option<Carrier>,
    connection: Option<Connection>,
    last_attempt: u32,
    retry_at: Option<Moment>,
    backoff: Backoff,
    /// Since the link was last direct.
    tries: u32,
    /// Whether the last try was ours.
    called: bool,
    connect_time: Option<Duration>,
    /// When anything came over any carrier, or a carrier was found.
    heard_at: Moment,
    they_can: bool,
    streams: [Stream; 2],
    telemetry: u32,
    clock: OffsetFilter,
    newest: Option<Newest>,
    gossip: Vec<u8>,
    beat_at: Moment,
    quick_beats: u8,
    ticked: Moment,
    effects: VecDeque<Effect>,
}

impl Link {
    pub(crate) fn new(now: Moment, me: Page, them: Page, seed: u64) -> Self {
        // The newcomer calls, so that nobody calls twice.
        let calls = me.number > them.number;
        Self {
            me,
            them,
            reach: Reach {
                relay: false,
                direct: false,
                away: false,
                others: false,
                patience: connection::LOST,
            },
            carrier: None,
            connection: None,
            last_attempt: 0,
            retry_at: calls.then_some(now),
            backoff: Backoff::new(RETRY, RETRY_LIMIT, seed).then_limit(SHORT_RETRIES),
            tries: 0,
            called: false,
            connect_time: None,
            heard_at: now,
            they_can: true,
            streams: [
                Stream::new(DeliveryClass::Control),
                Stream::new(DeliveryClass::Bulk),
            ],
            telemetry: 0,
            clock: OffsetFilter::new(),
            newest: None,
            gossip: Vec::new(),
            beat_at: now,
            quick_beats: QUICK_BEATS,
            ticked: now,
            effects: VecDeque::new(),
        }
    }

    pub(crate) fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    pub(crate) fn state(&self) -> LinkState {
        match self.carrier {
            Some(Carrier::Direct) => LinkState::Direct,
            Some(Carrier::Relay) => LinkState::Relayed,
            None if self.reach.away => LinkState::Away,
            None if self.reach.relay || (self.reach.others && self.is_silent()) => LinkState::Away,
            None => LinkState::Connecting,
        }
    }

    /// How long the newest connection took to become direct.
    pub(crate) fn connect_time(&self) -> Option<Duration> {
        self.connect_time
    }

    /// When anything of the other came, over any carrier.
    pub(crate) fn heard_at(&self) -> Moment {
        self.heard_at
    }

    /// The newest epoch that the other knows, as far as it has told.
    pub(crate) fn their_epoch(&self) -> Option<u32> {
        self.newest.map(|newest| newest.epoch)
    }

    /// Sends votes over the data channel, the only carrier there is for them.
    pub(crate) fn tell_election(&mut self, election: &Election) {
        if self.carrier == Some(Carrier::Direct) {
            let body = Body::Election(election.clone());
            self.transmit(Carrier::Direct, DeliveryClass::Control, body);
        }
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.clock.round_trip()
    }

    pub(crate) fn clock_error(&self) -> Option<Duration> {
        self.clock.error().map(Duration::from_micros)
    }

    /// Whether the other may know group time, for all it has told.
    pub(crate) fn may_know_group_time(&self) -> bool {
        self.newest
            .is_none_or(|newest| newest.group_offset.is_some())
    }

    /// Group time minus our clock as the other has it, and how wrong it may be.
    pub(crate) fn group_offset(&self) -> Option<(i64, u64)> {
        let theirs = self.newest?.group_offset?;
        let offset = self.clock.offset()?.saturating_add(theirs);
        Some((offset, self.clock.error()?))
    }

    /// Queues a reliable message, unless it is too much.
    pub(crate) fn push(&mut self, class: DeliveryClass, message: &[u8]) -> bool {
        self.stream(class)
            .is_some_and(|stream| stream.outbox.push(message))
    }

    /// Sends a frame of telemetry, or says that it has to be relayed.
    pub(crate) fn send_telemetry(&mut self, frame: &[u8]) -> Option<Carrier> {
        let class = DeliveryClass::Telemetry;
        if self.carrier != Some(Carrier::Direct) {
            return self.carrier;
        }
        let connection = self.connection.as_ref().filter(|one| !one.is_full(class))?;
        let bytes = frame.to_vec();
        self.effects
            .push_back(connection.tell(RtcCommand::Send { class, bytes }));
        self.carrier
    }

    /// Whether a beat is due within a beat's tolerance.
    pub(crate) fn beat_at(&self) -> Moment {
        self.beat_at
    }

    /// News: beat at once.
    pub(crate) fn hurry(&mut self, now: Moment) {
        self.beat_at = now;
    }

    /// Counts a beat as sent, over an open data channel in fact, and says
    /// whether it has to be relayed as well.
    pub(crate) fn beat(&mut self, now: Moment, mut beat: Heartbeat) -> bool {
        let quick = self.quick_beats > 0;
        self.quick_beats = self.quick_beats.saturating_sub(1);
        self.beat_at = now
            + match self.carrier {
                _ if quick => QUICK_BEAT,
                Some(_) => BEAT,
                None => SLOW_BEAT,
            };
        beat.reports = vec![self.heard(now)];
        if self.connection.as_ref().is_some_and(Connection::is_open) {
            self.transmit(
                Carrier::Direct,
                DeliveryClass::Telemetry,
                Body::Heartbeat(beat),
            );
        }
        self.reach.relay && self.carrier != Some(Carrier::Direct)
    }

    /// What we have heard of the other.
    pub(crate) fn heard(&self, now: Moment) -> ReceptionReport {
        let held = |newest: &Newest| now.since(newest.came).as_micros();
        let held = self
            .newest
            .as_ref()
            .and_then(|newest| held(newest).try_into().ok());
        ReceptionReport {
            number: self.them.number,
            incarnation: self.them.incarnation,
            sent: self.newest.map_or(0, |newest| newest.sent),
            delay: held.unwrap_or(u32::MAX),
            direct: self
                .connection
                .as_ref()
                .is_some_and(|one| one.is_heard(now)),
            control: self.streams[0].inbox.cumulative(),
            bulk: self.streams[1].inbox.cumulative(),
        }
    }

    /// Sees to all that time and the ways that are open make due.
    pub(crate) fn tick(&mut self, now: Moment, reach: Reach, budget: &mut Budget) {
        self.ticked = now;
        if reach.relay && !self.reach.relay {
            self.heard_at = now;
            self.beat_at = now;
        }
        self.reach = reach;
        self.tick_connection(now);
        self.choose_carrier(now);
        self.pump(now, budget);
    }

    /// When [`Link::tick`] is wanted, calls apart.
    pub(crate) fn timeout(&self) -> Moment {
        let connection = self
            .connection
            .as_ref()
            .and_then(|one| one.timeout(self.ticked, self.reach.patience));
        let streams = self
            .streams
            .iter()
            .filter_map(|stream| self.stream_timeout(stream));
        let away = Some(self.heard_at + AWAY).filter(|at| *at > self.ticked);
        let others = streams.chain(connection).chain(away);
        others.fold(self.beat_at, Moment::min)
    }

    fn stream(&mut self, class: DeliveryClass) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.class == class)
    }

    fn choose_carrier(&mut self, now: Moment) {
        let direct = self.connection.as_ref().is_some_and(|one| one.carries(now));
        let carrier = match (direct, self.reach.relay) {
            (true, _) => Some(Carrier::Direct),
            (false, true) if !self.is_silent() => Some(Carrier::Relay),
            (false, _) => None,
        };
        if carrier == self.carrier {
            return;
        }
        self.carrier = carrier;
        self.streams
            .iter_mut()
            .for_each(|stream| stream.outbox.send_again());
        if direct {
            self.backoff.reset();
            (self.tries, self.retry_at) = (0, None);
            let connection = self.connection.as_mut();
            if let Some(took) = connection.and_then(|one| one.take_connect_time(now)) {
                self.connect_time = Some(took);
                self.effects.push_back(Effect::Succeeded);
            }
        }
    }

    /// Whether nothing came for so long that the other is away.
    fn is_silent(&self) -> bool {
        self.ticked >= self.heard_at + AWAY
    }
}
