//! Budget for the memory of all send queues, besides the limit of each.
//!
//! The limit of one queue shrinks with what is left of the budget (dynamic thresholds;
//! Choudhury and Hahne, 1998): many sockets that read nothing get little each, and
//! what they hold together stays below the budget.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::limits::{Network, client_network};
use crate::sync::lock;

/// Part of what is left of a budget that one queue may hold.
const FREE_SHARE: usize = 8;
/// Length in bytes that every queue may have, whatever the others hold: some seconds
/// of a whole ride's telemetry.
pub(super) const MIN_QUEUE_BYTES: usize = 64 * 1024;
/// Number of networks from which on those without a socket are forgotten.
const PRUNE_ABOVE: usize = 1_024;

/// Bytes in all send queues, and those of each client.
#[derive(Debug)]
pub struct QueueBudget {
    max_queue: usize,
    max_client: usize,
    max_total: usize,
    total: Arc<AtomicUsize>,
    clients: Mutex<HashMap<Network, Weak<AtomicUsize>>>,
}

/// Part of one queue in the budget; gives it back when it is dropped.
#[derive(Debug)]
pub struct QueueShare {
    max_queue: usize,
    max_client: usize,
    max_total: usize,
    total: Arc<AtomicUsize>,
    of_client: Arc<AtomicUsize>,
    own: usize,
}

impl QueueBudget {
    /// Budget of `max_queue` bytes for one queue, `max_client` for all queues of one
    /// client, and `max_total` for all.
    pub fn new(max_queue: usize, max_client: usize, max_total: usize) -> Self {
        Self {
            max_queue,
            max_client,
            max_total,
            total: Arc::default(),
            clients: Mutex::default(),
        }
    }

    /// Share of a new queue for a client at an address.
    pub fn share(&self, address: IpAddr) -> QueueShare {
        let mut clients = lock(&self.clients);
        if clients.len() >= PRUNE_ABOVE {
            clients.retain(|_, bytes| bytes.strong_count() > 0);
        }
        let entry = clients.entry(client_network(address)).or_default();
        let of_client = entry.upgrade().unwrap_or_default();
        *entry = Arc::downgrade(&of_client);
        QueueShare {
            max_queue: self.max_queue,
            max_client: self.max_client,
            max_total: self.max_total,
            total: self.total.clone(),
            of_client,
            own: 0,
        }
    }

    /// Returns `true` if more than half of the budget is in use.
    pub(super) fn is_scarce(&self) -> bool {
        self.total.load(Ordering::Relaxed) > self.max_total / 2
    }
}

impl QueueShare {
    /// Counts a queue's new length. Returns `true` if it exceeds the queue's limit.
    ///
    /// The counters are read without a lock, so that queues which grow at the same
    /// time may exceed the budget by a message each.
    pub(super) fn set(&mut self, bytes: usize) -> bool {
        let is_longer = bytes > self.own;
        for counter in [&self.total, &self.of_client] {
            match is_longer {
                true => counter.fetch_add(bytes - self.own, Ordering::Relaxed),
                false => counter.fetch_sub(self.own - bytes, Ordering::Relaxed),
            };
        }
        self.own = bytes;
        is_longer && bytes > self.limit()
    }

    /// Bytes that this queue may hold at this moment.
    fn limit(&self) -> usize {
        let left = |counter: &AtomicUsize, max: usize| {
            // What others hold: this queue is measured against it.
            max.saturating_sub(counter.load(Ordering::Relaxed).saturating_sub(self.own))
        };
        let of_total = left(&self.total, self.max_total) / FREE_SHARE;
        let of_client = left(&self.of_client, self.max_client);
        let limit = self.max_queue.min(of_total).min(of_client);
        limit.max(MIN_QUEUE_BYTES)
    }
}

impl Drop for QueueShare {
    fn drop(&mut self) {
        self.set(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    fn address(number: u16) -> IpAddr {
        let [high, low] = number.to_be_bytes();
        [198, 51, high, low].into()
    }

    /// Adds 16 KiB at a time until the queue exceeds its limit.
    fn fill(share: &mut QueueShare) -> usize {
        let mut bytes = 0;
        while !share.set(bytes + 16 * 1024) {
            bytes += 16 * 1024;
        }
        // The socket is closed, and its queue emptied, in reality; here it stays full.
        share.set(bytes);
        bytes
    }

    #[test]
    fn one_slow_reader_may_use_the_limit_of_a_queue() {
        let budget = QueueBudget::new(4 * MIB, 16 * MIB, 256 * MIB);
        assert_eq!(fill(&mut budget.share(address(1))), 4 * MIB);
        assert!(!budget.is_scarce());
        assert_eq!(budget.total.load(Ordering::Relaxed), 0, "given back");
    }

    #[test]
    fn the_sockets_of_one_client_stay_below_its_budget_and_the_smallest_queues() {
        let budget = QueueBudget::new(4 * MIB, 16 * MIB, 256 * MIB);
        let mut shares: Vec<_> = (0..240).map(|_| budget.share(address(1))).collect();
        let total: usize = shares.iter_mut().map(fill).sum();
        assert!(total <= 16 * MIB + 240 * MIN_QUEUE_BYTES, "{total}");
        // Another client is not affected.
        assert_eq!(fill(&mut budget.share(address(2))), 4 * MIB);
    }

    #[test]
    fn a_thousand_clients_that_read_nothing_stay_below_the_budget() {
        let budget = QueueBudget::new(4 * MIB, 16 * MIB, 256 * MIB);
        let mut shares: Vec<_> = (0..1_000).map(|it| budget.share(address(it))).collect();
        shares.iter_mut().for_each(|share| {
            fill(share);
        });
        assert!(budget.is_scarce());
        let total = budget.total.load(Ordering::Relaxed);
        assert!(total <= 256 * MIB + 1_000 * MIN_QUEUE_BYTES, "{total}");
        let mut late = budget.share(address(5_000));
        assert!(
            fill(&mut late) >= MIN_QUEUE_BYTES,
            "a reader that keeps up is not closed"
        );
    }

    #[test]
    fn clients_without_a_socket_are_forgotten() {
        let budget = QueueBudget::new(4 * MIB, 16 * MIB, 256 * MIB);
        (0..10_000).for_each(|number| drop(budget.share(address(number))));
        assert!(lock(&budget.clients).len() <= PRUNE_ABOVE);
    }
}
