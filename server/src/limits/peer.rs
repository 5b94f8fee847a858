use std::time::Duration;

use protocol::peer::DeliveryClass;

use super::{Bucket, Window};
use crate::config::LimitSettings;

const SECOND: Duration = Duration::from_secs(1);
/// So many seconds' worth of bytes may come at once: a host shares the workout
/// with 31 riders who came together.
const BURST: Duration = Duration::from_secs(8);
/// What a relayed frame counts at least: handing a small one to a whole ride is
/// as much work as a large one to one rider.
const LEAST_FRAME: usize = 4 * 1024;
/// How long a peer that was told to slow down has to hear it.
const REACTION: Duration = SECOND;
/// When a warning is forgotten; all else is before.
pub(super) const FORGIVEN: Duration = Duration::from_secs(10);
/// What part of an allowance is much.
const MUCH: u32 = 4;
/// Messages refused after a warning until nobody waits for a reaction.
const PATIENCE: u32 = 100;

/// What one socket may say in a time: so many messages, and so many bytes.
///
/// Whoever says more is warned once. What is too much is dropped, and the peer
/// is closed when it goes on a second later, or does not stop for a moment.
/// Telemetry that is too much is dropped without a word, as newer numbers are
/// on their way, until it is twice as much as there may be.
#[derive(Debug)]
pub struct PeerLimit {
    messages: Window,
    patience: u32,
    bytes_per_second: u32,
    relayed: Bucket,
    /// For telemetry that is dropped.
    dropped: Bucket,
    warned: Option<Warned>,
}

#[derive(Debug, Clone, Copy)]
struct Warned {
    at: Duration,
    refused: u32,
}

/// One thing that a peer said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Load {
    /// A message of so many bytes.
    Message(usize),
    /// A frame to be relayed, of so many bytes.
    Frame(DeliveryClass, usize),
}

/// What becomes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is heard.
    ResumeClaims,
    /// It is not.
    Drop,
    /// It is not, and the peer is told to slow down.
    Warn,
    /// The peer was told, and went on: its socket ends.
    Close,
}

impl PeerLimit {
    /// Nothing said yet.
    pub fn new(settings: &LimitSettings) -> Self {
        Self {
            messages: Window::new(settings.messages_per_second, SECOND),
            patience: settings.messages_per_second.max(PATIENCE),
            bytes_per_second: settings.relay_bytes_per_second,
            relayed: Bucket::default(),
            dropped: Bucket::default(),
            warned: None,
        }
    }

    /// What becomes of what the peer says at `now`.
    pub fn judge(&mut self, now: Duration, load: Load) -> Verdict {
        let cost = self.cost(load);
        let fits = match load {
            Load::Message(_) => {
                self.messages.take(now).is_ok() && self.relayed.take(now, cost, BURST).is_ok()
            }
            Load::Frame(..) => self.relayed.take(now, cost, BURST).is_ok(),
        };
        if fits {
            return Verdict::ResumeClaims;
        }
        let is_telemetry = matches!(load, Load::Frame(DeliveryClass::Telemetry, _));
        if is_telemetry && self.dropped.take(now, cost, BURST).is_ok() {
            return Verdict::Drop;
        }
        self.excess(now)
    }

    /// Whether a good part of what may be said in a time has been said at `now`.
    pub fn is_much_used(&self, now: Duration) -> bool {
        self.messages.count(now) >= self.messages.limit().div_ceil(MUCH) as usize
            || self.relayed.used(now) >= BURST / MUCH
            || self.recent_warning(now).is_some()
    }

    fn recent_warning(&self, now: Duration) -> Option<Warned> {
        self.warned.filter(|it| now < it.at + FORGIVEN)
    }

    fn excess(&mut self, now: Duration) -> Verdict {
        let Some(warned) = self.recent_warning(now) else {
            self.warned = Some(Warned {
                at: now,
                refused: 1,
            });
            return Verdict::Warn;
        };
        let refused = warned.refused + 1;
        self.warned = Some(Warned { refused, ..warned });
        if now >= warned.at + REACTION || refused > self.patience {
            Verdict::Close
        } else {
            Verdict::Drop
        }
    }

    /// In the time that refills it.
    fn cost(&self, load: Load) -> Duration {
        let bytes = match load {
            Load::Message(bytes) => bytes,
            Load::Frame(_, bytes) => bytes.max(LEAST_FRAME),
        };
        match self.bytes_per_second {
            0 => Duration::ZERO,
            rate => Duration::from_nanos(bytes as u64 * 1_000_000_000 / u64::from(rate)),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::config::Config;

    const FRAME: usize = 15 * 1024;

    fn limit(flags: &[&str]) -> PeerLimit {
        let config = Config::try_parse_from(["gruppetto"].iter().chain(flags)).expect("settings");
        PeerLimit::new(&config.limits)
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// What becomes of `count` loads, one every `every` µs from `from` on.
    fn judge(
        limit: &mut PeerLimit,
        from: Duration,
        every: u64,
        count: u64,
        load: Load,
    ) -> Vec<Verdict> {
        (0..count)
            .map(|number| limit.judge(from + Duration::from_micros(number * every), load))
            .collect()
    }

    #[test]
    fn a_thousand_messages_in_a_second_are_warned_once_then_closed() {
        let verdicts = judge(&mut limit(&[]), at(0), 1_000, 1_000, Load::Message(50));
        assert!(
            verdicts[..100]
                .iter()
                .all(|it| *it == Verdict::ResumeClaims)
        );
        assert_eq!(verdicts[100], Verdict::Warn);
        assert!(verdicts[101..200].iter().all(|it| *it == Verdict::Drop));
        assert_eq!(verdicts[200], Verdict::Close);
    }

    #[test]
    fn whoever_slows_down_when_told_stays() {
        let mut limit = limit(&[]);
        let burst = judge(&mut limit, at(0), 1_000, 150, Load::Message(50));
        assert_eq!(burst[149], Verdict::Drop);
        let after = judge(&mut limit, at(1_100), 10_100, 1_000, Load::Message(50));
        assert!(after.iter().all(|it| *it == Verdict::ResumeClaims));
    }

    #[test]
    fn whoever_goes_on_a_little_too_fast_is_closed() {
        let verdicts = judge(&mut limit(&[]), at(0), 8_000, 300, Load::Message(50));
        assert!(verdicts.contains(&Verdict::Warn) && verdicts.contains(&Verdict::Close));
    }

    #[test]
    fn a_second_burst_much_later_is_a_first_one() {
        let mut limit = limit(&[]);
        for start in [0, 20_000] {
            let burst = judge(&mut limit, at(start), 1_000, 101, Load::Message(50));
            assert_eq!(burst[100], Verdict::Warn);
        }
    }

    #[test]
    fn telemetry_over_the_rate_is_dropped_long_before_anything_else_happens() {
        let mut limit = limit(&["--relay-bytes-per-second", "65536"]);
        let load = Load::Frame(DeliveryClass::Telemetry, 60);
        let verdicts = judge(&mut limit, at(0), 20_000, 3_000, load);
        let dropped = verdicts.iter().filter(|it| **it == Verdict::Drop).count();
        assert!(dropped > 100, "{dropped}");
        assert_eq!(
            verdicts
                .iter()
                .find(|it| !matches!(it, Verdict::ResumeClaims | Verdict::Drop)),
            Some(&Verdict::Warn)
        );
        let control = Load::Frame(DeliveryClass::Control, 60);
        assert_eq!(limit.judge(at(200_000), control), Verdict::ResumeClaims);
    }

    #[test]
    fn bulk_beyond_the_burst_is_warned_then_closed() {
        let load = Load::Frame(DeliveryClass::Bulk, FRAME);
        let verdicts = judge(&mut limit(&[]), at(0), 100, 10_000, load);
        let first = verdicts.iter().position(|it| *it != Verdict::ResumeClaims);
        // Eight seconds of 1 MiB.
        assert!(
            first.is_some_and(|index| index * FRAME > 8_000_000),
            "{first:?}"
        );
        assert_eq!(verdicts.get(first.unwrap_or(0)), Some(&Verdict::Warn));
        assert!(verdicts.contains(&Verdict::Close));
    }

    #[test]
    fn a_host_shares_a_large_workout_with_31_riders_at_once() {
        let mut limit = limit(&[]);
        let segments = 31 * (200 * 1024 / FRAME as u64 + 1);
        let load = Load::Frame(DeliveryClass::Control, FRAME);
        let verdicts = judge(&mut limit, at(0), 50, segments, load);
        assert!(verdicts.iter().all(|it| *it == Verdict::ResumeClaims));
    }

    #[test]
    fn an_ordinary_ride_is_never_near_the_limits() {
        let mut limit = limit(&[]);
        // Beats and telemetry twice a second each, and acknowledgements.
        let load = Load::Frame(DeliveryClass::Telemetry, 900);
        let verdicts = judge(&mut limit, at(0), 20_000, 10_000, load);
        assert!(verdicts.iter().all(|it| *it == Verdict::ResumeClaims));
    }
}
