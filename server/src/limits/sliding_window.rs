use std::collections::VecDeque;
use std::time::Duration;

/// Capacity that an empty window keeps allocated.
const RETAINED_CAPACITY: usize = 8;

/// Exact limit on the number of events in any span of time. It uses memory only
/// for the events of the last span.
#[derive(Debug, Clone)]
pub struct SlidingWindow {
    /// 0: unlimited.
    limit: u32,
    span: Duration,
    /// Times of the events in the last span, in microseconds, oldest first.
    times: VecDeque<u64>,
}

impl SlidingWindow {
    /// Window for `limit` events in any `span`. 0 means unlimited.
    pub fn new(limit: u32, span: Duration) -> Self {
        Self {
            limit,
            span,
            times: VecDeque::new(),
        }
    }

    /// Counts one event at `now`.
    ///
    /// # Errors
    /// The time until one more event fits; the event is not counted then.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        if self.limit == 0 {
            return Ok(());
        }
        match self.wait(now) {
            Some(wait) => Err(wait),
            None => {
                self.times.push_back(micros(now));
                Ok(())
            }
        }
    }

    /// Time until one more event fits; `None` if it fits at `now`.
    pub fn wait(&mut self, now: Duration) -> Option<Duration> {
        self.discard_expired(now);
        if self.limit == 0 || self.times.len() < self.limit as usize {
            return None;
        }
        let oldest = self.times.front()?;
        let free_at = *oldest + micros(self.span);
        Some(Duration::from_micros(free_at.saturating_sub(micros(now))))
    }

    /// Maximum number of events in a span; 0 means unlimited.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Number of events in the span before `now`.
    pub fn count(&self, now: Duration) -> usize {
        let newest_first = self.times.iter().rev();
        newest_first
            .take_while(|at| !self.is_expired(**at, now))
            .count()
    }

    fn discard_expired(&mut self, now: Duration) {
        while self
            .times
            .front()
            .is_some_and(|at| self.is_expired(*at, now))
        {
            self.times.pop_front();
        }
        // The memory of a burst is released with it, not with the socket.
        if self.times.is_empty() && self.times.capacity() > RETAINED_CAPACITY {
            self.times = VecDeque::new();
        }
    }

    fn is_expired(&self, at: u64, now: Duration) -> bool {
        at + micros(self.span) <= micros(now)
    }
}

fn micros(time: Duration) -> u64 {
    // The hub's clock starts with the process; 2^64 µs are 580,000 years.
    time.as_micros() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn at(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn no_second_holds_more_than_the_limit_wherever_it_begins() {
        let mut window = SlidingWindow::new(3, SECOND);
        for millis in [0, 400, 900] {
            assert_eq!(window.take(at(millis)), Ok(()));
        }
        assert_eq!(window.take(at(999)), Err(at(1)));
        assert_eq!(window.take(at(1_000)), Ok(()));
        assert_eq!(window.take(at(1_100)), Err(at(300)));
        assert_eq!(window.count(at(1_399)), 3);
        assert_eq!(window.count(at(1_400)), 2);
    }

    #[test]
    fn refused_events_do_not_count() {
        let mut window = SlidingWindow::new(1, SECOND);
        assert_eq!(window.take(at(0)), Ok(()));
        (1..1_000).for_each(|millis| assert!(window.take(at(millis)).is_err()));
        assert_eq!(window.take(at(1_000)), Ok(()));
    }

    #[test]
    fn a_rate_of_exactly_the_limit_is_never_refused() {
        let mut window = SlidingWindow::new(100, SECOND);
        assert!((0..10_000).all(|number| window.take(at(number * 10)).is_ok()));
    }

    #[test]
    fn a_limit_of_zero_means_unlimited() {
        let mut window = SlidingWindow::new(0, SECOND);
        assert!((0..1_000).all(|_| window.take(at(0)).is_ok()));
        assert_eq!(window.wait(at(0)), None);
    }
}
