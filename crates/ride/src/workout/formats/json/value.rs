//! Values of JSON, read with tolerance: numbers may be texts.

use core::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::Members;
use crate::rider::Ftp;
use crate::workout::formats::clamp_power;
use crate::workout::formats::error::{FileError, Place, clip};
use crate::workout::formats::push_interval;
use crate::workout::formats::remark::{Quantity, RemarkKind, Remarks};
use crate::workout::{Draft, Interval, MAX_CADENCE, MAX_DURATION};

/// Text of a member; empty if it has none.
pub(super) fn text(members: &Members<'_>, key: &str) -> String {
    let value = members.get(key).map(|raw| raw.get());
    let text: Option<String> = value.and_then(|raw| serde_json::from_str(raw).ok());
    text.unwrap_or_default()
}

/// Offset of a value in the text that it was borrowed from, in bytes.
pub(super) fn offset(text: &str, value: &RawValue) -> usize {
    (value.get().as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// Number in a value; `None` for a value that is not a finite number.
pub(super) fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().replacen(',', ".", 1).parse().ok(),
        value => value.as_f64(),
    };
    number.filter(|number: &f64| number.is_finite())
}

/// Reader of one file.
pub(super) struct Reader<'r, 'a> {
    text: &'a str,
    /// FTP in W that the file names.
    file_ftp: Option<f64>,
    ftp: Ftp,
    pub remarks: &'r mut Remarks<'a>,
    /// Length of the intervals so far.
    pub end: Duration,
    /// Number of steps looked at.
    pub visited: usize,
}

impl<'r, 'a> Reader<'r, 'a> {
    pub(super) fn new(
        text: &'a str,
        members: &Members<'_>,
        ftp: Ftp,
        remarks: &'r mut Remarks<'a>,
    ) -> Self {
        let value = members.get("ftp").map(|raw| raw.get());
        let value: Option<Value> = value.and_then(|raw| serde_json::from_str(raw).ok());
        let named = value.as_ref().and_then(number);
        let range = f64::from(Ftp::MIN)..=f64::from(Ftp::MAX);
        Self {
            text,
            file_ftp: named.filter(|ftp| range.contains(ftp)),
            ftp,
            remarks,
            end: Duration::ZERO,
            visited: 0,
        }
    }

    /// Place of a value in bytes.
    pub(super) fn offset(&self, value: &RawValue) -> usize {
        offset(self.text, value)
    }

    /// Appends an interval, unless the workout would exceed its limits.
    pub(super) fn push(
        &mut self,
        draft: &mut Draft,
        interval: Interval,
        at: usize,
    ) -> Result<(), FileError> {
        let place = || Place::at(self.text, at);
        push_interval(draft, interval, &mut self.end, place)
    }

    /// Number of a member; `None` without one, with a remark if it cannot be used.
    pub(super) fn number(
        &mut self,
        object: &Value,
        key: &str,
        quantity: Quantity,
        at: usize,
    ) -> Option<f64> {
        let value = object.get(key).filter(|value| !value.is_null())?;
        let number = number(value);
        if number.is_none() {
            self.unusable(key, value, quantity, at);
        }
        number
    }

    pub(super) fn unusable(&mut self, key: &str, value: &Value, quantity: Quantity, at: usize) {
        let unusable = RemarkKind::Unusable {
            attribute: key.to_owned(),
            value: clip(&value.to_string()),
            quantity,
        };
        self.remarks.add(at, unusable);
    }

    /// Time in seconds of a member.
    pub(super) fn time(
        &mut self,
        object: &Value,
        key: &str,
        quantity: Quantity,
        at: usize,
    ) -> Option<Duration> {
        let seconds = self.number(object, key, quantity, at)?;
        if !(0.0..=MAX_DURATION.as_secs_f64()).contains(&seconds) {
            self.unusable(key, &object[key], quantity, at);
            return None;
        }
        Some(Duration::from_millis((seconds * 1_000.0).round() as u64))
    }

    /// Cadence in rpm of a member. Files say 0 or nothing for none.
    pub(super) fn cadence(&mut self, object: &Value, key: &str, at: usize) -> Option<u16> {
        let cadence = self.number(object, key, Quantity::Cadence, at)?.round();
        if cadence == 0.0 {
            return None;
        }
        if !(1.0..=f64::from(MAX_CADENCE)).contains(&cadence) {
            self.unusable(key, &object[key], Quantity::Cadence, at);
            return None;
        }
        Some(cadence as u16)
    }

    /// Power in percent of FTP as a fraction of FTP.
    pub(super) fn percent(&mut self, percent: f64, key: &str, at: usize) -> f32 {
        clamp_power(percent / 100.0, at, key, self.remarks)
    }

    /// Power in W as a fraction of the FTP that the file names, or else of the rider's.
    pub(super) fn watts(&mut self, watts: f64, key: &str, at: usize) -> f32 {
        let ftp = self.file_ftp.unwrap_or_else(|| {
            let ftp = self.ftp.watts();
            self.remarks.add(at, RemarkKind::Watts { ftp });
            f64::from(ftp)
        });
        clamp_power(watts / ftp, at, key, self.remarks)
    }
}
