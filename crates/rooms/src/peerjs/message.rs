//! JSON messages of the PeerJS dialect.
//!
//! Payloads are neither parsed nor serialized again: they are forwarded byte for byte.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::value::RawValue;

use super::PeerJsRefusal;

/// Largest number of characters in an id.
pub const MAX_ID: usize = 64;
/// Largest number of bytes in a token; clients generate about twenty.
pub const MAX_TOKEN: usize = 256;

/// First message to a peer: it has the id that it asked for.
pub const OPEN: &str = r#"{"type":"OPEN"}"#;

/// Type of a message that is forwarded to another client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageKind {
    /// Offer of a connection.
    Offer,
    /// Answer to an offer.
    Answer,
    /// ICE candidate of a connection.
    Candidate,
    /// The sender leaves the receiver; without a receiver, the server.
    Leave,
    /// The sender no longer waits for the receiver.
    Expire,
}

/// Message of a client.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// Liveness message, sent every five seconds.
    Heartbeat,
    /// Message to forward.
    Forward {
        /// Type.
        kind: MessageKind,
        /// Id of the receiver.
        to: Option<Cow<'a, str>>,
        /// JSON, unparsed.
        payload: Option<&'a RawValue>,
    },
}

/// Reason why a text is not a [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeerJsParseError {
    /// The text is not a JSON object with the fields of a message.
    #[error("not a message of a PeerJS client")]
    Malformed,
    /// No client sends messages of this type.
    #[error("an unknown message type")]
    UnknownType,
}

impl<'a> Message<'a> {
    /// Parses a message of a client.
    ///
    /// # Errors
    /// [`PeerJsParseError`]. The broker counts such messages and ignores them.
    pub fn parse(text: &'a str) -> Result<Self, PeerJsParseError> {
        let raw: RawMessage<'a> =
            serde_json::from_str(text).map_err(|_| PeerJsParseError::Malformed)?;
        let kind = match &*raw.kind.0 {
            "HEARTBEAT" => return Ok(Self::Heartbeat),
            "OFFER" => MessageKind::Offer,
            "ANSWER" => MessageKind::Answer,
            "CANDIDATE" => MessageKind::Candidate,
            "LEAVE" => MessageKind::Leave,
            "EXPIRE" => MessageKind::Expire,
            _ => return Err(PeerJsParseError::UnknownType),
        };
        Ok(Self::Forward {
            kind,
            to: raw.dst.map(|text| text.0).filter(|to| !to.is_empty()),
            payload: raw.payload,
        })
    }
}

impl MessageKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "OFFER",
            Self::Answer => "ANSWER",
            Self::Candidate => "CANDIDATE",
            Self::Leave => "LEAVE",
            Self::Expire => "EXPIRE",
        }
    }

    /// Returns `true` if it is queued for an absent receiver.
    pub(super) fn is_queued(self) -> bool {
        !matches!(self, Self::Leave | Self::Expire)
    }
}

impl PeerJsRefusal {
    /// Error message to send before the socket is closed.
    pub fn to_json(self) -> String {
        let kind = match self {
            Self::IdTaken => "ID-TAKEN",
            _ => "ERROR",
        };
        // The reasons contain no characters that JSON escapes.
        format!(r#"{{"type":"{kind}","payload":{{"msg":"{self}"}}}}"#)
    }
}

/// Message as its receiver gets it.
pub(super) fn forward(
    kind: MessageKind,
    from: &str,
    to: &str,
    payload: Option<&RawValue>,
) -> String {
    const FRAME: usize = r#"{"type":"CANDIDATE","src":"","dst":"","payload":}"#.len();
    let payload = payload.map(RawValue::get);
    let length = FRAME + from.len() + to.len() + payload.map_or(0, str::len);
    let mut text = String::with_capacity(length);
    text.push_str(r#"{"type":""#);
    text.push_str(kind.as_str());
    text.push_str(r#"","src":"#);
    push_quoted(&mut text, from);
    text.push_str(r#","dst":"#);
    push_quoted(&mut text, to);
    if let Some(payload) = payload {
        text.push_str(r#","payload":"#);
        text.push_str(payload);
    }
    text.push('}');
    text
}

/// Parses an id: 1 to [`MAX_ID`] characters that match the clients' pattern,
/// `^[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*$`.
pub(super) fn parse_id(text: &str) -> Option<Arc<str>> {
    let is_run = |run: &str| !run.is_empty() && run.bytes().all(|it| it.is_ascii_alphanumeric());
    let fits = text.len() <= MAX_ID && text.split([' ', '_', '-']).all(is_run);
    fits.then(|| text.into())
}

fn push_quoted(text: &mut String, value: &str) {
    if value.bytes().all(is_plain) {
        text.push('"');
        text.push_str(value);
        text.push('"');
    } else {
        // No peer has such an id, so only the sender itself could receive this text.
        text.push_str(&serde_json::Value::from(value).to_string());
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-')
}

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    dst: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    payload: Option<&'a RawValue>,
}

/// Deserializes a payload of `null` as present.
fn present<'a, D: Deserializer<'a>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// String, borrowed from the message if it contains no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(text: &str) -> String {
        match Message::parse(text) {
            Ok(Message::Forward { kind, to, payload }) => {
                forward(kind, "ana", to.as_deref().unwrap_or_default(), payload)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_is_forwarded_with_type_sender_receiver_and_unchanged_payload() {
        let sent = r#"{"payload": {"sdp" : {"z":1.50,"a":"\u00e9"}}, "type":"OFFER","dst":"ben","src":"eve","x":[{}]}"#;
        let expected = r#"{"type":"OFFER","src":"ana","dst":"ben","payload":{"sdp" : {"z":1.50,"a":"\u00e9"}}}"#;
        assert_eq!(forwarded(sent), expected);
        assert_eq!(
            forwarded(r#"{"type":"LEAVE","dst":"b\u0065n"}"#),
            r#"{"type":"LEAVE","src":"ana","dst":"ben"}"#
        );
        assert_eq!(
            forwarded(r#"{"type":"ANSWER","dst":"ben","payload":null}"#),
            r#"{"type":"ANSWER","src":"ana","dst":"ben","payload":null}"#
        );
    }

    #[test]
    fn a_receiver_id_cannot_inject_fields() {
        let written = forwarded(r#"{"type":"LEAVE","dst":"x\",\"payload\":\"y"}"#);
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["dst"], "x\",\"payload\":\"y");
        assert!(read.get("payload").is_none());
    }

    #[test]
    fn malformed_messages_are_distinguished_from_unknown_types() {
        for text in ["", "{", "[]", "7", r#"{"type":7}"#, r#"{"dst":"ben"}"#] {
            let error = Message::parse(text).err();
            assert_eq!(error, Some(PeerJsParseError::Malformed), "{text}");
        }
        for kind in ["OPEN", "ERROR", "ID-TAKEN", "offer", ""] {
            let text = format!(r#"{{"type":"{kind}","dst":"ben"}}"#);
            let error = Message::parse(&text).err();
            assert_eq!(error, Some(PeerJsParseError::UnknownType), "{text}");
        }
    }

    #[test]
    fn a_deeply_nested_payload_is_forwarded_unparsed() {
        let payload = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let sent = format!(r#"{{"type":"OFFER","dst":"ben","payload":{payload}}}"#);
        assert!(forwarded(&sent).ends_with(&format!(r#""payload":{payload}}}"#)));
    }

    #[test]
    fn ids_are_letters_and_digits_with_single_separators_between() {
        for text in ["a", "A-b_c 9", &"x".repeat(64), "d0c1-7e"] {
            assert!(parse_id(text).is_some(), "{text}");
        }
        for text in [
            "",
            "-a",
            "a-",
            "a--b",
            "a_-b",
            "a.b",
            "a/b",
            "ä",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(parse_id(text).is_none(), "{text}");
        }
    }

    #[test]
    fn refusals_have_the_texts_of_upstream() {
        assert_eq!(
            PeerJsRefusal::IdTaken.to_json(),
            r#"{"type":"ID-TAKEN","payload":{"msg":"ID is taken"}}"#
        );
        assert_eq!(
            PeerJsRefusal::Missing.to_json(),
            r#"{"type":"ERROR","payload":{"msg":"No id, token, or key supplied to websocket server"}}"#
        );
    }
}
