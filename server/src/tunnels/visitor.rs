use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ::tunnel::control::{ToPeer, ToVisitor, VisitorMessage, to_text, with_visitor};
use ::tunnel::identity::TunnelCode;
use axum::body::Bytes;

use super::Tunnels;
use super::tunnel::{Tunnel, VisitorEntry, VisitorKey};
use crate::hub::outbox::Outbox;
use crate::limits::ConnectionPermit;
use crate::metrics::GaugeGuard;
use crate::metrics::tunnels::{Direction, VisitorKind};
use crate::sync::lock;

/// Kind of the first frame of a channel, HELLO (`docs/TUNNEL.md`).
const HELLO: u8 = 1;

/// Visitor of a tunnel. Dropping it tells the peer that it has gone.
#[derive(Debug)]
pub struct Visitor {
    tunnels: Tunnels,
    tunnel: Arc<Tunnel>,
    key: VisitorKey,
    outbox: Arc<Outbox>,
    _permit: ConnectionPermit,
    _gauge: GaugeGuard,
}

/// The tunnel has its maximum number of visitors, or that of one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyVisitors;

impl Tunnels {
    /// Adds a visitor, whether or not the peer is connected.
    ///
    /// # Errors
    /// [`TooManyVisitors`].
    pub fn visit(&self, code: &TunnelCode, client: IpAddr) -> Result<Visitor, TooManyVisitors> {
        self.with_tunnel(code, |tunnel| {
            self.add_visitor(tunnel, client, VisitorKind::Socket)
        })
    }

    pub(super) fn add_visitor(
        &self,
        tunnel: &Arc<Tunnel>,
        client: IpAddr,
        kind: VisitorKind,
    ) -> Result<Visitor, TooManyVisitors> {
        let permit = tunnel.visitor_permits.acquire(client);
        let permit = permit.map_err(|_| TooManyVisitors)?;
        let outbox = self.new_outbox(client);
        let entry = VisitorEntry {
            kind,
            client,
            outbox: outbox.clone(),
            number: None,
            waiting_since: None,
        };
        let key = lock(&tunnel.state).add(self, tunnel, entry);
        Ok(Visitor {
            tunnels: self.clone(),
            tunnel: tunnel.clone(),
            key,
            outbox,
            _permit: permit,
            _gauge: self.metrics().count_visitor(kind),
        })
    }
}

impl Visitor {
    /// Messages and frames for the visitor.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Handles a message of the visitor.
    pub fn message(&self, message: VisitorMessage) {
        match message {
            VisitorMessage::Signal { signal } if self.tunnels.0.p2p => {
                let state = lock(&self.tunnel.state);
                let number = state.visitors.get(&self.key).and_then(|it| it.number);
                if let (Some(visitor), Some(peer)) = (number, &state.peer) {
                    peer.outbox
                        .text(to_text(&ToPeer::Signal { visitor, signal }));
                }
            }
            VisitorMessage::Signal { .. } => {}
            VisitorMessage::Ping => self.outbox.text(to_text(&ToVisitor::Pong)),
        }
    }

    /// Passes a frame on to the peer when its queue has room, and returns the time to wait before
    /// the next one. Frames before the first of a channel, and without a peer, are dropped.
    pub async fn frame(&self, frame: &[u8]) -> Duration {
        let is_first = frame.first() == Some(&HELLO);
        let route = lock(&self.tunnel.state).route(self.key, is_first);
        if let Some((number, frames)) = route {
            let message = Bytes::from(with_visitor(number, frame));
            // Fails if the peer has gone, of which the visitor is told.
            if frames.send(message).await.is_ok() {
                let metrics = self.tunnels.metrics();
                metrics.count_bytes(Direction::ToPeer, frame.len());
            }
        }
        self.tunnel.take(self.tunnels.now(), frame.len())
    }

    /// Time for which the peer has been waiting for the first frame of the visitor's channel.
    pub fn waiting(&self) -> Option<Duration> {
        let state = lock(&self.tunnel.state);
        let since = state.visitors.get(&self.key)?.waiting_since?;
        Some(self.tunnels.now().saturating_sub(since))
    }
}

impl Drop for Visitor {
    fn drop(&mut self) {
        self.tunnels.remove_visitor(&self.tunnel, self.key);
    }
}
