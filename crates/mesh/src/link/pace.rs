//! How much of bulk may be on its way at once, so that what goes beside it does
//! not wait behind it.

use std::{collections::VecDeque, time::Duration};

/// Acknowledgements that take so much longer than the quickest mean a queue on
/// the way, in which everything else waits too. Telemetry may be 250 ms late
/// beside bulk; this leaves room for the way itself.
const QUEUE: Duration = Duration::from_millis(60);
/// The quickest is looked for among so many: paths change.
const REMEMBERED: usize = 200;
const START: usize = 2;

/// Widens a window while nothing queues, and halves it when something does, as
/// LEDBAT (RFC 6817) does in smaller steps.
#[derive(Debug)]
pub(super) struct Pace {
    window: usize,
    most: usize,
    took: VecDeque<Duration>,
    /// So many more are to come before the next change.
    settling: usize,
}

impl Pace {
    /// At most so many segments at once.
    pub(super) fn new(most: usize) -> Self {
        Self {
            window: START.min(most),
            most,
            took: VecDeque::new(),
            settling: 0,
        }
    }

    pub(super) fn window(&self) -> usize {
        self.window
    }

    /// A segment was acknowledged after so long, without having been sent twice.
    pub(super) fn acknowledged(&mut self, took: Duration) {
        self.took.push_back(took);
        if self.took.len() > REMEMBERED {
            self.took.pop_front();
        }
        if self.settling > 0 {
            self.settling -= 1;
            return;
        }
        let quickest = self.took.iter().min().copied().unwrap_or(took);
        if took > quickest + QUEUE {
            self.slow_down();
        } else {
            self.window = (self.window + 1).min(self.most);
            self.settling = self.window;
        }
    }

    /// A segment had to be sent again.
    pub(super) fn lost(&mut self) {
        if self.settling == 0 {
            self.slow_down();
        }
    }

    fn slow_down(&mut self) {
        self.settling = self.window;
        self.window = (self.window / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(50);

    #[test]
    fn the_window_grows_while_nothing_queues() {
        let mut pace = Pace::new(16);
        (0..400).for_each(|_| pace.acknowledged(QUICK));
        assert_eq!(pace.window(), 16);
    }

    #[test]
    fn a_queue_makes_it_small_and_never_nothing() {
        let mut pace = Pace::new(16);
        (0..400).for_each(|_| pace.acknowledged(QUICK));
        (0..100).for_each(|_| pace.acknowledged(2 * QUEUE + QUICK));
        assert_eq!(pace.window(), 1);
    }

    #[test]
    fn a_longer_path_is_believed_after_a_while() {
        let mut pace = Pace::new(16);
        (0..50).for_each(|_| pace.acknowledged(QUICK));
        (0..1_000).for_each(|_| pace.acknowledged(10 * QUICK));
        assert_eq!(pace.window(), 16);
    }
}
