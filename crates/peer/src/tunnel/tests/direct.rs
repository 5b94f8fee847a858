//! Visitors with both ways: signals, tokens and bounds. The direct one is WebRTC between two sockets
//! of this machine.

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
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Notify, mpsc},
    time::{sleep_until, timeout},
};
use tunnel::{
    control::{PeerMessage, VisitorId},
    head::Kind,
    identity::AccessToken,
    multiplexer::{Event, Limits, Multiplexer, Refusal, ResetReason, StreamId},
};

use super::support::{Answer, head, local, noise, serve, site, token};
use crate::{
    rtc::{ChannelSet, Connections, Packet},
    tunnel::{
        access::Access,
        site::TunnelLimits,
        visitors::{ToServer, Visitors},
    },
};

const VISITOR: VisitorId = 3;
const ATTEMPT: u32 = 5;
const TIMEOUT: Duration = Duration::from_secs(60);

/// Visitor's end of one channel.
struct End {
    multiplexer: Multiplexer,
    answers: std::collections::HashMap<StreamId, Answer>,
    refused: Option<Refusal>,
    is_accepted: bool,
}

impl End {
    fn new(token: &AccessToken) -> Self {
        Self {
            multiplexer: Multiplexer::visitor(Limits::default(), token),
            answers: Default::default(),
            refused: None,
            is_accepted: false,
        }
    }

    fn receive(&mut self, message: &[u8]) {
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

    fn get(&mut self, target: &str) -> StreamId {
        let head = head(Kind::Http, "GET", target, &[]).encode().unwrap();
        self.multiplexer.open(&head, false).unwrap()
    }

    fn is_over(&self, stream: StreamId) -> bool {
        self.answers.get(&stream).is_some_and(Answer::is_over)
    }
}

/// Peer and one visitor, with the server between them.
struct Rig {
    visitors: Visitors,
    output: Rc<Notify>,
    packets: mpsc::Receiver<Packet>,
    browser: Connections<u32>,
    browser_packets: mpsc::Receiver<Packet>,
    attempt: u32,
    relayed: End,
    direct: End,
    is_open: bool,
    has_failed: bool,
    /// Relayed frames are passed on while set.
    has_relay: bool,
    signals: VecDeque<PeerMessage>,
}

impl Rig {
    async fn new(relayed: &AccessToken, direct: &AccessToken) -> Self {
        let content = |uri: Uri| async move {
            match uri.path() {
                "/large" => noise(10 * 1024 * 1024),
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
    fn offer(&mut self, attempt: u32) {
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

    fn exchange(&mut self) {
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

    fn signal_browser(&mut self, now: Instant, message: PeerMessage) {
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

    fn handle(&mut self, now: Instant, attempt: u32, event: RtcEvent) {
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

    async fn until(&mut self, what: &str, is_true: impl Fn(&Self) -> bool) {
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
        assert!(timeout(TIMEOUT, run).await.is_ok(), "not in time: {what}");
    }

    /// A visitor whose direct channel is accepted.
    async fn connected() -> Self {
        let mut rig = Self::new(&token(), &token()).await;
        rig.offer(ATTEMPT);
        rig.until("direct", |rig| rig.direct.is_accepted).await;
        rig
    }

    async fn loads_direct(&mut self, target: &str) -> Vec<u8> {
        let stream = self.direct.get(target);
        self.until("loaded", |rig| rig.direct.is_over(stream)).await;
        std::mem::take(&mut self.direct.answers.get_mut(&stream).unwrap().body)
    }

    fn has_answer(&self) -> bool {
        let is_answer = |it: &PeerMessage| matches!(it, PeerMessage::Signal { .. });
        self.signals.iter().any(is_answer)
    }

    fn is_closed(&self) -> bool {
        let is_close = |it: &PeerMessage| matches!(it, PeerMessage::Close { visitor: VISITOR });
        self.signals.iter().any(is_close)
    }
}

#[test]
fn requests_go_over_the_way_that_the_visitor_takes() {
    local(async {
        let mut rig = Rig::connected().await;
        let relayed_before = rig.visitors.metrics().relayed;
        assert_eq!(rig.loads_direct("/direct").await, b"/direct");
        let metrics = rig.visitors.metrics().clone();
        assert_eq!(
            (metrics.attempts, metrics.successes, metrics.failures),
            (1, 1, 0)
        );
        assert_eq!(metrics.visitors, 1);
        assert!(metrics.direct.sent > 0 && metrics.direct.received > 0);
        assert_eq!(metrics.relayed, relayed_before);
        let stream = rig.relayed.get("/relayed");
        rig.until("loaded", |rig| rig.relayed.is_over(stream)).await;
        assert_eq!(rig.relayed.answers[&stream].body, b"/relayed");
        assert!(rig.visitors.metrics().relayed.sent > relayed_before.sent);
        let has_latency = |rig: &Rig| rig.visitors.metrics().latency.is_some();
        rig.until("a latency", has_latency).await;
    });
}

#[test]
fn a_large_download_goes_over_the_data_channel() {
    local(async {
        let mut rig = Rig::connected().await;
        let body = rig.loads_direct("/large").await;
        let expected = Sha256::digest(noise(10 * 1024 * 1024));
        assert_eq!(Sha256::digest(&body), expected);
        assert!(rig.visitors.metrics().direct.sent >= 10 * 1024 * 1024);
    });
}

#[test]
fn an_offer_is_not_answered_before_the_token() {
    local(async {
        let mut rig = Rig::new(&token(), &token()).await;
        rig.has_relay = false;
        rig.offer(ATTEMPT);
        rig.exchange();
        assert!(!rig.has_answer());
        assert_eq!(rig.visitors.metrics().attempts, 0);
        rig.has_relay = true;
        rig.until("direct", |rig| rig.direct.is_accepted).await;
    });
}

#[test]
fn a_visitor_with_a_wrong_token_gets_no_answer_and_is_closed() {
    local(async {
        let mut rig = Rig::new(&AccessToken::new([8; 20]), &token()).await;
        rig.offer(ATTEMPT);
        rig.until("closed", Rig::is_closed).await;
        assert_eq!(rig.relayed.refused, Some(Refusal::Forbidden));
        rig.offer(ATTEMPT + 1);
        rig.exchange();
        assert!(!rig.has_answer());
        assert_eq!(rig.visitors.metrics().forbidden, 1);
    });
}

#[test]
fn a_wrong_token_over_the_data_channel_is_refused() {
    local(async {
        let mut rig = Rig::new(&token(), &AccessToken::new([8; 20])).await;
        rig.offer(ATTEMPT);
        rig.until("refused", |rig| rig.direct.refused.is_some())
            .await;
        assert_eq!(rig.direct.refused, Some(Refusal::Forbidden));
        rig.visitors.tidy(Instant::now() + Duration::from_secs(3));
        rig.until("closed", |rig| rig.has_failed).await;
        assert_eq!(rig.visitors.metrics().successes, 0);
    });
}

#[test]
fn a_direct_channel_outlives_the_server() {
    local(async {
        let mut rig = Rig::connected().await;
        rig.has_relay = false;
        rig.visitors.remove_relayed(Instant::now());
        assert_eq!(rig.loads_direct("/still").await, b"/still");
        assert_eq!(rig.visitors.metrics().fallbacks, 0);
    });
}

#[test]
fn visitors_beyond_the_limit_are_told_so() {
    local(async {
        let mut rig = Rig::new(&token(), &token()).await;
        rig.until("accepted", |rig| rig.relayed.is_accepted).await;
        let now = Instant::now();
        let mut refusals = Vec::new();
        for visitor in [10, 11, 12] {
            rig.visitors.add(now, visitor);
            let mut end = End::new(&token());
            let hello = end.multiplexer.poll_message().unwrap();
            rig.visitors.receive_frame(now, visitor, &hello, &[]);
            while let Some(message) = rig.visitors.poll_relayed(now) {
                if let ToServer::Frame(_, frame) = message {
                    end.receive(&frame);
                }
            }
            refusals.push(end.refused);
        }
        // Two fit.
        let busy = Some(Refusal::Busy);
        assert_eq!(refusals, [None, busy, busy]);
    });
}

#[test]
fn a_newer_attempt_replaces_the_direct_channel() {
    local(async {
        let mut rig = Rig::connected().await;
        rig.direct.get("/never");
        rig.exchange();
        rig.direct = End::new(&token());
        rig.offer(ATTEMPT + 1);
        rig.until("direct again", |rig| rig.direct.is_accepted)
            .await;
        assert_eq!(rig.loads_direct("/again").await, b"/again");
        let metrics = rig.visitors.metrics();
        assert_eq!(
            (metrics.attempts, metrics.successes, metrics.fallbacks),
            (2, 2, 1)
        );
    });
}

#[test]
fn a_silent_direct_channel_is_closed() {
    local(async {
        let mut rig = Rig::connected().await;
        rig.direct.get("/never");
        rig.exchange();
        rig.visitors.tidy(Instant::now() + Duration::from_secs(31));
        assert_eq!(rig.visitors.metrics().fallbacks, 1);
        rig.until("closed", |rig| rig.has_failed).await;
    });
}

#[test]
fn visitors_without_a_token_are_few_and_not_for_long() {
    local(async {
        let mut rig = Rig::new(&token(), &token()).await;
        let now = Instant::now();
        for visitor in 100..200 {
            rig.visitors.add(now, visitor);
        }
        let mut closed = 0;
        while let Some(PeerMessage::Close { .. }) = rig.visitors.poll_control() {
            closed += 1;
        }
        assert_eq!(closed, 85);
        rig.visitors.tidy(now + Duration::from_secs(11));
        while let Some(PeerMessage::Close { .. }) = rig.visitors.poll_control() {
            closed += 1;
        }
        assert_eq!(closed, 101);
    });
}

#[test]
fn many_wrong_tokens_are_not_answered() {
    local(async {
        let mut rig = Rig::new(&token(), &token()).await;
        let now = Instant::now();
        let (mut answered, mut closed) = (0, 0);
        for visitor in 100..200 {
            rig.visitors.add(now, visitor);
            let mut end = End::new(&AccessToken::new([8; 20]));
            let hello = end.multiplexer.poll_message().unwrap();
            rig.visitors.receive_frame(now, visitor, &hello, &[]);
            while let Some(message) = rig.visitors.poll_relayed(now) {
                match message {
                    ToServer::Frame(..) => answered += 1,
                    ToServer::Control(_) => closed += 1,
                }
            }
            while rig.visitors.poll_control().is_some() {
                closed += 1;
            }
        }
        assert_eq!((answered, closed), (30, 100));
        assert_eq!(rig.visitors.metrics().direct, Default::default());
    });
}

#[test]
fn frames_that_break_the_protocol_close_the_visitor_alone() {
    local(async {
        let mut rig = Rig::new(&token(), &token()).await;
        rig.until("accepted", |rig| rig.relayed.is_accepted).await;
        let now = Instant::now();
        rig.visitors.add(now, 9);
        rig.visitors.receive_frame(now, 9, b"nonsense", &[]);
        let message = rig.visitors.poll_control();
        assert!(matches!(message, Some(PeerMessage::Close { visitor: 9 })));
        // Of a visitor that is closed already, and of one that never was.
        rig.visitors.receive_frame(now, 9, b"nonsense", &[]);
        rig.visitors.receive_frame(now, 10, b"nonsense", &[]);
        let answer = Signal::Answer {
            attempt: 1,
            sdp: "nonsense".to_owned(),
        };
        rig.visitors.signal(now, 10, answer.clone(), &[]);
        rig.visitors.signal(now, VISITOR, answer, &[]);
        let offer = Signal::Offer {
            attempt: 1,
            sdp: "nonsense".to_owned(),
        };
        rig.visitors.signal(now, VISITOR, offer, &[]);
        assert_eq!(rig.visitors.metrics().failures, 1);
        let stream = rig.relayed.get("/page");
        rig.until("loaded", |rig| rig.relayed.is_over(stream)).await;
        assert_eq!(rig.relayed.answers[&stream].reset, None::<ResetReason>);
    });
}
