//! Random faults, after which all riders have to agree again.
//!
//! Each seed gives another scenario: riders join, disconnect, reload and are cut off, hosts and
//! servers are lost, pages freeze, machines sleep, and riders forge decisions of the host. The
//! timelines are real ones, exchanged as the session does ([`page`]).
//!
//! `MESH_SEEDS` is the number of scenarios (500) and `MESH_FIRST_SEED` the first seed (0), so
//! `MESH_FIRST_SEED=412 MESH_SEEDS=1` repeats one.

mod page;

use protocol::signaling::HostCommand;
use std::time::Duration;

use clock::GroupTime;
use mesh::node::Input;
use protocol::peer::{DeliveryClass, LinkState};
use ride::timeline::{Change, Head, SignedEvent};

use crate::network::{GOOD, Network, PathConditions, ms};
use page::{Page, workout};

const SEEDS: u64 = 500;
const ROUNDS: u8 = 24;
const MAX_RIDERS: usize = 7;
/// Largest difference of group time at the end, in microseconds.
const MAX_DIFFERENCE: i64 = 50_000;

struct Scenario {
    seed: u64,
    net: Network,
    pages: Vec<Page>,
    /// Events that riders forged in the host's name.
    forged: Vec<SignedEvent>,
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
            pages: (0..riders).map(Page::new).collect(),
            forged: Vec::new(),
        }
    }

    /// Causes a random fault, or repairs one.
    fn cause_fault(&mut self) {
        let (net, riders) = (&mut self.net, self.pages.len());
        let one = (net.random() % riders as u64) as usize;
        let other = (one + 1 + (net.random() % (riders as u64 - 1)) as usize) % riders;
        let host = net.riders.iter().position(|rider| rider.node.is_host());
        match net.random() % 20 {
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
                let rider = net.join();
                self.pages.push(Page::new(rider));
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
            18 => self.forge(one),
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

    /// Reloads a page, which has kept group time and the timeline.
    fn reload(&mut self, one: usize) {
        let offset = self.net.group_offset(one);
        self.net.reload_with_offset(one, offset);
        self.pages[one].reload();
    }

    /// A rider that is not host sends a forged event of the host.
    fn forge(&mut self, one: usize) {
        let node = &self.net.riders[one].node;
        let host = node
            .host()
            .filter(|host| node.me().is_some_and(|me| me.peer != **host));
        let Some((host, epoch)) = host.map(|host| (host.clone(), node.epoch())) else {
            return;
        };
        let at = GroupTime(self.net.group_time(one).unwrap_or_default());
        let forged = self.pages[one].forge(&host, epoch, at);
        self.forged
            .extend(forged.iter().flat_map(|(events, _)| events.clone()));
        if let Some((_, message)) = forged {
            self.net.broadcast(one, DeliveryClass::Control, &message);
        }
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
        self.pages[at].update(&mut self.net, at, self.seed);
    }

    /// Each host whose controls are not suspended makes a change.
    fn decide(&mut self, change: fn(u64, GroupTime, &Page) -> Change) {
        for at in 0..self.pages.len() {
            // A host handles everything that has arrived before it decides.
            self.update(at);
            let node = &self.net.riders[at].node;
            let may_decide = node.is_host() && !node.host_controls_suspended();
            let time = self.net.group_time(at).filter(|_| may_decide);
            if let Some(time) = time {
                let random = self.net.random();
                let change = change(random, GroupTime(time), &self.pages[at]);
                self.pages[at].decide(&mut self.net, at, change);
            }
        }
    }

    /// A rider broadcasts a control message, numbered for its page load.
    fn send_numbered(&mut self, at: usize) {
        let Some((_, load)) = self.pages[at].load.clone() else {
            return;
        };
        self.pages[at].sent += 1;
        let message = page::numbered(load.0, self.pages[at].sent);
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
        let end =
            self.net.now + ms(5_000) + Duration::from_micros(10 * self.time_difference() as u64);
        while self.time_difference() >= MAX_DIFFERENCE {
            self.run(ms(200));
            assert!(
                self.net.now < end,
                "seed {seed}: {} apart",
                self.time_difference()
            );
        }
        // Earlier decisions are the same for all. A host without a timeline, because neither the
        // other riders nor its own browser have kept one, has to decide something first.
        let is_host = |at: &usize| self.net.riders[*at].node.is_host();
        let host = (0..self.pages.len()).find(is_host);
        if host.is_some_and(|host| self.pages[host].timeline.head() != Head::NONE) {
            (1..self.pages.len()).for_each(|at| self.assert_same_timeline(at));
        }
        self.decide(final_change);
        self.run(ms(1_500));
        let hosts = self.net.riders.iter().filter(|rider| rider.node.is_host());
        let hosts = hosts.count();
        assert_eq!(hosts, 1, "seed {seed}");
        let term = |at: usize| self.net.riders[at].node.host_terms().last().cloned();
        for at in 0..self.pages.len() {
            assert_eq!(term(at), term(0), "seed {seed}, rider {at}");
            self.assert_same_timeline(at);
            assert!(
                !self.net.riders[at].node.host_controls_suspended(),
                "seed {seed}, rider {at}"
            );
        }
        self.assert_complete_streams();
    }

    /// A rider has the same events as the first one, in the same order, none of them forged, and
    /// both compute the same phase of the ride.
    fn assert_same_timeline(&self, at: usize) {
        let (seed, one) = (self.seed, &self.pages[at].timeline);
        let (first, events) = (&self.pages[0].timeline, one.since(Head::NONE));
        assert_eq!(events, first.since(Head::NONE), "seed {seed}, rider {at}");
        let has_forged = events.iter().any(|event| self.forged.contains(event));
        assert!(!has_forged && !events.is_empty(), "seed {seed}, rider {at}");
        let time = GroupTime(self.net.group_time(0).unwrap());
        assert_eq!(
            one.phase(time),
            first.phase(time),
            "seed {seed}, rider {at}"
        );
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
        let before: Vec<_> = (0..self.pages.len())
            .map(|at| self.pages[at].received.clone())
            .collect();
        (0..10).for_each(|_| self.send_numbered(0));
        self.run(ms(600));
        let (id, load) = self.pages[0].load.clone().unwrap();
        let key = (id, load.0);
        for (at, before) in before.iter().enumerate().skip(1) {
            let had = before.get(&key).copied().unwrap_or(0);
            let last = self.pages[at].received.get(&key).copied().unwrap_or(0);
            assert_eq!(
                last, self.pages[0].sent,
                "seed {}: {at} had {had}",
                self.seed
            );
        }
    }
}

/// Random change, which the timeline may reject.
fn random_change(random: u64, at: GroupTime, page: &Page) -> Change {
    if page.timeline.workout().is_none() {
        return Change::Share(workout(20));
    }
    let from = (random >> 32) as u32 % 3;
    match random % 9 {
        0 => Change::Share(workout(1 + random % 90)),
        1..=3 => Change::Start {
            at: at.after(ms(2_000)),
        },
        4 => Change::Pause { at },
        5 => Change::Resume {
            at: at.after(ms(3_000)),
        },
        6 => Change::Skip { at, from },
        7 => Change::Extend { at, interval: from },
        _ => Change::Cancel { at },
    }
}

/// Change that the timeline always accepts.
fn final_change(_: u64, at: GroupTime, page: &Page) -> Change {
    match page.timeline.started_at() {
        Some(_) => Change::End { at },
        None => Change::Share(workout(30)),
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
            scenario.decide(random_change);
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
fn after_faults_of_even_seeds_there_is_one_host_one_timeline_and_one_clock() {
    run_scenarios(0);
}

#[test]
fn after_faults_of_odd_seeds_there_is_one_host_one_timeline_and_one_clock() {
    run_scenarios(1);
}
