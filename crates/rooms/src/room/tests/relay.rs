//! What is handed on, and to whom.

use super::*;
use protocol::{
    frame::{FromServer, ToServer},
    peer::DeliveryClass,
};

#[test]
fn a_signal_reaches_the_page_it_is_for_and_no_older_or_newer_one() {
    let mut hall = RoomHarness::new();
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
    let mut hall = RoomHarness::new();
    (1..=4).for_each(|socket| drop(hall.join(socket)));
    let targets = vec![
        PeerNumber(1),
        PeerNumber(3),
        PeerNumber(3),
        PeerNumber(2),
        PeerNumber(99),
    ];
    let frame = ToServer {
        class: DeliveryClass::Telemetry,
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
    let mut hall = RoomHarness::new();
    (1..=3).for_each(|socket| drop(hall.join(socket)));
    hall.close(3);
    let frame = ToServer {
        class: DeliveryClass::Bulk,
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
    let mut hall = RoomHarness::new();
    hall.join(1);
    let frame = ToServer {
        class: DeliveryClass::Control,
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
    let mut hall = RoomHarness::new();
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
    let mut hall = RoomHarness::new();
    hall.join(1);
    hall.message(1, ClientMessage::Ping);
    assert_eq!(hall.last(1), ServerMessage::Pong);
}
