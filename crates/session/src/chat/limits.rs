//! Limits of what each other rider can make this page do, by kind of work.

use clock::Moment;

use crate::token_buckets::{Limit, TokenBuckets};

/// Kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// A message with entries is decoded. An honest page sends 15 per second, and a history at once.
    Frame,
    /// The signature of an entry is checked. A whole history has 2,300 entries.
    Signature,
    /// A question for missing entries is answered, with up to 48 KiB.
    Answer,
    /// A message with receipts is taken over. An honest page sends at most ten per second.
    Receipts,
    /// A mark that the rider is typing is shown.
    Typing,
    /// A presence is shown.
    Presence,
    /// A reaction is shown. An honest page sends five in 10 s.
    Reaction,
    /// An avatar is kept.
    Avatar,
    /// A new entry is taken over. An honest page sends 15 per second, and a little later those that
    /// could not be sent for a while.
    NewEntry,
    /// A new entry of an earlier page load is taken over. An honest page sends 20 after a reload.
    EarlierLoad,
}

/// Size of a bucket, and milliseconds in which it gains one token, by `Work as usize`.
const LIMITS: [Limit; 10] = [
    (400, 50),
    (2_600, 66),
    (16, 2_000),
    (100, 100),
    (8, 1_000),
    (8, 1_000),
    (6, 2_000),
    (4, 4_000),
    (600, 50),
    (40, 3_000),
];
/// Signature checks that a forged entry costs its sender.
const FORGED: u32 = 200;

/// Token buckets of one rider.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(TokenBuckets<{ LIMITS.len() }>);

impl Limits {
    /// Takes a token. Returns false if there is none, and the work is not to be done.
    pub(super) fn allow(&mut self, now: Moment, work: Work) -> bool {
        self.0.take(now, work as usize, &LIMITS)
    }

    /// Takes the tokens that a forged entry costs.
    pub(super) fn punish(&mut self, now: Moment) {
        self.0
            .charge(now, Work::Signature as usize, &LIMITS, FORGED);
    }
}
