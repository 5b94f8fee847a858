//! Bounded send queue of one socket.
//!
//! Rooms put messages in without waiting; the socket's task takes them out. If
//! the receiver reads too slowly, the oldest telemetry is dropped first, because
//! newer values follow. If the queue still exceeds its limit, which depends on what
//! all queues hold together (`queue_budget`), the socket is closed. Other sockets are
//! not affected by either.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::ws::Utf8Bytes;
use futures_util::task::AtomicWaker;
use protocol::peer::DeliveryClass;
use protocol::signaling::{ServerMessage, close};

use super::queue_budget::QueueShare;
use crate::metrics::QueueMetrics;
use crate::sync::lock;

/// Queue length in bytes above which old telemetry is dropped for new telemetry.
const TELEMETRY_WATERMARK: usize = 64 * 1024;

/// Capacity that an empty queue keeps allocated. Most queues never need more.
const RETAINED_CAPACITY: usize = 4;

/// Action for the socket's task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// Message in the socket's dialect.
    Text(Utf8Bytes),
    /// Relayed frame.
    Frame(DeliveryClass, Bytes),
    /// Ping, to check that the socket is alive.
    Ping,
    /// Close of the socket; nothing follows it.
    Close {
        /// WebSocket close code.
        code: u16,
        /// Reason for the close frame, for developers.
        reason: String,
    },
}

/// Entry of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queued {
    /// Action.
    pub item: Outgoing,
    /// Time at which a relayed message was received; `None` for the server's own
    /// messages.
    pub received: Option<Instant>,
}

/// Send queue of one socket.
#[derive(Debug)]
pub struct Outbox {
    metrics: QueueMetrics,
    queue: Mutex<Queue>,
    /// A probe was sent and no sign of life has been reported since.
    is_probing: AtomicBool,
    /// Waker of the socket's task, woken when an entry is added or the queue
    /// overflows.
    reader: AtomicWaker,
}

#[derive(Debug)]
struct Queue {
    items: VecDeque<Queued>,
    bytes: usize,
    /// Counts `bytes` in the budget of all queues.
    share: QueueShare,
    /// Number of telemetry frames among the items.
    telemetry: usize,
    is_closing: bool,
    has_overflowed: bool,
}

impl Outbox {
    /// Empty queue whose socket is closed when it exceeds its share of the budget.
    pub fn new(share: QueueShare, metrics: QueueMetrics) -> Self {
        let queue = Queue {
            items: VecDeque::new(),
            bytes: 0,
            share,
            telemetry: 0,
            is_closing: false,
            has_overflowed: false,
        };
        Self {
            metrics,
            queue: Mutex::new(queue),
            is_probing: AtomicBool::new(false),
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

    /// Queues the message of another peer, which was received at `received`, in
    /// the socket's own dialect.
    pub fn relay_text(&self, message: impl Into<Utf8Bytes>, received: Instant) {
        self.push(Outgoing::Text(message.into()), Some(received));
    }

    /// Queues a ping before all other entries. The next sign of life of the socket
    /// answers it, see [`Outbox::take_probe`].
    pub fn probe(&self) {
        let mut queue = lock(&self.queue);
        if queue.is_closing || self.is_probing.swap(true, Ordering::AcqRel) {
            return;
        }
        queue.items.push_front(Queued {
            item: Outgoing::Ping,
            received: None,
        });
        drop(queue);
        self.reader.wake();
    }

    /// Queues a ping after all other entries.
    pub fn ping(&self) {
        self.push(Outgoing::Ping, None);
    }

    /// Returns `true` if a probe is unanswered, and marks it as answered.
    pub fn take_probe(&self) -> bool {
        self.is_probing.load(Ordering::Relaxed) && self.is_probing.swap(false, Ordering::AcqRel)
    }

    /// Queues a frame that was received at `received`.
    pub fn relay(&self, class: DeliveryClass, frame: Bytes, received: Instant) {
        self.push(Outgoing::Frame(class, frame), Some(received));
    }

    /// Queues the close of the socket.
    pub fn close(&self, code: u16, reason: impl Into<String>) {
        let reason = reason.into();
        self.push(Outgoing::Close { code, reason }, None);
    }

    /// Registers the waker of the socket's task in place of an earlier one.
    pub fn register_reader(&self, reader: &Waker) {
        self.reader.register(reader);
    }

    /// Removes the next entry, if there is one.
    pub fn try_next(&self) -> Option<Queued> {
        let mut queue = lock(&self.queue);
        let Some(next) = queue.items.pop_front() else {
            queue.release_memory();
            return None;
        };
        queue.bytes -= next.item.bytes();
        queue.telemetry -= usize::from(next.item.is_telemetry());
        queue.count();
        Some(next)
    }

    /// Returns `true` once a close is queued, sent or not.
    pub fn is_closing(&self) -> bool {
        lock(&self.queue).is_closing
    }

    /// Returns `true` if the queue exceeded its limit because the receiver reads
    /// too slowly.
    pub fn has_overflowed(&self) -> bool {
        lock(&self.queue).has_overflowed
    }

    fn push(&self, item: Outgoing, received: Option<Instant>) {
        let mut queue = lock(&self.queue);
        if queue.is_closing {
            return;
        }
        if item.is_telemetry() {
            queue.drop_telemetry_above(TELEMETRY_WATERMARK, &self.metrics);
        }
        queue.bytes += item.bytes();
        queue.telemetry += usize::from(item.is_telemetry());
        queue.is_closing = matches!(item, Outgoing::Close { .. });
        queue.items.push_back(Queued { item, received });
        if queue.count() {
            queue.overflow();
            queue.count();
            self.metrics.count_closed_socket();
        }
        drop(queue);
        self.reader.wake();
    }
}

impl Queue {
    /// Counts the queue's length in the budget. Returns `true` if it is too long.
    fn count(&mut self) -> bool {
        self.share.set(self.bytes)
    }

    fn drop_telemetry_above(&mut self, watermark: usize, metrics: &QueueMetrics) {
        // The count of telemetry frames avoids a search through a long queue of
        // other entries.
        while self.bytes > watermark && self.telemetry > 0 {
            let oldest = self.items.iter().position(|it| it.item.is_telemetry());
            let Some(dropped) = oldest.and_then(|index| self.items.remove(index)) else {
                return;
            };
            self.bytes -= dropped.item.bytes();
            self.telemetry -= 1;
            metrics.count_dropped_telemetry();
        }
    }

    /// Releases the memory of an empty queue after a burst.
    fn release_memory(&mut self) {
        if self.items.capacity() > RETAINED_CAPACITY {
            self.items = VecDeque::new();
        }
    }

    /// Replaces all entries with the close of the socket.
    fn overflow(&mut self) {
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
        self.is_closing = true;
        self.has_overflowed = true;
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
    use crate::hub::queue_budget::QueueBudget;

    fn outbox(max_bytes: usize) -> Outbox {
        let budget = QueueBudget::new(max_bytes, usize::MAX, usize::MAX);
        let client = [192, 0, 2, 1].into();
        Outbox::new(budget.share(client), QueueMetrics::default())
    }

    fn frame(byte: u8) -> Bytes {
        Bytes::from(vec![byte; 10_000])
    }

    fn drain(outbox: &Outbox) -> Vec<Outgoing> {
        std::iter::from_fn(|| outbox.try_next().map(|it| it.item)).collect()
    }

    #[test]
    fn a_long_queue_drops_the_oldest_telemetry_and_nothing_else() {
        let outbox = outbox(1_000_000);
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
    fn a_queue_over_its_limit_is_replaced_by_the_close_of_the_socket() {
        let outbox = outbox(100_000);
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
    fn a_probe_precedes_all_other_entries_and_is_queued_once() {
        let outbox = outbox(1_000_000);
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
    fn nothing_follows_a_close() {
        let outbox = outbox(100_000);
        outbox.close(1_000, "done");
        outbox.relay(DeliveryClass::Control, frame(0), Instant::now());
        assert_eq!(drain(&outbox).len(), 1);
    }
}
