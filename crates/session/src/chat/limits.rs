//! Limits of what each other rider can make this page do, as token buckets on virtual time.

use clock::{Duration, Moment};

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
const LIMITS: [(u32, u64); 10] = [
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

    /// Takes the tokens that a forged entry costs.
    pub(super) fn punish(&mut self, now: Moment) {
        let interval = Duration::from_millis(LIMITS[Work::Signature as usize].1);
        let full_at = &mut self.full_at[Work::Signature as usize];
        *full_at = now.max(*full_at) + interval * FORGED;
    }
}
