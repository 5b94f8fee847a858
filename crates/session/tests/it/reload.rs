//! Reloads and crashes of a page.

use protocol::peer::LinkState;
use session::{
    Intent,
    view::{DeviceState, Notice, ServerConnection, Stage},
};

use crate::harness::{ANA, BEN, World, half_minute, long_ride, ms, secs};

fn asks_for(name: &str) -> Stage {
    Stage::ChooseRider {
        known: vec![name.to_owned()],
    }
}

#[test]
fn a_reloaded_page_resumes_as_the_same_rider_without_asking() {
    let mut world = World::group(1, 2);
    let peer = world.peer(BEN);
    world.tabs[BEN].stages.clear();
    world.reload(BEN);
    world.run_until("the lobby", |world| *world.stage(BEN) == Stage::Lobby);
    assert_eq!(world.peer(BEN), peer);
    let asked = |stage: &Stage| matches!(stage, Stage::EnterName | Stage::ChooseRider { .. });
    assert!(!world.tabs[BEN].stages.iter().any(|(_, stage)| asked(stage)));
    world.run(secs(5));
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
}

#[test]
fn a_page_that_has_lost_its_signing_key_joins_as_a_new_rider() {
    let mut world = World::group(2, 2);
    let former = world.peer(BEN);
    world.close_page(BEN);
    world.run(secs(1));
    let identity = &mut world.tabs[BEN].storage.identity;
    identity.as_mut().expect("a stored rider").seed = [9; 32];
    world.open(BEN);
    world.run_until("the question for a name", |world| {
        *world.stage(BEN) == Stage::EnterName
    });
    world.enter(BEN, "Ben", 200);
    world.run_until("the lobby", |world| *world.stage(BEN) == Stage::Lobby);
    assert_ne!(world.peer(BEN), former);
    world.run(secs(5));
    assert!(world.listed(ANA).contains(&"Ben"));
}

#[test]
fn a_reload_is_not_announced_as_leaving_or_joining() {
    let mut world = World::group(2, 2);
    world.reload(BEN);
    world.run(secs(10));
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn a_reloaded_page_is_at_the_group_s_second() {
    let mut world = World::riding(3, 2, long_ride());
    world.run(secs(6));
    world.reload(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    let apart = world.elapsed(ANA).abs_diff(world.elapsed(BEN));
    assert!(apart <= ms(300), "{apart:?}");
    assert!(world.group_time_spread() <= 25);
}

#[test]
fn a_reloaded_page_keeps_its_simulator_and_rides_on_at_once() {
    let mut world = World::riding(4, 2, long_ride());
    world.run(secs(3));
    world.reload(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    assert_eq!(*world.trainer(BEN), DeviceState::Simulated);
    assert_eq!(world.target(BEN), Some(150));
    world.run(secs(2));
    assert!(world.row(ANA, "Ben").metrics.power > Some(50));
}

#[test]
fn a_reloaded_page_gets_its_direct_link_back() {
    let mut world = World::group(5, 2);
    world.reload(BEN);
    world.run_until("both direct", World::all_direct);
    assert_eq!(world.link(ANA, "Ben"), LinkState::Direct);
}

#[test]
fn a_reloaded_page_keeps_the_ready_flag() {
    let mut world = World::group(6, 2);
    world.intend(BEN, Intent::SetReady(true));
    world.run(ms(300));
    world.reload(BEN);
    world.run(secs(2));
    assert!(world.view(BEN).ready);
    assert!(world.row(ANA, "Ben").ready);
}

#[test]
fn the_recording_of_a_reloaded_page_goes_on_with_a_gap() {
    let mut world = World::riding(7, 2, half_minute());
    world.run(secs(6));
    world.close_page(BEN);
    world.run(secs(3));
    world.open(BEN);
    world.run_until("the summary", |world| *world.stage(BEN) == Stage::Ended);
    let samples = world.download(BEN).samples;
    let seconds = samples.iter().map(|sample| sample.at.unix_seconds());
    let seconds: Vec<_> = seconds.collect();
    let whole = seconds[seconds.len() - 1] - seconds[0] + 1;
    assert!(
        whole.abs_diff(30) <= 1,
        "{whole} s from the first to the last"
    );
    assert!(seconds.is_sorted());
    let with_power = samples
        .iter()
        .filter(|sample| sample.power > Some(0))
        .count();
    assert!((24..=28).contains(&with_power), "{with_power} s with power");
}

#[test]
fn a_crash_costs_at_most_the_last_two_seconds_of_the_recording() {
    let mut world = World::riding(8, 2, long_ride());
    world.run(secs(20));
    let ridden = world.elapsed(BEN).as_secs() as usize;
    world.crash(BEN);
    let stored = world.stored_recording(BEN).samples.len();
    assert!(stored + 3 >= ridden, "{stored} of {ridden} s are stored");
}

#[test]
fn a_page_that_crashed_asks_before_it_resumes() {
    let mut world = World::riding(9, 2, long_ride());
    world.run(secs(4));
    let peer = world.peer(BEN);
    world.crash(BEN);
    world.run(secs(2));
    world.open(BEN);
    assert_eq!(*world.stage(BEN), asks_for("Ben"));
    world.intend(BEN, Intent::ResumeAs(0));
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    assert_eq!(world.peer(BEN), peer);
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
}

#[test]
fn a_page_that_could_store_nothing_at_its_end_resumes_if_no_other_page_rides_as_its_rider() {
    let mut world = World::riding(21, 2, long_ride());
    world.run(secs(4));
    let peer = world.peer(BEN);
    world.tabs[BEN].stages.clear();
    world.crash(BEN);
    world.tabs[BEN].storage.is_alone = true;
    world.run(secs(2));
    world.open(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    let asked = |stage: &Stage| matches!(stage, Stage::EnterName | Stage::ChooseRider { .. });
    assert!(!world.tabs[BEN].stages.iter().any(|(_, stage)| asked(stage)));
    assert_eq!(world.peer(BEN), peer);
}

#[test]
fn a_rider_who_goes_to_another_page_of_the_app_returns_without_being_asked() {
    let mut world = World::riding(22, 2, long_ride());
    world.run(secs(4));
    let kept = |world: &World| world.tabs[BEN].storage.identity.clone().unwrap();
    assert!(kept(&world).is_under_way);
    world.navigate_away(BEN);
    assert!(kept(&world).is_under_way);
    world.run(secs(10));
    world.tabs[BEN].stages.clear();
    world.open(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    world.intend(ANA, Intent::End);
    world.run(ms(500));
    assert!(!kept(&world).is_under_way, "there is no ride to return to");
}

#[test]
fn a_host_alone_in_the_lobby_who_reloads_is_still_host_with_the_workout() {
    let mut world = World::group(10, 1);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.run(secs(1));
    world.reload(ANA);
    world.run_until("the lobby", |world| *world.stage(ANA) == Stage::Lobby);
    assert!(world.view(ANA).is_host);
    let workout = world.view(ANA).workout.as_ref().unwrap();
    assert_eq!(workout.name(), "Long Ride");
    world.intend(ANA, Intent::Start);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Countdown);
}

#[test]
fn a_host_who_rides_alone_and_reloads_continues_at_the_right_second() {
    let mut world = World::riding(11, 1, long_ride());
    world.run(secs(10));
    let before = (world.now, world.elapsed(ANA));
    world.close_page(ANA);
    world.run(secs(5));
    world.open(ANA);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    world.run(secs(1));
    let expected = before.1 + (world.now - before.0);
    let apart = world.elapsed(ANA).abs_diff(expected);
    assert!(apart <= ms(400), "{apart:?}");
}

#[test]
fn a_page_that_is_reloaded_during_the_countdown_starts_with_the_others() {
    let mut world = World::group(12, 2);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(4));
    world.tabs[BEN].stages.clear();
    world.reload(BEN);
    world.run(secs(8));
    let starts = [ANA, BEN].map(|at| world.first_shown(at, &Stage::Riding));
    let apart = starts[0].max(starts[1]) - starts[0].min(starts[1]);
    assert!(apart <= ms(50), "{apart:?}");
}

#[test]
fn a_reload_after_the_end_shows_the_summary_with_the_file() {
    let mut world = World::riding(13, 1, half_minute());
    world.run_until("the summary", |world| *world.stage(ANA) == Stage::Ended);
    world.run(secs(3));
    let before = world.view(ANA).summary.clone();
    world.reload(ANA);
    world.run_until("the summary", |world| *world.stage(ANA) == Stage::Ended);
    assert_eq!(world.view(ANA).summary, before);
    assert_eq!(world.download(ANA).samples.len(), 30);
}

#[test]
fn a_rider_who_left_and_opens_the_ride_again_is_asked_for_a_name() {
    let mut world = World::riding(14, 2, long_ride());
    world.run(secs(3));
    world.intend(BEN, Intent::Leave);
    world.run(secs(5));
    world.reload(BEN);
    assert_eq!(*world.stage(BEN), Stage::EnterName);
    assert_eq!(world.listed(ANA), ["Ana"]);
}

#[test]
fn a_page_that_was_hidden_and_shown_again_leaves_no_mark_of_a_reload() {
    let mut world = World::group(15, 1);
    world.hide(ANA);
    assert!(world.tabs[ANA].storage.hidden);
    world.show(ANA);
    assert!(!world.tabs[ANA].storage.hidden);
}

#[test]
fn a_stored_identity_that_cannot_be_read_leads_to_the_form() {
    let mut world = World::group(16, 1);
    world.close_page(ANA);
    let identity = world.tabs[ANA].storage.identity.as_mut().unwrap();
    identity.profile.ftp = 9_999;
    world.open(ANA);
    assert_eq!(*world.stage(ANA), Stage::EnterName);
}

#[test]
fn a_rider_whose_token_the_server_does_not_accept_joins_anew() {
    let mut world = World::group(17, 2);
    world.close_page(BEN);
    let identity = world.tabs[BEN].storage.identity.as_mut().unwrap();
    identity.token = "secret_rider_nobody_1_1_1_0_1".parse().unwrap();
    world.open(BEN);
    world.run_until("the form", |world| *world.stage(BEN) == Stage::EnterName);
    assert_eq!(
        world.tabs[BEN].storage.identity, None,
        "the identity is forgotten"
    );
    world.enter(BEN, "Ben", 250);
    assert_eq!(*world.stage(BEN), Stage::Lobby);
}

#[test]
fn ten_reloads_in_a_row_leave_one_rider_with_one_link() {
    let mut world = World::group(18, 2);
    for _ in 0..10 {
        world.reload(BEN);
        world.run(ms(400));
    }
    world.run_until("direct again", World::all_direct);
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
    let gone = Notice::Gone("Ben".to_owned());
    assert!(!world.has_notice(ANA, &gone));
}

#[test]
fn a_rider_who_resumes_waits_for_the_server_however_long_it_takes() {
    let mut world = World::riding(19, 2, long_ride());
    world.tabs[BEN].stages.clear();
    world.close_page(BEN);
    world.open(BEN);
    world.kill_server();
    world.run(secs(30));
    assert_eq!(*world.stage(BEN), Stage::Joining);
    let connection = world.view(BEN).connection;
    assert!(matches!(connection, ServerConnection::Lost { .. }));
    world.start_server();
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
}

#[test]
fn a_rider_left_alone_by_the_host_who_reloads_keeps_the_second_of_the_ride() {
    let mut world = World::riding(20, 2, long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::Leave);
    world.run(secs(5));
    assert!(world.view(BEN).is_host);
    let before = (world.now, world.elapsed(BEN));
    // Group time of a host without other riders begins with the server's clock, unless the page
    // has stored it.
    world.server.clock_lead = secs(3_000);
    world.reload(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    world.run(secs(5));
    let ridden = world.elapsed(BEN) - before.1;
    let apart = ridden.abs_diff(world.now - before.0);
    assert!(apart <= ms(400), "{apart:?}");
}

#[test]
fn a_reloaded_page_that_missed_a_pause_shows_the_time_ridden_as_soon_as_it_knows_the_pause() {
    let mut world = World::riding(21, 2, long_ride());
    world.run(secs(8));
    world.close_page(BEN);
    world.run(secs(1));
    world.intend(ANA, Intent::Pause);
    world.run(secs(30));
    world.intend(ANA, Intent::Resume);
    world.run(secs(4));
    world.open(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    world.run(secs(2));
    let apart = world.elapsed(ANA).abs_diff(world.elapsed(BEN));
    assert!(apart <= ms(300), "{apart:?}");
}

#[test]
fn a_rider_alone_whose_page_was_gone_for_minutes_rides_on_where_it_was() {
    let mut world = World::riding(22, 1, long_ride());
    world.run(secs(20));
    let before = world.elapsed(ANA);
    world.close_page(ANA);
    world.run(secs(300));
    world.open(ANA);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    world.run(secs(5));
    let ridden = world.elapsed(ANA) - before;
    assert!(ridden <= secs(7), "{ridden:?}");
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let samples = world.download(ANA).samples;
    assert!(samples.len().abs_diff(28) <= 2, "{} s", samples.len());
}

#[test]
fn a_reload_after_the_wall_clock_was_set_back_goes_on_at_the_same_second() {
    let mut world = World::riding(23, 2, long_ride());
    world.run(secs(10));
    world.intend(ANA, Intent::Leave);
    world.run(secs(5));
    let before = world.elapsed(BEN);
    world.close_page(BEN);
    world.set_wall_clock_back(BEN, secs(3_600));
    world.open(BEN);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    world.run(secs(5));
    let ridden = world.elapsed(BEN) - before;
    assert!((secs(4)..=secs(8)).contains(&ridden), "{ridden:?}");
    world.intend(BEN, Intent::End);
    world.run(secs(1));
    let samples = world.download(BEN).samples;
    assert!(samples.is_sorted_by(|one, next| one.at < next.at));
    assert!(samples.len() >= 20, "{}", samples.len());
}
