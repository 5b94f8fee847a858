//! Rides over HTTP, `/health`, and headers of all responses.

use axum::Router;
use axum::routing::get;
use server::error::RefusalReason;

use crate::support::TestServer;

#[tokio::test]
async fn a_ride_is_started_and_found_under_its_code() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let parts: Vec<_> = code.split('-').collect();
    assert!(parts.len() == 3 && parts[2].len() == 4, "{code}");
    let _rider = server.join(&code).await;
    let found = server
        .get(&format!("/api/rides/{}", code.to_uppercase()))
        .await;
    assert_eq!(found.status, 200);
    let expected = serde_json::json!({ "code": code, "riders": 1, "full": false, "locked": false });
    assert_eq!(found.json(), expected);
}

#[tokio::test]
async fn an_unknown_code_gets_an_error_message_in_a_sentence() {
    let server = TestServer::start(&[]).await;
    for path in ["/api/rides/brave-otter-0000", "/api/rides/nonsense"] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, 404);
        assert_eq!(answer.json()["error"]["code"], "no-such-ride");
        assert!(
            answer.json()["error"]["message"]
                .as_str()
                .is_some_and(|text| text.ends_with('.'))
        );
    }
    assert_eq!(
        server.get("/api/nothing").await.json()["error"]["code"],
        "not-found"
    );
}

#[tokio::test]
async fn a_page_of_a_foreign_origin_cannot_start_a_ride() {
    let server = TestServer::start(&[]).await;
    let answer = server
        .post("/api/rides", &[("origin", "https://evil.example")])
        .await;
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"]["code"], "foreign-origin");
    let own = format!("http://{}", server.address);
    assert_eq!(
        server.post("/api/rides", &[("origin", &own)]).await.status,
        201
    );
}

#[tokio::test]
async fn ride_starts_are_limited_per_address_and_a_forged_header_does_not_help() {
    let server = TestServer::start(&["--rides-per-hour", "2"]).await;
    server.ride().await;
    server.ride().await;
    let answer = server
        .post("/api/rides", &[("x-forwarded-for", "192.0.2.1")])
        .await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.json()["error"]["code"], "rate-limited");
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|wait| (1..=1_801).contains(&wait))
    );
}

#[tokio::test]
async fn a_server_with_the_maximum_number_of_rides_refuses_another() {
    let server = TestServer::start(&["--max-rooms", "1"]).await;
    server.ride().await;
    let answer = server.post("/api/rides", &[]).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json()["error"]["code"], "server-full");
}

#[tokio::test]
async fn health_counts_rides_and_connected_riders() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let _ana = server.join(&code).await;
    let _ben = server.join(&code).await;
    let health = server.health().await;
    assert_eq!(health["status"], "ok");
    assert_eq!(
        (&health["rooms"], &health["riders"]),
        (&1.into(), &2.into())
    );
    assert_eq!(health["relayedFrames"], 0);
    assert!(health["timestamp"].as_u64().is_some() && health["version"].is_string());
}

#[tokio::test]
async fn the_invitation_is_available_as_a_qr_code() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let answer = server.get(&format!("/ride/{code}/qr.svg")).await;
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (200, "image/svg+xml")
    );
    assert!(answer.body.contains("<svg"));
    assert_eq!(server.get("/ride/nonsense/qr.svg").await.status, 404);
}

#[tokio::test]
async fn an_invitation_in_another_spelling_redirects_to_the_canonical_address() {
    let server = TestServer::start(&[]).await;
    let answer = server.get("/ride/Brave%20Otter%200042?from=qr").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (308, "/ride/brave-otter-0042?from=qr")
    );
}

#[tokio::test]
async fn the_invitation_contains_the_public_address_if_it_is_set() {
    let server = TestServer::start(&["--public-url", "https://ride.example"]).await;
    let code = server.ride().await;
    let found = server.get(&format!("/api/rides/{code}")).await.json();
    let expected = format!("https://ride.example/ride/{code}");
    assert_eq!(found["invitation"], expected.as_str());
}

#[tokio::test]
async fn every_response_has_the_security_headers() {
    let server = TestServer::start(&[]).await;
    for path in ["/health", "/api/rides/nonsense", "/nothing"] {
        let answer = server.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
        assert!(
            answer
                .header("permissions-policy")
                .contains("screen-wake-lock=(self)")
        );
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("default-src 'self'") && !policy.contains("unsafe-inline"),
            "{policy}"
        );
    }
}

#[tokio::test]
async fn only_the_page_of_a_ride_may_use_camera_microphone_and_screen() {
    let server = TestServer::start(&[]).await;
    let code = server.ride().await;
    let features = ["camera", "microphone", "display-capture"];
    let ride = server.get(&format!("/ride/{code}")).await;
    let policy = ride.header("permissions-policy");
    for feature in features {
        assert!(policy.contains(&format!("{feature}=(self)")), "{policy}");
    }
    let qr = format!("/ride/{code}/qr.svg");
    for path in ["/", "/workouts", "/ride/nonsense/x", &qr, "/health"] {
        let answer = server.get(path).await;
        let policy = answer.header("permissions-policy");
        for feature in features {
            assert!(
                policy.contains(&format!("{feature}=()")),
                "{path}: {policy}"
            );
        }
    }
}

#[tokio::test]
async fn a_request_without_a_path_or_with_a_wrong_number_of_hosts_gets_400() {
    let server = TestServer::start(&[]).await;
    let requests = [
        "CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\nconnection: close\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\nconnection: close\r\n\r\n",
    ];
    for request in requests {
        let answer = server.raw_request(request).await;
        assert_eq!(answer.status, 400, "{request}");
        assert_eq!(answer.json()["error"]["code"], "malformed-request");
    }
    let refused = server
        .state
        .metrics
        .refusals(RefusalReason::MalformedRequest);
    assert_eq!(refused, requests.len() as u64);
}

#[tokio::test]
async fn a_head_larger_than_16_kib_is_refused() {
    let server = TestServer::start(&[]).await;
    let long = "x".repeat(17 * 1024);
    let answer = server.request("GET", "/health", &[("x-long", &long)]).await;
    assert_eq!(answer.status, 431);
    let usual = "x".repeat(8 * 1024);
    let answer = server
        .request("GET", "/health", &[("x-long", &usual)])
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_panic_in_a_handler_is_answered_with_500_and_counted() {
    let panics = get(async || -> &'static str { panic!("a mistake") });
    let pages = Router::new().route("/panics", panics);
    let server = TestServer::with_pages(&[], pages).await;
    for _ in 0..3 {
        let answer = server.get("/panics").await;
        assert_eq!(answer.status, 500);
        assert_eq!(answer.json()["error"]["code"], "internal");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    assert_eq!(server.state.metrics.panics(), 3);
    assert_eq!(server.health().await["status"], "ok");
}
