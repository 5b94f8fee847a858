//! Messages about voice, cameras and screen sharing between riders.
//!
//! The messages have the form of those between riders ([`crate::message`]), with kinds of their own,
//! and are all of the control class. Sound and pictures themselves go over a media connection, whose
//! signals are among these messages.

use clock::GroupTime;
use minicbor::{Decode, Decoder, Encode, Encoder};
use protocol::signaling::{MAX_CANDIDATES, Signal};

use crate::{
    message::{self, Envelope, MessageError},
    wire,
};

/// Largest session description in bytes. Browsers write less than 16 KiB for three media sections.
pub const MAX_SDP_BYTES: usize = 48 * 1024;
/// Largest ICE candidate in bytes.
pub const MAX_CANDIDATE_BYTES: usize = 2_048;

mod kind {
    pub(super) const STATUS: u8 = 24;
    pub(super) const SIGNAL: u8 = 25;
    pub(super) const MUTE_EVERYONE: u8 = 26;
    pub(super) const ASK_TO_UNMUTE: u8 = 27;
    pub(super) const PICTURE: u8 = 28;
}

/// What the sender's page sends, and whether it can be reached by a media connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct MediaStatus {
    /// Microphone.
    #[n(0)]
    pub microphone: Microphone,
    /// Time since which the camera is live; `None` while it is off.
    #[n(1)]
    pub camera: Option<GroupTime>,
    /// Time since which the screen is shared; `None` while it is not.
    #[n(2)]
    pub screen: Option<GroupTime>,
    /// True if the page can make media connections.
    #[n(3)]
    pub can_connect: bool,
    /// True while the camera is live and sends no pictures, for lack of bandwidth.
    #[n(4)]
    pub is_camera_paused: bool,
}

impl MediaStatus {
    /// True if the page sends sound or pictures.
    pub fn is_live(&self) -> bool {
        self.microphone != Microphone::Off || self.camera.is_some() || self.screen.is_some()
    }
}

/// State of a microphone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Microphone {
    /// Off.
    #[default]
    Off = 0,
    /// Live and audible.
    Live = 1,
    /// Live, and muted; also any state that a newer version adds.
    Muted = 2,
}

/// Size in which the sender of a request wants to have the receiver's camera.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum PictureSize {
    /// No picture: it is not shown.
    None = 0,
    /// Size of a tile. Valid without a request; also any size that a newer version adds.
    #[default]
    Normal = 1,
    /// Large.
    Enlarged = 2,
}

impl<C> Encode<C> for Microphone {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.u8(*self as u8)?.ok()
    }
}

impl<C> Decode<'_, C> for Microphone {
    fn decode(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(match decoder.u8()? {
            0 => Self::Off,
            1 => Self::Live,
            _ => Self::Muted,
        })
    }
}

impl<C> Encode<C> for PictureSize {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.u8(*self as u8)?.ok()
    }
}

impl<C> Decode<'_, C> for PictureSize {
    fn decode(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        Ok(match decoder.u8()? {
            0 => Self::None,
            2 => Self::Enlarged,
            _ => Self::Normal,
        })
    }
}

/// Message about media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaMessage {
    /// Kind 24: state of the sender, to each rider who becomes reachable, and after each change.
    Status(MediaStatus),
    /// Kind 25: signal of the media connection between the two pages.
    Signal(Signal),
    /// Kind 26: the host mutes everyone else.
    MuteEveryone,
    /// Kind 27: the host asks the receiver to unmute.
    AskToUnmute,
    /// Kind 28: size in which the sender wants to have the receiver's camera.
    Picture(PictureSize),
}

/// Body without fields.
#[derive(Encode, Decode)]
struct NoFields;

/// Body of a [`PictureSize`].
#[derive(Encode, Decode)]
struct PictureBody {
    #[n(0)]
    size: PictureSize,
}

struct SignalBody<'a>(&'a Signal);

impl<C> Encode<C> for SignalBody<'_> {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let (of, attempt) = match self.0 {
            Signal::Offer { attempt, .. } => (0, attempt),
            Signal::Answer { attempt, .. } => (1, attempt),
            Signal::Candidates { attempt, .. } => (2, attempt),
        };
        encoder.array(3)?.u8(of)?.u32(*attempt)?;
        match self.0 {
            Signal::Offer { sdp, .. } | Signal::Answer { sdp, .. } => encoder.str(sdp)?.ok(),
            Signal::Candidates { candidates, .. } => {
                encoder.array(candidates.len() as u64)?;
                for candidate in candidates {
                    encoder.str(candidate)?;
                }
                Ok(())
            }
        }
    }
}

fn decode_signal(decoder: &mut Decoder<'_>) -> Result<Signal, MessageError> {
    let fields = decoder.array()?.ok_or(MessageError::Malformed)?;
    let (of, attempt) = (decoder.u8()?, decoder.u32()?);
    let signal = match of {
        0 => Signal::Offer {
            attempt,
            sdp: text(decoder, MAX_SDP_BYTES)?,
        },
        1 => Signal::Answer {
            attempt,
            sdp: text(decoder, MAX_SDP_BYTES)?,
        },
        2 => {
            let count = decoder.array()?.ok_or(MessageError::Malformed)?;
            if count > MAX_CANDIDATES as u64 {
                return Err(MessageError::Malformed);
            }
            let candidates = (0..count).map(|_| text(decoder, MAX_CANDIDATE_BYTES));
            Signal::Candidates {
                attempt,
                candidates: candidates.collect::<Result<_, _>>()?,
            }
        }
        _ => return Err(MessageError::Malformed),
    };
    // Fields that a newer version adds.
    for _ in 3..fields {
        decoder.skip()?;
    }
    (fields >= 3)
        .then_some(signal)
        .ok_or(MessageError::Malformed)
}

fn text(decoder: &mut Decoder<'_>, max_bytes: usize) -> Result<String, MessageError> {
    match decoder.str()? {
        text if text.len() <= max_bytes => Ok(text.to_owned()),
        _ => Err(MessageError::Malformed),
    }
}

impl MediaMessage {
    /// Encodes the message.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Status(status) => wire::to_vec(&Envelope(kind::STATUS, status)),
            Self::Signal(signal) => wire::to_vec(&Envelope(kind::SIGNAL, &SignalBody(signal))),
            Self::MuteEveryone => wire::to_vec(&Envelope(kind::MUTE_EVERYONE, &NoFields)),
            Self::AskToUnmute => wire::to_vec(&Envelope(kind::ASK_TO_UNMUTE, &NoFields)),
            Self::Picture(size) => {
                wire::to_vec(&Envelope(kind::PICTURE, &PictureBody { size: *size }))
            }
        }
    }

    /// Decodes a message. It never panics, and allocates no more than the bytes have.
    ///
    /// # Errors
    /// [`MessageError`] for bytes that are no message about media, a session description of more than
    /// [`MAX_SDP_BYTES`], more than [`MAX_CANDIDATES`] candidates, and a candidate of more than
    /// [`MAX_CANDIDATE_BYTES`].
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        message::decode_any(bytes, |kind, decoder| {
            Ok(match kind {
                kind::STATUS => Self::Status(decoder.decode()?),
                kind::SIGNAL => Self::Signal(decode_signal(decoder)?),
                kind::MUTE_EVERYONE => {
                    let NoFields = decoder.decode()?;
                    Self::MuteEveryone
                }
                kind::ASK_TO_UNMUTE => {
                    let NoFields = decoder.decode()?;
                    Self::AskToUnmute
                }
                kind::PICTURE => {
                    let PictureBody { size } = decoder.decode()?;
                    Self::Picture(size)
                }
                unknown => return Err(MessageError::Unknown(unknown)),
            })
        })
    }
}

#[cfg(test)]
mod tests;
