//! WebSockets of pages of a tunnel's site.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Duration;

use ::tunnel::head::Kind;
use ::tunnel::identity::{AccessToken, TunnelCode};
use ::tunnel::messages::{self, Decoder, Message as TunnelMessage};
use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Notice, fields, request};
use crate::error::RefusalReason;
use crate::limits::ConnectionPermit;
use crate::state::AppState;
use crate::sync::lock;
use crate::tunnels::{RelayStream, RelayWriter};

/// Largest message of a browser in bytes.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// Time for the other side to answer a close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Close code "internal error" (RFC 6455, section 7.4.1).
const BROKEN: u16 = 1011;

/// Returns `true` if a request asks for a WebSocket.
pub fn is_upgrade(request: &Request) -> bool {
    let value = request.headers().get(header::UPGRADE);
    value.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Opens a WebSocket at the tunnel's site, then that of the browser.
pub async fn relay(
    state: &AppState,
    code: &TunnelCode,
    token: &AccessToken,
    client: IpAddr,
    request: Request,
) -> Result<Response, Notice> {
    let permit = state.limits.sockets.acquire(client);
    let permit = permit.map_err(|scope| Notice::Busy(RefusalReason::of_socket_limit(scope)))?;
    let (mut parts, _) = request.into_parts();
    let upgrade = match WebSocketUpgrade::from_request_parts(&mut parts, state).await {
        Ok(upgrade) => upgrade,
        Err(refusal) => return Ok(refusal.into_response()),
    };
    let head = fields::request_head(&parts, Kind::WebSocket);
    let stream = state.tunnels.relay(code, token, client, &head, true);
    let mut stream = stream.map_err(Notice::from)?;
    let head = request::response_head(state, &mut stream).await?;
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        return request::response(state, head, stream, None);
    }
    let protocol = head
        .fields
        .iter()
        .find(|(name, _)| name == "sec-websocket-protocol")
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    let (idle, ping) = (
        state.config.tunnels.idle_timeout(),
        state.config.ping_interval(),
    );
    let mut response = upgrade
        .protocols(protocol)
        .max_message_size(MAX_MESSAGE)
        .max_frame_size(MAX_MESSAGE)
        .on_upgrade(move |socket| serve(socket, stream, idle, ping, permit));
    let cookies = fields::response_fields(&head);
    for cookie in cookies.get_all(header::SET_COOKIE) {
        let headers = response.headers_mut();
        headers.append(header::SET_COOKIE, cookie.clone());
    }
    Ok(response)
}

/// Passes messages on in both directions until either side closes, or none comes for `idle`.
async fn serve(
    socket: WebSocket,
    stream: RelayStream,
    idle: Duration,
    ping: Duration,
    permit: ConnectionPermit,
) {
    let (mut sink, source) = socket.split();
    let last = Mutex::new(Instant::now());
    let writer = stream.writer();
    let close = {
        let mut down = std::pin::pin!(to_browser(&stream, &mut sink, ping, &last));
        tokio::select! {
            close = &mut down => close,
            () = to_peer(source, &writer, &last) => {
                // The answer to the browser's close.
                timeout(CLOSE_TIMEOUT, down).await.unwrap_or(None)
            }
            () = idle_for(idle, &last) => None,
        }
    };
    // A browser that has gone does not need it.
    let _ = timeout(CLOSE_TIMEOUT, sink.send(Message::Close(close))).await;
    drop(permit);
}

/// Passes messages of the browser on until it closes.
async fn to_peer(mut source: SplitStream<WebSocket>, writer: &RelayWriter, last: &Mutex<Instant>) {
    while let Some(Ok(message)) = source.next().await {
        let (message, is_close) = match message {
            Message::Text(text) => (TunnelMessage::Text(text.as_str().to_owned()), false),
            Message::Binary(bytes) => (TunnelMessage::Binary(bytes.into()), false),
            Message::Close(frame) => {
                let (code, reason) = match frame {
                    Some(frame) => (Some(frame.code), frame.reason.as_str().to_owned()),
                    None => (None, String::new()),
                };
                (TunnelMessage::Close(code, reason), true)
            }
            Message::Ping(_) | Message::Pong(_) => continue,
        };
        *lock(last) = Instant::now();
        let is_sent = writer.write(&messages::encode(&message)).await.is_ok();
        if is_close || !is_sent {
            break;
        }
    }
    writer.finish();
}

/// Passes messages of the peer on until it closes, and returns how the browser's socket is closed.
async fn to_browser(
    stream: &RelayStream,
    sink: &mut SplitSink<WebSocket, Message>,
    ping: Duration,
    last: &Mutex<Instant>,
) -> Option<CloseFrame> {
    let mut decoder = Decoder::default();
    let broken = || {
        Some(CloseFrame {
            code: BROKEN,
            reason: "the tunnel broke".into(),
        })
    };
    loop {
        let next = poll_fn(|context| stream.poll_body(context));
        match timeout(ping, next).await {
            Err(_) => sink.send(Message::Ping(Bytes::new())).await.ok()?,
            Ok(Some(Ok(bytes))) => decoder.push(&bytes),
            Ok(Some(Err(_))) => return broken(),
            Ok(None) => return None,
        }
        loop {
            let message = match decoder.next() {
                Ok(Some(TunnelMessage::Text(text))) => Message::text(text),
                Ok(Some(TunnelMessage::Binary(bytes))) => Message::binary(bytes),
                Ok(Some(TunnelMessage::Close(code, reason))) => {
                    return code.map(|code| CloseFrame {
                        code,
                        reason: reason.into(),
                    });
                }
                Ok(None) => break,
                Err(_) => return broken(),
            };
            *lock(last) = Instant::now();
            sink.send(message).await.ok()?;
        }
    }
}

/// Resolves when no message has come for a time.
async fn idle_for(idle: Duration, last: &Mutex<Instant>) {
    loop {
        let deadline = *lock(last) + idle;
        if Instant::now() >= deadline {
            return;
        }
        sleep_until(deadline).await;
    }
}
