mod any;
mod club;

use serde_json::{Value, json};

use super::*;
use club::Club;

#[test]
fn the_first_in_is_host_and_is_told_who_it_is() {
    let mut club = Club::new(32);
    club.enter(1, "red");
    club.enter(2, "red");
    let hello = |id, host| json!({"type": "id", "id": id, "isHost": host});
    assert_eq!(club.take(1), [hello("peer1", true)]);
    assert_eq!(club.take(2), [hello("peer2", false)]);
    assert_eq!(club.rooms.counts(), Counts { rooms: 1, peers: 2 });
}

#[test]
fn a_message_with_a_target_goes_there_and_keeps_its_fields() {
    let mut club = Club::with_riders(3);
    let said =
        r#"{"type":"signal","target":"peer3","signal":{"sdp": 1.50},"from":"peer1","x":[1,{}]}"#;
    club.say(2, said);
    let text = club.take_text(3);
    assert_eq!(
        text,
        [r#"{"type":"signal","target":"peer3","signal":{"sdp": 1.50},"x":[1,{}],"from":"peer2"}"#]
    );
    assert!(club.take(1).is_empty() && club.take(2).is_empty());
}

#[test]
fn a_message_without_a_target_goes_to_all_others() {
    let mut club = Club::with_riders(3);
    for said in [
        json!({"hello": 1}),
        json!({"type": "start", "target": null}),
        json!({"type": "start", "target": ""}),
    ] {
        club.say(1, &said.to_string());
        for other in [2, 3] {
            assert_eq!(club.take(other)[0]["from"], "peer1");
        }
        assert!(club.take(1).is_empty());
    }
}

#[test]
fn nobody_speaks_as_another_as_the_server_or_as_host() {
    let mut club = Club::with_riders(2);
    for kind in ["id", "peer-left", "existing-peers", "peer-joined"] {
        club.say(2, &json!({"type": kind, "peerId": "peer1"}).to_string());
        club.say(2, &format!(r#"{{"type":"x","t\u0079pe":"{kind}"}}"#));
    }
    assert!(club.take(1).is_empty());
    assert_eq!(club.rooms.tally().forged, 8);
    club.say(
        2,
        r#"{"type":"x","isHost":true,"is\u0048ost":1,"from":"peer1"}"#,
    );
    let heard = json!({"type": "x", "isHost": false, "from": "peer2"});
    assert_eq!(club.take(1), [heard]);
    club.say(1, r#"{"type":"x","isHost":false}"#);
    assert_eq!(club.take(2)[0]["isHost"], true);
}

#[test]
fn who_joins_hears_who_is_there_and_the_others_hear_of_it_once() {
    let mut club = Club::with_riders(3);
    club.say(1, r#"{"type":"join","name":"Ana","ftp":250,"isHost":true}"#);
    let none = json!({"type": "existing-peers", "peers": []});
    assert_eq!(club.take(1), [none]);
    let ana = json!({"type": "peer-joined", "peerId": "peer1", "name": "Ana", "ftp": 250, "isHost": true});
    assert_eq!(club.take(2), [ana]);
    club.say(
        2,
        r#"{"type":"join","name":"Ben","ftp":199.5,"isHost":true}"#,
    );
    let there =
        json!({"type": "existing-peers", "peers": [{"id": "peer1", "name": "Ana", "ftp": 250}]});
    assert_eq!(club.take(2), [there]);
    let ben = json!({"type": "peer-joined", "peerId": "peer2", "name": "Ben", "ftp": 199.5, "isHost": false});
    assert_eq!(club.take(1), [ben]);
    club.say(2, r#"{"type":"join","name":"Benno","ftp":200}"#);
    assert_eq!(club.take(2).len(), 1);
    assert!(club.take(1).is_empty());
}

#[test]
fn a_name_is_cut_and_what_is_no_ftp_is_none() {
    let mut club = Club::with_riders(2);
    let join = json!({"type": "join", "name": "é".repeat(99), "ftp": "x".repeat(9_000)});
    club.say(1, &join.to_string());
    let heard = &club.take(2)[0];
    assert_eq!(heard["name"], "é".repeat(64));
    assert_eq!(heard["ftp"], Value::Null);
}

#[test]
fn who_goes_is_announced_and_the_longest_present_is_host_next() {
    let mut club = Club::with_riders(3);
    club.close(1);
    let left = json!({"type": "peer-left", "peerId": "peer1"});
    let host = json!({"type": "id", "id": "peer2", "isHost": true});
    assert_eq!(club.take(2), [left.clone(), host]);
    assert_eq!(club.take(3), [left]);
    club.close(3);
    assert_eq!(
        club.take(2),
        [json!({"type": "peer-left", "peerId": "peer3"})]
    );
}

#[test]
fn rooms_know_nothing_of_each_other() {
    let mut club = Club::new(32);
    club.enter(1, "red");
    club.enter(2, "blue");
    assert_eq!(club.take(2)[0]["isHost"], true);
    club.take(1);
    club.say(2, r#"{"type":"x","target":"peer1"}"#);
    club.say(2, r#"{"type":"x"}"#);
    club.close(2);
    assert!(club.take(1).is_empty());
    assert_eq!(club.rooms.tally().nobody, 2);
}

#[test]
fn a_full_room_and_a_full_server_take_nobody_else() {
    let mut club = Club::new(2);
    (1..=3).for_each(|socket| club.enter(socket, "red"));
    assert_eq!(club.refused, [(SocketId(3), Refusal::RoomFull)]);
    club.close(2);
    club.enter(4, "red");
    for socket in 5..9 {
        club.enter(socket, &format!("code {socket}"));
    }
    assert_eq!(club.refused.pop(), Some((SocketId(8), Refusal::ServerFull)));
}

#[test]
fn an_empty_room_is_forgotten_and_its_code_opens_anew() {
    let mut club = Club::with_riders(2);
    club.close(1);
    club.close(2);
    club.close(2);
    assert_eq!(club.rooms.counts(), Counts::default());
    club.enter(3, "red");
    assert_eq!(club.take(3)[0]["isHost"], true);
}

#[test]
fn nonsense_is_counted_and_nothing_else() {
    let mut club = Club::with_riders(2);
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
        club.say(2, text);
    }
    club.say(9, r#"{"type":"x"}"#);
    assert_eq!(club.rooms.tally().malformed, 6);
    assert!(club.take(1).is_empty());
}

#[test]
fn a_code_is_what_people_can_read_out() {
    for text in ["a", "Brave Otter 42", "été-🚴", &"ü".repeat(64)] {
        assert!(text.parse::<Code>().is_ok(), "{text}");
    }
    for text in ["", "a/b", "a\n", "\u{7f}", &"x".repeat(65)] {
        assert!(text.parse::<Code>().is_err(), "{text:?}");
    }
}
