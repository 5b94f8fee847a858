//! Values of the attributes of an element.

use core::time::Duration;

use roxmltree::{Attribute, Node};

use super::error::{Place, ZwoError, clip};
use crate::workout::{MAX_CADENCE, MAX_DURATION, MAX_FRACTION, MAX_INTERVALS, Target};

/// Attributes of an element.
#[derive(Clone, Copy)]
pub(super) struct Attributes<'a, 'input>(pub(super) Node<'a, 'input>);

impl<'a, 'input> Attributes<'a, 'input> {
    fn find(self, name: &str) -> Option<Attribute<'a, 'input>> {
        self.0
            .attributes()
            .find(|attribute| attribute.name().eq_ignore_ascii_case(name))
    }

    pub(super) fn text(self, name: &str) -> Option<&'a str> {
        self.find(name).map(|attribute| attribute.value())
    }

    fn place(self, attribute: Attribute<'_, '_>) -> Place {
        Place::at(self.0, attribute.range().start)
    }

    pub(super) fn missing(self, attribute: &'static str) -> ZwoError {
        ZwoError::Missing {
            place: Place::of(self.0),
            element: clip(self.0.tag_name().name()),
            attribute,
        }
    }

    /// Number that `is_valid` accepts; `None` without the attribute.
    fn number(
        self,
        name: &str,
        is_valid: impl Fn(f64) -> bool,
        error: impl Fn(Place, String, f64) -> ZwoError,
    ) -> Result<Option<f64>, ZwoError> {
        let Some(attribute) = self.find(name) else {
            return Ok(None);
        };
        // The place is found by reading the whole file, so it is computed for errors only.
        let invalid = |value| error(self.place(attribute), attribute.name().to_owned(), value);
        match attribute.value().trim().parse::<f64>() {
            Ok(value) if value.is_finite() => is_valid(value)
                .then_some(Some(value))
                .ok_or_else(|| invalid(value)),
            _ => Err(self.not_a_number(attribute)),
        }
    }

    fn not_a_number(self, found: Attribute<'_, '_>) -> ZwoError {
        let (place, attribute) = (self.place(found), found.name().to_owned());
        ZwoError::NotANumber {
            place,
            attribute,
            value: clip(found.value()),
        }
    }

    /// Power as a fraction of FTP.
    fn power(self, name: &str) -> Result<Option<f32>, ZwoError> {
        let power = self.number(
            name,
            |value| (0.0..=f64::from(MAX_FRACTION)).contains(&value),
            |place, attribute, value| ZwoError::Power {
                place,
                attribute,
                value,
            },
        )?;
        Ok(power.map(|power| power as f32))
    }

    /// Duration in whole milliseconds.
    pub(super) fn duration(self, name: &'static str) -> Result<Option<Duration>, ZwoError> {
        let seconds = self.number(
            name,
            |value| (0.0..=MAX_DURATION.as_secs_f64()).contains(&value),
            |place, attribute, value| ZwoError::Duration {
                place,
                attribute,
                value,
            },
        )?;
        Ok(seconds.map(|seconds| Duration::from_millis((seconds * 1_000.0).round() as u64)))
    }

    fn count(self, name: &str, max: u16) -> Result<Option<u16>, ZwoError> {
        let count = self.number(
            name,
            |value| (0.0..=f64::from(max)).contains(&value),
            |place, attribute, value| ZwoError::Count {
                place,
                attribute,
                value,
                max,
            },
        )?;
        Ok(count.map(|count| count.round() as u16))
    }

    /// Number of repetitions of a set; 1 if the attribute is missing or 0.
    pub(super) fn repeat(self) -> Result<usize, ZwoError> {
        let repeat = self.count("Repeat", MAX_INTERVALS as u16)?.unwrap_or(1);
        Ok(usize::from(repeat.max(1)))
    }

    /// Cadence in rpm, or the middle of a range of cadences; 0 counts as missing.
    pub(super) fn cadence(self, name: &str) -> Result<Option<u16>, ZwoError> {
        let (low, high) = (format!("{name}Low"), format!("{name}High"));
        let cadence = match (
            self.count(name, MAX_CADENCE)?,
            self.count(&low, MAX_CADENCE)?,
            self.count(&high, MAX_CADENCE)?,
        ) {
            (Some(cadence), ..) => Some(cadence),
            (None, Some(low), Some(high)) => Some((low + high) / 2),
            (None, low, high) => low.or(high),
        };
        Ok(cadence.filter(|cadence| *cadence > 0))
    }

    /// Power that changes from `low` to `high`, or constant power of `flat`.
    pub(super) fn slope(
        self,
        flat: &'static str,
        low: &str,
        high: &str,
    ) -> Result<Target, ZwoError> {
        let power = (self.power(flat)?, self.power(low)?, self.power(high)?);
        match power {
            (_, Some(from), Some(to)) => Ok(Target::Power { from, to }),
            (Some(power), ..) | (None, Some(power), None) | (None, None, Some(power)) => {
                Ok(Target::steady(power))
            }
            (None, None, None) => Err(self.missing(flat)),
        }
    }

    /// Constant power, or the middle of a range of powers.
    pub(super) fn constant(self) -> Result<Target, ZwoError> {
        if let Some(power) = self.power("Power")? {
            return Ok(Target::steady(power));
        }
        match self.slope("Power", "PowerLow", "PowerHigh")? {
            Target::Power { from, to } => Ok(Target::steady((from + to) / 2.0)),
            other => Ok(other),
        }
    }
}
