//! What ends a measurement.

/// Why a figure could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A file, a process or a socket failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The server answered something else than was asked for.
    #[error("the server refused a connection: {0}")]
    Refused(String),
    /// The other side ended the socket.
    #[error("the server closed a connection")]
    Closed,
    /// The bytes are not what a server sends.
    #[error("the server broke the protocol: {0}")]
    Protocol(String),
    /// A message was lost, changed, or came out of order.
    #[error("the server did not relay faithfully: {0}")]
    Unfaithful(String),
    /// A server did not start.
    #[error("{0} did not start: {1}")]
    NotStarted(&'static str, String),
    /// A command this program needs failed.
    #[error("{0}")]
    Setup(String),
}
