//! Measurements of a device: its readings, and the time at which they become missing and the device
//! silent.

use core::time::Duration;

use clock::Moment;

use super::{AgingReading, ProfileEvent, ProfileOutput, Reading};

/// Time without a measurement after which the device counts as silent. Devices notify once a second
/// or more often.
pub const SILENCE_TIMEOUT: Duration = Duration::from_secs(5);

/// Readings of one device.
#[derive(Debug, Default)]
pub(super) struct Measurements {
    aging: AgingReading,
    /// Time at which the device counts as silent; `None` once it does, and while it is not
    /// connected.
    silence_at: Option<Moment>,
    is_silent: bool,
    is_connected: bool,
}

impl Measurements {
    pub(super) fn connected(&mut self, now: Moment) {
        self.is_connected = true;
        self.silence_at = Some(now + SILENCE_TIMEOUT);
    }

    /// The device is gone: returns the reading without values, if there were any.
    pub(super) fn disconnected(&mut self) -> Option<ProfileOutput> {
        self.is_connected = false;
        self.silence_at = None;
        let before = core::mem::take(&mut self.aging);
        let had_values = before.expires_at().is_some();
        had_values.then(|| ProfileOutput::Reading(Reading::default()))
    }

    /// Takes the values of a notification. A heart rate of 0 says that there is none.
    pub(super) fn update(
        &mut self,
        now: Moment,
        reading: Reading,
        has_no_heart_rate: bool,
    ) -> impl Iterator<Item = ProfileOutput> + use<> {
        self.aging.expire(now);
        self.aging.update(now, reading);
        if has_no_heart_rate {
            self.aging.clear_heart_rate();
        }
        if self.is_connected {
            self.silence_at = Some(now + SILENCE_TIMEOUT);
        }
        let was_silent = core::mem::take(&mut self.is_silent);
        let event = was_silent.then_some(ProfileOutput::Event(ProfileEvent::Measuring));
        event
            .into_iter()
            .chain([ProfileOutput::Reading(self.aging.reading())])
    }

    /// Does what is due: the reading without the values that are too old.
    pub(super) fn expire(&mut self, now: Moment) -> Option<ProfileOutput> {
        let has_changed = self.aging.expire(now);
        has_changed.then(|| ProfileOutput::Reading(self.aging.reading()))
    }

    /// Tells, once, that the device is silent.
    pub(super) fn falls_silent(&mut self, now: Moment) -> bool {
        let is_due = self.silence_at.take_if(|at| *at <= now).is_some();
        self.is_silent |= is_due;
        is_due
    }

    pub(super) const fn is_silent(&self) -> bool {
        self.is_silent
    }

    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        let timeouts = [self.aging.expires_at(), self.silence_at];
        timeouts.into_iter().flatten().min()
    }
}
