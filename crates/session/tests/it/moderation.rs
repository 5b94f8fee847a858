//! Kicking, locking and closing.

use session::{
    Intent,
    view::{CommandRejection, JoinError, Notice, ServerConnection, Stage},
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

fn kick(world: &mut World, at: usize, reason: &str) {
    let peer = world.peer(at);
    let reason = reason.to_owned();
    world.intend(ANA, Intent::Kick { peer, reason });
    world.run(ms(200));
}

#[test]
fn a_kicked_rider_is_told_why_and_the_others_are_told_that() {
    let mut world = World::group(1, 3);
    kick(&mut world, BEN, "Wrong ride, Ben.");
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::Kicked));
    assert_eq!(
        world.view(BEN).kick_reason.as_deref(),
        Some("Wrong ride, Ben.")
    );
    for at in [ANA, CEM] {
        assert_eq!(world.listed(at), ["Ana", "Cem"]);
        assert_eq!(world.notices(at), [Notice::Kicked("Ben".to_owned())]);
    }
}

#[test]
fn a_rider_kicked_during_the_ride_keeps_the_recording_so_far() {
    let mut world = World::riding(2, 2, long_ride());
    world.run(secs(5));
    kick(&mut world, BEN, "");
    assert_eq!(*world.stage(BEN), Stage::Ended);
    assert_eq!(world.view(BEN).kick_reason.as_deref(), Some(""));
    assert_eq!(world.view(BEN).connection, ServerConnection::Idle);
    assert!(world.download(BEN).samples.len() >= 6);
    assert_eq!(*world.stage(ANA), Stage::Riding);
}

#[test]
fn a_kicked_browser_cannot_come_back_in_any_tab() {
    let mut world = World::riding(3, 2, long_ride());
    kick(&mut world, BEN, "");
    let kicked = Stage::CannotJoin(JoinError::Kicked);
    world.reload(BEN);
    assert_eq!(*world.stage(BEN), kicked);
    let tab = world.add_tab(BEN);
    world.open(tab);
    assert_eq!(*world.stage(tab), kicked);
    world.intend(tab, Intent::JoinAsNewRider);
    assert_eq!(*world.stage(tab), kicked);
}

#[test]
fn a_kicked_rider_who_shows_the_old_token_is_refused() {
    let mut world = World::group(4, 2);
    world.run(secs(3));
    let (tab, known) = (
        world.tabs[BEN].storage.identity.clone(),
        world.storage(BEN).known.clone(),
    );
    kick(&mut world, BEN, "No.");
    world.crash(BEN);
    // The rider restores what the browser had stored.
    world.tabs[BEN].storage.identity = tab;
    world.storage_mut(BEN).known = known;
    world.storage_mut(BEN).banned = false;
    world.open(BEN);
    world.intend(BEN, Intent::ResumeAs(0));
    world.run(secs(1));
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::Kicked));
    assert_eq!(world.view(BEN).kick_reason.as_deref(), Some("No."));
    assert_eq!(world.listed(ANA), ["Ana"]);
}

#[test]
fn a_ban_holds_after_the_server_lost_its_memory() {
    let mut world = World::group(5, 3);
    world.run(secs(3));
    let (tab, known) = (
        world.tabs[BEN].storage.identity.clone(),
        world.storage(BEN).known.clone(),
    );
    kick(&mut world, BEN, "No.");
    world.kill_server();
    world.run(secs(2));
    world.start_server();
    world.run_until("the server", |world| {
        world.view(ANA).connection == ServerConnection::Online
    });
    world.run(secs(4));
    world.crash(BEN);
    world.tabs[BEN].storage.identity = tab;
    world.storage_mut(BEN).known = known;
    world.storage_mut(BEN).banned = false;
    world.open(BEN);
    world.intend(BEN, Intent::ResumeAs(0));
    world.run(secs(2));
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::Kicked));
    assert_eq!(world.listed(ANA), ["Ana", "Cem"]);
}

#[test]
fn only_the_host_kicks() {
    let mut world = World::group(6, 3);
    let peer = world.peer(CEM);
    let reason = String::new();
    world.intend(BEN, Intent::Kick { peer, reason });
    world.run(ms(200));
    let rejected = Notice::CommandRejected(CommandRejection::NotHost);
    assert_eq!(world.notices(BEN), [rejected]);
    assert_eq!(world.listed(ANA).len(), 3);
}

#[test]
fn a_locked_ride_says_so_to_all_and_lets_its_riders_come_back() {
    let mut world = World::group(7, 2);
    world.intend(ANA, Intent::Lock(true));
    world.run(ms(200));
    for at in [ANA, BEN] {
        assert!(world.view(at).locked);
        assert_eq!(world.notices(at), [Notice::Locked]);
    }
    world.reload(BEN);
    world.run(secs(1));
    assert_eq!(*world.stage(BEN), Stage::Lobby);
    assert!(world.view(BEN).locked);
}

#[test]
fn an_unlocked_ride_lets_new_riders_in_again() {
    let mut world = World::group(8, 2);
    world.intend(ANA, Intent::Lock(true));
    world.run(ms(200));
    world.forget_notices();
    world.intend(ANA, Intent::Lock(false));
    world.run(ms(200));
    assert!(!world.view(BEN).locked);
    assert_eq!(world.notices(BEN), [Notice::Unlocked]);
    let cem = world.join_next();
    assert_eq!(*world.stage(cem), Stage::Lobby);
}

#[test]
fn a_lock_holds_after_the_server_lost_its_memory() {
    let mut world = World::group(9, 2);
    world.intend(ANA, Intent::Lock(true));
    world.run(secs(1));
    world.kill_server();
    world.run(secs(1));
    world.start_server();
    world.run_until("the server", |world| {
        world.view(BEN).connection == ServerConnection::Online
    });
    world.run(secs(5));
    assert!(world.view(BEN).locked);
    let at = world.add_browser();
    world.open(at);
    assert_eq!(*world.stage(at), Stage::CannotJoin(JoinError::Locked));
}

#[test]
fn a_closed_ride_ends_for_all_and_its_code_with_it() {
    let mut world = World::group(10, 2);
    world.intend(ANA, Intent::CloseRide);
    world.run(ms(200));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::CannotJoin(JoinError::Closed));
        assert_eq!(world.notices(at), [Notice::Closed]);
    }
    world.reload(BEN);
    assert_eq!(*world.stage(BEN), Stage::CannotJoin(JoinError::NoSuchRide));
}

#[test]
fn riders_of_a_ride_that_is_closed_while_it_runs_see_their_summary() {
    let mut world = World::riding(11, 2, long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::CloseRide);
    world.run(ms(200));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::Ended);
        assert!(world.view(at).summary.is_some());
    }
}

#[test]
fn closing_a_ride_that_is_over_leaves_the_summary_without_a_notice() {
    let mut world = World::riding(12, 2, long_ride());
    world.run(secs(5));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let summary = world.view(BEN).summary.clone();
    world.intend(ANA, Intent::CloseRide);
    world.run(ms(200));
    assert_eq!(*world.stage(BEN), Stage::Ended);
    assert_eq!(world.view(BEN).summary, summary);
    assert_eq!(world.notices(BEN), []);
}

#[test]
fn only_the_host_locks_and_closes() {
    let mut world = World::group(13, 2);
    for intent in [Intent::Lock(true), Intent::CloseRide] {
        world.forget_notices();
        world.intend(BEN, intent);
        world.run(ms(200));
        let rejected = Notice::CommandRejected(CommandRejection::NotHost);
        assert_eq!(world.notices(BEN), [rejected]);
    }
    assert_eq!(*world.stage(ANA), Stage::Lobby);
}
