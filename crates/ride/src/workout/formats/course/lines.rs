//! Lines of a course.

use core::time::Duration;

use crate::rider::Ftp;
use crate::workout::formats::error::clip;
use crate::workout::formats::remark::{PowerUnit, RemarkKind, Remarks};
use crate::workout::{Cue, MAX_DURATION};

/// Time for which a cue is shown by default.
const DEFAULT_SHOWN_FOR: Duration = Duration::from_secs(10);
/// Longest description that also serves as the name of a workout without one, in characters.
const MAX_NAME_FROM_DESCRIPTION: usize = 60;

/// Everything that a file says.
#[derive(Default)]
pub(super) struct Course {
    pub name: String,
    pub description: String,
    pub unit: Option<PowerUnit>,
    /// FTP in W.
    pub ftp: Option<f64>,
    /// Points in order of time. Of more than two at one minute, the first and the last are kept.
    pub points: Vec<Point>,
    /// Starts of laps, with their names.
    pub laps: Vec<(Duration, String)>,
    /// Cues, each with the place of its line in bytes.
    pub cues: Vec<(usize, Cue)>,
}

pub(super) struct Point {
    /// Place of its line, in bytes.
    pub at: usize,
    pub minute: Duration,
    pub value: f64,
}

#[derive(Clone, Copy)]
enum Section {
    /// Before the first section, after the end of one, or in an unknown one.
    Outside,
    Header,
    Data,
    Text,
}

/// Reports whether a text has a section of a course.
pub(in crate::workout::formats) fn has_section(text: &str) -> bool {
    let names = text.lines().filter_map(section_name);
    names
        .into_iter()
        .any(|name| matches!(&*name, "COURSE HEADER" | "COURSE DATA"))
}

/// Reads all lines.
pub(super) fn read(remarks: &mut Remarks<'_>) -> Course {
    let mut course = Course::default();
    let mut section = Section::Outside;
    let mut at = 0;
    for line in remarks.text().split_inclusive('\n') {
        let start = at + (line.len() - line.trim_start().len());
        at += line.len();
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = section_name(line) {
            section = match &*name {
                "COURSE HEADER" => Section::Header,
                "COURSE DATA" => Section::Data,
                "COURSE TEXT" => Section::Text,
                name => {
                    if !name.starts_with("END") {
                        remarks.ignore(start, name);
                    }
                    Section::Outside
                }
            };
            continue;
        }
        let is_number = line.starts_with(|c: char| c.is_ascii_digit());
        match section {
            Section::Header => course.read_header(line),
            Section::Data => course.read_data(start, line, remarks),
            Section::Text => course.read_cue(start, line, remarks),
            Section::Outside if is_number => course.read_data(start, line, remarks),
            Section::Outside => course.read_header(line),
        }
    }
    course.find_name();
    course
}

/// Name of a section in capitals, if the line begins one.
fn section_name(line: &str) -> Option<String> {
    let (name, _) = line.trim().strip_prefix('[')?.split_once(']')?;
    Some(name.trim().to_ascii_uppercase())
}

impl Course {
    fn read_header(&mut self, line: &str) {
        if let Some((key, value)) = line.split_once('=') {
            let value = value.trim();
            match &*key.trim().to_ascii_uppercase() {
                "FILE NAME" | "FILENAME" => self.name = name_of(value),
                "DESCRIPTION" => self.description = value.to_owned(),
                "FTP" => {
                    let ftp = number(value).filter(|ftp| is_ftp(*ftp));
                    self.ftp = ftp.or(self.ftp);
                }
                // Version, units of length and what other programs note do not affect the ride.
                _ => {}
            }
            return;
        }
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        if first.eq_ignore_ascii_case("MINUTES") {
            let unit = words.next().unwrap_or_default().to_ascii_uppercase();
            self.unit = match &*unit {
                "WATTS" => Some(PowerUnit::Watts),
                "PERCENT" | "PERCENTAGE" | "FTP" | "%" => Some(PowerUnit::Percent),
                _ => self.unit,
            };
        }
    }

    /// Reads a point, or the start of a lap.
    fn read_data(&mut self, at: usize, line: &str, remarks: &mut Remarks<'_>) {
        let unusable = |remarks: &mut Remarks<'_>| {
            let line = clip(line);
            remarks.add(at, RemarkKind::UnusableLine { line });
        };
        let mut words = line.split([' ', '\t', ';']).filter(|word| !word.is_empty());
        let (Some(first), second) = (words.next(), words.next()) else {
            return;
        };
        // A line without space may have a comma between its numbers.
        let (first, second) = match (second, first.split_once(',')) {
            (None, Some((minute, value))) => (minute, Some(value)),
            _ => (first, second),
        };
        let Some(minute) = minute(first) else {
            return unusable(remarks);
        };
        let second = second.unwrap_or_default();
        if second.eq_ignore_ascii_case("LAP") {
            let name: Vec<&str> = words.collect();
            self.laps.push((minute, name.join(" ")));
            return;
        }
        let is_late = self.points.last().is_some_and(|last| minute < last.minute);
        let Some(value) = number(second).filter(|_| !is_late) else {
            return unusable(remarks);
        };
        let point = Point { at, minute, value };
        // Of three points at one minute, the one in the middle is a power that lasts no time.
        if let [.., a, b] = &mut *self.points
            && a.minute == minute
            && b.minute == minute
        {
            *b = point;
        } else {
            self.points.push(point);
        }
    }

    /// Reads a cue: second, text and seconds to show it, separated by tabs or by spaces.
    fn read_cue(&mut self, at: usize, line: &str, remarks: &mut Remarks<'_>) {
        let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
        let (second, text, shown_for) = match &*fields {
            [second, text] => (*second, *text, None),
            [second, text, shown_for, ..] => (*second, *text, number(shown_for)),
            _ => {
                let (second, rest) = line.split_once(' ').unwrap_or((line, ""));
                match rest.rsplit_once(' ') {
                    Some((text, last)) if number(last).is_some() => (second, text, number(last)),
                    _ => (second, rest, None),
                }
            }
        };
        let text = text.trim();
        let quoted = text
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'));
        let text = quoted.unwrap_or(text);
        let time = number(second).and_then(seconds);
        let Some(time) = time.filter(|_| !text.is_empty()) else {
            let line = clip(line);
            return remarks.add(at, RemarkKind::UnusableLine { line });
        };
        let shown_for = shown_for.and_then(seconds).filter(|time| !time.is_zero());
        let cue = Cue {
            at: time,
            shown_for: shown_for.unwrap_or(DEFAULT_SHOWN_FOR),
            text: text.to_owned(),
        };
        self.cues.push((at, cue));
    }

    /// A short description of a workout without a name is its name.
    fn find_name(&mut self) {
        let length = self.description.chars().count();
        if self.name.is_empty() && length <= MAX_NAME_FROM_DESCRIPTION {
            self.name = core::mem::take(&mut self.description);
        } else if self.name == self.description {
            self.description.clear();
        }
    }
}

/// Name without the ending of a file.
fn name_of(value: &str) -> String {
    let name = value.rsplit_once('.').filter(|(_, ending)| {
        ["erg", "mrc"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
    });
    name.map_or(value, |(name, _)| name).to_owned()
}

fn is_ftp(watts: f64) -> bool {
    (f64::from(Ftp::MIN)..=f64::from(Ftp::MAX)).contains(&watts)
}

/// Number, also with a decimal comma or a percent sign.
fn number(text: &str) -> Option<f64> {
    let text = text.trim().trim_end_matches(['%', 'W', 'w']);
    let number: f64 = text.replacen(',', ".", 1).parse().ok()?;
    number.is_finite().then_some(number)
}

fn seconds(seconds: f64) -> Option<Duration> {
    let is_in_range = (0.0..=MAX_DURATION.as_secs_f64() * 2.0).contains(&seconds);
    is_in_range.then(|| Duration::from_millis((seconds * 1_000.0).round() as u64))
}

/// Time of a point. Minutes with at most three decimals mean whole seconds: 0.33 is 20 s.
fn minute(text: &str) -> Option<Duration> {
    let exact = number(text)? * 60.0;
    let decimals = text
        .split_once(['.', ','])
        .map_or(0, |(_, part)| part.len());
    let exact = if decimals <= 3 { exact.round() } else { exact };
    // A course that is too long is refused as a whole.
    seconds(exact.min(MAX_DURATION.as_secs_f64() * 2.0))
}
