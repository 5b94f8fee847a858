//! Visitors that mean harm.

use std::time::{Duration, Instant};

use axum::Router;
use tunnel::{
    head::Kind,
    multiplexer::{Limits, Multiplexer},
};

use super::support::{Visitor, head, local, noise, serve, site, token};
use crate::tunnel::{access::Access, channel::Channel, site::TunnelLimits};

#[test]
fn a_request_before_the_hello_closes_the_channel() {
    local(async {
        let address = serve(Router::new()).await;
        let mut visitor = Visitor::of(address);
        visitor.get("/");
        let hello = visitor.multiplexer.poll_message().unwrap();
        let now = Instant::now();
        // A second hello is as wrong as a frame before it.
        visitor.channel.receive(now, &hello, true).unwrap();
        assert!(visitor.channel.receive(now, &hello, true).is_err());
        let mut other = Visitor::of(address);
        let request = [4, 0, 0, 0, 1, 0];
        assert!(other.channel.receive(now, &request, true).is_err());
        assert!(other.channel.poll_message().is_none());
    });
}

#[test]
fn random_bytes_close_the_channel() {
    local(async {
        let address = serve(Router::new()).await;
        let bytes = noise(4_000);
        for message in bytes.chunks(40) {
            let mut visitor = Visitor::of(address);
            assert!(
                visitor
                    .channel
                    .receive(Instant::now(), message, true)
                    .is_err()
            );
            visitor.multiplexer.poll_message();
        }
    });
}

#[test]
fn more_streams_than_allowed_close_the_channel() {
    local(async {
        let router = Router::new().fallback(std::future::pending::<()>);
        let limits = TunnelLimits {
            max_streams: 8,
            ..TunnelLimits::default()
        };
        let site = site(serve(router).await, Access::default(), limits);
        let mut channel = Channel::new(site, std::rc::Rc::default());
        // A visitor that believes that it may open more.
        let many = Limits {
            max_streams: 1_000,
            ..Limits::default()
        };
        let mut accepting = Multiplexer::peer(many);
        let mut visitor = Multiplexer::visitor(many, &token());
        let now = Instant::now();
        let hello = visitor.poll_message().unwrap();
        channel.receive(now, &hello, true).unwrap();
        accepting.receive(&hello).unwrap();
        accepting.accept();
        visitor.receive(&accepting.poll_message().unwrap()).unwrap();
        let head = head(Kind::Http, "GET", "/", &[]).encode().unwrap();
        let mut opened = 0;
        for _ in 0..20 {
            visitor.open(&head, false).unwrap();
            let open = visitor.poll_message().unwrap();
            match channel.receive(now, &open, true) {
                Ok(()) => opened += 1,
                Err(_) => break,
            }
        }
        assert_eq!(opened, 8);
    });
}

#[test]
fn requests_that_are_opened_and_cancelled_leave_nothing() {
    local(async {
        let router = Router::new().fallback(std::future::pending::<()>);
        let mut visitor = Visitor::of(serve(router).await);
        for round in 0..2_000 {
            let stream = visitor.open("POST", "/", &[], Some(b"body"));
            visitor.exchange();
            let reason = tunnel::multiplexer::ResetReason::Cancelled;
            visitor.multiplexer.reset(stream, reason);
            visitor.exchange();
            if round % 100 == 0 {
                tokio::task::yield_now().await;
            }
        }
        assert_eq!(visitor.error, None);
        assert_eq!(visitor.multiplexer.streams(), 0);
        assert_eq!(visitor.channel.tasks(), 0);
    });
}

#[test]
fn a_visitor_that_reads_nothing_keeps_no_more_than_the_windows() {
    local(async {
        let router = Router::new().fallback(|| async { vec![7_u8; 4 * 1024 * 1024] });
        let mut visitor = Visitor::of(serve(router).await);
        visitor.reads = false;
        for number in 0..100 {
            visitor.get(&format!("/{number}"));
        }
        for _ in 0..30 {
            visitor.exchange();
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let kept: usize = visitor.unread.iter().map(|(_, bytes)| bytes).sum();
        assert!(kept <= Limits::default().channel_window as usize, "{kept}");
        // Others are served meanwhile.
        visitor.read_all();
        visitor
            .until("all is read", |it| it.multiplexer.streams() == 0)
            .await;
    });
}
