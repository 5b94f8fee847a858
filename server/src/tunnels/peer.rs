use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::tunnel::control::{
    MAX_NAME, PeerMessage, RefusedReason, ToPeer, ToVisitor, VERSION, VisitorId, split_visitor,
    to_text,
};
use ::tunnel::identity::{TokenHash, TunnelCode, TunnelKey};
use axum::body::Bytes;
use protocol::peer::DeliveryClass;
use protocol::signaling::close;
use tokio::sync::mpsc;

use super::Tunnels;
use super::tunnel::Tunnel;
use crate::hub::outbox::Outbox;
use crate::limits::ConnectionPermit;
use crate::metrics::GaugeGuard;
use crate::metrics::tunnels::{Direction, VisitorKind};
use crate::sync::lock;

/// Frames of all visitors that wait for the peer's socket. Visitors wait in turn while it is full.
const MAX_FRAMES: usize = 16;

/// What a peer says of its tunnel.
#[derive(Debug, Clone)]
pub struct Announcement {
    /// Hash of the token that visitors need.
    pub token_hash: TokenHash,
    /// Name to show.
    pub name: String,
}

/// Connected peer, as its tunnel knows it.
#[derive(Debug)]
pub(super) struct PeerLink {
    /// Number of the socket within the tunnel.
    pub(super) id: u64,
    pub(super) outbox: Arc<Outbox>,
    /// Frames of visitors.
    pub(super) frames: mpsc::Sender<Bytes>,
    permit: ConnectionPermit,
    _gauge: GaugeGuard,
}

/// Connected peer of a tunnel. Dropping it disconnects the peer.
#[derive(Debug)]
pub struct PeerSession {
    tunnels: Tunnels,
    tunnel: Arc<Tunnel>,
    link: u64,
    outbox: Arc<Outbox>,
}

impl Tunnels {
    /// Connects a peer whose address is `client` by its first message, in place of an earlier peer
    /// with the same key. Returns its session, and the frames for it.
    ///
    /// # Errors
    /// [`RefusedReason`].
    pub fn connect(
        &self,
        open: PeerMessage,
        client: IpAddr,
    ) -> Result<(PeerSession, mpsc::Receiver<Bytes>), RefusedReason> {
        let (key, announcement) = check(open)?;
        let origin = self.origin().ok_or(RefusedReason::Disabled)?;
        let code = key.code();
        let (frames, receiver) = mpsc::channel(MAX_FRAMES);
        let outbox = self.new_outbox(client);
        outbox.text(to_text(&ToPeer::Opened {
            origin: origin.of(&code),
            ice_servers: self.ice_servers(&code, client),
            code: code.clone(),
        }));
        let session = self.with_tunnel(&code, |tunnel| {
            let mut state = lock(&tunnel.state);
            let permit = match state.disconnect(self.now()) {
                Some(older) => older.replace(),
                None => self.permit(client)?,
            };
            state.announcement = Some(announcement);
            let link = PeerLink {
                id: 0,
                outbox: outbox.clone(),
                frames,
                permit,
                _gauge: self.metrics().count_tunnel(),
            };
            Ok(PeerSession {
                tunnels: self.clone(),
                tunnel: tunnel.clone(),
                link: state.connect(self, tunnel, link),
                outbox,
            })
        });
        if session.is_ok() {
            self.log(&code, "tunnel connected");
        }
        session.map(|it| (it, receiver))
    }

    fn log(&self, code: &TunnelCode, event: &'static str) {
        tracing::info!(tunnel = self.0.hub.log_name(code.as_str()), "{event}");
    }

    fn permit(&self, client: IpAddr) -> Result<ConnectionPermit, RefusedReason> {
        let permit = self.0.permits.acquire(client);
        permit.map_err(|_| RefusedReason::Full)
    }
}

fn check(open: PeerMessage) -> Result<(TunnelKey, Announcement), RefusedReason> {
    match open {
        PeerMessage::Open { version, .. } if version != VERSION => Err(RefusedReason::Version),
        PeerMessage::Open {
            key,
            token_hash,
            name,
            ..
        } if name.len() <= MAX_NAME => Ok((key, Announcement { token_hash, name })),
        _ => Err(RefusedReason::Malformed),
    }
}

impl PeerLink {
    /// Tells the peer that a newer one replaces it, and gives its permit on.
    fn replace(self) -> ConnectionPermit {
        self.outbox.text(to_text(&ToPeer::Refused {
            reason: RefusedReason::Replaced,
            message: "A newer program with the same key has replaced this one.".into(),
        }));
        self.outbox.close(close::REPLACED, "replaced");
        self.permit
    }
}

impl PeerSession {
    /// Messages to send to the peer.
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// Handles a message of the peer. Returns `false` if it may not come here.
    pub fn message(&self, message: PeerMessage) -> bool {
        match message {
            PeerMessage::Open { .. } => return false,
            PeerMessage::Signal { visitor, signal } if self.tunnels.0.p2p => {
                let text = || to_text(&ToVisitor::Signal { signal });
                self.with_visitor(visitor, |it, kind| match kind {
                    VisitorKind::Socket => it.text(text()),
                    VisitorKind::Server => {}
                });
            }
            PeerMessage::Signal { .. } => {}
            PeerMessage::Close { visitor } => self.with_visitor(visitor, |it, _| {
                it.close(close::REFUSED, "the peer has closed the channel");
            }),
            PeerMessage::Ping => self.outbox.text(to_text(&ToPeer::Pong)),
        }
        true
    }

    /// Passes a binary message on to its visitor, and returns the time to wait before more is
    /// read. Frames for visitors that have gone are dropped.
    pub fn frame(&self, message: &Bytes) -> Duration {
        if let Some((visitor, frame)) = split_visitor(message) {
            let frame = message.slice_ref(frame);
            let metrics = self.tunnels.metrics();
            self.with_visitor(visitor, |it, _| {
                metrics.count_bytes(Direction::ToVisitors, frame.len());
                it.relay(DeliveryClass::Control, frame, Instant::now());
            });
        }
        self.tunnel.take(self.tunnels.now(), message.len())
    }

    /// Calls a function for a visitor of this peer's socket, if it is there.
    fn with_visitor(&self, visitor: VisitorId, then: impl FnOnce(&Outbox, VisitorKind)) {
        let state = lock(&self.tunnel.state);
        if state.peer.as_ref().is_none_or(|it| it.id != self.link) {
            return;
        }
        let key = state.numbers.get(&visitor);
        if let Some(visitor) = key.and_then(|key| state.visitors.get(key)) {
            then(&visitor.outbox, visitor.kind);
        }
    }
}

impl Drop for PeerSession {
    fn drop(&mut self) {
        let mut state = lock(&self.tunnel.state);
        if state.peer.as_ref().is_some_and(|it| it.id == self.link) {
            state.disconnect(self.tunnels.now());
            self.tunnels.log(self.tunnel.code(), "tunnel disconnected");
        }
    }
}
