use std::collections::VecDeque;
use std::time::Duration;

/// So many keep their place in an empty window.
const KEPT_TIMES: usize = 8;

/// At most so many in any span of time, exactly. It takes memory only for what
/// happened lately.
#[derive(Debug, Clone)]
pub struct Window {
    /// 0: any number.
    limit: u32,
    span: Duration,
    /// When the last ones happened, in microseconds, oldest first.
    times: VecDeque<u64>,
}

impl Window {
    /// `limit` in any `span`; 0 means any number.
    pub fn new(limit: u32, span: Duration) -> Self {
        Self {
            limit,
            span,
            times: VecDeque::new(),
        }
    }

    /// Counts one more at `now`.
    ///
    /// # Errors
    /// The time after which one more fits; then this one is not counted.
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

    /// How long until one more fits; `None` when it does now.
    pub fn wait(&mut self, now: Duration) -> Option<Duration> {
        self.forget(now);
        if self.limit == 0 || self.times.len() < self.limit as usize {
            return None;
        }
        let oldest = self.times.front()?;
        let free = *oldest + micros(self.span);
        Some(Duration::from_micros(free.saturating_sub(micros(now))))
    }

    /// How many there may be; 0 means any number.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// How many there were in the span before `now`.
    pub fn count(&self, now: Duration) -> usize {
        let kept = self.times.iter().rev();
        kept.take_while(|at| !self.is_past(**at, now)).count()
    }

    fn forget(&mut self, now: Duration) {
        while self.times.front().is_some_and(|at| self.is_past(*at, now)) {
            self.times.pop_front();
        }
        // A burst takes memory while it counts, and not for as long as the
        // socket lives.
        if self.times.is_empty() && self.times.capacity() > KEPT_TIMES {
            self.times = VecDeque::new();
        }
    }

    fn is_past(&self, at: u64, now: Duration) -> bool {
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
        let mut window = Window::new(3, SECOND);
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
    fn what_was_refused_does_not_count() {
        let mut window = Window::new(1, SECOND);
        assert_eq!(window.take(at(0)), Ok(()));
        (1..1_000).for_each(|millis| assert!(window.take(at(millis)).is_err()));
        assert_eq!(window.take(at(1_000)), Ok(()));
    }

    #[test]
    fn exactly_the_limit_is_let_through_for_ever() {
        let mut window = Window::new(100, SECOND);
        assert!((0..10_000).all(|number| window.take(at(number * 10)).is_ok()));
    }

    #[test]
    fn zero_is_any_number() {
        let mut window = Window::new(0, SECOND);
        assert!((0..1_000).all(|_| window.take(at(0)).is_ok()));
        assert_eq!(window.wait(at(0)), None);
    }
}
