use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use super::address::network;

/// Addresses remembered at most in one book. An IPv6 attacker has more
/// addresses than any server has memory.
const MAX_ADDRESSES: usize = 10_000;
/// When it is full, so much of it is forgotten at once, so that not every new
/// address means a look at all others.
const FORGOTTEN: usize = MAX_ADDRESSES / 10;

/// What is remembered of one address.
pub trait Account {
    /// How much of its allowance it has used: the smaller, the sooner it is
    /// forgotten. By forgetting zero nothing is lost.
    fn used(&self, now: Duration) -> Duration;
}

/// What is remembered of addresses, 10,000 of them at most: beyond it, those
/// that used the least are forgotten first.
#[derive(Debug)]
pub struct Book<A> {
    accounts: HashMap<IpAddr, A>,
}

impl<A: Account> Book<A> {
    /// Nothing remembered.
    pub fn new() -> Self {
        Self {
            accounts: HashMap::new(),
        }
    }

    /// The account of an address, if there is one. All addresses of an IPv6
    /// customer share one.
    pub fn find(&mut self, address: IpAddr) -> Option<&mut A> {
        self.accounts.get_mut(&network(address))
    }

    /// The account of an address, a `fresh` one if there is none.
    pub fn open(&mut self, address: IpAddr, now: Duration, fresh: impl FnOnce() -> A) -> &mut A {
        let address = network(address);
        if self.accounts.len() >= MAX_ADDRESSES && !self.accounts.contains_key(&address) {
            self.make_room(now);
        }
        self.accounts.entry(address).or_insert_with(fresh)
    }

    /// How many addresses are remembered.
    pub fn len(&self) -> usize {
        self.accounts.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
    }

    fn make_room(&mut self, now: Duration) {
        self.accounts
            .retain(|_, account| !account.used(now).is_zero());
        let excess = (self.accounts.len() + FORGOTTEN).saturating_sub(MAX_ADDRESSES);
        if excess == 0 {
            return;
        }
        let mut used: Vec<_> = self.accounts.values().map(|it| it.used(now)).collect();
        let (_, least, _) = used.select_nth_unstable(excess - 1);
        let least = *least;
        let mut left = excess;
        self.accounts.retain(|_, account| {
            let goes = left > 0 && account.used(now) <= least;
            left -= usize::from(goes);
            !goes
        });
    }
}

impl<A: Account> Default for Book<A> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    struct Used(u64);

    impl Account for Used {
        fn used(&self, _: Duration) -> Duration {
            Duration::from_secs(self.0)
        }
    }

    fn network_of(number: u64) -> IpAddr {
        Ipv6Addr::from(u128::from(number) << 64).into()
    }

    #[test]
    fn a_book_never_holds_more_than_its_bound_whatever_comes() {
        let mut book = Book::new();
        for number in 0..50_000 {
            book.open(network_of(number), Duration::ZERO, || Used(1));
            assert!(book.len() <= MAX_ADDRESSES);
        }
        assert!(book.len() >= MAX_ADDRESSES - FORGOTTEN);
    }

    #[test]
    fn whoever_used_most_is_remembered_longest() {
        let mut book = Book::new();
        book.open(network_of(0), Duration::ZERO, || Used(60));
        for number in 1..50_000 {
            book.open(network_of(number), Duration::ZERO, || Used(1));
        }
        assert!(book.find(network_of(0)).is_some());
    }

    #[test]
    fn addresses_of_one_ipv6_network_share_an_account() {
        let mut book = Book::new();
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        book.open(address("2001:db8::1"), Duration::ZERO, || Used(1));
        assert!(book.find(address("2001:db8::2")).is_some());
        assert!(book.find(address("2001:db8:0:1::1")).is_none());
    }
}
