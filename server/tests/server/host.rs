//! Commands of the host.

use protocol::peer::PeerId;
use protocol::signaling::HostCommand;
use protocol::signaling::{ClientMessage, ErrorCode, LeftReason, ServerMessage, close};

use server::error::RefusalReason;

use crate::sockets::{refusal, resume};
use crate::support::{Rider, TestServer};

fn kick(peer: &PeerId) -> ClientMessage {
    ClientMessage::Command(HostCommand::Kick {
        peer: peer.clone(),
        reason: "Too loud.".into(),
    })
}

async fn is_kicked_with_reason(rider: &mut Rider) {
    let kicked = |message: &ServerMessage| matches!(message, ServerMessage::Kicked { .. });
    let reason = "Too loud.".to_owned();
    assert_eq!(
        rider.wait_for(kicked).await,
        ServerMessage::Kicked { reason }
    );
    assert_eq!(rider.close_code().await, close::KICKED);
}

#[tokio::test]
async fn a_kicked_rider_gets_the_reason_and_is_banned() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.send(&kick(&second.peer)).await;
    is_kicked_with_reason(&mut ben).await;
    let gone = |message: &ServerMessage| matches!(message, ServerMessage::Left { .. });
    let left = ServerMessage::Left {
        peer: second.peer.clone(),
        reason: LeftReason::Kicked,
    };
    assert_eq!(ana.wait_for(gone).await, left);
    let mut again = server.socket(&code).await;
    again.hello(Some(resume(&second))).await;
    is_kicked_with_reason(&mut again).await;
}

#[tokio::test]
async fn a_locked_ride_is_reported_as_locked_and_refuses_new_riders() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (_ben, second) = server.join(&code).await;
    ana.send(&ClientMessage::Command(HostCommand::Lock)).await;
    let locked = ServerMessage::Locked { locked: true };
    ana.wait_for(|message| *message == locked).await;
    let found = server.get(&format!("/api/rides/{code}")).await;
    assert_eq!(found.json()["locked"], true);
    let mut newcomer = server.socket(&code).await;
    newcomer.hello(None).await;
    assert_eq!(
        refusal(&mut newcomer).await,
        (ErrorCode::RideLocked, close::REFUSED)
    );
    server.join_as(&code, Some(resume(&second))).await;
}

#[tokio::test]
async fn a_host_command_of_another_rider_is_refused_and_changes_nothing() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.message().await;
    let to = second.peer.clone();
    for command in [
        kick(&first.peer),
        ClientMessage::Command(HostCommand::Lock),
        ClientMessage::Command(HostCommand::HandOver { to }),
        ClientMessage::Command(HostCommand::End),
    ] {
        ben.send(&command).await;
        assert_eq!(
            ben.message().await,
            ServerMessage::error(ErrorCode::NotHost)
        );
    }
    ana.send(&ClientMessage::Ping).await;
    assert_eq!(ana.message().await, ServerMessage::Pong);
}

#[tokio::test]
async fn replayed_commands_of_a_former_host_are_refused_and_counted() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.message().await;
    let to = second.peer.clone();
    let recorded = [
        ClientMessage::Command(HostCommand::Lock),
        ClientMessage::Command(HostCommand::HandOver { to }),
    ];
    for command in &recorded {
        ana.send(command).await;
    }
    let host = |message: &ServerMessage| matches!(message, ServerMessage::Host { .. });
    ana.wait_for(host).await;
    ben.wait_for(host).await;
    ben.send(&ClientMessage::Command(HostCommand::Unlock)).await;
    let unlocked = ServerMessage::Locked { locked: false };
    ben.wait_for(|message| *message == unlocked).await;
    ana.wait_for(|message| *message == unlocked).await;
    let denied = ServerMessage::error(ErrorCode::NotHost);
    for command in &recorded {
        ana.send(command).await;
        assert_eq!(ana.message().await, denied);
    }
    // The same over a new socket of the same page.
    let (mut again, back) = server.join_as(&code, Some(resume(&first))).await;
    assert_eq!((back.is_host(), back.locked), (false, false));
    for command in &recorded {
        again.send(command).await;
        assert_eq!(again.message().await, denied);
    }
    assert_eq!(server.state.metrics.refusals(RefusalReason::NotHost), 4);
}

#[tokio::test]
async fn a_lost_host_is_succeeded_and_can_reclaim_the_ride() {
    let server = TestServer::start(&["--host-grace-ms", "200"]).await;
    let code = server.ride().await;
    let (ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    drop(ana);
    let host = |message: &ServerMessage| matches!(message, ServerMessage::Host { .. });
    let ServerMessage::Host {
        term, first_host, ..
    } = ben.wait_for(host).await
    else {
        unreachable!()
    };
    assert_eq!((term.epoch, &term.peer), (2, &second.peer));
    assert_eq!(first_host, first.peer);
    let (mut ana, back) = server.join_as(&code, Some(resume(&first))).await;
    assert!(!back.is_host());
    ana.send(&ClientMessage::Command(HostCommand::Reclaim))
        .await;
    let ServerMessage::Host { term, .. } = ben.wait_for(host).await else {
        unreachable!()
    };
    assert_eq!((term.epoch, term.peer), (3, first.peer));
}

#[tokio::test]
async fn an_ended_ride_cannot_be_restored_with_a_resume_token() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    ana.send(&ClientMessage::Command(HostCommand::End)).await;
    assert_eq!(ben.message().await, ServerMessage::Ended);
    assert_eq!(ben.close_code().await, close::ENDED);
    while server.get(&format!("/api/rides/{code}")).await.status != 404 {}
    let mut again = server.socket(&code).await;
    again.hello(Some(resume(&first))).await;
    assert_eq!(
        refusal(&mut again).await,
        (ErrorCode::NoSuchRide, close::REFUSED)
    );
}
