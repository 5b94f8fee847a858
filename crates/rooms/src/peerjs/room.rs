//! State of one room.

use std::{collections::HashMap, sync::Arc};

use clock::Moment;

use super::queue::AbsentPeer;
use crate::{ClientKey, room::SocketId};

/// Peers that reach each other. An id is in at most one of the two lists.
#[derive(Default)]
pub(super) struct PeerJsRoom {
    pub(super) connected: HashMap<Arc<str>, ConnectedPeer>,
    pub(super) absent: HashMap<Arc<str>, AbsentPeer>,
    /// Number of absent peers that may return.
    pub(super) away: usize,
    /// Number of pairs with queued messages.
    pub(super) pairs: u32,
    /// Bytes of the queued messages.
    pub(super) queued_bytes: u64,
    /// Both by sender, for senders with queued messages, connected or not.
    pub(super) senders: HashMap<Arc<str>, QueueUsage>,
}

impl PeerJsRoom {
    pub(super) fn usage_of(&self, sender: &str) -> QueueUsage {
        self.senders.get(sender).copied().unwrap_or_default()
    }
}

/// Messages that one sender has queued.
#[derive(Clone, Copy, Default)]
pub(super) struct QueueUsage {
    pub(super) pairs: u32,
    pub(super) bytes: u64,
}

/// Peer with a socket.
pub(super) struct ConnectedPeer {
    pub(super) socket: SocketId,
    pub(super) token: Arc<str>,
    pub(super) claim: Option<IdClaim>,
    /// Time until which claims on its id are refused, because it has just answered a probe.
    pub(super) no_probe_until: Moment,
}

/// Socket that gets an id if the id's socket does not answer a probe.
pub(super) struct IdClaim {
    pub(super) socket: SocketId,
    pub(super) client: ClientKey,
    pub(super) until: Moment,
}
