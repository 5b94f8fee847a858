//! `/ws/{code}`: the app's own dialect ([`protocol::signaling`], and
//! [`protocol::frame`] in binary messages).

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{Path, State};
use axum::response::Response;
use protocol::code::SessionCode;
use protocol::frame::ToServer;
use protocol::peer::DeliveryClass;
use protocol::signaling::{ClientMessage, ErrorCode, Hello, ParseError, ServerMessage, close};

use super::connection::RESTART;
use super::dialect::{Dialect, Refusal};
use super::upgrade::{self, TurnedAway};
use crate::hub::Seat;
use crate::hub::outbox::Outbox;
use crate::limits::{Client, Missed, Way};
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
    upgrade::upgrade(ws, state.clone(), client, move |_| {
        // Whether there is such a ride, and whether this address may ask, is
        // said when the page says hello: it may be a rider who comes back, to a
        // ride that the server forgot in a restart.
        match code.parse::<SessionCode>() {
            Ok(code) => Ok(Rider {
                seat: state.hub.connect(code),
                state,
                client: client.0,
                greeted: false,
                way: None,
            }),
            Err(_) => Err(turn_away(&state, client)),
        }
    })
}

/// What is no code is no ride's.
fn turn_away(state: &AppState, client: Client) -> TurnedAway {
    let found = state
        .limits
        .joins
        .attempt(client.0, state.hub.now(), || None::<()>);
    let (reason, error) = match found {
        Err(Missed::TooOften(_)) => (Reason::JoinRate, ErrorCode::RateLimited),
        Ok(()) | Err(Missed::Unknown) => (Reason::NoSuchRide, ErrorCode::NoSuchRide),
    };
    let words = ServerMessage::error(error).to_json();
    upgrade::turn_away(state, DialectName::App, reason, words)
}

/// A socket of the app's page.
struct Rider {
    state: AppState,
    client: IpAddr,
    seat: Seat,
    greeted: bool,
    /// Of a rider who comes back.
    way: Option<Way>,
}

impl Dialect for Rider {
    const NAME: DialectName = DialectName::App;

    fn outbox(&self) -> &Outbox {
        self.seat.outbox()
    }

    fn has_greeted(&self) -> bool {
        self.greeted
    }

    fn way(&self) -> Option<Way> {
        self.way
    }

    fn text(&mut self, text: &str) {
        match ClientMessage::parse(text) {
            Ok(ClientMessage::Hello(hello)) => {
                self.greeted = true;
                self.join(hello);
            }
            Ok(message) => self.seat.message(message),
            Err(ParseError::TooLarge(_)) => self.seat.refuse(ErrorCode::TooLarge, close::TOO_LARGE),
            Err(ParseError::Malformed(_) | ParseError::TooMuch(_)) => {
                self.seat.refuse(ErrorCode::BadMessage, close::POLICY);
            }
        }
    }

    fn class(&self, bytes: &[u8]) -> Option<DeliveryClass> {
        // What is no frame weighs as bulk does.
        Some(ToServer::class_of(bytes).unwrap_or(DeliveryClass::Bulk))
    }

    fn binary(&mut self, bytes: Bytes) {
        self.seat.relay(bytes.into());
    }

    fn refuse(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::TooLarge => self.seat.end(ErrorCode::TooLarge, close::TOO_LARGE),
            Refusal::NoHello => self.seat.end(ErrorCode::NotInRide, close::POLICY),
            Refusal::TooFast => self.seat.say(ErrorCode::RateLimited),
            Refusal::Flood => self.seat.end(ErrorCode::RateLimited, close::POLICY),
            Refusal::SlowReader => self.seat.log_refusal(refusal.reason()),
        }
    }

    /// Its page is told when to come back.
    fn restarts_after() -> Duration {
        Duration::ZERO
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
    /// The code is looked up once; only one that no ride has counts as a guess.
    /// Who has a good token of the ride guesses nothing.
    fn join(&mut self, hello: Hello) {
        if !self.seat.has_ride() {
            let (joins, now) = (&self.state.limits.joins, self.state.hub.now());
            let returns = self.seat.is_known_to(&hello);
            if !returns && joins.check(self.client, now).is_err() {
                self.seat.count_refusal(Reason::JoinRate);
                return self.seat.end(ErrorCode::RateLimited, close::REFUSED);
            }
            match self.seat.find_ride(&hello) {
                Ok(()) => joins.came_in(self.client, now),
                Err(error) => {
                    if error == ErrorCode::NoSuchRide && !returns {
                        joins.missed(self.client, now);
                    }
                    return self.seat.refuse(error, close::REFUSED);
                }
            }
        }
        if let Some(resume) = &hello.resume {
            let names = [Self::NAME.name(), self.seat.code(), resume.peer.as_str()];
            self.way = Some(self.state.limits.peers.way(self.client, &names));
        }
        self.seat.join(hello);
    }
}
