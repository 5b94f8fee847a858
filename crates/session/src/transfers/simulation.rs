//! Seeded simulation of transfers between 2 to 12 pages on virtual time.
//!
//! A link carries control and bulk, each in order and without loss, with delay and bandwidth. What
//! is in flight is lost when the link changes or a page at either end is reloaded, which is worse
//! than the mesh. The two ends notice a change at different times.

use std::collections::BTreeMap;

use clock::{GroupTime, Now, WallTime};
use protocol::peer::{DeliveryClass, LinkState};
use ride::transfer::{Cancel, Chunk, Complete, End, Pause};
use sha2::{Digest, Sha256};

use super::{outgoing::CHUNK_BYTES, screen::MAX_PROMPT, *};
use crate::exchange::GroupMember;

const SECOND: Duration = Duration::from_secs(1);
/// Time of the last fault.
const FAULTS_END: u64 = 120;

pub(super) struct Random(mesh::random::Random);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(mesh::random::Random::new(seed))
    }

    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0.next() % limit.max(1)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn up_to(&mut self, longest: Duration) -> Duration {
        Duration::from_micros(self.below(longest.as_micros() as u64))
    }
}

/// Content of a file, in which no two places look the same.
pub(super) fn content(file: u32, size: usize) -> Vec<u8> {
    let filling: Vec<u8> = (0..248).collect();
    let mut bytes = Vec::with_capacity(size + 256);
    let mut part = 0u32;
    while bytes.len() < size {
        bytes.extend(file.to_le_bytes());
        bytes.extend(part.to_le_bytes());
        bytes.extend_from_slice(&filling);
        part += 1;
    }
    bytes.truncate(size);
    bytes
}

enum Event {
    Deliver {
        from: usize,
        to: usize,
        epoch: u32,
        loads: (u32, u32),
        payload: Vec<u8>,
    },
    Input {
        node: usize,
        load: u32,
        input: TransferInput,
    },
    /// A page hears about its members, and that its link to one of them has changed.
    Members(usize, Option<(usize, LinkState)>),
    Link(usize, usize, LinkState),
    Isolate(usize, bool),
    Reload(usize),
    Offer {
        node: usize,
        size: usize,
        to: Option<usize>,
    },
    /// The rider looks at the list and does something.
    Rider(usize),
    /// A message that means harm.
    Harm(usize),
    Settle,
}

struct Stored {
    record: Vec<u8>,
    bytes: Vec<u8>,
}

struct Page {
    id: PeerId,
    load: u32,
    transfers: Transfers,
    /// States of the links as far as the page has heard.
    links: BTreeMap<usize, LinkState>,
    told_at: Moment,
    is_hostile: bool,
    keeps_over_reload: bool,
    capacity: usize,
    places: BTreeMap<TransferId, Stored>,
    /// Content of the files that this page offers.
    files: BTreeMap<u32, Vec<u8>>,
    forgotten: Vec<u32>,
    shown: Vec<TransferView>,
    shows: Vec<Moment>,
    /// Charged bytes of relayed messages.
    relayed: Vec<(Moment, usize)>,
    completed: Vec<TransferId>,
}

struct Link {
    state: LinkState,
    epoch: u32,
    delay: Duration,
    bytes_per_second: u64,
    /// Moments at which the last messages of each direction and class arrive.
    arrivals: [[Moment; 2]; 2],
}

pub(super) struct World {
    now: Moment,
    random: Random,
    pages: Vec<Page>,
    links: BTreeMap<(usize, usize), Link>,
    events: BTreeMap<(Moment, u64), Event>,
    count: u64,
    relay_limit: u32,
    /// Size of each transfer by its sender and its id in messages, and the file.
    offered: BTreeMap<(PeerId, u64), (usize, u32)>,
    next_file: u32,
    settled: bool,
    largest_memory: usize,
    delivered: u64,
}

fn key(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl World {
    pub(super) fn new(seed: u64, pages: usize) -> Self {
        let mut random = Random::new(seed);
        let mut world = Self {
            now: Moment::ZERO,
            pages: Vec::new(),
            links: BTreeMap::new(),
            events: BTreeMap::new(),
            count: 0,
            relay_limit: [64, 256, 1024][random.below(3) as usize] * 1024,
            offered: BTreeMap::new(),
            next_file: 1,
            settled: false,
            largest_memory: 0,
            delivered: 0,
            random,
        };
        for number in 0..pages {
            let capacity = if world.random.chance(15) {
                world.random.below(200_000) as usize
            } else {
                usize::MAX
            };
            world.pages.push(Page {
                id: format!("rider-{number}").parse().unwrap(),
                load: 1,
                links: BTreeMap::new(),
                told_at: Moment::ZERO,
                transfers: Transfers::new(world.random.below(u64::MAX)),
                is_hostile: false,
                keeps_over_reload: world.random.chance(70),
                capacity,
                places: BTreeMap::new(),
                files: BTreeMap::new(),
                forgotten: Vec::new(),
                shown: Vec::new(),
                shows: Vec::new(),
                relayed: Vec::new(),
                completed: Vec::new(),
            });
        }
        for a in 0..pages {
            for b in a + 1..pages {
                let is_direct = world.random.chance(70);
                let link = Link {
                    state: if is_direct {
                        LinkState::Direct
                    } else {
                        LinkState::Relayed
                    },
                    epoch: 0,
                    delay: Duration::from_millis(1 + world.random.below(200)),
                    bytes_per_second: 30_000 + world.random.below(3_000_000),
                    arrivals: [[Moment::ZERO; 2]; 2],
                };
                world.pages[a].links.insert(b, link.state);
                world.pages[b].links.insert(a, link.state);
                world.links.insert((a, b), link);
            }
        }
        (0..pages).for_each(|page| world.tell_members(page));
        world
    }

    fn after(&mut self, delay: Duration, event: Event) {
        self.count += 1;
        self.events.insert((self.now + delay, self.count), event);
    }

    fn exchange_now(&self) -> ExchangeNow {
        ExchangeNow {
            own: Now {
                moment: self.now,
                wall: WallTime::from_unix_ms(self.now.since_origin().as_millis() as u64),
            },
            group: Some(GroupTime(0)),
        }
    }

    fn tell_members(&mut self, page: usize) {
        let others = (0..self.pages.len()).filter(|other| *other != page);
        let others = others.map(|other| GroupMember {
            peer: self.pages[other].id.clone(),
            incarnation: Incarnation(self.pages[other].load),
            name: format!("Rider {other}"),
            sign_key: [0; 32],
            link: self.pages[page].links[&other],
            is_rider: true,
        });
        let members = GroupMembers {
            me: self.pages[page].id.clone(),
            incarnation: Incarnation(self.pages[page].load),
            name: String::new(),
            others: others.collect(),
            host: None,
            host_terms: Arc::default(),
            relay_bytes_per_second: self.relay_limit,
            max_file_bytes: None,
            max_cameras: None,
            companions: Vec::new(),
            tunnel_origin: None,
            has_webrtc: true,
            allows_direct_links: true,
            ice_servers: Vec::new(),
            is_over: false,
        };
        let now = self.exchange_now();
        self.pages[page]
            .transfers
            .set_members(now, Arc::new(members));
        self.drain(page);
    }

    fn input(&mut self, page: usize, input: TransferInput) {
        let now = self.exchange_now();
        self.pages[page].transfers.handle(now, input);
        self.drain(page);
    }

    /// Carries out what a page puts out.
    fn drain(&mut self, page: usize) {
        while let Some(output) = self.pages[page].transfers.poll_output() {
            match output {
                ExchangeOutput::Send { to, class, payload } => self.send(page, &to, class, payload),
                ExchangeOutput::Transfers(output) => self.carry_out(page, output),
                ExchangeOutput::Chat(_) | ExchangeOutput::Media(_) | ExchangeOutput::Pages(_) => {
                    unreachable!()
                }
            }
        }
        let memory = self.pages[page].transfers.memory();
        self.largest_memory = self.largest_memory.max(memory);
    }

    fn answer(&mut self, page: usize, input: TransferInput) {
        let delay = self.random.up_to(Duration::from_millis(30));
        let load = self.pages[page].load;
        // Answers keep their order: each is later than the ones before.
        let last = self
            .events
            .iter()
            .rev()
            .find_map(|((at, _), event)| match event {
                Event::Input { node, .. } if *node == page => Some(*at),
                _ => None,
            });
        let at = last.unwrap_or(self.now).max(self.now + delay);
        let event = Event::Input {
            node: page,
            load,
            input,
        };
        self.after(at.since(self.now), event);
    }

    fn send(&mut self, from: usize, to: &PeerId, class: DeliveryClass, payload: Vec<u8>) {
        let to = self.pages.iter().position(|page| page.id == *to).unwrap();
        match TransferMessage::decode(&payload).unwrap() {
            TransferMessage::Offer(offer) if !self.pages[from].is_hostile => {
                let Page { id, transfers, .. } = &self.pages[from];
                let file = transfers.list.iter().find_map(|one| match &one.side {
                    Side::Sending(outgoing) if one.wire_id == offer.id => Some(outgoing.file),
                    _ => None,
                });
                self.offered
                    .insert((id.clone(), offer.id), (offer.size as usize, file.unwrap()));
            }
            _ => {}
        }
        let link = self.links.get_mut(&key(from, to)).unwrap();
        // The page may not know yet that the link is lost, or has become another one.
        let is_relayed = self.pages[from]
            .transfers
            .outbox
            .is_relayed(&self.pages[to].id);
        if is_relayed {
            let charge = (payload.len() + 32).max(4096);
            self.pages[from].relayed.push((self.now, charge));
        }
        if !matches!(link.state, LinkState::Direct | LinkState::Relayed) {
            return;
        }
        let is_bulk = class == DeliveryClass::Bulk;
        let arrival = &mut link.arrivals[usize::from(from < to)][usize::from(is_bulk)];
        let transmission = payload.len() as u64 * 1_000_000 / link.bytes_per_second;
        let start = (*arrival).max(self.now);
        *arrival = start + Duration::from_micros(transmission);
        let queued = start.since(self.now).as_secs_f64() * link.bytes_per_second as f64;
        assert!(queued < 2.5e6, "{queued} bytes wait in the mesh");
        let arrives = *arrival + link.delay;
        let event = Event::Deliver {
            from,
            to,
            epoch: link.epoch,
            loads: (self.pages[from].load, self.pages[to].load),
            payload,
        };
        self.after(arrives.since(self.now), event);
    }

    fn carry_out(&mut self, page: usize, output: TransferOutput) {
        let state = &mut self.pages[page];
        match output {
            TransferOutput::Load(_) => {
                let stored = state
                    .places
                    .iter()
                    .map(|(transfer, stored)| StoredTransfer {
                        transfer: *transfer,
                        record: stored.record.clone(),
                        kept: stored.bytes.len() as u64,
                    });
                let stored = stored.collect();
                self.answer(page, TransferInput::Loaded(stored));
            }
            TransferOutput::ReadFile {
                file,
                offset,
                length,
            } => {
                assert!(!state.forgotten.contains(&file));
                let from = offset as usize;
                let bytes = state.files[&file].get(from..from + length as usize);
                let bytes = Some(bytes.unwrap().to_vec());
                self.answer(
                    page,
                    TransferInput::FileRead {
                        file,
                        offset,
                        bytes,
                    },
                );
            }
            TransferOutput::ForgetFile(file) => state.forgotten.push(file),
            TransferOutput::Store { transfer, record } => {
                let place = state.places.entry(transfer);
                let place = place.or_insert_with(|| Stored {
                    record: Vec::new(),
                    bytes: Vec::new(),
                });
                place.record = record;
            }
            TransferOutput::Write {
                transfer,
                offset,
                bytes,
            } => {
                let used: usize = state.places.values().map(|place| place.bytes.len()).sum();
                let place = state.places.get_mut(&transfer).expect("a place");
                assert_eq!(offset, place.bytes.len() as u64, "writes append");
                let kept = (used + bytes.len() <= state.capacity).then(|| {
                    place.bytes.extend(bytes);
                    place.bytes.len() as u64
                });
                self.answer(page, TransferInput::Written { transfer, kept });
            }
            TransferOutput::ReadBack {
                transfer,
                offset,
                length,
            } => {
                let from = offset as usize;
                let bytes = state.places[&transfer]
                    .bytes
                    .get(from..from + length as usize);
                let mut bytes = bytes.map(<[u8]>::to_vec);
                if self.random.chance(5) {
                    bytes = None;
                }
                let answer = TransferInput::ReadBack {
                    transfer,
                    offset,
                    bytes,
                };
                self.answer(page, answer);
            }
            TransferOutput::Complete { transfer, name } => {
                let place = &state.places[&transfer];
                let record = TransferRecord::decode(&place.record).unwrap();
                assert!(record.is_complete && record.name == name);
                if let Some((size, file)) = self.offered.get(&(record.sender, record.id)) {
                    assert_eq!(place.bytes.len(), *size);
                    assert!(place.bytes == content(*file, *size), "other bytes");
                    self.delivered += 1;
                }
                state.completed.push(transfer);
            }
            TransferOutput::Discard(transfer) => {
                state.places.remove(&transfer);
            }
            TransferOutput::Show(views) => {
                assert_ne!(views, state.shown, "only changes are shown");
                state.shown = views;
                state.shows.push(self.now);
                self.look(page);
            }
            TransferOutput::Rejected(_) | TransferOutput::Release => {}
        }
    }

    /// The rider looks at what is new on the screen, sooner or later.
    fn look(&mut self, page: usize) {
        let delay = self.random.up_to(10 * SECOND);
        if self.random.chance(30) {
            self.after(delay, Event::Rider(page));
        }
    }

    fn act(&mut self, page: usize) {
        let shown = self.pages[page].shown.clone();
        let Some(view) = shown.get(self.random.below(shown.len() as u64) as usize) else {
            return;
        };
        let choice = self.random.below(100);
        let input = match view.state {
            TransferState::Offered if !view.is_sending => match choice {
                0..85 => TransferInput::Accept(view.id),
                85..90 => TransferInput::Decline(view.id),
                _ => return,
            },
            TransferState::Running if choice < 4 && !self.settled => TransferInput::Cancel(view.id),
            TransferState::Running | TransferState::Queued if choice < 20 && !self.settled => {
                TransferInput::Pause(view.id, true)
            }
            TransferState::Paused { by_me: true } => TransferInput::Pause(view.id, false),
            TransferState::Failed(_) if choice < 20 => TransferInput::Cancel(view.id),
            _ => return,
        };
        self.input(page, input);
    }

    fn set_link(&mut self, a: usize, b: usize, state: LinkState) {
        let link = self.links.get_mut(&key(a, b)).unwrap();
        if link.state == state {
            return;
        }
        link.state = state;
        link.epoch += 1;
        link.arrivals = [[self.now; 2]; 2];
        for (page, other) in [(a, b), (b, a)] {
            self.tell_later(page, Some((other, state)));
        }
    }

    /// Lets a page hear of a change within half a second; changes stay in order.
    fn tell_later(&mut self, page: usize, change: Option<(usize, LinkState)>) {
        let delay = self.random.up_to(Duration::from_millis(500));
        let at = self.pages[page].told_at.max(self.now + delay);
        self.pages[page].told_at = at;
        self.after(at.since(self.now), Event::Members(page, change));
    }

    fn reload(&mut self, page: usize) {
        let seed = self.random.below(u64::MAX);
        let state = &mut self.pages[page];
        state.load += 1;
        state.transfers = Transfers::new(seed);
        state.files.clear();
        state.forgotten.clear();
        state.shown.clear();
        if !state.keeps_over_reload {
            state.places.clear();
        }
        for other in 0..self.pages.len() {
            if other != page {
                self.links.get_mut(&key(page, other)).unwrap().epoch += 1;
                self.tell_later(other, None);
            }
        }
        self.tell_later(page, None);
    }

    fn offer(&mut self, page: usize, size: usize, to: Option<usize>) {
        let file = self.next_file;
        self.next_file += 1;
        self.pages[page].files.insert(file, content(file, size));
        let to = to.map(|to| self.pages[to].id.clone());
        let input = TransferInput::Offer {
            file,
            name: format!("file {file}.bin"),
            size: size as u64,
            to,
        };
        self.input(page, input);
    }

    /// Sends a random message about a random transfer of its own or of the victim.
    fn harm(&mut self, page: usize) {
        let victim = self.random.below(self.pages.len() as u64) as usize;
        if victim == page {
            return;
        }
        let list = &self.pages[victim].transfers.list;
        let known = list.get(self.random.below(list.len() as u64) as usize);
        let id = match known {
            Some(known) if self.random.chance(80) => known.wire_id,
            _ => self.random.below(30),
        };
        let number = match self.random.below(4) {
            0 => 0,
            1 => u64::MAX - self.random.below(3),
            2 => self.random.below(300_000),
            _ => self.random.below(20) * CHUNK_BYTES as u64,
        };
        let (flag, other) = (self.random.chance(50), self.random.chance(50));
        let bytes = vec![7; 1 + self.random.below(14_000) as usize];
        let message = match self.random.below(9) {
            0 | 1 => TransferMessage::Offer(Offer {
                id,
                name: "../\u{202e}x",
                size: number,
                paused: flag,
            }),
            2 => TransferMessage::Accept(Accept {
                id,
                from: number,
                paused: flag,
            }),
            3 => TransferMessage::Pause(Pause {
                id,
                by_sender: flag,
                paused: other,
            }),
            4 => TransferMessage::Chunk(Chunk {
                id,
                offset: number,
                bytes: &bytes,
            }),
            5 => TransferMessage::Progress(Progress { id, kept: number }),
            6 => TransferMessage::End(End {
                id,
                sha256: Sha256::digest(&bytes[..1]).into(),
            }),
            7 => TransferMessage::Complete(Complete { id, is_right: flag }),
            _ => TransferMessage::Cancel(Cancel {
                id,
                by_sender: flag,
                reason: CancelReason::Busy,
            }),
        };
        let to = self.pages[victim].id.clone();
        self.send(page, &to, DeliveryClass::Control, message.encode());
    }

    /// Plans offers and faults of the first two minutes.
    fn plan(&mut self) {
        let pages = self.pages.len() as u64;
        let during = |random: &mut Random| random.up_to(FAULTS_END as u32 * SECOND);
        for _ in 0..1 + self.random.below(4) {
            let node = self.random.below(pages) as usize;
            let to = self.random.below(pages) as usize;
            let to = (to != node && self.random.chance(60)).then_some(to);
            let chunk = CHUNK_BYTES as u64;
            let size = match self.random.below(8) {
                0 => self.random.below(2),
                1 => chunk - 1 + self.random.below(3),
                2 if to.is_some() => self.random.below(500_000),
                _ => self.random.below(80_000),
            };
            let size = size as usize;
            let at = self.random.up_to(60 * SECOND);
            self.after(at, Event::Offer { node, size, to });
        }
        for _ in 0..self.random.below(2 * pages) {
            let (a, b) = (
                self.random.below(pages) as usize,
                self.random.below(pages) as usize,
            );
            if a != b {
                let states = [
                    LinkState::Direct,
                    LinkState::Relayed,
                    LinkState::Connecting,
                    LinkState::Away,
                ];
                let state = states[self.random.below(4) as usize];
                let at = during(&mut self.random);
                self.after(at, Event::Link(a, b, state));
            }
        }
        for _ in 0..self.random.below(3) {
            let page = self.random.below(pages) as usize;
            let at = during(&mut self.random);
            self.after(at, Event::Isolate(page, true));
            let back = at + self.random.up_to(20 * SECOND);
            self.after(back, Event::Isolate(page, false));
        }
        for _ in 0..self.random.below(4) {
            let page = self.random.below(pages) as usize;
            let at = during(&mut self.random);
            self.after(at, Event::Reload(page));
        }
        if self.random.chance(40) && pages > 2 {
            let page = self.random.below(pages) as usize;
            self.pages[page].is_hostile = true;
            for _ in 0..400 {
                let at = during(&mut self.random);
                self.after(at, Event::Harm(page));
            }
        }
        self.after(Duration::from_secs(FAULTS_END + 1), Event::Settle);
    }

    fn settle_faults(&mut self) {
        self.settled = true;
        for (a, b) in self.links.keys().copied().collect::<Vec<_>>() {
            let state = if self.random.chance(70) {
                LinkState::Direct
            } else {
                LinkState::Relayed
            };
            self.set_link(a, b, state);
        }
        // Riders let everything go on that they have paused.
        for round in 1..20 {
            for page in 0..self.pages.len() {
                self.after(round * 5 * SECOND, Event::Rider(page));
                for view in self.pages[page].shown.clone() {
                    if view.state == (TransferState::Paused { by_me: true }) {
                        self.input(page, TransferInput::Pause(view.id, false));
                    }
                }
            }
        }
    }

    /// Runs until a moment.
    fn run(&mut self, end: Moment) {
        loop {
            let timeouts = self.pages.iter().enumerate().filter_map(|(page, state)| {
                let at = state.transfers.poll_timeout()?;
                Some((at.max(self.now), page))
            });
            let timeout = timeouts.min();
            let event = self.events.first_key_value().map(|(key, _)| key.0);
            match (timeout, event) {
                (Some((at, page)), event) if event.is_none_or(|other| at < other) => {
                    if at > end {
                        return;
                    }
                    self.now = at;
                    let now = self.exchange_now();
                    self.pages[page].transfers.handle_timeout(now);
                    self.drain(page);
                    let next = self.pages[page].transfers.poll_timeout();
                    assert!(
                        next.is_none_or(|next| next > at),
                        "a timeout was not handled"
                    );
                }
                (_, Some(at)) if at <= end => {
                    self.now = at;
                    let (_, event) = self.events.pop_first().unwrap();
                    self.happen(event);
                }
                _ => return,
            }
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver {
                from,
                to,
                epoch,
                loads,
                payload,
            } => {
                let is_alive = self.links[&key(from, to)].epoch == epoch
                    && (self.pages[from].load, self.pages[to].load) == loads;
                if is_alive {
                    let (now, from) = (self.exchange_now(), self.pages[from].id.clone());
                    self.pages[to].transfers.receive(now, &from, &payload);
                    self.drain(to);
                }
            }
            Event::Input { node, load, input } => {
                if self.pages[node].load == load {
                    self.input(node, input);
                }
            }
            Event::Members(page, change) => {
                if let Some((other, state)) = change {
                    self.pages[page].links.insert(other, state);
                }
                self.tell_members(page);
            }
            Event::Link(a, b, state) => self.set_link(a, b, state),
            Event::Isolate(page, is_isolated) => {
                for other in 0..self.pages.len() {
                    if other != page {
                        let state = if is_isolated {
                            LinkState::Away
                        } else {
                            LinkState::Direct
                        };
                        self.set_link(page, other, state);
                    }
                }
            }
            Event::Reload(page) => self.reload(page),
            Event::Offer { node, size, to } => self.offer(node, size, to),
            Event::Rider(page) => self.act(page),
            Event::Harm(page) => self.harm(page),
            Event::Settle => self.settle_faults(),
        }
    }

    /// Asserts that no page relays more than half of the server's limit over any span.
    fn check_relay(&self) {
        for page in self.pages.iter().filter(|page| !page.is_hostile) {
            for span in [1, 10] {
                let rate = f64::from(self.relay_limit / 2);
                // A burst of a quarter of a second, or of one chunk, and a few small messages that
                // do not wait.
                let burst = (rate / 4.0).max(16.0 * 1024.0) + 40.0 * 4096.0;
                let (mut first, mut sum) = (0, 0);
                for (at, bytes) in &page.relayed {
                    sum += bytes;
                    while at.since(page.relayed[first].0) > span * SECOND {
                        sum -= page.relayed[first].1;
                        first += 1;
                    }
                    let limit = rate * f64::from(span) + burst;
                    assert!(
                        sum as f64 <= limit,
                        "{sum} bytes in {span} s, limit {limit}"
                    );
                }
            }
        }
    }

    fn is_hostile(&self, peer: &PeerId) -> bool {
        let mut hostile = self.pages.iter().filter(|page| page.is_hostile);
        hostile.any(|page| page.id == *peer)
    }

    fn check_end(&self) {
        for page in self.pages.iter().filter(|page| !page.is_hostile) {
            for view in &page.shown {
                let has_ended = match view.state {
                    TransferState::Complete | TransferState::Failed(_) => true,
                    // Only the rider's patience ends such a pause.
                    TransferState::Paused { by_me: false } => self.is_hostile(&view.peer),
                    _ => false,
                };
                assert!(has_ended, "{} {view:?}", page.id);
                // These would be wrong between pages that mean no harm, the last one after a
                // standstill.
                let is_wrong = matches!(
                    view.state,
                    TransferState::Failed(
                        TransferFailure::WrongHash
                            | TransferFailure::Unreadable
                            | TransferFailure::Busy
                            | TransferFailure::PeerLeft
                    )
                );
                assert!(
                    !is_wrong || self.is_hostile(&view.peer),
                    "{} {view:?}",
                    page.id
                );
            }
            assert_eq!(page.transfers.poll_timeout(), None, "{} is idle", page.id);
            for transfer in &page.transfers.list {
                let is_kept = page.places.contains_key(&transfer.id);
                if transfer.ended.is_none() {
                    continue;
                }
                let is_complete = transfer.ended == Some(TransferState::Complete);
                assert_eq!(is_kept, is_complete && !transfer.is_sending());
            }
            assert!(page.transfers.outcomes.len() <= MAX_OUTCOMES);
            for (number, at) in page.shows.iter().enumerate() {
                let earlier = page.shows[..number].iter();
                let recent = earlier.filter(|one| at.since(**one) < SECOND).count();
                assert!(recent <= 2 * usize::from(MAX_PROMPT) + 4, "{recent}");
            }
        }
    }
}

/// Runs a seed; returns the number of files that arrived and of transfers that were offered, and the
/// largest memory of a page.
fn run(seed: u64) -> (u64, u64, usize) {
    let pages = 2 + Random::new(seed).below(if seed.is_multiple_of(4) { 11 } else { 4 });
    let mut world = World::new(seed, pages as usize);
    world.plan();
    world.run(Moment::ZERO + 100 * 60 * SECOND);
    world.check_relay();
    world.check_end();
    (
        world.delivered,
        world.offered.len() as u64,
        world.largest_memory,
    )
}

/// Runs the seeds of one test: 125, or as many as the variable `TRANSFER_SEEDS` says, or only the one
/// that `TRANSFER_SEED` names.
fn run_seeds(first: u64) {
    let variable = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let seeds = match variable("TRANSFER_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + variable("TRANSFER_SEEDS").unwrap_or(125),
    };
    let (mut delivered, mut offered, mut memory) = (0, 0, 0);
    for seed in seeds {
        let run = std::panic::catch_unwind(|| run(seed));
        let Ok(run) = run else {
            panic!("seed {seed} failed");
        };
        delivered += run.0;
        offered += run.1;
        memory = memory.max(run.2);
    }
    println!("{delivered} of {offered} files arrived, at most {memory} bytes in memory");
    assert!(delivered * 2 >= offered, "{delivered} of {offered}");
    assert!(memory < 6 * 1024 * 1024, "{memory}");
}

// Several tests, so that they run at the same time.

#[test]
fn every_transfer_ends_with_the_same_bytes_or_with_a_reason() {
    run_seeds(0);
}

#[test]
fn every_transfer_of_further_seeds_ends() {
    run_seeds(10_000);
}

#[test]
fn every_transfer_of_still_further_seeds_ends() {
    run_seeds(20_000);
}

#[test]
fn every_transfer_of_the_last_seeds_ends() {
    run_seeds(30_000);
}
