//! The place in a session for its [`Exchange`](crate::exchange::Exchange), which is loaded later than
//! the ride.
//!
//! What only the exchange needs is behind [`LoadedExchange`], so that it is loaded with it.

use std::fmt;

use clock::{Moment, Now};
use protocol::peer::PeerId;

use crate::{
    exchange::{
        ExchangeCall, ExchangeEnd, ExchangeNow, LoadedExchange, OpenExchange, SessionContext,
    },
    group::Group,
    rider::OwnRider,
    roster::Roster,
};

/// Largest number of messages of one member that are kept until the exchange is loaded.
const MAX_EARLY_MESSAGES: usize = 16;
/// Largest size of all of them in bytes.
const MAX_EARLY_BYTES: usize = 64 * 1024;
/// Largest number of messages of all members, and of members who have left, that are kept.
const MAX_EARLY_TOTAL: usize = 512;
/// Largest size of all of them in bytes.
const MAX_EARLY_TOTAL_BYTES: usize = 2 * 1024 * 1024;

/// Place for an exchange. What arrives before it is loaded is kept for it.
#[derive(Default)]
pub(crate) struct ExchangePort {
    open: Option<OpenExchange>,
    loaded: Option<Box<dyn LoadedExchange>>,
    /// True once the exchange has ended. It is kept for its last outputs, and for what the rider does
    /// with its files.
    has_ended: bool,
    early: Vec<(PeerId, Vec<u8>)>,
    /// True if something of the group may have changed.
    is_outdated: bool,
}

impl fmt::Debug for ExchangePort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ExchangePort")
            .field("loaded", &self.loaded)
            .finish_non_exhaustive()
    }
}

impl ExchangePort {
    /// The part of the app with the exchange is loaded.
    pub(crate) fn set_loaded(&mut self, open: OpenExchange) {
        self.open = Some(open);
        self.is_outdated = true;
    }

    /// Something of the group may have changed.
    pub(crate) fn group_changed(&mut self) {
        self.is_outdated = true;
    }

    /// The rider has left the group, or becomes another member: the exchange ends.
    pub(crate) fn close(&mut self, now: ExchangeNow, end: ExchangeEnd) {
        self.early = Vec::new();
        if let Some(exchange) = self.loaded.as_mut().filter(|_| !self.has_ended) {
            exchange.end(now, end);
            self.has_ended = true;
        }
    }

    /// The exchange, once it is open.
    pub(crate) fn loaded(&mut self) -> Option<&mut dyn LoadedExchange> {
        match &mut self.loaded {
            Some(loaded) => Some(&mut **loaded),
            None => None,
        }
    }

    /// Passes a message on, or keeps it until the exchange is open.
    pub(crate) fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) {
        if let Some(exchange) = self.loaded.as_mut().filter(|_| !self.has_ended) {
            exchange.receive(now, from, payload);
            return;
        }
        let same = self.early.iter().filter(|(sender, _)| sender == from);
        let (count, bytes) = same.fold((0, payload.len()), |(count, bytes), (_, early)| {
            (count + 1, bytes + early.len())
        });
        let total: usize = self.early.iter().map(|(_, early)| early.len()).sum();
        let has_room =
            self.early.len() < MAX_EARLY_TOTAL && total + payload.len() <= MAX_EARLY_TOTAL_BYTES;
        if has_room && count < MAX_EARLY_MESSAGES && bytes <= MAX_EARLY_BYTES {
            self.early.push((from.clone(), payload.to_vec()));
        }
    }

    /// Calls the exchange. Dropped while there is none.
    pub(crate) fn call(&mut self, now: ExchangeNow, call: ExchangeCall) {
        if let Some(exchange) = &mut self.loaded {
            call(&mut **exchange, now);
        }
    }

    /// Opens the exchange as soon as it can be, tells it what has changed in the group, calls it when
    /// it wants to be, and sends what it wants to be sent.
    pub(crate) fn update(
        &mut self,
        now: ExchangeNow,
        group: &mut Group,
        me: Option<&OwnRider>,
        roster: &Roster,
        is_over: bool,
    ) {
        let Some(own) = group.node().and_then(mesh::node::Node::me) else {
            return self.run(now, group, None, roster, is_over);
        };
        let is_open = self.loaded.is_some() && !self.has_ended;
        if let (false, Some(open), Some(me)) = (is_open, self.open, me) {
            let seed = me.seed_number().rotate_left(32) ^ u64::from(own.incarnation.0);
            let mut exchange = open(me.key.clone(), seed);
            let mut context = SessionContext {
                now,
                group,
                me: Some(me),
                roster,
                is_over,
            };
            exchange.group_changed(&mut context);
            for (from, payload) in std::mem::take(&mut self.early) {
                exchange.receive(now, &from, &payload);
            }
            (self.loaded, self.has_ended) = (Some(exchange), false);
        }
        self.run(now, group, me, roster, is_over);
    }

    fn run(
        &mut self,
        now: ExchangeNow,
        group: &mut Group,
        me: Option<&OwnRider>,
        roster: &Roster,
        is_over: bool,
    ) {
        let Some(exchange) = self.loaded.as_mut().filter(|_| !self.has_ended) else {
            return;
        };
        let mut context = SessionContext {
            now,
            group,
            me,
            roster,
            is_over,
        };
        if std::mem::take(&mut self.is_outdated) {
            exchange.group_changed(&mut context);
        }
        exchange.send(&mut context);
    }

    /// Moment of the next call.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        let loaded = self.loaded.as_ref().filter(|_| !self.has_ended);
        loaded?.poll_timeout()
    }

    /// Number of messages that the exchange has rejected.
    pub(crate) fn rejected(&self) -> u64 {
        self.loaded.as_ref().map_or(0, |loaded| loaded.rejected())
    }
}

/// All clocks.
pub(crate) fn exchange_now(now: Now, group: &Group) -> ExchangeNow {
    ExchangeNow {
        own: now,
        group: group.time(now.moment),
    }
}
