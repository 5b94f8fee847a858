//! The sockets of clients of other libraries: they differ in their rooms and
//! in their words, not in how they are served.

use axum::body::Bytes;

use super::connection::RESTART;
use super::dialect::{Dialect, Refusal};
use crate::hub::guest::Guest;
use crate::hub::outbox::Outbox;
use crate::limits::Way;
use crate::metrics::DialectName;

/// The socket of such a client.
pub struct GuestSocket<Seat> {
    /// Its place.
    pub seat: Seat,
    /// Where it comes from, and who it is.
    pub way: Way,
    /// What it is told of a refusal, if it can be told anything.
    pub words: fn(Refusal) -> Option<String>,
}

impl<Seat: Guest> Dialect for GuestSocket<Seat> {
    const NAME: DialectName = Seat::NAME;

    fn outbox(&self) -> &Outbox {
        self.seat.outbox()
    }

    /// Its address said who it is and where it goes, and nothing else is asked.
    fn has_greeted(&self) -> bool {
        true
    }

    fn way(&self) -> Option<Way> {
        Some(self.way)
    }

    fn text(&mut self, text: &str) {
        self.seat.say(text);
    }

    /// Bytes are read as the text that they are.
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
        if let Some(words) = (self.words)(refusal) {
            self.outbox().text(words);
        }
        if let Some(code) = refusal.close_code() {
            self.outbox().close(code, "refused");
        }
    }

    fn restart(&mut self) {
        self.outbox().close(RESTART, "the server restarts");
    }
}
