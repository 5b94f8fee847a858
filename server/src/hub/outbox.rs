//! What waits to be sent on one socket: bounded, and never waited for.
//!
//! A room puts messages in without waiting, the socket's task takes them out.
//! A reader too slow loses telemetry first, oldest first, because newer numbers
//! are on their way anyway; what still does not fit ends its socket. Nobody
//! else notices either.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use futures_util::task::AtomicWaker;
use protocol::peer::DeliveryClass;
use protocol::signaling::{ServerMessage, close};

use crate::metrics::QueueMetrics;

/// Bytes waiting from which on telemetry gives way to newer telemetry.
const TELEMETRY_MARK: usize = 64 * 1024;

/// An empty queue keeps the room of so many, which most never need.
const KEPT_ITEMS: usize = 4;

/// One thing for the socket's task to do, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A message in the socket's dialect.
    Text(Utf8Bytes),
    /// A relayed frame.
    Frame(DeliveryClass, Bytes),
    /// A ping, to find out whether the socket is alive.
    Ping,
    /// The end: nothing comes after it.
    Close {
        /// The WebSocket close code.
        code: u16,
        /// For the developer at the other end.
        reason: String,
    },
}

/// Something that waits to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// What.
    pub item: Outgoing,
    /// When it came from another socket; `None` for the server's own words.
    pub received: Option<Instant>,
}

/// The queue of one socket.
#[derive(Debug)]
pub struct Outbox {
    max_bytes: usize,
    metrics: QueueMetrics,
    queue: Mutex<Queue>,
    /// Whether a sign of life was asked for and has not come yet.
    probed: AtomicBool,
    /// Of the socket's task: woken when something was put in, or the socket is
    /// to be given up at once, mid-message or not.
    reader: AtomicWaker,
}

#[derive(Debug, Default)]
struct Queue {
    items: VecDeque<Queued>,
    bytes: usize,
    /// How many of them are telemetry.
    telemetry: usize,
    closing: bool,
    given_up: bool,
}

impl Outbox {
    /// An empty queue that takes `max_bytes` before it gives its socket up.
    pub fn new(max_bytes: usize, metrics: QueueMetrics) -> Self {
        Self {
            max_bytes,
            metrics,
            queue: Mutex::default(),
            probed: AtomicBool::new(false),
            reader: AtomicWaker::new(),
        }
    }

    /// Queues a message of the app's dialect.
    pub fn send(&self, message: &ServerMessage) {
        self.text(message.to_json());
    }

    /// Queues a message in the socket's own dialect.
    pub fn text(&self, message: impl Into<Utf8Bytes>) {
        self.push(Outgoing::Text(message.into()), None);
    }

    /// Queues another peer's message, which was `received` then, in the socket's
    /// own dialect.
    pub fn relay_text(&self, message: impl Into<Utf8Bytes>, received: Instant) {
        self.push(Outgoing::Text(message.into()), Some(received));
    }

    /// Queues a ping before everything else that waits: whatever the socket
    /// says from now on shows that it lives.
    pub fn probe(&self) {
        let mut queue = self.lock();
        if queue.closing || self.probed.swap(true, Ordering::AcqRel) {
            return;
        }
        queue.items.push_front(Queued {
            item: Outgoing::Ping,
            received: None,
        });
        drop(queue);
        self.reader.wake();
    }

    /// Queues a ping after what waits already.
    pub fn ping(&self) {
        self.push(Outgoing::Ping, None);
    }

    /// Whether a sign of life was asked for; it counts as given from now on.
    pub fn take_probe(&self) -> bool {
        self.probed.load(Ordering::Relaxed) && self.probed.swap(false, Ordering::AcqRel)
    }

    /// Queues a frame that was `received` then.
    pub fn relay(&self, class: DeliveryClass, frame: Bytes, received: Instant) {
        self.push(Outgoing::Frame(class, frame), Some(received));
    }

    /// Queues the end of the socket.
    pub fn close(&self, code: u16, reason: impl Into<String>) {
        let reason = reason.into();
        self.push(Outgoing::Close { code, reason }, None);
    }

    /// Whom to wake when there is more to send; the one before is forgotten.
    pub fn wake(&self, reader: &Waker) {
        self.reader.register(reader);
    }

    /// The next thing to send, if there is one now.
    pub fn try_next(&self) -> Option<Queued> {
        let mut queue = self.lock();
        let Some(next) = queue.items.pop_front() else {
            queue.let_go();
            return None;
        };
        queue.bytes -= next.item.bytes();
        queue.telemetry -= usize::from(next.item.is_telemetry());
        Some(next)
    }

    /// Whether the end has been queued, sent or not.
    pub fn is_closing(&self) -> bool {
        self.lock().closing
    }

    /// Whether the reader proved too slow.
    pub fn is_given_up(&self) -> bool {
        self.lock().given_up
    }

    fn push(&self, item: Outgoing, received: Option<Instant>) {
        let mut queue = self.lock();
        if queue.closing {
            return;
        }
        if item.is_telemetry() {
            queue.drop_telemetry_above(TELEMETRY_MARK, &self.metrics);
        }
        queue.bytes += item.bytes();
        queue.telemetry += usize::from(item.is_telemetry());
        queue.closing = matches!(item, Outgoing::Close { .. });
        queue.items.push_back(Queued { item, received });
        if queue.bytes > self.max_bytes {
            queue.give_up();
            self.metrics.cut_off();
        }
        drop(queue);
        self.reader.wake();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // Nothing panics while it holds the lock.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn drop_telemetry_above(&mut self, mark: usize, metrics: &QueueMetrics) {
        // Looked for only where there is some: a long queue of something else
        // costs nothing.
        while self.bytes > mark && self.telemetry > 0 {
            let oldest = self.items.iter().position(|it| it.item.is_telemetry());
            let Some(dropped) = oldest.and_then(|index| self.items.remove(index)) else {
                return;
            };
            self.bytes -= dropped.item.bytes();
            self.telemetry -= 1;
            metrics.dropped_telemetry();
        }
    }

    /// Gives back the memory of a queue that is empty.
    fn let_go(&mut self) {
        if self.items.capacity() > KEPT_ITEMS {
            self.items = VecDeque::new();
        }
    }

    fn give_up(&mut self) {
        let end = Outgoing::Close {
            code: close::POLICY,
            reason: "reads too slowly".into(),
        };
        self.bytes = end.bytes();
        self.telemetry = 0;
        self.items = VecDeque::from([Queued {
            item: end,
            received: None,
        }]);
        self.closing = true;
        self.given_up = true;
    }
}

impl Outgoing {
    fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Frame(_, frame) => frame.len(),
            Self::Ping => 0,
            Self::Close { reason, .. } => reason.len(),
        }
    }

    fn is_telemetry(&self) -> bool {
        matches!(self, Self::Frame(DeliveryClass::Telemetry, _))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(byte: u8) -> Bytes {
        Bytes::from(vec![byte; 10_000])
    }

    fn drain(outbox: &Outbox) -> Vec<Outgoing> {
        std::iter::from_fn(|| outbox.try_next().map(|it| it.item)).collect()
    }

    #[test]
    fn a_slow_reader_loses_the_oldest_telemetry_and_nothing_else() {
        let outbox = Outbox::new(1_000_000, QueueMetrics::default());
        outbox.relay(DeliveryClass::Control, frame(0), Instant::now());
        for number in 1..=20 {
            outbox.relay(DeliveryClass::Telemetry, frame(number), Instant::now());
        }
        let left = drain(&outbox);
        assert!(left.len() <= 8, "{}", left.len());
        assert_eq!(
            left.first(),
            Some(&Outgoing::Frame(DeliveryClass::Control, frame(0)))
        );
        assert_eq!(
            left.last(),
            Some(&Outgoing::Frame(DeliveryClass::Telemetry, frame(20)))
        );
    }

    #[test]
    fn a_reader_far_too_slow_is_given_up_and_costs_no_more_memory() {
        let outbox = Outbox::new(100_000, QueueMetrics::default());
        for _ in 0..50 {
            outbox.relay(DeliveryClass::Bulk, frame(0), Instant::now());
        }
        let left = drain(&outbox);
        assert!(
            matches!(
                left[..],
                [Outgoing::Close {
                    code: close::POLICY,
                    ..
                }]
            ),
            "{left:?}"
        );
    }

    #[test]
    fn a_probe_goes_before_all_that_waits_and_is_asked_once() {
        let outbox = Outbox::new(1_000_000, QueueMetrics::default());
        outbox.relay(DeliveryClass::Bulk, frame(0), Instant::now());
        (0..1_000).for_each(|_| outbox.probe());
        let left = drain(&outbox);
        assert_eq!(
            left,
            [
                Outgoing::Ping,
                Outgoing::Frame(DeliveryClass::Bulk, frame(0))
            ]
        );
        assert!(outbox.take_probe() && !outbox.take_probe());
    }

    #[test]
    fn nothing_follows_the_end() {
        let outbox = Outbox::new(100_000, QueueMetrics::default());
        outbox.close(1_000, "done");
        outbox.relay(DeliveryClass::Control, frame(0), Instant::now());
        assert_eq!(drain(&outbox).len(), 1);
    }
}
