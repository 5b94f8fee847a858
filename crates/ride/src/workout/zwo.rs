//! Reading workouts from ZWO files, the XML that Zwift made common. The format is not written down
//! by its makers; this follows GoldenCheetah's reader and h4l's zwift-workout-file-reference.
//!
//! Layout: `source` turns bytes into text and keeps hostile XML away from the parser, `elements`
//! reads the elements of the workout, `attributes` their values, [`ZwoError`] says what is wrong
//! and where.
//!
//! Powers are fractions of FTP and go from low to high *in time*, whatever their order. What is not
//! known is left out, counted, and told to the rider.

mod attributes;
mod elements;
mod error;
mod source;

use std::collections::BTreeMap;

use roxmltree::{Document, Node, ParsingOptions};

pub use error::{Place, XmlFault, ZwoError};

use super::{Draft, Workout};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;
/// The most XML nodes that are read.
const MAX_NODES: u32 = 100_000;
/// The most different things that are listed as ignored.
const MAX_IGNORED: usize = 50;
/// What a workout without a name is called.
const UNNAMED: &str = "Untitled workout";

/// A workout read from a file, and what had to be left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported {
    /// The workout.
    pub workout: Workout,
    /// What is in the file but not in the workout; for the rider to know.
    pub ignored: Vec<Ignored>,
}

/// Something in a file that this app does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The name of the element or attribute, at most 40 characters.
    pub what: String,
    /// How often it occurs.
    pub count: usize,
}

/// Reads a workout from the bytes of a ZWO file: UTF-8 or UTF-16, with or without a byte order
/// mark.
///
/// # Errors
/// What is wrong with the file, and where; see [`ZwoError`]. Whatever the bytes: never a panic, and
/// time and memory in proportion to [`MAX_BYTES`].
pub fn parse(bytes: &[u8]) -> Result<Imported, ZwoError> {
    let text = source::decode(bytes)?;
    source::check(&text)?;
    let options = ParsingOptions {
        nodes_limit: MAX_NODES,
        ..ParsingOptions::default()
    };
    let document =
        Document::parse_with_options(&text, options).map_err(|error| error::xml(&error, &text))?;
    let mut ignored = Counter::default();
    let draft = file(document.root_element(), &mut ignored)?;
    let workout = Workout::new(draft)?;
    Ok(Imported {
        workout,
        ignored: ignored.list(),
    })
}

fn file(root: Node<'_, '_>, ignored: &mut Counter) -> Result<Draft, ZwoError> {
    if !is(root, "workout_file") {
        let found = error::clip(root.tag_name().name());
        return Err(ZwoError::Foreign {
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
            // What sorts a file into a collection says nothing about riding it.
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

/// Names are compared without case: files in the wild write them either way.
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

/// Counts what is ignored, by name.
#[derive(Default)]
struct Counter(BTreeMap<String, usize>);

impl Counter {
    fn count(&mut self, what: &str) {
        let what = error::clip(what);
        if self.0.len() < MAX_IGNORED || self.0.contains_key(&what) {
            *self.0.entry(what).or_default() += 1;
        }
    }

    fn list(self) -> Vec<Ignored> {
        self.0
            .into_iter()
            .map(|(what, count)| Ignored { what, count })
            .collect()
    }
}

#[cfg(test)]
mod tests;
