//! State of one stream.

use std::collections::VecDeque;

use super::{
    Event, MAX_CHUNK, ProtocolError, ResetReason, StreamId, frame,
    window::{ReceiveWindow, SendWindow},
};

/// Largest number of bytes of a body that wait to be sent. Less if the own windows are smaller.
pub(super) const SEND_BUFFER: u32 = 256 * 1024;

/// Progress of one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// The head is missing.
    Idle,
    /// Bytes may follow.
    Open,
    /// Nothing is added; the end is not sent yet.
    Ending,
    /// Nothing follows.
    Ended,
}

/// One stream. It is kept until both directions have ended and the reader has taken everything.
#[derive(Debug)]
pub(super) struct Stream {
    /// Counts among the open streams: neither side knows that it has ended.
    pub(super) is_open: bool,
    /// Is in the queue of streams with events.
    pub(super) is_ready: bool,
    /// Is in the queue of streams with bytes to send.
    pub(super) is_writing: bool,

    pub(super) incoming: Direction,
    /// Head that the owner has not got yet.
    received_head: Option<Vec<u8>>,
    chunks: VecDeque<Vec<u8>>,
    /// Bytes in `chunks`.
    waiting: u32,
    /// Bytes that the owner has got and not taken.
    delivered: u32,
    has_end: bool,
    reset: Option<ResetReason>,
    received: ReceiveWindow,

    pub(super) outgoing: Direction,
    /// Head to send, and whether a body follows.
    pub(super) own_head: Option<(Vec<u8>, bool)>,
    buffer: VecDeque<u8>,
    capacity: usize,
    sent: SendWindow,
    /// The owner could not write everything.
    wants_room: bool,
    has_room: bool,
}

impl Stream {
    /// Stream of the own request.
    pub(super) fn opened_here(window: u32, head: Vec<u8>, has_body: bool) -> Self {
        let mut stream = Self::new(window);
        stream.send_head(head, has_body);
        stream
    }

    /// Stream of the other side's request.
    pub(super) fn opened_there(window: u32, head: Vec<u8>, has_body: bool) -> Self {
        let mut stream = Self::new(window);
        stream.receive_head(head, has_body);
        stream
    }

    fn new(window: u32) -> Self {
        Self {
            is_open: true,
            is_ready: false,
            is_writing: false,
            incoming: Direction::Idle,
            received_head: None,
            chunks: VecDeque::new(),
            waiting: 0,
            delivered: 0,
            has_end: false,
            reset: None,
            received: ReceiveWindow::new(window),
            outgoing: Direction::Idle,
            own_head: None,
            buffer: VecDeque::new(),
            capacity: window.min(SEND_BUFFER) as usize,
            sent: SendWindow::default(),
            wants_room: false,
            has_room: false,
        }
    }

    /// Both directions have ended.
    pub(super) fn has_ended(&self) -> bool {
        self.incoming == Direction::Ended && self.outgoing == Direction::Ended
    }

    /// Bytes that were received and that the reader has not taken.
    pub(super) fn unread(&self) -> u32 {
        self.waiting + self.delivered
    }

    /// The owner has not heard of this stream.
    pub(super) fn is_unannounced(&self) -> bool {
        self.received_head.is_some() && self.outgoing == Direction::Idle
    }

    pub(super) fn receive_head(&mut self, head: Vec<u8>, has_body: bool) {
        self.received_head = Some(head);
        self.incoming = Direction::Open;
        if !has_body {
            self.receive_end();
        }
    }

    /// Takes bytes of the other side's body. Small pieces that wait are joined, so that their
    /// number is bounded as their bytes are.
    pub(super) fn receive_data(&mut self, bytes: &[u8]) -> Result<(), ProtocolError> {
        let length = bytes.len() as u32;
        if !self.received.receive(length) {
            return Err(ProtocolError("more bytes than the stream's window"));
        }
        self.waiting += length;
        match self.chunks.back_mut() {
            Some(last) if last.len() + bytes.len() <= MAX_CHUNK => last.extend_from_slice(bytes),
            _ => self.chunks.push_back(bytes.to_vec()),
        }
        Ok(())
    }

    pub(super) fn receive_end(&mut self) {
        self.incoming = Direction::Ended;
        self.has_end = true;
    }

    /// Takes a reset of the other side. Returns the bytes that nobody will read.
    pub(super) fn receive_reset(&mut self, reason: ResetReason) -> u32 {
        let unread = self.unread();
        self.incoming = Direction::Ended;
        self.outgoing = Direction::Ended;
        (self.waiting, self.delivered) = (0, 0);
        self.chunks = VecDeque::new();
        self.buffer = VecDeque::new();
        self.own_head = None;
        self.received_head = None;
        (self.has_end, self.has_room) = (false, false);
        self.reset = Some(reason);
        unread
    }

    /// Counts bytes that the reader has taken, at most those it has got. Returns their number.
    pub(super) fn consume(&mut self, bytes: usize) -> u32 {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX).min(self.delivered);
        self.delivered -= bytes;
        self.received.take(bytes);
        bytes
    }

    /// Credit to give back, if the other side can use it.
    pub(super) fn credit(&mut self, at_once: bool) -> Option<u32> {
        let is_of_use = self.incoming == Direction::Open;
        is_of_use.then(|| self.received.credit(at_once)).flatten()
    }

    pub(super) fn has_events(&self) -> bool {
        self.received_head.is_some()
            || self.has_room
            || !self.chunks.is_empty()
            || self.has_end
            || self.reset.is_some()
    }

    /// Next event; `is_request` for heads of the visitor.
    pub(super) fn next_event(&mut self, stream: StreamId, is_request: bool) -> Option<Event> {
        if let Some(head) = self.received_head.take() {
            return Some(match is_request {
                true => Event::Opened { stream, head },
                false => Event::Head { stream, head },
            });
        }
        if core::mem::take(&mut self.has_room) {
            return Some(Event::Writable { stream });
        }
        if let Some(bytes) = self.chunks.pop_front() {
            self.waiting -= bytes.len() as u32;
            self.delivered += bytes.len() as u32;
            return Some(Event::Data { stream, bytes });
        }
        if core::mem::take(&mut self.has_end) {
            return Some(Event::End { stream });
        }
        let reason = self.reset.take()?;
        Some(Event::Reset { stream, reason })
    }

    /// The next event is the end.
    pub(super) fn is_at_end(&self) -> bool {
        self.has_end && !self.has_room && self.received_head.is_none() && self.chunks.is_empty()
    }

    pub(super) fn send_head(&mut self, head: Vec<u8>, has_body: bool) {
        self.own_head = Some((head, has_body));
        self.outgoing = match has_body {
            true => Direction::Open,
            false => Direction::Ending,
        };
    }

    /// Head to send with its flag. The direction has ended with it if there is no body.
    pub(super) fn take_head(&mut self) -> Option<(Vec<u8>, bool)> {
        let (head, has_body) = self.own_head.take()?;
        if !has_body {
            self.outgoing = Direction::Ended;
        }
        Some((head, has_body))
    }

    /// Queues bytes of the own body, and returns their number.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        if self.outgoing != Direction::Open {
            return 0;
        }
        let room = self.capacity.saturating_sub(self.buffer.len());
        let accepted = room.min(bytes.len());
        self.buffer.extend(&bytes[..accepted]);
        self.wants_room |= accepted < bytes.len();
        accepted
    }

    pub(super) fn finish(&mut self) {
        if self.outgoing == Direction::Open {
            self.outgoing = Direction::Ending;
            (self.wants_room, self.has_room) = (false, false);
        }
    }

    /// Has bytes or an end to send.
    pub(super) fn has_output(&self) -> bool {
        !self.buffer.is_empty() || self.outgoing == Direction::Ending
    }

    /// Bytes sent for which there was no credit.
    pub(super) fn outstanding(&self) -> u32 {
        self.sent.used()
    }

    pub(super) fn receive_credit(&mut self, bytes: u32) -> Result<(), ProtocolError> {
        let error = ProtocolError("more credit than bytes of the stream");
        self.sent.credit(bytes).then_some(()).ok_or(error)
    }

    /// Next chunk or end, and its number of bytes. `window` is that of the stream, `allowed` what
    /// the channel has for it.
    pub(super) fn next_frame(
        &mut self,
        stream: StreamId,
        window: u32,
        allowed: u32,
    ) -> Option<(Vec<u8>, u32)> {
        if self.own_head.is_some() {
            return None;
        }
        if self.buffer.is_empty() {
            let is_ending = self.outgoing == Direction::Ending;
            return is_ending.then(|| {
                self.outgoing = Direction::Ended;
                (frame::Frame::End { stream }.encode(), 0)
            });
        }
        let allowed = allowed.min(self.sent.free(window)) as usize;
        let length = self.buffer.len().min(MAX_CHUNK).min(allowed);
        if length == 0 {
            return None;
        }
        let (first, second) = self.buffer.as_slices();
        let first = &first[..first.len().min(length)];
        let message = frame::data_of_two(stream, first, &second[..length - first.len()]);
        self.buffer.drain(..length);
        self.sent.send(length as u32);
        if self.wants_room && self.buffer.len() <= self.capacity / 2 {
            (self.wants_room, self.has_room) = (false, true);
        }
        Some((message, length as u32))
    }

    /// Bytes in memory.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let received: usize = self.chunks.iter().map(Vec::capacity).sum();
        let heads = [
            &self.received_head,
            &self.own_head.as_ref().map(|(head, _)| head.clone()),
        ]
        .into_iter()
        .flatten()
        .map(Vec::len)
        .sum::<usize>();
        let chunks = self.chunks.len() * size_of::<Vec<u8>>();
        size_of::<Self>() + received + chunks + heads + self.buffer.len()
    }
}
