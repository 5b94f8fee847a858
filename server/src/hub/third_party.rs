//! Driver for the rooms of third-party dialects.
//!
//! [`ThirdPartyDriver`] owns the state machine of one dialect ([`ThirdPartyRooms`])
//! and the send queues of its sockets, under one lock. Messages are parsed before
//! the lock is taken. A task wakes the rooms while they have a timeout, and ends
//! when they have none.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use axum::extract::ws::Utf8Bytes;
use clock::Moment;
use rooms::ClientKey;
use rooms::room::SocketId;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::context::Context;
use super::outbox::Outbox;
use crate::error::RefusalReason;
use crate::limits::AttemptOutcome;
use crate::metrics::{DialectName, RoomStatistics};
use crate::sync::lock;

/// State machine of a third-party dialect's rooms, without IO.
///
/// After each call the driver drains [`ThirdPartyRooms::poll_output`] until it
/// returns `None`. `now` is the time of the hub's monotonic clock.
pub trait ThirdPartyRooms: Send + 'static {
    /// Dialect for metrics and the log.
    const NAME: DialectName;
    /// Parameters that a client passes in the address of its socket.
    type Params;
    /// Parsed message of a client.
    type Message<'a>;

    /// Names of the room and the peer in a client's parameters, to be hashed for
    /// the log.
    fn log_names(params: &Self::Params) -> (&str, &str);

    /// Parses a message; `None` if it needs no handling.
    fn parse(text: &str) -> Option<Self::Message<'_>>;

    /// Returns `true` if the room that the parameters name exists.
    fn has_room(&self, params: &Self::Params) -> bool;

    /// Handles a new socket.
    fn connect(&mut self, now: Moment, socket: SocketId, client: ClientKey, params: &Self::Params);

    /// Handles a message of a socket.
    fn message(&mut self, now: Moment, socket: SocketId, message: Self::Message<'_>);

    /// Handles a sign of life after [`RoomOutput::Probe`].
    fn probe_answered(&mut self, _now: Moment, _socket: SocketId) {}

    /// Handles the end of a socket. `goodbye`: the client closed it itself.
    fn closed(&mut self, now: Moment, socket: SocketId, goodbye: bool);

    /// Handles the time of [`ThirdPartyRooms::poll_timeout`].
    fn handle_timeout(&mut self, _now: Moment) {}

    /// Time at which the rooms want [`ThirdPartyRooms::handle_timeout`].
    fn poll_timeout(&self) -> Option<Moment> {
        None
    }

    /// Next action for the driver.
    fn poll_output(&mut self) -> Option<RoomOutput>;

    /// Counts for the metrics.
    fn statistics(&self) -> RoomStatistics;
}

/// Action that the rooms ask of the driver.
#[derive(Debug)]
pub enum RoomOutput {
    /// A socket has joined its room.
    Joined {
        /// Socket that joined.
        socket: SocketId,
        /// Message to send to it.
        greeting: Option<Utf8Bytes>,
    },
    /// Send a text message.
    Send {
        /// Receiver.
        socket: SocketId,
        /// Message in the dialect.
        text: Utf8Bytes,
    },
    /// Refuse and close a socket, which the rooms have forgotten.
    Refuse {
        /// Socket to refuse.
        socket: SocketId,
        /// Reason for metrics and the log.
        reason: RefusalReason,
        /// Message in the dialect.
        text: String,
        /// WebSocket close code.
        close_code: u16,
        /// How the attempt counts for the rate limit on codes.
        outcome: AttemptOutcome,
    },
    /// Close a socket, which the rooms have forgotten.
    Close {
        /// Socket to close.
        socket: SocketId,
        /// WebSocket close code.
        code: u16,
        /// Reason for the close frame and the log.
        reason: &'static str,
    },
    /// Ping a socket and report the next sign of life with
    /// [`ThirdPartyRooms::probe_answered`].
    Probe {
        /// Socket to ping.
        socket: SocketId,
    },
}

/// Driver of one dialect's rooms; cheap to clone.
#[derive(Debug)]
pub struct ThirdPartyDriver<R>(Arc<DriverShared<R>>);

#[derive(Debug)]
struct DriverShared<R> {
    context: Arc<Context>,
    state: Mutex<DriverState<R>>,
    /// Notified when the wake-up task has to wake earlier than before.
    rescheduled: Notify,
}

#[derive(Debug)]
struct DriverState<R> {
    rooms: R,
    sockets: HashMap<SocketId, RoomSocket>,
    /// Time for which the wake-up task sleeps; `None` if there is no task.
    wakes_at: Option<Moment>,
}

#[derive(Debug)]
struct RoomSocket {
    outbox: Arc<Outbox>,
    log_room: u32,
    log_peer: u32,
    has_joined: bool,
}

impl<R> Clone for ThirdPartyDriver<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<R: ThirdPartyRooms> ThirdPartyDriver<R> {
    pub(super) fn new(rooms: R, context: Arc<Context>) -> Self {
        let state = DriverState {
            rooms,
            sockets: HashMap::new(),
            wakes_at: None,
        };
        Self(Arc::new(DriverShared {
            context,
            state: Mutex::new(state),
            rescheduled: Notify::new(),
        }))
    }

    /// Registers a new socket. The rooms' answer, a refusal included, is in the
    /// client's outbox. Also returns how the attempt counts for the rate limit on
    /// codes.
    pub fn connect(
        &self,
        params: &R::Params,
        client: IpAddr,
    ) -> (ThirdPartyClient<R>, AttemptOutcome) {
        let context = &self.0.context;
        let socket = context.next_socket();
        let outbox = context.new_outbox(client);
        let (room, peer) = R::log_names(params);
        let entry = RoomSocket {
            outbox: outbox.clone(),
            log_room: context.log_hash(room),
            log_peer: context.log_hash(peer),
            has_joined: false,
        };
        let mut state = lock(&self.0.state);
        state.sockets.insert(socket, entry);
        let has_room = state.rooms.has_room(params);
        let key = context.client_key(client);
        state.rooms.connect(context.now(), socket, key, params);
        let refused = self.carry_out_outputs(&mut state, None, Some(socket));
        drop(state);
        let outcome = refused.unwrap_or(match has_room {
            true => AttemptOutcome::Hit,
            false => AttemptOutcome::Miss,
        });
        let client = ThirdPartyClient {
            driver: self.clone(),
            socket,
            outbox,
            goodbye: false,
        };
        (client, outcome)
    }

    /// Counts for the metrics.
    pub fn statistics(&self) -> RoomStatistics {
        self.read(R::statistics)
    }

    /// Reads the rooms under the lock.
    pub(super) fn read<T>(&self, read: impl FnOnce(&R) -> T) -> T {
        read(&lock(&self.0.state).rooms)
    }

    /// Changes the rooms and carries out what they ask for. `received`: time at
    /// which the message that causes the change was received.
    fn handle(&self, received: Option<Instant>, change: impl FnOnce(&mut R, Moment)) {
        let mut state = lock(&self.0.state);
        change(&mut state.rooms, self.0.context.now());
        self.carry_out_outputs(&mut state, received, None);
    }

    /// Returns the outcome of the attempt to connect of this socket if it is refused. Others may be
    /// refused in the same call.
    fn carry_out_outputs(
        &self,
        state: &mut DriverState<R>,
        received: Option<Instant>,
        connecting: Option<SocketId>,
    ) -> Option<AttemptOutcome> {
        let mut refused = None;
        while let Some(output) = state.rooms.poll_output() {
            if let RoomOutput::Refuse {
                socket, outcome, ..
            } = output
                && Some(socket) == connecting
            {
                refused = Some(outcome);
            }
            self.carry_out(state, output, received);
        }
        self.schedule(state);
        refused
    }

    fn carry_out(&self, state: &mut DriverState<R>, output: RoomOutput, received: Option<Instant>) {
        match output {
            RoomOutput::Joined { socket, greeting } => {
                if let Some(socket) = state.sockets.get_mut(&socket) {
                    socket.has_joined = true;
                    socket.log_join(R::NAME);
                    self.0.context.metrics.dialect(R::NAME).count_join();
                    if let Some(greeting) = greeting {
                        socket.outbox.text(greeting);
                    }
                }
            }
            // After a message, everything sent is that message, relayed.
            RoomOutput::Send { socket, text } => {
                if let Some(socket) = state.sockets.get(&socket) {
                    match received {
                        Some(received) => socket.outbox.relay_text(text, received.into_std()),
                        None => socket.outbox.text(text),
                    }
                }
            }
            RoomOutput::Refuse {
                socket,
                reason,
                text,
                close_code,
                ..
            } => {
                if let Some(socket) = state.sockets.remove(&socket) {
                    self.0.context.metrics.count_refusal(reason);
                    socket.log_refusal(R::NAME, reason);
                    socket.outbox.text(text);
                    socket.outbox.close(close_code, "refused");
                }
            }
            RoomOutput::Close {
                socket,
                code,
                reason,
            } => {
                if let Some(socket) = state.remove(socket, R::NAME, reason) {
                    socket.outbox.close(code, reason);
                }
            }
            RoomOutput::Probe { socket } => {
                if let Some(socket) = state.sockets.get(&socket) {
                    socket.outbox.probe();
                }
            }
        }
    }

    /// Makes sure that a task wakes the rooms at their timeout.
    fn schedule(&self, state: &mut DriverState<R>) {
        let Some(at) = state.rooms.poll_timeout() else {
            return;
        };
        match state.wakes_at {
            None => {
                state.wakes_at = Some(at);
                tokio::spawn(self.clone().wake_rooms(at));
            }
            Some(current) if at < current => {
                state.wakes_at = Some(at);
                self.0.rescheduled.notify_one();
            }
            Some(_) => {}
        }
    }

    /// Wakes the rooms at `at` and at each following timeout, until they have
    /// none.
    async fn wake_rooms(self, mut at: Moment) {
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(self.0.context.instant_at(at)) => {}
                () = self.0.rescheduled.notified() => {}
            }
            let mut state = lock(&self.0.state);
            state.rooms.handle_timeout(self.0.context.now());
            while let Some(output) = state.rooms.poll_output() {
                self.carry_out(&mut state, output, None);
            }
            state.wakes_at = state.rooms.poll_timeout();
            match state.wakes_at {
                Some(next) => at = next,
                None => return,
            }
        }
    }
}

impl<R> DriverState<R> {
    fn remove(
        &mut self,
        socket: SocketId,
        dialect: DialectName,
        cause: &'static str,
    ) -> Option<RoomSocket> {
        let socket = self.sockets.remove(&socket)?;
        if socket.has_joined {
            socket.log_leave(dialect, cause);
        }
        Some(socket)
    }
}

impl RoomSocket {
    fn log_join(&self, dialect: DialectName) {
        let (dialect, room, peer) = self.log_fields(dialect);
        tracing::info!(dialect, room, peer, "joined");
    }

    fn log_leave(&self, dialect: DialectName, cause: &'static str) {
        let (dialect, room, peer) = self.log_fields(dialect);
        tracing::info!(dialect, room, peer, cause, "left");
    }

    fn log_refusal(&self, dialect: DialectName, reason: RefusalReason) {
        let (dialect, room, peer) = self.log_fields(dialect);
        let reason = reason.name();
        tracing::info!(dialect, room, peer, reason, "refused");
    }

    fn log_fields(&self, dialect: DialectName) -> (&'static str, String, String) {
        let name = |hash: u32| format!("{hash:08x}");
        (dialect.name(), name(self.log_room), name(self.log_peer))
    }
}

/// One socket of a third-party client. Dropping it tells the rooms that the
/// socket is closed.
#[derive(Debug)]
pub struct ThirdPartyClient<R: ThirdPartyRooms> {
    driver: ThirdPartyDriver<R>,
    socket: SocketId,
    outbox: Arc<Outbox>,
    goodbye: bool,
}

impl<R: ThirdPartyRooms> ThirdPartyClient<R> {
    /// Messages to be sent on this socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Handles a text message of the client.
    pub fn receive(&self, text: &str) {
        let received = Instant::now();
        if let Some(message) = R::parse(text) {
            self.driver.handle(Some(received), |rooms, now| {
                rooms.message(now, self.socket, message);
            });
        }
    }

    /// Handles a sign of life: any message, or a pong.
    pub fn sign_of_life(&self) {
        if self.outbox.take_probe() {
            self.driver
                .handle(None, |rooms, now| rooms.probe_answered(now, self.socket));
        }
    }

    /// Logs that something is refused on this socket.
    pub fn log_refusal(&self, reason: RefusalReason) {
        let state = lock(&self.driver.0.state);
        if let Some(socket) = state.sockets.get(&self.socket) {
            socket.log_refusal(R::NAME, reason);
        }
    }

    /// Notes that the client closes the socket itself, so that it does not count
    /// as lost.
    pub fn goodbye(&mut self) {
        self.goodbye = true;
    }
}

impl<R: ThirdPartyRooms> Drop for ThirdPartyClient<R> {
    fn drop(&mut self) {
        let (socket, goodbye) = (self.socket, self.goodbye);
        let cause = if goodbye { "left" } else { "lost" };
        let mut state = lock(&self.driver.0.state);
        state.remove(socket, R::NAME, cause);
        state
            .rooms
            .closed(self.driver.0.context.now(), socket, goodbye);
        self.driver.carry_out_outputs(&mut state, None, None);
    }
}
