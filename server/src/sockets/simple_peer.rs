//! `/signal/{code}`: sockets of simple-peer clients ([`rooms::simple_peer`]).

use axum::extract::{Path, State};
use axum::response::Response;
use rooms::simple_peer::{RoomCode, SimplePeerRefusal};
use serde_json::json;

use super::dialect::Violation;
use super::third_party::ThirdPartySocket;
use super::upgrade::{self, SocketUpgrade};
use crate::error::RefusalReason;
use crate::hub::simple_peer::SimplePeerParams;
use crate::limits::ClientAddress;
use crate::metrics::DialectName;
use crate::state::AppState;

/// Answers the upgrade at `/signal/{code}`.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(code): Path<String>,
    client: ClientAddress,
    ws: SocketUpgrade,
) -> Response {
    upgrade::upgrade(ws, state, client, move |state| {
        let reject = |reason, message| {
            Err(upgrade::reject(
                state,
                DialectName::SimplePeer,
                reason,
                message,
            ))
        };
        let Ok(code) = code.parse::<RoomCode>() else {
            let refusal = SimplePeerRefusal::BadCode;
            return reject(refusal.into(), refusal.to_json());
        };
        let (new_rooms, now) = (&state.limits.new_rooms, state.hub.now());
        if new_rooms.check(client.0, now).is_err() {
            let message = "Too many codes were tried. Wait a moment, then try again.";
            return reject(RefusalReason::JoinRate, error(message));
        }
        // Clients cannot prove their identity, so all clients of one address in
        // one room share a key.
        let names = [DialectName::SimplePeer.name(), code.as_str()];
        let rate_limit_key = state.limits.saved_limiters.key(client.0, &names);
        let params = SimplePeerParams::new(code);
        let (member, outcome) = state.hub.simple_peer().connect(&params, client.0);
        new_rooms.record(client.0, now, outcome);
        Ok(ThirdPartySocket {
            client: member,
            rate_limit_key,
            error_message,
        })
    })
}

fn error(message: &str) -> String {
    json!({ "type": "error", "message": message }).to_string()
}

fn error_message(violation: Violation) -> Option<String> {
    let message = match violation {
        Violation::TooLarge => "That message is too large.",
        Violation::HelloTimeout => "That took too long.",
        Violation::RateLimited | Violation::Flooding => "That is too much at once.",
        Violation::SlowReader => return None,
    };
    Some(error(message))
}
