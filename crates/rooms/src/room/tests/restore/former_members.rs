//! Members who left or were kicked before the server lost its memory.

use super::*;
use untrusted_claims::with_false_term;

fn leave(harness: &mut RoomHarness, pages: &[TestPage]) {
    for page in pages {
        harness.message(page.socket, ClientMessage::Leave);
    }
}

/// Resumes with a snapshot in which Ben, the second rider, is the host.
fn claim_host_for_ben(harness: &mut RoomHarness, pages: &[TestPage], socket: u64) {
    for (socket, page) in (socket..).zip(pages) {
        let claim = resume(&page.welcome, true);
        let snapshot = with_false_term(&pages[0], 2);
        harness.hello_with_snapshot(socket, claim, Some(snapshot), page.key);
    }
}

#[test]
fn riders_who_left_do_not_outvote_those_who_are_there() {
    let (mut harness, mut pages) = ride_of(4);
    leave(&mut harness, &pages[1..]);
    pages[0].receive(&harness);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    // They are back within the time for snapshots, and again on new sockets.
    claim_host_for_ben(&mut harness, &pages[1..], 200);
    claim_host_for_ben(&mut harness, &pages[1..], 300);
    finish_restoring(&mut harness, &mut pages[..1]);
    let ana = pages[0].welcome.peer.clone();
    assert_eq!(pages[0].hosts.last().unwrap().peer, ana);
    assert_eq!(
        harness.room.summary().riders,
        4,
        "they may ride along again"
    );
}

#[test]
fn riders_who_left_are_not_listed_from_old_snapshots() {
    let (mut harness, mut pages) = ride_of(3);
    harness.close(3);
    leave(&mut harness, &pages[1..2]);
    pages[0].receive(&harness);
    harness.restart_server();
    // The third page has missed that the second one left.
    assert!(pages[2].reconnect(&mut harness, 103));
    let others = &pages[2].welcome.members;
    let listed: Vec<_> = others.iter().map(|member| member.number.0).collect();
    assert_eq!(listed, [1]);
}

#[test]
fn a_rider_who_left_returns_under_a_new_number_and_counts_again() {
    let (mut harness, mut pages) = ride_of(2);
    leave(&mut harness, &pages[1..]);
    pages[0].receive(&harness);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    assert!(pages[1].reconnect(&mut harness, 102));
    assert_eq!(pages[1].welcome.number, PeerNumber(3));
    finish_restoring(&mut harness, &mut pages);
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 201));
    let others = &pages[0].welcome.members;
    assert_eq!(others.len(), 1, "it is missed after the next restart");
    assert!(pages[1].reconnect(&mut harness, 202));
    assert_eq!(pages[1].welcome.number, PeerNumber(3));
}

#[test]
fn a_rider_who_left_takes_no_place_of_the_riders_who_are_missed() {
    let settings = RoomSettings {
        max_riders: 3,
        ..RoomSettings::default()
    };
    let mut harness = RoomHarness::with(settings);
    let mut pages: Vec<_> = (1..=3)
        .map(|socket| TestPage::join(&mut harness, socket).unwrap())
        .collect();
    leave(&mut harness, &pages[2..]);
    pages.push(TestPage::join(&mut harness, 4).unwrap());
    pages.iter_mut().for_each(|page| page.receive(&harness));
    harness.restart_server();
    assert!(pages[0].reconnect(&mut harness, 101));
    assert!(!pages[2].reconnect(&mut harness, 103));
    let refused = code(&harness.last_received(103));
    assert_eq!(refused, Some(ErrorCode::RideFull));
    assert!(pages[1].reconnect(&mut harness, 102));
    assert!(pages[3].reconnect(&mut harness, 104));
}

#[test]
fn a_kicked_rider_stays_banned_even_if_it_returns_first() {
    let (mut harness, mut pages) = ride_of(3);
    let (peer, reason) = (pages[2].welcome.peer.clone(), "Bye.".into());
    let kick = HostCommand::Kick { peer, reason };
    harness.message(1, ClientMessage::Command(kick));
    for _ in 0..2 {
        harness.restart_server();
        assert!(!pages[2].reconnect(&mut harness, 103));
        let reason = String::new();
        assert_eq!(harness.last_received(103), ServerMessage::Kicked { reason });
        // This page has not received the ban token.
        assert!(pages[1].reconnect(&mut harness, 102));
        assert_eq!(pages[1].welcome.members.len(), 1, "only Ana is missed");
        finish_restoring(&mut harness, &mut pages[1..2]);
        let bans = harness.join(200).bans.len();
        assert_eq!(bans, 1, "pages keep its ban token again");
        harness.message(200, ClientMessage::Leave);
        pages[1].receive(&harness);
    }
}
