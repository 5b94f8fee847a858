//! Limits of what each other rider can make this page do, as token buckets on virtual time.

use clock::{Duration, Moment};

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
const LIMITS: [(u32, u64); 5] = [(20, 200), (100, 100), (20, 200), (5, 1_000), (3, 1_500)];

/// Token buckets of one rider. A bucket is stored as the moment at which it is full again.
#[derive(Clone, Debug, Default)]
pub(super) struct Limits {
    full_at: [Moment; LIMITS.len()],
}

impl Limits {
    /// Takes a token. Returns false if there is none, and the work is not to be done.
    pub(super) fn allow(&mut self, now: Moment, work: Work) -> bool {
        let (burst, interval) = LIMITS[work as usize];
        let interval = Duration::from_millis(interval);
        let full_at = &mut self.full_at[work as usize];
        let is_allowed = full_at.since(now) <= interval * (burst - 1);
        if is_allowed {
            *full_at = now.max(*full_at) + interval;
        }
        is_allowed
    }
}
