//! Who rides: a name, an FTP, and what they ride on.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::text::{is_hidden, is_joiner};

/// The most characters in a rider's name.
pub const MAX_NAME_CHARS: usize = 40;

/// A name that can be shown to everybody: 1 to [`MAX_NAME_CHARS`] characters without space around
/// them, without `<` and `>`, without control, zero-width and text direction characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RiderName(String);

impl RiderName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RiderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why something is not a rider's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Nothing, or nothing but space.
    #[error("Enter your name, so that the others know who you are.")]
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters.
    #[error("This name has {chars} characters; at most 40 fit. Shorten it.")]
    TooLong {
        /// How many it has.
        chars: usize,
    },
    /// `<` or `>`, which belong to markup.
    #[error("A name cannot contain < or >. Leave them out.")]
    Markup,
    /// A character that shows nothing or turns the text around it: control, zero-width, text
    /// direction.
    #[error("This name contains invisible characters. Type it by hand instead of pasting it.")]
    Hidden,
}

impl FromStr for RiderName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        let chars = name.chars().count();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if chars > MAX_NAME_CHARS {
            return Err(NameError::TooLong { chars });
        }
        if name.contains(['<', '>']) {
            return Err(NameError::Markup);
        }
        if name.chars().any(is_hidden) || has_stray_joiner(name) {
            return Err(NameError::Hidden);
        }
        Ok(Self(name.to_owned()))
    }
}

/// Whether a joiner stands anywhere but between two characters that show something.
fn has_stray_joiner(name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    let shows = |index: Option<usize>| {
        let c = index.and_then(|index| chars.get(index));
        c.is_some_and(|c| !is_joiner(*c) && !c.is_whitespace())
    };
    let joiners = chars.iter().enumerate().filter(|(_, c)| is_joiner(**c));
    joiners
        .into_iter()
        .any(|(at, _)| !shows(at.checked_sub(1)) || !shows(Some(at + 1)))
}

/// Functional threshold power in watts, 50 to 600: the power that a rider can hold for about an
/// hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ftp(u16);

impl Ftp {
    /// The least FTP, in watts.
    pub const MIN: u16 = 50;
    /// The highest FTP, in watts.
    pub const MAX: u16 = 600;

    /// An FTP of so many watts.
    ///
    /// # Errors
    /// [`FtpError::OutOfRange`] outside [`Ftp::MIN`] to [`Ftp::MAX`].
    pub const fn new(watts: u16) -> Result<Self, FtpError> {
        if watts < Self::MIN || watts > Self::MAX {
            return Err(FtpError::OutOfRange);
        }
        Ok(Self(watts))
    }

    /// In watts.
    pub const fn watts(self) -> u16 {
        self.0
    }
}

/// 200 W, what a rider starts with who does not know better.
impl Default for Ftp {
    fn default() -> Self {
        Self(200)
    }
}

impl fmt::Display for Ftp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why something is not an FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FtpError {
    /// Not a whole number of watts.
    #[error("FTP is a whole number of watts, such as 200. Enter one from 50 to 600.")]
    NotANumber,
    /// A number outside 50 to 600.
    #[error(
        "FTP can be 50 to 600 watts. Enter a number in between; 200 is a good guess to start with."
    )]
    OutOfRange,
}

impl FromStr for Ftp {
    type Err = FtpError;

    fn from_str(text: &str) -> Result<Self, FtpError> {
        // Parsed wide, so that a number too big for u16 is told that it is out of range.
        let watts: i64 = text.trim().parse().map_err(|_| FtpError::NotANumber)?;
        u16::try_from(watts)
            .map_err(|_| FtpError::OutOfRange)
            .and_then(Self::new)
    }
}

/// What a rider's numbers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum TrainerKind {
    /// Nothing yet.
    #[default]
    #[n(0)]
    None,
    /// The simulator.
    #[n(1)]
    Simulated,
    /// A trainer over Bluetooth.
    #[n(2)]
    Bluetooth,
}

/// What a rider tells the others about themselves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RiderProfile {
    /// What to call them.
    #[n(0)]
    pub name: RiderName,
    /// What their targets are reckoned from.
    #[n(1)]
    pub ftp: Ftp,
    /// Whether they said in the lobby that they are ready.
    #[n(2)]
    pub ready: bool,
    /// What they ride on.
    #[n(3)]
    pub trainer: TrainerKind,
}

impl<C> Encode<C> for RiderName {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for RiderName {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        decoder
            .str()?
            .parse()
            .map_err(minicbor::decode::Error::message)
    }
}

impl<C> Encode<C> for Ftp {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.u16(self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Ftp {
    fn decode(
        decoder: &mut minicbor::Decoder<'b>,
        _: &mut C,
    ) -> Result<Self, minicbor::decode::Error> {
        Self::new(decoder.u16()?).map_err(minicbor::decode::Error::message)
    }
}

#[cfg(test)]
mod tests;
