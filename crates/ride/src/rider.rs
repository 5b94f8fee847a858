//! Riders: name, FTP and kind of trainer.

use core::fmt;
use core::str::FromStr;

use minicbor::{Decode, Encode};
use protocol::text::{clusters, extends};
use thiserror::Error;

use crate::text::{is_invisible, is_joiner};
use crate::workout::MAX_WATTS;

/// Largest number of characters of a rider's name, as a person counts them: a flag or a family
/// emoji is one.
pub const MAX_NAME_CHARS: usize = 40;
/// Largest length of a rider's name in bytes: [`MAX_NAME_CHARS`] flags of regions or families of
/// four.
const MAX_NAME_BYTES: usize = 1_280;
/// Largest number of code points of one character. An emoji of two people with skin tones has ten;
/// a pile of accents would cover the lines above.
const MAX_CHAR_CODE_POINTS: usize = 16;

/// Name of a rider: 1 to [`MAX_NAME_CHARS`] characters without space around them, without `<` and
/// `>`, and without anything that hides or reverses text: control, zero-width and text direction
/// characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RiderName(String);

impl RiderName {
    /// Name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RiderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Reason why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NameError {
    /// Empty text, or space only.
    #[error("Enter your name so that the other riders recognize you.")]
    Empty,
    /// More than [`MAX_NAME_CHARS`] characters, or too many bytes for them.
    #[error("This name has {chars} characters. Use at most 40.")]
    TooLong {
        /// Number of characters.
        chars: usize,
    },
    /// `<` or `>`, which are part of markup.
    #[error("A name cannot contain < or >. Remove them.")]
    Markup,
    /// Control, zero-width or text direction character, or a pile of accents.
    #[error("This name contains characters that hide text. Type it instead of pasting it.")]
    Hidden,
}

impl FromStr for RiderName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let name = text.trim();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        let chars = clusters(name).count();
        if chars > MAX_NAME_CHARS || name.len() > MAX_NAME_BYTES {
            return Err(NameError::TooLong { chars });
        }
        if name.contains(['<', '>']) {
            return Err(NameError::Markup);
        }
        if clusters(name).any(hides_text) || has_stray_joiner(name) {
            return Err(NameError::Hidden);
        }
        Ok(Self(name.to_owned()))
    }
}

/// Reports a character that contains an invisible code point with a meaning of its own, has nothing
/// to be seen, or covers other text.
pub(crate) fn hides_text(character: &str) -> bool {
    let mut code_points = character.chars();
    let Some(first) = code_points.next() else {
        return false;
    };
    let is_hidden = |c: char| match c {
        // Tags name the region of a flag: England, Scotland, Wales.
        '\u{e0020}'..='\u{e007f}' => first != '\u{1f3f4}',
        // Variation selectors choose the shape of a Chinese character in Japanese names.
        '\u{e0100}'..='\u{e01ef}' => first.is_ascii(),
        c => is_invisible(c),
    };
    is_invisible(first)
        || extends(first)
        || code_points.any(is_hidden)
        || character.chars().count() > MAX_CHAR_CODE_POINTS
}

/// Reports a joiner that is not between two visible characters.
pub(crate) fn has_stray_joiner(name: &str) -> bool {
    let chars: Vec<char> = name.chars().collect();
    let is_visible = |index: Option<usize>| {
        let c = index.and_then(|index| chars.get(index));
        c.is_some_and(|c| !is_joiner(*c) && !c.is_whitespace())
    };
    let joiners = chars.iter().enumerate().filter(|(_, c)| is_joiner(**c));
    joiners
        .into_iter()
        .any(|(at, _)| !is_visible(at.checked_sub(1)) || !is_visible(Some(at + 1)))
}

/// Functional threshold power (FTP) in W, 50 to 600: the power that a rider can hold for about an
/// hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ftp(u16);

impl Ftp {
    /// Lowest FTP in W.
    pub const MIN: u16 = 50;
    /// Highest FTP in W.
    pub const MAX: u16 = 600;

    /// FTP from a number of watts.
    ///
    /// # Errors
    /// [`FtpError::OutOfRange`] outside [`Ftp::MIN`] to [`Ftp::MAX`].
    pub const fn new(watts: u16) -> Result<Self, FtpError> {
        if watts < Self::MIN || watts > Self::MAX {
            return Err(FtpError::OutOfRange);
        }
        Ok(Self(watts))
    }

    /// FTP in W.
    pub const fn watts(self) -> u16 {
        self.0
    }
}

/// FTP of 200 W, the initial value for a new rider.
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

/// Share in percent, 70 to 130, of the workout's targets at which a rider rides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bias(u8);

impl Bias {
    /// Lowest share in percent.
    pub const MIN: u8 = 70;
    /// Highest share in percent.
    pub const MAX: u8 = 130;

    /// Bias of a number of percent, cut to [`Bias::MIN`] to [`Bias::MAX`].
    pub fn new(percent: u8) -> Self {
        Self(percent.clamp(Self::MIN, Self::MAX))
    }

    /// Share in percent.
    pub const fn percent(self) -> u8 {
        self.0
    }

    /// Target in W of a rider whose target without a bias is `watts`, rounded.
    pub const fn apply(self, watts: u16) -> u16 {
        let biased = (watts as u32 * self.0 as u32 + 50) / 100;
        if biased > MAX_WATTS as u32 {
            MAX_WATTS
        } else {
            biased as u16
        }
    }
}

/// 100 %: the targets of the workout.
impl Default for Bias {
    fn default() -> Self {
        Self(100)
    }
}

/// Reason why a text or a number is not an FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FtpError {
    /// Text that is not a whole number.
    #[error("Enter your FTP in watts as a whole number from 50 to 600, for example 200.")]
    NotANumber,
    /// Number outside 50 to 600.
    #[error("FTP has to be between 50 and 600 watts. If you do not know yours, start with 200.")]
    OutOfRange,
}

impl FromStr for Ftp {
    type Err = FtpError;

    fn from_str(text: &str) -> Result<Self, FtpError> {
        // A wide type, so that a number beyond u16 is reported as out of range.
        let watts: i64 = text.trim().parse().map_err(|_| FtpError::NotANumber)?;
        u16::try_from(watts)
            .map_err(|_| FtpError::OutOfRange)
            .and_then(Self::new)
    }
}

/// Source of a rider's readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum TrainerKind {
    /// No trainer.
    #[default]
    #[n(0)]
    None,
    /// Simulated trainer.
    #[n(1)]
    Simulated,
    /// Trainer over Bluetooth.
    #[n(2)]
    Bluetooth,
}

/// Profile of a rider, sent to the other riders.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct RiderProfile {
    /// Name of the rider.
    #[n(0)]
    pub name: RiderName,
    /// FTP, which the rider's targets are computed from.
    #[n(1)]
    pub ftp: Ftp,
    /// The rider is ready for the start.
    #[n(2)]
    pub ready: bool,
    /// Kind of trainer.
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
