//! Whatever riders do and whatever the server forgets.

use protocol::signaling::HostCommand;
use std::collections::BTreeSet;

use proptest::{collection::vec, prelude::*};

use super::{page::Page, *};
use protocol::{
    frame::{FromServer, ToServer},
    peer::{DeliveryClass, LinkState},
    signaling::{LinkReport, Report, RoomSnapshot},
};

const RIDERS: usize = 6;

/// What happens next; the numbers choose among the riders there are.
#[derive(Clone, Debug)]
enum Act {
    Join,
    ComeBack(usize),
    Reload(usize),
    Drop(usize),
    Leave(usize),
    Kick(usize, usize),
    HandOver(usize, usize),
    Lock(usize, bool),
    Reclaim(usize),
    Reaches(usize, usize),
    Frame(usize),
    Bytes(usize, Vec<u8>),
    Forged(usize, usize),
    Lie(usize, u32),
    Wait(u64),
    Restart,
}

fn any_act() -> impl Strategy<Value = Act> {
    let one = || 0..RIDERS;
    prop_oneof![
        4 => Just(Act::Join),
        6 => one().prop_map(Act::ComeBack),
        2 => one().prop_map(Act::Reload),
        4 => one().prop_map(Act::Drop),
        1 => one().prop_map(Act::Leave),
        1 => (one(), one()).prop_map(|(a, b)| Act::Kick(a, b)),
        2 => (one(), one()).prop_map(|(a, b)| Act::HandOver(a, b)),
        1 => (one(), any::<bool>()).prop_map(|(a, b)| Act::Lock(a, b)),
        1 => one().prop_map(Act::Reclaim),
        2 => (one(), one()).prop_map(|(a, b)| Act::Reaches(a, b)),
        2 => one().prop_map(Act::Frame),
        1 => (one(), vec(0..4u8, 0..20)).prop_map(|(a, b)| Act::Bytes(a, b)),
        1 => (one(), one()).prop_map(|(a, b)| Act::Forged(a, b)),
        1 => (one(), any::<u32>()).prop_map(|(a, b)| Act::Lie(a, b)),
        4 => (0..12_000u64).prop_map(Act::Wait),
        1 => Just(Act::Restart),
    ]
}

/// A ride with its riders' pages, and what must never happen in it.
struct World {
    hall: RoomHarness,
    pages: Vec<Page>,
    /// Riders who were removed.
    kicked: BTreeSet<PeerId>,
    /// Sockets that said hello and were not answered yet.
    waiting: Vec<u64>,
    next_socket: u64,
}

impl World {
    fn new() -> Self {
        let settings = RoomSettings {
            max_riders: RIDERS as u32 - 1,
            ..RoomSettings::default()
        };
        Self {
            hall: RoomHarness::with(settings),
            pages: Vec::new(),
            kicked: BTreeSet::new(),
            waiting: Vec::new(),
            next_socket: 1,
        }
    }

    fn socket(&mut self) -> u64 {
        self.next_socket += 1;
        self.next_socket
    }

    fn say(&mut self, one: usize, message: ClientMessage) {
        if let Some(page) = self.pages.get(one) {
            let socket = page.socket;
            if self.hall.room.sockets.contains_key(&SocketId(socket)) {
                self.hall.message(socket, message);
            }
        }
    }

    fn peer(&self, one: usize) -> PeerId {
        let page = self.pages.get(one);
        page.map_or("nobody".parse().unwrap(), |page| page.welcome.peer.clone())
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Join if self.pages.len() < RIDERS => {
                let socket = self.socket();
                match Page::join(&mut self.hall, socket) {
                    Some(page) => self.pages.push(page),
                    None => self.waiting.push(socket),
                }
            }
            Act::Join => {}
            Act::ComeBack(one) => {
                let socket = self.socket();
                if let Some(page) = self.pages.get_mut(one) {
                    page.come_back(&mut self.hall, socket);
                }
            }
            Act::Reload(one) => self.reload(one),
            Act::Drop(one) => {
                if let Some(page) = self.pages.get(one) {
                    self.hall.close(page.socket);
                }
            }
            Act::Leave(one) => self.say(one, ClientMessage::Leave),
            Act::Kick(one, other) => self.kick(one, other),
            Act::HandOver(one, other) => {
                let to = self.peer(other);
                self.say(one, ClientMessage::Command(HostCommand::HandOver { to }));
            }
            Act::Lock(one, true) => self.say(one, ClientMessage::Command(HostCommand::Lock)),
            Act::Lock(one, false) => self.say(one, ClientMessage::Command(HostCommand::Unlock)),
            Act::Reclaim(one) => self.say(one, ClientMessage::Command(HostCommand::Reclaim)),
            Act::Reaches(one, other) => self.reaches(one, other),
            Act::Frame(one) => self.frame(one),
            Act::Bytes(one, bytes) => {
                if let Some(page) = self.pages.get(one) {
                    let socket = SocketId(page.socket);
                    self.hall.say(Input::Relay { socket, bytes });
                }
            }
            Act::Forged(one, other) => self.forged(one, other),
            Act::Lie(one, epoch) => self.lie(one, epoch),
            Act::Wait(millis) => self.hall.pass(Duration::from_millis(millis)),
            Act::Restart => {
                self.hall.lose_memory();
                self.waiting.clear();
            }
        }
        self.let_in();
        for page in &mut self.pages {
            page.read(&self.hall);
        }
    }

    /// Those who waited for the room to know itself again.
    fn let_in(&mut self) {
        let hall = &self.hall;
        for socket in &self.waiting {
            let heard = hall.heard(*socket).into_iter();
            let welcome = heard.filter_map(|message| match message {
                ServerMessage::Welcome(welcome) => Some(*welcome),
                _ => None,
            });
            let key = *socket as u8;
            let page = |welcome| Page::new(hall, *socket, key, welcome);
            self.pages.extend(welcome.map(page));
        }
        let answered = |socket: &u64| !hall.heard(*socket).is_empty();
        self.waiting.retain(|socket| !answered(socket));
    }

    fn reload(&mut self, one: usize) {
        let socket = self.socket();
        let Some(page) = self.pages.get_mut(one) else {
            return;
        };
        let resume = resume(&page.welcome, false);
        if let Some(welcome) = self.hall.hello(socket, resume, page.key) {
            *page = Page::new(&self.hall, socket, page.key, welcome);
        }
    }

    fn kick(&mut self, one: usize, other: usize) {
        let peer = self.peer(other);
        let reason = String::new();
        let kick = ClientMessage::Command(HostCommand::Kick {
            peer: peer.clone(),
            reason,
        });
        self.say(one, kick);
        if self.hall.room.is_barred(&peer) {
            self.kicked.insert(peer);
        }
    }

    fn reaches(&mut self, one: usize, other: usize) {
        let link = LinkReport {
            peer: self.peer(other),
            state: LinkState::Direct,
            connect_ms: None,
        };
        let report = Report {
            links: vec![link],
            ..Report::default()
        };
        self.say(one, ClientMessage::Report(report));
    }

    fn frame(&mut self, one: usize) {
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
        let sender = self.hall.room.sockets.get(&socket).copied();
        self.hall.relayed.clear();
        self.hall.say(Input::Relay {
            socket,
            bytes: frame.encode(),
        });
        for (sockets, bytes) in &self.hall.relayed {
            let onward = FromServer::decode(bytes).unwrap();
            assert_eq!(Some(onward.from), sender, "a frame under a false name");
            let inside = |socket| self.hall.room.sockets.contains_key(socket);
            assert!(sockets.iter().all(inside), "a frame left the room");
        }
    }

    /// Somebody claims another's id with the own token.
    fn forged(&mut self, one: usize, other: usize) {
        if one == other || one.max(other) >= self.pages.len() {
            return;
        }
        let mut claim = resume(&self.pages[one].welcome, true).unwrap();
        claim.peer = self.peer(other);
        let socket = self.socket();
        assert_eq!(self.hall.hello(socket, Some(claim), 1), None);
    }

    /// Somebody comes back and claims to be host of any epoch.
    fn lie(&mut self, one: usize, epoch: u32) {
        let Some(page) = self.pages.get(one) else {
            return;
        };
        let welcome = page.welcome.clone();
        let mut members = page.restore().members;
        members
            .iter_mut()
            .for_each(|member| member.number.0 ^= epoch & 3);
        let restore = RoomSnapshot {
            hosts: vec![HostTerm {
                epoch,
                peer: welcome.peer.clone(),
                sign_key: [1; 32],
            }],
            members,
            ..RoomSnapshot::default()
        };
        let socket = self.socket();
        let resume = resume(&welcome, true);
        self.hall.hello_with(socket, resume, Some(restore), 1);
    }

    fn check(&self) {
        let room = &self.hall.room;
        let host = room.host.filter(|host| room.members.contains_key(host));
        assert_eq!(room.host, host, "a host who is not there");
        let ruled = !room.members.is_empty() && !room.is_restoring();
        assert_eq!(host.is_some(), ruled, "a ride has one host");
        for (number, rider) in &room.members {
            if let Some(socket) = rider.socket() {
                assert_eq!(room.sockets.get(&socket), Some(number), "no such socket");
            }
        }
        let present = room
            .members
            .values()
            .filter(|rider| rider.socket().is_some());
        assert_eq!(present.count(), room.sockets.len(), "a socket of nobody");
        assert!(room.members.len() < RIDERS, "over full");
        let known = |peer: &PeerId| room.members.values().any(|rider| rider.peer == *peer);
        let honest = self.kicked.iter().filter(|peer| room.is_barred(peer));
        assert!(!honest.into_iter().any(known), "a kicked rider is back");
    }
}

proptest! {
    /// Pages see to it that no epoch goes back: see [`Page`].
    #[test]
    fn a_ride_has_one_host_and_keeps_out_whom_it_removed(acts in vec(any_act(), 0..80)) {
        let mut world = World::new();
        for act in acts {
            world.act(act);
            world.check();
        }
        (0..=world.next_socket).for_each(|socket| world.hall.close(socket));
        world.hall.pass(GRACE + Duration::from_secs(700));
        let room = &world.hall.room;
        prop_assert!(room.is_dead(world.hall.now) && room.poll_timeout().is_none());
        prop_assert!(room.members.is_empty() && room.sockets.is_empty());
    }
}
