//! JSON messages of the simple-peer dialect.
//!
//! Only the fields of a client's message are parsed. Their values are forwarded byte for byte.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Number, value::RawValue};

use super::{MAX_NAME, MAX_NAME_BYTES, Profile, SimplePeerRefusal};
use protocol::{peer::PeerId, text::truncate};

/// Largest number of fields in a message; clients send about five.
const MAX_FIELDS: usize = 64;
/// Message types that only the server sends.
const SERVER_TYPES: [&str; 5] = ["id", "peer-left", "existing-peers", "peer-joined", "error"];

/// Message of a client: a JSON object of any type that is not reserved for the server.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    fields: Fields<'a>,
    target: Option<String>,
    is_join: bool,
}

/// Reason why a text is not a [`Message`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimplePeerParseError {
    /// The text is not a JSON object, or its type or target is not a string.
    #[error("not a message of a simple-peer client")]
    Malformed,
    /// Only the server sends messages of this type.
    #[error("a message type that only the server sends")]
    Forged,
}

impl<'a> Message<'a> {
    /// Parses a message of a client.
    ///
    /// # Errors
    /// [`SimplePeerParseError`]. The broker counts such messages and ignores them.
    pub fn parse(text: &'a str) -> Result<Self, SimplePeerParseError> {
        let fields: Fields<'a> =
            serde_json::from_str(text).map_err(|_| SimplePeerParseError::Malformed)?;
        let kind = fields.text("type")?;
        if kind.as_deref().is_some_and(|it| SERVER_TYPES.contains(&it)) {
            return Err(SimplePeerParseError::Forged);
        }
        let target = fields.text("target")?.filter(|target| !target.is_empty());
        Ok(Self {
            target,
            is_join: kind.as_deref() == Some("join"),
            fields,
        })
    }

    /// Id of the receiver; `None` for all others.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// Profile of the rider, if this is a `join` message.
    pub fn joins(&self) -> Option<Profile> {
        self.is_join.then(|| Profile {
            name: self.name(),
            ftp: self.field("ftp"),
        })
    }

    /// Message to forward, with the sender's id and host state.
    pub(super) fn from(&self, sender: &PeerId, is_host: bool) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.fields.0 {
            match name.as_str() {
                "from" => continue,
                "isHost" => push_field(&mut text, name, if is_host { "true" } else { "false" }),
                _ => push_field(&mut text, name, value.get()),
            }
        }
        push_field(&mut text, "from", &to_json(sender));
        text.push('}');
        text
    }

    fn name(&self) -> String {
        let name: Option<String> = self.field("name");
        truncate(&name.unwrap_or_default(), MAX_NAME, MAX_NAME_BYTES).to_owned()
    }

    /// Value of a field; `None` if it is missing or has another type.
    fn field<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        let value = self.fields.value(name)?;
        serde_json::from_str(value.get()).ok()
    }
}

/// Member in `existing-peers` and `peer-joined`.
pub(super) struct PeerProfile<'a> {
    pub(super) peer: &'a PeerId,
    pub(super) profile: &'a Profile,
}

pub(super) fn identity(peer: &PeerId, is_host: bool) -> String {
    to_json(&OutgoingMessage::Id { id: peer, is_host })
}

pub(super) fn left(peer: &PeerId) -> String {
    to_json(&OutgoingMessage::PeerLeft { peer_id: peer })
}

pub(super) fn existing<'a>(members: impl Iterator<Item = PeerProfile<'a>>) -> String {
    let peers = members.map(|PeerProfile { peer, profile }| ExistingPeer {
        id: peer,
        name: &profile.name,
        ftp: profile.ftp.as_ref(),
    });
    to_json(&OutgoingMessage::ExistingPeers {
        peers: peers.collect(),
    })
}

pub(super) fn joined(member: &PeerProfile<'_>, is_host: bool) -> String {
    to_json(&OutgoingMessage::PeerJoined {
        peer_id: member.peer,
        name: &member.profile.name,
        ftp: member.profile.ftp.as_ref(),
        is_host,
    })
}

pub(super) fn refusal(refusal: SimplePeerRefusal) -> String {
    to_json(&OutgoingMessage::Error {
        message: refusal.to_string(),
    })
}

/// Message that the server sends itself.
#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
enum OutgoingMessage<'a> {
    Id {
        id: &'a PeerId,
        is_host: bool,
    },
    PeerLeft {
        peer_id: &'a PeerId,
    },
    ExistingPeers {
        peers: Vec<ExistingPeer<'a>>,
    },
    PeerJoined {
        peer_id: &'a PeerId,
        name: &'a str,
        ftp: Option<&'a Number>,
        is_host: bool,
    },
    Error {
        message: String,
    },
}

#[derive(Serialize)]
struct ExistingPeer<'a> {
    id: &'a PeerId,
    name: &'a str,
    ftp: Option<&'a Number>,
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    // Serialization to a string fails only for maps with keys that are not strings; these messages
    // have no maps.
    serde_json::to_string(value).expect("messages are plain structs")
}

fn push_field(text: &mut String, name: &str, value: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(&to_json(name));
    text.push(':');
    text.push_str(value);
}

/// Fields of an object in their order. Of two fields with the same name, the last value counts, as
/// it does in the clients.
#[derive(Clone, Debug)]
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn value(&self, name: &str) -> Option<&'a RawValue> {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| *value)
    }

    /// Text of a field that is a string, `null` or missing.
    fn text(&self, name: &str) -> Result<Option<String>, SimplePeerParseError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => {
                serde_json::from_str(value.get()).map_err(|_| SimplePeerParseError::Malformed)
            }
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields: Vec<(String, &'de RawValue)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value()?;
            match fields.iter().position(|(field, _)| *field == name) {
                Some(index) => fields[index].1 = value,
                None if fields.len() == MAX_FIELDS => {
                    return Err(A::Error::custom("too many fields"));
                }
                None => fields.push((name, value)),
            }
        }
        Ok(Fields(fields))
    }
}
