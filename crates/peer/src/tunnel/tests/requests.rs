//! Requests and their heads.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
    routing::{any, get},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tunnel::multiplexer::ResetReason;

use super::support::{Visitor, closed_port, local, serve, site, token};
use crate::tunnel::{access::Access, site::TunnelLimits};

/// Answers with the request's head.
async fn show(request: Request) -> String {
    let fields = request.headers().iter();
    let mut lines: Vec<_> = fields
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    lines.sort();
    format!(
        "{} {}\n{}",
        request.method(),
        request.uri(),
        lines.join("\n")
    )
}

/// Site that answers each connection with bytes and closes it.
async fn raw(answer: &'static [u8]) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.read(&mut [0; 4_096]).await;
            let _ = stream.write_all(answer).await;
        }
    });
    address
}

#[test]
fn a_request_reaches_the_site_as_one_of_its_own() {
    local(async {
        let address = serve(Router::new().fallback(show)).await;
        let mut visitor = Visitor::of(address);
        let fields = [
            ("host", "abcdefghij234567.tunnel.example"),
            ("accept-encoding", "br"),
            ("connection", "x-private"),
            ("x-private", "1"),
            ("cookie", "a=1"),
        ];
        let stream = visitor.open("GET", "/page/a%20b?x=y&z", &fields, None);
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.status(), 200);
        let expected = format!(
            "GET /page/a%20b?x=y&z\naccept-encoding: identity\nconnection: close\ncookie: a=1\n\
             host: {address}\nx-forwarded-host: abcdefghij234567.tunnel.example\n\
             x-forwarded-proto: https"
        );
        assert_eq!(answer.text(), expected);
        assert_eq!(answer.field("connection"), None);
        assert!(answer.field("content-length").is_some());
    });
}

#[test]
fn responses_without_a_body_end_with_their_head() {
    local(async {
        let router = Router::new()
            .route("/page", get(|| async { "content" }))
            .route("/none", any(|| async { StatusCode::NO_CONTENT }))
            .route("/same", any(|| async { StatusCode::NOT_MODIFIED }))
            .route("/empty", any(|| async { "" }));
        let mut visitor = Visitor::of(serve(router).await);
        for (method, target, status, length) in [
            ("HEAD", "/page", 200, Some("7")),
            ("GET", "/none", 204, None),
            ("GET", "/same", 304, None),
            ("POST", "/empty", 200, Some("0")),
        ] {
            let stream = visitor.open(method, target, &[], None);
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.status(), status, "{target}");
            assert!(answer.has_ended && answer.body.is_empty(), "{target}");
            assert_eq!(answer.field("content-length"), length, "{target}");
        }
    });
}

#[test]
fn redirects_are_handed_on_and_stay_in_the_tunnel() {
    local(async {
        let followed = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&followed);
        let redirect = |headers: HeaderMap| async move {
            let host = headers["host"].to_str().unwrap().to_owned();
            let location = format!("http://{host}/target?x");
            let cookie = "session=1; Domain=127.0.0.1; Path=/; HttpOnly".to_owned();
            let fields = [("location", location), ("set-cookie", cookie)];
            (StatusCode::FOUND, fields).into_response()
        };
        let router = Router::new().route("/", get(redirect)).route(
            "/target",
            get(move || async move {
                count.fetch_add(1, Ordering::Relaxed);
            }),
        );
        let mut visitor = Visitor::of(serve(router).await);
        let stream = visitor.get("/");
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.status(), 302);
        assert_eq!(answer.field("location"), Some("/target?x"));
        assert_eq!(
            answer.field("set-cookie"),
            Some("session=1; Path=/; HttpOnly")
        );
        assert_eq!(followed.load(Ordering::Relaxed), 0);
    });
}

#[test]
fn a_hundred_requests_at_once_are_answered() {
    local(async {
        let wait = |request: Request| async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            request.uri().to_string()
        };
        let mut visitor = Visitor::of(serve(Router::new().fallback(wait)).await);
        let streams: Vec<_> = (0..100)
            .map(|number| (number, visitor.get(&format!("/{number}"))))
            .collect();
        for (number, stream) in streams {
            let answer = visitor.answer(stream).await;
            assert_eq!(
                (answer.status(), answer.text()),
                (200, &*format!("/{number}"))
            );
        }
        assert_eq!(visitor.multiplexer.streams(), 0);
    });
}

#[test]
fn a_site_that_is_down_is_unreachable() {
    local(async {
        let mut visitor = Visitor::of(closed_port().await);
        let stream = visitor.get("/");
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.reset, Some(ResetReason::Unreachable));
        assert_eq!(answer.status(), 0);
    });
}

#[test]
fn a_site_that_does_not_answer_is_timed_out() {
    local(async {
        let router = Router::new().fallback(std::future::pending::<()>);
        let limits = TunnelLimits {
            head_timeout: Duration::from_millis(100),
            ..TunnelLimits::default()
        };
        let site = site(serve(router).await, Access::default(), limits);
        let mut visitor = Visitor::new(site, &token());
        let stream = visitor.get("/");
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.reset, Some(ResetReason::TimedOut));
    });
}

#[test]
fn interim_responses_are_skipped() {
    local(async {
        let answer = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n\
            HTTP/1.1 100 Continue\r\n\r\n\
            HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
        let mut visitor = Visitor::of(raw(answer).await);
        let stream = visitor.get("/");
        let answer = visitor.answer(stream).await;
        assert_eq!((answer.status(), answer.text()), (200, "ok"));
        assert_eq!(answer.field("link"), None);
    });
}

#[test]
fn a_site_that_breaks_off_breaks_the_stream() {
    local(async {
        for answer in [
            &b"nonsense\r\n\r\n"[..],
            b"",
            b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nshort\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        ] {
            let mut visitor = Visitor::of(raw(answer).await);
            let stream = visitor.get("/");
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.reset, Some(ResetReason::Broken));
        }
    });
}

#[test]
fn a_request_that_is_cancelled_ends_at_the_site() {
    local(async {
        struct Dropped(mpsc::UnboundedSender<()>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                let _ = self.0.send(());
            }
        }
        let (post, mut dropped) = mpsc::unbounded_channel();
        let (began, mut begun) = mpsc::unbounded_channel();
        let router = Router::new().fallback(move |request: Request| async move {
            let guard = Dropped(post);
            let _ = began.send(());
            if request.uri() == "/head" {
                std::future::pending::<()>().await;
            }
            let chunks = futures_util::stream::unfold(guard, |guard| async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                Some((Ok::<_, std::io::Error>("chunk"), guard))
            });
            Body::from_stream(chunks).into_response()
        });
        let mut visitor = Visitor::of(serve(router).await);
        for target in ["/head", "/body"] {
            let stream = visitor.get(target);
            visitor.exchange();
            begun.recv().await.unwrap();
            if target == "/body" {
                visitor.head(stream).await;
            }
            visitor.multiplexer.reset(stream, ResetReason::Cancelled);
            visitor.exchange();
            dropped.recv().await.unwrap();
        }
    });
}

#[test]
fn a_channel_that_is_closed_ends_its_requests_at_the_site() {
    local(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut visitor = Visitor::of(listener.local_addr().unwrap());
        visitor.get("/");
        visitor.exchange();
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4_096]).await.unwrap() > 0);
        drop(visitor);
        // The end of the connection.
        assert_eq!(stream.read(&mut [0; 4_096]).await.unwrap_or(0), 0);
    });
}
