//! Builder of workouts.

use core::time::Duration;

use crate::workout::{Cue, Draft, FtpTest, Interval, IntervalKind, Target};

const AUTHOR: &str = "Gruppetto";
/// Time for which a cue is shown.
const SHOWN_FOR: Duration = Duration::from_secs(10);

/// Workout under construction: intervals and cues are appended in the order in which they are
/// ridden. Durations are in seconds, powers in percent of FTP.
pub(super) struct Builder {
    draft: Draft,
    end: Duration,
}

impl Builder {
    pub(super) fn new(name: &str, description: &str) -> Self {
        let [name, author, description] = [name, AUTHOR, description].map(str::to_owned);
        let draft = Draft {
            name,
            author,
            description,
            ..Draft::default()
        };
        let end = Duration::ZERO;
        Self { draft, end }
    }

    /// Cue at the start of the next interval.
    pub(super) fn cue(self, text: &str) -> Self {
        self.cue_in(0, text)
    }

    /// Cue some seconds after the start of the next interval.
    pub(super) fn cue_in(mut self, seconds: u64, text: &str) -> Self {
        self.draft.cues.push(Cue {
            at: self.end + Duration::from_secs(seconds),
            shown_for: SHOWN_FOR,
            text: text.to_owned(),
        });
        self
    }

    pub(super) fn warm_up(self, seconds: u64, from: u16, to: u16) -> Self {
        self.push(seconds, IntervalKind::Warmup, power(from, to), None)
    }

    pub(super) fn cool_down(self, seconds: u64, from: u16, to: u16) -> Self {
        self.push(seconds, IntervalKind::Cooldown, power(from, to), None)
    }

    pub(super) fn steady(self, seconds: u64, percent: u16) -> Self {
        self.push(seconds, IntervalKind::Steady, power(percent, percent), None)
    }

    pub(super) fn work(self, seconds: u64, percent: u16) -> Self {
        self.push(seconds, IntervalKind::Work, power(percent, percent), None)
    }

    /// Hard interval at a cadence in rpm.
    pub(super) fn work_at(self, seconds: u64, percent: u16, rpm: u16) -> Self {
        let target = power(percent, percent);
        self.push(seconds, IntervalKind::Work, target, Some(rpm))
    }

    pub(super) fn rest(self, seconds: u64, percent: u16) -> Self {
        self.push(seconds, IntervalKind::Rest, power(percent, percent), None)
    }

    /// Steady interval at a cadence in rpm.
    pub(super) fn steady_at(self, seconds: u64, percent: u16, rpm: u16) -> Self {
        let target = power(percent, percent);
        self.push(seconds, IntervalKind::Steady, target, Some(rpm))
    }

    pub(super) fn free(self, seconds: u64) -> Self {
        self.push(seconds, IntervalKind::FreeRide, Target::Free, None)
    }

    pub(super) fn all_out(self, seconds: u64) -> Self {
        self.push(seconds, IntervalKind::MaxEffort, Target::Max, None)
    }

    /// Repeats intervals. `append` is given the number of the repetition, from 1.
    pub(super) fn times(self, count: u16, append: impl Fn(Self, u16) -> Self) -> Self {
        (1..=count).fold(self, append)
    }

    pub(super) fn build_test(mut self, test: FtpTest) -> Draft {
        self.draft.ftp_test = Some(test);
        self.draft
    }

    pub(super) fn build(self) -> Draft {
        self.draft
    }

    fn push(
        mut self,
        seconds: u64,
        kind: IntervalKind,
        target: Target,
        cadence: Option<u16>,
    ) -> Self {
        let duration = Duration::from_secs(seconds);
        self.end += duration;
        self.draft.intervals.push(Interval {
            cadence,
            ..Interval::new(duration, kind, target)
        });
        self
    }
}

fn power(from: u16, to: u16) -> Target {
    let [from, to] = [from, to].map(|percent| f32::from(percent) / 100.0);
    Target::Power { from, to }
}
