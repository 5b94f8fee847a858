//! Cleaning of text that other riders see.

/// Reports invisible characters: control characters, bidirectional overrides and isolates (Unicode
/// TR 9), zero-width and other ignorable characters.
///
/// Joiners (U+200C, U+200D) are not included, since Persian words and many emoji need them.
pub(crate) fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Reports zero-width joiners and non-joiners.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// Removes invisible characters, and space around the text. Line breaks and tabs become spaces;
/// `keep_lines` keeps the line breaks.
pub(crate) fn clean(text: &str, keep_lines: bool) -> String {
    let visible = text.chars().filter_map(|c| match c {
        '\n' if keep_lines => Some('\n'),
        '\n' | '\t' => Some(' '),
        c if is_invisible(c) => None,
        c => Some(c),
    });
    visible.collect::<String>().trim().to_owned()
}
