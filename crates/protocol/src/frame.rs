//! The bytes that riders send each other.
//!
//! - [`ToServer`] and [`FromServer`]: the envelope of a relayed frame, one
//!   binary socket message each. The server reads nothing but the envelope and
//!   sets the sender itself.
//! - [`LinkFrame`]: what is inside, and what data channels carry bare.
//!
//! ```text
//! to the server    version=1 u8 | class u8 | flags u8 | count u8 | count x number u32 | payload
//! from the server  version=1 u8 | class u8 | flags u8 | from number u32 | from incarnation u32 | payload
//! payload          kind u8 | to incarnation u32 (0 = any) | body
//! ```
//!
//! All numbers are big endian. A count of 0 means everyone else. Bit 0 of the
//! flags says that the payload is sealed; the others are 0 and ignored. The
//! class byte is the delivery class, for the server's queues.
//!
//! Law: whole envelopes have at most [`MAX_FRAME`] bytes, link frames at most
//! [`MAX_LINK_FRAME`]; decoding never panics and never allocates more than the
//! input's own size.

pub mod bytes;

use bytes::{Reader, put_u32};

use crate::peer::{DeliveryClass, Incarnation, PeerNumber};

/// The version of the envelope.
pub const VERSION: u8 = 1;
/// The largest envelope, in bytes; under 16 KiB passes everywhere.
pub const MAX_FRAME: usize = 15 * 1024;
/// The largest link frame: what an envelope with up to 63 targets leaves.
pub const MAX_LINK_FRAME: usize = MAX_FRAME - 256;
/// The most targets of one envelope beside a link frame of any size.
pub const MAX_TARGETS: usize = 63;

const SEALED: u8 = 1;

/// Why bytes are not a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Over [`MAX_FRAME`] or [`MAX_LINK_FRAME`].
    #[error("the frame has {0} bytes, more than allowed")]
    TooLarge(usize),
    /// It ends too early.
    #[error("the frame ends too early")]
    Short,
    /// Another version than [`VERSION`].
    #[error("the frame has the unknown version {0}")]
    Version(u8),
    /// A class, a kind or a count that does not exist.
    #[error("the frame holds the unknown value {0}")]
    Unknown(u8),
    /// Bytes are left over.
    #[error("the frame is longer than what it says")]
    Trailing,
}

/// A rider's frame on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToServer<'a> {
    /// How it is delivered.
    pub class: DeliveryClass,
    /// Whether only the targets can read the payload.
    pub sealed: bool,
    /// Whom it is for, 255 at most; none means everyone else.
    pub targets: Vec<PeerNumber>,
    /// A link frame, sealed or not.
    pub payload: &'a [u8],
}

impl<'a> ToServer<'a> {
    /// The envelope as bytes; targets after the 255th are left out.
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

    /// The class of an envelope, without looking at the rest of it.
    pub fn class_of(bytes: &[u8]) -> Option<DeliveryClass> {
        bytes
            .get(1)
            .and_then(|byte| DeliveryClass::from_byte(*byte))
    }

    /// Reads an envelope from a rider.
    ///
    /// # Errors
    /// [`FrameError`] for anything but an envelope of at most [`MAX_FRAME`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (mut reader, class, sealed) = start(bytes)?;
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

/// A rider's frame as the server hands it to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FromServer<'a> {
    /// How it is delivered.
    pub class: DeliveryClass,
    /// Whether only the targets can read the payload.
    pub sealed: bool,
    /// Who sent it.
    pub from: PeerNumber,
    /// The sender's page load.
    pub incarnation: Incarnation,
    /// A link frame, sealed or not.
    pub payload: &'a [u8],
}

impl<'a> FromServer<'a> {
    /// The envelope as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(11 + self.payload.len());
        bytes.extend([VERSION, self.class as u8, flags(self.sealed)]);
        put_u32(&mut bytes, self.from.0);
        put_u32(&mut bytes, self.incarnation.0);
        bytes.extend(self.payload);
        bytes
    }

    /// Reads an envelope from the server.
    ///
    /// # Errors
    /// [`FrameError`] for anything but an envelope of at most [`MAX_FRAME`].
    pub fn decode(bytes: &'a [u8]) -> Result<Self, FrameError> {
        let (mut reader, class, sealed) = start(bytes)?;
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

fn start(bytes: &[u8]) -> Result<(Reader<'_>, DeliveryClass, bool), FrameError> {
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
