//! The app's pages and the site's files, with a small stand-in for the app.

use std::path::PathBuf;

use axum::Router;
use clap::Parser;
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use server::config::Config;
use server::error::StartError;
use server::http::ContentSecurityPolicy;
use server::http::pages::{leptos_options, pages};

use crate::support::TestServer;

const SCRIPT: &str = "gruppetto.0123456789abcdefghij.js";

/// Temporary site folder.
struct Site(PathBuf);

impl Site {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("gruppetto-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("pkg")).expect("a folder");
        let write = |file: String, content: &[u8]| {
            std::fs::write(folder.join(file), content).expect("a file")
        };
        write(format!("pkg/{SCRIPT}"), b"plain");
        write(format!("pkg/{SCRIPT}.br"), b"brotli");
        write("icon.svg".into(), b"<svg/>");
        Self(folder)
    }

    fn pages(&self) -> Router {
        let options = LeptosOptions::builder()
            .output_name("gruppetto")
            .site_root(self.0.to_string_lossy().as_ref())
            .build();
        let policy = ContentSecurityPolicy::new(&Config::parse_from(["gruppetto"]));
        pages(options, policy, || view! { <p>"hello"</p> }, document)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn document(_: LeptosOptions) -> impl IntoView {
    let nonce = use_nonce().map(|nonce| nonce.to_string());
    view! { <html><body data-nonce=nonce>"hello"</body></html> }
}

#[tokio::test]
async fn the_policy_of_a_page_contains_its_nonce() {
    let site = Site::new("nonce");
    let server = TestServer::with_pages(&[], site.pages()).await;
    let mut nonces = Vec::new();
    for _ in 0..2 {
        let page = server.get("/").await;
        assert_eq!(
            (page.status, page.header("cache-control")),
            (200, "no-cache")
        );
        let nonce = page
            .body
            .split("data-nonce=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next());
        let nonce = nonce.expect("a nonce").to_owned();
        let policy = page.header("content-security-policy");
        assert!(
            policy.contains(&format!(
                "script-src 'self' 'wasm-unsafe-eval' 'nonce-{nonce}'"
            )),
            "{policy}"
        );
        nonces.push(nonce);
    }
    assert_ne!(nonces[0], nonces[1]);
}

#[tokio::test]
async fn an_unknown_address_gets_the_apps_page_with_status_404() {
    let site = Site::new("unknown");
    let server = TestServer::with_pages(&[], site.pages()).await;
    let page = server.get("/nothing/here").await;
    assert_eq!(
        (page.status, page.header("cache-control")),
        (404, "no-store")
    );
    assert!(
        page.body.contains("hello") && page.header("content-security-policy").contains("'nonce-")
    );
}

#[tokio::test]
async fn a_hashed_file_is_immutable_and_sent_in_its_compressed_variant() {
    let site = Site::new("files");
    let server = TestServer::with_pages(&[], site.pages()).await;
    let plain = server.get(&format!("/pkg/{SCRIPT}")).await;
    assert_eq!((plain.status, plain.body.as_str()), (200, "plain"));
    assert_eq!(
        plain.header("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let compressed = server
        .request(
            "GET",
            &format!("/pkg/{SCRIPT}"),
            &[("accept-encoding", "br")],
        )
        .await;
    assert_eq!(
        (
            compressed.header("content-encoding"),
            compressed.body.as_str()
        ),
        ("br", "brotli")
    );
    assert_eq!(compressed.header("content-type"), "text/javascript");
    assert_eq!(plain.header("vary"), "accept-encoding");
    assert_eq!(
        server.get("/icon.svg").await.header("cache-control"),
        "public, max-age=300"
    );
}

#[tokio::test]
async fn an_error_of_a_hashed_file_is_not_cached() {
    let site = Site::new("errors");
    let server = TestServer::with_pages(&[], site.pages()).await;
    let path = format!("/pkg/{SCRIPT}");
    let caching = async |status: u16, path: &str, headers: &[(&str, &str)]| {
        let answer = server.request("GET", path, headers).await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
        answer.header("cache-control").to_owned()
    };
    const IMMUTABLE: &str = "public, max-age=31536000, immutable";
    assert_eq!(
        caching(206, &path, &[("range", "bytes=0-1")]).await,
        IMMUTABLE
    );
    let later = "Fri, 01 Jan 2100 00:00:00 GMT";
    assert_eq!(
        caching(304, &path, &[("if-modified-since", later)]).await,
        IMMUTABLE
    );
    let earlier = "Thu, 01 Jan 1970 00:00:00 GMT";
    assert_eq!(
        caching(412, &path, &[("if-unmodified-since", earlier)]).await,
        "no-store"
    );
    assert_eq!(
        caching(416, &path, &[("range", "bytes=900-")]).await,
        "no-store"
    );
    let missing = "/pkg/gruppetto.abcdefghijabcdefghij.js";
    assert_eq!(caching(404, missing, &[]).await, "no-store");
}

#[test]
fn a_missing_site_folder_is_reported_in_one_sentence() {
    let config = Config::parse_from(["gruppetto", "--site-root", "/nowhere"]);
    let error = leptos_options(&config).expect_err("no site");
    assert!(matches!(error, StartError::SiteMissing(_)));
    assert!(
        error
            .to_string()
            .starts_with("The site folder /nowhere is missing"),
        "{error}"
    );
}

#[tokio::test]
async fn an_address_in_use_is_reported_in_one_sentence() {
    let server = TestServer::start(&[]).await;
    let error = server::listen(server.address).await.expect_err("in use");
    assert!(
        error.to_string().contains("is in use by another program"),
        "{error}"
    );
}
