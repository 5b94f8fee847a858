//! Link from one page to one page of another member: two paths, and one reliable stream per
//! delivery class.
//!
//! - [`RtcCommand`], [`RtcEvent`]: commands to the driver for the link's `RTCPeerConnection`, and
//!   its events.
//! - [`accepted_servers`](accepted_servers()): the ICE servers that a browser accepts.
//! - `connection_attempts`: makes, loses and replaces the connection; `peer_connection`: one such
//!   connection.
//! - [`OutcomeCounts`]: how attempts ended, and over which candidates.
//! - `channel_buffers`: bytes that wait in the data channels, and [`low_watermark`].
//! - `reliable_stream`, of a `send_stream` and a `receive_stream`: makes control and bulk reliable
//!   over any path.
//! - `congestion_window`, `token_bucket`: limits for bulk in flight, and for relayed bytes.
//! - `heartbeats`: their schedule, and the state that the peer's heartbeats describe.
//!
//! Contract: frames use the data channels while these are *direct*: open, a frame arrived within
//! 1.5 s, and the other side reports the same. Otherwise they use the relay while both sockets are
//! open, and wait while not. Frames that a path may have lost are sent again on the next one.
//!
//! Heartbeats are sent over the data channels whenever these are open, so that both paths are
//! monitored. When nothing has arrived over either path for 5 s, the peer counts as away even if
//! the server says otherwise: only heartbeats are sent to it, and the rest when a frame arrives
//! again.

mod accepted_servers;
mod api;
mod channel_buffers;
mod congestion_window;
mod connection_attempts;
mod heartbeats;
mod outcome_counts;
mod peer_connection;
mod receive_stream;
mod reliable_stream;
mod rtc;
mod send_stream;
#[cfg(test)]
pub(crate) mod testing;
mod token_bucket;

pub use accepted_servers::{RefusedServer, accepted_servers};
pub(crate) use api::{LinkConditions, LinkOutput, PageId, Path};
pub use channel_buffers::low_watermark;
pub use outcome_counts::OutcomeCounts;
pub use rtc::{RtcCommand, RtcEvent, SdpKind};
pub(crate) use token_bucket::TokenBucket;

use std::{collections::VecDeque, time::Duration};

use clock::Moment;

use crate::{
    clock_sync::OffsetEstimate,
    link_frame::{Body, Heartbeat, LinkFrame, ReceptionReport},
};
use connection_attempts::ConnectionAttempts;
use heartbeats::{HeartbeatOrder, HeartbeatTimer, PeerState};
use peer_connection::PeerConnection;
use protocol::{
    election::Election,
    peer::{DeliveryClass, Incarnation, LinkState},
    signaling::Signal,
};
use reliable_stream::ReliableStream;

/// Silence over both paths after which the peer counts as away.
const AWAY_TIMEOUT: Duration = Duration::from_secs(5);
/// Time within which an acknowledgement is expected: three round trips, within these bounds. The
/// lower one is also the assumed round trip while none has been measured.
const MIN_ACK_TIMEOUT: Duration = Duration::from_millis(300);
const MAX_ACK_TIMEOUT: Duration = Duration::from_secs(3);

/// State of one page for one page of another member.
#[derive(Debug)]
pub(crate) struct Link {
    own: PageId,
    peer: PageId,
    conditions: LinkConditions,
    path: Option<Path>,
    attempts: ConnectionAttempts,
    /// Control and bulk.
    streams: [ReliableStream; 2],
    /// Sequence number of the newest telemetry received.
    last_telemetry: u32,
    heartbeat_timer: HeartbeatTimer,
    peer_state: PeerState,
    /// Moment at which a frame last arrived over either path, or the relay became available.
    last_received_at: Moment,
    ticked_at: Moment,
    outputs: VecDeque<LinkOutput>,
}

impl Link {
    pub(crate) fn new(now: Moment, own: PageId, peer: PageId, seed: u64) -> Self {
        let is_polite = own.number > peer.number;
        Self {
            own,
            peer,
            conditions: LinkConditions::default(),
            path: None,
            attempts: ConnectionAttempts::new(now, is_polite, seed),
            streams: [ReliableStream::control(), ReliableStream::bulk()],
            last_telemetry: 0,
            heartbeat_timer: HeartbeatTimer::new(now),
            peer_state: PeerState::new(),
            last_received_at: now,
            ticked_at: now,
            outputs: VecDeque::new(),
        }
    }

    pub(crate) fn poll_output(&mut self) -> Option<LinkOutput> {
        self.outputs.pop_front()
    }

    pub(crate) fn state(&self) -> LinkState {
        let conditions = &self.conditions;
        let is_silent = self.is_silent();
        match self.path {
            Some(Path::Direct) => LinkState::Direct,
            Some(Path::Relay) => LinkState::Relayed,
            None if conditions.is_away || conditions.relay_available => LinkState::Away,
            None if conditions.others_reached && is_silent => LinkState::Away,
            None => LinkState::Connecting,
        }
    }

    pub(crate) fn is_direct(&self) -> bool {
        self.path == Some(Path::Direct)
    }

    /// Time that the newest direct connection took to become direct.
    pub(crate) fn connect_time(&self) -> Option<Duration> {
        self.attempts.connect_time()
    }

    /// Moment at which a frame last arrived over either path.
    pub(crate) fn last_received_at(&self) -> Moment {
        self.last_received_at
    }

    /// Newest epoch that the peer has reported.
    pub(crate) fn peer_epoch(&self) -> Option<u32> {
        self.peer_state.epoch()
    }

    pub(crate) fn round_trip(&self) -> Option<Duration> {
        self.peer_state.round_trip()
    }

    /// Largest error of the offset between the peer's clock and the own one.
    pub(crate) fn clock_error(&self) -> Option<Duration> {
        self.peer_state.clock_error()
    }

    /// Returns true if the peer may know group time: it has reported it, or sent no heartbeat yet.
    pub(crate) fn may_know_group_time(&self) -> bool {
        self.peer_state.may_know_group_time()
    }

    /// Group time minus the own clock, according to the peer.
    pub(crate) fn group_offset(&self) -> Option<OffsetEstimate> {
        self.peer_state.group_offset()
    }

    /// Queues a message of control or bulk. Returns false when the message or the queue is too
    /// large.
    pub(crate) fn push(&mut self, class: DeliveryClass, message: &[u8]) -> bool {
        self.stream_mut(class)
            .is_some_and(|stream| stream.push(message))
    }

    /// Sends a telemetry frame over the data channel. Returns the path that it takes: a frame for
    /// the relay is left to the caller, and without a path it is dropped.
    pub(crate) fn send_telemetry(&mut self, frame: &[u8]) -> Option<Path> {
        let class = DeliveryClass::Telemetry;
        if self.path == Some(Path::Direct) {
            let connection = self.attempts.connection();
            let connection = connection.filter(|one| !one.is_full(class))?;
            let bytes = frame.to_vec();
            let send = connection.command(RtcCommand::Send { class, bytes });
            self.outputs.push_back(send);
        }
        self.path
    }

    /// Sends votes over the data channel, the only path that elections use.
    pub(crate) fn send_election(&mut self, election: &Election) {
        if self.path == Some(Path::Direct) {
            let body = Body::Election(election.clone());
            self.transmit(Path::Direct, DeliveryClass::Control, body);
        }
    }

    /// Moment at which the next heartbeat is due.
    pub(crate) fn heartbeat_due_at(&self) -> Moment {
        self.heartbeat_timer.due_at()
    }

    /// Makes the next heartbeat due at once.
    pub(crate) fn send_heartbeat_now(&mut self, now: Moment) {
        self.heartbeat_timer.send_now(now);
    }

    /// Sends a heartbeat over the data channel if that is open. Returns whether it has to be
    /// relayed too.
    pub(crate) fn send_heartbeat(&mut self, now: Moment, mut heartbeat: Heartbeat) -> bool {
        self.heartbeat_timer.sent(now, self.path.is_some());
        heartbeat.reports = vec![self.reception_report(now)];
        let connection = self.attempts.connection();
        if connection.is_some_and(PeerConnection::is_open) {
            let body = Body::Heartbeat(heartbeat);
            self.transmit(Path::Direct, DeliveryClass::Telemetry, body);
        }
        self.conditions.relay_available && self.path != Some(Path::Direct)
    }

    /// Report on the frames received from the peer.
    pub(crate) fn reception_report(&self, now: Moment) -> ReceptionReport {
        let (sent, delay) = self.peer_state.newest_for_report(now);
        let connection = self.attempts.connection();
        let [control, bulk] = &self.streams;
        ReceptionReport {
            number: self.peer.number,
            incarnation: self.peer.incarnation,
            sent,
            delay,
            direct: connection.is_some_and(|one| one.is_receiving(now)),
            control: control.cumulative(),
            bulk: bulk.cumulative(),
        }
    }

    /// Handles a relayed frame. Returns false when it is for another page load, or of a kind that
    /// is never relayed.
    pub(crate) fn receive_relayed(&mut self, now: Moment, frame: LinkFrame) -> bool {
        !matches!(frame.body, Body::Election(_)) && self.receive(now, frame)
    }

    /// Handles a message of a data channel. Returns false when it is invalid or for another page
    /// load or connection.
    pub(crate) fn receive_direct(&mut self, now: Moment, connection: u32, bytes: &[u8]) -> bool {
        let current = self.attempts.connection_mut();
        let Some(current) = current.filter(|one| one.id == connection) else {
            return false;
        };
        if current.frame_received(now) {
            self.heartbeat_timer.send_now(now);
        }
        LinkFrame::decode(bytes).is_ok_and(|frame| self.receive(now, frame))
    }

    /// Moment from which a connection attempt may be started with
    /// [`Link::start_connection_attempt`].
    pub(crate) fn connection_attempt_due_at(&self) -> Option<Moment> {
        let conditions = &self.conditions;
        let can_signal = conditions.direct_wanted && conditions.relay_available;
        let is_possible = can_signal && self.peer_state.supports_p2p();
        self.attempts.due_at().filter(|_| is_possible)
    }

    /// Returns true if a connection attempt of this side is in progress.
    pub(crate) fn is_connecting(&self) -> bool {
        self.attempts.is_connecting()
    }

    /// Sends an offer, on the present connection or on a new one with a number that was never used
    /// before.
    pub(crate) fn start_connection_attempt(&mut self, now: Moment, connection: u32) {
        self.attempts.start(now, connection, &mut self.outputs);
    }

    /// Returns true if signals of the peer count. Those for a direct link that is not wanted do
    /// not.
    pub(crate) fn accepts_signals(&self) -> bool {
        self.conditions.direct_wanted
    }

    /// Handles a signal of the peer; `connection` is the number of the connection that it may open.
    pub(crate) fn handle_signal(&mut self, now: Moment, connection: u32, signal: Signal) {
        let outputs = &mut self.outputs;
        self.attempts
            .handle_signal(now, connection, signal, outputs);
    }

    /// Handles an event of a connection, other than a frame.
    pub(crate) fn handle_event(&mut self, now: Moment, connection: u32, event: RtcEvent) {
        let outputs = &mut self.outputs;
        let has_opened = self.attempts.handle_event(now, connection, event, outputs);
        if has_opened {
            self.heartbeat_timer.send_now(now);
        }
    }

    /// Signals may have been lost, because one of the sockets was.
    pub(crate) fn signals_lost(&mut self, now: Moment) {
        self.attempts.signals_lost(now, &mut self.outputs);
    }

    /// Returns true if the success of a connection is to be counted now, which it is once.
    pub(crate) fn count_success(&mut self, connection: u32) -> bool {
        self.attempts.count_success(connection)
    }

    /// Closes the connection: one of the pages is gone.
    pub(crate) fn close(&mut self) {
        self.attempts.page_gone(&mut self.outputs);
    }

    /// Does everything that is due by time or by changed conditions, except for heartbeats and
    /// connection attempts.
    pub(crate) fn tick(
        &mut self,
        now: Moment,
        conditions: LinkConditions,
        relay_bucket: &mut TokenBucket,
    ) {
        self.ticked_at = now;
        if conditions.relay_available && !self.conditions.relay_available {
            self.last_received_at = now;
            self.heartbeat_timer.send_now(now);
        }
        self.conditions = conditions;
        let outputs = &mut self.outputs;
        if conditions.direct_wanted && self.peer_state.supports_p2p() {
            let can_signal = conditions.relay_available;
            let timeout = conditions.attempt_timeout;
            self.attempts.tick(now, can_signal, timeout, outputs);
        } else {
            self.attempts.close(outputs);
        }
        self.choose_path(now);
        self.send_streams(now, relay_bucket);
    }

    /// Next moment at which [`Link::tick`] or a heartbeat is due.
    pub(crate) fn timeout(&self) -> Moment {
        let attempt_timeout = self.conditions.attempt_timeout;
        let connection = self.attempts.timeout(self.ticked_at, attempt_timeout);
        let away = self.last_received_at + AWAY_TIMEOUT;
        let away = Some(away).filter(|at| *at > self.ticked_at);
        let streams = self.path.into_iter().flat_map(|path| {
            let timeout = move |stream: &ReliableStream| {
                let is_open = !self.is_blocked(path, stream.class());
                stream.timeout(is_open, self.ack_timeout())
            };
            self.streams.iter().filter_map(timeout)
        });
        let others = streams.chain(connection).chain(away);
        others.fold(self.heartbeat_timer.due_at(), Moment::min)
    }

    fn receive(&mut self, now: Moment, frame: LinkFrame) -> bool {
        if frame.to != Incarnation(0) && frame.to != self.own.incarnation {
            return false;
        }
        if self.path.is_none() {
            self.heartbeat_timer.send_now(now);
        }
        self.last_received_at = now;
        match frame.body {
            Body::Heartbeat(heartbeat) => self.receive_heartbeat(now, heartbeat),
            Body::Telemetry { seq, payload } => {
                if seq > self.last_telemetry {
                    self.last_telemetry = seq;
                    let class = DeliveryClass::Telemetry;
                    self.outputs
                        .push_back(LinkOutput::Received { class, payload });
                }
            }
            Body::Segment {
                class,
                seq,
                more,
                payload,
            } => {
                if let Some(stream) = self.stream_mut(class) {
                    let messages = stream.accept(now, seq, more, payload);
                    let received = |payload| LinkOutput::Received { class, payload };
                    self.outputs.extend(messages.into_iter().map(received));
                }
            }
            Body::Ack { class, cumulative } => {
                if let Some(stream) = self.stream_mut(class) {
                    stream.acknowledge(now, cumulative);
                }
            }
            Body::Election(election) => self.outputs.push_back(LinkOutput::Election(election)),
        }
        true
    }

    fn receive_heartbeat(&mut self, now: Moment, heartbeat: Heartbeat) {
        match self.peer_state.update(now, &heartbeat) {
            HeartbeatOrder::Outdated => return,
            HeartbeatOrder::First => self.heartbeat_timer.send_now(now),
            HeartbeatOrder::Newer => {}
        }
        if self.peer_state.update_payload(&heartbeat.payload) {
            self.outputs
                .push_back(LinkOutput::HeartbeatPayload(heartbeat.payload));
        }
        let own = (self.own.number, self.own.incarnation);
        let is_own = |report: &&ReceptionReport| (report.number, report.incarnation) == own;
        let Some(report) = heartbeat.reports.iter().find(is_own) else {
            return;
        };
        let [control, bulk] = &mut self.streams;
        control.acknowledge(now, report.control);
        bulk.acknowledge(now, report.bulk);
        if let Some(connection) = self.attempts.connection_mut() {
            connection.set_peer_receives(report.direct);
        }
        self.peer_state.update_clock(now, heartbeat.sent, report);
    }

    fn choose_path(&mut self, now: Moment) {
        let connection = self.attempts.connection();
        let is_direct = connection.is_some_and(|one| one.is_direct(now));
        let path = match (is_direct, self.conditions.relay_available) {
            (true, _) => Some(Path::Direct),
            (false, true) if !self.is_silent() => Some(Path::Relay),
            (false, _) => None,
        };
        if path == self.path {
            return;
        }
        self.path = path;
        self.streams.iter_mut().for_each(ReliableStream::send_again);
        if is_direct {
            self.attempts.became_direct(now, &mut self.outputs);
        }
    }

    /// Sends acknowledgements and segments that are due, as far as the path takes them.
    fn send_streams(&mut self, now: Moment, relay_bucket: &mut TokenBucket) {
        let Some(path) = self.path else {
            return;
        };
        let ack_timeout = self.ack_timeout();
        for index in 0..self.streams.len() {
            let class = self.streams[index].class();
            if let Some(ack) = self.streams[index].take_due_ack(now) {
                self.transmit(path, DeliveryClass::Control, ack);
            }
            self.streams[index].relay_allows_at = None;
            while !self.is_blocked(path, class) {
                if path == Path::Relay && !relay_bucket.allows(class) {
                    self.streams[index].relay_allows_at = Some(relay_bucket.allows_at(class));
                    break;
                }
                let Some(segment) = self.streams[index].next_due(now, ack_timeout) else {
                    break;
                };
                let bytes = self.transmit(path, class, segment);
                if path == Path::Relay {
                    relay_bucket.spend(bytes);
                }
            }
        }
    }

    /// Sends a frame and returns its size in bytes.
    fn transmit(&mut self, path: Path, class: DeliveryClass, body: Body) -> usize {
        let to = self.peer.incarnation;
        let frame = LinkFrame { to, body }.encode();
        let size = frame.len();
        let output = match (path, self.attempts.connection()) {
            (Path::Relay, _) => LinkOutput::Relay { class, frame },
            (Path::Direct, Some(connection)) => connection.command(RtcCommand::Send {
                class,
                bytes: frame,
            }),
            (Path::Direct, None) => return 0,
        };
        self.outputs.push_back(output);
        size
    }

    fn stream_mut(&mut self, class: DeliveryClass) -> Option<&mut ReliableStream> {
        let mut streams = self.streams.iter_mut();
        streams.find(|stream| stream.class() == class)
    }

    fn is_blocked(&self, path: Path, class: DeliveryClass) -> bool {
        let connection = self.attempts.connection();
        path == Path::Direct && connection.is_some_and(|one| one.is_full(class))
    }

    fn ack_timeout(&self) -> Duration {
        let round_trip = self.peer_state.round_trip().unwrap_or(MIN_ACK_TIMEOUT);
        (3 * round_trip).clamp(MIN_ACK_TIMEOUT, MAX_ACK_TIMEOUT)
    }

    /// Returns true if nothing has arrived for [`AWAY_TIMEOUT`].
    fn is_silent(&self) -> bool {
        self.ticked_at >= self.last_received_at + AWAY_TIMEOUT
    }
}
