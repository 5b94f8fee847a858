//! Peers that meet in rooms.

use super::*;

#[tokio::test]
async fn with_rooms_only_the_peers_of_ones_own_room_are_listed() {
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
async fn in_a_room_an_id_is_taken_over_only_from_a_socket_that_is_dead() {
    let server = TestServer::start(&QUICK).await;
    let dead = server.peer("ana", "red").await;
    // Not read, so that the probe is not answered.
    let mut new = server.peer("ana", "red").await;
    drop(dead);
    let listening = tokio::spawn(async move { new.hear().await });
    assert_eq!(server.refusal(&address("ana", "red")).await, taken());
    let mut ben = server.peer("ben", "red").await;
    ben.say(offer("ana", 1)).await;
    assert_eq!(listening.await.expect("listens"), heard("ben", "ana", 1));
}

#[tokio::test]
async fn peers_reach_only_their_room_and_nothing_tells_of_another() {
    let server = TestServer::start(&QUICK).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "blue").await;
    let mut twin = server.peer("ana", "blue").await;
    ana.say(offer("ben", 1)).await;
    assert_eq!(ana.hear().await, signal("EXPIRE", "ben", "ana"));
    ana.say(offer("nobody", 1)).await;
    assert_eq!(ana.hear().await, signal("EXPIRE", "nobody", "ana"));
    ben.say(offer("ana", 2)).await;
    assert_eq!(twin.hear().await, heard("ben", "ana", 2));
    ben.hears_nothing_for(MOMENT).await;
    ana.hears_nothing_for(MOMENT).await;
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
            let asked = format!("{path}?key=peerjs&token={token}");
            let status = server.get(&asked).await.status;
            assert_eq!(status == 429, is_full, "{asked}: {status}");
        }
    }
    let mut eve = server.peer("eve", "blue").await;
    eve.hears_nothing_for(MOMENT).await;
    peers.remove(0).drop_connection();
    server.has_peers(4).await;
    server.peer("eve", "red").await;
}

#[tokio::test]
async fn who_leaves_is_announced_at_once() {
    let server = TestServer::start(&[]).await;
    let mut ana = server.peer("ana", "red").await;
    let mut ben = server.peer("ben", "red").await;
    ben.say(json!({"type": "LEAVE"})).await;
    assert_eq!(ana.hear().await, signal("LEAVE", "ben", "ana"));
    assert_eq!(ben.close_code().await, 1000);
    server.peer("ben", "red").await;
}

#[tokio::test]
async fn who_drops_is_announced_only_when_it_stays_away() {
    let server = TestServer::start(&QUICK).await;
    let mut ana = server.peer("ana", "red").await;
    let ben = server.peer("ben", "red").await;
    ben.drop_connection();
    server.has_peers(1).await;
    let ben = server.peer("ben", "red").await;
    ana.hears_nothing_for(4 * MOMENT).await;
    ben.close().await;
    ana.hears_nothing_for(MOMENT).await;
    assert_eq!(ana.hear().await, signal("LEAVE", "ben", "ana"));
    assert_eq!(server.state.hub.peerjs().counts().0.away, 0);
}
