use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use ::tunnel::control::{ToPeer, ToVisitor, VisitorId, to_text};
use ::tunnel::identity::{TokenHash, TunnelCode};
use axum::body::Bytes;
use protocol::signaling::close;
use tokio::sync::mpsc;

use super::peer::PeerLink;
use super::relay::RelayChannel;
use super::{Announcement, Tunnels};
use crate::config::TunnelSettings;
use crate::hub::outbox::Outbox;
use crate::limits::{ConnectionLimiter, Network, Pace};
use crate::metrics::tunnels::VisitorKind;
use crate::sync::lock;

/// Burst of the relay limit.
const BURST: Duration = Duration::from_secs(1);

/// One tunnel: its peer, if that is connected, and its visitors.
#[derive(Debug)]
pub(super) struct Tunnel {
    code: TunnelCode,
    pace: Mutex<Pace>,
    pub(super) visitor_permits: ConnectionLimiter,
    /// Channels of the server by the address of the browsers. Locked before the state.
    pub(super) relays: Mutex<HashMap<Network, Weak<RelayChannel>>>,
    pub(super) state: Mutex<State>,
}

/// Changing part of a tunnel.
#[derive(Debug, Default)]
pub(super) struct State {
    /// What the last peer announced.
    pub(super) announcement: Option<Announcement>,
    pub(super) peer: Option<PeerLink>,
    /// Time at which the last peer or visitor left.
    left_at: Duration,
    pub(super) visitors: HashMap<VisitorKey, VisitorEntry>,
    /// Visitors by their number at the connected peer.
    pub(super) numbers: HashMap<VisitorId, VisitorKey>,
    last_key: u64,
    last_number: VisitorId,
    last_link: u64,
}

/// Name of a visitor within its tunnel. Unlike the number, it stays when another peer connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct VisitorKey(u64);

/// Visitor, as its tunnel knows it.
#[derive(Debug)]
pub(super) struct VisitorEntry {
    pub(super) kind: VisitorKind,
    pub(super) client: IpAddr,
    pub(super) outbox: Arc<Outbox>,
    /// Number at the connected peer.
    pub(super) number: Option<VisitorId>,
    /// Since then the peer waits for the first frame of the visitor's channel; `None` if it has
    /// come, or no peer is connected.
    pub(super) waiting_since: Option<Duration>,
}

/// What is known of a tunnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No peer of this code was connected since the server started.
    Unknown,
    /// The peer has gone. Visitors needed the token with this hash.
    Offline(TokenHash),
    /// The peer is connected. Visitors need the token with this hash.
    Online(TokenHash),
}

impl Tunnel {
    pub(super) fn new(code: TunnelCode, settings: &TunnelSettings) -> Self {
        let max = settings.max_tunnel_visitors;
        Self {
            code,
            pace: Mutex::new(Pace::new(settings.tunnel_relay_bytes_per_second, BURST)),
            visitor_permits: ConnectionLimiter::new(max.div_ceil(2), max),
            relays: Mutex::default(),
            state: Mutex::default(),
        }
    }

    pub(super) fn code(&self) -> &TunnelCode {
        &self.code
    }

    pub(super) fn standing(&self) -> Standing {
        let state = lock(&self.state);
        match &state.announcement {
            None => Standing::Unknown,
            Some(it) if state.peer.is_some() => Standing::Online(it.token_hash.clone()),
            Some(it) => Standing::Offline(it.token_hash.clone()),
        }
    }

    /// Returns `true` if neither a peer nor a visitor is here.
    pub(super) fn is_forgettable(&self) -> bool {
        let state = lock(&self.state);
        state.peer.is_none() && state.visitors.is_empty()
    }

    pub(super) fn left_at(&self) -> Duration {
        lock(&self.state).left_at
    }

    /// Takes bytes from the relay limit, and returns the time to wait before more are read.
    pub(super) fn take(&self, now: Duration, bytes: usize) -> Duration {
        lock(&self.pace).take(now, bytes)
    }

    /// Number of the connected peer's socket.
    pub(super) fn link(&self) -> Option<u64> {
        lock(&self.state).peer.as_ref().map(|it| it.id)
    }
}

impl State {
    /// Connects a peer in place of an earlier one. All visitors get a channel to it.
    pub(super) fn connect(
        &mut self,
        tunnels: &Tunnels,
        tunnel: &Tunnel,
        mut link: PeerLink,
    ) -> u64 {
        self.disconnect(tunnels.now());
        self.last_link += 1;
        link.id = self.last_link;
        self.peer = Some(link);
        let keys: Vec<_> = self.visitors.keys().copied().collect();
        for key in keys {
            self.introduce(tunnels, tunnel, key);
        }
        self.last_link
    }

    /// Ends the connection to the peer. Visitors are told, and channels of the server end.
    pub(super) fn disconnect(&mut self, now: Duration) -> Option<PeerLink> {
        self.left_at = now;
        let peer = self.peer.take()?;
        self.numbers.clear();
        for visitor in self.visitors.values_mut() {
            visitor.number = None;
            visitor.waiting_since = None;
            match visitor.kind {
                VisitorKind::Socket => visitor.outbox.text(to_text(&ToVisitor::Offline)),
                VisitorKind::Server => visitor.outbox.close(close::REFUSED, "offline"),
            }
        }
        Some(peer)
    }

    /// Adds a visitor, and opens a channel to the peer if that is connected.
    pub(super) fn add(
        &mut self,
        tunnels: &Tunnels,
        tunnel: &Tunnel,
        entry: VisitorEntry,
    ) -> VisitorKey {
        self.last_key += 1;
        let key = VisitorKey(self.last_key);
        if self.peer.is_none() && entry.kind == VisitorKind::Socket {
            entry.outbox.text(to_text(&ToVisitor::Offline));
        }
        self.visitors.insert(key, entry);
        self.introduce(tunnels, tunnel, key);
        key
    }

    /// Removes a visitor, and tells the peer.
    pub(super) fn remove(&mut self, key: VisitorKey, now: Duration) {
        self.left_at = now;
        let number = self.visitors.remove(&key).and_then(|it| it.number);
        let Some(visitor) = number else { return };
        self.numbers.remove(&visitor);
        if let Some(peer) = &self.peer {
            peer.outbox.text(to_text(&ToPeer::Gone { visitor }));
        }
    }

    /// Tells peer and visitor of each other, if a peer is connected.
    fn introduce(&mut self, tunnels: &Tunnels, tunnel: &Tunnel, key: VisitorKey) {
        let (Some(peer), Some(visitor)) = (&self.peer, self.visitors.get_mut(&key)) else {
            return;
        };
        self.last_number = self.last_number.wrapping_add(1);
        let number = self.last_number;
        visitor.number = Some(number);
        visitor.waiting_since = Some(tunnels.now());
        self.numbers.insert(number, key);
        peer.outbox
            .text(to_text(&ToPeer::Visitor { visitor: number }));
        if visitor.kind == VisitorKind::Socket {
            let name = self.announcement.as_ref().map(|it| it.name.clone());
            visitor.outbox.text(to_text(&ToVisitor::Ready {
                name: name.unwrap_or_default(),
                ice_servers: tunnels.ice_servers(&tunnel.code, visitor.client),
            }));
        }
    }

    /// Queue to the peer for a frame of a visitor, and the visitor's number; `None` if the frame
    /// leads nowhere: no peer is connected, or the frame is not the first of a new channel.
    pub(super) fn route(
        &mut self,
        key: VisitorKey,
        is_first: bool,
    ) -> Option<(VisitorId, mpsc::Sender<Bytes>)> {
        let visitor = self.visitors.get_mut(&key)?;
        let number = visitor.number?;
        if is_first {
            visitor.waiting_since = None;
        }
        let is_open = visitor.waiting_since.is_none();
        let frames = self.peer.as_ref()?.frames.clone();
        is_open.then_some((number, frames))
    }
}
