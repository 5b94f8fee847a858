//! Names, ready flags, and notices about oneself.

use ride::rider::TrainerKind;
use session::{
    Intent,
    view::{Notice, Stage},
};

use crate::harness::{ANA, BEN, CEM, FakeTrainer, World, long_ride, ms, secs};

#[test]
fn every_rider_sees_when_another_is_ready_and_when_no_longer() {
    let mut world = World::group(1, 3);
    world.intend(BEN, Intent::SetReady(true));
    world.run(ms(100));
    for at in [ANA, BEN, CEM] {
        assert!(world.row(at, "Ben").ready);
        assert!(!world.row(at, "Cem").ready);
    }
    assert!(world.view(BEN).ready);
    world.intend(BEN, Intent::SetReady(false));
    world.run(ms(100));
    assert!(!world.row(ANA, "Ben").ready);
}

#[test]
fn a_newcomer_sees_which_riders_are_ready() {
    let mut world = World::group(2, 2);
    world.intend(BEN, Intent::SetReady(true));
    world.run(ms(100));
    let cem = world.join_next();
    world.run(ms(500));
    assert!(world.row(cem, "Ben").ready);
    assert!(!world.row(cem, "Ana").ready);
}

#[test]
fn a_ready_flag_set_without_network_arrives_when_the_rider_is_back() {
    let mut world = World::group(3, 2);
    world.go_offline(BEN);
    world.run(secs(3));
    world.intend(BEN, Intent::SetReady(true));
    world.run(secs(3));
    world.go_online(BEN);
    world.run_until("the flag", |world| world.row(ANA, "Ben").ready);
}

#[test]
fn the_ride_can_start_though_riders_are_not_ready() {
    let mut world = World::group(4, 2);
    world.intend(BEN, Intent::SetReady(true));
    world.start(long_ride());
    assert_eq!(*world.stage(ANA), Stage::Riding);
    assert!(world.row(ANA, "Ben").ready);
    assert!(!world.view(ANA).ready);
}

#[test]
fn two_riders_of_the_same_name_are_two_rows() {
    let mut world = World::group(5, 1);
    let at = world.add_browser();
    world.open(at);
    world.enter(at, "Ana", 250);
    world.run(secs(1));
    assert_eq!(world.listed(ANA), ["Ana", "Ana"]);
    let rows = &world.view(ANA).riders;
    assert_ne!(rows[0].peer, rows[1].peer);
    assert_eq!([rows[0].ftp, rows[1].ftp], [Some(200), Some(250)]);
}

#[test]
fn the_invitation_is_copied_to_the_clipboard() {
    let mut world = World::group(6, 1);
    world.intend(ANA, Intent::CopyLink);
    world.run(ms(10));
    assert_eq!(
        world.tabs[ANA].copied,
        ["https://gruppetto.example/ride/brave-otter-4821"]
    );
    assert_eq!(world.notices(ANA), [Notice::LinkCopied]);
}

#[test]
fn a_browser_that_refuses_the_clipboard_is_reported() {
    let mut world = World::group(7, 1);
    world.tabs[ANA].refuses = true;
    world.intend(ANA, Intent::CopyLink);
    world.run(ms(10));
    assert_eq!(world.notices(ANA), [Notice::CopyFailed]);
}

#[test]
fn start_numbers_are_given_once() {
    let mut world = World::group(8, 3);
    world.intend(BEN, Intent::Leave);
    world.run(ms(100));
    let dora = world.join_next();
    world.run(secs(1));
    let numbers = world.view(ANA).riders.iter().map(|row| row.number);
    assert_eq!(numbers.collect::<Vec<_>>(), [1, 3, 4]);
    assert_eq!(world.own_row(dora).number, 4);
}

#[test]
fn a_rider_who_left_and_joins_again_is_a_new_rider_at_the_end_of_the_list() {
    let mut world = World::group(9, 3);
    let peer = world.peer(BEN);
    world.intend(BEN, Intent::Leave);
    world.run(ms(100));
    world.reload(BEN);
    world.enter(BEN, "Ben", 250);
    world.run(secs(1));
    assert_eq!(world.listed(ANA), ["Ana", "Cem", "Ben"]);
    assert_ne!(world.peer(BEN), peer);
}

#[test]
fn the_lobby_shows_at_once_that_a_rider_s_trainer_is_connected_lost_and_back() {
    let mut world = World::group(10, 2);
    let seen = |world: &World| (world.own_row(ANA).trainer, world.row(BEN, "Ana").trainer);
    let both = |kind: TrainerKind| (kind, kind);
    world.connect_trainer(ANA, FakeTrainer::new("Kickr"));
    assert_eq!(seen(&world), both(TrainerKind::Bluetooth));
    world.drop_trainer(ANA);
    world.run(ms(100));
    assert_eq!(seen(&world), both(TrainerKind::None));
    world.wake_trainer(ANA);
    world.run_until("the trainer", |world| {
        seen(world) == both(TrainerKind::Bluetooth)
    });
    world.intend(ANA, Intent::SimulateTrainer);
    world.run(ms(100));
    assert_eq!(seen(&world), both(TrainerKind::Simulated));
}

#[test]
fn the_lobby_shows_no_trainer_for_a_rider_whose_choice_has_failed() {
    let mut world = World::group(11, 2);
    let mut trainer = FakeTrainer::new("Kickr");
    trainer.failing_connects = u32::MAX;
    world.connect_trainer(ANA, trainer);
    world.run(secs(5));
    assert_eq!(world.row(BEN, "Ana").trainer, TrainerKind::None);
}
