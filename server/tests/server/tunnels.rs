//! Tunnels: a server, peers that a test plays by hand, and browsers.

mod browser;
mod hostile;
mod http;
mod peer;
mod sockets;
mod streams;
mod visitor;
mod websockets;

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use server::router::build_tunnel_handler;
use server::{listen_for_tunnels, serve_tunnels};
use tunnel::identity::{AccessToken, TunnelKey};

use crate::support::TestServer;
use browser::Browser;
use peer::Peer;

/// Server with a listener for visitors of tunnels.
pub struct TunnelServer {
    pub server: TestServer,
    pub visitors: SocketAddr,
    site: PathBuf,
}

/// Secrets of a tunnel.
#[derive(Clone)]
pub struct Secrets {
    pub key: TunnelKey,
    pub token: AccessToken,
}

impl Secrets {
    pub fn new(seed: u8) -> Self {
        Self {
            key: TunnelKey::new([seed; 20]),
            token: AccessToken::new([seed; 20]),
        }
    }
}

impl TunnelServer {
    pub async fn start(flags: &[&str]) -> Self {
        let address = ["--tunnel-addr", "127.0.0.1:0"];
        let flags: Vec<_> = address.iter().chain(flags).copied().collect();
        let server = TestServer::start(&flags).await;
        let listener = listen_for_tunnels(&server.state).await.expect("a port");
        let visitors = listener.local_addr().expect("an address");
        let site = std::env::temp_dir().join(format!("gruppetto-tunnel-{}", visitors.port()));
        let shell = site.join("tunnel");
        fs::create_dir_all(&shell).expect("a folder");
        fs::write(shell.join("shell.html"), "<title>Shell</title>").expect("a file");
        fs::write(shell.join("service-worker.js"), "// worker").expect("a file");
        let handler = build_tunnel_handler(server.state.clone(), &site);
        tokio::spawn(serve_tunnels(listener, handler, server.state.clone()));
        Self {
            server,
            visitors,
            site,
        }
    }

    /// Connects a peer.
    pub async fn peer(&self, secrets: &Secrets) -> Peer {
        let peer = Peer::connect(self.server.address, secrets).await;
        peer.expect("a tunnel")
    }

    /// Connects a peer, and a browser with the cookie.
    pub async fn pair(&self, seed: u8) -> (Peer, Browser) {
        let secrets = Secrets::new(seed);
        let peer = self.peer(&secrets).await;
        let mut browser = self.browser(&secrets);
        let answer = browser.session(secrets.token.expose()).await;
        assert_eq!(answer.status(), 204);
        (peer, browser)
    }

    /// Browser at the tunnel's origin, without a cookie.
    pub fn browser(&self, secrets: &Secrets) -> Browser {
        let code = secrets.key.code();
        let host = format!("{code}.localhost:{}", self.visitors.port());
        Browser::new(self.visitors, host)
    }
}

impl Drop for TunnelServer {
    fn drop(&mut self) {
        // Left over otherwise, in the folder for temporary files.
        let _ = fs::remove_dir_all(&self.site);
    }
}
