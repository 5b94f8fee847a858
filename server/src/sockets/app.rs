//! `/ws/{code}`: the app's dialect ([`protocol::signaling`] in text messages,
//! [`protocol::frame`] in binary messages).

use std::net::IpAddr;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use protocol::code::SessionCode;
use protocol::frame::ToServer;
use protocol::peer::DeliveryClass;
use protocol::signaling::{ClientMessage, ErrorCode, Hello, ParseError, ServerMessage, close};

use super::connection::SERVICE_RESTART;
use super::dialect::{Dialect, Violation};
use super::upgrade::{self, RejectedSocket, SocketUpgrade};
use crate::error::RefusalReason;
use crate::hub::ConnectionHandle;
use crate::hub::outbox::Outbox;
use crate::limits::{ClientAddress, LookupError, RateLimitKey};
use crate::metrics::DialectName;
use crate::shutdown::random_retry_after_ms;
use crate::state::AppState;

/// Answers the upgrade at `/ws/{code}`.
pub async fn upgrade(
    State(state): State<AppState>,
    Path(code): Path<String>,
    client: ClientAddress,
    ws: SocketUpgrade,
) -> Response {
    upgrade::upgrade(ws, state.clone(), client, move |_| {
        // The ride and the rate limit are checked at hello, which may come from a
        // returning rider of a ride that the server lost in a restart.
        match code.parse::<SessionCode>() {
            Ok(code) => Ok(AppSocket {
                connection: state.hub.connect(code, client.0),
                state,
                client: client.0,
                has_greeted: false,
                rate_limit_key: None,
            }),
            Err(_) => Err(reject_invalid_code(&state, client)),
        }
    })
}

/// Rejects a text that is not a session code, as an unknown code.
fn reject_invalid_code(state: &AppState, client: ClientAddress) -> RejectedSocket {
    let found = state
        .limits
        .joins
        .attempt(client.0, state.hub.now(), || None::<()>);
    let (reason, error) = match found {
        Err(LookupError::RateLimited(_)) => (RefusalReason::JoinRate, ErrorCode::RateLimited),
        Ok(()) | Err(LookupError::NotFound) => (RefusalReason::NoSuchRide, ErrorCode::NoSuchRide),
    };
    let message = ServerMessage::error(error).to_json();
    upgrade::reject(state, DialectName::App, reason, message)
}

/// Socket of the app's page.
struct AppSocket {
    state: AppState,
    client: IpAddr,
    connection: ConnectionHandle,
    has_greeted: bool,
    /// Known for returning riders only.
    rate_limit_key: Option<RateLimitKey>,
}

impl Dialect for AppSocket {
    const NAME: DialectName = DialectName::App;

    fn outbox(&self) -> &Outbox {
        self.connection.outbox()
    }

    fn has_greeted(&self) -> bool {
        self.has_greeted
    }

    fn rate_limit_key(&self) -> Option<RateLimitKey> {
        self.rate_limit_key
    }

    fn text(&mut self, text: &str) {
        match ClientMessage::parse(text) {
            Ok(ClientMessage::Hello(hello)) => {
                self.has_greeted = true;
                self.join(hello);
            }
            Ok(message) => self.connection.message(message),
            Err(ParseError::TooLarge(_)) => {
                self.connection
                    .refuse(ErrorCode::TooLarge, close::TOO_LARGE);
            }
            Err(ParseError::Malformed(_) | ParseError::TooMuch(_)) => {
                self.connection.refuse(ErrorCode::BadMessage, close::POLICY);
            }
        }
    }

    fn class(&self, bytes: &[u8]) -> Option<DeliveryClass> {
        // A malformed frame is limited like bulk.
        Some(ToServer::class_of(bytes).unwrap_or(DeliveryClass::Bulk))
    }

    fn binary(&mut self, bytes: Bytes) {
        self.connection.relay(bytes.into());
    }

    fn refuse(&mut self, violation: Violation) {
        let connection = &self.connection;
        match violation {
            Violation::TooLarge => connection.close(ErrorCode::TooLarge, close::TOO_LARGE),
            Violation::HelloTimeout => connection.close(ErrorCode::NotInRide, close::POLICY),
            Violation::RateLimited => connection.send_error(ErrorCode::RateLimited),
            Violation::Flooding => connection.close(ErrorCode::RateLimited, close::POLICY),
            Violation::SlowReader => connection.log_refusal(violation.reason()),
        }
    }

    /// No delay: the page is told when to reconnect.
    fn restart_delay() -> Duration {
        Duration::ZERO
    }

    fn restart(&mut self) {
        let retry_after_ms = random_retry_after_ms();
        let outbox = self.connection.outbox();
        outbox.send(&ServerMessage::Closing { retry_after_ms });
        outbox.close(SERVICE_RESTART, "the server restarts");
    }
}

impl AppSocket {
    /// Looks the ride up at the first hello and joins it. Unknown codes count for
    /// the rate limit, except for returning riders with a valid resume token.
    fn join(&mut self, hello: Hello) {
        if !self.connection.has_ride() {
            let (joins, now) = (&self.state.limits.joins, self.state.hub.now());
            let is_returning = self.connection.is_returning(&hello);
            let newcomers = &self.state.limits.newcomers;
            let is_admitted = || {
                joins.check(self.client, now).is_ok() && newcomers.take(self.client, now).is_ok()
            };
            if !is_returning && !is_admitted() {
                self.connection.count_refusal(RefusalReason::JoinRate);
                return self
                    .connection
                    .close(ErrorCode::RateLimited, close::REFUSED);
            }
            match self.connection.find_ride(&hello) {
                Ok(()) => joins.record_hit(self.client, now),
                Err(error) => {
                    if error == ErrorCode::NoSuchRide && !is_returning {
                        joins.record_miss(self.client, now);
                    }
                    return self.connection.refuse(error, close::REFUSED);
                }
            }
        }
        if let Some(resume) = &hello.resume {
            let names = [
                Self::NAME.name(),
                self.connection.code(),
                resume.peer.as_str(),
            ];
            let key = self.state.limits.saved_limiters.key(self.client, &names);
            self.rate_limit_key = Some(key);
        }
        self.connection.join(hello);
    }
}
