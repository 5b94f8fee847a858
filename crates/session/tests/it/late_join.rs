//! Riders who join a ride that is under way.

use session::{
    Intent,
    view::{Notice, Stage, Trace},
};

use crate::harness::{ANA, BEN, CEM, World, four_steps, half_minute, long_ride, ms, secs};

fn points(trace: &Trace) -> usize {
    trace.iter().flatten().count()
}

#[test]
fn a_late_rider_gets_the_workout_and_is_at_the_group_s_second() {
    let mut world = World::riding(1, 1, long_ride());
    world.run(secs(8));
    let ben = world.join_next();
    world.run_until("the ride", |world| *world.stage(ben) == Stage::Riding);
    assert_eq!(
        world.view(ben).workout.as_ref().unwrap().name(),
        "Long Ride"
    );
    let apart = world.elapsed(ANA).abs_diff(world.elapsed(ben));
    assert!(apart <= ms(300), "{apart:?}");
    assert_eq!(world.target(ben), Some(150));
}

#[test]
fn a_late_rider_rides_within_a_second_of_joining() {
    let mut world = World::riding(2, 2, long_ride());
    let cem = world.join_next();
    let after = world.run_until("the ride", |world| *world.stage(cem) == Stage::Riding);
    assert!(after <= secs(1), "{after:?}");
}

#[test]
fn a_late_rider_sees_the_last_numbers_of_all_at_once() {
    let mut world = World::riding(3, 2, long_ride());
    let cem = world.join_next();
    world.run(ms(500));
    assert_eq!(world.row(cem, "Ana").metrics.target, Some(120));
    assert_eq!(world.row(cem, "Ben").metrics.target, Some(150));
    assert!(world.row(cem, "Ben").metrics.power.is_some());
}

#[test]
fn a_newcomer_gets_the_last_numbers_even_of_a_page_whose_timers_stand_still() {
    let mut world = World::riding(4, 2, long_ride());
    world.stop_timers(BEN);
    let cem = world.join_next();
    world.run(secs(1));
    assert_eq!(world.row(cem, "Ben").metrics.target, Some(150));
    assert!(world.row(cem, "Ben").metrics.power.is_some());
}

#[test]
fn a_late_rider_is_in_the_interval_to_which_the_host_skipped() {
    let mut world = World::riding(5, 2, four_steps());
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(2));
    world.intend(ANA, Intent::Skip(1));
    world.run(secs(5));
    let cem = world.join_next();
    world.run(secs(1));
    assert_eq!(world.view(cem).progress.interval, 2);
    assert_eq!(world.target(cem), Some(256));
    let apart = world.position(ANA).abs_diff(world.position(cem));
    assert!(apart <= ms(300), "{apart:?}");
}

#[test]
fn a_late_rider_is_not_told_what_the_host_did_before() {
    let mut world = World::riding(6, 1, four_steps());
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(2));
    let ben = world.join_next();
    world.run(secs(5));
    assert_eq!(world.notices(ben), []);
}

#[test]
fn a_rider_who_joins_during_a_pause_sees_it() {
    let mut world = World::riding(7, 1, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(secs(5));
    let ben = world.join_next();
    world.run(secs(1));
    assert!(world.view(ben).progress.paused);
    assert_eq!(world.elapsed(ben), world.elapsed(ANA));
    assert_eq!(world.target(ben), None);
}

#[test]
fn a_rider_who_joins_during_the_countdown_starts_with_the_others() {
    let mut world = World::group(8, 1);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(5));
    let ben = world.join_next();
    world.run(secs(6));
    let starts = [ANA, ben].map(|at| world.first_shown(at, &Stage::Riding));
    let apart = starts[0].max(starts[1]) - starts[0].min(starts[1]);
    assert!(apart <= ms(25), "{apart:?}");
}

#[test]
fn a_rider_who_joins_after_the_end_sees_no_summary_of_a_ride_not_ridden() {
    let mut world = World::riding(9, 1, half_minute());
    world.run_until("the end", |world| *world.stage(ANA) == Stage::Ended);
    let ben = world.join_next();
    world.run(secs(5));
    assert_eq!(*world.stage(ben), Stage::Ended);
    assert_eq!(world.view(ben).summary, None);
}

#[test]
fn a_late_rider_sees_the_traces_of_what_the_others_rode_before() {
    let mut world = World::riding(10, 2, long_ride());
    world.run(secs(60));
    let cem = world.join_next();
    world.run(ms(1_500));
    // One point covers five seconds, so this cannot have been measured since.
    for name in ["Ana", "Ben"] {
        assert!(points(&world.row(cem, name).trace) >= 11, "{name}");
    }
}

#[test]
fn a_late_rider_has_a_rider_who_left_before_in_the_chart() {
    let mut world = World::riding(11, 2, long_ride());
    world.run(secs(30));
    world.intend(BEN, Intent::Leave);
    world.run(secs(2));
    let cem = world.join_next();
    world.intend(cem, Intent::SimulateTrainer);
    world.run(secs(15));
    world.intend(ANA, Intent::End);
    world.run(secs(2));
    for at in [ANA, cem] {
        let chart = world.view(at).chart.as_ref().unwrap();
        let ben = chart
            .others
            .iter()
            .find(|rider| rider.name == "Ben")
            .unwrap();
        assert_eq!(ben.number, None, "he has left");
        assert!(points(&ben.trace) >= 5);
        assert!(points(&chart.own) >= 2);
        assert_eq!(chart.others.len(), 2);
    }
}

#[test]
fn a_rider_who_reloads_has_the_whole_trace_of_all_and_of_the_own_ride() {
    let mut world = World::riding(12, 2, long_ride());
    world.run(secs(60));
    world.reload(BEN);
    world.run(secs(4));
    for name in ["Ana", "Ben"] {
        assert!(points(&world.row(BEN, name).trace) >= 11, "{name}");
    }
}

#[test]
fn the_trace_shows_power_in_percent_of_the_rider_s_own_ftp() {
    let mut world = World::riding(13, 2, long_ride());
    world.run(secs(60));
    for (at, name) in [(ANA, "Ben"), (BEN, "Ana"), (BEN, "Ben")] {
        let trace = &world.row(at, name).trace;
        let last = trace.iter().flatten().next_back().copied().unwrap();
        assert!((50..=70).contains(&last), "{name}: {last} %");
    }
}

#[test]
fn the_chart_of_the_summary_has_the_workout_as_it_was_ridden() {
    let mut world = World::riding(14, 2, four_steps());
    world.run(secs(18));
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(20));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let chart = world.view(BEN).chart.as_ref().unwrap();
    let lengths: Vec<_> = chart
        .ridden
        .intervals()
        .iter()
        .map(|it| it.duration)
        .collect();
    assert_eq!(lengths.len(), 2);
    for length in lengths {
        assert!(length.abs_diff(secs(20)) <= ms(600), "{length:?}");
    }
}

#[test]
fn riders_who_were_there_from_the_start_ask_for_no_history() {
    let mut world = World::group(15, 2);
    let raw = world.join_raw_peer();
    world.run(secs(3));
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(40));
    for at in [ANA, BEN] {
        let messages = world.raw_peer(raw).messages(&world.peer(at));
        let asks = |message: &ride::message::PeerMessage| {
            matches!(message, ride::message::PeerMessage::HistoryRequest { .. })
        };
        assert!(!messages.iter().any(asks));
    }
}

#[test]
fn a_late_rider_is_announced_to_those_who_ride() {
    let mut world = World::riding(16, 2, long_ride());
    world.join_next();
    world.run(secs(2));
    for at in [ANA, BEN] {
        assert_eq!(world.notices(at), [Notice::Joined("Cem".to_owned())]);
    }
    assert_eq!(world.listed(CEM), ["Ana", "Ben", "Cem"]);
}

#[test]
fn a_late_rider_has_the_workout_as_soon_as_the_server_has_let_the_rider_in() {
    let mut world = World::riding(17, 2, long_ride());
    let cem = world.join_next();
    let after = world.run_until("the workout", |world| world.view(cem).workout.is_some());
    assert!(after <= ms(150), "{after:?}");
}

#[test]
fn a_history_that_arrives_after_the_end_completes_the_chart() {
    let mut world = World::riding(18, 2, long_ride());
    world.run(secs(30));
    world.relay.delay = ms(150);
    world.direct.delay = ms(150);
    let cem = world.join_next();
    world.intend(ANA, Intent::End);
    world.run_until("the end", |world| *world.stage(cem) == Stage::Ended);
    world.run(secs(2));
    let chart = world.view(cem).chart.as_ref().unwrap();
    assert_eq!(chart.others.len(), 2);
    assert!(chart.others.iter().all(|rider| points(&rider.trace) >= 5));
}

#[test]
fn the_chart_lists_the_other_riders_by_their_numbers() {
    let mut world = World::group(19, 2);
    // Ids in another order than the numbers: Cem is peer-11.
    while world.server.sockets_opened() < 10 {
        world.drop_socket(BEN);
        world.run(secs(3));
    }
    world.gather(3);
    (0..3).for_each(|at| world.intend(at, Intent::SimulateTrainer));
    world.start(long_ride());
    world.run(secs(12));
    assert!(world.peer(CEM) < world.peer(BEN));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let others = &world.view(ANA).chart.as_ref().unwrap().others;
    let numbers: Vec<_> = others.iter().map(|rider| rider.number).collect();
    assert_eq!(numbers, [Some(2), Some(3)]);
}
