//! The host, its succession and its commands.

use super::*;
use protocol::signaling::HostCommand;
use protocol::{
    peer::LinkState,
    signaling::{LinkReport, Report},
};

#[test]
fn when_the_host_leaves_the_longest_present_rider_succeeds() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    harness.join(2);
    let cleo = harness.join(3);
    harness.close(2);
    harness.message(1, ClientMessage::Leave);
    let ServerMessage::Host { term, .. } = harness.last_received(3) else {
        panic!()
    };
    assert_eq!(
        (term.epoch, term.peer),
        (2, cleo.peer),
        "the rider with the lowest number is away"
    );
}

#[test]
fn a_host_that_returns_with_another_key_is_refused_unless_the_room_has_lost_its_memory() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    assert_eq!(harness.hello(3, resume(&ana, false), 9), None);
    let back = harness.hello(4, resume(&ana, false), 1).unwrap();
    assert_eq!((back.epoch, back.is_host()), (1, true));
    // After the loss of its memory the room takes the new key.
    harness.restart_server();
    let back = harness.hello(5, resume(&ana, false), 9).unwrap();
    harness.hello(6, resume(&ben, false), 1).unwrap();
    harness.advance(Duration::from_secs(60));
    assert_eq!(
        (back.epoch, back.is_host(), back.hosts.len()),
        (0, false, 0)
    );
    assert_eq!(harness.announced_host(5), Some((1, ana.peer)));
    let mut terms = harness
        .received(5)
        .into_iter()
        .filter_map(|message| match message {
            ServerMessage::Host { term, .. } => Some(vec![term]),
            ServerMessage::Restored(restored) => Some(restored.hosts),
            _ => None,
        });
    assert_eq!(terms.next_back().unwrap().last().unwrap().sign_key, [9; 32]);
}

fn reports(peer: &PeerId, state: LinkState) -> ClientMessage {
    let links = vec![LinkReport {
        peer: peer.clone(),
        state,
        connect_ms: None,
        round_trip_ms: None,
    }];
    ClientMessage::Report(Report {
        links,
        ..Report::default()
    })
}

#[test]
fn a_lost_host_is_succeeded_after_four_seconds() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.join(3);
    harness.close(1);
    harness.advance(HOST_GRACE - Duration::from_millis(1));
    assert_eq!(harness.announced_host(3), None);
    harness.advance(Duration::from_millis(1));
    assert_eq!(harness.announced_host(3), Some((2, ben.peer)));
    assert_eq!(
        harness.room.summary().riders,
        3,
        "the old host may come back"
    );
}

#[test]
fn a_host_that_returns_in_time_stays_host() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.join(2);
    harness.close(1);
    harness.advance(HOST_GRACE - Duration::from_millis(1));
    let back = harness.hello(3, resume(&ana, true), 1).unwrap();
    harness.advance(GRACE);
    assert_eq!((back.is_host(), back.epoch), (true, 1));
    assert_eq!(harness.announced_host(2), None);
}

#[test]
fn an_absent_host_with_a_direct_link_stays_host_until_the_grace_period_ends() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.join(3);
    harness.join(4);
    for socket in [3, 4] {
        harness.message(socket, reports(&ana.peer, LinkState::Direct));
    }
    harness.close(1);
    harness.advance(GRACE - Duration::from_millis(1));
    assert_eq!(harness.announced_host(3), None);
    harness.advance(Duration::from_millis(1));
    assert_eq!(harness.announced_host(3), Some((2, ben.peer)));
}

#[test]
fn one_rider_who_reports_a_direct_link_to_an_absent_host_does_not_delay_the_successor() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.join(3);
    harness.message(3, reports(&ana.peer, LinkState::Direct));
    harness.close(1);
    harness.advance(HOST_GRACE);
    assert_eq!(harness.announced_host(3), Some((2, ben.peer)));
}

#[test]
fn riders_who_can_only_be_relayed_do_not_outvote_those_with_a_direct_link_to_the_host() {
    let mut harness = RoomHarness::with(RoomSettings {
        max_direct: 2,
        ..RoomSettings::default()
    });
    let ana = harness.join(1);
    harness.join(2);
    harness.message(2, reports(&ana.peer, LinkState::Direct));
    for socket in 3..8 {
        harness.join(socket);
    }
    harness.close(1);
    harness.advance(Duration::from_secs(10));
    assert_eq!(harness.announced_host(2), None);
}

#[test]
fn an_absent_host_is_succeeded_when_its_last_direct_link_is_lost() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.message(2, reports(&ana.peer, LinkState::Direct));
    harness.close(1);
    harness.advance(Duration::from_secs(10));
    assert_eq!(harness.announced_host(2), None);
    harness.message(2, reports(&ana.peer, LinkState::Away));
    assert_eq!(harness.announced_host(2), Some((2, ben.peer)));
}

#[test]
fn the_report_of_an_absent_rider_does_not_count() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.join(3);
    harness.message(3, reports(&ana.peer, LinkState::Direct));
    harness.close(1);
    harness.close(3);
    harness.advance(HOST_GRACE);
    assert_eq!(harness.announced_host(2), Some((2, ben.peer)));
}

#[test]
fn an_absent_host_is_succeeded_only_once_a_rider_is_connected() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    harness.close(1);
    harness.advance(Duration::from_secs(10));
    assert_eq!(harness.room.terms.epoch(), 1);
    harness.hello(3, resume(&ben, true), 1).unwrap();
    assert_eq!(harness.announced_host(3), Some((2, ben.peer)));
}

#[test]
fn the_first_host_can_reclaim_the_role() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.join(2);
    harness.close(1);
    harness.advance(HOST_GRACE);
    let back = harness.hello(3, resume(&ana, true), 1).unwrap();
    assert_eq!(
        (back.is_host(), back.first_host),
        (false, Some(ana.peer.clone()))
    );
    harness.message(3, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(harness.announced_host(2), Some((3, ana.peer.clone())));
    assert_eq!(harness.announced_host(3), Some((3, ana.peer)));
    harness.message(2, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(
        code(&harness.last_received(2)),
        Some(ErrorCode::NotFirstHost)
    );
}

#[test]
fn the_first_host_can_reclaim_the_role_after_the_grace_period() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.join(2);
    harness.close(1);
    harness.advance(Duration::from_secs(300));
    harness.hello(3, resume(&ana, false), 1).unwrap();
    harness.message(3, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(harness.announced_host(2), Some((3, ana.peer)));
}

#[test]
fn a_first_host_that_hands_over_loses_its_claim() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.join(2);
    let cleo = harness.join(3);
    let to = cleo.peer.clone();
    harness.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
    assert_eq!(harness.announced_host(2), Some((2, cleo.peer.clone())));
    harness.message(1, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(
        code(&harness.last_received(1)),
        Some(ErrorCode::NotFirstHost)
    );
    harness.close(3);
    harness.advance(HOST_GRACE);
    assert_eq!(harness.announced_host(2), Some((3, ana.peer)));
    harness.hello(4, resume(&cleo, true), 1).unwrap();
    harness.message(4, ClientMessage::Command(HostCommand::Reclaim));
    assert_eq!(
        harness.announced_host(2),
        Some((4, cleo.peer)),
        "the first host handed the role over to her"
    );
}

#[test]
fn the_host_role_is_handed_over_only_to_another_connected_rider() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    let ben = harness.join(2);
    harness.close(2);
    for to in [ana.peer, ben.peer, "stranger".parse().unwrap()] {
        harness.message(1, ClientMessage::Command(HostCommand::HandOver { to }));
        assert_eq!(
            code(&harness.last_received(1)),
            Some(ErrorCode::NoSuchRider)
        );
    }
    assert_eq!(harness.room.terms.epoch(), 1);
}

#[test]
fn host_commands_of_other_riders_are_refused() {
    let mut harness = RoomHarness::new();
    let ana = harness.join(1);
    harness.join(2);
    let (peer, to) = (ana.peer.clone(), ana.peer);
    let reason = String::new();
    for command in [
        ClientMessage::Command(HostCommand::Kick { peer, reason }),
        ClientMessage::Command(HostCommand::Lock),
        ClientMessage::Command(HostCommand::Unlock),
        ClientMessage::Command(HostCommand::HandOver { to }),
        ClientMessage::Command(HostCommand::End),
    ] {
        let received = harness.received(1).len();
        harness.message(2, command.clone());
        assert_eq!(
            code(&harness.last_received(2)),
            Some(ErrorCode::NotHost),
            "{command:?}"
        );
        assert_eq!(harness.received(1).len(), received, "{command:?}");
    }
    assert!(harness.closed.is_empty() && !harness.room.summary().locked);
}

#[test]
fn a_ride_that_the_host_ends_is_over_for_all_members() {
    let mut harness = RoomHarness::new();
    harness.join(1);
    let ben = harness.join(2);
    harness.message(1, ClientMessage::Command(HostCommand::End));
    assert_eq!(harness.last_received(1), ServerMessage::Ended);
    assert_eq!(harness.last_received(2), ServerMessage::Ended);
    let closed = [(SocketId(1), close::ENDED), (SocketId(2), close::ENDED)];
    assert_eq!(harness.closed, closed);
    assert_eq!(harness.hello(3, resume(&ben, true), 1), None);
    assert_eq!(code(&harness.last_received(3)), Some(ErrorCode::NoSuchRide));
    assert!(harness.room.is_dead(harness.now));
    harness.advance(Duration::from_secs(1));
    assert_eq!(harness.room.poll_timeout(), None);
}
