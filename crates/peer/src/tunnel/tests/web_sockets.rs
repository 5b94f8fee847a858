//! WebSockets to the site.

use std::time::Duration;

use axum::{
    Router,
    extract::ws::{CloseFrame, Message as AxumMessage, WebSocket, WebSocketUpgrade},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::sync::mpsc;
use tunnel::{
    head::Kind,
    messages::{self, Decoder, Message},
    multiplexer::{ResetReason, StreamId},
};

use super::support::{ORIGIN, Visitor, closed_port, head, local, serve, site, token};
use crate::tunnel::{access::Access, site::TunnelLimits};

/// Echoes messages. "bye" is answered with a close of the site.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(&message, AxumMessage::Text(text) if text.as_str() == "bye") {
            let frame = CloseFrame {
                code: 4_001,
                reason: "later".into(),
            };
            let _ = socket.send(AxumMessage::Close(Some(frame))).await;
            // The answer to the close.
            while let Some(Ok(_)) = socket.recv().await {}
            return;
        }
        if socket.send(message).await.is_err() {
            return;
        }
    }
}

async fn upgrade(headers: HeaderMap, upgrade: WebSocketUpgrade) -> Response {
    let host = headers["host"].to_str().unwrap();
    let origin = headers.get("origin").map(|it| it.to_str().unwrap());
    if origin.is_some_and(|origin| origin != format!("http://{host}")) {
        return (StatusCode::FORBIDDEN, "not from here").into_response();
    }
    upgrade.protocols(["graph", "board"]).on_upgrade(echo)
}

fn router() -> Router {
    Router::new().route("/echo", get(upgrade))
}

/// Opens a WebSocket whose bytes are written by the test.
fn open(visitor: &mut Visitor, target: &str, fields: &[(&str, &str)]) -> StreamId {
    let head = head(Kind::WebSocket, "GET", target, fields);
    let stream = visitor
        .multiplexer
        .open(&head.encode().unwrap(), true)
        .unwrap();
    visitor.answers.entry(stream).or_default();
    stream
}

fn send(visitor: &mut Visitor, stream: StreamId, message: &Message) {
    let bytes = messages::encode(message);
    assert_eq!(visitor.multiplexer.write(stream, &bytes), bytes.len());
}

fn received(visitor: &Visitor, stream: StreamId) -> Vec<Message> {
    let mut decoder = Decoder::default();
    decoder.push(&visitor.answers[&stream].body);
    std::iter::from_fn(|| decoder.next().unwrap()).collect()
}

async fn until(visitor: &mut Visitor, stream: StreamId, expected: &[Message]) {
    let has_come = |it: &Visitor| received(it, stream) == expected;
    visitor.until("the messages have come", has_come).await;
}

#[test]
fn messages_are_echoed_and_the_close_of_the_page_is_answered() {
    local(async {
        let mut visitor = Visitor::of(serve(router()).await);
        let fields = [
            ("origin", ORIGIN),
            ("sec-websocket-protocol", "board, other"),
            ("sec-websocket-key", "of the browser"),
            ("sec-websocket-extensions", "permessage-deflate"),
        ];
        let stream = open(&mut visitor, "/echo", &fields);
        visitor.head(stream).await;
        let answer = &visitor.answers[&stream];
        assert_eq!(answer.status(), 101);
        assert_eq!(answer.field("sec-websocket-protocol"), Some("board"));
        assert_eq!(answer.field("sec-websocket-accept"), None);
        let mut expected = vec![
            Message::Text("hello".to_owned()),
            Message::Binary(vec![7; 100_000]),
            Message::Text(String::new()),
        ];
        for message in &expected {
            send(&mut visitor, stream, message);
        }
        until(&mut visitor, stream, &expected).await;
        let close = Message::Close(Some(4_000), "done".to_owned());
        send(&mut visitor, stream, &close);
        visitor.multiplexer.finish(stream);
        expected.push(close);
        until(&mut visitor, stream, &expected).await;
        assert!(visitor.answer(stream).await.has_ended);
    });
}

#[test]
fn the_close_of_the_site_arrives_with_its_code() {
    local(async {
        let mut visitor = Visitor::of(serve(router()).await);
        let stream = open(&mut visitor, "/echo", &[]);
        send(&mut visitor, stream, &Message::Text("bye".to_owned()));
        visitor.head(stream).await;
        let close = Message::Close(Some(4_001), "later".to_owned());
        until(&mut visitor, stream, &[close]).await;
        visitor.multiplexer.finish(stream);
        assert!(visitor.answer(stream).await.has_ended);
    });
}

#[test]
fn a_refusal_of_the_site_is_handed_on() {
    local(async {
        let mut visitor = Visitor::of(serve(router()).await);
        let foreign = [("origin", "https://evil.example")];
        for (target, fields, status) in [("/echo", &foreign[..], 403), ("/none", &[], 404)] {
            let stream = open(&mut visitor, target, fields);
            visitor.multiplexer.finish(stream);
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.status(), status);
            assert!(answer.has_ended);
        }
    });
}

#[test]
fn a_site_that_is_down_or_slow_is_told_apart() {
    local(async {
        let mut visitor = Visitor::of(closed_port().await);
        let stream = open(&mut visitor, "/echo", &[]);
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.reset, Some(ResetReason::Unreachable));
        let limits = TunnelLimits {
            head_timeout: Duration::from_millis(100),
            ..TunnelLimits::default()
        };
        let router = Router::new().fallback(std::future::pending::<()>);
        let site = site(serve(router).await, Access::default(), limits);
        let mut visitor = Visitor::new(site, &token());
        let stream = open(&mut visitor, "/echo", &[]);
        let answer = visitor.answer(stream).await;
        assert_eq!(answer.reset, Some(ResetReason::TimedOut));
    });
}

#[test]
fn a_page_that_vanishes_ends_the_connection_to_the_site() {
    local(async {
        let (post, mut ended) = mpsc::unbounded_channel();
        let router = Router::new().route(
            "/",
            get(|upgrade: WebSocketUpgrade| async move {
                upgrade.on_upgrade(move |mut socket| async move {
                    while let Some(Ok(_)) = socket.recv().await {}
                    let _ = post.send(());
                })
            }),
        );
        let mut visitor = Visitor::of(serve(router).await);
        let stream = open(&mut visitor, "/", &[]);
        visitor.head(stream).await;
        visitor.multiplexer.reset(stream, ResetReason::Cancelled);
        visitor.exchange();
        ended.recv().await.unwrap();
    });
}

#[test]
fn bytes_that_are_no_messages_end_the_web_socket() {
    local(async {
        let mut visitor = Visitor::of(serve(router()).await);
        for bytes in [&[9, 0, 0, 0, 1, 0][..], &[2, 255, 255, 255, 255]] {
            let stream = open(&mut visitor, "/echo", &[]);
            visitor.multiplexer.write(stream, bytes);
            let answer = visitor.answer(stream).await;
            assert_eq!(answer.reset, Some(ResetReason::Refused));
        }
    });
}
