//! Choice of the next message.

use std::collections::VecDeque;

use litemap::LiteMap;

use super::{Multiplexer, ResetReason, State, StreamId, frame::Frame};

/// Largest number of pings, and of their answers, that wait to be sent. Older ones are dropped.
const MAX_PINGS: usize = 16;

/// Control frames that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// First frame of this side.
    pub(super) greeting: Option<Vec<u8>>,
    pings: VecDeque<u32>,
    pongs: VecDeque<u32>,
    /// Values of pings whose answers have not come.
    unanswered: VecDeque<u32>,
    /// Reset streams, with whether the own end was sent before.
    pub(super) resets: LiteMap<StreamId, (ResetReason, bool)>,
    /// Streams whose own head waits.
    pub(super) heads: VecDeque<StreamId>,
}

impl Outbox {
    pub(super) fn ping(&mut self, value: u32) {
        push_bounded(&mut self.pings, value);
        push_bounded(&mut self.unanswered, value);
    }

    /// Takes the answer to a ping; `false` if there is no such ping, or it is too old.
    pub(super) fn take_unanswered(&mut self, value: u32) -> bool {
        let at = self.unanswered.iter().position(|ping| *ping == value);
        at.is_some_and(|at| self.unanswered.drain(..=at).next().is_some())
    }

    /// Number of frames that wait.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        let pings = self.pings.len() + self.pongs.len() + self.unanswered.len();
        pings + self.resets.len() + self.heads.len()
    }

    pub(super) fn pong(&mut self, value: u32) {
        push_bounded(&mut self.pongs, value);
    }
}

fn push_bounded(queue: &mut VecDeque<u32>, value: u32) {
    if queue.len() == MAX_PINGS {
        queue.pop_front();
    }
    queue.push_back(value);
}

impl Multiplexer {
    /// Next message to send. Call it only while the channel can take one. Control frames come
    /// first, then one chunk of each stream in turn.
    pub fn poll_message(&mut self) -> Option<Vec<u8>> {
        if let Some(greeting) = self.outbox.greeting.take() {
            return Some(greeting);
        }
        if self.state != State::Established {
            return None;
        }
        if let Some(value) = self.outbox.pongs.pop_front() {
            return Some(Frame::Pong(value).encode());
        }
        if let Some(value) = self.outbox.pings.pop_front() {
            return Some(Frame::Ping(value).encode());
        }
        let reset = self.outbox.resets.first().map(|(stream, _)| *stream);
        if let Some(stream) = reset {
            let (reason, _) = self.outbox.resets.remove(&stream)?;
            return Some(Frame::Reset { stream, reason }.encode());
        }
        self.next_credit()
            .or_else(|| self.next_head())
            .or_else(|| self.next_output())
    }

    /// Credit is given back when a quarter of a window is taken, or at once when half of the
    /// channel's is in use: then a stream of the other side may be waiting for any credit.
    fn next_credit(&mut self) -> Option<Vec<u8>> {
        let is_scarce = self.received.is_scarce();
        if let Some(bytes) = self.received.credit(is_scarce) {
            return Some(Frame::Credit { stream: 0, bytes }.encode());
        }
        self.streams.iter_mut().find_map(|(&stream, state)| {
            let bytes = state.credit(is_scarce)?;
            Some(Frame::Credit { stream, bytes }.encode())
        })
    }

    fn next_head(&mut self) -> Option<Vec<u8>> {
        let &stream = self.outbox.heads.front()?;
        if !self.is_peer {
            // Only before the peer has named its limit more streams may be open here than there.
            let waiting = self.outbox.heads.len() as u32;
            if self.open.saturating_sub(waiting) >= self.remote.max_streams {
                return None;
            }
        }
        self.outbox.heads.pop_front();
        let state = self.streams.get_mut(&stream)?;
        let (head, has_body) = state.take_head()?;
        let head = &head;
        let frame = match self.is_peer {
            true => Frame::Head {
                stream,
                has_body,
                head,
            },
            false => Frame::Open {
                stream,
                has_body,
                head,
            },
        };
        let message = frame.encode();
        self.settle(stream);
        Some(message)
    }

    fn next_output(&mut self) -> Option<Vec<u8>> {
        let (share, common) = self.shares();
        let free = self.sent.free(self.remote.channel_window);
        for _ in 0..self.writing.len() {
            let stream = self.writing.pop_front()?;
            let Some(state) = self.streams.get_mut(&stream) else {
                continue;
            };
            let own_share = share.saturating_sub(state.outstanding());
            let allowed = free.min(own_share.saturating_add(common));
            let frame = state.next_frame(stream, self.remote.stream_window, allowed);
            state.is_writing = state.has_output();
            if state.is_writing {
                self.writing.push_back(stream);
            }
            if let Some((message, bytes)) = frame {
                self.sent.send(bytes);
                self.queue_events(stream);
                self.settle(stream);
                return Some(message);
            }
        }
        None
    }

    /// Bytes of the channel's window that belong to each stream, and those that any may use.
    ///
    /// Without shares, some slow readers could fill the channel's window and block all other
    /// streams. A quarter of the window is divided among the streams, and as much is kept for
    /// streams that have ended and are not read yet.
    fn shares(&self) -> (u32, u32) {
        let window = self.remote.channel_window;
        let max_streams = self.own.max_streams.min(self.remote.max_streams).max(1);
        let quarter = window / 4;
        let share = quarter / max_streams;
        let used: u32 = self
            .streams
            .iter()
            .filter(|(_, state)| state.is_open)
            .map(|(_, state)| state.outstanding().min(share))
            .fold(0, u32::saturating_add);
        let reserved = quarter + (share * max_streams).saturating_sub(used);
        (share, self.sent.free(window).saturating_sub(reserved))
    }
}
