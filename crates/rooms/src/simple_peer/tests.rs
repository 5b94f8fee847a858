mod harness;
mod properties;

use serde_json::{Value, json};

use super::*;
use harness::SimplePeerHarness;

#[test]
fn the_first_client_is_host_and_each_receives_its_id() {
    let mut harness = SimplePeerHarness::new(32);
    harness.connect(1, "red");
    harness.connect(2, "red");
    let identity = |id, host| json!({"type": "id", "id": id, "isHost": host});
    assert_eq!(harness.take(1), [identity("peer1", true)]);
    assert_eq!(harness.take(2), [identity("peer2", false)]);
    assert_eq!(harness.broker.counts(), Counts { rooms: 1, peers: 2 });
}

#[test]
fn a_message_with_a_target_reaches_only_it_and_keeps_its_fields() {
    let mut harness = SimplePeerHarness::with_riders(3);
    let message =
        r#"{"type":"signal","target":"peer3","signal":{"sdp": 1.50},"from":"peer1","x":[1,{}]}"#;
    harness.message(2, message);
    let text = harness.take_texts(3);
    assert_eq!(
        text,
        [r#"{"type":"signal","target":"peer3","signal":{"sdp": 1.50},"x":[1,{}],"from":"peer2"}"#]
    );
    assert!(harness.take(1).is_empty() && harness.take(2).is_empty());
}

#[test]
fn a_message_without_a_target_goes_to_all_others() {
    let mut harness = SimplePeerHarness::with_riders(3);
    for message in [
        json!({"hello": 1}),
        json!({"type": "start", "target": null}),
        json!({"type": "start", "target": ""}),
    ] {
        harness.message(1, &message.to_string());
        for other in [2, 3] {
            assert_eq!(harness.take(other)[0]["from"], "peer1");
        }
        assert!(harness.take(1).is_empty());
    }
}

#[test]
fn a_client_cannot_pose_as_another_client_the_server_or_the_host() {
    let mut harness = SimplePeerHarness::with_riders(2);
    for kind in ["id", "peer-left", "existing-peers", "peer-joined", "error"] {
        harness.message(2, &json!({"type": kind, "peerId": "peer1"}).to_string());
        harness.message(2, &format!(r#"{{"type":"x","t\u0079pe":"{kind}"}}"#));
    }
    assert!(harness.take(1).is_empty());
    assert_eq!(harness.broker.tally().forged, 10);
    harness.message(
        2,
        r#"{"type":"x","isHost":true,"is\u0048ost":1,"from":"peer1"}"#,
    );
    let received = json!({"type": "x", "isHost": false, "from": "peer2"});
    assert_eq!(harness.take(1), [received]);
    harness.message(1, r#"{"type":"x","isHost":false}"#);
    assert_eq!(harness.take(2)[0]["isHost"], true);
}

#[test]
fn a_join_returns_the_other_profiles_and_is_announced_once() {
    let mut harness = SimplePeerHarness::with_riders(3);
    harness.message(1, r#"{"type":"join","name":"Ana","ftp":250,"isHost":true}"#);
    let none = json!({"type": "existing-peers", "peers": []});
    assert_eq!(harness.take(1), [none]);
    let ana = json!({"type": "peer-joined", "peerId": "peer1", "name": "Ana", "ftp": 250, "isHost": true});
    assert_eq!(harness.take(2), [ana]);
    harness.message(
        2,
        r#"{"type":"join","name":"Ben","ftp":199.5,"isHost":true}"#,
    );
    let there =
        json!({"type": "existing-peers", "peers": [{"id": "peer1", "name": "Ana", "ftp": 250}]});
    assert_eq!(harness.take(2), [there]);
    let ben = json!({"type": "peer-joined", "peerId": "peer2", "name": "Ben", "ftp": 199.5, "isHost": false});
    assert_eq!(harness.take(1), [ben]);
    harness.message(2, r#"{"type":"join","name":"Benno","ftp":200}"#);
    assert_eq!(harness.take(2).len(), 1);
    assert!(harness.take(1).is_empty());
}

#[test]
fn a_long_name_is_cut_and_an_invalid_ftp_is_null() {
    let mut harness = SimplePeerHarness::with_riders(2);
    let join = json!({"type": "join", "name": "é".repeat(99), "ftp": "x".repeat(9_000)});
    harness.message(1, &join.to_string());
    let received = &harness.take(2)[0];
    assert_eq!(received["name"], "é".repeat(64));
    assert_eq!(received["ftp"], Value::Null);
}

#[test]
fn a_name_of_emoji_is_cut_between_two_of_them() {
    let mut harness = SimplePeerHarness::with_riders(2);
    let family = "👨\u{200d}👩\u{200d}👧";
    let join = json!({"type": "join", "name": family.repeat(99), "ftp": 200});
    harness.message(1, &join.to_string());
    assert_eq!(harness.take(2)[0]["name"], family.repeat(64));
}

#[test]
fn a_leaving_client_is_announced_and_the_longest_present_one_becomes_host() {
    let mut harness = SimplePeerHarness::with_riders(3);
    harness.close(1);
    let left = json!({"type": "peer-left", "peerId": "peer1"});
    let host = json!({"type": "id", "id": "peer2", "isHost": true});
    assert_eq!(harness.take(2), [left.clone(), host]);
    assert_eq!(harness.take(3), [left]);
    harness.close(3);
    assert_eq!(
        harness.take(2),
        [json!({"type": "peer-left", "peerId": "peer3"})]
    );
}

#[test]
fn messages_stay_inside_their_room() {
    let mut harness = SimplePeerHarness::new(32);
    harness.connect(1, "red");
    harness.connect(2, "blue");
    assert_eq!(harness.take(2)[0]["isHost"], true);
    harness.take(1);
    harness.message(2, r#"{"type":"x","target":"peer1"}"#);
    harness.message(2, r#"{"type":"x"}"#);
    harness.close(2);
    assert!(harness.take(1).is_empty());
    assert_eq!(harness.broker.tally().without_receiver, 2);
}

#[test]
fn a_full_room_and_a_full_server_refuse_clients() {
    let mut harness = SimplePeerHarness::new(2);
    (1..=3).for_each(|socket| harness.connect(socket, "red"));
    assert_eq!(
        harness.refused,
        [(SocketId(3), SimplePeerRefusal::RoomFull)]
    );
    harness.close(2);
    harness.connect(4, "red");
    for socket in 5..9 {
        harness.connect(socket, &format!("code {socket}"));
    }
    assert_eq!(
        harness.refused.pop(),
        Some((SocketId(8), SimplePeerRefusal::ServerFull))
    );
}

#[test]
fn an_empty_room_is_removed_and_its_code_opens_a_new_one() {
    let mut harness = SimplePeerHarness::with_riders(2);
    harness.close(1);
    harness.close(2);
    harness.close(2);
    assert_eq!(harness.broker.counts(), Counts::default());
    harness.connect(3, "red");
    assert_eq!(harness.take(3)[0]["isHost"], true);
}

#[test]
fn malformed_messages_are_counted_and_ignored() {
    let mut harness = SimplePeerHarness::with_riders(2);
    let many: Vec<_> = (0..65).map(|number| format!(r#""{number}":0"#)).collect();
    let many = format!("{{{}}}", many.join(","));
    for text in [
        "",
        "[]",
        "\"x\"",
        r#"{"target":7}"#,
        r#"{"type":{}}"#,
        &many,
    ] {
        harness.message(2, text);
    }
    harness.message(9, r#"{"type":"x"}"#);
    assert_eq!(harness.broker.tally().malformed, 6);
    assert!(harness.take(1).is_empty());
}

#[test]
fn codes_are_short_texts_without_slashes_and_control_characters() {
    for text in ["a", "Brave Otter 42", "été-🚴", &"ü".repeat(64)] {
        assert!(text.parse::<RoomCode>().is_ok(), "{text}");
    }
    for text in ["", "a/b", "a\n", "\u{7f}", &"x".repeat(65)] {
        assert!(text.parse::<RoomCode>().is_err(), "{text:?}");
    }
}
