//! Which characters may stand in text that other riders see.

/// Whether a character changes how the text around it is shown while showing nothing itself:
/// control characters, bidirectional overrides and isolates (Unicode TR 9), zero-width and other
/// ignorable ones.
///
/// Joiners (U+200C, U+200D) are not among them: Persian words and many emoji need them.
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character joins its neighbours: zero-width joiner and non-joiner.
pub(crate) fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200c}' | '\u{200d}')
}

/// The text without hidden characters and without space around it; line breaks and tabs become
/// spaces unless `lines` keeps the breaks.
pub(crate) fn clean(text: &str, lines: bool) -> String {
    let shown = text.chars().filter_map(|c| match c {
        '\n' if lines => Some('\n'),
        '\n' | '\t' => Some(' '),
        c if is_hidden(c) => None,
        c => Some(c),
    });
    shown.collect::<String>().trim().to_owned()
}
