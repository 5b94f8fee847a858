use super::host_terms::HostTerms;
use protocol::{
    election::Election,
    peer::Token,
    signaling::{HostTerm, MAX_BANS, Member, RoomSnapshot, Welcome},
};

/// Number of terms in a snapshot for a server that takes only short messages.
const SHORT_SNAPSHOT_TERMS: usize = 4;
/// Number of terms that a page keeps for its reload.
const KEPT_TERMS: usize = 8;

/// State of the room apart from its members, as the server or an election last set it.
#[derive(Clone, Debug, Default)]
pub(super) struct RoomState {
    pub(super) terms: HostTerms,
    /// Newest token of a host term, signed by the server.
    host_token: Option<Token>,
    is_locked: bool,
    /// Ban tokens, signed by the server.
    bans: Vec<Token>,
}

impl RoomState {
    pub(super) fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// Sets the lock. Returns whether that changed it.
    pub(super) fn set_locked(&mut self, locked: bool) -> bool {
        std::mem::replace(&mut self.is_locked, locked) != locked
    }

    /// Keeps the token of a newer term. A server that is not sure of the host after a restart sends
    /// none: then the last one is still the newest.
    pub(super) fn keep_host_token(&mut self, token: Option<Token>) {
        self.host_token = token.or(self.host_token.take());
    }

    pub(super) fn add_ban(&mut self, ban: Token) {
        if self.bans.len() < MAX_BANS && !self.bans.contains(&ban) {
            self.bans.push(ban);
        }
    }

    /// Takes over the state in a welcome of a server that knows the host.
    pub(super) fn update(&mut self, welcome: &Welcome) {
        let terms = welcome.hosts.clone();
        self.terms.replace(terms, welcome.first_host.clone());
        self.keep_host_token(welcome.host_token.clone());
        self.is_locked = welcome.locked;
        self.bans.clone_from(&welcome.bans);
    }

    /// Snapshot for a server that lost its memory.
    pub(super) fn snapshot(&self, members: Vec<Member>, elections: &[Election]) -> RoomSnapshot {
        RoomSnapshot {
            hosts: self.terms.all().to_vec(),
            host_token: self.host_token.clone(),
            first_host: self.terms.first_host().cloned(),
            members,
            bans: self.bans.clone(),
            locked: self.is_locked,
            elections: elections.to_vec(),
        }
    }
}

/// Snapshot for a server that takes only short messages, with what matters most. The members left
/// out return by themselves.
pub(super) fn shortened(mut snapshot: RoomSnapshot) -> RoomSnapshot {
    keep_newest(&mut snapshot.hosts, SHORT_SNAPSHOT_TERMS);
    snapshot.members.clear();
    let older = snapshot.elections.len().saturating_sub(1);
    snapshot.elections.drain(..older);
    snapshot
}

/// Snapshot that a page keeps for its reload.
pub(super) fn for_reload(mut snapshot: RoomSnapshot) -> RoomSnapshot {
    keep_newest(&mut snapshot.hosts, KEPT_TERMS);
    snapshot.members.clear();
    snapshot
}

fn keep_newest(terms: &mut Vec<HostTerm>, count: usize) {
    let older = terms.len().saturating_sub(count);
    terms.drain(..older);
}
