//! Rides over HTTP: start one, find one by its code, and the QR code of its
//! invitation.

use std::fmt::Display;
use std::net::IpAddr;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use protocol::code::SessionCode;
use protocol::peer::Token;
use rooms::room::Summary;
use serde::Serialize;

use super::qr;
use crate::error::{ApiError, whole_seconds};
use crate::limits::ClientAddress;
use crate::state::AppState;

/// Body of `GET /api/rides/{code}`.
#[derive(Debug, Clone, Serialize)]
pub struct RideInfo {
    code: SessionCode,
    riders: u32,
    full: bool,
    locked: bool,
    /// Address to share. Absent if the server's public address is not set; the
    /// page then uses its own origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct NewRide {
    code: SessionCode,
}

/// Answers `POST /api/rides`: starts a ride and returns its code with status
/// 201.
///
/// # Errors
/// [`ApiError::RateLimited`], [`ApiError::ServerFull`] or
/// [`ApiError::Draining`].
pub async fn start(
    State(state): State<AppState>,
    ClientAddress(client): ClientAddress,
) -> Result<Response, ApiError> {
    if state.draining.has_begun() {
        return Err(ApiError::Draining);
    }
    state
        .limits
        .ride_starts
        .take(client, state.hub.now())
        .map_err(|wait| ApiError::RateLimited {
            retry_after: whole_seconds(wait),
        })?;
    let code = state
        .hub
        .start_ride(|| state.session_codes.random())
        .ok_or(ApiError::ServerFull)?;
    state.limits.joins.record_hit(client, state.hub.now());
    let address = format!("/ride/{code}");
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, address)],
        Json(NewRide { code }),
    )
        .into_response())
}

/// Answers `GET /api/rides/{code}`: number of riders, and whether the ride is
/// full or locked. Requests with a resume token of the ride are exempt from the
/// rate limit on codes.
///
/// # Errors
/// [`ApiError::NoSuchRide`] or [`ApiError::TooManyCodesTried`].
pub async fn find(
    State(state): State<AppState>,
    ClientAddress(client): ClientAddress,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Json<RideInfo>, ApiError> {
    let (code, summary) = look_up(&state, client, &code, &headers)?;
    let public_url = state.config.public_url.as_ref();
    Ok(Json(RideInfo {
        invitation: public_url.map(|url| invitation(url, &code)),
        code,
        riders: summary.riders,
        full: summary.full,
        locked: summary.locked,
    }))
}

/// Answers `GET /ride/{code}/qr.svg`: the invitation as a QR code.
///
/// # Errors
/// [`ApiError::NoSuchRide`] or [`ApiError::TooManyCodesTried`].
pub async fn qr_code(
    State(state): State<AppState>,
    ClientAddress(client): ClientAddress,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (code, _) = look_up(&state, client, &code, &headers)?;
    let address = match &state.config.public_url {
        Some(url) => invitation(url, &code),
        None => invitation(requested_origin(&headers), &code),
    };
    let picture = qr::svg(&address).ok_or(ApiError::NoSuchRide)?;
    let headers = [
        (header::CONTENT_TYPE, "image/svg+xml"),
        (header::CACHE_CONTROL, "private, max-age=600"),
    ];
    Ok((headers, picture).into_response())
}

fn invitation(origin: impl Display, code: &SessionCode) -> String {
    format!("{origin}/ride/{code}")
}

/// Finds a ride by its code, in any spelling that parses.
fn look_up(
    state: &AppState,
    client: IpAddr,
    typed: &str,
    headers: &HeaderMap,
) -> Result<(SessionCode, Summary), ApiError> {
    let code: Option<SessionCode> = typed.parse().ok();
    let find = || {
        let code = code.clone()?;
        let summary = state.hub.summary(&code)?;
        Some((code, summary))
    };
    // A returning rider does not guess codes, even if the ride was lost in a
    // restart of the server.
    let token = bearer_token(headers);
    let returning = code.as_ref().zip(token);
    if returning.is_some_and(|(code, token)| state.hub.is_rider_token(code, &token)) {
        return find().ok_or(ApiError::NoSuchRide);
    }
    let found = state.limits.joins.attempt(client, state.hub.now(), find);
    Ok(found?)
}

/// Resume token in the `Authorization` header (RFC 6750, section 2.1).
fn bearer_token(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")?.trim().parse().ok()
}

/// Origin of the request. A server without a public address is reached
/// directly, over plain HTTP.
fn requested_origin(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    format!("http://{host}")
}
