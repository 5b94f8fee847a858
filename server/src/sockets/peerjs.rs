//! The sockets of PeerJS clients ([`rooms::peerjs`]).

use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use serde_json::json;

use super::dialect::Refusal;
use super::guest::GuestSocket;
use super::upgrade;
use crate::hub::peerjs::Wish;
use crate::limits::Client;
use crate::metrics::{DialectName, Reason};
use crate::state::AppState;

/// Answers an upgrade; what the client wants is checked on the socket.
pub fn upgrade(ws: WebSocketUpgrade, state: AppState, client: Client, wish: Wish) -> Response {
    upgrade::upgrade(ws, state, client, move |state| {
        let (rooms, now) = (&state.limits.rooms, state.hub.now());
        if rooms.check(client.0, now).is_err() {
            return Err(upgrade::turn_away(
                state,
                DialectName::PeerJs,
                Reason::JoinRate,
                error("Too many rooms were tried"),
            ));
        }
        let (seat, tried) = state.hub.connect_peerjs(&wish);
        rooms.count(client.0, now, tried);
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        let names = [
            DialectName::PeerJs.name(),
            &name(&wish.token),
            &name(&wish.id),
        ];
        let way = state.limits.peers.way(client.0, &names);
        Ok(GuestSocket { seat, way, words })
    })
}

fn error(words: &str) -> String {
    json!({ "type": "ERROR", "payload": { "msg": words } }).to_string()
}

fn words(refusal: Refusal) -> Option<String> {
    let words = match refusal {
        Refusal::TooLarge => "Message is too large",
        Refusal::NoHello => "No id in time",
        Refusal::TooFast | Refusal::Flood => "Too many messages",
        Refusal::SlowReader => return None,
    };
    Some(error(words))
}
