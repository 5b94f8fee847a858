//! `POST /.gruppetto/session`: exchange of the token for a cookie.

use ::tunnel::identity::{AccessToken, TunnelCode};
use axum::Extension;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::{Notice, TunnelSite, cookie, request};
use crate::error::{NO_STORE, whole_seconds};
use crate::limits::ClientAddress;
use crate::tunnels::Standing;

/// Longest body in bytes. A token has 32 letters.
const MAX_BODY: usize = 256;

/// Sets the cookie for the token in the body.
pub async fn create(
    State(site): State<TunnelSite>,
    Extension(code): Extension<TunnelCode>,
    client: ClientAddress,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Notice> {
    request::check_origin(&site, &code, &headers)?;
    let tunnels = &site.state.tunnels;
    tunnels
        .take_attempt(client.0)
        .map_err(|wait| Notice::TooManyAttempts {
            retry_after: whole_seconds(wait),
        })?;
    let body = to_bytes(body, MAX_BODY)
        .await
        .map_err(|_| Notice::NoToken)?;
    let hash = match tunnels.standing(&code) {
        Standing::Online(hash) => hash,
        Standing::Offline(_) => return Err(Notice::Offline),
        Standing::Unknown => return Err(Notice::Unknown),
    };
    let token = str::from_utf8(&body)
        .ok()
        .and_then(|it| it.trim().parse().ok());
    let token: AccessToken = token.ok_or(Notice::NoToken)?;
    // Hashes are compared, so that the time tells nothing of the token.
    if token.hash() != hash {
        return Err(Notice::NoToken);
    }
    let is_https = tunnels.origin().is_some_and(|it| it.is_https());
    let value = HeaderValue::try_from(cookie::set(&token, is_https));
    let mut value = value.map_err(|_| Notice::NoToken)?;
    value.set_sensitive(true);
    let headers = [
        (header::SET_COOKIE, value),
        (header::CACHE_CONTROL, NO_STORE),
    ];
    Ok((StatusCode::NO_CONTENT, headers).into_response())
}
