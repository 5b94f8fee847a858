use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use ::tunnel::head::ResponseHead;
use ::tunnel::multiplexer::{MAX_CHUNK, ResetReason, StreamId};
use axum::body::Bytes;
use tokio::time::Instant;

use super::relay::RelayChannel;
use crate::sync::lock;

/// Reason why a request that was passed on got no response, or only a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The peer does not know the token.
    #[error("the token is wrong")]
    Forbidden,
    /// The peer serves its maximum of visitors.
    #[error("the tunnel has too many visitors")]
    Busy,
    /// The peer has gone.
    #[error("the tunnel is not connected")]
    Offline,
    /// The peer cannot reach the local server.
    #[error("the local server cannot be reached")]
    Unreachable,
    /// The local server did not answer in time.
    #[error("the local server is too slow")]
    TimedOut,
    /// The peer does not serve this request.
    #[error("the request is refused")]
    Refused,
    /// The connection to the local server broke, or the peer violated the protocol.
    #[error("the response is broken")]
    Broken,
}

impl From<ResetReason> for Failure {
    fn from(reason: ResetReason) -> Self {
        match reason {
            ResetReason::Unreachable => Self::Unreachable,
            ResetReason::TimedOut => Self::TimedOut,
            ResetReason::Refused => Self::Refused,
            ResetReason::Broken | ResetReason::Cancelled => Self::Broken,
        }
    }
}

/// Stream as its channel knows it.
#[derive(Debug)]
pub(super) struct StreamState {
    head: Option<Vec<u8>>,
    /// Received bytes of the body. The window of the stream is their bound.
    body: VecDeque<Vec<u8>>,
    has_ended: bool,
    failure: Option<Failure>,
    /// Time at which bytes of the own body were accepted last.
    written_at: Instant,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

impl StreamState {
    pub(super) fn new() -> Self {
        Self {
            head: None,
            body: VecDeque::new(),
            has_ended: false,
            failure: None,
            written_at: Instant::now(),
            reader: None,
            writer: None,
        }
    }

    pub(super) fn set_head(&mut self, head: Vec<u8>) {
        self.head = Some(head);
        wake(&mut self.reader);
    }

    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        // Small pieces are joined, so that their number is bounded as their bytes are.
        match self.body.back_mut() {
            Some(last) if last.len() + bytes.len() <= MAX_CHUNK => last.extend_from_slice(&bytes),
            _ => self.body.push_back(bytes),
        }
        wake(&mut self.reader);
    }

    pub(super) fn set_end(&mut self) {
        self.has_ended = true;
        wake(&mut self.reader);
    }

    pub(super) fn set_writable(&mut self) {
        wake(&mut self.writer);
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        // A response that is complete stays so, whatever comes after.
        if !self.has_ended {
            self.failure.get_or_insert(failure);
        }
        wake(&mut self.reader);
        wake(&mut self.writer);
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}

/// Request that was passed on, and its response. Dropping it cancels what is not complete.
#[derive(Debug)]
pub struct RelayStream {
    channel: Arc<RelayChannel>,
    id: StreamId,
}

/// Writer of a request's body.
#[derive(Debug)]
pub struct RelayWriter {
    channel: Arc<RelayChannel>,
    id: StreamId,
}

impl RelayStream {
    pub(super) fn new(channel: Arc<RelayChannel>, id: StreamId) -> Self {
        Self { channel, id }
    }

    /// Writer of the request's body.
    pub fn writer(&self) -> RelayWriter {
        RelayWriter {
            channel: self.channel.clone(),
            id: self.id,
        }
    }

    /// Head of the response.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn head(&mut self) -> Result<ResponseHead, Failure> {
        let head = poll_fn(|context| self.poll_head(context)).await?;
        ResponseHead::decode(&head).map_err(|_| Failure::Broken)
    }

    fn poll_head(&self, context: &mut Context<'_>) -> Poll<Result<Vec<u8>, Failure>> {
        let mut state = lock(&self.channel.state);
        let Some(stream) = state.streams.get_mut(&self.id) else {
            return Poll::Ready(Err(Failure::Broken));
        };
        match (stream.head.take(), stream.failure) {
            (Some(head), _) => Poll::Ready(Ok(head)),
            (None, Some(failure)) => Poll::Ready(Err(failure)),
            (None, None) if stream.has_ended => Poll::Ready(Err(Failure::Broken)),
            (None, None) => {
                stream.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Next bytes of the response's body; `None` at its end.
    pub fn poll_body(&self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Failure>>> {
        let mut state = lock(&self.channel.state);
        let state = &mut *state;
        let Some(stream) = state.streams.get_mut(&self.id) else {
            return Poll::Ready(Some(Err(Failure::Broken)));
        };
        if let Some(bytes) = stream.body.pop_front() {
            state.multiplexer.consumed(self.id, bytes.len());
            self.channel.wake();
            return Poll::Ready(Some(Ok(bytes.into())));
        }
        match stream.failure {
            Some(failure) => Poll::Ready(Some(Err(failure))),
            None if stream.has_ended => Poll::Ready(None),
            None => {
                stream.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Time at which the peer accepted bytes of the request's body last.
    pub fn written_at(&self) -> Option<Instant> {
        let state = lock(&self.channel.state);
        state.streams.get(&self.id).map(|it| it.written_at)
    }

    /// Ends the stream because the browser, or the peer, is too slow or has gone.
    pub fn cancel(&self, reason: ResetReason) {
        lock(&self.channel.state).multiplexer.reset(self.id, reason);
        self.channel.wake();
    }
}

impl Drop for RelayStream {
    fn drop(&mut self) {
        let mut state = lock(&self.channel.state);
        state.streams.remove(&self.id);
        state.multiplexer.reset(self.id, ResetReason::Cancelled);
        drop(state);
        self.channel.wake();
    }
}

impl RelayWriter {
    /// Writes bytes of the body when the peer takes them.
    ///
    /// # Errors
    /// [`Failure`]; nothing more can be written.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut rest = bytes;
        poll_fn(|context| self.poll_write(context, &mut rest)).await
    }

    fn poll_write(&self, context: &mut Context<'_>, rest: &mut &[u8]) -> Poll<Result<(), Failure>> {
        let mut state = lock(&self.channel.state);
        let state = &mut *state;
        let Some(stream) = state.streams.get_mut(&self.id) else {
            return Poll::Ready(Err(Failure::Broken));
        };
        if let Some(failure) = stream.failure {
            return Poll::Ready(Err(failure));
        }
        let count = state.multiplexer.write(self.id, rest);
        *rest = &rest[count..];
        if count > 0 {
            stream.written_at = Instant::now();
            self.channel.wake();
        }
        if rest.is_empty() {
            return Poll::Ready(Ok(()));
        }
        stream.writer = Some(context.waker().clone());
        Poll::Pending
    }

    /// Ends the body.
    pub fn finish(&self) {
        lock(&self.channel.state).multiplexer.finish(self.id);
        self.channel.wake();
    }

    /// Ends the stream because the browser has gone before its body was complete.
    pub fn cancel(&self) {
        lock(&self.channel.state)
            .multiplexer
            .reset(self.id, ResetReason::Cancelled);
        self.channel.wake();
    }
}
