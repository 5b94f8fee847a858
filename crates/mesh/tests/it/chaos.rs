//! Much goes wrong at once, then everything heals.
//!
//! Each seed is another story of riders who join, vanish, reload and are cut off,
//! of hosts and servers that are lost, of pages that stand still and clocks that
//! fall behind, and of riders who make up what the host decides. The timelines are
//! real ones, passed on as the app does ([`page`]). `MESH_SEEDS` says how many are told (500), `MESH_FIRST_SEED` which
//! is the first (0): `MESH_FIRST_SEED=412 MESH_SEEDS=1` tells one again.

mod page;

use protocol::signaling::HostCommand;
use std::time::Duration;

use clock::GroupTime;
use mesh::node::Input;
use protocol::peer::{DeliveryClass, LinkState};
use ride::timeline::{Change, Head, SignedEvent};

use crate::net::{GOOD, Net, Way, ms};
use page::{Page, workout};

const SEEDS: u64 = 500;
const ROUNDS: u8 = 24;
const MOST: usize = 7;
/// In microseconds. A clock that fell behind by a second is slewed for ten.
const TOGETHER: i64 = 50_000;

struct Story {
    seed: u64,
    net: Net,
    pages: Vec<Page>,
    /// What riders made up in the host's name.
    forged: Vec<SignedEvent>,
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
        Self {
            seed,
            net,
            pages: (0..riders).map(Page::new).collect(),
            forged: Vec::new(),
        }
    }

    /// One thing that goes wrong, or right again.
    fn trouble(&mut self) {
        let (net, riders) = (&mut self.net, self.pages.len());
        let one = (net.random() % riders as u64) as usize;
        let other = (one + 1 + (net.random() % (riders as u64 - 1)) as usize) % riders;
        let host = net.riders.iter().position(|rider| rider.node.is_host());
        match net.random() % 20 {
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
                let rider = net.join();
                self.pages.push(Page::new(rider));
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
                    net.feed(host, Input::Command(HostCommand::HandOver { to }));
                }
            }
            16 => self.net.freeze(one, ms(3_000)),
            17 => self.sleep(one),
            18 => self.forge(one),
            _ => net.feed(one, Input::ProbeSocket),
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
        let offset = self.net.group_offset(one);
        self.net.reload_remembering(one, offset);
        self.pages[one].load_again();
    }

    /// Somebody who is not host says something as if it were the host's word.
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

    /// Time passes; what every page sees is looked at often.
    fn run(&mut self, time: Duration) {
        let end = self.net.now + time;
        while self.net.now < end {
            self.net.run(100);
            (0..self.pages.len()).for_each(|at| self.look(at));
        }
    }

    fn look(&mut self, at: usize) {
        self.pages[at].look(&mut self.net, at, self.seed);
    }

    /// Whoever is host and need not wait decides something.
    fn decide(&mut self, what: fn(u64, GroupTime, &Page) -> Change) {
        for at in 0..self.pages.len() {
            // Nobody decides before they have heard what there is to hear.
            self.look(at);
            let node = &self.net.riders[at].node;
            let may = node.is_host() && !node.host_controls_suspended();
            let time = self.net.group_time(at).filter(|_| may);
            if let Some(time) = time {
                let any = self.net.random();
                let change = what(any, GroupTime(time), &self.pages[at]);
                self.pages[at].decide(&mut self.net, at, change);
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
        self.net
            .broadcast(at, DeliveryClass::Control, &page::say(said));
    }

    fn heal(&mut self) {
        self.net.start_server();
        (self.net.relay, self.net.direct) = (GOOD, GOOD);
        for one in 0..self.pages.len() {
            self.net.riders[one].online = true;
            self.net.feed(one, Input::ProbeSocket);
            (0..one).for_each(|other| self.net.cut(one, other, false));
        }
    }

    /// All see the same, and soon.
    fn check(&mut self) {
        let seed = self.seed;
        // Links wait 30 s for a try, have 10 s for it, and each third is a new connection.
        let end = self.net.now + ms(3 * 40_000);
        while !self.net.all_links(LinkState::Direct) {
            self.run(ms(200));
            self.try_again();
            let ways = || self.ways();
            assert!(self.net.now < end, "seed {seed}: not direct: {}", ways());
        }
        self.run(ms(14_000));
        // A clock that is ahead gains nothing on it: it is slewed by a tenth.
        let end = self.net.now + ms(5_000) + Duration::from_micros(10 * self.apart() as u64);
        while self.apart() >= TOGETHER {
            self.run(ms(200));
            assert!(self.net.now < end, "seed {seed}: {} apart", self.apart());
        }
        // Nothing that was decided before is contested any more. A host who holds nothing,
        // because neither the server nor its own browser had kept anything, has yet to
        // decide something.
        let is_host = |at: &usize| self.net.riders[*at].node.is_host();
        let host = (0..self.pages.len()).find(is_host);
        if host.is_some_and(|host| self.pages[host].timeline.head() != Head::NONE) {
            (1..self.pages.len()).for_each(|at| self.same_timeline(at));
        }
        self.decide(last_word);
        self.run(ms(1_500));
        let hosts = self.net.riders.iter().filter(|rider| rider.node.is_host());
        let hosts = hosts.count();
        assert_eq!(hosts, 1, "seed {seed}");
        let term = |at: usize| self.net.riders[at].node.host_terms().last().cloned();
        for at in 0..self.pages.len() {
            assert_eq!(term(at), term(0), "seed {seed}, rider {at}");
            self.same_timeline(at);
            assert!(
                !self.net.riders[at].node.host_controls_suspended(),
                "seed {seed}, rider {at}"
            );
        }
        self.whole_streams();
    }

    /// A rider holds every event that the first one holds, in the same order, none of
    /// them made up, and they come to the same ride.
    fn same_timeline(&self, at: usize) {
        let (seed, one) = (self.seed, &self.pages[at].timeline);
        let (first, events) = (&self.pages[0].timeline, one.since(Head::NONE));
        assert_eq!(events, first.since(Head::NONE), "seed {seed}, rider {at}");
        let made_up = events.iter().any(|event| self.forged.contains(event));
        assert!(!made_up && !events.is_empty(), "seed {seed}, rider {at}");
        let time = GroupTime(self.net.group_time(0).unwrap());
        assert_eq!(
            one.phase(time),
            first.phase(time),
            "seed {seed}, rider {at}"
        );
    }

    /// How far group time is from the first to the last, in microseconds.
    fn apart(&self) -> i64 {
        let times = (0..self.pages.len()).map(|at| self.net.group_time(at).unwrap());
        let times: Vec<_> = times.collect();
        times.iter().max().unwrap() - times.iter().min().unwrap()
    }

    /// Strangers whom a server without memory could not let in come again, and the server
    /// finds by its pings which sockets are dead.
    fn try_again(&mut self) {
        for at in 0..self.pages.len() {
            self.net.close_dead_sockets(at);
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

/// Something that a host may want: it need not make sense.
fn whim(any: u64, at: GroupTime, page: &Page) -> Change {
    if page.timeline.workout().is_none() {
        return Change::Share(workout(20));
    }
    let from = (any >> 32) as u32 % 3;
    match any % 9 {
        0 => Change::Share(workout(1 + any % 90)),
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

/// What makes sense whatever was decided before.
fn last_word(_: u64, at: GroupTime, page: &Page) -> Change {
    match page.timeline.started_at() {
        Some(_) => Change::End { at },
        None => Change::Share(workout(30)),
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
            story.decide(whim);
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
