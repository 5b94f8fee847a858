mod harness;
mod properties;

use super::*;
use protocol::signaling::close;

use harness::{FULL_ROOM, PeerJsHarness, expire, leave, offer};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

fn without_rooms() -> Settings {
    Settings {
        rooms: false,
        ..Settings::default()
    }
}

#[test]
fn addresses_are_checked_for_parameters_key_id_and_capacity_in_this_order() {
    let mut harness = PeerJsHarness::with(Settings {
        max_peers: 1,
        ..without_rooms()
    });
    harness.open(1, "ana", "t");
    let cases = [
        ((None, Some("ana"), Some("t")), PeerJsRefusal::Missing),
        ((Some("peerjs"), None, Some("t")), PeerJsRefusal::Missing),
        ((Some("peerjs"), Some("ana"), None), PeerJsRefusal::Missing),
        (
            (Some("peerjs"), Some("ana"), Some("")),
            PeerJsRefusal::Missing,
        ),
        (
            (Some("wrong"), Some("-"), Some("t")),
            PeerJsRefusal::InvalidKey,
        ),
        (
            (Some("peerjs"), Some("-"), Some("t")),
            PeerJsRefusal::InvalidId,
        ),
        (
            (Some("peerjs"), Some("ana"), Some("u")),
            PeerJsRefusal::IdTaken,
        ),
        (
            (Some("peerjs"), Some("ben"), Some("u")),
            PeerJsRefusal::ServerFull,
        ),
    ];
    for ((key, id, token), refusal) in cases {
        assert_eq!(harness.connect(9, key, id, token), Some(refusal));
    }
    let long = "x".repeat(MAX_TOKEN + 1);
    let refused = harness.connect(9, Some("peerjs"), Some("ben"), Some(&long));
    assert_eq!(refused, Some(PeerJsRefusal::InvalidToken));
    harness.close(1);
    assert_eq!(harness.join(2, "ben", "u"), None);
}

#[test]
fn messages_are_forwarded_with_the_senders_real_id() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    harness.open(2, "ben", "room");
    harness.message(
        1,
        r#"{"type":"OFFER","src":"eve","dst":"ben","payload":{"n":1}}"#,
    );
    assert_eq!(harness.take(2), [offer("ana", "ben", 1)]);
    assert_eq!(
        (harness.broker.tally().relayed, harness.take(1).len()),
        (1, 0)
    );
}

#[test]
fn rooms_are_isolated_and_may_use_the_same_ids() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "here");
    harness.open(2, "ben", "there");
    assert_eq!(harness.join(3, "ana", "there"), None);
    harness.message(1, &offer("ana", "ben", 1));
    harness.advance(5 * SECOND);
    assert_eq!(harness.take(1), [expire("ben", "ana")]);
    harness.message(2, r#"{"type":"LEAVE"}"#);
    harness.close(3);
    harness.advance(2 * MINUTE);
    assert!(harness.take(1).is_empty());
    assert_eq!(harness.broker.ids("here").collect::<Vec<_>>(), ["ana"]);
}

#[test]
fn a_fifth_peer_is_refused_until_another_one_closes() {
    let mut harness = PeerJsHarness::new();
    for (socket, id) in (1..).zip(FULL_ROOM) {
        assert_eq!(harness.join(socket, id, "room"), None);
    }
    assert!(harness.broker.is_full("room") && !harness.broker.is_full("other"));
    assert_eq!(
        harness.join(5, "eve", "room"),
        Some(PeerJsRefusal::RoomFull)
    );
    assert_eq!(harness.join(6, "eve", "other"), None);
    harness.close(2);
    assert_eq!(harness.join(7, "eve", "room"), None);
}

#[test]
fn queued_messages_are_delivered_in_order_after_open() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    harness.open(2, "ben", "room");
    for number in 0..4 {
        let (socket, from) = [(1, "ana"), (2, "ben")][number % 2];
        harness.message(socket, &offer(from, "cleo", number));
    }
    harness.message(1, &leave("ana", "cleo"));
    harness.message(1, &expire("ana", "cleo"));
    harness.advance(4 * SECOND);
    harness.join(3, "cleo", "room");
    let expected = [
        OPEN.to_owned(),
        offer("ana", "cleo", 0),
        offer("ben", "cleo", 1),
        offer("ana", "cleo", 2),
        offer("ben", "cleo", 3),
    ];
    assert_eq!(harness.take(3)[..], expected);
    harness.advance(MINUTE);
    assert!(harness.take(1).is_empty() && harness.take(2).is_empty());
}

#[test]
fn undelivered_messages_expire_once_per_pair() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    harness.open(2, "ben", "room");
    (0..3).for_each(|number| harness.message(1, &offer("ana", "cleo", number)));
    harness.message(1, &offer("ana", "dan", 0));
    harness.advance(SECOND);
    harness.message(2, &offer("ben", "cleo", 0));
    harness.advance(4 * SECOND);
    let mut expired = harness.take(1);
    expired.sort();
    assert_eq!(expired, [expire("cleo", "ana"), expire("dan", "ana")]);
    assert!(harness.take(2).is_empty());
    harness.advance(SECOND);
    assert_eq!(harness.take(2), [expire("cleo", "ben")]);
    harness.join(3, "cleo", "room");
    assert_eq!(harness.take(3), [OPEN]);
}

#[test]
fn the_queue_of_a_pair_is_bounded_in_messages_and_bytes() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    (0..70).for_each(|number| harness.message(1, &offer("ana", "ben", number)));
    let large = format!(
        r#"{{"type":"OFFER","dst":"cleo","payload":"{}"}}"#,
        "x".repeat(60_000)
    );
    (0..6).for_each(|_| harness.message(1, &large));
    assert_eq!(harness.broker.tally().queue_full, 6 + 2);
    harness.join(2, "ben", "room");
    harness.join(3, "cleo", "room");
    assert_eq!(harness.take(2).len(), 1 + 64);
    assert_eq!(harness.take(3).len(), 1 + 4);
}

#[test]
fn the_offers_of_others_wait_while_one_client_fills_thirty_rooms() {
    let mut harness = PeerJsHarness::with(Settings {
        max_pairs: 64,
        ..Settings::default()
    });
    harness.client = Some(ClientKey(1));
    for room in 0..30 {
        let token = format!("room-{room}");
        for peer in 0..4 {
            let socket = 100 + room * 4 + peer;
            harness.open(socket, &format!("peer-{peer}"), &token);
            for absent in 0..10 {
                let offer =
                    format!(r#"{{"type":"OFFER","dst":"absent-{absent}","payload":{{"n":1}}}}"#);
                harness.message(socket, &offer);
            }
        }
    }
    assert_eq!(harness.broker.counts().pairs, 64 / CLIENT_SHARE as usize);

    harness.client = Some(ClientKey(2));
    harness.open(1, "ana", "club");
    harness.message(1, r#"{"type":"OFFER","dst":"ben","payload":{"n":1}}"#);
    assert!(harness.take(1).is_empty(), "no EXPIRE");
    assert_eq!(harness.join(2, "ben", "club"), None);
    assert_eq!(harness.take(2).len(), 2, "OPEN and the offer");
    harness.now += Duration::from_secs(10);
    harness.handle(Input::Timeout);
    let counts = harness.broker.counts();
    assert_eq!((counts.pairs, counts.queued_bytes), (0, 0));
}

#[test]
fn a_sender_receives_expire_at_once_when_the_queue_is_full() {
    let mut harness = PeerJsHarness::with(Settings {
        max_pairs: 2 * ROOM_SHARE,
        ..Settings::default()
    });
    harness.open(1, "ana", "room");
    for to in ["ben", "cleo", "dan"] {
        harness.message(1, &offer("ana", to, 0));
    }
    assert_eq!(harness.take(1), [expire("dan", "ana")]);
    harness.open(2, "ana", "other");
    harness.message(2, &offer("ana", "ben", 0));
    assert!(harness.take(2).is_empty(), "another room has its own share");
}

#[test]
fn malformed_messages_are_counted_and_ignored() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    let receiver_too_long = offer("ana", &"x".repeat(65), 0);
    for text in ["{", "[]", r#"{"type":"OFFER"}"#, &receiver_too_long] {
        harness.message(1, text);
    }
    harness.message(1, r#"{"type":"OPEN","dst":"ana"}"#);
    harness.message(1, r#"{"type":"HEARTBEAT"}"#);
    harness.message(8, r#"{"type":"LEAVE"}"#);
    let tally = harness.broker.tally();
    let counted = (tally.malformed, tally.unknown_type, tally.not_open);
    assert_eq!(counted, (4, 1, 1));
    harness.advance(MINUTE);
    assert!(harness.take(1).is_empty() && harness.closed.is_empty());
}

#[test]
fn a_peer_that_leaves_is_announced_at_once_and_its_id_is_free() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    harness.open(2, "ben", "room");
    harness.message(2, r#"{"type":"LEAVE"}"#);
    assert_eq!(harness.take(1), [leave("ben", "ana")]);
    assert_eq!(harness.closed, [(SocketId(2), close::LEFT)]);
    assert_eq!(harness.join(3, "ben", "room"), None);
}

#[test]
fn the_loss_of_a_socket_is_announced_only_if_the_peer_does_not_return() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    harness.open(2, "ben", "room");
    harness.close(2);
    harness.advance(59 * SECOND);
    harness.open(3, "ben", "room");
    harness.advance(MINUTE);
    assert!(harness.take(1).is_empty());
    harness.close(3);
    harness.advance(MINUTE - SECOND);
    assert!(harness.take(1).is_empty());
    harness.advance(SECOND);
    assert_eq!(harness.take(1), [leave("ben", "ana")]);
}

#[test]
fn returned_peers_learn_of_a_peer_that_does_not_return() {
    let mut harness = PeerJsHarness::new();
    for (socket, id) in [(1, "ana"), (2, "ben"), (3, "cleo")] {
        harness.open(socket, id, "room");
    }
    (1..=3).for_each(|socket| harness.close(socket));
    harness.join(4, "ana", "room");
    harness.join(5, "ben", "room");
    harness.advance(MINUTE);
    assert_eq!(harness.take(4), [OPEN, &leave("cleo", "ana")]);
    assert_eq!(harness.take(5), [OPEN, &leave("cleo", "ben")]);
}

#[test]
fn in_a_room_an_id_passes_to_a_claimant_if_its_socket_does_not_answer_the_probe() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ana", "room");
    harness.open(2, "ben", "room");
    assert_eq!(harness.join(3, "ben", "room"), None);
    assert_eq!(harness.probed, [SocketId(2)]);
    assert!(harness.take(3).is_empty());
    harness.message(3, &offer("ben", "ana", 1));
    harness.advance(2 * SECOND);
    assert_eq!(harness.take(3), [OPEN]);
    assert_eq!(harness.closed, [(SocketId(2), close::SUPERSEDED)]);
    harness.message(1, &offer("ana", "ben", 2));
    assert_eq!(harness.take(3), [offer("ana", "ben", 2)]);
    harness.advance(2 * MINUTE);
    assert!(harness.take(1).is_empty(), "no departure is announced");
}

#[test]
fn in_a_room_an_id_stays_with_a_socket_that_answers_the_probe() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ben", "room");
    harness.join(2, "ben", "room");
    assert_eq!(harness.join(3, "ben", "room"), Some(PeerJsRefusal::IdTaken));
    harness.answer_probe(1);
    assert_eq!(
        harness.refused.pop(),
        Some((SocketId(2), PeerJsRefusal::IdTaken))
    );
    harness.advance(MINUTE);
    assert!(harness.closed.is_empty());
    assert_eq!(
        harness.join(4, "ben", "room"),
        None,
        "a probed socket can be claimed again"
    );
    assert_eq!(harness.probed, [SocketId(1), SocketId(1)]);
    harness.close(4);
    harness.advance(MINUTE);
    assert!(harness.closed.is_empty());
}

#[test]
fn repeated_claims_of_an_id_probe_its_socket_at_most_every_three_seconds() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ben", "room");
    for socket in 2..1_002 {
        harness.join(socket, "ben", "room");
        // A message of the claimant is no answer of the probed socket.
        harness.answer_probe(socket);
        harness.answer_probe(1);
        harness.advance(SECOND / 100);
    }
    // Ten seconds with at most one probe in three seconds.
    assert_eq!(harness.probed, [SocketId(1); 4]);
    assert_eq!(harness.refused.len(), 4);
    assert_eq!(harness.broker.counts().claims, 0);
}

#[test]
fn a_claimant_gets_the_id_when_its_socket_closes_or_leaves() {
    let mut harness = PeerJsHarness::new();
    harness.open(1, "ben", "room");
    harness.join(2, "ben", "room");
    harness.close(1);
    assert_eq!(harness.take(2), [OPEN]);
    harness.join(3, "ben", "room");
    harness.message(2, r#"{"type":"LEAVE"}"#);
    assert_eq!(harness.take(3), [OPEN]);
}

#[test]
fn a_peer_of_a_full_room_can_reconnect() {
    let mut harness = PeerJsHarness::new();
    for (socket, id) in (1..).zip(FULL_ROOM) {
        harness.open(socket, id, "room");
    }
    assert_eq!(harness.join(9, FULL_ROOM[0], "room"), None);
    harness.advance(2 * SECOND);
    assert_eq!(harness.take(9), [OPEN]);
}

#[test]
fn without_rooms_all_peers_reach_each_other_and_departures_are_not_announced() {
    let mut harness = PeerJsHarness::with(without_rooms());
    harness.open(1, "ana", "her secret");
    harness.open(2, "ben", "his secret");
    harness.message(1, &offer("ana", "ben", 1));
    assert_eq!(harness.take(2), [offer("ana", "ben", 1)]);
    harness.message(2, r#"{"type":"LEAVE"}"#);
    harness.advance(MINUTE);
    assert!(harness.take(1).is_empty());
    assert_eq!(harness.broker.ids("any").collect::<Vec<_>>(), ["ana"]);
}

#[test]
fn without_rooms_the_token_takes_over_an_id_at_once() {
    let mut harness = PeerJsHarness::with(without_rooms());
    harness.open(1, "ana", "secret");
    assert_eq!(
        harness.join(2, "ana", "guess"),
        Some(PeerJsRefusal::IdTaken)
    );
    assert_eq!(harness.join(3, "ana", "secret"), None);
    assert_eq!(harness.take(3), [OPEN]);
    assert_eq!(harness.closed, [(SocketId(1), close::SUPERSEDED)]);
    harness.close(1);
    assert_eq!(harness.broker.counts().peers, 1);
}

#[test]
fn without_rooms_an_id_whose_socket_was_lost_is_reserved_for_its_token_until_messages_expire() {
    let mut harness = PeerJsHarness::with(without_rooms());
    harness.open(1, "ana", "secret");
    harness.open(2, "ben", "another");
    harness.lose_socket(1);
    harness.message(2, &offer("ben", "ana", 1));
    assert_eq!(
        harness.join(3, "ana", "guess"),
        Some(PeerJsRefusal::IdTaken)
    );
    assert_eq!(harness.join(4, "ana", "secret"), None);
    assert_eq!(harness.take(4), [OPEN, &offer("ben", "ana", 1)]);
    harness.lose_socket(4);
    harness.advance(5 * SECOND);
    assert_eq!(harness.join(5, "ana", "guess"), None);
}

#[test]
fn without_rooms_no_sender_can_fill_the_queue_for_all_others() {
    let mut harness = PeerJsHarness::with(without_rooms());
    harness.open(1, "eve", "hers");
    harness.open(2, "ana", "another");
    for number in 0..1_000 {
        harness.message(1, &offer("eve", &format!("absent{number}"), number));
    }
    let share = (without_rooms().max_pairs / SENDER_SHARE) as usize;
    assert_eq!(harness.broker.counts().pairs, share);
    // A new socket of the same sender gets no additional share.
    harness.lose_socket(1);
    harness.open(3, "eve", "hers");
    harness.message(3, &offer("eve", "another", 1));
    assert_eq!(harness.broker.counts().pairs, share);
    harness.message(2, &offer("ana", "ben", 1));
    harness.join(4, "ben", "his");
    assert_eq!(harness.take(4), [OPEN, &offer("ana", "ben", 1)]);
    harness.advance(5 * SECOND);
    harness.message(3, &offer("eve", "another", 2));
    assert_eq!(harness.broker.counts().pairs, 1);
}

#[test]
fn without_rooms_queued_messages_are_not_delivered_to_a_peer_with_another_token() {
    let mut harness = PeerJsHarness::with(without_rooms());
    harness.open(1, "ana", "secret");
    harness.open(2, "ben", "another");
    harness.close(1);
    harness.message(2, &offer("ben", "ana", 1));
    assert_eq!(
        harness.join(3, "ana", "new"),
        None,
        "an id whose socket was closed is free"
    );
    assert_eq!(harness.take(3), [OPEN]);
    assert_eq!(harness.take(2), [expire("ana", "ben")]);
    harness.lose_socket(3);
    harness.advance(4 * SECOND);
    harness.message(2, &offer("ben", "ana", 2));
    harness.advance(2 * SECOND);
    assert_eq!(harness.join(4, "ana", "third"), None);
    assert_eq!(harness.take(4), [OPEN]);
}
