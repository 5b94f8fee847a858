//! One open WebSocket of any dialect.
//!
//! There is one task per socket. It passes incoming messages to the `Dialect`,
//! sends what is in the dialect's outbox, pings, and closes the socket if it is
//! silent, violates the protocol or reads too slowly. Other sockets are not
//! affected. A task keeps little memory between messages, because most sockets
//! are idle most of the time.

use std::error::Error as _;
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

use super::dialect::{Dialect, Violation};
use super::upgrade::{READ_FACTOR, SocketGuard};
use crate::hub::outbox::Outgoing;
use crate::limits::{Incoming, PeerRateLimiter, RateLimitKey, ReceivedBytes, Verdict};
use crate::state::AppState;

/// Close code "service restart" (IANA registry of RFC 6455).
pub const SERVICE_RESTART: u16 = 1012;
/// Close code "protocol error" (RFC 6455, section 7.4.1).
const PROTOCOL_ERROR: u16 = 1002;
/// Time for the peer to answer a close frame.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for which a socket may be blocked while memory is scarce, instead of the
/// ping timeout.
const SCARCE_BLOCKED_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of the header of a short frame from a client (RFC 6455, section 5.2).
const MASKED_HEADER_BYTES: usize = 6;
/// Bytes on the wire that are not counted apart from those of a message: those of its
/// frame, and of the next ones, which are read together.
const USUAL_OVERHEAD: usize = 1_024;
/// Maximum number of messages sent before incoming messages are read again.
const BATCH_SIZE: usize = 16;

/// One open socket.
pub(super) struct Connection<D> {
    socket: WebSocket,
    /// Bytes received since the last message, those of unfinished messages included.
    received: ReceivedBytes,
    state: AppState,
    dialect: D,
    opened_at: Instant,
    last_received: Instant,
    next_ping: Instant,
    /// Number of unanswered pings. The rate limiter ignores their pongs.
    unanswered_pings: u32,
    /// Key of the rate limiter, once the dialect knows it.
    rate_limit_key: Option<RateLimitKey>,
    limiter: PeerRateLimiter,
    /// Number of messages in the write buffer that are not flushed.
    batch: usize,
    /// Times at which the relayed messages of the batch were received.
    relayed: Vec<std::time::Instant>,
    /// Time since which the operating system accepts no data.
    blocked_since: Option<Instant>,
    /// Time at which the dialect is told that the server shuts down.
    restart_at: Option<Instant>,
    guard: SocketGuard,
}

/// End of a socket.
enum End {
    /// The socket is closed with this code and reason.
    Close(u16, String),
    /// The connection is already dead, so no close frame is sent.
    Lost,
}

impl<D: Dialect> Connection<D> {
    pub(super) fn new(
        socket: WebSocket,
        received: ReceivedBytes,
        guard: SocketGuard,
        state: AppState,
        dialect: D,
    ) -> Self {
        let now = Instant::now();
        let mut connection = Self {
            opened_at: now,
            last_received: now,
            next_ping: now + state.config.ping_interval(),
            unanswered_pings: 0,
            rate_limit_key: None,
            limiter: PeerRateLimiter::new(&state.config.limits),
            batch: 0,
            relayed: Vec::new(),
            blocked_since: None,
            restart_at: None,
            socket,
            received,
            guard,
            state,
            dialect,
        };
        // Those of the request.
        let _ = connection.received.take();
        connection.resume_limiter();
        connection
    }

    /// Continues the rate limiter of the peer's last socket, if there is one.
    fn resume_limiter(&mut self) {
        self.rate_limit_key = self.dialect.rate_limit_key();
        if let Some(key) = self.rate_limit_key {
            let saved = &self.state.limits.saved_limiters;
            if let Some(limiter) = saved.take(key, self.state.hub.now()) {
                self.limiter = limiter;
            }
        }
    }

    /// Serves the socket until its end. `self` is boxed, because a future would
    /// hold the value twice: as its argument and as the variable it works with.
    pub(super) async fn run(mut self: Box<Self>) {
        let end = self.serve().await;
        if self.dialect.outbox().has_overflowed() {
            self.refuse(Violation::SlowReader);
        }
        if let Some(key) = self.rate_limit_key {
            let (saved, now) = (&self.state.limits.saved_limiters, self.state.hub.now());
            saved.save(key, now, self.limiter);
        }
        let Self {
            guard,
            socket,
            dialect,
            ..
        } = *self;
        // Before the closing handshake, so that the others see the peer away now.
        drop(dialect);
        if let End::Close(code, reason) = end {
            // Boxed, so that an open socket needs no memory for this future.
            Box::pin(close_handshake(socket, guard, code, reason)).await;
        }
    }

    async fn serve(&mut self) -> End {
        let draining = self.state.draining.begun();
        tokio::pin!(draining);
        // Reset only when the timer fires or has to fire earlier. Received messages
        // only postpone deadlines; a timer that fires too early does no harm.
        let timer = sleep_until(self.next_deadline());
        tokio::pin!(timer);
        let mut restart_is_scheduled = false;
        loop {
            let step = tokio::select! {
                step = poll_fn(|context| self.poll(context)) => step,
                () = &mut timer => {
                    let result = self.handle_deadlines();
                    timer.as_mut().reset(self.next_deadline());
                    result
                }
                () = &mut draining, if !restart_is_scheduled => {
                    restart_is_scheduled = true;
                    self.restart_at = Some(Instant::now() + D::restart_delay());
                    Ok(())
                }
            };
            if let Err(end) = step {
                return end;
            }
            let deadline = self.next_deadline();
            if deadline < timer.deadline() {
                timer.as_mut().reset(deadline);
            }
        }
    }

    /// Sends queued messages, then handles one incoming message. A peer that reads
    /// slowly is still read from.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), End>> {
        if let Poll::Ready(end) = self.poll_send(context) {
            return Poll::Ready(Err(end));
        }
        let incoming = self.socket.poll_next_unpin(context);
        if incoming.is_pending() && self.received.get() > self.max_unfinished_bytes() {
            self.dialect.refuse(Violation::TooLarge);
            self.state
                .metrics
                .count_refusal(Violation::TooLarge.reason());
            // Without a closing handshake, which would go on reading frames.
            return Poll::Ready(Err(End::Lost));
        }
        Poll::Ready(self.receive(ready!(incoming)))
    }

    /// Sends queued messages in batches until the queue is empty. Ready only if the
    /// socket ends.
    fn poll_send(&mut self, context: &mut Context<'_>) -> Poll<End> {
        self.dialect.outbox().register_reader(context.waker());
        loop {
            match self.poll_batch(context) {
                Poll::Ready(Ok(true)) => self.blocked_since = None,
                Poll::Ready(Ok(false)) => {
                    self.blocked_since = None;
                    return Poll::Pending;
                }
                Poll::Ready(Err(end)) => return Poll::Ready(end),
                Poll::Pending if self.dialect.outbox().has_overflowed() => {
                    return Poll::Ready(slow_reader());
                }
                Poll::Pending => {
                    self.blocked_since.get_or_insert_with(Instant::now);
                    return Poll::Pending;
                }
            }
        }
    }

    /// Writes and flushes one batch. Returns `false` if there was nothing to send.
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, End>> {
        while self.batch < BATCH_SIZE {
            let mut socket = Pin::new(&mut self.socket);
            ready!(socket.as_mut().poll_ready(context)).map_err(|_| End::Lost)?;
            let Some(queued) = self.dialect.outbox().try_next() else {
                break;
            };
            let message = match queued.item {
                Outgoing::Text(text) => Message::Text(text),
                Outgoing::Frame(_, frame) => Message::Binary(frame),
                Outgoing::Ping => {
                    self.unanswered_pings += 1;
                    Message::Ping(Bytes::new())
                }
                Outgoing::Close { code, reason } => {
                    return Poll::Ready(Err(End::Close(code, reason)));
                }
            };
            socket.start_send(message).map_err(|_| End::Lost)?;
            self.batch += 1;
            self.relayed.extend(queued.received);
        }
        if self.batch == 0 {
            return Poll::Ready(Ok(false));
        }
        ready!(Pin::new(&mut self.socket).poll_flush(context)).map_err(|_| End::Lost)?;
        self.batch = 0;
        let metrics = &self.state.metrics;
        if !self.relayed.is_empty() {
            let sent = Instant::now().into_std();
            for received in self.relayed.drain(..) {
                metrics.record_relay_time(sent.saturating_duration_since(received));
            }
        }
        Poll::Ready(Ok(true))
    }

    fn receive(&mut self, incoming: Option<Result<Message, axum::Error>>) -> Result<(), End> {
        let message = match incoming {
            Some(Ok(Message::Close(_))) => {
                self.dialect.goodbye();
                return Err(End::Lost);
            }
            None => return Err(End::Lost),
            Some(Err(error)) => return Err(end_after(&error)),
            Some(Ok(message)) => message,
        };
        self.last_received = Instant::now();
        if let Message::Ping(bytes) | Message::Pong(bytes) = &message {
            // The bytes of an unfinished message around it go on counting.
            self.received.forget(bytes.len() + MASKED_HEADER_BYTES);
        }
        // Messages after the queued close are ignored.
        if self.dialect.outbox().is_closing() {
            return Ok(());
        }
        self.dialect.sign_of_life();
        let max_bytes = self.state.config.max_message_bytes as usize;
        match message {
            Message::Text(text) if text.len() > max_bytes => self.refuse(Violation::TooLarge),
            Message::Binary(bytes) if bytes.len() > max_bytes => self.refuse(Violation::TooLarge),
            Message::Pong(_) if self.unanswered_pings > 0 => self.unanswered_pings -= 1,
            message if !self.is_within_limits(&message) => {}
            Message::Text(text) => {
                self.dialect.text(&text);
                if self.rate_limit_key.is_none() {
                    self.resume_limiter();
                }
            }
            Message::Binary(bytes) => self.dialect.binary(bytes),
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) => {}
        }
        Ok(())
    }

    /// Bytes that a message may have on the wire. One frame of the largest size that is
    /// read stays below.
    fn max_unfinished_bytes(&self) -> usize {
        2 * READ_FACTOR * self.state.config.max_message_bytes as usize
    }

    /// Bytes for which a message counts: its own, or those on the wire if they are many
    /// more, which are frames without content.
    fn counted_bytes(&self, own: usize) -> usize {
        let received = self.received.take();
        match received > 2 * own + USUAL_OVERHEAD {
            true => received,
            false => own,
        }
    }

    /// Returns `true` if a message is within the rate limits. Otherwise the refusal
    /// is counted, and answered if the verdict demands it.
    fn is_within_limits(&mut self, message: &Message) -> bool {
        let incoming = match message {
            Message::Binary(bytes) => match self.dialect.class(bytes) {
                Some(class) => Incoming::Frame(class, self.counted_bytes(bytes.len())),
                None => Incoming::Message(self.counted_bytes(bytes.len())),
            },
            Message::Text(text) => Incoming::Message(self.counted_bytes(text.len())),
            Message::Ping(bytes) | Message::Pong(bytes) => Incoming::Message(bytes.len()),
            Message::Close(_) => return true,
        };
        let verdict = self
            .limiter
            .check(self.state.hub.time_of(self.last_received), incoming);
        match verdict {
            Verdict::Pass => self.state.metrics.dialect(D::NAME).count_received(),
            Verdict::Drop => self
                .state
                .metrics
                .count_refusal(Violation::RateLimited.reason()),
            Verdict::Warn => self.refuse(Violation::RateLimited),
            Verdict::Close => self.refuse(Violation::Flooding),
        }
        verdict == Verdict::Pass
    }

    fn refuse(&mut self, violation: Violation) {
        self.state.metrics.count_refusal(violation.reason());
        self.dialect.refuse(violation);
    }

    fn next_deadline(&self) -> Instant {
        let config = &self.state.config;
        let silence = [self.blocked_since, Some(self.last_received)]
            .into_iter()
            .flatten()
            .map(|since| since + config.ping_timeout());
        let hello = self
            .waits_for_hello()
            .then(|| self.opened_at + config.hello_timeout());
        // Memory may have become scarce when this passes.
        let blocked = self
            .blocked_since
            .map(|since| since + SCARCE_BLOCKED_TIMEOUT);
        let blocked = blocked.filter(|at| *at > Instant::now());
        silence
            .chain(hello)
            .chain(blocked)
            .chain(self.restart_at)
            .fold(self.next_ping, Instant::min)
    }

    fn waits_for_hello(&self) -> bool {
        !self.dialect.has_greeted() && !self.dialect.outbox().is_closing()
    }

    fn handle_deadlines(&mut self) -> Result<(), End> {
        let now = Instant::now();
        let timeout = self.state.config.ping_timeout();
        let blocked_timeout = match self.state.hub.is_memory_scarce() {
            true => timeout.min(SCARCE_BLOCKED_TIMEOUT),
            false => timeout,
        };
        let is_blocked = |since: Instant| now >= since + blocked_timeout;
        if now >= self.last_received + timeout || self.blocked_since.is_some_and(is_blocked) {
            return Err(End::Lost);
        }
        if self.restart_at.is_some_and(|at| now >= at) {
            self.restart_at = None;
            self.dialect.restart();
        }
        if self.waits_for_hello() && now >= self.opened_at + self.state.config.hello_timeout() {
            self.refuse(Violation::HelloTimeout);
        }
        if now >= self.next_ping {
            self.next_ping = now + self.state.config.ping_interval();
            self.dialect.outbox().ping();
        }
        Ok(())
    }
}

fn slow_reader() -> End {
    End::Close(close::POLICY, "reads too slowly".into())
}

/// End of a socket after a failed read, with the close code of RFC 6455, section
/// 7.4.1.
fn end_after(error: &axum::Error) -> End {
    use tungstenite::Error;
    use tungstenite::error::ProtocolError::ResetWithoutClosingHandshake;
    let source = error
        .source()
        .and_then(|source| source.downcast_ref::<Error>());
    match source {
        Some(Error::Capacity(_)) => End::Close(close::TOO_LARGE, "too large".into()),
        Some(Error::Utf8(_)) => End::Close(close::MALFORMED, "not UTF-8".into()),
        Some(Error::Protocol(ResetWithoutClosingHandshake)) => End::Lost,
        Some(Error::Protocol(_)) => End::Close(PROTOCOL_ERROR, "not WebSocket".into()),
        _ => End::Lost,
    }
}

/// Sends a close frame and reads until the peer has answered it. Closing the
/// connection while the peer still sends would reset it, and the close frame
/// would be lost.
pub(super) async fn close_handshake(
    mut socket: WebSocket,
    guard: SocketGuard,
    code: u16,
    reason: String,
) {
    let handshake = async {
        let frame = CloseFrame {
            code,
            reason: reason.into(),
        };
        if socket.send(Message::Close(Some(frame))).await.is_ok() {
            while let Some(Ok(_)) = socket.recv().await {}
        }
    };
    // Without an answer in time, the connection is closed anyway.
    let _ = timeout(CLOSE_TIMEOUT, handshake).await;
    drop(socket);
    drop(guard);
}
