//! Pages that exchange media on virtual time, with a network between them.
//!
//! Messages between two page loads are reliable and ordered; while a link is broken they wait.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use clock::{Duration, GroupTime, Moment, Now, WallTime};
use mesh::media::{MediaCommand, MediaEvent};
use protocol::peer::{DeliveryClass, Incarnation, LinkState, PeerId};
use ride::media::MediaMessage;

use super::{
    Encoding, Media, MediaInput, MediaKind, MediaNotice, MediaOutput, MediaView, RiderMedia,
    rtc_model::{End, RtcModel},
};
use crate::exchange::{ExchangeNow, ExchangeOutput, GroupMember, GroupMembers};

pub(super) use MediaKind::{Camera, Microphone, Screen};

/// One rider's browser, with what its driver has done.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) media: Media,
    pub(super) view: MediaView,
    pub(super) shows: usize,
    pub(super) notices: Vec<MediaNotice>,
    /// Devices that are live, by `MediaKind as usize`.
    pub(super) tracks: [bool; 3],
    pub(super) stops: Vec<MediaKind>,
    pub(super) audible: Option<bool>,
    /// What is sent to each page.
    pub(super) sends: BTreeMap<usize, [Option<Encoding>; 3]>,
    pub(super) volumes: BTreeMap<usize, f32>,
    /// Outputs but views and messages.
    pub(super) outputs: Vec<MediaOutput>,
    pub(super) incarnation: u32,
    pub(super) is_open: bool,
    pub(super) is_member: bool,
    pub(super) is_rider: bool,
    pub(super) has_webrtc: bool,
    /// False for a page that has not loaded this part, and says nothing.
    pub(super) has_media: bool,
    pub(super) knows_time: bool,
    members: Option<Arc<GroupMembers>>,
}

enum Event {
    /// The first message of a channel arrives.
    Deliver(usize, usize),
    Rtc(End, MediaEvent),
}

struct Message {
    loads: (u32, u32),
    payload: Vec<u8>,
}

/// Pages and the network between them.
pub(super) struct World {
    /// Milliseconds of virtual time.
    pub(super) now: u64,
    pub(super) pages: Vec<Page>,
    pub(super) random: mesh::random::Random,
    pub(super) rtc: RtcModel,
    pub(super) host: usize,
    pub(super) max_cameras: Option<u8>,
    pub(super) allows_direct_links: bool,
    /// True if the server relays all messages.
    pub(super) is_relayed: bool,
    pub(super) is_over: bool,
    /// Every message that was sent: sender, receiver, message.
    pub(super) sent: Vec<(usize, usize, MediaMessage)>,
    /// Largest random delay of messages.
    pub(super) jitter: u64,
    broken: BTreeSet<(usize, usize)>,
    queue: BTreeMap<(u64, u64), Event>,
    channels: BTreeMap<(usize, usize), VecDeque<Message>>,
    last_arrival: BTreeMap<(usize, usize), u64>,
    sequence: u64,
}

pub(super) fn peer(index: usize) -> PeerId {
    format!("rider-{index:02}").parse().unwrap()
}

pub(super) fn name(index: usize) -> String {
    let names = ["Ana", "Ben", "Cem", "Dora", "Eve", "Finn"];
    let name = names.get(index).map(|name| (*name).to_owned());
    name.unwrap_or_else(|| format!("Rider {index}"))
}

fn index(peer: &PeerId) -> usize {
    peer.as_str()["rider-".len()..].parse().unwrap()
}

fn pair(a: usize, b: usize) -> (usize, usize) {
    (a.min(b), a.max(b))
}

impl World {
    /// A ride of riders who are all linked; the first one is the host.
    pub(super) fn new(riders: usize, seed: u64) -> Self {
        let mut world = Self {
            now: 1_000_000,
            pages: Vec::new(),
            random: mesh::random::Random::new(seed),
            rtc: RtcModel::default(),
            host: 0,
            max_cameras: None,
            allows_direct_links: true,
            is_relayed: false,
            is_over: false,
            sent: Vec::new(),
            jitter: 0,
            broken: BTreeSet::new(),
            queue: BTreeMap::new(),
            channels: BTreeMap::new(),
            last_arrival: BTreeMap::new(),
            sequence: 0,
        };
        for _ in 0..riders {
            world.add();
        }
        world.update_members();
        world.run(1_000);
        world
    }

    /// Adds a rider; the others learn of it with [`Self::update_members`].
    pub(super) fn add(&mut self) -> usize {
        let seed = self.random.next();
        self.pages.push(Page {
            media: Media::new(seed),
            view: MediaView::default(),
            shows: 0,
            notices: Vec::new(),
            tracks: [false; 3],
            stops: Vec::new(),
            audible: None,
            sends: BTreeMap::new(),
            volumes: BTreeMap::new(),
            outputs: Vec::new(),
            incarnation: 1,
            is_open: true,
            is_member: true,
            is_rider: true,
            has_webrtc: true,
            has_media: true,
            knows_time: true,
            members: None,
        });
        self.pages.len() - 1
    }

    /// Clocks of a page: each has its own monotonic clock, and group time that is slightly off.
    pub(super) fn clocks(&self, at: usize) -> ExchangeNow {
        let own = self.now + 7_777 * at as u64;
        let group = (self.now as i64 + at as i64 % 3 * 10) * 1_000;
        ExchangeNow {
            own: Now {
                moment: Moment::from_origin(Duration::from_millis(own)),
                wall: WallTime::from_unix_ms(1_700_000_000_000 + self.now),
            },
            group: self.pages[at].knows_time.then_some(GroupTime(group)),
        }
    }

    pub(super) fn is_linked(&self, a: usize, b: usize) -> bool {
        let is_there = |at: usize| self.pages[at].is_open && self.pages[at].is_member;
        is_there(a) && is_there(b) && !self.broken.contains(&pair(a, b))
    }

    /// Breaks the link between two pages, or mends it.
    pub(super) fn set_broken(&mut self, a: usize, b: usize, is_broken: bool) {
        match is_broken {
            true => self.broken.insert(pair(a, b)),
            false => self.broken.remove(&pair(a, b)),
        };
        self.update_members();
    }

    /// Blocks the path for media between two pages, or opens it again.
    pub(super) fn block(&mut self, a: usize, b: usize, is_blocked: bool) {
        for event in self.rtc.block(a, b, is_blocked) {
            self.after(event.delay_ms, Event::Rtc(event.end, event.event));
        }
    }

    /// Tells all open pages of the group, where it has changed.
    pub(super) fn update_members(&mut self) {
        for at in 0..self.pages.len() {
            if !self.pages[at].is_open || !self.pages[at].is_member {
                continue;
            }
            let others = (0..self.pages.len()).filter(|other| *other != at);
            let others = others.filter(|other| self.pages[*other].is_member);
            let others = others.map(|other| GroupMember {
                peer: peer(other),
                incarnation: Incarnation(self.pages[other].incarnation),
                name: name(other),
                sign_key: [0; 32],
                link: match self.is_linked(at, other) {
                    true if self.is_relayed => LinkState::Relayed,
                    true => LinkState::Direct,
                    false => LinkState::Away,
                },
                is_rider: self.pages[other].is_rider,
            });
            let members = Arc::new(GroupMembers {
                me: peer(at),
                incarnation: Incarnation(self.pages[at].incarnation),
                name: name(at),
                others: others.collect(),
                host: Some(peer(self.host)),
                host_terms: Arc::default(),
                relay_bytes_per_second: 65_536,
                max_file_bytes: None,
                max_cameras: self.max_cameras,
                has_webrtc: self.pages[at].has_webrtc,
                allows_direct_links: self.allows_direct_links,
                ice_servers: Vec::new(),
                is_over: self.is_over,
            });
            if self.pages[at].members.as_ref() == Some(&members) {
                continue;
            }
            self.pages[at].members = Some(Arc::clone(&members));
            if self.pages[at].has_media {
                let now = self.clocks(at);
                self.pages[at].media.set_members(now, members);
                self.drain(at);
            }
        }
    }

    pub(super) fn input(&mut self, at: usize, input: MediaInput) {
        let now = self.clocks(at);
        self.pages[at].media.handle(now, input);
        self.drain(at);
    }

    /// The rider goes live with a device, or with another one of the same kind.
    pub(super) fn go_live(&mut self, at: usize, kind: MediaKind) {
        self.pages[at].tracks[kind as usize] = true;
        self.input(at, MediaInput::GoLive(kind));
    }

    pub(super) fn turn_off(&mut self, at: usize, kind: MediaKind) {
        self.input(at, MediaInput::TurnOff(kind));
    }

    /// The page is loaded again.
    pub(super) fn reload(&mut self, at: usize) {
        for event in self.rtc.forget(at, self.pages[at].incarnation) {
            self.after(event.delay_ms, Event::Rtc(event.end, event.event));
        }
        let seed = self.random.next();
        let page = &mut self.pages[at];
        page.incarnation += 1;
        page.media = Media::new(seed);
        page.view = MediaView::default();
        page.tracks = [false; 3];
        page.audible = None;
        page.sends.clear();
        page.volumes.clear();
        page.members = None;
        self.update_members();
    }

    /// The page loads this part; it has not kept what has arrived.
    pub(super) fn load_media(&mut self, at: usize) {
        self.pages[at].has_media = true;
        self.pages[at].members = None;
        self.update_members();
    }

    /// The rider at a page hides others.
    pub(super) fn hide(&mut self, at: usize, others: &[usize]) {
        let now = self.clocks(at);
        let hidden = others.iter().map(|other| peer(*other)).collect();
        self.pages[at].media.set_hidden(now, hidden);
        self.drain(at);
    }

    /// The rider leaves the ride.
    pub(super) fn leave(&mut self, at: usize) {
        let now = self.clocks(at);
        self.pages[at].media.end(now);
        self.drain(at);
        self.pages[at].is_member = false;
        self.update_members();
    }

    /// Delivers a payload that a page did not send.
    pub(super) fn inject_bytes(&mut self, from: usize, to: usize, payload: &[u8]) {
        let now = self.clocks(to);
        self.pages[to].media.receive(now, &peer(from), payload);
        self.drain(to);
    }

    pub(super) fn inject(&mut self, from: usize, to: usize, message: &MediaMessage) {
        self.inject_bytes(from, to, &message.encode());
    }

    fn after(&mut self, delay: u64, event: Event) {
        self.sequence += 1;
        self.queue.insert((self.now + delay, self.sequence), event);
    }

    fn drain(&mut self, at: usize) {
        while let Some(output) = self.pages[at].media.poll_output() {
            match output {
                ExchangeOutput::Send { to, class, payload } => {
                    assert_eq!(class, DeliveryClass::Control);
                    let to = index(&to);
                    let message = MediaMessage::decode(&payload).unwrap();
                    assert!(self.is_linked(at, to), "{message:?} from {at} to {to}");
                    self.sent.push((at, to, message));
                    let loads = (self.pages[at].incarnation, self.pages[to].incarnation);
                    let message = Message { loads, payload };
                    self.channels
                        .entry((at, to))
                        .or_default()
                        .push_back(message);
                    let delay = 20 + self.random.next() % (self.jitter + 1);
                    let arrival = self.last_arrival.entry((at, to)).or_default();
                    *arrival = (*arrival).max(self.now + delay);
                    let delay = *arrival - self.now;
                    self.after(delay, Event::Deliver(at, to));
                }
                ExchangeOutput::Media(output) => self.carry_out(at, output),
                output => panic!("{output:?}"),
            }
        }
    }

    fn carry_out(&mut self, at: usize, output: MediaOutput) {
        let page = &mut self.pages[at];
        match &output {
            MediaOutput::Connection {
                peer,
                connection,
                command,
            } => {
                let (other, load) = (index(peer), page.incarnation);
                if matches!(command, MediaCommand::Open { .. } | MediaCommand::Close) {
                    page.sends.remove(&other);
                    page.volumes.remove(&other);
                }
                let end = End {
                    page: at,
                    load,
                    other,
                    connection: *connection,
                };
                for event in self.rtc.command(end, command.clone()) {
                    self.after(event.delay_ms, Event::Rtc(event.end, event.event));
                }
            }
            MediaOutput::Send {
                peer,
                kind,
                encoding,
            } => {
                assert!(page.tracks[*kind as usize] || encoding.is_none());
                page.sends.entry(index(peer)).or_default()[*kind as usize] = *encoding;
            }
            MediaOutput::Audible(is_audible) => {
                assert!(page.tracks[Microphone as usize]);
                page.audible = Some(*is_audible);
            }
            MediaOutput::Stop(kind) => {
                let was_live = std::mem::replace(&mut page.tracks[*kind as usize], false);
                assert!(was_live, "{kind:?} of {at} is stopped twice");
                page.stops.push(*kind);
            }
            MediaOutput::Volume { peer, gain } => {
                let before = page.volumes.insert(index(peer), *gain);
                assert_ne!(before, Some(*gain));
            }
            MediaOutput::Show(view) => {
                assert!(page.shows == 0 || page.view != **view || page.incarnation > 1);
                page.view = (**view).clone();
                page.shows += 1;
                return;
            }
            MediaOutput::Notify(notice) => page.notices.push(*notice),
        }
        self.pages[at].outputs.push(output);
    }

    /// Lets time pass.
    pub(super) fn run(&mut self, ms: u64) {
        let end = self.now + ms;
        let mut steps_at_once = 0;
        loop {
            let timeouts = (0..self.pages.len()).filter_map(|at| self.timeout(at));
            let queued = self.queue.keys().next().map(|(at, _)| *at);
            let next = timeouts.chain(queued).min().map(|at| at.max(self.now));
            let Some(next) = next.filter(|at| *at <= end) else {
                break;
            };
            steps_at_once = if next > self.now {
                0
            } else {
                steps_at_once + 1
            };
            assert!(steps_at_once < 10_000, "a timeout again and again");
            self.now = next;
            self.step();
        }
        self.now = end;
    }

    fn timeout(&self, at: usize) -> Option<u64> {
        let page = &self.pages[at];
        let is_running = page.is_open && page.has_media;
        let due = page.media.poll_timeout().filter(|_| is_running)?;
        let due = due.since_origin().as_nanos().div_ceil(1_000_000) as u64;
        Some(due.saturating_sub(7_777 * at as u64))
    }

    fn step(&mut self) {
        let due = self.queue.first_key_value().map(|((at, _), _)| *at);
        if due.is_some_and(|due| due <= self.now)
            && let Some((_, event)) = self.queue.pop_first()
        {
            return match event {
                Event::Deliver(from, to) => self.deliver(from, to),
                Event::Rtc(end, event) => {
                    if self.pages[end.page].incarnation == end.load {
                        self.input(
                            end.page,
                            MediaInput::Connection {
                                peer: peer(end.other),
                                connection: end.connection,
                                event,
                            },
                        );
                    }
                }
            };
        }
        for at in 0..self.pages.len() {
            if self.timeout(at).is_some_and(|due| due <= self.now) {
                let now = self.clocks(at);
                self.pages[at].media.handle_timeout(now);
                self.drain(at);
            }
        }
    }

    fn deliver(&mut self, from: usize, to: usize) {
        let is_member = self.pages[from].is_member && self.pages[to].is_member;
        if is_member && !self.is_linked(from, to) {
            return self.after(100, Event::Deliver(from, to));
        }
        let channel = self.channels.entry((from, to)).or_default();
        let message = channel.pop_front().unwrap();
        let loads = (self.pages[from].incarnation, self.pages[to].incarnation);
        if is_member && message.loads == loads && self.pages[to].has_media {
            self.inject_bytes(from, to, &message.payload);
        }
    }

    pub(super) fn view(&self, at: usize) -> &MediaView {
        &self.pages[at].view
    }

    /// What a page shows of another rider.
    pub(super) fn rider(&self, at: usize, of: usize) -> Option<&RiderMedia> {
        let mut riders = self.view(at).riders.iter();
        riders.find(|rider| rider.peer == peer(of))
    }

    /// What a page sends to another over a connection that works.
    pub(super) fn sends(&self, from: usize, to: usize, kind: MediaKind) -> Option<Encoding> {
        let is_live = self.pages[from].tracks[kind as usize];
        let encodings = self.pages[from].sends.get(&to);
        let encoding = encodings.and_then(|encodings| encodings[kind as usize]);
        encoding.filter(|_| is_live && self.rtc.is_connected(from, to))
    }

    /// True if a rider is heard by another.
    pub(super) fn is_heard(&self, from: usize, to: usize) -> bool {
        self.sends(from, to, Microphone).is_some()
            && self.pages[from].audible == Some(true)
            && self.volume(to, from) > 0.0
    }

    /// Volume at which a page plays another rider.
    pub(super) fn volume(&self, at: usize, of: usize) -> f32 {
        let volume = self.pages[at].volumes.get(&of);
        volume.copied().unwrap_or_default()
    }

    /// Riders whose camera a page shows, with the own one.
    pub(super) fn cameras(&self, at: usize) -> Vec<usize> {
        let others = self.view(at).riders.iter().filter(|rider| rider.camera);
        let others = others.map(|rider| index(&rider.peer));
        let own = self.view(at).camera.then_some(at);
        let mut all: Vec<_> = others.chain(own).collect();
        all.sort_unstable();
        all
    }

    pub(super) fn take_outputs(&mut self, at: usize) -> Vec<MediaOutput> {
        std::mem::take(&mut self.pages[at].outputs)
    }

    pub(super) fn rejected(&self) -> Vec<u64> {
        self.pages
            .iter()
            .map(|page| page.media.rejected())
            .collect()
    }
}
