//! Readable tokens in place of signed ones.

use clock::WallTime;
use protocol::peer::{Incarnation, MemberRole, PeerId, PeerNumber, Token};
use rooms::room::{HostClaims, ResumeClaims, Signer, Standing, Standings, Statement};

/// Signer whose tokens are valid for every signer with the same key, which is the first word of
/// the token.
#[derive(Debug)]
pub struct FakeSigner(pub &'static str);

impl Signer for FakeSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let text = match statement {
            Statement::Ban(peer) => format!("{}_{peer}", self.0),
            Statement::Host(claims) => {
                let first_host = claims.first_host.as_ref().map_or("", PeerId::as_str);
                format!(
                    "{}_host_{}_{}_{first_host}",
                    self.0, claims.epoch, claims.peer
                )
            }
            Statement::Resume(claims) => format!(
                "{}_{}_{}_{}_{}_{}_{}_{}",
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
        let peer: PeerId = words.next()?.parse().ok()?;
        if peer.as_str() == "host" {
            return Some(Statement::Host(HostClaims {
                epoch: words.next()?.parse().ok()?,
                peer: words.next()?.parse().ok()?,
                first_host: words.next()?.parse().ok(),
            }));
        }
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let [number, load, role, epoch, host, expires] = numbers[..] else {
            return Some(Statement::Ban(peer));
        };
        Some(Statement::Resume(ResumeClaims {
            peer,
            number: PeerNumber(number as u32),
            incarnation: Incarnation(load as u32),
            role: MemberRole::from_byte(role as u8)?,
            epoch: epoch as u32,
            host: host == 1,
            expires: WallTime::from_unix_ms(1_000 * expires),
        }))
    }
}

/// Standings of a server that remembers nothing.
#[derive(Debug)]
pub struct NoStandings;

impl Standings for NoStandings {
    fn standing(&self, _: &PeerId) -> Standing {
        Standing::Member
    }
}
