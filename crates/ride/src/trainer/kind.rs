//! Kinds of devices that a rider pairs, and the profiles that a device of a kind may have.

use core::fmt;

use super::{DeviceProfile, cadence, cycling_power, fec, ftms::FtmsProfile, heart_rate, wahoo};

/// Purpose of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceKind {
    /// Measures power, and takes a load.
    Trainer,
    /// Measures power.
    PowerMeter,
    /// Measures the heart rate.
    HeartRate,
    /// Measures cadence.
    Cadence,
}

impl DeviceKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [
        Self::Trainer,
        Self::PowerMeter,
        Self::HeartRate,
        Self::Cadence,
    ];
}

/// Profiles that a device of a kind may have, in the order in which they are tried. Only one of them
/// is used, since two that control a trainer make its resistance jump.
pub fn profiles(kind: DeviceKind) -> Vec<Box<dyn DeviceProfile>> {
    match kind {
        DeviceKind::Trainer => vec![
            Box::new(FtmsProfile::new()),
            Box::new(fec::profile()),
            Box::new(wahoo::profile()),
            Box::new(cycling_power::profile()),
        ],
        DeviceKind::PowerMeter => vec![Box::new(cycling_power::profile())],
        DeviceKind::HeartRate => vec![Box::new(heart_rate::profile())],
        DeviceKind::Cadence => vec![
            Box::new(cadence::profile()),
            Box::new(cycling_power::profile()),
        ],
    }
}

/// The function [`profiles`], for those who are handed it: it may be in a part of a program that is
/// loaded later.
#[derive(Clone, Copy)]
pub struct ProfileFactory(pub fn(DeviceKind) -> Vec<Box<dyn DeviceProfile>>);

impl fmt::Debug for ProfileFactory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProfileFactory")
    }
}

/// There is one such function.
impl PartialEq for ProfileFactory {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Eq for ProfileFactory {}
