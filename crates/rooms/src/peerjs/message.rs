//! The JSON of the PeerJS wire: what a client says, and how it is passed on.
//!
//! A payload is never looked into and never written anew: its bytes go on as
//! they came.

use std::{borrow::Cow, fmt, sync::Arc};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use serde_json::value::RawValue;

use super::Refusal;

/// The most characters of an id.
pub const MAX_ID: usize = 64;
/// The most bytes of a token; clients make up some twenty.
pub const MAX_TOKEN: usize = 256;

/// The first thing a peer is told: it is in, under the id it asked for.
pub const OPEN: &str = r#"{"type":"OPEN"}"#;

/// What a client says that goes on to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Opens a connection.
    Offer,
    /// Accepts one.
    Answer,
    /// An ICE candidate of one.
    Candidate,
    /// The sender has gone from the receiver; without a receiver, from the
    /// server.
    Leave,
    /// The sender gives up waiting for the receiver.
    Expire,
}

/// A message of a client.
#[derive(Clone, Debug)]
pub enum Message<'a> {
    /// A sign of life, every five seconds.
    Heartbeat,
    /// To be passed on.
    ResumeClaims {
        /// What it is.
        kind: Kind,
        /// The id of the receiver.
        to: Option<Cow<'a, str>>,
        /// JSON, not looked into.
        payload: Option<&'a RawValue>,
    },
}

/// Why a text is no [`Message`]; such a text is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// Not JSON, or not an object of this shape.
    #[error("not a message of a PeerJS client")]
    Malformed,
    /// A type that no client has.
    #[error("an unknown type of message")]
    UnknownType,
}

impl<'a> Message<'a> {
    /// Reads what a client said.
    ///
    /// # Errors
    /// [`Nonsense`], to be ignored and counted.
    pub fn parse(text: &'a str) -> Result<Self, Nonsense> {
        let said: Said<'a> = serde_json::from_str(text).map_err(|_| Nonsense::Malformed)?;
        let kind = match &*said.kind.0 {
            "HEARTBEAT" => return Ok(Self::Heartbeat),
            "OFFER" => Kind::Offer,
            "ANSWER" => Kind::Answer,
            "CANDIDATE" => Kind::Candidate,
            "LEAVE" => Kind::Leave,
            "EXPIRE" => Kind::Expire,
            _ => return Err(Nonsense::UnknownType),
        };
        Ok(Self::ResumeClaims {
            kind,
            to: said.dst.map(|text| text.0).filter(|to| !to.is_empty()),
            payload: said.payload,
        })
    }
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Offer => "OFFER",
            Self::Answer => "ANSWER",
            Self::Candidate => "CANDIDATE",
            Self::Leave => "LEAVE",
            Self::Expire => "EXPIRE",
        }
    }

    /// Whether it waits for a receiver who is not there.
    pub(super) fn waits(self) -> bool {
        !matches!(self, Self::Leave | Self::Expire)
    }
}

impl Refusal {
    /// The message that says so before the socket is closed.
    pub fn to_json(self) -> String {
        let kind = match self {
            Self::IdTaken => "ID-TAKEN",
            _ => "ERROR",
        };
        // Every reason is plain letters, so nothing has to be escaped.
        format!(r#"{{"type":"{kind}","payload":{{"msg":"{self}"}}}}"#)
    }
}

/// The text that one peer gets from another.
pub(super) fn pass(kind: Kind, from: &str, to: &str, payload: Option<&RawValue>) -> String {
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

/// An id by the pattern of the clients, `^[A-Za-z0-9]+(?:[ _-][A-Za-z0-9]+)*$`,
/// of 1 to [`MAX_ID`] characters.
pub(super) fn id(text: &str) -> Option<Arc<str>> {
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
        // A receiver that nobody can be: only its sender ever reads this.
        text.push_str(&serde_json::Value::from(value).to_string());
    }
}

fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b' ' | b'_' | b'-')
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, rename = "type")]
    kind: Text<'a>,
    #[serde(borrow, default)]
    dst: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "present")]
    payload: Option<&'a RawValue>,
}

/// A payload of `null` is a payload.
fn present<'a, D: Deserializer<'a>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

/// A string, borrowed from the message where it has no escapes.
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

    fn passed(text: &str) -> String {
        match Message::parse(text) {
            Ok(Message::ResumeClaims { kind, to, payload }) => {
                pass(kind, "ana", to.as_deref().unwrap_or_default(), payload)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_message_goes_on_as_type_sender_receiver_and_the_very_same_payload() {
        let said = r#"{"payload": {"sdp" : {"z":1.50,"a":"\u00e9"}}, "type":"OFFER","dst":"ben","src":"eve","x":[{}]}"#;
        let goes_on = r#"{"type":"OFFER","src":"ana","dst":"ben","payload":{"sdp" : {"z":1.50,"a":"\u00e9"}}}"#;
        assert_eq!(passed(said), goes_on);
        assert_eq!(
            passed(r#"{"type":"LEAVE","dst":"b\u0065n"}"#),
            r#"{"type":"LEAVE","src":"ana","dst":"ben"}"#
        );
        assert_eq!(
            passed(r#"{"type":"ANSWER","dst":"ben","payload":null}"#),
            r#"{"type":"ANSWER","src":"ana","dst":"ben","payload":null}"#
        );
    }

    #[test]
    fn a_receiver_cannot_write_fields_of_its_own() {
        let written = passed(r#"{"type":"LEAVE","dst":"x\",\"payload\":\"y"}"#);
        let read: serde_json::Value = serde_json::from_str(&written).unwrap();
        assert_eq!(read["dst"], "x\",\"payload\":\"y");
        assert!(read.get("payload").is_none());
    }

    #[test]
    fn nonsense_is_told_from_unknown_types() {
        for text in ["", "{", "[]", "7", r#"{"type":7}"#, r#"{"dst":"ben"}"#] {
            let nonsense = Message::parse(text).err();
            assert_eq!(nonsense, Some(Nonsense::Malformed), "{text}");
        }
        for kind in ["OPEN", "ERROR", "ID-TAKEN", "offer", ""] {
            let text = format!(r#"{{"type":"{kind}","dst":"ben"}}"#);
            let nonsense = Message::parse(&text).err();
            assert_eq!(nonsense, Some(Nonsense::UnknownType), "{text}");
        }
    }

    #[test]
    fn a_payload_as_deep_as_a_message_can_be_is_passed_on_unread() {
        let payload = format!("{}{}", "[".repeat(30_000), "]".repeat(30_000));
        let said = format!(r#"{{"type":"OFFER","dst":"ben","payload":{payload}}}"#);
        assert!(passed(&said).ends_with(&format!(r#""payload":{payload}}}"#)));
    }

    #[test]
    fn ids_are_letters_and_digits_with_single_separators_between() {
        for text in ["a", "A-b_c 9", &"x".repeat(64), "d0c1-7e"] {
            assert!(id(text).is_some(), "{text}");
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
            assert!(id(text).is_none(), "{text}");
        }
    }

    #[test]
    fn refusals_say_what_upstream_says() {
        assert_eq!(
            Refusal::IdTaken.to_json(),
            r#"{"type":"ID-TAKEN","payload":{"msg":"ID is taken"}}"#
        );
        assert_eq!(
            Refusal::Missing.to_json(),
            r#"{"type":"ERROR","payload":{"msg":"No id, token, or key supplied to websocket server"}}"#
        );
    }
}
