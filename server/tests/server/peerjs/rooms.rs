//! PeerJS clients with rooms.

use super::*;

#[tokio::test]
async fn only_the_peers_of_the_tokens_room_are_listed() {
    let server = TestServer::start(&["--peerjs-discovery=on"]).await;
    let _ana = server.peer("ana", "red").await;
    let _ben = server.peer("ben", "blue").await;
    assert_eq!(server.get("/peerjs/peerjs/peers").await.status, 401);
    let answer = server.get("/peerjs/peerjs/peers?token=red").await;
    assert_eq!(answer.json(), json!(["ana"]));
    let answer = server.get("/peerjs/peerjs/peers?token=green").await;
    assert_eq!(answer.json(), json!([]));
}

#[tokio::test]
async fn an_id_is_taken_over_only_from_a_dead_socket() {
    let server = TestServer::start(&SHORT_TIMEOUTS).await;
    let dead = server.peer("ana", "red").await;
    // This client does not read, so it does not answer the probe.
    let mut new = server.peer("ana", "red").await;
    drop(dead);
    let listening = tokio::spawn(async move { new.receive().await });
    assert_eq!(server.refusal(&address("ana", "red")).await, id_taken());
    let mut ben = server.peer("ben", "red").await;
    ben.send(offer("ana", 1)).await;
    assert_eq!(
        listening.await.expect("listens"),
        relayed_offer("ben", "ana", 1)
    );
}

#[tokio::test]
async fn peers_reach_only_their_own_room_and_learn_nothing_of_others() {
    let server = TestServer::start(&SHORT_TIMEOUTS).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "blue").await;
    let mut twin = server.peer("ana", "blue").await;
    ana.send(offer("ben", 1)).await;
    assert_eq!(ana.receive().await, signal("EXPIRE", "ben", "ana"));
    ana.send(offer("nobody", 1)).await;
    assert_eq!(ana.receive().await, signal("EXPIRE", "nobody", "ana"));
    ben.send(offer("ana", 2)).await;
    assert_eq!(twin.receive().await, relayed_offer("ben", "ana", 2));
    ben.receives_nothing_for(MOMENT).await;
    ana.receives_nothing_for(MOMENT).await;
}

#[tokio::test]
async fn a_fifth_peer_is_refused_over_the_socket_and_over_http() {
    let server = TestServer::start(&[]).await;
    let mut peers = Vec::new();
    for id in ["ana", "ben", "cleo", "dan"] {
        peers.push(server.peer(id, "red").await);
    }
    assert_eq!(
        server.refusal(&address("eve", "red")).await,
        error("Room is full")
    );
    for path in [
        "/peerjs",
        "/peerjs/peerjs",
        "/peerjs/peerjs/id",
        "/peerjs/id",
    ] {
        for (token, is_full) in [("red", true), ("blue", false)] {
            let address = format!("{path}?key=peerjs&token={token}");
            let status = server.get(&address).await.status;
            assert_eq!(status == 429, is_full, "{address}: {status}");
        }
    }
    let mut eve = server.peer("eve", "blue").await;
    eve.receives_nothing_for(MOMENT).await;
    peers.remove(0).drop_connection();
    server.wait_for_peers(4).await;
    server.peer("eve", "red").await;
}

#[tokio::test]
async fn a_leave_is_announced_at_once() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    ben.send(json!({"type": "LEAVE"})).await;
    assert_eq!(ana.receive().await, signal("LEAVE", "ben", "ana"));
    assert_eq!(ben.close_code().await, 1000);
    server.peer("ben", "red").await;
}

#[tokio::test]
async fn a_lost_connection_is_announced_only_if_the_peer_does_not_return() {
    let server = TestServer::start(&SHORT_TIMEOUTS).await;
    let mut ana = server.peer("ana", "red").await;
    let ben = server.peer("ben", "red").await;
    ben.drop_connection();
    server.wait_for_peers(1).await;
    let ben = server.peer("ben", "red").await;
    ana.receives_nothing_for(4 * MOMENT).await;
    ben.close().await;
    ana.receives_nothing_for(MOMENT).await;
    assert_eq!(ana.receive().await, signal("LEAVE", "ben", "ana"));
    assert_eq!(server.state.hub.peerjs().counts().0.away, 0);
}
