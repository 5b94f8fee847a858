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
use crate::limits::Client;
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
/// [`ApiError::RoomFull`] for a plain request with a full room's token.
pub async fn root(
    State(state): State<AppState>,
    client: Client,
    Query(parameters): Parameters,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let wish = wish(parameters);
    if let Ok(ws) = ws {
        return Ok(sockets::peerjs::upgrade(ws, state, client, wish));
    }
    refuse_full_room(&state, &wish)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], ABOUT).into_response())
}

/// Answers at `/peerjs/peerjs`, where clients with the path `/peerjs` ask for
/// their socket.
///
/// # Errors
/// [`ApiError::RoomFull`], or [`ApiError::NotFound`] for other plain requests.
pub async fn socket(
    State(state): State<AppState>,
    client: Client,
    Query(parameters): Parameters,
    ws: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, ApiError> {
    let wish = wish(parameters);
    if let Ok(ws) = ws {
        return Ok(sockets::peerjs::upgrade(ws, state, client, wish));
    }
    refuse_full_room(&state, &wish)?;
    Err(ApiError::NotFound)
}

/// Answers `GET …/id`: an id that nobody has.
///
/// # Errors
/// [`ApiError::RoomFull`].
pub async fn id(
    State(state): State<AppState>,
    Query(parameters): Parameters,
) -> Result<String, ApiError> {
    refuse_full_room(&state, &wish(parameters))?;
    Ok(Uuid::new_v4().to_string())
}

/// Answers `GET …/peers`: the ids that a peer could reach, where that may be
/// asked. With rooms these are the ids of the token's room.
///
/// # Errors
/// [`ApiError::RoomFull`].
pub async fn peers(
    State(state): State<AppState>,
    OriginalUri(address): OriginalUri,
    Query(parameters): Parameters,
) -> Result<Response, ApiError> {
    let wish = wish(parameters);
    refuse_full_room(&state, &wish)?;
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

fn refuse_full_room(state: &AppState, wish: &Wish) -> Result<(), ApiError> {
    let token = wish.token.as_deref();
    match token.is_some_and(|token| state.hub.is_peerjs_room_full(token)) {
        true => Err(ApiError::RoomFull),
        false => Ok(()),
    }
}
