//! Peers and visitors that mean harm.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tunnel::control::{MAX_MESSAGE, ToPeer, with_visitor};
use tunnel::multiplexer::Multiplexer;

use super::browser::{TIMEOUT, text};
use super::visitor::Page;
use super::{Secrets, TunnelServer};

#[tokio::test]
async fn a_peer_that_violates_the_protocol_fails_its_requests_and_nothing_else() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    for frame in [
        &b"nonsense"[..],
        &[],
        &[6, 0, 0, 0, 1, 1],
        &[5, 0, 0, 0, 99, 0],
    ] {
        let browser = browser.clone();
        let answer = tokio::spawn(async move { browser.get("/").await });
        let (id, _) = peer.request().await;
        let message = Message::binary(with_visitor(id.0, frame));
        peer.socket.send(message).await.expect("sends");
        assert_eq!(answer.await.expect("a response").status(), 502, "{frame:?}");
    }
    // Numbers of visitors that were never there, and messages without one.
    for message in [with_visitor(12_345, b"frame"), vec![1, 2, 3], Vec::new()] {
        peer.socket
            .send(Message::binary(message))
            .await
            .expect("sends");
    }
    let answer = tokio::spawn(async move { text(browser.get("/").await).await });
    let (id, _) = peer.request().await;
    peer.answer(id, "well").await;
    assert_eq!(answer.await.expect("a response"), "well");
}

#[tokio::test]
async fn heads_that_are_no_http_become_a_page_with_502() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    for head in [&b"nonsense"[..], &[0xa0], &[]] {
        let browser = browser.clone();
        let answer = tokio::spawn(async move { browser.get("/").await });
        let (id, _) = peer.request().await;
        let multiplexer: &mut Multiplexer = peer.visitors.get_mut(&id.0).expect("a visitor");
        multiplexer.respond(id.1, head, false);
        peer.flush().await;
        assert_eq!(answer.await.expect("a response").status(), 502, "{head:?}");
    }
    for (status, fields) in [(101, vec![]), (199, vec![])] {
        let browser = browser.clone();
        let answer = tokio::spawn(async move { browser.get("/").await });
        let (id, _) = peer.request().await;
        peer.respond(id, status, &fields, false).await;
        assert_eq!(answer.await.expect("a response").status(), 502, "{status}");
    }
}

#[tokio::test]
async fn messages_that_are_not_of_the_protocol_close_the_socket() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    for message in [
        Message::text("nonsense"),
        Message::text("a".repeat(20_000)),
        Message::binary(vec![0; MAX_MESSAGE + 1]),
    ] {
        let mut peer = tunnels.peer(&secrets).await;
        peer.socket.send(message.clone()).await.expect("sends");
        while peer.read().await.is_some() {}
        let _peer = tunnels.peer(&secrets).await;
        let browser = tunnels.browser(&secrets);
        let mut page = Page::open(&browser, &secrets).await;
        page.socket.send(message).await.expect("sends");
        let code = page.close_code().await;
        assert!(matches!(code, Some(1008 | 1009) | None), "{code:?}");
    }
}

#[tokio::test]
async fn a_flood_of_a_visitor_reaches_the_peer_no_faster_than_the_limit() {
    let limit = ["--tunnel-relay-bytes-per-second", "100000"];
    let tunnels = TunnelServer::start(&limit).await;
    let secrets = Secrets::new(1);
    let mut peer = tunnels.peer(&secrets).await;
    let browser = tunnels.browser(&secrets);
    let mut page = Page::open(&browser, &secrets).await;
    page.ready().await;
    let flood = tokio::spawn(async move {
        loop {
            // A first frame, so that it is passed on.
            let mut frame = vec![0; 50_000];
            frame[0] = 1;
            if page.socket.send(Message::binary(frame)).await.is_err() {
                return;
            }
        }
    });
    peer.text(|it| matches!(it, ToPeer::Visitor { .. })).await;
    let mut received = 0;
    let reading = async {
        while let Some(Ok(message)) = peer.socket.next().await {
            received += message.len();
        }
    };
    let _ = timeout(Duration::from_secs(2), reading).await;
    assert!((100_000..=400_000).contains(&received), "{received}");
    flood.abort();
}

#[tokio::test]
async fn a_page_that_reads_nothing_is_closed_and_others_are_served() {
    let tunnels = TunnelServer::start(&["--tunnel-relay-bytes-per-second", "0"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let secrets = Secrets::new(1);
    let mut page = Page::open(&browser, &secrets).await;
    page.ready().await;
    page.get("/").await;
    let ((id, _), _) = tokio::join!(peer.request(), page.event());
    // The peer ignores the page's window.
    let flood = Message::binary(with_visitor(id.0, &[0; 60_000]));
    for _ in 0..400 {
        peer.socket.send(flood.clone()).await.expect("sends");
    }
    let gone = peer.text(|it| matches!(it, ToPeer::Gone { .. })).await;
    assert!(matches!(gone, ToPeer::Gone { visitor } if visitor == id.0));
    let answer = tokio::spawn(async move { text(browser.get("/").await).await });
    let (id, _) = peer.request().await;
    peer.answer(id, "well").await;
    assert_eq!(answer.await.expect("a response"), "well");
    let closed = timeout(TIMEOUT, async {
        while let Some(Ok(_)) = page.socket.next().await {}
    });
    closed.await.expect("in time");
}

#[tokio::test]
async fn a_flood_of_signals_is_slowed_down() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let mut peer = tunnels.peer(&secrets).await;
    let browser = tunnels.browser(&secrets);
    let mut page = Page::open(&browser, &secrets).await;
    page.ready().await;
    let flood = tokio::spawn(async move {
        let offer = format!(
            r#"{{"type":"signal","signal":{{"type":"offer","attempt":1,"sdp":"{}"}}}}"#,
            "a".repeat(10_000)
        );
        while page.socket.send(Message::text(offer.clone())).await.is_ok() {}
    });
    let mut signals = 0;
    let reading = async {
        loop {
            peer.text(|it| matches!(it, ToPeer::Signal { .. })).await;
            signals += 1;
        }
    };
    let _ = timeout(Duration::from_secs(2), reading).await;
    // 64 KiB per second, with a burst of two seconds' worth.
    assert!((10..=40).contains(&signals), "{signals}");
    flood.abort();
}
