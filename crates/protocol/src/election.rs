//! Election of a host by signed votes, while the server is unreachable.
//!
//! A [`Vote`] is a rider's signature over one [`HostTerm`]. An [`Election`] with the votes of more
//! than half of the riders in the server's last member list is proof of the term. The votes are
//! verified with the riders' public keys, so the proof is valid no matter which member passes it
//! on: to the other riders, to those that return later, and to the server when it is back.
//!
//! Contract: a rider votes at most once per epoch, and only while it can reach neither the server
//! nor the host. Therefore at most one host is elected per epoch.

use std::fmt;

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use serde::{Deserialize, Serialize};

use crate::{
    peer::{PeerNumber, hex},
    signaling::{HostTerm, MAX_RIDERS},
};

/// Prefix of the signed bytes. It keeps the signature from being valid for any other purpose.
const CONTEXT: &[u8] = b"gruppetto vote 1\0";

/// Ed25519 key pair with which a rider signs votes and, as host, its timeline events.
#[derive(Clone)]
pub struct BallotKey(KeyPair);

impl BallotKey {
    /// Key pair derived from a random seed. `None` for a seed of zeros, which a working random
    /// source never returns.
    pub fn from_seed(seed: [u8; 32]) -> Option<Self> {
        KeyPair::try_from_seed(Seed::new(seed)).ok().map(Self)
    }

    /// Public key, as in [`PublicKeys::sign`](crate::peer::PublicKeys::sign).
    pub fn public(&self) -> [u8; 32] {
        *self.0.pk
    }

    /// Vote of this rider for a term.
    pub fn vote(&self, voter: PeerNumber, term: &HostTerm) -> Vote {
        Vote {
            voter,
            signature: *self.0.sk.sign(signed(term), None),
        }
    }
}

/// Prints the public key only.
impl fmt::Debug for BallotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BallotKey").field(&self.public()).finish()
    }
}

/// Vote of one rider for a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// Voting rider.
    pub voter: PeerNumber,
    /// Ed25519 signature (RFC 8032) of the term by the voter.
    #[serde(with = "hex")]
    pub signature: [u8; 64],
}

/// A term and the votes for it. A candidate sends it with its own vote to collect the others; with
/// the votes of a majority it is proof of the term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Election {
    /// Candidate, epoch and signing key that the votes are for.
    pub term: HostTerm,
    /// Votes for the term, at most one per rider.
    pub votes: Vec<Vote>,
}

impl Election {
    /// Verifies the votes: returns `true` if there is at least one, each has a valid signature of
    /// a rider whose key `key_of` returns, and no rider votes twice.
    pub fn is_genuine(&self, key_of: impl Fn(PeerNumber) -> Option<[u8; 32]>) -> bool {
        let bytes = signed(&self.term);
        let good = |vote: &Vote| {
            key_of(vote.voter).is_some_and(|key| verify(&key, &bytes, &vote.signature))
        };
        let is_first = |(index, vote): (usize, &Vote)| {
            let mut earlier = self.votes[..index].iter();
            earlier.all(|other| other.voter != vote.voter)
        };
        (1..=MAX_RIDERS).contains(&self.votes.len())
            && self.votes.iter().enumerate().all(is_first)
            && self.votes.iter().all(good)
    }

    /// Returns `true` if the votes are more than half of this number of riders.
    pub fn is_majority_of(&self, riders: usize) -> bool {
        2 * self.votes.len() > riders
    }

    /// Adds votes for the same term from riders that have no vote here yet. Returns `true` if any
    /// was added.
    pub fn merge(&mut self, votes: &[Vote]) -> bool {
        let before = self.votes.len();
        for vote in votes {
            if self.votes.iter().all(|known| known.voter != vote.voter) {
                self.votes.push(vote.clone());
            }
        }
        self.votes.len() > before
    }
}

fn signed(term: &HostTerm) -> Vec<u8> {
    let epoch = term.epoch.to_be_bytes();
    let peer = term.peer.as_str().as_bytes();
    [CONTEXT, &epoch, &term.sign_key, peer].concat()
}

fn verify(key: &[u8; 32], bytes: &[u8], signature: &[u8; 64]) -> bool {
    let key = PublicKey::new(*key);
    key.verify(bytes, &Signature::new(*signature)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> BallotKey {
        BallotKey::from_seed([number; 32]).unwrap()
    }

    fn key_of(number: PeerNumber) -> Option<[u8; 32]> {
        (1..=5)
            .contains(&number.0)
            .then(|| key(number.0 as u8).public())
    }

    fn term(epoch: u32) -> HostTerm {
        HostTerm {
            epoch,
            peer: "ben".parse().unwrap(),
            sign_key: key(2).public(),
        }
    }

    fn election(voters: &[u8]) -> Election {
        let vote = |voter: &u8| key(*voter).vote(PeerNumber((*voter).into()), &term(2));
        Election {
            term: term(2),
            votes: voters.iter().map(vote).collect(),
        }
    }

    #[test]
    fn a_majority_is_more_than_half_of_the_riders() {
        assert!(election(&[2, 3, 4]).is_genuine(key_of));
        assert!(election(&[2, 3, 4]).is_majority_of(5));
        assert!(!election(&[2, 3]).is_majority_of(4));
    }

    #[test]
    fn a_vote_is_valid_for_its_voter_and_its_term_only() {
        let mut twice = election(&[2, 3]);
        twice.votes.push(twice.votes[0].clone());
        let mut stolen = election(&[2, 3]);
        stolen.votes[1].voter = PeerNumber(4);
        let mut later = election(&[2, 3]);
        later.term = term(3);
        let mut other = election(&[2, 3]);
        other.term.peer = "cleo".parse().unwrap();
        let mut key = election(&[2, 3]);
        key.term.sign_key[0] ^= 1;
        let stranger = election(&[2, 6]);
        let empty = election(&[]);
        for forged in [twice, stolen, later, other, key, stranger, empty] {
            assert!(!forged.is_genuine(key_of), "{forged:?}");
        }
    }

    #[test]
    fn debug_does_not_print_the_secret_key() {
        let printed = format!("{:?}", BallotKey::from_seed([7; 32]));
        assert!(!printed.contains("7, 7, 7"), "{printed}");
        assert!(BallotKey::from_seed([0; 32]).is_none());
    }
}
