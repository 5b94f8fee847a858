//! `/ws/{code}`: joining, relaying, reconnecting, and closing sockets.

use protocol::peer::DeliveryClass;
use protocol::signaling::{
    ClientMessage, ErrorCode, LeftReason, Resume, ServerMessage, Welcome, close,
};
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Rider, TestServer};

pub fn resume(welcome: &Welcome) -> Resume {
    Resume {
        peer: welcome.peer.clone(),
        token: welcome.token.clone(),
        incarnation: None,
    }
}

pub async fn refusal(rider: &mut Rider) -> (ErrorCode, u16) {
    let (received, end) = rider.read_until_close().await;
    let Some(Message::Text(text)) = received.last() else {
        panic!("expected an error: {received:?}")
    };
    match ServerMessage::parse(text) {
        Ok(ServerMessage::Error { code, message }) => {
            assert_eq!(message, code.message());
            (code, end.code.into())
        }
        other => panic!("expected an error: {other:?}"),
    }
}

#[tokio::test]
async fn the_first_rider_is_host_and_both_learn_of_each_other() {
    let server = TestServer::start(&["--max-direct", "7"]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (_ben, second) = server.join(&code).await;
    assert_eq!((first.is_host(), second.is_host()), (true, false));
    assert_eq!(second.members[0].peer, first.peer);
    assert_eq!(second.limits.max_direct, 7);
    assert!(second.server_time > 1_700_000_000_000 && second.ice_servers.is_empty());
    assert!(
        matches!(ana.message().await, ServerMessage::Joined { member } if member.peer == second.peer)
    );
}

#[tokio::test]
async fn a_socket_accepts_other_spellings_of_a_code() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await.to_uppercase().replace('-', "%20");
    server.join(&code).await;
}

#[tokio::test]
async fn a_frame_reaches_the_others_with_the_number_of_its_sender_and_is_counted() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    let (mut cleo, third) = server.join(&code).await;
    ana.relay(DeliveryClass::Telemetry, &[], b"to all").await;
    ana.relay(DeliveryClass::Control, &[third.number], b"to cleo")
        .await;
    assert!(matches!(ben.message().await, ServerMessage::Joined { .. }));
    assert_eq!(
        ben.frame().await,
        (first.number, first.incarnation, b"to all".to_vec())
    );
    assert_eq!(cleo.frame().await.2, b"to all");
    assert_eq!(cleo.frame().await.2, b"to cleo");
    assert_eq!(server.health().await["relayedFrames"], 2);
}

#[tokio::test]
async fn a_rider_who_leaves_is_removed_at_once() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, first) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.send(&ClientMessage::Leave).await;
    assert_eq!(
        ben.message().await,
        ServerMessage::Left {
            peer: first.peer,
            reason: LeftReason::Left
        }
    );
    assert!(
        matches!(ben.message().await, ServerMessage::Host { term, .. } if term.peer == second.peer && term.epoch == 2)
    );
    assert_eq!(ana.close_code().await, close::LEFT);
}

#[tokio::test]
async fn a_socket_that_left_cannot_join_again() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    ana.send(&ClientMessage::Leave).await;
    ana.hello(None).await;
    let (received, _) = ana.read_until_close().await;
    assert!(received.is_empty(), "{received:?}");
    assert_eq!(
        server.get(&format!("/api/rides/{code}")).await.json()["riders"],
        0
    );
}

#[tokio::test]
async fn a_lost_rider_is_away_and_removed_after_the_grace_period() {
    let server = TestServer::start(&["--grace-ms", "150"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (ben, second) = server.join(&code).await;
    ana.message().await;
    drop(ben);
    assert_eq!(
        ana.message().await,
        ServerMessage::Away {
            peer: second.peer.clone()
        }
    );
    assert_eq!(
        ana.message().await,
        ServerMessage::Left {
            peer: second.peer,
            reason: LeftReason::Gone
        }
    );
}

#[tokio::test]
async fn a_reloaded_page_is_the_same_rider_with_a_new_incarnation() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut old, before) = server.join(&code).await;
    ana.message().await;
    let (_new, after) = server.join_as(&code, Some(resume(&before))).await;
    assert_eq!(
        (after.peer.clone(), after.number),
        (before.peer, before.number)
    );
    assert_eq!(after.incarnation.0, before.incarnation.0 + 1);
    assert_eq!(old.message().await, ServerMessage::Replaced);
    assert_eq!(old.close_code().await, close::REPLACED);
    assert!(
        matches!(ana.message().await, ServerMessage::Returned { member } if member.peer == after.peer)
    );
}

#[tokio::test]
async fn an_invalid_token_is_refused_and_other_riders_are_not_affected() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, welcome) = server.join(&code).await;
    let token = "guessed".parse().expect("a token");
    let mut impostor = server.socket(&code).await;
    impostor
        .hello(Some(Resume {
            token,
            ..resume(&welcome)
        }))
        .await;
    assert_eq!(
        refusal(&mut impostor).await,
        (ErrorCode::BadToken, close::REFUSED)
    );
    ana.send(&ClientMessage::Ping).await;
    assert_eq!(ana.message().await, ServerMessage::Pong);
}

#[tokio::test]
async fn an_unknown_code_is_refused_on_the_socket() {
    let server = TestServer::start(&[]).await;
    for code in ["brave-otter-0000", "nonsense"] {
        let mut rider = server.socket(code).await;
        if code != "nonsense" {
            rider.hello(None).await;
        }
        assert_eq!(
            refusal(&mut rider).await,
            (ErrorCode::NoSuchRide, close::REFUSED)
        );
    }
}

#[tokio::test]
async fn a_full_ride_refuses_another_rider() {
    let server = TestServer::start(&["--max-riders", "2"]).await;
    let code = server.ride().await;
    let _riders = (server.join(&code).await, server.join(&code).await);
    let mut third = server.socket(&code).await;
    third.hello(None).await;
    assert_eq!(
        refusal(&mut third).await,
        (ErrorCode::RideFull, close::REFUSED)
    );
    assert_eq!(
        server.get(&format!("/api/rides/{code}")).await.json()["full"],
        true
    );
}

#[tokio::test]
async fn an_empty_ride_ends_after_its_lifetime() {
    let server = TestServer::start(&["--room-ttl-ms", "150"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    ana.send(&ClientMessage::Leave).await;
    ana.read_until_close().await;
    while server.get(&format!("/api/rides/{code}")).await.status != 404 {}
    assert_eq!(server.health().await["rooms"], 0);
}

#[tokio::test]
async fn an_oversized_message_closes_its_own_socket_only() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    for message in [
        Message::text("x".repeat(65_537)),
        Message::binary(vec![0; 65_537]),
    ] {
        let (mut ben, second) = server.join(&code).await;
        ana.message().await;
        ben.send_raw(message).await;
        assert_eq!(
            refusal(&mut ben).await,
            (ErrorCode::TooLarge, close::TOO_LARGE)
        );
        assert_eq!(
            ana.message().await,
            ServerMessage::Away { peer: second.peer }
        );
    }
}

#[tokio::test]
async fn a_message_far_over_the_limit_ends_the_connection_unread() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.message().await;
    // The server may close the connection while this is being sent.
    let _ = futures_util::SinkExt::send(&mut ben.socket, Message::binary(vec![0; 4_000_000])).await;
    assert_eq!(
        ana.message().await,
        ServerMessage::Away { peer: second.peer }
    );
}

#[tokio::test]
async fn text_that_is_not_utf8_closes_its_own_socket_only() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.message().await;
    let not_utf8 = Frame::message(vec![0xff, 0xfe, 0xfd], OpCode::Data(Data::Text), true);
    ben.send_raw(Message::Frame(not_utf8)).await;
    assert_eq!(ben.close_code().await, close::MALFORMED);
    assert_eq!(
        ana.message().await,
        ServerMessage::Away { peer: second.peer }
    );
}

#[tokio::test]
async fn a_malformed_message_closes_the_socket_with_an_error() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let deep = "[".repeat(60_000);
    for text in ["{", "[]", r#"{"type":"dance"}"#, &deep] {
        let mut rider = server.socket(&code).await;
        rider.send_raw(Message::text(text)).await;
        assert_eq!(
            refusal(&mut rider).await,
            (ErrorCode::BadMessage, close::POLICY)
        );
    }
    let (mut rider, _) = server.join(&code).await;
    rider.send_raw(Message::binary(vec![9, 9, 9])).await;
    assert_eq!(
        refusal(&mut rider).await,
        (ErrorCode::BadMessage, close::MALFORMED)
    );
}

#[tokio::test]
async fn a_socket_without_a_timely_hello_is_closed() {
    let server = TestServer::start(&["--hello-timeout-ms", "200"]).await;
    let code = server.ride().await;
    let mut early = server.socket(&code).await;
    early.send(&ClientMessage::Leave).await;
    assert_eq!(
        refusal(&mut early).await,
        (ErrorCode::NotInRide, close::POLICY)
    );
    let mut silent = server.socket(&code).await;
    assert_eq!(
        refusal(&mut silent).await,
        (ErrorCode::NotInRide, close::POLICY)
    );
}

#[tokio::test]
async fn a_socket_that_answers_no_pings_is_closed() {
    let server =
        TestServer::start(&["--ping-interval-ms", "100", "--ping-timeout-ms", "400"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (_unread, second) = server.join(&code).await;
    ana.message().await;
    // This socket answers pings while it waits; the other one does not.
    assert_eq!(
        ana.message().await,
        ServerMessage::Away { peer: second.peer }
    );
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_is_refused_before_the_upgrade() {
    let server = TestServer::start(&["--allowed-origins", "https://club.example"]).await;
    let code = server.ride().await;
    for origin in ["https://evil.example", "null", "http://127.0.0.1:1"] {
        let refused = server.socket_from(&code, Some(origin)).await.err();
        assert!(
            matches!(refused, Some(Error::Http(answer)) if answer.status() == 403),
            "{origin}"
        );
    }
    let own = format!("http://{}", server.address);
    for origin in [own.as_str(), "https://club.example"] {
        assert!(
            server.socket_from(&code, Some(origin)).await.is_ok(),
            "{origin}"
        );
    }
}
