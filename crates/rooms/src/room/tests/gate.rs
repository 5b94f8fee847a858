//! Who is kept out.

use super::*;
use protocol::signaling::HostCommand;
use protocol::signaling::MAX_BANS;

fn kick(peer: &PeerId) -> ClientMessage {
    ClientMessage::Command(HostCommand::Kick {
        peer: peer.clone(),
        reason: "Too loud.".into(),
    })
}

fn told_why() -> ServerMessage {
    ServerMessage::Kicked {
        reason: "Too loud.".into(),
    }
}

#[test]
fn a_rider_who_is_kicked_is_told_why_and_does_not_get_in_again() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.join(3);
    hall.message(1, kick(&ben.peer));
    assert_eq!(hall.last(2), told_why());
    assert_eq!(hall.closed, [(SocketId(2), close::KICKED)]);
    let left = ServerMessage::Left {
        peer: ben.peer.clone(),
        reason: LeftReason::Kicked,
    };
    assert!(hall.heard(3).contains(&left));
    assert_eq!(hall.notes(3).len(), 1);
    for same_page in [true, false] {
        assert_eq!(hall.hello(4, resume(&ben, same_page), 1), None);
        assert_eq!(hall.last(4), told_why());
    }
    assert!(hall.notes(2).is_empty());
    assert_eq!(hall.room.summary().riders, 2);
}

#[test]
fn a_rider_who_is_away_can_be_kicked_and_the_host_cannot() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    hall.message(1, kick(&ben.peer));
    assert_eq!(hall.hello(3, resume(&ben, true), 1), None);
    assert_eq!(hall.last(3), told_why());
    hall.message(1, kick(&ana.peer));
    assert_eq!(code(&hall.last(1)), Some(ErrorCode::NoSuchRider));
    assert!(!hall.closed.contains(&(SocketId(1), close::KICKED)));
}

#[test]
fn the_first_host_who_is_kicked_by_a_successor_cannot_take_the_ride_back() {
    let mut hall = RoomHarness::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.close(1);
    hall.pass(HOST_GRACE);
    hall.message(2, kick(&ana.peer));
    assert_eq!(hall.hello(3, resume(&ana, true), 1), None);
    let cleo = hall.join(4);
    assert_eq!(cleo.first_host, Some(ben.peer));
}

#[test]
fn a_locked_ride_takes_nobody_new_and_lets_its_riders_back_in() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.message(1, ClientMessage::Command(HostCommand::Lock));
    assert_eq!(hall.last(2), ServerMessage::Locked { locked: true });
    assert!(hall.room.summary().locked);
    assert_eq!(hall.hello(3, None, 1), None);
    assert_eq!(code(&hall.last(3)), Some(ErrorCode::RideLocked));
    assert_eq!(hall.closed, [(SocketId(3), close::REFUSED)]);
    hall.close(2);
    hall.pass(GRACE);
    let back = hall.hello(4, resume(&ben, false), 1).unwrap();
    assert!(back.locked, "even after the grace");
    hall.message(1, ClientMessage::Command(HostCommand::Unlock));
    assert_eq!(hall.last(4), ServerMessage::Locked { locked: false });
    assert!(hall.hello(5, None, 1).is_some());
}

#[test]
fn a_ride_that_has_removed_too_many_says_so_and_forgets_none_of_them() {
    let mut hall = RoomHarness::new();
    hall.join(1);
    let first = hall.join(2);
    hall.message(1, kick(&first.peer));
    for socket in 3..=MAX_BANS as u64 + 1 {
        let welcome = hall.join(socket);
        hall.message(1, kick(&welcome.peer));
    }
    let one_more = hall.join(1_000);
    hall.message(1, kick(&one_more.peer));
    assert_eq!(code(&hall.last(1)), Some(ErrorCode::TooManyBans));
    assert_eq!(hall.hello(1_001, resume(&first, true), 1), None);
    assert_eq!(hall.last(1_001), told_why());
}
