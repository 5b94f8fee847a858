//! Sockets that look open and are dead.

use super::*;
use protocol::signaling::LeftReason;

const SILENCE: Duration = Duration::from_millis(4_500);
const LOOK: Duration = Duration::from_millis(250);

/// A room of three, Ana the host.
fn hall() -> (RoomHarness, [Welcome; 3]) {
    let mut hall = RoomHarness::listening(RoomSettings::default());
    let riders = [1, 2, 3].map(|socket| hall.join(socket));
    (hall, riders)
}

/// So much time passes, and these say something four times a second.
fn pass(hall: &mut RoomHarness, time: Duration, talking: &[u64]) {
    let end = hall.now + time;
    while hall.now < end {
        for socket in talking {
            hall.message(*socket, ClientMessage::Ping);
        }
        hall.pass((end - hall.now).min(LOOK));
    }
}

#[test]
fn a_rider_whose_cable_was_pulled_is_away_within_five_seconds_and_gone_after_the_grace() {
    let (mut hall, [_, _, cem]) = hall();
    pass(&mut hall, SILENCE - LOOK, &[1, 2]);
    assert!(hall.closed.is_empty());
    pass(&mut hall, 2 * LOOK, &[1, 2]);
    assert_eq!(hall.closed, [(SocketId(3), close::SILENT)]);
    let away = |(socket, message): &(SocketId, ServerMessage)| {
        *socket == SocketId(1)
            && matches!(message, ServerMessage::Away { peer } if *peer == cem.peer)
    };
    assert_eq!(hall.sent.iter().filter(|sent| away(sent)).count(), 1);
    pass(&mut hall, GRACE - SILENCE, &[1, 2]);
    let gone = |(socket, message): &(SocketId, ServerMessage)| {
        let reason = LeftReason::Gone;
        *socket == SocketId(1)
            && *message
                == ServerMessage::Left {
                    peer: cem.peer.clone(),
                    reason,
                }
    };
    assert_eq!(hall.sent.iter().filter(|sent| gone(sent)).count(), 1);
}

#[test]
fn a_host_whose_cable_was_pulled_is_succeeded_within_five_seconds() {
    let (mut hall, [_, ben, _]) = hall();
    pass(&mut hall, SILENCE + LOOK, &[2, 3]);
    assert_eq!(hall.host_told(3), Some((2, ben.peer)));
}

#[test]
fn a_server_that_stood_still_itself_cuts_nobody_off() {
    let (mut hall, _) = hall();
    hall.now += Duration::from_secs(60);
    pass(&mut hall, SILENCE - LOOK, &[1]);
    assert!(hall.closed.is_empty());
    pass(&mut hall, 3 * LOOK, &[1]);
    assert_eq!(hall.closed.len(), 2);
}

#[test]
fn a_server_whose_own_network_was_gone_takes_the_ride_from_nobody() {
    let (mut hall, _) = hall();
    pass(&mut hall, Duration::from_secs(10), &[]);
    assert!(hall.closed.is_empty());
    // The host is the last to be heard again.
    pass(&mut hall, SILENCE - 2 * LOOK, &[2, 3]);
    pass(&mut hall, SILENCE, &[1, 2, 3]);
    assert!(hall.closed.is_empty());
    assert_eq!(hall.host_told(3), None);
}

#[test]
fn whoever_is_cut_off_and_was_there_after_all_comes_back_as_the_same_rider() {
    let (mut hall, [ana, ..]) = hall();
    pass(&mut hall, SILENCE + LOOK, &[2, 3]);
    let back = hall
        .hello(11, resume(&ana, true), 1)
        .expect("the room welcomes");
    assert_eq!((back.peer, back.number), (ana.peer, ana.number));
}
