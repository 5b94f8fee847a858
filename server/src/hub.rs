//! All rides of this server: codes, rooms, and the sockets that are in them.
//!
//! A room ([`rooms::room::Room`]) decides, this module drives it: `now` comes
//! from one monotonic clock, outputs go to the sockets' queues
//! ([`outbox`]), and a task per ride wakes the room when it asks to be and
//! forgets it when it is dead. A ride that this process never knew is opened
//! again for a rider with a good token: the server was restarted. Nothing here
//! waits while it holds a lock.
//!
//! The rooms of the other dialects are driven by [`peerjs`] and [`simple_peer`].
//!
//! The log has one line for each join, leave and refusal. Rides and riders
//! appear in it under names that mean nothing after the process ends.

pub mod guest;
pub mod outbox;
mod over;
pub mod peerjs;
mod ride;
mod seat;
pub mod simple_peer;

pub use seat::Seat;

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use protocol::code::SessionCode;
use protocol::peer::{PeerId, Token};
use protocol::signaling::{ErrorCode, Resume, ServerMessage};
use rooms::room::{Room, RoomSettings, Signer, SocketId, Statement, Summary};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Config;
use crate::health::unix_millis;
use crate::metrics::{DialectMetrics, DialectName, Metrics, Traffic};
use crate::tokens::Secret;
use crate::turn::Turn;
use outbox::Outbox;
use over::Over;
use ride::Ride;

/// Codes tried before the server counts as full; a second try is rare.
const CODE_TRIES: usize = 20;

/// All rides of this server.
#[derive(Debug, Clone)]
pub struct Hub(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    rides: Mutex<Rides>,
    settings: RoomSettings,
    turn: Option<Turn>,
    secret: Secret,
    max_rooms: usize,
    max_queue_bytes: usize,
    origin: Instant,
    next_socket: AtomicU64,
    metrics: Arc<Metrics>,
    peerjs: peerjs::Peers,
    peerjs_rooms: bool,
    simple_peer: simple_peer::Clubs,
    open_sockets: watch::Sender<usize>,
    /// Keys the names in the log, differently in every process.
    log_names: RandomState,
}

#[derive(Debug, Default)]
struct Rides {
    living: HashMap<SessionCode, Arc<Ride>>,
    /// No token opens them again.
    over: Over,
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
    pub fn new(config: &Config, secret: Secret, metrics: Arc<Metrics>) -> Self {
        let settings = RoomSettings {
            max_riders: config.max_riders,
            max_direct: config.max_direct,
            grace: config.grace(),
            silence: config.rider_silence(),
            host_grace: config.host_grace(),
            ttl: Duration::from_millis(config.room_ttl_ms),
            max_message_bytes: config.max_message_bytes,
            p2p: config.p2p_enabled,
            ice_servers: config.ice_servers(),
            direct: config.ice.direct(),
            ..RoomSettings::default()
        };
        let clubs = rooms::simple_peer::Settings {
            max_riders: config.max_riders,
            max_rooms: config.max_rooms,
        };
        Self(Arc::new(Shared {
            rides: Mutex::default(),
            settings,
            turn: config.ice.turn(),
            secret,
            max_rooms: config.max_rooms as usize,
            max_queue_bytes: config.max_queue_bytes as usize,
            origin: Instant::now(),
            next_socket: AtomicU64::new(1),
            peerjs_rooms: config.peerjs.peerjs_rooms,
            peerjs: peerjs::Peers::new(config.peerjs.settings(), metrics.clone()),
            simple_peer: simple_peer::Clubs::new(clubs, metrics.clone()),
            metrics,
            open_sockets: watch::Sender::new(0),
            log_names: RandomState::new(),
        }))
    }

    /// The hub's monotonic clock.
    pub fn now(&self) -> Duration {
        self.at(Instant::now())
    }

    /// The hub's clock at a moment.
    pub fn at(&self, moment: Instant) -> Duration {
        moment.saturating_duration_since(self.0.origin)
    }

    /// What is counted of the app's dialect.
    fn counters(&self) -> &DialectMetrics {
        self.0.metrics.dialect(DialectName::App)
    }

    /// Opens a ride under a fresh code; `None` when there is no room for one.
    pub fn start(&self, mut code: impl FnMut() -> SessionCode) -> Option<SessionCode> {
        let mut rides = self.0.rides();
        if rides.living.len() >= self.0.max_rooms {
            return None;
        }
        let code = (0..CODE_TRIES)
            .map(|_| code())
            .find(|code| !rides.living.contains_key(code) && !rides.over.contains(code))?;
        let signer = self.0.secret.signer(&code);
        let room = Room::new(self.0.settings.clone(), signer, self.now());
        self.open(&mut rides, &code, room, "ride started");
        Some(code)
    }

    /// The ride of a code: a living one, or one that this process never knew
    /// and whose rider has a good token.
    fn ride_for(
        &self,
        code: &SessionCode,
        resume: Option<&Resume>,
    ) -> Result<Arc<Ride>, ErrorCode> {
        let mut rides = self.0.rides();
        if let Some(ride) = rides.living.get(code) {
            return Ok(ride.clone());
        }
        let signer = self.0.secret.signer(code);
        let known = resume.is_some_and(|resume| is_good(&*signer, resume));
        if !known || rides.over.contains(code) {
            return Err(ErrorCode::NoSuchRide);
        }
        if rides.living.len() >= self.0.max_rooms {
            return Err(ErrorCode::TooManyRides);
        }
        let room = Room::restored(self.0.settings.clone(), signer, self.now());
        Ok(self.open(&mut rides, code, room, "ride restored"))
    }

    /// Whether a token is a rider's of the ride with this code, living or not.
    pub fn is_rider(&self, code: &SessionCode, token: &Token) -> bool {
        rider_of(&*self.0.secret.signer(code), token).is_some()
    }

    fn open(
        &self,
        rides: &mut Rides,
        code: &SessionCode,
        room: Room,
        how: &'static str,
    ) -> Arc<Ride> {
        let ride = Arc::new(Ride::new(
            room,
            self.log_name(code.as_str()),
            self.counters().room(),
        ));
        tracing::info!(ride = ride.log_name(), "{how}");
        rides.living.insert(code.clone(), ride.clone());
        tokio::spawn(drive(self.clone(), code.clone(), ride.clone()));
        ride
    }

    /// What anybody may know of a ride; `None` when there is none.
    pub fn summary(&self, code: &SessionCode) -> Option<Summary> {
        self.ride(code).map(|ride| ride.summary())
    }

    /// Opens a seat for a new socket, in whatever ride its code turns out to
    /// mean when it says hello.
    pub fn connect(&self, code: SessionCode) -> Seat {
        Seat::new(self.clone(), code, self.next_socket(), self.new_outbox())
    }

    /// The counts of this moment.
    pub fn counts(&self) -> Counts {
        Counts {
            rooms: self.0.rides().living.len(),
            riders: self.counters().peers_now(),
            relayed_frames: [Traffic::Control, Traffic::Telemetry, Traffic::Bulk]
                .map(|class| self.counters().relayed_messages(class))
                .iter()
                .sum(),
        }
    }

    /// Brings what the rooms of the other dialects count into the metrics.
    pub fn count_rooms(&self) {
        let metrics = &self.0.metrics;
        metrics.count_rooms(DialectName::PeerJs, &self.peerjs_counts().into());
        metrics.count_rooms(DialectName::SimplePeer, &self.simple_peer_counts().into());
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

    fn next_socket(&self) -> SocketId {
        SocketId(self.0.next_socket.fetch_add(1, Ordering::Relaxed))
    }

    fn new_outbox(&self) -> Arc<Outbox> {
        let metrics = self.0.metrics.queues().clone();
        Arc::new(Outbox::new(self.0.max_queue_bytes, metrics))
    }

    fn ride(&self, code: &SessionCode) -> Option<Arc<Ride>> {
        self.0.rides().living.get(code).cloned()
    }

    /// A name for the log: the same for the same text, in this process alone.
    fn log_name(&self, text: &str) -> String {
        format!("{:08x}", self.log_hash(text))
    }

    fn log_hash(&self, text: &str) -> u32 {
        self.0.log_names.hash_one(text) as u32
    }
}

impl Shared {
    fn rides(&self) -> MutexGuard<'_, Rides> {
        // Nothing panics while it holds the lock.
        self.rides.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Whether a token opens a ride that nobody here remembers.
fn is_good(signer: &dyn Signer, resume: &Resume) -> bool {
    rider_of(signer, &resume.token).is_some_and(|rider| rider == resume.peer)
}

/// Whose token it is, while it is good.
fn rider_of(signer: &dyn Signer, token: &Token) -> Option<PeerId> {
    match signer.verify(token)? {
        Statement::Rider(pass) => (pass.expires > unix_millis() / 1_000).then_some(pass.peer),
        Statement::Ban(_) => None,
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
            rides.living.remove(&code);
            rides.over.insert(code);
            tracing::info!(ride = ride.log_name(), "ride ended");
            return;
        }
    }
}
