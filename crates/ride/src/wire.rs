//! CBOR encoding of values from other crates.

/// [`Duration`](core::time::Duration) in whole milliseconds.
pub(crate) mod millis {
    use core::time::Duration;

    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        duration: &Duration,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        encoder.u64(millis)?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Duration, DecodeError> {
        decoder.u64().map(Duration::from_millis)
    }
}

/// [`PeerId`](protocol::peer::PeerId) as text.
pub(crate) mod peer_id {
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};
    use protocol::peer::PeerId;

    pub(crate) fn encode<C, W: Write>(
        peer: &PeerId,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.str(peer.as_str())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<PeerId, DecodeError> {
        decoder.str()?.parse().map_err(DecodeError::message)
    }
}

/// Encodes into memory, which cannot fail.
pub(crate) fn to_vec<T: minicbor::Encode<()>>(value: &T) -> Vec<u8> {
    match minicbor::to_vec(value) {
        Ok(bytes) => bytes,
        // Writing to a Vec is infallible, and no Encode of this crate returns an error of its own.
        Err(error) => unreachable!("encoding into memory failed: {error}"),
    }
}

/// Decodes a single value, which must take up all the bytes.
pub(crate) fn from_slice<'b, T: minicbor::Decode<'b, ()>>(bytes: &'b [u8]) -> Option<T> {
    let mut decoder = minicbor::Decoder::new(bytes);
    let value = decoder.decode().ok()?;
    (decoder.position() == bytes.len()).then_some(value)
}
