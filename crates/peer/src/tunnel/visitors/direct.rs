//! Direct channels of visitors.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use mesh::{link::SdpKind, node::RtcCommand};
use protocol::{
    peer::DeliveryClass,
    signaling::{DirectLinkSettings, IceServer, MAX_CANDIDATES, Signal},
};
use tokio::sync::{Notify, mpsc};
use tunnel::control::VisitorId;

use crate::{
    rtc::{ChannelSet, Connections, Packet},
    tunnel::{
        channel::{Channel, Greeting},
        metrics::{Metrics, Way},
        site::Site,
    },
};

/// Buffered bytes of a data channel at which no more are written. It continues at a quarter.
const MAX_BUFFERED: u32 = 1024 * 1024;
/// Time for a connection to open, and for the token over it.
const OPEN_TIMEOUT: Duration = Duration::from_secs(30);
/// Time without a message after which a channel counts as lost. Each side pings more often.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval between two measurements of the latency.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// Time for a refusal to arrive before the connection is closed.
const REFUSAL_TIME: Duration = Duration::from_secs(2);

/// Direct channel, or an attempt to open one.
#[derive(Debug)]
struct Direct {
    number: u32,
    /// Visitor on the current socket; `None` when the server does not know it any more.
    visitor: Option<VisitorId>,
    attempt: u32,
    channel: Channel,
    begun: Instant,
    is_open: bool,
    /// True once it was counted as a success.
    is_counted: bool,
    buffered: u32,
    heard: Instant,
    pinged: Instant,
    /// End of the time for the refusal.
    closes: Option<Instant>,
}

/// All direct channels.
#[derive(Debug)]
pub(super) struct Directs {
    site: Rc<Site>,
    output: Rc<Notify>,
    pub(super) connections: Connections<u32>,
    directs: Vec<Direct>,
    next: u32,
}

impl Directs {
    pub(super) fn new(site: Rc<Site>, output: Rc<Notify>) -> (Self, mpsc::Receiver<Packet>) {
        let (connections, packets) = Connections::new(ChannelSet::Tunnel);
        let directs = Self {
            site,
            output,
            connections,
            directs: Vec::new(),
            next: 0,
        };
        (directs, packets)
    }

    /// Visitor and connection attempt of a channel.
    pub(super) fn visitor(&self, number: u32) -> Option<(VisitorId, u32)> {
        let direct = self.directs.iter().find(|it| it.number == number)?;
        Some((direct.visitor?, direct.attempt))
    }

    /// Handles a signal of a visitor who has shown the token.
    pub(super) fn signal(
        &mut self,
        now: Instant,
        visitor: VisitorId,
        signal: Signal,
        ice_servers: &[IceServer],
        metrics: &mut Metrics,
    ) {
        let mut all = self.directs.iter();
        let known = all.find(|it| it.visitor == Some(visitor));
        let known = known.map(|it| (it.number, it.attempt));
        match signal {
            Signal::Offer { attempt, sdp } => {
                let number = match known {
                    // ICE is restarted.
                    Some((number, same)) if same == attempt => number,
                    Some((_, newer)) if newer > attempt => return,
                    Some((number, _)) => {
                        self.close(now, number, metrics);
                        self.open(now, visitor, attempt, ice_servers, metrics)
                    }
                    None => self.open(now, visitor, attempt, ice_servers, metrics),
                };
                let kind = SdpKind::Offer;
                let set = RtcCommand::SetRemote { kind, sdp };
                self.connections.command(now, &number, set);
            }
            Signal::Candidates {
                attempt,
                candidates,
            } => {
                let Some((number, _)) = known.filter(|(_, same)| *same == attempt) else {
                    return;
                };
                for candidate in candidates.into_iter().take(MAX_CANDIDATES) {
                    let add = RtcCommand::AddCandidate(candidate);
                    self.connections.command(now, &number, add);
                }
            }
            // Offers come from visitors alone.
            Signal::Answer { .. } => {}
        }
    }

    fn open(
        &mut self,
        now: Instant,
        visitor: VisitorId,
        attempt: u32,
        ice_servers: &[IceServer],
        metrics: &mut Metrics,
    ) -> u32 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        metrics.attempts += 1;
        self.directs.push(Direct {
            number,
            visitor: Some(visitor),
            attempt,
            channel: Channel::new(Rc::clone(&self.site), Rc::clone(&self.output)),
            begun: now,
            is_open: false,
            is_counted: false,
            buffered: 0,
            heard: now,
            pinged: now,
            closes: None,
        });
        let open = RtcCommand::Open {
            ice_servers: ice_servers.to_vec(),
            direct: DirectLinkSettings::default(),
        };
        self.connections.command(now, &number, open);
        number
    }

    /// The data channel is open.
    pub(super) fn opened(&mut self, now: Instant, number: u32) {
        if let Some(direct) = self.find(number) {
            direct.is_open = true;
            direct.heard = now;
        }
    }

    /// Bytes that wait in a data channel.
    pub(super) fn buffered(&mut self, number: u32, bytes: u32) {
        if let Some(direct) = self.find(number) {
            direct.buffered = bytes;
            self.output.notify_one();
        }
    }

    /// Handles a frame.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        number: u32,
        frame: &[u8],
        metrics: &mut Metrics,
    ) {
        let Some(direct) = self.find(number) else {
            return;
        };
        metrics.count_received(Way::Direct, frame.len());
        direct.heard = now;
        // Its visitor was counted with the relayed channel.
        let received = direct.channel.receive(now, frame, true);
        match direct.channel.greeting() {
            Greeting::Accepted if !direct.is_counted => {
                direct.is_counted = true;
                metrics.count_success(now.saturating_duration_since(direct.begun));
                direct.pinged = now;
                direct.channel.ping(now);
            }
            Greeting::Refused(_) if direct.closes.is_none() => {
                metrics.forbidden += 1;
                direct.closes = Some(now + REFUSAL_TIME);
            }
            _ => {}
        }
        if let Some(latency) = direct.channel.take_latency() {
            metrics.add_latency(latency);
        }
        if received.is_err() {
            self.close(now, number, metrics);
        }
    }

    /// Sends one message of each channel that can take one. False if there was none.
    pub(super) fn send_round(&mut self, now: Instant, metrics: &mut Metrics) -> bool {
        let mut has_sent = false;
        for direct in &mut self.directs {
            if !direct.is_open || direct.buffered >= MAX_BUFFERED {
                continue;
            }
            if let Some(bytes) = direct.channel.poll_message() {
                has_sent = true;
                metrics.count_sent(Way::Direct, bytes.len());
                let class = DeliveryClass::Control;
                let send = RtcCommand::Send { class, bytes };
                self.connections.command(now, &direct.number, send);
            }
        }
        has_sent
    }

    /// Closes channels that are silent or refused, and measures latencies.
    pub(super) fn tidy(&mut self, now: Instant, metrics: &mut Metrics) {
        let is_over = |it: &&Direct| {
            let limit = match it.is_counted {
                true => it.heard + SILENCE_TIMEOUT,
                false => it.begun + OPEN_TIMEOUT,
            };
            now >= limit || it.closes.is_some_and(|at| now >= at)
        };
        let over: Vec<_> = self.directs.iter().filter(is_over).collect();
        let over: Vec<_> = over.iter().map(|it| it.number).collect();
        for number in over {
            self.close(now, number, metrics);
        }
        for direct in &mut self.directs {
            if direct.is_counted && now >= direct.pinged + PING_INTERVAL {
                direct.pinged = now;
                direct.channel.ping(now);
            }
        }
    }

    /// The server does not know a visitor any more, or none of them. Open channels go on.
    pub(super) fn forget(
        &mut self,
        now: Instant,
        visitor: Option<VisitorId>,
        metrics: &mut Metrics,
    ) {
        let is_meant = |it: &Direct| visitor.is_none() || it.visitor == visitor;
        let meant = self
            .directs
            .iter()
            .filter(|it| is_meant(it) && !it.is_counted);
        let meant: Vec<_> = meant.map(|it| it.number).collect();
        for number in meant {
            self.close(now, number, metrics);
        }
        for direct in &mut self.directs {
            if is_meant(direct) {
                direct.visitor = None;
            }
        }
        self.bound_orphans(now, metrics);
    }

    /// Closes the channels that were heard of longest ago, if too many have visitors that the
    /// server does not know any more.
    fn bound_orphans(&mut self, now: Instant, metrics: &mut Metrics) {
        let orphans = self.directs.iter().filter(|it| it.visitor.is_none());
        let mut orphans: Vec<_> = orphans.map(|it| (it.heard, it.number)).collect();
        orphans.sort();
        let surplus = orphans.len().saturating_sub(self.site.limits.max_visitors);
        for (_, number) in orphans.into_iter().take(surplus) {
            self.close(now, number, metrics);
        }
    }

    /// Closes a channel.
    pub(super) fn close(&mut self, now: Instant, number: u32, metrics: &mut Metrics) {
        let Some(at) = self.directs.iter().position(|it| it.number == number) else {
            return;
        };
        let direct = self.directs.swap_remove(at);
        match direct.is_counted {
            true if direct.visitor.is_some() => metrics.fallbacks += 1,
            true => {}
            false => metrics.failures += 1,
        }
        self.connections.command(now, &number, RtcCommand::Close);
    }

    fn find(&mut self, number: u32) -> Option<&mut Direct> {
        self.directs.iter_mut().find(|it| it.number == number)
    }
}
