//! How the server ends: told by SIGTERM or SIGINT, it says so at `/health`,
//! tells every socket when to come back, waits for them, and stops.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use uuid::Uuid;

/// How long sockets may take to say goodbye: those of which some are closed
/// later have two seconds more than the last of them.
pub const SOCKETS_END: Duration = Duration::from_secs(6);
/// How long requests may take to end after that; both fit into 10 s.
pub const REQUESTS_END: Duration = Duration::from_secs(3);
/// When riders come back after a restart: spread over some seconds.
const RETRY_AFTER_MS: std::ops::Range<u32> = 500..4_500;
/// Over how long those are closed who cannot be told when to come back.
const CLOSED_WITHIN_MS: u32 = 4_000;

/// After how many milliseconds one socket is to come back, a time of its own.
pub fn retry_after_ms() -> u32 {
    RETRY_AFTER_MS.start + random_below(RETRY_AFTER_MS.end - RETRY_AFTER_MS.start)
}

/// When a socket is closed that comes back at once, a time of its own.
pub fn closed_after() -> Duration {
    Duration::from_millis(random_below(CLOSED_WITHIN_MS).into())
}

fn random_below(end: u32) -> u32 {
    Uuid::new_v4().as_u64_pair().1 as u32 % end
}

/// Whether the server is about to stop; cheap to clone, once set it stays.
#[derive(Debug, Clone)]
pub struct Draining(watch::Sender<bool>);

impl Draining {
    /// Not yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// From now on.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when it begins, at once if it has.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut told = self.0.subscribe();
        async move {
            // Without a sender nothing is served any more.
            let _ = told.wait_for(|begun| *begun).await;
        }
    }
}

impl Default for Draining {
    fn default() -> Self {
        Self::new()
    }
}

/// Resolves on the first SIGTERM or SIGINT.
///
/// # Errors
/// When the operating system does not let the process listen to them.
pub fn signals() -> std::io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
