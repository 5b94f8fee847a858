use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ::tunnel::control::MAX_MESSAGE;
use axum::body::Bytes;
use axum::extract::ws::{Message, WebSocket};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use protocol::signaling::close;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::error::RefusalReason;
use crate::hub::outbox::{Outbox, Outgoing};
use crate::limits::{Pace, ReceivedBytes};
use crate::shutdown::random_close_delay;
use crate::sockets::connection::{SERVICE_RESTART, close_handshake};
use crate::sockets::upgrade::SocketGuard;
use crate::state::AppState;

/// Largest text message in bytes.
pub(super) const MAX_TEXT: usize = 16 * 1024;
/// Bytes of an unfinished message on the wire: with frames of few bytes they are many more than
/// those of the message.
const MAX_UNFINISHED: usize = 4 * MAX_MESSAGE;
/// Bytes for which each message other than a frame counts at least.
const MIN_COST: usize = 1_024;
/// Burst of messages other than frames, at their rate.
const TEXT_BURST: Duration = Duration::from_secs(2);
/// Interval between two looks at what the socket is waited for.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Open socket of a tunnel, before it is served.
pub(super) struct Pipe {
    socket: WebSocket,
    received: ReceivedBytes,
    guard: SocketGuard,
    pub(super) state: AppState,
}

/// End of a socket.
#[derive(Debug)]
pub(super) enum End {
    /// The socket is closed with this code and reason.
    Close(u16, String),
    /// The connection is already dead, so no close frame is sent.
    Lost,
}

/// Receiver of a socket's messages.
pub(super) trait Handler: Send + Sync {
    /// Bytes per second of text messages and pings, beyond which the socket is read more slowly.
    const TEXT_RATE: u32;

    /// Messages for the socket.
    fn outbox(&self) -> &Arc<Outbox>;

    /// Handles a text message.
    ///
    /// # Errors
    /// [`End`], if the message may not come.
    fn text(&self, text: &str) -> Result<(), End>;

    /// Handles a frame when there is room for it, and returns the time to wait before the next.
    fn frame(&self, frame: Bytes) -> impl Future<Output = Duration> + Send;

    /// Checks once a second that the socket has sent what it must.
    ///
    /// # Errors
    /// [`End`], if it has not.
    fn check(&self) -> Result<(), End> {
        Ok(())
    }
}

impl Pipe {
    pub(super) fn new(
        socket: WebSocket,
        received: ReceivedBytes,
        guard: SocketGuard,
        state: AppState,
    ) -> Self {
        Self {
            socket,
            received,
            guard,
            state,
        }
    }

    /// First text message; `None` if it does not come in time, or something else comes.
    pub(super) async fn first_text(&mut self) -> Option<String> {
        let first = async {
            loop {
                match self.socket.recv().await? {
                    Ok(Message::Text(text)) if text.len() <= MAX_TEXT => {
                        return Some(text.as_str().to_owned());
                    }
                    Ok(Message::Ping(_) | Message::Pong(_)) => {}
                    _ => return None,
                }
            }
        };
        timeout(self.state.config.hello_timeout(), first)
            .await
            .ok()?
    }

    /// Sends a last text, if there is one, and closes the socket.
    pub(super) async fn reject(mut self, text: Option<String>, code: u16, reason: &str) {
        if let Some(text) = text {
            // The close tells as much.
            let _ = self.socket.send(Message::text(text)).await;
        }
        close_handshake(self.socket, self.guard, code, reason.to_owned()).await;
    }

    /// Serves the socket until its end: passes messages to the handler, and sends what is in its
    /// outbox, and `frames`.
    pub(super) async fn serve(self, handler: impl Handler, frames: Option<mpsc::Receiver<Bytes>>) {
        let Self {
            socket,
            received,
            guard,
            state,
        } = self;
        let config = &state.config;
        let (sink, stream) = socket.split();
        let mut writer = Writer {
            sink,
            outbox: handler.outbox().clone(),
            frames,
            next_frame: None,
            timeout: config.ping_timeout(),
        };
        let mut reader = Reader {
            stream,
            received,
            timeout: config.ping_timeout(),
            state: &state,
        };
        let outbox = handler.outbox().clone();
        let end = tokio::select! {
            end = writer.run() => end,
            end = reader.run(&handler) => end,
            end = check(&handler) => end,
            end = restart(&state) => end,
            () = ping(&outbox, config.ping_interval()) => End::Lost,
        };
        if outbox.has_overflowed() {
            count(&state, RefusalReason::SlowReader);
        }
        let socket = writer.sink.reunite(reader.stream);
        // Before the closing handshake, so that the other side learns of it now.
        drop(handler);
        if let (End::Close(code, reason), Ok(socket)) = (end, socket) {
            close_handshake(socket, guard, code, reason).await;
        }
    }
}

struct Writer {
    sink: SplitSink<WebSocket, Message>,
    outbox: Arc<Outbox>,
    frames: Option<mpsc::Receiver<Bytes>>,
    /// Frame that waits for the texts that were queued before it.
    next_frame: Option<Bytes>,
    timeout: Duration,
}

impl Writer {
    /// Sends messages until the socket is to be closed, or accepts none for too long.
    async fn run(&mut self) -> End {
        loop {
            let message = match poll_fn(|context| self.next(context)).await {
                Outgoing::Text(text) => Message::Text(text),
                Outgoing::Frame(_, frame) => Message::Binary(frame),
                Outgoing::Ping => Message::Ping(Bytes::new()),
                Outgoing::Close { code, reason } => return End::Close(code, reason),
            };
            let outbox = self.outbox.clone();
            let sent = tokio::select! {
                sent = timeout(self.timeout, self.sink.send(message)) => sent,
                () = overflow(&outbox) => return End::Lost,
            };
            if !matches!(sent, Ok(Ok(()))) {
                return End::Lost;
            }
        }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Outgoing> {
        self.outbox.register_reader(context.waker());
        if let (None, Some(frames)) = (&self.next_frame, &mut self.frames)
            && let Poll::Ready(frame) = frames.poll_recv(context)
        {
            // Without senders, the peer was replaced: the outbox has the close.
            self.frames = self.frames.take().filter(|_| frame.is_some());
            self.next_frame = frame;
        }
        // What was queued before the frame was, such as the news of its visitor, is here by now.
        if let Some(queued) = self.outbox.try_next() {
            return Poll::Ready(queued.item);
        }
        match self.next_frame.take() {
            Some(frame) => Poll::Ready(Outgoing::Frame(
                protocol::peer::DeliveryClass::Control,
                frame,
            )),
            None => Poll::Pending,
        }
    }
}

/// Resolves when a queue exceeds its limit.
async fn overflow(outbox: &Outbox) {
    poll_fn(|context| {
        outbox.register_reader(context.waker());
        match outbox.has_overflowed() {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
}

struct Reader<'a> {
    stream: SplitStream<WebSocket>,
    received: ReceivedBytes,
    timeout: Duration,
    state: &'a AppState,
}

impl Reader<'_> {
    async fn run<H: Handler>(&mut self, handler: &H) -> End {
        match self.read(handler).await {
            Ok(()) => End::Lost,
            Err(end) => end,
        }
    }

    /// Reads messages until the end of the connection, or the first one that may not come.
    async fn read<H: Handler>(&mut self, handler: &H) -> Result<(), End> {
        let mut texts = Pace::new(H::TEXT_RATE, TEXT_BURST);
        // Those of the request.
        let _ = self.received.take();
        loop {
            let next = timeout(self.timeout, poll_fn(|context| self.next(context)));
            let Ok(Some(message)) = next.await else {
                return Ok(());
            };
            let on_wire = self.received.take();
            let wait = match message {
                Ok(Message::Binary(frame)) => {
                    let excess = on_wire.saturating_sub(2 * frame.len() + MIN_COST);
                    let wait = handler.frame(frame).await;
                    wait.max(texts.take(self.state.hub.now(), excess))
                }
                Ok(Message::Text(text)) if text.len() > MAX_TEXT => {
                    count(self.state, RefusalReason::TooLarge);
                    return Err(End::Close(close::TOO_LARGE, "too large".into()));
                }
                Ok(Message::Text(text)) => {
                    handler.text(&text)?;
                    texts.take(self.state.hub.now(), on_wire.max(MIN_COST))
                }
                Ok(Message::Ping(_) | Message::Pong(_)) => {
                    texts.take(self.state.hub.now(), on_wire.max(MIN_COST))
                }
                Ok(Message::Close(_)) => return Ok(()),
                Err(_) => return Err(End::Close(close::POLICY, "not the protocol".into())),
            };
            sleep(wait).await;
        }
    }

    fn next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Message, axum::Error>>> {
        let next = self.stream.poll_next_unpin(context);
        match next.is_pending() && self.received.get() > MAX_UNFINISHED {
            true => Poll::Ready(None),
            false => next,
        }
    }
}

async fn check(handler: &impl Handler) -> End {
    loop {
        sleep(CHECK_INTERVAL).await;
        if let Err(end) = handler.check() {
            return end;
        }
    }
}

async fn ping(outbox: &Outbox, interval: Duration) {
    loop {
        sleep(interval).await;
        outbox.ping();
    }
}

/// Resolves some time after the server has begun to shut down.
async fn restart(state: &AppState) -> End {
    state.draining.begun().await;
    sleep(random_close_delay()).await;
    End::Close(SERVICE_RESTART, "the server restarts".into())
}

/// Counts and logs a refusal.
pub(super) fn count(state: &AppState, reason: RefusalReason) {
    state.metrics.count_refusal(reason);
    tracing::info!(reason = reason.name(), "refused");
}
