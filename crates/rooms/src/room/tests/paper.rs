use super::*;
use crate::room::Signer;
use protocol::peer::Token;

/// Tokens that can be read by people, and are good for whoever knows the word
/// they begin with.
#[derive(Clone, Copy, Debug)]
pub(super) struct FakeSigner(pub(super) &'static str);

impl Signer for FakeSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let text = match statement {
            Statement::Ban(peer) => format!("{}_barred_{peer}", self.0),
            Statement::Rider(pass) => format!(
                "{}_rider_{}_{}_{}_{}_{}_{}",
                self.0,
                pass.peer,
                pass.number.0,
                pass.incarnation.0,
                pass.epoch,
                u8::from(pass.host),
                pass.expires,
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
        if kind == "barred" {
            return Some(Statement::Ban(peer));
        }
        Some(Statement::Rider(ResumeClaims {
            peer,
            number: PeerNumber(words.next()?.parse().ok()?),
            incarnation: Incarnation(words.next()?.parse().ok()?),
            epoch: words.next()?.parse().ok()?,
            host: words.next()? == "1",
            expires: words.next()?.parse().ok()?,
        }))
    }
}
