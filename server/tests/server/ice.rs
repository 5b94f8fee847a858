//! ICE servers and settings of direct links that riders get.

use std::collections::HashSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use protocol::signaling::{ClientMessage, IceServer, ServerMessage, Welcome};
use sha1::Sha1;

use crate::support::{Rider, TestServer};

const TURN: [&str; 7] = [
    "--trusted-proxies=127.0.0.1",
    "--turn-secret=north",
    "--turn-urls=turn:turn.example:3478,turns:turn.example:5349",
    "--turn-ttl-seconds=600",
    "--ice-servers=stun:stun.example:3478",
    "--p2p-timeout-ms=4000",
    "--ice-bundle-policy=max-bundle",
];

/// The only ICE server with credentials in a welcome.
fn turn(welcome: &Welcome) -> &IceServer {
    let mut servers = welcome.ice_servers.iter();
    let server = servers.find(|server| server.credential.is_some());
    server.expect("a TURN server")
}

fn username(server: &IceServer) -> &str {
    server.username.as_deref().expect("a username")
}

fn expiry(server: &IceServer) -> u64 {
    let (expiry, _) = username(server).split_once(':').expect("an expiry");
    expiry.parse().expect("a second")
}

fn expected_password(secret: &str, username: &str) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).expect("a key");
    mac.update(username.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Part of the username that coturn counts its quota by.
fn user(welcome: &Welcome) -> &str {
    let (_, user) = username(turn(welcome)).split_once(':').expect("a user");
    user
}

/// Welcome of a new rider at an address behind the proxy.
async fn join_from(server: &TestServer, code: &str, address: &str) -> (Rider, Welcome) {
    let mut rider = server.socket_behind_proxy(code, address).await;
    rider.hello(None).await;
    match rider.message().await {
        ServerMessage::Welcome(welcome) => (rider, *welcome),
        other => panic!("expected a welcome: {other:?}"),
    }
}

#[tokio::test]
async fn riders_get_turn_credentials_by_address_and_ride() {
    let server = TestServer::start(&TURN).await;
    let (code, other_code) = (server.ride().await, server.ride().await);
    let (_ana, ana) = join_from(&server, &code, "192.0.2.1").await;
    let (_ben, ben) = join_from(&server, &code, "192.0.2.2").await;
    let (_cem, elsewhere) = join_from(&server, &other_code, "192.0.2.1").await;

    for welcome in [&ana, &ben, &elsewhere] {
        assert_eq!(welcome.ice_servers.len(), 2);
        assert_eq!(welcome.ice_servers[0].urls, ["stun:stun.example:3478"]);
        let turn = turn(welcome);
        assert_eq!(
            turn.urls,
            ["turn:turn.example:3478", "turns:turn.example:5349"]
        );
        let earliest = welcome.server_time / 1_000 + 600;
        assert!((earliest..earliest + 3_600).contains(&expiry(turn)));
        assert_eq!(expiry(turn) % 3_600, 0, "a full hour");
        for secret in [welcome.peer.as_str(), &code, "192.0.2"] {
            assert!(!username(turn).contains(secret));
        }
        let expected = expected_password("north", username(turn));
        assert_eq!(turn.credential.as_deref(), Some(expected.as_str()));
    }
    assert_ne!(user(&ana), user(&ben), "another address");
    assert_ne!(user(&ana), user(&elsewhere), "another ride");
}

#[tokio::test]
async fn a_client_who_joins_again_and_again_has_one_turn_user() {
    let flags = [&TURN[..], &["--newcomers-per-minute=0"]].concat();
    let server = TestServer::start(&flags).await;
    let code = server.ride().await;
    let (_host, _) = join_from(&server, &code, "192.0.2.2").await;
    let mut users = HashSet::new();
    for _ in 0..100 {
        let (mut rider, welcome) = join_from(&server, &code, "192.0.2.1").await;
        users.insert(user(&welcome).to_owned());
        rider.send(&ClientMessage::Leave).await;
    }
    assert_eq!(users.len(), 1);
}

#[tokio::test]
async fn riders_get_the_settings_of_direct_links() {
    let server = TestServer::start(&TURN).await;
    let code = server.ride().await;
    let (_ana, welcome) = server.join(&code).await;
    assert_eq!(welcome.direct.timeout_ms, 4_000);
    let json = serde_json::to_value(welcome.direct).expect("JSON");
    assert_eq!(
        json,
        serde_json::json!({"timeoutMs":4000,"bundlePolicy":"max-bundle","candidatePool":0})
    );
}

#[tokio::test]
async fn without_a_turn_server_riders_get_no_credentials() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (_ana, welcome) = server.join(&code).await;
    assert!(welcome.ice_servers.is_empty());
}
