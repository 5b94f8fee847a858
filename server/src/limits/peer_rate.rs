use std::time::Duration;

use protocol::peer::DeliveryClass;

use super::{SlidingWindow, TokenBucket};
use crate::config::LimitSettings;

const SECOND: Duration = Duration::from_secs(1);
/// Capacity of the byte allowance: eight seconds' worth may arrive at once,
/// because a host shares the workout with 31 riders who join together.
const BURST: Duration = Duration::from_secs(8);
/// Minimum size that a relayed frame is counted with: relaying a small frame to
/// a whole ride is as much work as relaying a large one to one rider.
const MIN_FRAME_COST_BYTES: usize = 4 * 1024;
/// Time after a warning in which excess is dropped before the socket is closed.
const REACTION_TIME: Duration = SECOND;
/// Time after which a warning is forgotten. It is longer than any allowance
/// takes to refill.
pub(super) const WARNING_LIFETIME: Duration = Duration::from_secs(10);
/// Divisor of an allowance from which on it counts as considerably used.
const CONSIDERABLE_PART: u32 = 4;
/// Minimum number of refused messages after a warning that closes the socket
/// before [`REACTION_TIME`] is over.
const MIN_REFUSED_BEFORE_CLOSE: u32 = 100;

/// Rate limiter of one socket: messages per second, and bytes per second.
///
/// The first excess is answered with a warning. Further excess is dropped, and
/// the socket is closed if excess continues one second after the warning, or
/// if too many messages are refused before that. Excess telemetry is dropped
/// silently, because newer values follow, until it reaches twice the allowance.
#[derive(Debug)]
pub struct PeerRateLimiter {
    messages: SlidingWindow,
    max_refused: u32,
    bytes_per_second: u32,
    bytes: TokenBucket,
    /// Allowance for telemetry that is dropped without a warning.
    dropped_telemetry: TokenBucket,
    warning: Option<Warning>,
}

#[derive(Debug, Clone, Copy)]
struct Warning {
    at: Duration,
    refused: u32,
}

/// Message or frame that a peer sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming {
    /// Message of this many bytes.
    Message(usize),
    /// Frame to be relayed, of this many bytes.
    Frame(DeliveryClass, usize),
}

/// Decision about a message or frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is processed.
    Pass,
    /// It is dropped without an answer.
    Drop,
    /// It is dropped, and the peer is told to slow down.
    Warn,
    /// The peer continued after a warning: its socket is closed.
    Close,
}

impl PeerRateLimiter {
    /// Limiter with full allowances.
    pub fn new(settings: &LimitSettings) -> Self {
        Self {
            messages: SlidingWindow::new(settings.messages_per_second, SECOND),
            max_refused: settings.messages_per_second.max(MIN_REFUSED_BEFORE_CLOSE),
            bytes_per_second: settings.relay_bytes_per_second,
            bytes: TokenBucket::default(),
            dropped_telemetry: TokenBucket::default(),
            warning: None,
        }
    }

    /// Counts what the peer sent at `now` and decides about it.
    pub fn check(&mut self, now: Duration, incoming: Incoming) -> Verdict {
        let cost = self.cost(incoming);
        let fits = match incoming {
            Incoming::Message(_) => {
                self.messages.take(now).is_ok() && self.bytes.take(now, cost, BURST).is_ok()
            }
            Incoming::Frame(..) => self.bytes.take(now, cost, BURST).is_ok(),
        };
        if fits {
            return Verdict::Pass;
        }
        let is_telemetry = matches!(incoming, Incoming::Frame(DeliveryClass::Telemetry, _));
        if is_telemetry && self.dropped_telemetry.take(now, cost, BURST).is_ok() {
            return Verdict::Drop;
        }
        self.refuse(now)
    }

    /// Returns `true` if at least a quarter of an allowance is used at `now`,
    /// or a warning is still remembered.
    pub fn is_considerably_used(&self, now: Duration) -> bool {
        let messages = self.messages.limit().div_ceil(CONSIDERABLE_PART) as usize;
        self.messages.count(now) >= messages
            || self.bytes.used(now) >= BURST / CONSIDERABLE_PART
            || self.recent_warning(now).is_some()
    }

    fn recent_warning(&self, now: Duration) -> Option<Warning> {
        self.warning.filter(|it| now < it.at + WARNING_LIFETIME)
    }

    fn refuse(&mut self, now: Duration) -> Verdict {
        let Some(warning) = self.recent_warning(now) else {
            self.warning = Some(Warning {
                at: now,
                refused: 1,
            });
            return Verdict::Warn;
        };
        let refused = warning.refused + 1;
        self.warning = Some(Warning { refused, ..warning });
        if now >= warning.at + REACTION_TIME || refused > self.max_refused {
            Verdict::Close
        } else {
            Verdict::Drop
        }
    }

    /// Cost in the time that refills it.
    fn cost(&self, incoming: Incoming) -> Duration {
        let bytes = match incoming {
            Incoming::Message(bytes) => bytes,
            Incoming::Frame(_, bytes) => bytes.max(MIN_FRAME_COST_BYTES),
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

    fn limiter(flags: &[&str]) -> PeerRateLimiter {
        let config = Config::try_parse_from(["gruppetto"].iter().chain(flags)).expect("settings");
        PeerRateLimiter::new(&config.limits)
    }

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Verdicts on `count` times the same input, one every `interval_micros`
    /// from `start` on.
    fn send(
        limiter: &mut PeerRateLimiter,
        start: Duration,
        interval_micros: u64,
        count: u64,
        incoming: Incoming,
    ) -> Vec<Verdict> {
        (0..count)
            .map(|number| {
                let elapsed = Duration::from_micros(number * interval_micros);
                limiter.check(start + elapsed, incoming)
            })
            .collect()
    }

    #[test]
    fn a_thousand_messages_in_a_second_are_warned_once_then_closed() {
        let verdicts = send(
            &mut limiter(&[]),
            at(0),
            1_000,
            1_000,
            Incoming::Message(50),
        );
        assert!(verdicts[..100].iter().all(|it| *it == Verdict::Pass));
        assert_eq!(verdicts[100], Verdict::Warn);
        assert!(verdicts[101..200].iter().all(|it| *it == Verdict::Drop));
        assert_eq!(verdicts[200], Verdict::Close);
    }

    #[test]
    fn a_peer_that_slows_down_after_the_warning_is_not_closed() {
        let mut limiter = limiter(&[]);
        let burst = send(&mut limiter, at(0), 1_000, 150, Incoming::Message(50));
        assert_eq!(burst[149], Verdict::Drop);
        let after = send(
            &mut limiter,
            at(1_100),
            10_100,
            1_000,
            Incoming::Message(50),
        );
        assert!(after.iter().all(|it| *it == Verdict::Pass));
    }

    #[test]
    fn a_peer_that_stays_slightly_over_the_limit_is_closed() {
        let verdicts = send(&mut limiter(&[]), at(0), 8_000, 300, Incoming::Message(50));
        assert!(verdicts.contains(&Verdict::Warn) && verdicts.contains(&Verdict::Close));
    }

    #[test]
    fn a_second_burst_after_the_warning_expired_is_warned_again() {
        let mut limiter = limiter(&[]);
        for start in [0, 20_000] {
            let burst = send(&mut limiter, at(start), 1_000, 101, Incoming::Message(50));
            assert_eq!(burst[100], Verdict::Warn);
        }
    }

    #[test]
    fn excess_telemetry_is_dropped_long_before_the_first_warning() {
        let mut limiter = limiter(&["--relay-bytes-per-second", "65536"]);
        let telemetry = Incoming::Frame(DeliveryClass::Telemetry, 60);
        let verdicts = send(&mut limiter, at(0), 20_000, 3_000, telemetry);
        let dropped = verdicts.iter().filter(|it| **it == Verdict::Drop).count();
        assert!(dropped > 100, "{dropped}");
        assert_eq!(
            verdicts
                .iter()
                .find(|it| !matches!(it, Verdict::Pass | Verdict::Drop)),
            Some(&Verdict::Warn)
        );
        let control = Incoming::Frame(DeliveryClass::Control, 60);
        assert_eq!(limiter.check(at(200_000), control), Verdict::Pass);
    }

    #[test]
    fn bulk_beyond_the_burst_is_warned_then_closed() {
        let bulk = Incoming::Frame(DeliveryClass::Bulk, FRAME);
        let verdicts = send(&mut limiter(&[]), at(0), 100, 10_000, bulk);
        let first = verdicts.iter().position(|it| *it != Verdict::Pass);
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
        let mut limiter = limiter(&[]);
        let segments = 31 * (200 * 1024 / FRAME as u64 + 1);
        let control = Incoming::Frame(DeliveryClass::Control, FRAME);
        let verdicts = send(&mut limiter, at(0), 50, segments, control);
        assert!(verdicts.iter().all(|it| *it == Verdict::Pass));
    }

    #[test]
    fn the_traffic_of_an_ordinary_ride_always_passes() {
        let mut limiter = limiter(&[]);
        // More than heartbeats and telemetry twice a second, with their
        // acknowledgements.
        let telemetry = Incoming::Frame(DeliveryClass::Telemetry, 900);
        let verdicts = send(&mut limiter, at(0), 20_000, 10_000, telemetry);
        assert!(verdicts.iter().all(|it| *it == Verdict::Pass));
    }
}
