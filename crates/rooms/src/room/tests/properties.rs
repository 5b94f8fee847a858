//! Properties of a room under random actions of its members and restarts of the server.

use protocol::signaling::HostCommand;
use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::{test_page::TestPage, *};
use protocol::{
    frame::{FromServer, ToServer},
    peer::{DeliveryClass, LinkState, MemberRole},
    signaling::{LinkReport, Report, RoomSnapshot},
};

const PAGES: usize = 8;
const MAX_RIDERS: u32 = 5;
const MAX_OTHERS: u32 = 2;

/// Action of a test. The numbers are indexes of pages.
#[derive(Clone, Debug)]
enum Action {
    Join(MemberRole),
    Reconnect(usize),
    Reload(usize),
    Disconnect(usize),
    Leave(usize),
    Kick(usize, usize),
    HandOver(usize, usize),
    Lock(usize, bool),
    Reclaim(usize),
    ReportDirectLink(usize, usize),
    SendFrame(usize),
    SendBytes(usize, Vec<u8>),
    ForgeIdentity(usize, usize),
    ClaimTerm(usize, u32),
    Wait(u64),
    Restart,
}

fn any_action() -> impl Strategy<Value = Action> {
    let one = || 0..PAGES;
    prop_oneof![
        4 => Just(Action::Join(MemberRole::Rider)),
        2 => Just(Action::Join(MemberRole::Spectator)),
        1 => Just(Action::Join(MemberRole::Coach)),
        6 => one().prop_map(Action::Reconnect),
        2 => one().prop_map(Action::Reload),
        4 => one().prop_map(Action::Disconnect),
        1 => one().prop_map(Action::Leave),
        1 => (one(), one()).prop_map(|(a, b)| Action::Kick(a, b)),
        2 => (one(), one()).prop_map(|(a, b)| Action::HandOver(a, b)),
        1 => (one(), any::<bool>()).prop_map(|(a, b)| Action::Lock(a, b)),
        1 => one().prop_map(Action::Reclaim),
        2 => (one(), one()).prop_map(|(a, b)| Action::ReportDirectLink(a, b)),
        2 => one().prop_map(Action::SendFrame),
        1 => (one(), vec(0..4u8, 0..20)).prop_map(|(a, b)| Action::SendBytes(a, b)),
        1 => (one(), one()).prop_map(|(a, b)| Action::ForgeIdentity(a, b)),
        1 => (one(), any::<u32>()).prop_map(|(a, b)| Action::ClaimTerm(a, b)),
        4 => (0..12_000u64).prop_map(Action::Wait),
        1 => Just(Action::Restart),
    ]
}

/// A room with the pages of its members.
struct World {
    harness: RoomHarness,
    pages: Vec<TestPage>,
    /// Members that the host has kicked.
    kicked: BTreeSet<PeerId>,
    /// Sockets whose hello has not been answered yet.
    waiting: Vec<u64>,
    next_socket: u64,
}

impl World {
    fn new() -> Self {
        let settings = RoomSettings {
            max_riders: MAX_RIDERS,
            max_other_members: MAX_OTHERS,
            ..RoomSettings::default()
        };
        Self {
            harness: RoomHarness::with(settings),
            pages: Vec::new(),
            kicked: BTreeSet::new(),
            waiting: Vec::new(),
            next_socket: 1,
        }
    }

    fn new_socket(&mut self) -> u64 {
        self.next_socket += 1;
        self.next_socket
    }

    fn send(&mut self, one: usize, message: ClientMessage) {
        if let Some(page) = self.pages.get(one) {
            let socket = page.socket;
            if self
                .harness
                .room
                .members
                .of_socket(SocketId(socket))
                .is_some()
            {
                self.harness.message(socket, message);
            }
        }
    }

    fn peer(&self, one: usize) -> PeerId {
        let page = self.pages.get(one);
        page.map_or("stranger".parse().unwrap(), |page| {
            page.welcome.peer.clone()
        })
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Join(role) if self.pages.len() < PAGES => {
                let socket = self.new_socket();
                match TestPage::join_as(role, &mut self.harness, socket) {
                    Some(page) => self.pages.push(page),
                    None => self.waiting.push(socket),
                }
            }
            Action::Join(_) => {}
            Action::Reconnect(one) => {
                let socket = self.new_socket();
                if let Some(page) = self.pages.get_mut(one) {
                    page.reconnect(&mut self.harness, socket);
                }
            }
            Action::Reload(one) => self.reload(one),
            Action::Disconnect(one) => {
                if let Some(page) = self.pages.get(one) {
                    self.harness.close(page.socket);
                }
            }
            Action::Leave(one) => self.send(one, ClientMessage::Leave),
            Action::Kick(one, other) => self.kick(one, other),
            Action::HandOver(one, other) => {
                let to = self.peer(other);
                self.send(one, ClientMessage::Command(HostCommand::HandOver { to }));
            }
            Action::Lock(one, true) => self.send(one, ClientMessage::Command(HostCommand::Lock)),
            Action::Lock(one, false) => self.send(one, ClientMessage::Command(HostCommand::Unlock)),
            Action::Reclaim(one) => self.send(one, ClientMessage::Command(HostCommand::Reclaim)),
            Action::ReportDirectLink(one, other) => self.report_direct_link(one, other),
            Action::SendFrame(one) => self.send_frame(one),
            Action::SendBytes(one, bytes) => {
                if let Some(page) = self.pages.get(one) {
                    let socket = SocketId(page.socket);
                    self.harness.handle(Input::Relay { socket, bytes });
                }
            }
            Action::ForgeIdentity(one, other) => self.forge_identity(one, other),
            Action::ClaimTerm(one, epoch) => self.claim_term(one, epoch),
            Action::Wait(millis) => self.harness.advance(Duration::from_millis(millis)),
            Action::Restart => {
                self.harness.restart_server();
                self.waiting.clear();
            }
        }
        self.admit_waiting();
        for page in &mut self.pages {
            page.receive(&self.harness);
        }
    }

    /// Creates the pages of new members that were admitted when the room had been restored.
    fn admit_waiting(&mut self) {
        let harness = &self.harness;
        for socket in &self.waiting {
            let received = harness.received(*socket).into_iter();
            let welcome = received.filter_map(|message| match message {
                ServerMessage::Welcome(welcome) => Some(*welcome),
                _ => None,
            });
            let key = *socket as u8;
            let page = |welcome| TestPage::new(harness, *socket, key, welcome);
            self.pages.extend(welcome.map(page));
        }
        let answered = |socket: &u64| !harness.received(*socket).is_empty();
        self.waiting.retain(|socket| !answered(socket));
    }

    fn reload(&mut self, one: usize) {
        let socket = self.new_socket();
        let Some(page) = self.pages.get_mut(one) else {
            return;
        };
        let resume = resume(&page.welcome, false);
        if let Some(welcome) = self.harness.hello(socket, resume, page.key) {
            assert_eq!(welcome.role, page.role, "a role has changed");
            *page = TestPage::new(&self.harness, socket, page.key, welcome);
        }
    }

    fn kick(&mut self, one: usize, other: usize) {
        let peer = self.peer(other);
        let reason = String::new();
        let kick = ClientMessage::Command(HostCommand::Kick {
            peer: peer.clone(),
            reason,
        });
        self.send(one, kick);
        if self.harness.room.access.is_banned(&peer) {
            self.kicked.insert(peer);
        }
    }

    fn report_direct_link(&mut self, one: usize, other: usize) {
        let link = LinkReport {
            peer: self.peer(other),
            state: LinkState::Direct,
            connect_ms: None,
            round_trip_ms: None,
        };
        let report = Report {
            links: vec![link],
            ..Report::default()
        };
        self.send(one, ClientMessage::Report(report));
    }

    fn send_frame(&mut self, one: usize) {
        let Some(page) = self.pages.get(one) else {
            return;
        };
        let frame = ToServer {
            class: DeliveryClass::Control,
            sealed: false,
            targets: vec![],
            payload: b"x",
        };
        let socket = SocketId(page.socket);
        let sender = self.harness.room.members.of_socket(socket);
        self.harness.relayed.clear();
        self.harness.handle(Input::Relay {
            socket,
            bytes: frame.encode(),
        });
        for (sockets, bytes) in &self.harness.relayed {
            let relayed = FromServer::decode(bytes).unwrap();
            assert_eq!(Some(relayed.from), sender, "a frame has a false sender");
            let is_member =
                |socket: &SocketId| self.harness.room.members.of_socket(*socket).is_some();
            assert!(sockets.iter().all(is_member), "a frame left the room");
        }
    }

    /// Presents a valid token with the id of another member.
    fn forge_identity(&mut self, one: usize, other: usize) {
        if one == other || one.max(other) >= self.pages.len() {
            return;
        }
        let mut claim = resume(&self.pages[one].welcome, true).unwrap();
        claim.peer = self.peer(other);
        let socket = self.new_socket();
        assert_eq!(self.harness.hello(socket, Some(claim), 1), None);
    }

    /// Resumes with a snapshot that names the member itself as host of an arbitrary epoch, and lists
    /// others with false numbers and roles.
    fn claim_term(&mut self, one: usize, epoch: u32) {
        let Some(page) = self.pages.get(one) else {
            return;
        };
        let welcome = page.welcome.clone();
        let mut members = page.snapshot().members;
        for member in &mut members {
            member.number.0 ^= epoch & 3;
            if epoch & 4 != 0 {
                member.role = MemberRole::ALL[(epoch >> 3) as usize % 5];
            }
        }
        let snapshot = RoomSnapshot {
            hosts: vec![HostTerm {
                epoch,
                peer: welcome.peer.clone(),
                sign_key: [1; 32],
            }],
            members,
            ..RoomSnapshot::default()
        };
        let socket = self.new_socket();
        let resume = resume(&welcome, true);
        self.harness
            .hello_with_snapshot(socket, resume, Some(snapshot), 1);
    }

    fn check(&self) {
        let room = &self.harness.room;
        let members = &room.members;
        let is_rider = |number: &PeerNumber| members.riders().any(|(it, _)| it == *number);
        let host = room.terms.host().filter(is_rider);
        assert_eq!(room.terms.host(), host, "the host is not a rider");
        let has_rider = members.riders().next().is_some();
        let needs_host = has_rider && !room.restoration.is_collecting();
        assert_eq!(host.is_some(), needs_host, "a ride has one host");
        for (number, socket) in members.connected() {
            assert_eq!(members.of_socket(socket), Some(number), "a socket is lost");
        }
        let connected = members.connected().count();
        assert_eq!(
            connected,
            members.sockets().count(),
            "a socket has no member"
        );
        let riders = members.riders().count();
        let others = members.iter().count() - riders;
        assert!(
            riders <= MAX_RIDERS as usize,
            "the room has too many riders"
        );
        assert!(
            others <= MAX_OTHERS as usize,
            "the room has too many others"
        );
        let is_member = |peer: &PeerId| members.number_of(peer).is_some();
        let has_returned = self.kicked.iter().any(is_member);
        assert!(!has_returned, "a banned member has returned");
    }
}

proptest! {
    /// [`TestPage`] checks in addition that no epoch falls behind one that a page knows.
    #[test]
    fn a_ride_has_one_host_and_bounded_members_and_admits_no_banned_one(actions in vec(any_action(), 0..80)) {
        let mut world = World::new();
        for action in actions {
            world.perform(action);
            world.check();
        }
        (0..=world.next_socket).for_each(|socket| world.harness.close(socket));
        world.harness.advance(GRACE + Duration::from_secs(700));
        let room = &world.harness.room;
        prop_assert!(room.is_dead(world.harness.now) && room.poll_timeout().is_none());
        prop_assert!(room.members.is_empty() && room.members.sockets().next().is_none());
    }
}
