//! Relayed signals and frames.

use super::*;
use protocol::{
    frame::{FromServer, ToServer},
    peer::DeliveryClass,
};

#[test]
fn a_signal_reaches_only_the_page_load_that_it_is_meant_for() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    let offer = |load| ClientMessage::Signal {
        to: ben.peer.clone(),
        incarnation: Incarnation(load),
        signal: Signal::Offer {
            attempt: 1,
            sdp: "sdp".into(),
        },
    };
    harness.message(1, offer(2));
    assert!(
        !harness
            .received(2)
            .iter()
            .any(|said| matches!(said, ServerMessage::Signal { .. }))
    );
    harness.message(1, offer(1));
    assert!(
        matches!(harness.last_received(2), ServerMessage::Signal { from, .. } if from == ana.peer)
    );
}

#[test]
fn a_frame_is_encoded_once_for_all_targets_with_its_real_sender() {
    let mut harness = RoomHarness::new();
    (1..=4).for_each(|socket| drop(harness.join(socket)));
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
    harness.handle(Input::Relay {
        socket: SocketId(2),
        bytes: frame.encode(),
    });
    let (sockets, bytes) = harness.relayed.pop().unwrap();
    assert_eq!(sockets, [SocketId(1), SocketId(3)]);
    let relayed = FromServer::decode(&bytes).unwrap();
    assert_eq!(
        (relayed.from, relayed.incarnation),
        (PeerNumber(2), Incarnation(1))
    );
    assert_eq!((relayed.sealed, relayed.payload), (true, &b"watts"[..]));
}

#[test]
fn a_frame_without_targets_goes_to_all_other_connected_members() {
    let mut harness = RoomHarness::new();
    (1..=3).for_each(|socket| drop(harness.join(socket)));
    harness.close(3);
    let frame = ToServer {
        class: DeliveryClass::Bulk,
        sealed: false,
        targets: vec![],
        payload: b"x",
    };
    harness.handle(Input::Relay {
        socket: SocketId(1),
        bytes: frame.encode(),
    });
    assert_eq!(harness.relayed.pop().unwrap().0, [SocketId(2)]);
}

#[test]
fn sockets_that_have_not_joined_are_closed_and_not_relayed() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let frame = ToServer {
        class: DeliveryClass::Control,
        sealed: false,
        targets: vec![],
        payload: b"x",
    };
    harness.handle(Input::Relay {
        socket: SocketId(9),
        bytes: frame.encode(),
    });
    harness.message(8, ClientMessage::Ping);
    assert!(harness.relayed.is_empty());
    assert_eq!(code(&harness.last_received(9)), Some(ErrorCode::NotInRide));
    let closed = [(SocketId(9), close::POLICY), (SocketId(8), close::POLICY)];
    assert_eq!(harness.closed, closed);
}

#[test]
fn a_malformed_or_oversized_envelope_closes_only_its_own_socket() {
    let mut harness = RoomHarness::new();
    (1..=3).for_each(|socket| drop(harness.join(socket)));
    harness.handle(Input::Relay {
        socket: SocketId(2),
        bytes: vec![1, 7],
    });
    harness.handle(Input::Relay {
        socket: SocketId(3),
        bytes: vec![1; 70_000],
    });
    let closed = [
        (SocketId(2), close::MALFORMED),
        (SocketId(3), close::TOO_LARGE),
    ];
    assert_eq!(harness.closed, closed);
    assert!(harness.relayed.is_empty());
    assert!(matches!(
        harness.last_received(1),
        ServerMessage::Away { .. }
    ));
}

#[test]
fn a_ping_is_answered() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    harness.message(1, ClientMessage::Ping);
    assert_eq!(harness.last_received(1), ServerMessage::Pong);
}
