//! Restoration of a room that the server lost with its memory.
//!
//! A valid resume token admits its member at once, under the same id and number, and relaying
//! works as ever. The other members in its snapshot are away until they present a token of their
//! own. After [`RoomSettings::restore_wait`] the host is named: by [`HostEvidence`], or else the
//! one with the most votes of connected riders ([`SnapshotVotes`]). New members wait until
//! then, because the ride may be locked. Members of other roles have no vote, and while only such
//! members have returned, the room goes on waiting for its riders.
//!
//! Members who left before the restart, according to the server's [`Standings`], have no vote and
//! are not listed; they join again like any former member. Banned ones stay banned.
//!
//! Contract: a page is trusted only in what the server signed: its resume token, the ban tokens
//! and the host token. Everything else in a snapshot is counted and bounded, and never makes an epoch fall
//! behind one that a page may know.

use std::{collections::VecDeque, sync::Arc};

use clock::{Moment, WallTime};
use protocol::{
    peer::{MemberRole, PeerId, PeerNumber},
    signaling::{MAX_HOST_TERMS, Member},
};

use super::{
    Join, ResumeClaims, RoomSettings, SocketId, Standing, Standings,
    host_evidence::HostEvidence,
    snapshot_votes::{SnapshotVote, SnapshotVotes},
};

/// Bound on plausible epochs and numbers, which no ride comes near. Higher ones are ignored.
pub(super) const MAX_PLAUSIBLE: u32 = 1 << 24;

/// Progress of the restoration of a room.
#[derive(Debug)]
pub(super) struct Restoration {
    phase: Phase,
    /// `None` in a room that knows everything itself.
    standings: Option<Arc<dyn Standings>>,
    /// The server's clocks when the room was opened again.
    opened: Option<(Moment, WallTime)>,
    /// Highest epoch in any resume token or host token presented.
    signed_epoch: u32,
    /// `None` in a room that knows everything itself, and when it is too late for more of it.
    pub(super) evidence: Option<HostEvidence>,
}

#[derive(Debug)]
enum Phase {
    /// The room has existed from the start of the ride and knows everything itself.
    NotNeeded,
    Collecting(Collection),
    /// The room knows of the time before only what its members told.
    Finished,
}

/// Snapshots and new members that arrive while the host is not known.
#[derive(Debug)]
pub(super) struct Collection {
    until: Moment,
    pub(super) votes: SnapshotVotes,
    pub(super) waiting: VecDeque<Join>,
}

impl Collection {
    /// Continues for some time.
    pub(super) fn extend(&mut self, until: Moment) {
        self.until = until;
    }

    /// Number of waiting new members that compete for a place with a member of this role.
    pub(super) fn waiting_beside(&self, role: MemberRole) -> usize {
        let waiting = self.waiting.iter();
        waiting
            .filter(|join| join.hello.role.is_rider() == role.is_rider())
            .count()
    }
}

impl Restoration {
    pub(super) fn not_needed() -> Self {
        Self {
            phase: Phase::NotNeeded,
            standings: None,
            opened: None,
            signed_epoch: 0,
            evidence: None,
        }
    }

    pub(super) fn begin(
        now: Moment,
        server_time: WallTime,
        settings: &RoomSettings,
        standings: Arc<dyn Standings>,
    ) -> Self {
        let evidence_until = now + settings.restore_wait + settings.grace + settings.ttl;
        let collection = Collection {
            until: now + settings.restore_wait,
            votes: SnapshotVotes::default(),
            waiting: VecDeque::new(),
        };
        Self {
            phase: Phase::Collecting(collection),
            standings: Some(standings),
            opened: Some((now, server_time)),
            signed_epoch: 0,
            evidence: Some(HostEvidence::new(evidence_until)),
        }
    }

    /// Considers no more evidence after a while.
    pub(super) fn expire(&mut self, now: Moment) {
        if !self.is_collecting() {
            self.evidence.take_if(|evidence| evidence.is_over(now));
        }
    }

    /// Returns `false` while evidence against the present host may turn up.
    pub(super) fn is_sure_of_host(&self) -> bool {
        self.evidence.as_ref().is_none_or(HostEvidence::is_signed)
    }

    pub(super) fn is_needed(&self) -> bool {
        !matches!(self.phase, Phase::NotNeeded)
    }

    /// Standing of a member before the restart. A room that knows everything itself needs none.
    pub(super) fn standing(&self, peer: &PeerId) -> Standing {
        let standings = self.standings.as_ref();
        standings.map_or(Standing::Member, |standings| standings.standing(peer))
    }

    /// Wall time by which a restored room judges the tokens of members that it has not welcomed.
    /// Counted by the monotonic clock from the opening on, so that setting the wall clock makes no
    /// token invalid.
    pub(super) fn wall_time(&self, now: Moment) -> Option<WallTime> {
        let (opened, server_time) = self.opened?;
        Some(server_time.after(now - opened))
    }

    /// Snapshots collected so far; `None` once the host is known.
    pub(super) fn collecting(&mut self) -> Option<&mut Collection> {
        match &mut self.phase {
            Phase::Collecting(collection) => Some(collection),
            Phase::NotNeeded | Phase::Finished => None,
        }
    }

    pub(super) fn is_collecting(&self) -> bool {
        self.ends_at().is_some()
    }

    /// Time at which the host is named; `None` once it is known.
    pub(super) fn ends_at(&self) -> Option<Moment> {
        match &self.phase {
            Phase::Collecting(collection) => Some(collection.until),
            Phase::NotNeeded | Phase::Finished => None,
        }
    }

    /// Returns `true` if the time for snapshots is over.
    pub(super) fn is_due(&self, now: Moment) -> bool {
        self.ends_at().is_some_and(|at| at <= now)
    }

    /// Ends the collection.
    pub(super) fn finish(&mut self) -> Option<Collection> {
        match std::mem::replace(&mut self.phase, Phase::Finished) {
            Phase::Collecting(collection) => Some(collection),
            Phase::NotNeeded | Phase::Finished => None,
        }
    }

    pub(super) fn is_waiting(&self, socket: SocketId) -> bool {
        match &self.phase {
            Phase::Collecting(collection) => {
                let mut waiting = collection.waiting.iter();
                waiting.any(|join| join.socket == socket)
            }
            Phase::NotNeeded | Phase::Finished => false,
        }
    }

    pub(super) fn stop_waiting(&mut self, socket: SocketId) {
        if let Some(collection) = self.collecting() {
            collection.waiting.retain(|join| join.socket != socket);
        }
    }

    /// Takes note of an epoch that the server signed.
    pub(super) fn note_signed_epoch(&mut self, epoch: u32) {
        self.signed_epoch = self.signed_epoch.max(epoch);
    }

    /// Vote of a page, unless its epoch is implausible.
    pub(super) fn vote_of(&self, join: &Join, claims: &ResumeClaims) -> Option<SnapshotVote> {
        SnapshotVote::of(join, claims).filter(|vote| self.is_plausible(vote.epoch()))
    }

    /// Returns `false` for an epoch far above the newest one that the server signed: since then,
    /// there may have been as many terms as a page remembers.
    pub(super) fn is_plausible(&self, epoch: u32) -> bool {
        epoch <= self.signed_epoch.saturating_add(MAX_HOST_TERMS as u32)
    }
}

/// Highest plausible number that a page knows; new members get higher ones.
pub(super) fn highest_number(members: &[Member], claims: &ResumeClaims) -> PeerNumber {
    let numbers = members.iter().map(|member| member.number);
    numbers
        .filter(|number| number.0 < MAX_PLAUSIBLE)
        .fold(claims.number, PeerNumber::max)
}

/// Members of a page's snapshot that may be listed as away: those with a plausible number that are
/// not the page's own member.
pub(super) fn plausible_members<'a>(
    members: &'a [Member],
    own: &'a ResumeClaims,
) -> impl Iterator<Item = &'a Member> {
    let is_own = |number: PeerNumber, peer: &PeerId| number == own.number || *peer == own.peer;
    members.iter().filter(move |member| {
        (1..MAX_PLAUSIBLE).contains(&member.number.0) && !is_own(member.number, &member.peer)
    })
}
