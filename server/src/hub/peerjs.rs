//! Drives the PeerJS peers: one [`Broker`] for all of them, and the queues of
//! their sockets, under one lock.
//!
//! Messages are read before the lock is taken. A task wakes the broker while
//! it wants to be woken, and ends when it does not.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::signaling::close;
use rooms::peerjs::{Broker, Counts, Input, Message, OPEN, Output, Refusal, Settings, Tally};
use rooms::room::SocketId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::Hub;
use super::guest::Guest;
use super::outbox::Outbox;
use crate::limits::Try;
use crate::metrics::{DialectName, Metrics, Reason, RoomCounts};

/// What a client's address says, as far as it says it.
#[derive(Clone, Default)]
pub struct Wish {
    /// The word that every client has to name.
    pub key: Option<String>,
    /// Who it wants to be.
    pub id: Option<String>,
    /// Its room, or its secret.
    pub token: Option<String>,
}

/// All PeerJS peers of the server.
#[derive(Debug)]
pub(super) struct Peers {
    inner: Mutex<Inner>,
    /// Rung when the broker wants to be woken earlier than before.
    rescheduled: Notify,
}

#[derive(Debug)]
struct Inner {
    broker: Broker,
    metrics: Arc<Metrics>,
    sockets: HashMap<SocketId, Socket>,
    /// Until when the task sleeps, if there is one.
    sleeps_until: Option<Duration>,
}

#[derive(Debug)]
struct Socket {
    outbox: Arc<Outbox>,
    log_room: u32,
    log_peer: u32,
    is_open: bool,
}

impl Peers {
    pub(super) fn new(settings: Settings, metrics: Arc<Metrics>) -> Self {
        let inner = Inner {
            broker: Broker::new(settings),
            metrics,
            sockets: HashMap::new(),
            sleeps_until: None,
        };
        Self {
            inner: Mutex::new(inner),
            rescheduled: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Opens a seat for a new PeerJS socket, and tells what its address came
    /// to; whether it is let in is said in its outbox.
    pub fn connect_peerjs(&self, wish: &Wish) -> (PeerJsSeat, Try) {
        let socket = self.next_socket();
        let outbox = self.new_outbox();
        let name = |text: &Option<String>| self.log_hash(text.as_deref().unwrap_or_default());
        let entry = Socket {
            outbox: outbox.clone(),
            log_room: name(&wish.token),
            log_peer: name(&wish.id),
            is_open: false,
        };
        let mut inner = self.0.peerjs.lock();
        inner.sockets.insert(socket, entry);
        let token = wish.token.as_deref();
        let has_room = token.is_some_and(|token| inner.broker.has_room(token));
        let connect = Input::Connect {
            socket,
            key: wish.key.as_deref(),
            id: wish.id.as_deref(),
            token,
        };
        let refused = self.tell(&mut inner, connect);
        drop(inner);
        let tried = match refused {
            None if has_room => Try::Hit,
            None => Try::Miss,
            // With rooms the token was right.
            Some(Refusal::IdTaken) if !self.0.peerjs_rooms => Try::Miss,
            Some(_) => Try::Neither,
        };
        let seat = PeerJsSeat {
            hub: self.clone(),
            socket,
            outbox,
            goodbye: false,
        };
        (seat, tried)
    }

    /// Whether somebody is in the PeerJS room of a token.
    pub fn has_peerjs_room(&self, token: &str) -> bool {
        self.0.peerjs.lock().broker.has_room(token)
    }

    /// Whether the PeerJS room of a token takes nobody else.
    pub fn is_peerjs_room_full(&self, token: &str) -> bool {
        self.0.peerjs.lock().broker.is_full(token)
    }

    /// The ids that a PeerJS peer with this token can reach.
    pub fn peerjs_ids(&self, token: &str) -> Vec<String> {
        let inner = self.0.peerjs.lock();
        inner.broker.ids(token).map(str::to_owned).collect()
    }

    /// What there is of PeerJS peers, and what was done for them.
    pub fn peerjs_counts(&self) -> (Counts, Tally) {
        let inner = self.0.peerjs.lock();
        (inner.broker.counts(), inner.broker.tally())
    }

    fn tell_peerjs(&self, input: Input<'_>) {
        self.tell(&mut self.0.peerjs.lock(), input);
    }

    /// Why a socket that connects is refused, if it is.
    fn tell(&self, inner: &mut Inner, input: Input<'_>) -> Option<Refusal> {
        let refused = inner.handle(self.now(), Instant::now(), input);
        if let Some(at) = inner.broker.poll_timeout() {
            self.wake_peerjs_at(inner, at);
        }
        refused
    }

    fn wake_peerjs_at(&self, inner: &mut Inner, at: Duration) {
        match inner.sleeps_until {
            None => {
                inner.sleeps_until = Some(at);
                tokio::spawn(wake_peerjs(self.clone(), at));
            }
            Some(until) if at < until => {
                inner.sleeps_until = Some(at);
                self.0.peerjs.rescheduled.notify_one();
            }
            Some(_) => {}
        }
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
                ("expired", tally.expired),
                ("queue-full", tally.queue_full),
                ("malformed", tally.malformed),
                ("unknown-type", tally.unknown_type),
                ("not-open", tally.not_open),
            ],
        }
    }
}

/// One PeerJS socket's place, from its first moment to its last: dropping it
/// is the socket's end.
#[derive(Debug)]
pub struct PeerJsSeat {
    hub: Hub,
    socket: SocketId,
    outbox: Arc<Outbox>,
    goodbye: bool,
}

impl Guest for PeerJsSeat {
    const NAME: DialectName = DialectName::PeerJs;

    fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    fn say(&self, text: &str) {
        let (socket, message) = (self.socket, Message::parse(text));
        if !matches!(message, Ok(Message::Heartbeat)) {
            self.hub.tell_peerjs(Input::Message { socket, message });
        }
    }

    fn is_alive(&self) {
        if self.outbox.take_probe() {
            let socket = self.socket;
            self.hub.tell_peerjs(Input::Alive { socket });
        }
    }

    fn log_refusal(&self, reason: Reason) {
        let inner = self.hub.0.peerjs.lock();
        if let Some(socket) = inner.sockets.get(&self.socket) {
            let (room, peer) = socket.log_names();
            tracing::info!(
                dialect = "peerjs",
                room,
                peer,
                reason = reason.name(),
                "refused"
            );
        }
    }

    fn says_goodbye(&mut self) {
        self.goodbye = true;
    }
}

impl Drop for PeerJsSeat {
    fn drop(&mut self) {
        let (socket, goodbye) = (self.socket, self.goodbye);
        let how = if goodbye { "left" } else { "lost" };
        self.hub.0.peerjs.lock().forget(socket, how);
        self.hub.tell_peerjs(Input::Closed { socket, goodbye });
    }
}

impl Inner {
    /// Why a socket that connects is refused, if it is.
    fn handle(&mut self, now: Duration, received: Instant, input: Input<'_>) -> Option<Refusal> {
        let is_message = matches!(input, Input::Message { .. });
        let received = is_message.then(|| received.into_std());
        self.broker.handle(now, input);
        let mut refused = None;
        while let Some(output) = self.broker.poll_output() {
            if let Output::Refuse { refusal, .. } = output {
                refused = Some(refusal);
            }
            self.carry_out(output, received);
        }
        refused
    }

    /// What follows a message that was `received` is that message, handed on.
    fn carry_out(&mut self, output: Output, received: Option<std::time::Instant>) {
        match output {
            Output::Send { socket, text } => {
                if let Some(socket) = self.sockets.get(&socket) {
                    match received {
                        Some(received) => socket.outbox.relay_text(text, received),
                        None => socket.outbox.text(text),
                    }
                }
            }
            Output::Open { socket } => {
                if let Some(socket) = self.sockets.get_mut(&socket) {
                    socket.is_open = true;
                    socket.log_join();
                    self.metrics.dialect(DialectName::PeerJs).joined();
                    socket.outbox.text(OPEN);
                }
            }
            Output::Refuse { socket, refusal } => {
                if let Some(socket) = self.sockets.remove(&socket) {
                    self.metrics.refused(refusal.into());
                    socket.refuse(refusal);
                }
            }
            Output::Close {
                socket,
                code,
                reason,
            } => {
                if let Some(socket) = self.forget(socket, reason) {
                    socket.outbox.close(code, reason);
                }
            }
            Output::Probe { socket } => {
                if let Some(socket) = self.sockets.get(&socket) {
                    socket.outbox.probe();
                }
            }
        }
    }

    fn forget(&mut self, socket: SocketId, how: &'static str) -> Option<Socket> {
        let socket = self.sockets.remove(&socket)?;
        if socket.is_open {
            socket.log_leave(how);
        }
        Some(socket)
    }
}

impl Socket {
    fn refuse(&self, refusal: Refusal) {
        let (room, peer) = self.log_names();
        let reason = Reason::from(refusal).name();
        tracing::info!(dialect = "peerjs", room, peer, reason, "refused");
        self.outbox.text(refusal.to_json());
        self.outbox.close(close::REFUSED, "refused");
    }

    fn log_join(&self) {
        let (room, peer) = self.log_names();
        tracing::info!(dialect = "peerjs", room, peer, "joined");
    }

    fn log_leave(&self, how: &'static str) {
        let (room, peer) = self.log_names();
        tracing::info!(dialect = "peerjs", room, peer, how, "left");
    }

    fn log_names(&self) -> (String, String) {
        let name = |hash: u32| format!("{hash:08x}");
        (name(self.log_room), name(self.log_peer))
    }
}

/// Wakes the broker for as long as it wants to be woken, from `at` on.
async fn wake_peerjs(hub: Hub, mut at: Duration) {
    loop {
        tokio::select! {
            () = tokio::time::sleep_until(hub.0.origin + at) => {}
            () = hub.0.peerjs.rescheduled.notified() => {}
        }
        let mut inner = hub.0.peerjs.lock();
        inner.handle(hub.now(), Instant::now(), Input::Timeout);
        inner.sleeps_until = inner.broker.poll_timeout();
        match inner.sleeps_until {
            Some(next) => at = next,
            None => return,
        }
    }
}
