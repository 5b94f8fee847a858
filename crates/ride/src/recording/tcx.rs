//! Writing a recording as a TCX file (Garmin Training Center Database v2, with Activity Extension v2).
//!
//! The file holds one activity with a lap for each interval, whose trackpoints stand in a track for
//! each stretch without a pause, as devices of Garmin write it. What counts, its speed, and its totals
//! are those of all files of a ride ([`activity`](super::activity)). Elements stand in the order of the
//! schemas TrainingCenterDatabasev2.xsd and ActivityExtensionv2.xsd. Elements of the extension declare
//! their namespace themselves instead of having a prefix, since some readers compare names only.
//!
//! The schema demands distance and calories of a lap: without speed and power they are 0. Targets, the
//! sensors and the kind of ride have no place in the format.

use core::fmt::{self, Display, Write};

use super::Sample;
pub use super::activity::{Activity, ActivityError, ActivityFile};
use super::activity::{
    CREATOR, Motion, Ride, RideLap, byte, civil_date, file_name, version, whole,
};
use crate::workout::IntervalKind;

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
<Activities>
<Activity Sport="Biking">
"#;
const FOOT: &str = "</Activity>\n</Activities>\n</TrainingCenterDatabase>\n";
/// Highest cadence and heart rate that the schema allows.
const MAX_BYTE: u8 = 254;
/// Usual size of a trackpoint in bytes.
const POINT_BYTES: usize = 340;

/// Writes a ride as a TCX file. All its times are UTC; `utc_offset`, the offset of local time from UTC
/// in seconds for a ride that does not know it, is for the date in the file's name.
///
/// # Errors
/// [`ActivityError::Empty`] or [`ActivityError::Date`].
pub fn encode(activity: &Activity, utc_offset: i32) -> Result<ActivityFile, ActivityError> {
    let utc_offset = super::activity::utc_offset(&activity.recording, utc_offset);
    let ride = Ride::new(activity)?;
    let mut xml = Xml(String::with_capacity(POINT_BYTES * ride.samples.len()));
    xml.markup(HEAD);
    xml.element("Id", &Time(ride.start()));
    for (index, lap) in ride.laps.iter().enumerate() {
        write_lap(&mut xml, &ride, index, lap);
    }
    let name = ride.workout_name();
    if !name.is_empty() {
        xml.element("Notes", &Text(name));
    }
    let (major, minor) = version();
    xml.markup("<Creator xsi:type=\"Device_t\">");
    xml.element("Name", &CREATOR);
    xml.element("UnitId", &activity.serial_number);
    xml.element("ProductID", &0);
    xml.markup("<Version>");
    xml.element("VersionMajor", &major);
    xml.element("VersionMinor", &minor);
    xml.markup("</Version></Creator>\n");
    xml.markup(FOOT);
    Ok(ActivityFile {
        name: file_name(&activity.recording, utc_offset, "tcx"),
        bytes: xml.0.into_bytes(),
    })
}

fn write_lap(xml: &mut Xml, ride: &Ride<'_>, index: usize, lap: &RideLap) {
    let totals = ride.totals(lap.samples.clone());
    let figures = totals.figures;
    let is_rest = ride
        .interval(lap)
        .is_some_and(|(_, interval)| interval.kind == IntervalKind::Rest);
    let is_by_hand = lap.is_cut_off || index + 1 == ride.laps.len();
    xml.markup("<Lap StartTime=\"");
    xml.value(&Time(lap.from));
    xml.markup("\">\n");
    xml.element("TotalTimeSeconds", &totals.seconds);
    xml.element(
        "DistanceMeters",
        &Decimal::hundredths(totals.distance.unwrap_or_default()),
    );
    xml.optional("MaximumSpeed", totals.max_speed.map(Decimal::thousandths));
    xml.element("Calories", &totals.calories.unwrap_or_default());
    xml.heart_rate("AverageHeartRateBpm", figures.average_heart_rate.map(byte));
    xml.heart_rate("MaximumHeartRateBpm", totals.max_heart_rate);
    xml.element("Intensity", &if is_rest { "Resting" } else { "Active" });
    xml.cadence("Cadence", figures.average_cadence.map(byte));
    xml.element("TriggerMethod", &if is_by_hand { "Manual" } else { "Time" });
    xml.markup("\n");
    let mut next = None;
    for index in lap.samples.clone() {
        let Some(sample) = ride.samples.get(index) else {
            break;
        };
        let at = sample.at.unix_seconds();
        match next {
            None => xml.markup("<Track>\n"),
            Some(next) if next != at => xml.markup("</Track>\n<Track>\n"),
            Some(_) => {}
        }
        next = Some(at + 1);
        write_point(xml, sample, ride.motion(index));
    }
    xml.markup("</Track>\n");
    xml.extension("LX", |xml| {
        xml.optional("AvgSpeed", totals.average_speed.map(Decimal::thousandths));
        xml.cadence("MaxBikeCadence", totals.max_cadence);
        xml.optional("AvgWatts", figures.average_power.map(whole));
        xml.optional("MaxWatts", figures.max_power);
    });
    xml.markup("</Lap>\n");
}

fn write_point(xml: &mut Xml, sample: &Sample, motion: Option<Motion>) {
    xml.markup("<Trackpoint>");
    xml.element("Time", &Time(sample.at.unix_seconds()));
    let distance = motion.map(|motion| Decimal::hundredths(motion.distance));
    xml.optional("DistanceMeters", distance);
    xml.heart_rate("HeartRateBpm", sample.heart_rate);
    xml.cadence("Cadence", sample.cadence);
    xml.extension("TPX", |xml| {
        xml.optional(
            "Speed",
            motion.map(|motion| Decimal::thousandths(motion.speed)),
        );
        xml.optional("Watts", sample.power);
    });
    xml.markup("</Trackpoint>\n");
}

/// Text of the file.
struct Xml(String);

impl Xml {
    fn markup(&mut self, markup: &str) {
        self.0.push_str(markup);
    }

    fn value(&mut self, value: &dyn Display) {
        // Writing into a string cannot fail.
        let _ = write!(self.0, "{value}");
    }

    fn element(&mut self, name: &str, value: &dyn Display) {
        let _ = write!(self.0, "<{name}>{value}</{name}>");
    }

    fn optional<T: Display>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.element(name, &value);
        }
    }

    /// Heart rate; the schema does not allow 0.
    fn heart_rate(&mut self, name: &str, beats: Option<u8>) {
        if let Some(beats) = beats.filter(|beats| *beats > 0) {
            let beats = beats.min(MAX_BYTE);
            let _ = write!(self.0, "<{name}><Value>{beats}</Value></{name}>");
        }
    }

    fn cadence(&mut self, name: &str, rpm: Option<u8>) {
        self.optional(name, rpm.map(|rpm| rpm.min(MAX_BYTE)));
    }

    /// Element of Activity Extension v2 with its content; nothing if it is empty.
    fn extension(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let start = self.0.len();
        let _ = write!(
            self.0,
            "<Extensions><{name} xmlns=\"http://www.garmin.com/xmlschemas/ActivityExtension/v2\">"
        );
        let inner = self.0.len();
        content(self);
        if self.0.len() == inner {
            self.0.truncate(start);
        } else {
            let _ = write!(self.0, "</{name}></Extensions>");
        }
    }
}

/// Decimal number with a fixed number of digits after the point.
struct Decimal {
    whole: u32,
    rest: u32,
    digits: usize,
}

impl Decimal {
    const fn hundredths(value: u32) -> Self {
        Self {
            whole: value / 100,
            rest: value % 100,
            digits: 2,
        }
    }

    fn thousandths(value: u16) -> Self {
        Self {
            whole: u32::from(value / 1_000),
            rest: u32::from(value % 1_000),
            digits: 3,
        }
    }
}

impl Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:0digits$}",
            self.whole,
            self.rest,
            digits = self.digits
        )
    }
}

/// Unix time in seconds, written as UTC in the form of xsd:dateTime.
struct Time(u64);

impl Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Times of a ride are in the range of FIT.
        let (year, month, day) = civil_date((self.0 / 86_400) as i64);
        let second = self.0 % 86_400;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

/// Text with escaped markup, without the characters that XML 1.0 does not allow (section 2.2). A
/// carriage return is escaped, too, or readers turn it into a line feed.
struct Text<'a>(&'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;"),
                '<' => f.write_str("&lt;"),
                '>' => f.write_str("&gt;"),
                '"' => f.write_str("&quot;"),
                '\r' => f.write_str("&#13;"),
                '\t' | '\n' => f.write_char(letter),
                '\0'..' ' | '\u{fffe}' | '\u{ffff}' => Ok(()),
                _ => f.write_char(letter),
            }?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
