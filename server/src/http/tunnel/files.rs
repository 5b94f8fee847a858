//! The shell page and its files.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tower_http::services::{ServeDir, ServeFile};

use super::{Notice, TunnelSite};
use crate::error::NO_STORE;

const IMMUTABLE: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");

/// Path of the files of the shell page, and of what else the server answers by itself.
pub const PREFIX: &str = "/.gruppetto/";
/// Script of the service worker, which may serve the whole origin.
const SERVICE_WORKER: &str = "service-worker.js";
/// Shortest content hash in a file's name.
const MIN_HASH: usize = 20;

/// Only this origin, and nothing inline. The frame shows the tunnel's site.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
     img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; worker-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// No site in a frame asks for the camera and the like in the name of a shared page.
const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), \
     payment=(), usb=()";

/// The shell page, for a tab at any address.
pub async fn shell(site: &TunnelSite, headers: &HeaderMap) -> Response {
    // Not the conditions of the request: they are about the site's own page at this address.
    let mut request = Request::new(Body::empty());
    if let Some(value) = headers.get(header::ACCEPT_ENCODING) {
        let accepted = value.clone();
        request
            .headers_mut()
            .insert(header::ACCEPT_ENCODING, accepted);
    }
    let page = ServeFile::new(site.folder.join("shell.html"))
        .precompressed_br()
        .precompressed_gzip()
        .try_call(request)
        .await;
    let mut response = match page {
        Ok(page) if page.status() == StatusCode::OK => page.map(Body::new),
        _ => return Notice::NoShell.into_response(),
    };
    let headers = response.headers_mut();
    headers.remove(header::LAST_MODIFIED);
    // Frames and tabs get different pages at the same address.
    headers.insert(header::CACHE_CONTROL, NO_STORE);
    headers.append(header::VARY, HeaderValue::from_static("Sec-Fetch-Dest"));
    add_security_headers(headers);
    response
}

/// A file of the shell page.
pub async fn file(State(site): State<TunnelSite>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Notice::Method.into_response();
    }
    let path = request.uri().path();
    let Some(name) = path.strip_prefix(PREFIX).map(str::to_owned) else {
        return Notice::NotFound.into_response();
    };
    let (mut parts, body) = request.into_parts();
    let Ok(uri) = format!("/{name}").parse() else {
        return Notice::NotFound.into_response();
    };
    parts.uri = uri;
    let files = ServeDir::new(&site.folder)
        .append_index_html_on_directories(false)
        .precompressed_br()
        .precompressed_gzip()
        .try_call(Request::from_parts(parts, body))
        .await;
    let mut response = match files {
        Ok(file) if file.status() != StatusCode::NOT_FOUND => file.map(Body::new),
        _ => return Notice::NotFound.into_response(),
    };
    let headers = response.headers_mut();
    let caching = if has_hash(&name) {
        IMMUTABLE
    } else {
        REVALIDATE
    };
    headers.insert(header::CACHE_CONTROL, caching);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if name == SERVICE_WORKER {
        let scope = HeaderName::from_static("service-worker-allowed");
        headers.insert(scope, HeaderValue::from_static("/"));
    }
    add_security_headers(headers);
    response
}

fn add_security_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Returns `true` for names such as `shell.0123456789abcdefghij.js`.
fn has_hash(name: &str) -> bool {
    let parts: Vec<_> = name.split('.').collect();
    let [_, hash, _] = parts[..] else {
        return false;
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    hash.len() >= MIN_HASH && hash.bytes().all(is_letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_immutable() {
        assert!(has_hash("shell.0123456789-bcdefghi_.js"));
        for name in ["service-worker.js", "shell.js", "a/b.css", "shell.min.js"] {
            assert!(!has_hash(name), "{name}");
        }
    }
}
