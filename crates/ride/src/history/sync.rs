//! Choice of the rider that a newcomer requests the history from.

use core::time::Duration;

use clock::Moment;
use protocol::peer::PeerId;

/// Time for the answer to a request, after which another rider is asked.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);
/// Number of requests to each rider. Riders that could not be reached at first may answer later.
const ROUNDS: u32 = 3;

/// Requests the history from one rider after the other until an answer has points.
#[derive(Clone, Debug, Default)]
pub struct HistorySync {
    /// Riders asked in this round.
    asked: Vec<PeerId>,
    rounds: u32,
    /// End of the wait for the last request.
    waits_until: Option<Moment>,
    done: bool,
    /// Rider to ask before all others.
    preferred: Option<PeerId>,
}

impl HistorySync {
    /// Chooses the rider to request the history from, if a request is due. `present` lists the
    /// reachable riders, the longest present first.
    pub fn next_request<'a>(
        &mut self,
        now: Moment,
        present: impl IntoIterator<Item = &'a PeerId>,
    ) -> Option<&'a PeerId> {
        if self.done || self.waits_until.is_some_and(|until| now < until) {
            return None;
        }
        let mut present = present.into_iter().peekable();
        present.peek()?;
        let preferred = self.preferred.take();
        let next = present.find(|rider| match &preferred {
            Some(preferred) => *rider == preferred,
            None => !self.asked.contains(rider),
        });
        self.waits_until = Some(now + REQUEST_TIMEOUT);
        match next {
            Some(rider) => self.asked.push(rider.clone()),
            None => {
                self.asked.clear();
                self.rounds += 1;
                self.done = self.rounds >= ROUNDS;
            }
        }
        next
    }

    /// Begins anew, with the request to this rider: points may be missing since the last answer.
    pub fn ask(&mut self, rider: &PeerId) {
        *self = Self {
            waits_until: self.waits_until,
            preferred: Some(rider.clone()),
            ..Self::default()
        };
    }

    /// Takes an answer. One with points ends the requests; after an empty one, from a rider that
    /// has joined late as well, the next request is due at once.
    pub fn handle_answer(&mut self, has_points: bool) {
        self.done |= has_points;
        self.waits_until = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    /// Name of the rider that is asked now.
    fn asked(sync: &mut HistorySync, now: u64, present: &[&str]) -> Option<String> {
        let parse = |name: &&str| name.parse().expect("a peer id");
        let present: Vec<PeerId> = present.iter().map(parse).collect();
        sync.next_request(at(now), &present).map(PeerId::to_string)
    }

    fn name(name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    const RIDERS: [&str; 2] = ["ana", "ben"];

    #[test]
    fn the_longest_present_rider_is_asked_first_and_another_one_after_five_seconds() {
        let mut sync = HistorySync::default();
        assert_eq!(asked(&mut sync, 10, &RIDERS), name("ana"));
        assert_eq!(asked(&mut sync, 14, &RIDERS), None);
        assert_eq!(asked(&mut sync, 15, &RIDERS), name("ben"));
    }

    #[test]
    fn a_rider_who_may_have_missing_points_is_asked_first_even_after_an_answer() {
        let mut sync = HistorySync::default();
        asked(&mut sync, 10, &RIDERS);
        sync.handle_answer(true);
        assert_eq!(asked(&mut sync, 20, &RIDERS), None);
        sync.ask(&"ben".parse().expect("a peer id"));
        assert_eq!(asked(&mut sync, 21, &RIDERS), name("ben"));
        assert_eq!(asked(&mut sync, 27, &RIDERS), name("ana"));
    }

    #[test]
    fn an_answer_with_points_ends_the_requests() {
        let mut sync = HistorySync::default();
        asked(&mut sync, 10, &RIDERS);
        sync.handle_answer(true);
        assert_eq!(asked(&mut sync, 99, &RIDERS), None);
    }

    #[test]
    fn after_an_empty_answer_the_next_rider_is_asked_at_once() {
        let mut sync = HistorySync::default();
        asked(&mut sync, 10, &RIDERS);
        sync.handle_answer(false);
        assert_eq!(asked(&mut sync, 10, &RIDERS), name("ben"));
    }

    #[test]
    fn the_number_of_requests_is_limited() {
        let mut sync = HistorySync::default();
        let requests = (0..1_000).filter(|now| asked(&mut sync, *now, &RIDERS).is_some());
        assert_eq!(requests.count(), 6);
    }

    #[test]
    fn a_rider_alone_waits_for_another_rider_to_ask() {
        let mut sync = HistorySync::default();
        assert_eq!(asked(&mut sync, 1, &[]), None);
        assert_eq!(asked(&mut sync, 2, &["ana"]), name("ana"));
    }
}
