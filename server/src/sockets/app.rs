//! `/ws/{code}`: the app's own dialect ([`mesh::signaling`], and
//! [`mesh::frame`] in binary messages).
//!
//! One task a socket. It takes what the socket says to its [`Seat`], sends what
//! the seat's outbox has, pings, and ends the socket when it stays silent,
//! speaks nonsense, or reads too slowly; its end touches nobody else.

use std::error::Error;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use mesh::code::SessionCode;
use mesh::signaling::{ClientMessage, ErrorCode, ParseError, ServerMessage, close};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite;
use uuid::Uuid;

use crate::error::ApiError;
use crate::hub::Seat;
use crate::hub::outbox::Outgoing;
use crate::state::AppState;

/// The close code of a server that restarts (RFC 6455's registry).
const RESTART: u16 = 1012;
/// The close code for what is not WebSocket (RFC 6455).
const PROTOCOL_ERROR: u16 = 1002;
/// How long the other side may take to answer a close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// A little over what is allowed is still read, so that the close that says so
/// is not lost in a reset connection.
const READ_FACTOR: usize = 4;
/// When riders come back after a restart: spread over some seconds.
const RETRY_AFTER_MS: std::ops::Range<u32> = 500..4_500;

/// Answers the upgrade at `/ws/{code}`.
///
/// An unknown code is refused on the socket, since a page cannot read the
/// status of a refused upgrade.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(code): Path<String>,
    ws: WebSocketUpgrade,
) -> Response {
    if state.draining.has_begun() {
        return ApiError::Draining.into_response();
    }
    let readable = state.config.max_message_bytes as usize * READ_FACTOR;
    ws.read_buffer_size(4_096)
        .write_buffer_size(4_096)
        .max_write_buffer_size(1024 * 1024)
        .max_message_size(readable)
        .max_frame_size(readable)
        .on_upgrade(move |socket| serve(socket, state, code))
}

async fn serve(mut socket: WebSocket, state: AppState, code: String) {
    let _open = state.hub.open_socket();
    let seat = code
        .parse::<SessionCode>()
        .ok()
        .and_then(|code| state.hub.connect(&code));
    if let Some(seat) = seat {
        return Connection::new(socket, &state, seat).run().await;
    }
    tracing::info!(code = ?ErrorCode::NoSuchRide, "refused");
    let refusal = ServerMessage::error(ErrorCode::NoSuchRide).to_json();
    if socket.send(Message::text(refusal)).await.is_ok() {
        say_goodbye(socket, close::REFUSED, "no such ride".into()).await;
    }
}

/// One open socket.
struct Connection<'a> {
    socket: WebSocket,
    state: &'a AppState,
    seat: Seat,
    opened: Instant,
    heard: Instant,
    next_ping: Instant,
    /// Whether it said hello.
    greeted: bool,
}

/// Why a socket ends.
enum End {
    /// With a close that says why.
    Close(u16, String),
    /// Without another word: it is dead already.
    Gone,
}

impl<'a> Connection<'a> {
    fn new(socket: WebSocket, state: &'a AppState, seat: Seat) -> Self {
        let now = Instant::now();
        Self {
            socket,
            state,
            seat,
            opened: now,
            heard: now,
            next_ping: now + state.config.ping_interval(),
            greeted: false,
        }
    }

    async fn run(mut self) {
        let end = self.serve().await;
        // The others see it away now, not after the goodbye.
        drop(self.seat);
        if let End::Close(code, reason) = end {
            say_goodbye(self.socket, code, reason).await;
        }
    }

    async fn serve(&mut self) -> End {
        let draining = self.state.draining.begun();
        tokio::pin!(draining);
        let mut told = false;
        loop {
            let wake = self.wake_at();
            let step = tokio::select! {
                incoming = self.socket.recv() => self.take_in(incoming),
                item = self.seat.outbox().next() => self.send_out(item).await,
                () = sleep_until(wake) => self.keep_time().await,
                () = &mut draining, if !told => {
                    told = true;
                    self.announce_restart();
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    fn take_in(&mut self, incoming: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let message = match incoming {
            Some(Ok(Message::Close(_))) | None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(&error)),
            Some(Ok(message)) => message,
        };
        self.heard = Instant::now();
        let limit = self.state.config.max_message_bytes as usize;
        match message {
            // What follows its end does not count.
            _ if self.seat.outbox().is_closing() => {}
            Message::Text(text) if text.len() <= limit => self.take_text(&text),
            Message::Binary(bytes) if bytes.len() <= limit => self.seat.relay(bytes.into()),
            Message::Text(_) | Message::Binary(_) => {
                self.refuse(ErrorCode::TooLarge, close::TOO_LARGE)
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
        Ok(())
    }

    fn take_text(&mut self, text: &str) {
        match ClientMessage::parse(text) {
            Ok(ClientMessage::Hello(hello)) => {
                self.greeted = true;
                self.seat.join(hello);
            }
            Ok(message) => self.seat.message(message),
            Err(ParseError::TooLarge(_)) => self.refuse(ErrorCode::TooLarge, close::TOO_LARGE),
            Err(ParseError::Malformed(_) | ParseError::TooMuch(_)) => {
                self.refuse(ErrorCode::BadMessage, close::POLICY);
            }
        }
    }

    fn refuse(&self, error: ErrorCode, code: u16) {
        tracing::info!(ride = self.seat.ride_log_name(), code = ?error, "refused");
        self.seat.outbox().send(&ServerMessage::error(error));
        self.seat.outbox().close(code, "refused");
    }

    /// Sends what is there now, in one go.
    async fn send_out(&mut self, first: Outgoing) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Outgoing::Text(text) => self.feed(Message::text(text)).await?,
                Outgoing::Frame(_, frame) => self.feed(Message::Binary(frame)).await?,
                Outgoing::Close { code, reason } => return Err(End::Close(code, reason)),
            }
            next = self.seat.outbox().try_next();
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), End> {
        let patience = self.state.config.ping_timeout();
        tokio::select! {
            sent = self.socket.flush() => sent.map_err(|_| End::Gone),
            () = self.seat.outbox().overflow() => Err(too_slow()),
            () = sleep(patience) => Err(End::Gone),
        }
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        let patience = self.state.config.ping_timeout();
        tokio::select! {
            fed = self.socket.feed(message) => fed.map_err(|_| End::Gone),
            () = self.seat.outbox().overflow() => Err(too_slow()),
            () = sleep(patience) => Err(End::Gone),
        }
    }

    fn wake_at(&self) -> Instant {
        let silent_until = self.heard + self.state.config.ping_timeout();
        let wake = self.next_ping.min(silent_until);
        match self.waits_for_hello() {
            true => wake.min(self.opened + self.state.config.hello_timeout()),
            false => wake,
        }
    }

    fn waits_for_hello(&self) -> bool {
        !self.greeted && !self.seat.outbox().is_closing()
    }

    async fn keep_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.heard + self.state.config.ping_timeout() {
            return Err(End::Gone);
        }
        if self.waits_for_hello() && now >= self.opened + self.state.config.hello_timeout() {
            self.refuse(ErrorCode::NotInRide, close::POLICY);
        }
        if now >= self.next_ping {
            self.next_ping = now + self.state.config.ping_interval();
            self.feed(Message::Ping(Bytes::new())).await?;
            self.flush().await?;
        }
        Ok(())
    }

    fn announce_restart(&self) {
        let spread = RETRY_AFTER_MS.end - RETRY_AFTER_MS.start;
        let retry_after_ms = RETRY_AFTER_MS.start + Uuid::new_v4().as_u64_pair().1 as u32 % spread;
        self.seat
            .outbox()
            .send(&ServerMessage::Closing { retry_after_ms });
        self.seat.outbox().close(RESTART, "the server restarts");
    }
}

fn too_slow() -> End {
    End::Close(close::POLICY, "reads too slowly".into())
}

/// What a failed read means (RFC 6455, 7.4.1).
fn end_of(error: &axum::Error) -> End {
    use tungstenite::Error as Fault;
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<Fault>());
    match source {
        Some(Fault::Capacity(_)) => End::Close(close::TOO_LARGE, "too large".into()),
        Some(Fault::Utf8(_)) => End::Close(close::MALFORMED, "not UTF-8".into()),
        Some(Fault::Protocol(tungstenite::error::ProtocolError::ResetWithoutClosingHandshake)) => {
            End::Gone
        }
        Some(Fault::Protocol(_)) => End::Close(PROTOCOL_ERROR, "not WebSocket".into()),
        _ => End::Gone,
    }
}

/// Says why the socket ends, and waits a little until the other side heard it:
/// closing while it still sends would reset the connection, and the reason
/// would be lost.
async fn say_goodbye(mut socket: WebSocket, code: u16, reason: String) {
    let goodbye = async {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Whoever does not answer in time is closed without an answer.
    let _ = timeout(CLOSE_WAIT, goodbye).await;
}
