//! Decoding of files to text that is safe to parse.

use std::borrow::Cow;

use super::MAX_FILE_BYTES;
use super::error::{Place, ZwoError};

/// Largest number of attributes of one element. The parser compares every pair of them.
const MAX_ATTRIBUTES: usize = 64;
/// Largest number of namespace declarations of a file. The parser copies them to all descendants,
/// and workouts need none.
const MAX_NAMESPACES: usize = 16;

/// Decodes the text of a file.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ZwoError> {
    if bytes.len() > MAX_FILE_BYTES {
        return Err(ZwoError::TooLarge { bytes: bytes.len() });
    }
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes)?.into(),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes)?.into(),
        // `<` without a byte order mark: XML 1.0, appendix F.
        [b'<', 0, ..] => utf16(bytes, u16::from_le_bytes)?.into(),
        [0, b'<', ..] => utf16(bytes, u16::from_be_bytes)?.into(),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest)?.into(),
        _ => utf8(bytes)?.into(),
    };
    Some(text)
        .filter(|text: &Cow<'_, str>| !text.trim().is_empty())
        .ok_or(ZwoError::Empty)
}

fn utf8(bytes: &[u8]) -> Result<&str, ZwoError> {
    core::str::from_utf8(bytes).map_err(|error| {
        let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        ZwoError::NotText {
            place: Place::end_of(&good),
        }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, ZwoError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| unit(*pair));
    let mut text = String::with_capacity(bytes.len());
    for c in char::decode_utf16(units) {
        match c {
            Ok(c) => text.push(c),
            Err(_) => {
                return Err(ZwoError::NotText {
                    place: Place::end_of(&text),
                });
            }
        }
    }
    match rest {
        [] => Ok(text),
        _ => Err(ZwoError::NotText {
            place: Place::end_of(&text),
        }),
    }
}

/// Rejects text that would make the parser slow. Malformed XML is left to the parser.
pub(super) fn check(text: &str) -> Result<(), ZwoError> {
    if text.matches("xmlns").count() > MAX_NAMESPACES {
        return Err(ZwoError::TooComplex);
    }
    let mut rest = text;
    while let Some(start) = rest.find('<') {
        let markup = &rest[start..];
        let at = text.len() - markup.len();
        let length = match markup.as_bytes().get(1) {
            Some(b'!') if markup.starts_with("<!--") => length_through(markup, "-->"),
            Some(b'!') if markup.starts_with("<![CDATA[") => length_through(markup, "]]>"),
            Some(b'!') => {
                return Err(ZwoError::Doctype {
                    place: Place::end_of(&text[..at]),
                });
            }
            Some(b'?') => length_through(markup, "?>"),
            _ => tag_length(markup).ok_or(ZwoError::TooComplex)?,
        };
        rest = &markup[length..];
    }
    Ok(())
}

/// Length of a piece of markup including its end mark; of the whole rest if it has no end.
fn length_through(markup: &str, end: &str) -> usize {
    markup.find(end).map_or(markup.len(), |at| at + end.len())
}

/// Length of a tag; `None` if it has too many attributes.
fn tag_length(markup: &str) -> Option<usize> {
    let mut quote = None;
    let mut values = 0;
    for (at, byte) in markup.bytes().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == b'>' => return Some(at + 1),
            None if byte == b'"' || byte == b'\'' => {
                quote = Some(byte);
                values += 1;
            }
            None => {}
        }
        if values > MAX_ATTRIBUTES {
            return None;
        }
    }
    Some(markup.len())
}
