//! `/metrics`, `/health` and the log: complete, and without names of rides and
//! riders.

use protocol::peer::{DeliveryClass, LinkState};
use protocol::signaling::{
    AttemptOutcome, CandidateType, ClientMessage, LinkReport, OutcomeCount, Report,
};
use serde_json::Value;
use server::router::build_metrics_handler;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::log::LogBuffer;
use crate::support::{HttpResponse, Rider, TestServer, request_at};

async fn scrape(server: &TestServer, accept: &str) -> HttpResponse {
    server
        .request("GET", "/metrics", &[("accept", accept)])
        .await
}

async fn counts(server: &TestServer) -> Value {
    server.get("/metrics").await.json()["metrics"].clone()
}

#[tokio::test]
async fn browsers_get_json_with_the_current_values() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (mut ben, _) = server.join(&code).await;
    ana.message().await;
    ana.relay(DeliveryClass::Telemetry, &[], b"watts").await;
    ben.frame().await;
    let answer = scrape(&server, "text/html,application/json,*/*;q=0.8").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let page = answer.json();
    assert_eq!(page["status"], "ok");
    assert!(page["timestamp"].as_u64().is_some());
    let counts = &page["metrics"];
    assert_eq!(
        (&counts["activeRooms"], &counts["activePeers"]),
        (&1.into(), &2.into())
    );
    assert_eq!(counts["peers"]["app"], 2);
    assert_eq!(counts["relayed"]["app"]["telemetry"]["messages"], 1);
    assert_eq!(counts["relayed"]["app"]["telemetry"]["bytes"], 16);
    assert_eq!(counts["relaySeconds"]["count"], 1);
    assert_eq!(counts["errorRate"], 0.0);
    let rate = counts["messagesPerSecond"].as_f64();
    assert!(rate.is_some_and(|rate| rate > 0.0), "{counts}");
}

#[tokio::test]
async fn scrapers_get_text_in_the_format_they_accept() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (_ana, welcome) = server.join(&code).await;
    let text = scrape(&server, "text/plain;version=0.0.4;q=0.5,*/*;q=0.1").await;
    assert_eq!(
        text.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(
        text.body.contains("gruppetto_peers{dialect=\"app\"} 1\n"),
        "{}",
        text.body
    );
    assert!(text.body.contains("# TYPE gruppetto_joins_total counter\n"));
    let open = scrape(
        &server,
        "application/openmetrics-text;version=1.0.0,text/plain;q=0.5",
    )
    .await;
    assert!(
        open.header("content-type")
            .starts_with("application/openmetrics-text")
    );
    assert!(open.body.ends_with("# EOF\n"));
    for page in [text.body, open.body] {
        assert!(!page.contains(&code) && !page.contains(welcome.peer.as_str()));
    }
}

async fn client(server: &TestServer, path: &str) -> Rider {
    let mut client = server.raw_client(path).await;
    client.next().await.expect("a greeting");
    client
}

async fn next_signal(client: &mut Rider) -> String {
    loop {
        match client.next().await {
            Some(Message::Text(text)) if text.contains("\"signal\"") => return text.to_string(),
            Some(_) => {}
            None => panic!("the socket ended"),
        }
    }
}

#[tokio::test]
async fn rooms_peers_and_messages_are_counted_for_each_dialect() {
    let server = TestServer::start(&[]).await;
    let address = |id: &str| format!("/peerjs?key=peerjs&id={id}&token=club");
    let mut ana = client(&server, &address("ana")).await;
    let mut ben = client(&server, &address("ben")).await;
    let mut cleo = client(&server, "/signal/club").await;
    let mut dan = client(&server, "/signal/club").await;
    ana.send_raw(Message::text(
        r#"{"type":"OFFER","dst":"ben","payload":{}}"#,
    ))
    .await;
    ben.next().await.expect("the offer");
    dan.send_raw(Message::text(r#"{"type":"signal","signal":{}}"#))
        .await;
    let mut sent = vec![next_signal(&mut cleo).await.len()];
    dan.send_raw(Message::text(r#"{"type":"peer-left"}"#)).await;
    dan.send_raw(Message::text(r#"{"type":"signal","again":{}}"#))
        .await;
    let again = next_signal(&mut cleo).await;
    assert!(
        again.contains("again"),
        "the forged message was relayed: {again}"
    );
    sent.push(again.len());
    let counts = counts(&server).await;
    let one_each = serde_json::json!({ "app": 0, "peerjs": 1, "simple-peer": 1 });
    assert_eq!(counts["rooms"], one_each);
    assert_eq!(
        (&counts["activePeers"], &counts["peers"]["peerjs"]),
        (&4.into(), &2.into())
    );
    assert_eq!(counts["relayed"]["peerjs"]["signal"]["messages"], 1);
    let signals = &counts["relayed"]["simple-peer"]["signal"];
    assert_eq!(signals["messages"], 2);
    // Cleo received both signals, each with Dan's id added.
    assert_eq!(signals["bytes"], sent.iter().sum::<usize>());
    assert_eq!(counts["relaySeconds"]["count"], 3);
    let text = scrape(&server, "text/plain").await.body;
    let forged = "gruppetto_ignored_total{dialect=\"simple-peer\",why=\"forged\"} 1\n";
    assert!(text.contains(forged), "{text}");
    assert!(!text.contains("club"));
}

#[tokio::test]
async fn links_are_counted_as_reported_until_the_rider_disconnects() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (_ben, welcome) = server.join(&code).await;
    ana.message().await;
    let link = LinkReport {
        peer: welcome.peer,
        state: LinkState::Direct,
        connect_ms: Some(400),
        round_trip_ms: Some(40),
    };
    let report = Report {
        links: vec![link],
        attempts: 2,
        successes: 1,
        fallbacks: 0,
        outcomes: vec![
            OutcomeCount {
                outcome: AttemptOutcome::Direct,
                candidate: Some(CandidateType::ServerReflexive),
                count: 1,
            },
            OutcomeCount {
                outcome: AttemptOutcome::NoCandidates,
                candidate: None,
                count: 2,
            },
        ],
    };
    ana.send(&ClientMessage::Report(report)).await;
    ana.send(&ClientMessage::Ping).await;
    ana.message().await;
    let now = counts(&server).await;
    assert_eq!(now["links"]["direct"], 1);
    let tried = ["attempts", "successes", "fallbacks"].map(|name| now["p2p"][name].as_u64());
    assert_eq!(tried, [Some(2), Some(1), Some(0)]);
    assert_eq!(now["p2p"]["connectSeconds"]["p50"], 0.5);
    let outcomes = serde_json::json!([
        { "result": "success", "reason": "none", "candidate": "srflx", "count": 1 },
        { "result": "failure", "reason": "no-candidates", "candidate": "unknown", "count": 2 },
    ]);
    assert_eq!(now["p2p"]["outcomes"], outcomes);
    assert_eq!(now["p2p"]["roundTripSeconds"]["direct"]["p50"], 0.05);
    assert_eq!(now["p2p"]["roundTripSeconds"]["relayed"]["count"], 0);
    let text = scrape(&server, "text/plain").await.body;
    for line in [
        "gruppetto_link_attempts_total{result=\"success\",reason=\"none\",candidate=\"srflx\"} 1\n",
        "gruppetto_link_round_trip_seconds_bucket{le=\"0.05\",path=\"direct\"} 1\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    drop(ana);
    while counts(&server).await["links"]["direct"] != 0 {}
}

#[tokio::test]
async fn refusals_are_counted_by_reason() {
    let server = TestServer::start(&[]).await;
    assert_eq!(server.get("/api/rides/brave-otter-0000").await.status, 404);
    let foreign = [("origin", "https://evil.example")];
    assert_eq!(server.post("/api/rides", &foreign).await.status, 403);
    assert_eq!(server.get("/nothing").await.status, 404);
    let counts = counts(&server).await;
    let expected = serde_json::json!({ "no-such-ride": 1, "foreign-origin": 1 });
    assert_eq!(counts["refusals"], expected);
    assert_eq!(counts["errorRate"], 1.0);
}

#[tokio::test]
async fn gauges_return_to_zero_when_rides_and_sockets_end() {
    let server = TestServer::start(&["--room-ttl-ms", "100", "--grace-ms", "100"]).await;
    let code = server.ride().await;
    let (mut ana, _) = server.join(&code).await;
    let (ben, _) = server.join(&code).await;
    assert_eq!(counts(&server).await["activeSockets"], 2);
    ana.send(&ClientMessage::Leave).await;
    ana.read_until_close().await;
    drop((ana, ben));
    loop {
        let counts = counts(&server).await;
        let now = ["activeRooms", "activePeers", "activeSockets"].map(|name| &counts[name]);
        if now == [0, 0, 0].map(Value::from).each_ref() {
            return;
        }
    }
}

#[tokio::test]
async fn metrics_need_a_token_even_from_this_machine_because_proxies_run_there_too() {
    const TOKEN: &str = "a token for scrapers";
    let server = TestServer::start(&["--metrics", "token"]).await;
    let answer = server.get("/metrics").await;
    assert_eq!(
        (answer.status, &answer.json()["error"]["code"]),
        (403, &"forbidden".into())
    );
    let server = TestServer::start(&["--metrics", "token", "--metrics-token", TOKEN]).await;
    let bearer = format!("Bearer {TOKEN}");
    for (authorization, status) in [
        (bearer.as_str(), 200),
        ("Bearer guessed", 403),
        (TOKEN, 403),
    ] {
        let headers = [("authorization", authorization)];
        let answer = server.request("GET", "/metrics", &headers).await;
        assert_eq!(answer.status, status, "{authorization}");
    }
    let server = TestServer::start(&["--metrics", "off"]).await;
    assert_eq!(server.get("/metrics").await.status, 404);
}

#[tokio::test]
async fn metrics_are_readable_at_their_own_address_while_the_server_is_full() {
    let flags = [
        "--metrics",
        "token",
        "--max-connections",
        "1",
        "--header-timeout-ms",
        "600000",
    ];
    let server = TestServer::start(&flags).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let handler = build_metrics_handler(server.state.clone());
    tokio::spawn(server::serve_metrics(listener, handler));
    let _held = TcpStream::connect(server.address).await.expect("connects");
    while server.state.limits.connections.open_count() < 1 {
        tokio::task::yield_now().await;
    }
    let answer = request_at(address, "GET", "/metrics", &[]).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "ok");
}

#[tokio::test]
async fn health_begins_with_status_timestamp_and_version() {
    let server = TestServer::start(&[]).await;
    let body = server.get("/health").await.body;
    let keys: Vec<_> = body.split('"').skip(1).step_by(2).collect();
    assert_eq!(keys[..3], ["status", "ok", "timestamp"], "{body}");
    assert!(body.starts_with("{\"status\":\"ok\",\"timestamp\":"));
    assert_eq!(keys[3], "version");
}

// On one thread, because the log is captured per thread.
#[tokio::test(flavor = "current_thread")]
async fn the_log_distinguishes_peers_that_left_from_lost_connections() {
    let (log, _logging) = LogBuffer::start();
    let server = TestServer::start(&[]).await;
    for path in ["/signal/club", "/peerjs?key=peerjs&id=ana&token=club"] {
        for says_goodbye in [true, false] {
            let client = server.client(path).await;
            match says_goodbye {
                true => client.close().await,
                false => client.drop_connection(),
            }
            while counts(&server).await["activeSockets"] != 0 {}
        }
    }
    let (text, lines) = log.read();
    let left = lines.iter().filter(|line| line["message"] == "left");
    let causes: Vec<_> = left
        .map(|line| [&line["dialect"], &line["cause"]].map(Value::as_str))
        .collect();
    let expected = [
        ["simple-peer", "left"],
        ["simple-peer", "lost"],
        ["peerjs", "left"],
        ["peerjs", "lost"],
    ];
    assert_eq!(causes, expected.map(|one| one.map(Some)), "{text}");
}

// On one thread, because the log is captured per thread.
#[tokio::test(flavor = "current_thread")]
async fn the_log_has_a_line_per_join_leave_and_refusal_without_codes_and_ids() {
    let (log, _logging) = LogBuffer::start();
    let server = TestServer::start(&["--messages-per-second", "20"]).await;
    let code = server.ride().await;
    let (mut ana, welcome) = server.join(&code).await;
    for _ in 0..200 {
        let ping = Message::text("{\"type\":\"ping\",\"secret\":\"payload\"}");
        if futures_util::SinkExt::send(&mut ana.socket, ping)
            .await
            .is_err()
        {
            break;
        }
    }
    ana.read_until_close().await;
    let (mut ben, _) = server.join(&code).await;
    ben.send(&ClientMessage::Leave).await;
    ben.read_until_close().await;
    let mut lost = server.socket("brave-otter-0000").await;
    lost.hello(None).await;
    lost.read_until_close().await;
    let (text, lines) = log.read();
    let count = |message: &str| {
        lines
            .iter()
            .filter(|line| line["message"] == message)
            .count()
    };
    assert_eq!((count("joined"), count("left")), (2, 2), "{text}");
    let reasons: Vec<_> = lines
        .iter()
        .filter_map(|line| line["reason"].as_str())
        .collect();
    assert_eq!(reasons, ["message-rate", "message-rate", "no-such-ride"]);
    for secret in [
        code.as_str(),
        welcome.peer.as_str(),
        "brave-otter",
        "payload",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
