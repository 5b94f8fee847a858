//! Drives the simple-peer rooms ([`rooms::simple_peer`]) and the queues of
//! their sockets, under one lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::ws::Utf8Bytes;
use rooms::room::SocketId;
use rooms::simple_peer::{Code, Counts, Input, Message, Output, Rooms, Settings, Tally};
use tokio::time::Instant;

use super::Hub;
use super::guest::Guest;
use super::outbox::Outbox;
use super::ride::fresh_peer;
use crate::limits::Try;
use crate::metrics::{DialectName, Metrics, Reason, RoomCounts};

/// All simple-peer rooms of the server.
#[derive(Debug)]
pub(super) struct Clubs(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    rooms: Rooms,
    metrics: Arc<Metrics>,
    sockets: HashMap<SocketId, Socket>,
}

#[derive(Debug)]
struct Socket {
    outbox: Arc<Outbox>,
    log_room: u32,
    log_peer: u32,
}

/// The text that was copied last: what goes to many is copied once.
struct Copied(Option<(Arc<str>, Utf8Bytes)>);

impl Copied {
    fn of(&mut self, text: Arc<str>) -> Utf8Bytes {
        match &self.0 {
            Some((last, copy)) if Arc::ptr_eq(last, &text) => copy.clone(),
            _ => {
                let copy = Utf8Bytes::from(&*text);
                self.0 = Some((text, copy.clone()));
                copy
            }
        }
    }
}

impl Clubs {
    pub(super) fn new(settings: Settings, metrics: Arc<Metrics>) -> Self {
        Self(Mutex::new(Inner {
            rooms: Rooms::new(settings),
            metrics,
            sockets: HashMap::new(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Opens a seat for a new simple-peer socket, and tells what its code came
    /// to; whether it is let in is said in its outbox.
    pub fn connect_simple_peer(&self, code: Code) -> (SimplePeerSeat, Try) {
        let socket = self.next_socket();
        let outbox = self.new_outbox();
        let fresh_peer = fresh_peer();
        let entry = Socket {
            outbox: outbox.clone(),
            log_room: self.log_hash(code.as_str()),
            log_peer: self.log_hash(fresh_peer.as_str()),
        };
        let mut inner = self.0.simple_peer.lock();
        inner.sockets.insert(socket, entry);
        let has_room = inner.rooms.has_room(&code);
        let connect = Input::Connect {
            socket,
            code,
            fresh_peer,
        };
        inner.handle(connect, None);
        let is_in = inner.sockets.contains_key(&socket);
        if is_in {
            inner.log_join(socket);
            inner.metrics.dialect(DialectName::SimplePeer).joined();
        }
        let tried = match (is_in, has_room) {
            (true, true) => Try::Hit,
            (true, false) => Try::Miss,
            (false, _) => Try::Neither,
        };
        let seat = SimplePeerSeat {
            hub: self.clone(),
            socket,
            outbox,
            goodbye: false,
        };
        (seat, tried)
    }

    /// What there is of simple-peer rooms, and what was done for them.
    pub fn simple_peer_counts(&self) -> (Counts, Tally) {
        let inner = self.0.simple_peer.lock();
        (inner.rooms.counts(), inner.rooms.tally())
    }
}

impl From<(Counts, Tally)> for RoomCounts {
    fn from((counts, tally): (Counts, Tally)) -> Self {
        Self {
            rooms: counts.rooms,
            peers: counts.peers,
            relayed: tally.relayed,
            relayed_bytes: tally.relayed_bytes,
            ignored: vec![
                ("malformed", tally.malformed),
                ("forged", tally.forged),
                ("nobody", tally.nobody),
            ],
        }
    }
}

/// One simple-peer socket's place, from its first moment to its last: dropping
/// it is the socket's end.
#[derive(Debug)]
pub struct SimplePeerSeat {
    hub: Hub,
    socket: SocketId,
    outbox: Arc<Outbox>,
    goodbye: bool,
}

impl Guest for SimplePeerSeat {
    const NAME: DialectName = DialectName::SimplePeer;

    fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn say(&self, text: &str) {
        let received = Instant::now().into_std();
        let (socket, message) = (self.socket, Message::parse(text));
        let mut inner = self.hub.0.simple_peer.lock();
        inner.handle(Input::Message { socket, message }, Some(received));
    }

    fn log_refusal(&self, reason: Reason) {
        let inner = self.hub.0.simple_peer.lock();
        if let Some(entry) = inner.sockets.get(&self.socket) {
            entry.log_refusal(reason);
        }
    }

    fn says_goodbye(&mut self) {
        self.goodbye = true;
    }
}

impl Drop for SimplePeerSeat {
    fn drop(&mut self) {
        let socket = self.socket;
        let mut inner = self.hub.0.simple_peer.lock();
        if let Some(entry) = inner.sockets.remove(&socket) {
            let (room, peer) = entry.log_names();
            let how = if self.goodbye { "left" } else { "lost" };
            tracing::info!(dialect = "simple-peer", room, peer, how, "left");
        }
        inner.handle(Input::Closed { socket }, None);
    }
}

impl Inner {
    /// `received`: when, if it is a message; what follows is that message,
    /// handed on.
    fn handle(&mut self, input: Input<'_>, received: Option<std::time::Instant>) {
        self.rooms.handle(input);
        let mut shared = Copied(None);
        while let Some(output) = self.rooms.poll_output() {
            self.carry_out(output, received, &mut shared);
        }
    }

    fn carry_out(
        &mut self,
        output: Output,
        received: Option<std::time::Instant>,
        shared: &mut Copied,
    ) {
        match output {
            Output::Send { socket, text } => {
                if let Some(socket) = self.sockets.get(&socket) {
                    let text = shared.of(text);
                    match received {
                        Some(received) => socket.outbox.relay_text(text, received),
                        None => socket.outbox.text(text),
                    }
                }
            }
            Output::Refuse { socket, refusal } => {
                if let Some(entry) = self.sockets.remove(&socket) {
                    self.metrics.refused(refusal.into());
                    entry.log_refusal(refusal.into());
                    entry.outbox.text(refusal.to_json());
                    entry.outbox.close(refusal.close_code(), "refused");
                }
            }
        }
    }

    /// The log's line of a join.
    fn log_join(&self, socket: SocketId) {
        if let Some(entry) = self.sockets.get(&socket) {
            let (room, peer) = entry.log_names();
            tracing::info!(dialect = "simple-peer", room, peer, "joined");
        }
    }
}

impl Socket {
    fn log_refusal(&self, reason: Reason) {
        let (room, peer) = self.log_names();
        let reason = reason.name();
        tracing::info!(dialect = "simple-peer", room, peer, reason, "refused");
    }

    fn log_names(&self) -> (String, String) {
        let name = |hash: u32| format!("{hash:08x}");
        (name(self.log_room), name(self.log_peer))
    }
}
