//! Tokens signed by the server, which therefore needs no memory of them.

use std::fmt;

use clock::WallTime;
use protocol::peer::{Incarnation, MemberRole, PeerId, PeerNumber, Token};

/// Claims of a resume token: its holder may resume as this member of the ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeClaims {
    /// Id of the member.
    pub peer: PeerId,
    /// Number of the member.
    pub number: PeerNumber,
    /// Page load of the member when the token was issued.
    pub incarnation: Incarnation,
    /// Role of the member.
    pub role: MemberRole,
    /// Epoch when the token was issued.
    pub epoch: u32,
    /// Set if the member was host of that epoch.
    pub host: bool,
    /// Time after which the token no longer opens a lost ride. Signers keep whole seconds.
    pub expires: WallTime,
}

/// Claims of a host token: the server made this rider host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostClaims {
    /// Epoch of the host's term.
    pub epoch: u32,
    /// The host.
    pub peer: PeerId,
    /// Rider who could reclaim the host role when the token was issued.
    pub first_host: Option<PeerId>,
}

/// Content of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Statement {
    /// Resume token.
    Resume(ResumeClaims),
    /// Ban token: the peer is banned from the ride.
    Ban(PeerId),
    /// Host token.
    Host(HostClaims),
}

/// Issuer and verifier of the tokens of one ride.
///
/// Contract: both methods are functions of their arguments and a secret key. Without the key, no
/// valid token can be made, and a token of one ride is not valid in another.
pub trait Signer: fmt::Debug + Send + Sync {
    /// Issues a token.
    fn sign(&self, statement: &Statement) -> Token;

    /// Content of a token, or `None` if [`Signer::sign`] did not issue it for this ride.
    fn verify(&self, token: &Token) -> Option<Statement>;
}
