//! Frames as bytes: a kind (one byte), a stream (four bytes, most significant first), a payload.

use super::{Limits, MAX_CHUNK, MAX_FRAME, ProtocolError, Refusal, ResetReason, StreamId};
use crate::{head::MAX_HEAD, identity::AccessToken};

/// Bytes of kind and stream.
const HEADER: usize = 5;

mod kind {
    pub const HELLO: u8 = 1;
    pub const ACCEPTED: u8 = 2;
    pub const REFUSED: u8 = 3;
    pub const OPEN: u8 = 4;
    pub const HEAD: u8 = 5;
    pub const DATA: u8 = 6;
    pub const END: u8 = 7;
    pub const RESET: u8 = 8;
    pub const CREDIT: u8 = 9;
    pub const PING: u8 = 10;
    pub const PONG: u8 = 11;
}

/// Frame of a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    Hello {
        version: u32,
        token: AccessToken,
        limits: Limits,
    },
    Accepted(Limits),
    Refused(Refusal),
    Open {
        stream: StreamId,
        has_body: bool,
        head: &'a [u8],
    },
    Head {
        stream: StreamId,
        has_body: bool,
        head: &'a [u8],
    },
    Data {
        stream: StreamId,
        bytes: &'a [u8],
    },
    End {
        stream: StreamId,
    },
    Reset {
        stream: StreamId,
        reason: ResetReason,
    },
    /// Stream 0 is the whole channel.
    Credit {
        stream: StreamId,
        bytes: u32,
    },
    Ping(u32),
    Pong(u32),
}

impl<'a> Frame<'a> {
    /// Decodes a frame and checks all that can be checked without knowing the streams.
    pub(super) fn decode(message: &'a [u8]) -> Result<Self, ProtocolError> {
        if message.len() > MAX_FRAME {
            return Err(ProtocolError("frame too large"));
        }
        let Some((&[kind, a, b, c, d], payload)) = message.split_first_chunk::<HEADER>() else {
            return Err(ProtocolError("frame too short"));
        };
        let stream = StreamId::from_be_bytes([a, b, c, d]);
        let is_of_channel = matches!(
            kind,
            kind::HELLO | kind::ACCEPTED | kind::REFUSED | kind::PING | kind::PONG
        );
        if kind != kind::CREDIT && is_of_channel != (stream == 0) {
            return Err(ProtocolError("frame with a wrong stream number"));
        }
        let frame = match kind {
            kind::HELLO => hello(payload),
            kind::ACCEPTED => limits(payload).map(Self::Accepted),
            kind::REFUSED => refusal(payload).map(Self::Refused),
            kind::OPEN => flag_and_head(payload).map(|(has_body, head)| Self::Open {
                stream,
                has_body,
                head,
            }),
            kind::HEAD => flag_and_head(payload).map(|(has_body, head)| Self::Head {
                stream,
                has_body,
                head,
            }),
            kind::DATA => (1..=MAX_CHUNK)
                .contains(&payload.len())
                .then_some(Self::Data {
                    stream,
                    bytes: payload,
                }),
            kind::END => payload.is_empty().then_some(Self::End { stream }),
            kind::RESET => reset_reason(payload).map(|reason| Self::Reset { stream, reason }),
            kind::CREDIT => number(payload)
                .filter(|bytes| *bytes > 0)
                .map(|bytes| Self::Credit { stream, bytes }),
            kind::PING => number(payload).map(Self::Ping),
            kind::PONG => number(payload).map(Self::Pong),
            _ => return Err(ProtocolError("frame of an unknown kind")),
        };
        frame.ok_or(ProtocolError("malformed frame"))
    }

    /// Bytes of the frame.
    pub(super) fn encode(&self) -> Vec<u8> {
        match self {
            Self::Hello {
                version,
                token,
                limits,
            } => {
                let version = version.to_be_bytes();
                let token = token.expose().as_bytes();
                build(kind::HELLO, 0, &[&version, token, &limits_bytes(*limits)])
            }
            Self::Accepted(limits) => build(kind::ACCEPTED, 0, &[&limits_bytes(*limits)]),
            Self::Refused(refusal) => {
                let code = match refusal {
                    Refusal::Forbidden => 1,
                    Refusal::Version => 2,
                    Refusal::Busy => 3,
                };
                build(kind::REFUSED, 0, &[&[code]])
            }
            Self::Open {
                stream,
                has_body,
                head,
            } => build(kind::OPEN, *stream, &[&[u8::from(*has_body)], head]),
            Self::Head {
                stream,
                has_body,
                head,
            } => build(kind::HEAD, *stream, &[&[u8::from(*has_body)], head]),
            Self::Data { stream, bytes } => build(kind::DATA, *stream, &[bytes]),
            Self::End { stream } => build(kind::END, *stream, &[]),
            Self::Reset { stream, reason } => {
                let code = match reason {
                    ResetReason::Cancelled => 1,
                    ResetReason::Unreachable => 2,
                    ResetReason::TimedOut => 3,
                    ResetReason::Refused => 4,
                    ResetReason::Broken => 5,
                };
                build(kind::RESET, *stream, &[&[code]])
            }
            Self::Credit { stream, bytes } => build(kind::CREDIT, *stream, &[&bytes.to_be_bytes()]),
            Self::Ping(value) => build(kind::PING, 0, &[&value.to_be_bytes()]),
            Self::Pong(value) => build(kind::PONG, 0, &[&value.to_be_bytes()]),
        }
    }
}

/// DATA whose bytes are in two pieces.
pub(super) fn data_of_two(stream: StreamId, first: &[u8], second: &[u8]) -> Vec<u8> {
    build(kind::DATA, stream, &[first, second])
}

fn build(kind: u8, stream: StreamId, parts: &[&[u8]]) -> Vec<u8> {
    let payload: usize = parts.iter().map(|part| part.len()).sum();
    let mut bytes = Vec::with_capacity(HEADER + payload);
    bytes.push(kind);
    bytes.extend_from_slice(&stream.to_be_bytes());
    for part in parts {
        bytes.extend_from_slice(part);
    }
    bytes
}

fn limits_bytes(limits: Limits) -> [u8; 12] {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&limits.stream_window.to_be_bytes());
    bytes[4..8].copy_from_slice(&limits.channel_window.to_be_bytes());
    bytes[8..].copy_from_slice(&limits.max_streams.to_be_bytes());
    bytes
}

fn number(payload: &[u8]) -> Option<u32> {
    payload.try_into().ok().map(u32::from_be_bytes)
}

fn limits(payload: &[u8]) -> Option<Limits> {
    let (stream_window, rest) = payload.split_first_chunk()?;
    let (channel_window, rest) = rest.split_first_chunk()?;
    let limits = Limits {
        max_streams: number(rest)?,
        stream_window: u32::from_be_bytes(*stream_window),
        channel_window: u32::from_be_bytes(*channel_window),
    };
    let smallest = limits
        .max_streams
        .min(limits.stream_window)
        .min(limits.channel_window);
    (smallest > 0).then_some(limits)
}

fn hello<'a>(payload: &[u8]) -> Option<Frame<'a>> {
    let (version, rest) = payload.split_first_chunk()?;
    let (token, rest) = rest.split_at_checked(rest.len().checked_sub(12)?)?;
    Some(Frame::Hello {
        version: u32::from_be_bytes(*version),
        token: str::from_utf8(token).ok()?.parse().ok()?,
        limits: limits(rest)?,
    })
}

fn refusal(payload: &[u8]) -> Option<Refusal> {
    match payload {
        [1] => Some(Refusal::Forbidden),
        [2] => Some(Refusal::Version),
        [3] => Some(Refusal::Busy),
        _ => None,
    }
}

fn reset_reason(payload: &[u8]) -> Option<ResetReason> {
    match payload {
        [1] => Some(ResetReason::Cancelled),
        [2] => Some(ResetReason::Unreachable),
        [3] => Some(ResetReason::TimedOut),
        [4] => Some(ResetReason::Refused),
        [5] => Some(ResetReason::Broken),
        _ => None,
    }
}

fn flag_and_head(payload: &[u8]) -> Option<(bool, &[u8])> {
    let (flag, head) = payload.split_first()?;
    let is_valid = *flag <= 1 && head.len() <= MAX_HEAD;
    is_valid.then_some((*flag == 1, head))
}
