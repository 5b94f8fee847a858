//! Votes of the members of a restored room for their host.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use protocol::{
    peer::{PeerId, PeerNumber},
    signaling::{HostTerm, RoomSnapshot},
};

use super::{
    Join, ResumeClaims, host_evidence::NamedHost, members::Members, restoration::MAX_PLAUSIBLE,
};

/// Votes of the riders, and knowledge of the others. Each member that presents a resume token has
/// one of them.
#[derive(Debug, Default)]
pub(super) struct SnapshotVotes {
    votes: BTreeMap<PeerId, SnapshotVote>,
    /// Last terms that members of other roles know. They do not count as votes, but no other term
    /// may have their epoch.
    known_terms: BTreeMap<PeerId, HostTerm>,
    /// Riders who had left before the restart. They have no vote and are not elected, even if they
    /// join again.
    former: BTreeSet<PeerId>,
}

/// Knowledge of one member about the host, from its snapshot or its token.
#[derive(Debug)]
pub(super) struct SnapshotVote {
    /// Number of the voter.
    number: PeerNumber,
    /// Not empty, with rising epochs.
    terms: Vec<HostTerm>,
    first_host: Option<PeerId>,
    locked: bool,
}

/// Result of a vote.
#[derive(Debug)]
pub(super) struct VotedHost {
    pub(super) number: PeerNumber,
    /// Host terms; the last one names the host. Empty if no voter knows the host's term.
    pub(super) terms: Vec<HostTerm>,
    pub(super) first_host: Option<PeerId>,
    /// Set if at least half of the voters with the same last term know the ride as locked.
    pub(super) locked: bool,
    /// Set if another member knows another term with the same epoch.
    pub(super) is_contested: bool,
}

impl SnapshotVote {
    /// Vote of a page. If its snapshot is missing or implausible, the token of a host counts as a
    /// vote for itself.
    pub(super) fn of(join: &Join, claims: &ResumeClaims) -> Option<Self> {
        let snapshot = join.hello.snapshot.as_deref();
        snapshot
            .and_then(|snapshot| Self::of_snapshot(snapshot, claims))
            .or_else(|| claims.host.then(|| Self::of_host(join, claims)))
    }

    fn of_snapshot(snapshot: &RoomSnapshot, claims: &ResumeClaims) -> Option<Self> {
        let last_epoch = snapshot.hosts.last()?.epoch;
        let is_rising = snapshot.hosts.is_sorted_by(|a, b| a.epoch < b.epoch);
        let is_plausible = is_rising && (1..MAX_PLAUSIBLE).contains(&last_epoch);
        is_plausible.then(|| Self {
            number: claims.number,
            terms: snapshot.hosts.clone(),
            first_host: snapshot.first_host.clone(),
            locked: snapshot.locked,
        })
    }

    fn of_host(join: &Join, claims: &ResumeClaims) -> Self {
        Self {
            number: claims.number,
            terms: vec![HostTerm {
                epoch: claims.epoch,
                peer: claims.peer.clone(),
                sign_key: join.hello.keys.sign,
            }],
            first_host: None,
            locked: false,
        }
    }

    /// Term of the host that this vote is for.
    pub(super) fn last_term(&self) -> Option<&HostTerm> {
        self.terms.last()
    }

    pub(super) fn epoch(&self) -> u32 {
        self.last_term().map_or(0, |term| term.epoch)
    }

    fn is_for(&self, host: &PeerId) -> bool {
        self.last_term().is_some_and(|term| term.peer == *host)
    }
}

impl SnapshotVotes {
    /// Takes the right to vote and to be elected from a rider who had left before the restart.
    pub(super) fn exclude(&mut self, former: PeerId) {
        self.former.insert(former);
    }

    /// Adds the knowledge of a member, as a vote if it is a rider with a vote.
    pub(super) fn insert(&mut self, member: &ResumeClaims, vote: SnapshotVote) {
        if member.role.is_rider() && !self.former.contains(&member.peer) {
            self.votes.insert(member.peer.clone(), vote);
        } else if let Some(term) = vote.last_term() {
            self.known_terms.insert(member.peer.clone(), term.clone());
        }
    }

    /// Drops the votes of members who may not vote; and, if any voter is connected, the votes of
    /// those that are not.
    pub(super) fn retain_eligible(
        &mut self,
        members: &Members,
        may_vote: impl Fn(&PeerId) -> bool,
    ) {
        let is_connected = |peer: &PeerId| {
            let member = members.find(peer);
            member.is_some_and(|(_, member)| member.authenticated && member.is_connected())
        };
        self.votes.retain(|peer, _| may_vote(peer));
        if self.votes.keys().any(is_connected) {
            self.votes.retain(|peer, _| is_connected(peer));
        }
    }

    /// Host with the most votes, among the riders of the room. Of the votes for it, the result is
    /// taken from the one with the highest epoch, then from the one that most other votes equal,
    /// then from the voter with the lowest number. `None` without a vote for one of the riders.
    pub(super) fn count(&self, members: &Members) -> Option<VotedHost> {
        let votes = || self.votes.values();
        let supporters = |host| votes().filter(|vote| vote.is_for(host)).count();
        let equals = |one: &SnapshotVote| votes().filter(|it| it.terms == one.terms).count();
        let candidates = votes().filter_map(|vote| {
            let host = &vote.last_term()?.peer;
            let (number, _) = members
                .find(host)
                .filter(|(_, member)| member.is_rider() && !self.former.contains(host))?;
            let rank = (supporters(host), vote.epoch(), equals(vote));
            Some(((rank, Reverse(vote.number)), (number, vote)))
        });
        let (_, (number, vote)) = candidates.max_by_key(|(rank, _)| *rank)?;
        Some(VotedHost {
            number,
            terms: vote.terms.clone(),
            first_host: vote.first_host.clone(),
            locked: self.is_locked_according_to(vote),
            is_contested: self.is_contested(vote),
        })
    }

    /// Knowledge of the voters about a term that evidence names: the one that most of them share.
    pub(super) fn about(&self, named: NamedHost) -> VotedHost {
        let is_about = |vote: &&SnapshotVote| {
            let term = vote.last_term();
            term.is_some_and(|term| term.epoch == named.epoch && term.peer == named.peer)
        };
        let votes = || self.votes.values();
        let equals = |one: &SnapshotVote| votes().filter(|it| it.terms == one.terms).count();
        let vote = votes()
            .filter(is_about)
            .max_by_key(|vote| (equals(vote), Reverse(vote.number)));
        VotedHost {
            number: named.number,
            terms: vote.map_or_else(Vec::new, |vote| vote.terms.clone()),
            first_host: named
                .first_host
                .or_else(|| vote.and_then(|vote| vote.first_host.clone())),
            locked: vote.is_some_and(|vote| self.is_locked_according_to(vote)),
            is_contested: vote.is_none_or(|vote| self.is_contested(vote)),
        }
    }

    fn is_locked_according_to(&self, vote: &SnapshotVote) -> bool {
        let agreeing = self
            .votes
            .values()
            .filter(|it| it.last_term() == vote.last_term());
        let locked = agreeing.clone().filter(|it| it.locked).count();
        2 * locked >= agreeing.count() && locked > 0
    }

    fn is_contested(&self, vote: &SnapshotVote) -> bool {
        let voted = self.votes.values().filter_map(SnapshotVote::last_term);
        let mut terms = voted.chain(self.known_terms.values());
        terms.any(|term| term.epoch == vote.epoch() && Some(term) != vote.last_term())
    }
}
