//! Who is host, and what the host may do.

use super::*;
use protocol::signaling::HostCommand;
use protocol::{
    peer::LinkState,
    signaling::{LinkReport, Report},
};

#[test]
fn when_the_host_leaves_the_longest_present_rider_takes_over() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    hall.join(2);
    let cleo = hall.join(3);
    hall.close(2);
    hall.message(1, ClientMessage::Leave);
    let ServerMessage::Host { term, .. } = hall.last(3) else {
        panic!()
    };
    assert_eq!((term.epoch, term.peer), (2, cleo.peer), "Ben is away");
}

#[test]
fn a_host_who_returns_with_another_key_begins_a_new_epoch() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.join(2);
    let back = hall.hello(3, resume(&ana, false), 9).unwrap();
    assert_eq!((back.epoch, back.is_host()), (2, true));
    assert_eq!(back.hosts.len(), 2);
    assert!(matches!(hall.last(2), ServerMessage::Host { term, .. } if term.sign_key == [9; 32]));
}

fn reports(peer: &PeerId, state: LinkState) -> ClientMessage {
    let links = vec![LinkReport {
        peer: peer.clone(),
        state,
        connect_ms: None,
    }];
    ClientMessage::Report(Report {
        links,
        ..Report::default()
    })
}

#[test]
fn a_host_who_vanishes_is_succeeded_after_four_seconds() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.join(3);
    hall.close(1);
    hall.pass(HOST_GRACE - Duration::from_millis(1));
    assert_eq!(hall.host_told(3), None);
    hall.pass(Duration::from_millis(1));
    assert_eq!(hall.host_told(3), Some((2, ben.peer)));
    assert_eq!(hall.room.summary().riders, 3, "the old host may come back");
}

#[test]
fn a_host_who_is_back_in_time_stays_host() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.join(2);
    hall.close(1);
    hall.pass(HOST_GRACE - Duration::from_millis(1));
    let back = hall.hello(3, resume(&ana, true), 1).unwrap();
    hall.pass(GRACE);
    assert_eq!((back.is_host(), back.epoch), (true, 1));
    assert_eq!(hall.host_told(2), None);
}

#[test]
fn a_host_whom_somebody_reaches_directly_stays_host_until_the_grace_is_over() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.join(3);
    hall.message(3, reports(&ana.peer, LinkState::Direct));
    hall.close(1);
    hall.pass(GRACE - Duration::from_millis(1));
    assert_eq!(hall.host_told(3), None);
    hall.pass(Duration::from_millis(1));
    assert_eq!(hall.host_told(3), Some((2, ben.peer)));
}

#[test]
fn when_the_last_direct_link_to_an_absent_host_is_lost_the_ride_is_handed_on() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.message(2, reports(&ana.peer, LinkState::Direct));
    hall.close(1);
    hall.pass(Duration::from_secs(10));
    assert_eq!(hall.host_told(2), None);
    hall.message(2, reports(&ana.peer, LinkState::Away));
    assert_eq!(hall.host_told(2), Some((2, ben.peer)));
}

#[test]
fn what_a_rider_who_is_away_itself_reported_does_not_count() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.join(3);
    hall.message(3, reports(&ana.peer, LinkState::Direct));
    hall.close(1);
    hall.close(3);
    hall.pass(HOST_GRACE);
    assert_eq!(hall.host_told(2), Some((2, ben.peer)));
}

#[test]
fn a_host_alone_stays_host_and_the_first_who_is_back_late_takes_over() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    hall.close(1);
    hall.pass(Duration::from_secs(10));
    assert_eq!(hall.room.epoch(), 1);
    hall.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(hall.host_told(3), Some((2, ben.peer)));
}

#[test]
fn the_first_host_takes_the_ride_back() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.join(2);
    hall.close(1);
    hall.pass(HOST_GRACE);
    let back = hall.hello(3, resume(&ana, true), 1).unwrap();
    assert_eq!(
        (back.is_host(), back.first_host),
        (false, Some(ana.peer.clone()))
    );
    hall.message(3, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(hall.host_told(2), Some((3, ana.peer.clone())));
    assert_eq!(hall.host_told(3), Some((3, ana.peer)));
    hall.message(2, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(code(&hall.last(2)), Some(ErrorCode::NotFirstHost));
}

#[test]
fn the_first_host_takes_the_ride_back_even_after_the_grace() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.join(2);
    hall.close(1);
    hall.pass(Duration::from_secs(300));
    hall.hello(3, resume(&ana, false), 1).unwrap();
    hall.message(3, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(hall.host_told(2), Some((3, ana.peer)));
}

#[test]
fn a_host_who_hands_over_keeps_no_claim() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.join(2);
    let cleo = hall.join(3);
    let to = cleo.peer.clone();
    hall.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
    assert_eq!(hall.host_told(2), Some((2, cleo.peer.clone())));
    hall.message(1, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(code(&hall.last(1)), Some(ErrorCode::NotFirstHost));
    hall.close(3);
    hall.pass(HOST_GRACE);
    assert_eq!(hall.host_told(2), Some((3, ana.peer)));
    hall.hello(4, resume(&cleo, true), 1).unwrap();
    hall.message(4, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(
        hall.host_told(2),
        Some((4, cleo.peer)),
        "it was handed to Cleo"
    );
}

#[test]
fn the_ride_is_handed_only_to_somebody_who_is_there() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    for to in [ana.peer, ben.peer, "nobody".parse().unwrap()] {
        hall.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
        assert_eq!(code(&hall.last(1)), Some(ErrorCode::NoSuchRider));
    }
    assert_eq!(hall.room.epoch(), 1);
}

#[test]
fn what_only_the_host_may_do_is_refused_to_everybody_else() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    hall.join(2);
    let (peer, to) = (ana.peer.clone(), ana.peer);
    let reason = String::new();
    for wish in [
        ClientMessage::Command(HostCommand::Kick { peer, reason }),
        ClientMessage::Command(HostCommand::Lock),
        ClientMessage::Command(HostCommand::Unlock),
        ClientMessage::Command(HostCommand::HandOver { to }),
        ClientMessage::Command(HostCommand::End),
    ] {
        let said = hall.heard(1).len();
        hall.message(2, wish.clone());
        assert_eq!(code(&hall.last(2)), Some(ErrorCode::NotHost), "{wish:?}");
        assert_eq!(hall.heard(1).len(), said, "{wish:?}");
    }
    assert!(hall.closed.is_empty() && !hall.room.summary().locked);
}

#[test]
fn a_ride_that_the_host_ends_is_over_for_all_and_for_good() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.message(1, ClientMessage::Command(HostCommand::End));
    assert_eq!(hall.last(1), ServerMessage::Ended);
    assert_eq!(hall.last(2), ServerMessage::Ended);
    let closed = [(SocketId(1), close::ENDED), (SocketId(2), close::ENDED)];
    assert_eq!(hall.closed, closed);
    assert_eq!(hall.hello(3, resume(&ben, true), 1), None);
    assert_eq!(code(&hall.last(3)), Some(ErrorCode::NoSuchRide));
    assert!(hall.room.is_dead(hall.now));
    hall.pass(Duration::from_secs(1));
    assert_eq!(hall.room.poll_timeout(), None);
}
