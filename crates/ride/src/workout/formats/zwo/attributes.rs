//! Values of the attributes of an element.
//!
//! A value that cannot be used costs as little as possible: without a usable power an interval is
//! ridden without a target, and only an interval without a usable duration is left out.

use core::time::Duration;

use super::markup::{Attribute, Element};
use crate::workout::formats::clamp_power;
use crate::workout::formats::error::clip;
use crate::workout::formats::remark::{Quantity, RemarkKind, Remarks};
use crate::workout::{MAX_CADENCE, MAX_DURATION, MAX_INTERVALS, Target, Zone};

/// Speed at which lengths in metres are ridden, in km/h.
const BIKE_KMH: u8 = 30;
/// Speed at which lengths of a workout for runners are ridden, in km/h: five minutes per kilometre.
const RUN_KMH: u8 = 12;

/// Unit of the lengths of intervals.
#[derive(Clone, Copy)]
pub(super) enum Lengths {
    Seconds,
    /// Metres, which are ridden at a constant speed.
    Metres {
        is_run: bool,
    },
}

impl Lengths {
    /// Assumed speed in km/h.
    pub(super) const fn kmh(self) -> u8 {
        match self {
            Self::Metres { is_run: true } => RUN_KMH,
            Self::Metres { is_run: false } | Self::Seconds => BIKE_KMH,
        }
    }

    fn seconds(self, length: f64) -> f64 {
        match self {
            Self::Seconds => length,
            Self::Metres { .. } => length * 3.6 / f64::from(self.kmh()),
        }
    }
}

/// Names of the attributes of a power. Each may have several spellings.
pub(super) struct PowerNames {
    pub flat: &'static [&'static str],
    pub low: &'static [&'static str],
    pub high: &'static [&'static str],
    pub zone: &'static [&'static str],
}

pub(super) const POWER: PowerNames = PowerNames {
    flat: &["Power"],
    low: &["PowerLow"],
    high: &["PowerHigh"],
    zone: &["Zone", "PowerZone"],
};
pub(super) const ON_POWER: PowerNames = PowerNames {
    flat: &["OnPower", "PowerOn"],
    low: &["PowerOnLow", "OnPowerLow"],
    high: &["PowerOnHigh", "OnPowerHigh"],
    zone: &["PowerOnZone", "OnPowerZone", "OnZone"],
};
pub(super) const OFF_POWER: PowerNames = PowerNames {
    flat: &["OffPower", "PowerOff"],
    low: &["PowerOffLow", "OffPowerLow"],
    high: &["PowerOffHigh", "OffPowerHigh"],
    zone: &["PowerOffZone", "OffPowerZone", "OffZone"],
};

/// Value of an attribute, or of one of several spellings of it.
enum Value<T> {
    Missing,
    Unusable,
    Usable(T),
}

impl<T> Value<T> {
    fn usable(self) -> Option<T> {
        match self {
            Self::Usable(value) => Some(value),
            Self::Missing | Self::Unusable => None,
        }
    }
}

/// Attributes of an element. Remarks on their values are collected.
pub(super) struct Attributes<'e, 'a, 'r> {
    pub element: &'e Element<'a>,
    pub remarks: &'r mut Remarks<'a>,
    pub lengths: Lengths,
}

impl<'e, 'a> Attributes<'e, 'a, '_> {
    fn find(&self, names: &[&str]) -> Option<&'e Attribute<'a>> {
        let mut attributes = self.element.attributes.iter();
        let is_named = |found: &str| names.iter().any(|name| name.eq_ignore_ascii_case(found));
        attributes.find(|attribute| is_named(attribute.name))
    }

    pub(super) fn text(&self, name: &str) -> Option<&'e str> {
        self.find(&[name]).map(|attribute| &*attribute.value)
    }

    fn unusable<T>(&mut self, found: &Attribute<'_>, quantity: Quantity) -> Value<T> {
        let attribute = found.name.to_owned();
        let value = clip(&found.value);
        let unusable = RemarkKind::Unusable {
            attribute,
            value,
            quantity,
        };
        self.remarks.add(found.at, unusable);
        Value::Unusable
    }

    /// Finite number, also with a decimal comma, and as a power also in percent.
    fn number(&mut self, found: &Attribute<'_>, quantity: Quantity) -> Value<f64> {
        let text = found.value.trim();
        if let Some(number) = finite(text) {
            return Value::Usable(number);
        }
        let percent = text
            .strip_suffix('%')
            .filter(|_| quantity == Quantity::Power);
        let divisor = if percent.is_some() { 100.0 } else { 1.0 };
        let text = percent.unwrap_or(text).trim_end().replacen(',', ".", 1);
        let Some(number) = finite(&text) else {
            return self.unusable(found, quantity);
        };
        let read = number / divisor;
        let read_as = RemarkKind::ReadAs {
            attribute: found.name.to_owned(),
            value: clip(&found.value),
            read,
        };
        self.remarks.add(found.at, read_as);
        Value::Usable(read)
    }

    /// Power as a fraction of FTP, within the limits of a workout.
    fn power(&mut self, names: &[&str]) -> Value<f32> {
        let Some(found) = self.find(names) else {
            return Value::Missing;
        };
        let Value::Usable(value) = self.number(found, Quantity::Power) else {
            return Value::Unusable;
        };
        let power = clamp_power(value, found.at, found.name, self.remarks);
        Value::Usable(power)
    }

    /// Middle of a power zone, as a fraction of FTP.
    fn zone(&mut self, names: &[&str]) -> Value<f32> {
        let Some(found) = self.find(names) else {
            return Value::Missing;
        };
        let number = found.value.trim().trim_start_matches(['z', 'Z']);
        let Some(zone) = number.parse().ok().and_then(Zone::new) else {
            return self.unusable(found, Quantity::Power);
        };
        let power = zone.middle();
        let assumed = RemarkKind::Zone {
            attribute: found.name.to_owned(),
            zone: zone.number(),
            power,
        };
        self.remarks.add(found.at, assumed);
        Value::Usable(power)
    }

    /// Power that changes from low to high, or a constant power. Without a usable one, the interval
    /// has no target.
    pub(super) fn slope(&mut self, names: &PowerNames) -> Target {
        match self.powers(names) {
            [_, Some(from), Some(to)] => Target::Power { from, to },
            [flat, low, high] => flat.or(low).or(high).map_or(Target::Free, Target::steady),
        }
    }

    /// Constant power, or the middle of a range of powers. Without a usable one, the interval has no
    /// target.
    pub(super) fn constant(&mut self, names: &PowerNames) -> Target {
        match self.powers(names) {
            [None, Some(from), Some(to)] => Target::steady(from.midpoint(to)),
            [flat, low, high] => flat.or(low).or(high).map_or(Target::Free, Target::steady),
        }
    }

    /// Constant, low and high power. The middle of a zone counts as a constant power.
    fn powers(&mut self, names: &PowerNames) -> [Option<f32>; 3] {
        let values = [names.flat, names.low, names.high].map(|names| self.power(names));
        let is_named = values.iter().any(|value| !matches!(value, Value::Missing));
        let [flat, low, high] = values.map(Value::usable);
        if flat.or(low).or(high).is_some() {
            return [flat, low, high];
        }
        let zone = self.zone(names.zone);
        if matches!(zone, Value::Missing) && !is_named {
            let element = clip(self.element.name);
            self.remarks
                .add(self.element.at, RemarkKind::NoPower { element });
        }
        [zone.usable(), None, None]
    }

    /// Length of an interval in whole milliseconds. `None`, with a remark, without a usable one.
    pub(super) fn duration(&mut self, names: &[&str]) -> Option<Duration> {
        let Some(found) = self.find(names) else {
            let element = clip(self.element.name);
            let no_duration = RemarkKind::NoDuration { element };
            self.remarks.add(self.element.at, no_duration);
            return None;
        };
        self.time(found, self.lengths, Quantity::Duration)
    }

    /// Length that may be missing; zero then.
    pub(super) fn optional_duration(&mut self, names: &[&str]) -> Duration {
        let duration = self
            .find(names)
            .and_then(|found| self.time(found, self.lengths, Quantity::Duration));
        duration.unwrap_or_default()
    }

    /// Time of a cue from the start of its element. `None` if it cannot be used.
    pub(super) fn cue_time(&mut self) -> Option<Duration> {
        if let Some(found) = self.find(&["timeoffset"]) {
            return self.time(found, Lengths::Seconds, Quantity::CueTime);
        }
        match (self.find(&["distoffset"]), self.lengths) {
            (Some(found), metres @ Lengths::Metres { .. }) => {
                self.time(found, metres, Quantity::CueTime)
            }
            // A place on the road has no time.
            (Some(_), Lengths::Seconds) => {
                self.remarks.ignore(self.element.at, self.element.name);
                None
            }
            (None, _) => Some(Duration::ZERO),
        }
    }

    /// Time for which a cue is shown; `None` without a usable one.
    pub(super) fn shown_for(&self) -> Option<Duration> {
        let seconds = finite(self.text("duration")?.trim())?;
        let duration = Duration::try_from_secs_f64(seconds).ok()?;
        (!duration.is_zero()).then(|| duration.min(MAX_DURATION))
    }

    fn time(
        &mut self,
        found: &Attribute<'_>,
        lengths: Lengths,
        quantity: Quantity,
    ) -> Option<Duration> {
        let seconds = lengths.seconds(self.number(found, quantity).usable()?);
        if !(0.0..=MAX_DURATION.as_secs_f64()).contains(&seconds) {
            return self.unusable(found, quantity).usable();
        }
        Some(Duration::from_millis((seconds * 1_000.0).round() as u64))
    }

    /// Number of repetitions of a set; 1 if the attribute is missing or 0. A number above the limit
    /// of intervals is one that exceeds it.
    pub(super) fn repeat(&mut self) -> usize {
        let Some(found) = self.find(&["Repeat"]) else {
            return 1;
        };
        match self.number(found, Quantity::Repeat) {
            Value::Usable(repeat) if repeat < 0.0 => {
                self.unusable::<()>(found, Quantity::Repeat);
                1
            }
            Value::Usable(repeat) => (repeat.round() as usize).clamp(1, MAX_INTERVALS + 1),
            Value::Missing | Value::Unusable => 1,
        }
    }

    /// Cadence in rpm, or the middle of a range of cadences. Files say 0, -1 or nothing for none.
    pub(super) fn cadence(&mut self, name: &str) -> Option<u16> {
        let (low, high) = (format!("{name}Low"), format!("{name}High"));
        let cadences = [name, &low, &high].map(|name| self.single_cadence(name));
        match cadences {
            [Some(cadence), ..] => Some(cadence),
            [None, Some(low), Some(high)] => Some(low.midpoint(high)),
            [None, low, high] => low.or(high),
        }
    }

    fn single_cadence(&mut self, name: &str) -> Option<u16> {
        let found = self.find(&[name])?;
        if found.value.trim().is_empty() {
            return None;
        }
        let cadence = self.number(found, Quantity::Cadence).usable()?.round();
        if cadence == 0.0 || cadence == -1.0 {
            return None;
        }
        if !(1.0..=f64::from(MAX_CADENCE)).contains(&cadence) {
            return self.unusable(found, Quantity::Cadence).usable();
        }
        Some(cadence as u16)
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}
