//! Sockets of PeerJS clients ([`rooms::peerjs`]).

use axum::response::Response;
use serde_json::json;

use super::dialect::Violation;
use super::third_party::ThirdPartySocket;
use super::upgrade::{self, SocketUpgrade};
use crate::error::RefusalReason;
use crate::hub::peerjs::PeerJsParams;
use crate::limits::ClientAddress;
use crate::metrics::DialectName;
use crate::state::AppState;

/// Answers an upgrade. The parameters are checked once the socket is open.
pub fn upgrade(
    ws: SocketUpgrade,
    state: AppState,
    client: ClientAddress,
    params: PeerJsParams,
) -> Response {
    upgrade::upgrade(ws, state, client, move |state| {
        let (new_rooms, now) = (&state.limits.new_rooms, state.hub.now());
        if new_rooms.check(client.0, now).is_err() {
            return Err(upgrade::reject(
                state,
                DialectName::PeerJs,
                RefusalReason::JoinRate,
                error("Too many rooms were tried"),
            ));
        }
        let (peer, outcome) = state.hub.peerjs().connect(&params, client.0);
        new_rooms.record(client.0, now, outcome);
        let names = [
            DialectName::PeerJs.name(),
            params.token.as_deref().unwrap_or_default(),
            params.id.as_deref().unwrap_or_default(),
        ];
        Ok(ThirdPartySocket {
            client: peer,
            rate_limit_key: state.limits.saved_limiters.key(client.0, &names),
            error_message,
        })
    })
}

fn error(message: &str) -> String {
    json!({ "type": "ERROR", "payload": { "msg": message } }).to_string()
}

fn error_message(violation: Violation) -> Option<String> {
    let message = match violation {
        Violation::TooLarge => "Message is too large",
        Violation::HelloTimeout => "No id in time",
        Violation::RateLimited | Violation::Flooding => "Too many messages",
        Violation::SlowReader => return None,
    };
    Some(error(message))
}
