//! False claims of riders to a server that has lost its memory.

use super::*;
use protocol::signaling::HostCommand;

#[test]
fn a_room_with_its_memory_ignores_snapshots() {
    let (mut harness, mut pages) = ride_of(2);
    let liar = pages[1].welcome.clone();
    let mut snapshot = pages[1].snapshot();
    snapshot.hosts.push(HostTerm {
        epoch: 9,
        peer: liar.peer.clone(),
        sign_key: [2; 32],
    });
    snapshot.locked = true;
    let ghost = Member {
        number: PeerNumber(7),
        peer: "ghost".parse().unwrap(),
        ..snapshot.members[0].clone()
    };
    snapshot.members.push(ghost);
    let back = harness
        .hello_with_snapshot(3, resume(&liar, true), Some(snapshot), 2)
        .unwrap();
    assert_eq!((back.epoch, back.locked, back.members.len()), (1, false, 1));
    pages[0].receive(&harness);
    assert_eq!(pages[0].epoch(), 1);
    assert_eq!(harness.join(4).number, PeerNumber(3));
}

#[test]
fn false_members_of_a_snapshot_give_way_to_holders_of_tokens() {
    let settings = RoomSettings {
        max_riders: 3,
        ..RoomSettings::default()
    };
    let mut harness = RoomHarness::with(settings);
    let mut pages: Vec<_> = (1..=3)
        .map(|socket| TestPage::join(&mut harness, socket).unwrap())
        .collect();
    let honest = pages[2].welcome.members[0].clone();
    let ghost = |number: u32, peer: &str| Member {
        number: PeerNumber(number),
        peer: peer.parse().unwrap(),
        ..honest.clone()
    };
    let snapshot = RoomSnapshot {
        members: vec![ghost(1, "ghost"), ghost(9, "peer2"), ghost(0, "none")],
        ..RoomSnapshot::default()
    };
    harness.restart_server();
    let claim = resume(&pages[2].welcome, true);
    assert!(
        harness
            .hello_with_snapshot(103, claim, Some(snapshot), 3)
            .is_some()
    );
    reconnect_all(&mut harness, &mut pages[..2]);
    assert_eq!(pages[0].welcome.number, PeerNumber(1));
    assert_eq!(pages[1].welcome.number, PeerNumber(2));
    assert_eq!(harness.room.summary().riders, 3);
}

#[test]
fn an_implausible_epoch_is_ignored() {
    let (mut harness, pages) = ride_of(1);
    let mut snapshot = pages[0].snapshot();
    snapshot.hosts[0].epoch = u32::MAX;
    harness.restart_server();
    let claim = resume(&pages[0].welcome, true);
    harness
        .hello_with_snapshot(101, claim, Some(snapshot), 1)
        .unwrap();
    harness.advance(WAIT);
    assert!(harness.room.terms.epoch() < 9);
}

/// Snapshot of a page with an additional term in which it is the host.
pub(super) fn with_false_term(page: &TestPage, epoch: u32) -> RoomSnapshot {
    let mut snapshot = page.snapshot();
    snapshot.hosts.push(HostTerm {
        epoch,
        peer: page.welcome.peer.clone(),
        sign_key: [page.key; 32],
    });
    snapshot
}

#[test]
fn an_epoch_far_above_any_signed_one_is_ignored() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    let claim = resume(&pages[1].welcome, true);
    let snapshot = with_false_term(&pages[1], 1_000);
    harness
        .hello_with_snapshot(102, claim, Some(snapshot), 2)
        .unwrap();
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    assert_eq!(pages[0].epoch(), 1);
    assert_eq!(pages[0].hosts.last().unwrap().peer, pages[0].welcome.peer);
}

#[test]
fn votes_of_riders_that_are_gone_do_not_count() {
    let (mut harness, mut pages) = ride_of(3);
    harness.restart_server();
    for page in &pages[1..] {
        let socket = page.socket + 100;
        let mut snapshot = with_false_term(&pages[1], 2);
        snapshot.locked = true;
        let claim = resume(&page.welcome, true);
        harness
            .hello_with_snapshot(socket, claim, Some(snapshot), page.key)
            .unwrap();
        harness.close(socket);
    }
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    let announced = harness.announced_host(101).unwrap();
    assert_eq!(announced.1, pages[0].welcome.peer);
    assert_eq!(announced.0, 3, "above the epochs in the snapshots");
    assert!(!harness.room.summary().locked);
}

#[test]
fn votes_of_banned_riders_do_not_count() {
    let (mut harness, mut pages) = ride_of(2);
    let (peer, reason) = (pages[1].welcome.peer.clone(), String::new());
    harness.message(
        1,
        ClientMessage::Command(HostCommand::Kick { peer, reason }),
    );
    pages[0].receive(&harness);
    // The server learns of the ban from the ban token.
    harness.standings.forget();
    harness.restart_server();
    let mut snapshot = pages[1].snapshot();
    snapshot.locked = true;
    let claim = resume(&pages[1].welcome, true);
    harness
        .hello_with_snapshot(102, claim, Some(snapshot), 2)
        .unwrap();
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    assert!(!harness.room.summary().locked);
    assert_eq!(pages[0].epoch(), 1);
}

#[test]
fn repeated_false_terms_of_one_rider_begin_one_new_term() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    // As often as one rider may return at once.
    for round in 0..7 {
        let claim = resume(&pages[1].welcome, true);
        let snapshot = with_false_term(&pages[1], 2 + 2 * round);
        let socket = 200 + u64::from(round);
        pages[1].welcome = harness
            .hello_with_snapshot(socket, claim, Some(snapshot), 2)
            .unwrap();
    }
    assert_eq!(
        harness.announced_host(101),
        Some((3, pages[0].welcome.peer.clone()))
    );
}

#[test]
fn false_terms_of_many_riders_begin_few_new_terms() {
    let (mut harness, mut pages) = ride_of(12);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    let (epoch, host) = harness.announced_host(101).unwrap();
    for (number, page) in (0_u32..).zip(&pages[1..]) {
        let claim = resume(&page.welcome, true);
        let snapshot = with_false_term(page, epoch + 2 + 2 * number);
        let socket = 200 + u64::from(number);
        harness.hello_with_snapshot(socket, claim, Some(snapshot), 2);
    }
    let (last, same_host) = harness.announced_host(101).unwrap();
    assert_eq!(same_host, host);
    let announced = |message: &ServerMessage| matches!(message, ServerMessage::Host { .. });
    let terms = harness
        .received(101)
        .iter()
        .filter(|it| announced(it))
        .count();
    assert!(terms <= 5, "{terms} terms, the last with epoch {last}");
}
