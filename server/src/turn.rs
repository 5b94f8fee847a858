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
use protocol::signaling::IceServer;
use sha1::Sha1;

/// The expiry of credentials is a multiple of this many seconds.
const EXPIRY_STEP: u64 = 3_600;

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

    /// ICE server entry for `user`, a number that stands for one client in one ride. The
    /// username consists of the expiry in Unix seconds and that number. The expiry is
    /// rounded up, so that a client that joins again and again gets the same name for an
    /// hour: a TURN server limits the use of each name.
    pub fn ice_server(&self, user: u64, now_unix_millis: u64) -> IceServer {
        let earliest = now_unix_millis / 1_000 + self.ttl_seconds;
        let expiry = earliest.next_multiple_of(EXPIRY_STEP);
        let username = format!("{expiry}:{user:016x}");
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

#[cfg(test)]
mod tests {
    use super::*;

    fn turn_server() -> TurnServer {
        let secret = "north".parse().expect("a secret");
        TurnServer::new(secret, vec!["turn:turn.example:3478".into()], 3_600)
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
    fn a_username_begins_with_its_expiry_at_the_next_full_hour() {
        let server = turn_server().ice_server(7, 1_700_000_000_999);
        let username = server.username.expect("a username");
        assert_eq!(username, "1700006400:0000000000000007");
        assert_eq!(server.urls, ["turn:turn.example:3478"]);
    }

    #[test]
    fn a_client_has_the_same_credentials_for_an_hour_and_others_have_others() {
        let server = |user, minute: u64| turn_server().ice_server(user, minute * 60_000);
        let ana = server(1, 1);
        assert_eq!(ana, server(1, 59));
        for other in [server(2, 1), server(1, 61)] {
            assert_ne!(ana.username, other.username);
            assert_ne!(ana.credential, other.credential);
        }
    }

    #[test]
    fn the_secret_is_not_in_the_debug_output() {
        assert!(!format!("{:?}", turn_server()).contains("north"));
    }
}
