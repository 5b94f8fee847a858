//! What a broker knows of one room.

use std::{collections::HashMap, sync::Arc};

use clock::Moment;

use super::absent::Absent;
use crate::room::SocketId;

/// Peers that reach each other. An id is in one of the lists at most.
#[derive(Default)]
pub(super) struct Room {
    pub(super) connected: HashMap<Arc<str>, Connected>,
    pub(super) absent: HashMap<Arc<str>, Absent>,
    /// Of the absent, those who may come back.
    pub(super) away: usize,
    /// Pairs with messages that wait.
    pub(super) pairs: u32,
    /// Bytes of those.
    pub(super) queued_bytes: u64,
    /// The same by sender, of those who have any, there or not.
    pub(super) senders: HashMap<Arc<str>, Left>,
}

impl Room {
    pub(super) fn left_by(&self, sender: &str) -> Left {
        self.senders.get(sender).copied().unwrap_or_default()
    }
}

/// What one sender left for others.
#[derive(Clone, Copy, Default)]
pub(super) struct Left {
    pub(super) pairs: u32,
    pub(super) bytes: u64,
}

/// A peer with a socket.
pub(super) struct Connected {
    pub(super) socket: SocketId,
    pub(super) token: Arc<str>,
    pub(super) claim: Option<Claim>,
    /// Until when nobody else may ask for its id: it has just shown that it
    /// lives.
    pub(super) rests_until: Moment,
}

/// A socket that gets the id if the old one does not answer in time.
pub(super) struct Claim {
    pub(super) socket: SocketId,
    pub(super) until: Moment,
}
