//! Evidence for the host of a restored room.
//!
//! - A *host token* is a statement of the server from before the restart. The newest one names the
//!   host, if this is a rider of the room.
//! - An *election* of a later epoch, with valid votes of more than half of the riders, outweighs it.
//!   It does so only while its votes are more than half of the riders who have returned with a
//!   token from before the election: a few riders who return first are not a majority.
//!
//! Without either, the snapshots are counted: see [`SnapshotVotes`](super::snapshot_votes). Since
//! honest pages may return later than others, evidence is considered for some time after the host
//! was named.

use std::collections::{BTreeMap, BTreeSet};

use clock::Moment;
use protocol::{
    election::Election,
    peer::{PeerId, PeerNumber},
};

use super::{HostClaims, ResumeClaims, host_terms, members::Members};

/// Number of returning riders above which those who are gone again are forgotten.
const MAX_RETURNED: usize = 256;
/// Largest number of different elections that are considered when the host is named.
const MAX_ELECTIONS: usize = 64;

/// Evidence that members have presented so far.
#[derive(Debug)]
pub(super) struct HostEvidence {
    /// Content of the newest host token.
    newest: Option<HostClaims>,
    /// Riders who have returned, with the lowest epoch of the resume tokens that each presented.
    returned: BTreeMap<PeerId, u32>,
    /// Riders who had left before the restart. Their terms have ended.
    former: BTreeSet<PeerId>,
    /// Different elections, until the host is named.
    elections: Vec<Election>,
    named_by: Basis,
    /// End of the time in which evidence is considered.
    until: Moment,
}

/// Reason for which the present host was named.
#[derive(Clone, Copy, Debug)]
enum Basis {
    /// Unsigned snapshots, or only its presence.
    Unsigned,
    /// A host token. Only tokens of later epochs than this one matter from then on.
    Token { epoch: u32 },
    /// An election with a number of valid votes.
    Election { epoch: u32, votes: usize },
}

/// Host according to the evidence.
#[derive(Debug)]
pub(super) struct NamedHost {
    pub(super) number: PeerNumber,
    pub(super) peer: PeerId,
    /// Epoch in which it was made host.
    pub(super) epoch: u32,
    /// First host, if a host token is the evidence.
    pub(super) first_host: Option<PeerId>,
}

impl HostEvidence {
    pub(super) fn new(until: Moment) -> Self {
        Self {
            newest: None,
            returned: BTreeMap::new(),
            former: BTreeSet::new(),
            elections: Vec::new(),
            named_by: Basis::Unsigned,
            until,
        }
    }

    pub(super) fn is_over(&self, now: Moment) -> bool {
        self.until <= now
    }

    /// Returns `true` if the present host was named by a host token. Otherwise the server must not
    /// confirm it with new ones, because older ones may still turn up.
    pub(super) fn is_signed(&self) -> bool {
        matches!(self.named_by, Basis::Token { .. })
    }

    /// Adds what a member presents beside its resume token.
    pub(super) fn add(
        &mut self,
        claims: &ResumeClaims,
        host: Option<HostClaims>,
        members: &Members,
    ) {
        if self.returned.len() >= MAX_RETURNED {
            let is_member = |peer: &PeerId| members.number_of(peer).is_some();
            self.returned.retain(|peer, _| is_member(peer));
        }
        if claims.role.is_rider() {
            let epoch = self.returned.entry(claims.peer.clone());
            let epoch = epoch.or_insert(claims.epoch);
            *epoch = claims.epoch.min(*epoch);
        }
        let epoch = self.signed_epoch();
        if let Some(host) = host.filter(|host| host.epoch > epoch) {
            self.newest = Some(host);
        }
    }

    /// Adds an election that a member presents before the host is named.
    pub(super) fn add_election(&mut self, election: &Election) {
        if self.elections.len() < MAX_ELECTIONS && !self.elections.contains(election) {
            self.elections.push(election.clone());
        }
    }

    /// A rider who had left before the restart has returned: it has no vote, and is not named by a
    /// host token.
    pub(super) fn add_former(&mut self, peer: &PeerId) {
        self.former.insert(peer.clone());
    }

    /// Host according to all evidence, when the time for snapshots is over.
    pub(super) fn name(&mut self, members: &Members) -> Option<NamedHost> {
        let elections = std::mem::take(&mut self.elections);
        let signed_epoch = self.signed_epoch();
        let later = elections.iter().filter(|it| it.term.epoch > signed_epoch);
        let proven = later.filter_map(|election| {
            let votes = host_terms::proven_votes(election, members)?;
            self.is_majority(election.term.epoch, votes, members)
                .then_some((election, votes))
        });
        let Some((election, votes)) = proven.max_by_key(|(it, _)| it.term.epoch) else {
            return self.name_by_token(members);
        };
        let (peer, epoch) = (election.term.peer.clone(), election.term.epoch);
        self.named_by = Basis::Election { epoch, votes };
        Some(NamedHost {
            number: members.number_of(&peer)?,
            peer,
            epoch,
            first_host: self.newest.as_ref().and_then(|it| it.first_host.clone()),
        })
    }

    /// The room has accepted an election since it named the host.
    pub(super) fn accepted(&mut self, election: &Election, members: &Members) {
        let epoch = election.term.epoch;
        if epoch > self.signed_epoch()
            && let Some(votes) = host_terms::proven_votes(election, members)
        {
            self.named_by = Basis::Election { epoch, votes };
        }
    }

    /// Host according to evidence that has turned up since another one was named. `is_known` tells
    /// terms of this room, whose tokens are no news, and `highest_epoch` is the highest known one.
    pub(super) fn name_late(
        &mut self,
        members: &Members,
        is_known: impl Fn(&HostClaims) -> bool,
        highest_epoch: u32,
    ) -> Option<NamedHost> {
        let newest = self.newest.as_ref()?;
        let is_news = match self.named_by {
            Basis::Unsigned => true,
            Basis::Token { epoch } => newest.epoch > epoch && !is_known(newest),
            Basis::Election { epoch, votes } => !self.is_majority(epoch, votes, members),
        };
        let named = is_news.then(|| self.name_by_token(members))?;
        // Tokens that this room has issued so far are no news, either.
        self.named_by = match named {
            Some(_) => Basis::Token {
                epoch: highest_epoch,
            },
            None => self.named_by,
        };
        named
    }

    /// Epoch of the newest host token; 0 without one.
    fn signed_epoch(&self) -> u32 {
        self.newest.as_ref().map_or(0, |newest| newest.epoch)
    }

    fn name_by_token(&mut self, members: &Members) -> Option<NamedHost> {
        let newest = self.newest.as_ref()?;
        let (number, _) = members
            .find(&newest.peer)
            .filter(|(_, member)| member.is_rider() && !self.former.contains(&member.peer))?;
        let epoch = newest.epoch;
        self.named_by = Basis::Token { epoch };
        Some(NamedHost {
            number,
            peer: newest.peer.clone(),
            epoch,
            first_host: newest.first_host.clone(),
        })
    }

    /// Returns `true` if the votes are more than half of the riders of the room who have returned
    /// with a token from before an epoch.
    fn is_majority(&self, epoch: u32, votes: usize, members: &Members) -> bool {
        let earlier = self.returned.iter().filter(|(_, first)| **first < epoch);
        let present = earlier.filter(|(peer, _)| members.number_of(peer).is_some());
        2 * votes > present.count()
    }
}
