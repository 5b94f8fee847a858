//! Servers that crash, stop, and return without memory.

use protocol::peer::LinkState;
use session::{
    Intent,
    view::{JoinError, Notice, ServerConnection, Stage},
};

use crate::harness::{ANA, BEN, CEM, DORA, World, four_steps, half_minute, long_ride, ms, secs};

fn is_online(world: &World, at: usize) -> bool {
    world.view(at).connection == ServerConnection::Online
}

fn all_online(world: &World) -> bool {
    (0..world.tabs.len()).all(|at| is_online(world, at))
}

fn is_lost(world: &World, at: usize) -> bool {
    matches!(world.view(at).connection, ServerConnection::Lost { .. })
}

#[test]
fn the_ride_goes_on_over_direct_links_when_the_server_crashes() {
    let mut world = World::riding(1, 3, long_ride());
    world.kill_server();
    world.run(secs(1));
    assert!((0..3).all(|at| is_lost(&world, at)));
    world.run_while(secs(20), "direct links with fresh metrics", |world| {
        world.all_direct() && (0..3).all(|at| world.view(at).riders.iter().all(|row| !row.stale))
    });
}

#[test]
fn the_attempts_to_reach_the_server_are_counted() {
    let mut world = World::riding(2, 1, long_ride());
    world.kill_server();
    world.run(secs(2));
    let ServerConnection::Lost { attempt: early } = world.view(ANA).connection else {
        panic!("not lost");
    };
    world.run(secs(30));
    let ServerConnection::Lost { attempt: late } = world.view(ANA).connection else {
        panic!("not lost");
    };
    assert!(late > early, "{early} then {late}");
    assert!(late < 30, "the attempts become rarer: {late}");
}

#[test]
fn the_host_still_leads_without_a_server() {
    let mut world = World::riding(3, 3, four_steps());
    world.kill_server();
    world.run(secs(5));
    assert!(!world.view(ANA).controls_suspended);
    world.intend(ANA, Intent::Skip(0));
    world.run(ms(500));
    for at in 0..3 {
        assert_eq!(world.view(at).progress.interval, 1);
    }
    world.intend(ANA, Intent::End);
    world.run(ms(500));
    for at in 0..3 {
        assert_eq!(*world.stage(at), Stage::Ended);
    }
}

#[test]
fn a_server_that_returns_without_memory_finds_the_same_ride_with_the_same_host() {
    let mut world = World::riding(4, 3, long_ride());
    let peers: Vec<_> = (0..3).map(|at| world.peer(at)).collect();
    world.kill_server();
    world.run(secs(10));
    world.start_server();
    world.run_until("the server", all_online);
    world.run(secs(5));
    for (at, peer) in peers.into_iter().enumerate() {
        assert_eq!(world.host(at), "Ana");
        assert_eq!(world.listed(at), ["Ana", "Ben", "Cem"]);
        assert_eq!(world.peer(at), peer);
        assert_eq!(world.notices(at), []);
    }
    assert_eq!(world.server.riders(), 3);
}

#[test]
fn a_new_rider_can_join_a_ride_that_the_server_has_restored() {
    let mut world = World::riding(5, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.start_server();
    world.run_until("the server", all_online);
    world.run(secs(1));
    let dora = world.join_next();
    world.run_until("the ride", |world| *world.stage(dora) == Stage::Riding);
    assert_eq!(world.host(dora), "Ana");
    assert!(world.elapsed(ANA).abs_diff(world.elapsed(DORA)) <= ms(300));
    world.run_until("all direct", World::all_direct);
}

#[test]
fn a_server_that_announces_its_restart_is_back_for_all_while_the_direct_links_go_on() {
    let mut world = World::riding(6, 4, long_ride());
    world.shut_down_server(1_000);
    world.run(ms(500));
    world.start_server();
    world.run_while(secs(8), "direct links", World::all_direct);
    assert!(all_online(&world));
    assert_eq!(world.server.riders(), 4);
}

#[test]
fn a_ride_whose_server_is_gone_for_good_ends_with_the_summary() {
    let mut world = World::riding(7, 2, half_minute());
    world.shut_down_server(1_000);
    world.run(secs(30));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::Ended);
        assert_eq!(world.download(at).samples.len(), 30);
    }
}

#[test]
fn a_server_with_another_secret_leaves_those_who_ride_to_each_other() {
    let mut world = World::riding(8, 2, four_steps());
    world.kill_server();
    world.start_server_with_another_secret();
    world.run_until("the refusal", |world| {
        [ANA, BEN]
            .iter()
            .all(|at| world.view(*at).connection == ServerConnection::PeersOnly)
    });
    world.run(secs(2));
    assert!(world.all_direct());
    world.intend(ANA, Intent::Skip(0));
    world.run(ms(500));
    assert_eq!(world.view(BEN).progress.interval, 1);
    world.intend(ANA, Intent::End);
    world.run(ms(500));
    assert_eq!(*world.stage(BEN), Stage::Ended);
}

#[test]
fn a_rider_whom_the_server_does_not_know_and_who_loses_the_last_other_rider_rides_on() {
    let mut world = World::riding(9, 2, long_ride());
    world.kill_server();
    world.start_server_with_another_secret();
    world.run_until("the refusal", |world| {
        world.view(BEN).connection == ServerConnection::PeersOnly
    });
    world.crash(ANA);
    world.run_until("no link", |world| {
        world.link(BEN, "Ana") != LinkState::Direct
    });
    let before = (world.now, world.elapsed(BEN));
    world.run(secs(60));
    assert_eq!(*world.stage(BEN), Stage::Riding);
    assert_eq!(world.target(BEN), Some(150));
    let ridden = world.elapsed(BEN) - before.1;
    assert!(
        ridden.abs_diff(world.now - before.0) <= ms(300),
        "{ridden:?}"
    );
}

#[test]
fn a_rider_without_server_whose_last_companion_is_gone_is_told_to_ride_alone() {
    let mut world = World::riding(23, 2, long_ride());
    world.kill_server();
    world.start_server_with_another_secret();
    world.run_until("the refusal", |world| {
        world.view(BEN).connection == ServerConnection::PeersOnly
    });
    world.crash(ANA);
    world.run(secs(40));
    assert_eq!(world.view(BEN).connection, ServerConnection::Alone);
    assert_eq!(world.listed(BEN), ["Ben"]);
    assert!(world.has_notice(BEN, &Notice::Gone("Ana".to_owned())));
    assert_eq!(*world.stage(BEN), Stage::Riding);
}

#[test]
fn a_rider_alone_whom_the_server_does_not_know_keeps_ride_and_summary() {
    let mut world = World::riding(10, 1, half_minute());
    world.kill_server();
    world.start_server_with_another_secret();
    world.run_until("alone", |world| {
        world.view(ANA).connection == ServerConnection::Alone
    });
    world.run_until("the end", |world| *world.stage(ANA) == Stage::Ended);
    assert_eq!(world.download(ANA).samples.len(), 30);
}

#[test]
fn a_group_in_the_lobby_whom_the_server_does_not_know_learns_that_there_is_no_ride() {
    let mut world = World::group(11, 2);
    world.kill_server();
    world.start_server_with_another_secret();
    world.run(secs(10));
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::NoSuchRide));
}

#[test]
fn a_tab_opened_after_a_restart_of_the_server_resumes_as_who_rode_before() {
    let mut world = World::group(12, 1);
    world.run(secs(3));
    world.kill_server();
    world.run(secs(1));
    world.crash(ANA);
    world.start_server();
    let tab = world.add_tab(ANA);
    world.open(tab);
    let known = vec!["Ana".to_owned()];
    assert_eq!(*world.stage(tab), Stage::ChooseRider { known });
    world.intend(tab, Intent::ResumeAs(0));
    world.run_until("the lobby", |world| *world.stage(tab) == Stage::Lobby);
    world.run_until("the host", |world| world.view(tab).is_host);
}

#[test]
fn a_page_reloaded_while_the_server_is_gone_says_so_and_resumes_when_it_is_back() {
    let mut world = World::riding(13, 2, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.reload(BEN);
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::Unreachable));
    world.start_server();
    world.run_until("the server", |world| is_online(world, ANA));
    world.intend(BEN, Intent::Retry);
    world.run_until("the ride", |world| *world.stage(BEN) == Stage::Riding);
    world.run_until("the host", |world| world.host(BEN) == "Ana");
}

#[test]
fn a_page_reloaded_while_the_server_is_being_restarted_without_memory_resumes_the_ride() {
    let mut world = World::riding(14, 1, long_ride());
    world.run(secs(5));
    world.close_page(ANA);
    world.kill_server();
    world.start_server();
    world.open(ANA);
    world.run_until("the ride", |world| *world.stage(ANA) == Stage::Riding);
    world.run_until("the host", |world| world.view(ANA).is_host);
    assert!(world.elapsed(ANA) >= secs(6));
}

#[test]
fn without_a_server_and_without_its_host_the_ride_elects_a_new_host() {
    let mut world = World::riding(15, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.crash(ANA);
    let after = world.run_until("a new host", |world| world.host(CEM) == "Ben");
    assert!(after <= secs(6), "{after:?}");
    assert!(world.has_notice(BEN, &Notice::YouAreHost));
    world.intend(BEN, Intent::Pause);
    world.run(ms(500));
    assert!(world.view(CEM).progress.paused);
}

#[test]
fn a_rider_gone_for_long_is_taken_off_the_list_without_a_server_to_say_so() {
    let mut world = World::riding(16, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.crash(ANA);
    world.run_until("gone", |world| world.listed(CEM) == ["Ben", "Cem"]);
    assert!(world.has_notice(CEM, &Notice::Gone("Ana".to_owned())));
    assert_eq!(world.link(CEM, "Ben"), LinkState::Direct);
}

#[test]
fn the_controls_of_a_host_who_reaches_too_few_riders_are_suspended() {
    let mut world = World::riding(17, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.crash(BEN);
    world.crash(CEM);
    world.run_until("suspended", |world| world.view(ANA).controls_suspended);
    world.forget_notices();
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    assert!(!world.view(ANA).progress.paused);
    assert_eq!(world.notices(ANA), [], "the control is disabled");
    world.start_server();
    world.run_until("the server", |world| !world.view(ANA).controls_suspended);
    world.run(secs(4));
    world.intend(ANA, Intent::Pause);
    world.run(secs(1));
    assert!(world.view(ANA).progress.paused);
}

#[test]
fn the_server_returns_to_the_host_that_the_riders_elected() {
    let mut world = World::riding(18, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.crash(ANA);
    world.run_until("a new host", |world| world.host(CEM) == "Ben");
    world.start_server();
    world.run_until("the server", |world| {
        is_online(world, BEN) && is_online(world, CEM)
    });
    world.run(secs(5));
    assert_eq!([BEN, CEM].map(|at| world.host(at)), ["Ben", "Ben"]);
    assert!(!world.view(BEN).controls_suspended);
    world.intend(BEN, Intent::Pause);
    world.run(ms(500));
    assert!(world.view(CEM).progress.paused);
}

#[test]
fn a_partition_without_a_server_leaves_one_host_who_leads() {
    let mut world = World::riding(19, 5, long_ride());
    world.kill_server();
    world.run(secs(2));
    // Ana, the host, and Ben on one side, the three others on the other.
    for a in [0, 1] {
        (2..5).for_each(|b| world.block(a, b, true));
    }
    world.run(secs(10));
    assert!(
        world.view(ANA).controls_suspended,
        "two of five are no majority"
    );
    assert_eq!(world.host(CEM), "Cem");
    assert!(!world.view(CEM).controls_suspended);
    world.intend(CEM, Intent::Pause);
    world.run(secs(1));
    assert!(world.view(DORA).progress.paused);
    for a in [0, 1] {
        (2..5).for_each(|b| world.block(a, b, false));
    }
    world.start_server();
    world.run_until("one host", |world| (0..5).all(|at| world.host(at) == "Cem"));
    world.run_until("one timeline", |world| {
        (0..5).all(|at| world.view(at).progress.paused)
    });
}

#[test]
fn a_server_that_restarts_again_and_again_keeps_the_ride() {
    let mut world = World::riding(20, 3, long_ride());
    for _ in 0..5 {
        world.kill_server();
        world.run(ms(700));
        world.start_server();
        world.run(secs(6));
    }
    world.run_until("the server", all_online);
    world.run(secs(5));
    for at in 0..3 {
        assert_eq!(world.host(at), "Ana");
        assert_eq!(world.listed(at), ["Ana", "Ben", "Cem"]);
        assert_eq!(*world.stage(at), Stage::Riding);
    }
}

#[test]
fn a_rider_gone_for_long_without_a_server_is_listed_again_after_returning() {
    let mut world = World::riding(21, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.go_offline(BEN);
    world.run_until("gone", |world| {
        [ANA, CEM]
            .iter()
            .all(|at| world.listed(*at) == ["Ana", "Cem"])
    });
    world.start_server();
    world.go_online(BEN);
    world.run_until("all direct", World::all_direct);
    assert_eq!(world.listed(ANA), ["Ana", "Ben", "Cem"]);
}

#[test]
fn a_rider_who_is_gone_is_announced_once_by_time_and_not_again_by_the_server() {
    let mut world = World::riding(22, 3, long_ride());
    world.kill_server();
    world.run(secs(2));
    world.crash(BEN);
    world.run_until("gone", |world| world.listed(CEM) == ["Ana", "Cem"]);
    world.start_server();
    world.run_until("the server", |world| is_online(world, CEM));
    world.run(secs(60));
    assert_eq!(world.server.riders(), 2);
    let gone = Notice::Gone("Ben".to_owned());
    assert_eq!(world.notices(CEM), [gone]);
}
