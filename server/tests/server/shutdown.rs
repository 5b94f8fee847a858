//! How the server ends.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use protocol::peer::DeliveryClass;
use protocol::signaling::ServerMessage;
use tokio_tungstenite::tungstenite::Message;

use crate::clients::Client;
use crate::support::{Rider, TestServer};

#[tokio::test]
async fn riders_are_told_when_to_come_back_and_the_server_ends() {
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
async fn a_server_that_drains_says_so_and_takes_nobody_else() {
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
async fn many_riders_and_one_who_reads_nothing_are_told_apart_in_time_and_hold_nothing_up() {
    let mut server = TestServer::start(&["--relay-bytes-per-second", "0"]).await;
    let mut riders = Vec::new();
    for _ in 0..5 {
        let code = server.ride().await;
        for _ in 0..20 {
            riders.push(server.join(&code).await.0);
        }
    }
    let code = server.ride().await;
    let (mut loud, _) = server.join(&code).await;
    let (_unread, _) = server.join(&code).await;
    loud.message().await;
    // More than the operating system buffers, so that a write is under way.
    for _ in 0..600 {
        loud.relay(DeliveryClass::Bulk, &[], &[7; 14_000]).await;
    }
    let began = Instant::now();
    server.begin_shutdown();
    let told = join_all(riders.iter_mut().map(Rider::until_close)).await;
    let mut waits: Vec<u32> = told
        .iter()
        .map(|(said, end)| {
            assert_eq!(u16::from(end.code), 1012);
            match said.last() {
                Some(Message::Text(text)) => match ServerMessage::parse(text) {
                    Ok(ServerMessage::Closing { retry_after_ms }) => retry_after_ms,
                    other => panic!("not told when to come back: {other:?}"),
                },
                other => panic!("not told when to come back: {other:?}"),
            }
        })
        .collect();
    drop(riders);
    waits.sort();
    assert!(waits[0] >= 500 && waits[99] < 4_500);
    // A hundred of them, spread over four seconds.
    assert!(waits[99] - waits[0] > 2_000, "{waits:?}");
    tokio::time::timeout(Duration::from_secs(10), server.ended)
        .await
        .expect("in time")
        .expect("ends");
    assert!(began.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn clients_who_cannot_be_told_when_to_come_back_are_closed_one_after_the_other() {
    let mut server = TestServer::start(&[]).await;
    let mut clients = Vec::new();
    for number in 0..30 {
        clients.push(server.client(&format!("/signal/club-{number}")).await);
        let path = format!("/peerjs?key=peerjs&id=ana&token=club-{number}");
        clients.push(server.client(&path).await);
    }
    // Each is greeted before.
    join_all(clients.iter_mut().map(Client::text)).await;
    let began = Instant::now();
    server.begin_shutdown();
    let ends = clients.iter_mut().map(async |client| {
        assert_eq!(client.close_code().await, 1012);
        began.elapsed()
    });
    let mut ends = join_all(ends).await;
    ends.sort();
    // Sixty of them, spread over four seconds.
    let (first, last) = (ends[0], ends[59]);
    assert!(last - first > Duration::from_secs(2), "{ends:?}");
    assert!(last < Duration::from_secs(6), "{ends:?}");
}
