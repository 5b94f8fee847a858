//! Guessed codes and tokens, forged addresses, and returning riders, who must not
//! be mistaken for either.

use futures_util::future::join_all;
use protocol::peer::{DeliveryClass, PeerNumber};
use protocol::signaling::{ClientMessage, Resume, Signal, Welcome, close};
use server::error::RefusalReason;
use tokio_tungstenite::tungstenite::Message;

use super::{is_rate_limited, messages_until_close};
use crate::support::{Rider, TestServer};

const UNKNOWN: &str = "/api/rides/brave-otter-0000";
const BEHIND_A_PROXY: [&str; 2] = ["--trusted-proxies", "127.0.0.1"];

#[tokio::test]
async fn after_too_many_unknown_codes_even_a_valid_code_gets_429() {
    let server = TestServer::start(&["--joins-per-minute-per-address", "3"]).await;
    let code = server.ride().await;
    let valid = format!("/api/rides/{code}");
    assert_eq!(server.get(&valid).await.status, 200);
    assert_eq!(server.get(UNKNOWN).await.status, 404);
    assert_eq!(
        server.get("/ride/brave-otter-0000/qr.svg").await.status,
        404
    );
    let mut guess = server.socket("brave-otter-0000").await;
    guess.hello(None).await;
    guess.read_until_close().await;
    for path in [UNKNOWN, &valid, &format!("/ride/{code}/qr.svg")] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 429, "{path}");
        assert_eq!(answer.json()["error"]["code"], "rate-limited");
        let wait = answer.header("retry-after").parse::<u64>();
        assert!(wait.is_ok_and(|seconds| (1..=61).contains(&seconds)));
    }
    for socket in [&code, "no code"] {
        let mut rider = server.socket(&socket.replace(' ', "%20")).await;
        rider.hello(None).await;
        let (messages, end) = messages_until_close(&mut rider).await;
        assert!(messages.iter().any(is_rate_limited), "{messages:?}");
        assert_eq!(end, close::REFUSED);
    }
    assert_eq!(server.state.metrics.refusals(RefusalReason::JoinRate), 5);
}

#[tokio::test]
async fn a_returning_rider_is_exempt_from_the_limit_on_unknown_codes() {
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
    let valid = format!("/api/rides/{code}");
    assert_eq!(server.get(&valid).await.status, 429);
    assert_eq!(server.request("GET", &valid, &own).await.status, 200);
    // The token is valid for its own ride only.
    assert_eq!(server.request("GET", UNKNOWN, &own).await.status, 429);
    drop(ana);
    let (_ana, again) = server.join_as(&code, Some(resume.clone())).await;
    assert_eq!(again.peer, welcome.peer);
    server.kill();
    // A restarted server has lost the ride, and many riders share the address.
    let server = TestServer::start(&flags).await;
    for _ in 0..5 {
        assert_eq!(server.request("GET", &valid, &own).await.status, 404);
    }
    assert_eq!(server.get(UNKNOWN).await.status, 404);
    let (_ana, again) = server.join_as(&code, Some(resume)).await;
    assert_eq!(again.peer, welcome.peer);
}

#[tokio::test]
async fn third_party_clients_that_open_too_many_rooms_are_refused_in_their_dialect() {
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
            members.push(server.raw_client(&room.replace("{}", name)).await);
        }
        // Even the existing room is refused: an answer would reveal that it exists.
        for name in ["club", "third"] {
            let mut late = server.raw_client(&room.replace("{}", name)).await;
            let (received, end) = late.read_until_close().await;
            assert_eq!(received, [Message::text(refusal)], "{room}");
            assert_eq!(u16::from(end.code), close::REFUSED);
        }
        assert_eq!(server.state.metrics.refusals(RefusalReason::JoinRate), 2);
    }
}

#[tokio::test]
async fn joining_an_existing_room_is_not_limited() {
    let server = TestServer::start(&["--new-rooms-per-minute-per-address", "3"]).await;
    let mut host = server.raw_client("/signal/club").await;
    host.next().await.expect("its id");
    let mut ana = server
        .raw_client("/peerjs?key=peerjs&id=ana&token=club")
        .await;
    ana.next().await.expect("open");
    for number in 0..20 {
        for path in [
            "/signal/club".to_owned(),
            format!("/peerjs?key=peerjs&id=ben{number}&token=club"),
        ] {
            let mut client = server.raw_client(&path).await;
            let told = client.next().await.expect("a message");
            let told = told.to_text().expect("text");
            assert!(!told.contains("Too many"), "{told}");
        }
        assert_ne!(server.get("/peerjs/id?token=club").await.status, 404);
    }
    assert_eq!(server.state.metrics.refusals(RefusalReason::JoinRate), 0);
}

#[tokio::test]
async fn plain_requests_with_guessed_tokens_are_limited_too() {
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
    // PeerJS clients pass no token when they request an id.
    let plain = server.get("/peerjs/peerjs/id?ts=1&version=1.5.5").await;
    assert_eq!(plain.status, 200);
}

#[tokio::test]
async fn without_rooms_guessing_the_token_of_an_id_is_limited() {
    let flags = ["--peerjs-rooms=off", "--new-rooms-per-minute-per-address=3"];
    let server = TestServer::start(&flags).await;
    let path = |id: &str, token: &str| format!("/peerjs?key=peerjs&id={id}&token={token}");
    let mut peers = Vec::new();
    for id in ["ana", "ben", "cleo", "dan", "eve"] {
        peers.push(server.raw_client(&path(id, "random")).await);
    }
    for number in 0..4 {
        let mut guess = server
            .raw_client(&path("ana", &format!("guess{number}")))
            .await;
        let (received, _) = guess.read_until_close().await;
        let told = received[0].to_text().expect("text");
        assert_eq!(told.contains("Too many rooms"), number == 3, "{told}");
    }
}

#[tokio::test]
async fn a_forged_forwarded_address_does_not_count_as_another_address() {
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
    let valid = format!("/api/rides/{code}");
    let ask = async |path: &str, from: &str| {
        let headers = [("x-forwarded-for", from)];
        server.request("GET", path, &headers).await.status
    };
    assert_eq!(ask(&valid, "198.51.100.1").await, 200);
    for number in 0..5 {
        assert_eq!(ask(UNKNOWN, &format!("192.0.2.{number}")).await, 404);
    }
    assert_eq!(ask(UNKNOWN, "192.0.2.99").await, 429);
    assert_eq!(ask(&valid, "192.0.2.99").await, 429);
    // An address that used a valid code before is still admitted.
    assert_eq!(ask(&valid, "198.51.100.1").await, 200);
}

#[tokio::test]
async fn addresses_behind_a_proxy_have_separate_limits_on_ride_starts() {
    let flags = [BEHIND_A_PROXY.as_slice(), &["--rides-per-hour", "1"]].concat();
    let server = TestServer::start(&flags).await;
    let start = async |from: &str| {
        let headers = [("x-forwarded-for", from)];
        server.post("/api/rides", &headers).await.status
    };
    assert_eq!(start("192.0.2.1").await, 201);
    // The proxy appends the real address to what the client has forged.
    assert_eq!(start("203.0.113.7, 192.0.2.1").await, 429);
    assert_eq!(start("192.0.2.2").await, 201);
}

/// Rejoins with a resume token and sends an offer, an answer and three batches of
/// candidates to every rider with a direct link.
async fn reconnect(server: &TestServer, code: &str, before: &Welcome) -> Rider {
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
                .send(&ClientMessage::Signal {
                    to,
                    incarnation,
                    signal,
                })
                .await;
        }
        rider.relay(DeliveryClass::Telemetry, &[], &[0; 900]).await;
    }
    rider
}

#[tokio::test]
async fn thirty_two_riders_of_one_address_can_reconnect_at_once_without_a_refusal() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let mut riders = Vec::new();
    for _ in 0..32 {
        riders.push(server.join(&code).await);
    }
    let welcomes: Vec<_> = riders.into_iter().map(|(_, welcome)| welcome).collect();
    let back = join_all(welcomes.iter().map(|it| reconnect(&server, &code, it))).await;
    for mut rider in back {
        rider.send(&ClientMessage::Ping).await;
        while !matches!(rider.next().await, Some(Message::Text(text)) if text.contains("\"pong\""))
        {
        }
    }
    let refused = RefusalReason::ALL.map(|reason| server.state.metrics.refusals(reason));
    assert_eq!(refused.iter().sum::<u64>(), 0, "{refused:?}");
}
