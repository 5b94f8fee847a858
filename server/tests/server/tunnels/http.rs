//! Requests at a tunnel's origin.

use axum::body::Body;
use tunnel::identity::AccessToken;
use tunnel::multiplexer::ResetReason;

use super::browser::{Browser, text};
use super::{Secrets, TunnelServer};
use crate::log::LogBuffer;
use crate::support::request_at;

fn value<'a, B>(response: &'a axum::http::Response<B>, name: &str) -> &'a str {
    let value = response.headers().get(name);
    value.map_or("", |it| it.to_str().expect("text"))
}

#[tokio::test]
async fn a_host_that_is_not_that_of_a_tunnel_gets_421() {
    let tunnels = TunnelServer::start(&[]).await;
    let port = tunnels.visitors.port();
    for host in [
        format!("localhost:{port}"),
        format!("127.0.0.1:{port}"),
        "abcdefghij234567.localhost".into(),
        format!("abc.localhost:{port}"),
        format!("abcdefghij234567.evil.example:{port}"),
    ] {
        let browser = Browser::new(tunnels.visitors, host.clone());
        for path in ["/", "/.gruppetto/service-worker.js", "/api/rides"] {
            let answer = browser.open(path).await;
            assert_eq!(answer.status(), 421, "{host}{path}");
        }
    }
}

#[tokio::test]
async fn every_tab_gets_the_shell_page_whatever_the_path() {
    let tunnels = TunnelServer::start(&[]).await;
    let browser = tunnels.browser(&Secrets::new(1));
    for path in ["/", "/deep/link?x=1", "/api/rides", "/health"] {
        let answer = browser.open(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(value(&answer, "cache-control"), "no-store");
        assert_eq!(value(&answer, "vary"), "Sec-Fetch-Dest");
        let policy = value(&answer, "content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(text(answer).await.contains("Shell"));
    }
    // The conditions are about the site's own page at this address.
    let request = browser
        .request("GET", "/")
        .header("sec-fetch-dest", "document")
        .header("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT")
        .header("range", "bytes=0-1");
    let answer = browser
        .send(request.body(Body::empty()).expect("a request"))
        .await;
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn the_files_of_the_shell_are_served_and_no_others() {
    let tunnels = TunnelServer::start(&[]).await;
    let browser = tunnels.browser(&Secrets::new(1));
    let worker = browser.get("/.gruppetto/service-worker.js").await;
    assert_eq!(worker.status(), 200);
    assert_eq!(value(&worker, "service-worker-allowed"), "/");
    assert_eq!(value(&worker, "content-type"), "text/javascript");
    assert_eq!(value(&worker, "cache-control"), "no-cache");
    let page = browser.get("/.gruppetto/shell.html").await;
    assert_eq!(value(&page, "service-worker-allowed"), "");
    for path in [
        "/.gruppetto/",
        "/.gruppetto/other.js",
        "/.gruppetto/../../Cargo.toml",
        "/.gruppetto/%2e%2e/%2e%2e/Cargo.toml",
        "/.gruppetto//etc/passwd",
    ] {
        let answer = browser.get(path).await;
        assert!(answer.status().is_client_error(), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn the_origin_of_a_tunnel_has_nothing_of_the_app_and_the_app_nothing_of_it() {
    let tunnels = TunnelServer::start(&[]).await;
    let browser = tunnels.browser(&Secrets::new(1));
    for path in [
        "/health",
        "/metrics",
        "/api/intervals-icu",
        "/ride/brave-otter-0042/qr.svg",
    ] {
        let answer = browser.get(path).await;
        assert_eq!(answer.status(), 403, "{path}");
        assert!(text(answer).await.contains("The link is needed"));
    }
    let app = request_at(tunnels.server.address, "GET", "/.gruppetto/shell.html", &[]).await;
    assert_eq!(app.status, 404);
    let host = browser.host.clone();
    let raw = format!("GET /health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n");
    let app = tunnels.server.raw_request(&raw).await;
    let policy = app.header("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
}

#[tokio::test]
async fn a_wrong_token_gets_403_and_the_peer_sees_no_request() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let mut peer = tunnels.peer(&secrets).await;
    let mut browser = tunnels.browser(&secrets);
    let wrong = AccessToken::new([9; 20]);
    for token in [wrong.expose(), "", "nonsense", &"a".repeat(10_000)] {
        assert_eq!(browser.session(token).await.status(), 403);
        assert_eq!(browser.cookie, None);
    }
    for cookie in [None, Some(format!("gruppetto_tunnel={}", wrong.expose()))] {
        browser.cookie = cookie;
        let answer = browser.get("/secret.txt").await;
        assert_eq!(answer.status(), 403);
        assert!(
            text(answer)
                .await
                .contains("opens only with its whole link")
        );
    }
    // The first request that the peer sees is one with the right token.
    assert_eq!(browser.session(secrets.token.expose()).await.status(), 204);
    let right = {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get("/right").await })
    };
    let (id, head) = peer.request().await;
    assert_eq!(head.target, "/right");
    assert_eq!(peer.visitors.len(), 1);
    peer.answer(id, "yes").await;
    assert_eq!(text(right.await.expect("a response")).await, "yes");
}

#[tokio::test]
async fn the_cookie_is_of_this_host_alone_and_no_script_can_read_it() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let _peer = tunnels.peer(&secrets).await;
    let answer = tunnels
        .browser(&secrets)
        .session(secrets.token.expose())
        .await;
    let cookie = value(&answer, "set-cookie");
    assert!(
        cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    let https = ["--tunnel-origin", "https://*.tunnel.example"];
    let tunnels = TunnelServer::start(&https).await;
    let _peer = tunnels.peer(&secrets).await;
    let host = format!("{}.tunnel.example", secrets.key.code());
    let mut browser = Browser::new(tunnels.visitors, host.clone());
    let answer = browser.session(secrets.token.expose()).await;
    assert!(
        value(&answer, "set-cookie").ends_with("; Secure"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_page_without_its_peer_says_whether_it_was_ever_there() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let mut browser = tunnels.browser(&secrets);
    assert_eq!(browser.session(secrets.token.expose()).await.status(), 404);
    let peer = tunnels.peer(&secrets).await;
    assert_eq!(browser.session(secrets.token.expose()).await.status(), 204);
    drop(peer);
    // The server learns of it by and by.
    let answer = loop {
        let answer = browser.session(secrets.token.expose()).await;
        if answer.status() != 204 {
            break answer;
        }
    };
    assert_eq!(answer.status(), 503);
    let answer = browser.get("/").await;
    assert_eq!(
        (answer.status().as_u16(), value(&answer, "retry-after")),
        (503, "5")
    );
    assert!(text(answer).await.contains("Try again when it runs"));
}

#[tokio::test]
async fn an_address_that_tries_many_tokens_has_to_wait() {
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(1);
    let _peer = tunnels.peer(&secrets).await;
    let mut browser = tunnels.browser(&secrets);
    let mut statuses = Vec::new();
    for _ in 0..70 {
        statuses.push(browser.session("nonsense").await.status().as_u16());
    }
    assert_eq!(statuses[0], 403);
    assert_eq!(statuses[69], 429);
}

#[tokio::test]
async fn a_request_reaches_the_peer_without_what_is_between_browser_and_server() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, mut browser) = tunnels.pair(1).await;
    assert_eq!(peer.origin, browser.origin());
    let cookie = browser.cookie.take().expect("a cookie");
    browser.cookie = Some(format!("{cookie}; theme=dark"));
    let request = browser
        .request("GET", "/videos/1?quality=high")
        .header("sec-fetch-dest", "video")
        .header("range", "bytes=0-99")
        .header("x-forwarded-for", "203.0.113.9")
        .body(Body::empty())
        .expect("a request");
    let response = tokio::spawn(async move { browser.send(request).await });
    let (id, head) = peer.request().await;
    assert_eq!(
        (head.method.as_str(), head.target.as_str()),
        ("GET", "/videos/1?quality=high")
    );
    let field = |name: &str| {
        let field = head.fields.iter().find(|(it, _)| it == name);
        field.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
    };
    assert_eq!(field("range").as_deref(), Some("bytes=0-99"));
    assert_eq!(field("cookie").as_deref(), Some("theme=dark"));
    assert_eq!(field("host"), None);
    assert_eq!(field("x-forwarded-for"), None);
    let fields = [
        ("content-range", "bytes 0-2/9"),
        ("content-length", "3"),
        ("x-frame-options", "DENY"),
        ("set-cookie", "id=1; Domain=localhost; HttpOnly"),
    ];
    peer.respond(id, 206, &fields, true).await;
    peer.write(id, b"abc").await;
    peer.finish(id).await;
    let response = response.await.expect("a response");
    assert_eq!(response.status(), 206);
    assert_eq!(value(&response, "content-range"), "bytes 0-2/9");
    assert_eq!(value(&response, "content-length"), "3");
    assert_eq!(value(&response, "x-frame-options"), "");
    assert_eq!(value(&response, "set-cookie"), "id=1; HttpOnly");
    assert_eq!(text(response).await, "abc");
}

#[tokio::test]
async fn pages_of_other_origins_and_other_service_workers_get_nothing() {
    let tunnels = TunnelServer::start(&[]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    for (name, field) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("service-worker", "script"),
    ] {
        let request = browser.request("GET", "/a").header(name, field);
        let mut request = request.body(Body::empty()).expect("a request");
        // An older browser.
        request.headers_mut().remove("sec-fetch-site");
        let answer = browser.send(request).await;
        assert_eq!(answer.status(), 403, "{name}: {field}");
    }
    for from in ["cross-site", "same-site"] {
        let request = browser.request("GET", "/a");
        let mut request = request.body(Body::empty()).expect("a request");
        let headers = request.headers_mut();
        headers.insert("sec-fetch-site", from.parse().expect("a value"));
        assert_eq!(browser.send(request).await.status(), 403, "{from}");
    }
    let last = tokio::spawn(async move { browser.get("/last").await });
    let (id, head) = peer.request().await;
    assert_eq!(head.target, "/last");
    peer.answer(id, "").await;
    assert_eq!(last.await.expect("a response").status(), 200);
}

#[tokio::test]
async fn a_local_server_that_is_down_or_slow_is_named_on_a_page() {
    let tunnels = TunnelServer::start(&["--tunnel-response-timeout-ms", "300"]).await;
    let (mut peer, browser) = tunnels.pair(1).await;
    for (reason, status, words) in [
        (ResetReason::Unreachable, 502, "is not running"),
        (ResetReason::TimedOut, 504, "did not answer in time"),
        (ResetReason::Broken, 502, "The connection broke"),
        (ResetReason::Refused, 502, "cannot be passed on"),
    ] {
        let browser = browser.clone();
        let answer = tokio::spawn(async move { browser.get("/").await });
        let (id, _) = peer.request().await;
        peer.reset(id, reason).await;
        let answer = answer.await.expect("a response");
        assert_eq!(answer.status(), status);
        let page = text(answer).await;
        assert!(page.contains(words), "{page}");
    }
    // A peer that never answers.
    let answer = tokio::spawn(async move { browser.get("/").await });
    let (id, _) = peer.request().await;
    assert_eq!(answer.await.expect("a response").status(), 504);
    assert_eq!(peer.reset_of(id).await, ResetReason::TimedOut);
}

#[tokio::test]
async fn a_server_without_tunnels_has_no_listener() {
    let server = crate::support::TestServer::start(&["--tunnel-origin", "none"]).await;
    assert!(server::listen_for_tunnels(&server.state).await.is_none());
    let taken = TunnelServer::start(&[]).await;
    let address = taken.visitors.to_string();
    let server = crate::support::TestServer::start(&["--tunnel-addr", &address]).await;
    let (log, _logging) = LogBuffer::start();
    assert!(server::listen_for_tunnels(&server.state).await.is_none());
    let (text, _) = log.read();
    assert!(text.contains("is in use by another program"), "{text}");
    assert_eq!(server.get("/health").await.status, 200);
}

#[tokio::test]
async fn neither_key_nor_token_nor_path_is_logged_and_the_metrics_count_what_happened() {
    let (log, _logging) = LogBuffer::start_at(tracing::Level::TRACE);
    let tunnels = TunnelServer::start(&[]).await;
    let secrets = Secrets::new(7);
    let mut peer = tunnels.peer(&secrets).await;
    let mut browser = tunnels.browser(&secrets);
    assert_eq!(
        browser
            .session(AccessToken::new([8; 20]).expose())
            .await
            .status(),
        403
    );
    assert_eq!(browser.session(secrets.token.expose()).await.status(), 204);
    let answer = {
        let browser = browser.clone();
        tokio::spawn(async move { browser.get("/private-path").await })
    };
    let (id, _) = peer.request().await;
    peer.answer(id, "private-content").await;
    assert_eq!(
        text(answer.await.expect("a response")).await,
        "private-content"
    );
    let (logged, _) = log.read();
    for secret in [
        secrets.token.expose(),
        secrets.key.expose(),
        secrets.key.code().as_str(),
        "private-content",
        "Route videos",
    ] {
        assert!(!logged.contains(secret), "{secret} in {logged}");
    }
    let headers = [("accept", "text/plain")];
    let metrics = tunnels
        .server
        .request("GET", "/metrics", &headers)
        .await
        .body;
    for line in [
        "gruppetto_tunnels 1\n",
        "gruppetto_tunnel_visitors{kind=\"server\"} 1\n",
        "gruppetto_tunnel_requests_total{status=\"2xx\"} 1\n",
        "gruppetto_refusals_total{reason=\"tunnel-token\"} 1\n",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    let json = tunnels.server.get("/metrics").await.json();
    let bytes = &json["metrics"]["tunnels"]["relayedBytes"];
    assert!(bytes["to-visitors"].as_u64() > Some(15), "{bytes}");
    assert!(bytes["to-peer"].as_u64() > Some(15), "{bytes}");
}
