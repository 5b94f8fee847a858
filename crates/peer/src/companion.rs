//! A program that shares a page with everyone in a ride.

use ride::page::{Page, PageName};
use session::companion::{CompanionSession, CompanionState};
use tunnel::identity::{AccessToken, TunnelCode};

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

/// Page behind a tunnel. `None` never occurs: codes and tokens of both have the same form.
pub fn page_of_tunnel(name: PageName, code: &TunnelCode, token: &AccessToken) -> Option<Page> {
    Some(Page {
        name,
        code: code.as_str().parse().ok()?,
        token: token.expose().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use tunnel::identity::TunnelKey;

    use super::*;

    #[test]
    fn every_tunnel_can_be_announced_as_a_page() {
        for seed in 0..=255 {
            let (key, token) = (TunnelKey::new([seed; 20]), AccessToken::new([seed; 20]));
            let name = "Route videos".parse().unwrap();
            let page = page_of_tunnel(name, &key.code(), &token).unwrap();
            assert_eq!(page.code.as_str(), key.code().as_str());
            assert_eq!(page.token.expose(), token.expose());
        }
    }
}
