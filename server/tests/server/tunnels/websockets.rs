//! WebSockets of a tunnel's site.

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};
use tunnel::head::Kind;
use tunnel::messages::{self, Decoder, Message as TunnelMessage};

use super::TunnelServer;
use super::browser::TIMEOUT;

#[tokio::test]
async fn messages_protocols_and_close_codes_pass_in_both_directions() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let opening = tokio::spawn(async move {
        let origin = browser.origin();
        browser
            .socket("/echo?x=1", &origin, Some("chat, echo"))
            .await
    });
    let (id, head) = peer.request().await;
    assert_eq!(
        (head.kind, head.target.as_str()),
        (Kind::WebSocket, "/echo?x=1")
    );
    let names: Vec<_> = head.fields.iter().map(|(name, _)| name.as_str()).collect();
    assert!(names.contains(&"sec-websocket-protocol") && !names.contains(&"sec-websocket-key"));
    peer.respond(id, 101, &[("sec-websocket-protocol", "echo")], true)
        .await;
    let (mut socket, response) = opening.await.expect("a task").expect("an upgrade");
    assert_eq!(response.headers()["sec-websocket-protocol"], "echo");

    let large = vec![7; 300_000];
    socket.send(Message::text("text")).await.expect("sends");
    socket
        .send(Message::binary(large.clone()))
        .await
        .expect("sends");
    let mut decoder = Decoder::default();
    let mut received = Vec::new();
    while received.len() < 2 {
        decoder.push(&peer.body(id).await.expect("bytes"));
        while let Some(message) = decoder.next().expect("messages") {
            received.push(message);
        }
    }
    assert_eq!(received[0], TunnelMessage::Text("text".into()));
    assert_eq!(received[1], TunnelMessage::Binary(large.clone()));
    for message in received {
        peer.write(id, &messages::encode(&message)).await;
    }
    let driving = tokio::spawn(async move {
        let mut rest = Vec::new();
        while let Some(bytes) = peer.body(id).await {
            rest.extend(bytes);
        }
        (peer, rest)
    });
    let mut next = async || {
        let message = timeout(TIMEOUT, socket.next()).await.expect("in time");
        message.expect("a message").expect("a message")
    };
    assert_eq!(next().await, Message::text("text"));
    assert_eq!(next().await, Message::binary(large));
    let frame = CloseFrame {
        code: CloseCode::Library(4_321),
        reason: "enough".into(),
    };
    socket.close(Some(frame)).await.expect("closes");
    let (_, rest) = driving.await.expect("the rest");
    let mut decoder = Decoder::default();
    decoder.push(&rest);
    let close = decoder.next().expect("messages");
    assert_eq!(
        close,
        Some(TunnelMessage::Close(Some(4_321), "enough".into()))
    );
}

#[tokio::test]
async fn a_close_of_the_site_reaches_the_browser() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let opening = tokio::spawn(async move { browser.socket("/", &browser.origin(), None).await });
    let (id, _) = peer.request().await;
    peer.respond(id, 101, &[], true).await;
    let (mut socket, _) = opening.await.expect("a task").expect("an upgrade");
    let close = TunnelMessage::Close(Some(4_000), "over".into());
    peer.write(id, &messages::encode(&close)).await;
    let message = timeout(TIMEOUT, socket.next()).await.expect("in time");
    match message {
        Some(Ok(Message::Close(Some(frame)))) => {
            assert_eq!(
                (u16::from(frame.code), frame.reason.as_str()),
                (4_000, "over")
            );
        }
        other => panic!("expected a close: {other:?}"),
    }
}

#[tokio::test]
async fn a_site_without_the_socket_answers_with_its_own_status() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let opening = tokio::spawn(async move { browser.socket("/", &browser.origin(), None).await });
    let (id, _) = peer.request().await;
    peer.respond(id, 404, &[], false).await;
    match opening.await.expect("a task") {
        Err(Error::Http(response)) => assert_eq!(response.status(), 404),
        other => panic!("expected a status: {:?}", other.is_ok()),
    }
}

#[tokio::test]
async fn pages_of_other_origins_and_without_the_cookie_open_none() {
    let tunnels = TunnelServer::start(&[]).await;
    let (_peer, mut browser) = tunnels.pair(1).await;
    let evil = browser.socket("/", "https://evil.example", None).await;
    let own = browser.origin();
    browser.cookie = None;
    let stranger = browser.socket("/", &own, None).await;
    for refused in [evil, stranger] {
        match refused {
            Err(Error::Http(response)) => assert_eq!(response.status(), 403),
            other => panic!("expected a status: {:?}", other.is_ok()),
        }
    }
}
