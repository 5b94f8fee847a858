use std::{collections::VecDeque, time::Duration};

/// Delay of an acknowledgement, beyond the lowest one, that means a queue on the path, in which
/// everything else waits too. Telemetry may be 250 ms late beside bulk, the delay of the path
/// itself included.
const QUEUE_DELAY: Duration = Duration::from_millis(60);
/// Number of delays among which the lowest one is searched. Older ones say nothing about a path
/// that changed.
const REMEMBERED: usize = 200;
const INITIAL: usize = 2;

/// Number of bulk segments in flight, chosen so that no queue builds up on the path: it grows while
/// acknowledgements are quick and halves when they are late, as LEDBAT (RFC 6817) does in smaller
/// steps.
#[derive(Debug)]
pub(super) struct CongestionWindow {
    size: usize,
    max: usize,
    delays: VecDeque<Duration>,
    /// Acknowledgements to await before the next change.
    settling: usize,
}

impl CongestionWindow {
    /// Window of at most `max` segments.
    pub(super) fn new(max: usize) -> Self {
        Self {
            size: INITIAL.min(max),
            max,
            delays: VecDeque::new(),
            settling: 0,
        }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Takes in the delay of an acknowledgement of a segment that was sent once.
    pub(super) fn acknowledged(&mut self, delay: Duration) {
        self.delays.push_back(delay);
        if self.delays.len() > REMEMBERED {
            self.delays.pop_front();
        }
        if self.settling > 0 {
            self.settling -= 1;
            return;
        }
        let lowest = self.delays.iter().min().copied().unwrap_or(delay);
        if delay > lowest + QUEUE_DELAY {
            self.halve();
        } else {
            self.size = (self.size + 1).min(self.max);
            self.settling = self.size;
        }
    }

    /// Takes in that a segment had to be sent again.
    pub(super) fn lost(&mut self) {
        if self.settling == 0 {
            self.halve();
        }
    }

    fn halve(&mut self) {
        self.settling = self.size;
        self.size = (self.size / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(50);

    #[test]
    fn the_window_grows_while_nothing_queues() {
        let mut window = CongestionWindow::new(16);
        (0..400).for_each(|_| window.acknowledged(QUICK));
        assert_eq!(window.size(), 16);
    }

    #[test]
    fn a_queue_shrinks_the_window_to_one_segment() {
        let mut window = CongestionWindow::new(16);
        (0..400).for_each(|_| window.acknowledged(QUICK));
        (0..100).for_each(|_| window.acknowledged(2 * QUEUE_DELAY + QUICK));
        assert_eq!(window.size(), 1);
    }

    #[test]
    fn a_path_that_became_longer_gets_a_full_window_after_a_while() {
        let mut window = CongestionWindow::new(16);
        (0..50).for_each(|_| window.acknowledged(QUICK));
        (0..1_000).for_each(|_| window.acknowledged(10 * QUICK));
        assert_eq!(window.size(), 16);
    }
}
