//! Virtual time, and the packets that are on their way.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use clock::{Duration, Moment};
use mesh::media::MediaEvent;
use protocol::peer::{DeliveryClass, PeerId};
use rooms::room::{Room, RoomSettings, SocketId};
use session::{Input, SocketEvent};

use super::{
    BrowserStorage, Tab, ms,
    rtc::End,
    rtc_model::{self, RtcModel},
    secs,
    server::{self, Server},
};

/// Delay, additional random delay, and lost packets per thousand of a path.
#[derive(Clone, Copy)]
pub struct PathConditions {
    pub delay: Duration,
    pub jitter: Duration,
    pub loss_per_mille: u64,
}

pub const GOOD_PATH: PathConditions = PathConditions {
    delay: ms(20),
    jitter: Duration::ZERO,
    loss_per_mille: 0,
};

pub(super) enum Packet {
    ToServer(SocketId, FromPage),
    ToPage(SocketId, SocketEvent),
    /// Input of a page load, if it is still the current one.
    Local(usize, u32, Box<Input>),
    Frame(End, End, DeliveryClass, Vec<u8>),
    Connected(End, End),
    HungUp(End),
    /// Event at one end of a media connection.
    Media(rtc_model::End, MediaEvent),
    /// Time for a trainer's next notification: tab, page load, attempt.
    TrainerTick(usize, u32, u32),
}

pub(super) enum FromPage {
    Text(String),
    Binary(Vec<u8>),
    Closed,
}

/// Browsers, network and server of one ride.
pub struct World {
    pub now: Moment,
    pub tabs: Vec<Tab>,
    pub storages: Vec<BrowserStorage>,
    pub relay: PathConditions,
    pub direct: PathConditions,
    pub server: Server,
    pub(super) owners: HashMap<SocketId, usize>,
    pub(super) blocked: BTreeSet<(usize, usize)>,
    pub(super) held: Vec<(End, End, DeliveryClass, Vec<u8>)>,
    /// Media connections of all pages.
    pub(super) rtc: RtcModel,
    /// Riders by their number in [`Self::rtc`].
    pub(super) media_riders: Vec<PeerId>,
    queue: BTreeMap<(Moment, u64), Packet>,
    order: u64,
    last_message: HashMap<(SocketId, bool), Moment>,
    pub(super) last_frame: HashMap<(End, u8), Moment>,
    random: u64,
}

impl World {
    pub fn new(seed: u64) -> Self {
        Self::with_settings(seed, RoomSettings::default())
    }

    pub fn with_settings(seed: u64, settings: RoomSettings) -> Self {
        Self {
            now: Moment::ZERO,
            tabs: Vec::new(),
            storages: Vec::new(),
            relay: GOOD_PATH,
            direct: GOOD_PATH,
            server: server::Server::new(settings),
            owners: HashMap::new(),
            blocked: BTreeSet::new(),
            held: Vec::new(),
            rtc: RtcModel::default(),
            media_riders: Vec::new(),
            queue: BTreeMap::new(),
            order: 0,
            last_message: HashMap::new(),
            last_frame: HashMap::new(),
            random: seed,
        }
    }

    /// Lets time pass.
    pub fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut steps_at_once = 0;
        while let Some(at) = self.next_at().filter(|at| *at <= end) {
            steps_at_once = if at > self.now { 0 } else { steps_at_once + 1 };
            assert!(
                steps_at_once < 20_000,
                "a machine asks for a timeout again and again"
            );
            self.now = self.now.max(at);
            self.step();
        }
        self.now = end;
    }

    /// Lets time pass until a condition holds, at most two minutes, and returns the time it took.
    pub fn run_until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) -> Duration {
        let start = self.now;
        while !holds(self) {
            self.run(ms(10));
            assert!(self.now - start < secs(120), "never: {what}");
        }
        self.now - start
    }

    /// Lets time pass, and checks every 50 ms that a condition holds.
    pub fn run_while(&mut self, time: Duration, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = self.now + time;
        while self.now < end {
            assert!(holds(self), "no longer: {what}");
            self.run(ms(50));
        }
    }

    pub fn random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn next_at(&self) -> Option<Moment> {
        let pages = self.tabs.iter().filter_map(Tab::timeout);
        let pages = pages.map(|at| at.max(self.now));
        let packet = self.queue.keys().next().map(|(at, _)| *at);
        let room = self.server.room.as_ref().and_then(Room::poll_timeout);
        pages.chain(packet).chain(room).min()
    }

    fn step(&mut self) {
        let due = self.queue.first_key_value();
        if due.is_some_and(|((at, _), _)| *at <= self.now)
            && let Some((_, packet)) = self.queue.pop_first()
        {
            return self.deliver(packet);
        }
        let room = self.server.room.as_ref().and_then(Room::poll_timeout);
        if room.is_some_and(|at| at <= self.now) {
            self.feed_room(rooms::room::Input::Timeout);
        }
        for at in 0..self.tabs.len() {
            if self.tabs[at].timeout().is_some_and(|due| due <= self.now) {
                self.feed(at, Input::Timeout);
            }
        }
    }

    fn deliver(&mut self, packet: Packet) {
        match packet {
            Packet::ToServer(socket, said) => self.server_receives(socket, said),
            Packet::ToPage(socket, event) => self.page_receives(socket, event),
            Packet::Local(at, page, input) => {
                if self.tabs[at].page == page {
                    self.feed(at, *input);
                }
            }
            Packet::Frame(from, to, class, bytes) => self.deliver_frame(from, to, class, bytes),
            Packet::Connected(a, b) => self.connected(a, b),
            Packet::HungUp(end) => self.hung_up(end),
            Packet::Media(end, event) => self.deliver_media(end, event),
            Packet::TrainerTick(at, page, attempt) => {
                if self.tabs[at].page == page {
                    self.trainer_tick(at, attempt);
                }
            }
        }
    }

    fn page_receives(&mut self, socket: SocketId, event: SocketEvent) {
        let Some(&at) = self.owners.get(&socket) else {
            return;
        };
        let tab = &mut self.tabs[at];
        let Some((current, number)) = tab.socket else {
            return;
        };
        if current != socket || tab.is_mute {
            return;
        }
        if matches!(event, SocketEvent::Closed { .. }) {
            tab.socket = None;
        }
        let socket = number;
        self.feed(at, Input::Socket { socket, event });
    }

    pub(super) fn delay(&mut self, path: PathConditions) -> Duration {
        let jitter = path.jitter.as_micros() as u64;
        path.delay + Duration::from_micros(self.random() % (jitter + 1))
    }

    /// Sends a socket message: in order, never lost.
    pub(super) fn post(&mut self, socket: SocketId, to_server: bool, packet: Packet) {
        let delay = self.delay(self.relay);
        let at = self.now + delay;
        let last = self.last_message.entry((socket, to_server)).or_default();
        *last = at.max(*last);
        let at = *last;
        self.queue_at(at, packet);
    }

    /// Sends a packet that may be delayed or lost.
    pub(super) fn send_unreliably(&mut self, path: PathConditions, packet: Packet) {
        if self.random() % 1_000 >= path.loss_per_mille {
            let delay = self.delay(path);
            self.after(delay, packet);
        }
    }

    pub(super) fn after(&mut self, delay: Duration, packet: Packet) {
        self.queue_at(self.now + delay, packet);
    }

    pub(super) fn queue_at(&mut self, at: Moment, packet: Packet) {
        self.order += 1;
        self.queue.insert((at, self.order), packet);
    }

    /// Gives a page an input after a delay, unless it is reloaded before.
    pub(super) fn feed_later(&mut self, at: usize, delay: Duration, input: Input) {
        let page = self.tabs[at].page;
        self.after(delay, Packet::Local(at, page, Box::new(input)));
    }
}
