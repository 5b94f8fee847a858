//! Parsing of messages from one struct with the fields of all of them.
//!
//! The derived parser of an enum whose tag is one of its fields first copies the whole message into
//! a tree, and is compiled a second time for that. In the browser that is code to download, so
//! [`ServerMessage`] and [`Signal`] are parsed from flat structs instead. The tag may stand
//! anywhere, and unknown fields are ignored.

use serde::Deserialize;

use super::{
    ErrorCode, HostTerm, LeftReason, Member, ParseError, RestoredRoom, ServerMessage, Signal,
    limits,
};
use crate::peer::{Incarnation, PeerId, Token};

/// Tag of any message.
#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: String,
}

/// Fields of all messages of the server but the welcome.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServerFields {
    member: Option<Member>,
    peer: Option<PeerId>,
    reason: Option<String>,
    term: Option<HostTerm>,
    first_host: Option<PeerId>,
    host_token: Option<Token>,
    locked: Option<bool>,
    token: Option<Token>,
    hosts: Option<Vec<HostTerm>>,
    from: Option<PeerId>,
    incarnation: Option<Incarnation>,
    signal: Option<Signal>,
    code: Option<ErrorCode>,
    message: Option<String>,
    retry_after_ms: Option<u32>,
}

/// Fields of all signals.
#[derive(Deserialize)]
pub(super) struct SignalFields {
    #[serde(rename = "type")]
    kind: String,
    attempt: u32,
    sdp: Option<String>,
    candidates: Option<Vec<String>>,
}

/// Parses a message of the server, without checking its lists and strings.
pub(super) fn parse_server(text: &str) -> Result<ServerMessage, ParseError> {
    let Tag { kind } = limits::from_json(text)?;
    if kind == "welcome" {
        return limits::from_json(text).map(|welcome| ServerMessage::Welcome(Box::new(welcome)));
    }
    let fields: ServerFields = limits::from_json(text)?;
    fields.message(&kind).map_err(ParseError::Malformed)
}

impl ServerFields {
    fn message(self, kind: &str) -> Result<ServerMessage, String> {
        Ok(match kind {
            "joined" => ServerMessage::Joined {
                member: required(self.member, "member")?,
            },
            "away" => ServerMessage::Away {
                peer: required(self.peer, "peer")?,
            },
            "returned" => ServerMessage::Returned {
                member: required(self.member, "member")?,
            },
            "left" => ServerMessage::Left {
                peer: required(self.peer, "peer")?,
                reason: left_reason(&required(self.reason, "reason")?)?,
            },
            "host" => ServerMessage::Host {
                term: required(self.term, "term")?,
                first_host: required(self.first_host, "firstHost")?,
                host_token: self.host_token,
            },
            "locked" => ServerMessage::Locked {
                locked: required(self.locked, "locked")?,
            },
            "banned" => ServerMessage::Banned {
                token: required(self.token, "token")?,
            },
            "kicked" => ServerMessage::Kicked {
                reason: required(self.reason, "reason")?,
            },
            "ended" => ServerMessage::Ended,
            "restored" => ServerMessage::Restored(Box::new(RestoredRoom {
                hosts: required(self.hosts, "hosts")?,
                host_token: self.host_token,
                first_host: required(self.first_host, "firstHost")?,
                locked: required(self.locked, "locked")?,
            })),
            "signal" => ServerMessage::Signal {
                from: required(self.from, "from")?,
                incarnation: required(self.incarnation, "incarnation")?,
                signal: required(self.signal, "signal")?,
            },
            "error" => ServerMessage::Error {
                code: required(self.code, "code")?,
                message: required(self.message, "message")?,
            },
            "replaced" => ServerMessage::Replaced,
            "closing" => ServerMessage::Closing {
                retry_after_ms: required(self.retry_after_ms, "retryAfterMs")?,
            },
            "pong" => ServerMessage::Pong,
            _ => return Err(unknown("type", kind)),
        })
    }
}

impl TryFrom<SignalFields> for Signal {
    type Error = String;

    fn try_from(fields: SignalFields) -> Result<Self, String> {
        let SignalFields {
            kind,
            attempt,
            sdp,
            candidates,
        } = fields;
        Ok(match kind.as_str() {
            "offer" => Self::Offer {
                attempt,
                sdp: required(sdp, "sdp")?,
            },
            "answer" => Self::Answer {
                attempt,
                sdp: required(sdp, "sdp")?,
            },
            "candidates" => Self::Candidates {
                attempt,
                candidates: required(candidates, "candidates")?,
            },
            _ => return Err(unknown("type", &kind)),
        })
    }
}

fn left_reason(text: &str) -> Result<LeftReason, String> {
    let reasons = [LeftReason::Left, LeftReason::Gone, LeftReason::Kicked];
    let named = reasons.into_iter().find(|reason| reason.as_str() == text);
    named.ok_or_else(|| unknown("reason", text))
}

fn required<T>(field: Option<T>, name: &str) -> Result<T, String> {
    field.ok_or_else(|| "missing field ".to_owned() + name)
}

fn unknown(field: &str, value: &str) -> String {
    ["unknown ", field, " ", value].concat()
}
