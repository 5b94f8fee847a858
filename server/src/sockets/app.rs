//! `/ws/{code}`: the app's own dialect ([`mesh::signaling`], and
//! [`mesh::frame`] in binary messages).

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use mesh::code::SessionCode;
use mesh::signaling::{ClientMessage, ErrorCode, ParseError, ServerMessage, close};

use super::connection::{self, Dialect, RESTART, Refusal, TurnedAway};
use crate::hub::Seat;
use crate::hub::outbox::Outbox;
use crate::shutdown::retry_after_ms;
use crate::state::AppState;

/// Answers the upgrade at `/ws/{code}`.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(code): Path<String>,
    ws: WebSocketUpgrade,
) -> Response {
    connection::upgrade(ws, state, move |state| {
        let seat = code
            .parse::<SessionCode>()
            .ok()
            .and_then(|code| state.hub.connect(&code));
        match seat {
            Some(seat) => Ok(Rider {
                seat,
                greeted: false,
            }),
            None => {
                tracing::info!(code = ?ErrorCode::NoSuchRide, "refused");
                Err(TurnedAway {
                    words: ServerMessage::error(ErrorCode::NoSuchRide).to_json(),
                    code: close::REFUSED,
                    reason: "no such ride",
                })
            }
        }
    })
}

/// A socket of the app's page.
struct Rider {
    seat: Seat,
    greeted: bool,
}

impl Dialect for Rider {
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
            Err(ParseError::TooLarge(_)) => self.end(ErrorCode::TooLarge, close::TOO_LARGE),
            Err(ParseError::Malformed(_) | ParseError::TooMuch(_)) => {
                self.end(ErrorCode::BadMessage, close::POLICY);
            }
        }
    }

    fn binary(&mut self, bytes: Bytes) {
        self.seat.relay(bytes.into());
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::TooLarge => self.end(ErrorCode::TooLarge, close::TOO_LARGE),
            Refusal::NoHello => self.end(ErrorCode::NotInRide, close::POLICY),
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
        tracing::info!(ride = self.seat.ride_log_name(), code = ?error, "refused");
        self.seat.outbox().send(&ServerMessage::error(error));
        self.seat.outbox().close(code, "refused");
    }
}
