//! What the server signs, so that it need not remember it.

use std::fmt;

use protocol::peer::{Incarnation, PeerId, PeerNumber, Token};

/// A rider's right to be the same rider again, in one ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeClaims {
    /// Who.
    pub peer: PeerId,
    /// Its number.
    pub number: PeerNumber,
    /// Its page load when the pass was given.
    pub incarnation: Incarnation,
    /// The epoch when the pass was given.
    pub epoch: u32,
    /// Whether the rider was host of that epoch.
    pub host: bool,
    /// Until when it is good, in Unix seconds.
    pub expires: u64,
}

/// What a token can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Whoever holds it is this rider.
    Rider(ResumeClaims),
    /// Ban of a rider from the ride.
    Ban(PeerId),
}

/// Makes and reads the tokens of one ride.
///
/// Law: both are functions of their arguments and a key alone; nobody without
/// the key makes a token that is read, and a token of one ride is not read by
/// the signer of another.
pub trait Signer: fmt::Debug + Send + Sync {
    /// Puts a statement into a token.
    fn sign(&self, statement: &Statement) -> Token;

    /// What a token says, if it was made by [`Signer::sign`] for this ride.
    fn verify(&self, token: &Token) -> Option<Statement>;
}
