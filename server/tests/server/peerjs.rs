//! PeerJS clients: what the tests of upstream's server test, over the wire,
//! and what they leave out.

mod rooms;

use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::Client;
use crate::support::TestServer;

const OFF: &str = "--peerjs-rooms=off";
/// Peers that drop are announced after a second, and nothing waits longer
/// than half of one.
const QUICK: [&str; 3] = [
    "--peerjs-heartbeat-timeout-ms=1000",
    "--peerjs-expire-ms=500",
    "--peerjs-probe-ms=300",
];
const MOMENT: Duration = Duration::from_millis(300);

fn address(id: &str, token: &str) -> String {
    format!("/peerjs/peerjs?key=peerjs&id={id}&token={token}&version=1.5.5")
}

impl TestServer {
    /// A peer that is in.
    async fn peer(&self, id: &str, token: &str) -> Client {
        let mut client = self.client(&address(id, token)).await;
        assert_eq!(client.text().await, r#"{"type":"OPEN"}"#);
        client
    }

    /// What a client is told before it is closed.
    async fn refusal(&self, path: &str) -> Value {
        let mut client = self.client(path).await;
        let told = client.hear().await;
        assert_eq!(client.close_code().await, 4000);
        told
    }

    /// Waits until so many peers are connected.
    async fn has_peers(&self, peers: usize) {
        while self.state.hub.peerjs().counts().0.peers != peers {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn error(text: &str) -> Value {
    json!({"type": "ERROR", "payload": {"msg": text}})
}

fn taken() -> Value {
    json!({"type": "ID-TAKEN", "payload": {"msg": "ID is taken"}})
}

fn offer(to: &str, number: u32) -> Value {
    json!({"type": "OFFER", "dst": to, "payload": {"n": number}})
}

fn heard(from: &str, to: &str, number: u32) -> Value {
    json!({"type": "OFFER", "src": from, "dst": to, "payload": {"n": number}})
}

fn signal(kind: &str, from: &str, to: &str) -> Value {
    json!({"type": kind, "src": from, "dst": to})
}

#[tokio::test]
async fn a_plain_request_is_told_what_this_is() {
    let server = TestServer::start(&[]).await;
    for path in ["/peerjs", "/peerjs/"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["name"], "PeerJS Server");
        assert!(answer.json()["website"].is_string() && answer.json()["description"].is_string());
    }
}

#[tokio::test]
async fn ids_are_fresh_uuids_under_both_paths() {
    let server = TestServer::start(&[]).await;
    let mut ids = Vec::new();
    for path in [
        "/peerjs/id?ts=17952312&version=1.5.5",
        "/peerjs/peerjs/id",
        "/peerjs/other/id",
    ] {
        let answer = server.get(path).await;
        assert_eq!((answer.status, answer.body.len()), (200, 36));
        ids.push(answer.body);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[tokio::test]
async fn peers_are_listed_only_where_that_is_allowed() {
    let server = TestServer::start(&[OFF]).await;
    assert_eq!(server.get("/peerjs/peerjs/peers").await.status, 401);
    let server = TestServer::start(&[OFF, "--peerjs-discovery=on"]).await;
    let _ana = server.peer("ana", "secret").await;
    assert_eq!(
        server.get("/peerjs/peers?ts=1").await.json(),
        json!(["ana"])
    );
    assert_eq!(server.get("/peerjs/wrong/peers").await.status, 401);
}

#[tokio::test]
async fn pages_of_any_origin_may_read_the_answers() {
    let server = TestServer::start(&[]).await;
    let origin = [("origin", "https://app.example")];
    let answer = server.request("GET", "/peerjs/peerjs/id", &origin).await;
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "https://app.example"
    );
    assert!(
        answer.header("vary").to_lowercase().contains("origin"),
        "{answer:?}"
    );
    let asked = server.request("OPTIONS", "/peerjs", &origin).await;
    assert_eq!(asked.status, 204);
    assert_eq!(
        asked.header("access-control-allow-origin"),
        "https://app.example"
    );
}

#[tokio::test]
async fn with_a_list_of_origins_only_those_get_in() {
    let server = TestServer::start(&["--allowed-origins=https://club.example"]).await;
    let foreign = [("origin", "https://evil.example")];
    let answer = server.request("GET", "/peerjs", &foreign).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (403, "")
    );
    for (origin, gets_in) in [
        (None, true),
        (Some("https://club.example"), true),
        (Some("https://evil.example"), false),
        (Some("null"), false),
    ] {
        let opened = server.client_from(&address("ana", "t"), origin).await;
        assert_eq!(opened.is_ok(), gets_in, "{origin:?}");
        let opened = server.client_from("/signal/red", origin).await;
        assert_eq!(opened.is_ok(), gets_in, "{origin:?}");
    }
}

#[tokio::test]
async fn a_bad_parameter_is_answered_in_upstreams_words() {
    let server = TestServer::start(&[]).await;
    let missing = error("No id, token, or key supplied to websocket server");
    for query in [
        "",
        "?id=a&token=t",
        "?key=peerjs&token=t",
        "?key=peerjs&id=a",
        "?key=peerjs&id=&token=t",
    ] {
        assert_eq!(server.refusal(&format!("/peerjs{query}")).await, missing);
    }
    assert_eq!(
        server.refusal("/peerjs?key=wrong&id=a&token=t").await,
        error("Invalid key provided")
    );
    let long = "x".repeat(65);
    for id in ["-", "a--b", "a%0a", &long] {
        let told = server.refusal(&address(id, "t")).await;
        assert_eq!(told, error("Invalid id provided"));
    }
    server.peer(&long[..64], "t").await;
    server.peer("ana%20b_c-9", "t").await;
}

#[tokio::test]
async fn every_path_of_a_client_opens_a_socket() {
    let server = TestServer::start(&[]).await;
    for (number, path) in ["/peerjs", "/peerjs/", "/peerjs/peerjs"].iter().enumerate() {
        let address = format!("{path}?key=peerjs&id=peer{number}&token=t&version=1.5.5");
        assert_eq!(
            server.client(&address).await.hear().await["type"],
            "OPEN",
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_server_takes_so_many_peers_until_one_goes() {
    let server = TestServer::start(&["--peerjs-max-peers=1", OFF]).await;
    let ana = server.peer("ana", "t").await;
    assert_eq!(
        server.refusal(&address("ben", "u")).await,
        error("Server has reached its concurrent user limit")
    );
    ana.close().await;
    server.has_peers(0).await;
    server.peer("ben", "u").await;
}

#[tokio::test]
async fn messages_are_relayed_with_the_senders_id_and_the_payload_untouched() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    for kind in ["OFFER", "ANSWER", "CANDIDATE"] {
        let said = format!(
            r#"{{"src":"eve","payload":{{ "b":1.0, "a":"\u00e4" }},"type":"{kind}","dst":"ben","x":1}}"#
        );
        ana.say_text(&said).await;
        let expected = format!(
            r#"{{"type":"{kind}","src":"ana","dst":"ben","payload":{{ "b":1.0, "a":"\u00e4" }}}}"#
        );
        assert_eq!(ben.text().await, expected);
    }
    ana.say(json!({"type": "LEAVE", "dst": "ben"})).await;
    assert_eq!(ben.hear().await, signal("LEAVE", "ana", "ben"));
}

#[tokio::test]
async fn what_waits_comes_in_order_after_open_without_leave_and_expire() {
    let server = TestServer::start(&[OFF]).await;
    let mut ana = server.peer("ana", "t").await;
    let mut cleo = server.peer("cleo", "u").await;
    for number in 0..10 {
        ana.say(offer("ben", number)).await;
        ana.say(json!({"type": "LEAVE", "dst": "ben"})).await;
        ana.say(json!({"type": "EXPIRE", "dst": "ben"})).await;
    }
    // What is answered shows that what came before has been read.
    ana.say(offer("cleo", 0)).await;
    cleo.hear().await;
    let mut ben = server.peer("ben", "v").await;
    for number in 0..10 {
        assert_eq!(ben.hear().await, heard("ana", "ben", number));
    }
    ana.say(offer("ben", 10)).await;
    assert_eq!(ben.hear().await, heard("ana", "ben", 10));
}

#[tokio::test]
async fn what_nobody_fetches_expires_once() {
    let server = TestServer::start(&QUICK).await;
    let mut ana = server.peer("ana", "red").await;
    for number in 0..3 {
        ana.say(offer("ben", number)).await;
    }
    assert_eq!(ana.hear().await, signal("EXPIRE", "ben", "ana"));
    ana.hears_nothing_for(2 * MOMENT).await;
    let mut ben = server.peer("ben", "red").await;
    ben.hears_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn what_waits_is_bounded() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut cleo = server.peer("cleo", "red").await;
    for number in 0..80 {
        ana.say(offer("ben", number)).await;
    }
    ana.say(offer("cleo", 0)).await;
    cleo.hear().await;
    assert_eq!(server.state.hub.peerjs().counts().1.queue_full, 16);
    let mut ben = server.peer("ben", "red").await;
    for number in 0..64 {
        assert_eq!(ben.hear().await, heard("ana", "ben", number));
    }
    ben.hears_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn nonsense_is_ignored() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    for text in [
        "",
        "{",
        "[]",
        r#"{"type":"NONSENSE","dst":"ben"}"#,
        r#"{"type":"HEARTBEAT"}"#,
    ] {
        ana.say_text(text).await;
    }
    ana.say(offer("ben", 7)).await;
    assert_eq!(ben.hear().await, heard("ana", "ben", 7));
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_dropped_and_one_that_is_silent_is_kept() {
    let pings = ["--ping-interval-ms=100", "--ping-timeout-ms=600"];
    let server = TestServer::start(&pings).await;
    let mut silent = server.peer("silent", "red").await;
    // Not read, so its pings are not answered.
    let _dead = server.peer("dead", "red").await;
    server.has_peers(2).await;
    let listening = tokio::spawn(async move {
        let heard = silent.hear().await;
        (silent, heard)
    });
    server.has_peers(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut ana = server.peer("ana", "red").await;
    ana.say(offer("silent", 1)).await;
    let (_silent, told) = listening.await.expect("listens");
    assert_eq!(told, heard("ana", "silent", 1));
}

#[tokio::test]
async fn without_rooms_the_same_token_takes_an_id_over_and_another_does_not() {
    let server = TestServer::start(&[OFF]).await;
    let mut old = server.peer("ana", "secret").await;
    assert_eq!(server.refusal(&address("ana", "guess")).await, taken());
    let mut new = server.peer("ana", "secret").await;
    assert_eq!(old.close_code().await, 4002);
    let mut ben = server.peer("ben", "another").await;
    ben.say(offer("ana", 1)).await;
    assert_eq!(new.hear().await, heard("ben", "ana", 1));
}

#[tokio::test]
async fn an_id_claimed_by_another_while_its_peer_is_away_is_refused_and_leaks_nothing() {
    let server = TestServer::start(&[OFF]).await;
    let ana = server.peer("ana", "secret").await;
    let mut ben = server.peer("ben", "another").await;
    ana.drop_connection();
    server.has_peers(1).await;
    ben.say(offer("ana", 1)).await;
    assert_eq!(server.refusal(&address("ana", "guess")).await, taken());
    let mut ana = server.peer("ana", "secret").await;
    assert_eq!(ana.hear().await, heard("ben", "ana", 1));
}

#[tokio::test]
async fn a_peer_that_says_too_much_lives_all_the_same_and_is_probed_once() {
    let flags = [&QUICK[..], &["--messages-per-second=20"]].concat();
    let server = TestServer::start(&flags).await;
    let mut ana = server.peer("ana", "red").await;
    for _ in 0..25 {
        ana.say_text(r#"{"type":"HEARTBEAT"}"#).await;
    }
    assert_eq!(ana.hear().await, error("Too many messages"));
    let listening = tokio::spawn(async move {
        let told = ana.hear().await;
        (ana, told)
    });
    for _ in 0..10 {
        assert_eq!(server.refusal(&address("ana", "red")).await, taken());
    }
    let mut ben = server.peer("ben", "red").await;
    ben.say(offer("ana", 1)).await;
    let (ana, told) = listening.await.expect("listens");
    assert_eq!((told, ana.pings), (heard("ben", "ana", 1), 1));
}

#[tokio::test]
async fn a_message_too_large_ends_its_socket_alone() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    let envelope = r#"{"type":"OFFER","dst":"ben","payload":""}"#.len();
    let payload = "x".repeat(65_536 - envelope);
    let message =
        |payload: &str| format!(r#"{{"type":"OFFER","dst":"ben","payload":"{payload}"}}"#);
    ana.say_text(&message(&payload)).await;
    assert_eq!(ben.hear().await["payload"], payload);
    ana.say_text(&message(&(payload + "x"))).await;
    assert_eq!(ana.hear().await["type"], "ERROR");
    assert_eq!(ana.close_code().await, 1009);
    ben.hears_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn peers_are_closed_when_the_server_restarts() {
    let mut server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    server.begin_shutdown();
    assert_eq!(ana.close_code().await, 1012);
    drop(ana);
    server.ended.await.expect("ends");
}
