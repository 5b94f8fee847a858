//! Riders who leave, vanish and return.

use protocol::peer::LinkState;
use session::{
    Intent,
    view::{Notice, ServerConnection, Stage},
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

#[test]
fn a_rider_who_leaves_is_off_the_lists_at_once() {
    let mut world = World::group(1, 3);
    world.intend(CEM, Intent::Leave);
    world.run(ms(100));
    for at in [ANA, BEN] {
        assert_eq!(world.listed(at), ["Ana", "Ben"]);
        assert_eq!(world.notices(at), [Notice::Left("Cem".to_owned())]);
    }
    assert_eq!(*world.stage(CEM), Stage::Left);
}

#[test]
fn only_a_rider_who_leaves_others_behind_is_told_that_they_ride_on() {
    let mut world = World::group(16, 2);
    world.intend(BEN, Intent::Leave);
    assert!(world.view(BEN).others_ride_on);
    world.run(secs(1));
    world.intend(ANA, Intent::Leave);
    assert!(!world.view(ANA).others_ride_on);
    assert_eq!(*world.stage(ANA), Stage::Left);
}

#[test]
fn a_rider_who_leaves_during_the_ride_sees_the_summary() {
    let mut world = World::riding(2, 2, long_ride());
    world.run(secs(3));
    world.intend(BEN, Intent::Leave);
    world.run(ms(100));
    assert_eq!(*world.stage(BEN), Stage::Ended);
    let duration = world.view(BEN).summary.as_ref().unwrap().figures.duration;
    assert!(duration.abs_diff(secs(5)) <= secs(1), "{duration:?}");
    assert_eq!(*world.stage(ANA), Stage::Riding);
    assert_eq!(world.listed(ANA), ["Ana"]);
}

#[test]
fn a_rider_who_has_left_sends_nothing_and_takes_no_trainer() {
    let mut world = World::riding(3, 2, long_ride());
    world.intend(BEN, Intent::Leave);
    world.run(secs(1));
    let sockets = world.tabs[BEN].sockets_opened;
    let relayed = world.server.relayed;
    world.run(secs(30));
    assert_eq!(world.tabs[BEN].sockets_opened, sockets);
    assert_eq!(world.server.relayed, relayed);
    assert!(!world.tabs[BEN].screen_is_kept_on);
}

#[test]
fn a_rider_whose_page_is_gone_is_away_within_three_seconds() {
    let mut world = World::riding(4, 2, long_ride());
    world.crash(BEN);
    let after = world.run_until("away", |world| world.link(ANA, "Ben") == LinkState::Away);
    assert!(after <= secs(3), "{after:?}");
}

#[test]
fn a_rider_who_stays_away_for_the_grace_period_is_gone() {
    let mut world = World::riding(5, 2, long_ride());
    world.crash(BEN);
    let after = world.run_until("gone", |world| world.listed(ANA) == ["Ana"]);
    assert!(after.abs_diff(secs(30)) <= secs(1), "{after:?}");
    assert_eq!(world.notices(ANA), [Notice::Gone("Ben".to_owned())]);
    assert_eq!(world.server.riders(), 1);
}

#[test]
fn a_rider_who_returns_within_the_grace_period_keeps_the_row() {
    let mut world = World::group(6, 2);
    let row = world.row(ANA, "Ben").id;
    world.go_offline(BEN);
    world.run(secs(20));
    assert_eq!(world.link(ANA, "Ben"), LinkState::Away);
    world.go_online(BEN);
    world.run_until("direct again", World::all_direct);
    assert_eq!(world.row(ANA, "Ben").id, row);
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn a_rider_who_returns_after_the_grace_period_gets_a_new_row_at_the_end() {
    let mut world = World::group(7, 3);
    let row = world.row(ANA, "Ben").id;
    world.go_offline(BEN);
    world.run(secs(40));
    assert_eq!(world.listed(ANA), ["Ana", "Cem"]);
    world.go_online(BEN);
    world.run_until("all again", World::all_direct);
    world.run(secs(1));
    assert_eq!(world.listed(ANA), ["Ana", "Cem", "Ben"]);
    assert_ne!(world.row(ANA, "Ben").id, row);
}

#[test]
fn a_rider_without_network_sees_that_the_server_is_lost_and_that_all_others_are_away() {
    let mut world = World::riding(8, 3, long_ride());
    world.go_offline(BEN);
    world.run(secs(4));
    let connection = world.view(BEN).connection;
    assert!(matches!(connection, ServerConnection::Lost { attempt } if attempt > 0));
    for name in ["Ana", "Cem"] {
        assert!(matches!(
            world.link(BEN, name),
            LinkState::Away | LinkState::Connecting
        ));
    }
    assert_eq!(*world.stage(BEN), Stage::Riding, "the own ride goes on");
    assert_eq!(world.target(BEN), Some(150));
}

#[test]
fn a_rider_without_network_rides_on_at_the_group_s_second() {
    let mut world = World::riding(9, 2, long_ride());
    world.go_offline(BEN);
    world.run(secs(60));
    let apart = world.elapsed(ANA).abs_diff(world.elapsed(BEN));
    assert!(apart <= ms(350), "{apart:?}");
    world.go_online(BEN);
    world.run_until("direct again", |world| world.sees_direct(BEN, 2));
    assert!(world.group_time_spread() <= 50);
}

#[test]
fn a_socket_that_breaks_for_a_moment_disturbs_no_direct_link() {
    let mut world = World::riding(10, 3, long_ride());
    world.drop_socket(BEN);
    world.run_while(secs(5), "direct links", World::all_direct);
    assert_eq!(world.view(BEN).connection, ServerConnection::Online);
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn a_direct_link_that_is_cut_falls_back_to_the_relay_and_returns() {
    let mut world = World::riding(11, 2, long_ride());
    world.block(ANA, BEN, true);
    let after = world.run_until("relayed", |world| {
        world.link(ANA, "Ben") == LinkState::Relayed && world.link(BEN, "Ana") == LinkState::Relayed
    });
    assert!(after <= secs(3), "{after:?}");
    world.run_while(secs(10), "fresh metrics", |world| {
        !world.row(ANA, "Ben").stale
    });
    world.block(ANA, BEN, false);
    world.run_until("direct again", World::all_direct);
}

#[test]
fn browsers_without_webrtc_ride_over_the_relay() {
    let mut world = World::new(12);
    for _ in 0..3 {
        let at = world.add_browser();
        world.tabs[at].has_webrtc = at == ANA;
        world.open(at);
        world.enter(at, ["Ana", "Ben", "Cem"][at], 200);
    }
    world.run(secs(5));
    for (at, names) in [(ANA, ["Ben", "Cem"]), (BEN, ["Ana", "Cem"])] {
        for name in names {
            assert_eq!(world.link(at, name), LinkState::Relayed);
        }
    }
    (0..3).for_each(|at| world.intend(at, Intent::SimulateTrainer));
    world.start(long_ride());
    world.run(secs(10));
    assert!(world.row(ANA, "Ben").metrics.power.is_some());
    assert!(world.group_time_spread() <= 30);
}

#[test]
fn a_socket_that_looks_open_and_is_dead_is_replaced_within_two_seconds_of_waking() {
    let mut world = World::group(13, 2);
    world.mute_socket(BEN);
    world.show(BEN);
    let after = world.run_until("the loss", |world| {
        matches!(world.view(BEN).connection, ServerConnection::Lost { .. })
            || world.tabs[BEN].sockets_opened > 1
    });
    assert!(after <= secs(2), "{after:?}");
    world.run_until("a new socket", |world| {
        world.view(BEN).connection == ServerConnection::Online && !world.tabs[BEN].is_mute
    });
    world.run(secs(2));
    assert_eq!(world.listed(ANA), ["Ana", "Ben"]);
    assert_eq!(world.server.riders(), 2);
}

#[test]
fn eight_riders_all_reach_each_other_directly() {
    let mut world = World::riding(14, 8, long_ride());
    world.run(secs(3));
    assert!(world.all_direct());
    let relayed = world.server.relayed;
    world.run(secs(10));
    assert_eq!(
        world.server.relayed, relayed,
        "no frame goes over the server"
    );
    for at in 0..8 {
        let rows = world.view(at).riders.iter();
        assert!(
            rows.filter(|row| !row.is_self)
                .all(|row| !row.stale && row.metrics.power.is_some())
        );
    }
}

#[test]
fn a_ride_of_twelve_over_bad_paths_stays_together() {
    let mut world = World::new(15);
    let bad = crate::harness::PathConditions {
        delay: ms(60),
        jitter: ms(80),
        loss_per_mille: 50,
    };
    (world.relay, world.direct) = (bad, bad);
    world.gather(12);
    (0..12).for_each(|at| world.intend(at, Intent::SimulateTrainer));
    world.start(long_ride());
    world.run(secs(10));
    assert!(
        world.group_time_spread() <= 60,
        "{}",
        world.group_time_spread()
    );
    for at in 0..12 {
        assert_eq!(world.host(at), "Ana");
        assert_eq!(world.listed(at).len(), 12);
    }
}
