//! Several chats on virtual time, with a network between them.
//!
//! Messages between two pages are reliable, and ordered in each delivery class, unless a page is
//! reloaded or the link breaks: then those on their way are lost, each with a probability.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, HashSet},
    sync::Arc,
};

use clock::{Duration, GroupTime, Moment, Now, WallTime};
use protocol::{
    peer::{DeliveryClass, Incarnation, LinkState, PeerId},
    signaling::HostTerm,
};
use ride::timeline::SigningKey;

use crate::{
    chat::{Chat, ChatInput, ChatOutput, ChatView, MessageRow, MessageState, Tab},
    exchange::{ExchangeNow, ExchangeOutput, GroupMember, GroupMembers},
};

/// Seeded random choices.
#[derive(Clone, Debug)]
pub(super) struct Random(mesh::random::Random);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(mesh::random::Random::new(seed))
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0.next()
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Message on its way, or delivered.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) class: DeliveryClass,
    pub(super) payload: Vec<u8>,
    loads: (u32, u32),
    links: u32,
}

/// One rider's browser.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) chat: Chat,
    pub(super) public_key: [u8; 32],
    pub(super) view: ChatView,
    /// Outputs but views and frames, and what was to be stored.
    pub(super) events: Vec<ChatOutput>,
    /// Number of views shown.
    pub(super) shows: usize,
    pub(super) stored: Option<Vec<u8>>,
    pub(super) incarnation: u32,
    pub(super) is_open: bool,
    /// False once the rider has left, so that the others do not list it.
    pub(super) is_member: bool,
    pub(super) knows_time: bool,
    pub(super) is_spectator: bool,
    members: Option<Arc<GroupMembers>>,
}

/// Pages and the network between them.
#[derive(Debug)]
pub(super) struct World {
    /// Milliseconds of virtual time.
    pub(super) now: u64,
    pub(super) pages: Vec<Page>,
    pub(super) random: Random,
    /// Every frame that was sent.
    pub(super) frames: Vec<Frame>,
    pub(super) records_frames: bool,
    pub(super) host: usize,
    pub(super) terms: Vec<HostTerm>,
    /// Delay of all messages, in milliseconds.
    pub(super) delay: u64,
    /// Largest random delay beyond it.
    pub(super) jitter: usize,
    /// Percentage of the messages on their way that are lost when a link breaks.
    pub(super) loss: usize,
    queue: BinaryHeap<Reverse<(u64, u64, usize)>>,
    in_flight: HashMap<usize, Frame>,
    sequence: u64,
    /// Numbers of the link between two pages, counted up when it breaks, and whether it is broken.
    links: HashMap<(usize, usize), (u32, bool)>,
    /// Pairs of pages whose link goes over the server.
    relayed: HashSet<(usize, usize)>,
    /// True while the server is lost.
    pub(super) is_server_gone: bool,
    /// Time of the last arrival, by sender, receiver and class.
    last_arrival: HashMap<(usize, usize, u8), u64>,
}

pub(super) fn peer(index: usize) -> PeerId {
    format!("rider-{index}").parse().unwrap()
}

pub(super) fn name(index: usize) -> String {
    let names = ["Ana", "Ben", "Carl", "Dora", "Eve", "Finn"];
    names
        .get(index)
        .map_or_else(|| format!("Rider {index}"), |name| (*name).to_owned())
}

pub(super) fn key(index: usize) -> SigningKey {
    SigningKey::from_seed([index as u8 + 1; 32]).unwrap()
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl World {
    /// A ride of riders who are all linked; the first one is the host.
    pub(super) fn new(riders: usize, seed: u64) -> Self {
        let mut world = Self::empty(seed);
        for _ in 0..riders {
            world.add();
        }
        world.update_members();
        world.run(1_000);
        world
    }

    pub(super) fn empty(seed: u64) -> Self {
        Self {
            now: 1_000_000,
            pages: Vec::new(),
            random: Random::new(seed),
            frames: Vec::new(),
            records_frames: true,
            host: 0,
            terms: vec![HostTerm {
                epoch: 1,
                peer: peer(0),
                sign_key: key(0).public(),
            }],
            delay: 20,
            jitter: 0,
            loss: 50,
            queue: BinaryHeap::new(),
            in_flight: HashMap::new(),
            sequence: 0,
            links: HashMap::new(),
            relayed: HashSet::new(),
            is_server_gone: false,
            last_arrival: HashMap::new(),
        }
    }

    /// Adds a rider; the others learn of it with [`Self::update_members`].
    pub(super) fn add(&mut self) -> usize {
        let index = self.pages.len();
        let seed = self.random.next();
        self.pages.push(Page {
            public_key: key(index).public(),
            chat: Chat::new(key(index), seed),
            view: ChatView::default(),
            events: Vec::new(),
            shows: 0,
            stored: None,
            incarnation: 1,
            is_open: true,
            is_member: true,
            knows_time: true,
            is_spectator: false,
            members: None,
        });
        index
    }

    /// A rider joins.
    pub(super) fn join(&mut self) -> usize {
        let index = self.add();
        self.update_members();
        index
    }

    /// Clocks of a page: each has its own monotonic clock, and group time that is slightly off.
    pub(super) fn clocks(&self, index: usize) -> ExchangeNow {
        let own = self.now + 7_777 * index as u64;
        ExchangeNow {
            own: Now {
                moment: Moment::from_origin(Duration::from_millis(own)),
                wall: WallTime::from_unix_ms(1_700_000_000_000 + self.now),
            },
            group: self.pages[index].knows_time.then(|| self.group_time(index)),
        }
    }

    pub(super) fn group_time(&self, index: usize) -> GroupTime {
        GroupTime((self.now as i64 + index as i64 % 3 * 10) * 1_000)
    }

    pub(super) fn is_linked(&self, a: usize, b: usize) -> bool {
        let (a_page, b_page) = (&self.pages[a], &self.pages[b]);
        let is_broken = self.is_broken(a, b);
        a_page.is_open && b_page.is_open && a_page.is_member && b_page.is_member && !is_broken
    }

    fn is_broken(&self, a: usize, b: usize) -> bool {
        let link = self.links.get(&pair(a, b));
        let is_cut = self.is_server_gone && self.relayed.contains(&pair(a, b));
        is_cut || link.is_some_and(|(_, broken)| *broken)
    }

    /// Lets the link between two pages go over the server, or not.
    pub(super) fn set_relayed(&mut self, a: usize, b: usize, relayed: bool) {
        match relayed {
            true => self.relayed.insert(pair(a, b)),
            false => self.relayed.remove(&pair(a, b)),
        };
    }

    /// Makes a page the host of a new term.
    pub(super) fn set_host(&mut self, index: usize) {
        self.host = index;
        let epoch = self.terms.len() as u32 + 1;
        self.terms.push(HostTerm {
            epoch,
            peer: peer(index),
            sign_key: self.pages[index].public_key,
        });
    }

    /// Breaks the link between two pages, or mends it.
    pub(super) fn set_broken(&mut self, a: usize, b: usize, broken: bool) {
        let link = self.links.entry(pair(a, b)).or_default();
        if link.1 != broken {
            *link = (link.0 + u32::from(broken), broken);
        }
    }

    /// Tells all open pages of the group, where it has changed.
    pub(super) fn update_members(&mut self) {
        for index in 0..self.pages.len() {
            if !self.pages[index].is_open || !self.pages[index].is_member {
                continue;
            }
            let others = (0..self.pages.len()).filter(|other| *other != index);
            let others = others
                .filter(|other| self.pages[*other].is_member)
                .map(|other| GroupMember {
                    peer: peer(other),
                    incarnation: Incarnation(self.pages[other].incarnation),
                    name: name(other),
                    sign_key: self.pages[other].public_key,
                    link: match self.is_linked(index, other) {
                        true if self.relayed.contains(&pair(index, other)) => LinkState::Relayed,
                        true => LinkState::Direct,
                        false => LinkState::Away,
                    },
                    is_rider: !self.pages[other].is_spectator,
                });
            let members = Arc::new(GroupMembers {
                me: peer(index),
                incarnation: Incarnation(self.pages[index].incarnation),
                name: name(index),
                others: others.collect(),
                host: Some(peer(self.host)),
                host_terms: Arc::new(self.terms.clone()),
                relay_bytes_per_second: 65_536,
                max_file_bytes: None,
                max_cameras: None,
                companions: Vec::new(),
                tunnel_origin: None,
                has_webrtc: true,
                allows_direct_links: true,
                ice_servers: Vec::new(),
                is_over: false,
            });
            if self.pages[index].members.as_ref() != Some(&members) {
                self.pages[index].members = Some(Arc::clone(&members));
                let now = self.clocks(index);
                self.pages[index].chat.set_members(now, members);
                self.drain(index);
            }
        }
    }

    pub(super) fn input(&mut self, index: usize, input: ChatInput) {
        let now = self.clocks(index);
        self.pages[index].chat.handle(now, input);
        self.drain(index);
    }

    pub(super) fn say(&mut self, index: usize, text: &str) {
        let (tab, text) = (Tab::Group, text.to_owned());
        self.input(index, ChatInput::Send { tab, text });
    }

    pub(super) fn whisper(&mut self, index: usize, to: usize, text: &str) {
        let (tab, text) = (Tab::Private(peer(to)), text.to_owned());
        self.input(index, ChatInput::Send { tab, text });
    }

    /// Delivers a payload that a page did not send.
    pub(super) fn inject(&mut self, from: usize, to: usize, payload: &[u8]) {
        let now = self.clocks(to);
        self.pages[to].chat.receive(now, &peer(from), payload);
        self.drain(to);
    }

    /// Delivers an answer that a page did not send, to a page that has asked for it.
    pub(super) fn inject_answer(&mut self, from: usize, to: usize, payload: &[u8]) {
        if let Some(peer) = self.pages[to].chat.peers.get_mut(&peer(from)) {
            peer.asked();
        }
        self.inject(from, to, payload);
    }

    fn drain(&mut self, index: usize) {
        let mut shows = 0;
        while let Some(output) = self.pages[index].chat.poll_output() {
            match output {
                ExchangeOutput::Send { to, class, payload } => {
                    let to = (0..self.pages.len())
                        .find(|other| peer(*other) == to)
                        .unwrap();
                    self.transmit(index, to, class, payload);
                }
                ExchangeOutput::Chat(ChatOutput::Show(view)) => {
                    shows += 1;
                    assert_ne!(self.pages[index].view, *view, "shown without a change");
                    self.pages[index].view = *view;
                }
                ExchangeOutput::Chat(ChatOutput::Store(bytes)) => {
                    assert!(bytes.len() <= 1024 * 1024);
                    self.pages[index].stored = Some(bytes);
                }
                ExchangeOutput::Chat(ChatOutput::Load(_)) => {
                    let stored = self.pages[index].stored.clone().unwrap_or_default();
                    let now = self.clocks(index);
                    let chat = &mut self.pages[index].chat;
                    chat.handle(now, ChatInput::Loaded(stored));
                    // Loading is an input of its own.
                    shows = 0;
                }
                ExchangeOutput::Chat(event) => self.pages[index].events.push(event),
                ExchangeOutput::Transfers(_)
                | ExchangeOutput::Media(_)
                | ExchangeOutput::Pages(_) => {}
            }
        }
        assert!(shows <= 2, "shown {shows} times for one input");
        self.pages[index].shows += shows;
    }

    fn transmit(&mut self, from: usize, to: usize, class: DeliveryClass, payload: Vec<u8>) {
        let is_linked = self.is_linked(from, to);
        assert!(is_linked, "{from} sends to {to}, who is not reachable");
        let links = self.links.get(&pair(from, to)).map_or(0, |link| link.0);
        let loads = (self.pages[from].incarnation, self.pages[to].incarnation);
        let frame = Frame {
            from,
            to,
            class,
            payload,
            loads,
            links,
        };
        if self.records_frames {
            self.frames.push(frame.clone());
        }
        let slow = if class == DeliveryClass::Bulk { 2 } else { 1 };
        let delay = self.delay + self.random.below(self.jitter * slow + 1) as u64;
        let last = self
            .last_arrival
            .entry((from, to, class as u8))
            .or_default();
        *last = (*last).max(self.now + delay);
        self.sequence += 1;
        let id = self.sequence as usize;
        self.queue.push(Reverse((*last, self.sequence, id)));
        self.in_flight.insert(id, frame);
    }

    /// Lets time pass, in milliseconds.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        loop {
            let packet = self.queue.peek().map(|Reverse((at, ..))| *at);
            let timeout = (0..self.pages.len()).filter_map(|index| {
                let page = &self.pages[index];
                let at = page
                    .chat
                    .poll_timeout()
                    .filter(|_| page.is_open && page.is_member)?;
                let nanos = at.since_origin().as_nanos();
                let ms = nanos.div_ceil(1_000_000) as u64;
                Some((ms.saturating_sub(7_777 * index as u64), index))
            });
            let timeout = timeout.min();
            let next = packet.into_iter().chain(timeout.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.now = self.now.max(next);
            if packet == Some(next) {
                if let Some(Reverse((.., id))) = self.queue.pop()
                    && let Some(frame) = self.in_flight.remove(&id)
                {
                    self.arrive(frame);
                }
            } else if let Some((_, index)) = timeout {
                let now = self.clocks(index);
                self.pages[index].chat.handle_timeout(now);
                self.drain(index);
                let again = self.pages[index].chat.poll_timeout();
                assert!(
                    again.is_none_or(|at| at > now.own.moment),
                    "a timeout without end"
                );
            }
        }
        self.now = end;
    }

    fn arrive(&mut self, frame: Frame) {
        let Frame { from, to, .. } = frame;
        let links = self.links.get(&pair(from, to)).map_or(0, |link| link.0);
        let broken = self.is_broken(from, to);
        let loads = (self.pages[from].incarnation, self.pages[to].incarnation);
        let is_lost = frame.links != links && self.random.chance(self.loss);
        let is_gone = !self.pages[to].is_open || !self.pages[to].is_member;
        if loads != frame.loads || is_lost || is_gone {
            return;
        }
        if broken {
            // The mesh sends it again when there is a link.
            self.sequence += 1;
            let id = self.sequence as usize;
            self.queue
                .push(Reverse((self.now + 500, self.sequence, id)));
            self.in_flight.insert(id, frame);
            return;
        }
        self.inject(from, to, &frame.payload);
    }

    /// Reloads a page, with what its browser has stored or without.
    pub(super) fn reload(&mut self, index: usize, keeps_storage: bool) {
        let seed = self.random.next();
        let page = &mut self.pages[index];
        page.chat = Chat::new(key(index), seed);
        page.view = ChatView::default();
        page.events.clear();
        page.members = None;
        page.incarnation += 1;
        page.is_open = true;
        if !keeps_storage {
            page.stored = None;
        }
        self.update_members();
    }

    pub(super) fn tab(&self, index: usize, tab: &Tab) -> Vec<Arc<MessageRow>> {
        let tab = self.pages[index]
            .view
            .tabs
            .iter()
            .find(|one| one.tab == *tab);
        tab.map_or(Vec::new(), |tab| tab.messages.clone())
    }

    /// Texts of the group's tab; in brackets what became of a message.
    pub(super) fn texts(&self, index: usize) -> Vec<String> {
        texts(&self.tab(index, &Tab::Group))
    }

    pub(super) fn private_texts(&self, index: usize, other: usize) -> Vec<String> {
        texts(&self.tab(index, &Tab::Private(peer(other))))
    }
}

pub(super) fn texts(rows: &[Arc<MessageRow>]) -> Vec<String> {
    let text = |row: &Arc<MessageRow>| match &row.state {
        MessageState::Text { text, .. } => text.clone(),
        MessageState::Deleted => "(deleted)".to_owned(),
        MessageState::Removed => "(removed)".to_owned(),
    };
    rows.iter().map(text).collect()
}
