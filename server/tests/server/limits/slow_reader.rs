//! Receivers that read too slowly.

use std::time::{Duration, Instant};

use protocol::peer::DeliveryClass;
use protocol::signaling::ServerMessage;
use server::error::RefusalReason;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Rider, TestServer};

const PAYLOAD: [u8; 14_000] = [7; 14_000];

/// A ride in which Ana sends, Ben reads, and a third rider reads nothing.
struct Readers {
    server: TestServer,
    ana: Rider,
    ben: Rider,
    _unread: Rider,
    /// Message to Ben when the third rider's socket is closed.
    away: ServerMessage,
    /// Time until Ben received each message.
    times: Vec<Duration>,
}

impl Readers {
    async fn start(max_queue_bytes: &str) -> Self {
        let flags = [
            "--max-queue-bytes",
            max_queue_bytes,
            "--relay-bytes-per-second",
            "0",
        ];
        let server = TestServer::start(&flags).await;
        let code = server.ride().await;
        let (mut ana, _) = server.join(&code).await;
        let (mut ben, _) = server.join(&code).await;
        ana.message().await;
        let (unread, third) = server.join(&code).await;
        ana.message().await;
        ben.message().await;
        Self {
            server,
            ana,
            ben,
            _unread: unread,
            away: ServerMessage::Away { peer: third.peer },
            times: Vec::new(),
        }
    }

    /// Sends a frame. Returns `true` when the third rider's socket has been closed.
    async fn send(&mut self, class: DeliveryClass) -> bool {
        let sent = Instant::now();
        self.ana.relay(class, &[], &PAYLOAD).await;
        match self.ben.next().await {
            Some(Message::Binary(frame)) => {
                assert!(frame.ends_with(&PAYLOAD), "unexpected frame: {frame:?}");
                self.times.push(sent.elapsed());
                assert!(self.times.len() < 5_000, "nothing was dropped or closed");
                false
            }
            Some(Message::Text(text)) => {
                let told = ServerMessage::parse(&text).ok();
                assert_eq!(told.as_ref(), Some(&self.away));
                true
            }
            other => panic!("the fast reader was closed: {other:?}"),
        }
    }

    async fn dropped_telemetry(&self) -> u64 {
        let metrics = self.server.get("/metrics").await.json();
        metrics["metrics"]["queueDrops"]["telemetry"]
            .as_u64()
            .expect("a count")
    }
}

#[tokio::test]
async fn the_socket_of_a_slow_reader_is_closed_and_others_are_not_affected() {
    let mut readers = Readers::start("131072").await;
    while !readers.send(DeliveryClass::Bulk).await {}
}

#[tokio::test]
async fn a_reader_that_stops_loses_telemetry_first_then_its_socket_and_delays_no_other() {
    let mut readers = Readers::start("400000").await;
    while readers.dropped_telemetry().await < 100 {
        let is_closed = readers.send(DeliveryClass::Telemetry).await;
        assert!(!is_closed, "telemetry alone must not close the socket");
    }
    while !readers.send(DeliveryClass::Control).await {}
    let refused = readers
        .server
        .state
        .metrics
        .refusals(RefusalReason::SlowReader);
    assert_eq!(refused, 1);
    let mut times = readers.times;
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    assert!(p99 < Duration::from_millis(250), "{p99:?}");
}
