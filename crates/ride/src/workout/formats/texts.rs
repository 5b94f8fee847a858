//! Texts of a file, made to fit the limits of a workout.

use super::remark::{RemarkKind, Remarks};
use crate::text::clean;
use crate::workout::{Draft, MAX_CUES, MAX_TEXT_BYTES, TextField};

/// Shortens long texts and leaves out cues above the limits. Remarks on the texts of the whole
/// file are at `file_at`.
pub(super) fn fit(draft: &mut Draft, file_at: usize, remarks: &mut Remarks<'_>) {
    let fields = [
        (TextField::Name, &mut draft.name),
        (TextField::Author, &mut draft.author),
        (TextField::Description, &mut draft.description),
    ];
    let mut bytes = 0;
    for (field, text) in fields {
        if shorten(text, field) {
            remarks.add(file_at, RemarkKind::Shortened(field));
        }
        bytes += text.len();
    }
    for interval in &mut draft.intervals {
        if shorten(&mut interval.name, TextField::IntervalName) {
            remarks.add(file_at, RemarkKind::Shortened(TextField::IntervalName));
        }
        if bytes + interval.name.len() > MAX_TEXT_BYTES {
            interval.name.clear();
            remarks.add(file_at, RemarkKind::Shortened(TextField::IntervalName));
        }
        bytes += interval.name.len();
    }
    let mut kept = 0;
    draft.cues.retain(|cue| {
        let fits = kept < MAX_CUES && bytes + cue.text.len() <= MAX_TEXT_BYTES;
        if fits {
            kept += 1;
            bytes += cue.text.len();
        } else {
            remarks.add(file_at, RemarkKind::CuesLeftOut);
        }
        fits
    });
}

/// Cleans a text and shortens it to its limit. Returns `true` if it was longer.
pub(super) fn shorten(text: &mut String, field: TextField) -> bool {
    *text = clean(text, field == TextField::Description);
    let Some((end, _)) = text.char_indices().nth(field.limit() - 1) else {
        return false;
    };
    if text[end..].chars().nth(1).is_none() {
        return false;
    }
    text.truncate(end);
    text.push('…');
    true
}
