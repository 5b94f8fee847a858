//! Streams of a channel, as the tasks that serve requests read and write them.

use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    future::poll_fn,
    rc::Rc,
    task::{Context, Poll, Waker},
};

use tokio::{sync::Notify, task::AbortHandle};
use tunnel::{
    head::{HeadError, ResponseHead},
    multiplexer::{Multiplexer, ResetReason, StreamId},
};

/// What a channel and the tasks of its streams share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) multiplexer: RefCell<Multiplexer>,
    pub(super) streams: RefCell<HashMap<StreamId, Incoming>>,
    /// Notified when the multiplexer may have something to send.
    pub(super) output: Rc<Notify>,
}

/// What has arrived on a stream. The multiplexer's window bounds it.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    chunks: VecDeque<Vec<u8>>,
    has_ended: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Task that serves the stream.
    task: Option<AbortHandle>,
}

/// Stream of one request. Dropping it before its end resets it.
///
/// When the visitor resets the stream, or its channel is closed, the task that serves it is aborted.
#[derive(Debug)]
pub(super) struct Stream {
    id: StreamId,
    shared: Rc<Shared>,
    /// True once the response is complete, or the stream was reset.
    is_complete: Cell<bool>,
}

impl Shared {
    /// Stream that the visitor has opened, for the task that serves it.
    pub(super) fn open(self: &Rc<Self>, id: StreamId) -> Stream {
        self.streams.borrow_mut().insert(id, Incoming::default());
        Stream {
            id,
            shared: Rc::clone(self),
            is_complete: Cell::new(false),
        }
    }

    /// Names the task that serves a stream.
    pub(super) fn set_task(&self, id: StreamId, task: AbortHandle) {
        if let Some(stream) = self.streams.borrow_mut().get_mut(&id) {
            stream.task = Some(task);
        }
    }

    /// Adds bytes that have arrived.
    pub(super) fn push(&self, id: StreamId, bytes: Vec<u8>) {
        match self.streams.borrow_mut().get_mut(&id) {
            Some(stream) => {
                stream.chunks.push_back(bytes);
                wake(&mut stream.reader);
            }
            // Nobody reads the rest of this body.
            None => self.multiplexer.borrow_mut().consumed(id, bytes.len()),
        }
    }

    /// The visitor's body is complete.
    pub(super) fn end(&self, id: StreamId) {
        if let Some(stream) = self.streams.borrow_mut().get_mut(&id) {
            stream.has_ended = true;
            wake(&mut stream.reader);
        }
    }

    /// The stream accepts more bytes.
    pub(super) fn writable(&self, id: StreamId) {
        if let Some(stream) = self.streams.borrow_mut().get_mut(&id) {
            wake(&mut stream.writer);
        }
    }

    /// The visitor has reset the stream.
    pub(super) fn reset(&self, id: StreamId) {
        let stream = self.streams.borrow_mut().remove(&id);
        if let Some(task) = stream.and_then(|stream| stream.task) {
            task.abort();
        }
    }

    /// Ends all tasks.
    pub(super) fn abort(&self) {
        for (_, stream) in self.streams.borrow_mut().drain() {
            if let Some(task) = stream.task {
                task.abort();
            }
        }
    }
}

impl Stream {
    /// Next bytes of the visitor; `None` at their end.
    pub(super) fn poll_read(&self, context: &mut Context<'_>) -> Poll<Option<Vec<u8>>> {
        let mut streams = self.shared.streams.borrow_mut();
        let Some(stream) = streams.get_mut(&self.id) else {
            // The stream was reset: the task ends here.
            return Poll::Pending;
        };
        match stream.chunks.pop_front() {
            Some(bytes) => {
                let mut multiplexer = self.shared.multiplexer.borrow_mut();
                multiplexer.consumed(self.id, bytes.len());
                self.shared.output.notify_one();
                Poll::Ready(Some(bytes))
            }
            None if stream.has_ended => Poll::Ready(None),
            None => {
                stream.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Next bytes of the visitor; `None` at their end.
    pub(super) async fn read(&self) -> Option<Vec<u8>> {
        poll_fn(|context| self.poll_read(context)).await
    }

    /// True if the visitor has ended its side, and everything was read.
    pub(super) fn is_read(&self) -> bool {
        let streams = self.shared.streams.borrow();
        let stream = streams.get(&self.id);
        stream.is_none_or(|stream| stream.has_ended && stream.chunks.is_empty())
    }

    /// Begins the response.
    ///
    /// # Errors
    /// [`HeadError`], and nothing is sent.
    pub(super) fn respond(&self, head: &ResponseHead, has_body: bool) -> Result<(), HeadError> {
        let bytes = head.encode()?;
        let mut multiplexer = self.shared.multiplexer.borrow_mut();
        multiplexer.respond(self.id, &bytes, has_body);
        self.shared.output.notify_one();
        if !has_body {
            self.is_complete.set(true);
        }
        Ok(())
    }

    /// Writes all bytes, as fast as the visitor reads.
    pub(super) async fn write(&self, bytes: &[u8]) {
        let mut written = 0;
        poll_fn(|context| {
            let rest = &bytes[written..];
            let accepted = self.shared.multiplexer.borrow_mut().write(self.id, rest);
            if accepted > 0 {
                written += accepted;
                self.shared.output.notify_one();
            }
            if written == bytes.len() {
                return Poll::Ready(());
            }
            if let Some(stream) = self.shared.streams.borrow_mut().get_mut(&self.id) {
                stream.writer = Some(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    /// Ends the response.
    pub(super) fn finish(&self) {
        if !self.is_complete.replace(true) {
            self.shared.multiplexer.borrow_mut().finish(self.id);
            self.shared.output.notify_one();
        }
    }

    /// Ends the stream in both directions, unless it has ended.
    pub(super) fn reset(&self, reason: ResetReason) {
        self.is_complete.set(true);
        self.shared.multiplexer.borrow_mut().reset(self.id, reason);
        self.shared.output.notify_one();
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let stream = self.shared.streams.borrow_mut().remove(&self.id);
        let has_ended = stream.is_none_or(|stream| stream.has_ended);
        let reason = match self.is_complete.get() {
            // The rest of the request is of no use.
            true => ResetReason::Cancelled,
            false => ResetReason::Broken,
        };
        if !self.is_complete.get() || !has_ended {
            self.reset(reason);
        }
    }
}

fn wake(waker: &mut Option<Waker>) {
    if let Some(waker) = waker.take() {
        waker.wake();
    }
}
