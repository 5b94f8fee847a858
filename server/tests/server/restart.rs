//! A server that is killed and loses its rides.

use protocol::signaling::HostCommand;
use protocol::signaling::{
    ClientMessage, ErrorCode, Member, Resume, RoomSnapshot, ServerMessage, Welcome, close,
};

use crate::sockets::{refusal, resume};
use crate::support::{Rider, TestServer};

/// Resume data of the same page on a new socket.
fn resume_same_page(welcome: &Welcome) -> Resume {
    Resume {
        incarnation: Some(welcome.incarnation),
        ..resume(welcome)
    }
}

/// Snapshot of the room, as a page knows it from its welcome.
fn snapshot(welcome: &Welcome, others: &[Member]) -> RoomSnapshot {
    RoomSnapshot {
        hosts: welcome.hosts.clone(),
        first_host: welcome.first_host.clone(),
        members: [&welcome.members[..], others].concat(),
        bans: welcome.bans.clone(),
        locked: welcome.locked,
        elections: Vec::new(),
    }
}

async fn joined(rider: &mut Rider) -> Member {
    match rider.message().await {
        ServerMessage::Joined { member } => member,
        other => panic!("expected a join: {other:?}"),
    }
}

async fn restored(rider: &mut Rider) -> (u32, String) {
    let is_restored = |message: &ServerMessage| matches!(message, ServerMessage::Restored(_));
    match rider.wait_for(is_restored).await {
        ServerMessage::Restored(restored) => {
            let last = restored.hosts.last().expect("a host");
            (last.epoch, last.peer.to_string())
        }
        _ => unreachable!(),
    }
}

#[tokio::test]
async fn a_ride_is_restored_after_the_server_was_killed() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (_ben, second) = server.join(&code).await;
    let others = [joined(&mut ana).await];
    server.kill();
    let server = TestServer::start(&[]).await;
    assert_eq!(server.get(&format!("/api/rides/{code}")).await.status, 404);
    let (ben, again) = server
        .join_with_snapshot(&code, resume_same_page(&second), snapshot(&second, &[]))
        .await;
    assert_eq!((&again.peer, again.number), (&second.peer, second.number));
    assert_eq!(again.incarnation, second.incarnation);
    assert!(again.host.is_none() && again.members[0].away);
    let (mut ana, again) = server
        .join_with_snapshot(&code, resume_same_page(&first), snapshot(&first, &others))
        .await;
    assert_eq!((&again.peer, again.number), (&first.peer, first.number));
    let host = (1, first.peer.to_string());
    assert_eq!(restored(&mut ana).await, host);
    assert_eq!(restored(&mut { ben }).await, host);
    let (_, third) = server.join(&code).await;
    assert_eq!((third.number.0, third.host), (3, Some(first.peer)));
    assert_eq!(server.health().await["rooms"], 1);
}

#[tokio::test]
async fn a_new_rider_waits_until_the_ride_is_restored() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    server.kill();
    let server = TestServer::start(&[]).await;
    let (_ana, _) = server
        .join_with_snapshot(&code, resume_same_page(&first), snapshot(&first, &[]))
        .await;
    let (_, second) = server.join(&code).await;
    assert_eq!((second.number.0, second.host), (2, Some(first.peer)));
}

#[tokio::test]
async fn bans_are_restored_after_a_restart() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (_ben, second) = server.join(&code).await;
    let (peer, reason) = (second.peer.clone(), String::new());
    ana.send(&ClientMessage::Command(HostCommand::Kick { peer, reason }))
        .await;
    let noted = |message: &ServerMessage| matches!(message, ServerMessage::Banned { .. });
    let ServerMessage::Banned { token: note } = ana.wait_for(noted).await else {
        unreachable!()
    };
    server.kill();
    let server = TestServer::start(&[]).await;
    let mut room = snapshot(&first, &[]);
    room.bans.push(note);
    let (_ana, _) = server
        .join_with_snapshot(&code, resume_same_page(&first), room)
        .await;
    let mut ben = server.socket(&code).await;
    ben.hello_with_snapshot(
        Some(resume_same_page(&second)),
        Some(snapshot(&second, &[])),
    )
    .await;
    assert!(matches!(ben.message().await, ServerMessage::Kicked { .. }));
    assert_eq!(ben.close_code().await, close::KICKED);
}

#[tokio::test]
async fn a_server_with_another_secret_restores_no_ride() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    server.kill();
    let server = TestServer::start(&["--secret", "quite another secret"]).await;
    let mut ana = server.socket(&code).await;
    ana.hello_with_snapshot(Some(resume_same_page(&first)), Some(snapshot(&first, &[])))
        .await;
    assert_eq!(
        refusal(&mut ana).await,
        (ErrorCode::NoSuchRide, close::REFUSED)
    );
    assert_eq!(server.health().await["rooms"], 0);
}

#[tokio::test]
async fn a_token_is_valid_for_its_own_ride_and_rider_only() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let other = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&other).await;
    let mut impostor = server.socket(&other).await;
    impostor.hello(Some(resume(&first))).await;
    assert_eq!(
        refusal(&mut impostor).await,
        (ErrorCode::BadToken, close::REFUSED)
    );
    // A rider presents its own token with the id of another rider, who is away.
    let (cleo, third) = server.join(&other).await;
    ben.message().await;
    drop(cleo);
    ben.message().await;
    let claim = Resume {
        token: second.token.clone(),
        ..resume(&third)
    };
    let mut impostor = server.socket(&other).await;
    impostor.hello(Some(claim)).await;
    let (received, end) = impostor.read_until_close().await;
    assert_eq!((received.len(), u16::from(end.code)), (1, close::REFUSED));
    ben.send(&ClientMessage::Ping).await;
    assert_eq!(ben.message().await, ServerMessage::Pong);
    server.kill();
    let server = TestServer::start(&[]).await;
    let mut stranger = server.socket("brave-otter-0000").await;
    stranger.hello(Some(resume(&first))).await;
    assert_eq!(refusal(&mut stranger).await.0, ErrorCode::NoSuchRide);
}

#[tokio::test]
async fn at_the_maximum_number_of_rides_a_restore_is_refused_for_now() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    server.kill();
    let server = TestServer::start(&["--max-rooms", "1"]).await;
    server.ride().await;
    let mut ana = server.socket(&code).await;
    ana.hello(Some(resume(&first))).await;
    let (refused, _) = refusal(&mut ana).await;
    assert_eq!(refused, ErrorCode::TooManyRides);
    assert!(!refused.is_final());
}

#[tokio::test]
async fn the_secret_file_is_used_again_on_the_next_start() {
    let file = std::env::temp_dir().join(format!("gruppetto-restart-{}", std::process::id()));
    let flags = ["--secret-file", file.to_str().expect("a path")];
    let server = TestServer::start(&flags).await;
    let code = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    server.kill();
    let server = TestServer::start(&flags).await;
    let (_ana, again) = server
        .join_with_snapshot(&code, resume_same_page(&first), snapshot(&first, &[]))
        .await;
    assert_eq!(again.peer, first.peer);
    std::fs::remove_file(file).expect("removes");
}
