//! Numbers of a tunnel, for the line on exit.

use std::{fmt, time::Duration};

/// Weight of a new latency in the smoothed one.
const LATENCY_WEIGHT: f64 = 0.125;

/// Way of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over a data channel.
    Direct,
    /// Through the server.
    Relayed,
}

/// Bytes of frames in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bytes {
    /// Bytes sent to visitors.
    pub sent: u64,
    /// Bytes received from visitors.
    pub received: u64,
}

/// Numbers since the start of the program.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Visitors whose token was right, each counted once for each page that it opened.
    pub visitors: u64,
    /// Channels that were refused for a wrong token.
    pub forbidden: u64,
    /// Attempts to open a direct channel.
    pub attempts: u64,
    /// Attempts that led to a channel.
    pub successes: u64,
    /// Attempts that are over without a channel.
    pub failures: u64,
    /// Time of all successes together, from the offer to the open channel.
    pub connection_time: Duration,
    /// Smoothed round-trip time of direct channels.
    pub latency: Option<Duration>,
    /// Direct channels that were lost while the visitor was still there.
    pub fallbacks: u64,
    /// Bytes over data channels.
    pub direct: Bytes,
    /// Bytes through the server.
    pub relayed: Bytes,
}

impl Metrics {
    /// Counts a frame that was sent.
    pub(super) fn count_sent(&mut self, way: Way, bytes: usize) {
        self.bytes(way).sent += bytes as u64;
    }

    /// Counts a frame that has arrived.
    pub(super) fn count_received(&mut self, way: Way, bytes: usize) {
        self.bytes(way).received += bytes as u64;
    }

    /// Counts an attempt that led to a channel.
    pub(super) fn count_success(&mut self, time: Duration) {
        self.successes += 1;
        self.connection_time += time;
    }

    /// Adds a measured round-trip time of a direct channel.
    pub(super) fn add_latency(&mut self, time: Duration) {
        let smoothed = self.latency.map_or(time, |old| {
            old.mul_f64(1.0 - LATENCY_WEIGHT) + time.mul_f64(LATENCY_WEIGHT)
        });
        self.latency = Some(smoothed);
    }

    fn bytes(&mut self, way: Way) -> &mut Bytes {
        match way {
            Way::Direct => &mut self.direct,
            Way::Relayed => &mut self.relayed,
        }
    }

    /// Share of attempts without a channel, of those that are over; 0 without any.
    fn failure_rate(&self) -> f64 {
        let over = (self.successes + self.failures).max(1);
        self.failures as f64 / over as f64
    }
}

impl fmt::Display for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = |time: Option<Duration>| match time {
            Some(time) => format!("{:.1} ms", time.as_secs_f64() * 1e3),
            None => "none".to_owned(),
        };
        let count = u32::try_from(self.successes).unwrap_or(u32::MAX);
        let average = self.connection_time.checked_div(count);
        write!(
            f,
            "visitors {}, refused tokens {}, direct attempts {}, successes {}, failure rate {:.0} %, \
             average connection time {}, latency {}, fallbacks {}, \
             direct bytes sent {} received {}, relayed bytes sent {} received {}",
            self.visitors,
            self.forbidden,
            self.attempts,
            self.successes,
            self.failure_rate() * 100.0,
            milliseconds(average),
            milliseconds(self.latency),
            self.fallbacks,
            self.direct.sent,
            self.direct.received,
            self.relayed.sent,
            self.relayed.received,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_are_in_one_line() {
        let mut metrics = Metrics {
            visitors: 3,
            attempts: 5,
            failures: 1,
            ..Metrics::default()
        };
        for time in [100, 200, 300] {
            metrics.count_success(Duration::from_millis(time));
        }
        metrics.add_latency(Duration::from_millis(8));
        metrics.add_latency(Duration::from_millis(16));
        metrics.count_sent(Way::Direct, 1_000);
        metrics.count_received(Way::Relayed, 20);
        let line = metrics.to_string();
        assert!(!line.contains('\n'));
        for part in [
            "visitors 3",
            "attempts 5, successes 3, failure rate 25 %",
            "average connection time 200.0 ms, latency 9.0 ms",
            "direct bytes sent 1000 received 0, relayed bytes sent 0 received 20",
        ] {
            assert!(line.contains(part), "{line}");
        }
    }

    #[test]
    fn numbers_without_any_attempt_are_no_division_by_zero() {
        let line = Metrics::default().to_string();
        assert!(
            line.contains("failure rate 0 %, average connection time none"),
            "{line}"
        );
    }
}
