//! State that the HTTP handlers and sockets share.

use std::ops::Deref;
use std::sync::Arc;

use uuid::Uuid;

use crate::config::Config;
use crate::error::StartError;
use crate::hub::Hub;
use crate::intervals_icu::Service;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::session_codes::SessionCodeGenerator;
use crate::shutdown::Draining;
use crate::tls::browser_roots;
use crate::tokens::Secret;
use crate::tunnels::Tunnels;

/// The server's state, one per process; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState(Arc<SharedState>);

/// The parts of [`AppState`].
#[derive(Debug)]
pub struct SharedState {
    /// Settings, as they were at the start.
    pub config: Config,
    /// Random name of this process.
    pub instance: Uuid,
    /// All rides, rooms and sockets.
    pub hub: Hub,
    /// Source of new session codes.
    pub session_codes: SessionCodeGenerator,
    /// Rate limiters and connection limiters.
    pub limits: Limits,
    /// intervals.icu, if calls to it are passed on.
    pub intervals_icu: Option<Service>,
    /// All tunnels.
    pub tunnels: Tunnels,
    /// All metrics.
    pub metrics: Arc<Metrics>,
    /// Set once the server shuts down.
    pub draining: Draining,
}

impl AppState {
    /// State of a server without rides. Needs a tokio runtime, because rides are
    /// driven by tasks.
    ///
    /// # Errors
    /// [`StartError::UnsafeSecretFile`].
    pub fn new(config: Config) -> Result<Self, StartError> {
        let metrics = Arc::new(Metrics::new());
        let hub = Hub::new(&config, Secret::load(&config)?, metrics.clone());
        Ok(Self(Arc::new(SharedState {
            tunnels: Tunnels::new(&config, hub.clone(), metrics.clone()),
            hub,
            session_codes: SessionCodeGenerator::new(),
            limits: Limits::new(&config.limits, &config.intervals_icu),
            intervals_icu: config
                .intervals_icu
                .passes_through()
                .then(|| Service::new(&config.intervals_icu, &browser_roots())),
            metrics,
            instance: Uuid::new_v4(),
            draining: Draining::new(),
            config,
        })))
    }
}

impl Deref for AppState {
    type Target = SharedState;

    fn deref(&self) -> &SharedState {
        &self.0
    }
}

impl AsRef<Config> for AppState {
    fn as_ref(&self) -> &Config {
        &self.config
    }
}
