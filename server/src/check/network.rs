//! Connections of the check.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::ServerName;

use super::TIMEOUT;
use crate::tls::{Roots, connector};

/// Stream over TCP, with or without TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Addresses of a host. The error is the rest of a sentence that begins with the host's address.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let found = timeout(TIMEOUT, lookup_host((host, port))).await;
    let found: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(format!("has a host name that cannot be resolved ({error})")),
        Err(_) => return Err("has a host name that cannot be resolved in time".into()),
    };
    match found.is_empty() {
        true => Err("has a host name without an address".into()),
        false => Ok(found),
    }
}

/// Opens a connection to the first address of a host that accepts it.
pub(super) async fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let mut failure = String::new();
    for address in resolve(host, port).await? {
        match timeout(TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = format!("refuses connections at {address} ({error})"),
            Err(_) => failure = format!("does not accept a connection at {address} in time"),
        }
    }
    Err(failure)
}

/// Begins TLS, and checks the certificate of the host.
pub(super) async fn secure(
    stream: TcpStream,
    host: &str,
    roots: &Roots,
) -> Result<TlsStream<TcpStream>, String> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.map_err(|_| "has a host name that no certificate can have".to_owned())?;
    let connecting = connector(roots).connect(name, stream);
    match timeout(TIMEOUT, connecting).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("fails in TLS ({})", describe(&error))),
        Err(_) => Err("does not complete TLS in time".into()),
    }
}

/// Text of an error, with the reason of TLS within it.
fn describe(error: &io::Error) -> String {
    match error.get_ref() {
        Some(reason) => reason.to_string(),
        None => error.to_string(),
    }
}
