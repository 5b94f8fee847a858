//! What clients of other libraries have in common.

use super::outbox::Outbox;
use crate::metrics::{DialectName, Reason};

/// The seat of a client of somebody else's library: the address it asked for
/// said all that has to be known of it, and it takes and sends text.
pub trait Guest: Send + 'static {
    /// What it speaks.
    const NAME: DialectName;

    /// What waits to be sent to this socket.
    fn outbox(&self) -> &Outbox;

    /// The socket said something.
    fn say(&self, text: &str);

    /// The socket said anything at all.
    fn is_alive(&self) {}

    /// The log's line of something that the socket is refused while it is open.
    fn log_refusal(&self, reason: Reason);

    /// The client closes the socket, rather than losing it.
    fn says_goodbye(&mut self);
}
