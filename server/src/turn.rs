//! Temporary credentials for a TURN server, derived from a secret that the TURN
//! server shares. coturn calls this `use-auth-secret` (A REST API For Access To
//! TURN Services, draft-uberti-behave-turn-rest-00, section 2.2).
//!
//! Contract: neither the secret nor a password is printed or logged.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use protocol::peer::PeerId;
use protocol::signaling::IceServer;
use sha1::{Digest, Sha1};

/// TURN server that shares a secret with this server.
#[derive(Debug, Clone)]
pub struct TurnServer {
    secret: TurnSecret,
    urls: Vec<String>,
    ttl_seconds: u64,
}

impl TurnServer {
    /// TURN server at these URLs, whose credentials are valid for `ttl_seconds`.
    pub fn new(secret: TurnSecret, urls: Vec<String>, ttl_seconds: u64) -> Self {
        Self {
            secret,
            urls,
            ttl_seconds,
        }
    }

    /// ICE server entry for one rider, with credentials of their own. The username
    /// consists of the expiry in Unix seconds and a hash of the peer id, so that the
    /// TURN server does not learn the id.
    pub fn ice_server(&self, peer: &PeerId, now_unix_millis: u64) -> IceServer {
        let expiry = now_unix_millis / 1_000 + self.ttl_seconds;
        let username = format!("{expiry}:{}", pseudonym(peer));
        let credential = self.secret.password(&username);
        IceServer {
            urls: self.urls.clone(),
            username: Some(username),
            credential: Some(credential),
        }
    }
}

/// Secret shared with the TURN server.
#[derive(Clone)]
pub struct TurnSecret(String);

impl TurnSecret {
    /// Returns `true` for an empty text.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `base64(HMAC-SHA1(secret, username))`.
    fn password(&self, username: &str) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.0.as_bytes())
            .expect("HMAC takes keys of any length (RFC 2104)");
        mac.update(username.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

impl FromStr for TurnSecret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for TurnSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TurnSecret")
    }
}

/// Hash of a peer id in 16 hexadecimal digits.
fn pseudonym(peer: &PeerId) -> String {
    let digest = Sha1::digest(peer.as_str());
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn_server() -> TurnServer {
        let secret = "north".parse().expect("a secret");
        TurnServer::new(secret, vec!["turn:turn.example:3478".into()], 3_600)
    }

    fn rider(name: &str) -> PeerId {
        name.parse().expect("a peer id")
    }

    /// The expected value is that of `turnutils_uclient -W north` and of
    /// `printf 1455280000:test | openssl dgst -sha1 -hmac north -binary | base64`.
    #[test]
    fn a_password_is_the_one_that_coturn_expects() {
        let secret: TurnSecret = "north".parse().expect("a secret");
        assert_eq!(
            secret.password("1455280000:test"),
            "2GRzp/vE67zTHHZxiP144fJHPLs="
        );
    }

    #[test]
    fn a_username_begins_with_its_expiry() {
        let server = turn_server().ice_server(&rider("ana"), 1_700_000_000_999);
        let username = server.username.expect("a username");
        assert!(username.starts_with("1700003600:"), "{username}");
        assert!(!username.contains("ana"));
        assert_eq!(server.urls, ["turn:turn.example:3478"]);
    }

    #[test]
    fn credentials_differ_between_riders_and_seconds() {
        let server = |name: &str, now| turn_server().ice_server(&rider(name), now);
        let ana = server("ana", 1_000);
        assert_eq!(ana, server("ana", 1_999));
        for other in [server("ben", 1_000), server("ana", 2_000)] {
            assert_ne!(ana.username, other.username);
            assert_ne!(ana.credential, other.credential);
        }
    }

    #[test]
    fn the_secret_is_not_in_the_debug_output() {
        assert!(!format!("{:?}", turn_server()).contains("north"));
    }
}
