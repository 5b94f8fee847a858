//! Sounds that announce intervals: one in each of the last three seconds before, and one at the start.

use clock::Duration;

use crate::api::Sound;

/// Number of seconds before an interval in which it is announced.
const ANNOUNCED: u64 = 3;
/// Largest delay of a sound. One that would be later, after a page has slept, is left out.
const MAX_DELAY: Duration = Duration::from_millis(400);

/// Announces each interval once.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct IntervalSounds {
    /// Interval that was announced last, and the whole seconds that were left until it.
    announced: Option<(usize, u64)>,
}

impl IntervalSounds {
    /// Sound that is due. `next` is the index of the interval that begins after `left`; after the
    /// end of the workout it is the number of intervals, with no time left.
    pub(crate) fn follow(&mut self, next: usize, left: Duration, since: Duration) -> Option<Sound> {
        let before = self.announced;
        let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
        let has_begun = |(announced, at): (usize, u64)| {
            at == 1 && (announced + 1 == next || (announced == next && left.is_zero()))
        };
        if before.is_some_and(has_begun) {
            self.announced = None;
            return (since <= MAX_DELAY).then_some(Sound::Start);
        }
        if !(1..=ANNOUNCED).contains(&seconds) || before == Some((next, seconds)) {
            return None;
        }
        self.announced = Some((next, seconds));
        let delay = Duration::from_secs(seconds).saturating_sub(left);
        (delay <= MAX_DELAY).then_some(Sound::Tick)
    }

    /// Time until the next sound; `None` if it is more than a second away.
    pub(crate) fn next_in(left: Duration) -> Option<Duration> {
        let limit = Duration::from_secs(ANNOUNCED + 1);
        if left.is_zero() || left > limit {
            return None;
        }
        let part = Duration::from_nanos(left.subsec_nanos().into());
        Some(if part.is_zero() {
            Duration::from_secs(1)
        } else {
            part
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    /// Sounds of an interval of five seconds and the first second of the next one, looked at in
    /// steps.
    fn sounds(step: u64) -> Vec<(u64, Sound)> {
        let mut sounds = IntervalSounds::default();
        let times = (0..6_000).step_by(step as usize);
        let due = times.filter_map(|at| {
            let sound = match 5_000_u64.checked_sub(at).filter(|left| *left > 0) {
                Some(left) => sounds.follow(1, ms(left), ms(at)),
                None => sounds.follow(2, ms(10_000 - at), ms(at - 5_000)),
            };
            sound.map(|sound| (at, sound))
        });
        due.collect()
    }

    #[test]
    fn the_last_three_seconds_and_the_start_are_heard_once_each() {
        let expected = [
            (2_000, Sound::Tick),
            (3_000, Sound::Tick),
            (4_000, Sound::Tick),
            (5_000, Sound::Start),
        ];
        assert_eq!(sounds(50), expected);
        assert_eq!(sounds(250), expected);
    }

    #[test]
    fn sounds_that_a_sleeping_page_missed_are_left_out() {
        let mut sounds = IntervalSounds::default();
        assert_eq!(sounds.follow(1, ms(3_000), ms(0)), Some(Sound::Tick));
        assert_eq!(sounds.follow(1, ms(1_100), ms(1_900)), None);
        assert_eq!(sounds.follow(1, ms(1_000), ms(2_000)), Some(Sound::Tick));
        assert_eq!(sounds.follow(2, ms(9_000), ms(1_000)), None);
    }

    #[test]
    fn an_interval_that_was_skipped_to_is_not_announced() {
        let mut sounds = IntervalSounds::default();
        assert_eq!(sounds.follow(1, ms(60_000), ms(0)), None);
        assert_eq!(sounds.follow(4, ms(60_000), ms(0)), None);
    }

    #[test]
    fn the_end_of_the_workout_is_heard() {
        let mut sounds = IntervalSounds::default();
        assert_eq!(sounds.follow(3, ms(1_000), ms(9_000)), Some(Sound::Tick));
        assert_eq!(sounds.follow(3, ms(0), ms(0)), Some(Sound::Start));
        assert_eq!(sounds.follow(3, ms(0), ms(0)), None);
    }

    #[test]
    fn a_part_of_a_millisecond_counts() {
        let mut sounds = IntervalSounds::default();
        let left = ms(2_000) + Duration::from_micros(400);
        assert_eq!(
            sounds.follow(1, left, ms(0)),
            None,
            "2.0004 s are in the third second"
        );
        assert_eq!(sounds.follow(1, ms(2_000), ms(1)), Some(Sound::Tick));
    }

    #[test]
    fn the_next_sound_is_at_the_next_whole_second() {
        assert_eq!(IntervalSounds::next_in(ms(3_200)), Some(ms(200)));
        assert_eq!(IntervalSounds::next_in(ms(2_000)), Some(ms(1_000)));
        assert_eq!(IntervalSounds::next_in(ms(30_000)), None);
        assert_eq!(IntervalSounds::next_in(ms(0)), None);
    }
}
