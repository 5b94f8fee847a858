//! Who is host and what the host has decided, as the server says; what only the
//! host may ask of it; and what a server that lost its memory is told.

use clock::Moment;

use super::{Node, NodeEvent};
use protocol::{
    peer::{PeerId, Token},
    signaling::{
        ClientMessage, Hello, HostCommand, HostTerm, MAX_BANS, MAX_HOST_TERMS, MAX_REASON,
        RestoredRoom, RoomSnapshot, VERSION, Welcome,
    },
};

/// Terms that are told where all do not fit into a hello.
const FEW_TERMS: usize = 4;
/// Terms that a page keeps for its reload.
const KEPT_TERMS: usize = 8;

impl Node {
    /// What the page says first on every socket: with all that it knows, for a
    /// server that knows the ride no more.
    pub(super) fn hello(&self) -> ClientMessage {
        let hello = |restore: Option<RoomSnapshot>| {
            ClientMessage::Hello(Hello {
                version: VERSION,
                keys: self.config.keys,
                resume: self.socket.resume.clone(),
                role: self.config.role,
                snapshot: restore.map(Box::new),
            })
        };
        let whole = hello(self.restore());
        let limit = self.server.as_ref().map(|it| it.limits.max_message_bytes);
        let fits = limit.is_none_or(|limit| whole.to_json().len() <= limit as usize);
        match fits {
            true => whole,
            false => hello(self.restore().map(shorten)),
        }
    }

    /// Asks the server for what only some may do.
    pub(super) fn command(&mut self, command: HostCommand) {
        if !self.socket.is_open() {
            self.stats.dropped += 1;
            return;
        }
        let command = match command {
            HostCommand::Kick { peer, mut reason } => {
                reason.truncate(reason.floor_char_boundary(MAX_REASON));
                HostCommand::Kick { peer, reason }
            }
            other => other,
        };
        self.say(&ClientMessage::Command(command));
    }

    pub(super) fn new_term(&mut self, term: HostTerm, first_host: PeerId) {
        if term.epoch <= self.epoch() {
            return;
        }
        self.terms.push(term.clone());
        if self.terms.len() > MAX_HOST_TERMS {
            self.terms.remove(0);
        }
        self.first_host = Some(first_host);
        self.event(NodeEvent::HostChanged(term));
        self.offer();
    }

    pub(super) fn set_locked(&mut self, locked: bool) {
        if std::mem::replace(&mut self.locked, locked) != locked {
            self.event(NodeEvent::LockChanged(locked));
        }
    }

    pub(super) fn keep_note(&mut self, note: Token) {
        if self.bans.len() < MAX_BANS && !self.bans.contains(&note) {
            self.bans.push(note);
        }
    }

    /// The server knows again who is host. Epochs never run back.
    pub(super) fn restored(&mut self, now: Moment, restored: RestoredRoom) {
        let epoch = restored.hosts.last().map_or(0, |term| term.epoch);
        if epoch < self.epoch() {
            self.stats.ignored += 1;
            return self.correct_server(now);
        }
        let before = (self.terms.last().cloned(), self.locked);
        self.succession.server_rules();
        self.terms = restored.hosts;
        self.first_host = Some(restored.first_host);
        self.locked = restored.locked;
        self.tell_rule(before);
        self.offer();
    }

    /// Takes what the welcome says of host and lock. A server that lost its
    /// memory says nothing yet: what is known stays.
    pub(super) fn take_rule(&mut self, welcome: &Welcome) {
        if welcome.host.is_none() {
            return;
        }
        self.succession.server_rules();
        self.terms.clone_from(&welcome.hosts);
        self.first_host.clone_from(&welcome.first_host);
        self.locked = welcome.locked;
        self.bans.clone_from(&welcome.bans);
    }

    /// Tells what is not as it was.
    pub(super) fn tell_rule(&mut self, (term, locked): (Option<HostTerm>, bool)) {
        let newest = self.terms.last().cloned();
        if let Some(newest) = newest.filter(|newest| Some(newest) != term.as_ref()) {
            self.event(NodeEvent::HostChanged(newest));
        }
        if self.locked != locked {
            self.event(NodeEvent::LockChanged(self.locked));
        }
    }

    /// Tells the page, once, that it may take the ride back: of the server, so
    /// while there is one.
    pub(super) fn offer(&mut self) {
        if !self.socket.is_open() {
            return;
        }
        let may = self.may_reclaim();
        if std::mem::replace(&mut self.offered, may) != may && may {
            self.event(NodeEvent::ReclaimAvailable);
        }
    }

    /// What a page keeps for its reload of who rules the ride, once it was joined.
    pub fn room_snapshot(&self) -> Option<RoomSnapshot> {
        let known = self.restore().filter(|_| self.me.is_some());
        known.map(|mut rule| {
            rule.members.clear();
            let old = rule.hosts.len().saturating_sub(KEPT_TERMS);
            rule.hosts.drain(..old);
            rule
        })
    }

    /// What is known of the ride, from before a reload if it is not joined again yet.
    fn restore(&self) -> Option<RoomSnapshot> {
        if self.me.is_none() {
            return self.config.room_snapshot.clone();
        }
        Some(RoomSnapshot {
            hosts: self.terms.clone(),
            first_host: self.first_host.clone(),
            members: self.members().cloned().collect(),
            bans: self.bans.clone(),
            locked: self.locked,
            elections: self.succession.elections.clone(),
        })
    }
}

/// What matters most, for a server that takes only short messages: the others
/// will come themselves.
fn shorten(mut restore: RoomSnapshot) -> RoomSnapshot {
    let old = restore.hosts.len().saturating_sub(FEW_TERMS);
    restore.hosts.drain(..old);
    restore.members.clear();
    let old = restore.elections.len().saturating_sub(1);
    restore.elections.drain(..old);
    restore
}
