//! Streams with flow control over one ordered, reliable channel of messages.
//!
//! The visitor says hello with its token, opens a stream for each request, and sends the head and
//! the body; the peer answers with a head and a body. Each direction of a stream and of the whole
//! channel has a window of bytes: a receiver gives credit for what its reader has taken, so that
//! one slow reader neither blocks other streams nor fills memory.
//!
//! The owner passes each message of the channel to [`Multiplexer::receive`], then takes all events;
//! it takes a message from [`Multiplexer::poll_message`] whenever the channel can send one.
//!
//! Memory is bounded whatever the other side sends: bytes by the windows, heads by the number of
//! streams, and answers to pings by a fixed number. Events of a stream are kept with the stream, and
//! a stream that was reset before its owner heard of it leaves none.

mod api;
mod frame;
mod receiving;
mod sending;
mod stream;
#[cfg(test)]
mod tests;
mod window;

use std::collections::VecDeque;

use litemap::LiteMap;

pub use api::{
    Event, Limits, MAX_CHUNK, MAX_FRAME, OpenError, ProtocolError, Refusal, ResetReason, StreamId,
};
use frame::Frame;
use sending::Outbox;
use stream::{Direction, Stream};
use window::{ReceiveWindow, SendWindow};

use crate::{control::VERSION, head::MAX_HEAD, identity::AccessToken};

/// Progress of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The peer waits for the hello.
    Silent,
    /// The hello is made; the peer decides.
    Greeting,
    /// The peer has accepted.
    Established,
    /// The peer has refused.
    Refused,
    /// The other side has violated the protocol.
    Failed(ProtocolError),
}

/// Streams of one channel.
#[derive(Debug)]
pub struct Multiplexer {
    is_peer: bool,
    state: State,
    own: Limits,
    /// Limits of the other side; zero until they are known.
    remote: Limits,
    /// Open streams, and ended ones whose reader has not taken everything.
    streams: LiteMap<StreamId, Stream>,
    /// Number of open streams.
    open: u32,
    /// Highest number of a stream so far.
    last: StreamId,
    outbox: Outbox,
    /// Streams with bytes to send, in turn.
    writing: VecDeque<StreamId>,
    events: VecDeque<Event>,
    /// Streams with events, in turn.
    ready: VecDeque<StreamId>,
    received: ReceiveWindow,
    sent: SendWindow,
}

impl Multiplexer {
    /// Visitor's side. Its hello waits to be sent; streams may be opened at once.
    pub fn visitor(limits: Limits, token: &AccessToken) -> Self {
        let hello = Frame::Hello {
            version: VERSION,
            token: token.clone(),
            limits,
        };
        let mut multiplexer = Self::new(false, limits);
        multiplexer.state = State::Greeting;
        multiplexer.outbox.greeting = Some(hello.encode());
        multiplexer
    }

    /// Peer's side.
    pub fn peer(limits: Limits) -> Self {
        Self::new(true, limits)
    }

    fn new(is_peer: bool, own: Limits) -> Self {
        let unknown = Limits {
            max_streams: 0,
            stream_window: 0,
            channel_window: 0,
        };
        Self {
            is_peer,
            state: State::Silent,
            own,
            remote: unknown,
            streams: LiteMap::new(),
            open: 0,
            last: 0,
            outbox: Outbox::default(),
            writing: VecDeque::new(),
            events: VecDeque::new(),
            ready: VecDeque::new(),
            received: ReceiveWindow::new(own.channel_window),
            sent: SendWindow::default(),
        }
    }

    /// Accepts the visitor (peer's side).
    pub fn accept(&mut self) {
        if self.is_peer && self.state == State::Greeting {
            self.state = State::Established;
            self.outbox.greeting = Some(Frame::Accepted(self.own).encode());
        }
    }

    /// Refuses the visitor (peer's side). The channel can be closed when the frames are sent.
    pub fn refuse(&mut self, refusal: Refusal) {
        if self.is_peer && self.state == State::Greeting {
            self.state = State::Refused;
            self.outbox.greeting = Some(Frame::Refused(refusal).encode());
        }
    }

    /// Opens a stream (visitor's side) with the bytes of a request head. `has_body` is false for
    /// requests that end with their head.
    ///
    /// # Errors
    /// [`OpenError`], and nothing is sent.
    pub fn open(&mut self, head: &[u8], has_body: bool) -> Result<StreamId, OpenError> {
        let is_established = self.state == State::Established;
        if self.is_peer || !(is_established || self.state == State::Greeting) {
            return Err(OpenError::Closed);
        }
        if head.len() > MAX_HEAD {
            return Err(OpenError::HeadTooLarge);
        }
        let limit = match is_established {
            true => self.own.max_streams.min(self.remote.max_streams),
            false => self.own.max_streams,
        };
        if self.counted_streams() >= limit {
            return Err(OpenError::TooManyStreams);
        }
        let stream = self.last.checked_add(1).ok_or(OpenError::Closed)?;
        self.last = stream;
        let state = Stream::opened_here(self.own.stream_window, head.to_vec(), has_body);
        self.streams.insert(stream, state);
        self.open += 1;
        self.outbox.heads.push_back(stream);
        Ok(stream)
    }

    /// Open streams, and those whose reset is not sent yet: for the other side they are open.
    fn counted_streams(&self) -> u32 {
        self.open.saturating_add(self.outbox.resets.len() as u32)
    }

    /// Begins the response (peer's side). Ignored for streams that have ended, or whose response has
    /// begun. A head above [`MAX_HEAD`] resets the stream.
    pub fn respond(&mut self, stream: StreamId, head: &[u8], has_body: bool) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        if state.outgoing != Direction::Idle {
            return;
        }
        if head.len() > MAX_HEAD {
            return self.reset(stream, ResetReason::Refused);
        }
        state.send_head(head.to_vec(), has_body);
        self.outbox.heads.push_back(stream);
    }

    /// Queues bytes of the own body, and returns how many were accepted: what the buffer holds.
    /// After fewer than all, [`Event::Writable`] follows. 0 for streams that have ended, and before
    /// the response has begun.
    pub fn write(&mut self, stream: StreamId, bytes: &[u8]) -> usize {
        let Some(state) = self.streams.get_mut(&stream) else {
            return 0;
        };
        let accepted = state.write(bytes);
        self.queue_output(stream);
        accepted
    }

    /// Ends the own body.
    pub fn finish(&mut self, stream: StreamId) {
        if let Some(state) = self.streams.get_mut(&stream) {
            state.finish();
            self.queue_output(stream);
        }
    }

    fn queue_output(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        if state.has_output() && !state.is_writing {
            state.is_writing = true;
            self.writing.push_back(stream);
        }
    }

    /// Ends a stream in both directions. Its events that were not taken are dropped.
    pub fn reset(&mut self, stream: StreamId, reason: ResetReason) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        let is_unsent = !self.is_peer && state.own_head.is_some();
        if state.is_open && !is_unsent {
            let own_has_ended = state.outgoing == Direction::Ended;
            self.outbox.resets.insert(stream, (reason, own_has_ended));
        }
        self.remove(stream);
    }

    /// Gives the other side credit for bytes that the reader has taken.
    pub fn consumed(&mut self, stream: StreamId, bytes: usize) {
        if let Some(state) = self.streams.get_mut(&stream) {
            let taken = state.consume(bytes);
            self.received.take(taken);
            self.settle(stream);
        }
    }

    /// Asks the other side for a [`Event::Pong`].
    pub fn ping(&mut self, value: u32) {
        self.outbox.ping(value);
    }

    /// Next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        while let Some(stream) = self.ready.pop_front() {
            let Some(state) = self.streams.get_mut(&stream) else {
                continue;
            };
            let event = state.next_event(stream, self.is_peer);
            state.is_ready = state.has_events();
            let is_head = matches!(event, Some(Event::Opened { .. } | Event::Head { .. }));
            if is_head && state.is_at_end() {
                self.ready.push_front(stream);
            } else if state.is_ready {
                self.ready.push_back(stream);
            }
            self.settle(stream);
            if event.is_some() {
                return event;
            }
        }
        None
    }

    /// Number of streams that are open.
    pub fn streams(&self) -> usize {
        self.open as usize
    }

    fn queue_events(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        if state.has_events() && !state.is_ready {
            state.is_ready = true;
            self.ready.push_back(stream);
        }
    }

    /// Closes a stream that has ended in both directions, and forgets it when it is read.
    fn settle(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get_mut(&stream) else {
            return;
        };
        if state.is_open && state.has_ended() {
            state.is_open = false;
            self.open -= 1;
        }
        if state.is_open {
            return;
        }
        if state.unread() == 0 && !state.has_events() {
            self.remove(stream);
        }
        self.forget_unread();
    }

    /// Bounds the number of ended streams whose reader does not take the rest: the oldest are
    /// forgotten.
    fn forget_unread(&mut self) {
        let ended = self.streams.len() - self.open as usize;
        if ended <= self.own.max_streams as usize {
            return;
        }
        let mut streams = self.streams.iter();
        let oldest = streams.find(|(_, state)| !state.is_open && !state.has_events());
        if let Some((&stream, _)) = oldest {
            self.remove(stream);
        }
    }

    /// Forgets a stream, and gives back what was not read.
    fn remove(&mut self, stream: StreamId) {
        let Some(state) = self.streams.remove(&stream) else {
            return;
        };
        self.received.take(state.unread());
        if state.is_open {
            self.open -= 1;
        }
        if state.is_ready {
            self.ready.retain(|other| *other != stream);
        }
        if state.is_writing {
            self.writing.retain(|other| *other != stream);
        }
        if state.own_head.is_some() {
            self.outbox.heads.retain(|other| *other != stream);
        }
    }
}
