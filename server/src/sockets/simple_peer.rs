//! `/signal/{code}`: the sockets of simple-peer clients
//! ([`mesh::simple_peer`]).

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use mesh::signaling::close;
use mesh::simple_peer::{Code, Refusal as NotLetIn};
use serde_json::json;

use super::connection::RESTART;
use super::dialect::{Dialect, Refusal};
use super::upgrade;
use crate::hub::outbox::Outbox;
use crate::hub::simple_peer::SimplePeerSeat;
use crate::limits::{Client, Way};
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
        let names = [Member::NAME.name(), code.as_str()];
        let way = state.limits.peers.way(client.0, &names);
        let (seat, tried) = state.hub.connect_simple_peer(code);
        rooms.count(client.0, now, tried);
        Ok(Member { seat, way })
    })
}

fn error(words: &str) -> String {
    json!({ "type": "error", "message": words }).to_string()
}

/// The socket of a simple-peer client.
struct Member {
    seat: SimplePeerSeat,
    way: Way,
}

impl Dialect for Member {
    const NAME: DialectName = DialectName::SimplePeer;

    fn outbox(&self) -> &Outbox {
        self.seat.outbox()
    }

    /// Its address said where it goes, and nothing else is asked.
    fn has_greeted(&self) -> bool {
        true
    }

    fn way(&self) -> Option<Way> {
        Some(self.way)
    }

    fn text(&mut self, text: &str) {
        self.seat.say(text);
    }

    fn binary(&mut self, bytes: Bytes) {
        self.seat
            .say(std::str::from_utf8(&bytes).unwrap_or_default());
    }

    fn goodbye(&mut self) {
        self.seat.says_goodbye();
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.seat.log_refusal(refusal.reason());
        let (words, end) = match refusal {
            Refusal::TooLarge => ("That message is too large.", Some(close::TOO_LARGE)),
            Refusal::NoHello => ("That took too long.", Some(close::POLICY)),
            Refusal::TooFast => ("That is too much at once.", None),
            Refusal::Flood => ("That is too much at once.", Some(close::POLICY)),
            Refusal::SlowReader => return,
        };
        self.outbox().text(error(words));
        if let Some(code) = end {
            self.outbox().close(code, "refused");
        }
    }

    fn restart(&mut self) {
        self.outbox().close(RESTART, "the server restarts");
    }
}
