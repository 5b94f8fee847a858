//! Which device a value comes from, if several measure it.

use ride::trainer::{DeviceKind, Reading};

/// Kinds of devices that measure power, the most exact first.
pub const POWER_SOURCES: [DeviceKind; 2] = [DeviceKind::PowerMeter, DeviceKind::Trainer];
/// Kinds of devices that measure cadence.
pub const CADENCE_SOURCES: [DeviceKind; 3] = [
    DeviceKind::Cadence,
    DeviceKind::PowerMeter,
    DeviceKind::Trainer,
];
/// Kinds of devices that measure the heart rate.
const HEART_RATE: [DeviceKind; 2] = [DeviceKind::HeartRate, DeviceKind::Trainer];

/// Choices of the rider; `None` for the first device that has a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sources {
    pub(super) power: Option<DeviceKind>,
    pub(super) cadence: Option<DeviceKind>,
}

impl Sources {
    /// Combines the readings of the devices.
    pub(super) fn combine(self, reading_of: impl Fn(DeviceKind) -> Reading) -> Reading {
        Reading {
            power: pick(self.power, &POWER_SOURCES, |kind| reading_of(kind).power),
            cadence: pick(self.cadence, &CADENCE_SOURCES, |kind| {
                reading_of(kind).cadence
            }),
            heart_rate: pick(None, &HEART_RATE, |kind| reading_of(kind).heart_rate),
            speed: reading_of(DeviceKind::Trainer).speed,
        }
    }
}

/// Value of the device that the rider has chosen, also if it has none, or else of the first one that
/// has one.
fn pick<T>(
    chosen: Option<DeviceKind>,
    order: &[DeviceKind],
    value_of: impl Fn(DeviceKind) -> Option<T>,
) -> Option<T> {
    match chosen {
        Some(kind) => value_of(kind),
        None => order.iter().find_map(|kind| value_of(*kind)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(kind: DeviceKind) -> Reading {
        match kind {
            DeviceKind::Trainer => Reading {
                power: Some(200),
                cadence: Some(80),
                heart_rate: Some(100),
                speed: Some(9_000),
            },
            DeviceKind::PowerMeter => Reading {
                power: Some(190),
                ..Reading::default()
            },
            DeviceKind::HeartRate => Reading {
                heart_rate: Some(140),
                ..Reading::default()
            },
            DeviceKind::Cadence => Reading::default(),
        }
    }

    #[test]
    fn the_most_exact_device_that_has_a_value_is_the_source() {
        let combined = Sources::default().combine(reading);
        assert_eq!(combined.power, Some(190));
        assert_eq!(combined.cadence, Some(80));
        assert_eq!(combined.heart_rate, Some(140));
        assert_eq!(combined.speed, Some(9_000));
    }

    #[test]
    fn a_chosen_source_without_a_value_is_missing() {
        let sources = Sources {
            power: Some(DeviceKind::Trainer),
            cadence: Some(DeviceKind::Cadence),
        };
        let combined = sources.combine(reading);
        assert_eq!((combined.power, combined.cadence), (Some(200), None));
    }
}
