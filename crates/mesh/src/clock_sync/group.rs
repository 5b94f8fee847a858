//! Our own idea of the host's clock.

use clock::{GroupTime, Moment};

use std::time::Duration;

use super::{GroupOffset, LIMIT};

const SETTLING: Duration = Duration::from_secs(2);
const JUMP_SETTLING: i64 = 250_000;
/// Behind by more than this is no drift: the machine slept.
pub(crate) const JUMP: i64 = 1_000_000;
/// How much of the time that passes goes into catching up, by how far it is
/// off: a hundredth is not seen in a second's tick, and riders who are further
/// apart than a blink rather meet soon.
const SLEW: [(i64, i64); 3] = [(250_000, 10), (20_000, 25), (0, 100)];

/// Our own idea of the host's clock.
#[derive(Clone, Debug, Default)]
pub struct GroupClock {
    course: Option<Course>,
}

/// From `at` on, the offset moves from `offset` towards `target`.
#[derive(Clone, Copy, Debug)]
struct Course {
    since: Moment,
    at: Moment,
    offset: i64,
    target: i64,
    error: u64,
}

impl GroupClock {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Steers towards `target`, group time minus our clock, which may be wrong
    /// by `error`; both in microseconds. Beyond ±2^54 it is ignored.
    pub fn steer(&mut self, now: Moment, target: i64, error: u64) {
        if target.unsigned_abs() > 2 * LIMIT.unsigned_abs() {
            return;
        }
        let course = match self.course {
            None => Course {
                since: now,
                at: now,
                offset: target,
                target,
                error,
            },
            Some(course) => course.towards(now, target, error),
        };
        self.course = Some(course);
    }

    /// Carries on as it is: we are the host, and what we show is group time.
    pub fn hold(&mut self, now: Moment) {
        if let Some(offset) = self.offset(now) {
            self.steer(now, offset, 0);
        }
    }

    /// How long group time has been known.
    pub fn age(&self, now: Moment) -> Option<Duration> {
        self.course.map(|course| now.since(course.since))
    }

    /// Group time minus our clock, in microseconds.
    pub fn offset(&self, now: Moment) -> Option<i64> {
        self.course.map(|course| course.offset(now))
    }

    /// Group time in microseconds.
    pub fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.offset(now).map(|offset| GroupOffset(offset).at(now))
    }

    /// By how much group time may be off the host's, what is not slewed yet
    /// included.
    pub fn error(&self, now: Moment) -> Option<Duration> {
        let course = self.course?;
        let left = course.target.abs_diff(course.offset(now));
        Some(Duration::from_micros(left.saturating_add(course.error)))
    }
}

impl Course {
    fn towards(self, now: Moment, target: i64, error: u64) -> Self {
        let offset = self.offset(now);
        let settling = now.since(self.since) <= SETTLING;
        let jump = if settling { JUMP_SETTLING } else { JUMP };
        // However wrong the target is, we are late.
        let certain = i64::try_from(error).map_or(i64::MAX, |error| error.saturating_add(jump));
        let offset = if target - offset > certain {
            target
        } else {
            offset
        };
        Self {
            since: self.since,
            at: now,
            offset,
            target,
            error,
        }
    }

    fn offset(self, now: Moment) -> i64 {
        let left = self.target - self.offset;
        let far = |step: &&(i64, i64)| left.abs() > step.0;
        let slew = SLEW.iter().find(far).map_or(1, |step| step.1);
        let passed = i64::try_from(now.since(self.at).as_micros()).unwrap_or(i64::MAX);
        let most = passed.min(LIMIT) / slew;
        self.offset + left.clamp(-most, most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    const MS: i64 = 1_000;

    fn at(ms: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(ms))
    }

    #[test]
    fn it_does_not_jump_to_a_time_that_may_be_wrong_by_as_much() {
        let mut clock = GroupClock::new();
        clock.steer(at(0), 0, 0);
        clock.steer(at(5_000), 3_000 * MS, 2_500_000);
        assert_eq!(clock.offset(at(5_000)), Some(0));
        clock.steer(at(5_000), 3_000 * MS, 500_000);
        assert_eq!(clock.offset(at(5_000)), Some(3_000 * MS));
    }

    #[test]
    fn a_small_error_is_slewed_by_a_hundredth() {
        let mut clock = GroupClock::new();
        clock.steer(at(0), 0, 0);
        clock.steer(at(10_000), -20 * MS, 5_000);
        assert_eq!(clock.group_time(at(10_000)), Some(GroupTime(10_000 * MS)));
        assert_eq!(clock.group_time(at(11_000)), Some(GroupTime(10_990 * MS)));
        assert_eq!(clock.group_time(at(20_000)), Some(GroupTime(19_980 * MS)));
        assert_eq!(clock.error(at(10_000)), Some(Duration::from_millis(25)));
    }

    #[test]
    fn it_jumps_forward_early_and_after_a_sleep_only() {
        let mut clock = GroupClock::new();
        clock.steer(at(0), 0, 0);
        clock.steer(at(1_000), 300 * MS, 0);
        assert_eq!(clock.offset(at(1_000)), Some(300 * MS));
        clock.steer(at(5_000), 700 * MS, 0);
        assert_eq!(clock.offset(at(5_000)), Some(300 * MS));
        clock.steer(at(6_000), 60_000 * MS, 0);
        assert_eq!(clock.offset(at(6_000)), Some(60_000 * MS));
    }

    proptest! {
        #[test]
        fn group_time_never_runs_back(
            steps in vec((0..3_000u64, -400_000_000..400_000_000i64), 1..60)
        ) {
            let mut clock = GroupClock::new();
            let mut now = at(1_000);
            let mut last = GroupTime(i64::MIN);
            for (wait, target) in steps {
                now += Duration::from_millis(wait);
                let before = clock.group_time(now).unwrap_or(last);
                prop_assert!(before >= last);
                clock.steer(now, target, 0);
                last = clock.group_time(now).unwrap();
                prop_assert!(last >= before);
            }
        }

        #[test]
        fn any_target_is_survived(targets in vec(any::<(u32, i64, u64)>(), 1..40)) {
            let mut clock = GroupClock::new();
            for (at, target, error) in targets {
                clock.steer(Moment::from_origin(Duration::from_micros(at.into())), target, error);
                clock.steer(Moment::from_origin(Duration::MAX), target, u64::MAX);
                let _ = (clock.group_time(Moment::from_origin(Duration::MAX)), clock.error(Moment::from_origin(Duration::MAX)));
            }
        }
    }
}
