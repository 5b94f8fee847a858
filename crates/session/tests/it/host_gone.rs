//! Hosts who leave or vanish, and their successors.

use protocol::peer::LinkState;
use session::{
    Intent,
    view::{CommandRejection, Notice, Stage},
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

fn new_host(name: &str) -> Notice {
    Notice::NewHost(name.to_owned())
}

fn pauses(world: &mut World, host: usize, others: &[usize]) {
    world.intend(host, Intent::Pause);
    world.run(ms(500));
    for at in others {
        assert!(world.view(*at).progress.paused, "{at} sees no pause");
    }
}

#[test]
fn the_next_rider_is_host_at_once_when_the_host_leaves() {
    let mut world = World::riding(1, 3, long_ride());
    world.intend(ANA, Intent::Leave);
    world.run(ms(100));
    assert_eq!(world.host(CEM), "Ben");
    assert!(world.view(BEN).is_host);
    assert!(world.has_notice(BEN, &Notice::YouAreHost));
    assert!(world.has_notice(CEM, &new_host("Ben")));
    pauses(&mut world, BEN, &[CEM]);
}

#[test]
fn the_next_rider_is_host_within_seconds_when_the_host_s_page_is_gone() {
    let mut world = World::riding(2, 3, long_ride());
    world.crash(ANA);
    let after = world.run_until("a new host", |world| world.host(CEM) == "Ben");
    assert!(after.abs_diff(secs(4)) <= ms(500), "{after:?}");
    pauses(&mut world, BEN, &[CEM]);
}

#[test]
fn a_host_who_reloads_stays_host() {
    let mut world = World::riding(3, 3, long_ride());
    world.reload(ANA);
    world.run(secs(6));
    for at in 0..3 {
        assert_eq!(world.host(at), "Ana");
        assert_eq!(world.notices(at), []);
    }
    pauses(&mut world, ANA, &[BEN, CEM]);
}

#[test]
fn the_ride_starts_all_the_same_when_the_host_is_gone_during_the_countdown() {
    let mut world = World::group(4, 3);
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(3));
    world.crash(ANA);
    world.run(secs(8));
    for at in [BEN, CEM] {
        assert_eq!(*world.stage(at), Stage::Riding);
        assert_eq!(world.host(at), "Ben");
    }
    let starts = [BEN, CEM].map(|at| world.first_shown(at, &Stage::Riding));
    assert!(starts[0].max(starts[1]) - starts[0].min(starts[1]) <= ms(10));
    pauses(&mut world, BEN, &[CEM]);
}

#[test]
fn group_time_does_not_jump_when_the_host_changes() {
    let mut world = World::riding(5, 3, long_ride());
    world.run(secs(10));
    let before = (world.now, world.group_time(CEM).unwrap());
    world.crash(ANA);
    world.run(secs(10));
    assert_eq!(world.host(CEM), "Ben");
    let passed = world.group_time(CEM).unwrap().since(before.1);
    let apart = passed.abs_diff(world.now - before.0);
    assert!(apart <= ms(30), "{apart:?}");
}

#[test]
fn the_first_host_who_returns_may_reclaim_the_ride() {
    let mut world = World::riding(6, 2, long_ride());
    world.close_page(ANA);
    world.run_until("a new host", |world| world.view(BEN).is_host);
    world.open(ANA);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    assert!(world.view(ANA).can_reclaim);
    assert!(!world.view(ANA).is_host);
    world.intend(ANA, Intent::Reclaim);
    world.run(ms(200));
    assert!(world.view(ANA).is_host);
    assert!(!world.view(ANA).can_reclaim);
    assert_eq!(world.host(BEN), "Ana");
    assert!(world.has_notice(BEN, &new_host("Ana")));
    pauses(&mut world, ANA, &[BEN]);
}

#[test]
fn other_riders_cannot_reclaim_the_ride() {
    let mut world = World::riding(7, 3, long_ride());
    assert!(!world.view(CEM).can_reclaim);
    world.intend(CEM, Intent::Reclaim);
    world.run(ms(200));
    let rejected = Notice::CommandRejected(CommandRejection::NotFirstHost);
    assert_eq!(world.notices(CEM), [rejected]);
    assert_eq!(world.host(CEM), "Ana");
}

#[test]
fn the_ride_can_be_handed_over() {
    let mut world = World::riding(8, 3, long_ride());
    let ben = world.peer(BEN);
    world.intend(ANA, Intent::HandOver(ben));
    world.run(ms(200));
    assert!(world.view(BEN).is_host);
    assert!(!world.view(ANA).is_host);
    assert!(world.has_notice(BEN, &Notice::YouAreHost));
    assert_eq!([ANA, CEM].map(|at| world.host(at)), ["Ben", "Ben"]);
    pauses(&mut world, BEN, &[ANA, CEM]);
}

#[test]
fn a_rider_who_handed_the_ride_over_cannot_reclaim_it() {
    let mut world = World::riding(9, 2, long_ride());
    let ben = world.peer(BEN);
    world.intend(ANA, Intent::HandOver(ben));
    world.run(ms(200));
    assert!(!world.view(ANA).can_reclaim);
    world.forget_notices();
    world.intend(ANA, Intent::Reclaim);
    world.run(ms(200));
    let rejected = Notice::CommandRejected(CommandRejection::NotFirstHost);
    assert_eq!(world.notices(ANA), [rejected]);
}

#[test]
fn the_ride_cannot_be_handed_to_a_rider_who_is_away() {
    let mut world = World::riding(10, 2, long_ride());
    let ben = world.peer(BEN);
    world.go_offline(BEN);
    world.run_until("away", |world| world.link(ANA, "Ben") == LinkState::Away);
    world.intend(ANA, Intent::HandOver(ben));
    world.run(ms(200));
    let rejected = Notice::CommandRejected(CommandRejection::NotConnected);
    assert_eq!(world.notices(ANA), [rejected]);
    assert!(world.view(ANA).is_host);
}

#[test]
fn a_command_without_a_server_is_rejected_with_the_reason() {
    let mut world = World::riding(11, 2, long_ride());
    let ben = world.peer(BEN);
    world.kill_server();
    world.run(ms(500));
    world.forget_notices();
    for intent in [Intent::Lock(true), Intent::HandOver(ben), Intent::CloseRide] {
        world.intend(ANA, intent);
    }
    let rejected = Notice::CommandRejected(CommandRejection::NoServer);
    assert_eq!(
        world.notices(ANA),
        [rejected.clone(), rejected.clone(), rejected]
    );
}

#[test]
fn a_change_of_the_lost_host_that_reached_one_rider_reaches_all() {
    let mut world = World::riding(12, 3, long_ride());
    // Cem hears nothing of Ana any more.
    world.block(ANA, CEM, true);
    world.relay.loss_per_mille = 1_000;
    world.intend(ANA, Intent::Pause);
    world.run(ms(200));
    world.crash(ANA);
    world.relay.loss_per_mille = 0;
    world.run(secs(2));
    assert!(world.view(CEM).progress.paused, "Ben has passed it on");
}

#[test]
fn a_new_host_continues_from_the_timeline_that_it_holds() {
    let mut world = World::riding(13, 3, long_ride());
    world.intend(ANA, Intent::Pause);
    world.run(secs(2));
    world.crash(ANA);
    world.run_until("a new host", |world| world.view(BEN).is_host);
    world.intend(BEN, Intent::Resume);
    world.run(secs(4));
    for at in [BEN, CEM] {
        assert!(!world.view(at).progress.paused);
    }
}

#[test]
fn hosts_can_be_lost_one_after_another_until_the_last_rider_hosts() {
    let mut world = World::riding(14, 4, long_ride());
    for (host, name) in [(1, "Ben"), (2, "Cem"), (3, "Dora")] {
        world.crash(host - 1);
        world.run_until("a new host", |world| world.view(host).is_host);
        assert_eq!(world.host(3), name);
    }
    world.intend(3, Intent::Pause);
    world.run(secs(1));
    assert!(world.view(3).progress.paused);
}

#[test]
fn a_ride_that_a_lost_host_ended_for_nobody_else_goes_on_for_the_host_too() {
    let mut world = World::riding(15, 3, long_ride());
    world.run(secs(5));
    world.go_offline(ANA);
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Ended);
    world.run(secs(10));
    assert_eq!(world.host(CEM), "Ben");
    assert_eq!(*world.stage(CEM), Stage::Riding);
    world.go_online(ANA);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    world.run(secs(5));
    assert_eq!(world.host(ANA), "Ben");
    world.intend(BEN, Intent::End);
    world.run(secs(1));
    let recording = world.download(ANA);
    let seconds = recording
        .samples
        .iter()
        .filter(|sample| sample.power.is_some());
    assert!(seconds.count() >= 11, "before and after");
    let whole = world.view(BEN).summary.as_ref().unwrap().figures.duration;
    assert!((recording.samples.len() as u64).abs_diff(whole.as_secs()) <= 2);
}
