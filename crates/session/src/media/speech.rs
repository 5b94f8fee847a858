//! Detection of speech from sound levels.

use clock::{Duration, Moment};

/// Level above which a reading counts as speech, of 1. A fan stays below it after the browser's noise
/// suppression.
const THRESHOLD: f32 = 0.02;
/// Number of readings in a row above the threshold with which speech begins, so that a click does not
/// count.
const READINGS: u8 = 2;
/// Time below the threshold after which speech ends. Pauses between words are shorter.
const PAUSE: Duration = Duration::from_millis(600);

/// Speech of one rider, with hysteresis.
#[derive(Clone, Debug, Default)]
pub(super) struct Speech {
    /// Readings in a row above the threshold.
    above: u8,
    /// Moment at which speech ends without a further reading above the threshold.
    ends_at: Option<Moment>,
}

impl Speech {
    /// Takes over a reading.
    pub(super) fn read(&mut self, now: Moment, level: f32) {
        if level > THRESHOLD {
            self.above = (self.above + 1).min(READINGS);
            if self.above == READINGS {
                self.ends_at = Some(now + PAUSE);
            }
        } else {
            self.above = 0;
        }
    }

    /// Ends speech that is over.
    pub(super) fn expire(&mut self, now: Moment) {
        self.ends_at = self.ends_at.filter(|at| *at > now);
    }

    pub(super) fn is_speaking(&self) -> bool {
        self.ends_at.is_some()
    }

    /// Moment of the next [`Self::expire`].
    pub(super) fn ends_at(&self) -> Option<Moment> {
        self.ends_at
    }
}
