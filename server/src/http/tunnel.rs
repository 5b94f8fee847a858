//! Origins of tunnels: the shell page, and requests that are passed on to a tunnel's peer.
//!
//! - [`TunnelSite`]: the state of these handlers.
//! - [`files`]: the shell page and its files.
//! - [`session`]: exchange of the token for a cookie.
//! - [`request`]: requests of pages of the tunnel's site.
//! - `websocket`: their WebSockets.
//! - `fields`: header fields as a reverse proxy passes them on.
//! - `cookie`: the cookie with the token.
//! - [`Notice`]: pages that say why a request was not answered.
//!
//! Contract: these handlers know neither the app's pages nor its API, and a tunnel's host sees its
//! own tunnel only.

mod cookie;
mod fields;
pub mod files;
mod notice;
pub mod request;
pub mod session;
mod websocket;

pub use notice::Notice;

use std::path::{Path, PathBuf};

use ::tunnel::identity::TunnelCode;
use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use crate::config::Config;
use crate::limits::ClientAddress;
use crate::sockets::{SocketUpgrade, tunnel::visitor};
use crate::state::AppState;

/// State of the handlers of tunnels' origins; cheap to clone.
#[derive(Debug, Clone)]
pub struct TunnelSite {
    /// State of the server.
    pub state: AppState,
    /// Folder with the shell page.
    folder: PathBuf,
}

impl TunnelSite {
    /// State with the folder of the built site.
    pub fn new(state: AppState, site: &Path) -> Self {
        Self {
            folder: site.join("tunnel"),
            state,
        }
    }

    /// Origin of a tunnel.
    fn origin(&self, code: &TunnelCode) -> String {
        let origins = self.state.tunnels.origin();
        origins.map(|it| it.of(code)).unwrap_or_default()
    }
}

impl AsRef<Config> for TunnelSite {
    fn as_ref(&self) -> &Config {
        &self.state.config
    }
}

/// Answers the upgrade of a shell page.
pub async fn socket(
    State(site): State<TunnelSite>,
    Extension(code): Extension<TunnelCode>,
    client: ClientAddress,
    headers: HeaderMap,
    ws: SocketUpgrade,
) -> Response {
    let origin = headers.get(header::ORIGIN);
    if origin.is_none_or(|it| it.as_bytes() != site.origin(&code).as_bytes()) {
        return Notice::ForeignOrigin.into_response();
    }
    visitor::upgrade(ws, site.state, client.0, code)
}
