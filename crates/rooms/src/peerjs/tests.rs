mod any;
mod crowd;

use super::*;
use protocol::signaling::close;

use crowd::{Crowd, FEW, expire, leave, offer};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn off() -> Settings {
    Settings {
        rooms: false,
        ..Settings::default()
    }
}

#[test]
fn an_address_is_checked_for_parameters_key_id_and_place_in_this_order() {
    let mut crowd = Crowd::with(Settings {
        max_peers: 1,
        ..off()
    });
    crowd.enter(1, "ana", "t");
    let cases = [
        ((None, Some("ana"), Some("t")), Refusal::Missing),
        ((Some("peerjs"), None, Some("t")), Refusal::Missing),
        ((Some("peerjs"), Some("ana"), None), Refusal::Missing),
        ((Some("peerjs"), Some("ana"), Some("")), Refusal::Missing),
        ((Some("wrong"), Some("-"), Some("t")), Refusal::InvalidKey),
        ((Some("peerjs"), Some("-"), Some("t")), Refusal::InvalidId),
        ((Some("peerjs"), Some("ana"), Some("u")), Refusal::IdTaken),
        (
            (Some("peerjs"), Some("ben"), Some("u")),
            Refusal::ServerFull,
        ),
    ];
    for ((key, id, token), refusal) in cases {
        assert_eq!(crowd.connect(9, key, id, token), Some(refusal));
    }
    let long = "x".repeat(MAX_TOKEN + 1);
    let refused = crowd.connect(9, Some("peerjs"), Some("ben"), Some(&long));
    assert_eq!(refused, Some(Refusal::InvalidToken));
    crowd.close(1);
    assert_eq!(crowd.join(2, "ben", "u"), None);
}

#[test]
fn messages_reach_their_receiver_under_the_senders_real_id() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    crowd.enter(2, "ben", "room");
    crowd.say(
        1,
        r#"{"type":"OFFER","src":"eve","dst":"ben","payload":{"n":1}}"#,
    );
    assert_eq!(crowd.take(2), [offer("ana", "ben", 1)]);
    assert_eq!((crowd.broker.tally().relayed, crowd.take(1).len()), (1, 0));
}

#[test]
fn a_room_hears_nothing_of_another_and_takes_the_same_ids() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "here");
    crowd.enter(2, "ben", "there");
    assert_eq!(crowd.join(3, "ana", "there"), None);
    crowd.say(1, &offer("ana", "ben", 1));
    crowd.pass(5 * SECOND);
    assert_eq!(crowd.take(1), [expire("ben", "ana")]);
    crowd.say(2, r#"{"type":"LEAVE"}"#);
    crowd.close(3);
    crowd.pass(2 * MINUTE);
    assert!(crowd.take(1).is_empty());
    assert_eq!(crowd.broker.ids("here").collect::<Vec<_>>(), ["ana"]);
}

#[test]
fn a_fifth_peer_finds_the_room_full_until_one_drops() {
    let mut crowd = Crowd::new();
    for (socket, id) in (1..).zip(FEW) {
        assert_eq!(crowd.join(socket, id, "room"), None);
    }
    assert!(crowd.broker.is_full("room") && !crowd.broker.is_full("other"));
    assert_eq!(crowd.join(5, "eve", "room"), Some(Refusal::RoomFull));
    assert_eq!(crowd.join(6, "eve", "other"), None);
    crowd.close(2);
    assert_eq!(crowd.join(7, "eve", "room"), None);
}

#[test]
fn what_waits_is_delivered_in_order_right_after_open() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    crowd.enter(2, "ben", "room");
    for number in 0..4 {
        let (socket, from) = [(1, "ana"), (2, "ben")][number % 2];
        crowd.say(socket, &offer(from, "cleo", number));
    }
    crowd.say(1, &leave("ana", "cleo"));
    crowd.say(1, &expire("ana", "cleo"));
    crowd.pass(4 * SECOND);
    crowd.join(3, "cleo", "room");
    let expected = [
        OPEN.to_owned(),
        offer("ana", "cleo", 0),
        offer("ben", "cleo", 1),
        offer("ana", "cleo", 2),
        offer("ben", "cleo", 3),
    ];
    assert_eq!(crowd.take(3)[..], expected);
    crowd.pass(MINUTE);
    assert!(crowd.take(1).is_empty() && crowd.take(2).is_empty());
}

#[test]
fn what_nobody_fetches_expires_once_a_pair() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    crowd.enter(2, "ben", "room");
    (0..3).for_each(|number| crowd.say(1, &offer("ana", "cleo", number)));
    crowd.say(1, &offer("ana", "dan", 0));
    crowd.pass(SECOND);
    crowd.say(2, &offer("ben", "cleo", 0));
    crowd.pass(4 * SECOND);
    let mut told = crowd.take(1);
    told.sort();
    assert_eq!(told, [expire("cleo", "ana"), expire("dan", "ana")]);
    assert!(crowd.take(2).is_empty());
    crowd.pass(SECOND);
    assert_eq!(crowd.take(2), [expire("cleo", "ben")]);
    crowd.join(3, "cleo", "room");
    assert_eq!(crowd.take(3), [OPEN]);
}

#[test]
fn a_pair_keeps_so_many_messages_and_bytes_and_no_more() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    (0..70).for_each(|number| crowd.say(1, &offer("ana", "ben", number)));
    let large = format!(
        r#"{{"type":"OFFER","dst":"cleo","payload":"{}"}}"#,
        "x".repeat(60_000)
    );
    (0..6).for_each(|_| crowd.say(1, &large));
    assert_eq!(crowd.broker.tally().queue_full, 6 + 2);
    crowd.join(2, "ben", "room");
    crowd.join(3, "cleo", "room");
    assert_eq!(crowd.take(2).len(), 1 + 64);
    assert_eq!(crowd.take(3).len(), 1 + 4);
}

#[test]
fn a_sender_is_told_at_once_when_nothing_more_can_wait() {
    let mut crowd = Crowd::with(Settings {
        max_pairs: 2 * ROOM_SHARE,
        ..Settings::default()
    });
    crowd.enter(1, "ana", "room");
    for to in ["ben", "cleo", "dan"] {
        crowd.say(1, &offer("ana", to, 0));
    }
    assert_eq!(crowd.take(1), [expire("dan", "ana")]);
    crowd.enter(2, "ana", "other");
    crowd.say(2, &offer("ana", "ben", 0));
    assert!(crowd.take(2).is_empty(), "another room has its own share");
}

#[test]
fn nonsense_is_counted_and_nothing_else() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    let receiver_too_long = offer("ana", &"x".repeat(65), 0);
    for text in ["{", "[]", r#"{"type":"OFFER"}"#, &receiver_too_long] {
        crowd.say(1, text);
    }
    crowd.say(1, r#"{"type":"OPEN","dst":"ana"}"#);
    crowd.say(1, r#"{"type":"HEARTBEAT"}"#);
    crowd.say(8, r#"{"type":"LEAVE"}"#);
    let tally = crowd.broker.tally();
    let counted = (tally.malformed, tally.unknown_type, tally.not_open);
    assert_eq!(counted, (4, 1, 1));
    crowd.pass(MINUTE);
    assert!(crowd.take(1).is_empty() && crowd.closed.is_empty());
}

#[test]
fn a_peer_that_leaves_is_announced_at_once_and_its_id_is_free() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    crowd.enter(2, "ben", "room");
    crowd.say(2, r#"{"type":"LEAVE"}"#);
    assert_eq!(crowd.take(1), [leave("ben", "ana")]);
    assert_eq!(crowd.closed, [(SocketId(2), close::LEFT)]);
    assert_eq!(crowd.join(3, "ben", "room"), None);
}

#[test]
fn a_peer_that_drops_is_announced_only_when_it_stays_away() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    crowd.enter(2, "ben", "room");
    crowd.close(2);
    crowd.pass(59 * SECOND);
    crowd.enter(3, "ben", "room");
    crowd.pass(MINUTE);
    assert!(crowd.take(1).is_empty());
    crowd.close(3);
    crowd.pass(MINUTE - SECOND);
    assert!(crowd.take(1).is_empty());
    crowd.pass(SECOND);
    assert_eq!(crowd.take(1), [leave("ben", "ana")]);
}

#[test]
fn those_who_come_back_hear_of_the_one_who_does_not() {
    let mut crowd = Crowd::new();
    for (socket, id) in [(1, "ana"), (2, "ben"), (3, "cleo")] {
        crowd.enter(socket, id, "room");
    }
    (1..=3).for_each(|socket| crowd.close(socket));
    crowd.join(4, "ana", "room");
    crowd.join(5, "ben", "room");
    crowd.pass(MINUTE);
    assert_eq!(crowd.take(4), [OPEN, &leave("cleo", "ana")]);
    assert_eq!(crowd.take(5), [OPEN, &leave("cleo", "ben")]);
}

#[test]
fn in_a_room_an_id_goes_to_another_socket_when_the_old_one_is_dead() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ana", "room");
    crowd.enter(2, "ben", "room");
    assert_eq!(crowd.join(3, "ben", "room"), None);
    assert_eq!(crowd.probed, [SocketId(2)]);
    assert!(crowd.take(3).is_empty());
    crowd.say(3, &offer("ben", "ana", 1));
    crowd.pass(2 * SECOND);
    assert_eq!(crowd.take(3), [OPEN]);
    assert_eq!(crowd.closed, [(SocketId(2), close::SUPERSEDED)]);
    crowd.say(1, &offer("ana", "ben", 2));
    assert_eq!(crowd.take(3), [offer("ana", "ben", 2)]);
    crowd.pass(2 * MINUTE);
    assert!(
        crowd.take(1).is_empty(),
        "nobody left, and nothing was forged"
    );
}

#[test]
fn in_a_room_an_id_stays_with_a_socket_that_lives() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ben", "room");
    crowd.join(2, "ben", "room");
    assert_eq!(crowd.join(3, "ben", "room"), Some(Refusal::IdTaken));
    crowd.alive(1);
    assert_eq!(crowd.refused.pop(), Some((SocketId(2), Refusal::IdTaken)));
    crowd.pass(MINUTE);
    assert!(crowd.closed.is_empty());
    assert_eq!(crowd.join(4, "ben", "room"), None, "and may be asked again");
    assert_eq!(crowd.probed, [SocketId(1), SocketId(1)]);
    crowd.close(4);
    crowd.pass(MINUTE);
    assert!(crowd.closed.is_empty());
}

#[test]
fn however_often_an_id_is_asked_for_its_socket_is_probed_once_in_a_while() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ben", "room");
    for socket in 2..1_002 {
        crowd.join(socket, "ben", "room");
        // What the claimant says proves nothing.
        crowd.alive(socket);
        crowd.alive(1);
        crowd.pass(SECOND / 100);
    }
    // Ten seconds, one probe in three.
    assert_eq!(crowd.probed, [SocketId(1); 4]);
    assert_eq!(crowd.refused.len(), 4);
    assert_eq!(crowd.broker.counts().claims, 0);
}

#[test]
fn who_waits_for_an_id_gets_it_when_its_socket_closes_or_leaves() {
    let mut crowd = Crowd::new();
    crowd.enter(1, "ben", "room");
    crowd.join(2, "ben", "room");
    crowd.close(1);
    assert_eq!(crowd.take(2), [OPEN]);
    crowd.join(3, "ben", "room");
    crowd.say(2, r#"{"type":"LEAVE"}"#);
    assert_eq!(crowd.take(3), [OPEN]);
}

#[test]
fn a_full_room_lets_its_own_peers_back_in() {
    let mut crowd = Crowd::new();
    for (socket, id) in (1..).zip(FEW) {
        crowd.enter(socket, id, "room");
    }
    assert_eq!(crowd.join(9, FEW[0], "room"), None);
    crowd.pass(2 * SECOND);
    assert_eq!(crowd.take(9), [OPEN]);
}

#[test]
fn without_rooms_any_peer_reaches_any_and_nobody_is_told_of_leaving() {
    let mut crowd = Crowd::with(off());
    crowd.enter(1, "ana", "her secret");
    crowd.enter(2, "ben", "his secret");
    crowd.say(1, &offer("ana", "ben", 1));
    assert_eq!(crowd.take(2), [offer("ana", "ben", 1)]);
    crowd.say(2, r#"{"type":"LEAVE"}"#);
    crowd.pass(MINUTE);
    assert!(crowd.take(1).is_empty());
    assert_eq!(crowd.broker.ids("any").collect::<Vec<_>>(), ["ana"]);
}

#[test]
fn without_rooms_the_token_takes_an_id_over_at_once() {
    let mut crowd = Crowd::with(off());
    crowd.enter(1, "ana", "secret");
    assert_eq!(crowd.join(2, "ana", "guess"), Some(Refusal::IdTaken));
    assert_eq!(crowd.join(3, "ana", "secret"), None);
    assert_eq!(crowd.take(3), [OPEN]);
    assert_eq!(crowd.closed, [(SocketId(1), close::SUPERSEDED)]);
    crowd.close(1);
    assert_eq!(crowd.broker.counts().peers, 1);
}

#[test]
fn without_rooms_a_dropped_id_is_kept_for_its_token_while_messages_can_wait() {
    let mut crowd = Crowd::with(off());
    crowd.enter(1, "ana", "secret");
    crowd.enter(2, "ben", "another");
    crowd.drop_socket(1);
    crowd.say(2, &offer("ben", "ana", 1));
    assert_eq!(crowd.join(3, "ana", "guess"), Some(Refusal::IdTaken));
    assert_eq!(crowd.join(4, "ana", "secret"), None);
    assert_eq!(crowd.take(4), [OPEN, &offer("ben", "ana", 1)]);
    crowd.drop_socket(4);
    crowd.pass(5 * SECOND);
    assert_eq!(crowd.join(5, "ana", "guess"), None);
}

#[test]
fn without_rooms_no_sender_takes_the_place_of_all_others() {
    let mut crowd = Crowd::with(off());
    crowd.enter(1, "eve", "hers");
    crowd.enter(2, "ana", "another");
    for number in 0..1_000 {
        crowd.say(1, &offer("eve", &format!("nobody{number}"), number));
    }
    let share = (off().max_pairs / SENDER_SHARE) as usize;
    assert_eq!(crowd.broker.counts().pairs, share);
    // A new socket is no new share.
    crowd.drop_socket(1);
    crowd.enter(3, "eve", "hers");
    crowd.say(3, &offer("eve", "somebody", 1));
    assert_eq!(crowd.broker.counts().pairs, share);
    crowd.say(2, &offer("ana", "ben", 1));
    crowd.join(4, "ben", "his");
    assert_eq!(crowd.take(4), [OPEN, &offer("ana", "ben", 1)]);
    crowd.pass(5 * SECOND);
    crowd.say(3, &offer("eve", "somebody", 2));
    assert_eq!(crowd.broker.counts().pairs, 1);
}

#[test]
fn without_rooms_what_waits_for_a_peer_is_not_handed_to_another() {
    let mut crowd = Crowd::with(off());
    crowd.enter(1, "ana", "secret");
    crowd.enter(2, "ben", "another");
    crowd.close(1);
    crowd.say(2, &offer("ben", "ana", 1));
    assert_eq!(
        crowd.join(3, "ana", "new"),
        None,
        "it closed, so the id is free"
    );
    assert_eq!(crowd.take(3), [OPEN]);
    assert_eq!(crowd.take(2), [expire("ana", "ben")]);
    crowd.drop_socket(3);
    crowd.pass(4 * SECOND);
    crowd.say(2, &offer("ben", "ana", 2));
    crowd.pass(2 * SECOND);
    assert_eq!(crowd.join(4, "ana", "third"), None);
    assert_eq!(crowd.take(4), [OPEN]);
}
