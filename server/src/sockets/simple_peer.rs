//! `/signal/{code}`: the sockets of simple-peer clients
//! ([`rooms::simple_peer`]).

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use rooms::simple_peer::{Code, Refusal as NotLetIn};
use serde_json::json;

use super::dialect::Refusal;
use super::guest::GuestSocket;
use super::upgrade;
use crate::limits::Client;
use crate::metrics::{DialectName, Reason};
use crate::state::AppState;

/// Answers the upgrade at `/signal/{code}`.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(code): Path<String>,
    client: Client,
    ws: WebSocketUpgrade,
) -> Response {
    upgrade::upgrade(ws, state, client, move |state| {
        let turn_away = |reason, words| {
            Err(upgrade::turn_away(
                state,
                DialectName::SimplePeer,
                reason,
                words,
            ))
        };
        let Ok(code) = code.parse::<Code>() else {
            let refusal = NotLetIn::BadCode;
            return turn_away(refusal.into(), refusal.to_json());
        };
        let (rooms, now) = (&state.limits.rooms, state.hub.now());
        if rooms.check(client.0, now).is_err() {
            let words = "Too many codes were tried. Wait a moment, then try again.";
            return turn_away(Reason::JoinRate, error(words));
        }
        // Nobody here can prove to be somebody who was here.
        let names = [DialectName::SimplePeer.name(), code.as_str()];
        let way = state.limits.peers.way(client.0, &names);
        let (seat, tried) = state.hub.connect_simple_peer(code);
        rooms.count(client.0, now, tried);
        Ok(GuestSocket { seat, way, words })
    })
}

fn error(words: &str) -> String {
    json!({ "type": "error", "message": words }).to_string()
}

fn words(refusal: Refusal) -> Option<String> {
    let words = match refusal {
        Refusal::TooLarge => "That message is too large.",
        Refusal::NoHello => "That took too long.",
        Refusal::TooFast | Refusal::Flood => "That is too much at once.",
        Refusal::SlowReader => return None,
    };
    Some(error(words))
}
