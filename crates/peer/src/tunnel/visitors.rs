//! Visitors with their channels, through the server and direct.
//!
//! A visitor's relayed channel exists from its arrival; its offers of a direct one are answered
//! when it has shown the token there, since an answer tells the addresses of this computer. A direct
//! channel outlives the socket through which it was negotiated: pages go on loading while the
//! server is away.

mod direct;

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use mesh::node::RtcEvent;
use protocol::{
    peer::DeliveryClass,
    signaling::{IceServer, Signal},
};
use tokio::sync::Notify;
use tunnel::{
    control::{PeerMessage, VisitorId},
    multiplexer::Refusal,
};

use super::{
    channel::{Channel, Greeting},
    metrics::{Metrics, Way},
    site::Site,
};
use crate::rtc::Packet;
use direct::Directs;

/// Channels whose visitors have not shown the token yet, beside those of visitors.
const MAX_AWAITED: usize = 16;
/// Signals of a visitor that wait for its token.
const MAX_HELD_SIGNALS: usize = 32;
/// Time for a visitor's token.
const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// Wrong tokens that are answered at once. Visitors beyond are closed without an answer.
const MAX_REFUSALS: f64 = 30.0;
/// Further wrong tokens that are answered, a second.
const REFUSALS_PER_SECOND: f64 = 1.0;

/// Message for the server.
#[derive(Debug)]
pub(super) enum ToServer {
    /// Control message.
    Control(PeerMessage),
    /// Frame for a visitor.
    Frame(VisitorId, Vec<u8>),
}

/// Relayed channel of a visitor.
#[derive(Debug)]
struct Relayed {
    visitor: VisitorId,
    channel: Channel,
    since: Instant,
    held: Vec<Signal>,
}

/// All visitors.
#[derive(Debug)]
pub(super) struct Visitors {
    site: Rc<Site>,
    output: Rc<Notify>,
    relayed: Vec<Relayed>,
    directs: Directs,
    /// Visitor that is first to send: each in turn.
    turn: usize,
    /// Refusals that may be sent, as of a time.
    refusals: (f64, Instant),
    control: Vec<PeerMessage>,
    metrics: Metrics,
}

impl Visitors {
    /// No visitors, and the queue of packets for [`Self::receive_packet`].
    pub(super) fn new(
        now: Instant,
        site: Rc<Site>,
        output: Rc<Notify>,
    ) -> (Self, tokio::sync::mpsc::Receiver<Packet>) {
        let (directs, packets) = Directs::new(Rc::clone(&site), Rc::clone(&output));
        let visitors = Self {
            site,
            output,
            relayed: Vec::new(),
            directs,
            turn: 0,
            refusals: (MAX_REFUSALS, now),
            control: Vec::new(),
            metrics: Metrics::default(),
        };
        (visitors, packets)
    }

    /// Numbers since the start.
    pub(super) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The server has paired this peer with a visitor.
    pub(super) fn add(&mut self, now: Instant, visitor: VisitorId) {
        let is_awaited = |it: &&Relayed| it.channel.greeting() != Greeting::Accepted;
        let awaited = self.relayed.iter().filter(is_awaited).count();
        self.remove(now, visitor);
        if awaited >= MAX_AWAITED {
            return self.control.push(PeerMessage::Close { visitor });
        }
        self.relayed.push(Relayed {
            visitor,
            channel: Channel::new(Rc::clone(&self.site), Rc::clone(&self.output)),
            since: now,
            held: Vec::new(),
        });
    }

    /// The visitor's socket is closed. Its direct channel ends by itself when the page has gone.
    pub(super) fn remove(&mut self, now: Instant, visitor: VisitorId) {
        self.relayed.retain(|it| it.visitor != visitor);
        self.directs.forget(now, Some(visitor), &mut self.metrics);
    }

    /// The socket to the server is closed.
    pub(super) fn remove_relayed(&mut self, now: Instant) {
        self.relayed.clear();
        self.control.clear();
        self.directs.forget(now, None, &mut self.metrics);
    }

    /// Handles a frame that the server has passed on.
    pub(super) fn receive_frame(
        &mut self,
        now: Instant,
        visitor: VisitorId,
        frame: &[u8],
        ice_servers: &[IceServer],
    ) {
        let has_room = self.accepted() < self.site.limits.max_visitors;
        let may_refuse = self.may_refuse(now);
        let mut all = self.relayed.iter_mut();
        let Some(relayed) = all.find(|it| it.visitor == visitor) else {
            // Of a visitor that was closed a moment ago.
            return;
        };
        self.metrics.count_received(Way::Relayed, frame.len());
        let before = relayed.channel.greeting();
        let received = relayed.channel.receive(now, frame, has_room);
        let after = relayed.channel.greeting();
        if before == Greeting::Awaited && after == Greeting::Accepted {
            self.metrics.visitors += 1;
            for signal in std::mem::take(&mut relayed.held) {
                self.signal(now, visitor, signal, ice_servers);
            }
        }
        let is_forbidden = after == Greeting::Refused(Refusal::Forbidden);
        if before == Greeting::Awaited && is_forbidden {
            self.metrics.forbidden += 1;
            self.refusals.0 -= 1.0;
        }
        if received.is_err() || (is_forbidden && !may_refuse) {
            self.close(now, visitor);
        }
    }

    /// Handles a signal of a visitor.
    pub(super) fn signal(
        &mut self,
        now: Instant,
        visitor: VisitorId,
        signal: Signal,
        ice_servers: &[IceServer],
    ) {
        let mut all = self.relayed.iter_mut();
        let Some(relayed) = all.find(|it| it.visitor == visitor) else {
            return;
        };
        match relayed.channel.greeting() {
            Greeting::Accepted => {
                let metrics = &mut self.metrics;
                self.directs
                    .signal(now, visitor, signal, ice_servers, metrics);
                self.handle_rtc(now);
            }
            Greeting::Awaited if relayed.held.len() < MAX_HELD_SIGNALS => relayed.held.push(signal),
            _ => {}
        }
    }

    /// Handles a packet.
    pub(super) fn receive_packet(&mut self, now: Instant, packet: &Packet) {
        self.directs.connections.receive(now, packet);
        self.handle_rtc(now);
    }

    /// Does what is due for connections.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.directs.connections.handle_timeout(now);
        self.handle_rtc(now);
    }

    /// Instant of the next [`Self::handle_timeout`].
    pub(super) fn timeout(&self) -> Option<Instant> {
        self.directs.connections.timeout()
    }

    /// Closes channels that are silent, and measures latencies. To be called each second.
    pub(super) fn tidy(&mut self, now: Instant) {
        let is_late = |it: &&Relayed| {
            it.channel.greeting() == Greeting::Awaited && now >= it.since + HELLO_TIMEOUT
        };
        let late: Vec<_> = self.relayed.iter().filter(is_late).collect();
        let late: Vec<_> = late.iter().map(|it| it.visitor).collect();
        for visitor in late {
            self.close(now, visitor);
        }
        self.directs.tidy(now, &mut self.metrics);
        self.handle_rtc(now);
    }

    /// Closes all connections.
    pub(super) fn close_all(&mut self, now: Instant) {
        self.relayed.clear();
        self.directs.connections.close_all(now);
    }

    /// Sends what waits on direct channels.
    pub(super) fn pump_direct(&mut self, now: Instant) {
        while self.directs.send_round(now, &mut self.metrics) {
            self.handle_rtc(now);
        }
    }

    /// Next message for the server.
    pub(super) fn poll_control(&mut self) -> Option<PeerMessage> {
        (!self.control.is_empty()).then(|| self.control.remove(0))
    }

    /// Next frame for the server, of each visitor in turn. Called only while the socket can take one.
    pub(super) fn poll_relayed(&mut self, now: Instant) -> Option<ToServer> {
        let count = self.relayed.len();
        for step in 0..count {
            let at = (self.turn + step) % count;
            let relayed = &mut self.relayed[at];
            let visitor = relayed.visitor;
            if let Some(frame) = relayed.channel.poll_message() {
                self.turn = at + 1;
                self.metrics.count_sent(Way::Relayed, frame.len());
                return Some(ToServer::Frame(visitor, frame));
            }
            if matches!(relayed.channel.greeting(), Greeting::Refused(_)) {
                // The refusal is sent.
                self.remove(now, visitor);
                return Some(ToServer::Control(PeerMessage::Close { visitor }));
            }
        }
        None
    }

    fn close(&mut self, now: Instant, visitor: VisitorId) {
        self.remove(now, visitor);
        self.control.push(PeerMessage::Close { visitor });
        self.output.notify_one();
    }

    /// Number of visitors. Pages whose socket is lost come back with another number, and do not
    /// count until then.
    fn accepted(&self) -> usize {
        let is_accepted = |it: &&Relayed| it.channel.greeting() == Greeting::Accepted;
        self.relayed.iter().filter(is_accepted).count()
    }

    fn may_refuse(&mut self, now: Instant) -> bool {
        let (tokens, at) = self.refusals;
        let passed = now.saturating_duration_since(at).as_secs_f64();
        let tokens = (tokens + passed * REFUSALS_PER_SECOND).min(MAX_REFUSALS);
        self.refusals = (tokens, now);
        tokens >= 1.0
    }

    fn handle_rtc(&mut self, now: Instant) {
        while let Some((number, event)) = self.directs.connections.poll_event() {
            match event {
                RtcEvent::LocalDescription { sdp, .. } => {
                    self.answer(number, |attempt| Signal::Answer { attempt, sdp });
                }
                RtcEvent::Candidate(json) => self.answer(number, |attempt| Signal::Candidates {
                    attempt,
                    candidates: vec![json],
                }),
                RtcEvent::Opened(DeliveryClass::Control) => self.directs.opened(now, number),
                RtcEvent::Frame { bytes, .. } => {
                    let metrics = &mut self.metrics;
                    self.directs.receive(now, number, &bytes, metrics);
                }
                RtcEvent::Buffered { bytes, .. } => self.directs.buffered(number, bytes),
                RtcEvent::Closed(_) | RtcEvent::Failed => {
                    let metrics = &mut self.metrics;
                    self.directs.close(now, number, metrics);
                }
                RtcEvent::Opened(_) => {}
            }
        }
    }

    /// Signals to the visitor of a direct channel, if the server still knows it.
    fn answer(&mut self, number: u32, signal: impl FnOnce(u32) -> Signal) {
        if let Some((visitor, attempt)) = self.directs.visitor(number) {
            let signal = signal(attempt);
            self.control.push(PeerMessage::Signal { visitor, signal });
            self.output.notify_one();
        }
    }
}
