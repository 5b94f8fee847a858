//! Who takes part: the names by which the server, the riders and the frames
//! know a rider, and the words for how one is reached.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

const MAX_ID: usize = 64;
const MAX_TOKEN: usize = 256;

/// A rider's identity in one room: 1 to 64 of `A-Z a-z 0-9 _ -`, chosen by
/// the server and kept across reloads. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerId(Arc<str>);

/// A text is no [`PeerId`] or no [`Token`]: wrong length or letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {limit} letters, digits, hyphens or underscores")]
pub struct NameError {
    limit: usize,
}

impl PeerId {
    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PeerId {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_name(text, MAX_ID).map(|()| Self(text.into()))
    }
}

impl TryFrom<String> for PeerId {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<PeerId> for String {
    fn from(id: PeerId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A rider's number in its room, counted up from 1 and never used twice:
/// the lower, the longer present. Short enough to address frames with.
///
/// A rider who comes back within the grace keeps its number; one who comes
/// back later joins again under a new one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct PeerNumber(pub u32);

/// Which page load of a rider is meant, counted up by the server from 1.
/// Signals and frames of an older one are dropped; 0 stands for any.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

/// The secret by which a browser is the same rider again: 1 to 256 of
/// `A-Z a-z 0-9 _ -`. Never printed by `Debug`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl Token {
    /// The secret itself, to store it or to send it to the server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same secret, in a time that depends only on the
    /// lengths.
    pub fn matches(&self, other: &Self) -> bool {
        same_secret(&self.0, &other.0)
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl FromStr for Token {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        check_name(text, MAX_TOKEN).map(|()| Self(text.to_owned()))
    }
}

impl TryFrom<String> for Token {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Token> for String {
    fn from(token: Token) -> Self {
        token.0
    }
}

/// What a rider may do in the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Shares the workout, starts, pauses and ends it.
    Host,
    /// Rides along.
    Rider,
}

/// A rider's public keys; in JSON each is 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKeys {
    /// Ed25519: what the rider signs as host is checked with it.
    #[serde(with = "hex")]
    pub sign: [u8; 32],
    /// X25519: frames for the rider can be sealed with it.
    #[serde(with = "hex")]
    pub agree: [u8; 32],
}

/// How a rider is reached, in the one set of words used everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// No carrier yet, or the own socket is lost and no data channel lives.
    Connecting,
    /// Frames go over the server.
    Relayed,
    /// Frames go over the data channels.
    Direct,
    /// The rider's socket is lost and so are the data channels; may come back.
    Away,
}

impl LinkState {
    /// The word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Relayed => "relayed",
            Self::Direct => "direct",
            Self::Away => "away",
        }
    }
}

/// How a frame is delivered; the discriminant is its byte on the wire and the
/// id of its data channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Ordered, exactly once.
    Control = 0,
    /// Unordered, may be lost, the newest wins.
    Telemetry = 1,
    /// Ordered, exactly once, gives way to the others.
    Bulk = 2,
}

impl Class {
    /// All classes, by their byte.
    pub const ALL: [Self; 3] = [Self::Control, Self::Telemetry, Self::Bulk];

    /// The class of a wire byte.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// Whether two texts are the same, in a time that depends only on the lengths.
pub fn same_secret(ours: &str, theirs: &str) -> bool {
    let difference = ours
        .bytes()
        .zip(theirs.bytes())
        .fold(0, |sum, (our, their)| sum | (our ^ their));
    ours.len() == theirs.len() && std::hint::black_box(difference) == 0
}

fn check_name(text: &str, limit: usize) -> Result<(), NameError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=limit).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(())
    } else {
        Err(NameError { limit })
    }
}

/// Serde adapter: byte arrays as lower-case hexadecimal text.
pub mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes two digits per byte.
    pub fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        out: S,
    ) -> Result<S::Ok, S::Error> {
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        out.serialize_str(&text)
    }

    /// Reads exactly `2 * N` digits of either case.
    pub fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        from: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(from)?;
        let expected = || D::Error::custom(format!("expected {} hexadecimal digits", 2 * N));
        parse(text.as_bytes()).ok_or_else(expected)
    }

    fn parse<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
        if text.len() != 2 * N {
            return None;
        }
        let mut bytes = [0; N];
        for (byte, [high, low]) in bytes.iter_mut().zip(text.as_chunks().0) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(bytes)
    }

    fn digit(letter: u8) -> Option<u8> {
        char::from(letter).to_digit(16).map(|value| value as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_is_parsed_not_trusted() {
        assert!("a-B_9".parse::<PeerId>().is_ok());
        for bad in ["", "a b", "ä", "<img>", &"x".repeat(65)] {
            assert!(bad.parse::<PeerId>().is_err(), "{bad}");
            assert!(serde_json::from_value::<PeerId>(bad.into()).is_err());
        }
    }

    #[test]
    fn a_token_is_never_printed() {
        let token: Token = "secret".parse().unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn tokens_match_only_when_equal() {
        let token: Token = "secret".parse().unwrap();
        assert!(token.matches(&"secret".parse().unwrap()));
        assert!(!token.matches(&"secreT".parse().unwrap()));
        assert!(!token.matches(&"secret1".parse().unwrap()));
        assert!(!token.matches(&"s".parse().unwrap()));
    }

    #[test]
    fn keys_are_hexadecimal_in_json() {
        let keys = PublicKeys {
            sign: [0xab; 32],
            agree: [1; 32],
        };
        let json = serde_json::to_string(&keys).unwrap();
        assert!(json.contains(&"ab".repeat(32)));
        assert_eq!(serde_json::from_str::<PublicKeys>(&json).unwrap(), keys);
        let short = json.replace("abab", "ab");
        assert!(serde_json::from_str::<PublicKeys>(&short).is_err());
        let odd = json.replace("abab", "ab€");
        assert!(serde_json::from_str::<PublicKeys>(&odd).is_err());
    }

    #[test]
    fn a_class_is_its_byte() {
        for class in Class::ALL {
            assert_eq!(Class::from_byte(class as u8), Some(class));
        }
        assert_eq!(Class::from_byte(3), None);
    }
}
