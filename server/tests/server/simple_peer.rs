//! simple-peer clients of both protocol versions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::clients::Client;
use crate::support::TestServer;

const MOMENT: Duration = Duration::from_millis(300);

impl TestServer {
    /// Joins a room. Returns the client, its id, and whether it is host.
    async fn member(&self, code: &str) -> (Client, String, bool) {
        let mut client = self.client(&format!("/signal/{code}")).await;
        let told = client.receive().await;
        assert_eq!(told["type"], "id", "{told}");
        let id = told["id"].as_str().expect("an id").to_owned();
        (client, id, told["isHost"] == true)
    }
}

#[tokio::test]
async fn an_unused_code_opens_a_room_and_the_first_member_is_host() {
    let server = TestServer::start(&[]).await;
    let (_ana, ana_id, ana_hosts) = server.member("my-own-code").await;
    let (_ben, ben_id, ben_hosts) = server.member("my-own-code").await;
    assert!(ana_hosts && !ben_hosts && ana_id != ben_id);
    let (_cleo, _, hosts) = server.member("another").await;
    assert!(hosts);
}

#[tokio::test]
async fn a_message_goes_to_its_target_or_without_one_to_all_others() {
    let server = TestServer::start(&[]).await;
    let (mut ana, ana_id, _) = server.member("red").await;
    let (mut ben, ben_id, _) = server.member("red").await;
    let (mut cleo, _, _) = server.member("red").await;
    let (mut stranger, _, _) = server.member("blue").await;
    ana.send_text(&format!(
        r#"{{"type":"signal","target":"{ben_id}","signal":{{"sdp" : 1.50}},"from":"{ben_id}"}}"#
    ))
    .await;
    assert_eq!(
        ben.text().await,
        format!(
            r#"{{"type":"signal","target":"{ben_id}","signal":{{"sdp" : 1.50}},"from":"{ana_id}"}}"#
        )
    );
    ana.send(json!({"type": "start", "at": 3})).await;
    let start = json!({"type": "start", "at": 3, "from": ana_id});
    assert_eq!(ben.receive().await, start);
    assert_eq!(cleo.receive().await, start, "as the first message");
    stranger.send(json!({"type": "x", "target": ana_id})).await;
    ana.receives_nothing_for(MOMENT).await;
    stranger.receives_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn messages_that_only_the_server_sends_are_dropped_and_host_flags_are_corrected() {
    let server = TestServer::start(&[]).await;
    let (mut ana, ana_id, _) = server.member("red").await;
    let (mut ben, ben_id, _) = server.member("red").await;
    for kind in ["id", "peer-left", "existing-peers", "peer-joined"] {
        ben.send(json!({"type": kind, "id": ana_id, "peerId": ana_id, "isHost": true}))
            .await;
    }
    ben.send(json!({"type": "hi", "isHost": true})).await;
    assert_eq!(
        ana.receive().await,
        json!({"type": "hi", "isHost": false, "from": ben_id})
    );
    ana.send(json!({"type": "hi", "isHost": false})).await;
    assert_eq!(ben.receive().await["isHost"], true);
}

#[tokio::test]
async fn clients_with_profiles_join_and_are_announced_to_each_other() {
    let server = TestServer::start(&[]).await;
    let (mut ana, ana_id, _) = server.member("red").await;
    ana.send(json!({"type": "join", "name": "Ana", "ftp": 250, "isHost": true}))
        .await;
    assert_eq!(
        ana.receive().await,
        json!({"type": "existing-peers", "peers": []})
    );
    let (mut ben, ben_id, _) = server.member("red").await;
    ben.send(json!({"type": "join", "name": "Ben", "ftp": 200, "isHost": true}))
        .await;
    let there = json!([{"id": ana_id, "name": "Ana", "ftp": 250}]);
    assert_eq!(
        ben.receive().await,
        json!({"type": "existing-peers", "peers": there})
    );
    let joined: Value = json!({"type": "peer-joined", "peerId": ben_id, "name": "Ben", "ftp": 200, "isHost": false});
    assert_eq!(ana.receive().await, joined);
}

#[tokio::test]
async fn a_leave_is_announced_and_the_next_member_becomes_host() {
    let server = TestServer::start(&[]).await;
    let (ana, ana_id, _) = server.member("red").await;
    let (mut ben, ben_id, _) = server.member("red").await;
    let (mut cleo, _, _) = server.member("red").await;
    ana.drop_connection();
    let left = json!({"type": "peer-left", "peerId": ana_id});
    assert_eq!(ben.receive().await, left);
    assert_eq!(cleo.receive().await, left);
    assert_eq!(
        ben.receive().await,
        json!({"type": "id", "id": ben_id, "isHost": true})
    );
    cleo.receives_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn codes_have_1_to_64_characters_and_rooms_a_maximum_size() {
    let server = TestServer::start(&["--max-riders=1"]).await;
    let _host = server.member("caf%C3%A9%20ride").await;
    let long = "x".repeat(65);
    let _longest = server.member(&long[..64]).await;
    for code in ["caf%C3%A9%20ride", &long, "a%0Ab", "a%2Fb"] {
        let mut client = server.client(&format!("/signal/{code}")).await;
        assert_eq!(client.receive().await["type"], "error");
        assert_eq!(client.close_code().await, 4000);
    }
}

#[tokio::test]
async fn a_silent_member_that_answers_pings_is_kept() {
    let pings = ["--ping-interval-ms=100", "--ping-timeout-ms=600"];
    let server = TestServer::start(&pings).await;
    let (mut ana, _, _) = server.member("red").await;
    let listening = tokio::spawn(async move {
        let received = ana.receive().await;
        (ana, received)
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (mut ben, ben_id, _) = server.member("red").await;
    ben.send(json!({"n": 1})).await;
    let (_ana, received) = listening.await.expect("listens");
    assert_eq!(received, json!({"n": 1, "from": ben_id}));
}

#[tokio::test]
async fn malformed_messages_are_ignored_and_an_oversized_one_closes_its_own_socket_only() {
    let server = TestServer::start(&[]).await;
    let (mut ana, _, _) = server.member("red").await;
    let (mut ben, ben_id, _) = server.member("red").await;
    for text in ["", "{", "[]", "7", r#"{"target":7}"#] {
        ben.send_text(text).await;
    }
    ben.send(json!({"n": 1})).await;
    assert_eq!(ana.receive().await, json!({"n": 1, "from": ben_id}));
    ben.send(json!({"n": "x".repeat(65_536)})).await;
    assert_eq!(ben.receive().await["type"], "error");
    assert_eq!(ben.close_code().await, 1009);
    assert_eq!(ana.receive().await["type"], "peer-left");
}

#[tokio::test]
async fn members_are_closed_when_the_server_restarts() {
    let mut server = TestServer::start(&[]).await;
    let (mut ana, _, _) = server.member("red").await;
    server.begin_shutdown();
    assert_eq!(ana.close_code().await, 1012);
    drop(ana);
    server.ended.await.expect("ends");
    assert_eq!(server.state.hub.simple_peer().counts().0.peers, 0);
}
