//! Bodies of requests and responses.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use tokio::sync::{Notify, mpsc};
use tunnel::multiplexer::ResetReason;

use super::support::{Visitor, local, noise, serve, site, token};
use crate::tunnel::{access::Access, site::TunnelLimits};

const LARGE: usize = 50 * 1024 * 1024;
/// Bytes that may be under way while nobody reads: windows, and the buffers of two sockets on the
/// loopback address, which the system makes large.
const UNDER_WAY: usize = 16 * 1024 * 1024;

#[test]
fn bodies_reach_the_site_with_and_without_a_length() {
    local(async {
        let echo = |headers: HeaderMap, body: Bytes| async move {
            let field = |name| headers.get(name).map(|it| it.to_str().unwrap().to_owned());
            let (length, encoding) = (field("content-length"), field("transfer-encoding"));
            let text = String::from_utf8(body.to_vec()).unwrap();
            format!("{length:?} {encoding:?} {text}")
        };
        let mut visitor = Visitor::of(serve(Router::new().route("/", post(echo))).await);
        for (fields, expected) in [
            (&[("content-length", "5")][..], r#"Some("5") None hello"#),
            (&[], r#"None Some("chunked") hello"#),
        ] {
            let stream = visitor.open("POST", "/", fields, Some(b"hello"));
            assert_eq!(visitor.answer(stream).await.text(), expected);
        }
        let stream = visitor.open("POST", "/", &[], None);
        assert_eq!(visitor.answer(stream).await.text(), r#"Some("0") None "#);
    });
}

#[test]
fn a_body_that_does_not_have_its_length_is_refused_or_broken() {
    local(async {
        let router = Router::new().fallback(|_: Bytes| async {});
        let mut visitor = Visitor::of(serve(router).await);
        let shorter = visitor.open("POST", "/", &[("content-length", "9")], Some(b"hello"));
        let answer = visitor.answer(shorter).await;
        assert!(
            answer.reset.is_some() || answer.status() == 400,
            "{answer:?}"
        );
        let none = visitor.open("POST", "/", &[("content-length", "9")], None);
        let answer = visitor.answer(none).await;
        assert_eq!(answer.reset, Some(ResetReason::Refused));
    });
}

#[test]
fn a_large_download_waits_for_its_reader() {
    local(async {
        let produced = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&produced);
        let content = Bytes::from(noise(LARGE));
        let expected = Sha256::digest(&content);
        let download = move || async move {
            let chunks = stream::iter((0..LARGE).step_by(64 * 1024)).map(move |from| {
                let chunk = content.slice(from..(from + 64 * 1024).min(LARGE));
                count.fetch_add(chunk.len(), Ordering::Relaxed);
                Ok::<_, std::io::Error>(chunk)
            });
            Body::from_stream(chunks).into_response()
        };
        let router = Router::new()
            .route("/large", get(download))
            .route("/small", get(|| async { "small" }));
        let mut visitor = Visitor::of(serve(router).await);
        visitor.reads = false;
        let large = visitor.get("/large");
        visitor.head(large).await;
        // Whatever the site has sent by the time of other requests.
        for _ in 0..20 {
            let small = visitor.get("/small");
            assert_eq!(visitor.answer(small).await.text(), "small");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let under_way = produced.load(Ordering::Relaxed);
        assert!(under_way < UNDER_WAY, "{under_way}");
        assert!(visitor.answers[&large].body.len() <= 1024 * 1024);
        visitor.read_all();
        let answer = visitor.answer(large).await;
        assert!(answer.has_ended);
        assert_eq!(Sha256::digest(&answer.body), expected);
    });
}

#[test]
fn a_large_upload_waits_for_the_site() {
    local(async {
        let reads = Arc::new(Notify::new());
        let may_read = Arc::clone(&reads);
        let upload = move |request: Request| async move {
            may_read.notified().await;
            let mut body = request.into_body();
            let mut digest = Sha256::new();
            while let Some(frame) = body.frame().await {
                digest.update(frame.unwrap().into_data().unwrap());
            }
            Bytes::copy_from_slice(&digest.finalize())
        };
        let router = Router::new()
            .route("/large", post(upload).layer(DefaultBodyLimit::disable()))
            .route("/small", get(|| async { "small" }));
        let mut visitor = Visitor::of(serve(router).await);
        let content = noise(LARGE);
        let expected = Sha256::digest(&content);
        let large = visitor.open("POST", "/large", &[], Some(&content));
        for _ in 0..20 {
            let small = visitor.get("/small");
            assert_eq!(visitor.answer(small).await.text(), "small");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let uploaded = visitor.uploaded(large);
        assert!(uploaded < UNDER_WAY, "{uploaded}");
        reads.notify_one();
        assert_eq!(visitor.answer(large).await.body, expected.to_vec());
    });
}

#[test]
fn events_arrive_one_by_one() {
    local(async {
        let (post, events) = mpsc::unbounded_channel::<&'static str>();
        let events = Arc::new(tokio::sync::Mutex::new(events));
        let router = Router::new().route(
            "/events",
            get(move || async move {
                let chunks = stream::unfold(events, |events| async {
                    let event = events.lock().await.recv().await?;
                    Some((Ok::<_, std::io::Error>(event), events))
                });
                let fields = [("content-type", "text/event-stream")];
                (fields, Body::from_stream(chunks)).into_response()
            }),
        );
        let mut visitor = Visitor::of(serve(router).await);
        let stream = visitor.get("/events");
        visitor.head(stream).await;
        let mut expected = String::new();
        for event in ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"] {
            post.send(event).unwrap();
            expected.push_str(event);
            let has_come = |it: &Visitor| it.answers[&stream].text() == expected;
            visitor.until("the event has come", has_come).await;
            assert!(!visitor.answers[&stream].is_over());
        }
        drop(post);
        assert!(visitor.answer(stream).await.has_ended);
    });
}

#[test]
fn an_answer_before_the_end_of_the_upload_arrives() {
    local(async {
        let refuse = || async { (StatusCode::PAYLOAD_TOO_LARGE, "too large") };
        let mut visitor = Visitor::of(serve(Router::new().fallback(refuse)).await);
        let stream = visitor.open("POST", "/", &[], Some(&noise(1_000)));
        let endless = visitor.open("POST", "/", &[], Some(&noise(4 * 1024 * 1024)));
        for stream in [stream, endless] {
            let answer = visitor.answer(stream).await;
            assert_eq!((answer.status(), answer.text()), (413, "too large"));
        }
        visitor
            .until("both are forgotten", |it| it.multiplexer.streams() == 0)
            .await;
    });
}

#[test]
fn a_body_on_which_nothing_moves_is_timed_out() {
    local(async {
        let silent = || async {
            let begin = stream::once(async { Ok::<_, std::io::Error>("begin") });
            Body::from_stream(begin.chain(stream::pending())).into_response()
        };
        let limits = TunnelLimits {
            idle_timeout: Duration::from_millis(100),
            ..TunnelLimits::default()
        };
        let router = Router::new().fallback(silent);
        let site = site(serve(router).await, Access::default(), limits);
        let mut visitor = Visitor::new(site, &token());
        let stream = visitor.get("/");
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.text(), "begin");
        assert_eq!(answer.reset, Some(ResetReason::TimedOut));
    });
}
