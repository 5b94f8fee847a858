//! PeerJS clients: the behaviours that the tests of the upstream server cover, and
//! those that they do not.

mod rooms;

use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::Client;
use crate::support::TestServer;

const WITHOUT_ROOMS: &str = "--peerjs-rooms=off";
/// Short timeouts: a lost peer is announced after 1 s, a message expires after
/// 0.5 s.
const SHORT_TIMEOUTS: [&str; 3] = [
    "--peerjs-heartbeat-timeout-ms=1000",
    "--peerjs-expire-ms=500",
    "--peerjs-probe-ms=300",
];
const MOMENT: Duration = Duration::from_millis(300);

fn address(id: &str, token: &str) -> String {
    format!("/peerjs/peerjs?key=peerjs&id={id}&token={token}&version=1.5.5")
}

impl TestServer {
    /// Opens the socket of a peer and reads the greeting.
    async fn peer(&self, id: &str, token: &str) -> Client {
        let mut client = self.client(&address(id, token)).await;
        assert_eq!(client.text().await, r#"{"type":"OPEN"}"#);
        client
    }

    /// Message that a refused client gets before the close.
    async fn refusal(&self, path: &str) -> Value {
        let mut client = self.client(path).await;
        let told = client.receive().await;
        assert_eq!(client.close_code().await, 4000);
        told
    }

    /// Waits until the given number of peers is connected.
    async fn wait_for_peers(&self, peers: usize) {
        while self.state.hub.peerjs().counts().0.peers != peers {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

fn error(text: &str) -> Value {
    json!({"type": "ERROR", "payload": {"msg": text}})
}

fn id_taken() -> Value {
    json!({"type": "ID-TAKEN", "payload": {"msg": "ID is taken"}})
}

fn offer(to: &str, number: u32) -> Value {
    json!({"type": "OFFER", "dst": to, "payload": {"n": number}})
}

fn relayed_offer(from: &str, to: &str, number: u32) -> Value {
    json!({"type": "OFFER", "src": from, "dst": to, "payload": {"n": number}})
}

fn signal(kind: &str, from: &str, to: &str) -> Value {
    json!({"type": kind, "src": from, "dst": to})
}

#[tokio::test]
async fn a_plain_request_gets_the_description() {
    let server = TestServer::start(&[]).await;
    for path in ["/peerjs", "/peerjs/"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["name"], "PeerJS Server");
        assert!(answer.json()["website"].is_string() && answer.json()["description"].is_string());
    }
}

#[tokio::test]
async fn every_path_for_ids_returns_a_new_uuid() {
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
async fn peers_are_listed_only_if_discovery_is_enabled() {
    let server = TestServer::start(&[WITHOUT_ROOMS]).await;
    assert_eq!(server.get("/peerjs/peerjs/peers").await.status, 401);
    let server = TestServer::start(&[WITHOUT_ROOMS, "--peerjs-discovery=on"]).await;
    let _ana = server.peer("ana", "secret").await;
    assert_eq!(
        server.get("/peerjs/peers?ts=1").await.json(),
        json!(["ana"])
    );
    assert_eq!(server.get("/peerjs/wrong/peers").await.status, 401);
}

#[tokio::test]
async fn pages_of_any_origin_may_read_the_responses() {
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
    let preflight = server.request("OPTIONS", "/peerjs", &origin).await;
    assert_eq!(preflight.status, 204);
    assert_eq!(
        preflight.header("access-control-allow-origin"),
        "https://app.example"
    );
}

#[tokio::test]
async fn with_allowed_origins_all_others_are_refused() {
    let server = TestServer::start(&["--allowed-origins=https://club.example"]).await;
    let foreign = [("origin", "https://evil.example")];
    let answer = server.request("GET", "/peerjs", &foreign).await;
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (403, "")
    );
    for (origin, is_allowed) in [
        (None, true),
        (Some("https://club.example"), true),
        (Some("https://evil.example"), false),
        (Some("null"), false),
    ] {
        let opened = server.client_from(&address("ana", "t"), origin).await;
        assert_eq!(opened.is_ok(), is_allowed, "{origin:?}");
        let opened = server.client_from("/signal/red", origin).await;
        assert_eq!(opened.is_ok(), is_allowed, "{origin:?}");
    }
}

#[tokio::test]
async fn an_invalid_parameter_gets_the_error_of_the_upstream_server() {
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
async fn sockets_open_at_every_path_that_clients_use() {
    let server = TestServer::start(&[]).await;
    for (number, path) in ["/peerjs", "/peerjs/", "/peerjs/peerjs"].iter().enumerate() {
        let address = format!("{path}?key=peerjs&id=peer{number}&token=t&version=1.5.5");
        assert_eq!(
            server.client(&address).await.receive().await["type"],
            "OPEN",
            "{path}"
        );
    }
}

#[tokio::test]
async fn at_the_maximum_number_of_peers_the_next_is_refused_until_one_leaves() {
    let server = TestServer::start(&["--peerjs-max-peers=1", WITHOUT_ROOMS]).await;
    let ana = server.peer("ana", "t").await;
    assert_eq!(
        server.refusal(&address("ben", "u")).await,
        error("Server has reached its concurrent user limit")
    );
    ana.close().await;
    server.wait_for_peers(0).await;
    server.peer("ben", "u").await;
}

#[tokio::test]
async fn messages_are_relayed_with_the_senders_id_and_an_unchanged_payload() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    for kind in ["OFFER", "ANSWER", "CANDIDATE"] {
        let said = format!(
            r#"{{"src":"eve","payload":{{ "b":1.0, "a":"\u00e4" }},"type":"{kind}","dst":"ben","x":1}}"#
        );
        ana.send_text(&said).await;
        let expected = format!(
            r#"{{"type":"{kind}","src":"ana","dst":"ben","payload":{{ "b":1.0, "a":"\u00e4" }}}}"#
        );
        assert_eq!(ben.text().await, expected);
    }
    ana.send(json!({"type": "LEAVE", "dst": "ben"})).await;
    assert_eq!(ben.receive().await, signal("LEAVE", "ana", "ben"));
}

#[tokio::test]
async fn queued_messages_follow_the_greeting_in_order_without_leave_and_expire() {
    let server = TestServer::start(&[WITHOUT_ROOMS]).await;
    let mut ana = server.peer("ana", "t").await;
    let mut cleo = server.peer("cleo", "u").await;
    for number in 0..10 {
        ana.send(offer("ben", number)).await;
        ana.send(json!({"type": "LEAVE", "dst": "ben"})).await;
        ana.send(json!({"type": "EXPIRE", "dst": "ben"})).await;
    }
    // The relayed offer shows that the server has read all earlier messages.
    ana.send(offer("cleo", 0)).await;
    cleo.receive().await;
    let mut ben = server.peer("ben", "v").await;
    for number in 0..10 {
        assert_eq!(ben.receive().await, relayed_offer("ana", "ben", number));
    }
    ana.send(offer("ben", 10)).await;
    assert_eq!(ben.receive().await, relayed_offer("ana", "ben", 10));
}

#[tokio::test]
async fn queued_messages_expire_with_one_notice() {
    let server = TestServer::start(&SHORT_TIMEOUTS).await;
    let mut ana = server.peer("ana", "red").await;
    for number in 0..3 {
        ana.send(offer("ben", number)).await;
    }
    assert_eq!(ana.receive().await, signal("EXPIRE", "ben", "ana"));
    ana.receives_nothing_for(2 * MOMENT).await;
    let mut ben = server.peer("ben", "red").await;
    ben.receives_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn the_queue_for_an_absent_peer_is_bounded() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut cleo = server.peer("cleo", "red").await;
    for number in 0..80 {
        ana.send(offer("ben", number)).await;
    }
    ana.send(offer("cleo", 0)).await;
    cleo.receive().await;
    assert_eq!(server.state.hub.peerjs().counts().1.queue_full, 16);
    let mut ben = server.peer("ben", "red").await;
    for number in 0..64 {
        assert_eq!(ben.receive().await, relayed_offer("ana", "ben", number));
    }
    ben.receives_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn malformed_messages_are_ignored() {
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
        ana.send_text(text).await;
    }
    ana.send(offer("ben", 7)).await;
    assert_eq!(ben.receive().await, relayed_offer("ana", "ben", 7));
}

#[tokio::test]
async fn a_client_that_answers_no_pings_is_closed_and_a_silent_one_is_kept() {
    let pings = ["--ping-interval-ms=100", "--ping-timeout-ms=600"];
    let server = TestServer::start(&pings).await;
    let mut silent = server.peer("silent", "red").await;
    // This client does not read, so it answers no pings.
    let _dead = server.peer("dead", "red").await;
    server.wait_for_peers(2).await;
    let listening = tokio::spawn(async move {
        let received = silent.receive().await;
        (silent, received)
    });
    server.wait_for_peers(1).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut ana = server.peer("ana", "red").await;
    ana.send(offer("silent", 1)).await;
    let (_silent, told) = listening.await.expect("listens");
    assert_eq!(told, relayed_offer("ana", "silent", 1));
}

#[tokio::test]
async fn without_rooms_only_the_same_token_takes_an_id_over() {
    let server = TestServer::start(&[WITHOUT_ROOMS]).await;
    let mut old = server.peer("ana", "secret").await;
    assert_eq!(server.refusal(&address("ana", "guess")).await, id_taken());
    let mut new = server.peer("ana", "secret").await;
    assert_eq!(old.close_code().await, 4002);
    let mut ben = server.peer("ben", "another").await;
    ben.send(offer("ana", 1)).await;
    assert_eq!(new.receive().await, relayed_offer("ben", "ana", 1));
}

#[tokio::test]
async fn the_id_and_queue_of_an_absent_peer_are_safe_from_other_tokens() {
    let server = TestServer::start(&[WITHOUT_ROOMS]).await;
    let ana = server.peer("ana", "secret").await;
    let mut ben = server.peer("ben", "another").await;
    ana.drop_connection();
    server.wait_for_peers(1).await;
    ben.send(offer("ana", 1)).await;
    assert_eq!(server.refusal(&address("ana", "guess")).await, id_taken());
    let mut ana = server.peer("ana", "secret").await;
    assert_eq!(ana.receive().await, relayed_offer("ben", "ana", 1));
}

#[tokio::test]
async fn a_rate_limited_message_counts_as_a_sign_of_life_and_one_probe_is_enough() {
    let flags = [&SHORT_TIMEOUTS[..], &["--messages-per-second=20"]].concat();
    let server = TestServer::start(&flags).await;
    let mut ana = server.peer("ana", "red").await;
    for _ in 0..25 {
        ana.send_text(r#"{"type":"HEARTBEAT"}"#).await;
    }
    assert_eq!(ana.receive().await, error("Too many messages"));
    let listening = tokio::spawn(async move {
        let told = ana.receive().await;
        (ana, told)
    });
    for _ in 0..10 {
        assert_eq!(server.refusal(&address("ana", "red")).await, id_taken());
    }
    let mut ben = server.peer("ben", "red").await;
    ben.send(offer("ana", 1)).await;
    let (ana, told) = listening.await.expect("listens");
    assert_eq!((told, ana.pings), (relayed_offer("ben", "ana", 1), 1));
}

#[tokio::test]
async fn an_oversized_message_closes_its_own_socket_only() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    let envelope = r#"{"type":"OFFER","dst":"ben","payload":""}"#.len();
    let payload = "x".repeat(65_536 - envelope);
    let message =
        |payload: &str| format!(r#"{{"type":"OFFER","dst":"ben","payload":"{payload}"}}"#);
    ana.send_text(&message(&payload)).await;
    assert_eq!(ben.receive().await["payload"], payload);
    ana.send_text(&message(&(payload + "x"))).await;
    assert_eq!(ana.receive().await["type"], "ERROR");
    assert_eq!(ana.close_code().await, 1009);
    ben.receives_nothing_for(MOMENT).await;
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
