//! A program that shares a page with everyone in a ride.

use ride::page::Page;
use session::companion::{CompanionSession, CompanionState};

use crate::{Peer, server::RideUrl};

/// A companion in a ride: call [`Peer::step`] in a loop until [`Companion::state`] says that it has
/// ended, then [`Peer::close`].
///
/// It reconnects by itself. It has no direct links: its few messages go through the server.
pub type Companion = Peer<CompanionSession>;

impl Companion {
    /// Joins a ride, and tells the page to everyone there who asks. Within a
    /// [`tokio::task::LocalSet`].
    pub fn join(ride: RideUrl, page: Page) -> Self {
        let code = ride.code.clone();
        Self::start(ride, false, |config, now| {
            CompanionSession::new(config, now, code, page)
        })
    }

    /// State of the companion.
    pub fn state(&self) -> CompanionState {
        self.session().state()
    }
}
