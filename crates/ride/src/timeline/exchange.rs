//! Whom a rider asks for what is missing of the timeline.

use std::collections::BTreeMap;

use core::time::Duration;

use super::Head;

/// News of a head is followed by the event itself; only what has not come within this time is
/// asked for.
pub const COMES_WITHIN: Duration = Duration::from_millis(300);
/// How long somebody has to answer before another rider is asked.
pub const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// Who was asked so often in vain is asked seldom.
const PATIENCE: u32 = 8;
const SELDOM: Duration = Duration::from_secs(30);
/// So often a rider is answered within [`ANSWERED_WITHIN`]; an honest one asks at most for what is
/// newer, for the whole, and for both again when the host changes.
const ANSWERS: u32 = 4;
/// A new host who decides nothing settles what there is after so long,
pub const SETTLED_AFTER: Duration = Duration::from_secs(3);
/// or, where somebody tells of something newer that does not come or does not count, after so long.
pub const DISREGARDED_AFTER: Duration = Duration::from_secs(10);

/// What the others hold, by the heads that they tell. Of those who are ahead one after the other is
/// asked, again and again until nothing is missing: whoever was asked may have gone, and an event
/// may have come before the word of who is host.
///
/// Law: nobody's lies keep anybody from asking the others, and nobody has anybody ask or answer
/// without end.
#[derive(Clone, Debug, Default)]
pub struct Exchange {
    told: BTreeMap<String, Told>,
    /// The own head when somebody was asked last, and who it was.
    asked: (Head, Option<String>),
    /// When somebody is asked next; nothing is known to be missing without.
    next: Option<Duration>,
    /// Since when this rider is host of an epoch that the timeline has nothing of.
    hosts_since: Option<(u32, Duration)>,
}

/// What one of the others has told.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    head: Head,
    /// How often it was asked since its head or the own one changed.
    in_vain: u32,
    /// It is asked no sooner.
    rests_until: Duration,
    /// It is asked for the whole no sooner.
    whole_at: Duration,
    /// From when on its questions are counted, and how many were answered since.
    answered: (Duration, u32),
}

impl Exchange {
    /// A rider tells the head of their timeline.
    pub fn heard(&mut self, now: Duration, rider: &str, head: Head) {
        let told = self.told(rider);
        let before = std::mem::replace(&mut told.head, head);
        if before == head {
            return;
        }
        (told.in_vain, told.rests_until) = (0, Duration::ZERO);
        if before < head {
            let soon = now + COMES_WITHIN;
            self.next = Some(self.next.map_or(soon, |next| next.min(soon)));
        }
    }

    fn told(&mut self, rider: &str) -> &mut Told {
        self.told.entry(rider.to_owned()).or_default()
    }

    /// What a rider has sent follows something that is missing here: whether to ask them for the
    /// whole now. If not, they are ahead, and are asked in their turn.
    pub fn asks_for_whole(&mut self, now: Duration, rider: &str) -> bool {
        let told = self.told(rider);
        let asks = told.whole_at <= now;
        if asks {
            told.whole_at = now + ANSWERED_WITHIN;
        }
        asks
    }

    /// A rider asks: whether they are answered now. If not, they will ask again.
    pub fn answers(&mut self, now: Duration, rider: &str) -> bool {
        let (since, count) = &mut self.told(rider).answered;
        if now >= *since + ANSWERED_WITHIN {
            (*since, *count) = (now, 0);
        }
        *count += 1;
        *count <= ANSWERS
    }

    /// A rider is gone.
    pub fn forget(&mut self, rider: &str) {
        self.told.remove(rider);
    }

    /// Who is host has changed: what was refused may count now.
    pub fn hurry(&mut self, now: Duration) {
        self.next = Some(now);
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        for told in self.told.values_mut() {
            (told.in_vain, told.rests_until) = (0, Duration::ZERO);
        }
    }

    fn is_whole(&self, own: Head) -> bool {
        self.told.values().all(|told| told.head <= own)
    }

    /// Whether a rider who is host of an epoch settles the timeline now: riders who hold another
    /// end of it, by hosts who did not know of each other, could not be told otherwise.
    pub fn is_to_settle(&mut self, now: Duration, own: Head, hosts: Option<u32>) -> bool {
        let open = |epoch: &u32| own != Head::NONE && own.epoch < *epoch;
        let Some(epoch) = hosts.filter(open) else {
            self.hosts_since = None;
            return false;
        };
        let since = self.hosts_since.filter(|(known, _)| *known == epoch);
        let (_, since) = *self.hosts_since.insert(since.unwrap_or((epoch, now)));
        let wait = match self.is_whole(own) {
            true => SETTLED_AFTER,
            false => DISREGARDED_AFTER,
        };
        now >= since + wait
    }

    /// Whom to ask now, if anybody, of the riders in reach, for what is newer than the own head.
    pub fn next<'a>(
        &mut self,
        now: Duration,
        own: Head,
        in_reach: impl IntoIterator<Item = &'a str>,
    ) -> Option<&'a str> {
        if self.is_whole(own) {
            self.next = None;
            return None;
        }
        if self.asked.0 != own {
            self.asked.0 = own;
            self.begin_anew();
        }
        if self.next.is_some_and(|next| now < next) {
            return None;
        }
        let may_know = |rider: &&str| {
            let told = self.told.get(*rider);
            told.is_some_and(|told| told.head > own && told.rests_until <= now)
        };
        let ahead: Vec<_> = in_reach.into_iter().filter(may_know).collect();
        let last = self.asked.1.as_deref();
        let last = ahead.iter().position(|rider| Some(*rider) == last);
        let next = last.map_or(0, |last| (last + 1) % ahead.len());
        let rider = ahead.get(next).copied()?;
        if let Some(told) = self.told.get_mut(rider) {
            told.in_vain += 1;
            if told.in_vain >= PATIENCE {
                told.rests_until = now + SELDOM;
            }
        }
        self.asked.1 = Some(rider.to_owned());
        self.next = Some(now + ANSWERED_WITHIN);
        Some(rider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIDERS: [&str; 2] = ["ana", "ben"];

    const fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    const fn head(sequence: u32) -> Head {
        Head { epoch: 1, sequence }
    }

    #[test]
    fn what_comes_by_itself_is_not_asked_for() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(1));
        assert_eq!(exchange.next(ms(0), Head::NONE, RIDERS), None);
        assert_eq!(exchange.next(ms(200), head(1), RIDERS), None);
        assert_eq!(exchange.next(ms(9_000), head(1), RIDERS), None);
    }

    #[test]
    fn what_does_not_come_is_asked_for_and_of_another_if_there_is_no_answer() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(1));
        exchange.heard(ms(50), "ben", head(1));
        assert_eq!(exchange.next(ms(299), Head::NONE, RIDERS), None);
        assert_eq!(exchange.next(ms(300), Head::NONE, RIDERS), Some("ana"));
        assert_eq!(exchange.next(ms(2_299), Head::NONE, RIDERS), None);
        assert_eq!(exchange.next(ms(2_300), Head::NONE, RIDERS), Some("ben"));
        assert_eq!(exchange.next(ms(4_300), Head::NONE, RIDERS), Some("ana"));
    }

    #[test]
    fn a_host_who_is_gone_is_not_waited_for() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(2));
        exchange.heard(ms(0), "ben", head(2));
        assert_eq!(exchange.next(ms(300), head(1), ["ben"]), Some("ben"));
        exchange.forget("ben");
        exchange.forget("ana");
        assert_eq!(exchange.next(ms(9_000), head(1), RIDERS), None);
    }

    #[test]
    fn whoever_is_behind_and_comes_into_reach_late_is_still_told() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(1));
        assert_eq!(exchange.next(ms(5_000), Head::NONE, []), None);
        assert_eq!(exchange.next(ms(6_000), Head::NONE, ["ana"]), Some("ana"));
    }

    #[test]
    fn newer_news_shorten_the_wait_and_nobody_puts_it_off() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(1));
        assert_eq!(exchange.next(ms(300), Head::NONE, RIDERS), Some("ana"));
        exchange.heard(ms(500), "ana", head(2));
        exchange.heard(ms(700), "ana", head(3));
        assert_eq!(exchange.next(ms(800), Head::NONE, RIDERS), Some("ana"));
    }

    #[test]
    fn nobody_is_asked_often_for_what_nobody_has() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "eve", head(99));
        let asked = (0..120).filter(|second| {
            let now = ms(1_000 * second);
            exchange.next(now, head(1), ["eve"]).is_some()
        });
        assert_eq!(asked.count(), 11);
    }

    #[test]
    fn a_rider_who_boasts_does_not_keep_anybody_from_asking_the_others() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "eve", head(u32::MAX));
        for second in 0..60 {
            exchange.next(ms(1_000 * second), head(1), ["eve", "ana"]);
        }
        exchange.heard(ms(60_000), "ana", head(2));
        let in_reach = ["eve", "ana"];
        let mut times = (600..700).map(|tenth| ms(100 * tenth));
        let asked = times.find(|now| exchange.next(*now, head(1), in_reach) == Some("ana"));
        assert!(asked.is_some_and(|at| at <= ms(62_300)), "{asked:?}");
    }

    #[test]
    fn whoever_sends_what_does_not_link_has_nobody_ask_for_the_whole_without_end() {
        let mut exchange = Exchange::default();
        let mut asked = (0..100).map(|tenth| exchange.asks_for_whole(ms(100 * tenth), "eve"));
        assert_eq!(asked.by_ref().filter(|asks| *asks).count(), 5);
        drop(asked);
        assert!(exchange.asks_for_whole(ms(9_900), "ana"));
    }

    #[test]
    fn whoever_asks_without_end_is_answered_now_and_then() {
        let mut exchange = Exchange::default();
        let mut answered = (0..100).map(|tenth| exchange.answers(ms(2_000 + 100 * tenth), "eve"));
        let in_two_seconds: Vec<_> = answered.by_ref().take(20).collect();
        assert_eq!(in_two_seconds[..5], [true, true, true, true, false]);
        assert_eq!(answered.filter(|answers| *answers).count(), 16);
        assert!(exchange.answers(ms(9_900), "ana"));
    }

    #[test]
    fn a_new_host_settles_the_timeline_when_nobody_tells_of_anything_newer() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(2));
        assert!(!exchange.is_to_settle(ms(0), head(2), Some(2)));
        assert!(!exchange.is_to_settle(ms(2_999), head(2), Some(2)));
        assert!(exchange.is_to_settle(ms(3_000), head(2), Some(2)));
        let settled = Head {
            epoch: 2,
            sequence: 1,
        };
        assert!(!exchange.is_to_settle(ms(20_000), settled, Some(2)));
        // Nobody else, and nothing where there is nothing.
        assert!(!exchange.is_to_settle(ms(20_000), head(2), None));
        assert!(!exchange.is_to_settle(ms(20_000), Head::NONE, Some(2)));
        assert!(!exchange.is_to_settle(ms(40_000), Head::NONE, Some(2)));
    }

    #[test]
    fn a_new_host_waits_longer_for_what_others_tell_of_but_not_for_ever() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(3));
        assert!(!exchange.is_to_settle(ms(0), head(2), Some(2)));
        assert!(!exchange.is_to_settle(ms(9_999), head(2), Some(2)));
        assert!(exchange.is_to_settle(ms(10_000), head(2), Some(2)));
    }

    #[test]
    fn a_new_host_is_reason_to_ask_at_once() {
        let mut exchange = Exchange::default();
        exchange.heard(ms(0), "ana", head(1));
        exchange.next(ms(300), Head::NONE, RIDERS);
        exchange.hurry(ms(400));
        assert_eq!(exchange.next(ms(400), Head::NONE, RIDERS), Some("ana"));
    }
}
