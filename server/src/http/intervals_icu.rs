//! intervals.icu for pages: how it may be called, and the calls that this server passes
//! on (see [`intervals_icu`](crate::intervals_icu)).

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::error::{ApiError, NO_STORE, whole_seconds};
use crate::intervals_icu::Call;
use crate::limits::ClientAddress;
use crate::state::AppState;

/// Header of every call. A page of another origin cannot send it without asking before
/// (<https://fetch.spec.whatwg.org/#cors-preflight-fetch>), which is refused; no link, form
/// or picture can send it at all. `Origin` does not tell, because browsers leave it out
/// of requests to the page's own origin, nor does `Sec-Fetch-Site`, which is left out over
/// plain HTTP and by browsers of before 2023.
const REQUESTED_WITH: &str = "x-requested-with";
/// Value of that header.
const GRUPPETTO: &str = "gruppetto";

/// Body of `GET /api/intervals-icu`.
#[derive(Debug, Clone, Serialize)]
pub struct Access {
    /// Origin to call; `null` if intervals.icu is not used.
    url: Option<String>,
    /// Calls that the browser may not make are passed on by this server.
    pass_through: bool,
}

/// Answers `GET /api/intervals-icu`.
pub async fn access(State(state): State<AppState>) -> Json<Access> {
    let settings = &state.config.intervals_icu;
    Json(Access {
        url: settings.origin().map(ToString::to_string),
        pass_through: settings.passes_through(),
    })
}

/// Answers `/intervals-icu/…`: passes one of the calls of the app on.
///
/// # Errors
/// [`ApiError::NotFound`] for anything else, and for everything unless calls are passed on;
/// [`ApiError::ForeignOrigin`] for a request that is not from a page of this server;
/// [`ApiError::TooManyCalls`], [`ApiError::TooManyOpenCalls`] or [`ApiError::Draining`];
/// the errors of [`CallError`](crate::intervals_icu::CallError).
pub async fn pass_through(
    State(state): State<AppState>,
    ClientAddress(client): ClientAddress,
    request: Request,
) -> Result<Response, ApiError> {
    let service = state.intervals_icu.as_ref().ok_or(ApiError::NotFound)?;
    let call = Call::parse(request.method(), request.uri()).ok_or(ApiError::NotFound)?;
    if !is_from_own_page(request.headers()) {
        return Err(ApiError::ForeignOrigin);
    }
    if state.draining.has_begun() {
        return Err(ApiError::Draining);
    }
    let limits = &state.limits;
    let permit = limits.open_service_calls.acquire(client);
    let permit = permit.map_err(ApiError::TooManyOpenCalls)?;
    limits
        .service_calls
        .take(client, state.hub.now())
        .map_err(|wait| ApiError::TooManyCalls {
            retry_after: whole_seconds(wait),
        })?;
    let response = service.call(call, request, permit).await?;
    Ok(([(header::CACHE_CONTROL, NO_STORE)], response).into_response())
}

fn is_from_own_page(headers: &HeaderMap) -> bool {
    headers.get(REQUESTED_WITH).map(HeaderValue::as_bytes) == Some(GRUPPETTO.as_bytes())
}
