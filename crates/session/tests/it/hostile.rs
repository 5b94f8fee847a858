//! Members that run another program and send what they like.

use std::sync::Arc;

use clock::GroupTime;
use protocol::{peer::DeliveryClass, signaling::HostCommand};
use ride::{
    history::{HistorySnapshot, Track},
    message::{PeerMessage, Telemetry},
    timeline::{Change, Head, SignedEvent, SigningKey, Timeline},
};
use session::{
    Intent,
    view::{JoinError, Notice, Stage},
};

use crate::harness::{ANA, BEN, World, four_steps, long_ride, ms, secs};

/// Two riders who ride, and a raw peer. Ana watches the links.
fn with_raw_peer(seed: u64) -> (World, usize) {
    let mut world = World::group(seed, 2);
    let raw = world.join_raw_peer();
    world.run(secs(3));
    for at in [ANA, BEN] {
        world.intend(at, Intent::SimulateTrainer);
    }
    world.intend(ANA, Intent::ShareWorkout(long_ride()));
    world.intend(ANA, Intent::Start);
    world.run(secs(12));
    world.intend(ANA, Intent::WatchLinks(true));
    world.intend(BEN, Intent::WatchLinks(true));
    world.run(secs(2));
    assert_eq!(world.view(ANA).network.ignored, 0);
    world.forget_received(raw);
    world.forget_notices();
    (world, raw)
}

/// The timeline that a rider's browser has stored.
fn timeline(world: &World, at: usize) -> Timeline {
    let stored = world.storage(at).timeline.as_ref().unwrap();
    let Ok(PeerMessage::Timeline(events)) = PeerMessage::decode(stored) else {
        panic!("not a timeline");
    };
    let mut timeline = Timeline::new();
    timeline.restore(events);
    timeline
}

/// Change that looks as if the host had made it, but is signed by another key.
fn forge(world: &World, at: usize, change: Change) -> SignedEvent {
    let mut timeline = timeline(world, at);
    let epoch = timeline.head().epoch;
    let host = world.peer(ANA);
    let key = SigningKey::from_seed([99; 32]).unwrap();
    timeline.append(change, epoch, &host, &key).unwrap()
}

fn is_answer(message: &PeerMessage) -> bool {
    matches!(message, PeerMessage::Timeline(_) | PeerMessage::History(_))
}

#[test]
fn messages_that_cannot_be_read_are_counted_and_change_nothing() {
    let (mut world, raw) = with_raw_peer(1);
    let unreadable: [Vec<u8>; 4] = [
        vec![],
        vec![0xff; 900],
        b"hello".to_vec(),
        // Version 1 of a kind that only a later version knows.
        vec![0x83, 1, 99, 0x80],
    ];
    for bytes in unreadable {
        world.send_raw(raw, ANA, DeliveryClass::Control, bytes);
    }
    world.run(secs(3));
    assert_eq!(world.view(ANA).network.ignored, 4);
    assert_eq!(*world.stage(ANA), Stage::Riding);
    assert_eq!(world.notices(ANA), []);
}

#[test]
fn a_flood_of_unreadable_messages_does_not_disturb_the_ride() {
    let (mut world, raw) = with_raw_peer(2);
    for _ in 0..200 {
        world.send_raw(raw, ANA, DeliveryClass::Telemetry, vec![0xff; 100]);
        world.send_raw(raw, ANA, DeliveryClass::Control, vec![0xff; 1_000]);
        world.run(ms(10));
    }
    world.run(secs(1));
    assert_eq!(*world.stage(ANA), Stage::Riding);
    assert!(!world.row(ANA, "Ben").stale);
    assert!(world.view(ANA).network.ignored > 0);
}

#[test]
fn a_flood_of_requests_for_the_timeline_gets_a_bounded_number_of_answers() {
    let (mut world, raw) = with_raw_peer(3);
    let request = PeerMessage::TimelineRequest { head: Head::NONE };
    for _ in 0..400 {
        world.send_message(raw, BEN, &request);
        world.run(ms(10));
    }
    world.run(secs(1));
    let answers = world.raw_peer(raw).messages(&world.peer(BEN));
    let answers = answers.iter().filter(|it| is_answer(it)).count();
    assert!(
        (1..=12).contains(&answers),
        "{answers} answers in four seconds"
    );
}

#[test]
fn a_flood_of_requests_for_the_history_gets_a_bounded_number_of_answers() {
    let (mut world, raw) = with_raw_peer(4);
    let started = timeline(&world, BEN).started_at().unwrap();
    for _ in 0..400 {
        world.send_message(raw, BEN, &PeerMessage::HistoryRequest { started });
        world.run(ms(10));
    }
    world.run(secs(1));
    let answers = world.raw_peer(raw).messages(&world.peer(BEN));
    let answers = answers.iter().filter(|it| is_answer(it)).count();
    assert!(
        (1..=2).contains(&answers),
        "{answers} answers in four seconds"
    );
}

#[test]
fn a_request_for_the_history_of_another_ride_is_answered_without_tracks() {
    let (mut world, raw) = with_raw_peer(5);
    let started = GroupTime(42);
    world.send_message(raw, BEN, &PeerMessage::HistoryRequest { started });
    world.run(secs(1));
    let answers = world.raw_peer(raw).messages(&world.peer(BEN));
    let tracks: Vec<_> = answers
        .iter()
        .filter_map(|message| match message {
            PeerMessage::History(snapshot) => Some(&snapshot.tracks),
            _ => None,
        })
        .collect();
    assert_eq!(tracks, [&Vec::new()]);
}

#[test]
fn a_forged_event_is_rejected_and_counted() {
    let (mut world, raw) = with_raw_peer(6);
    let at = world.group_time(ANA).unwrap();
    for change in [Change::End { at }, Change::Pause { at }] {
        let event = forge(&world, ANA, change);
        for to in [ANA, BEN] {
            world.send_message(raw, to, &PeerMessage::Timeline(vec![event.clone()]));
        }
    }
    world.run(secs(3));
    for at in [ANA, BEN] {
        assert_eq!(*world.stage(at), Stage::Riding);
        assert!(!world.view(at).progress.paused);
        assert_eq!(world.view(at).network.ignored, 2);
    }
}

#[test]
fn an_event_of_the_host_altered_on_its_way_is_rejected_and_the_true_one_counts() {
    let (mut world, raw) = with_raw_peer(7);
    world.block(ANA, BEN, true);
    world.relay.loss_per_mille = 1_000;
    world.intend(ANA, Intent::Pause);
    let mut event = timeline(&world, ANA).since(Head::NONE).pop().unwrap();
    event.signature[63] ^= 1;
    world.send_message(raw, BEN, &PeerMessage::Timeline(vec![event]));
    world.run(ms(300));
    assert!(!world.view(BEN).progress.paused);
    world.block(ANA, BEN, false);
    world.relay.loss_per_mille = 0;
    world.run(secs(3));
    assert!(world.view(BEN).progress.paused);
    assert_eq!(world.view(BEN).network.ignored, 1);
}

#[test]
fn an_event_of_the_host_may_be_passed_on_by_any_member() {
    let (mut world, raw) = with_raw_peer(8);
    world.block(ANA, BEN, true);
    world.relay.loss_per_mille = 1_000;
    world.intend(ANA, Intent::Pause);
    let event = timeline(&world, ANA).since(Head::NONE).pop().unwrap();
    world.send_message(raw, BEN, &PeerMessage::Timeline(vec![event]));
    world.run(ms(500));
    assert!(world.view(BEN).progress.paused);
    assert_eq!(world.view(BEN).network.ignored, 0);
}

#[test]
fn a_history_that_was_not_asked_for_is_ignored() {
    let (mut world, raw) = with_raw_peer(9);
    let started = timeline(&world, ANA).started_at().unwrap();
    let snapshot = HistorySnapshot {
        started,
        tracks: vec![Track {
            rider: "peer-99".parse().unwrap(),
            name: Some("Ghost".parse().unwrap()),
            first_slot: 0,
            points: vec![100; 10],
        }],
    };
    world.send_message(raw, ANA, &PeerMessage::History(snapshot));
    world.run(secs(1));
    world.intend(ANA, Intent::End);
    world.run(secs(1));
    let chart = world.view(ANA).chart.as_ref().unwrap();
    assert!(chart.others.iter().all(|rider| rider.name != "Ghost"));
}

#[test]
fn metrics_far_ahead_of_the_ride_do_not_enter_the_history() {
    let (mut world, raw) = with_raw_peer(10);
    let profile = ride::rider::RiderProfile {
        name: "Raw".parse().unwrap(),
        ftp: ride::rider::Ftp::new(200).unwrap(),
        ready: false,
        trainer: ride::rider::TrainerKind::None,
    };
    world.send_message(raw, ANA, &PeerMessage::Profile(profile));
    let at = world.group_time(ANA).unwrap();
    let telemetry = Telemetry {
        power: Some(200),
        elapsed_ms: 20 * 3_600 * 1_000,
        at,
        ..Telemetry::default()
    };
    world.send_message(raw, ANA, &PeerMessage::Telemetry(telemetry));
    world.run(secs(6));
    assert_eq!(world.row(ANA, "Raw").metrics.power, Some(200));
    let started = timeline(&world, ANA).started_at().unwrap();
    world.send_message(raw, ANA, &PeerMessage::HistoryRequest { started });
    world.run(secs(1));
    let me = world.raw_peer_id(raw);
    let answers = world.raw_peer(raw).messages(&world.peer(ANA));
    let of_me = |message: &PeerMessage| match message {
        PeerMessage::History(snapshot) => snapshot.tracks.iter().any(|it| it.rider == me),
        _ => false,
    };
    assert!(answers.iter().any(is_answer));
    assert!(!answers.iter().any(of_me));
}

#[test]
fn a_member_who_is_not_host_cannot_command_the_server() {
    let (mut world, raw) = with_raw_peer(11);
    let peer = world.peer(BEN);
    let reason = String::new();
    for command in [
        HostCommand::Lock,
        HostCommand::End,
        HostCommand::Kick { peer, reason },
        HostCommand::Reclaim,
    ] {
        world.command_raw(raw, command);
    }
    world.run(secs(1));
    assert_eq!(world.listed(ANA).len(), 3);
    assert_eq!(world.host(ANA), "Ana");
    assert!(!world.view(ANA).locked);
    assert_eq!(*world.stage(BEN), Stage::Riding);
}

#[test]
fn a_member_can_be_kicked_and_its_messages_end() {
    let (mut world, raw) = with_raw_peer(12);
    let peer = world.raw_peer_id(raw);
    let reason = String::new();
    world.intend(ANA, Intent::Kick { peer, reason });
    world.run(secs(1));
    assert_eq!(world.listed(BEN), ["Ana", "Ben"]);
    let ignored = world.view(ANA).network.ignored;
    for _ in 0..10 {
        world.send_raw(raw, ANA, DeliveryClass::Control, vec![0xff; 10]);
    }
    world.run(secs(2));
    assert_eq!(world.view(ANA).network.ignored, ignored);
    assert_eq!(world.listed(BEN), ["Ana", "Ben"]);
}

/// A raw peer is host, and Ana a rider.
fn with_raw_host(seed: u64) -> (World, usize, Timeline) {
    let mut world = World::new(seed);
    world.join_raw_peer();
    let ana = world.add_browser();
    world.open(ana);
    world.enter(ana, "Ana", 200);
    world.run(secs(4));
    world.intend(ana, Intent::WatchLinks(true));
    (world, ana, Timeline::new())
}

fn append(world: &World, timeline: &mut Timeline, change: Change) -> SignedEvent {
    let host = world.raw_peer_id(0);
    let key = &world.raw_peer(0).key;
    timeline.append(change, 1, &host, key).unwrap()
}

#[test]
fn a_host_that_sends_events_with_gaps_is_asked_for_all_at_most_every_two_seconds() {
    let (mut world, ana, mut timeline) = with_raw_host(13);
    let events: Vec<_> = (0..400)
        .map(|length| {
            let change = Change::Share(Arc::unwrap_or_clone(crate::harness::workout(
                "Any",
                &[(60 + length, 0.5)],
            )));
            append(&world, &mut timeline, change)
        })
        .collect();
    for event in events.into_iter().skip(1) {
        world.send_message(0, ana, &PeerMessage::Timeline(vec![event]));
        world.run(ms(10));
    }
    let requests = world.raw_peer(0).messages(&world.peer(ana));
    let whole = PeerMessage::TimelineRequest { head: Head::NONE };
    let requests = requests.iter().filter(|it| **it == whole).count();
    assert!((1..=3).contains(&requests), "{requests} in four seconds");
    assert_eq!(world.view(ana).workout, None);
}

#[test]
fn an_event_of_a_kind_that_only_a_later_version_knows_is_announced_and_kept() {
    let (mut world, ana, mut timeline) = with_raw_host(14);
    let share = Change::Share(Arc::unwrap_or_clone(four_steps()));
    let first = append(&world, &mut timeline, share);
    let mut unknown = append(&world, &mut timeline, Change::NoOp);
    // A change is an array that begins with its kind: [9] becomes [10].
    let kind = unknown
        .bytes
        .windows(2)
        .rposition(|bytes| bytes == [0x81, 9]);
    unknown.bytes[kind.unwrap() + 1] = 10;
    unknown.signature = world.raw_peer(0).sign_event(&unknown.bytes);
    world.send_message(0, ana, &PeerMessage::Timeline(vec![first, unknown]));
    world.run(ms(300));
    assert_eq!(world.view(ana).workout, Some(four_steps()));
    assert_eq!(world.notices(ana), [Notice::NewerVersion]);
    let stored = world.storage(ana).timeline.as_ref().unwrap();
    let Ok(PeerMessage::Timeline(events)) = PeerMessage::decode(stored) else {
        panic!("not a timeline");
    };
    assert_eq!(events.len(), 2);
}

#[test]
fn a_host_without_a_timeline_of_its_own_leaves_the_riders_in_the_lobby() {
    let (mut world, ana, _) = with_raw_host(15);
    world.run(secs(30));
    assert_eq!(*world.stage(ana), Stage::Lobby);
    world.command_raw(0, HostCommand::End);
    world.run(secs(1));
    assert_eq!(*world.stage(ana), Stage::CannotJoin(JoinError::Closed));
}
