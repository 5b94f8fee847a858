//! Visitors with both ways: signals, tokens and bounds.

use std::time::{Duration, Instant};

use protocol::signaling::Signal;
use sha2::{Digest, Sha256};
use tunnel::{
    control::PeerMessage,
    identity::AccessToken,
    multiplexer::{Refusal, ResetReason},
};

use super::{
    rig::{ATTEMPT, End, Rig, VISITOR},
    support::{local, noise, token},
};
use crate::tunnel::visitors::ToServer;

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
        let expected = Sha256::digest(noise(2 * 1024 * 1024));
        assert_eq!(Sha256::digest(&body), expected);
        assert!(rig.visitors.metrics().direct.sent >= 2 * 1024 * 1024);
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
        rig.until("closed", |rig| rig.has_failed).await;
        // The page may have gone.
        assert_eq!(rig.visitors.metrics().fallbacks, 0);
        let stream = rig.relayed.get("/page");
        rig.until("loaded", |rig| rig.relayed.is_over(stream)).await;
        assert_eq!(rig.visitors.metrics().fallbacks, 1);
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
