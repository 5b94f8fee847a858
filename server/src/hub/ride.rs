//! One ride: its room, and the queues of the sockets in it, under one lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use protocol::peer::PeerId;
use protocol::signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close};
use rooms::room::{Input, Join, Output, Room, SocketId, Summary};
use tokio::sync::Notify;
use tokio::time::Instant;
use uuid::Uuid;

use super::Hub;
use super::outbox::Outbox;
use crate::health::unix_millis;
use crate::metrics::{Present, Reason, Traffic};

/// A room with its sockets.
#[derive(Debug)]
pub struct Ride {
    log_name: String,
    inner: Mutex<Inner>,
    /// Rung when the room wants to be woken at another time than before.
    rescheduled: Notify,
    _counted: Present,
}

#[derive(Debug)]
struct Inner {
    room: Room,
    sockets: HashMap<SocketId, Socket>,
    timeout: Option<Duration>,
    /// Set once, when the ride is forgotten: nobody gets in any more.
    ended: bool,
}

#[derive(Debug)]
struct Socket {
    outbox: Arc<Outbox>,
    /// `None` before the welcome.
    rider: Option<Rider>,
}

#[derive(Debug)]
struct Rider {
    /// Under which the log has the rider.
    log_name: String,
    _counted: Present,
}

impl Ride {
    /// A ride that nobody is in yet.
    pub fn new(room: Room, log_name: String, counted: Present) -> Self {
        let timeout = room.poll_timeout();
        let inner = Inner {
            room,
            sockets: HashMap::new(),
            timeout,
            ended: false,
        };
        Self {
            log_name,
            inner: Mutex::new(inner),
            rescheduled: Notify::new(),
            _counted: counted,
        }
    }

    /// The ride's name in the log.
    pub fn log_name(&self) -> &str {
        &self.log_name
    }

    /// What anybody may know of it.
    pub fn summary(&self) -> Summary {
        self.lock().room.summary()
    }

    /// A socket opens; it is not in the room before it said hello.
    pub fn seat(&self, socket: SocketId, outbox: Arc<Outbox>) {
        self.lock().sockets.insert(
            socket,
            Socket {
                outbox,
                rider: None,
            },
        );
    }

    /// A socket said hello.
    pub fn join(&self, hub: &Hub, socket: SocketId, hello: Hello) {
        let join = Join {
            socket,
            hello,
            fresh_peer: fresh_peer(),
            server_time: unix_millis(),
        };
        self.handle(hub, Input::Join(join));
    }

    /// A socket said something else.
    pub fn message(&self, hub: &Hub, socket: SocketId, message: ClientMessage) {
        if matches!(message, ClientMessage::Leave) {
            self.log_leave(socket, "left");
        }
        self.handle(hub, Input::Message { socket, message });
    }

    /// A socket sent a frame.
    pub fn relay(&self, hub: &Hub, socket: SocketId, bytes: Vec<u8>) {
        self.handle(hub, Input::Relay { socket, bytes });
    }

    /// A socket is gone.
    pub fn closed(&self, hub: &Hub, socket: SocketId) {
        self.log_leave(socket, "lost");
        self.lock().sockets.remove(&socket);
        self.handle(hub, Input::Closed { socket });
    }

    /// The time of [`Ride::timeout`] has come.
    pub fn wake(&self, hub: &Hub) {
        self.handle(hub, Input::Timeout);
    }

    /// When the ride wants to be woken, on the hub's clock.
    pub fn timeout(&self) -> Option<Duration> {
        self.lock().timeout
    }

    /// Resolves when [`Ride::timeout`] has changed.
    pub async fn rescheduled(&self) {
        self.rescheduled.notified().await;
    }

    /// Whether the ride can be forgotten; from then on it turns everybody away.
    pub fn end_if_dead(&self, now: Duration) -> bool {
        let mut inner = self.lock();
        inner.ended |= inner.room.is_dead(now);
        inner.ended
    }

    fn handle(&self, hub: &Hub, input: Input) {
        let received = Instant::now();
        let mut inner = self.lock();
        if inner.ended {
            return inner.turn_away(&input);
        }
        inner.room.handle(hub.now(), input);
        while let Some(output) = inner.room.poll_output() {
            self.carry_out(hub, &mut inner, output, received);
        }
        let timeout = inner.room.poll_timeout();
        if std::mem::replace(&mut inner.timeout, timeout) != timeout {
            self.rescheduled.notify_one();
        }
    }

    fn carry_out(&self, hub: &Hub, inner: &mut Inner, output: Output, received: Instant) {
        match output {
            Output::Send {
                socket,
                mut message,
            } => {
                hub.add_turn(&mut message);
                self.note(hub, inner, socket, &message);
                if let Some(socket) = inner.sockets.get(&socket) {
                    send(hub, &socket.outbox, &message, received);
                }
            }
            Output::Relay {
                sockets,
                bytes,
                class,
            } => {
                hub.counters().relayed(class.into(), bytes.len());
                let frame = Bytes::from_owner(bytes);
                for socket in sockets
                    .iter()
                    .filter_map(|socket| inner.sockets.get(socket))
                {
                    socket
                        .outbox
                        .relay(class, frame.clone(), received.into_std());
                }
            }
            Output::Close {
                socket,
                code,
                reason,
            } => {
                if let Some(socket) = inner.sockets.remove(&socket) {
                    socket.outbox.close(code, reason);
                }
            }
        }
    }

    /// The log's line of a join or a refusal.
    fn note(&self, hub: &Hub, inner: &mut Inner, socket: SocketId, message: &ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => {
                let rider = hub.log_name(welcome.peer.as_str());
                tracing::info!(
                    ride = self.log_name,
                    rider,
                    page = welcome.incarnation.0,
                    "joined"
                );
                hub.counters().joined();
                if let Some(socket) = inner.sockets.get_mut(&socket) {
                    socket.rider = Some(Rider {
                        log_name: rider,
                        _counted: hub.counters().peer(),
                    });
                }
            }
            ServerMessage::Error { code, .. } => {
                let reason = Reason::from(*code);
                hub.0.metrics.refused(reason);
                let reason = reason.name();
                tracing::info!(ride = self.log_name, socket = socket.0, reason, "refused");
            }
            ServerMessage::Kicked { .. } => {
                tracing::info!(ride = self.log_name, socket = socket.0, "kept out");
            }
            _ => {}
        }
    }

    /// The log's line of a leave, once for each welcome.
    fn log_leave(&self, socket: SocketId, how: &'static str) {
        let rider = self
            .lock()
            .sockets
            .get_mut(&socket)
            .and_then(|socket| socket.rider.take());
        if let Some(rider) = rider {
            tracing::info!(ride = self.log_name, rider = rider.log_name, how, "left");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing panics while it holds the lock.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Who found the ride just before it was forgotten is told that it is over.
    fn turn_away(&mut self, input: &Input) {
        let (Input::Join(Join { socket, .. })
        | Input::Message { socket, .. }
        | Input::Relay { socket, .. }) = input
        else {
            return;
        };
        if let Some(socket) = self.sockets.remove(socket) {
            socket
                .outbox
                .send(&ServerMessage::error(ErrorCode::NoSuchRide));
            socket.outbox.close(close::REFUSED, "the ride is over");
        }
    }
}

/// Queues a room's words; a signal is another rider's.
fn send(hub: &Hub, outbox: &Outbox, message: &ServerMessage, received: Instant) {
    let text = message.to_json();
    match message {
        ServerMessage::Signal { .. } => {
            hub.counters().relayed(Traffic::Signal, text.len());
            outbox.relay_text(text, received.into_std());
        }
        _ => outbox.text(text),
    }
}

/// A peer id that nobody has.
pub(super) fn fresh_peer() -> PeerId {
    let text = Uuid::new_v4().simple().to_string();
    text.parse().expect("32 hexadecimal digits are a peer id")
}
