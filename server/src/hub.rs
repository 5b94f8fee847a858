//! All rides of this server: codes, rooms, and the sockets that are in them.
//!
//! A room ([`mesh::room::Room`]) decides, this module drives it: `now` comes
//! from one monotonic clock, outputs go to the sockets' queues
//! ([`outbox`]), and a task per ride wakes the room when it asks to be and
//! forgets it when it is dead. Nothing here waits while it holds a lock.
//!
//! The log has one line for each join, leave and refusal. Rides and riders
//! appear in it under names that mean nothing after the process ends.

pub mod outbox;
mod ride;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mesh::code::SessionCode;
use mesh::room::{Room, RoomSettings, SocketId, Summary};
use mesh::signaling::{ClientMessage, Hello, ServerMessage};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Config;
use crate::turn::Turn;
use outbox::Outbox;
use ride::Ride;

/// Codes tried before the server counts as full; a second try is rare.
const CODE_TRIES: usize = 20;

/// All rides of this server.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rides: Mutex<HashMap<SessionCode, Arc<Ride>>>,
    settings: RoomSettings,
    turn: Option<Turn>,
    max_rooms: usize,
    max_queue_bytes: usize,
    origin: Instant,
    next_socket: AtomicU64,
    relayed_frames: AtomicU64,
    open_sockets: watch::Sender<usize>,
    /// Keys the names in the log, differently in every process.
    log_names: RandomState,
}

/// What `/health` counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Living rides.
    pub rooms: usize,
    /// Riders who are connected.
    pub riders: usize,
    /// Frames relayed since the start, each counted once however many got it.
    pub relayed_frames: u64,
}

impl Hub {
    /// No rides yet.
    pub fn new(config: &Config) -> Self {
        let settings = RoomSettings {
            max_riders: config.max_riders,
            max_direct: config.max_direct,
            grace: config.grace(),
            ttl: Duration::from_millis(config.room_ttl_ms),
            max_message_bytes: config.max_message_bytes,
            p2p: config.p2p_enabled,
            ice_servers: config.ice_servers(),
            direct: config.ice.direct(),
        };
        Self(Arc::new(Shared {
            rides: Mutex::default(),
            settings,
            turn: config.ice.turn(),
            max_rooms: config.max_rooms as usize,
            max_queue_bytes: config.max_queue_bytes as usize,
            origin: Instant::now(),
            next_socket: AtomicU64::new(1),
            relayed_frames: AtomicU64::new(0),
            open_sockets: watch::Sender::new(0),
            log_names: RandomState::new(),
        }))
    }

    /// The hub's monotonic clock.
    pub fn now(&self) -> Duration {
        self.0.origin.elapsed()
    }

    /// Opens a ride under a fresh code; `None` when there is no room for one.
    pub fn start(&self, mut code: impl FnMut() -> SessionCode) -> Option<SessionCode> {
        let mut rides = self.0.rides();
        if rides.len() >= self.0.max_rooms {
            return None;
        }
        let code = (0..CODE_TRIES)
            .map(|_| code())
            .find(|code| !rides.contains_key(code))?;
        let room = Room::new(self.0.settings.clone(), self.now());
        let ride = Arc::new(Ride::new(room, self.log_name(code.as_str())));
        tracing::info!(ride = ride.log_name(), "ride started");
        rides.insert(code.clone(), ride.clone());
        drop(rides);
        tokio::spawn(drive(self.clone(), code.clone(), ride));
        Some(code)
    }

    /// What anybody may know of a ride; `None` when there is none.
    pub fn summary(&self, code: &SessionCode) -> Option<Summary> {
        self.ride(code).map(|ride| ride.summary())
    }

    /// Opens a seat for a new socket in a ride; `None` when there is none.
    pub fn connect(&self, code: &SessionCode) -> Option<Seat> {
        let ride = self.ride(code)?;
        let socket = SocketId(self.0.next_socket.fetch_add(1, Ordering::Relaxed));
        let outbox = Arc::new(Outbox::new(self.0.max_queue_bytes));
        ride.seat(socket, outbox.clone());
        Some(Seat {
            hub: self.clone(),
            ride,
            socket,
            outbox,
        })
    }

    /// The counts of this moment.
    pub fn counts(&self) -> Counts {
        let rides: Vec<_> = self.0.rides().values().cloned().collect();
        Counts {
            rooms: rides.len(),
            riders: rides.iter().map(|ride| ride.connected()).sum(),
            relayed_frames: self.0.relayed_frames.load(Ordering::Relaxed),
        }
    }

    /// Counts a socket as open until the value is dropped, after its goodbye.
    pub fn open_socket(&self) -> OpenSocket {
        self.0.open_sockets.send_modify(|count| *count += 1);
        OpenSocket(self.clone())
    }

    /// Resolves when no socket is open.
    pub async fn all_closed(&self) {
        // The sender is in self, so the wait cannot fail.
        let _ = self
            .0
            .open_sockets
            .subscribe()
            .wait_for(|count| *count == 0)
            .await;
    }

    /// Every welcome has a name and a password of its own for the TURN server.
    fn add_turn(&self, message: &mut ServerMessage) {
        if let (ServerMessage::Welcome(welcome), Some(turn)) = (message, &self.0.turn) {
            let server = turn.ice_server(&welcome.peer, welcome.server_time);
            welcome.ice_servers.push(server);
        }
    }

    fn ride(&self, code: &SessionCode) -> Option<Arc<Ride>> {
        self.0.rides().get(code).cloned()
    }

    /// A name for the log: the same for the same text, in this process alone.
    fn log_name(&self, text: &str) -> String {
        format!("{:08x}", self.0.log_names.hash_one(text) as u32)
    }
}

impl Shared {
    fn rides(&self) -> MutexGuard<'_, HashMap<SessionCode, Arc<Ride>>> {
        // Nothing panics while it holds the lock.
        self.rides.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One socket's place in a ride, from its first moment to its last: dropping
/// it is the socket's end. What it says goes in here, what it is to be told
/// comes out of [`Seat::outbox`].
#[derive(Debug)]
pub struct Seat {
    hub: Hub,
    ride: Arc<Ride>,
    socket: SocketId,
    outbox: Arc<Outbox>,
}

impl Seat {
    /// What waits to be sent to this socket.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// The ride's name in the log.
    pub fn ride_log_name(&self) -> &str {
        self.ride.log_name()
    }

    /// The socket said hello.
    pub fn join(&self, hello: Hello) {
        self.ride.join(&self.hub, self.socket, hello);
    }

    /// The socket said something else.
    pub fn message(&self, message: ClientMessage) {
        self.ride.message(&self.hub, self.socket, message);
    }

    /// The socket sent a frame to be relayed.
    pub fn relay(&self, bytes: Vec<u8>) {
        self.ride.relay(&self.hub, self.socket, bytes);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.ride.closed(&self.hub, self.socket);
    }
}

/// A socket that counts as open, see [`Hub::open_socket`].
#[derive(Debug)]
pub struct OpenSocket(Hub);

impl Drop for OpenSocket {
    fn drop(&mut self) {
        self.0.0.open_sockets.send_modify(|count| *count -= 1);
    }
}

/// Wakes a ride when it asks to be, until it is dead.
async fn drive(hub: Hub, code: SessionCode, ride: Arc<Ride>) {
    loop {
        match ride.timeout() {
            Some(at) => tokio::select! {
                () = tokio::time::sleep_until(hub.0.origin + at) => ride.wake(&hub),
                () = ride.rescheduled() => {}
            },
            None => ride.rescheduled().await,
        }
        // Under the lock of the list, so that nobody finds it in between.
        let mut rides = hub.0.rides();
        if ride.end_if_dead(hub.now()) {
            rides.remove(&code);
            tracing::info!(ride = ride.log_name(), "ride ended");
            return;
        }
    }
}
