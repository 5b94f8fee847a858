//! Reading of workouts from ZWO files, the XML format of Zwift. It has no official specification;
//! this reader follows GoldenCheetah's reader and h4l's zwift-workout-file-reference.
//!
//! Layout: `source` decodes the text and rejects XML that would be slow to parse, `elements` reads
//! the elements of the workout, `attributes` their values, and [`ZwoError`] describes an error and
//! its place.
//!
//! Powers are fractions of FTP. `PowerLow` is the power at the start and `PowerHigh` the power at
//! the end, even where the first is the larger one. Unknown elements and attributes are ignored and
//! counted.

mod attributes;
mod elements;
mod error;
mod source;

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

pub use error::{Place, XmlError, ZwoError};

use super::{Draft, Workout};

/// Largest file in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;
/// Largest number of XML nodes.
const MAX_NODES: u32 = 100_000;
/// Largest number of names in the list of ignored elements and attributes.
const MAX_IGNORED: usize = 50;
/// Name of a workout without one.
const UNNAMED: &str = "Untitled workout";

/// Workout read from a file, and the parts of the file that were ignored.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// Workout.
    pub workout: Workout,
    /// Ignored parts of the file, to be shown to the rider.
    pub ignored: Vec<Ignored>,
}

/// Unknown element or attribute of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// Name of the element or attribute, at most 40 characters.
    pub name: String,
    /// Number of occurrences.
    pub count: usize,
}

/// Reads a workout from the bytes of a ZWO file in UTF-8 or UTF-16, with or without a byte order
/// mark. It never panics, and its time and memory are proportional to [`MAX_FILE_BYTES`].
///
/// # Errors
/// [`ZwoError`] with the error and its place.
pub fn parse(bytes: &[u8]) -> Result<Imported, ZwoError> {
    let text = source::decode(bytes)?;
    source::check(&text)?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(&text, options)
        .map_err(|error| error::from_parser(&error, &text))?;
    let mut ignored = IgnoredCounter::default();
    let draft = read_file(document.root_element(), &mut ignored)?;
    let workout = Workout::new(draft)?;
    Ok(Imported {
        workout,
        ignored: ignored.list(),
    })
}

fn read_file(root: Node<'_, '_>, ignored: &mut IgnoredCounter) -> Result<Draft, ZwoError> {
    if !is(root, "workout_file") {
        let found = error::clip(root.tag_name().name());
        return Err(ZwoError::NotAWorkoutFile {
            place: Place::of(root),
            found,
        });
    }
    let mut draft = Draft::default();
    let mut workout = None;
    for child in root.children().filter(Node::is_element) {
        match name(child).as_str() {
            "name" => draft.name = text(child),
            "author" => draft.author = text(child),
            "description" => draft.description = text(child),
            "workout" if workout.is_none() => workout = Some(child),
            // Metadata of collections does not affect the ride.
            "sporttype" | "tags" | "category" | "subcategory" | "categoryindex" => {}
            _ => ignored.count(child.tag_name().name()),
        }
    }
    if draft.name.is_empty() {
        draft.name = UNNAMED.to_owned();
    }
    let workout = workout.ok_or_else(|| ZwoError::NoWorkout {
        place: Place::of(root),
    })?;
    elements::read(workout, &mut draft, ignored)?;
    Ok(draft)
}

/// Compares names without case, since files use both.
fn is(node: Node<'_, '_>, name: &str) -> bool {
    node.tag_name().name().eq_ignore_ascii_case(name)
}

fn name(node: Node<'_, '_>) -> String {
    node.tag_name().name().to_ascii_lowercase()
}

fn text(node: Node<'_, '_>) -> String {
    let parts = node.children().filter(Node::is_text);
    parts
        .filter_map(|part| part.text())
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Counts ignored elements and attributes by name.
#[derive(Default)]
struct IgnoredCounter(BTreeMap<String, usize>);

impl IgnoredCounter {
    fn count(&mut self, name: &str) {
        let name = error::clip(name);
        if self.0.len() < MAX_IGNORED || self.0.contains_key(&name) {
            *self.0.entry(name).or_default() += 1;
        }
    }

    fn list(self) -> Vec<Ignored> {
        self.0
            .into_iter()
            .map(|(name, count)| Ignored { name, count })
            .collect()
    }
}

#[cfg(test)]
mod tests;
