//! The chat in whole sessions: over the mesh, the relay, reloads, and a server that is gone.

use session::{
    Intent,
    chat::{ChatInput, Presence, Tab},
};

use crate::harness::{ANA, BEN, CEM, World, long_ride, ms, secs};

/// Riders whose pages have loaded the chat.
fn chatting(seed: u64, riders: usize) -> World {
    let mut world = World::group(seed, riders);
    for at in 0..riders {
        world.load_exchange(at);
    }
    world.run(ms(500));
    world
}

fn texts(world: &World, at: usize) -> Vec<String> {
    let messages = world.messages(at, &Tab::Group).into_iter();
    messages
        .map(|(name, text)| format!("{name}: {text}"))
        .collect()
}

#[test]
fn a_message_reaches_all_riders_at_once_and_its_author_is_told() {
    let mut world = chatting(1, 3);
    world.say_to_all(ANA, "Hello!");
    world.run(ms(100));
    for at in [ANA, BEN, CEM] {
        assert_eq!(texts(&world, at), ["Ana: Hello!"]);
    }
    world.run(secs(1));
    let marks = world.message_rows(ANA, &Tab::Group)[0]
        .marks
        .clone()
        .unwrap();
    assert_eq!(marks.present.len(), 2);
    assert_eq!(marks.delivered.len(), 2);
    assert_eq!(marks.read, Vec::<String>::new());
    world.chat(BEN, ChatInput::Shown(Some(Tab::Group)));
    world.run(secs(1));
    let marks = world.message_rows(ANA, &Tab::Group)[0]
        .marks
        .clone()
        .unwrap();
    assert_eq!(marks.read, ["Ben"]);
}

#[test]
fn what_arrives_before_the_chat_is_loaded_is_shown_once_it_is() {
    let mut world = World::group(2, 2);
    world.load_exchange(ANA);
    world.say_to_all(ANA, "Hello!");
    world.run(secs(1));
    world.load_exchange(BEN);
    world.run(secs(2));
    assert_eq!(texts(&world, BEN), ["Ana: Hello!"]);
}

#[test]
fn a_late_rider_gets_the_history_though_its_author_has_left() {
    let mut world = chatting(3, 2);
    world.say_to_all(ANA, "Hello!");
    world.say_to_all(BEN, "Hi Ana");
    world.run(secs(1));
    world.intend(ANA, Intent::Leave);
    world.run(secs(1));
    let cem = world.join_next();
    world.load_exchange(cem);
    world.run(secs(8));
    assert_eq!(texts(&world, cem), ["Ana: Hello!", "Ben: Hi Ana"]);
    let rows = world.message_rows(cem, &Tab::Group);
    // The server vouches for the keys of members and of hosts.
    assert!(rows[0].is_verified && rows[1].is_verified);
}

#[test]
fn a_reload_loses_nothing_and_repeats_nothing() {
    let mut world = chatting(4, 3);
    world.say_to_all(BEN, "one");
    world.run(secs(3));
    world.close_page(BEN);
    world.say_to_all(ANA, "two");
    world.run(secs(5));
    world.open(BEN);
    world.load_exchange(BEN);
    world.run(secs(8));
    world.say_to_all(BEN, "three");
    world.run(secs(2));
    for at in [ANA, BEN, CEM] {
        assert_eq!(
            texts(&world, at),
            ["Ben: one", "Ana: two", "Ben: three"],
            "{at}"
        );
    }
    let rows = world.message_rows(BEN, &Tab::Group);
    assert_eq!(
        [rows[0].is_own, rows[1].is_own, rows[2].is_own],
        [true, false, true]
    );
}

#[test]
fn the_chat_goes_on_without_the_server() {
    let mut world = chatting(5, 3);
    world.kill_server();
    world.run(secs(5));
    world.say_to_all(CEM, "Still here");
    world.run(secs(2));
    for at in [ANA, BEN, CEM] {
        assert_eq!(texts(&world, at), ["Cem: Still here"]);
    }
}

#[test]
fn a_message_over_the_relay_arrives_too() {
    let mut world = World::new(6);
    for _ in 0..3 {
        let at = world.add_browser();
        world.tabs[at].has_webrtc = false;
        world.open(at);
        world.enter(at, ["Ana", "Ben", "Cem"][at], 200);
        world.load_exchange(at);
    }
    world.run(secs(3));
    world.say_to_all(ANA, "Hello!");
    world.run(secs(1));
    for at in [ANA, BEN, CEM] {
        assert_eq!(texts(&world, at), ["Ana: Hello!"]);
    }
}

#[test]
fn a_private_message_reaches_one_rider() {
    let mut world = chatting(7, 3);
    let ben = world.peer(BEN);
    world.chat(ANA, ChatInput::OpenPrivate(ben.clone()));
    let (tab, text) = (Tab::Private(ben), "Only for you".to_owned());
    world.chat(ANA, ChatInput::Send { tab, text });
    world.run(secs(2));
    let ana = world.peer(ANA);
    assert_eq!(world.message_rows(BEN, &Tab::Private(ana.clone())).len(), 1);
    assert_eq!(texts(&world, BEN), Vec::<String>::new());
    let tabs = &world.tabs[CEM].exchange.chat.tabs;
    assert!(tabs.iter().all(|tab| tab.messages.is_empty()), "{tabs:?}");
}

#[test]
fn only_the_host_switches_the_chat_off() {
    let mut world = chatting(8, 2);
    world.chat(BEN, ChatInput::SwitchOn(false));
    world.run(secs(1));
    assert!(!world.tabs[ANA].exchange.chat.is_off);
    world.chat(ANA, ChatInput::SwitchOn(false));
    world.run(secs(1));
    assert!(world.tabs[BEN].exchange.chat.is_off);
    world.say_to_all(BEN, "Hello?");
    world.run(secs(1));
    assert_eq!(texts(&world, ANA), Vec::<String>::new());
}

#[test]
fn reactions_and_presence_reach_the_others() {
    let mut world = chatting(9, 2);
    let ana = world.peer(ANA);
    world.chat(
        BEN,
        ChatInput::React {
            to: Some(ana.clone()),
            reaction: 1,
        },
    );
    world.chat(BEN, ChatInput::SetPresence(Presence::Hidden));
    world.run(secs(2));
    let shown = &world.tabs[ANA].exchange;
    let reaction = &shown.reactions[0];
    assert_eq!(
        (reaction.name.as_str(), &reaction.to, reaction.reaction),
        ("Ben", &Some(ana), 1)
    );
    let ben = world.peer(BEN);
    let riders = &world.tabs[ANA].exchange.chat.riders;
    let row = riders.iter().find(|row| row.peer == ben).expect("Ben");
    assert_eq!(row.presence, Presence::Hidden);
}

#[test]
fn a_ride_with_a_busy_chat_keeps_its_numbers_fresh() {
    let mut world = World::riding(10, 4, long_ride());
    for at in 0..4 {
        world.load_exchange(at);
    }
    world.run(secs(1));
    for round in 0..60 {
        for at in 0..4 {
            world.say_to_all(at, &format!("{round} {}", "x".repeat(480)));
        }
        world.run(ms(250));
        assert!((0..4).all(|at| world.view(at).riders.iter().all(|row| !row.stale)));
    }
    assert_eq!(texts(&world, ANA).len(), 200);
}
