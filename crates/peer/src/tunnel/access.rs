//! What visitors with the token may do: credentials, methods, and how often credentials are guessed.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use clock::Moment;
use tunnel::head::{Kind, RequestHead};

/// Wrong credentials that a channel may send at once.
const MAX_GUESSES: u32 = 10;
/// Time after which a channel may send wrong credentials once more.
const GUESS_INTERVAL: Duration = Duration::from_secs(6);

/// Credentials of HTTP Basic authentication (RFC 7617). `Debug` does not print the password.
#[derive(Clone)]
pub struct Credentials {
    user: String,
    password: String,
}

/// Restrictions of a tunnel.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Credentials that visitors need besides the token.
    pub credentials: Option<Credentials>,
    /// True if only GET and HEAD are passed on. WebSockets are refused then as well, since what
    /// their messages change cannot be told.
    pub is_read_only: bool,
}

/// Reason why a request is not passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// Not one of the methods that are passed on.
    Method,
    /// The credentials are missing or wrong.
    Credentials,
    /// Wrong credentials came too often.
    TooManyGuesses,
}

/// Allowance of one channel for wrong credentials.
#[derive(Debug, Default)]
pub(super) struct Guesses {
    used: u32,
    since: Moment,
}

impl Credentials {
    /// Credentials of a user.
    pub fn new(user: String, password: String) -> Self {
        Self { user, password }
    }

    /// Compares in a time that does not depend on where the texts differ.
    fn matches(&self, value: &[u8]) -> bool {
        let expected = format!("{}:{}", self.user, self.password);
        let sent = std::str::from_utf8(value).ok();
        let sent = sent.and_then(|value| value.split_once(' '));
        let sent = sent.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let sent = sent.and_then(|(_, encoded)| STANDARD.decode(encoded.trim()).ok());
        let sent = sent.unwrap_or_default();
        let is_same = |all: u8, (a, b): (u8, &u8)| all | (a ^ b);
        let difference = expected.bytes().zip(&sent).fold(0, is_same);
        sent.len() == expected.len() && difference == 0
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

impl Access {
    /// Checks a request.
    ///
    /// # Errors
    /// [`Denial`], if it is not to be passed on.
    pub(super) fn check(
        &self,
        now: Moment,
        guesses: &mut Guesses,
        head: &RequestHead,
    ) -> Result<(), Denial> {
        if let Some(credentials) = &self.credentials {
            let mut sent = head
                .fields
                .iter()
                .filter(|(name, _)| name == "authorization");
            let (first, second) = (sent.next(), sent.next());
            let Some((_, value)) = first else {
                return Err(Denial::Credentials);
            };
            if !guesses.may_guess(now) {
                return Err(Denial::TooManyGuesses);
            }
            if second.is_some() || !credentials.matches(value) {
                guesses.used += 1;
                return Err(Denial::Credentials);
            }
        }
        let is_read = matches!(head.method.as_str(), "GET" | "HEAD") && head.kind == Kind::Http;
        // A tunnel of another kind, and a method that shows what a proxy has added.
        let is_for_proxies = matches!(head.method.as_str(), "CONNECT" | "TRACE");
        match is_for_proxies || (self.is_read_only && !is_read) {
            true => Err(Denial::Method),
            false => Ok(()),
        }
    }

    /// True if the tunnel itself uses the field `Authorization`, which the site then does not get.
    pub(super) fn takes_authorization(&self) -> bool {
        self.credentials.is_some()
    }
}

impl Guesses {
    fn may_guess(&mut self, now: Moment) -> bool {
        if self.used == 0 {
            self.since = now;
        }
        while self.used > 0 && now >= self.since + GUESS_INTERVAL {
            self.since += GUESS_INTERVAL;
            self.used -= 1;
        }
        self.used < MAX_GUESSES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(method: &str, authorization: &[&str]) -> RequestHead {
        let field = |value: &&str| ("authorization".to_owned(), value.as_bytes().to_vec());
        RequestHead {
            kind: Kind::Http,
            method: method.to_owned(),
            target: "/".to_owned(),
            fields: authorization.iter().map(field).collect(),
        }
    }

    fn protected() -> Access {
        let credentials = Credentials::new("club".to_owned(), "s3cret:x".to_owned());
        Access {
            credentials: Some(credentials),
            is_read_only: false,
        }
    }

    fn basic(text: &str) -> String {
        format!("Basic {}", STANDARD.encode(text))
    }

    #[test]
    fn the_right_credentials_are_accepted() {
        let mut guesses = Guesses::default();
        let right = basic("club:s3cret:x");
        for value in [right.clone(), right.replace("Basic", "basic")] {
            let head = head("POST", &[&value]);
            let checked = protected().check(Moment::ZERO, &mut guesses, &head);
            assert_eq!(checked, Ok(()));
        }
    }

    #[test]
    fn missing_and_wrong_credentials_are_denied() {
        let right = basic("club:s3cret:x");
        let wrong = basic("club:s3cret:y");
        let longer = basic("club:s3cret:xx");
        for fields in [
            &[][..],
            &[wrong.as_str()],
            &[longer.as_str()],
            &["Basic"],
            &["Basic ???"],
            &["Basic "],
            &["Bearer Y2x1YjpzM2NyZXQ6eA=="],
            &[right.as_str(), right.as_str()],
        ] {
            let mut guesses = Guesses::default();
            let head = head("GET", fields);
            let checked = protected().check(Moment::ZERO, &mut guesses, &head);
            assert_eq!(checked, Err(Denial::Credentials), "{fields:?}");
        }
    }

    #[test]
    fn guessing_is_limited() {
        let mut guesses = Guesses::default();
        let access = protected();
        let (wrong, right) = (basic("club:no"), basic("club:s3cret:x"));
        let mut try_at = |now, value: &str| access.check(now, &mut guesses, &head("GET", &[value]));
        let start = Moment::from_origin(Duration::from_secs(100));
        for _ in 0..MAX_GUESSES {
            assert_eq!(try_at(start, &wrong), Err(Denial::Credentials));
        }
        assert_eq!(try_at(start, &wrong), Err(Denial::TooManyGuesses));
        assert_eq!(try_at(start, &right), Err(Denial::TooManyGuesses));
        let later = start + GUESS_INTERVAL;
        assert_eq!(try_at(later, &wrong), Err(Denial::Credentials));
        assert_eq!(try_at(later, &wrong), Err(Denial::TooManyGuesses));
        assert_eq!(try_at(later + GUESS_INTERVAL, &right), Ok(()));
    }

    #[test]
    fn a_read_only_tunnel_passes_get_and_head_alone() {
        let access = Access {
            is_read_only: true,
            ..Access::default()
        };
        let mut guesses = Guesses::default();
        let mut check = |head: &RequestHead| access.check(Moment::ZERO, &mut guesses, head);
        assert_eq!(check(&head("GET", &[])), Ok(()));
        assert_eq!(check(&head("HEAD", &[])), Ok(()));
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "get"] {
            assert_eq!(check(&head(method, &[])), Err(Denial::Method));
        }
        let web_socket = RequestHead {
            kind: Kind::WebSocket,
            ..head("GET", &[])
        };
        assert_eq!(check(&web_socket), Err(Denial::Method));
    }

    #[test]
    fn methods_for_proxies_are_denied() {
        let mut guesses = Guesses::default();
        for method in ["CONNECT", "TRACE"] {
            let head = head(method, &[]);
            let checked = Access::default().check(Moment::ZERO, &mut guesses, &head);
            assert_eq!(checked, Err(Denial::Method));
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        assert!(!format!("{:?}", protected()).contains("s3cret"));
    }
}
