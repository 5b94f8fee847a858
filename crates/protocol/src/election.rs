//! How riders name a host while there is no server: votes, signed by those who
//! give them.
//!
//! A vote says "this term, and no other of this epoch". A term with the votes of
//! more than half of the riders whom the server last named is [`Election`] enough
//! for anybody who knows those riders' public keys, whoever passes it on: the
//! other riders, those who come later, and the server when it is back.
//!
//! Law: a rider votes once in an epoch, and only while it hears neither the
//! server nor the host. So an epoch without the server has one host at most.

use std::{collections::BTreeSet, fmt};

use ed25519_compact::{KeyPair, PublicKey, Seed, Signature};
use serde::{Deserialize, Serialize};

use crate::{
    peer::{PeerNumber, hex},
    signaling::{HostTerm, MAX_RIDERS},
};

/// What stands before the signed bytes, so that a vote counts for nothing else.
const CONTEXT: &[u8] = b"gruppetto vote 1\0";

/// The key by which a rider votes: the one its timeline is signed with as host.
#[derive(Clone)]
pub struct BallotKey(KeyPair);

impl BallotKey {
    /// The key of a seed, or nothing for a seed of zeros, which no working
    /// random source gives.
    pub fn from_seed(seed: [u8; 32]) -> Option<Self> {
        KeyPair::try_from_seed(Seed::new(seed)).ok().map(Self)
    }

    /// The public key, as in [`crate::peer::PublicKeys::sign`].
    pub fn public(&self) -> [u8; 32] {
        *self.0.pk
    }

    /// This rider's vote for a term.
    pub fn vote(&self, voter: PeerNumber, term: &HostTerm) -> Vote {
        Vote {
            voter,
            signature: *self.0.sk.sign(signed(term), None),
        }
    }
}

/// Shows the public key only.
impl fmt::Debug for BallotKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BallotKey").field(&self.public()).finish()
    }
}

/// One rider's word for a term.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Vote {
    /// Who gives it.
    pub voter: PeerNumber,
    /// Ed25519 (RFC 8032), by the voter's key.
    #[serde(with = "hex")]
    pub signature: [u8; 64],
}

/// A term and the votes for it: one to ask for others, more than half to be it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Election {
    /// Who would be host, from which epoch on, by which key.
    pub term: HostTerm,
    /// For it, no voter twice.
    pub votes: Vec<Vote>,
}

impl Election {
    /// Whether every vote is by a rider of a known key, and none counts twice.
    /// `key_of` names the riders of the ride.
    pub fn is_genuine(&self, key_of: impl Fn(PeerNumber) -> Option<[u8; 32]>) -> bool {
        let mut seen = BTreeSet::new();
        let bytes = signed(&self.term);
        let good = |vote: &Vote| {
            key_of(vote.voter).is_some_and(|key| verify(&key, &bytes, &vote.signature))
        };
        (1..=MAX_RIDERS).contains(&self.votes.len())
            && self.votes.iter().all(|vote| seen.insert(vote.voter))
            && self.votes.iter().all(good)
    }

    /// Whether more than half of so many riders have voted.
    pub fn is_majority_of(&self, riders: usize) -> bool {
        2 * self.votes.len() > riders
    }

    /// Takes the votes of another paper for the same term.
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
    fn more_than_half_is_a_majority() {
        assert!(election(&[2, 3, 4]).is_genuine(key_of));
        assert!(election(&[2, 3, 4]).is_majority_of(5));
        assert!(!election(&[2, 3]).is_majority_of(4));
    }

    #[test]
    fn a_vote_counts_for_its_voter_and_its_term_alone() {
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
        let nobody = election(&[]);
        for forged in [twice, stolen, later, other, key, stranger, nobody] {
            assert!(!forged.is_genuine(key_of), "{forged:?}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let printed = format!("{:?}", BallotKey::from_seed([7; 32]));
        assert!(!printed.contains("7, 7, 7"), "{printed}");
        assert!(BallotKey::from_seed([0; 32]).is_none());
    }
}
