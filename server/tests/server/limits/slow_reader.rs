//! Readers who do not keep up.

use std::time::{Duration, Instant};

use protocol::peer::DeliveryClass;
use protocol::signaling::ServerMessage;
use server::error::RefusalReason;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Rider, TestServer};

const PAYLOAD: [u8; 14_000] = [7; 14_000];

/// Ana sends, Ben reads, and a third reads nothing.
struct Readers {
    server: TestServer,
    ana: Rider,
    ben: Rider,
    _unread: Rider,
    /// What Ben is told when the third is cut off.
    away: ServerMessage,
    /// How long Ben waited for each message.
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

    /// Sends a message, and says whether the third is cut off.
    async fn send(&mut self, class: DeliveryClass) -> bool {
        let sent = Instant::now();
        self.ana.relay(class, &[], &PAYLOAD).await;
        match self.ben.next().await {
            Some(Message::Binary(frame)) => {
                assert!(frame.ends_with(&PAYLOAD), "another frame: {frame:?}");
                self.times.push(sent.elapsed());
                assert!(self.times.len() < 5_000, "nothing was dropped or cut off");
                false
            }
            Some(Message::Text(text)) => {
                let told = ServerMessage::parse(&text).ok();
                assert_eq!(told.as_ref(), Some(&self.away));
                true
            }
            other => panic!("the reader who keeps up was cut off: {other:?}"),
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
async fn a_reader_too_slow_is_cut_off_and_the_others_go_on() {
    let mut readers = Readers::start("131072").await;
    while !readers.send(DeliveryClass::Bulk).await {}
}

#[tokio::test]
async fn a_reader_who_stops_loses_telemetry_first_then_the_socket_and_delays_nobody() {
    let mut readers = Readers::start("400000").await;
    while readers.dropped_telemetry().await < 100 {
        let is_cut_off = readers.send(DeliveryClass::Telemetry).await;
        assert!(!is_cut_off, "telemetry alone never costs the socket");
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
