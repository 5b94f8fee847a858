//! The socket of peers.

use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tunnel::control::{PeerMessage, RefusedReason, ToPeer, VERSION, parse, to_text};

use super::browser::{TIMEOUT, text};
use super::peer::Peer;
use super::{Secrets, TunnelServer};
use crate::support::TestServer;

fn refused(answer: Result<Peer, ToPeer>) -> RefusedReason {
    match answer {
        Err(ToPeer::Refused { reason, message }) => {
            assert!(message.ends_with('.'), "{message}");
            reason
        }
        Err(other) => panic!("expected a refusal: {other:?}"),
        Ok(_) => panic!("expected a refusal"),
    }
}

#[tokio::test]
async fn pages_cannot_open_the_socket_of_peers() {
    let tunnels = TunnelServer::start(&[]).await;
    let own = format!("http://{}", tunnels.server.address);
    for origin in [own.as_str(), "https://evil.example"] {
        let opened = tunnels.server.open("/api/tunnel", Some(origin)).await;
        let error = opened.expect_err("refused").to_string();
        assert!(error.contains("403"), "{error}");
    }
}

#[tokio::test]
async fn a_server_without_tunnels_refuses_peers_with_a_sentence() {
    let server = TestServer::start(&["--tunnel-origin", "none"]).await;
    let answer = Peer::connect(server.address, &Secrets::new(1)).await;
    assert_eq!(refused(answer), RefusedReason::Disabled);
}

#[tokio::test]
async fn the_first_message_must_be_an_open_of_this_version_in_time() {
    let tunnels = TunnelServer::start(&["--hello-timeout-ms", "300"]).await;
    let secrets = Secrets::new(1);
    let open = |version, name: String| {
        Message::text(to_text(&PeerMessage::Open {
            version,
            key: secrets.key.clone(),
            token_hash: secrets.token.hash(),
            name,
        }))
    };
    for (first, expected) in [
        (None, RefusedReason::Timeout),
        (Some(Message::text("nonsense")), RefusedReason::Malformed),
        (
            Some(Message::text(to_text(&PeerMessage::Ping))),
            RefusedReason::Malformed,
        ),
        (Some(Message::binary(vec![0; 64])), RefusedReason::Timeout),
        (
            Some(open(VERSION + 1, String::new())),
            RefusedReason::Version,
        ),
        (
            Some(open(VERSION, "a".repeat(81))),
            RefusedReason::Malformed,
        ),
    ] {
        let mut socket = Peer::open(tunnels.server.address).await;
        if let Some(first) = first {
            socket.send(first).await.expect("sends");
        }
        let answer = timeout(TIMEOUT, socket.next()).await.expect("in time");
        let Some(Ok(Message::Text(answer))) = answer else {
            panic!("expected a text: {answer:?}");
        };
        match parse(&answer) {
            Some(ToPeer::Refused { reason, .. }) => assert_eq!(reason, expected),
            other => panic!("expected a refusal: {other:?}"),
        }
        let end = timeout(TIMEOUT, socket.next()).await.expect("in time");
        assert!(matches!(end, Some(Ok(Message::Close(Some(_))))), "{end:?}");
    }
}

#[tokio::test]
async fn a_newer_peer_with_the_same_key_replaces_the_older() {
    let tunnels = TunnelServer::start(&["--max-tunnels", "1"]).await;
    let (mut older, browser) = tunnels.pair(1).await;
    let waiting = {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get("/1").await })
    };
    older.request().await;
    let mut newer = tunnels.peer(&Secrets::new(1)).await;
    let replaced = older.text(|it| matches!(it, ToPeer::Refused { .. })).await;
    let reason = match replaced {
        ToPeer::Refused { reason, .. } => reason,
        _ => unreachable!("as asked for"),
    };
    assert_eq!(reason, RefusedReason::Replaced);
    assert_eq!(older.read().await, None, "the socket is closed");
    drop(older);
    // What the older had not answered is lost.
    assert_eq!(waiting.await.expect("a response").status(), 503);
    let answer = tokio::spawn(async move { text(browser.get("/2").await).await });
    let (id, head) = newer.request().await;
    assert_eq!(head.target, "/2");
    newer.answer(id, "newer").await;
    assert_eq!(answer.await.expect("a response"), "newer");
}

#[tokio::test]
async fn a_server_has_a_maximum_of_tunnels() {
    let tunnels = TunnelServer::start(&["--max-tunnels", "2"]).await;
    let address = tunnels.server.address;
    let one = tunnels.peer(&Secrets::new(1)).await;
    let _two = tunnels.peer(&Secrets::new(2)).await;
    let third = Peer::connect(address, &Secrets::new(3)).await;
    assert_eq!(refused(third), RefusedReason::Full);
    drop(one);
    // The server learns of it by and by.
    loop {
        match Peer::connect(address, &Secrets::new(3)).await {
            Ok(_) => break,
            refusal => assert_eq!(refused(refusal), RefusedReason::Full),
        }
    }
}

#[tokio::test]
async fn a_ping_is_answered() {
    let tunnels = TunnelServer::start(&[]).await;
    let mut peer = tunnels.peer(&Secrets::new(1)).await;
    peer.send(&PeerMessage::Ping).await.expect("sends");
    peer.text(|it| matches!(it, ToPeer::Pong)).await;
}

#[tokio::test]
async fn sockets_are_told_when_the_server_restarts() {
    let mut tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let (mut page, _) = browser
        .socket("/.gruppetto/socket", &browser.origin(), None)
        .await
        .expect("an upgrade");
    peer.text(|it| matches!(it, ToPeer::Visitor { .. })).await;
    tunnels.server.begin_shutdown();
    let peer_ends = async { while peer.read().await.is_some() {} };
    let page_ends = async {
        loop {
            let message = timeout(TIMEOUT, page.next()).await.expect("in time");
            if let Message::Close(frame) = message.expect("a close").expect("a close") {
                return frame.map(|it| u16::from(it.code));
            }
        }
    };
    let ((), code) = tokio::join!(peer_ends, page_ends);
    assert_eq!(code, Some(1012));
}
