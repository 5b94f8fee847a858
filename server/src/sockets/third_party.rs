//! Sockets of third-party clients. The dialects differ in their rooms and their
//! error messages only.

use axum::body::Bytes;

use super::connection::SERVICE_RESTART;
use super::dialect::{Dialect, Violation};
use crate::hub::ThirdPartyClient;
use crate::hub::outbox::Outbox;
use crate::hub::third_party::ThirdPartyRooms;
use crate::limits::RateLimitKey;
use crate::metrics::DialectName;

/// Socket of a third-party client.
pub struct ThirdPartySocket<R: ThirdPartyRooms> {
    /// The client's membership in its room.
    pub client: ThirdPartyClient<R>,
    /// Key of the client's rate limiter.
    pub rate_limit_key: RateLimitKey,
    /// Error message for a violation in the dialect, if one can be sent.
    pub error_message: fn(Violation) -> Option<String>,
}

impl<R: ThirdPartyRooms> Dialect for ThirdPartySocket<R> {
    const NAME: DialectName = R::NAME;

    fn outbox(&self) -> &Outbox {
        self.client.outbox()
    }

    /// The address of the socket identifies the client and its room.
    fn has_greeted(&self) -> bool {
        true
    }

    fn rate_limit_key(&self) -> Option<RateLimitKey> {
        Some(self.rate_limit_key)
    }

    fn text(&mut self, text: &str) {
        self.client.receive(text);
    }

    /// Binary messages are read as text.
    fn binary(&mut self, bytes: Bytes) {
        self.client
            .receive(std::str::from_utf8(&bytes).unwrap_or_default());
    }

    fn sign_of_life(&mut self) {
        self.client.sign_of_life();
    }

    fn goodbye(&mut self) {
        self.client.goodbye();
    }

    fn refuse(&mut self, violation: Violation) {
        self.client.log_refusal(violation.reason());
        if let Some(message) = (self.error_message)(violation) {
            self.outbox().text(message);
        }
        if let Some(code) = violation.close_code() {
            self.outbox().close(code, "refused");
        }
    }

    fn restart(&mut self) {
        self.outbox().close(SERVICE_RESTART, "the server restarts");
    }
}
