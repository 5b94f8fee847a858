//! Remarks on a file that was read: what was repaired, assumed or left out.

use super::error::{Place, clip};
use crate::workout::TextField;

/// Largest number of different remarks on one file.
const MAX_REMARKS: usize = 50;

/// Remark on a file, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// Place of the first occurrence.
    pub place: Place,
    /// Number of occurrences.
    pub count: usize,
    /// Subject of the remark.
    pub kind: RemarkKind,
}

/// Subject of a remark. Names and values of the file have at most 40 characters.
#[derive(Clone, Debug, PartialEq)]
pub enum RemarkKind {
    /// Unknown element or attribute, or a cue without a place in the ride, that was left out.
    Ignored {
        /// Name of the element or attribute.
        name: String,
    },
    /// Error in the XML, read as it was meant.
    Malformed(Malformation),
    /// Letters that are not valid in the file's encoding, read as Windows-1252 or, in UTF-16, as
    /// replacement characters.
    Encoding,
    /// Value in an unusual notation.
    ReadAs {
        /// Name of the attribute.
        attribute: String,
        /// Value in the file.
        value: String,
        /// Number that it was read as.
        read: f64,
    },
    /// Value that cannot be used.
    Unusable {
        /// Name of the attribute.
        attribute: String,
        /// Value in the file.
        value: String,
        /// Meaning of the value, and so what became of it.
        quantity: Quantity,
    },
    /// Power beyond the limits of a workout, ridden at the limit.
    Clamped {
        /// Name of the attribute.
        attribute: String,
        /// Value in the file, as a fraction of FTP.
        value: f64,
        /// Limit, as a fraction of FTP.
        limit: f32,
    },
    /// Zone instead of a power, ridden at the middle of the zone.
    Zone {
        /// Name of the attribute.
        attribute: String,
        /// Number of the zone.
        zone: u8,
        /// Middle of the zone, as a fraction of FTP.
        power: f32,
    },
    /// Interval without a power, ridden without a target.
    NoPower {
        /// Name of the element or interval.
        element: String,
    },
    /// Interval without a duration, left out.
    NoDuration {
        /// Name of the element or interval.
        element: String,
    },
    /// Powers in W in a file without an FTP, read as shares of the rider's FTP.
    Watts {
        /// FTP of the rider in W.
        ftp: u16,
    },
    /// File that does not tell the unit of its powers.
    AssumedUnit(PowerUnit),
    /// Course of single points, each of which is ridden at its power until the next one.
    AssumedSteps,
    /// Course of single points, between which the power changes evenly.
    AssumedRamps,
    /// Line that cannot be read, left out.
    UnusableLine {
        /// Text of the line.
        line: String,
    },
    /// Step that ends with a lap button or another event, ridden for a fixed time.
    OpenEnded {
        /// Time in minutes.
        minutes: u16,
    },
    /// Target other than power, such as a heart rate. The interval is ridden without a target.
    OtherTarget,
    /// File that was damaged or cut off. What could be read is used.
    Damaged,
    /// Cool-down with rising power, ridden with falling power.
    RisingCooldown,
    /// Workout for runners, ridden with shares of FTP instead of shares of a pace.
    Running,
    /// Lengths in metres, ridden as times at an assumed speed.
    Distance {
        /// Speed in km/h.
        kmh: u8,
    },
    /// Text above its limit, shortened.
    Shortened(TextField),
    /// Cues above the limit of cues or of text, left out.
    CuesLeftOut,
    /// Remarks above the limit of remarks.
    More,
}

/// Unit of powers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PowerUnit {
    /// W.
    Watts,
    /// Percent of FTP.
    Percent,
}

/// Meaning of a value that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantity {
    /// Power as a share of FTP. The interval is ridden without a target.
    Power,
    /// Length of an interval. The interval is left out.
    Duration,
    /// Cadence in rpm. The interval is ridden at any cadence.
    Cadence,
    /// Number of repetitions. The set is ridden once.
    Repeat,
    /// Time of a cue. The cue is left out.
    CueTime,
}

/// Error in XML that was repaired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Malformation {
    /// XML declaration that does not begin the file.
    Declaration,
    /// Comment with `--` in it.
    Comment,
    /// `&` that does not begin a known entity, kept as it is.
    Ampersand,
    /// `<` that does not begin a tag, kept as it is.
    LessThan,
    /// Tag without its `>`.
    OpenTag,
    /// Value without quotes.
    Unquoted,
    /// Character between attributes, left out.
    Stray,
    /// Second attribute of a name in one element, left out.
    Duplicate(String),
    /// Closing tag of another element than the one that is open.
    Mismatch {
        /// Element that is open; empty if none is.
        expected: String,
        /// Element of the closing tag.
        found: String,
    },
    /// Text or elements before or after the workout, left out.
    Outside,
    /// Document type, left out.
    DocumentType,
    /// End of the file within an element.
    Truncated,
}

/// Collects remarks, equal ones as one.
pub(super) struct Remarks<'a> {
    /// Text of the file; `None` for a binary file, whose places are offsets.
    text: Option<&'a str>,
    /// Byte, line and start of the line of the newest remark, from which the next lines are counted.
    newest: (usize, u32, usize),
    remarks: Vec<Remark>,
    omitted: Option<Remark>,
}

impl<'a> Remarks<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text: Some(text),
            newest: (0, 1, 0),
            remarks: Vec::new(),
            omitted: None,
        }
    }

    /// Remarks on a binary file.
    pub(super) const fn binary() -> Self {
        Self {
            text: None,
            newest: (0, 1, 0),
            remarks: Vec::new(),
            omitted: None,
        }
    }

    /// Text of the file; empty for a binary file.
    pub(super) fn text(&self) -> &'a str {
        self.text.unwrap_or_default()
    }

    /// Adds a remark on what is at a byte.
    pub(super) fn add(&mut self, at: usize, kind: RemarkKind) {
        if let Some(equal) = self.remarks.iter_mut().find(|one| one.kind == kind) {
            equal.count += 1;
        } else if self.remarks.len() < MAX_REMARKS {
            let (place, count) = (self.place(at), 1);
            self.remarks.push(Remark { place, count, kind });
        } else if let Some(omitted) = &mut self.omitted {
            omitted.count += 1;
        } else {
            let (place, count, kind) = (self.place(at), 1, RemarkKind::More);
            self.omitted = Some(Remark { place, count, kind });
        }
    }

    /// Adds a remark on an element or attribute that is left out.
    pub(super) fn ignore(&mut self, at: usize, name: &str) {
        let name = clip(name);
        self.add(at, RemarkKind::Ignored { name });
    }

    /// Place of a byte. Files are at most 1 MiB, so that the numbers fit.
    fn place(&mut self, at: usize) -> Place {
        let Some(text) = self.text else {
            return Place::Byte(at as u32);
        };
        let (from, mut line, mut line_start) = match self.newest {
            (from, ..) if from > at => (0, 1, 0),
            newest => newest,
        };
        for (index, byte) in text.as_bytes()[from..at].iter().enumerate() {
            if *byte == b'\n' {
                line += 1;
                line_start = from + index + 1;
            }
        }
        self.newest = (at, line, line_start);
        let column = text[line_start..at].chars().count() as u32 + 1;
        Place::Text { line, column }
    }

    /// Takes all remarks, by place; those above the limit are the last one.
    pub(super) fn take(&mut self) -> Vec<Remark> {
        let mut remarks = core::mem::take(&mut self.remarks);
        remarks.sort_by_key(|remark| remark.place);
        remarks.extend(self.omitted.take());
        remarks
    }
}
