//! A server that lost its memory, and the riders who give it back.

mod lies;

use super::{page::Page, paper::FakeSigner, *};
use crate::room::Signer;
use protocol::signaling::HostCommand;
use protocol::{
    election::{BallotKey, Election},
    signaling::RoomSnapshot,
};

const WAIT: Duration = Duration::from_secs(3);

/// A ride of so many, on the sockets from 1 on, each with a page that keeps
/// what it hears.
fn riding(riders: u64) -> (RoomHarness, Vec<Page>) {
    let mut hall = RoomHarness::new();
    let mut pages: Vec<_> = (1..=riders)
        .map(|socket| Page::join(&mut hall, socket).unwrap())
        .collect();
    pages.iter_mut().for_each(|page| page.read(&hall));
    (hall, pages)
}

fn all_come_back(hall: &mut RoomHarness, pages: &mut [Page]) {
    for page in pages.iter_mut() {
        let socket = page.socket + 100;
        assert!(page.come_back(hall, socket));
    }
}

fn settle(hall: &mut RoomHarness, pages: &mut [Page]) {
    hall.pass(WAIT);
    pages.iter_mut().for_each(|page| page.read(hall));
}

#[test]
fn the_ride_is_the_same_with_the_same_riders_and_the_same_host() {
    let (mut hall, mut pages) = riding(3);
    let before: Vec<_> = pages.iter().map(|page| page.welcome.clone()).collect();
    hall.lose_memory();
    pages.reverse();
    all_come_back(&mut hall, &mut pages);
    settle(&mut hall, &mut pages);
    pages.reverse();
    for (page, before) in pages.iter().zip(&before) {
        let now = &page.welcome;
        assert_eq!((&now.peer, now.number), (&before.peer, before.number));
        assert_eq!(now.incarnation, before.incarnation);
        assert_eq!(page.hosts, before.hosts);
        assert_eq!(page.first_host, before.first_host);
    }
    let dora = hall.join(300);
    assert_eq!((dora.number, dora.members.len()), (PeerNumber(4), 3));
    assert_eq!(dora.host, before[0].host);
}

#[test]
fn riders_whose_votes_are_too_few_follow_the_host_of_the_server_whatever_their_epoch() {
    let (mut hall, mut pages) = riding(5);
    let host = pages[0].welcome.peer.clone();
    let key = BallotKey::from_seed([9; 32]).unwrap();
    let term = HostTerm {
        epoch: 6,
        peer: pages[1].welcome.peer.clone(),
        sign_key: key.public(),
    };
    let votes = vec![key.vote(pages[1].welcome.number, &term)];
    pages[1].elections = vec![Election { term, votes }];
    assert!(pages[1].come_back(&mut hall, 102));
    pages.iter_mut().for_each(|page| page.read(&hall));
    for page in &pages {
        assert_eq!(page.epoch(), 7);
        assert_eq!(page.hosts.last().map(|term| &term.peer), Some(&host));
    }
}

#[test]
fn riders_are_in_and_relayed_before_the_host_is_known() {
    let (mut hall, mut pages) = riding(2);
    hall.lose_memory();
    all_come_back(&mut hall, &mut pages);
    assert_eq!((pages[1].welcome.host.clone(), pages[1].epoch()), (None, 1));
    assert_eq!(pages[1].welcome.members.len(), 1);
    let frame = protocol::frame::ToServer {
        class: protocol::peer::DeliveryClass::Control,
        sealed: false,
        targets: vec![],
        payload: b"x",
    };
    hall.say(Input::Relay {
        socket: SocketId(101),
        bytes: frame.encode(),
    });
    assert_eq!(hall.relayed.pop().unwrap().0, [SocketId(102)]);
    hall.message(101, ClientMessage::Command(HostCommand::Lock));
    assert_eq!(code(&hall.last(101)), Some(ErrorCode::NotHost));
}

#[test]
fn riders_who_are_not_back_yet_are_away_and_keep_their_place() {
    let (mut hall, mut pages) = riding(3);
    hall.lose_memory();
    assert!(pages[0].come_back(&mut hall, 101));
    let others = &pages[0].welcome.members;
    assert!(others.len() == 2 && others.iter().all(|member| member.away));
    settle(&mut hall, &mut pages[..1]);
    hall.pass(Duration::from_secs(20));
    assert!(pages[1].come_back(&mut hall, 102));
    assert_eq!(pages[1].welcome.number, PeerNumber(2));
    assert_eq!(pages[1].welcome.incarnation, Incarnation(1));
    let returned = hall.last(101);
    assert!(matches!(returned, ServerMessage::Returned { member } if !member.away));
    hall.pass(Duration::from_secs(10));
    assert_eq!(hall.room.summary().riders, 2, "the third is gone");
}

#[test]
fn a_host_who_does_not_come_back_is_succeeded() {
    let (mut hall, mut pages) = riding(3);
    hall.lose_memory();
    all_come_back(&mut hall, &mut pages[1..]);
    settle(&mut hall, &mut pages[1..]);
    assert_eq!(pages[1].epoch(), 1);
    hall.pass(HOST_GRACE);
    assert_eq!(
        hall.host_told(103),
        Some((2, pages[1].welcome.peer.clone()))
    );
}

#[test]
fn the_host_whom_most_name_is_host() {
    let (mut hall, mut pages) = riding(4);
    hall.close(4);
    hall.close(1);
    hall.pass(HOST_GRACE);
    pages[1..3].iter_mut().for_each(|page| page.read(&hall));
    hall.lose_memory();
    all_come_back(&mut hall, &mut pages[1..]);
    settle(&mut hall, &mut pages[1..]);
    let ben = pages[1].welcome.peer.clone();
    assert_eq!(hall.host_told(104), Some((2, ben)));
    assert_eq!(pages[3].epoch(), 2, "who missed the change learns of it");
}

#[test]
fn an_epoch_that_only_few_have_seen_is_passed_and_not_fallen_behind() {
    let (mut hall, mut pages) = riding(4);
    hall.close(2);
    hall.close(3);
    let to = pages[3].welcome.peer.clone();
    hall.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
    pages[3].read(&hall);
    hall.lose_memory();
    all_come_back(&mut hall, &mut pages[1..]);
    settle(&mut hall, &mut pages[1..]);
    let told = (3, pages[0].welcome.peer.clone());
    assert!((101..104).all(|socket| hall.host_told(socket + 1) == Some(told.clone())));
}

#[test]
fn whoever_comes_after_the_decision_with_a_newer_epoch_sees_no_older_one() {
    let (mut hall, mut pages) = riding(2);
    hall.close(1);
    hall.pass(HOST_GRACE);
    pages[1].read(&hall);
    hall.lose_memory();
    assert!(pages[0].come_back(&mut hall, 101));
    settle(&mut hall, &mut pages[..1]);
    assert_eq!(hall.host_told(101).unwrap().0, 1);
    assert!(pages[1].come_back(&mut hall, 102));
    assert_eq!(pages[1].epoch(), 3);
    assert_eq!(hall.host_told(101).unwrap().0, 3);
}

#[test]
fn the_kicked_stay_kicked() {
    let (mut hall, mut pages) = riding(3);
    let (peer, reason) = (pages[2].welcome.peer.clone(), "Bye.".into());
    hall.message(
        1,
        ClientMessage::Command(HostCommand::Kick { peer, reason }),
    );
    pages[0].read(&hall);
    hall.lose_memory();
    assert!(pages[2].come_back(&mut hall, 103), "nobody has told yet");
    assert!(pages[0].come_back(&mut hall, 101));
    assert!(hall.closed.contains(&(SocketId(103), close::KICKED)));
    assert!(!pages[2].come_back(&mut hall, 104));
    let reason = String::new();
    assert_eq!(hall.last(104), ServerMessage::Kicked { reason });
    assert!(pages[1].come_back(&mut hall, 102));
    assert_eq!(hall.room.summary().riders, 2);
    settle(&mut hall, &mut pages[..2]);
    assert_eq!(hall.join(200).bans.len(), 1);
}

#[test]
fn a_restored_room_has_no_more_notes_than_a_page_can_bring_back() {
    let (mut hall, mut pages) = riding(2);
    hall.lose_memory();
    for (page, from) in pages.iter_mut().zip([0, 100]) {
        let note = |number: u32| {
            let peer = format!("removed{number}").parse().unwrap();
            FakeSigner("ours").sign(&Statement::Ban(peer))
        };
        let mut restore = page.restore();
        restore.bans = (from..from + 100).map(note).collect();
        let resume = resume(&page.welcome, true);
        let socket = page.socket + 100;
        hall.hello_with(socket, resume, Some(restore), page.key)
            .unwrap();
    }
    hall.pass(WAIT);
    let barred = hall.join(200).bans.len();
    assert_eq!(barred, protocol::signaling::MAX_BANS);
}

#[test]
fn a_note_that_the_server_did_not_sign_keeps_nobody_out() {
    let (mut hall, mut pages) = riding(2);
    let peer = pages[0].welcome.peer.clone();
    let note = FakeSigner("theirs").sign(&Statement::Ban(peer));
    let resume = resume(&pages[1].welcome, true);
    let mut restore = pages[1].restore();
    restore.bans.push(note);
    hall.lose_memory();
    assert!(hall.hello_with(102, resume, Some(restore), 2).is_some());
    assert!(pages[0].come_back(&mut hall, 101));
}

#[test]
fn a_lock_comes_back_and_whoever_is_new_waits_until_it_is_known() {
    let (mut hall, mut pages) = riding(2);
    hall.message(1, ClientMessage::Command(HostCommand::Lock));
    pages.iter_mut().for_each(|page| page.read(&hall));
    hall.lose_memory();
    all_come_back(&mut hall, &mut pages);
    assert_eq!(hall.hello(200, None, 1), None);
    assert!(hall.heard(200).is_empty());
    settle(&mut hall, &mut pages);
    assert!(hall.room.summary().locked);
    assert_eq!(code(&hall.last(200)), Some(ErrorCode::RideLocked));
}

#[test]
fn whoever_is_new_waits_and_then_gets_in() {
    let (mut hall, mut pages) = riding(2);
    hall.lose_memory();
    all_come_back(&mut hall, &mut pages);
    for socket in [200, 201] {
        assert_eq!(hall.hello(socket, None, 1), None);
    }
    hall.close(201);
    settle(&mut hall, &mut pages);
    assert!(matches!(hall.last(200), ServerMessage::Welcome(_)));
    assert!(hall.heard(201).is_empty());
    assert_eq!(hall.room.summary().riders, 3);
}

#[test]
fn a_host_alone_whose_page_forgot_everything_is_host_again_by_its_token() {
    let (mut hall, mut pages) = riding(1);
    hall.lose_memory();
    let back = hall
        .hello(101, resume(&pages[0].welcome, false), 1)
        .unwrap();
    assert_eq!(
        (back.number, back.incarnation),
        (PeerNumber(1), Incarnation(2))
    );
    hall.pass(WAIT);
    assert_eq!(hall.host_told(101), Some((1, pages.remove(0).welcome.peer)));
}

#[test]
fn the_older_of_two_tabs_does_not_win_by_coming_first() {
    let (mut hall, mut pages) = riding(2);
    let newer = hall.hello(50, resume(&pages[1].welcome, false), 2).unwrap();
    hall.lose_memory();
    assert!(pages[1].come_back(&mut hall, 102));
    let back = hall.hello(103, resume(&newer, true), 2).unwrap();
    assert_eq!(back.incarnation, Incarnation(2));
    assert_eq!(hall.last(102), ServerMessage::Replaced);
    assert!(!pages[1].come_back(&mut hall, 104));
    assert_eq!(hall.last(104), ServerMessage::Replaced);
}

#[test]
fn a_page_that_others_were_told_to_forget_comes_back_as_a_newer_one() {
    for ben_first in [true, false] {
        let (mut hall, mut pages) = riding(2);
        hall.close(2);
        hall.pass(GRACE);
        pages[0].read(&hall);
        hall.lose_memory();
        if ben_first {
            pages.reverse();
        }
        all_come_back(&mut hall, &mut pages);
        assert_eq!(pages[0].welcome.incarnation, Incarnation(1));
        assert_eq!(pages[1].welcome.incarnation, Incarnation(2));
    }
}
