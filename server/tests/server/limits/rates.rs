//! Limits on messages and bytes per second, and on single messages.

use std::time::Duration;

use protocol::peer::DeliveryClass;
use protocol::signaling::{ClientMessage, ServerMessage, close};
use server::error::RefusalReason;
use server::metrics::{DialectName, Traffic};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use super::{UninvolvedRide, is_rate_limited, messages_until_close};
use crate::support::{Rider, TestServer};

/// Sends a message repeatedly, as fast as the socket accepts it, until the server
/// closes the connection.
async fn flood(rider: &mut Rider, count: usize, message: Message) {
    for _ in 0..count {
        if futures_util::SinkExt::send(&mut rider.socket, message.clone())
            .await
            .is_err()
        {
            return;
        }
    }
}

#[tokio::test]
async fn a_thousand_messages_in_a_second_get_an_error_and_then_a_close() {
    let server = TestServer::start(&[]).await;
    let mut uninvolved = UninvolvedRide::start(&server).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, second) = server.join(&code).await;
    ana.message().await;
    flood(
        &mut ben,
        1_000,
        Message::text(ClientMessage::Ping.to_json()),
    )
    .await;
    let (messages, end) = messages_until_close(&mut ben).await;
    let first_error = messages.iter().position(is_rate_limited);
    // The hello is one of the hundred messages.
    assert_eq!(first_error, Some(99), "{messages:?}");
    assert!(messages[..99].iter().all(|it| *it == ServerMessage::Pong));
    assert_eq!(end, close::POLICY);
    let away = ServerMessage::Away { peer: second.peer };
    assert_eq!(ana.message().await, away);
    assert!(server.state.metrics.refusals(RefusalReason::MessageRate) >= 100);
    uninvolved.still_works().await;
}

#[tokio::test]
async fn third_party_clients_get_the_error_in_their_dialect_and_then_a_close() {
    let server = TestServer::start(&[]).await;
    let mut uninvolved = UninvolvedRide::start(&server).await;
    let peerjs = "/peerjs/peerjs?key=peerjs&id=ana&token=club";
    for (path, message, error) in [
        (
            peerjs,
            r#"{"type":"HEARTBEAT"}"#,
            r#"{"type":"ERROR","payload":{"msg":"Too many messages"}}"#,
        ),
        (
            "/signal/club",
            r#"{"type":"hello"}"#,
            r#"{"message":"That is too much at once.","type":"error"}"#,
        ),
    ] {
        let mut client = server.raw_client(path).await;
        client.next().await.expect("a greeting");
        flood(&mut client, 1_000, Message::text(message)).await;
        let (received, end) = client.read_until_close().await;
        let received: Vec<_> = received.iter().filter_map(|it| it.to_text().ok()).collect();
        let error: serde_json::Value = serde_json::from_str(error).expect("JSON");
        let told = received
            .iter()
            .map(|text| serde_json::from_str(text).expect("JSON"));
        let told: Vec<serde_json::Value> = told.collect();
        // Once as a warning, once before the close.
        assert_eq!(told, [error.clone(), error], "{path}");
        assert_eq!(u16::from(end.code), close::POLICY, "{path}");
        uninvolved.still_works().await;
    }
}

#[tokio::test]
async fn a_rider_who_slows_down_after_the_warning_stays_in_the_ride() {
    let server = TestServer::start(&["--messages-per-second", "20"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    flood(&mut ana, 30, Message::text(ClientMessage::Ping.to_json())).await;
    while !is_rate_limited(&ana.message().await) {}
    loop {
        // Messages that are still over the limit are dropped silently.
        ana.send(&ClientMessage::Ping).await;
        let answer = timeout(Duration::from_millis(300), ana.message()).await;
        if let Ok(answer) = answer {
            return assert_eq!(answer, ServerMessage::Pong);
        }
    }
}

#[tokio::test]
async fn a_new_socket_of_the_same_peer_continues_the_rate_limit() {
    let server = TestServer::start(&["--relay-bytes-per-second", "16384"]).await;
    let path = "/peerjs?key=peerjs&id=ana&token=club";
    let large = Message::text("x".repeat(60_000));
    // Two of them use up the burst of eight seconds.
    for _ in 0..2 {
        let mut ana = server.raw_client(path).await;
        ana.next().await.expect("open");
        ana.send_raw(large.clone()).await;
        ana.send_raw(Message::Close(None)).await;
        while ana.next().await.is_some() {}
    }
    let mut ana = server.raw_client(path).await;
    ana.next().await.expect("open");
    ana.send_raw(large).await;
    let error = r#"{"payload":{"msg":"Too many messages"},"type":"ERROR"}"#;
    assert_eq!(ana.next().await, Some(Message::text(error)));
}

#[tokio::test]
async fn telemetry_over_the_rate_is_dropped_and_the_socket_stays_open() {
    let server = TestServer::start(&["--relay-bytes-per-second", "65536"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    ana.message().await;
    for _ in 0..200 {
        ana.relay(DeliveryClass::Telemetry, &[], b"watts").await;
    }
    ana.send(&ClientMessage::Ping).await;
    assert_eq!(ana.message().await, ServerMessage::Pong);
    let relayed = server.state.metrics.dialect(DialectName::App);
    let passed = relayed.relayed_messages(Traffic::Telemetry);
    // A burst of eight seconds at 64 KiB, in frames that count as 4 KiB each.
    assert!((128..200).contains(&passed), "{passed}");
    for _ in 0..passed {
        assert_eq!(ben.frame().await.2, b"watts");
    }
}

#[tokio::test]
async fn bulk_over_the_rate_gets_an_error_and_then_a_close() {
    let server = TestServer::start(&["--relay-bytes-per-second", "65536"]).await;
    let mut uninvolved = UninvolvedRide::start(&server).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (_ben, _) = server.join(&code).await;
    ana.message().await;
    let mut frame = vec![1, DeliveryClass::Bulk as u8, 0, 0];
    frame.extend([7; 14_000]);
    flood(&mut ana, 1_000, Message::binary(frame)).await;
    let (messages, end) = messages_until_close(&mut ana).await;
    assert!(messages.iter().any(is_rate_limited), "{messages:?}");
    assert_eq!(end, close::POLICY);
    uninvolved.still_works().await;
}

#[tokio::test]
async fn invalid_messages_close_their_own_socket_only() {
    let server = TestServer::start(&[]).await;
    let mut uninvolved = UninvolvedRide::start(&server).await;
    let code = server.ride().await;
    let not_utf8 = Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true);
    let cases = [
        (Message::text("x".repeat(65_537)), close::TOO_LARGE),
        (Message::binary(vec![0; 65_537]), close::TOO_LARGE),
        (Message::Frame(not_utf8), close::MALFORMED),
        (Message::text("[".repeat(60_000)), close::POLICY),
        (Message::text("{\"a\":".repeat(10_000)), close::POLICY),
        (Message::binary(vec![9, 9, 9]), close::MALFORMED),
    ];
    for (message, end) in cases {
        let (mut hostile, _) = server.join(&code).await;
        hostile.send_raw(message).await;
        assert_eq!(hostile.close_code().await, end);
        uninvolved.still_works().await;
    }
    flood_of_pings(&server, &code).await;
    uninvolved.still_works().await;
}

/// Pings count for the message rate.
async fn flood_of_pings(server: &TestServer, code: &str) {
    let (mut hostile, _) = server.join(code).await;
    flood(&mut hostile, 1_000, Message::Ping(vec![0; 100].into())).await;
    assert_eq!(hostile.close_code().await, close::POLICY);
}

#[tokio::test]
async fn endless_frames_without_content_close_the_socket() {
    // Frames of a client: opcode, length 0 and the mask (RFC 6455, section 5.2).
    const BEGIN: [u8; 6] = [0x01, 0x80, 1, 2, 3, 4];
    const CONTINUE: [u8; 6] = [0x00, 0x80, 1, 2, 3, 4];
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let mut stream = server.raw_upgrade(&format!("/ws/{code}")).await;
    stream.write_all(&BEGIN).await.expect("sends");
    let frames = CONTINUE.repeat(1_000);
    let mut sent = 0;
    // The server closes the connection, which ends the writing.
    while sent < 100_000_000 && stream.write_all(&frames).await.is_ok() {
        sent += frames.len();
    }
    assert!(sent < 20_000_000, "{sent} bytes were accepted");
    let (mut other, _) = server.join(&code).await;
    other.send(&ClientMessage::Ping).await;
    assert_eq!(other.message().await, ServerMessage::Pong);
}
