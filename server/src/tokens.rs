//! Signed tokens: resume tokens of riders, ban tokens and host tokens. A restarted
//! server, which has lost its rides, verifies them with its secret.
//!
//! A token is base64 of `kind u8 | … | HMAC-SHA256` (RFC 2104). The session code is
//! signed but not contained in the token, so a token is invalid in every other ride.
//! All numbers are big endian:
//!
//! - kind 3, resume token: `role u8 | number u32 | incarnation u32 | epoch u32 |
//!   host u8 | expires u64 (Unix seconds) | peer id`.
//! - kind 1, resume token of a rider, as servers before kind 3 issued it: the same
//!   without the role.
//! - kind 2, ban token: `peer id`.
//! - kind 4, host token: `epoch u32 | length u8 | peer id of the host | peer id of the
//!   first host, which may be empty`.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clock::WallTime;
use hmac::{Hmac, Mac};
use protocol::code::SessionCode;
use protocol::peer::{Incarnation, MemberRole, PeerId, PeerNumber, Token};
use rooms::room::{HostClaims, ResumeClaims, Signer, Statement};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::config::Config;
use crate::error::StartError;
use crate::private_file::{self, FileError};

/// Prefix of all signed data, so that the secret can be used for other purposes.
const PURPOSE: &[u8] = b"gruppetto ride token 1";
const RESUME_RIDER: u8 = 1;
const BAN: u8 = 2;
const RESUME: u8 = 3;
const HOST: u8 = 4;
const MAC_BYTES: usize = 32;
/// Number of hexadecimal digits in a secret file.
const FILE_DIGITS: usize = 64;

type HmacSha256 = Hmac<Sha256>;

/// Key of the server's tokens. It is never printed.
#[derive(Clone)]
pub struct Secret {
    key: [u8; 32],
    /// Set if the next start of the server has the same secret.
    is_lasting: bool,
}

impl Secret {
    /// Secret from the settings, or from the secret file, which is created if it
    /// does not exist. If there can be no file, a secret of this process only.
    ///
    /// # Errors
    /// [`StartError::UnsafeSecretFile`] if others may know or replace the secret.
    pub fn load(config: &Config) -> Result<Self, StartError> {
        if let Some(text) = &config.secret {
            return Ok(Self::from_text(text));
        }
        let Some(file) = config.secret_file() else {
            tracing::warn!(
                "there is no folder for the secret file: after a restart of the server, riders cannot return to their ride; set GRUPPETTO_SECRET"
            );
            return Ok(Self::of_this_process());
        };
        match read_or_create(&file) {
            Ok(text) => Ok(Self::from_text(&text)),
            Err(FileError::Unsafe(advice)) => Err(StartError::UnsafeSecretFile { file, advice }),
            Err(FileError::Io(error)) => {
                tracing::warn!(
                    file = %file.display(),
                    %error,
                    "the secret file cannot be used: after a restart of the server, riders cannot return to their ride; set GRUPPETTO_SECRET or GRUPPETTO_SECRET_FILE"
                );
                Ok(Self::of_this_process())
            }
        }
    }

    /// Secret derived from a text that the operator or a file keeps.
    pub fn from_text(text: &str) -> Self {
        Self {
            key: Sha256::digest(text.as_bytes()).into(),
            is_lasting: true,
        }
    }

    fn of_this_process() -> Self {
        Self {
            is_lasting: false,
            ..Self::from_text(&random_text())
        }
    }

    /// Returns `true` if the next start of the server has the same secret.
    pub fn is_lasting(&self) -> bool {
        self.is_lasting
    }

    /// HMAC-SHA256 of several parts, each with its length, so that no two lists of
    /// parts have the same. The first part is the purpose.
    pub fn mac(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mac = HmacSha256::new_from_slice(&self.key);
        let mut mac = mac.expect("HMAC takes keys of any length (RFC 2104)");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }

    /// Signer for the tokens of one ride.
    pub fn signer(&self, code: &SessionCode) -> Arc<dyn Signer> {
        Arc::new(RideSigner {
            secret: self.clone(),
            code: code.clone(),
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Signer for the tokens of one ride.
#[derive(Debug)]
struct RideSigner {
    secret: Secret,
    code: SessionCode,
}

impl RideSigner {
    fn mac(&self, statement: &[u8]) -> HmacSha256 {
        let parts = [PURPOSE, self.code.as_str().as_bytes(), statement];
        self.secret.mac(&parts)
    }
}

impl Signer for RideSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let mut bytes = encode(statement);
        let mac = self.mac(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&mac);
        let text = URL_SAFE_NO_PAD.encode(bytes);
        text.parse()
            .expect("base64 of at most 166 bytes is a token of at most 222 letters")
    }

    fn verify(&self, token: &Token) -> Option<Statement> {
        let bytes = URL_SAFE_NO_PAD.decode(token.expose()).ok()?;
        let (statement, mac) = bytes.split_last_chunk::<MAC_BYTES>()?;
        self.mac(statement).verify_slice(mac).ok()?;
        decode(statement)
    }
}

fn encode(statement: &Statement) -> Vec<u8> {
    match statement {
        Statement::Ban(peer) => [&[BAN], peer.as_str().as_bytes()].concat(),
        Statement::Host(claims) => {
            let host = claims.peer.as_str().as_bytes();
            let first_host = claims.first_host.as_ref().map_or("", PeerId::as_str);
            [
                &[HOST][..],
                &claims.epoch.to_be_bytes(),
                // A peer id has at most 64 letters.
                &[host.len() as u8],
                host,
                first_host.as_bytes(),
            ]
            .concat()
        }
        Statement::Resume(claims) => [
            &[RESUME, claims.role as u8][..],
            &claims.number.0.to_be_bytes(),
            &claims.incarnation.0.to_be_bytes(),
            &claims.epoch.to_be_bytes(),
            &[u8::from(claims.host)],
            &claims.expires.unix_seconds().to_be_bytes(),
            claims.peer.as_str().as_bytes(),
        ]
        .concat(),
    }
}

fn decode(bytes: &[u8]) -> Option<Statement> {
    let (kind, rest) = bytes.split_first()?;
    let (role, rest) = match *kind {
        BAN => return Some(Statement::Ban(peer(rest)?)),
        HOST => return decode_host(rest).map(Statement::Host),
        RESUME_RIDER => (MemberRole::Rider, rest),
        RESUME => {
            let (role, rest) = rest.split_first()?;
            (MemberRole::from_byte(*role)?, rest)
        }
        _ => return None,
    };
    let (number, rest) = rest.split_first_chunk()?;
    let (incarnation, rest) = rest.split_first_chunk()?;
    let (epoch, rest) = rest.split_first_chunk()?;
    let (host, rest) = rest.split_first()?;
    let (expires, rest) = rest.split_first_chunk()?;
    Some(Statement::Resume(ResumeClaims {
        number: PeerNumber(u32::from_be_bytes(*number)),
        incarnation: Incarnation(u32::from_be_bytes(*incarnation)),
        epoch: u32::from_be_bytes(*epoch),
        role,
        host: *host == 1,
        expires: WallTime::from_unix_ms(u64::from_be_bytes(*expires).saturating_mul(1_000)),
        peer: peer(rest)?,
    }))
}

fn decode_host(bytes: &[u8]) -> Option<HostClaims> {
    let (epoch, rest) = bytes.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let (host, first_host) = rest.split_at_checked((*length).into())?;
    Some(HostClaims {
        epoch: u32::from_be_bytes(*epoch),
        peer: peer(host)?,
        first_host: match first_host {
            [] => None,
            first_host => Some(peer(first_host)?),
        },
    })
}

fn peer(bytes: &[u8]) -> Option<PeerId> {
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Text of the secret file, which is created if it does not exist.
fn read_or_create(file: &Path) -> Result<String, FileError> {
    use io::ErrorKind::{AlreadyExists, NotFound};
    match read(file) {
        Err(FileError::Io(error)) if error.kind() == NotFound => match create(file) {
            // Another server has created it in the meantime.
            Err(error) if error.kind() == AlreadyExists => read(file),
            created => Ok(created?),
        },
        read => read,
    }
}

fn read(path: &Path) -> Result<String, FileError> {
    let file = private_file::open(path, OpenOptions::new().read(true))?;
    let mut text = String::new();
    let limit = 2 * FILE_DIGITS as u64;
    file.take(limit).read_to_string(&mut text)?;
    let text = text.trim();
    let is_valid = text.len() == FILE_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_valid {
        true => Ok(text.to_owned()),
        false => Err(io::Error::other("the content is not 64 hexadecimal digits").into()),
    }
}

fn create(file: &Path) -> io::Result<String> {
    private_file::create_folder(file)?;
    let text = random_text();
    // Written to a temporary file and linked when complete: no server reads a
    // partial file, and if two servers create one, the second uses the first one's.
    private_file::write_aside(file, format!("{text}\n").as_bytes(), |temporary| {
        fs::hard_link(temporary, file)
    })?;
    tracing::info!(file = %file.display(), "created a secret file");
    Ok(text)
}

/// Text with 244 random bits from the operating system.
fn random_text() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use rustix::process::geteuid;
    use std::os::unix::fs::PermissionsExt;

    fn signer(secret: &str, code: &str) -> Arc<dyn Signer> {
        Secret::from_text(secret).signer(&code.parse().expect("a code"))
    }

    fn claims(role: MemberRole) -> ResumeClaims {
        ResumeClaims {
            peer: "x".repeat(64).parse().expect("a peer id"),
            number: PeerNumber(7),
            incarnation: Incarnation(3),
            role,
            epoch: 2,
            host: true,
            expires: WallTime::from_unix_ms(u64::MAX / 1_000 * 1_000),
        }
    }

    fn statements() -> [Statement; 4] {
        let claims = claims(MemberRole::Coach);
        let peer = claims.peer.clone();
        let host = HostClaims {
            epoch: 7,
            peer: peer.clone(),
            first_host: Some("y".repeat(64).parse().expect("a peer id")),
        };
        let without_first_host = HostClaims {
            first_host: None,
            ..host.clone()
        };
        [
            Statement::Resume(claims),
            Statement::Ban(peer),
            Statement::Host(host),
            Statement::Host(without_first_host),
        ]
    }

    #[test]
    fn a_token_verifies_to_the_statement_that_was_signed() {
        let signer = signer("one secret", "brave-otter-0042");
        for statement in statements() {
            let token = signer.sign(&statement);
            assert_eq!(signer.verify(&token), Some(statement));
        }
    }

    #[test]
    fn a_resume_token_keeps_the_role() {
        let signer = signer("one secret", "brave-otter-0042");
        for role in MemberRole::ALL {
            let token = signer.sign(&Statement::Resume(claims(role)));
            let verified = signer.verify(&token);
            assert_eq!(verified, Some(Statement::Resume(claims(role))));
        }
    }

    #[test]
    fn a_resume_token_without_a_role_is_that_of_a_rider() {
        let statement = encode(&Statement::Resume(claims(MemberRole::Rider)));
        let without_role = [&[RESUME_RIDER], &statement[2..]].concat();
        let expected = Statement::Resume(claims(MemberRole::Rider));
        assert_eq!(decode(&without_role), Some(expected));
    }

    #[test]
    fn a_resume_token_with_an_unknown_role_is_invalid() {
        let mut statement = encode(&Statement::Resume(claims(MemberRole::Rider)));
        statement[1] = MemberRole::ALL.len() as u8;
        assert_eq!(decode(&statement), None);
    }

    #[test]
    fn a_token_of_another_ride_or_secret_is_invalid() {
        let ours = signer("one secret", "brave-otter-0042");
        for other in [
            signer("one secret", "brave-otter-0043"),
            signer("another secret", "brave-otter-0042"),
        ] {
            for statement in statements() {
                assert_eq!(other.verify(&ours.sign(&statement)), None);
            }
        }
    }

    #[test]
    fn a_token_with_any_letter_changed_is_invalid() {
        let signer = signer("one secret", "brave-otter-0042");
        for statement in statements() {
            let token = signer.sign(&statement).expose().to_owned();
            for at in 0..token.len() {
                let letter = if &token[at..=at] == "A" { "B" } else { "A" };
                let forged = format!("{}{letter}{}", &token[..at], &token[at + 1..]);
                let forged = forged.parse().expect("a token");
                assert_eq!(signer.verify(&forged), None, "letter {at}");
            }
        }
        for short in ["x", "AQ", "AgAAAA", "BAAAAAE"] {
            assert_eq!(signer.verify(&short.parse().expect("a token")), None);
        }
    }

    #[test]
    fn a_secret_file_is_created_once_and_readable_by_its_owner_only() {
        let folder = std::env::temp_dir().join(format!("gruppetto-secret-{}", Uuid::new_v4()));
        let file = folder.join("state/secret");
        let flag = file.to_str().expect("a path");
        let config = Config::parse_from(["gruppetto", "--secret-file", flag]);
        let load = || Secret::load(&config).expect("a secret");
        let first = load();
        assert_eq!(load().key, first.key);
        let mode = fs::metadata(&file).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = fs::read_dir(folder.join("state")).expect("a folder");
        assert_eq!(files.count(), 1, "the temporary file is removed");
        fs::write(&file, "not a secret").expect("writes");
        assert_ne!(load().key, first.key);
        fs::remove_dir_all(folder).expect("removes");
    }

    #[test]
    fn a_secret_file_that_others_may_know_is_refused_with_the_command_that_mends_it() {
        let folder = std::env::temp_dir().join(format!("gruppetto-secret-{}", Uuid::new_v4()));
        fs::create_dir(&folder).expect("a folder");
        let refusal = |file: &Path| {
            let flag = file.to_str().expect("a path");
            let config = Config::parse_from(["gruppetto", "--secret-file", flag]);
            Secret::load(&config).err().map(|error| error.to_string())
        };
        let file = folder.join("secret");
        assert_eq!(refusal(&file), None, "it is created");
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
            let message = refusal(&file).expect("refused");
            let command = format!("chmod 600 {}", file.display());
            assert!(message.contains(&command), "{message}");
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        assert_eq!(refusal(&file), None);
        // Only root can give a file away.
        if geteuid().is_root() {
            std::os::unix::fs::chown(&file, Some(12_345), None).expect("another owner");
            let message = refusal(&file).expect("refused");
            assert!(message.contains("belongs to user 12345"), "{message}");
        }
        for other in [folder.as_path(), Path::new("/dev/zero")] {
            let message = refusal(other).expect("refused");
            assert!(message.contains("not a regular file"), "{message}");
        }
        fs::remove_dir_all(folder).expect("removes");
    }

    #[test]
    fn a_fifo_in_place_of_the_secret_file_does_not_block_the_start() {
        let file = std::env::temp_dir().join(format!("gruppetto-fifo-{}", Uuid::new_v4()));
        let made = std::process::Command::new("mkfifo").arg(&file).status();
        assert!(made.expect("mkfifo").success());
        let refused = read(&file);
        assert!(matches!(refused, Err(FileError::Unsafe(_))), "{refused:?}");
        fs::remove_file(file).expect("removes");
    }

    #[test]
    fn without_a_usable_secret_file_each_start_has_a_new_secret() {
        let config = Config::parse_from(["gruppetto", "--secret-file", "/dev/null/secret"]);
        let [first, second] = [(); 2].map(|()| Secret::load(&config).expect("a secret"));
        assert_ne!(first.key, second.key);
        assert!(!first.is_lasting());
    }

    #[test]
    fn a_secret_is_not_in_the_debug_output() {
        assert_eq!(format!("{:?}", Secret::from_text("mine")), "Secret(…)");
    }
}
