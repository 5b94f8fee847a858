//! Rooms restored after a restart of the server.

mod former_members;
mod host_evidence;
mod untrusted_claims;

use super::{fake_signer::FakeSigner, test_page::TestPage, *};
use crate::room::Signer;
use protocol::signaling::HostCommand;
use protocol::{
    election::{BallotKey, Election},
    signaling::RoomSnapshot,
};

const WAIT: Duration = Duration::from_secs(3);

/// Room with riders on the sockets 1 and up, and their pages.
fn ride_of(riders: u64) -> (RoomHarness, Vec<TestPage>) {
    let mut harness = RoomHarness::new();
    let mut pages: Vec<_> = (1..=riders)
        .map(|socket| TestPage::join(&mut harness, socket).unwrap())
        .collect();
    pages.iter_mut().for_each(|page| page.receive(&harness));
    (harness, pages)
}

fn reconnect_all(harness: &mut RoomHarness, pages: &mut [TestPage]) {
    for page in pages.iter_mut() {
        let socket = page.socket + 100;
        assert!(page.reconnect(harness, socket));
    }
}

fn finish_restoring(harness: &mut RoomHarness, pages: &mut [TestPage]) {
    harness.advance(WAIT);
    pages.iter_mut().for_each(|page| page.receive(harness));
}

#[test]
fn a_restored_ride_has_the_same_riders_and_the_same_host() {
    let (mut harness, mut pages) = ride_of(3);
    let before: Vec<_> = pages.iter().map(|page| page.welcome.clone()).collect();
    harness.restart_server();
    pages.reverse();
    reconnect_all(&mut harness, &mut pages);
    finish_restoring(&mut harness, &mut pages);
    pages.reverse();
    for (page, before) in pages.iter().zip(&before) {
        let now = &page.welcome;
        assert_eq!((&now.peer, now.number), (&before.peer, before.number));
        assert_eq!(now.incarnation, before.incarnation);
        assert_eq!(page.hosts, before.hosts);
        assert_eq!(page.first_host, before.first_host);
    }
    let dora = harness.join(300);
    assert_eq!((dora.number, dora.members.len()), (PeerNumber(4), 3));
    assert_eq!(dora.host, before[0].host);
}

#[test]
fn an_election_without_a_majority_does_not_change_the_host() {
    let (mut harness, mut pages) = ride_of(5);
    let host = pages[0].welcome.peer.clone();
    let key = BallotKey::from_seed([9; 32]).unwrap();
    let term = HostTerm {
        epoch: 6,
        peer: pages[1].welcome.peer.clone(),
        sign_key: key.public(),
    };
    let votes = vec![key.vote(pages[1].welcome.number, &term)];
    pages[1].elections = vec![Election { term, votes }];
    assert!(pages[1].reconnect(&mut harness, 102));
    pages.iter_mut().for_each(|page| page.receive(&harness));
    for page in &pages {
        assert_eq!(page.epoch(), 7);
        assert_eq!(page.hosts.last().map(|term| &term.peer), Some(&host));
    }
}

#[test]
fn frames_are_relayed_before_the_host_is_known() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages);
    assert_eq!((pages[1].welcome.host.clone(), pages[1].epoch()), (None, 1));
    assert_eq!(pages[1].welcome.members.len(), 1);
    let frame = protocol::frame::ToServer {
        class: protocol::peer::DeliveryClass::Control,
        sealed: false,
        targets: vec![],
        payload: b"x",
    };
    harness.handle(Input::Relay {
        socket: SocketId(101),
        bytes: frame.encode(),
    });
    assert_eq!(harness.relayed.pop().unwrap().0, [SocketId(102)]);
    harness.message(101, ClientMessage::Command(HostCommand::Lock));
    assert_eq!(code(&harness.last_received(101)), Some(ErrorCode::NotHost));
}

#[test]
fn riders_that_have_not_returned_are_away_and_keep_their_number() {
    let (mut harness, mut pages) = ride_of(3);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    let others = &pages[0].welcome.members;
    assert!(others.len() == 2 && others.iter().all(|member| member.away));
    finish_restoring(&mut harness, &mut pages[..1]);
    harness.advance(Duration::from_secs(20));
    assert!(pages[1].reconnect(&mut harness, 102));
    assert_eq!(pages[1].welcome.number, PeerNumber(2));
    assert_eq!(pages[1].welcome.incarnation, Incarnation(1));
    let returned = harness.last_received(101);
    assert!(matches!(returned, ServerMessage::Returned { member } if !member.away));
    harness.advance(Duration::from_secs(10));
    assert_eq!(
        harness.room.summary().riders,
        2,
        "the third rider was removed"
    );
}

#[test]
fn a_host_that_does_not_return_is_succeeded() {
    let (mut harness, mut pages) = ride_of(3);
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages[1..]);
    finish_restoring(&mut harness, &mut pages[1..]);
    assert_eq!(pages[1].epoch(), 1);
    harness.advance(HOST_GRACE);
    assert_eq!(
        harness.announced_host(103),
        Some((2, pages[1].welcome.peer.clone()))
    );
}

#[test]
fn the_host_with_the_most_votes_is_host() {
    let (mut harness, mut pages) = ride_of(4);
    harness.close(4);
    harness.close(1);
    harness.advance(HOST_GRACE);
    pages[1..3]
        .iter_mut()
        .for_each(|page| page.receive(&harness));
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages[1..]);
    finish_restoring(&mut harness, &mut pages[1..]);
    let ben = pages[1].welcome.peer.clone();
    assert_eq!(harness.announced_host(104), Some((2, ben)));
    assert_eq!(
        pages[3].epoch(),
        2,
        "the page that missed the change learns of it"
    );
}

#[test]
fn the_epoch_rises_above_one_that_only_few_pages_know() {
    let (mut harness, mut pages) = ride_of(4);
    harness.close(2);
    harness.close(3);
    let to = pages[3].welcome.peer.clone();
    harness.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
    pages[3].receive(&harness);
    // A page of an older version keeps no host token.
    pages[3].host_token = None;
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages[1..]);
    finish_restoring(&mut harness, &mut pages[1..]);
    let announced = (3, pages[0].welcome.peer.clone());
    assert!((101..104).all(|socket| harness.announced_host(socket + 1) == Some(announced.clone())));
}

#[test]
fn the_epoch_rises_above_one_that_a_late_page_knows() {
    let (mut harness, mut pages) = ride_of(2);
    harness.close(1);
    harness.advance(HOST_GRACE);
    pages[1].receive(&harness);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    finish_restoring(&mut harness, &mut pages[..1]);
    assert_eq!(harness.announced_host(101).unwrap().0, 1);
    assert!(pages[1].reconnect(&mut harness, 102));
    assert_eq!(pages[1].epoch(), 3);
    assert_eq!(harness.announced_host(101).unwrap().0, 3);
}

#[test]
fn a_kicked_rider_stays_banned_by_the_tokens_of_others_if_the_server_has_forgotten_it() {
    let (mut harness, mut pages) = ride_of(3);
    let (peer, reason) = (pages[2].welcome.peer.clone(), "Bye.".into());
    harness.message(
        1,
        ClientMessage::Command(HostCommand::Kick { peer, reason }),
    );
    pages[0].receive(&harness);
    harness.standings.forget();
    harness.restart_server();
    assert!(
        pages[2].reconnect(&mut harness, 103),
        "no page has presented the ban token yet"
    );
    assert!(pages[0].reconnect(&mut harness, 101));
    assert!(harness.closed.contains(&(SocketId(103), close::KICKED)));
    assert!(!pages[2].reconnect(&mut harness, 104));
    let reason = String::new();
    assert_eq!(harness.last_received(104), ServerMessage::Kicked { reason });
    assert!(pages[1].reconnect(&mut harness, 102));
    assert_eq!(harness.room.summary().riders, 2);
    finish_restoring(&mut harness, &mut pages[..2]);
    assert_eq!(harness.join(200).bans.len(), 1);
}

#[test]
fn a_restored_room_has_at_most_the_maximum_number_of_bans() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    for (page, from) in pages.iter_mut().zip([0, 100]) {
        let ban_token = |number: u32| {
            let peer = format!("banned{number}").parse().unwrap();
            FakeSigner("ours").sign(&Statement::Ban(peer))
        };
        let mut snapshot = page.snapshot();
        snapshot.bans = (from..from + 100).map(ban_token).collect();
        let resume = resume(&page.welcome, true);
        let socket = page.socket + 100;
        harness
            .hello_with_snapshot(socket, resume, Some(snapshot), page.key)
            .unwrap();
    }
    harness.advance(WAIT);
    let bans = harness.join(200).bans.len();
    assert_eq!(bans, protocol::signaling::MAX_BANS);
}

#[test]
fn a_ban_token_that_the_server_did_not_sign_is_ignored() {
    let (mut harness, mut pages) = ride_of(2);
    let peer = pages[0].welcome.peer.clone();
    let token = FakeSigner("theirs").sign(&Statement::Ban(peer));
    let resume = resume(&pages[1].welcome, true);
    let mut snapshot = pages[1].snapshot();
    snapshot.bans.push(token);
    harness.restart_server();
    assert!(
        harness
            .hello_with_snapshot(102, resume, Some(snapshot), 2)
            .is_some()
    );
    assert!(pages[0].reconnect(&mut harness, 101));
}

#[test]
fn a_lock_is_restored_and_new_riders_wait_until_it_is_known() {
    let (mut harness, mut pages) = ride_of(2);
    harness.message(1, ClientMessage::Command(HostCommand::Lock));
    pages.iter_mut().for_each(|page| page.receive(&harness));
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages);
    assert_eq!(harness.hello(200, None, 1), None);
    assert!(harness.received(200).is_empty());
    finish_restoring(&mut harness, &mut pages);
    assert!(harness.room.summary().locked);
    assert_eq!(
        code(&harness.last_received(200)),
        Some(ErrorCode::RideLocked)
    );
}

#[test]
fn new_riders_wait_until_the_room_is_restored_and_are_then_admitted() {
    let (mut harness, mut pages) = ride_of(2);
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages);
    for socket in [200, 201] {
        assert_eq!(harness.hello(socket, None, 1), None);
    }
    harness.close(201);
    finish_restoring(&mut harness, &mut pages);
    assert!(matches!(
        harness.last_received(200),
        ServerMessage::Welcome(_)
    ));
    assert!(harness.received(201).is_empty());
    assert_eq!(harness.room.summary().riders, 3);
}

#[test]
fn a_waiting_socket_that_sends_a_frame_is_closed_and_not_admitted_later() {
    let (mut harness, mut pages) = ride_of(1);
    harness.restart_server();
    reconnect_all(&mut harness, &mut pages);
    assert_eq!(harness.hello(200, None, 1), None);
    harness.handle(Input::Relay {
        socket: SocketId(200),
        bytes: vec![1],
    });
    assert_eq!(harness.closed, [(SocketId(200), close::POLICY)]);
    finish_restoring(&mut harness, &mut pages);
    assert_eq!(harness.room.summary().riders, 1);
}

#[test]
fn a_reloaded_host_without_a_snapshot_is_host_again_by_its_token() {
    let (mut harness, mut pages) = ride_of(1);
    harness.restart_server();
    let back = harness
        .hello(101, resume(&pages[0].welcome, false), 1)
        .unwrap();
    assert_eq!(
        (back.number, back.incarnation),
        (PeerNumber(1), Incarnation(2))
    );
    harness.advance(WAIT);
    assert_eq!(
        harness.announced_host(101),
        Some((1, pages.remove(0).welcome.peer))
    );
}

#[test]
fn the_newer_of_two_tabs_wins_even_if_the_older_one_returns_first() {
    let (mut harness, mut pages) = ride_of(2);
    let newer = harness
        .hello(50, resume(&pages[1].welcome, false), 2)
        .unwrap();
    harness.restart_server();
    assert!(pages[1].reconnect(&mut harness, 102));
    let back = harness.hello(103, resume(&newer, true), 2).unwrap();
    assert_eq!(back.incarnation, Incarnation(2));
    assert_eq!(harness.last_received(102), ServerMessage::Replaced);
    assert!(!pages[1].reconnect(&mut harness, 104));
    assert_eq!(harness.last_received(104), ServerMessage::Replaced);
}

#[test]
fn a_restored_ride_admits_no_token_that_has_expired_and_keeps_its_members_however_the_clock_is_set()
{
    let (mut harness, mut pages) = ride_of(4);
    let day = Duration::from_secs(86_400);
    harness.wall_time = harness.wall_time.after(day - Duration::from_secs(20));
    // The token of the first page is a new one.
    assert!(pages[0].reconnect(&mut harness, 51));
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    assert!(pages[1].reconnect(&mut harness, 102));
    finish_restoring(&mut harness, &mut pages[..2]);
    // Half a minute later, the clock is set.
    harness.wall_time = harness.wall_time.after(day);
    assert!(pages[1].reconnect(&mut harness, 112));
    assert!(pages[2].reconnect(&mut harness, 103), "it is still valid");
    harness.advance(Duration::from_secs(30));
    assert!(!pages[3].reconnect(&mut harness, 104));
    let refused = code(&harness.last_received(104));
    assert_eq!(refused, Some(ErrorCode::BadToken));
    // A member that the room has welcomed returns with its token from before the restart, too.
    let old = pages[2].welcome.clone();
    harness.close(103);
    harness.advance(GRACE);
    assert!(harness.hello(113, resume(&old, true), 3).is_some());
}

#[test]
fn a_page_that_others_have_forgotten_returns_with_a_new_incarnation() {
    for ben_first in [true, false] {
        let (mut harness, mut pages) = ride_of(2);
        harness.close(2);
        harness.advance(GRACE);
        pages[0].receive(&harness);
        harness.restart_server();
        if ben_first {
            pages.reverse();
        }
        reconnect_all(&mut harness, &mut pages);
        assert_eq!(pages[0].welcome.incarnation, Incarnation(1));
        assert_eq!(pages[1].welcome.incarnation, Incarnation(2));
    }
}
