//! All layers around the routes: compression, security headers, caching of errors,
//! canonical session codes, access by origin, and counting refusals.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use percent_encoding::percent_decode_str;
use protocol::code::SessionCode;
use tower_http::compression::CompressionLayer;

use crate::config::PublicUrl;
use crate::error::{ApiError, NO_STORE, RefusalReason};
use crate::http::ContentSecurityPolicy;
use crate::http::tunnel::Notice;
use crate::metrics::DialectName;
use crate::state::AppState;

const PERMISSIONS: &str = "screen-wake-lock=(self), camera=(), display-capture=(), \
     geolocation=(), microphone=(), payment=(), usb=()";
/// Permissions of the page of a group ride, where riders see and hear each other.
const RIDE_PERMISSIONS: &str = "screen-wake-lock=(self), camera=(self), display-capture=(self), \
     geolocation=(), microphone=(self), payment=(), usb=()";

/// Adds the layers that apply to all routes, the outermost last.
pub fn apply(state: AppState, router: Router) -> Router {
    let policy = ContentSecurityPolicy::new(&state.config);
    router
        .layer(middleware::from_fn_with_state(state, count_refusals))
        .layer(middleware::from_fn(canonical_code))
        .layer(middleware::from_fn(uncached_errors))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn_with_state(policy, security_headers))
}

/// Adds the layers around the origins of tunnels. Handlers get the tunnel's code.
pub fn apply_to_tunnels(state: AppState, router: Router) -> Router {
    router
        .layer(middleware::from_fn_with_state(state.clone(), find_tunnel))
        .layer(middleware::from_fn_with_state(state, count_refusals))
}

/// Adds the code of the tunnel that the host names to the request. Other hosts get 421.
async fn find_tunnel(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|it| it.to_str().ok());
    // An absolute target has precedence (RFC 9112, section 3.2.2).
    let host = match request.uri().authority() {
        Some(authority) => Some(authority.as_str()),
        None => host,
    };
    let origin = state.tunnels.origin();
    match host
        .zip(origin)
        .and_then(|(host, origin)| origin.code_at(host))
    {
        Some(code) => {
            request.extensions_mut().insert(code);
            next.run(request).await
        }
        None => Notice::WrongHost.into_response(),
    }
}

/// Refuses requests from pages of other origins with 403. Requests pass if they
/// come from a page of this server, from an allowed origin, or not from a page.
/// PeerJS and simple-peer clients run on third-party pages, so theirs pass from any
/// origin while no allowed origins are set.
pub async fn require_known_origin(
    State((state, dialect)): State<(AppState, DialectName)>,
    request: Request,
    next: Next,
) -> Response {
    let host = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let any_origin = dialect != DialectName::App && state.config.allowed_origins.is_empty();
    if any_origin || is_known_origin(&state, request.headers(), host) {
        next.run(request).await
    } else {
        ApiError::ForeignOrigin.into_response()
    }
}

/// Counts and logs refused requests, including refused upgrades.
async fn count_refusals(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if let Some(reason) = response.extensions().get::<RefusalReason>() {
        state.metrics.count_refusal(*reason);
        tracing::info!(reason = reason.name(), "refused");
    }
    response
}

/// Lets pages of other origins read the response, and answers preflight requests
/// (<https://fetch.spec.whatwg.org/#http-cors-protocol>).
pub async fn cross_origin(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        let methods = (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD");
        (StatusCode::NO_CONTENT, [methods]).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
    response
}

/// Forbids caching of every error, whatever its route says of its usual responses:
/// a browser must not keep an error that passes.
async fn uncached_errors(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, NO_STORE);
    }
    response
}

async fn security_headers(
    State(policy): State<ContentSecurityPolicy>,
    request: Request,
    next: Next,
) -> Response {
    let permissions = permissions(request.uri().path());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let content_type = headers.get(header::CONTENT_TYPE);
    if content_type.is_some_and(is_never_a_document) {
        return response;
    }
    for (name, value) in [
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("permissions-policy"), permissions),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert_with(|| policy.header(None));
    response
}

/// True for content that browsers neither run on its own nor render with scripts: policies for
/// documents and workers would only lengthen its responses, which are those of the first load.
fn is_never_a_document(content_type: &HeaderValue) -> bool {
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next();
    matches!(
        essence,
        Some(b"application/wasm" | b"text/css" | b"font/woff2")
    )
}

/// `Permissions-Policy` of the document with this path.
fn permissions(path: &str) -> &'static str {
    let code = path.strip_prefix("/ride/").unwrap_or_default();
    match code.parse::<SessionCode>() {
        Ok(_) => RIDE_PERMISSIONS,
        Err(_) => PERMISSIONS,
    }
}

/// Redirects `/ride/Brave%20Otter%200042` to `/ride/brave-otter-0042`.
async fn canonical_code(request: Request, next: Next) -> Response {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD);
    match canonical_address(request.uri().path()).filter(|_| is_safe) {
        Some(path) => {
            let query = request
                .uri()
                .query()
                .map(|query| format!("?{query}"))
                .unwrap_or_default();
            Redirect::permanent(&format!("{path}{query}")).into_response()
        }
        None => next.run(request).await,
    }
}

fn canonical_address(path: &str) -> Option<String> {
    let typed = path.strip_prefix("/ride/")?;
    let decoded = percent_decode_str(typed).decode_utf8().ok()?;
    let code: SessionCode = decoded.parse().ok()?;
    (code.as_str() != typed).then(|| format!("/ride/{code}"))
}

fn is_known_origin(state: &AppState, headers: &HeaderMap, authority: Option<&str>) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Some(origin) = origin
        .to_str()
        .ok()
        .and_then(|text| text.parse::<PublicUrl>().ok())
    else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .or(authority);
    let config = &state.config;
    host.is_some_and(|host| origin.is_at(host))
        || config.public_url.as_ref() == Some(&origin)
        || config.allowed_origins.contains(&origin)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::StatusCode;
    use axum::routing::get;
    use clap::Parser;
    use tower::Service;

    use super::*;
    use crate::config::Config;

    #[test]
    fn a_code_in_another_spelling_has_a_canonical_address() {
        let canonical = Some("/ride/brave-otter-0042".to_owned());
        assert_eq!(canonical_address("/ride/Brave%20Otter%200042"), canonical);
        assert_eq!(canonical_address("/ride/brave_otter_0042"), canonical);
        assert_eq!(canonical_address("/ride/brave-otter-0042"), None);
        assert_eq!(canonical_address("/ride/nonsense"), None);
        assert_eq!(canonical_address("/"), None);
    }

    #[test]
    fn policies_are_for_documents_workers_and_data() {
        for (content_type, expected) in [
            ("application/wasm", true),
            ("text/css; charset=utf-8", true),
            ("font/woff2", true),
            ("text/html; charset=utf-8", false),
            ("text/javascript", false),
            ("image/svg+xml", false),
            ("application/json", false),
            ("text/css-nonsense", false),
        ] {
            let value = HeaderValue::from_static(content_type);
            assert_eq!(is_never_a_document(&value), expected, "{content_type}");
        }
    }

    async fn status_for(dialect: DialectName, flags: &[&str], origin: &str) -> StatusCode {
        let config = Config::parse_from(["gruppetto"].iter().chain(flags));
        let state = AppState::new(config).expect("a state");
        let state = (state, dialect);
        let mut routes = Router::new()
            .route("/", get(async || "in"))
            .route_layer(middleware::from_fn_with_state(state, require_known_origin));
        let request = Request::get("/")
            .header("host", "ride.example")
            .header("origin", origin)
            .body(Body::empty())
            .expect("a request");
        let Ok(answer) = routes.call(request).await;
        answer.status()
    }

    #[tokio::test]
    async fn third_party_dialects_accept_any_origin_until_origins_are_set() {
        const OK: StatusCode = StatusCode::OK;
        const NO: StatusCode = StatusCode::FORBIDDEN;
        let listed = ["--allowed-origins", "https://club.example"];
        for (dialect, from_anywhere) in [
            (DialectName::App, NO),
            (DialectName::PeerJs, OK),
            (DialectName::SimplePeer, OK),
        ] {
            let elsewhere = "https://other.example";
            assert_eq!(status_for(dialect, &[], elsewhere).await, from_anywhere);
            assert_eq!(status_for(dialect, &[], "https://ride.example").await, OK);
            assert_eq!(status_for(dialect, &listed, elsewhere).await, NO);
            assert_eq!(
                status_for(dialect, &listed, "https://club.example").await,
                OK
            );
        }
    }
}
