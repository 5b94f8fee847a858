//! Messages about shared pages: a rider asks a companion for its page, and the companion announces it.
//!
//! The messages have the form of those between riders ([`crate::message`]), with kinds of their own,
//! and are all of the control class. A page is named by the code and the token of its tunnel, never by
//! an address: the receiver makes the address from the origin that its server names, so that a member
//! cannot send riders to another site.

use core::{fmt, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder};
use protocol::text::{clusters, truncate};
use thiserror::Error;

use crate::{
    message::{self, Envelope, MessageError},
    rider::{has_stray_joiner, hides_text},
    wire,
};

/// Longest name of a page in bytes.
pub const MAX_PAGE_NAME_BYTES: usize = 80;
/// Letters and digits of a code.
const CODE_LETTERS: usize = 16;
/// Letters and digits of a token.
const TOKEN_LETTERS: usize = 32;

mod kind {
    pub(super) const ASK: u8 = 32;
    pub(super) const ANNOUNCE: u8 = 33;
}

/// Name of a shared page: 1 to [`MAX_PAGE_NAME_BYTES`] bytes without space around them, and without
/// anything that hides or reverses text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageName(String);

/// Code of a tunnel, the first label of its host name: 16 letters a to z and digits 2 to 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCode(String);

/// Secret with which a page can be opened: 32 letters a to z and digits 2 to 7. `Debug` never prints
/// it.
#[derive(Clone, PartialEq, Eq)]
pub struct PageToken(String);

/// Reason why a text is not the name, code or token of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PageTextError {
    /// The name is empty.
    #[error("is empty")]
    Empty,
    /// The name has more than [`MAX_PAGE_NAME_BYTES`] bytes.
    #[error("is longer than {MAX_PAGE_NAME_BYTES} bytes")]
    TooLong,
    /// The name has control, zero-width or text direction characters, or a pile of accents.
    #[error("contains characters that hide text")]
    Hidden,
    /// The code or token has another length, or other characters.
    #[error("is not made of the right number of letters a to z and digits 2 to 7")]
    NotBase32,
}

/// Page of a companion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Name in the list of shared pages.
    pub name: PageName,
    /// Code of the tunnel.
    pub code: PageCode,
    /// Secret with which the page can be opened.
    pub token: PageToken,
}

/// Message about shared pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageMessage {
    /// Kind 32: a rider asks a companion for its page.
    Ask,
    /// Kind 33: the companion answers with its page.
    Announce(Page),
}

impl PageName {
    /// Name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Name made of any text: what is hidden is left out, and the end of a long text. `None` if no
    /// name remains.
    pub fn cleaned(text: &str) -> Option<Self> {
        let visible: String = clusters(text)
            .map(|character| match character {
                "\n" | "\t" => " ",
                character if hides_text(character) => "",
                character => character,
            })
            .collect();
        let name = visible.trim();
        truncate(name, usize::MAX, MAX_PAGE_NAME_BYTES).parse().ok()
    }
}

impl FromStr for PageName {
    type Err = PageTextError;

    fn from_str(text: &str) -> Result<Self, PageTextError> {
        let name = text.trim();
        if name.is_empty() {
            return Err(PageTextError::Empty);
        }
        if name.len() > MAX_PAGE_NAME_BYTES {
            return Err(PageTextError::TooLong);
        }
        if clusters(name).any(hides_text) || has_stray_joiner(name) {
            return Err(PageTextError::Hidden);
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for PageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl PageCode {
    /// Letters and digits of the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PageCode {
    type Err = PageTextError;

    fn from_str(text: &str) -> Result<Self, PageTextError> {
        base32(text, CODE_LETTERS).map(Self)
    }
}

impl PageToken {
    /// The secret, for the link.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for PageToken {
    type Err = PageTextError;

    fn from_str(text: &str) -> Result<Self, PageTextError> {
        base32(text, TOKEN_LETTERS).map(Self)
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken(…)")
    }
}

/// Checks the alphabet of RFC 4648, section 6, in lower case.
fn base32(text: &str, letters: usize) -> Result<String, PageTextError> {
    let is_letter = |letter: u8| matches!(letter, b'a'..=b'z' | b'2'..=b'7');
    match text.len() == letters && text.bytes().all(is_letter) {
        true => Ok(text.to_owned()),
        false => Err(PageTextError::NotBase32),
    }
}

/// Body without fields.
#[derive(Encode, Decode)]
struct NoFields;

impl<C> Encode<C> for Page {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let encoder = encoder.array(3)?.str(self.name.as_str())?;
        encoder
            .str(self.code.as_str())?
            .str(self.token.expose())?
            .ok()
    }
}

fn decode_page(decoder: &mut Decoder<'_>) -> Result<Page, MessageError> {
    let fields = decoder.array()?.ok_or(MessageError::Malformed)?;
    let page = Page {
        name: parsed(decoder)?,
        code: parsed(decoder)?,
        token: parsed(decoder)?,
    };
    // Fields that a newer version adds.
    for _ in 3..fields {
        decoder.skip()?;
    }
    (fields >= 3).then_some(page).ok_or(MessageError::Malformed)
}

fn parsed<T: FromStr>(decoder: &mut Decoder<'_>) -> Result<T, MessageError> {
    decoder.str()?.parse().map_err(|_| MessageError::Malformed)
}

impl PageMessage {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Ask => wire::to_vec(&Envelope(kind::ASK, &NoFields)),
            Self::Announce(page) => wire::to_vec(&Envelope(kind::ANNOUNCE, page)),
        }
    }

    /// Decodes a message. It never panics, and allocates no more than a few times the limits of the
    /// fields.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are no message about shared pages, and for a name, code or token
    /// that is none.
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        message::decode_any(bytes, |kind, decoder| {
            Ok(match kind {
                kind::ASK => {
                    let NoFields = decoder.decode()?;
                    Self::Ask
                }
                kind::ANNOUNCE => Self::Announce(decode_page(decoder)?),
                unknown => return Err(MessageError::Unknown(unknown)),
            })
        })
    }
}

#[cfg(test)]
mod tests;
