//! The JSON of the simple-peer wire.
//!
//! A message is read as its fields and no deeper: their values go on as the
//! bytes they came in.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, MapAccess, Visitor},
};
use serde_json::{Number, value::RawValue};

use super::{MAX_NAME, Profile, Refusal};
use protocol::peer::PeerId;

/// The most fields of a message; clients have some five.
const MAX_FIELDS: usize = 64;
/// What only the server says.
const SERVERS_OWN: [&str; 4] = ["id", "peer-left", "existing-peers", "peer-joined"];

/// A message of a client: an object, of any type that is not the server's.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    fields: Fields<'a>,
    target: Option<String>,
    is_join: bool,
}

/// Why a text is no [`Message`]; such a text is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nonsense {
    /// Not JSON, not an object, or its type or target is no string.
    #[error("not a message of a simple-peer client")]
    Malformed,
    /// Of a type that only the server says.
    #[error("a type of message that only the server says")]
    Forged,
}

impl<'a> Message<'a> {
    /// Reads what a client said.
    ///
    /// # Errors
    /// [`Nonsense`], to be ignored and counted.
    pub fn parse(text: &'a str) -> Result<Self, Nonsense> {
        let fields: Fields<'a> = serde_json::from_str(text).map_err(|_| Nonsense::Malformed)?;
        let kind = fields.text("type")?;
        if kind.as_deref().is_some_and(|it| SERVERS_OWN.contains(&it)) {
            return Err(Nonsense::Forged);
        }
        let target = fields.text("target")?.filter(|target| !target.is_empty());
        Ok(Self {
            target,
            is_join: kind.as_deref() == Some("join"),
            fields,
        })
    }

    /// Whom it is for; all others if it does not say.
    pub fn target(&self) -> Option<&str> {
        self.target.as_deref()
    }

    /// What it says of its rider, if that is what it is for.
    pub fn joins(&self) -> Option<Profile> {
        self.is_join.then(|| Profile {
            name: self.name(),
            ftp: self.field("ftp"),
        })
    }

    /// The text that others get.
    pub(super) fn from(&self, sender: &PeerId, is_host: bool) -> String {
        let mut text = String::from("{");
        for (name, value) in &self.fields.0 {
            match name.as_str() {
                "from" => continue,
                "isHost" => push(&mut text, name, if is_host { "true" } else { "false" }),
                _ => push(&mut text, name, value.get()),
            }
        }
        push(&mut text, "from", &to_json(sender));
        text.push('}');
        text
    }

    fn name(&self) -> String {
        let name: Option<String> = self.field("name");
        name.unwrap_or_default().chars().take(MAX_NAME).collect()
    }

    /// A field, where it is of the type wanted.
    fn field<T: Deserialize<'a>>(&self, name: &str) -> Option<T> {
        let value = self.fields.value(name)?;
        serde_json::from_str(value.get()).ok()
    }
}

/// Who is in a room, as `existing-peers` and `peer-joined` tell it.
pub(super) struct Entry<'a> {
    peer: &'a PeerId,
    profile: &'a Profile,
}

impl<'a> Entry<'a> {
    pub(super) fn new(peer: &'a PeerId, profile: &'a Profile) -> Self {
        Self { peer, profile }
    }
}

pub(super) fn identity(peer: &PeerId, is_host: bool) -> String {
    to_json(&ServerMessage::Id { id: peer, is_host })
}

pub(super) fn left(peer: &PeerId) -> String {
    to_json(&ServerMessage::PeerLeft { peer_id: peer })
}

pub(super) fn existing<'a>(entries: impl Iterator<Item = Entry<'a>>) -> String {
    let peers = entries.map(|Entry { peer, profile }| Existing {
        id: peer,
        name: &profile.name,
        ftp: profile.ftp.as_ref(),
    });
    to_json(&ServerMessage::ExistingPeers {
        peers: peers.collect(),
    })
}

pub(super) fn joined(entry: &Entry<'_>, is_host: bool) -> String {
    to_json(&ServerMessage::PeerJoined {
        peer_id: entry.peer,
        name: &entry.profile.name,
        ftp: entry.profile.ftp.as_ref(),
        is_host,
    })
}

pub(super) fn refusal(refusal: Refusal) -> String {
    to_json(&ServerMessage::Error {
        message: refusal.to_string(),
    })
}

/// What the server says itself.
#[derive(Serialize)]
#[serde(
    tag = "type",
    rename_all = "kebab-case",
    rename_all_fields = "camelCase"
)]
enum ServerMessage<'a> {
    Id {
        id: &'a PeerId,
        is_host: bool,
    },
    PeerLeft {
        peer_id: &'a PeerId,
    },
    ExistingPeers {
        peers: Vec<Existing<'a>>,
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
struct Existing<'a> {
    id: &'a PeerId,
    name: &'a str,
    ftp: Option<&'a Number>,
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    // Serialising to a string fails only for maps with keys that are no
    // strings, and these have no maps.
    serde_json::to_string(value).expect("messages are plain structs")
}

fn push(text: &mut String, name: &str, value: &str) {
    if text.len() > 1 {
        text.push(',');
    }
    text.push_str(&to_json(name));
    text.push(':');
    text.push_str(value);
}

/// The fields of an object in their order, a name once: of two, the last
/// counts, as it does for the clients.
#[derive(Clone, Debug)]
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Fields<'a> {
    fn value(&self, name: &str) -> Option<&'a RawValue> {
        let field = self.0.iter().find(|(one, _)| one == name);
        field.map(|(_, value)| *value)
    }

    /// A field that must be a string where it is present, and not null.
    fn text(&self, name: &str) -> Result<Option<String>, Nonsense> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => serde_json::from_str(value.get()).map_err(|_| Nonsense::Malformed),
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
            match fields.iter().position(|(one, _)| *one == name) {
                Some(place) => fields[place].1 = value,
                None if fields.len() == MAX_FIELDS => return Err(A::Error::custom("too many")),
                None => fields.push((name, value)),
            }
        }
        Ok(Fields(fields))
    }
}
