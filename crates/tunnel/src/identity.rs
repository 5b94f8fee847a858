//! Secrets of a tunnel, and the code that follows from them.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Alphabet of RFC 4648, section 6, in lower case: it fits into host names.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
/// Letters of a code: 80 bits of the hash.
const CODE_LETTERS: usize = 16;
const KEY_BYTES: usize = 20;
const KEY_LETTERS: usize = KEY_BYTES * 8 / 5;
const TOKEN_BYTES: usize = 20;
const TOKEN_LETTERS: usize = TOKEN_BYTES * 8 / 5;
/// Separates this hash from others of the same bytes.
const CODE_CONTEXT: &[u8] = b"gruppetto tunnel code 1\0";
const TOKEN_CONTEXT: &[u8] = b"gruppetto tunnel token 1\0";

/// Reason why a text is not a code, key or token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("is not made of the right number of letters a to z and digits 2 to 7")]
pub struct IdentityError;

/// Code of a tunnel, which is the first label of its host name.
///
/// It is a hash of the tunnel's key, so that a server recognizes the owner without having stored
/// anything.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TunnelCode(String);

/// Secret of a tunnel's owner. Whoever has it serves the tunnel's code. `Debug` never prints it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TunnelKey(String);

/// Secret in the link of a tunnel, 160 bits. Whoever has it may visit. `Debug` never prints it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessToken(String);

/// Hash of an [`AccessToken`], by which a server recognizes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash(String);

impl TunnelKey {
    /// Key of random bytes.
    pub fn new(random: [u8; KEY_BYTES]) -> Self {
        Self(base32(&random))
    }

    /// Code that belongs to this key.
    pub fn code(&self) -> TunnelCode {
        let mut letters = hash(CODE_CONTEXT, &self.0);
        letters.truncate(CODE_LETTERS);
        TunnelCode(letters)
    }

    /// The secret, to store it or to send it to the server.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl AccessToken {
    /// Token of random bytes.
    pub fn new(random: [u8; TOKEN_BYTES]) -> Self {
        Self(base32(&random))
    }

    /// Hash to announce to a server.
    pub fn hash(&self) -> TokenHash {
        TokenHash(hash(TOKEN_CONTEXT, &self.0))
    }

    /// Compares two tokens in a time that does not depend on where they differ.
    pub fn matches(&self, other: &Self) -> bool {
        let bytes = self.0.bytes().zip(other.0.bytes());
        bytes.fold(0, |all, (a, b)| all | (a ^ b)) == 0
    }

    /// The secret, for the link.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        self.matches(other)
    }
}

impl Eq for AccessToken {}

impl TunnelCode {
    /// Letters and digits of the code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TunnelCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TunnelKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TunnelKey(…)")
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(…)")
    }
}

/// Text forms, all of a fixed number of letters.
macro_rules! text_form {
    ($type:ident, $letters:expr) => {
        impl FromStr for $type {
            type Err = IdentityError;

            fn from_str(text: &str) -> Result<Self, IdentityError> {
                let is_valid =
                    text.len() == $letters && text.bytes().all(|letter| ALPHABET.contains(&letter));
                is_valid.then(|| Self(text.to_owned())).ok_or(IdentityError)
            }
        }

        impl TryFrom<String> for $type {
            type Error = IdentityError;

            fn try_from(text: String) -> Result<Self, IdentityError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.0
            }
        }
    };
}

text_form!(TunnelCode, CODE_LETTERS);
text_form!(TunnelKey, KEY_LETTERS);
text_form!(AccessToken, TOKEN_LETTERS);
text_form!(TokenHash, CODE_LETTERS * 3);

/// Letters of a hash, 240 bits.
fn hash(context: &[u8], text: &str) -> String {
    let digest = Sha256::new()
        .chain_update(context)
        .chain_update(text)
        .finalize();
    base32(&digest[..30])
}

/// Base 32 (RFC 4648, section 6) in lower case of a multiple of five bytes.
fn base32(bytes: &[u8]) -> String {
    let groups = bytes.as_chunks::<5>().0.iter().flat_map(|group| {
        let bits = group
            .iter()
            .fold(0_u64, |all, byte| all << 8 | u64::from(*byte));
        (0..8).map(move |at| ALPHABET[(bits >> (35 - 5 * at) & 31) as usize])
    });
    groups.map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_32_agrees_with_the_examples_of_rfc_4648() {
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base32(&[0; 5]), "aaaaaaaa");
        assert_eq!(base32(&[255; 5]), "77777777");
    }

    #[test]
    fn a_code_follows_from_the_key_alone() {
        let key = TunnelKey::new([7; 20]);
        let again: TunnelKey = key.expose().parse().unwrap();
        assert_eq!(key.code(), again.code());
        assert_ne!(key.code(), TunnelKey::new([8; 20]).code());
        assert_eq!(key.code().as_str().parse(), Ok(key.code()));
    }

    #[test]
    fn a_token_matches_itself_alone() {
        let token = AccessToken::new([7; 20]);
        assert!(token.matches(&token.expose().parse().unwrap()));
        assert!(!token.matches(&AccessToken::new([8; 20])));
        assert_ne!(token.hash(), AccessToken::new([8; 20]).hash());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "abc",
            "ABCDEFGHIJKLMNOP",
            "abcdefghijklmno1",
            "../../../../aaaa",
        ] {
            assert!(text.parse::<TunnelCode>().is_err(), "{text}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let shown = format!(
            "{:?} {:?}",
            TunnelKey::new([7; 20]),
            AccessToken::new([7; 20])
        );
        assert_eq!(shown, "TunnelKey(…) AccessToken(…)");
    }
}
