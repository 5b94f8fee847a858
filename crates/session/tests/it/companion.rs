//! Companions that share a page with the riders.

use protocol::peer::{DeliveryClass, PeerId};
use ride::page::{Page, PageMessage};
use rooms::room::RoomSettings;
use session::{
    Intent,
    companion::CompanionState,
    view::{JoinError, Stage},
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

const CODE: &str = "abcdefghij234567";
const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz234567";

const IN_RIDE: CompanionState = CompanionState::InRide { is_online: true };

fn page(name: &str) -> Page {
    Page {
        name: name.parse().unwrap(),
        code: CODE.parse().unwrap(),
        token: TOKEN.parse().unwrap(),
    }
}

/// A group whose pages have loaded the list, on a server with tunnels.
fn group(seed: u64, riders: usize) -> World {
    let settings = RoomSettings {
        tunnel_origin: Some("http://*.localhost:3002".to_owned()),
        ..RoomSettings::default()
    };
    let mut world = World::with_settings(seed, settings);
    world.gather(riders);
    for at in 0..riders {
        world.load_exchange(at);
        world.intend(at, Intent::WatchLinks(true));
    }
    world.run(secs(1));
    world
}

/// The group, and a companion in the ride.
fn with_companion(seed: u64, riders: usize) -> (World, usize) {
    let mut world = group(seed, riders);
    let companion = world.open_companion(page("Route videos"));
    world.run(secs(2));
    assert_eq!(world.companion(companion), IN_RIDE);
    (world, companion)
}

fn names(world: &World, at: usize) -> Vec<&str> {
    let pages = world.tabs[at].exchange.pages.iter();
    pages.map(|page| page.name.as_str()).collect()
}

fn rejected(world: &World, at: usize) -> u64 {
    world.view(at).network.ignored
}

/// Id of the only member who does not ride, as a rider sees it.
fn companion_id(world: &World) -> PeerId {
    let [companion] = &world.view(ANA).others[..] else {
        panic!("not one companion");
    };
    companion.peer.clone()
}

fn announcements(world: &World, at: usize) -> usize {
    let received = world.raw_peer(at).received.iter();
    let pages = received
        .filter(|(.., bytes)| matches!(PageMessage::decode(bytes), Ok(PageMessage::Announce(_))));
    pages.count()
}

#[test]
fn all_riders_see_the_page_of_a_companion_which_has_no_row() {
    let (mut world, _) = with_companion(1, 2);
    for at in [ANA, BEN] {
        assert_eq!(names(&world, at), ["Route videos"]);
        let address = format!("http://{CODE}.localhost:3002/#{TOKEN}");
        assert_eq!(world.tabs[at].exchange.pages[0].address.as_str(), address);
        assert_eq!(world.listed(at), ["Ana", "Ben"]);
        assert_eq!(rejected(&world, at), 0);
    }
    // A rider who joins later, during the ride.
    world.start(long_ride());
    world.run(secs(15));
    let late = world.join_next();
    world.load_exchange(late);
    world.run(secs(2));
    assert_eq!(names(&world, late), ["Route videos"]);
    assert_eq!(names(&world, ANA), ["Route videos"]);
}

#[test]
fn a_page_that_is_reloaded_asks_again() {
    let (mut world, _) = with_companion(2, 2);
    world.reload(BEN);
    world.run(secs(1));
    world.load_exchange(BEN);
    world.run(secs(2));
    assert_eq!(names(&world, BEN), ["Route videos"]);
}

#[test]
fn the_host_removes_a_companion_for_good() {
    let (mut world, companion) = with_companion(3, 2);
    let peer = companion_id(&world);
    let reason = "Wrong ride.".to_owned();
    world.intend(ANA, Intent::Kick { peer, reason });
    world.run(secs(1));
    for at in [ANA, BEN] {
        assert!(names(&world, at).is_empty());
    }
    let removed = CompanionState::Removed {
        reason: "Wrong ride.".to_owned(),
    };
    assert_eq!(world.companion(companion), removed);
    let sockets = world.tabs[companion].sockets_opened;
    world.run(secs(60));
    assert_eq!(world.companion(companion), removed);
    assert_eq!(world.tabs[companion].sockets_opened, sockets);
}

#[test]
fn a_companion_ends_with_the_ride() {
    let (mut world, companion) = with_companion(4, 2);
    world.intend(ANA, Intent::CloseRide);
    world.run(secs(1));
    assert_eq!(world.companion(companion), CompanionState::RideEnded);
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::Closed));
    assert!(names(&world, BEN).is_empty());
}

#[test]
fn a_companion_that_loses_its_network_comes_back_as_the_same_member() {
    let (mut world, companion) = with_companion(5, 2);
    let peer = companion_id(&world);
    world.go_offline(companion);
    world.run(secs(10));
    assert_eq!(
        world.companion(companion),
        CompanionState::InRide { is_online: false }
    );
    assert_eq!(names(&world, ANA), ["Route videos"]);
    world.go_online(companion);
    world.run(secs(10));
    assert_eq!(world.companion(companion), IN_RIDE);
    assert_eq!(companion_id(&world), peer);
    assert_eq!(names(&world, ANA), ["Route videos"]);
}

#[test]
fn a_companion_that_was_killed_is_listed_for_half_a_minute_and_again_once_it_is_back() {
    let (mut world, companion) = with_companion(6, 2);
    world.crash(companion);
    world.run(secs(20));
    assert_eq!(names(&world, BEN), ["Route videos"]);
    world.run(secs(20));
    assert!(names(&world, BEN).is_empty());
    world.open_companion(page("Route videos"));
    world.run(secs(2));
    assert_eq!(names(&world, BEN), ["Route videos"]);
}

#[test]
fn a_companion_survives_a_restart_of_the_server() {
    let (mut world, companion) = with_companion(7, 3);
    world.start(long_ride());
    world.run(secs(15));
    world.kill_server();
    world.run(secs(8));
    assert_eq!(names(&world, BEN), ["Route videos"], "it may still be open");
    world.start_server();
    world.run(secs(20));
    assert_eq!(world.companion(companion), IN_RIDE);
    for at in [ANA, BEN, CEM] {
        assert_eq!(names(&world, at), ["Route videos"]);
    }
}

#[test]
fn a_companion_ends_when_the_server_knows_the_ride_no_more() {
    let (mut world, companion) = with_companion(8, 1);
    world.kill_server();
    world.run(secs(2));
    world.start_server_with_another_secret();
    world.run(secs(30));
    assert_eq!(world.companion(companion), CompanionState::RideEnded);
}

#[test]
fn a_companion_is_refused_with_the_reason() {
    let mut world = group(9, 1);
    world.intend(ANA, Intent::Lock(true));
    world.run(secs(1));
    let companion = world.open_companion(page("Route videos"));
    world.run(secs(2));
    let refused = CompanionState::Refused(JoinError::Locked);
    assert_eq!(world.companion(companion), refused);
    world.kill_server();
    let companion = world.open_companion(page("Route videos"));
    assert_eq!(world.companion(companion), CompanionState::Joining);
    world.run(secs(30));
    let refused = CompanionState::Refused(JoinError::Unreachable);
    assert_eq!(world.companion(companion), refused);
}

#[test]
fn a_companion_that_is_closed_leaves_at_once() {
    let (mut world, companion) = with_companion(10, 1);
    world.navigate_away(companion);
    world.run(secs(1));
    assert!(names(&world, ANA).is_empty() && world.view(ANA).others.is_empty());
}

#[test]
fn a_server_without_tunnels_has_no_list() {
    let mut world = World::group(11, 1);
    world.load_exchange(ANA);
    let companion = world.open_companion(page("Route videos"));
    world.run(secs(60));
    assert_eq!(world.companion(companion), IN_RIDE);
    assert!(names(&world, ANA).is_empty());
}

#[test]
fn a_companion_answers_each_member_once_a_second() {
    let (mut world, _) = with_companion(12, 1);
    let flood = world.join_raw_peer();
    world.run(secs(1));
    let to = companion_id(&world);
    for _ in 0..200 {
        world.feed_node(
            flood,
            mesh::node::Input::Send {
                to: to.clone(),
                class: DeliveryClass::Control,
                payload: PageMessage::Ask.encode(),
            },
        );
        world.run(ms(20));
    }
    world.run(secs(1));
    let count = announcements(&world, flood);
    assert!((3..=6).contains(&count), "{count} answers in 4 s");
    // The others are answered as before.
    let late = world.join_next();
    world.load_exchange(late);
    world.run(secs(2));
    assert_eq!(names(&world, late), ["Route videos"]);
}

#[test]
fn programs_are_not_told_the_page_of_another_one() {
    let (mut world, _) = with_companion(13, 1);
    let to = companion_id(&world);
    for thief in [world.join_raw_companion(), world.join_raw_bridge()] {
        world.feed_node(
            thief,
            mesh::node::Input::Send {
                to: to.clone(),
                class: DeliveryClass::Control,
                payload: PageMessage::Ask.encode(),
            },
        );
        world.run(secs(2));
        assert_eq!(announcements(&world, thief), 0);
    }
}

#[test]
fn a_rider_who_announces_a_page_and_a_companion_that_floods_change_nothing() {
    let (mut world, _) = with_companion(14, 2);
    let rider = world.join_raw_peer();
    let companion = world.join_raw_companion();
    world.run(secs(1));
    for number in 0..100_u8 {
        let mut other = page(&format!("Prize {number}"));
        let letter = char::from(b'a' + number % 26);
        other.code = letter.to_string().repeat(16).parse().unwrap();
        let payload = PageMessage::Announce(other).encode();
        world.send_raw(rider, BEN, DeliveryClass::Control, payload.clone());
        world.send_raw(companion, BEN, DeliveryClass::Control, payload);
        world.run(ms(20));
    }
    world.run(secs(2));
    // The companion's first page is as good as any.
    assert_eq!(names(&world, BEN), ["Route videos", "Prize 0"]);
    assert_eq!(rejected(&world, BEN), 199);
    assert_eq!(names(&world, ANA), ["Route videos"]);
}
