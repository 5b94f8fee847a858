//! Bodies in both directions, and the ends of requests.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures_util::stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tunnel::multiplexer::{Event, ResetReason};

use super::browser::{TIMEOUT, next_bytes, text};
use super::{Secrets, TunnelServer};

/// Body whose pieces the test sends.
fn body() -> (mpsc::Sender<Bytes>, Body) {
    let (sender, receiver) = mpsc::channel(1);
    let pieces = stream::unfold(receiver, |mut receiver: mpsc::Receiver<Bytes>| async {
        let piece = receiver.recv().await?;
        Some((Ok::<_, std::io::Error>(piece), receiver))
    });
    (sender, Body::from_stream(pieces))
}

#[tokio::test]
async fn bodies_are_streamed_in_both_directions_at_once() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let (upload, body) = body();
    let request = browser
        .request("POST", "/upload")
        .body(body)
        .expect("a request");
    let response = tokio::spawn(async move { browser.send(request).await });
    let (id, head) = peer.request().await;
    assert_eq!(head.method, "POST");
    upload.send("first".into()).await.expect("a reader");
    assert_eq!(peer.body(id).await.as_deref(), Some(&b"first"[..]));
    // The response begins before the request has ended.
    peer.respond(id, 200, &[], true).await;
    peer.write(id, b"got first").await;
    let mut response = response.await.expect("a response");
    let got = next_bytes(&mut response).await.expect("a piece");
    assert_eq!(got.expect("bytes"), "got first");
    upload.send("second".into()).await.expect("a reader");
    assert_eq!(peer.body(id).await.as_deref(), Some(&b"second"[..]));
    drop(upload);
    assert_eq!(peer.body(id).await, None);
    peer.finish(id).await;
    assert!(next_bytes(&mut response).await.is_none());
}

#[tokio::test]
async fn an_upload_of_many_megabytes_arrives_whole_with_bounded_memory() {
    const PIECES: usize = 64;
    let tunnels = TunnelServer::start(&["--tunnel-relay-bytes-per-second", "0"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let (upload, body) = body();
    let request = browser
        .request("PUT", "/file")
        .body(body)
        .expect("a request");
    let response = tokio::spawn(async move { browser.send(request).await });
    let sent = tokio::spawn(async move {
        for number in 0..PIECES {
            let piece = vec![number as u8; 65_536];
            upload.send(piece.into()).await.expect("a reader");
        }
    });
    let (id, _) = peer.request().await;
    let mut received = Vec::new();
    while let Some(bytes) = peer.body(id).await {
        received.extend(bytes);
    }
    sent.await.expect("sent");
    assert_eq!(received.len(), PIECES * 65_536);
    let pieces = received.chunks(65_536).enumerate();
    pieces.for_each(|(number, piece)| assert!(piece.iter().all(|it| *it == number as u8)));
    peer.respond(id, 201, &[("location", "/file")], false).await;
    assert_eq!(response.await.expect("a response").status(), 201);
}

#[tokio::test]
async fn responses_without_a_body_keep_their_headers() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    for (method, status, length) in [
        ("HEAD", 200, Some("12345")),
        ("GET", 304, None),
        ("DELETE", 204, None),
        ("GET", 302, Some("0")),
    ] {
        let (browser, request) = (browser.clone(), browser.request(method, "/a"));
        let request = request.body(Body::empty()).expect("a request");
        let response = tokio::spawn(async move { browser.send(request).await });
        let (id, head) = peer.request().await;
        assert_eq!(head.method, method);
        let mut fields = vec![("etag", "\"1\"")];
        fields.extend(length.map(|it| ("content-length", it)));
        peer.respond(id, status, &fields, false).await;
        let response = response.await.expect("a response");
        assert_eq!(response.status(), status);
        assert_eq!(response.headers()["etag"], "\"1\"");
        let got = response.headers().get("content-length");
        assert_eq!(
            got.map(|it| it.to_str().expect("text")),
            length,
            "{method} {status}"
        );
        assert_eq!(text(response).await, "");
    }
}

#[tokio::test]
async fn server_sent_events_arrive_one_by_one() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let response = tokio::spawn(async move { browser.get("/events").await });
    let (id, _) = peer.request().await;
    peer.respond(id, 200, &[("content-type", "text/event-stream")], true)
        .await;
    let mut response = response.await.expect("a response");
    for number in 0..3 {
        let event = format!("data: {number}\n\n");
        peer.write(id, event.as_bytes()).await;
        let got = next_bytes(&mut response).await.expect("an event");
        assert_eq!(got.expect("bytes"), event);
    }
    // The reader has gone: the peer need not go on.
    drop(response);
    assert_eq!(peer.reset_of(id).await, ResetReason::Cancelled);
}

#[tokio::test]
async fn a_browser_that_goes_before_the_response_cancels_the_request() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let response = tokio::spawn(async move { browser.get("/slow").await });
    let (id, _) = peer.request().await;
    response.abort();
    assert_eq!(peer.reset_of(id).await, ResetReason::Cancelled);
}

#[tokio::test]
async fn an_upload_that_breaks_off_is_cancelled_not_ended() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let (upload, body) = body();
    let request = browser
        .request("POST", "/upload")
        .body(body)
        .expect("a request");
    let response = tokio::spawn(async move { browser.try_send(request).await });
    let (id, _) = peer.request().await;
    upload.send("first".into()).await.expect("a reader");
    assert!(peer.body(id).await.is_some());
    response.abort();
    assert_eq!(peer.reset_of(id).await, ResetReason::Cancelled);
}

#[tokio::test]
async fn a_response_that_breaks_off_is_not_taken_for_complete() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    for is_reset in [true, false] {
        let browser = browser.clone();
        let response = tokio::spawn(async move { browser.get("/file").await });
        let (id, _) = peer.request().await;
        peer.respond(id, 200, &[], true).await;
        peer.write(id, b"half").await;
        let mut response = response.await.expect("a response");
        let half = next_bytes(&mut response).await.expect("a piece");
        assert_eq!(half.expect("bytes"), "half");
        match is_reset {
            true => peer.reset(id, ResetReason::Broken).await,
            // The peer goes altogether.
            false => peer.socket.close(None).await.expect("closes"),
        }
        let end = next_bytes(&mut response).await.expect("an end");
        assert!(end.is_err(), "{end:?}");
    }
}

#[tokio::test]
async fn a_hundred_requests_at_once_are_answered() {
    let tunnels = TunnelServer::start(&["--tunnel-relay-bytes-per-second", "0"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let responses: Vec<_> = (0..100)
        .map(|number| {
            let browser = browser.clone();
            tokio::spawn(async move { text(browser.get(&format!("/{number}")).await).await })
        })
        .collect();
    let mut requests = Vec::new();
    while requests.len() < 100 {
        requests.push(peer.request().await);
    }
    requests.reverse();
    for (id, head) in requests {
        peer.answer(id, &head.target).await;
    }
    let answering = tokio::spawn(async move { while peer.read().await.is_some() {} });
    for (number, response) in responses.into_iter().enumerate() {
        assert_eq!(response.await.expect("a response"), format!("/{number}"));
    }
    answering.abort();
}

#[tokio::test]
async fn more_requests_than_streams_are_told_to_come_back() {
    let tunnels = TunnelServer::start(&["--tunnel-max-streams", "2"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let open = |path: &'static str| {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get(path).await })
    };
    let held = [open("/1"), open("/2")];
    let (first, _) = peer.request().await;
    peer.request().await;
    let answer = browser.get("/3").await;
    assert_eq!(answer.status(), 503);
    peer.answer(first, "").await;
    drop(held);
}

#[tokio::test]
async fn a_reader_that_takes_nothing_does_not_hold_up_others() {
    let tunnels = TunnelServer::start(&["--tunnel-relay-bytes-per-second", "0"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let stuck = {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get("/large").await })
    };
    let (large, _) = peer.request().await;
    peer.respond(large, 200, &[], true).await;
    let stuck = stuck.await.expect("a response");
    // As much as the peer may send: then the window is closed.
    let mut sent = 0;
    loop {
        let multiplexer = peer.visitors.get_mut(&large.0).expect("a visitor");
        let count = multiplexer.write(large.1, &[0; 65_536]);
        peer.flush().await;
        sent += count;
        if count == 0 {
            let more = peer.event(|it| matches!(it, Event::Writable { .. }));
            if timeout(Duration::from_millis(500), more).await.is_err() {
                break;
            }
        }
    }
    assert!(sent < 16 * 1024 * 1024, "{sent}");
    let other = tokio::spawn(async move { text(browser.get("/small").await).await });
    let (small, _) = peer.request().await;
    peer.answer(small, "here").await;
    assert_eq!(other.await.expect("a response"), "here");
    drop(stuck);
}

#[tokio::test]
async fn bytes_beyond_the_limit_of_a_tunnel_wait_and_another_tunnel_does_not() {
    let limit = ["--tunnel-relay-bytes-per-second", "200000"];
    let tunnels = TunnelServer::start(&limit).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let started = Instant::now();
    let response = tokio::spawn(async move { text(browser.get("/large").await).await });
    let (id, _) = peer.request().await;
    peer.respond(id, 200, &[], true).await;
    let sending = tokio::spawn(async move {
        peer.write(id, &vec![b'a'; 600_000]).await;
        peer.finish(id).await;
        while peer.read().await.is_some() {}
    });
    // Meanwhile.
    let (mut other_peer, other) = tunnels.pair(2).await;
    let answer = tokio::spawn(async move { text(other.get("/").await).await });
    let (id, _) = other_peer.request().await;
    other_peer.answer(id, "quick").await;
    assert_eq!(answer.await.expect("a response"), "quick");
    let quick = started.elapsed();
    let body = timeout(TIMEOUT, response).await.expect("in time");
    assert_eq!(body.expect("a response").len(), 600_000);
    // 600,000 bytes, of which a second's worth is the burst.
    assert!(
        started.elapsed() >= Duration::from_millis(1_900),
        "{:?}",
        started.elapsed()
    );
    assert!(quick < started.elapsed());
    sending.abort();
}

#[tokio::test]
async fn a_response_without_a_byte_for_long_ends() {
    let tunnels = TunnelServer::start(&["--tunnel-idle-ms", "1000"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    let response = tokio::spawn(async move { browser.get("/events").await });
    let (id, _) = peer.request().await;
    peer.respond(id, 200, &[], true).await;
    let mut response = response.await.expect("a response");
    let end = next_bytes(&mut response).await.expect("an end");
    assert!(end.is_err());
    assert_eq!(peer.reset_of(id).await, ResetReason::TimedOut);
}

#[tokio::test]
async fn two_tunnels_see_nothing_of_each_other() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut one, mut ana) = tunnels.pair(1).await;
    let (mut two, ben) = tunnels.pair(2).await;
    // The cookie of one tunnel does not open the other.
    ana.cookie = ben.cookie.clone();
    assert_eq!(ana.get("/").await.status(), 403);
    let token = Secrets::new(1).token;
    ana.cookie = Some(format!("gruppetto_tunnel={}", token.expose()));
    for (peer, browser, name) in [(&mut one, ana, "one"), (&mut two, ben, "two")] {
        let answer = tokio::spawn(async move { text(browser.get("/").await).await });
        let (id, _) = peer.request().await;
        peer.answer(id, name).await;
        assert_eq!(answer.await.expect("a response"), name);
    }
}
