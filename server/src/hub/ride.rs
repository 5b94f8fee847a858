//! One ride: its room, and the send queues of its sockets, under one lock.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use clock::Moment;
use protocol::signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close};
use rooms::ClientKey;
use rooms::room::{Input, Join, Output, Room, SocketId, Summary};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::context::{Context, random_peer_id};
use super::outbox::Outbox;
use crate::error::RefusalReason;
use crate::journal::RideRecords;
use crate::metrics::{GaugeGuard, Traffic};
use crate::sync::lock;
use crate::wall_clock;

/// A room with its sockets.
#[derive(Debug)]
pub struct Ride {
    context: Arc<Context>,
    log_name: String,
    records: RideRecords,
    state: Mutex<RideState>,
    /// Notified when the room's timeout has changed.
    rescheduled: Notify,
    _counted: GaugeGuard,
}

#[derive(Debug)]
struct RideState {
    room: Room,
    sockets: HashMap<SocketId, RideSocket>,
    timeout: Option<Moment>,
    /// Set once, when the ride is removed: from then on, all inputs are refused.
    has_ended: bool,
}

#[derive(Debug)]
struct RideSocket {
    client: ClientKey,
    outbox: Arc<Outbox>,
    /// `None` before the welcome.
    rider: Option<WelcomedRider>,
}

#[derive(Debug)]
struct WelcomedRider {
    log_name: String,
    _counted: GaugeGuard,
}

impl Ride {
    /// Ride without sockets.
    pub(super) fn new(
        room: Room,
        log_name: String,
        records: RideRecords,
        context: Arc<Context>,
    ) -> Self {
        let timeout = room.poll_timeout();
        let counted = context.app_metrics().count_room();
        let state = RideState {
            room,
            sockets: HashMap::new(),
            timeout,
            has_ended: false,
        };
        Self {
            context,
            log_name,
            records,
            state: Mutex::new(state),
            rescheduled: Notify::new(),
            _counted: counted,
        }
    }

    /// Name of the ride in the log.
    pub fn log_name(&self) -> &str {
        &self.log_name
    }

    /// Public summary of the ride.
    pub fn summary(&self) -> Summary {
        lock(&self.state).room.summary()
    }

    /// Registers the send queue of a socket. The socket is not in the room until
    /// it says hello.
    pub fn register(&self, socket: SocketId, client: ClientKey, outbox: Arc<Outbox>) {
        let entry = RideSocket {
            client,
            outbox,
            rider: None,
        };
        lock(&self.state).sockets.insert(socket, entry);
    }

    /// Handles the hello of a socket.
    pub fn join(&self, socket: SocketId, hello: Hello) {
        let registered = lock(&self.state).sockets.get(&socket).map(|it| it.client);
        let join = Join {
            socket,
            client: registered.unwrap_or_default(),
            hello,
            fresh_peer: random_peer_id(),
            server_time: wall_clock::now(),
        };
        self.handle(Input::Join(join));
    }

    /// Handles any other message of a socket.
    pub fn message(&self, socket: SocketId, message: ClientMessage) {
        if matches!(message, ClientMessage::Leave) {
            self.log_leave(socket, "left");
        }
        self.handle(Input::Message { socket, message });
    }

    /// Handles a frame of a socket.
    pub fn relay(&self, socket: SocketId, bytes: Vec<u8>) {
        self.handle(Input::Relay { socket, bytes });
    }

    /// Handles the end of a socket.
    pub fn closed(&self, socket: SocketId) {
        self.log_leave(socket, "lost");
        lock(&self.state).sockets.remove(&socket);
        self.handle(Input::Closed { socket });
    }

    /// Wakes the room at the time of [`Ride::timeout`].
    pub fn wake(&self) {
        self.handle(Input::Timeout);
    }

    /// Time of the hub's clock at which the room wants to be woken.
    pub fn timeout(&self) -> Option<Moment> {
        lock(&self.state).timeout
    }

    /// Resolves when [`Ride::timeout`] has changed.
    pub async fn rescheduled(&self) {
        self.rescheduled.notified().await;
    }

    /// Returns `true` if the ride can be removed. From then on, all inputs are
    /// refused.
    pub fn end_if_dead(&self, now: Moment) -> bool {
        let mut state = lock(&self.state);
        state.has_ended |= state.room.is_dead(now);
        state.has_ended
    }

    /// Returns `true` if the ride has had a member.
    pub fn was_joined(&self) -> bool {
        lock(&self.state).room.was_joined()
    }

    fn handle(&self, input: Input) {
        let received = Instant::now();
        let mut state = lock(&self.state);
        if state.has_ended {
            return state.refuse(&input);
        }
        state.room.handle(self.context.now(), input);
        while let Some(output) = state.room.poll_output() {
            self.carry_out(&mut state, output, received);
        }
        let timeout = state.room.poll_timeout();
        if std::mem::replace(&mut state.timeout, timeout) != timeout {
            self.rescheduled.notify_one();
        }
    }

    fn carry_out(&self, state: &mut RideState, output: Output, received: Instant) {
        match output {
            Output::Send {
                socket,
                mut message,
            } => {
                if let Some(socket) = state.sockets.get(&socket) {
                    let (ride, client) = (&self.log_name, socket.client);
                    self.context.add_turn_server(&mut message, ride, client);
                }
                self.record(state, socket, &message);
                if let Some(socket) = state.sockets.get(&socket) {
                    self.send(&socket.outbox, &message, received);
                }
            }
            Output::Relay {
                sockets,
                bytes,
                class,
            } => {
                let metrics = self.context.app_metrics();
                metrics.count_relayed(class.into(), bytes.len());
                let frame = Bytes::from_owner(bytes);
                for socket in sockets
                    .iter()
                    .filter_map(|socket| state.sockets.get(socket))
                {
                    socket
                        .outbox
                        .relay(class, frame.clone(), received.into_std());
                }
            }
            Output::Record(change) => self.records.record(&change),
            Output::Close {
                socket,
                code,
                reason,
            } => {
                if let Some(socket) = state.sockets.remove(&socket) {
                    socket.outbox.close(code, reason);
                }
            }
        }
    }

    /// Logs and counts a message that tells of a join, a refusal or a kick.
    fn record(&self, state: &mut RideState, socket: SocketId, message: &ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => {
                let rider = self.context.log_name(welcome.peer.as_str());
                tracing::info!(
                    ride = self.log_name,
                    rider,
                    incarnation = welcome.incarnation.0,
                    "joined"
                );
                let metrics = self.context.app_metrics();
                metrics.count_join();
                if let Some(socket) = state.sockets.get_mut(&socket) {
                    socket.rider = Some(WelcomedRider {
                        log_name: rider,
                        _counted: metrics.count_peer(),
                    });
                }
            }
            ServerMessage::Error { code, .. } => {
                let reason = RefusalReason::from(*code);
                self.context.metrics.count_refusal(reason);
                let reason = reason.name();
                tracing::info!(ride = self.log_name, socket = socket.0, reason, "refused");
            }
            ServerMessage::Kicked { .. } => {
                tracing::info!(ride = self.log_name, socket = socket.0, "kicked");
            }
            _ => {}
        }
    }

    /// Queues a message of the room. Only a signal comes from another rider.
    fn send(&self, outbox: &Outbox, message: &ServerMessage, received: Instant) {
        let text = message.to_json();
        match message {
            ServerMessage::Signal { .. } => {
                let metrics = self.context.app_metrics();
                metrics.count_relayed(Traffic::Signal, text.len());
                outbox.relay_text(text, received.into_std());
            }
            _ => outbox.text(text),
        }
    }

    /// Logs a leave, once per welcome.
    fn log_leave(&self, socket: SocketId, cause: &'static str) {
        let rider = lock(&self.state)
            .sockets
            .get_mut(&socket)
            .and_then(|socket| socket.rider.take());
        if let Some(rider) = rider {
            tracing::info!(ride = self.log_name, rider = rider.log_name, cause, "left");
        }
    }
}

impl RideState {
    /// Tells a socket that found the ride just before its removal that the ride
    /// has ended.
    fn refuse(&mut self, input: &Input) {
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
            socket.outbox.close(close::REFUSED, "the ride has ended");
        }
    }
}
