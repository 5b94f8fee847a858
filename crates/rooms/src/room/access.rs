//! Admission to the ride: the lock and the bans.

use protocol::{
    peer::{PeerId, Token},
    signaling::MAX_BANS,
};

use super::{Signer, Statement};

/// Lock and bans of a ride.
#[derive(Debug, Default)]
pub(super) struct Access {
    locked: bool,
    /// At most [`MAX_BANS`], at most one per peer.
    bans: Vec<Ban>,
}

/// A banned member.
#[derive(Debug)]
struct Ban {
    peer: PeerId,
    token: Token,
    /// Reason in the host's words. Empty in a restored room, because ban tokens do not contain it.
    reason: String,
}

impl Access {
    pub(super) fn is_locked(&self) -> bool {
        self.locked
    }

    /// Locks or unlocks the ride. Returns `true` if that is a change.
    pub(super) fn set_locked(&mut self, locked: bool) -> bool {
        std::mem::replace(&mut self.locked, locked) != locked
    }

    pub(super) fn is_banned(&self, peer: &PeerId) -> bool {
        self.ban_reason(peer).is_some()
    }

    /// Reason of a peer's ban; `None` if it is not banned.
    pub(super) fn ban_reason(&self, peer: &PeerId) -> Option<&str> {
        let ban = self.bans.iter().find(|ban| ban.peer == *peer);
        ban.map(|ban| ban.reason.as_str())
    }

    /// Returns `true` if the ride has its maximum number of bans.
    pub(super) fn has_all_bans(&self) -> bool {
        self.bans.len() >= MAX_BANS
    }

    /// Bans a peer. Returns the ban token for the members to keep.
    pub(super) fn ban(&mut self, peer: PeerId, reason: String, signer: &dyn Signer) -> Token {
        let token = signer.sign(&Statement::Ban(peer.clone()));
        self.bans.push(Ban {
            peer,
            token: token.clone(),
            reason,
        });
        token
    }

    /// Peer to ban because of a ban token that a page has kept. `None` if the token is not valid,
    /// the peer is banned already, or the ride has its maximum number of bans.
    pub(super) fn peer_to_ban(&self, token: &Token, signer: &dyn Signer) -> Option<PeerId> {
        if self.has_all_bans() {
            return None;
        }
        match signer.verify(token)? {
            Statement::Ban(peer) if !self.is_banned(&peer) => Some(peer),
            Statement::Ban(_) | Statement::Resume(_) | Statement::Host(_) => None,
        }
    }

    pub(super) fn ban_tokens(&self) -> Vec<Token> {
        self.bans.iter().map(|ban| ban.token.clone()).collect()
    }
}
