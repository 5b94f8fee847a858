//! What riders make up when a server asks them what it has lost.

use super::*;
use protocol::signaling::HostCommand;

#[test]
fn a_room_that_lived_on_does_not_look_at_what_riders_claim() {
    let (mut hall, mut pages) = riding(2);
    let liar = pages[1].welcome.clone();
    let mut lies = pages[1].restore();
    lies.hosts.push(HostTerm {
        epoch: 9,
        peer: liar.peer.clone(),
        sign_key: [2; 32],
    });
    lies.locked = true;
    let ghost = Member {
        number: PeerNumber(7),
        peer: "ghost".parse().unwrap(),
        ..lies.members[0].clone()
    };
    lies.members.push(ghost);
    let back = hall
        .hello_with(3, resume(&liar, true), Some(lies), 2)
        .unwrap();
    assert_eq!((back.epoch, back.locked, back.members.len()), (1, false, 1));
    pages[0].read(&hall);
    assert_eq!(pages[0].epoch(), 1);
    assert_eq!(hall.join(4).number, PeerNumber(3));
}

#[test]
fn lies_about_the_others_give_way_to_those_who_come() {
    let settings = RoomSettings {
        max_riders: 3,
        ..RoomSettings::default()
    };
    let mut hall = RoomHarness::with(settings);
    let mut pages: Vec<_> = (1..=3)
        .map(|socket| Page::join(&mut hall, socket).unwrap())
        .collect();
    let honest = pages[2].welcome.members[0].clone();
    let ghost = |number: u32, peer: &str| Member {
        number: PeerNumber(number),
        peer: peer.parse().unwrap(),
        ..honest.clone()
    };
    let lies = RoomSnapshot {
        members: vec![ghost(1, "ghost"), ghost(9, "peer2"), ghost(0, "none")],
        ..RoomSnapshot::default()
    };
    hall.lose_memory();
    let liar = resume(&pages[2].welcome, true);
    assert!(hall.hello_with(103, liar, Some(lies), 3).is_some());
    all_come_back(&mut hall, &mut pages[..2]);
    assert_eq!(pages[0].welcome.number, PeerNumber(1));
    assert_eq!(pages[1].welcome.number, PeerNumber(2));
    assert_eq!(hall.room.summary().riders, 3);
}

#[test]
fn an_epoch_beyond_belief_is_not_believed() {
    let (mut hall, pages) = riding(1);
    let mut lies = pages[0].restore();
    lies.hosts[0].epoch = u32::MAX;
    hall.lose_memory();
    let liar = resume(&pages[0].welcome, true);
    hall.hello_with(101, liar, Some(lies), 1).unwrap();
    hall.pass(WAIT);
    assert!(hall.room.epoch() < 9);
}

/// What a page tells when it makes up a term of its own.
fn usurp(page: &Page, epoch: u32) -> RoomSnapshot {
    let mut lies = page.restore();
    lies.hosts.push(HostTerm {
        epoch,
        peer: page.welcome.peer.clone(),
        sign_key: [page.key; 32],
    });
    lies
}

#[test]
fn an_epoch_far_from_any_signed_one_is_not_believed() {
    let (mut hall, mut pages) = riding(2);
    hall.lose_memory();
    let liar = resume(&pages[1].welcome, true);
    let lies = usurp(&pages[1], 1_000);
    hall.hello_with(102, liar, Some(lies), 2).unwrap();
    assert!(pages[0].come_back(&mut hall, 101));
    settle(&mut hall, &mut pages[..1]);
    assert_eq!(pages[0].epoch(), 1);
    assert_eq!(pages[0].hosts.last().unwrap().peer, pages[0].welcome.peer);
}

#[test]
fn who_is_gone_when_it_is_decided_has_no_say() {
    let (mut hall, mut pages) = riding(3);
    hall.lose_memory();
    for page in &pages[1..] {
        let socket = page.socket + 100;
        let mut lies = usurp(&pages[1], 2);
        lies.locked = true;
        let liar = resume(&page.welcome, true);
        hall.hello_with(socket, liar, Some(lies), page.key).unwrap();
        hall.close(socket);
    }
    assert!(pages[0].come_back(&mut hall, 101));
    settle(&mut hall, &mut pages[..1]);
    let told = hall.host_told(101).unwrap();
    assert_eq!(told.1, pages[0].welcome.peer);
    assert_eq!(told.0, 3, "above what they said they saw");
    assert!(!hall.room.summary().locked);
}

#[test]
fn the_removed_have_no_say_in_whether_the_ride_is_locked() {
    let (mut hall, mut pages) = riding(2);
    let (peer, reason) = (pages[1].welcome.peer.clone(), String::new());
    hall.message(
        1,
        ClientMessage::Command(HostCommand::Kick { peer, reason }),
    );
    pages[0].read(&hall);
    hall.lose_memory();
    let mut lies = pages[1].restore();
    lies.locked = true;
    let liar = resume(&pages[1].welcome, true);
    hall.hello_with(102, liar, Some(lies), 2).unwrap();
    assert!(pages[0].come_back(&mut hall, 101));
    settle(&mut hall, &mut pages[..1]);
    assert!(!hall.room.summary().locked);
    assert_eq!(pages[0].epoch(), 1);
}

#[test]
fn nobody_makes_the_host_begin_term_after_term_by_claiming_more() {
    let (mut hall, mut pages) = riding(2);
    hall.lose_memory();
    assert!(pages[0].come_back(&mut hall, 101));
    settle(&mut hall, &mut pages[..1]);
    for round in 0..20 {
        let liar = resume(&pages[1].welcome, true);
        let lies = usurp(&pages[1], 2 + 2 * round);
        let socket = 200 + u64::from(round);
        pages[1].welcome = hall.hello_with(socket, liar, Some(lies), 2).unwrap();
    }
    assert_eq!(
        hall.host_told(101),
        Some((3, pages[0].welcome.peer.clone()))
    );
}
