//! Two multiplexers, or one and frames by hand.

use super::*;

mod behaviour;
mod hostile;
mod properties;

pub(super) fn token() -> AccessToken {
    AccessToken::new([7; 20])
}

/// Limits that are quickly reached.
pub(super) const SMALL: Limits = Limits {
    max_streams: 4,
    stream_window: 1000,
    channel_window: 8000,
};

/// Visitor and peer with a channel that delivers at once.
pub(super) struct Pair {
    pub(super) visitor: Multiplexer,
    pub(super) peer: Multiplexer,
}

impl Pair {
    /// Pair whose peer has accepted the visitor.
    pub(super) fn new(visitor: Limits, peer: Limits) -> Self {
        let mut pair = Self {
            visitor: Multiplexer::visitor(visitor, &token()),
            peer: Multiplexer::peer(peer),
        };
        pair.exchange();
        let hello = Event::Hello {
            version: VERSION,
            token: token(),
        };
        assert_eq!(pair.peer.poll_event(), Some(hello));
        pair.peer.accept();
        pair.exchange();
        assert_eq!(pair.visitor.poll_event(), Some(Event::Accepted));
        pair
    }

    /// Delivers all messages in both directions.
    pub(super) fn exchange(&mut self) {
        loop {
            let mut is_quiet = true;
            while let Some(message) = self.visitor.poll_message() {
                self.peer.receive(&message).unwrap();
                is_quiet = false;
            }
            while let Some(message) = self.peer.poll_message() {
                self.visitor.receive(&message).unwrap();
                is_quiet = false;
            }
            if is_quiet {
                return;
            }
        }
    }

    /// Opens a stream, and takes all events at the peer.
    pub(super) fn open(&mut self, has_body: bool) -> StreamId {
        let stream = self.visitor.open(b"request", has_body).unwrap();
        self.exchange();
        let head = b"request".to_vec();
        let opened = Event::Opened { stream, head };
        assert!(events(&mut self.peer).contains(&opened));
        stream
    }

    /// Opens a stream whose response has begun and whose request has ended.
    pub(super) fn respond(&mut self) -> StreamId {
        let stream = self.open(false);
        self.peer.respond(stream, b"response", true);
        self.exchange();
        let head = b"response".to_vec();
        assert_eq!(
            self.visitor.poll_event(),
            Some(Event::Head { stream, head })
        );
        stream
    }

    /// Writes at the peer until it takes no more. Returns the number of bytes.
    pub(super) fn fill(&mut self, stream: StreamId) -> usize {
        let mut all = 0;
        loop {
            let written = self.peer.write(stream, &[5; 100_000]);
            self.exchange();
            if written == 0 {
                return all;
            }
            all += written;
        }
    }
}

pub(super) fn events(multiplexer: &mut Multiplexer) -> Vec<Event> {
    core::iter::from_fn(|| multiplexer.poll_event()).collect()
}

/// Number of bytes of the events of a stream.
pub(super) fn bytes_of(events: &[Event], of: StreamId) -> usize {
    let lengths = events.iter().map(|event| match event {
        Event::Data { stream, bytes } if *stream == of => bytes.len(),
        _ => 0,
    });
    lengths.sum()
}

/// Bytes that a multiplexer keeps, without those of fixed size.
pub(super) fn memory(multiplexer: &Multiplexer) -> usize {
    let streams = multiplexer.streams.values().map(Stream::memory);
    let queues = multiplexer.events.len() + multiplexer.ready.len() + multiplexer.writing.len();
    streams.sum::<usize>() + multiplexer.outbox.len() * 16 + queues * size_of::<Event>()
}

/// Largest number of bytes that a multiplexer may keep.
pub(super) fn memory_limit(limits: Limits) -> usize {
    let streams = 2 * limits.max_streams as usize;
    let window = limits.stream_window.min(stream::SEND_BUFFER) as usize;
    let of_streams = streams * (size_of::<Stream>() + window + 2 * MAX_HEAD + 1000);
    // Pieces that are joined take up to twice their bytes.
    of_streams + 2 * limits.channel_window as usize + 4000
}
