//! One open WebSocket, whatever it speaks.
//!
//! One task a socket. It takes what the socket says to its [`Dialect`], sends
//! what the dialect's outbox has, pings, and ends the socket when it stays
//! silent, speaks nonsense, or reads too slowly; its end touches nobody else.

use std::error::Error;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse, Response};
use futures_util::SinkExt;
use mesh::signaling::close;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use crate::error::ApiError;
use crate::hub::outbox::{Outbox, Outgoing};
use crate::state::AppState;

/// The close code of a server that restarts (RFC 6455's registry).
pub const RESTART: u16 = 1012;
/// The close code for what is not WebSocket (RFC 6455).
const PROTOCOL_ERROR: u16 = 1002;
/// How long the other side may take to answer a close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// A little over what is allowed is still read, so that the close that says so
/// is not lost in a reset connection.
const READ_FACTOR: usize = 4;
/// Read and write buffers of a socket: most messages are about 1 KiB.
const BUFFER_BYTES: usize = 4_096;
/// What the operating system has not taken yet of one message and its frame.
const MAX_WRITE_BUFFER_BYTES: usize = 1024 * 1024;

/// What one socket says and is told, in its own words. Dropping it is the
/// socket's end, before any goodbye.
pub trait Dialect: Send + 'static {
    /// What waits to be sent.
    fn outbox(&self) -> &Outbox;

    /// Whether it said who it is. Until then the time for it runs.
    fn has_greeted(&self) -> bool;

    /// It said something.
    fn text(&mut self, text: &str);

    /// It sent bytes.
    fn binary(&mut self, bytes: Bytes);

    /// It answered a ping.
    fn pong(&mut self) {}

    /// It closes of its own will: this is not a connection that was lost.
    fn goodbye(&mut self) {}

    /// Something is refused: says so and puts the end into the outbox.
    fn refuse(&mut self, refusal: Refusal);

    /// The server is about to stop: says so and puts the end into the outbox.
    fn restart(&mut self);
}

/// Why the loop ends a socket that could still be told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// A message over the limit.
    TooLarge,
    /// It did not say in time who it is.
    NoHello,
}

/// A socket that nothing can be done for: the words for it, then its end.
#[derive(Debug)]
pub struct TurnedAway {
    /// In the socket's dialect.
    pub words: String,
    /// The WebSocket close code.
    pub code: u16,
    /// For the developer at the other end.
    pub reason: &'static str,
}

/// Answers an upgrade. `open` is called when the socket is open; what it
/// refuses is said on the socket, since a page cannot read the status of a
/// refused upgrade.
pub fn upgrade<D: Dialect>(
    ws: WebSocketUpgrade,
    state: AppState,
    open: impl FnOnce(&AppState) -> Result<D, TurnedAway> + Send + 'static,
) -> Response {
    if state.draining.has_begun() {
        return ApiError::Draining.into_response();
    }
    let readable = state.config.max_message_bytes as usize * READ_FACTOR;
    ws.read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(BUFFER_BYTES)
        .max_write_buffer_size(MAX_WRITE_BUFFER_BYTES)
        .max_message_size(readable)
        .max_frame_size(readable)
        .on_upgrade(async move |mut socket| {
            let _open = state.hub.open_socket();
            match open(&state) {
                Ok(dialect) => Connection::new(socket, &state, dialect).run().await,
                Err(away) => {
                    if socket.send(Message::text(away.words)).await.is_ok() {
                        say_goodbye(socket, away.code, away.reason.into()).await;
                    }
                }
            }
        })
}

/// One open socket.
struct Connection<'a, D> {
    socket: WebSocket,
    state: &'a AppState,
    dialect: D,
    opened: Instant,
    heard: Instant,
    next_ping: Instant,
}

/// Why a socket ends.
enum End {
    /// With a close that says why.
    Close(u16, String),
    /// Without another word: it is dead already.
    Gone,
}

impl<'a, D: Dialect> Connection<'a, D> {
    fn new(socket: WebSocket, state: &'a AppState, dialect: D) -> Self {
        let now = Instant::now();
        Self {
            socket,
            state,
            dialect,
            opened: now,
            heard: now,
            next_ping: now + state.config.ping_interval(),
        }
    }

    async fn run(mut self) {
        let end = self.serve().await;
        // The others see it away now, not after the goodbye.
        drop(self.dialect);
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
                item = self.dialect.outbox().next() => self.send_out(item).await,
                () = sleep_until(wake) => self.keep_time().await,
                () = &mut draining, if !told => {
                    told = true;
                    self.dialect.restart();
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
            Some(Ok(Message::Close(_))) => {
                self.dialect.goodbye();
                return Err(End::Gone);
            }
            None => return Err(End::Gone),
            Some(Err(error)) => return Err(end_of(&error)),
            Some(Ok(message)) => message,
        };
        self.heard = Instant::now();
        let limit = self.state.config.max_message_bytes as usize;
        match message {
            // What follows its end does not count.
            _ if self.dialect.outbox().is_closing() => {}
            Message::Text(text) if text.len() <= limit => self.dialect.text(&text),
            Message::Binary(bytes) if bytes.len() <= limit => self.dialect.binary(bytes),
            Message::Text(_) | Message::Binary(_) => {
                self.dialect.refuse(Refusal::TooLarge);
            }
            Message::Pong(_) => self.dialect.pong(),
            Message::Ping(_) | Message::Close(_) => {}
        }
        Ok(())
    }

    /// Sends what is there now, in one go.
    async fn send_out(&mut self, first: Outgoing) -> Result<(), End> {
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Outgoing::Text(text) => self.feed(Message::Text(text)).await?,
                Outgoing::Frame(_, frame) => self.feed(Message::Binary(frame)).await?,
                Outgoing::Ping => self.feed(Message::Ping(Bytes::new())).await?,
                Outgoing::Close { code, reason } => return Err(End::Close(code, reason)),
            }
            next = self.dialect.outbox().try_next();
        }
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), End> {
        let patience = self.state.config.ping_timeout();
        tokio::select! {
            sent = self.socket.flush() => sent.map_err(|_| End::Gone),
            () = self.dialect.outbox().overflow() => Err(too_slow()),
            () = sleep(patience) => Err(End::Gone),
        }
    }

    async fn feed(&mut self, message: Message) -> Result<(), End> {
        let patience = self.state.config.ping_timeout();
        tokio::select! {
            fed = self.socket.feed(message) => fed.map_err(|_| End::Gone),
            () = self.dialect.outbox().overflow() => Err(too_slow()),
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
        !self.dialect.has_greeted() && !self.dialect.outbox().is_closing()
    }

    async fn keep_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        if now >= self.heard + self.state.config.ping_timeout() {
            return Err(End::Gone);
        }
        if self.waits_for_hello() && now >= self.opened + self.state.config.hello_timeout() {
            self.dialect.refuse(Refusal::NoHello);
        }
        if now >= self.next_ping {
            self.next_ping = now + self.state.config.ping_interval();
            self.feed(Message::Ping(Bytes::new())).await?;
            self.flush().await?;
        }
        Ok(())
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
