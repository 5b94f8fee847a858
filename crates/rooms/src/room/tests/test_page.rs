use std::collections::BTreeMap;

use super::{harness::RoomHarness, *};
use protocol::{
    election::Election,
    peer::{MemberRole, Token},
    signaling::{RestoredRoom, RoomSnapshot},
};

/// Page of a member, with the knowledge that it gets from the room.
///
/// It fails the test when an epoch falls behind one that it knows.
#[derive(Debug)]
pub(super) struct TestPage {
    pub(super) socket: u64,
    /// Role in its hello.
    pub(super) role: MemberRole,
    pub(super) welcome: Welcome,
    pub(super) key: u8,
    pub(super) hosts: Vec<HostTerm>,
    pub(super) first_host: Option<PeerId>,
    members: BTreeMap<PeerNumber, Member>,
    pub(super) elections: Vec<Election>,
    bans: Vec<Token>,
    pub(super) host_token: Option<Token>,
    locked: bool,
    /// Number of messages handled on the current socket.
    handled: usize,
}

impl TestPage {
    pub(super) fn join(harness: &mut RoomHarness, socket: u64) -> Option<Self> {
        Self::join_as(MemberRole::Rider, harness, socket)
    }

    pub(super) fn join_as(
        role: MemberRole,
        harness: &mut RoomHarness,
        socket: u64,
    ) -> Option<Self> {
        let key = socket as u8;
        let welcome = harness.hello_as(role, socket, None, None, key)?;
        Some(Self::new(harness, socket, key, welcome))
    }

    pub(super) fn new(harness: &RoomHarness, socket: u64, key: u8, welcome: Welcome) -> Self {
        let mut page = Self {
            socket,
            role: welcome.role,
            key,
            hosts: Vec::new(),
            first_host: None,
            members: BTreeMap::new(),
            elections: Vec::new(),
            bans: Vec::new(),
            host_token: None,
            locked: false,
            handled: 0,
            welcome: welcome.clone(),
        };
        page.handle_welcome(welcome);
        page.receive(harness);
        page
    }

    /// Resumes on a new socket, as the same page with its snapshot. Returns `true` if the room
    /// admits it.
    pub(super) fn reconnect(&mut self, harness: &mut RoomHarness, socket: u64) -> bool {
        let snapshot = Some(self.snapshot());
        let resume = harness::resume(&self.welcome, true);
        let handled = harness.received(socket).len();
        let welcome = harness.hello_as(self.role, socket, resume, snapshot, self.key);
        let Some(welcome) = welcome else {
            return false;
        };
        assert_eq!(welcome.role, self.role, "a role has changed");
        self.handled = handled;
        self.socket = socket;
        self.handle_welcome(welcome);
        self.receive(harness);
        true
    }

    /// Handles the messages that arrived on its socket since the last call.
    pub(super) fn receive(&mut self, harness: &RoomHarness) {
        let received = harness.received(self.socket);
        let new = received.into_iter().skip(self.handled).collect::<Vec<_>>();
        self.handled += new.len();
        for message in new {
            self.handle_message(message);
        }
    }

    pub(super) fn snapshot(&self) -> RoomSnapshot {
        RoomSnapshot {
            hosts: self.hosts.clone(),
            host_token: self.host_token.clone(),
            first_host: self.first_host.clone(),
            members: self.members.values().cloned().collect(),
            bans: self.bans.clone(),
            locked: self.locked,
            elections: self.elections.clone(),
        }
    }

    pub(super) fn epoch(&self) -> u32 {
        self.hosts.last().map_or(0, |term| term.epoch)
    }

    fn handle_message(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined { member } | ServerMessage::Returned { member } => {
                self.members.insert(member.number, member);
            }
            ServerMessage::Left { peer, .. } => self.members.retain(|_, it| it.peer != peer),
            ServerMessage::Host {
                term,
                first_host,
                host_token,
            } => {
                assert!(term.epoch > self.epoch(), "an epoch went back");
                self.hosts.push(term);
                self.first_host = Some(first_host);
                self.keep_host_token(host_token);
            }
            ServerMessage::Locked { locked } => self.locked = locked,
            ServerMessage::Banned { token } => self.bans.push(token),
            ServerMessage::Restored(restored) => self.handle_restored(*restored),
            _ => {}
        }
    }

    fn handle_welcome(&mut self, welcome: Welcome) {
        if let Some(host) = &welcome.host {
            assert_eq!(welcome.hosts.last().map(|term| &term.peer), Some(host));
            self.handle_restored(RestoredRoom {
                hosts: welcome.hosts.clone(),
                host_token: welcome.host_token.clone(),
                first_host: welcome.first_host.clone().unwrap(),
                locked: welcome.locked,
            });
            self.bans.clone_from(&welcome.bans);
        }
        let members = welcome.members.iter().cloned();
        self.members = members.map(|member| (member.number, member)).collect();
        self.welcome = welcome;
    }

    fn keep_host_token(&mut self, token: Option<Token>) {
        self.host_token = token.or(self.host_token.take());
    }

    fn handle_restored(&mut self, restored: RestoredRoom) {
        let last = restored.hosts.last().expect("a term");
        let known = self.hosts.last();
        let is_newer = known.is_none_or(|known| last.epoch > known.epoch || last == known);
        assert!(is_newer, "an epoch went back: {last:?} after {known:?}");
        self.hosts = restored.hosts;
        self.keep_host_token(restored.host_token);
        self.first_host = Some(restored.first_host);
        self.locked = restored.locked;
    }
}
