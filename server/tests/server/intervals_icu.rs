//! Calls to intervals.icu: off unless set, and passed on to a stand-in without anything
//! but what they need.

mod stand_in;

use std::collections::BTreeSet;
use std::future::pending;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use clap::Parser;
use futures_util::{StreamExt, stream};
use serde_json::json;
use server::config::Config;
use server::error::RefusalReason;
use server::intervals_icu::{Call, CallError, Service};
use server::limits::ConnectionLimiter;
use server::tls::{Roots, browser_roots};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tracing::Level;

use crate::check::tls;
use crate::log::LogBuffer;
use crate::support::{HttpResponse, TestServer};
use stand_in::{StandIn, passing_on_to};

const EVENTS: &str = "/intervals-icu/api/v1/athlete/0/events";
const ACTIVITIES: &str = "/intervals-icu/api/v1/athlete/0/activities";
/// Basic authentication of `API_KEY:secret`.
const KEY: &str = "Basic QVBJX0tFWTpzZWNyZXQ=";

/// Head of a call from a page of the server.
fn head(server: &TestServer, line: &str, headers: &[(&str, &str)]) -> String {
    let mut head = format!(
        "{line} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\nx-requested-with: gruppetto\r\n",
        server.address
    );
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + "\r\n"
}

async fn call(server: &TestServer, line: &str, headers: &[(&str, &str)]) -> HttpResponse {
    server.raw_request(&head(server, line, headers)).await
}

async fn upload(server: &TestServer, headers: &[(&str, &str)], body: &str) -> HttpResponse {
    let length = body.len().to_string();
    let mut with_length = vec![("content-length", length.as_str())];
    with_length.extend(headers);
    let head = head(server, &format!("POST {ACTIVITIES}"), &with_length);
    server.raw_request(&(head + body)).await
}

async fn events(server: &TestServer) -> HttpResponse {
    call(server, &format!("GET {EVENTS}"), &[]).await
}

fn assert_error(answer: &HttpResponse, status: u16, code: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.json()["error"]["code"], code);
    assert_eq!(answer.header("cache-control"), "no-store");
}

/// Stand-in that refuses nothing.
async fn empty_list() -> StandIn {
    StandIn::start(async || "[]").await
}

#[tokio::test]
async fn it_is_off_unless_a_setting_says_otherwise() {
    let mut stand_in = empty_list().await;
    let url = format!("http://{}", stand_in.address);
    let server = TestServer::start(&["--intervals-icu-url", &url]).await;
    let access = server.get("/api/intervals-icu").await;
    assert_eq!(access.status, 200);
    assert_eq!(access.json(), json!({ "url": null, "pass_through": false }));
    assert_eq!(access.header("cache-control"), "no-store");
    assert!(
        access
            .header("content-security-policy")
            .contains("connect-src 'self';")
    );
    assert_error(&events(&server).await, 404, "not-found");
    stand_in.received_nothing();
}

#[tokio::test]
async fn pages_may_call_it_directly_without_a_pass_through() {
    let mut stand_in = empty_list().await;
    let url = format!("http://{}", stand_in.address);
    let flags = ["--intervals-icu=direct", "--intervals-icu-url", &url];
    let server = TestServer::start(&flags).await;
    let access = server.get("/api/intervals-icu").await;
    assert_eq!(access.json(), json!({ "url": url, "pass_through": false }));
    let sources = format!("connect-src 'self' {url};");
    let policy = access.header("content-security-policy");
    assert!(policy.contains(&sources), "{policy}");
    assert_error(&events(&server).await, 404, "not-found");
    stand_in.received_nothing();
}

#[tokio::test]
async fn with_the_pass_through_pages_may_still_try_it_directly() {
    let server = TestServer::start(&["--intervals-icu=pass-through"]).await;
    let access = server.get("/api/intervals-icu").await;
    let url = "https://intervals.icu";
    assert_eq!(access.json(), json!({ "url": url, "pass_through": true }));
    let policy = access.header("content-security-policy");
    assert!(policy.contains("connect-src 'self' https://intervals.icu;"));
}

#[tokio::test]
async fn the_key_the_query_and_the_upload_arrive_unchanged_and_no_other_header_does() {
    let mut stand_in = empty_list().await;
    let server = stand_in.server(&[]).await;
    let own = format!("http://{}", server.address);
    let unwanted = [
        ("cookie", "session=1"),
        ("origin", &*own),
        ("referer", &*own),
        ("user-agent", "a browser"),
        ("accept-encoding", "gzip"),
        ("accept-language", "de"),
        ("x-forwarded-for", "192.0.2.1"),
        ("if-none-match", "\"1\""),
        ("range", "bytes=0-1"),
        ("sec-fetch-site", "same-origin"),
    ];
    let query = "category=WORKOUT&ext=zwo&oldest=2026-05-01&resolve=true&a=%2F..%2f";
    let wanted = [("accept", "application/json"), ("authorization", KEY)];
    let headers = [&unwanted[..], &wanted].concat();
    let answer = call(&server, &format!("GET {EVENTS}?{query}"), &headers).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "[]"));
    let received = stand_in.next().await;
    assert_eq!(
        received.line,
        format!("GET /api/v1/athlete/0/events?{query}")
    );
    assert_eq!(received.headers["authorization"], KEY);
    assert_eq!(received.headers["accept"], "application/json");
    let names: BTreeSet<_> = received.headers.keys().map(|name| name.as_str()).collect();
    let expected = [
        "accept",
        "accept-encoding",
        "authorization",
        "host",
        "user-agent",
    ];
    assert_eq!(names, expected.into());
    assert_eq!(received.headers["host"], stand_in.address.to_string());
    assert_eq!(received.headers["accept-encoding"], "identity");
    let agent = received.headers["user-agent"].to_str().expect("text");
    assert!(agent.starts_with("gruppetto/"), "{agent}");

    let file = "--cut\r\ncontent-disposition: form-data; name=\"file\"\r\n\r\n\u{0}\u{e9}\r\n\r\n--cut--\r\n";
    let kind = "multipart/form-data; boundary=cut";
    let wanted = [("content-type", kind), ("authorization", KEY)];
    let headers = [&unwanted[..], &wanted].concat();
    assert_eq!(upload(&server, &headers, file).await.status, 200);
    let received = stand_in.next().await;
    assert_eq!(received.line, "POST /api/v1/athlete/0/activities");
    assert_eq!(received.body, file);
    assert_eq!(received.headers["content-length"], file.len().to_string());
    assert_eq!(received.headers["content-type"], kind);
    assert_eq!(received.headers["authorization"], KEY);
    assert!(!received.headers.contains_key("cookie"));
}

#[tokio::test]
async fn an_upload_of_unknown_length_is_passed_on_in_chunks() {
    let mut stand_in = empty_list().await;
    let server = stand_in.server(&[]).await;
    let chunked = [("transfer-encoding", "chunked")];
    let head = head(&server, &format!("POST {ACTIVITIES}"), &chunked);
    let body = "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    let answer = server.raw_request(&(head + body)).await;
    assert_eq!(answer.status, 200);
    let received = stand_in.next().await;
    assert_eq!(received.headers["transfer-encoding"], "chunked");
    assert_eq!(received.body, "abcde");
}

#[tokio::test]
async fn status_type_body_and_retry_after_come_back_and_no_other_header_does() {
    let stand_in = StandIn::start(async || {
        let headers = [
            ("content-type", "application/problem+json"),
            ("retry-after", "7"),
            ("set-cookie", "session=1"),
            ("www-authenticate", "Basic"),
            ("cache-control", "public, max-age=600"),
            ("access-control-allow-origin", "*"),
            ("server", "theirs"),
            ("x-frame-options", "ALLOWALL"),
        ];
        (StatusCode::UNAUTHORIZED, headers, "no")
    })
    .await;
    let server = stand_in.server(&[]).await;
    let answer = events(&server).await;
    assert_eq!((answer.status, answer.body.as_str()), (401, "no"));
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.header("content-length"), "2");
    assert_eq!(answer.header("retry-after"), "7");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-frame-options"), "DENY");
    for name in [
        "set-cookie",
        "www-authenticate",
        "access-control-allow-origin",
        "server",
    ] {
        assert_eq!(answer.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn other_calls_and_hosts_are_refused() {
    let mut stand_in = empty_list().await;
    let server = stand_in.server(&[]).await;
    for line in [
        "GET /intervals-icu/",
        "GET /intervals-icu/api/v1/athlete/0",
        "GET /intervals-icu/api/v1/athlete/0/wellness",
        "GET /intervals-icu/api/v1/athlete/0/activities",
        "GET /intervals-icu/api/v1/athlete/0/events/1",
        "GET /intervals-icu/api/v1/athlete/0/events/",
        "GET /intervals-icu/api/v1/athlete/..%2f0/events",
        "GET /intervals-icu/api/v1/athlete/../athlete/0/events",
        "GET /intervals-icu/api/v1/athlete/%ff/events",
        "GET /intervals-icu//evil.example/api/v1/athlete/0/events",
        "GET /intervals-icu/@evil.example/api/v1/athlete/0/events",
        "GET /intervals-icu/http://evil.example/api/v1/athlete/0/events",
        "POST /intervals-icu/api/v1/athlete/0/events",
        "HEAD /intervals-icu/api/v1/athlete/0/events",
        "PUT /intervals-icu/api/v1/athlete/0/activities",
        "DELETE /intervals-icu/api/v1/athlete/0/events",
    ] {
        let answer = call(&server, line, &[("authorization", KEY)]).await;
        assert_eq!(answer.status, 404, "{line}");
        if !line.starts_with("HEAD") && !line.ends_with("icu/") {
            assert_error(&answer, 404, "not-found");
        }
    }
    stand_in.received_nothing();
    // The host of an absolute address is not the one that is called.
    let line = format!("GET http://evil.example{EVENTS}");
    assert_eq!(call(&server, &line, &[]).await.status, 200);
    assert_eq!(stand_in.next().await.line, "GET /api/v1/athlete/0/events");
}

#[tokio::test]
async fn only_pages_of_the_server_may_use_it() {
    let mut stand_in = empty_list().await;
    let server = stand_in.server(&[]).await;
    let marked = ("x-requested-with", "gruppetto");
    let foreign = ("origin", "https://evil.example");
    let own = format!("http://{}", server.address);
    for headers in [
        &[][..],
        &[("x-requested-with", "XMLHttpRequest")],
        &[foreign, marked],
    ] {
        for (method, path) in [("GET", EVENTS), ("POST", ACTIVITIES)] {
            let answer = server.request(method, path, headers).await;
            assert_error(&answer, 403, "foreign-origin");
        }
    }
    let asks = ("access-control-request-headers", "x-requested-with");
    for origin in [foreign, ("origin", &own)] {
        let preflight = server.request("OPTIONS", EVENTS, &[origin, asks]).await;
        assert!([403, 404].contains(&preflight.status));
        assert_eq!(preflight.header("access-control-allow-origin"), "");
        assert_eq!(preflight.header("access-control-allow-headers"), "");
    }
    stand_in.received_nothing();
    for headers in [&[marked][..], &[marked, ("origin", &own)]] {
        let answer = server.request("GET", EVENTS, headers).await;
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn an_upload_over_the_limit_is_refused() {
    let mut stand_in = empty_list().await;
    let server = stand_in
        .server(&["--intervals-icu-max-upload-bytes=65536"])
        .await;
    let line = format!("POST {ACTIVITIES}");
    let announced = call(&server, &line, &[("content-length", "65537")]).await;
    assert_error(&announced, 413, "too-large");
    let head = head(&server, &line, &[("transfer-encoding", "chunked")]);
    let body = format!("{:x}\r\n{}", 65_537, "a".repeat(65_537));
    let streamed = server.raw_request(&(head + &body)).await;
    assert_error(&streamed, 413, "too-large");
    stand_in.received_nothing();
    assert_eq!(server.state.metrics.refusals(RefusalReason::TooLarge), 2);
    let largest = upload(&server, &[], &"a".repeat(65_536)).await;
    assert_eq!(largest.status, 200);
    assert_eq!(stand_in.next().await.body.len(), 65_536);
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_an_error_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let server = passing_on_to(&format!("http://{address}"), &[]).await;
    let closing = tokio::spawn(async move { drop(listener.accept().await) });
    assert_error(&events(&server).await, 502, "service-unreachable");
    closing
        .await
        .expect("closes the connection and the listener");
    assert_error(&events(&server).await, 502, "service-unreachable");
    let counted = RefusalReason::ServiceUnreachable;
    assert_eq!(server.state.metrics.refusals(counted), 2);
}

#[tokio::test]
async fn a_service_that_does_not_answer_is_waited_for_only_so_long() {
    let stand_in = StandIn::start(async || pending::<()>().await).await;
    let server = stand_in.server(&["--intervals-icu-timeout-ms=300"]).await;
    assert_error(&events(&server).await, 504, "service-timeout");
    assert_eq!(server.state.limits.open_service_calls.open_count(), 0);
}

#[tokio::test]
async fn an_upload_that_does_not_arrive_is_waited_for_only_so_long() {
    let stand_in = empty_list().await;
    let server = stand_in.server(&["--intervals-icu-timeout-ms=300"]).await;
    let length = [("content-length", "10")];
    let answer = call(&server, &format!("POST {ACTIVITIES}"), &length).await;
    assert_error(&answer, 504, "service-timeout");
}

#[tokio::test]
async fn a_service_that_does_not_complete_tls_is_waited_for_only_so_long() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let flags = ["--intervals-icu-connect-timeout-ms=300"];
    let server = passing_on_to(&format!("https://{address}"), &flags).await;
    assert_error(&events(&server).await, 504, "service-timeout");
}

#[tokio::test]
async fn redirects_are_not_followed_and_compressed_answers_not_passed_on() {
    for (status, name, value) in [
        (StatusCode::FOUND, "location", "/elsewhere"),
        (StatusCode::TEMPORARY_REDIRECT, "location", "/elsewhere"),
        (StatusCode::NOT_MODIFIED, "etag", "\"1\""),
        (StatusCode::OK, "content-encoding", "gzip"),
    ] {
        let answer = async move || (status, [(name, value)], "elsewhere");
        let mut stand_in = StandIn::start(answer).await;
        let server = stand_in.server(&[]).await;
        let answer = events(&server).await;
        assert_error(&answer, 502, "bad-service-answer");
        assert_eq!(answer.header("location"), "");
        stand_in.next().await;
        stand_in.received_nothing();
    }
}

/// Answer of a length that its head does not tell.
fn streamed(length: usize) -> Response {
    let pieces = stream::iter(vec!["a".repeat(length / 16); 16]);
    Body::from_stream(pieces.map(Ok::<_, std::io::Error>)).into_response()
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused_or_cut_off() {
    const LIMIT: &str = "--intervals-icu-max-answer-bytes=65536";
    let announced = StandIn::start(async || "a".repeat(65_537)).await;
    let server = announced.server(&[LIMIT]).await;
    assert_error(&events(&server).await, 502, "bad-service-answer");

    const END: &str = "\r\n0\r\n\r\n";
    let over = StandIn::start(async || streamed(65_552)).await;
    let server = over.server(&[LIMIT]).await;
    let answer = events(&server).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.body.ends_with(END), "the end of a whole answer");
    let exact = StandIn::start(async || streamed(65_536)).await;
    let server = exact.server(&[LIMIT]).await;
    assert!(events(&server).await.body.ends_with(END));
}

/// Answer that begins and does not end.
fn endless() -> Response {
    let first = stream::once(async { Ok::<_, std::io::Error>("beginning") });
    Body::from_stream(first.chain(stream::pending())).into_response()
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_cut_off_at_the_time_limit() {
    let stand_in = StandIn::start(async || endless()).await;
    let server = stand_in.server(&["--intervals-icu-timeout-ms=2000"]).await;
    let answer = events(&server).await;
    assert!(answer.body.contains("beginning"));
    assert!(!answer.body.ends_with("\r\n0\r\n\r\n"), "cut off");
}

#[tokio::test]
async fn a_call_whose_answer_is_not_read_ends_at_the_time_limit() {
    let mut stand_in = StandIn::start(async || "a".repeat(32 * 1024 * 1024)).await;
    let server = stand_in.server(&["--intervals-icu-timeout-ms=300"]).await;
    let mut unread = TcpStream::connect(server.address).await.expect("connects");
    let head = head(&server, &format!("GET {EVENTS}"), &[]);
    unread.write_all(head.as_bytes()).await.expect("sends");
    stand_in.next().await;
    while server.state.limits.open_service_calls.open_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn open_calls_are_limited_per_address_and_in_total() {
    let mut stand_in = StandIn::start(async || pending::<()>().await).await;
    let flags = ["--trusted-proxies=127.0.0.1", "--intervals-icu-max-calls=8"];
    let server = stand_in.server(&flags).await;
    let mut open = Vec::new();
    for number in 0..8 {
        let client = format!("192.{number}.2.1");
        let from = [("x-forwarded-for", client.as_str())];
        let head = head(&server, &format!("GET {EVENTS}"), &from);
        let mut stream = TcpStream::connect(server.address).await.expect("connects");
        stream.write_all(head.as_bytes()).await.expect("sends");
        stand_in.next().await;
        open.push(stream);
        if number < 7 {
            let second = call(&server, &format!("GET {EVENTS}"), &from).await;
            assert_error(&second, 429, "too-many-calls");
            assert_eq!(second.header("retry-after"), "5");
        }
    }
    let from = [("x-forwarded-for", "203.0.113.1")];
    let next = call(&server, &format!("GET {EVENTS}"), &from).await;
    assert_error(&next, 503, "too-many-calls");
    assert_eq!(next.header("retry-after"), "5");
    stand_in.received_nothing();
    // A page that is closed ends its calls.
    drop(open);
    while server.state.limits.open_service_calls.open_count() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn calls_are_limited_per_address_and_minute() {
    let stand_in = empty_list().await;
    let flags = ["--intervals-icu-calls-per-minute-per-address=2"];
    let server = stand_in.server(&flags).await;
    for _ in 0..2 {
        assert_eq!(events(&server).await.status, 200);
    }
    let third = events(&server).await;
    assert_error(&third, 429, "rate-limited");
    let wait: u64 = third.header("retry-after").parse().expect("seconds");
    assert!((1..=31).contains(&wait), "{wait}");
    let counted = RefusalReason::ServiceCallRate;
    assert_eq!(server.state.metrics.refusals(counted), 1);
    assert_eq!(server.state.limits.open_service_calls.open_count(), 0);
}

#[tokio::test]
async fn a_server_that_shuts_down_passes_nothing_on() {
    let mut stand_in = empty_list().await;
    let server = stand_in.server(&[]).await;
    server.state.draining.begin();
    assert_error(&events(&server).await, 503, "draining");
    stand_in.received_nothing();
}

// On one thread, because the log is captured per thread.
#[tokio::test(flavor = "current_thread")]
async fn nothing_of_a_call_is_in_the_log_or_the_metrics() {
    let (log, _logging) = LogBuffer::start_at(Level::TRACE);
    let mut stand_in = StandIn::start(async |request: Request| match request.uri().query() {
        Some("query-private-redirect") => (StatusCode::FOUND, "answer-private").into_response(),
        _ => "answer-private".into_response(),
    })
    .await;
    let server = stand_in.server(&[]).await;
    let headers = [
        ("authorization", "Basic key-private"),
        ("accept", "type-private"),
    ];
    let athlete = "/intervals-icu/api/v1/athlete/idprivate";
    for line in [
        format!("GET {athlete}/events?query-private"),
        format!("GET {athlete}/events?query-private-redirect"),
        format!("GET {athlete}/path-private"),
    ] {
        call(&server, &line, &headers).await;
    }
    upload(&server, &headers, "body-private").await;
    let line = format!("POST {ACTIVITIES}?query-private");
    let head = head(&server, &line, &[("content-length", "99999999")]);
    server.raw_request(&head).await;
    assert_eq!(stand_in.next().await.headers["authorization"], headers[0].1);
    let reasons = ["bad-service-answer", "too-large"];
    let (text, lines) = log.read();
    let logged = lines.iter().filter_map(|line| line["reason"].as_str());
    assert_eq!(logged.collect::<Vec<_>>(), reasons, "{text}");
    let metrics = server.request("GET", "/metrics", &[("accept", "text/plain")]);
    let metrics = metrics.await.body;
    assert!(
        metrics.contains("reason=\"bad-service-answer\"} 1"),
        "{metrics}"
    );
    for text in [text, metrics] {
        assert!(!text.contains("private"), "{text}");
        assert!(!text.contains("athlete"), "{text}");
    }
}

/// Result of a call to a service with TLS that trusts `roots`.
async fn call_over_tls(url: &str, roots: &Roots) -> Result<Response, CallError> {
    let config = Config::parse_from(["gruppetto", "--intervals-icu-url", url]);
    let service = Service::new(&config.intervals_icu, roots);
    let request = Request::get(EVENTS).body(Body::empty()).expect("a request");
    let call = Call::parse(request.method(), request.uri()).expect("a call");
    let permit = ConnectionLimiter::new(1, 1).acquire([127, 0, 0, 1].into());
    service.call(call, request, permit.expect("a permit")).await
}

#[tokio::test]
async fn the_certificate_of_the_service_is_checked() {
    let mut stand_in = empty_list().await;
    let port = tls::proxy(stand_in.address).await.port();
    let url = format!("https://localhost:{port}");
    let answer = call_over_tls(&url, &tls::roots()).await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let received = stand_in.next().await;
    assert_eq!(received.headers["host"], format!("localhost:{port}"));
    let unknown = call_over_tls(&url, &browser_roots()).await;
    assert_eq!(unknown.err(), Some(CallError::Unreachable));
    let other_name = call_over_tls(&format!("https://127.0.0.1:{port}"), &tls::roots()).await;
    assert_eq!(other_name.err(), Some(CallError::Unreachable));
    stand_in.received_nothing();
}
