//! Captured log of a test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::Level;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::fmt;

/// Buffer that the log is written to.
#[derive(Clone, Default)]
pub struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a buffer").extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogBuffer {
    /// Captures the log of this thread until the guard is dropped.
    pub fn start() -> (Self, DefaultGuard) {
        Self::start_at(Level::INFO)
    }

    /// As [`LogBuffer::start`], with all events up to `level`.
    pub fn start_at(level: Level) -> (Self, DefaultGuard) {
        let buffer = Self::default();
        let writer = buffer.clone();
        let log = fmt()
            .with_max_level(level)
            .json()
            .flatten_event(true)
            .with_writer(move || writer.clone());
        let logging = tracing::subscriber::set_default(log.finish());
        (buffer, logging)
    }

    /// Log so far, as text and as parsed lines.
    pub fn read(&self) -> (String, Vec<Value>) {
        let bytes = self.0.lock().expect("a buffer").clone();
        let text = String::from_utf8(bytes).expect("text");
        let lines = text.lines().map(serde_json::from_str);
        let lines = lines.map(|line| line.expect("JSON")).collect();
        (text, lines)
    }
}
