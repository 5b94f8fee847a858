//! Names of riders: two with the same, and those of riders who have left.

use session::{
    Intent,
    view::{EndedBy, Notice, Stage, numbered},
};

use crate::harness::{ANA, BEN, CEM, World, half_minute, long_ride, ms, secs};

/// Ana, and two riders of the same name.
fn two_bens(seed: u64) -> World {
    let mut world = World::group(seed, 1);
    for _ in 0..2 {
        let at = world.add_browser();
        world.open(at);
        world.enter(at, "Ben", 250);
    }
    world.run_until("direct links", World::all_direct);
    world.run(secs(4));
    world
}

#[test]
fn riders_of_one_name_are_told_apart_by_their_numbers() {
    let world = two_bens(1);
    for at in [ANA, BEN, CEM] {
        let rows = world.view(at).riders.iter();
        let shares: Vec<_> = rows.map(|row| (row.number, row.shares_name)).collect();
        assert_eq!(shares, [(1, false), (2, true), (3, true)]);
    }
    let joined = Notice::Joined(numbered("Ben", 3));
    assert!(world.has_notice(ANA, &joined), "{:?}", world.notices(ANA));
}

#[test]
fn names_that_only_look_the_same_are_told_apart_too() {
    let mut world = World::group(2, 1);
    for name in ["Ben  B", "be\u{200d}n b"] {
        let at = world.add_browser();
        world.open(at);
        world.enter(at, name, 250);
    }
    world.run(secs(5));
    let rows = world.view(ANA).riders.iter();
    let shares: Vec<_> = rows.map(|row| row.shares_name).collect();
    assert_eq!(shares, [false, true, true]);
}

#[test]
fn notices_about_riders_of_one_name_say_which_one() {
    let mut world = two_bens(3);
    world.forget_notices();
    world.intend(CEM, Intent::Leave);
    world.run(ms(300));
    let left = Notice::Left(numbered("Ben", 3));
    assert!(world.has_notice(ANA, &left), "{:?}", world.notices(ANA));
    assert!(!world.view(ANA).riders[1].shares_name, "one Ben is left");
}

#[test]
fn a_new_host_who_shares_a_name_is_named_with_the_number() {
    let mut world = two_bens(4);
    world.forget_notices();
    world.intend(ANA, Intent::Leave);
    world.run(ms(300));
    let new_host = Notice::NewHost(numbered("Ben", 2));
    assert!(world.has_notice(CEM, &new_host), "{:?}", world.notices(CEM));
}

#[test]
fn a_rider_who_comes_back_when_the_host_has_vanished_still_knows_the_name() {
    let mut world = World::riding(5, 2, long_ride());
    world.run(secs(5));
    world.close_page(BEN);
    world.run(secs(2));
    world.crash(ANA);
    world.run(secs(1));
    world.open(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    assert_eq!(world.listed(BEN), ["Ana", "Ben"]);
    world.run(secs(40));
    assert!(world.has_notice(BEN, &Notice::Gone("Ana".to_owned())));
}

#[test]
fn a_rider_who_was_offline_at_the_end_is_told_who_ended_the_ride_and_when() {
    let mut world = World::riding(6, 3, long_ride());
    world.run(secs(10));
    world.go_offline(BEN);
    world.run(secs(10));
    world.intend(ANA, Intent::End);
    world.run(ms(500));
    let EndedBy::Me(at) = world.view(ANA).ended_by.clone().unwrap() else {
        panic!("Ana ended the ride");
    };
    world.run(secs(20));
    world.intend(ANA, Intent::Leave);
    world.run(secs(1));
    assert_eq!(*world.stage(BEN), Stage::Riding);
    world.go_online(BEN);
    world.run_until("the summary", |world| *world.stage(BEN) == Stage::Ended);
    let Some(EndedBy::Rider(name, told)) = world.view(BEN).ended_by.clone() else {
        panic!("{:?}", world.view(BEN).ended_by);
    };
    assert_eq!(name, "Ana");
    let at = at.before(world.tabs[ANA].wall_lead);
    let told = told.before(world.tabs[BEN].wall_lead);
    assert!(at.since(told).max(told.since(at)) <= secs(1));
    // What was ridden without the group is kept.
    let ridden = world.view(BEN).summary.as_ref().unwrap().figures.duration;
    assert!(ridden.abs_diff(secs(43)) <= secs(2), "{ridden:?}");
}

#[test]
fn a_rider_who_was_offline_at_the_end_sees_the_whole_ride_of_all_in_the_chart() {
    let mut world = World::riding(7, 3, long_ride());
    world.run(secs(10));
    world.go_offline(BEN);
    world.run(secs(40));
    world.intend(ANA, Intent::End);
    world.run(secs(5));
    world.intend(ANA, Intent::Leave);
    world.run(secs(1));
    world.go_online(BEN);
    world.run_until("the summary", |world| *world.stage(BEN) == Stage::Ended);
    world.run(secs(8));
    let chart = world.view(BEN).chart.clone().unwrap();
    let names: Vec<_> = chart.others.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["Cem", "Ana"], "riders present come first");
    for line in &chart.others {
        let points = line.trace.iter().flatten().count();
        assert!((9..=11).contains(&points), "{}: {points}", line.name);
    }
}

#[test]
fn riders_who_stayed_get_what_a_rider_rode_while_offline() {
    let mut world = World::riding(8, 3, long_ride());
    world.run(secs(10));
    world.go_offline(BEN);
    world.run(secs(25));
    world.go_online(BEN);
    world.run_until("direct again", World::all_direct);
    world.run(secs(15));
    world.intend(ANA, Intent::End);
    world.run(secs(2));
    let chart = world.view(ANA).chart.clone().unwrap();
    let ben = chart.others.iter().find(|line| line.name == "Ben").unwrap();
    let gaps = ben.trace.iter().filter(|point| point.is_none()).count();
    assert!(gaps <= 1, "{:?}", ben.trace);
}

#[test]
fn a_ride_that_ends_with_its_workout_was_ended_by_no_rider() {
    let mut world = World::riding(9, 2, half_minute());
    world.run_until("the end", |world| *world.stage(BEN) == Stage::Ended);
    assert_eq!(world.view(BEN).ended_by, None);
}

#[test]
fn the_summary_of_a_ride_that_was_closed_names_its_host() {
    let mut world = World::riding(10, 2, long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::CloseRide);
    world.run(ms(300));
    assert!(matches!(world.view(ANA).ended_by, Some(EndedBy::Me(_))));
    let ended_by = world.view(BEN).ended_by.clone();
    assert!(
        matches!(&ended_by, Some(EndedBy::Rider(name, _)) if name == "Ana"),
        "{ended_by:?}"
    );
}
