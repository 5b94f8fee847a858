//! Rides over HTTP: start one, look one up, its invitation as a picture.

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

use crate::error::{ApiError, whole_seconds};
use crate::limits::Client;
use crate::qr;
use crate::state::AppState;

/// The body of `GET /api/rides/{code}`.
#[derive(Debug, Clone, Serialize)]
pub struct Ride {
    code: SessionCode,
    riders: u32,
    full: bool,
    locked: bool,
    /// The address to share, where the server knows its public one; without
    /// it the page's own is as good.
    #[serde(skip_serializing_if = "Option::is_none")]
    invitation: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct NewRide {
    code: SessionCode,
}

/// Answers `POST /api/rides`: a new ride, 201 and its code.
///
/// # Errors
/// [`ApiError::RateLimited`], [`ApiError::ServerFull`] or
/// [`ApiError::Draining`].
pub async fn start(
    State(state): State<AppState>,
    Client(client): Client,
) -> Result<Response, ApiError> {
    if state.draining.has_begun() {
        return Err(ApiError::Draining);
    }
    state
        .limits
        .starts
        .take(client, state.hub.now())
        .map_err(|wait| ApiError::RateLimited {
            retry_after: whole_seconds(wait),
        })?;
    let code = state
        .hub
        .start(|| state.words.random_code())
        .ok_or(ApiError::ServerFull)?;
    let address = format!("/ride/{code}");
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, address)],
        Json(NewRide { code }),
    )
        .into_response())
}

/// Answers `GET /api/rides/{code}`: whether one could join. A rider of the ride
/// sends its token along, and is never refused as somebody who guesses.
///
/// # Errors
/// [`ApiError::NoSuchRide`] or [`ApiError::TooManyTries`].
pub async fn find(
    State(state): State<AppState>,
    Client(client): Client,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Ride>, ApiError> {
    let (code, summary) = look_up(&state, client, &code, &headers)?;
    let public_url = state.config.public_url.as_ref();
    Ok(Json(Ride {
        invitation: public_url.map(|url| invitation(url, &code)),
        code,
        riders: summary.riders,
        full: summary.full,
        locked: summary.locked,
    }))
}

/// Answers `GET /ride/{code}/qr.svg`: the invitation as a picture.
///
/// # Errors
/// [`ApiError::NoSuchRide`] or [`ApiError::TooManyTries`].
pub async fn qr_code(
    State(state): State<AppState>,
    Client(client): Client,
    Path(code): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (code, _) = look_up(&state, client, &code, &headers)?;
    let address = match &state.config.public_url {
        Some(url) => invitation(url, &code),
        None => invitation(asked_origin(&headers), &code),
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

/// A ride by its code, typed as it may be.
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
    // A rider who comes back guesses nothing, even where a restart forgot the
    // ride.
    let token = bearer(headers);
    let returns = code.as_ref().zip(token);
    if returns.is_some_and(|(code, token)| state.hub.is_rider(code, &token)) {
        return find().ok_or(ApiError::NoSuchRide);
    }
    let found = state.limits.joins.attempt(client, state.hub.now(), find);
    Ok(found?)
}

/// The token by which a rider says who asks (RFC 6750, 2.1).
fn bearer(headers: &HeaderMap) -> Option<Token> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")?.trim().parse().ok()
}

/// The origin that the browser asked: without a public address the server is
/// reached directly, and speaks plain HTTP.
fn asked_origin(headers: &HeaderMap) -> String {
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    format!("http://{host}")
}
