//! Shutdown of the server.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use protocol::peer::DeliveryClass;
use protocol::signaling::ServerMessage;
use tokio_tungstenite::tungstenite::Message;

use crate::clients::Client;
use crate::support::{Rider, TestServer};

#[tokio::test]
async fn riders_are_told_when_to_reconnect_and_the_server_stops() {
    let mut server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    server.begin_shutdown();
    let told = ana.message().await;
    assert!(
        matches!(
            told,
            ServerMessage::Closing {
                retry_after_ms: 500..4_500
            }
        ),
        "{told:?}"
    );
    assert_eq!(ana.close_code().await, 1012);
    drop(ana);
    tokio::time::timeout(Duration::from_secs(10), server.ended)
        .await
        .expect("in time")
        .expect("ends");
}

#[tokio::test]
async fn a_draining_server_reports_it_and_accepts_no_new_riders() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    server.state.draining.begin();
    let health = server.get("/health").await;
    assert_eq!(
        (health.status, &health.json()["status"]),
        (503, &"draining".into())
    );
    assert_eq!(
        server.post("/api/rides", &[]).await.json()["error"]["code"],
        "draining"
    );
    assert!(server.socket_from(&code, None).await.is_err());
}

#[tokio::test]
async fn riders_get_spread_reconnect_times_and_a_stuck_reader_does_not_delay_the_shutdown() {
    let mut server = TestServer::start(&["--relay-bytes-per-second", "0"]).await;
    let mut riders = Vec::new();
    for _ in 0..5 {
        let code = server.ride().await;
        for _ in 0..20 {
            riders.push(server.join(&code).await.0);
        }
    }
    let code = server.ride().await;
    let (mut sender, _) = server.join(&code).await;
    let (_unread, _) = server.join(&code).await;
    sender.message().await;
    // More than the operating system buffers, so that a write is pending.
    for _ in 0..600 {
        sender.relay(DeliveryClass::Bulk, &[], &[7; 14_000]).await;
    }
    let began = Instant::now();
    server.begin_shutdown();
    let told = join_all(riders.iter_mut().map(Rider::read_until_close)).await;
    let mut waits: Vec<u32> = told
        .iter()
        .map(|(received, end)| {
            assert_eq!(u16::from(end.code), 1012);
            match received.last() {
                Some(Message::Text(text)) => match ServerMessage::parse(text) {
                    Ok(ServerMessage::Closing { retry_after_ms }) => retry_after_ms,
                    other => panic!("expected the reconnect time: {other:?}"),
                },
                other => panic!("expected the reconnect time: {other:?}"),
            }
        })
        .collect();
    drop(riders);
    waits.sort();
    assert!(waits[0] >= 500 && waits[99] < 4_500);
    // One hundred values, spread over four seconds.
    assert!(waits[99] - waits[0] > 2_000, "{waits:?}");
    tokio::time::timeout(Duration::from_secs(10), server.ended)
        .await
        .expect("in time")
        .expect("ends");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn sockets_of_third_party_clients_are_closed_at_spread_times() {
    let mut server = TestServer::start(&[]).await;
    let mut clients = Vec::new();
    for number in 0..30 {
        clients.push(server.client(&format!("/signal/club-{number}")).await);
        let path = format!("/peerjs?key=peerjs&id=ana&token=club-{number}");
        clients.push(server.client(&path).await);
    }
    // All greetings have arrived.
    join_all(clients.iter_mut().map(Client::text)).await;
    let began = Instant::now();
    server.begin_shutdown();
    let ends = clients.iter_mut().map(async |client| {
        assert_eq!(client.close_code().await, 1012);
        began.elapsed()
    });
    let mut ends = join_all(ends).await;
    ends.sort();
    // Sixty values, spread over four seconds.
    let (first, last) = (ends[0], ends[59]);
    assert!(last - first > Duration::from_secs(2), "{ends:?}");
    assert!(last < Duration::from_secs(6), "{ends:?}");
}
