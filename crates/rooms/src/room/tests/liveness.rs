//! Dead sockets.

use super::*;
use protocol::signaling::LeftReason;

const SILENCE: Duration = Duration::from_millis(4_500);
const CHECK_INTERVAL: Duration = Duration::from_millis(250);

/// Room with three riders on the sockets 1 to 3. The first is the host.
fn three_riders() -> (RoomHarness, [Welcome; 3]) {
    let mut harness = RoomHarness::with_silence_check(RoomSettings::default());
    let riders = [1, 2, 3].map(|socket| harness.join(socket));
    (harness, riders)
}

/// Advances the clock while some sockets send a message four times a second.
fn advance(harness: &mut RoomHarness, time: Duration, active: &[u64]) {
    let end = harness.now + time;
    while harness.now < end {
        for socket in active {
            harness.message(*socket, ClientMessage::Ping);
        }
        harness.advance((end - harness.now).min(CHECK_INTERVAL));
    }
}

#[test]
fn a_silent_rider_is_away_within_five_seconds_and_removed_after_the_grace_period() {
    let (mut harness, [_, _, cem]) = three_riders();
    advance(&mut harness, SILENCE - CHECK_INTERVAL, &[1, 2]);
    assert!(harness.closed.is_empty());
    advance(&mut harness, 2 * CHECK_INTERVAL, &[1, 2]);
    assert_eq!(harness.closed, [(SocketId(3), close::SILENT)]);
    let away = |(socket, message): &(SocketId, ServerMessage)| {
        *socket == SocketId(1)
            && matches!(message, ServerMessage::Away { peer } if *peer == cem.peer)
    };
    assert_eq!(harness.sent.iter().filter(|sent| away(sent)).count(), 1);
    advance(&mut harness, GRACE - SILENCE, &[1, 2]);
    let gone = |(socket, message): &(SocketId, ServerMessage)| {
        let reason = LeftReason::Gone;
        *socket == SocketId(1)
            && *message
                == ServerMessage::Left {
                    peer: cem.peer.clone(),
                    reason,
                }
    };
    assert_eq!(harness.sent.iter().filter(|sent| gone(sent)).count(), 1);
}

#[test]
fn a_silent_host_is_succeeded_within_five_seconds() {
    let (mut harness, [_, ben, _]) = three_riders();
    advance(&mut harness, SILENCE + CHECK_INTERVAL, &[2, 3]);
    assert_eq!(harness.announced_host(3), Some((2, ben.peer)));
}

#[test]
fn no_socket_is_closed_because_the_server_was_paused() {
    let (mut harness, _) = three_riders();
    harness.now += Duration::from_secs(60);
    advance(&mut harness, SILENCE - CHECK_INTERVAL, &[1]);
    assert!(harness.closed.is_empty());
    advance(&mut harness, 3 * CHECK_INTERVAL, &[1]);
    assert_eq!(harness.closed.len(), 2);
}

#[test]
fn no_socket_is_closed_because_the_server_lost_its_network() {
    let (mut harness, _) = three_riders();
    advance(&mut harness, Duration::from_secs(10), &[]);
    assert!(harness.closed.is_empty());
    // The host is the last one whose messages arrive again.
    advance(&mut harness, SILENCE - 2 * CHECK_INTERVAL, &[2, 3]);
    advance(&mut harness, SILENCE, &[1, 2, 3]);
    assert!(harness.closed.is_empty());
    assert_eq!(harness.announced_host(3), None);
}

#[test]
fn a_rider_whose_socket_was_closed_as_silent_resumes_as_the_same_rider() {
    let (mut harness, [ana, ..]) = three_riders();
    advance(&mut harness, SILENCE + CHECK_INTERVAL, &[2, 3]);
    let back = harness
        .hello(11, resume(&ana, true), 1)
        .expect("the room welcomes");
    assert_eq!((back.peer, back.number), (ana.peer, ana.number));
}

#[test]
fn a_ride_without_any_rider_ends_after_a_minute_and_one_that_was_left_after_ten() {
    let minute = Duration::from_secs(60);
    let mut unjoined = RoomHarness::new();
    unjoined.advance(minute - Duration::from_secs(1));
    assert!(!unjoined.room.is_dead(unjoined.now));
    unjoined.advance(Duration::from_secs(1));
    assert!(unjoined.room.is_dead(unjoined.now));
    let mut left = RoomHarness::new();
    left.join(1);
    left.handle(Input::Closed {
        socket: SocketId(1),
    });
    left.advance(GRACE + 9 * minute);
    assert!(!left.room.is_dead(left.now));
    left.advance(minute);
    assert!(left.room.is_dead(left.now));
}
