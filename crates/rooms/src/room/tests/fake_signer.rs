use clock::WallTime;
use protocol::peer::Token;

use super::*;
use crate::room::Signer;

/// Signer of readable tokens. They are valid for every signer with the same key, which is the first
/// word of the token.
#[derive(Clone, Copy, Debug)]
pub(super) struct FakeSigner(pub(super) &'static str);

impl Signer for FakeSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let text = match statement {
            Statement::Ban(peer) => format!("{}_ban_{peer}", self.0),
            Statement::Host(HostClaims {
                epoch,
                peer,
                first_host,
            }) => {
                let first_host = first_host.as_ref().map_or("", PeerId::as_str);
                format!("{}_host_{peer}_{epoch}_{first_host}", self.0)
            }
            Statement::Resume(claims) => format!(
                "{}_resume_{}_{}_{}_{}_{}_{}_{}",
                self.0,
                claims.peer,
                claims.number.0,
                claims.incarnation.0,
                claims.role as u8,
                claims.epoch,
                u8::from(claims.host),
                claims.expires.unix_seconds(),
            ),
        };
        text.parse().unwrap()
    }

    fn verify(&self, token: &Token) -> Option<Statement> {
        let mut words = token.expose().split('_');
        if words.next()? != self.0 {
            return None;
        }
        let (kind, peer) = (words.next()?, words.next()?.parse().ok()?);
        if kind == "ban" {
            return Some(Statement::Ban(peer));
        }
        if kind == "host" {
            return Some(Statement::Host(HostClaims {
                peer,
                epoch: words.next()?.parse().ok()?,
                first_host: words.next()?.parse().ok(),
            }));
        }
        Some(Statement::Resume(ResumeClaims {
            peer,
            number: PeerNumber(words.next()?.parse().ok()?),
            incarnation: Incarnation(words.next()?.parse().ok()?),
            role: MemberRole::from_byte(words.next()?.parse().ok()?)?,
            epoch: words.next()?.parse().ok()?,
            host: words.next()? == "1",
            expires: WallTime::from_unix_ms(1_000 * words.next()?.parse::<u64>().ok()?),
        }))
    }
}
