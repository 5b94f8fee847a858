use std::sync::Arc;

use clock::{GroupTime, Now, WallTime};
use protocol::peer::LinkState::{Away, Connecting, Direct, Relayed};
use ride::page::PageMessage;

use super::*;

const CODE: &str = "abcdefghij234567";
const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567";

/// A rider's page on virtual time, with what it has sent and shown.
struct Rider {
    pages: SharedPages,
    now: u64,
    members: GroupMembers,
    /// Companions that were asked, with the times in seconds.
    asked: Vec<(u64, String)>,
    shown: Vec<SharedPage>,
    shows: usize,
}

fn id(name: &str) -> PeerId {
    name.parse().unwrap()
}

fn page(name: &str, code: &str) -> Page {
    Page {
        name: name.parse().unwrap(),
        code: code.parse().unwrap(),
        token: TOKEN.parse().unwrap(),
    }
}

/// A code that differs for each number.
fn code(number: usize) -> String {
    let letter = |at: usize| char::from(b'a' + (number / 26_usize.pow(at as u32) % 26) as u8);
    format!("{}{}aaaaaaaaaaaaaa", letter(0), letter(1))
}

fn announce(name: &str, code: &str) -> Vec<u8> {
    PageMessage::Announce(page(name, code)).encode()
}

impl Rider {
    fn new() -> Self {
        Self {
            pages: SharedPages::default(),
            now: 1_000,
            members: GroupMembers {
                me: id("ana"),
                incarnation: Incarnation(1),
                name: "Ana".to_owned(),
                others: Vec::new(),
                companions: Vec::new(),
                tunnel_origin: Some("https://*.tunnel.example".to_owned()),
                host: None,
                host_terms: Arc::default(),
                relay_bytes_per_second: 0,
                max_file_bytes: None,
                max_cameras: None,
                has_webrtc: false,
                allows_direct_links: false,
                ice_servers: Vec::new(),
                is_over: false,
            },
            asked: Vec::new(),
            shown: Vec::new(),
            shows: 0,
        }
    }

    /// A rider with these companions, all reachable.
    fn with(companions: &[&str]) -> Self {
        let mut rider = Self::new();
        for name in companions {
            rider.set(name, 1, Relayed);
        }
        rider
    }

    fn time(&self) -> ExchangeNow {
        ExchangeNow {
            own: Now {
                moment: Moment::from_origin(Duration::from_millis(self.now)),
                wall: WallTime::from_unix_ms(self.now),
            },
            group: Some(GroupTime(0)),
        }
    }

    /// A companion joins or changes.
    fn set(&mut self, name: &str, incarnation: u32, link: LinkState) {
        let companion = GroupCompanion {
            peer: id(name),
            incarnation: Incarnation(incarnation),
            link,
        };
        let all = &mut self.members.companions;
        match all.iter_mut().find(|it| it.peer == companion.peer) {
            Some(known) => *known = companion,
            None => all.push(companion),
        }
        self.update();
    }

    fn leave(&mut self, name: &str) {
        self.members.companions.retain(|it| it.peer != id(name));
        self.update();
    }

    fn update(&mut self) {
        self.pages.set_members(self.time(), &self.members);
        self.drain();
    }

    fn receive(&mut self, from: &str, payload: &[u8]) {
        self.pages.receive(self.time(), &id(from), payload);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.pages.poll_output() {
            match output {
                ExchangeOutput::Send { to, class, payload } => {
                    assert_eq!(class, DeliveryClass::Control);
                    assert_eq!(PageMessage::decode(&payload), Ok(PageMessage::Ask));
                    self.asked.push((self.now / 1_000, to.to_string()));
                }
                ExchangeOutput::Pages(PageOutput::Show(pages)) => {
                    (self.shown, self.shows) = (pages, self.shows + 1);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Lets time pass, with the timeouts that are due.
    fn run(&mut self, seconds: u64) {
        let end = self.now + seconds * 1_000;
        let mut timeouts = 0;
        while let Some(at) = self.pages.poll_timeout() {
            let at = u64::try_from(at.since_origin().as_millis()).unwrap();
            if at > end {
                break;
            }
            timeouts += 1;
            assert!(timeouts < 1_000, "a timeout that changes nothing");
            self.now = self.now.max(at);
            self.pages.handle_timeout(self.time());
            self.drain();
        }
        self.now = end;
    }

    fn names(&self) -> Vec<&str> {
        self.shown.iter().map(|page| page.name.as_str()).collect()
    }

    fn asked_at(&self, name: &str) -> Vec<u64> {
        let asked = self.asked.iter().filter(|(_, to)| to == name);
        asked.map(|(at, _)| *at).collect()
    }
}

#[test]
fn a_companion_is_asked_and_its_page_is_listed_with_an_address_of_the_own_server() {
    let mut rider = Rider::with(&["tunnel"]);
    assert_eq!(rider.asked_at("tunnel"), [1]);
    rider.receive("tunnel", &announce("Route videos", CODE));
    let address = "https://abcdefghij234567.tunnel.example/#abcdefghijklmnopqrstuvwxyz234567";
    assert_eq!(rider.shown[0].address.as_str(), address);
    assert_eq!(rider.shown[0].code, CODE);
    assert_eq!(rider.names(), ["Route videos"]);
    rider.run(600);
    assert_eq!((rider.asked.len(), rider.shows), (1, 1));
}

#[test]
fn a_companion_that_does_not_answer_is_asked_five_times_every_five_seconds() {
    let mut rider = Rider::with(&["tunnel"]);
    rider.run(600);
    assert_eq!(rider.asked_at("tunnel"), [1, 6, 11, 16, 21]);
    assert_eq!(rider.pages.poll_timeout(), None);
    // A page load that is new is asked again.
    rider.set("tunnel", 2, Relayed);
    rider.run(600);
    assert_eq!(rider.asked_at("tunnel").len(), 10);
}

#[test]
fn a_companion_is_asked_once_it_can_be_reached() {
    let mut rider = Rider::new();
    rider.set("tunnel", 1, Connecting);
    rider.run(60);
    rider.set("tunnel", 1, Away);
    rider.run(10);
    assert!(rider.asked.is_empty());
    rider.set("tunnel", 1, Direct);
    assert_eq!(rider.asked_at("tunnel"), [71]);
    // The second question waits for its time, also if the link has changed.
    rider.set("tunnel", 1, Away);
    rider.set("tunnel", 1, Relayed);
    assert_eq!(rider.asked.len(), 1);
}

#[test]
fn without_an_origin_nothing_is_asked_and_nothing_is_listed() {
    for origin in [
        None,
        Some("javascript://*.x/"),
        Some("https://evil.example"),
    ] {
        let mut rider = Rider::new();
        rider.members.tunnel_origin = origin.map(str::to_owned);
        rider.set("tunnel", 1, Relayed);
        rider.receive("tunnel", &announce("Videos", CODE));
        rider.run(60);
        assert!(rider.asked.is_empty() && rider.shown.is_empty());
    }
}

#[test]
fn the_page_of_a_companion_that_has_left_is_removed_at_once() {
    let mut rider = Rider::with(&["tunnel", "other"]);
    rider.receive("other", &announce("Overlay", &code(1)));
    rider.receive("tunnel", &announce("Videos", CODE));
    assert_eq!(rider.names(), ["Videos", "Overlay"], "in order of arrival");
    rider.leave("tunnel");
    assert_eq!(rider.names(), ["Overlay"]);
}

#[test]
fn the_page_of_a_companion_that_is_away_goes_after_thirty_seconds_and_comes_back_with_it() {
    let mut rider = Rider::with(&["tunnel"]);
    rider.receive("tunnel", &announce("Videos", CODE));
    rider.set("tunnel", 1, Away);
    rider.run(29);
    // News about others do not prolong it.
    rider.set("other", 1, Relayed);
    assert_eq!(rider.names(), ["Videos"]);
    rider.run(1);
    assert!(rider.names().is_empty());
    rider.set("tunnel", 1, Relayed);
    assert_eq!(rider.names(), ["Videos"]);
    assert_eq!(rider.asked_at("tunnel").len(), 1);
}

#[test]
fn a_rider_without_the_server_keeps_the_list() {
    let mut rider = Rider::with(&["tunnel"]);
    rider.receive("tunnel", &announce("Videos", CODE));
    rider.set("tunnel", 1, Connecting);
    rider.run(600);
    assert_eq!(rider.names(), ["Videos"]);
}

#[test]
fn a_program_that_is_started_again_is_listed_once() {
    let mut rider = Rider::with(&["killed"]);
    rider.receive("killed", &announce("Videos", CODE));
    rider.set("again", 1, Relayed);
    rider.receive("again", &announce("Videos", CODE));
    assert_eq!(rider.shown[0].peer, id("killed"));
    assert_eq!(rider.names(), ["Videos"]);
    rider.set("killed", 1, Away);
    assert_eq!(rider.shown[0].peer, id("again"));
    assert_eq!(rider.names(), ["Videos"]);
    rider.leave("killed");
    assert_eq!(rider.names(), ["Videos"]);
}

#[test]
fn the_list_is_empty_when_the_rider_has_left() {
    let mut rider = Rider::with(&["tunnel"]);
    rider.receive("tunnel", &announce("Videos", CODE));
    rider.pages.end();
    rider.drain();
    assert!(rider.names().is_empty());
    rider.update();
    rider.receive("tunnel", &announce("Videos", CODE));
    rider.run(60);
    assert_eq!((rider.shows, rider.asked.len()), (2, 1));
    assert_eq!(rider.pages.poll_timeout(), None);
}

#[test]
fn a_member_that_is_no_companion_cannot_announce_a_page() {
    let mut rider = Rider::with(&["tunnel"]);
    for from in ["ben", "ana"] {
        rider.receive(from, &announce("Videos", CODE));
    }
    assert!(rider.names().is_empty());
    assert_eq!(rider.pages.rejected(), 2);
}

#[test]
fn a_companion_cannot_replace_its_page() {
    let mut rider = Rider::with(&["tunnel"]);
    rider.receive("tunnel", &announce("Videos", CODE));
    let mut other = page("Videos", CODE);
    other.token = TOKEN.replace('a', "b").parse().unwrap();
    let other = PageMessage::Announce(other).encode();
    let messages = [
        announce("Prizes", CODE),
        announce("Videos", &code(1)),
        other,
    ];
    for (rejected, message) in (1..).zip(&messages) {
        rider.run(10);
        rider.receive("tunnel", message);
        assert_eq!(rider.pages.rejected(), rejected);
    }
    rider.run(10);
    rider.receive("tunnel", &announce("Videos", CODE));
    assert_eq!((rider.pages.rejected(), rider.shows), (3, 1));
}

#[test]
fn messages_that_cannot_be_read_are_counted_and_change_nothing() {
    let mut rider = Rider::with(&["tunnel"]);
    let long = "x".repeat(100_000);
    let text = |text: &str| {
        let mut bytes = vec![0x83, 1, 0x18, 33, 0x83, 0x7a];
        bytes.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
        bytes.extend(text.as_bytes());
        bytes
    };
    for payload in [
        text(&long),
        PageMessage::Ask.encode(),
        vec![0x83, 1, 0x18, 39, 0x80],
        Vec::new(),
    ] {
        rider.receive("tunnel", &payload);
    }
    assert_eq!((rider.pages.rejected(), rider.shows), (4, 0));
}

#[test]
fn a_flood_of_one_companion_does_not_hold_up_another_one() {
    let mut rider = Rider::with(&["flood", "tunnel"]);
    for number in 0..10_000 {
        rider.receive("flood", &announce("Videos", &code(number)));
    }
    rider.receive("tunnel", &announce("Overlay", CODE));
    assert_eq!(rider.names(), ["Videos", "Overlay"]);
    assert_eq!((rider.pages.rejected(), rider.shows), (9_999, 2));
    assert_eq!(rider.asked.len(), 2);
}

#[test]
fn a_companion_that_reloads_without_end_is_not_shown_more_often_for_that() {
    let mut rider = Rider::with(&["tunnel"]);
    for load in 2..1_000 {
        rider.receive("tunnel", &announce("Videos", &code(load)));
        rider.set("tunnel", u32::try_from(load).unwrap(), Relayed);
    }
    assert_eq!(rider.pages.rejected(), 998 - 8);
    assert_eq!(rider.shows, 16, "eight pages that were listed and removed");
}

#[test]
fn at_most_eight_pages_are_listed_and_the_next_one_follows() {
    let mut rider = Rider::new();
    for number in 0..100 {
        let name = format!("tunnel-{number}");
        rider.set(&name, 1, Relayed);
        rider.receive(&name, &announce(&format!("Page {number}"), &code(number)));
    }
    assert_eq!(rider.shown.len(), MAX_PAGES);
    assert_eq!(rider.asked.len(), MAX_COMPANIONS);
    rider.leave("tunnel-3");
    assert_eq!(rider.shown.len(), MAX_PAGES);
    assert_eq!(rider.names()[7], "Page 8");
}

#[test]
fn a_copy_of_another_companions_code_does_not_take_its_place() {
    let mut rider = Rider::with(&["tunnel", "thief"]);
    rider.receive("thief", &announce("Better videos", CODE));
    rider.receive("tunnel", &announce("Videos", CODE));
    assert_eq!(rider.names(), ["Videos"]);
}

#[test]
fn addresses_are_not_printed() {
    let mut rider = Rider::with(&["tunnel"]);
    rider.receive("tunnel", &announce("Videos", CODE));
    assert!(!format!("{:?}", rider.pages).contains(TOKEN));
}
