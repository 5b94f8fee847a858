//! Decoding of files to text.

use std::borrow::Cow;

use super::error::{FileError, Place};

/// Text of a file.
pub(super) struct Source<'a> {
    pub text: Cow<'a, str>,
    /// First byte of `text` that depends on an assumption about the encoding.
    pub assumed_encoding_at: Option<usize>,
}

/// Decodes a file by its byte order mark, by its first bytes (XML 1.0, appendix F), and by whether
/// it is valid UTF-8. Text that is none of these is read as Windows-1252, which contains the letters
/// of ISO-8859-1. That is an assumption unless the file declares one of the two.
pub(super) fn decode(bytes: &[u8]) -> Result<Source<'_>, FileError> {
    let source = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [b'<' | b' ' | b'\r' | b'\n', 0, ..] => utf16(bytes, u16::from_le_bytes),
        [0, b'<' | b' ' | b'\r' | b'\n', ..] => utf16(bytes, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8_or_windows_1252(rest)?,
        _ => utf8_or_windows_1252(bytes)?,
    };
    Some(source)
        .filter(|source| !source.text.trim().is_empty())
        .ok_or(FileError::Empty)
}

fn utf8_or_windows_1252(bytes: &[u8]) -> Result<Source<'_>, FileError> {
    let error = match core::str::from_utf8(bytes) {
        Ok(text) => {
            return Ok(Source {
                text: text.into(),
                assumed_encoding_at: None,
            });
        }
        Err(error) => error,
    };
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    let mut first_at = 0;
    for (index, byte) in bytes.iter().enumerate() {
        if index == error.valid_up_to() {
            first_at = text.len();
        }
        if byte.is_ascii_control() && !byte.is_ascii_whitespace() {
            return Err(FileError::NotText {
                place: Place::at(&text, text.len()),
            });
        }
        text.push(windows_1252(*byte));
    }
    let is_declared = declares_windows_1252(&text);
    Ok(Source {
        text: text.into(),
        assumed_encoding_at: (!is_declared).then_some(first_at),
    })
}

/// Character of a byte in Windows-1252, with controls for the five bytes without a character
/// (WHATWG Encoding Standard).
fn windows_1252(byte: u8) -> char {
    const UPPER: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => UPPER[usize::from(byte) - 0x80],
        _ => char::from(byte),
    }
}

/// Reports an XML declaration of Windows-1252 or ISO-8859-1.
fn declares_windows_1252(text: &str) -> bool {
    let declaration = text
        .split_once("?>")
        .map_or("", |(declaration, _)| declaration);
    let (_, value) = declaration.split_once("encoding").unwrap_or_default();
    let name = value.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let name = name.split(['"', '\'']).next().unwrap_or_default();
    ["windows-1252", "cp1252", "iso-8859-1", "latin1"]
        .iter()
        .any(|known| known.eq_ignore_ascii_case(name))
}

/// Decodes UTF-16. Unpaired surrogates become replacement characters, and half a character at the
/// end is left out.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Source<'static> {
    let (pairs, _) = bytes.as_chunks::<2>();
    let mut text = String::with_capacity(bytes.len());
    let mut first_error = None;
    for c in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        if c.is_err() {
            first_error.get_or_insert(text.len());
        }
        text.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Source {
        text: text.into(),
        assumed_encoding_at: first_error,
    }
}
