//! Peer and a visitor with both ways. The direct one is WebRTC between two sockets of this machine.

use std::{
    collections::VecDeque,
    rc::Rc,
    time::{Duration, Instant},
};

use axum::{Router, http::Uri};
use mesh::{
    link::SdpKind,
    node::{RtcCommand, RtcEvent},
};
use protocol::{
    peer::DeliveryClass,
    signaling::{DirectLinkSettings, Signal},
};
use tokio::{
    sync::{Notify, mpsc},
    time::{sleep_until, timeout},
};
use tunnel::{
    control::{PeerMessage, VisitorId},
    head::Kind,
    identity::AccessToken,
    multiplexer::{Event, Limits, Multiplexer, Refusal, StreamId},
};

use super::support::{Answer, head, noise, serve, site, token};
use crate::{
    rtc::{ChannelSet, Connections, Packet},
    tunnel::{
        access::Access,
        site::TunnelLimits,
        visitors::{ToServer, Visitors},
    },
};

pub const VISITOR: VisitorId = 3;
pub const ATTEMPT: u32 = 5;
const TIMEOUT: Duration = Duration::from_secs(150);

/// Visitor's end of one channel.
pub struct End {
    pub multiplexer: Multiplexer,
    pub answers: std::collections::HashMap<StreamId, Answer>,
    pub refused: Option<Refusal>,
    pub is_accepted: bool,
}

impl End {
    pub fn new(token: &AccessToken) -> Self {
        Self {
            multiplexer: Multiplexer::visitor(Limits::default(), token),
            answers: Default::default(),
            refused: None,
            is_accepted: false,
        }
    }

    pub fn receive(&mut self, message: &[u8]) {
        self.multiplexer.receive(message).unwrap();
        while let Some(event) = self.multiplexer.poll_event() {
            match event {
                Event::Accepted => self.is_accepted = true,
                Event::Refused(refusal) => self.refused = Some(refusal),
                Event::Data { stream, bytes } => {
                    self.multiplexer.consumed(stream, bytes.len());
                    let answer = self.answers.entry(stream).or_default();
                    answer.body.extend(bytes);
                }
                Event::End { stream } => {
                    self.answers.entry(stream).or_default().has_ended = true;
                }
                Event::Reset { stream, reason } => {
                    self.answers.entry(stream).or_default().reset = Some(reason);
                }
                _ => {}
            }
        }
    }

    pub fn get(&mut self, target: &str) -> StreamId {
        let head = head(Kind::Http, "GET", target, &[]).encode().unwrap();
        self.multiplexer.open(&head, false).unwrap()
    }

    pub fn is_over(&self, stream: StreamId) -> bool {
        self.answers.get(&stream).is_some_and(Answer::is_over)
    }
}

/// Peer and one visitor, with the server between them.
pub struct Rig {
    pub visitors: Visitors,
    pub output: Rc<Notify>,
    pub packets: mpsc::Receiver<Packet>,
    pub browser: Connections<u32>,
    pub browser_packets: mpsc::Receiver<Packet>,
    pub attempt: u32,
    pub relayed: End,
    pub direct: End,
    pub is_open: bool,
    pub has_failed: bool,
    /// Relayed frames are passed on while set.
    pub has_relay: bool,
    pub signals: VecDeque<PeerMessage>,
}

impl Rig {
    pub async fn new(relayed: &AccessToken, direct: &AccessToken) -> Self {
        let content = |uri: Uri| async move {
            match uri.path() {
                "/large" => noise(2 * 1024 * 1024),
                "/never" => std::future::pending().await,
                path => path.as_bytes().to_vec(),
            }
        };
        let address = serve(Router::new().fallback(content)).await;
        let limits = TunnelLimits {
            max_visitors: 2,
            ..TunnelLimits::default()
        };
        let site = site(address, Access::default(), limits);
        let output = Rc::new(Notify::new());
        let now = Instant::now();
        let (visitors, packets) = Visitors::new(now, site, Rc::clone(&output));
        let (browser, browser_packets) = Connections::new(ChannelSet::Tunnel);
        let mut rig = Self {
            visitors,
            output,
            packets,
            browser,
            browser_packets,
            attempt: 0,
            relayed: End::new(relayed),
            direct: End::new(direct),
            is_open: false,
            has_failed: false,
            has_relay: true,
            signals: VecDeque::new(),
        };
        rig.visitors.add(now, VISITOR);
        rig
    }

    /// Makes an offer as a page does.
    pub fn offer(&mut self, attempt: u32) {
        let now = Instant::now();
        self.attempt = attempt;
        self.is_open = false;
        let open = RtcCommand::Open {
            ice_servers: Vec::new(),
            direct: DirectLinkSettings::default(),
        };
        self.browser.command(now, &attempt, open);
        let offer = RtcCommand::CreateOffer { ice_restart: false };
        self.browser.command(now, &attempt, offer);
    }

    pub fn exchange(&mut self) {
        let now = Instant::now();
        loop {
            let mut is_idle = true;
            self.visitors.pump_direct(now);
            while let Some(message) = self.visitors.poll_control() {
                self.signals.push_back(message.clone());
                is_idle = false;
                self.signal_browser(now, message);
            }
            while self.has_relay
                && let Some(message) = self.visitors.poll_relayed(now)
            {
                is_idle = false;
                match message {
                    ToServer::Frame(VISITOR, frame) => self.relayed.receive(&frame),
                    ToServer::Frame(..) => {}
                    ToServer::Control(message) => self.signals.push_back(message),
                }
            }
            while self.has_relay
                && let Some(frame) = self.relayed.multiplexer.poll_message()
            {
                is_idle = false;
                self.visitors.receive_frame(now, VISITOR, &frame, &[]);
            }
            while let Some((attempt, event)) = self.browser.poll_event() {
                is_idle = false;
                self.handle(now, attempt, event);
            }
            if self.is_open
                && let Some(bytes) = self.direct.multiplexer.poll_message()
            {
                is_idle = false;
                let class = DeliveryClass::Control;
                let send = RtcCommand::Send { class, bytes };
                self.browser.command(now, &self.attempt, send);
            }
            if is_idle {
                return;
            }
        }
    }

    pub fn signal_browser(&mut self, now: Instant, message: PeerMessage) {
        let PeerMessage::Signal { visitor, signal } = message else {
            return;
        };
        assert_eq!(visitor, VISITOR);
        match signal {
            Signal::Answer { attempt, sdp } => {
                let kind = SdpKind::Answer;
                let set = RtcCommand::SetRemote { kind, sdp };
                self.browser.command(now, &attempt, set);
            }
            Signal::Candidates {
                attempt,
                candidates,
            } => {
                for candidate in candidates {
                    let add = RtcCommand::AddCandidate(candidate);
                    self.browser.command(now, &attempt, add);
                }
            }
            Signal::Offer { .. } => panic!("a peer makes no offers"),
        }
    }

    pub fn handle(&mut self, now: Instant, attempt: u32, event: RtcEvent) {
        match event {
            RtcEvent::LocalDescription { sdp, .. } => {
                let offer = Signal::Offer { attempt, sdp };
                self.visitors.signal(now, VISITOR, offer, &[]);
            }
            RtcEvent::Candidate(json) => {
                let candidates = vec![json];
                let signal = Signal::Candidates {
                    attempt,
                    candidates,
                };
                self.visitors.signal(now, VISITOR, signal, &[]);
            }
            RtcEvent::Opened(_) => self.is_open = attempt == self.attempt,
            RtcEvent::Frame { bytes, .. } if attempt == self.attempt => self.direct.receive(&bytes),
            RtcEvent::Closed(_) | RtcEvent::Failed => self.has_failed = true,
            _ => {}
        }
    }

    pub async fn until(&mut self, what: &str, is_true: impl Fn(&Self) -> bool) {
        let run = async {
            loop {
                self.exchange();
                if is_true(self) {
                    return;
                }
                let timers = [self.visitors.timeout(), self.browser.timeout()];
                let next = timers.into_iter().flatten().min();
                let next = next.unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
                tokio::select! {
                    Some(packet) = self.packets.recv() => {
                        self.visitors.receive_packet(Instant::now(), &packet);
                    }
                    Some(packet) = self.browser_packets.recv() => {
                        self.browser.receive(Instant::now(), &packet);
                    }
                    () = self.output.notified() => {}
                    () = sleep_until(next.into()) => {
                        self.visitors.handle_timeout(Instant::now());
                        self.browser.handle_timeout(Instant::now());
                    }
                }
            }
        };
        let is_done = timeout(TIMEOUT, run).await.is_ok();
        let metrics = self.visitors.metrics();
        assert!(is_done, "not in time: {what}; {metrics}");
    }

    /// A visitor whose direct channel is accepted.
    pub async fn connected() -> Self {
        let mut rig = Self::new(&token(), &token()).await;
        rig.offer(ATTEMPT);
        rig.until("direct", |rig| rig.direct.is_accepted).await;
        rig
    }

    pub async fn loads_direct(&mut self, target: &str) -> Vec<u8> {
        let stream = self.direct.get(target);
        self.until("loaded", |rig| rig.direct.is_over(stream)).await;
        std::mem::take(&mut self.direct.answers.get_mut(&stream).unwrap().body)
    }

    pub fn has_answer(&self) -> bool {
        let is_answer = |it: &PeerMessage| matches!(it, PeerMessage::Signal { .. });
        self.signals.iter().any(is_answer)
    }

    pub fn is_closed(&self) -> bool {
        let is_close = |it: &PeerMessage| matches!(it, PeerMessage::Close { visitor: VISITOR });
        self.signals.iter().any(is_close)
    }
}
