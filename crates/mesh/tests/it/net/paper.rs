//! Tokens that people can read, in place of the server's signatures.

use protocol::peer::{Incarnation, PeerNumber, Token};
use rooms::room::{ResumeClaims, Signer, Statement};

/// Good for whoever knows the word that they begin with.
#[derive(Debug)]
pub struct FakeSigner(pub &'static str);

impl Signer for FakeSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let text = match statement {
            Statement::Ban(peer) => format!("{}_{peer}", self.0),
            Statement::Rider(pass) => {
                let (number, load) = (pass.number.0, pass.incarnation.0);
                let (epoch, host) = (pass.epoch, u8::from(pass.host));
                let (word, peer, expires) = (self.0, &pass.peer, pass.expires);
                format!("{word}_{peer}_{number}_{load}_{epoch}_{host}_{expires}")
            }
        };
        text.parse().unwrap()
    }

    fn verify(&self, token: &Token) -> Option<Statement> {
        let mut words = token.expose().split('_');
        if words.next()? != self.0 {
            return None;
        }
        let peer = words.next()?.parse().ok()?;
        let numbers: Vec<u64> = words.map_while(|word| word.parse().ok()).collect();
        let [number, load, epoch, host, expires] = numbers[..] else {
            return Some(Statement::Ban(peer));
        };
        Some(Statement::Rider(ResumeClaims {
            peer,
            number: PeerNumber(number as u32),
            incarnation: Incarnation(load as u32),
            epoch: epoch as u32,
            host: host == 1,
            expires,
        }))
    }
}
