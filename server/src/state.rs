//! What every handler can reach.

use std::ops::Deref;
use std::sync::Arc;

use crate::codes::Words;
use crate::config::Config;
use crate::hub::Hub;
use crate::limits::Limits;
use crate::metrics::Metrics;
use crate::shutdown::Draining;
use crate::tokens::Secret;

/// The server's state, one for the whole process; cheap to clone.
#[derive(Debug, Clone)]
pub struct AppState(Arc<App>);

/// The parts of [`AppState`].
#[derive(Debug)]
pub struct App {
    /// The settings, as they were at the start.
    pub config: Config,
    /// All rides and all sockets.
    pub hub: Hub,
    /// What new session codes are made of.
    pub words: Words,
    /// How much anybody may still ask for.
    pub limits: Limits,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whether the server is about to stop.
    pub draining: Draining,
}

impl AppState {
    /// A server without rides. Needs a tokio runtime: rides are driven by
    /// tasks.
    pub fn new(config: Config) -> Self {
        let metrics = Arc::new(Metrics::new());
        Self(Arc::new(App {
            hub: Hub::new(&config, Secret::load(&config), metrics.clone()),
            words: Words::new(),
            limits: Limits::new(&config.limits),
            metrics,
            draining: Draining::new(),
            config,
        }))
    }
}

impl Deref for AppState {
    type Target = App;

    fn deref(&self) -> &App {
        &self.0
    }
}
