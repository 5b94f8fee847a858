//! Token, credentials and methods: what is denied does not reach the site.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{Router, http::HeaderMap};
use base64::{Engine, engine::general_purpose::STANDARD};
use tunnel::{
    head::Kind,
    identity::AccessToken,
    multiplexer::{Refusal, ResetReason},
};

use super::support::{Visitor, head, local, serve, site, token};
use crate::tunnel::{
    access::{Access, Credentials},
    channel::Greeting,
    site::TunnelLimits,
};

/// Site that counts its requests, and answers with their credentials.
async fn counting() -> (SocketAddr, Arc<AtomicUsize>) {
    let requests = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&requests);
    let router = Router::new().fallback(move |headers: HeaderMap| async move {
        count.fetch_add(1, Ordering::Relaxed);
        format!("{:?}", headers.get("authorization"))
    });
    (serve(router).await, requests)
}

#[test]
fn a_wrong_token_is_refused_and_the_site_sees_nothing() {
    local(async {
        let (address, requests) = counting().await;
        let site = site(address, Access::default(), TunnelLimits::default());
        let mut visitor = Visitor::new(site, &AccessToken::new([8; 20]));
        visitor.get("/");
        visitor.exchange();
        assert_eq!(visitor.refused, Some(Refusal::Forbidden));
        let forbidden = Greeting::Refused(Refusal::Forbidden);
        assert_eq!(visitor.channel.greeting(), forbidden);
        tokio::task::yield_now().await;
        assert_eq!(requests.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_visitor_beyond_the_limit_is_told_so() {
    local(async {
        let (address, _) = counting().await;
        let mut visitor = Visitor::of(address);
        let hello = visitor.multiplexer.poll_message().unwrap();
        let now = std::time::Instant::now();
        visitor.channel.receive(now, &hello, false).unwrap();
        visitor.exchange();
        assert_eq!(visitor.refused, Some(Refusal::Busy));
    });
}

#[test]
fn credentials_are_asked_for_and_not_passed_on() {
    local(async {
        let (address, requests) = counting().await;
        let access = Access {
            credentials: Some(Credentials::new("club".to_owned(), "secret".to_owned())),
            is_read_only: false,
        };
        let mut visitor = Visitor::new(site(address, access, TunnelLimits::default()), &token());
        let wrong = format!("Basic {}", STANDARD.encode("club:wrong"));
        for fields in [&[][..], &[("authorization", wrong.as_str())]] {
            let stream = visitor.open("GET", "/", fields, None);
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.status(), 401);
            let challenge = answer.field("www-authenticate").unwrap();
            assert!(challenge.starts_with("Basic realm="));
        }
        assert_eq!(requests.load(Ordering::Relaxed), 0);
        let right = format!("Basic {}", STANDARD.encode("club:secret"));
        let stream = visitor.open("GET", "/", &[("authorization", &right)], None);
        let answer = visitor.answer(stream).await;
        assert_eq!((answer.status(), answer.text()), (200, "None"));
    });
}

#[test]
fn passwords_cannot_be_guessed_fast() {
    local(async {
        let (address, _) = counting().await;
        let access = Access {
            credentials: Some(Credentials::new("club".to_owned(), "secret".to_owned())),
            is_read_only: false,
        };
        let mut visitor = Visitor::new(site(address, access, TunnelLimits::default()), &token());
        let mut statuses = Vec::new();
        for number in 0..20 {
            let guess = format!("Basic {}", STANDARD.encode(format!("club:{number}")));
            let stream = visitor.open("GET", "/", &[("authorization", &guess)], None);
            statuses.push(visitor.answer(stream).await.status());
        }
        assert_eq!(statuses.iter().filter(|it| **it == 401).count(), 10);
        assert_eq!(statuses.last(), Some(&429));
    });
}

#[test]
fn a_read_only_tunnel_lets_nothing_else_through() {
    local(async {
        let (address, requests) = counting().await;
        let access = Access {
            is_read_only: true,
            ..Access::default()
        };
        let mut visitor = Visitor::new(site(address, access, TunnelLimits::default()), &token());
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
            let stream = visitor.open(method, "/", &[], Some(b"body"));
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.status(), 405, "{method}");
            assert_eq!(answer.field("allow"), Some("GET, HEAD"));
        }
        let web_socket = head(Kind::WebSocket, "GET", "/", &[]);
        let stream = visitor.open_head(&web_socket, Some(b""));
        assert_eq!(visitor.answer(stream).await.status(), 405);
        assert_eq!(requests.load(Ordering::Relaxed), 0);
        for method in ["GET", "HEAD"] {
            let stream = visitor.open(method, "/", &[], None);
            assert_eq!(visitor.answer(stream).await.status(), 200);
        }
    });
}

#[test]
fn a_large_head_is_refused() {
    local(async {
        let (address, requests) = counting().await;
        let limits = TunnelLimits {
            max_header: 2_048,
            ..TunnelLimits::default()
        };
        let mut visitor = Visitor::new(site(address, Access::default(), limits), &token());
        let long = "x".repeat(3_000);
        let stream = visitor.open("GET", "/", &[("x-long", &long)], None);
        assert_eq!(visitor.answer(stream).await.status(), 431);
        assert_eq!(requests.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn heads_that_name_other_servers_are_refused() {
    local(async {
        let (address, requests) = counting().await;
        let mut visitor = Visitor::of(address);
        // What the encoder of a well-meaning visitor refuses.
        let head = |target: &str| {
            let valid = head(Kind::Http, "GET", "/", &[]).encode().unwrap();
            let at = valid.iter().position(|byte| *byte == b'/').unwrap();
            let length = 0x60 + u8::try_from(target.len()).unwrap();
            let rest = &valid[at + 1..];
            [&valid[..at - 1], &[length], target.as_bytes(), rest].concat()
        };
        for target in ["http://a.example/", "a.example:443", "*", "", "/a b"] {
            let stream = visitor.multiplexer.open(&head(target), false).unwrap();
            visitor.answers.entry(stream).or_default();
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.reset, Some(ResetReason::Refused), "{target}");
        }
        assert_eq!(requests.load(Ordering::Relaxed), 0);
        // A path, whatever it looks like.
        let stream = visitor.get("//a.example/");
        assert_eq!(visitor.answer(stream).await.status(), 200);
        assert_eq!(requests.load(Ordering::Relaxed), 1);
    });
}
