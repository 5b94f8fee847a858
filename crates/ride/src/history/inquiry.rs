//! Whom a newcomer asks for the history.

use core::time::Duration;

/// How long somebody has to answer before another rider is asked.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// How often each of them is asked: whoever was out of reach may be back.
const ROUNDS: u32 = 3;

/// Asks one present rider after the other until somebody knows something.
#[derive(Clone, Debug, Default)]
pub struct Inquiry {
    asked: Vec<String>,
    rounds: u32,
    /// Until when the rider asked last may answer.
    waits_until: Option<Duration>,
    over: bool,
}

impl Inquiry {
    /// Whom to ask now, if anybody, of the riders present, the longest present first.
    pub fn next<'a>(
        &mut self,
        now: Duration,
        present: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        if self.over || self.waits_until.is_some_and(|until| now < until) {
            return None;
        }
        let mut present = present.into_iter().peekable();
        present.peek()?;
        let next = present.find(|rider| !self.asked.iter().any(|asked| asked == rider));
        self.waits_until = Some(now + ANSWERED_WITHIN);
        match next {
            Some(rider) => self.asked.push(rider.to_owned()),
            None => {
                self.asked.clear();
                self.rounds += 1;
                self.over = self.rounds >= ROUNDS;
            }
        }
        next
    }

    /// Somebody has answered: with something, which is enough, or as new as oneself.
    pub fn answered(&mut self, something: bool) {
        self.over |= something;
        self.waits_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn the_longest_present_rider_is_asked_first_and_another_one_after_five_seconds() {
        let mut inquiry = Inquiry::default();
        let riders = ["ana", "ben"];
        assert_eq!(inquiry.next(seconds(10), riders), Some("ana"));
        assert_eq!(inquiry.next(seconds(14), riders), None);
        assert_eq!(inquiry.next(seconds(15), riders), Some("ben"));
    }

    #[test]
    fn an_answer_ends_it() {
        let mut inquiry = Inquiry::default();
        inquiry.next(seconds(10), ["ana", "ben"]);
        inquiry.answered(true);
        assert_eq!(inquiry.next(seconds(99), ["ana", "ben"]), None);
    }

    #[test]
    fn after_one_who_knows_nothing_the_next_is_asked_at_once() {
        let mut inquiry = Inquiry::default();
        inquiry.next(seconds(10), ["ana", "ben"]);
        inquiry.answered(false);
        assert_eq!(inquiry.next(seconds(10), ["ana", "ben"]), Some("ben"));
    }

    #[test]
    fn nobody_is_asked_for_ever() {
        let mut inquiry = Inquiry::default();
        let asked = (0..1_000).filter(|now| inquiry.next(seconds(*now), ["ana", "ben"]).is_some());
        assert_eq!(asked.count(), 6);
    }

    #[test]
    fn whoever_is_alone_waits_for_somebody_to_ask() {
        let mut inquiry = Inquiry::default();
        assert_eq!(inquiry.next(seconds(1), []), None);
        assert_eq!(inquiry.next(seconds(2), ["ana"]), Some("ana"));
    }
}
