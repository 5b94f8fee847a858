use super::{hall::RoomHarness, *};
use protocol::{
    election::Election,
    peer::Token,
    signaling::{RestoredRoom, RoomSnapshot},
};

/// A rider's page as far as a room can tell: it keeps what it hears.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) socket: u64,
    pub(super) welcome: Welcome,
    pub(super) key: u8,
    pub(super) hosts: Vec<HostTerm>,
    pub(super) first_host: Option<PeerId>,
    members: BTreeMap<PeerNumber, Member>,
    pub(super) elections: Vec<Election>,
    barred: Vec<Token>,
    locked: bool,
    read: usize,
}

impl Page {
    pub(super) fn join(hall: &mut RoomHarness, socket: u64) -> Option<Self> {
        let key = socket as u8;
        let welcome = hall.hello(socket, None, key)?;
        Some(Self::new(hall, socket, key, welcome))
    }

    pub(super) fn new(hall: &RoomHarness, socket: u64, key: u8, welcome: Welcome) -> Self {
        let mut page = Self {
            socket,
            key,
            hosts: Vec::new(),
            first_host: None,
            members: BTreeMap::new(),
            elections: Vec::new(),
            barred: Vec::new(),
            locked: false,
            read: 0,
            welcome: welcome.clone(),
        };
        page.welcomed(welcome);
        page.read(hall);
        page
    }

    /// The same page comes on a new socket with what it knows.
    pub(super) fn come_back(&mut self, hall: &mut RoomHarness, socket: u64) -> bool {
        let restore = Some(self.restore());
        let resume = hall::resume(&self.welcome, true);
        let read = hall.heard(socket).len();
        let Some(welcome) = hall.hello_with(socket, resume, restore, self.key) else {
            return false;
        };
        self.read = read;
        self.socket = socket;
        self.welcomed(welcome);
        self.read(hall);
        true
    }

    /// Takes in what was said on its socket.
    pub(super) fn read(&mut self, hall: &RoomHarness) {
        let heard = hall.heard(self.socket);
        let news = heard.into_iter().skip(self.read).collect::<Vec<_>>();
        self.read += news.len();
        for message in news {
            self.hear(message);
        }
    }

    pub(super) fn restore(&self) -> RoomSnapshot {
        RoomSnapshot {
            hosts: self.hosts.clone(),
            first_host: self.first_host.clone(),
            members: self.members.values().cloned().collect(),
            bans: self.barred.clone(),
            locked: self.locked,
            elections: self.elections.clone(),
        }
    }

    pub(super) fn epoch(&self) -> u32 {
        self.hosts.last().map_or(0, |term| term.epoch)
    }

    fn hear(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Joined { member } | ServerMessage::Returned { member } => {
                self.members.insert(member.number, member);
            }
            ServerMessage::Left { peer, .. } => self.members.retain(|_, it| it.peer != peer),
            ServerMessage::Host { term, first_host } => {
                assert!(term.epoch > self.epoch(), "an epoch went back");
                self.hosts.push(term);
                self.first_host = Some(first_host);
            }
            ServerMessage::Locked { locked } => self.locked = locked,
            ServerMessage::Banned { token: note } => self.barred.push(note),
            ServerMessage::Restored(restored) => self.restored(*restored),
            _ => {}
        }
    }

    fn welcomed(&mut self, welcome: Welcome) {
        if let Some(host) = &welcome.host {
            assert_eq!(welcome.hosts.last().map(|term| &term.peer), Some(host));
            self.restored(RestoredRoom {
                hosts: welcome.hosts.clone(),
                first_host: welcome.first_host.clone().unwrap(),
                locked: welcome.locked,
            });
            self.barred.clone_from(&welcome.bans);
        }
        let members = welcome.members.iter().cloned();
        self.members = members.map(|member| (member.number, member)).collect();
        self.welcome = welcome;
    }

    fn restored(&mut self, restored: RestoredRoom) {
        let last = restored.hosts.last().expect("a term");
        let known = self.hosts.last();
        let newer = known.is_none_or(|known| last.epoch > known.epoch || last == known);
        assert!(newer, "an epoch went back: {last:?} after {known:?}");
        self.hosts = restored.hosts;
        self.first_host = Some(restored.first_host);
        self.locked = restored.locked;
    }
}
