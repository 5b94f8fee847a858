//! `gruppetto check` against servers in this process: STUN, TURN and proxies as they should be, and
//! as they are by mistake.

mod ice_server;
pub mod tls;

use std::net::SocketAddr;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use clap::Parser;
use server::check::{self, Report};
use server::config::Config;
use server::tls::browser_roots;
use tokio::net::TcpListener;

use crate::support::TestServer;
use ice_server::{IceServer, Turn};

/// Limits that any machine has the file descriptors for.
const SMALL: [&str; 2] = ["--max-sockets=10", "--max-connections=10"];

async fn run(flags: &[&str]) -> Report {
    let config = Config::parse_from(["gruppetto", "check"].iter().chain(&SMALL).chain(flags));
    check::run(&config, &tls::roots(), 10).await
}

/// The result that begins with these words, with its mark.
fn finding(report: &Report, words: &str) -> String {
    let text = report.to_string();
    let mut lines = text.lines().filter(|line| line.contains(words));
    let line = lines.next().unwrap_or_else(|| panic!("{words}: {text}"));
    line.trim().to_owned()
}

/// Checks one STUN or TURN server.
async fn check_ice(flags: &[&str], words: &str) -> String {
    finding(&run(flags).await, words)
}

fn addr(address: SocketAddr) -> String {
    format!("--addr={address}")
}

fn turn_urls(urls: &str) -> [String; 2] {
    ["--turn-secret=north".into(), format!("--turn-urls={urls}")]
}

fn as_flags<const N: usize>(flags: &[String; N]) -> [&str; N] {
    flags.each_ref().map(String::as_str)
}

#[tokio::test]
async fn a_working_installation_passes_all_checks() {
    let server = TestServer::start(&[]).await;
    let stun = IceServer::stun().await;
    let turn = IceServer::turn(Turn::default()).await;
    let [secret, urls] = turn_urls(&format!("turn:{0},turn:{0}?transport=tcp", turn.address));
    let (local, port) = (addr(server.address), server.address.port());
    let public = format!("--public-url=http://localhost:{port}");
    let ice = format!("--ice-servers=stun:{}", stun.address);
    let report = run(&[&local, &public, &ice, &secret, &urls]).await;
    assert!(!report.has_failed(), "{report}");
    let leads = format!("ok    http://localhost:{port} leads to this server.");
    assert_eq!(finding(&report, "leads to"), leads);
    let sees = format!(
        "ok    stun:{} answers, and sees this machine at 127.0.0.1:",
        stun.address
    );
    assert!(finding(&report, "sees this machine").starts_with(&sees));
    for transport in ["", "?transport=tcp"] {
        let url = format!("turn:{}{transport} ", turn.address);
        let relays = finding(&report, &url);
        let expected = "accepts the credentials, and relays at 192.0.2.7:49152.";
        assert!(
            relays.starts_with("ok  ") && relays.ends_with(expected),
            "{relays}"
        );
    }
    assert!(finding(&report, "files and sockets").starts_with("ok  "));
    assert!(report.to_string().ends_with("No check failed.\n"));
    // Both allocations were released.
    assert_eq!(turn.allocations(), 0);
}

#[tokio::test]
async fn a_public_address_behind_tls_is_recognized_and_an_untrusted_certificate_is_not() {
    let server = TestServer::start(&[]).await;
    let proxy = tls::proxy(server.address).await;
    let public = format!("--public-url=https://localhost:{}", proxy.port());
    let report = run(&[&addr(server.address), &public]).await;
    assert!(
        finding(&report, "leads to this server").starts_with("ok  "),
        "{report}"
    );

    let config = Config::parse_from(["gruppetto", "check", &addr(server.address), &public]);
    let report = check::run(&config, &browser_roots(), 10).await;
    let untrusted = finding(&report, "fails in TLS");
    assert!(
        untrusted.starts_with("FAIL") && report.has_failed(),
        "{untrusted}"
    );
}

#[tokio::test]
async fn a_public_address_of_another_server_fails() {
    let (server, other) = (TestServer::start(&[]).await, TestServer::start(&[]).await);
    let public = format!("--public-url=http://{}", other.address);
    let report = run(&[&addr(server.address), &public]).await;
    assert!(report.has_failed());
    assert!(finding(&report, "another Gruppetto").starts_with("FAIL"));
}

#[tokio::test]
async fn a_public_address_without_gruppetto_fails_with_what_answers_there() {
    let server = TestServer::start(&[]).await;
    let redirect = async || Redirect::permanent("https://ride.example/health");
    let pages = [
        (Router::new(), "answers with status 404 Not Found"),
        (
            Router::new().route("/health", get(async || "fine")),
            "is not a Gruppetto",
        ),
        (
            Router::new().route("/health", get(redirect)),
            "redirects to \"https://ride.example/health\"",
        ),
    ];
    for (pages, words) in pages {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, pages).await });
        let public = format!("--public-url=http://{address}");
        let report = run(&[&addr(server.address), &public]).await;
        assert!(finding(&report, words).starts_with("FAIL"), "{report}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_run_and_a_public_address_that_refuses_connections_fail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let unused = listener.local_addr().expect("an address");
    drop(listener);
    let public = format!("--public-url=http://{unused}");
    let report = run(&[&addr(unused), &public]).await;
    assert!(finding(&report, "start the server").starts_with("FAIL"));
    assert!(finding(&report, "riders cannot reach").starts_with("FAIL"));
}

#[tokio::test]
async fn a_turn_server_with_another_secret_fails_and_no_secret_is_printed() {
    let turn = IceServer::turn(Turn {
        secret: "south",
        ..Turn::default()
    })
    .await;
    let flags = turn_urls(&format!("turn:{}", turn.address));
    let report = run(&as_flags(&flags)).await;
    let refused = finding(&report, "refuses to relay");
    assert!(refused.starts_with("FAIL"), "{refused}");
    assert!(
        refused.contains("401 Unauthorized") && refused.contains("GRUPPETTO_TURN_SECRET is not")
    );
    assert!(!report.to_string().contains("north"));
}

#[tokio::test]
async fn fixed_credentials_of_a_turn_server_are_checked() {
    let turn = IceServer::turn(Turn {
        user: Some(("ana", "pass")),
        ..Turn::default()
    })
    .await;
    let servers = |password: &str| {
        format!(
            r#"--ice-servers=[{{"urls":["turn:{}"],"username":"ana","credential":"{password}"}}]"#,
            turn.address
        )
    };
    let accepted = check_ice(&[&servers("pass")], "turn:").await;
    assert!(accepted.starts_with("ok  "), "{accepted}");
    let refused = check_ice(&[&servers("word")], "turn:").await;
    assert!(refused.starts_with("FAIL"), "{refused}");
}

#[tokio::test]
async fn a_turn_server_that_asks_for_a_new_nonce_is_asked_again() {
    let turn = IceServer::turn(Turn {
        stale_nonces: 1,
        ..Turn::default()
    })
    .await;
    let flags = turn_urls(&format!("turn:{}", turn.address));
    let accepted = check_ice(&as_flags(&flags), "turn:").await;
    assert!(accepted.starts_with("ok  "), "{accepted}");
}

#[tokio::test]
async fn a_turn_server_that_relays_for_anyone_fails() {
    let turn = IceServer::turn(Turn {
        is_open: true,
        ..Turn::default()
    })
    .await;
    let flags = turn_urls(&format!("turn:{}", turn.address));
    let open = check_ice(&as_flags(&flags), "turn:").await;
    assert!(
        open.starts_with("FAIL") && open.contains("for anyone"),
        "{open}"
    );
}

#[tokio::test]
async fn a_stun_server_over_tls_is_checked() {
    let stun = IceServer::stun().await;
    let proxy = tls::proxy(stun.address).await;
    let server = format!("--ice-servers=stuns:localhost:{}", proxy.port());
    let answers = check_ice(&[&server], "stuns:").await;
    assert!(answers.starts_with("ok  "), "{answers}");
}

#[tokio::test]
async fn servers_that_do_not_answer_fail() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let unused = listener.local_addr().expect("an address");
    drop(listener);
    for (servers, words) in [
        (format!("stun:{unused}"), "cannot be reached"),
        (format!("stuns:{unused}"), "refuses connections"),
        ("stun:nothing.invalid".into(), "cannot be resolved"),
    ] {
        let server = format!("--ice-servers={servers}");
        let failed = check_ice(&[&server], &servers).await;
        assert!(
            failed.starts_with("FAIL") && failed.contains(words),
            "{failed}"
        );
    }
}

#[tokio::test]
async fn an_installation_without_direct_links_or_servers_is_told_what_that_means() {
    let none = check_ice(&[], "None is set").await;
    assert!(none.starts_with("note"), "{none}");
    let disabled = check_ice(&["--p2p-enabled=false"], "GRUPPETTO_P2P_ENABLED").await;
    assert!(disabled.starts_with("note"), "{disabled}");
}
