//! All rides and rooms of this server, and the sockets in them.
//!
//! Rooms are state machines without IO (crate `rooms`); this module drives them:
//! it passes in the time of one monotonic clock, puts their outputs into the send
//! queues of the sockets ([`outbox`]), and wakes them when they ask for it.
//!
//! - [`Hub`]: rides by code, see `ride`. A task per ride wakes its room and
//!   removes the ride when it has ended. A ride that this process does not know is
//!   restored for a rider with a valid resume token, because the server was
//!   restarted: for a while after the start, unless the ride has ended.
//! - [`ConnectionHandle`]: one socket of the app's dialect.
//! - [`third_party`]: driver for the rooms of [`peerjs`] and [`simple_peer`], and
//!   [`ThirdPartyClient`], one socket in them.
//!
//! Contract: no lock is held across an await. The log has one line per join,
//! leave and refusal; rides and riders appear in it under names that are hashed
//! with a key of this process.

mod connection_handle;
mod context;
pub mod outbox;
pub mod peerjs;
mod queue_budget;
mod ride;
pub mod simple_peer;
pub mod third_party;

pub use connection_handle::ConnectionHandle;
pub use queue_budget::QueueBudget;
pub use third_party::{ThirdPartyClient, ThirdPartyDriver};

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use protocol::code::SessionCode;
use protocol::peer::Token;
use protocol::signaling::{ErrorCode, IceServer, Resume};
use rooms::room::{ResumeClaims, Room, RoomSettings, Signer, Standing, Statement, Summary};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::config::Config;
use crate::journal::{RideJournal, RideRecords};
use crate::metrics::{DialectName, Metrics, Traffic};
use crate::sync::lock;
use crate::tokens::Secret;
use crate::wall_clock;
use context::Context;
use peerjs::PeerJsRooms;
use ride::Ride;
use simple_peer::SimplePeerRooms;

/// Number of random codes tried for a new ride before the server counts as full.
/// With billions of codes, even a second attempt is rare.
const MAX_CODE_ATTEMPTS: usize = 20;

/// All rides and rooms of this server; cheap to clone.
#[derive(Debug, Clone)]
pub struct Hub(Arc<HubState>);

#[derive(Debug)]
struct HubState {
    context: Arc<Context>,
    /// Active rides.
    rides: Mutex<HashMap<SessionCode, Arc<Ride>>>,
    settings: RoomSettings,
    secret: Secret,
    journal: Arc<RideJournal>,
    max_rooms: usize,
    peerjs: ThirdPartyDriver<PeerJsRooms>,
    simple_peer: ThirdPartyDriver<SimplePeerRooms>,
    open_sockets: watch::Sender<usize>,
}

/// Counts for `/health`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubCounts {
    /// Active rides.
    pub rooms: usize,
    /// Connected riders.
    pub riders: usize,
    /// Frames relayed since the start, each counted once for all receivers.
    pub relayed_frames: u64,
}

impl Hub {
    /// Hub without rides. May block, because it reads the file of endings and bans.
    pub fn new(config: &Config, secret: Secret, metrics: Arc<Metrics>) -> Self {
        let settings = RoomSettings {
            max_riders: config.max_riders,
            max_direct: config.max_direct,
            grace: config.grace(),
            silence: config.rider_silence(),
            host_grace: config.host_grace(),
            relay_bytes_per_second: Some(config.limits.relay_bytes_per_second)
                .filter(|limit| *limit > 0),
            max_file_bytes: Some(config.limits.max_file_bytes),
            max_cameras: Some(config.limits.max_cameras),
            newcomers_per_minute: config.limits.newcomers_per_minute,
            returns_per_minute: config.limits.returns_per_minute,
            ttl: Duration::from_millis(config.room_ttl_ms),
            unjoined_ttl: Duration::from_millis(config.unjoined_ttl_ms),
            max_message_bytes: config.max_message_bytes,
            p2p: config.p2p_enabled,
            ice_servers: config.ice_servers(),
            direct: config.ice.direct(),
            ..RoomSettings::default()
        };
        let context = Arc::new(Context::new(config, metrics));
        let journal = RideJournal::open(config.journal_file(), secret.clone(), settings.token_life);
        Self(Arc::new(HubState {
            rides: Mutex::default(),
            settings,
            secret,
            journal: Arc::new(journal),
            max_rooms: config.max_rooms as usize,
            peerjs: ThirdPartyDriver::new(PeerJsRooms::new(config), context.clone()),
            simple_peer: ThirdPartyDriver::new(SimplePeerRooms::new(config), context.clone()),
            open_sockets: watch::Sender::new(0),
            context,
        }))
    }

    /// Time of the hub's monotonic clock.
    pub fn now(&self) -> Duration {
        self.0.context.now().since_origin()
    }

    /// Time of the hub's clock at a moment.
    pub fn time_of(&self, moment: Instant) -> Duration {
        self.0.context.moment_of(moment).since_origin()
    }

    /// Rooms of the PeerJS dialect.
    pub fn peerjs(&self) -> &ThirdPartyDriver<PeerJsRooms> {
        &self.0.peerjs
    }

    /// Rooms of the simple-peer dialect.
    pub fn simple_peer(&self) -> &ThirdPartyDriver<SimplePeerRooms> {
        &self.0.simple_peer
    }

    /// Starts a ride under a code from `random_code`; `None` if the server has
    /// its maximum number of rides.
    pub fn start_ride(&self, mut random_code: impl FnMut() -> SessionCode) -> Option<SessionCode> {
        let mut rides = lock(&self.0.rides);
        if rides.len() >= self.0.max_rooms {
            return None;
        }
        let code = (0..MAX_CODE_ATTEMPTS)
            .map(|_| random_code())
            .find(|code| !rides.contains_key(code) && !self.0.journal.has_ended(code))?;
        let signer = self.0.secret.signer(&code);
        let room = Room::new(self.0.settings.clone(), signer, self.0.context.now());
        self.insert(&mut rides, &code, room, "ride started");
        Some(code)
    }

    /// Ride with a code: an active one, or one that is restored because this
    /// process never knew it and the rider has a valid resume token. Restoring is
    /// possible for as long as the ride would have lived without the restart. A token
    /// of a rider who left or was banned restores nothing.
    fn find_or_restore(
        &self,
        code: &SessionCode,
        resume: Option<&Resume>,
    ) -> Result<Arc<Ride>, ErrorCode> {
        let mut rides = lock(&self.0.rides);
        if let Some(ride) = rides.get(code) {
            return Ok(ride.clone());
        }
        let signer = self.0.secret.signer(code);
        let journal = &self.0.journal;
        let claims = resume.and_then(|resume| {
            let claims = resume_claims(&*signer, &resume.token)?;
            (claims.peer == resume.peer && is_current(&claims)).then_some(claims)
        });
        let is_member =
            claims.is_some_and(|it| journal.standing(code, &it.peer) == Standing::Member);
        if !is_member || !self.is_restoring() || journal.has_ended(code) {
            return Err(ErrorCode::NoSuchRide);
        }
        if rides.len() >= self.0.max_rooms {
            return Err(ErrorCode::TooManyRides);
        }
        let settings = self.0.settings.clone();
        let records = Arc::new(self.records(code));
        let (now, server_time) = (self.0.context.now(), wall_clock::now());
        let room = Room::restored(settings, signer, records, now, server_time);
        Ok(self.insert(&mut rides, code, room, "ride restored"))
    }

    /// Returns `true` for as long after the start as rides without any rider live.
    fn is_restoring(&self) -> bool {
        let settings = &self.0.settings;
        self.now() < settings.ttl + settings.grace
    }

    fn records(&self, code: &SessionCode) -> RideRecords {
        RideRecords::new(self.0.journal.clone(), code.clone())
    }

    /// The wall clock was set to another time.
    pub fn wall_clock_was_set(&self) {
        self.0.journal.wall_clock_was_set();
    }

    /// Resolves when all endings and bans so far have been written, or cannot be.
    pub async fn journal_flushed(&self) {
        self.0.journal.flushed().await;
    }

    /// Returns `true` if a token was issued to a rider of the ride with this
    /// code. If the ride is not active, the token must not have expired.
    pub fn is_rider_token(&self, code: &SessionCode, token: &Token) -> bool {
        let claims = resume_claims(&*self.0.secret.signer(code), token);
        claims.is_some_and(|it| is_current(&it) || lock(&self.0.rides).contains_key(code))
    }

    fn insert(
        &self,
        rides: &mut HashMap<SessionCode, Arc<Ride>>,
        code: &SessionCode,
        room: Room,
        event: &'static str,
    ) -> Arc<Ride> {
        let context = self.0.context.clone();
        let log_name = context.log_name(code.as_str());
        let ride = Arc::new(Ride::new(room, log_name, self.records(code), context));
        tracing::info!(ride = ride.log_name(), "{event}");
        rides.insert(code.clone(), ride.clone());
        tokio::spawn(drive(self.clone(), code.clone(), ride.clone()));
        ride
    }

    /// Public summary of a ride; `None` if no active ride has this code.
    pub fn summary(&self, code: &SessionCode) -> Option<Summary> {
        let ride = lock(&self.0.rides).get(code).cloned();
        ride.map(|ride| ride.summary())
    }

    /// Name of a tunnel for the log: equal for equal codes, within this process only.
    pub fn log_name(&self, code: &str) -> String {
        self.0.context.log_name(code)
    }

    /// ICE servers for a client of a tunnel; none if direct links are disabled.
    pub fn tunnel_ice_servers(&self, code: &str, client: IpAddr) -> Vec<IceServer> {
        let (context, settings) = (&self.0.context, &self.0.settings);
        if !settings.p2p {
            return Vec::new();
        }
        let now = wall_clock::now().unix_ms();
        let turn = context.turn_server(code, context.client_key(client), now);
        settings.ice_servers.iter().cloned().chain(turn).collect()
    }

    /// Registers a new socket of the app's dialect. The ride of its code is
    /// looked up when the socket says hello.
    pub fn connect(&self, code: SessionCode, client: IpAddr) -> ConnectionHandle {
        ConnectionHandle::new(self.clone(), code, client)
    }

    /// Returns `true` if the send queues of all sockets use more than half of their
    /// budget.
    pub fn is_memory_scarce(&self) -> bool {
        self.0.context.queues.is_scarce()
    }

    /// Counts of this moment.
    pub fn counts(&self) -> HubCounts {
        let metrics = self.0.context.app_metrics();
        HubCounts {
            rooms: lock(&self.0.rides).len(),
            riders: metrics.peers(),
            relayed_frames: [Traffic::Control, Traffic::Telemetry, Traffic::Bulk]
                .map(|class| metrics.relayed_messages(class))
                .iter()
                .sum(),
        }
    }

    /// Updates the metrics with the counts of the third-party rooms.
    pub fn update_room_metrics(&self) {
        let metrics = &self.0.context.metrics;
        metrics.update_rooms(DialectName::PeerJs, &self.0.peerjs.statistics());
        metrics.update_rooms(DialectName::SimplePeer, &self.0.simple_peer.statistics());
    }

    /// Counts a socket as open until the guard is dropped, after the socket's
    /// closing handshake.
    pub fn count_open_socket(&self) -> OpenSocketGuard {
        self.0.open_sockets.send_modify(|count| *count += 1);
        OpenSocketGuard(self.clone())
    }

    /// Resolves when no socket is open.
    pub async fn all_sockets_closed(&self) {
        // Waiting cannot fail: the sender is in `self`.
        let _ = self
            .0
            .open_sockets
            .subscribe()
            .wait_for(|count| *count == 0)
            .await;
    }
}

/// Open socket, see [`Hub::count_open_socket`].
#[derive(Debug)]
pub struct OpenSocketGuard(Hub);

impl Drop for OpenSocketGuard {
    fn drop(&mut self) {
        self.0.0.open_sockets.send_modify(|count| *count -= 1);
    }
}

/// Claims of a resume token, which may have expired.
fn resume_claims(signer: &dyn Signer, token: &Token) -> Option<ResumeClaims> {
    match signer.verify(token)? {
        Statement::Resume(claims) => Some(claims),
        Statement::Ban(_) | Statement::Host(_) => None,
    }
}

/// Returns `true` if a token has not expired.
fn is_current(claims: &ResumeClaims) -> bool {
    claims.expires > wall_clock::now()
}

/// Wakes a ride when its room asks for it, and removes the ride when it has
/// ended.
async fn drive(hub: Hub, code: SessionCode, ride: Arc<Ride>) {
    loop {
        match ride.timeout() {
            Some(at) => tokio::select! {
                () = tokio::time::sleep_until(hub.0.context.instant_at(at)) => ride.wake(),
                () = ride.rescheduled() => {}
            },
            None => ride.rescheduled().await,
        }
        // The list stays locked, so that no socket finds a ride that has ended.
        let mut rides = lock(&hub.0.rides);
        if ride.end_if_dead(hub.0.context.now()) {
            rides.remove(&code);
            // Without members, there are no tokens that could restore it.
            if ride.was_joined() {
                hub.0.journal.record_end(&code);
            }
            tracing::info!(ride = ride.log_name(), "ride ended");
            return;
        }
    }
}
