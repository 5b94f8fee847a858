//! How much anybody may ask, what they are told beyond it, and that nobody else
//! notices.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use mesh::peer::{Class, PeerNumber};
use mesh::signaling::{ClientMessage, ErrorCode, Resume, ServerMessage, Signal, Welcome, close};
use server::metrics::{DialectName, Reason, Traffic};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::support::{Rider, TestServer};

const UNKNOWN: &str = "/api/rides/brave-otter-0000";
const BEHIND_A_PROXY: [&str; 2] = ["--trusted-proxies", "127.0.0.1"];

/// Two riders of another ride, who must not notice anything.
struct Calm(Rider, Rider);

impl Calm {
    async fn start(server: &TestServer) -> Self {
        let code = server.ride().await;
        let (mut ana, _) = server.join(&code).await;
        let (ben, _) = server.join(&code).await;
        ana.message().await;
        Self(ana, ben)
    }

    async fn goes_on(&mut self) {
        let Self(ana, ben) = self;
        ana.relay(Class::Control, &[], b"still here").await;
        assert_eq!(ben.frame().await.2, b"still here");
        ben.say(&ClientMessage::Ping).await;
        assert_eq!(ben.message().await, ServerMessage::Pong);
    }
}

/// A socket of another dialect.
async fn socket_at(server: &TestServer, path: &str) -> Rider {
    let stream = TcpStream::connect(server.address).await.expect("connects");
    let address = format!("ws://{}{path}", server.address);
    let (socket, _) = client_async(address, stream).await.expect("an upgrade");
    Rider { socket }
}

/// What a rider heard up to the end, without frames.
async fn words_until_close(rider: &mut Rider) -> (Vec<ServerMessage>, u16) {
    let (said, end) = rider.until_close().await;
    let words = said.iter().filter_map(|message| match message {
        Message::Text(text) => ServerMessage::parse(text).ok(),
        _ => None,
    });
    (words.collect(), end.code.into())
}

fn is_rate_limited(message: &ServerMessage) -> bool {
    let limited = ErrorCode::RateLimited;
    matches!(message, ServerMessage::Error { code, .. } if *code == limited)
}

/// As fast as the socket takes it, until the server has hung up.
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
async fn a_thousand_messages_in_a_second_are_answered_by_an_error_and_then_the_end() {
    let server = TestServer::start(&[]).await;
    let mut calm = Calm::start(&server).await;
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
    let (words, end) = words_until_close(&mut ben).await;
    let first_error = words.iter().position(is_rate_limited);
    // The hello was one of the hundred.
    assert_eq!(first_error, Some(99), "{words:?}");
    assert!(words[..99].iter().all(|it| *it == ServerMessage::Pong));
    assert_eq!(end, close::POLICY);
    let away = ServerMessage::Away { peer: second.peer };
    assert_eq!(ana.message().await, away);
    assert!(server.state.metrics.refusals(Reason::MessageRate) >= 100);
    calm.goes_on().await;
}

#[tokio::test]
async fn clients_of_the_other_dialects_are_told_in_their_own_words_and_then_the_end() {
    let server = TestServer::start(&[]).await;
    let mut calm = Calm::start(&server).await;
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
        let mut client = socket_at(&server, path).await;
        client.next().await.expect("a greeting");
        flood(&mut client, 1_000, Message::text(message)).await;
        let (said, end) = client.until_close().await;
        let said: Vec<_> = said.iter().filter_map(|it| it.to_text().ok()).collect();
        let error: serde_json::Value = serde_json::from_str(error).expect("JSON");
        let told = said
            .iter()
            .map(|text| serde_json::from_str(text).expect("JSON"));
        let told: Vec<serde_json::Value> = told.collect();
        // Once as a warning, once with the end.
        assert_eq!(told, [error.clone(), error], "{path}");
        assert_eq!(u16::from(end.code), close::POLICY, "{path}");
        calm.goes_on().await;
    }
}

#[tokio::test]
async fn sockets_of_all_dialects_count_together() {
    let server = TestServer::start(&["--max-sockets-per-address", "3"]).await;
    let code = server.ride().await;
    let _app = server.socket(&code).await;
    let _peerjs = socket_at(&server, "/peerjs?key=peerjs&id=ana&token=club").await;
    let _simple_peer = socket_at(&server, "/signal/club").await;
    let fourth = server.socket_from(&code, None).await.err();
    assert!(matches!(fourth, Some(Error::Http(answer)) if answer.status() == 429));
}

#[tokio::test]
async fn whoever_slows_down_when_told_stays_in_the_ride() {
    let server = TestServer::start(&["--messages-per-second", "20"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    flood(&mut ana, 30, Message::text(ClientMessage::Ping.to_json())).await;
    while !is_rate_limited(&ana.message().await) {}
    loop {
        // Each try that is still too early is dropped without a word.
        ana.say(&ClientMessage::Ping).await;
        let answer = timeout(Duration::from_millis(300), ana.message()).await;
        if let Ok(answer) = answer {
            return assert_eq!(answer, ServerMessage::Pong);
        }
    }
}

#[tokio::test]
async fn whoever_says_too_much_does_not_begin_anew_on_another_socket() {
    let server = TestServer::start(&["--relay-bytes-per-second", "16384"]).await;
    let path = "/peerjs?key=peerjs&id=ana&token=club";
    let large = Message::text("x".repeat(60_000));
    // Eight seconds' worth are two of them.
    for _ in 0..2 {
        let mut ana = socket_at(&server, path).await;
        ana.next().await.expect("open");
        ana.send(large.clone()).await;
        ana.send(Message::Close(None)).await;
        while ana.next().await.is_some() {}
    }
    let mut ana = socket_at(&server, path).await;
    ana.next().await.expect("open");
    ana.send(large).await;
    let error = r#"{"payload":{"msg":"Too many messages"},"type":"ERROR"}"#;
    assert_eq!(ana.next().await, Some(Message::text(error)));
}

#[tokio::test]
async fn telemetry_over_the_rate_is_dropped_and_costs_nobody_the_socket() {
    let server = TestServer::start(&["--relay-bytes-per-second", "65536"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    ana.message().await;
    for _ in 0..200 {
        ana.relay(Class::Telemetry, &[], b"watts").await;
    }
    ana.say(&ClientMessage::Ping).await;
    assert_eq!(ana.message().await, ServerMessage::Pong);
    let relayed = server.state.metrics.dialect(DialectName::App);
    let passed = relayed.relayed_messages(Traffic::Telemetry);
    // Eight seconds of 64 KiB, in frames that count 4 KiB each.
    assert!((128..200).contains(&passed), "{passed}");
    for _ in 0..passed {
        assert_eq!(ben.frame().await.2, b"watts");
    }
}

#[tokio::test]
async fn bulk_over_the_rate_is_answered_by_an_error_and_then_the_end() {
    let server = TestServer::start(&["--relay-bytes-per-second", "65536"]).await;
    let mut calm = Calm::start(&server).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (_ben, _) = server.join(&code).await;
    ana.message().await;
    let mut frame = vec![1, Class::Bulk as u8, 0, 0];
    frame.extend([7; 14_000]);
    flood(&mut ana, 1_000, Message::binary(frame)).await;
    let (words, end) = words_until_close(&mut ana).await;
    assert!(words.iter().any(is_rate_limited), "{words:?}");
    assert_eq!(end, close::POLICY);
    calm.goes_on().await;
}

#[tokio::test]
async fn whatever_one_socket_sends_another_ride_goes_on() {
    let server = TestServer::start(&[]).await;
    let mut calm = Calm::start(&server).await;
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
        hostile.send(message).await;
        assert_eq!(hostile.close_code().await, end);
        calm.goes_on().await;
    }
    flood_of_pings(&server, &code).await;
    calm.goes_on().await;
}

/// Control frames are messages too.
async fn flood_of_pings(server: &TestServer, code: &str) {
    let (mut hostile, _) = server.join(code).await;
    flood(&mut hostile, 1_000, Message::Ping(vec![0; 100].into())).await;
    assert_eq!(hostile.close_code().await, close::POLICY);
}

#[tokio::test]
async fn a_request_that_never_ends_its_head_is_given_up_and_others_are_served() {
    let server = TestServer::start(&["--header-timeout-ms", "300"]).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(server.address).await.expect("connects");
        stream
            .write_all(b"GET / HTTP/1.1\r\nx-slow: ")
            .await
            .expect("asks");
        slow.push(stream);
    }
    assert_eq!(server.health().await["status"], "ok");
    for mut stream in slow {
        let mut rest = Vec::new();
        let end = stream.read_to_end(&mut rest);
        let _ = timeout(Duration::from_secs(10), end)
            .await
            .expect("given up");
    }
    assert_eq!(server.state.metrics.refusals(Reason::SlowRequest), 50);
}

#[tokio::test]
async fn connections_of_one_address_are_bounded_and_the_next_is_told_so() {
    let flags = [
        "--max-connections-per-address",
        "3",
        "--header-timeout-ms",
        "600000",
    ];
    let server = TestServer::start(&flags).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(server.address).await.expect("connects"));
    }
    let mut fourth = TcpStream::connect(server.address).await.expect("connects");
    let mut answer = String::new();
    let end = fourth.read_to_string(&mut answer);
    timeout(Duration::from_secs(10), end)
        .await
        .expect("in time")
        .expect("text");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert_eq!(
        server.state.metrics.refusals(Reason::ConnectionsPerAddress),
        1
    );
    drop(held);
    while server.state.limits.connections.count_inside() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.health().await["status"], "ok");
}

#[tokio::test]
async fn five_hundred_sockets_of_one_address_are_half_of_them_too_many() {
    let server = TestServer::start(&[]).await;
    let mut calm = Calm::start(&server).await;
    let code = server.ride().await;
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..500 {
        match server.socket_from(&code, None).await {
            Ok(socket) => open.push(socket),
            Err(Error::Http(answer)) => {
                assert_eq!(answer.status(), 429);
                assert!(answer.headers().contains_key("retry-after"));
                refused += 1;
            }
            Err(other) => panic!("not answered: {other}"),
        }
    }
    // Two are the other ride's.
    assert_eq!((open.len(), refused), (254, 246));
    assert_eq!(
        server.state.metrics.refusals(Reason::SocketsPerAddress),
        246
    );
    calm.goes_on().await;
}

#[tokio::test]
async fn a_server_full_of_sockets_says_so_until_one_is_closed() {
    let server = TestServer::start(&["--max-sockets", "2"]).await;
    let code = server.ride().await;
    let first = server.socket(&code).await;
    let _second = server.socket(&code).await;
    let third = server.socket_from(&code, None).await.err();
    assert!(matches!(third, Some(Error::Http(answer)) if answer.status() == 503));
    drop(first);
    while server.socket_from(&code, None).await.is_err() {}
}

#[tokio::test]
async fn guessing_codes_ends_in_429_even_for_a_right_one() {
    let server = TestServer::start(&["--joins-per-minute-per-address", "3"]).await;
    let code = server.ride().await;
    let right = format!("/api/rides/{code}");
    assert_eq!(server.get(&right).await.status, 200);
    assert_eq!(server.get(UNKNOWN).await.status, 404);
    assert_eq!(
        server.get("/ride/brave-otter-0000/qr.svg").await.status,
        404
    );
    let mut guess = server.socket("brave-otter-0000").await;
    guess.hello(None).await;
    guess.until_close().await;
    for path in [UNKNOWN, &right, &format!("/ride/{code}/qr.svg")] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 429, "{path}");
        assert_eq!(answer.json()["error"]["code"], "rate-limited");
        let wait = answer.header("retry-after").parse::<u64>();
        assert!(wait.is_ok_and(|seconds| (1..=61).contains(&seconds)));
    }
    for socket in [&code, "no code"] {
        let mut rider = server.socket(&socket.replace(' ', "%20")).await;
        rider.hello(None).await;
        let (words, end) = words_until_close(&mut rider).await;
        assert!(words.iter().any(is_rate_limited), "{words:?}");
        assert_eq!(end, close::REFUSED);
    }
    assert_eq!(server.state.metrics.refusals(Reason::JoinRate), 5);
}

#[tokio::test]
async fn a_rider_who_comes_back_is_never_refused_as_somebody_who_guesses() {
    let flags = ["--joins-per-minute-per-address", "1"];
    let server = TestServer::start(&flags).await;
    let code = server.ride().await;
    let (ana, welcome) = server.join(&code).await;
    let token = format!("Bearer {}", welcome.token.expose());
    let own = [("authorization", token.as_str())];
    let resume = Resume {
        peer: welcome.peer.clone(),
        token: welcome.token.clone(),
        incarnation: Some(welcome.incarnation),
    };
    assert_eq!(server.get(UNKNOWN).await.status, 404);
    let right = format!("/api/rides/{code}");
    assert_eq!(server.get(&right).await.status, 429);
    assert_eq!(server.request("GET", &right, &own).await.status, 200);
    // Good for its own ride alone.
    assert_eq!(server.request("GET", UNKNOWN, &own).await.status, 429);
    drop(ana);
    let (_ana, again) = server.join_as(&code, Some(resume.clone())).await;
    assert_eq!(again.peer, welcome.peer);
    server.kill();
    // To a server that has forgotten the ride, in a club of many.
    let server = TestServer::start(&flags).await;
    for _ in 0..5 {
        assert_eq!(server.request("GET", &right, &own).await.status, 404);
    }
    assert_eq!(server.get(UNKNOWN).await.status, 404);
    let (_ana, again) = server.join_as(&code, Some(resume)).await;
    assert_eq!(again.peer, welcome.peer);
}

#[tokio::test]
async fn guessing_the_rooms_of_other_dialects_ends_in_a_refusal_in_their_words() {
    let flags = ["--new-rooms-per-minute-per-address", "3"];
    for (room, refusal) in [
        (
            "/signal/{}",
            r#"{"message":"Too many codes were tried. Wait a moment, then try again.","type":"error"}"#,
        ),
        (
            "/peerjs?key=peerjs&id=eve&token={}",
            r#"{"payload":{"msg":"Too many rooms were tried"},"type":"ERROR"}"#,
        ),
    ] {
        let server = TestServer::start(&flags).await;
        let mut members = Vec::new();
        let names = ["club", "guess", "another"];
        for name in names {
            members.push(socket_at(&server, &room.replace("{}", name)).await);
        }
        // Even the right one, since an answer would tell it from the others.
        for name in ["club", "third"] {
            let mut late = socket_at(&server, &room.replace("{}", name)).await;
            let (said, end) = late.until_close().await;
            assert_eq!(said, [Message::text(refusal)], "{room}");
            assert_eq!(u16::from(end.code), close::REFUSED);
        }
        assert_eq!(server.state.metrics.refusals(Reason::JoinRate), 2);
    }
}

#[tokio::test]
async fn whoever_knows_a_room_may_come_back_to_it_as_often_as_they_like() {
    let server = TestServer::start(&["--new-rooms-per-minute-per-address", "3"]).await;
    let mut host = socket_at(&server, "/signal/club").await;
    host.next().await.expect("who it is");
    let mut ana = socket_at(&server, "/peerjs?key=peerjs&id=ana&token=club").await;
    ana.next().await.expect("open");
    for number in 0..20 {
        for path in [
            "/signal/club".to_owned(),
            format!("/peerjs?key=peerjs&id=ben{number}&token=club"),
        ] {
            let mut guest = socket_at(&server, &path).await;
            let told = guest.next().await.expect("a word");
            let told = told.to_text().expect("text");
            assert!(!told.contains("Too many"), "{told}");
        }
        assert_ne!(server.get("/peerjs/id?token=club").await.status, 404);
    }
    assert_eq!(server.state.metrics.refusals(Reason::JoinRate), 0);
}

#[tokio::test]
async fn plain_requests_tell_nothing_of_rooms_to_whoever_guesses_tokens() {
    let server = TestServer::start(&["--new-rooms-per-minute-per-address", "3"]).await;
    for path in ["/peerjs/id", "/peerjs", "/peerjs/peerjs/peers"] {
        let answer = server.get(&format!("{path}?token=guess")).await;
        assert_ne!(answer.status, 429, "{path}");
    }
    for token in ["guess", "right"] {
        let answer = server.get(&format!("/peerjs/id?token={token}")).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.json()["error"]["code"], "rate-limited");
    }
    // Clients name no token when they ask for an id.
    let plain = server.get("/peerjs/peerjs/id?ts=1&version=1.5.5").await;
    assert_eq!(plain.status, 200);
}

#[tokio::test]
async fn without_rooms_whoever_guesses_the_token_of_an_id_is_refused_after_a_while() {
    let flags = ["--peerjs-rooms=off", "--new-rooms-per-minute-per-address=3"];
    let server = TestServer::start(&flags).await;
    let path = |id: &str, token: &str| format!("/peerjs?key=peerjs&id={id}&token={token}");
    let mut peers = Vec::new();
    for id in ["ana", "ben", "cleo", "dan", "eve"] {
        peers.push(socket_at(&server, &path(id, "random")).await);
    }
    for number in 0..4 {
        let mut guess = socket_at(&server, &path("ana", &format!("guess{number}"))).await;
        let (said, _) = guess.until_close().await;
        let told = said[0].to_text().expect("text");
        assert_eq!(told.contains("Too many rooms"), number == 3, "{told}");
    }
}

#[tokio::test]
async fn a_forged_forwarded_address_is_no_other_address() {
    let server = TestServer::start(&["--joins-per-minute-per-address", "3"]).await;
    let mut statuses = Vec::new();
    for number in 0..5 {
        let forged = format!("192.0.2.{number}");
        let headers = [("x-forwarded-for", forged.as_str())];
        statuses.push(server.request("GET", UNKNOWN, &headers).await.status);
    }
    assert_eq!(statuses, [404, 404, 404, 429, 429]);
}

#[tokio::test]
async fn guesses_from_many_addresses_behind_a_proxy_are_counted_together() {
    let flags = [BEHIND_A_PROXY.as_slice(), &["--joins-per-minute", "5"]].concat();
    let server = TestServer::start(&flags).await;
    let code = server.ride().await;
    let right = format!("/api/rides/{code}");
    let ask = async |path: &str, from: &str| {
        let headers = [("x-forwarded-for", from)];
        server.request("GET", path, &headers).await.status
    };
    assert_eq!(ask(&right, "198.51.100.1").await, 200);
    for number in 0..5 {
        assert_eq!(ask(UNKNOWN, &format!("192.0.2.{number}")).await, 404);
    }
    assert_eq!(ask(UNKNOWN, "192.0.2.99").await, 429);
    assert_eq!(ask(&right, "192.0.2.99").await, 429);
    // Whoever came in before comes in again.
    assert_eq!(ask(&right, "198.51.100.1").await, 200);
}

#[tokio::test]
async fn one_address_behind_a_proxy_does_not_use_up_anothers_rides() {
    let flags = [BEHIND_A_PROXY.as_slice(), &["--rides-per-hour", "1"]].concat();
    let server = TestServer::start(&flags).await;
    let start = async |from: &str| {
        let headers = [("x-forwarded-for", from)];
        server.post("/api/rides", &headers).await.status
    };
    assert_eq!(start("192.0.2.1").await, 201);
    // What the client wrote itself stands before what the proxy added.
    assert_eq!(start("203.0.113.7, 192.0.2.1").await, 429);
    assert_eq!(start("192.0.2.2").await, 201);
}

/// What a rider says when it comes back: to every rider with a direct link an
/// offer, an answer, and three batches of candidates.
async fn come_back(server: &TestServer, code: &str, before: &Welcome) -> Rider {
    let resume = Resume {
        peer: before.peer.clone(),
        token: before.token.clone(),
        incarnation: Some(before.incarnation),
    };
    let (mut rider, welcome) = server.join_as(code, Some(resume)).await;
    let sdp = || "v=0\r\n".repeat(600);
    let candidates = || vec!["{\"candidate\":\"udp 192.0.2.1\"}".to_owned(); 8];
    for member in welcome
        .members
        .iter()
        .filter(|it| it.number <= PeerNumber(16))
    {
        let batch = || Signal::Candidates {
            attempt: 1,
            candidates: candidates(),
        };
        let signals = [
            Signal::Offer {
                attempt: 1,
                sdp: sdp(),
            },
            Signal::Answer {
                attempt: 1,
                sdp: sdp(),
            },
            batch(),
            batch(),
            batch(),
        ];
        for signal in signals {
            let (to, incarnation) = (member.peer.clone(), member.incarnation);
            rider
                .say(&ClientMessage::Signal {
                    to,
                    incarnation,
                    signal,
                })
                .await;
        }
        rider.relay(Class::Telemetry, &[], &[0; 900]).await;
    }
    rider
}

#[tokio::test]
async fn thirty_two_riders_who_come_back_at_once_from_one_address_are_refused_nothing() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let mut riders = Vec::new();
    for _ in 0..32 {
        riders.push(server.join(&code).await);
    }
    let welcomes: Vec<_> = riders.into_iter().map(|(_, welcome)| welcome).collect();
    let back = join_all(welcomes.iter().map(|it| come_back(&server, &code, it))).await;
    for mut rider in back {
        rider.say(&ClientMessage::Ping).await;
        while !matches!(rider.next().await, Some(Message::Text(text)) if text.contains("\"pong\""))
        {
        }
    }
    let refused = Reason::ALL.map(|reason| server.state.metrics.refusals(reason));
    assert_eq!(refused.iter().sum::<u64>(), 0, "{refused:?}");
}

#[tokio::test]
async fn a_reader_who_stops_loses_telemetry_first_then_the_socket_and_delays_nobody() {
    let flags = [
        "--max-queue-bytes",
        "400000",
        "--relay-bytes-per-second",
        "0",
    ];
    let server = TestServer::start(&flags).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    ana.message().await;
    let (_unread, third) = server.join(&code).await;
    ana.message().await;
    ben.message().await;
    let payload = vec![7; 14_000];
    let mut times = Vec::new();
    // Telemetry alone never costs the socket, however much is not read.
    while dropped_telemetry(&server).await < 100 {
        let sent = Instant::now();
        ana.relay(Class::Telemetry, &[], &payload).await;
        assert_eq!(ben.frame().await.2.len(), payload.len());
        times.push(sent.elapsed());
        assert!(times.len() < 5_000, "nothing was ever dropped");
    }
    let away = ServerMessage::Away { peer: third.peer };
    loop {
        let sent = Instant::now();
        ana.relay(Class::Control, &[], &payload).await;
        match ben.next().await {
            Some(Message::Binary(_)) => times.push(sent.elapsed()),
            Some(Message::Text(text)) => {
                assert_eq!(ServerMessage::parse(&text).ok(), Some(away));
                break;
            }
            other => panic!("the reader who keeps up was cut off: {other:?}"),
        }
        assert!(
            times.len() < 10_000,
            "the reader who stopped was never cut off"
        );
    }
    let refused = server.state.metrics.refusals(Reason::SlowReader);
    assert_eq!(refused, 1);
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    assert!(p99 < Duration::from_millis(250), "{p99:?}");
}

async fn dropped_telemetry(server: &TestServer) -> u64 {
    let metrics = server.get("/metrics").await.json();
    metrics["metrics"]["queueDrops"]["telemetry"]
        .as_u64()
        .expect("a count")
}
