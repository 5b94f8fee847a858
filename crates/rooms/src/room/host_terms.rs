//! The host: its terms, and who succeeds it.
//!
//! Every change of the host, or of the host's signing key, begins a new term with a higher epoch.
//! Pages follow the highest epoch that they have seen, so the epoch must never fall behind one
//! that any page may know: from a restored room ([`HostTerms::raise_epoch_floor`]), or from an
//! election that took place while the server was unreachable.
//!
//! Methods that begin a term return the message that announces it, without its token.

use std::{collections::VecDeque, time::Duration};

use clock::Moment;
use protocol::{
    election::Election,
    peer::{PeerId, PeerNumber},
    signaling::{ErrorCode, HostTerm, MAX_HOST_TERMS, ServerMessage},
};

use super::{
    members::{Members, Presence, RoomMember},
    snapshot_votes::VotedHost,
};

/// An election without a provable majority is ignored when its epoch is further ahead than this.
const MAX_UNPROVEN_EPOCHS: u32 = 64;

/// Minimum interval between two terms that begin because the same member knows of an unknown one.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(30);
/// Terms that begin for this reason within one interval, whichever members know of unknown ones: an
/// attacker can be many members.
const MAX_RENEWALS: usize = 4;

/// Host terms of a ride.
#[derive(Debug, Default)]
pub(super) struct HostTerms {
    /// Number of a rider. `None` while the room is being restored, and while it has no rider.
    host: Option<PeerNumber>,
    /// Rider who may reclaim the host role; known once there was a host.
    first_host: Option<PeerId>,
    /// The newest terms, at most [`MAX_HOST_TERMS`], with rising epochs.
    terms: VecDeque<HostTerm>,
    /// Highest epoch that any page may know; the next term is above it.
    epoch_floor: u32,
    /// Members because of whose knowledge a term began within [`RENEWAL_INTERVAL`], and when; at
    /// most [`MAX_RENEWALS`].
    renewals: Vec<(PeerId, Moment)>,
}

impl HostTerms {
    pub(super) fn host(&self) -> Option<PeerNumber> {
        self.host
    }

    pub(super) fn is_host(&self, number: PeerNumber) -> bool {
        self.host == Some(number)
    }

    /// Checks that a member is the host.
    pub(super) fn require_host(&self, number: PeerNumber) -> Result<(), ErrorCode> {
        match self.is_host(number) {
            true => Ok(()),
            false => Err(ErrorCode::NotHost),
        }
    }

    pub(super) fn first_host(&self) -> Option<&PeerId> {
        self.first_host.as_ref()
    }

    pub(super) fn list(&self) -> Vec<HostTerm> {
        self.terms.iter().cloned().collect()
    }

    /// Epoch of the current term; 0 before the first one.
    pub(super) fn epoch(&self) -> u32 {
        self.terms.back().map_or(0, |term| term.epoch)
    }

    /// Highest epoch that any page may know.
    pub(super) fn highest_known_epoch(&self) -> u32 {
        self.epoch().max(self.epoch_floor)
    }

    /// Takes note that a page knows this epoch.
    pub(super) fn raise_epoch_floor(&mut self, epoch: u32) {
        self.epoch_floor = self.epoch_floor.max(epoch);
    }

    /// Begins a term with a member as host.
    pub(super) fn begin(&mut self, number: PeerNumber, member: &RoomMember) -> ServerMessage {
        self.push(
            number,
            HostTerm {
                epoch: self.highest_known_epoch().saturating_add(1),
                peer: member.peer.clone(),
                sign_key: member.keys.sign,
            },
        )
    }

    fn push(&mut self, number: PeerNumber, term: HostTerm) -> ServerMessage {
        self.host = Some(number);
        self.terms.push_back(term.clone());
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.pop_front();
        }
        let first_host = self.first_host.get_or_insert_with(|| term.peer.clone());
        ServerMessage::Host {
            first_host: first_host.clone(),
            term,
            host_token: None,
        }
    }

    /// Begins a term for the host if it has returned with another signing key.
    pub(super) fn renew_for_key(
        &mut self,
        number: PeerNumber,
        member: &RoomMember,
    ) -> Option<ServerMessage> {
        let known_key = self.terms.back().map(|term| term.sign_key);
        let is_needed = self.is_host(number) && known_key != Some(member.keys.sign);
        is_needed.then(|| self.begin(number, member))
    }

    /// Makes the rider that has been present for the longest time the host.
    pub(super) fn appoint(&mut self, members: &Members) -> Option<ServerMessage> {
        let (number, member) = members.longest_present_rider()?;
        Some(self.begin(number, member))
    }

    /// Appoints a successor if the host was this member, which cannot be host any longer.
    pub(super) fn succeed(
        &mut self,
        former: PeerNumber,
        members: &Members,
    ) -> Option<ServerMessage> {
        self.host.take_if(|host| *host == former)?;
        self.appoint(members)
    }

    /// Time at which an absent host is succeeded by a connected rider. `None` while the host is
    /// connected, or reached directly: most of the connected riders that may have a direct link to it,
    /// which are those with the `max_direct` lowest numbers, report one. Reports may be false, so a
    /// single one does not count where others contradict it.
    pub(super) fn succession_at(
        &self,
        members: &Members,
        max_direct: u32,
        host_grace: Duration,
    ) -> Option<Moment> {
        let host = members.get(self.host?)?;
        let Presence::Away { since, .. } = host.presence else {
            return None;
        };
        let connected = |(_, member): &(PeerNumber, &RoomMember)| member.is_connected();
        members.riders().find(connected)?;
        let linkable = members.riders().take(max_direct as usize).filter(connected);
        let (mut all, mut reaching) = (0, 0);
        for (_, member) in linkable {
            all += 1;
            reaching += usize::from(member.direct_links.contains(&host.peer));
        }
        let is_reached = 2 * reaching > all;
        (!is_reached).then(|| since + host_grace)
    }

    /// Hands the host role over to another connected rider. If the sender is the first host, it
    /// loses that claim to the receiver.
    pub(super) fn hand_over(
        &mut self,
        from: PeerNumber,
        to: &PeerId,
        members: &Members,
    ) -> Result<ServerMessage, ErrorCode> {
        self.require_host(from)?;
        let (number, member) = members
            .find(to)
            .filter(|(_, member)| member.is_rider() && member.is_connected())
            .filter(|(number, _)| *number != from)
            .ok_or(ErrorCode::NoSuchRider)?;
        let sender = members.get(from).map(|member| &member.peer);
        if self.first_host.as_ref() == sender {
            self.first_host = Some(to.clone());
        }
        Ok(self.begin(number, member))
    }

    /// Makes the first host the host again. `None` if it is the host already.
    pub(super) fn reclaim(
        &mut self,
        number: PeerNumber,
        member: &RoomMember,
    ) -> Result<Option<ServerMessage>, ErrorCode> {
        if self.host.is_none() || self.first_host.as_ref() != Some(&member.peer) {
            return Err(ErrorCode::NotFirstHost);
        }
        Ok((!self.is_host(number)).then(|| self.begin(number, member)))
    }

    /// A banned member loses its claim as first host.
    pub(super) fn revoke_first_host(&mut self, peer: &PeerId) {
        self.first_host.take_if(|first| first == peer);
    }

    /// Without a first host, the current host may reclaim the role.
    pub(super) fn fill_first_host(&mut self, members: &Members) {
        if self.first_host.is_none() {
            let host = self.host.and_then(|host| members.get(host));
            self.first_host = host.map(|member| member.peer.clone());
        }
    }

    /// The ride has ended.
    pub(super) fn end(&mut self) {
        self.host = None;
    }

    /// Considers the elections that a page presents. A room that has its memory keeps its host,
    /// unless the votes of more than half of its riders for a later epoch are valid. The proof is in
    /// the riders' signatures, so that a member of any role may present it.
    ///
    /// Contract: votes are verified with the keys that the voters presented in their own hello,
    /// never with keys from a snapshot.
    pub(super) fn consider_elections(
        &mut self,
        now: Moment,
        presented_by: &PeerId,
        elections: &[Election],
        members: &Members,
    ) -> Vec<ServerMessage> {
        let mut announcements = Vec::new();
        for election in elections {
            if election.term.epoch > self.highest_known_epoch() {
                announcements.extend(self.accept_election(election, members));
            }
        }
        // Without a provable majority, for example because voters have left since, the host stays;
        // but its epoch has to be above the one that these pages know.
        let limit = self.epoch().saturating_add(MAX_UNPROVEN_EPOCHS);
        let newest = elections.last().map(|election| &election.term);
        if let Some(term) = newest.filter(|term| term.epoch <= limit) {
            announcements.extend(self.surpass(now, presented_by, term, members));
        }
        announcements
    }

    fn accept_election(&mut self, election: &Election, members: &Members) -> Option<ServerMessage> {
        proven_votes(election, members)?;
        let number = members.number_of(&election.term.peer)?;
        Some(self.push(number, election.term.clone()))
    }

    /// Returns `true` if one of the terms has this epoch and this host.
    pub(super) fn knows(&self, epoch: u32, host: &PeerId) -> bool {
        let mut terms = self.terms.iter();
        terms.any(|term| term.epoch == epoch && term.peer == *host)
    }

    /// Returns `true` if this is the present term.
    pub(super) fn is_newest(&self, term: &HostTerm) -> bool {
        self.terms.back() == Some(term)
    }

    /// Begins a term of the host that late evidence names, unless host and first host are right.
    pub(super) fn correct(
        &mut self,
        number: PeerNumber,
        member: &RoomMember,
        first_host: Option<PeerId>,
    ) -> Option<ServerMessage> {
        let first_host = first_host.unwrap_or_else(|| member.peer.clone());
        if self.is_host(number) && self.first_host.as_ref() == Some(&first_host) {
            return None;
        }
        self.first_host = Some(first_host);
        Some(self.begin(number, member))
    }

    /// Begins a term of the same host above a term that a page knows and this room does not. At
    /// most once per [`RENEWAL_INTERVAL`] and informing member.
    pub(super) fn surpass(
        &mut self,
        now: Moment,
        informant: &PeerId,
        known: &HostTerm,
        members: &Members,
    ) -> Option<ServerMessage> {
        self.renewals.retain(|(_, at)| now < *at + RENEWAL_INTERVAL);
        let ours = self.terms.back();
        let is_surpassed = ours.is_some_and(|ours| ours.epoch > known.epoch || ours == known);
        let is_known = self.renewals.iter().any(|(peer, _)| peer == informant);
        if is_surpassed || is_known || self.renewals.len() >= MAX_RENEWALS {
            return None;
        }
        self.renewals.push((informant.clone(), now));
        let number = self.host?;
        let host = members.get(number)?;
        self.raise_epoch_floor(known.epoch);
        Some(self.begin(number, host))
    }

    /// Takes over the host of a restored room. A new term begins if a
    /// page may know a higher epoch or another term of this one, or if the host has another key.
    pub(super) fn restore(&mut self, voted: VotedHost, members: &Members) {
        let VotedHost {
            number,
            terms,
            first_host,
            is_contested,
            ..
        } = voted;
        self.terms = terms.into();
        self.host = Some(number);
        let elected = self.terms.back().map(|term| term.peer.clone());
        self.first_host = first_host.or(elected);
        let Some(host) = members.get(number) else {
            return;
        };
        let known_key = self.terms.back().map(|term| term.sign_key);
        let has_new_key = host.authenticated && known_key != Some(host.keys.sign);
        if self.epoch() < self.epoch_floor || is_contested || has_new_key {
            self.begin(number, host);
        }
    }
}

/// Number of valid votes of an election, if they are more than half of the riders and the candidate
/// is one of them. Votes of riders who are not there to be verified do not count.
pub(super) fn proven_votes(election: &Election, members: &Members) -> Option<usize> {
    let term = &election.term;
    let key_of = |number| Some(members.authenticated_rider(number)?.keys.sign);
    let candidate = members.number_of(&term.peer)?;
    let mut known = election.clone();
    known.votes.retain(|vote| key_of(vote.voter).is_some());
    let is_proven = key_of(candidate) == Some(term.sign_key)
        && known.is_majority_of(members.riders().count())
        && known.is_genuine(key_of);
    is_proven.then_some(known.votes.len())
}
