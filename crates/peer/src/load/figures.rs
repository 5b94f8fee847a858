//! What a load counts, and its report.

use std::{collections::BTreeMap, fmt, time::Duration};

use protocol::signaling::ErrorCode;

use super::{Load, process::Usage};

/// Reason for which a rider did not join.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The server could not be reached, or closed the connection.
    Unreachable,
    /// The ride could not be created.
    NoRide,
    /// The server refused the socket, with this HTTP status.
    Http(u16),
    /// The server refused the rider.
    Refused(ErrorCode),
    /// The server gave no answer in time.
    TimedOut,
    /// The socket was lost before the rider was in the ride.
    SocketLost,
}

/// Messages and their bytes, without the frames of the WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Number of messages.
    pub messages: u64,
    /// Bytes of the messages.
    pub bytes: u64,
}

/// Counts of all riders together.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Riders that began to join.
    pub started: u32,
    /// Times to join, from the connection to the welcome.
    pub join_times: Vec<Duration>,
    /// Riders that did not join, by reason.
    pub failures: BTreeMap<String, u32>,
    /// Riders that were lost after they had joined.
    pub lost: u32,
    /// Messages of the signaling while riders joined: sent and received.
    pub joining: [Traffic; 2],
    /// All messages while everyone rode: sent and received.
    pub riding: [Traffic; 2],
    /// Numbers of other riders that arrived while everyone rode.
    pub numbers: u64,
    /// Numbers that were sent before those that arrived, and did not arrive.
    pub missing_numbers: u64,
    /// True while everyone rides.
    pub is_riding: bool,
    has_ridden: bool,
}

/// Figures of a load, with the use of the server's machine.
#[derive(Clone, Debug)]
pub struct Report {
    /// The plan.
    pub planned: Load,
    /// Counts of all riders.
    pub figures: Figures,
    /// Time until all riders had joined or failed.
    pub join_time: Duration,
    /// Time for which all rode.
    pub ride_time: Duration,
    /// Use by the server's process before the first join, after the last, and at the end.
    pub server: Option<((Usage, Usage), Usage)>,
    /// Processor time of this program.
    pub own_cpu_seconds: Option<f64>,
}

impl Figures {
    pub(super) fn failed(&mut self, failure: Failure) {
        *self.failures.entry(failure.to_string()).or_default() += 1;
    }

    pub(super) fn joined(&mut self, took: Duration) {
        self.join_times.push(took);
    }

    /// Number of riders who have joined, or failed to.
    pub(super) fn decided(&self) -> u32 {
        let joined = u32::try_from(self.join_times.len()).unwrap_or(u32::MAX);
        joined.saturating_add(self.failures.values().sum())
    }

    pub(super) fn begin_ride(&mut self) {
        (self.is_riding, self.has_ridden) = (true, true);
    }

    pub(super) fn sent(&mut self, is_text: bool, bytes: usize) {
        self.count(0, is_text, bytes);
    }

    pub(super) fn received(&mut self, is_text: bool, bytes: usize) {
        self.count(1, is_text, bytes);
    }

    /// Counts a number of a rider that arrived after another one.
    pub(super) fn number(&mut self, before: Option<u32>, number: u32) {
        if self.is_riding {
            self.numbers += 1;
            let skipped = before.map_or(0, |before| number.saturating_sub(before + 1));
            self.missing_numbers += u64::from(skipped);
        }
    }

    fn count(&mut self, direction: usize, is_text: bool, bytes: usize) {
        let traffic = match (self.is_riding, self.has_ridden, is_text) {
            (true, ..) => &mut self.riding[direction],
            (false, false, true) => &mut self.joining[direction],
            _ => return,
        };
        traffic.messages += 1;
        traffic.bytes += bytes as u64;
    }

    /// Time within which a share of the riders has joined, 0 to 1.
    fn join_quantile(&self, quantile: f64) -> Option<Duration> {
        let mut times = self.join_times.clone();
        times.sort_unstable();
        let rank = (quantile * times.len() as f64).ceil().max(1.0) as usize;
        times.get(rank - 1).copied()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable => write!(f, "server unreachable"),
            Self::NoRide => write!(f, "ride not created"),
            Self::Http(status) => write!(f, "HTTP status {status}"),
            Self::Refused(code) => write!(f, "refused: {code:?}"),
            Self::TimedOut => write!(f, "no answer in time"),
            Self::SocketLost => write!(f, "socket lost"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (load, figures) = (&self.planned, &self.figures);
        let joined = figures.join_times.len();
        writeln!(
            f,
            "{} rides with {} riders each, {} % of them relayed; {} joins per second planned",
            load.rides, load.riders, load.relayed_percent, load.joins_per_second
        )?;
        writeln!(f, "joined: {joined} of {}", figures.started)?;
        for (reason, count) in &figures.failures {
            writeln!(f, "not joined: {count}, {reason}")?;
        }
        let millis = |quantile| {
            let time = figures.join_quantile(quantile);
            time.map_or("-".to_owned(), |time| format!("{} ms", time.as_millis()))
        };
        writeln!(f, "time to join: p50 {}, p95 {}", millis(0.5), millis(0.95))?;
        let per = |traffic: &Traffic, count: f64| {
            let of = |total: u64| total as f64 / count.max(1.0);
            format!(
                "{:.1} messages, {:.0} bytes",
                of(traffic.messages),
                of(traffic.bytes)
            )
        };
        let [sent, received] = figures.joining.each_ref().map(|it| per(it, joined as f64));
        writeln!(f, "signaling per join: sent {sent}; received {received}")?;
        let riders = joined.saturating_sub(figures.lost as usize) as f64;
        let rider_seconds = riders * self.ride_time.as_secs_f64();
        let [sent, received] = figures.riding.each_ref().map(|it| per(it, rider_seconds));
        writeln!(f, "per rider and second: sent {sent}; received {received}")?;
        let numbers = figures.numbers + figures.missing_numbers;
        writeln!(
            f,
            "numbers of other riders: {}, missing {} ({:.3} %)",
            figures.numbers,
            figures.missing_numbers,
            100.0 * figures.missing_numbers as f64 / numbers.max(1) as f64
        )?;
        writeln!(f, "riders lost after joining: {}", figures.lost)?;
        self.write_usage(f, riders)
    }
}

impl Report {
    fn write_usage(&self, f: &mut fmt::Formatter<'_>, riders: f64) -> fmt::Result {
        if let Some(own) = self.own_cpu_seconds {
            writeln!(f, "this program: {own:.1} CPU seconds")?;
        }
        let Some(((before, joined), after)) = self.server.filter(|_| riders > 0.0) else {
            return Ok(());
        };
        let thousands = riders / 1_000.0;
        let joining = (joined.cpu_seconds - before.cpu_seconds) / thousands;
        let riding = after.cpu_seconds - joined.cpu_seconds;
        let share = riding / self.ride_time.as_secs_f64().max(0.001) / thousands;
        let grown = after.resident_bytes.saturating_sub(before.resident_bytes);
        let mebibytes = |bytes: f64| bytes / 1_048_576.0;
        writeln!(
            f,
            "server, joining for {:.0} s: {joining:.2} CPU seconds per 1,000 riders",
            self.join_time.as_secs_f64()
        )?;
        writeln!(
            f,
            "server, riding for {:.0} s: {riding:.2} CPU seconds, {share:.3} CPU seconds per second and 1,000 riders",
            self.ride_time.as_secs_f64()
        )?;
        writeln!(
            f,
            "server, memory: {:.1} MiB before, {:.1} MiB at the end, {:.1} MiB per 1,000 riders",
            mebibytes(before.resident_bytes as f64),
            mebibytes(after.resident_bytes as f64),
            mebibytes(grown as f64) / thousands
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_were_skipped_are_missing() {
        let mut figures = Figures::default();
        figures.number(Some(1), 9);
        assert_eq!((figures.numbers, figures.missing_numbers), (0, 0));
        figures.begin_ride();
        for (before, number) in [(None, 5), (Some(5), 6), (Some(6), 9), (Some(9), 3)] {
            figures.number(before, number);
        }
        assert_eq!((figures.numbers, figures.missing_numbers), (4, 2));
    }

    #[test]
    fn signaling_counts_for_joins_and_everything_for_the_ride() {
        let mut figures = Figures::default();
        figures.sent(true, 10);
        figures.sent(false, 10);
        figures.begin_ride();
        figures.received(true, 5);
        figures.received(false, 7);
        figures.is_riding = false;
        figures.received(true, 100);
        assert_eq!(figures.joining[0].bytes, 10);
        assert_eq!(
            (figures.riding[1].messages, figures.riding[1].bytes),
            (2, 12)
        );
    }

    #[test]
    fn quantiles_of_the_times_to_join_are_times_of_riders() {
        let mut figures = Figures::default();
        assert_eq!(figures.join_quantile(0.5), None);
        (1..=20).for_each(|ms| figures.joined(Duration::from_millis(ms)));
        assert_eq!(figures.join_quantile(0.5), Some(Duration::from_millis(10)));
        assert_eq!(figures.join_quantile(0.95), Some(Duration::from_millis(19)));
    }
}
