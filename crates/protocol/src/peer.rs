//! Identities of members, their roles, the states of links and the delivery classes of frames.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Serialize};

const MAX_ID: usize = 64;
const MAX_TOKEN: usize = 256;

/// Identity of a member in one room: 1 to 64 characters of `A-Z a-z 0-9 _ -`, assigned by the server
/// and kept across reloads. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PeerId(Arc<str>);

/// Error for a text that is not a [`PeerId`] or a [`Token`], because of its length or characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {limit} letters, digits, hyphens or underscores")]
pub struct NameError {
    limit: usize,
}

impl PeerId {
    /// Text of the id.
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

/// Number of a member in its room, counted up from 1 and never reused. The lowest number has been
/// present for the longest. Frames are addressed with it because it is short.
///
/// A member that returns within the grace period keeps its number; one that returns later joins
/// under a new one.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct PeerNumber(pub u32);

/// Number of a member's page load, counted up from 1 by the server. Signals and frames of an older
/// page load are dropped. 0 addresses any page load.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Incarnation(pub u32);

/// Secret with which a browser resumes as a member: 1 to 256 characters of `A-Z a-z 0-9 _ -`.
/// `Debug` never prints it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token(String);

impl Token {
    /// The secret, to store it or to send it to the server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares two secrets in a time that depends only on their lengths.
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

/// Part that a member plays in the group. The discriminant is its byte in resume tokens.
///
/// Only riders vote, succeed as host, and count among the riders of a ride.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemberRole {
    /// Rides the workout.
    #[default]
    Rider = 0,
    /// Watches.
    Spectator = 1,
    /// Watches and advises the riders.
    Coach = 2,
    /// Program of a rider, for example a tunnel.
    Companion = 3,
    /// Device that connects a rider's sensors to the rider's page.
    Bridge = 4,
}

impl MemberRole {
    /// All roles in the order of their bytes.
    pub const ALL: [Self; 5] = [
        Self::Rider,
        Self::Spectator,
        Self::Coach,
        Self::Companion,
        Self::Bridge,
    ];

    /// Role of a byte in a resume token.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }

    /// Returns `true` for [`Self::Rider`].
    pub fn is_rider(&self) -> bool {
        *self == Self::Rider
    }

    /// Returns `true` for people, who are sent what riders send to all. Programs and devices of a
    /// rider have no use for it.
    pub fn follows_ride(&self) -> bool {
        matches!(self, Self::Rider | Self::Spectator | Self::Coach)
    }
}

/// Public keys of a page; in JSON each is 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKeys {
    /// Ed25519 key that verifies timeline events and votes of this rider.
    #[serde(with = "hex")]
    pub sign: [u8; 32],
    /// X25519 key for end-to-end encryption of frames to this rider. Not used yet.
    #[serde(with = "hex")]
    pub agree: [u8; 32],
}

/// State of the link to another rider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// No path yet, or the own socket is lost and no data channel is open.
    Connecting,
    /// Frames go through the server's relay.
    Relayed,
    /// Frames go over the data channels.
    Direct,
    /// The other rider's socket and data channels are lost; it may return.
    Away,
}

impl LinkState {
    /// Name of the state in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Relayed => "relayed",
            Self::Direct => "direct",
            Self::Away => "away",
        }
    }
}

/// Delivery class of a frame. The discriminant is its byte on the wire and the id of its data
/// channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryClass {
    /// Ordered and reliable.
    Control = 0,
    /// Unordered, without retransmission; the newest value counts.
    Telemetry = 1,
    /// Ordered and reliable, with lower priority than the others.
    Bulk = 2,
}

impl DeliveryClass {
    /// All classes in the order of their bytes.
    pub const ALL: [Self; 3] = [Self::Control, Self::Telemetry, Self::Bulk];

    /// Class of a byte on the wire.
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.get(usize::from(byte)).copied()
    }
}

/// Compares two texts in a time that depends only on their lengths.
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

    /// Reads exactly `2 * N` digits of either case.
    pub fn parse<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
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
    fn a_peer_id_is_checked_when_it_is_parsed() {
        assert!("a-B_9".parse::<PeerId>().is_ok());
        for bad in ["", "a b", "ä", "<img>", &"x".repeat(65)] {
            assert!(bad.parse::<PeerId>().is_err(), "{bad}");
            assert!(serde_json::from_value::<PeerId>(bad.into()).is_err());
        }
    }

    #[test]
    fn debug_does_not_print_a_token() {
        let token: Token = "secret".parse().unwrap();
        assert_eq!(format!("{token:?}"), "Token(…)");
    }

    #[test]
    fn tokens_match_only_if_they_are_equal() {
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
    fn a_role_round_trips_through_its_byte() {
        for role in MemberRole::ALL {
            assert_eq!(MemberRole::from_byte(role as u8), Some(role));
        }
        assert_eq!(MemberRole::from_byte(5), None);
    }

    #[test]
    fn a_delivery_class_round_trips_through_its_byte() {
        for class in DeliveryClass::ALL {
            assert_eq!(DeliveryClass::from_byte(class as u8), Some(class));
        }
        assert_eq!(DeliveryClass::from_byte(3), None);
    }
}
