use std::collections::HashMap;
use std::time::Duration;

use super::network::Network;

/// Maximum number of networks in one table. An attacker with IPv6 has more
/// addresses than any server has memory.
const MAX_ADDRESSES: usize = 10_000;
/// Number of entries evicted at once from a full table, so that not every new
/// address costs a pass over all entries.
const EVICTION_BATCH: usize = MAX_ADDRESSES / 10;

/// Consumption of an allowance, by which [`AddressTable`] orders evictions.
pub trait Usage {
    /// Used part of the allowance at `now`. Entries with the smallest value are
    /// evicted first; evicting an entry with zero loses nothing.
    fn used(&self, now: Duration) -> Duration;
}

/// Values per network of clients, for 10,000 networks at most. When the table is
/// full, the entries with the least usage are evicted.
#[derive(Debug)]
pub struct AddressTable<A> {
    entries: HashMap<Network, A>,
}

impl<A: Usage> AddressTable<A> {
    /// Empty table.
    pub fn new() -> Self {
        Self {
            entries: HashMap::new(),
        }
    }

    /// Entry of a network, if there is one.
    pub fn find(&mut self, network: Network) -> Option<&mut A> {
        self.entries.get_mut(&network)
    }

    /// Entry of a network, inserted with `fresh` if there is none.
    pub fn find_or_insert_with(
        &mut self,
        network: Network,
        now: Duration,
        fresh: impl FnOnce() -> A,
    ) -> &mut A {
        if self.entries.len() >= MAX_ADDRESSES && !self.entries.contains_key(&network) {
            self.evict(now);
        }
        self.entries.entry(network).or_insert_with(fresh)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns `true` if there are no entries.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn evict(&mut self, now: Duration) {
        self.entries.retain(|_, entry| !entry.used(now).is_zero());
        let excess = (self.entries.len() + EVICTION_BATCH).saturating_sub(MAX_ADDRESSES);
        if excess == 0 {
            return;
        }
        let mut usages: Vec<_> = self.entries.values().map(|it| it.used(now)).collect();
        let (_, threshold, _) = usages.select_nth_unstable(excess - 1);
        let threshold = *threshold;
        let mut remaining = excess;
        self.entries.retain(|_, entry| {
            let is_evicted = remaining > 0 && entry.used(now) <= threshold;
            remaining -= usize::from(is_evicted);
            !is_evicted
        });
    }
}

impl<A: Usage> Default for AddressTable<A> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::limits::network::client_network;

    struct UsedSeconds(u64);

    impl Usage for UsedSeconds {
        fn used(&self, _: Duration) -> Duration {
            Duration::from_secs(self.0)
        }
    }

    fn network(number: u64) -> Network {
        client_network(Ipv6Addr::from(u128::from(number) << 64).into())
    }

    fn insert(table: &mut AddressTable<UsedSeconds>, network: Network, used: u64) {
        table.find_or_insert_with(network, Duration::ZERO, || UsedSeconds(used));
    }

    #[test]
    fn a_table_never_holds_more_than_its_maximum_number_of_addresses() {
        let mut table = AddressTable::new();
        for number in 0..50_000 {
            insert(&mut table, network(number), 1);
            assert!(table.len() <= MAX_ADDRESSES);
        }
        assert!(table.len() >= MAX_ADDRESSES - EVICTION_BATCH);
    }

    #[test]
    fn the_address_with_the_most_usage_is_evicted_last() {
        let mut table = AddressTable::new();
        insert(&mut table, network(0), 60);
        for number in 1..50_000 {
            insert(&mut table, network(number), 1);
        }
        assert!(table.find(network(0)).is_some());
    }
}
