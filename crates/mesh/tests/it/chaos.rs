//! Random faults, after which all nodes have to agree again.
//!
//! Each seed gives another scenario: riders join, disconnect, reload and are cut off, hosts and
//! servers are lost, pages freeze and machines sleep. Whole sessions, with their timelines, run in
//! scenarios of their own (`crates/session/tests/it/chaos.rs`); these ones check hosts, group time
//! and streams.
//!
//! `MESH_SEEDS` is the number of scenarios (500) and `MESH_FIRST_SEED` the first seed (0), so
//! `MESH_FIRST_SEED=412 MESH_SEEDS=1` repeats one.

use std::{collections::BTreeMap, time::Duration};

use mesh::node::{Input, NodeEvent};
use protocol::{
    peer::{DeliveryClass, Incarnation, LinkState, PeerId},
    signaling::HostCommand,
};

use crate::network::{GOOD, Network, PathConditions, ms};

const SEEDS: u64 = 500;
const ROUNDS: u8 = 24;
const MAX_RIDERS: usize = 7;
/// Largest difference of group time at the end, in microseconds.
const MAX_DIFFERENCE: i64 = 50_000;

struct Scenario {
    seed: u64,
    net: Network,
    pages: Vec<Page>,
}

/// State of a rider's page beside its node.
#[derive(Default)]
struct Page {
    load: Option<(PeerId, Incarnation)>,
    /// Newest group time, to check that it never runs backwards.
    group_time: Option<i64>,
    /// Number of the newest control message.
    sent: u32,
    /// Number of the newest control message received from each page load.
    received: BTreeMap<(PeerId, u32), u32>,
    is_refused: bool,
}

impl Scenario {
    fn new(seed: u64) -> Self {
        let riders = 2 + (seed / 2 % 4) as usize;
        let mut net = Network::with_riders(seed, riders);
        let bad = PathConditions {
            delay: ms(15),
            jitter: ms(60),
            loss: 100,
        };
        (net.relay, net.direct) = (bad, bad);
        Self {
            seed,
            net,
            pages: (0..riders).map(|_| Page::default()).collect(),
        }
    }

    /// Causes a random fault, or repairs one.
    fn cause_fault(&mut self) {
        let (net, riders) = (&mut self.net, self.pages.len());
        let one = (net.random() % riders as u64) as usize;
        let other = (one + 1 + (net.random() % (riders as u64 - 1)) as usize) % riders;
        let host = net.riders.iter().position(|rider| rider.node.is_host());
        match net.random() % 19 {
            0 => net.drop_socket(one),
            1 => {
                net.riders[one].is_online = false;
                net.drop_socket(one);
            }
            2 => net.riders[one].is_online = true,
            3 => net.riders[one].is_socket_dead = true,
            4 => net.cut(one, other, true),
            5 => net.cut_one_way(one, other, true),
            6 => net.cut(one, other, false),
            7 if net.riders[one].node.me().is_some() => self.reload(one),
            8 => net.kill_server(),
            9 | 10 => net.start_server(),
            11 => self.partition(one),
            12 => (0..one).for_each(|other| net.cut(one, other, false)),
            13 if riders < MAX_RIDERS => {
                net.join();
                self.pages.push(Page::default());
            }
            14 => {
                if let Some(host) = host {
                    net.riders[host].is_online = false;
                    net.drop_socket(host);
                    (0..riders).for_each(|other| net.cut(host, other, true));
                }
            }
            15 => {
                if let Some((host, to)) = host.zip(net.riders[one].node.me()) {
                    let to = to.peer.clone();
                    net.feed(host, Input::Command(HostCommand::HandOver { to }));
                }
            }
            16 => self.net.freeze(one, ms(3_000)),
            17 => self.sleep(one),
            _ => net.feed(one, Input::ProbeSocket),
        }
    }

    /// Cuts the paths between the riders below an index and the others.
    fn partition(&mut self, at: usize) {
        for a in 0..at {
            (at..self.pages.len()).for_each(|b| self.net.cut(a, b, true));
        }
    }

    /// Lets a machine sleep for two seconds, and its monotonic clock with it.
    fn sleep(&mut self, one: usize) {
        if let Some(behind) = self.net.riders[one].clock_ahead.checked_sub(ms(2_000)) {
            self.net.riders[one].clock_ahead = behind;
            self.net.now += ms(2_000);
        }
    }

    /// Reloads a page, which has kept group time.
    fn reload(&mut self, one: usize) {
        let offset = self.net.group_offset(one);
        self.net.reload_with_offset(one, offset);
        self.pages[one] = Page::default();
    }

    /// Runs the network for a time, and updates and checks all pages every 100 ms.
    fn run(&mut self, time: Duration) {
        let end = self.net.now + time;
        while self.net.now < end {
            self.net.run(100);
            (0..self.pages.len()).for_each(|at| self.update(at));
        }
    }

    fn update(&mut self, at: usize) {
        let seed = self.seed;
        let time = self.net.group_time(at);
        let page = &mut self.pages[at];
        let is_backwards = time < page.group_time && time.is_some();
        assert!(!is_backwards, "seed {seed}: group time of {at}");
        page.group_time = time.or(page.group_time);
        let me = self.net.riders[at].node.me();
        page.load = me.map(|me| (me.peer.clone(), me.incarnation));
        for event in std::mem::take(&mut self.net.riders[at].events) {
            match event {
                NodeEvent::Received { from, payload, .. } => {
                    page.receive(from, &payload, &format!("seed {seed}: at {at}"));
                }
                NodeEvent::JoinRefused { code, .. } => {
                    assert!(page.load.is_none(), "seed {seed}: {code:?} for {at}");
                    page.is_refused = true;
                }
                _ => {}
            }
        }
    }

    /// A rider broadcasts a control message, numbered for its page load.
    fn send_numbered(&mut self, at: usize) {
        let page = &mut self.pages[at];
        let Some((_, load)) = page.load else {
            return;
        };
        page.sent += 1;
        let message = [load.0.to_be_bytes(), page.sent.to_be_bytes()].concat();
        self.net.broadcast(at, DeliveryClass::Control, &message);
    }

    /// Repairs all faults.
    fn repair(&mut self) {
        self.net.start_server();
        (self.net.relay, self.net.direct) = (GOOD, GOOD);
        for one in 0..self.pages.len() {
            self.net.riders[one].is_online = true;
            self.net.feed(one, Input::ProbeSocket);
            (0..one).for_each(|other| self.net.cut(one, other, false));
        }
    }

    /// Checks that all riders agree within the time that the timeouts allow.
    fn check(&mut self) {
        let seed = self.seed;
        // A link waits up to 30 s for an attempt, which lasts up to 10 s, and every third one makes
        // a new connection.
        let end = self.net.now + ms(3 * 40_000);
        while !self.net.all_links(LinkState::Direct) {
            self.run(ms(200));
            self.rejoin_refused();
            let links = || self.describe_links();
            assert!(self.net.now < end, "seed {seed}: not direct: {}", links());
        }
        self.run(ms(14_000));
        // Large differences are slewed by a tenth.
        let slew = Duration::from_micros(10 * self.time_difference() as u64);
        let end = self.net.now + ms(5_000) + slew;
        while self.time_difference() >= MAX_DIFFERENCE {
            self.run(ms(200));
            let difference = self.time_difference();
            assert!(self.net.now < end, "seed {seed}: {difference} µs");
        }
        let hosts = self.net.riders.iter().filter(|rider| rider.node.is_host());
        assert_eq!(hosts.count(), 1, "seed {seed}");
        let term = |at: usize| self.net.riders[at].node.host_terms().last().cloned();
        for at in 0..self.pages.len() {
            assert_eq!(term(at), term(0), "seed {seed}, rider {at}");
            let is_suspended = self.net.riders[at].node.host_controls_suspended();
            assert!(!is_suspended, "seed {seed}, rider {at}");
        }
        self.assert_complete_streams();
    }

    /// Largest difference of group time between riders, in microseconds.
    fn time_difference(&self) -> i64 {
        let times = (0..self.pages.len()).map(|at| self.net.group_time(at).unwrap());
        let times: Vec<_> = times.collect();
        times.iter().max().unwrap() - times.iter().min().unwrap()
    }

    /// Lets riders join again that a server without memory refused, and the server notice dead
    /// sockets.
    fn rejoin_refused(&mut self) {
        for at in 0..self.pages.len() {
            self.net.close_dead_sockets(at);
            if std::mem::take(&mut self.pages[at].is_refused) {
                self.net.join_again(at);
            }
        }
    }

    /// States of all links, one line per rider.
    fn describe_links(&self) -> String {
        let line = |at: usize| {
            let link = |to| self.net.link(at, to);
            let links: Vec<_> = (0..self.pages.len()).map(link).collect();
            format!("\n{at}: {:?} {links:?}", self.net.riders[at].node.me())
        };
        (0..self.pages.len()).map(line).collect()
    }

    /// Control messages of the first rider arrive at all others.
    fn assert_complete_streams(&mut self) {
        (0..10).for_each(|_| self.send_numbered(0));
        self.run(ms(600));
        let (id, load) = self.pages[0].load.clone().unwrap();
        let key = (id, load.0);
        for (at, page) in self.pages.iter().enumerate().skip(1) {
            let newest = page.received.get(&key).copied().unwrap_or(0);
            assert_eq!(newest, self.pages[0].sent, "seed {}: at {at}", self.seed);
        }
    }
}

impl Page {
    /// Checks that control messages arrive once and in order.
    fn receive(&mut self, from: PeerId, message: &[u8], context: &str) {
        let [load, number] = message.as_chunks().0 else {
            panic!("{context}: {message:?}");
        };
        let (load, number) = (u32::from_be_bytes(*load), u32::from_be_bytes(*number));
        let newest = self.received.entry((from.clone(), load)).or_default();
        assert!(number > *newest, "{context}: {number} of {from} again");
        *newest = number;
    }
}

/// Runs every second scenario, so that two tests share the work.
fn run_scenarios(first: u64) {
    let setting = |name: &str| std::env::var(name).ok()?.parse().ok();
    let from = setting("MESH_FIRST_SEED").unwrap_or(0);
    let seeds = setting("MESH_SEEDS").unwrap_or(SEEDS);
    for seed in (from + first..from + seeds).step_by(2) {
        let mut scenario = Scenario::new(seed);
        for round in 0..ROUNDS {
            scenario.cause_fault();
            let riders = scenario.pages.len();
            scenario.send_numbered(usize::from(round) % riders);
            let wait = scenario.net.random() % 1_500;
            scenario.run(ms(wait));
        }
        scenario.repair();
        scenario.check();
    }
}

#[test]
fn after_faults_of_even_seeds_there_is_one_host_and_one_clock_and_streams_are_complete() {
    run_scenarios(0);
}

#[test]
fn after_faults_of_odd_seeds_there_is_one_host_and_one_clock_and_streams_are_complete() {
    run_scenarios(1);
}
