//! Much goes wrong at once, then everything heals.
//!
//! Each seed is another story of riders who join, vanish, reload and are cut off,
//! of hosts and servers that are lost, of pages that stand still and clocks that
//! fall behind. `MESH_SEEDS` says how many are told (500), `MESH_FIRST_SEED` which
//! is the first (0): `MESH_FIRST_SEED=412 MESH_SEEDS=1` tells one again.

use std::{collections::BTreeMap, time::Duration};

use mesh::{
    node::{Event, Input, Wish},
    peer::{Class, Incarnation, LinkState, PeerId, Role},
};

use crate::net::{GOOD, Net, Way, ms};

const SEEDS: u64 = 500;
const ROUNDS: u8 = 24;
const MOST: usize = 7;
/// In microseconds. A clock that fell behind by a second is slewed for ten.
const TOGETHER: i64 = 50_000;

/// What a page has, beside its node: the head of its timeline, and what it got.
#[derive(Default)]
struct Page {
    load: Option<(PeerId, Incarnation)>,
    head: (u32, u32),
    time: Option<i64>,
    said: u32,
    heard: BTreeMap<(PeerId, u32), u32>,
    refused: bool,
}

struct Story {
    seed: u64,
    net: Net,
    pages: Vec<Page>,
}

impl Story {
    fn new(seed: u64) -> Self {
        let riders = 2 + (seed / 2 % 4) as usize;
        let mut net = Net::riding(seed, riders);
        let bad = Way {
            delay: ms(15),
            jitter: ms(60),
            loss: 100,
        };
        (net.relay, net.direct) = (bad, bad);
        let pages = (0..riders).map(|_| Page::default()).collect();
        Self { seed, net, pages }
    }

    /// One thing that goes wrong, or right again.
    fn trouble(&mut self) {
        let (net, riders) = (&mut self.net, self.pages.len());
        let one = (net.random() % riders as u64) as usize;
        let other = (one + 1 + (net.random() % (riders as u64 - 1)) as usize) % riders;
        let host = net
            .riders
            .iter()
            .position(|rider| rider.node.role() == Some(Role::Host));
        match net.random() % 19 {
            0 => net.drop_socket(one),
            1 => {
                net.riders[one].online = false;
                net.drop_socket(one);
            }
            2 => net.riders[one].online = true,
            3 => net.riders[one].mute = true,
            4 => net.cut(one, other, true),
            5 => net.cut_one_way(one, other, true),
            6 => net.cut(one, other, false),
            7 if net.riders[one].node.me().is_some() => self.reload(one),
            8 => net.kill_server(),
            9 | 10 => net.start_server(),
            11 => self.part(one),
            12 => (0..one).for_each(|other| net.cut(one, other, false)),
            13 if riders < MOST => {
                net.join();
                self.pages.push(Page::default());
            }
            14 => {
                if let Some(host) = host {
                    net.riders[host].online = false;
                    net.drop_socket(host);
                    (0..riders).for_each(|other| net.cut(host, other, true));
                }
            }
            15 => {
                if let Some((host, to)) = host.zip(net.riders[one].node.me()) {
                    let to = to.peer.clone();
                    net.feed(host, Input::Wish(Wish::HandOver(to)));
                }
            }
            16 => self.net.freeze(one, ms(3_000)),
            17 => self.sleep(one),
            _ => net.feed(one, Input::Probe),
        }
    }

    /// The lower riders no longer reach the others.
    fn part(&mut self, at: usize) {
        for a in 0..at {
            (at..self.pages.len()).for_each(|b| self.net.cut(a, b, true));
        }
    }

    /// Two seconds pass by a machine's clock.
    fn sleep(&mut self, one: usize) {
        if let Some(behind) = self.net.riders[one].clock.checked_sub(ms(2_000)) {
            self.net.riders[one].clock = behind;
            self.net.now += ms(2_000);
        }
    }

    /// A page is loaded anew, and has kept group time and timeline as pages do.
    fn reload(&mut self, one: usize) {
        let clock = (self.net.now + self.net.riders[one].clock).as_micros() as i64;
        let offset = self.net.group_time(one).map(|time| time - clock);
        self.net.reload_remembering(one, offset);
        let head = self.pages[one].head;
        self.pages[one] = Page {
            head,
            ..Page::default()
        };
        self.gossip(one);
    }

    /// Time passes; what every page sees is looked at often.
    fn run(&mut self, time: Duration) {
        let end = self.net.now + time;
        while self.net.now < end {
            self.net.run(100);
            (0..self.pages.len()).for_each(|at| self.look(at));
        }
    }

    fn look(&mut self, at: usize) {
        let (seed, time) = (self.seed, self.net.group_time(at));
        let page = &mut self.pages[at];
        assert!(
            time >= page.time || time.is_none(),
            "seed {seed}: time ran back for {at}"
        );
        page.time = time.or(page.time);
        let me = self.net.riders[at].node.me();
        page.load = me.map(|me| (me.peer.clone(), me.incarnation));
        let mut news = false;
        let events = std::mem::take(&mut self.net.riders[at].events);
        for event in &events {
            match event {
                Event::Gossip { bytes, .. } => {
                    let head = read(bytes);
                    news |= head > page.head;
                    page.head = page.head.max(head);
                }
                Event::Received { from, payload, .. } => {
                    let (load, number) = read(payload);
                    let last = page.heard.entry((from.clone(), load)).or_default();
                    assert!(
                        number > *last,
                        "seed {seed}: {number} of {from} again for {at}"
                    );
                    *last = number;
                }
                Event::Refused { code, .. } => {
                    assert!(page.load.is_none(), "seed {seed}: {code:?} for {at}");
                    page.refused = true;
                }
                _ => {}
            }
        }
        let kept = events.into_iter().rev();
        let welcomed = kept.filter(|event| matches!(event, Event::Welcomed { .. }));
        self.net.riders[at].events = welcomed.take(1).collect();
        if news {
            self.gossip(at);
        }
    }

    fn gossip(&mut self, at: usize) {
        let head = self.pages[at].head;
        self.net.feed(at, Input::Gossip(write(head)));
    }

    /// Whoever is host and need not wait decides something.
    fn decide(&mut self) {
        for at in 0..self.pages.len() {
            let node = &self.net.riders[at].node;
            if node.role() == Some(Role::Host) && !node.controls_wait() {
                let head = self.pages[at].head;
                let epoch = node.epoch();
                if epoch >= head.0 {
                    let next = if epoch > head.0 { 1 } else { head.1 + 1 };
                    self.pages[at].head = (epoch, next);
                    self.gossip(at);
                }
            }
        }
    }

    /// Somebody says something to everybody, numbered by its page load.
    fn say(&mut self, at: usize) {
        let Some((_, load)) = self.pages[at].load.clone() else {
            return;
        };
        self.pages[at].said += 1;
        let said = (load.0, self.pages[at].said);
        self.net.broadcast(at, Class::Control, &write(said));
    }

    fn heal(&mut self) {
        self.net.start_server();
        (self.net.relay, self.net.direct) = (GOOD, GOOD);
        for one in 0..self.pages.len() {
            self.net.riders[one].online = true;
            self.net.feed(one, Input::Probe);
            (0..one).for_each(|other| self.net.cut(one, other, false));
        }
    }

    /// All see the same, and soon.
    fn check(&mut self) {
        let seed = self.seed;
        let end = self.net.now + ms(60_000);
        while !self.net.all_links(LinkState::Direct) {
            self.run(ms(200));
            self.try_again();
            let ways = || self.ways();
            assert!(self.net.now < end, "seed {seed}: not direct: {}", ways());
        }
        self.run(ms(8_000));
        while self.apart() >= TOGETHER {
            self.run(ms(200));
            assert!(self.net.now < end, "seed {seed}: {} apart", self.apart());
        }
        self.decide();
        self.run(ms(1_500));
        let roles = self.net.riders.iter().map(|rider| rider.node.role());
        let hosts = roles.filter(|role| *role == Some(Role::Host)).count();
        assert_eq!(hosts, 1, "seed {seed}");
        let term = |at: usize| self.net.riders[at].node.host_keys().last().cloned();
        for at in 0..self.pages.len() {
            assert_eq!(term(at), term(0), "seed {seed}, rider {at}");
            assert_eq!(
                self.pages[at].head, self.pages[0].head,
                "seed {seed}, rider {at}"
            );
            assert!(
                !self.net.riders[at].node.controls_wait(),
                "seed {seed}, rider {at}"
            );
        }
        self.whole_streams();
    }

    /// How far group time is from the first to the last, in microseconds.
    fn apart(&self) -> i64 {
        let times = (0..self.pages.len()).map(|at| self.net.group_time(at).unwrap());
        let times: Vec<_> = times.collect();
        times.iter().max().unwrap() - times.iter().min().unwrap()
    }

    /// Strangers whom a server without memory could not let in come again.
    fn try_again(&mut self) {
        for at in 0..self.pages.len() {
            if std::mem::take(&mut self.pages[at].refused) {
                self.net.come_anew(at);
            }
        }
    }

    /// How everybody reaches everybody, a line each.
    fn ways(&self) -> String {
        let one = |at: usize| {
            let way = |to| self.net.link(at, to);
            let ways: Vec<_> = (0..self.pages.len()).map(way).collect();
            format!("\n{at}: {:?} {ways:?}", self.net.riders[at].node.me())
        };
        (0..self.pages.len()).map(one).collect()
    }

    fn whole_streams(&mut self) {
        let before: Vec<_> = (0..self.pages.len())
            .map(|at| self.pages[at].heard.clone())
            .collect();
        (0..10).for_each(|_| self.say(0));
        self.run(ms(600));
        let (id, load) = self.pages[0].load.clone().unwrap();
        let key = (id, load.0);
        for (at, before) in before.iter().enumerate().skip(1) {
            let had = before.get(&key).copied().unwrap_or(0);
            let last = self.pages[at].heard.get(&key).copied().unwrap_or(0);
            assert_eq!(
                last, self.pages[0].said,
                "seed {}: {at} had {had}",
                self.seed
            );
        }
    }
}

fn write((high, low): (u32, u32)) -> Vec<u8> {
    [high.to_be_bytes(), low.to_be_bytes()].concat()
}

fn read(bytes: &[u8]) -> (u32, u32) {
    match bytes.as_chunks().0 {
        [high, low, ..] => (u32::from_be_bytes(*high), u32::from_be_bytes(*low)),
        _ => (0, 0),
    }
}

/// Every second story.
fn tell(first: u64) {
    let setting = |name: &str| std::env::var(name).ok()?.parse().ok();
    let from = setting("MESH_FIRST_SEED").unwrap_or(0);
    let seeds = setting("MESH_SEEDS").unwrap_or(SEEDS);
    for seed in (from + first..from + seeds).step_by(2) {
        let mut story = Story::new(seed);
        for round in 0..ROUNDS {
            story.trouble();
            story.decide();
            let riders = story.pages.len();
            story.say(usize::from(round) % riders);
            let wait = story.net.random() % 1_500;
            story.run(ms(wait));
        }
        story.heal();
        story.check();
    }
}

#[test]
fn after_any_trouble_there_is_one_host_one_timeline_and_one_clock() {
    tell(0);
}

#[test]
fn after_any_other_trouble_there_is_one_host_one_timeline_and_one_clock() {
    tell(1);
}
