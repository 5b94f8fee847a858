//! Limits on connections and sockets, and the timeout of a request's head.

use std::time::Duration;

use axum::Router;
use axum::routing::get;
use server::error::RefusalReason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Error;

use super::UninvolvedRide;
use crate::support::TestServer;

#[tokio::test]
async fn a_request_whose_head_never_ends_is_closed_and_others_are_served() {
    let server = TestServer::start(&["--header-timeout-ms", "300"]).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(server.address).await.expect("connects");
        stream
            .write_all(b"GET / HTTP/1.1\r\nx-slow: ")
            .await
            .expect("sends");
        slow.push(stream);
    }
    assert_eq!(server.health().await["status"], "ok");
    for mut stream in slow {
        let mut rest = Vec::new();
        let end = stream.read_to_end(&mut rest);
        let _ = timeout(Duration::from_secs(10), end).await.expect("closed");
    }
    assert_eq!(
        server.state.metrics.refusals(RefusalReason::SlowRequest),
        50
    );
}

#[tokio::test]
async fn connections_of_one_address_are_limited_and_the_next_gets_503() {
    let flags = [
        "--max-connections-per-address",
        "3",
        "--header-timeout-ms",
        "600000",
    ];
    let server = TestServer::start(&flags).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(server.address).await.expect("connects"));
    }
    let mut fourth = TcpStream::connect(server.address).await.expect("connects");
    let mut answer = String::new();
    let end = fourth.read_to_string(&mut answer);
    timeout(Duration::from_secs(10), end)
        .await
        .expect("in time")
        .expect("text");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(
        server
            .state
            .metrics
            .refusals(RefusalReason::ConnectionsPerAddress),
        1
    );
    drop(held);
    while server.state.limits.connections.open_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.health().await["status"], "ok");
}

#[tokio::test]
async fn sockets_of_all_dialects_count_together() {
    let server = TestServer::start(&["--max-sockets-per-address", "3"]).await;
    let code = server.ride().await;
    let _app = server.socket(&code).await;
    let _peerjs = server
        .raw_client("/peerjs?key=peerjs&id=ana&token=club")
        .await;
    let _simple_peer = server.raw_client("/signal/club").await;
    let fourth = server.socket_from(&code, None).await.err();
    assert!(matches!(fourth, Some(Error::Http(answer)) if answer.status() == 429));
}

#[tokio::test]
async fn half_of_500_sockets_of_one_address_are_refused() {
    let server = TestServer::start(&[]).await;
    let mut uninvolved = UninvolvedRide::start(&server).await;
    let code = server.ride().await;
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..500 {
        match server.socket_from(&code, None).await {
            Ok(socket) => open.push(socket),
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), 429);
                assert!(answer.headers().contains_key("retry-after"));
                refused += 1;
            }
            Err(other) => panic!("expected a response: {other}"),
        }
    }
    // Two sockets belong to the other ride.
    assert_eq!((open.len(), refused), (254, 246));
    assert_eq!(
        server
            .state
            .metrics
            .refusals(RefusalReason::SocketsPerAddress),
        246
    );
    uninvolved.still_works().await;
}

#[tokio::test]
async fn at_the_maximum_number_of_sockets_the_next_is_refused_until_one_is_closed() {
    let server = TestServer::start(&["--max-sockets", "2"]).await;
    let code = server.ride().await;
    let first = server.socket(&code).await;
    let _second = server.socket(&code).await;
    let third = server.socket_from(&code, None).await.err();
    assert!(matches!(third, Some(Error::Http(answer)) if answer.status() == 503));
    drop(first);
    while server.socket_from(&code, None).await.is_err() {}
}

#[tokio::test]
async fn downloads_that_are_never_read_are_closed_and_others_are_served() {
    // More than the buffers of both ends hold.
    const LARGE: usize = 32 * 1024 * 1024;
    let large = get(async || vec![0_u8; LARGE]);
    let pages = Router::new().route("/large", large);
    let server = TestServer::with_pages(&["--write-timeout-ms", "300"], pages).await;
    let mut unread = Vec::new();
    for _ in 0..20 {
        let mut stream = TcpStream::connect(server.address).await.expect("connects");
        stream
            .write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n")
            .await
            .expect("sends");
        unread.push(stream);
    }
    let metrics = &server.state.metrics;
    while metrics.refusals(RefusalReason::SlowDownload) < 20 {
        assert_eq!(server.health().await["status"], "ok");
    }
    while server.state.limits.connections.open_count() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.get("/large").await.body.len(), LARGE);
}
