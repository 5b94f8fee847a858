//! Reading of elements from XML, with tolerance for common errors.
//!
//! An XML parser must stop at the first error (XML 1.0, section 1.2), and so would refuse files
//! that other programs ride. This reader goes on: it takes an unescaped `&` or `<` as text, closes
//! elements that the file leaves open, and skips comments and document types whatever they contain.
//! Each error is a remark. Entities of a document type are never expanded.
//!
//! Every byte is looked at a bounded number of times, and the number of elements, their depth and
//! their attributes are limited, so that malicious files are refused quickly.

use std::borrow::Cow;

use crate::workout::formats::error::{FileError, clip};
use crate::workout::formats::remark::{Malformation, RemarkKind, Remarks};

/// Largest number of elements.
const MAX_ELEMENTS: usize = 50_000;
/// Largest depth of elements.
const MAX_DEPTH: usize = 64;
/// Largest number of attributes of one element, which are compared pairwise.
const MAX_ATTRIBUTES: usize = 64;
/// Longest name or number of a character reference, in bytes, with `;`.
const MAX_REFERENCE: usize = 10;

/// Element with its content. Names are without a namespace prefix.
#[derive(Debug)]
pub(super) struct Element<'a> {
    pub name: &'a str,
    /// Start of its tag, in bytes.
    pub at: usize,
    pub attributes: Vec<Attribute<'a>>,
    pub children: Vec<Self>,
    /// Text within the element, without that of its children.
    text: String,
}

/// Attribute of an element.
#[derive(Debug)]
pub(super) struct Attribute<'a> {
    pub name: &'a str,
    pub value: Cow<'a, str>,
    /// Start of its name, in bytes.
    pub at: usize,
}

impl Element<'_> {
    /// Compares the name without case, since files use both.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    pub(super) fn trimmed_text(&self) -> String {
        self.text.trim().to_owned()
    }
}

/// Reads the outermost elements of a text.
pub(super) fn read<'a>(
    text: &'a str,
    remarks: &mut Remarks<'a>,
) -> Result<Vec<Element<'a>>, FileError> {
    let mut reader = Reader {
        text,
        at: 0,
        open: Vec::new(),
        roots: Vec::new(),
        elements: 0,
        remarks,
    };
    while reader.at < text.len() {
        reader.read_next()?;
    }
    if !reader.open.is_empty() {
        reader.remark(text.len(), Malformation::Truncated);
    }
    reader.close_to(0);
    Ok(reader.roots)
}

struct Reader<'r, 'a> {
    text: &'a str,
    /// Position in bytes.
    at: usize,
    /// Elements that are not closed yet, each within the one before.
    open: Vec<Element<'a>>,
    roots: Vec<Element<'a>>,
    elements: usize,
    remarks: &'r mut Remarks<'a>,
}

impl<'a> Reader<'_, 'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn remark(&mut self, at: usize, error: Malformation) {
        self.remarks.add(at, RemarkKind::Malformed(error));
    }

    /// Reads text or one piece of markup.
    fn read_next(&mut self) -> Result<(), FileError> {
        let rest = self.rest();
        let Some(markup) = rest.strip_prefix('<') else {
            let length = rest.find('<').unwrap_or(rest.len());
            self.read_text(length);
            return Ok(());
        };
        match markup.as_bytes().first() {
            Some(b'!') if markup.starts_with("!--") => self.skip_comment(),
            Some(b'!') if markup.starts_with("![CDATA[") => self.read_character_data(),
            Some(b'!') => self.skip_document_type(),
            Some(b'?') => self.skip_instruction(),
            Some(b'/') => self.read_end_tag(),
            Some(first) if is_name_start(*first) => return self.read_start_tag(),
            _ => {
                self.remark(self.at, Malformation::LessThan);
                self.push_text("<");
                self.at += 1;
            }
        }
        Ok(())
    }

    fn read_text(&mut self, length: usize) {
        let (at, raw) = (self.at, &self.rest()[..length]);
        self.at += length;
        if self.open.is_empty() {
            if !raw.trim().is_empty() {
                self.remark(at, Malformation::Outside);
            }
        } else {
            let text = self.unescape(raw, at);
            self.push_text(&text);
        }
    }

    fn push_text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn skip_comment(&mut self) {
        let start = self.at;
        let content = &self.rest()["<!--".len()..];
        match content.find("-->") {
            Some(length) => {
                let content = &content[..length];
                if content.contains("--") || content.ends_with('-') {
                    self.remark(start, Malformation::Comment);
                }
                self.at += "<!--".len() + length + "-->".len();
            }
            None => self.end_early(start),
        }
    }

    fn read_character_data(&mut self) {
        let content = &self.rest()["<![CDATA[".len()..];
        match content.find("]]>") {
            Some(length) => {
                self.push_text(&content[..length]);
                self.at += "<![CDATA[".len() + length + "]]>".len();
            }
            None => self.end_early(self.at),
        }
    }

    /// Skips a document type with its declarations in brackets.
    fn skip_document_type(&mut self) {
        let start = self.at;
        self.remark(start, Malformation::DocumentType);
        let (mut depth, mut quote) = (0_usize, None);
        for (index, byte) in self.rest().bytes().enumerate() {
            match (quote, byte) {
                (Some(open), _) if byte == open => quote = None,
                (Some(_), _) => {}
                (None, b'"' | b'\'') => quote = Some(byte),
                (None, b'[') => depth += 1,
                (None, b']') => depth = depth.saturating_sub(1),
                (None, b'>') if depth == 0 => {
                    self.at += index + 1;
                    return;
                }
                (None, _) => {}
            }
        }
        self.end_early(start);
    }

    fn skip_instruction(&mut self) {
        let start = self.at;
        if start > 0 && self.rest().starts_with("<?xml ") {
            self.remark(start, Malformation::Declaration);
        }
        match self.rest().find('>') {
            Some(end) => self.at += end + 1,
            None => self.end_early(start),
        }
    }

    /// Closes the element that the tag names, and those within it that are still open. A tag of an
    /// element that is not open is skipped.
    fn read_end_tag(&mut self) {
        let start = self.at;
        let Some(end) = self.rest().find('>') else {
            return self.end_early(start);
        };
        let found = local_name(self.rest()["</".len()..end].trim());
        self.at += end + 1;
        let open = self.open.iter().rposition(|element| element.is(found));
        let expected = self.open.last();
        if open.map(|index| index + 1) != Some(self.open.len()) {
            let expected = expected.map_or_else(String::new, |element| clip(element.name));
            let found = clip(found);
            self.remark(start, Malformation::Mismatch { expected, found });
        }
        if let Some(index) = open {
            self.close_to(index);
        }
    }

    /// Closes elements until `depth` of them are open.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            if let Some(element) = self.open.pop() {
                let siblings = match self.open.last_mut() {
                    Some(parent) => &mut parent.children,
                    None => &mut self.roots,
                };
                siblings.push(element);
            }
        }
    }

    fn read_start_tag(&mut self) -> Result<(), FileError> {
        let start = self.at;
        self.at += 1;
        let name = local_name(self.take_name());
        let mut attributes = Vec::<Attribute<'a>>::new();
        let is_empty = loop {
            self.skip_space();
            match self.rest().as_bytes() {
                [b'>', ..] => {
                    self.at += 1;
                    break false;
                }
                [b'/', b'>', ..] => {
                    self.at += 2;
                    break true;
                }
                [b'<', ..] => {
                    self.remark(start, Malformation::OpenTag);
                    break false;
                }
                // The values of an element that is cut off cannot be trusted.
                [] => {
                    self.end_early(start);
                    return Ok(());
                }
                _ => {}
            }
            let at = self.at;
            let name = self.take_name();
            if name.is_empty() {
                self.remark(at, Malformation::Stray);
                self.at += self.rest().chars().next().map_or(0, char::len_utf8);
                continue;
            }
            let Some(value) = self.read_value() else {
                self.end_early(start);
                return Ok(());
            };
            // Declarations of namespaces mean nothing here.
            if name == "xmlns" || name.starts_with("xmlns:") {
                continue;
            }
            let name = local_name(name);
            let mut earlier = attributes.iter();
            if earlier.any(|one| one.name.eq_ignore_ascii_case(name)) {
                self.remark(at, Malformation::Duplicate(clip(name)));
                continue;
            }
            attributes.push(Attribute { name, value, at });
            if attributes.len() > MAX_ATTRIBUTES {
                return Err(FileError::TooComplex);
            }
        };
        self.elements += 1;
        if self.elements > MAX_ELEMENTS || self.open.len() >= MAX_DEPTH {
            return Err(FileError::TooComplex);
        }
        if self.open.is_empty() && !self.roots.is_empty() {
            self.remark(start, Malformation::Outside);
        }
        self.open.push(Element {
            name,
            at: start,
            attributes,
            children: Vec::new(),
            text: String::new(),
        });
        if is_empty {
            self.close_to(self.open.len() - 1);
        }
        Ok(())
    }

    /// Reads the value of an attribute; empty without one, `None` if the file ends within it.
    fn read_value(&mut self) -> Option<Cow<'a, str>> {
        self.skip_space();
        if !self.rest().starts_with('=') {
            return Some(Cow::Borrowed(""));
        }
        self.at += 1;
        self.skip_space();
        let rest = self.rest();
        let (quoted, at) = match *rest.as_bytes().first()? {
            quote @ (b'"' | b'\'') => {
                let content = &rest[1..];
                let length = content.find(char::from(quote))?;
                self.at += length + 2;
                (&content[..length], self.at - length - 1)
            }
            _ => {
                let at = self.at;
                self.remark(at, Malformation::Unquoted);
                let is_end = |c: char| c.is_whitespace() || matches!(c, '>' | '<' | '/');
                let length = rest.find(is_end).unwrap_or(rest.len());
                self.at += length;
                (&rest[..length], at)
            }
        };
        if quoted.contains('<') {
            self.remark(at, Malformation::LessThan);
        }
        Some(self.unescape(quoted, at))
    }

    fn take_name(&mut self) -> &'a str {
        let rest = self.rest();
        let is_end = |c: char| c.is_whitespace() || matches!(c, '=' | '>' | '<' | '/' | '"' | '\'');
        let length = rest.find(is_end).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
    }

    /// Ends the reading: the file ends within a piece of markup.
    fn end_early(&mut self, start: usize) {
        self.remark(start, Malformation::Truncated);
        self.close_to(0);
        self.at = self.text.len();
    }

    /// Replaces character references and the five entities of XML. Any other `&` is kept.
    fn unescape(&mut self, raw: &'a str, at: usize) -> Cow<'a, str> {
        if !raw.contains('&') {
            return Cow::Borrowed(raw);
        }
        let mut text = String::with_capacity(raw.len());
        let mut rest = raw;
        while let Some(before) = rest.find('&') {
            text.push_str(&rest[..before]);
            let reference = &rest[before + 1..];
            match character(reference) {
                Some((c, length)) => {
                    text.push(c);
                    rest = &reference[length..];
                }
                None => {
                    self.remark(
                        at + raw.len() - rest.len() + before,
                        Malformation::Ampersand,
                    );
                    text.push('&');
                    rest = reference;
                }
            }
        }
        text.push_str(rest);
        Cow::Owned(text)
    }
}

/// Character that the text after `&` refers to, and the length of the reference in bytes.
fn character(reference: &str) -> Option<(char, usize)> {
    let window = &reference.as_bytes()[..reference.len().min(MAX_REFERENCE)];
    let length = window.iter().position(|byte| *byte == b';')?;
    let name = &reference[..length];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16),
                None => number.parse(),
            };
            char::from_u32(number.ok()?)?
        }
    };
    Some((c, length + 1))
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii()
}

/// Name without a namespace prefix.
fn local_name(name: &str) -> &str {
    name.rsplit_once(':').map_or(name, |(_, local)| local)
}
