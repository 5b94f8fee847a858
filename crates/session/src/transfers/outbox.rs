use std::collections::VecDeque;

use clock::{Duration, Moment};
use litemap::LiteMap;
use protocol::peer::{DeliveryClass, Incarnation, LinkState, PeerId};
use ride::transfer::TransferMessage;

use super::{TransferOutput, relay_budget::RelayBudget};
use crate::exchange::{ExchangeOutput, GroupMember};

/// Number of messages that cannot belong to a transfer of this page, or ask for something again,
/// that are answered for one peer within [`REPLY_SPAN`].
const MAX_REPLIES: u8 = 8;
const REPLY_SPAN: Duration = Duration::from_secs(10);
/// Number of offers of one peer that are taken at once, and time in which one more is.
pub(super) const OFFERS_AT_ONCE: u32 = 12;
const OFFER_INTERVAL: Duration = Duration::from_secs(5);

/// Messages and requests to the driver of all transfers, and the links over which they send.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) outputs: VecDeque<ExchangeOutput>,
    pub(super) relay: RelayBudget,
    pub(super) peers: LiteMap<PeerId, Peer>,
}

/// Link to a member, or to a former one with which a transfer has not ended.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) incarnation: Incarnation,
    link: LinkState,
    /// Moment from which no message can reach the peer.
    pub(super) unreachable_since: Option<Moment>,
    /// Moment from which the peer is not in the group.
    pub(super) absent_since: Option<Moment>,
    replies: u8,
    replies_since: Moment,
    /// Moment from which [`OFFERS_AT_ONCE`] are taken again.
    offers_full_at: Moment,
}

/// Changes of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PeerChange {
    /// The page load is another one.
    pub(super) is_new_load: bool,
    /// Messages may have been lost, and reach the peer now.
    pub(super) is_new_path: bool,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self {
            outputs: VecDeque::new(),
            relay: RelayBudget::new(),
            peers: LiteMap::new(),
        }
    }

    /// Takes over a member of the group.
    pub(super) fn set_member(&mut self, now: Moment, member: &GroupMember) -> PeerChange {
        let is_reachable = member.is_reachable();
        let new = Peer {
            name: member.name.clone(),
            incarnation: member.incarnation,
            link: member.link,
            unreachable_since: (!is_reachable).then_some(now),
            absent_since: None,
            replies: 0,
            replies_since: now,
            offers_full_at: now,
        };
        let Some(peer) = self.peers.get_mut(&member.peer) else {
            self.peers.insert(member.peer.clone(), new);
            return PeerChange {
                is_new_load: false,
                is_new_path: is_reachable,
            };
        };
        let is_new_load = peer.incarnation != member.incarnation;
        let is_other_path = peer.link != member.link || peer.absent_since.is_some();
        let since = peer.unreachable_since.or(new.unreachable_since);
        *peer = Peer {
            unreachable_since: since.filter(|_| !is_reachable),
            replies: peer.replies,
            replies_since: peer.replies_since,
            offers_full_at: peer.offers_full_at,
            ..new
        };
        PeerChange {
            is_new_load,
            is_new_path: is_reachable && (is_new_load || is_other_path),
        }
    }

    /// Takes over that a peer is not in the group.
    pub(super) fn set_absent(&mut self, now: Moment, peer: &PeerId) {
        let peer = self.peers.entry(peer.clone()).or_insert_with(|| Peer {
            name: String::new(),
            incarnation: Incarnation(0),
            link: LinkState::Away,
            unreachable_since: None,
            absent_since: None,
            replies: 0,
            replies_since: now,
            offers_full_at: now,
        });
        peer.link = LinkState::Away;
        peer.absent_since.get_or_insert(now);
        peer.unreachable_since.get_or_insert(now);
    }

    pub(super) fn is_reachable(&self, peer: &PeerId) -> bool {
        let peer = self.peers.get(peer);
        peer.is_some_and(|peer| matches!(peer.link, LinkState::Relayed | LinkState::Direct))
    }

    pub(super) fn is_relayed(&self, peer: &PeerId) -> bool {
        let peer = self.peers.get(peer);
        peer.is_some_and(|peer| peer.link == LinkState::Relayed)
    }

    pub(super) fn incarnation(&self, peer: &PeerId) -> Incarnation {
        let peer = self.peers.get(peer);
        peer.map_or(Incarnation(0), |peer| peer.incarnation)
    }

    /// True if a message of this peer that calls for an answer is answered; counts it.
    pub(super) fn allows_reply(&mut self, now: Moment, peer: &PeerId) -> bool {
        let Some(peer) = self.peers.get_mut(peer) else {
            return false;
        };
        if now.since(peer.replies_since) >= REPLY_SPAN {
            peer.replies_since = now;
            peer.replies = 0;
        }
        peer.replies = peer.replies.saturating_add(1);
        peer.replies <= MAX_REPLIES
    }

    /// True if a new offer of this peer is taken; counts it.
    pub(super) fn allows_offer(&mut self, now: Moment, peer: &PeerId) -> bool {
        let Some(peer) = self.peers.get_mut(peer) else {
            return false;
        };
        let is_allowed = peer.offers_full_at.since(now) <= OFFER_INTERVAL * (OFFERS_AT_ONCE - 1);
        if is_allowed {
            peer.offers_full_at = now.max(peer.offers_full_at) + OFFER_INTERVAL;
        }
        is_allowed
    }

    /// Sends a message, if the peer can be reached. Messages that get lost with a link are repeated
    /// when there is one again.
    pub(super) fn send(&mut self, to: &PeerId, message: &TransferMessage<'_>) {
        if !self.is_reachable(to) {
            return;
        }
        let class = match message {
            TransferMessage::Chunk(_) | TransferMessage::End(_) => DeliveryClass::Bulk,
            _ => DeliveryClass::Control,
        };
        let payload = message.encode();
        if self.is_relayed(to) {
            self.relay.spend(payload.len());
        }
        self.outputs.push_back(ExchangeOutput::Send {
            to: to.clone(),
            class,
            payload,
        });
    }

    pub(super) fn emit(&mut self, output: TransferOutput) {
        self.outputs.push_back(ExchangeOutput::Transfers(output));
    }
}
