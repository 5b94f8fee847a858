//! Bans and the lock.

use super::*;
use protocol::signaling::HostCommand;
use protocol::signaling::MAX_BANS;

fn kick(peer: &PeerId) -> ClientMessage {
    ClientMessage::Command(HostCommand::Kick {
        peer: peer.clone(),
        reason: "Too loud.".into(),
    })
}

fn kicked_message() -> ServerMessage {
    ServerMessage::Kicked {
        reason: "Too loud.".into(),
    }
}

#[test]
fn a_kicked_rider_learns_the_reason_and_cannot_return() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.join(3);
    harness.message(1, kick(&ben.peer));
    assert_eq!(harness.last_received(2), kicked_message());
    assert_eq!(harness.closed, [(SocketId(2), close::KICKED)]);
    let left = ServerMessage::Left {
        peer: ben.peer.clone(),
        reason: LeftReason::Kicked,
    };
    assert!(harness.received(3).contains(&left));
    assert_eq!(harness.ban_tokens(3).len(), 1);
    for same_page in [true, false] {
        assert_eq!(harness.hello(4, resume(&ben, same_page), 1), None);
        assert_eq!(harness.last_received(4), kicked_message());
    }
    assert!(harness.ban_tokens(2).is_empty());
    assert_eq!(harness.room.summary().riders, 2);
}

#[test]
fn an_absent_rider_can_be_kicked_and_the_host_cannot() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    harness.message(1, kick(&ben.peer));
    assert_eq!(harness.hello(3, resume(&ben, true), 1), None);
    assert_eq!(harness.last_received(3), kicked_message());
    harness.message(1, kick(&ana.peer));
    assert_eq!(
        code(&harness.last_received(1)),
        Some(ErrorCode::NoSuchRider)
    );
    assert!(!harness.closed.contains(&(SocketId(1), close::KICKED)));
}

#[test]
fn a_first_host_kicked_by_its_successor_loses_its_claim() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.close(1);
    harness.advance(HOST_GRACE);
    harness.message(2, kick(&ana.peer));
    assert_eq!(harness.hello(3, resume(&ana, true), 1), None);
    let cleo = harness.join(4);
    assert_eq!(cleo.first_host, Some(ben.peer));
}

#[test]
fn a_locked_ride_admits_no_new_riders_and_lets_members_return() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.message(1, ClientMessage::Command(HostCommand::Lock));
    assert_eq!(
        harness.last_received(2),
        ServerMessage::Locked { locked: true }
    );
    assert!(harness.room.summary().locked);
    assert_eq!(harness.hello(3, None, 1), None);
    assert_eq!(code(&harness.last_received(3)), Some(ErrorCode::RideLocked));
    assert_eq!(harness.closed, [(SocketId(3), close::REFUSED)]);
    harness.close(2);
    harness.advance(GRACE);
    let back = harness.hello(4, resume(&ben, false), 1).unwrap();
    assert!(back.locked, "even after the grace period");
    harness.message(1, ClientMessage::Command(HostCommand::Unlock));
    assert_eq!(
        harness.last_received(4),
        ServerMessage::Locked { locked: false }
    );
    assert!(harness.hello(5, None, 1).is_some());
}

#[test]
fn a_ride_at_its_maximum_of_bans_refuses_another_and_keeps_all() {
    let mut harness = RoomHarness::with(RoomSettings {
        newcomers_per_minute: 0,
        ..RoomSettings::default()
    });
    harness.join(1);
    let first = harness.join(2);
    harness.message(1, kick(&first.peer));
    for socket in 3..=MAX_BANS as u64 + 1 {
        let welcome = harness.join(socket);
        harness.message(1, kick(&welcome.peer));
    }
    let one_more = harness.join(1_000);
    harness.message(1, kick(&one_more.peer));
    assert_eq!(
        code(&harness.last_received(1)),
        Some(ErrorCode::TooManyBans)
    );
    assert_eq!(harness.hello(1_001, resume(&first, true), 1), None);
    assert_eq!(harness.last_received(1_001), kicked_message());
}
