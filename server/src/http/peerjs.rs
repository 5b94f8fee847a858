//! HTTP endpoints of the PeerJS dialect, with the answers of the upstream
//! server: its description, a fresh id, and the list of peers. WebSockets open at
//! the same addresses.

use axum::Json;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{OriginalUri, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::error::ApiError;
use crate::hub::peerjs::PeerJsParams;
use crate::limits::{ClientAddress, LookupError};
use crate::sockets::{self, SocketUpgrade};
use crate::state::AppState;

/// Description that the upstream server returns.
const DESCRIPTION: &str = concat!(
    r#"{"name":"PeerJS Server","#,
    r#""description":"A server side element to broker connections between PeerJS clients.","#,
    r#""website":"https://peerjs.com/"}"#,
);

/// Query parameters in the order of the address.
type Parameters = Query<Vec<(String, String)>>;

/// Answers at `/peerjs`: opens a socket if an upgrade is requested, otherwise
/// returns the description.
///
/// # Errors
/// [`ApiError::RoomFull`] for a plain request with the token of a full room,
/// [`ApiError::TooManyCodesTried`] if too many unknown tokens were tried.
pub async fn root(
    State(state): State<AppState>,
    client: ClientAddress,
    Query(parameters): Parameters,
    ws: Result<SocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    socket_or(&state, client, parameters, ws, || {
        Ok(([(header::CONTENT_TYPE, "application/json")], DESCRIPTION).into_response())
    })
}

/// Answers at `/peerjs/peerjs`, where clients with the path `/peerjs` open their
/// socket.
///
/// # Errors
/// As [`root`], and [`ApiError::NotFound`] for other plain requests.
pub async fn socket(
    State(state): State<AppState>,
    client: ClientAddress,
    Query(parameters): Parameters,
    ws: Result<SocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    socket_or(&state, client, parameters, ws, || Err(ApiError::NotFound))
}

/// Opens a socket if an upgrade is requested, otherwise returns the answer of
/// `plain`.
fn socket_or(
    state: &AppState,
    client: ClientAddress,
    parameters: Vec<(String, String)>,
    ws: Result<SocketUpgrade, WebSocketUpgradeRejection>,
    plain: impl FnOnce() -> Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    let params = parse(parameters);
    if let Ok(ws) = ws {
        return Ok(sockets::peerjs::upgrade(ws, state.clone(), client, params));
    }
    check_room(state, client, &params)?;
    plain()
}

/// Answers `GET …/id`: a fresh id.
///
/// # Errors
/// As [`root`].
pub async fn id(
    State(state): State<AppState>,
    client: ClientAddress,
    Query(parameters): Parameters,
) -> Result<String, ApiError> {
    check_room(&state, client, &parse(parameters))?;
    Ok(Uuid::new_v4().to_string())
}

/// Answers `GET …/peers`: the ids that a peer could reach, if discovery is
/// enabled. With rooms these are the ids in the token's room.
///
/// # Errors
/// As [`root`].
pub async fn peers(
    State(state): State<AppState>,
    client: ClientAddress,
    OriginalUri(address): OriginalUri,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    let params = parse(parameters);
    check_room(&state, client, &params)?;
    let settings = &state.config.peerjs;
    let has_key = key_of(address.path()) == Some(settings.peerjs_key.as_str());
    let token = match params.token.as_deref() {
        None | Some("") if settings.peerjs_rooms => None,
        token => Some(token.unwrap_or_default()),
    };
    Ok(match token {
        Some(token) if settings.peerjs_discovery && has_key => {
            Json(state.hub.peerjs().ids(token)).into_response()
        }
        _ => (StatusCode::UNAUTHORIZED, "Unauthorized").into_response(),
    })
}

/// Key in the path `/peerjs/{key}/peers`, or `peerjs` in `/peerjs/peers`.
fn key_of(path: &str) -> Option<&str> {
    path.rsplit('/').nth(1)
}

/// Parameters of a client. If a parameter occurs twice, the last one counts, as
/// in the upstream server.
fn parse(parameters: Vec<(String, String)>) -> PeerJsParams {
    let mut params = PeerJsParams::default();
    for (name, value) in parameters {
        match name.as_str() {
            "key" => params.key = Some(value),
            "id" => params.id = Some(value),
            "token" => params.token = Some(value),
            _ => {}
        }
    }
    params
}

/// Refuses a request with the token of a full room. The answer reveals whether a
/// room exists, so unknown tokens count for the rate limit here too.
fn check_room(
    state: &AppState,
    client: ClientAddress,
    params: &PeerJsParams,
) -> Result<(), ApiError> {
    let token = params.token.as_deref().filter(|token| !token.is_empty());
    let Some(token) = token.filter(|_| state.config.peerjs.peerjs_rooms) else {
        return Ok(());
    };
    let rooms = state.hub.peerjs();
    let find = || rooms.has_room(token).then_some(());
    let found = state
        .limits
        .new_rooms
        .attempt(client.0, state.hub.now(), find);
    match found {
        Err(LookupError::RateLimited(wait)) => Err(LookupError::RateLimited(wait).into()),
        Ok(()) if rooms.is_full(token) => Err(ApiError::RoomFull),
        Ok(()) | Err(LookupError::NotFound) => Ok(()),
    }
}
