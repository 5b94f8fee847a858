mod any;
mod hall;

use super::*;
use crate::{
    frame::{FromServer, ToServer},
    peer::Class,
    signaling::{Hello, Resume, VERSION, Welcome},
};

use hall::{Hall, code, resume};

const GRACE: Duration = Duration::from_secs(30);

#[test]
fn the_first_rider_in_is_host_and_the_next_is_announced() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    assert_eq!(
        (ana.role, ana.epoch, ana.host.clone()),
        (Role::Host, 1, ana.peer)
    );
    assert!(ana.members.is_empty());
    let ben = hall.join(2);
    assert_eq!((ben.role, ben.members.len()), (Role::Rider, 1));
    let ServerMessage::Joined { member } = hall.last(1) else {
        panic!()
    };
    assert_eq!((member.peer, member.number), (ben.peer, PeerNumber(2)));
}

#[test]
fn a_socket_lost_and_back_within_the_grace_is_the_same_rider() {
    let mut hall = Hall::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    assert_eq!(
        hall.last(1),
        ServerMessage::Away {
            peer: ben.peer.clone()
        }
    );
    hall.pass(GRACE - Duration::from_millis(1));
    let back = hall.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!((&back.peer, back.number), (&ben.peer, ben.number));
    assert_eq!(back.incarnation, ben.incarnation);
    assert!(matches!(hall.last(1), ServerMessage::Returned { member } if !member.away));
}

#[test]
fn a_reloaded_page_is_the_same_rider_with_a_new_incarnation() {
    let mut hall = Hall::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    let back = hall.hello(3, resume(&ben, false), 1).unwrap();
    assert_eq!((back.peer, back.number), (ben.peer, ben.number));
    assert_eq!(back.incarnation, Incarnation(2));
}

#[test]
fn after_the_grace_a_rider_is_gone_and_its_token_brings_it_back() {
    let mut hall = Hall::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    hall.pass(GRACE);
    let gone = ServerMessage::Left {
        peer: ben.peer.clone(),
        reason: LeftReason::Gone,
    };
    assert_eq!(hall.last(1), gone);
    let back = hall.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(back.peer, ben.peer);
    assert_eq!(
        (back.number, back.incarnation),
        (PeerNumber(3), Incarnation(2))
    );
    assert!(matches!(hall.last(1), ServerMessage::Joined { .. }));
}

#[test]
fn leaving_is_immediate() {
    let mut hall = Hall::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.message(2, ClientMessage::Leave);
    let left = ServerMessage::Left {
        peer: ben.peer,
        reason: LeftReason::Left,
    };
    assert_eq!(hall.last(1), left);
    assert_eq!(hall.closed, [(SocketId(2), close::LEFT)]);
    hall.close(2);
    assert_eq!(hall.room.summary().riders, 1);
}

#[test]
fn when_the_host_leaves_the_longest_present_rider_takes_over() {
    let mut hall = Hall::new();
    hall.join(1);
    hall.join(2);
    let cleo = hall.join(3);
    hall.close(2);
    hall.message(1, ClientMessage::Leave);
    let ServerMessage::Host { term } = hall.last(3) else {
        panic!()
    };
    assert_eq!((term.epoch, term.peer), (2, cleo.peer), "Ben is away");
}

#[test]
fn a_host_who_is_away_stays_host_until_the_grace_is_over() {
    let mut hall = Hall::new();
    hall.join(1);
    let ben = hall.join(2);
    hall.close(1);
    hall.pass(GRACE - Duration::from_millis(1));
    assert!(
        !hall
            .heard(2)
            .iter()
            .any(|said| matches!(said, ServerMessage::Host { .. }))
    );
    hall.pass(Duration::from_millis(1));
    let ServerMessage::Host { term } = hall.last(2) else {
        panic!()
    };
    assert_eq!((term.epoch, term.peer), (2, ben.peer));
}

#[test]
fn a_host_who_returns_with_another_key_begins_a_new_epoch() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    hall.join(2);
    let back = hall.hello(3, resume(&ana, false), 9).unwrap();
    assert_eq!((back.epoch, back.role), (2, Role::Host));
    assert_eq!(back.hosts.len(), 2);
    assert!(matches!(hall.last(2), ServerMessage::Host { term } if term.sign_key == [9; 32]));
}

#[test]
fn the_thirty_third_rider_is_refused_and_a_member_still_comes_back() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    (2..=32).for_each(|socket| drop(hall.join(socket)));
    assert!(hall.room.summary().full);
    assert_eq!(hall.hello(33, None, 1), None);
    assert_eq!(code(&hall.last(33)), Some(ErrorCode::RideFull));
    assert_eq!(hall.closed, [(SocketId(33), close::REFUSED)]);
    hall.close(1);
    assert!(hall.hello(34, resume(&ana, true), 1).is_some());
}

#[test]
fn a_wrong_token_is_refused_and_tells_nobody() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    hall.close(2);
    let said = hall.heard(1).len();
    let mut claim = resume(&ben, false).unwrap();
    claim.token = ana.token;
    assert_eq!(hall.hello(3, Some(claim), 1), None);
    assert_eq!(code(&hall.last(3)), Some(ErrorCode::BadToken));
    assert_eq!(hall.heard(1).len(), said);
}

#[test]
fn a_second_tab_replaces_the_first_which_does_not_fight_back() {
    let mut hall = Hall::new();
    hall.join(1);
    let ben = hall.join(2);
    let second = hall.hello(3, resume(&ben, false), 1).unwrap();
    assert_eq!(second.incarnation, Incarnation(2));
    assert_eq!(hall.last(2), ServerMessage::Replaced);
    assert_eq!(hall.closed, [(SocketId(2), close::REPLACED)]);
    assert_eq!(hall.hello(4, resume(&ben, true), 1), None);
    assert_eq!(hall.last(4), ServerMessage::Replaced);
    assert_eq!(hall.room.summary().riders, 2);
}

#[test]
fn a_new_socket_of_the_same_page_is_no_second_tab() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    hall.hello(2, resume(&ana, true), 1).unwrap();
    assert!(!hall.heard(1).contains(&ServerMessage::Replaced));
    assert_eq!(hall.closed, [(SocketId(1), close::SUPERSEDED)]);
}

#[test]
fn another_version_is_told_to_reload() {
    let mut hall = Hall::new();
    let keys = PublicKeys {
        sign: [0; 32],
        agree: [0; 32],
    };
    hall.say(Input::Join {
        socket: SocketId(1),
        hello: Hello {
            version: VERSION + 1,
            keys,
            resume: None,
        },
        fresh_peer: "a".parse().unwrap(),
        fresh_token: "t".parse().unwrap(),
        server_time: 0,
    });
    assert_eq!(code(&hall.last(1)), Some(ErrorCode::UnsupportedVersion));
}

#[test]
fn a_signal_reaches_the_page_it_is_for_and_no_older_or_newer_one() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    let ben = hall.join(2);
    let offer = |load| ClientMessage::Signal {
        to: ben.peer.clone(),
        incarnation: Incarnation(load),
        signal: Signal::Offer {
            attempt: 1,
            sdp: "sdp".into(),
        },
    };
    hall.message(1, offer(2));
    assert!(
        !hall
            .heard(2)
            .iter()
            .any(|said| matches!(said, ServerMessage::Signal { .. }))
    );
    hall.message(1, offer(1));
    assert!(matches!(hall.last(2), ServerMessage::Signal { from, .. } if from == ana.peer));
}

#[test]
fn a_frame_is_relayed_once_for_all_its_targets_under_its_true_sender() {
    let mut hall = Hall::new();
    (1..=4).for_each(|socket| drop(hall.join(socket)));
    let targets = vec![
        PeerNumber(1),
        PeerNumber(3),
        PeerNumber(3),
        PeerNumber(2),
        PeerNumber(99),
    ];
    let frame = ToServer {
        class: Class::Telemetry,
        sealed: true,
        targets,
        payload: b"watts",
    };
    hall.say(Input::Relay {
        socket: SocketId(2),
        bytes: frame.encode(),
    });
    let (sockets, bytes) = hall.relayed.pop().unwrap();
    assert_eq!(sockets, [SocketId(1), SocketId(3)]);
    let onward = FromServer::decode(&bytes).unwrap();
    assert_eq!(
        (onward.from, onward.incarnation),
        (PeerNumber(2), Incarnation(1))
    );
    assert_eq!((onward.sealed, onward.payload), (true, &b"watts"[..]));
}

#[test]
fn a_frame_without_targets_goes_to_everyone_else_present() {
    let mut hall = Hall::new();
    (1..=3).for_each(|socket| drop(hall.join(socket)));
    hall.close(3);
    let frame = ToServer {
        class: Class::Bulk,
        sealed: false,
        targets: vec![],
        payload: b"x",
    };
    hall.say(Input::Relay {
        socket: SocketId(1),
        bytes: frame.encode(),
    });
    assert_eq!(hall.relayed.pop().unwrap().0, [SocketId(2)]);
}

#[test]
fn strangers_are_not_relayed_and_are_closed() {
    let mut hall = Hall::new();
    hall.join(1);
    let frame = ToServer {
        class: Class::Control,
        sealed: false,
        targets: vec![],
        payload: b"x",
    };
    hall.say(Input::Relay {
        socket: SocketId(9),
        bytes: frame.encode(),
    });
    hall.message(8, ClientMessage::Ping);
    assert!(hall.relayed.is_empty());
    assert_eq!(code(&hall.last(9)), Some(ErrorCode::NotInRide));
    let closed = [(SocketId(9), close::POLICY), (SocketId(8), close::POLICY)];
    assert_eq!(hall.closed, closed);
}

#[test]
fn a_broken_or_oversized_envelope_closes_its_socket_and_touches_nobody_else() {
    let mut hall = Hall::new();
    (1..=3).for_each(|socket| drop(hall.join(socket)));
    hall.say(Input::Relay {
        socket: SocketId(2),
        bytes: vec![1, 7],
    });
    hall.say(Input::Relay {
        socket: SocketId(3),
        bytes: vec![1; 70_000],
    });
    let closed = [
        (SocketId(2), close::MALFORMED),
        (SocketId(3), close::TOO_LARGE),
    ];
    assert_eq!(hall.closed, closed);
    assert!(hall.relayed.is_empty());
    assert!(matches!(hall.last(1), ServerMessage::Away { .. }));
}

#[test]
fn a_ping_is_answered() {
    let mut hall = Hall::new();
    hall.join(1);
    hall.message(1, ClientMessage::Ping);
    assert_eq!(hall.last(1), ServerMessage::Pong);
}

#[test]
fn a_room_dies_ten_minutes_after_its_last_rider_left() {
    let mut hall = Hall::new();
    let ana = hall.join(1);
    hall.close(1);
    hall.pass(GRACE);
    hall.pass(Duration::from_secs(599));
    assert!(!hall.room.is_dead(hall.now));
    let back = hall.hello(2, resume(&ana, false), 1).unwrap();
    assert_eq!((back.role, back.epoch), (Role::Host, 2));
    hall.message(2, ClientMessage::Leave);
    hall.pass(Duration::from_secs(600));
    assert!(hall.room.is_dead(hall.now));
    assert_eq!(hall.room.poll_timeout(), None);
}

#[test]
fn a_room_that_nobody_enters_dies_too() {
    let mut hall = Hall::new();
    hall.pass(Duration::from_secs(600));
    assert!(hall.room.is_dead(hall.now));
}
