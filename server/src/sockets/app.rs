//! `/ws/{code}`: the app's own dialect ([`mesh::signaling`], and
//! [`mesh::frame`] in binary messages).

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use mesh::code::SessionCode;
use mesh::frame::ToServer;
use mesh::peer::Class;
use mesh::signaling::{ClientMessage, ErrorCode, ParseError, ServerMessage, close};

use super::connection::{self, Dialect, RESTART, Refusal, TurnedAway};
use crate::hub::Seat;
use crate::hub::outbox::Outbox;
use crate::limits::{Client, Missed};
use crate::metrics::{DialectName, Reason};
use crate::shutdown::retry_after_ms;
use crate::state::AppState;

/// Answers the upgrade at `/ws/{code}`.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(code): Path<String>,
    client: Client,
    ws: WebSocketUpgrade,
) -> Response {
    connection::upgrade(ws, state, client, move |state| {
        let now = state.hub.now();
        let seat = state.limits.joins.attempt(client.0, now, || {
            let code = code.parse::<SessionCode>().ok()?;
            state.hub.connect(&code)
        });
        match seat {
            Ok(seat) => Ok(Rider {
                seat,
                greeted: false,
            }),
            Err(Missed::Unknown) => {
                Err(turn_away(state, Reason::NoSuchRide, ErrorCode::NoSuchRide))
            }
            Err(Missed::TooOften(_)) => {
                Err(turn_away(state, Reason::JoinRate, ErrorCode::RateLimited))
            }
        }
    })
}

fn turn_away(state: &AppState, reason: Reason, error: ErrorCode) -> TurnedAway {
    state.metrics.refused(reason);
    tracing::info!(reason = reason.name(), "refused");
    TurnedAway {
        words: ServerMessage::error(error).to_json(),
        code: close::REFUSED,
        reason: reason.name(),
    }
}

/// A socket of the app's page.
struct Rider {
    seat: Seat,
    greeted: bool,
}

impl Dialect for Rider {
    const NAME: DialectName = DialectName::App;

    fn outbox(&self) -> &Outbox {
        self.seat.outbox()
    }

    fn has_greeted(&self) -> bool {
        self.greeted
    }

    fn text(&mut self, text: &str) {
        match ClientMessage::parse(text) {
            Ok(ClientMessage::Hello(hello)) => {
                self.greeted = true;
                self.seat.join(hello);
            }
            Ok(message) => self.seat.message(message),
            Err(ParseError::TooLarge(_)) => {
                self.seat.count_refusal(Reason::TooLarge);
                self.end(ErrorCode::TooLarge, close::TOO_LARGE);
            }
            Err(ParseError::Malformed(_) | ParseError::TooMuch(_)) => {
                self.seat.count_refusal(Reason::BadMessage);
                self.end(ErrorCode::BadMessage, close::POLICY);
            }
        }
    }

    fn class(&self, bytes: &[u8]) -> Option<Class> {
        // What is no frame weighs as bulk does.
        Some(ToServer::class_of(bytes).unwrap_or(Class::Bulk))
    }

    fn binary(&mut self, bytes: Bytes) {
        self.seat.relay(bytes.into());
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::TooLarge => self.end(ErrorCode::TooLarge, close::TOO_LARGE),
            Refusal::NoHello => self.end(ErrorCode::NotInRide, close::POLICY),
            Refusal::TooFast => self.say(ErrorCode::RateLimited),
            Refusal::Flood => self.end(ErrorCode::RateLimited, close::POLICY),
            Refusal::SlowReader => self.seat.log_refusal(refusal.reason()),
        }
    }

    fn restart(&mut self) {
        let retry_after_ms = retry_after_ms();
        self.seat
            .outbox()
            .send(&ServerMessage::Closing { retry_after_ms });
        self.seat.outbox().close(RESTART, "the server restarts");
    }
}

impl Rider {
    fn end(&self, error: ErrorCode, code: u16) {
        self.say(error);
        self.seat.outbox().close(code, "refused");
    }

    fn say(&self, error: ErrorCode) {
        self.seat.log_refusal(error.into());
        self.seat.outbox().send(&ServerMessage::error(error));
    }
}
