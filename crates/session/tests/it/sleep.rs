//! Computers that sleep, and pages that are hidden or stand still.

use protocol::peer::LinkState;
use session::{
    Intent,
    view::{Notice, ServerConnection, Stage},
};

use crate::harness::{
    ANA, BEN, CEM, ClockInSleep, World, four_steps, half_minute, long_ride, ms, secs,
};

const CLOCKS: [ClockInSleep; 2] = [ClockInSleep::StandsStill, ClockInSleep::RunsOn];

#[test]
fn a_computer_that_wakes_is_at_the_group_s_second_again() {
    for (seed, clock) in (1..).zip(CLOCKS) {
        let mut world = World::riding(seed, 2, long_ride());
        world.sleep(BEN, secs(20), clock);
        world.run(secs(3));
        let apart = world.elapsed(ANA).abs_diff(world.elapsed(BEN));
        assert!(apart <= ms(300), "{clock:?}: {apart:?}");
        world.run_until("direct again", World::all_direct);
        assert!(world.group_time_spread() <= 50, "{clock:?}");
    }
}

#[test]
fn a_computer_that_sleeps_is_away_for_the_others_and_returns_to_its_row() {
    let mut world = World::riding(3, 2, long_ride());
    let row = world.row(ANA, "Ben").id;
    world.fall_asleep(BEN, ClockInSleep::StandsStill);
    world.run(secs(8));
    assert_eq!(world.link(ANA, "Ben"), LinkState::Away);
    world.run(secs(12));
    world.wake_up(BEN);
    world.run_until("direct again", World::all_direct);
    assert_eq!(world.row(ANA, "Ben").id, row);
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn the_seconds_slept_are_a_gap_in_the_recording() {
    for (seed, clock) in (4..).zip(CLOCKS) {
        let mut world = World::riding(seed, 2, long_ride());
        world.run(secs(8));
        world.sleep(BEN, secs(20), clock);
        world.run(secs(10));
        world.intend(ANA, Intent::End);
        world.run(secs(1));
        let samples = world.download(BEN).samples;
        let with_power = samples
            .iter()
            .filter(|sample| sample.power.is_some())
            .count();
        assert!((17..=25).contains(&with_power), "{clock:?}: {with_power}");
    }
}

#[test]
fn a_computer_that_wakes_after_the_end_shows_the_summary_up_to_the_end() {
    let mut world = World::riding(6, 2, half_minute());
    world.run(secs(3));
    world.fall_asleep(BEN, ClockInSleep::RunsOn);
    world.run(secs(60));
    world.wake_up(BEN);
    world.run_until("the summary", |world| *world.stage(BEN) == Stage::Ended);
    let duration = world.view(BEN).summary.as_ref().unwrap().figures.duration;
    assert!(duration <= secs(30), "{duration:?}");
    assert!(!world.tabs[BEN].screen_is_kept_on);
}

#[test]
fn a_computer_that_sleeps_with_its_clock_over_the_end_shows_the_summary_too() {
    let mut world = World::riding(7, 2, half_minute());
    world.run(secs(3));
    world.sleep(BEN, secs(60), ClockInSleep::StandsStill);
    world.run_until("the summary", |world| *world.stage(BEN) == Stage::Ended);
    let duration = world.view(BEN).summary.as_ref().unwrap().figures.duration;
    assert!(duration <= secs(31), "{duration:?}");
}

#[test]
fn a_computer_that_sleeps_during_the_countdown_is_in_the_ride_when_it_wakes() {
    let mut world = World::group(9, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(2));
    world.sleep(BEN, secs(15), ClockInSleep::StandsStill);
    world.run(secs(3));
    assert_eq!(*world.stage(BEN), Stage::Riding);
    assert!(world.elapsed(ANA).abs_diff(world.elapsed(BEN)) <= ms(300));
}

#[test]
fn a_host_who_sleeps_is_succeeded_and_told_so_on_waking() {
    let mut world = World::riding(10, 3, long_ride());
    world.fall_asleep(ANA, ClockInSleep::RunsOn);
    world.run_until("a new host", |world| world.host(CEM) == "Ben");
    world.run(secs(5));
    world.wake_up(ANA);
    world.run_until("the new host", |world| world.host(ANA) == "Ben");
    assert!(world.has_notice(ANA, &Notice::NewHost("Ben".to_owned())));
    world.run(secs(1));
    assert!(world.view(ANA).can_reclaim);
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    assert!(!world.view(CEM).progress.paused, "she is not host any more");
}

#[test]
fn a_change_of_a_host_who_just_woke_up_does_not_count() {
    let mut world = World::riding(11, 3, four_steps());
    world.fall_asleep(ANA, ClockInSleep::RunsOn);
    world.run_until("a new host", |world| world.host(CEM) == "Ben");
    world.run(secs(5));
    world.wake_up(ANA);
    // She still believes to be host.
    world.intend(ANA, Intent::Skip(0));
    world.run(secs(15));
    let intervals = [ANA, BEN, CEM].map(|at| world.view(at).progress.interval);
    assert_eq!(intervals, [0; 3]);
}

#[test]
fn a_whole_group_that_sleeps_finds_itself_again() {
    let mut world = World::riding(12, 3, long_ride());
    (0..3).for_each(|at| world.fall_asleep(at, ClockInSleep::RunsOn));
    world.run(secs(20));
    (0..3).for_each(|at| world.wake_up(at));
    world.run_until("direct again", World::all_direct);
    world.run(secs(2));
    let times = [ANA, BEN, CEM].map(|at| world.elapsed(at));
    assert!(
        times
            .iter()
            .max()
            .unwrap()
            .abs_diff(*times.iter().min().unwrap())
            <= ms(300)
    );
}

#[test]
fn a_rider_who_slept_for_half_an_hour_can_return() {
    let mut world = World::riding(13, 2, long_ride());
    world.sleep(BEN, secs(1_800), ClockInSleep::StandsStill);
    world.run_until("direct again", World::all_direct);
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
    world.run(secs(1));
    let apart = world.elapsed(ANA).abs_diff(world.elapsed(BEN));
    assert!(apart <= ms(300), "{apart:?}");
}

#[test]
fn a_hidden_page_rides_on() {
    let mut world = World::riding(14, 2, long_ride());
    world.hide(BEN);
    world.run_while(secs(30), "a direct link with fresh metrics", |world| {
        world.link(ANA, "Ben") == LinkState::Direct && !world.row(ANA, "Ben").stale
    });
    world.show(BEN);
    assert_eq!(world.view(BEN).connection, ServerConnection::Online);
    assert!(world.elapsed(ANA).abs_diff(world.elapsed(BEN)) <= ms(300));
}

#[test]
fn showing_a_page_with_a_working_socket_opens_no_other() {
    let mut world = World::group(15, 2);
    let sockets = world.tabs[BEN].sockets_opened;
    world.hide(BEN);
    world.run(secs(5));
    world.show(BEN);
    world.run(secs(5));
    assert_eq!(world.tabs[BEN].sockets_opened, sockets);
}

#[test]
fn a_page_that_stands_still_for_two_seconds_loses_nothing() {
    let mut world = World::riding(16, 2, long_ride());
    world.freeze(BEN);
    world.run(ms(500));
    world.intend(ANA, Intent::Pause);
    world.run(ms(1_500));
    world.wake_up(BEN);
    world.run(ms(300));
    assert!(world.view(BEN).progress.paused);
    world.run_until("direct again", World::all_direct);
    assert_eq!(world.notices(ANA), []);
}

/// Seconds of the wall clock.
fn wall_seconds(world: &World, at: usize) -> u64 {
    1_800_000_000 + (world.now.since_origin() + world.tabs[at].wall_lead).as_secs()
}

#[test]
fn after_a_night_asleep_a_rider_alone_rides_on_and_the_file_has_the_seconds_ridden_at_their_time() {
    for (seed, clock) in (20..).zip(CLOCKS) {
        let mut world = World::new(seed);
        let at = world.open_solo();
        world.run(ms(300));
        world.start(long_ride());
        world.run(secs(20));
        let started = wall_seconds(&world, at) - 20;
        let before = world.elapsed(at);
        world.sleep(at, secs(28_800), clock);
        world.run(secs(10));
        let ridden = world.elapsed(at);
        assert!(
            ridden.abs_diff(before + secs(10)) <= ms(300),
            "{clock:?}: {ridden:?}"
        );
        world.intend(at, Intent::End);
        world.run(secs(1));
        let now = wall_seconds(&world, at);
        let (activity, file) = world.download_file(at);
        let samples = activity.recording.samples;
        assert!(
            samples.len().abs_diff(30) <= 2,
            "{clock:?}: {} s",
            samples.len()
        );
        assert!(samples[0].at.unix_seconds().abs_diff(started) <= 1);
        let last = samples[samples.len() - 1].at.unix_seconds();
        assert!(last.abs_diff(now) <= 2, "{clock:?}: {last} at {now}");
        assert_eq!(file.name, "gruppetto-long-ride-2027-01-15.fit");
        let duration = world.view(at).summary.as_ref().unwrap().figures.duration;
        assert!(duration.abs_diff(secs(30)) <= secs(2), "{duration:?}");
    }
}

#[test]
fn a_reload_after_a_night_asleep_fills_no_empty_seconds_into_the_recording() {
    let mut world = World::riding(22, 1, long_ride());
    world.run(secs(20));
    world.sleep(ANA, secs(28_800), ClockInSleep::StandsStill);
    world.run_until("a stage", |world| *world.stage(ANA) == Stage::Riding);
    world.run(secs(5));
    world.reload(ANA);
    world.run(secs(10));
    assert_eq!(*world.stage(ANA), Stage::Riding, "the ride has waited");
    let ridden = world.elapsed(ANA);
    assert!(ridden < secs(60), "{ridden:?}");
    world.intend(ANA, Intent::Leave);
    world.run(secs(1));
    let samples = world.download(ANA).samples;
    assert!((30..=45).contains(&samples.len()), "{} s", samples.len());
    let last = samples[samples.len() - 1].at.unix_seconds();
    assert!(last.abs_diff(wall_seconds(&world, ANA)) <= 3);
}

#[test]
fn a_pause_that_a_running_page_slept_through_is_neither_recorded_nor_ridden() {
    for (seed, clock) in (23..).zip(CLOCKS) {
        let mut world = World::riding(seed, 2, long_ride());
        world.run(secs(8));
        world.fall_asleep(BEN, clock);
        world.run(secs(2));
        world.intend(ANA, Intent::Pause);
        world.run(secs(60));
        world.intend(ANA, Intent::Resume);
        world.run(secs(5));
        world.wake_up(BEN);
        world.run(secs(6));
        let apart = world.elapsed(ANA).abs_diff(world.elapsed(BEN));
        assert!(apart <= ms(300), "{clock:?}: {apart:?}");
        world.run(secs(4));
        let ridden = world.elapsed(ANA).as_secs();
        world.intend(ANA, Intent::End);
        world.run(secs(1));
        let samples = world.download(BEN).samples.len() as u64;
        assert!(
            samples <= ridden + 1,
            "{clock:?}: {samples} s in a ride of {ridden} s"
        );
        assert!(
            samples + 10 >= ridden,
            "{clock:?}: {samples} s in a ride of {ridden} s"
        );
    }
}
