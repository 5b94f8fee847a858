use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that a connection has received since they were last taken, counted where they
/// are read. A WebSocket message can consist of many frames without content, which cost
/// processor time and show in no message.
#[derive(Debug, Clone, Default)]
pub struct ReceivedBytes(Arc<AtomicUsize>);

impl ReceivedBytes {
    /// Counts bytes.
    pub fn add(&self, bytes: usize) {
        self.0.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes so far.
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// Takes back bytes that were counted. Only the task that reads the connection calls this
    /// and [`ReceivedBytes::add`].
    pub fn forget(&self, bytes: usize) {
        self.0
            .store(self.get().saturating_sub(bytes), Ordering::Relaxed);
    }

    /// Bytes so far, which are not counted any more.
    pub fn take(&self) -> usize {
        self.0.swap(0, Ordering::Relaxed)
    }
}
