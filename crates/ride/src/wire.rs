//! CBOR encoding of values from other crates, and of values of later versions.

use minicbor::{
    Decode,
    decode::{Decoder, Error as DecodeError},
};

/// Decodes a flat enum; `None` for a variant that only later versions know: `first_unknown` or higher.
pub(crate) fn known_variant<'b, C, T: Decode<'b, C>>(
    decoder: &mut Decoder<'b>,
    context: &mut C,
    first_unknown: u32,
) -> Result<Option<T>, DecodeError> {
    let mut ahead = decoder.probe();
    ahead.array()?;
    if ahead.u32()? >= first_unknown {
        decoder.skip()?;
        return Ok(None);
    }
    decoder.decode_with(context).map(Some)
}

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

/// [`WallTime`](clock::WallTime) as Unix time in whole seconds.
pub(crate) mod unix_seconds {
    use clock::WallTime;
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        time: &WallTime,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.u64(time.unix_seconds())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<WallTime, DecodeError> {
        let seconds = decoder.u64()?;
        Ok(WallTime::from_unix_ms(seconds.saturating_mul(1_000)))
    }
}

/// Optional [`WallTime`](clock::WallTime) as Unix time in whole seconds.
pub(crate) mod optional_unix_seconds {
    use clock::WallTime;
    use minicbor::data::Type;
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        time: &Option<WallTime>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        match time {
            Some(time) => super::unix_seconds::encode(time, encoder, context),
            None => encoder.null()?.ok(),
        }
    }

    pub(crate) fn decode<C>(
        decoder: &mut Decoder<'_>,
        context: &mut C,
    ) -> Result<Option<WallTime>, DecodeError> {
        if decoder.datatype()? == Type::Null {
            decoder.skip()?;
            return Ok(None);
        }
        super::unix_seconds::decode(decoder, context).map(Some)
    }

    /// Value of a field that is missing: the encoder omits empty fields at the end of a structure.
    // The trait method that this replaces returns an option of the field's type.
    #[expect(clippy::unnecessary_wraps, reason = "signature required by minicbor")]
    pub(crate) const fn nil() -> Option<Option<WallTime>> {
        Some(None)
    }

    pub(crate) const fn is_nil(time: &Option<WallTime>) -> bool {
        time.is_none()
    }
}

/// Boolean that is omitted if false.
pub(crate) mod flag {
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        flag: &bool,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.bool(*flag)?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<bool, DecodeError> {
        decoder.bool()
    }

    /// Value of a field that is missing.
    // The trait method that this replaces returns an option of the field's type.
    #[expect(clippy::unnecessary_wraps, reason = "signature required by minicbor")]
    pub(crate) const fn nil() -> Option<bool> {
        Some(false)
    }

    pub(crate) const fn is_nil(flag: &bool) -> bool {
        !*flag
    }
}

/// List of texts that is omitted if empty.
pub(crate) mod texts {
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        texts: &[String],
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.encode(texts)?.ok()
    }

    pub(crate) fn decode<C>(
        decoder: &mut Decoder<'_>,
        _: &mut C,
    ) -> Result<Vec<String>, DecodeError> {
        decoder.decode()
    }

    /// Value of a field that is missing.
    // The trait method that this replaces returns an option of the field's type.
    #[expect(clippy::unnecessary_wraps, reason = "signature required by minicbor")]
    pub(crate) const fn nil() -> Option<Vec<String>> {
        Some(Vec::new())
    }

    pub(crate) const fn is_nil(texts: &[String]) -> bool {
        texts.is_empty()
    }
}

/// [`WallTime`](clock::WallTime) as Unix time in milliseconds.
pub(crate) mod unix_ms {
    use clock::WallTime;
    use minicbor::decode::{Decoder, Error as DecodeError};
    use minicbor::encode::{Encoder, Error as EncodeError, Write};

    pub(crate) fn encode<C, W: Write>(
        time: &WallTime,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.u64(time.unix_ms())?.ok()
    }

    pub(crate) fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<WallTime, DecodeError> {
        decoder.u64().map(WallTime::from_unix_ms)
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
