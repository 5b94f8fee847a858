//! PeerJS over HTTP, as upstream's server answers it: what it is, a fresh id,
//! and the list of peers. Sockets open at the same addresses.

use axum::Json;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{OriginalUri, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use crate::error::ApiError;
use crate::hub::peerjs::Wish;
use crate::limits::{Client, Missed};
use crate::sockets;
use crate::state::AppState;

/// What upstream's server says of itself.
const ABOUT: &str = concat!(
    r#"{"name":"PeerJS Server","#,
    r#""description":"A server side element to broker connections between PeerJS clients.","#,
    r#""website":"https://peerjs.com/"}"#,
);

/// The parameters of a client's address, in their order.
type Parameters = Query<Vec<(String, String)>>;

/// Answers at `/peerjs`: a socket where one is asked for, otherwise what
/// upstream says at its root.
///
/// # Errors
/// [`ApiError::RoomFull`] for a plain request with a full room's token, and
/// [`ApiError::TooManyTries`] where too many tokens were tried.
pub async fn root(
    State(state): State<AppState>,
    client: Client,
    Query(parameters): Parameters,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    socket_or(&state, client, parameters, ws, || {
        Ok(([(header::CONTENT_TYPE, "application/json")], ABOUT).into_response())
    })
}

/// Answers at `/peerjs/peerjs`, where clients with the path `/peerjs` ask for
/// their socket.
///
/// # Errors
/// As [`root`], and [`ApiError::NotFound`] for other plain requests.
pub async fn socket(
    State(state): State<AppState>,
    client: Client,
    Query(parameters): Parameters,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    socket_or(&state, client, parameters, ws, || Err(ApiError::NotFound))
}

/// A socket where one is asked for, otherwise a plain answer.
fn socket_or(
    state: &AppState,
    client: Client,
    parameters: Vec<(String, String)>,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    answer: impl FnOnce() -> Result<Response, ApiError>,
) -> Result<Response, ApiError> {
    let wish = wish(parameters);
    if let Ok(ws) = ws {
        return Ok(sockets::peerjs::upgrade(ws, state.clone(), client, wish));
    }
    refuse_full_room(state, client, &wish)?;
    answer()
}

/// Answers `GET …/id`: an id that nobody has.
///
/// # Errors
/// As [`root`].
pub async fn id(
    State(state): State<AppState>,
    client: Client,
    Query(parameters): Parameters,
) -> Result<String, ApiError> {
    refuse_full_room(&state, client, &wish(parameters))?;
    Ok(Uuid::new_v4().to_string())
}

/// Answers `GET …/peers`: the ids that a peer could reach, where that may be
/// asked. With rooms these are the ids of the token's room.
///
/// # Errors
/// As [`root`].
pub async fn peers(
    State(state): State<AppState>,
    client: Client,
    OriginalUri(address): OriginalUri,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    let wish = wish(parameters);
    refuse_full_room(&state, client, &wish)?;
    let settings = &state.config.peerjs;
    let names_key = key_of(address.path()) == Some(settings.peerjs_key.as_str());
    let token = match wish.token.as_deref() {
        None | Some("") if settings.peerjs_rooms => None,
        token => Some(token.unwrap_or_default()),
    };
    Ok(match token {
        Some(token) if settings.peerjs_discovery && names_key => {
            Json(state.hub.peerjs_ids(token)).into_response()
        }
        _ => (StatusCode::UNAUTHORIZED, "Unauthorized").into_response(),
    })
}

/// `/peerjs/{key}/peers`, or `/peerjs/peers` for the key `peerjs`.
fn key_of(path: &str) -> Option<&str> {
    path.rsplit('/').nth(1)
}

/// Of two parameters of a name the last counts, as upstream has it.
fn wish(parameters: Vec<(String, String)>) -> Wish {
    let mut wish = Wish::default();
    for (name, value) in parameters {
        match name.as_str() {
            "key" => wish.key = Some(value),
            "id" => wish.id = Some(value),
            "token" => wish.token = Some(value),
            _ => {}
        }
    }
    wish
}

/// What is said of a token's room is an answer to a guess, so tokens of no room
/// count as tries here too.
fn refuse_full_room(state: &AppState, client: Client, wish: &Wish) -> Result<(), ApiError> {
    let token = wish.token.as_deref().filter(|token| !token.is_empty());
    let Some(token) = token.filter(|_| state.config.peerjs.peerjs_rooms) else {
        return Ok(());
    };
    let room = || state.hub.has_peerjs_room(token).then_some(());
    match state.limits.rooms.attempt(client.0, state.hub.now(), room) {
        Err(Missed::TooOften(wait)) => Err(Missed::TooOften(wait).into()),
        Ok(()) if state.hub.is_peerjs_room_full(token) => Err(ApiError::RoomFull),
        Ok(()) | Err(Missed::Unknown) => Ok(()),
    }
}
