//! Binary envelope of the frames that the server relays.
//!
//! [`ToServer`] and [`FromServer`] are its two directions, one binary message of the signaling
//! socket each. The payload is a link frame, as the data channels carry it without an envelope.
//! The server reads only the envelope, and sets the sender itself.
//!
//! ```text
//! to the server    version=1 u8 | class u8 | flags u8 | count u8 | count x number u32 | payload
//! from the server  version=1 u8 | class u8 | flags u8 | from number u32 | from incarnation u32 | payload
//! payload          kind u8 | to incarnation u32 (0 = any) | body
//! ```
//!
//! All numbers are big endian. A count of 0 addresses all other members. Bit 0 of the flags is set
//! for a sealed payload; the other bits are sent as 0 and ignored. The class byte is the
//! [`DeliveryClass`], for the server's send queues.
//!
//! Contract: an envelope has at most [`MAX_FRAME`] bytes, a link frame at most [`MAX_LINK_FRAME`].
//! Decoding never panics and never allocates more than the size of the input.

pub mod bytes;

use bytes::{Reader, put_u32};

use crate::peer::{DeliveryClass, Incarnation, PeerNumber};

/// Version of the envelope.
pub const VERSION: u8 = 1;
/// Largest envelope, in bytes. Data channel messages below 16 KiB work between all browsers.
pub const MAX_FRAME: usize = 15 * 1024;
/// Largest link frame, in bytes: the space that an envelope with [`MAX_TARGETS`] leaves.
pub const MAX_LINK_FRAME: usize = MAX_FRAME - 256;
/// Largest number of targets that fits beside a link frame of any size.
pub const MAX_TARGETS: usize = 63;

const SEALED: u8 = 1;

/// Reason why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is larger than [`MAX_FRAME`] or [`MAX_LINK_FRAME`].
    #[error("the frame has {0} bytes, more than allowed")]
    TooLarge(usize),
    /// The frame ends before its last field.
    #[error("the frame ends too early")]
    Short,
    /// The version is not [`VERSION`].
    #[error("the frame has the unknown version {0}")]
    Version(u8),
    /// A class, a kind or a count has an undefined value.
    #[error("the frame holds the unknown value {0}")]
    Unknown(u8),
    /// Bytes follow the last field.
    #[error("the frame has bytes after its last field")]
    Trailing,
}

/// Frame from a member to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToServer<'a> {
    /// Delivery class.
    pub class: DeliveryClass,
    /// Set if the payload is encrypted for the targets.
    pub sealed: bool,
    /// Receiving members, at most 255. Empty for all other members.
    pub targets: Vec<PeerNumber>,
    /// Link frame, sealed or plain.
    pub payload: &'a [u8],
}

impl<'a> ToServer<'a> {
    /// Envelope as bytes. Targets after the 255th are left out.
    pub fn encode(&self) -> Vec<u8> {
        let targets = &self.targets[..self.targets.len().min(255)];
        let mut bytes = Vec::with_capacity(4 + 4 * targets.len() + self.payload.len());
        bytes.extend([
            VERSION,
            self.class as u8,
            flags(self.sealed),
            targets.len() as u8,
        ]);
        for number in targets {
            put_u32(&mut bytes, number.0);
        }
        bytes.extend(self.payload);
        bytes
    }

    /// Delivery class of an envelope, read without decoding the rest.
    pub fn class_of(bytes: &[u8]) -> Option<DeliveryClass> {
        bytes
            .get(1)
            .and_then(|byte| DeliveryClass::from_byte(*byte))
    }

    /// Decodes an envelope from a member.
    ///
    /// # Errors
    /// [`FrameError`] unless the bytes are an envelope of at most [`MAX_FRAME`] bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (mut reader, class, sealed) = decode_start(bytes)?;
        let count = reader.u8()?;
        let targets = (0..count)
            .map(|_| reader.u32().map(PeerNumber))
            .collect::<Result<_, _>>()?;
        let payload = reader.rest();
        Ok(Self {
            class,
            sealed,
            targets,
            payload,
        })
    }
}

/// Frame from the server to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromServer<'a> {
    /// Delivery class.
    pub class: DeliveryClass,
    /// Set if the payload is encrypted for the targets.
    pub sealed: bool,
    /// Sending member, set by the server.
    pub from: PeerNumber,
    /// Page load of the sender.
    pub incarnation: Incarnation,
    /// Link frame, sealed or plain.
    pub payload: &'a [u8],
}

impl<'a> FromServer<'a> {
    /// Envelope as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(11 + self.payload.len());
        bytes.extend([VERSION, self.class as u8, flags(self.sealed)]);
        put_u32(&mut bytes, self.from.0);
        put_u32(&mut bytes, self.incarnation.0);
        bytes.extend(self.payload);
        bytes
    }

    /// Decodes an envelope from the server.
    ///
    /// # Errors
    /// [`FrameError`] unless the bytes are an envelope of at most [`MAX_FRAME`] bytes.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (mut reader, class, sealed) = decode_start(bytes)?;
        let from = PeerNumber(reader.u32()?);
        let incarnation = Incarnation(reader.u32()?);
        let payload = reader.rest();
        Ok(Self {
            class,
            sealed,
            from,
            incarnation,
            payload,
        })
    }
}

fn flags(sealed: bool) -> u8 {
    if sealed { SEALED } else { 0 }
}

fn decode_start(bytes: &[u8]) -> Result<(Reader<'_>, DeliveryClass, bool), FrameError> {
    if bytes.len() > MAX_FRAME {
        return Err(FrameError::TooLarge(bytes.len()));
    }
    let mut reader = Reader::new(bytes);
    let version = reader.u8()?;
    if version != VERSION {
        return Err(FrameError::Version(version));
    }
    let class = reader.class()?;
    let sealed = reader.u8()? & SEALED != 0;
    Ok((reader, class, sealed))
}

#[cfg(test)]
mod tests;
