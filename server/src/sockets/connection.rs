//! One open WebSocket, whatever it speaks.
//!
//! One task a socket. It takes what the socket says to its [`Dialect`], sends
//! what the dialect's outbox has, pings, and ends the socket when it stays
//! silent, speaks nonsense, or reads too slowly; its end touches nobody else.
//! Most sockets are silent most of the time, so what a task keeps between two
//! messages is small.

use std::error::Error;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures_util::{Sink, StreamExt};
use protocol::signaling::close;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite;

use super::dialect::{Dialect, Refusal};
use super::upgrade::Lease;
use crate::hub::outbox::Outgoing;
use crate::limits::{Load, PeerLimit, Verdict, Way};
use crate::state::AppState;

/// The close code of a server that restarts (RFC 6455's registry).
pub const RESTART: u16 = 1012;
/// The close code for what is not WebSocket (RFC 6455).
const PROTOCOL_ERROR: u16 = 1002;
/// How long the other side may take to answer a close.
const CLOSE_WAIT: Duration = Duration::from_secs(2);
/// Messages sent in one go, before what came meanwhile is read.
const AT_ONCE: usize = 16;

/// One open socket.
pub(super) struct Connection<D> {
    socket: WebSocket,
    state: AppState,
    dialect: D,
    opened: Instant,
    heard: Instant,
    next_ping: Instant,
    /// Pings that were not answered yet: so many pongs are no excess.
    pings: u32,
    /// By which its limit is handed on, as soon as that is known.
    way: Option<Way>,
    limit: PeerLimit,
    /// Messages that the socket has taken and not handed on yet.
    batch: usize,
    /// When those came that were another's.
    came: Vec<std::time::Instant>,
    /// Since when the operating system takes nothing.
    blocked: Option<Instant>,
    /// When it is told that the server restarts.
    restart_at: Option<Instant>,
    /// What it is counted by, to the last.
    lease: Lease,
}

/// Why a socket ends.
enum End {
    /// With a close that says why.
    Close(u16, String),
    /// Without another word: it is dead already.
    Gone,
}

impl<D: Dialect> Connection<D> {
    pub(super) fn new(socket: WebSocket, lease: Lease, state: AppState, dialect: D) -> Self {
        let now = Instant::now();
        let mut connection = Self {
            opened: now,
            heard: now,
            next_ping: now + state.config.ping_interval(),
            pings: 0,
            way: None,
            limit: PeerLimit::new(&state.config.limits),
            batch: 0,
            came: Vec::new(),
            blocked: None,
            restart_at: None,
            socket,
            lease,
            state,
            dialect,
        };
        connection.find_way();
        connection
    }

    /// Goes on where the last socket of this peer ended.
    fn find_way(&mut self) {
        self.way = self.dialect.way();
        if let Some(way) = self.way {
            let left = self.state.limits.peers.take(way, self.state.hub.now());
            if let Some(left) = left {
                self.limit = left;
            }
        }
    }

    /// Serves the socket until its end. Boxed, because a future keeps what it is
    /// given and what it works with side by side.
    pub(super) async fn run(mut self: Box<Self>) {
        let end = self.serve().await;
        if self.dialect.outbox().is_given_up() {
            self.refuse(Refusal::SlowReader);
        }
        if let Some(way) = self.way {
            let (peers, now) = (&self.state.limits.peers, self.state.hub.now());
            peers.leave(way, now, self.limit);
        }
        let Self {
            lease,
            socket,
            dialect,
            ..
        } = *self;
        // The others see it away now, not after the goodbye.
        drop(dialect);
        if let End::Close(code, reason) = end {
            // Apart, so that a socket needs no memory for it while it is open.
            Box::pin(say_goodbye(socket, lease, code, reason)).await;
        }
    }

    async fn serve(&mut self) -> End {
        let draining = self.state.draining.begun();
        tokio::pin!(draining);
        // Set anew only when it rings or has to ring earlier: what is heard
        // puts the end of patience off, and nothing forward.
        let alarm = sleep_until(self.wake_at());
        tokio::pin!(alarm);
        let mut told = false;
        loop {
            let step = tokio::select! {
                step = poll_fn(|context| self.poll(context)) => step,
                () = &mut alarm => {
                    let kept = self.keep_time();
                    alarm.as_mut().reset(self.wake_at());
                    kept
                }
                () = &mut draining, if !told => {
                    told = true;
                    self.restart_at = Some(Instant::now() + D::restarts_after());
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
            let wake = self.wake_at();
            if wake < alarm.deadline() {
                alarm.as_mut().reset(wake);
            }
        }
    }

    /// Sends what waits, then takes in what came: a reader that is slow is
    /// still heard.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        if let Poll::Ready(end) = self.poll_send(context) {
            return Poll::Ready(Err(end));
        }
        let incoming = ready!(self.socket.poll_next_unpin(context));
        Poll::Ready(self.take_in(incoming))
    }

    /// Sends what waits, so much in one go, until nothing does. It is ready only
    /// at the end.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.dialect.outbox().wake(context.waker());
        loop {
            match self.poll_batch(context) {
                Poll::Ready(Ok(true)) => self.blocked = None,
                Poll::Ready(Ok(false)) => {
                    self.blocked = None;
                    return Poll::Pending;
                }
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending if self.dialect.outbox().is_given_up() => {
                    return Poll::Ready(too_slow());
                }
                Poll::Pending => {
                    self.blocked.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Whether there was anything to send, all of which is with the operating
    /// system now.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, End>> {
        while self.batch < AT_ONCE {
            let mut socket = Pin::new(&mut self.socket);
            ready!(socket.as_mut().poll_ready(context)).map_err(|_| End::Gone)?;
            let Some(queued) = self.dialect.outbox().try_next() else {
                break;
            };
            let message = match queued.item {
                Outgoing::Text(text) => Message::Text(text),
                Outgoing::Frame(_, frame) => Message::Binary(frame),
                Outgoing::Ping => {
                    self.pings += 1;
                    Message::Ping(Bytes::new())
                }
                Outgoing::Close { code, reason } => {
                    return Poll::Ready(Err(End::Close(code, reason)));
                }
            };
            socket.start_send(message).map_err(|_| End::Gone)?;
            self.batch += 1;
            self.came.extend(queued.received);
        }
        if self.batch == 0 {
            return Poll::Ready(Ok(false));
        }
        ready!(Pin::new(&mut self.socket).poll_flush(context)).map_err(|_| End::Gone)?;
        self.batch = 0;
        let metrics = &self.state.metrics;
        if !self.came.is_empty() {
            let sent = Instant::now().into_std();
            for received in self.came.drain(..) {
                metrics.relay_took(sent.saturating_duration_since(received));
            }
        }
        Poll::Ready(Ok(true))
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
        // What follows its end does not count.
        if self.dialect.outbox().is_closing() {
            return Ok(());
        }
        self.dialect.sign_of_life();
        let largest = self.state.config.max_message_bytes as usize;
        match message {
            Message::Text(text) if text.len() > largest => self.refuse(Refusal::TooLarge),
            Message::Binary(bytes) if bytes.len() > largest => self.refuse(Refusal::TooLarge),
            Message::Pong(_) if self.pings > 0 => self.pings -= 1,
            message if !self.is_within_limits(&message) => {}
            Message::Text(text) => {
                self.dialect.text(&text);
                if self.way.is_none() {
                    self.find_way();
                }
            }
            Message::Binary(bytes) => self.dialect.binary(bytes),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
        Ok(())
    }

    /// Whether a message is heard. One that is not is counted, and answered as
    /// far as an answer is due.
    fn is_within_limits(&mut self, message: &Message) -> bool {
        let load = match message {
            Message::Binary(bytes) => match self.dialect.class(bytes) {
                Some(class) => Load::Frame(class, bytes.len()),
                None => Load::Message(bytes.len()),
            },
            Message::Text(text) => Load::Message(text.len()),
            Message::Ping(bytes) | Message::Pong(bytes) => Load::Message(bytes.len()),
            Message::Close(_) => return true,
        };
        let verdict = self.limit.judge(self.state.hub.at(self.heard), load);
        match verdict {
            Verdict::ResumeClaims => self.state.metrics.dialect(D::NAME).heard(),
            Verdict::Drop => self.state.metrics.refused(Refusal::TooFast.reason()),
            Verdict::Warn => self.refuse(Refusal::TooFast),
            Verdict::Close => self.refuse(Refusal::Flood),
        }
        verdict == Verdict::ResumeClaims
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.state.metrics.refused(refusal.reason());
        self.dialect.refuse(refusal);
    }

    fn wake_at(&self) -> Instant {
        let patience = self.state.config.ping_timeout();
        let ends = [self.blocked, Some(self.heard)].into_iter().flatten();
        let hello = self.state.config.hello_timeout();
        let hello = self.waits_for_hello().then(|| self.opened + hello);
        let wakes = ends.map(|since| since + patience);
        let wakes = wakes.chain(hello).chain(self.restart_at);
        wakes.fold(self.next_ping, Instant::min)
    }

    fn waits_for_hello(&self) -> bool {
        !self.dialect.has_greeted() && !self.dialect.outbox().is_closing()
    }

    fn keep_time(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let patience = self.state.config.ping_timeout();
        let silent = now >= self.heard + patience;
        if silent || self.blocked.is_some_and(|since| now >= since + patience) {
            return Err(End::Gone);
        }
        if self.restart_at.is_some_and(|at| now >= at) {
            self.restart_at = None;
            self.dialect.restart();
        }
        if self.waits_for_hello() && now >= self.opened + self.state.config.hello_timeout() {
            self.refuse(Refusal::NoHello);
        }
        if now >= self.next_ping {
            self.next_ping = now + self.state.config.ping_interval();
            self.dialect.outbox().ping();
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
pub(super) async fn say_goodbye(mut socket: WebSocket, lease: Lease, code: u16, reason: String) {
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
    drop(socket);
    drop(lease);
}
