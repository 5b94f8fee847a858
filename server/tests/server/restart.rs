//! A server that is killed and loses its rides.

use std::path::PathBuf;

use clock::WallTime;
use protocol::signaling::HostCommand;
use protocol::signaling::{
    ClientMessage, ErrorCode, Member, Resume, RoomSnapshot, ServerMessage, Welcome, close,
};

use rooms::room::{ResumeClaims, Statement};
use server::tokens::Secret;
use uuid::Uuid;

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
        host_token: welcome.host_token.clone(),
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
async fn a_former_host_that_returns_first_does_not_get_the_role_back() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    let to = second.peer.clone();
    ana.send(&ClientMessage::Command(HostCommand::HandOver { to }))
        .await;
    let new_term = |message: &ServerMessage| matches!(message, ServerMessage::Host { .. });
    let ServerMessage::Host {
        term, host_token, ..
    } = ben.wait_for(new_term).await
    else {
        unreachable!()
    };
    server.kill();
    let server = TestServer::start(&[]).await;
    // Ana's page shows what it knew before the hand-over, and is back seconds before Ben's.
    let (mut ana, _) = server
        .join_with_snapshot(&code, resume_same_page(&first), snapshot(&first, &[]))
        .await;
    assert_eq!(restored(&mut ana).await.1, first.peer.to_string());
    let mut known = snapshot(&second, &[]);
    known.hosts.push(term);
    known.host_token = host_token;
    let (_ben, again) = server
        .join_with_snapshot(&code, resume_same_page(&second), known)
        .await;
    let names_ben = |message: &ServerMessage| matches!(message, ServerMessage::Host { term, .. } if term.peer == second.peer);
    ana.wait_for(names_ben).await;
    let again = server.join_as(&code, Some(resume(&again))).await.1;
    assert!(again.is_host() && again.host_token.is_some());
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

/// Folder of a server's files over several starts, removed at the end.
struct ServerFolder(PathBuf);

impl ServerFolder {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("gruppetto-restart-{}", Uuid::new_v4()));
        std::fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    async fn start(&self, flags: &[&str]) -> TestServer {
        let secret = self.path("secret");
        let secret = ["--secret-file", secret.to_str().expect("a path")];
        TestServer::start(&[&secret[..], flags].concat()).await
    }

    /// Kills a server once it has written its files, and starts another one.
    async fn restart(&self, server: TestServer) -> TestServer {
        server.state.hub.journal_flushed().await;
        server.kill();
        self.start(&[]).await
    }
}

impl Drop for ServerFolder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Refusal of a page that comes back with everything that it knows.
async fn refused_return(server: &TestServer, code: &str, welcome: &Welcome) -> ErrorCode {
    let mut rider = server.socket(code).await;
    let known = Some(snapshot(welcome, &[]));
    rider
        .hello_with_snapshot(Some(resume_same_page(welcome)), known)
        .await;
    refusal(&mut rider).await.0
}

async fn wait_until_left(rider: &mut Rider) {
    let left = |message: &ServerMessage| matches!(message, ServerMessage::Left { .. });
    rider.wait_for(left).await;
}

async fn end_ride(server: &TestServer, host: &mut Rider) {
    host.send(&ClientMessage::Command(HostCommand::End)).await;
    assert_eq!(host.close_code().await, close::ENDED);
    while server.health().await["rooms"] != 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_ride_that_has_ended_stays_ended_over_restarts() {
    let folder = ServerFolder::new();
    let mut server = folder.start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (_ben, second) = server.join(&code).await;
    end_ride(&server, &mut ana).await;
    for _ in 0..2 {
        server = folder.restart(server).await;
        for welcome in [&first, &second] {
            let refused = refused_return(&server, &code, welcome).await;
            assert_eq!(refused, ErrorCode::NoSuchRide);
        }
        assert_eq!(server.health().await["rooms"], 0);
    }
}

#[tokio::test]
async fn a_kicked_rider_neither_reopens_its_ride_nor_returns_to_it() {
    let folder = ServerFolder::new();
    let mut server = folder.start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    let (peer, reason) = (second.peer.clone(), String::new());
    ana.send(&ClientMessage::Command(HostCommand::Kick { peer, reason }))
        .await;
    assert_eq!(ben.close_code().await, close::KICKED);
    for _ in 0..2 {
        server = folder.restart(server).await;
        let refused = refused_return(&server, &code, &second).await;
        assert_eq!(refused, ErrorCode::NoSuchRide);
        // Ana's page has not received the ban token.
        let room = snapshot(&first, &[]);
        let (_ana, _) = server
            .join_with_snapshot(&code, resume_same_page(&first), room)
            .await;
        let mut ben = server.socket(&code).await;
        ben.hello(Some(resume(&second))).await;
        assert_eq!(ben.close_code().await, close::KICKED);
    }
}

#[tokio::test]
async fn a_rider_who_left_does_not_reopen_its_ride_but_may_return_to_it() {
    let folder = ServerFolder::new();
    let server = folder.start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ben.send(&ClientMessage::Leave).await;
    wait_until_left(&mut ana).await;
    let server = folder.restart(server).await;
    let refused = refused_return(&server, &code, &second).await;
    assert_eq!(refused, ErrorCode::NoSuchRide);
    let room = snapshot(&first, &[]);
    let (_ana, _) = server
        .join_with_snapshot(&code, resume_same_page(&first), room)
        .await;
    let (ben, again) = server.join_as(&code, Some(resume(&second))).await;
    assert_eq!((&again.peer, again.number.0), (&second.peer, 3));
    // It has come back, so it counts again.
    let server = folder.restart(server).await;
    drop(ben);
    let (_ben, again) = server.join_as(&code, Some(resume(&again))).await;
    assert_eq!(again.number.0, 3);
}

/// A rider's resume data with a token that has expired, as after a jump of the wall clock.
fn with_expired_token(code: &str, secret: &str, welcome: &Welcome) -> Resume {
    let signer = Secret::from_text(secret).signer(&code.parse().expect("a code"));
    let Some(Statement::Resume(claims)) = signer.verify(&welcome.token) else {
        panic!("not a resume token")
    };
    let expired = ResumeClaims {
        expires: WallTime::from_unix_ms(1_000),
        ..claims
    };
    Resume {
        token: signer.sign(&Statement::Resume(expired)),
        ..resume(welcome)
    }
}

#[tokio::test]
async fn an_expired_token_opens_no_lost_ride_but_is_valid_while_its_ride_goes_on() {
    let secret = "the secret of an old token";
    let flags = ["--secret", secret, "--joins-per-minute-per-address", "1"];
    let server = TestServer::start(&flags).await;
    let code = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    let (ben, second) = server.join(&code).await;
    drop(ben);
    let expired = with_expired_token(&code, secret, &second);
    let (_ben, again) = server.join_as(&code, Some(expired.clone())).await;
    assert_eq!(again.number, second.number);
    // It is no guess, even after too many of them.
    for _ in 0..2 {
        server.get("/api/rides/brave-otter-0000").await;
    }
    let path = format!("/api/rides/{code}");
    assert_eq!(server.get(&path).await.status, 429);
    let bearer = format!("Bearer {}", expired.token.expose());
    let headers = [("authorization", bearer.as_str())];
    let found = server.request("GET", &path, &headers).await;
    assert_eq!(found.status, 200);
    server.kill();
    let server = TestServer::start(&["--secret", secret]).await;
    let mut ben = server.socket(&code).await;
    ben.hello(Some(expired.clone())).await;
    assert_eq!(refusal(&mut ben).await.0, ErrorCode::NoSuchRide);
    let (_ana, _) = server.join_as(&code, Some(resume(&first))).await;
    let mut ben = server.socket(&code).await;
    ben.hello(Some(expired)).await;
    assert_eq!(refusal(&mut ben).await.0, ErrorCode::BadToken);
    server.join_as(&code, Some(resume(&second))).await;
}

#[tokio::test]
async fn a_ride_is_restored_for_as_long_after_the_start_as_it_would_have_lived() {
    let folder = ServerFolder::new();
    let server = folder.start(&[]).await;
    let code = server.ride().await;
    let (_ana, first) = server.join(&code).await;
    server.kill();
    let server = folder
        .start(&["--room-ttl-ms", "0", "--grace-ms", "0"])
        .await;
    let refused = refused_return(&server, &code, &first).await;
    assert_eq!(refused, ErrorCode::NoSuchRide);
    server.kill();
    let server = folder.start(&["--room-ttl-ms", "60000"]).await;
    server.join_as(&code, Some(resume(&first))).await;
}

#[tokio::test]
async fn a_server_whose_file_of_endings_cannot_be_used_serves_all_the_same() {
    let folder = ServerFolder::new();
    let file = folder.path("secret.rides");
    std::fs::create_dir(&file).expect("in place of a full disk");
    let server = folder.start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    end_ride(&server, &mut ana).await;
    let refused = refused_return(&server, &code, &first).await;
    assert_eq!(refused, ErrorCode::NoSuchRide, "it is known in memory");
    let other = server.ride().await;
    let (_ben, second) = server.join(&other).await;
    std::fs::remove_dir(&file).expect("removes");
    std::fs::write(&file, "not a line\nof this file").expect("writes");
    let server = folder.restart(server).await;
    server.join_as(&other, Some(resume(&second))).await;
}

#[tokio::test]
async fn an_orderly_shutdown_writes_the_endings() {
    let folder = ServerFolder::new();
    let mut server = folder.start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    end_ride(&server, &mut ana).await;
    server.begin_shutdown();
    server.ended.await.expect("ends");
    let server = folder.start(&[]).await;
    let refused = refused_return(&server, &code, &first).await;
    assert_eq!(refused, ErrorCode::NoSuchRide);
}
