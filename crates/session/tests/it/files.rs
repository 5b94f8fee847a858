//! Files in whole sessions: over the mesh, the relay, lost links, reloads, and other tabs.

use session::{
    Intent,
    chat::{ChatInput, Tab},
    transfers::{TransferFailure, TransferState},
    view::Stage,
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

/// Riders whose pages have loaded chat and files.
fn group(seed: u64, riders: usize) -> World {
    let mut world = World::group(seed, riders);
    for at in 0..riders {
        world.load_exchange(at);
    }
    world.run(secs(1));
    world
}

/// Riders in browsers without WebRTC.
fn relayed(seed: u64, riders: usize) -> World {
    let mut world = World::new(seed);
    for name in ["Ana", "Ben", "Cem"].into_iter().take(riders) {
        let at = world.add_browser();
        world.tabs[at].has_webrtc = false;
        world.open(at);
        world.enter(at, name, 200);
        world.load_exchange(at);
    }
    world.run(secs(3));
    world
}

fn content(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at / 251 + at) as u8).collect()
}

fn state(world: &World, at: usize) -> Option<TransferState> {
    let transfers = &world.tabs[at].exchange.transfers;
    transfers.last().map(|one| one.state)
}

fn is_received(world: &World, at: usize, file: &[u8]) -> bool {
    world.received_file(at, "ride.fit") == Some(file)
}

#[test]
fn a_file_reaches_the_riders_who_accept_it() {
    let mut world = group(1, 3);
    let file = content(2_000_000);
    world.offer_file(ANA, "ride.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.accept_file(CEM);
    world.run_until("the file", |world| {
        [BEN, CEM].iter().all(|at| is_received(world, *at, &file))
    });
    world.run(secs(2));
    let states = world.tabs[ANA]
        .exchange
        .transfers
        .iter()
        .map(|one| one.state);
    assert_eq!(states.collect::<Vec<_>>(), [TransferState::Complete; 2]);
}

#[test]
fn a_file_goes_over_the_relay_and_leaves_half_of_its_budget() {
    let mut world = relayed(2, 2);
    let file = content(300_000);
    world.offer_file(ANA, "ride.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.run(secs(1));
    assert!(world.tabs[BEN].exchange.transfers[0].is_relayed);
    world.say_to_all(ANA, "On its way");
    world.run(secs(1));
    assert_eq!(world.messages(BEN, &Tab::Group).len(), 1);
    world.run_until("the file", |world| is_received(world, BEN, &file));
}

#[test]
fn a_file_goes_on_after_a_lost_link() {
    let mut world = group(3, 2);
    let file = content(4_000_000);
    world.offer_file(ANA, "ride.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.run_until("a part", |world| {
        world.tabs[BEN].exchange.transfers[0].transferred > 200_000
    });
    world.block(ANA, BEN, true);
    world.run(secs(4));
    assert!(!is_received(&world, BEN, &file));
    world.block(ANA, BEN, false);
    world.run_until("the file", |world| is_received(world, BEN, &file));
    // The receiver is away as a whole.
    let file = content(3_000_000);
    world.offer_file(ANA, "long.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.run(ms(300));
    world.go_offline(BEN);
    world.run(secs(20));
    assert_ne!(state(&world, ANA), Some(TransferState::Complete));
    world.go_online(BEN);
    world.run_until("the file", |world| {
        world.received_file(BEN, "long.fit") == Some(&file[..])
    });
}

#[test]
fn a_file_goes_on_after_a_reload_of_its_receiver() {
    let mut world = group(4, 2);
    let file = content(4_000_000);
    world.offer_file(ANA, "ride.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.run_until("a part", |world| {
        world.tabs[BEN].exchange.transfers[0].transferred > 200_000
    });
    world.reload(BEN);
    world.load_exchange(BEN);
    world.run_until("the file", |world| is_received(world, BEN, &file));
}

#[test]
fn transfers_end_with_a_reason_when_a_rider_leaves() {
    let mut world = World::riding(5, 2, long_ride());
    for at in [ANA, BEN] {
        world.load_exchange(at);
    }
    world.run(secs(1));
    let file = content(8_000_000);
    world.offer_file(ANA, "ride.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.offer_file(BEN, "other.fit", &content(100));
    world.run(ms(300));
    assert_eq!(
        world.tabs[BEN].exchange.transfers[0].state,
        TransferState::Running
    );
    world.intend(BEN, Intent::Leave);
    world.run(secs(1));
    let left = TransferState::Failed(TransferFailure::LeftRide);
    let states = world.tabs[BEN]
        .exchange
        .transfers
        .iter()
        .map(|one| one.state);
    assert_eq!(states.collect::<Vec<_>>(), [left; 2]);
    assert!(world.storage(BEN).files.is_empty());
    // The rider can remove them.
    let id = world.tabs[BEN].exchange.transfers[0].id;
    world.transfer(BEN, session::transfers::TransferInput::Cancel(id));
    world.run(secs(1));
    assert_eq!(world.tabs[BEN].exchange.transfers.len(), 1);
    world.run(secs(60));
    let left = TransferState::Failed(TransferFailure::PeerLeft);
    assert_eq!(world.tabs[ANA].exchange.transfers[0].state, left);
}

#[test]
fn a_tab_that_was_taken_over_stores_nothing_more_and_the_other_one_goes_on() {
    let mut world = group(6, 2);
    let file = content(8_000_000);
    world.offer_file(ANA, "ride.fit", &file);
    world.run(secs(1));
    world.accept_file(BEN);
    world.run_until("a part", |world| {
        world.tabs[BEN].exchange.transfers[0].transferred > 200_000
    });
    let second = world.add_tab(BEN);
    world.open(second);
    world.load_exchange(second);
    world.say_to_all(BEN, "Still in the first tab");
    world.intend(second, Intent::ResumeAs(0));
    world.run_until("the other tab", |world| {
        *world.stage(BEN) == Stage::TakenOver
    });
    let stores = world.tabs[BEN].exchange.chat_stores;
    assert!(world.tabs[BEN].exchange.is_released);
    assert!(world.tabs[BEN].exchange.transfers.is_empty());
    world.run_until("the file", |world| is_received(world, second, &file));
    world.run(secs(5));
    assert_eq!(world.tabs[BEN].exchange.chat_stores, stores);
    assert_eq!(world.messages(second, &Tab::Group).len(), 1);
}

#[test]
fn an_offer_that_came_before_the_page_had_room_for_it_is_shown_later() {
    let mut world = World::group(7, 2);
    world.load_exchange(ANA);
    world.run(secs(1));
    // More than a page keeps of one rider before chat and files are loaded.
    (0..20).for_each(|number| world.say_to_all(ANA, &format!("{number}")));
    world.offer_file(ANA, "ride.fit", &content(100));
    world.chat(
        ANA,
        ChatInput::SetAvatar(session::chat::Avatar::Emoji("🚴".into())),
    );
    world.run(secs(30));
    world.load_exchange(BEN);
    world.run(secs(90));
    assert_eq!(state(&world, BEN), Some(TransferState::Offered));
    let ana = world.peer(ANA);
    let riders = &world.tabs[BEN].exchange.chat.riders;
    let row = riders.iter().find(|row| row.peer == ana).expect("Ana");
    assert_eq!(row.avatar, session::chat::Avatar::Emoji("🚴".into()));
    assert_eq!(world.messages(BEN, &Tab::Group).len(), 20);
}

#[test]
fn offers_of_a_hidden_rider_are_not_shown() {
    let mut world = group(8, 2);
    let ana = world.peer(ANA);
    world.chat(BEN, ChatInput::Hide(ana.clone(), true));
    world.offer_file(ANA, "ride.fit", &content(100));
    world.run(secs(5));
    assert_eq!(state(&world, BEN), None);
    assert_eq!(state(&world, ANA), Some(TransferState::Offered));
    world.chat(BEN, ChatInput::Hide(ana, false));
    world.run(secs(1));
    assert_eq!(state(&world, BEN), Some(TransferState::Offered));
}
