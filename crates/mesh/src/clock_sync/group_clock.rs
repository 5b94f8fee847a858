use std::time::Duration;

use clock::{GroupTime, Moment};

use super::{GroupOffset, LIMIT, OffsetEstimate, whole_micros};

/// Time after the first estimate in which group time may jump by [`SETTLING_JUMP`].
const SETTLING: Duration = Duration::from_secs(2);
const SETTLING_JUMP: i64 = 250_000;
/// Lag in microseconds above which the cause is not drift but a machine that slept.
pub(crate) const JUMP: i64 = 1_000_000;
/// Slew rate by lag: above the first number of microseconds, one part in the second number of the
/// time that passes. A hundredth is not visible in a display of seconds; larger differences between
/// riders are, so they are corrected faster.
const SLEW: [(i64, i64); 3] = [(250_000, 10), (20_000, 25), (0, 100)];

/// Own estimate of group time.
#[derive(Clone, Debug, Default)]
pub(crate) struct GroupClock {
    course: Option<Course>,
}

/// Linear change of the offset, from `offset` at `from` towards `target`.
#[derive(Clone, Copy, Debug)]
struct Course {
    known_since: Moment,
    from: Moment,
    offset: i64,
    target: i64,
    error: Duration,
}

impl GroupClock {
    /// Steers towards an estimate. Offsets beyond ±2^54 µs are ignored.
    pub(crate) fn steer(&mut self, now: Moment, estimate: OffsetEstimate) {
        let (target, error) = (estimate.offset.0, estimate.error);
        if target.unsigned_abs() > 2 * LIMIT.unsigned_abs() {
            return;
        }
        let course = match self.course {
            None => Course {
                known_since: now,
                from: now,
                offset: target,
                target,
                error,
            },
            Some(course) => course.towards(now, target, error),
        };
        self.course = Some(course);
    }

    /// Keeps the current offset: this rider is host, and its clock defines group time.
    pub(crate) fn hold(&mut self, now: Moment) {
        if let Some(offset) = self.offset(now) {
            let error = Duration::ZERO;
            self.steer(now, OffsetEstimate { offset, error });
        }
    }

    /// Leaves out a time that has just passed: nothing has been told of it.
    pub(crate) fn leave_out(&mut self, passed: Duration) {
        if let Some(course) = &mut self.course {
            let passed = whole_micros(passed).min(LIMIT);
            course.offset -= passed;
            course.target -= passed;
        }
    }

    /// Time since group time was first known.
    pub(crate) fn age(&self, now: Moment) -> Option<Duration> {
        self.course.map(|course| now.since(course.known_since))
    }

    pub(crate) fn offset(&self, now: Moment) -> Option<GroupOffset> {
        self.course.map(|course| GroupOffset(course.offset(now)))
    }

    pub(crate) fn group_time(&self, now: Moment) -> Option<GroupTime> {
        self.offset(now).map(|offset| offset.at(now))
    }

    /// Largest difference from the host's group time, including what is still to be slewed.
    pub(crate) fn error(&self, now: Moment) -> Option<Duration> {
        let course = self.course?;
        let remaining = course.target.abs_diff(course.offset(now));
        Some(
            course
                .error
                .saturating_add(Duration::from_micros(remaining)),
        )
    }
}

impl Course {
    fn towards(self, now: Moment, target: i64, error: Duration) -> Self {
        let offset = self.offset(now);
        let is_settling = now.since(self.known_since) <= SETTLING;
        let jump = if is_settling { SETTLING_JUMP } else { JUMP };
        // The lag is certain only beyond the error of the estimate.
        let certain = whole_micros(error).saturating_add(jump);
        let jumps = target - offset > certain;
        Self {
            known_since: self.known_since,
            from: now,
            offset: if jumps { target } else { offset },
            target,
            error,
        }
    }

    fn offset(self, now: Moment) -> i64 {
        let remaining = self.target - self.offset;
        let is_above = |step: &&(i64, i64)| remaining.abs() > step.0;
        let slew = SLEW.iter().find(is_above).map_or(1, |step| step.1);
        let passed = whole_micros(now.since(self.from)).min(LIMIT);
        let most = passed / slew;
        self.offset + remaining.clamp(-most, most)
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

    fn steer(clock: &mut GroupClock, now: Moment, offset: i64, error_ms: u64) {
        let estimate = OffsetEstimate {
            offset: GroupOffset(offset),
            error: Duration::from_millis(error_ms),
        };
        clock.steer(now, estimate);
    }

    #[test]
    fn a_time_that_is_left_out_has_not_passed() {
        let mut clock = GroupClock::default();
        steer(&mut clock, at(0), 7_000 * MS, 0);
        let before = clock.group_time(at(10_000));
        clock.leave_out(Duration::from_secs(3_600));
        assert_eq!(clock.group_time(at(3_610_000)), before);
    }

    #[test]
    fn it_does_not_jump_by_less_than_the_error_of_the_estimate() {
        let mut clock = GroupClock::default();
        steer(&mut clock, at(0), 0, 0);
        steer(&mut clock, at(5_000), 3_000 * MS, 2_500);
        assert_eq!(clock.offset(at(5_000)), Some(GroupOffset(0)));
        steer(&mut clock, at(5_000), 3_000 * MS, 500);
        assert_eq!(clock.offset(at(5_000)), Some(GroupOffset(3_000 * MS)));
    }

    #[test]
    fn a_small_error_is_slewed_by_a_hundredth() {
        let mut clock = GroupClock::default();
        steer(&mut clock, at(0), 0, 0);
        steer(&mut clock, at(10_000), -20 * MS, 5);
        for (ms, group_ms) in [(10_000, 10_000), (11_000, 10_990), (20_000, 19_980)] {
            assert_eq!(clock.group_time(at(ms)), Some(GroupTime(group_ms * MS)));
        }
        assert_eq!(clock.error(at(10_000)), Some(Duration::from_millis(25)));
    }

    #[test]
    fn it_jumps_forward_only_early_and_after_a_sleep() {
        let mut clock = GroupClock::default();
        steer(&mut clock, at(0), 0, 0);
        steer(&mut clock, at(1_000), 300 * MS, 0);
        assert_eq!(clock.offset(at(1_000)), Some(GroupOffset(300 * MS)));
        steer(&mut clock, at(5_000), 700 * MS, 0);
        assert_eq!(clock.offset(at(5_000)), Some(GroupOffset(300 * MS)));
        steer(&mut clock, at(6_000), 60_000 * MS, 0);
        assert_eq!(clock.offset(at(6_000)), Some(GroupOffset(60_000 * MS)));
    }

    proptest! {
        #[test]
        fn group_time_never_runs_backwards(
            steps in vec((0..3_000u64, -400_000_000..400_000_000i64), 1..60)
        ) {
            let mut clock = GroupClock::default();
            let mut now = at(1_000);
            let mut last = GroupTime(i64::MIN);
            for (wait, target) in steps {
                now += Duration::from_millis(wait);
                let before = clock.group_time(now).unwrap_or(last);
                prop_assert!(before >= last);
                steer(&mut clock, now, target, 0);
                last = clock.group_time(now).unwrap();
                prop_assert!(last >= before);
            }
        }

        #[test]
        fn no_estimate_makes_it_panic(estimates in vec(any::<(u32, i64, u64)>(), 1..40)) {
            let mut clock = GroupClock::default();
            let end = Moment::from_origin(Duration::MAX);
            for (micros, offset, error_ms) in estimates {
                let now = Moment::from_origin(Duration::from_micros(micros.into()));
                steer(&mut clock, now, offset, error_ms);
                steer(&mut clock, end, offset, u64::MAX);
                let _ = (clock.group_time(end), clock.error(end));
            }
        }
    }
}
