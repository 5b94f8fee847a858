//! What riders tell each other: one CBOR array of version, kind and body.
//!
//! A field added to a body later is ignored by those who do not know it. A kind or a version that
//! is not known is an error of its own, for the caller to count and ignore.

use minicbor::data::Type;
use minicbor::{Decode, Decoder, Encode, Encoder};
use thiserror::Error;

use crate::history::Told;
use crate::rider::Profile;
use crate::timeline::{GroupTime, Head, SignedEvent};
use crate::wire;

/// The version that this crate speaks.
pub const VERSION: u8 = 1;
/// The most bytes of a message: a whole timeline fits, and the history of a full day.
pub const MAX_BYTES: usize = 1536 * 1024;

/// A rider's numbers at a moment. Sent at least once a second; the newest wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Telemetry {
    /// In watts.
    #[n(0)]
    pub power: Option<u16>,
    /// In rpm.
    #[n(1)]
    pub cadence: Option<u8>,
    /// In beats a minute.
    #[n(2)]
    pub heart_rate: Option<u8>,
    /// The rider's own target in watts.
    #[n(3)]
    pub target: Option<u16>,
    /// How long they have ridden, in milliseconds.
    #[n(4)]
    pub elapsed_ms: u32,
    /// When, in group time, microseconds.
    #[n(5)]
    pub at: i64,
    /// Where in the workout they are, in milliseconds, where that is not `elapsed_ms`: after a
    /// skip or a back.
    #[n(6)]
    pub position_ms: Option<u32>,
}

/// What one rider tells others.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// This is who I am. Sent at first sight and whenever it changes.
    Profile(Profile),
    /// These are my numbers.
    Telemetry(Telemetry),
    /// These are events of the timeline, in the order in which to apply them.
    Timeline(Vec<SignedEvent>),
    /// Send me what is newer than this.
    WantTimeline {
        /// What I hold.
        head: Head,
    },
    /// Tell me what everybody has ridden so far.
    WantHistory {
        /// The start of the ride that is meant.
        started: GroupTime,
    },
    /// This is what everybody has ridden so far, as far as I know.
    History(Told),
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// More than [`MAX_BYTES`].
    #[error("A message of {bytes} bytes is too large and was ignored.")]
    TooLarge {
        /// How many.
        bytes: usize,
    },
    /// A version that this app does not speak.
    #[error("A rider uses version {0} of the app. Reload the page to get the same one.")]
    Version(u8),
    /// A kind that this version does not know.
    #[error("A message of the unknown kind {0} was ignored.")]
    Unknown(u8),
    /// Not what a message looks like.
    #[error("A message could not be read and was ignored.")]
    Malformed,
}

impl From<minicbor::decode::Error> for DecodeError {
    fn from(_: minicbor::decode::Error) -> Self {
        Self::Malformed
    }
}

mod kind {
    pub(super) const PROFILE: u8 = 0;
    pub(super) const TELEMETRY: u8 = 1;
    pub(super) const TIMELINE: u8 = 2;
    pub(super) const WANT_TIMELINE: u8 = 3;
    pub(super) const WANT_HISTORY: u8 = 4;
    pub(super) const HISTORY: u8 = 5;
}

struct Envelope<'a, T>(u8, &'a T);

impl<C, T: Encode<C>> Encode<C> for Envelope<'_, T> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.array(3)?.u8(VERSION)?.u8(self.0)?;
        self.1.encode(encoder, context)
    }
}

impl Message {
    /// The message as bytes.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Profile(profile) => wire::to_vec(&Envelope(kind::PROFILE, profile)),
            Self::Telemetry(telemetry) => wire::to_vec(&Envelope(kind::TELEMETRY, telemetry)),
            Self::Timeline(events) => wire::to_vec(&Envelope(kind::TIMELINE, events)),
            Self::WantTimeline { head } => wire::to_vec(&Envelope(kind::WANT_TIMELINE, head)),
            Self::WantHistory { started } => {
                wire::to_vec(&Envelope(kind::WANT_HISTORY, &(started,)))
            }
            Self::History(told) => wire::to_vec(&Envelope(kind::HISTORY, told)),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// Why it is none, as [`DecodeError`] lists it. Whatever the bytes: never a panic, and never
    /// more memory than a few times their length.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_BYTES {
            return Err(DecodeError::TooLarge { bytes: bytes.len() });
        }
        let mut decoder = Decoder::new(bytes);
        let kind = envelope(&mut decoder)?;
        let message = body(kind, &mut decoder)?;
        if decoder.position() != bytes.len() {
            return Err(DecodeError::Malformed);
        }
        Ok(message)
    }
}

fn envelope(decoder: &mut Decoder<'_>) -> Result<u8, DecodeError> {
    if decoder.datatype()? != Type::Array || decoder.array()? != Some(3) {
        return Err(DecodeError::Malformed);
    }
    match decoder.u8()? {
        VERSION => Ok(decoder.u8()?),
        version => Err(DecodeError::Version(version)),
    }
}

fn body(kind: u8, decoder: &mut Decoder<'_>) -> Result<Message, DecodeError> {
    Ok(match kind {
        kind::PROFILE => Message::Profile(decoder.decode()?),
        kind::TELEMETRY => Message::Telemetry(decoder.decode()?),
        kind::TIMELINE => Message::Timeline(decoder.decode()?),
        kind::WANT_TIMELINE => Message::WantTimeline {
            head: decoder.decode()?,
        },
        kind::WANT_HISTORY => {
            let (started,) = decoder.decode()?;
            Message::WantHistory { started }
        }
        kind::HISTORY => Message::History(decoder.decode()?),
        unknown => return Err(DecodeError::Unknown(unknown)),
    })
}

#[cfg(test)]
mod tests;
