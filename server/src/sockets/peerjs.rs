//! The sockets of PeerJS clients ([`mesh::peerjs`]).

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::response::Response;
use mesh::signaling::close;
use serde_json::json;

use super::connection::RESTART;
use super::dialect::{Dialect, Refusal};
use super::upgrade;
use crate::hub::outbox::Outbox;
use crate::hub::peerjs::{PeerJsSeat, Wish};
use crate::limits::{Client, Way};
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
        let names = [Peer::NAME.name(), &name(&wish.token), &name(&wish.id)];
        let way = state.limits.peers.way(client.0, &names);
        Ok(Peer { seat, way })
    })
}

fn error(words: &str) -> String {
    json!({ "type": "ERROR", "payload": { "msg": words } }).to_string()
}

/// The socket of a PeerJS client.
struct Peer {
    seat: PeerJsSeat,
    way: Way,
}

impl Dialect for Peer {
    const NAME: DialectName = DialectName::PeerJs;

    fn outbox(&self) -> &Outbox {
        self.seat.outbox()
    }

    /// Its address said who it is.
    fn has_greeted(&self) -> bool {
        true
    }

    fn way(&self) -> Option<Way> {
        Some(self.way)
    }

    fn text(&mut self, text: &str) {
        self.seat.say(text);
    }

    /// Upstream reads bytes as the text that they are.
    fn binary(&mut self, bytes: Bytes) {
        self.seat
            .say(std::str::from_utf8(&bytes).unwrap_or_default());
    }

    fn sign_of_life(&mut self) {
        self.seat.is_alive();
    }

    fn goodbye(&mut self) {
        self.seat.says_goodbye();
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.seat.log_refusal(refusal.reason());
        let (words, end) = match refusal {
            Refusal::TooLarge => ("Message is too large", Some(close::TOO_LARGE)),
            Refusal::NoHello => ("No id in time", Some(close::POLICY)),
            Refusal::TooFast => ("Too many messages", None),
            Refusal::Flood => ("Too many messages", Some(close::POLICY)),
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
