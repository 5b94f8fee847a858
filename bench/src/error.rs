//! Errors that abort a benchmark run.

/// Reason why a measurement could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file, a process or a connection failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server rejected the WebSocket upgrade or did not answer with OPEN.
    #[error("the server refused a connection: {0}")]
    Refused(String),
    /// The server closed the connection.
    #[error("the server closed a connection")]
    Closed,
    /// The server sent bytes that violate the WebSocket protocol.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    /// A message was lost, changed, or arrived out of order.
    #[error("the server did not relay correctly: {0}")]
    IncorrectRelay(String),
    /// A server did not start.
    #[error("{0} did not start: {1}")]
    NotStarted(&'static str, String),
    /// The machine lacks a command, a file or a permission that the benchmark
    /// needs.
    #[error("{0}")]
    Setup(String),
}
