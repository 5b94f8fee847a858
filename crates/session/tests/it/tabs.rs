//! Several tabs of one browser.

use protocol::peer::LinkState;
use session::{
    Intent,
    view::{DeviceState, Stage},
};

use crate::harness::{ANA, BEN, World, long_ride, ms, secs};

fn asks_for(names: &[&str]) -> Stage {
    let known = names.iter().map(|name| (*name).to_owned()).collect();
    Stage::ChooseRider { known }
}

#[test]
fn a_second_tab_asks_whether_to_resume_as_the_rider_of_the_first() {
    let mut world = World::group(1, 1);
    let second = world.add_tab(ANA);
    world.open(second);
    assert_eq!(*world.stage(second), asks_for(&["Ana"]));
    assert_eq!(*world.stage(ANA), Stage::Lobby, "the first tab stays");
}

#[test]
fn a_copy_of_a_tab_that_rides_asks_before_it_takes_over() {
    let mut world = World::group(2, 1);
    let copy = world.add_tab(ANA);
    world.tabs[copy].storage = world.tabs[ANA].storage.clone();
    world.open(copy);
    assert_eq!(*world.stage(copy), asks_for(&["Ana"]));
    assert_eq!(*world.stage(ANA), Stage::Lobby);
}

#[test]
fn a_second_tab_can_take_over_and_the_first_one_says_so() {
    let mut world = World::riding(3, 2, long_ride());
    let peer = world.peer(ANA);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.run_until("the ride", |world| *world.stage(second) == Stage::Riding);
    assert_eq!(world.peer(second), peer);
    assert_eq!(*world.stage(ANA), Stage::TakenOver);
    world.run(secs(1));
    assert_eq!(world.listed(BEN), ["Ana", "Ben"]);
}

#[test]
fn a_tab_that_was_taken_over_stops_its_trainer_and_lets_the_screen_turn_off() {
    let mut world = World::riding(4, 1, long_ride());
    assert!(world.tabs[ANA].screen_is_kept_on);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.run(secs(1));
    assert_eq!(*world.trainer(ANA), DeviceState::None);
    assert!(!world.tabs[ANA].screen_is_kept_on);
    assert!(world.tabs[second].screen_is_kept_on);
}

#[test]
fn a_tab_that_was_taken_over_opens_no_socket_any_more() {
    let mut world = World::group(5, 2);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.run(secs(1));
    let sockets = world.tabs[ANA].sockets_opened;
    world.run(secs(60));
    assert_eq!(world.tabs[ANA].sockets_opened, sockets);
    assert_eq!(*world.stage(ANA), Stage::TakenOver);
    assert_eq!(*world.stage(second), Stage::Lobby);
}

#[test]
fn the_first_tab_can_take_the_ride_back() {
    let mut world = World::riding(6, 2, long_ride());
    let peer = world.peer(ANA);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.run(secs(2));
    world.intend(ANA, Intent::TakeOver);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    assert_eq!(*world.stage(second), Stage::TakenOver);
    assert_eq!(world.peer(ANA), peer);
    world.run_until("a direct link", |world| {
        world.link(BEN, "Ana") == LinkState::Direct
    });
    assert_eq!(world.listed(BEN), ["Ana", "Ben"]);
}

#[test]
fn the_recording_goes_on_in_the_tab_that_takes_over() {
    let mut world = World::riding(7, 1, long_ride());
    world.run(secs(10));
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::ResumeAs(0));
    world.run(secs(10));
    world.intend(second, Intent::End);
    world.run(secs(1));
    let recording = world.download(second);
    let with_power = recording
        .samples
        .iter()
        .filter(|sample| sample.power.is_some());
    assert!(with_power.count() >= 20, "both tabs' seconds");
}

#[test]
fn a_second_tab_can_join_as_another_rider() {
    let mut world = World::group(8, 1);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::JoinAsNewRider);
    assert_eq!(*world.stage(second), Stage::EnterName);
    world.enter(second, "Dora", 180);
    world.run(secs(1));
    assert_eq!(world.listed(ANA), ["Ana", "Dora"]);
    assert_eq!(world.listed(second), ["Ana", "Dora"]);
    assert_ne!(world.peer(ANA), world.peer(second));
}

#[test]
fn two_tabs_of_one_browser_each_resume_as_their_own_rider() {
    let mut world = World::group(9, 1);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::JoinAsNewRider);
    world.enter(second, "Dora", 180);
    world.run(secs(3));
    for at in [ANA, second] {
        world.reload(at);
        world.run(ms(500));
    }
    assert_eq!(world.own_row(ANA).name, "Ana");
    assert_eq!(world.own_row(second).name, "Dora");
    assert_eq!(world.listed(ANA), ["Ana", "Dora"]);
}

#[test]
fn a_third_tab_offers_both_riders_of_the_browser_the_newest_first() {
    let mut world = World::group(10, 1);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::JoinAsNewRider);
    world.enter(second, "Dora", 180);
    world.crash(ANA);
    world.run(secs(3));
    let third = world.add_tab(ANA);
    world.open(third);
    assert_eq!(*world.stage(third), asks_for(&["Dora", "Ana"]));
    world.intend(third, Intent::ResumeAs(1));
    world.run_until("the lobby", |world| *world.stage(third) == Stage::Lobby);
    assert_eq!(world.own_row(third).name, "Ana");
}

#[test]
fn two_riders_of_one_name_and_one_browser_are_offered_with_their_numbers() {
    let mut world = World::group(12, 1);
    let second = world.add_tab(ANA);
    world.open(second);
    world.intend(second, Intent::JoinAsNewRider);
    world.enter(second, "Ana", 180);
    world.run(secs(3));
    let third = world.add_tab(ANA);
    world.open(third);
    let Stage::ChooseRider { known } = world.stage(third) else {
        panic!("{:?}", world.stage(third));
    };
    let mut known = known.clone();
    known.sort();
    assert_eq!(known, ["Ana (1)", "Ana (2)"]);
}

#[test]
fn a_locked_or_full_ride_still_asks_a_known_browser_which_rider_it_is() {
    let mut world = World::group(11, 2);
    world.intend(ANA, Intent::Lock(true));
    world.run(ms(100));
    world.crash(BEN);
    world.open(BEN);
    assert_eq!(*world.stage(BEN), asks_for(&["Ben"]));
    world.intend(BEN, Intent::ResumeAs(0));
    world.run_until("the lobby", |world| *world.stage(BEN) == Stage::Lobby);
}
