//! What the host may do, over real sockets.

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

async fn told_why(rider: &mut Rider) {
    let kicked = |message: &ServerMessage| matches!(message, ServerMessage::Kicked { .. });
    let reason = "Too loud.".to_owned();
    assert_eq!(rider.until(kicked).await, ServerMessage::Kicked { reason });
    assert_eq!(rider.close_code().await, close::KICKED);
}

#[tokio::test]
async fn a_kicked_rider_is_told_why_and_stays_out() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.say(&kick(&second.peer)).await;
    told_why(&mut ben).await;
    let gone = |message: &ServerMessage| matches!(message, ServerMessage::Left { .. });
    let left = ServerMessage::Left {
        peer: second.peer.clone(),
        reason: LeftReason::Kicked,
    };
    assert_eq!(ana.until(gone).await, left);
    let mut again = server.socket(&code).await;
    again.hello(Some(resume(&second))).await;
    told_why(&mut again).await;
}

#[tokio::test]
async fn a_locked_ride_says_so_to_whoever_asks_and_to_whoever_comes() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (_ben, second) = server.join(&code).await;
    ana.say(&ClientMessage::Command(HostCommand::Lock)).await;
    let locked = ServerMessage::Locked { locked: true };
    ana.until(|message| *message == locked).await;
    let found = server.get(&format!("/api/rides/{code}")).await;
    assert_eq!(found.json()["locked"], true);
    let mut stranger = server.socket(&code).await;
    stranger.hello(None).await;
    assert_eq!(
        refusal(&mut stranger).await,
        (ErrorCode::RideLocked, close::REFUSED)
    );
    server.join_as(&code, Some(resume(&second))).await;
}

#[tokio::test]
async fn a_command_of_somebody_who_is_not_host_is_refused_and_changes_nothing() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.message().await;
    let to = second.peer.clone();
    for wish in [
        kick(&first.peer),
        ClientMessage::Command(HostCommand::Lock),
        ClientMessage::Command(HostCommand::HandOver { to }),
        ClientMessage::Command(HostCommand::End),
    ] {
        ben.say(&wish).await;
        assert_eq!(
            ben.message().await,
            ServerMessage::error(ErrorCode::NotHost)
        );
    }
    ana.say(&ClientMessage::Ping).await;
    assert_eq!(ana.message().await, ServerMessage::Pong);
}

#[tokio::test]
async fn the_commands_of_a_former_host_are_dropped_and_counted_when_they_are_replayed() {
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
        ana.say(command).await;
    }
    let host = |message: &ServerMessage| matches!(message, ServerMessage::Host { .. });
    ana.until(host).await;
    ben.until(host).await;
    ben.say(&ClientMessage::Command(HostCommand::Unlock)).await;
    let unlocked = ServerMessage::Locked { locked: false };
    ben.until(|message| *message == unlocked).await;
    ana.until(|message| *message == unlocked).await;
    let denied = ServerMessage::error(ErrorCode::NotHost);
    for command in &recorded {
        ana.say(command).await;
        assert_eq!(ana.message().await, denied);
    }
    // And over a new socket of the same page.
    let (mut again, back) = server.join_as(&code, Some(resume(&first))).await;
    assert_eq!((back.is_host(), back.locked), (false, false));
    for command in &recorded {
        again.say(command).await;
        assert_eq!(again.message().await, denied);
    }
    assert_eq!(server.state.metrics.refusals(RefusalReason::NotHost), 4);
}

#[tokio::test]
async fn a_host_who_vanishes_is_succeeded_and_takes_the_ride_back() {
    let server = TestServer::start(&["--host-grace-ms", "200"]).await;
    let code = server.ride().await;
    let (ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    drop(ana);
    let host = |message: &ServerMessage| matches!(message, ServerMessage::Host { .. });
    let ServerMessage::Host { term, first_host } = ben.until(host).await else {
        unreachable!()
    };
    assert_eq!((term.epoch, &term.peer), (2, &second.peer));
    assert_eq!(first_host, first.peer);
    let (mut ana, back) = server.join_as(&code, Some(resume(&first))).await;
    assert!(!back.is_host());
    ana.say(&ClientMessage::Command(HostCommand::Reclaim)).await;
    let ServerMessage::Host { term, .. } = ben.until(host).await else {
        unreachable!()
    };
    assert_eq!((term.epoch, term.peer), (3, first.peer));
}

#[tokio::test]
async fn a_ride_that_was_ended_is_over_and_no_token_opens_it_again() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    ana.say(&ClientMessage::Command(HostCommand::End)).await;
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
