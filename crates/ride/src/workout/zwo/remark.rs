//! Remarks on a file that was read: what was repaired, assumed or left out.

use super::error::clip;
use crate::workout::TextField;

/// Largest number of different remarks on one file.
const MAX_REMARKS: usize = 50;

/// Remark on a file, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Remark {
    /// Line of the first occurrence, from 1.
    pub line: u32,
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
        /// Name of the element.
        element: String,
    },
    /// Interval without a duration, left out.
    NoDuration {
        /// Name of the element.
        element: String,
    },
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
    text: &'a str,
    /// Byte and line of the newest remark, from which the next lines are counted.
    newest: (usize, u32),
    remarks: Vec<Remark>,
    omitted: Option<Remark>,
}

impl<'a> Remarks<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            newest: (0, 1),
            remarks: Vec::new(),
            omitted: None,
        }
    }

    /// Text of the file.
    pub(super) const fn text(&self) -> &'a str {
        self.text
    }

    /// Adds a remark on the text at a byte.
    pub(super) fn add(&mut self, at: usize, kind: RemarkKind) {
        if let Some(equal) = self.remarks.iter_mut().find(|one| one.kind == kind) {
            equal.count += 1;
        } else if self.remarks.len() < MAX_REMARKS {
            let (line, count) = (self.line(at), 1);
            self.remarks.push(Remark { line, count, kind });
        } else if let Some(omitted) = &mut self.omitted {
            omitted.count += 1;
        } else {
            let (line, count, kind) = (self.line(at), 1, RemarkKind::More);
            self.omitted = Some(Remark { line, count, kind });
        }
    }

    /// Adds a remark on an element or attribute that is left out.
    pub(super) fn ignore(&mut self, at: usize, name: &str) {
        let name = clip(name);
        self.add(at, RemarkKind::Ignored { name });
    }

    fn line(&mut self, at: usize) -> u32 {
        let (from, line) = match self.newest {
            (from, _) if from > at => (0, 1),
            newest => newest,
        };
        let between = self.text.as_bytes()[from..at].iter();
        // Files are at most 1 MiB.
        let line = line + between.filter(|byte| **byte == b'\n').count() as u32;
        self.newest = (at, line);
        line
    }

    /// Takes all remarks, by line; those above the limit are the last one.
    pub(super) fn take(&mut self) -> Vec<Remark> {
        let mut remarks = core::mem::take(&mut self.remarks);
        remarks.sort_by_key(|remark| remark.line);
        remarks.extend(self.omitted.take());
        remarks
    }
}
