//! Limits of what each other rider can make this page do, by kind of work.

use clock::Moment;

use crate::token_buckets::{Limit, TokenBuckets};

/// Kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// A status is taken over and shown. An honest page sends at most four per second.
    Status,
    /// A signal is handled. An honest page sends an offer or an answer, and candidates a few at a
    /// time.
    Signal,
    /// A size of pictures is taken over. An honest page sends at most four per second.
    Picture,
    /// A command of the host is carried out. An honest page sends fewer, see [`Work::SendCommand`].
    Command,
    /// An own command as host is sent.
    SendCommand,
}

/// Size of a bucket, and milliseconds in which it gains one token, by `Work as usize`.
const LIMITS: [Limit; 5] = [(20, 200), (100, 100), (20, 200), (5, 1_000), (3, 1_500)];

/// Token buckets of one rider.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits(TokenBuckets<{ LIMITS.len() }>);

impl Limits {
    /// Takes a token. Returns false if there is none, and the work is not to be done.
    pub(super) fn allow(&mut self, now: Moment, work: Work) -> bool {
        self.0.take(now, work as usize, &LIMITS)
    }
}
