//! Shutdown of the server: on SIGTERM, SIGINT, SIGHUP or SIGQUIT, `/health` reports that the server
//! is draining, every socket is told when to reconnect, and the server stops when
//! they have closed.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use uuid::Uuid;

/// Time for all sockets to close: two seconds more than the largest
/// [`random_close_delay`].
pub const SOCKET_TIMEOUT: Duration = Duration::from_secs(6);
/// Time for open requests to complete after that.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(3);
/// Time to write endings and bans to the disk after that. All three fit into 10 s,
/// after which process managers kill a process.
pub const JOURNAL_TIMEOUT: Duration = Duration::from_millis(500);
/// Range of delays after which riders reconnect, so that they do not all reconnect
/// at once.
const RETRY_AFTER_MS: std::ops::Range<u32> = 500..4_500;
/// Maximum delay before closing the socket of a client that cannot be told when to
/// reconnect.
const MAX_CLOSE_DELAY_MS: u32 = 4_000;

/// Random delay in milliseconds after which one page is to reconnect.
pub fn random_retry_after_ms() -> u32 {
    RETRY_AFTER_MS.start + random_below(RETRY_AFTER_MS.end - RETRY_AFTER_MS.start)
}

/// Random delay before closing the socket of one client that reconnects at once.
pub fn random_close_delay() -> Duration {
    Duration::from_millis(random_below(MAX_CLOSE_DELAY_MS).into())
}

fn random_below(end: u32) -> u32 {
    Uuid::new_v4().as_u64_pair().1 as u32 % end
}

/// Flag that the server is shutting down; cheap to clone. It is never reset.
#[derive(Debug, Clone)]
pub struct Draining(watch::Sender<bool>);

impl Draining {
    /// Flag that is not set.
    pub fn new() -> Self {
        Self(watch::Sender::new(false))
    }

    /// Sets the flag.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Returns `true` if the flag is set.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Resolves when the flag is set, at once if it is set already.
    pub fn begun(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut flag = self.0.subscribe();
        async move {
            // Fails only without a sender, when the server's state is gone.
            let _ = flag.wait_for(|begun| *begun).await;
        }
    }
}

impl Default for Draining {
    fn default() -> Self {
        Self::new()
    }
}

/// Resolves on the first signal that asks the process to end: SIGTERM, SIGINT,
/// SIGHUP or SIGQUIT. From the call on, these signals, SIGUSR1 and SIGUSR2 no longer
/// kill the process by themselves; the last two do nothing.
///
/// # Errors
/// The operating system does not let the process handle these signals.
pub fn signals() -> std::io::Result<impl Future<Output = ()> + Send> {
    for ignored in [SignalKind::user_defined1(), SignalKind::user_defined2()] {
        // The handler stays when the stream is dropped.
        drop(signal(ignored)?);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let mut quit = signal(SignalKind::quit())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
            _ = quit.recv() => {}
        }
    })
}
