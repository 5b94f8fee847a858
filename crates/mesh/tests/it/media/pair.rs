//! Two media connections on virtual time: an ordered network for their signals, which can be cut, and
//! a model of their browsers.

use std::collections::BTreeMap;

use clock::{Duration, Moment};
use mesh::{
    media::{
        MediaCommand, MediaConnection, MediaConnectionOutput, MediaConnectionState, MediaEvent,
    },
    random::Random,
};
use protocol::signaling::{IceServer, Signal};

use super::browser::{BrowserConnection, MediaPath};
use crate::network::ms;

/// Steps of the model of ICE.
const ICE_TICK: Duration = ms(50);
/// Largest time that a page needs to notice that the other one cannot be reached, or can be again.
const DETECTION: u64 = 3_000;

/// The two sides. [`IMPOLITE`] is the first one.
pub const IMPOLITE: usize = 0;
pub const POLITE: usize = 1;

/// One page.
pub struct Side {
    pub connection: MediaConnection,
    pub browser: Option<BrowserConnection>,
    /// Numbers of the page load, and of the page load of the other side that is known here.
    incarnation: u32,
    peer_incarnation: u32,
    is_wanted: bool,
    is_reachable: bool,
    /// False if the page answers nothing.
    pub is_answering: bool,
    /// Signals sent, by kind, and connections opened.
    pub offers: Vec<u32>,
    pub signals: usize,
    pub opened: Vec<Vec<IceServer>>,
    pub ice_restarts: usize,
    /// Moment of the last output.
    pub active_at: Moment,
}

impl Side {
    /// Numbers of both page loads. Each pair of them has a connection of its own.
    fn pages(&self) -> (u32, u32) {
        (self.incarnation, self.peer_incarnation)
    }
}

enum Event {
    Signal {
        to: usize,
        incarnations: (u32, u32),
        signal: Signal,
    },
    CommandDone {
        side: usize,
        pages: (u32, u32),
        connection: u32,
    },
    Candidate {
        side: usize,
        pages: (u32, u32),
        connection: u32,
        candidate: String,
    },
    Reachable {
        side: usize,
        is_reachable: bool,
        cut: u32,
    },
    /// The page learns of a new page load of the other side.
    PeerReloaded {
        side: usize,
        incarnation: u32,
    },
    IceTick,
}

/// Two pages, see the module documentation.
pub struct Pair {
    pub now: Moment,
    pub sides: [Side; 2],
    pub path: MediaPath,
    random: Random,
    events: BTreeMap<(Moment, u64), Event>,
    count: u64,
    /// Earliest arrival of the next signal to each side: signals do not overtake each other.
    arrivals: [Moment; 2],
    /// Signals that wait until the network works again.
    held: Vec<(usize, (u32, u32), Signal)>,
    is_cut: bool,
    /// Number of times that the network was cut or repaired.
    cuts: u32,
}

impl Pair {
    /// Two pages that reach each other and want nothing.
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let side = |is_polite, random: &mut Random| Side {
            connection: MediaConnection::new(Moment::ZERO, is_polite, random.next()),
            browser: None,
            incarnation: 1,
            peer_incarnation: 1,
            is_wanted: false,
            is_reachable: true,
            is_answering: true,
            offers: Vec::new(),
            signals: 0,
            opened: Vec::new(),
            ice_restarts: 0,
            active_at: Moment::ZERO,
        };
        let sides = [side(false, &mut random), side(true, &mut random)];
        let path = MediaPath {
            works: true,
            network: 1,
        };
        let mut pair = Self {
            now: Moment::ZERO,
            sides,
            path,
            random,
            events: BTreeMap::new(),
            count: 0,
            arrivals: [Moment::ZERO; 2],
            held: Vec::new(),
            is_cut: false,
            cuts: 0,
        };
        for side in [IMPOLITE, POLITE] {
            pair.set_up(side);
        }
        pair.push(ICE_TICK, Event::IceTick);
        pair
    }

    /// Two pages with a connection that works.
    pub fn connected(seed: u64) -> Self {
        let mut pair = Self::new(seed);
        pair.set_wanted(true);
        pair.run(Duration::from_secs(10));
        pair.assert_connected();
        pair
    }

    /// Lets both sides want a connection, or none.
    pub fn set_wanted(&mut self, is_wanted: bool) {
        self.set_wanted_by(IMPOLITE, is_wanted);
        self.set_wanted_by(POLITE, is_wanted);
    }

    pub fn set_wanted_by(&mut self, side: usize, is_wanted: bool) {
        self.sides[side].is_wanted = is_wanted;
        self.sides[side].connection.set_wanted(self.now, is_wanted);
        self.settle(side);
    }

    /// Cuts the network between the pages, or repairs it. Signals that are on the way then are lost
    /// if `loses`, and arrive later otherwise. The pages notice it after a while.
    pub fn set_cut(&mut self, is_cut: bool, loses: bool) {
        self.is_cut = is_cut;
        self.cuts += 1;
        if !is_cut {
            for (to, incarnations, signal) in std::mem::take(&mut self.held) {
                if !loses {
                    self.transmit(to, incarnations, signal);
                }
            }
        }
        for side in [IMPOLITE, POLITE] {
            let delay = self.random_ms(DETECTION);
            let event = Event::Reachable {
                side,
                is_reachable: !is_cut,
                cut: self.cuts,
            };
            self.push(delay, event);
        }
    }

    /// Reloads a page.
    pub fn reload(&mut self, side: usize) {
        let incarnation = self.sides[side].incarnation + 1;
        let seed = self.random.next();
        let page = &mut self.sides[side];
        page.incarnation = incarnation;
        page.browser = None;
        page.is_reachable = false;
        page.connection = MediaConnection::new(self.now, side == POLITE, seed);
        self.set_up(side);
        let (delay, again) = (self.random_ms(500), self.random_ms(1_500));
        let other = 1 - side;
        self.push(
            delay,
            Event::PeerReloaded {
                side: other,
                incarnation,
            },
        );
        let event = Event::Reachable {
            side,
            is_reachable: true,
            cut: self.cuts,
        };
        self.push(again, event);
    }

    /// Closes a connection for good.
    pub fn close(&mut self, side: usize) {
        self.sides[side].connection.close();
        self.settle(side);
    }

    /// Lets a browser report that a connection has failed.
    pub fn fail(&mut self, side: usize, connection: u32) {
        self.event(side, connection, MediaEvent::Failed);
    }

    /// Lets time pass.
    pub fn run(&mut self, duration: Duration) {
        let end = self.now + duration;
        loop {
            let event = self.events.keys().next().map(|(at, _)| *at);
            let timeout = |side: &Side| side.connection.poll_timeout();
            let timeouts = self.sides.iter().filter_map(timeout);
            let Some(next) = timeouts.chain(event).min().filter(|at| *at <= end) else {
                break;
            };
            self.now = self.now.max(next);
            for side in [IMPOLITE, POLITE] {
                self.settle(side);
            }
            while let Some(entry) = self.events.first_entry()
                && entry.key().0 <= self.now
            {
                let event = entry.remove();
                self.handle(event);
            }
        }
        self.now = end;
    }

    pub fn states(&self) -> [MediaConnectionState; 2] {
        self.sides.each_ref().map(|side| side.connection.state())
    }

    /// Asserts that both sides are connected over the same connection.
    pub fn assert_connected(&self) {
        let connected = [MediaConnectionState::Connected; 2];
        assert_eq!(self.states(), connected, "at {:?}", self.now);
        let offers = self.sides.iter().flat_map(|side| &side.offers);
        assert!(offers.count() > 0);
        let [impolite, polite] = self.sides.each_ref().map(|side| side.browser.as_ref());
        let (Some(impolite), Some(polite)) = (impolite, polite) else {
            panic!("a side has no connection");
        };
        assert!(impolite.is_negotiated_with(polite));
    }

    fn set_up(&mut self, side: usize) {
        let page = &mut self.sides[side];
        page.connection.set_wanted(self.now, page.is_wanted);
        page.connection.set_reachable(self.now, page.is_reachable);
        self.settle(side);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Signal {
                to,
                incarnations,
                signal,
            } => self.deliver(to, incarnations, signal),
            Event::CommandDone {
                side,
                pages,
                connection,
            } => self.carry_out(side, pages, connection),
            Event::Candidate {
                side,
                pages,
                connection,
                candidate,
            } => {
                if self.sides[side].pages() == pages {
                    self.event(side, connection, MediaEvent::Candidate(candidate));
                }
            }
            Event::Reachable {
                side,
                is_reachable,
                cut,
            } => {
                if cut == self.cuts {
                    let page = &mut self.sides[side];
                    page.is_reachable = is_reachable;
                    page.connection.set_reachable(self.now, is_reachable);
                    self.settle(side);
                }
            }
            Event::PeerReloaded { side, incarnation } => self.peer_reloaded(side, incarnation),
            Event::IceTick => self.tick_ice(),
        }
    }

    fn deliver(&mut self, to: usize, incarnations: (u32, u32), signal: Signal) {
        if self.is_cut {
            return self.held.push((to, incarnations, signal));
        }
        let page = &mut self.sides[to];
        let known = (page.peer_incarnation, page.incarnation);
        if incarnations.0 > known.0 {
            // The mesh delivers it once the page knows the new page load.
            let event = Event::Signal {
                to,
                incarnations,
                signal,
            };
            return self.push(ICE_TICK, event);
        }
        if incarnations == known && page.is_answering {
            page.connection.receive(self.now, signal);
            self.settle(to);
        }
    }

    fn carry_out(&mut self, side: usize, pages: (u32, u32), connection: u32) {
        let page = &mut self.sides[side];
        let is_current = page.pages() == pages;
        let browser = page.browser.as_mut();
        let Some(browser) = browser.filter(|one| is_current && one.id == connection) else {
            return;
        };
        let (event, candidates) = browser.carry_out(self.path);
        if !browser.commands.is_empty() {
            self.start_command(side);
        }
        for candidate in candidates {
            let delay = self.random_ms(300);
            let event = Event::Candidate {
                side,
                pages,
                connection,
                candidate,
            };
            self.push(delay, event);
        }
        if let Some(event) = event {
            self.event(side, connection, event);
        }
    }

    fn peer_reloaded(&mut self, side: usize, incarnation: u32) {
        let seed = self.random.next();
        let page = &mut self.sides[side];
        if incarnation < page.peer_incarnation {
            return;
        }
        page.peer_incarnation = incarnation;
        page.connection.close();
        self.settle(side);
        self.sides[side].connection = MediaConnection::new(self.now, side == POLITE, seed);
        self.set_up(side);
    }

    fn tick_ice(&mut self) {
        for side in [IMPOLITE, POLITE] {
            let [impolite, polite] = &mut self.sides;
            let (own, peer) = match side {
                IMPOLITE => (impolite, polite),
                _ => (polite, impolite),
            };
            let Some(browser) = &mut own.browser else {
                continue;
            };
            let event = browser.tick_ice(self.now, self.path, peer.browser.as_ref());
            if let Some(event) = event {
                let id = browser.id;
                self.event(side, id, event);
            }
        }
        self.push(ICE_TICK, Event::IceTick);
    }

    fn event(&mut self, side: usize, connection: u32, event: MediaEvent) {
        let page = &mut self.sides[side];
        page.connection.handle_event(self.now, connection, event);
        self.settle(side);
    }

    /// Calls a connection until it has nothing to do now, and carries out its outputs.
    fn settle(&mut self, side: usize) {
        self.drain(side);
        let is_due = |page: &Side, now| page.connection.poll_timeout().is_some_and(|at| at <= now);
        if is_due(&self.sides[side], self.now) {
            self.sides[side].connection.handle_timeout(self.now);
            self.drain(side);
        }
        assert!(!is_due(&self.sides[side], self.now), "a busy loop");
    }

    fn drain(&mut self, side: usize) {
        while let Some(output) = self.sides[side].connection.poll_output() {
            self.sides[side].active_at = self.now;
            match output {
                MediaConnectionOutput::Signal(signal) => self.send(side, signal),
                MediaConnectionOutput::Command {
                    connection,
                    command,
                } => self.command(side, connection, command),
            }
        }
    }

    fn send(&mut self, side: usize, signal: Signal) {
        let page = &mut self.sides[side];
        assert!(
            page.is_reachable,
            "a signal to a page that is not reachable"
        );
        page.signals += 1;
        if let Signal::Offer { attempt, .. } = signal {
            page.offers.push(attempt);
        }
        let incarnations = page.pages();
        self.transmit(1 - side, incarnations, signal);
    }

    fn transmit(&mut self, to: usize, incarnations: (u32, u32), signal: Signal) {
        let delay = ms(20) + self.random_ms(180);
        let at = self.arrivals[to].max(self.now + delay);
        self.arrivals[to] = at;
        let event = Event::Signal {
            to,
            incarnations,
            signal,
        };
        self.push(at - self.now, event);
    }

    fn command(&mut self, side: usize, connection: u32, command: MediaCommand) {
        let name = format!("{side}-{:?}-{connection}", self.sides[side].pages());
        let page = &mut self.sides[side];
        match command {
            MediaCommand::Open { ice_servers } => {
                assert!(page.browser.is_none(), "two connections at a time");
                page.browser = Some(BrowserConnection::new(connection, name));
                page.opened.push(ice_servers);
            }
            MediaCommand::Close => {
                let closed = page.browser.take();
                assert_eq!(closed.map(|browser| browser.id), Some(connection));
            }
            command => {
                if command == (MediaCommand::CreateOffer { ice_restart: true }) {
                    page.ice_restarts += 1;
                }
                let browser = page.browser.as_mut();
                let browser = browser.expect("a command before Open or after Close");
                assert_eq!(browser.id, connection);
                browser.commands.push_back(command);
                if browser.commands.len() == 1 {
                    self.start_command(side);
                }
            }
        }
    }

    fn start_command(&mut self, side: usize) {
        let page = &self.sides[side];
        let event = Event::CommandDone {
            side,
            pages: page.pages(),
            connection: page.browser.as_ref().map_or(0, |browser| browser.id),
        };
        let delay = self.random_ms(60);
        self.push(delay, event);
    }

    fn push(&mut self, delay: Duration, event: Event) {
        self.count += 1;
        self.events.insert((self.now + delay, self.count), event);
    }

    fn random_ms(&mut self, limit: u64) -> Duration {
        ms(self.random.next() % limit)
    }
}
