//! Names of files that other riders send.

use crate::text::{is_invisible, is_joiner};

/// Largest number of characters (Unicode scalar values) of a cleaned name.
pub const MAX_FILE_NAME_CHARS: usize = 120;
/// Largest length of a cleaned name in bytes. File systems allow 255, and browsers add a number
/// where a name is taken.
pub const MAX_FILE_NAME_BYTES: usize = 240;
/// Largest number of characters of an extension that is kept when a name is cut.
const MAX_EXTENSION_CHARS: usize = 16;
/// Name of a file of which nothing else is left.
const UNNAMED: &str = "file";

/// Name of a file that is safe to be shown and to be saved: no path, no control, invisible or
/// bidirectional characters, no dots at its ends, none of the characters and device names that
/// Windows reserves, never empty, and at most [`MAX_FILE_NAME_CHARS`] and [`MAX_FILE_NAME_BYTES`]
/// long. A name that is too long keeps its extension.
///
/// Spaces that follow each other become one, so that they cannot push the extension out of sight.
pub fn clean_file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut clean = String::new();
    for c in last.chars() {
        match c {
            c if c.is_whitespace() => {
                if !clean.ends_with(' ') {
                    clean.push(' ');
                }
            }
            c if is_invisible(c) || is_joiner(c) => {}
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => clean.push('_'),
            c => clean.push(c),
        }
    }
    let clean = trim(&clean);
    // The name of a device ends at the first dot.
    let prefix = if is_device(clean) { "_" } else { "" };
    let room = (
        MAX_FILE_NAME_CHARS - prefix.len(),
        MAX_FILE_NAME_BYTES - prefix.len(),
    );
    let (stem, extension) = split(clean, room);
    if stem.is_empty() {
        return UNNAMED.to_owned();
    }
    format!("{prefix}{stem}{extension}")
}

/// Name without dots and spaces at its ends.
fn trim(name: &str) -> &str {
    name.trim_matches(['.', ' '])
}

/// Stem and extension (with its dot) of a name, the stem cut so that both fit into `room`,
/// characters and bytes.
fn split(name: &str, room: (usize, usize)) -> (&str, &str) {
    if fits(name, room) {
        return (name, "");
    }
    let dot = name.rfind('.').unwrap_or(name.len());
    let (stem, extension) = name.split_at(dot);
    let (stem, extension) = match extension.chars().count() {
        0..=MAX_EXTENSION_CHARS => (stem, extension),
        _ => (name, ""),
    };
    let room = (room.0 - extension.chars().count(), room.1 - extension.len());
    let ends = stem.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends.take(room.0).take_while(|end| *end <= room.1).last();
    (trim(&stem[..end.unwrap_or(0)]), extension)
}

fn fits(name: &str, room: (usize, usize)) -> bool {
    name.len() <= room.1 && name.chars().count() <= room.0
}

/// True for a name that Windows takes for a device, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    if ["con", "prn", "aux", "nul", "conin$", "conout$"]
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device))
    {
        return true;
    }
    let mut chars = stem.chars();
    let port = chars.by_ref().take(3).collect::<String>();
    let is_port = port.eq_ignore_ascii_case("com") || port.eq_ignore_ascii_case("lpt");
    let number = chars.next();
    is_port
        && number.is_some_and(|c| matches!(c, '0'..='9' | '¹' | '²' | '³'))
        && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cleaned() {
        for (name, clean) in [
            ("ride.fit", "ride.fit"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\CON.txt", "_CON.txt"),
            ("C:\\x/mixed\\a.zwo", "a.zwo"),
            ("photo\u{202e}gpj.exe", "photogpj.exe"),
            ("a\u{2066}b\u{2069}c\u{200f}d\u{feff}.txt", "abcd.txt"),
            ("zero\u{200d}width\u{200c}.txt", "zerowidth.txt"),
            ("tab\there\nand\u{0}there.txt", "tab here andthere.txt"),
            ("invoice.pdf            .exe", "invoice.pdf .exe"),
            ("wide\u{3000}\u{a0}space", "wide space"),
            ("", "file"),
            (".", "file"),
            ("..", "file"),
            (" . . ", "file"),
            ("folder/", "file"),
            ("\u{202e}\u{200b}", "file"),
            (".bashrc", "bashrc"),
            ("...hidden", "hidden"),
            ("trailing. . .", "trailing"),
            ("a<b>c:d\"e|f?g*h", "a_b_c_d_e_f_g_h"),
            ("file.txt:stream", "file.txt_stream"),
            ("nul", "_nul"),
            ("Aux.tar.gz", "_Aux.tar.gz"),
            ("com1", "_com1"),
            ("LPT9.log", "_LPT9.log"),
            ("com¹.x", "_com¹.x"),
            ("con .txt", "_con .txt"),
            (".con", "_con"),
            ("console.txt", "console.txt"),
            ("com10.txt", "com10.txt"),
            ("com", "com"),
            (
                "\u{1f6b4}\u{1f3fd} Alpe d’Huez.fit",
                "\u{1f6b4}\u{1f3fd} Alpe d’Huez.fit",
            ),
            ("Übergrößenträger.png", "Übergrößenträger.png"),
            ("日本語.txt", "日本語.txt"),
        ] {
            assert_eq!(clean_file_name(name), clean, "{name:?}");
        }
    }

    #[test]
    fn a_long_name_keeps_its_extension() {
        let clean = clean_file_name(&format!("{}.workout.zwo", "x".repeat(300)));
        assert_eq!(clean.chars().count(), MAX_FILE_NAME_CHARS);
        assert!(clean.ends_with("xx.zwo"), "{clean}");
        let clean = clean_file_name(&format!("a.{}", "x".repeat(300)));
        assert_eq!(clean.chars().count(), MAX_FILE_NAME_CHARS);
        let clean = clean_file_name(&format!("con.{}.gz", "x".repeat(300)));
        assert_eq!(clean.chars().count(), MAX_FILE_NAME_CHARS);
        assert!(
            clean.starts_with("_con.") && clean.ends_with(".gz"),
            "{clean}"
        );
        let clean = clean_file_name(&format!("{}.fit", "\u{1f6b4}".repeat(300)));
        assert!(clean.len() <= MAX_FILE_NAME_BYTES && clean.ends_with("\u{1f6b4}.fit"));
    }

    proptest! {
        #[test]
        fn every_cleaned_name_is_safe(name in "(?s)[./\\\\ :a-c\u{202e}\u{200d}COMNUL1¹\u{1f6b4}]{0,300}|(?s).{0,300}") {
            let clean = clean_file_name(&name);
            prop_assert!(!clean.is_empty());
            prop_assert!(clean.chars().count() <= MAX_FILE_NAME_CHARS);
            prop_assert!(clean.len() <= MAX_FILE_NAME_BYTES);
            prop_assert!(!clean.contains(['/', '\\', ':']));
            prop_assert!(!clean.starts_with(['.', ' ']) && !clean.ends_with(['.', ' ']));
            prop_assert!(!clean.chars().any(|c| is_invisible(c) || is_joiner(c)));
            prop_assert!(!is_device(&clean));
            prop_assert_eq!(clean_file_name(&clean), clean);
        }
    }
}
