//! ICE servers and settings of direct links that riders get.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use protocol::peer::PeerId;
use protocol::signaling::{IceServer, Resume, Welcome};
use sha1::Sha1;

use crate::support::TestServer;

const TURN: [&str; 6] = [
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

fn resume(welcome: &Welcome) -> Resume {
    Resume {
        peer: welcome.peer.clone(),
        token: welcome.token.clone(),
        incarnation: None,
    }
}

#[tokio::test]
async fn each_rider_gets_their_own_turn_credentials() {
    let server = TestServer::start(&TURN).await;
    let code = server.ride().await;
    let (_ana, ana) = server.join(&code).await;
    let (_ben, ben) = server.join(&code).await;

    for welcome in [&ana, &ben] {
        assert_eq!(welcome.ice_servers.len(), 2);
        assert_eq!(welcome.ice_servers[0].urls, ["stun:stun.example:3478"]);
        let turn = turn(welcome);
        assert_eq!(
            turn.urls,
            ["turn:turn.example:3478", "turns:turn.example:5349"]
        );
        assert_eq!(expiry(turn), welcome.server_time / 1_000 + 600);
        assert!(!username(turn).contains(welcome.peer.as_str()));
        let expected = expected_password("north", username(turn));
        assert_eq!(turn.credential.as_deref(), Some(expected.as_str()));
    }
    assert_ne!(username(turn(&ana)), username(turn(&ben)));
}

#[tokio::test]
async fn a_returning_rider_gets_turn_credentials_with_a_later_expiry() {
    let server = TestServer::start(&TURN).await;
    let code = server.ride().await;
    let (ana, first) = server.join(&code).await;
    drop(ana);
    // The expiry is in whole seconds.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    let (_ana, second) = server.join_as(&code, Some(resume(&first))).await;
    let same: (&PeerId, &PeerId) = (&first.peer, &second.peer);
    assert_eq!(same.0, same.1);
    assert!(expiry(turn(&second)) > expiry(turn(&first)));
    assert_ne!(turn(&second).credential, turn(&first).credential);
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
