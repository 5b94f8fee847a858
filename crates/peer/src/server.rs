//! The server of a ride, as a peer reaches it: HTTP requests, and the stream for the signaling
//! socket.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    str::FromStr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use http_body_util::{BodyExt, Empty, Limited};
use hyper::{
    Method, Request, StatusCode, Uri,
    body::Bytes,
    client::conn::http1,
    header::{AUTHORIZATION, HOST},
};
use hyper_util::rt::TokioIo;
use protocol::{code::SessionCode, peer::Token};
use serde::Deserialize;
use session::{RideInfo, view::JoinError};
use thiserror::Error;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
};

/// Time within which the server must accept a connection, and answer a request.
const TIMEOUT: Duration = Duration::from_secs(8);
/// Largest answer to a request in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Address of a server, such as `http://127.0.0.1:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    has_tls: bool,
    /// Host as in a `Host` header: an IPv6 address has brackets.
    host: String,
    port: u16,
}

/// Address of a ride, such as `http://127.0.0.1:3000/ride/brave-otter-0042`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RideUrl {
    /// Server of the ride.
    pub server: ServerUrl,
    /// Code of the ride.
    pub code: SessionCode,
}

/// Reason why a text is not an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Not an address with `http` or `https`.
    #[error("is not an address such as http://127.0.0.1:3000/ride/brave-otter-0042")]
    NotAnAddress,
    /// The path does not end in `/ride/` and a session code.
    #[error("does not end in /ride/ and a session code, such as /ride/brave-otter-0042")]
    NoRide,
}

/// Reason why a ride was not created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CreateError {
    /// The server could not be reached.
    #[error("The server cannot be reached.")]
    Unreachable,
    /// The server has its maximum of rides, or this address has created too many.
    #[error("The server takes no more rides at the moment. Try again later.")]
    Full,
    /// The answer could not be read.
    #[error("The server gave an answer that this program does not understand.")]
    Other,
}

/// Stream to a server, with TLS if its address says so.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

#[derive(Deserialize)]
struct CreatedRide {
    code: SessionCode,
}

#[derive(Deserialize)]
struct KnownRide {
    full: bool,
    locked: bool,
    invitation: Option<String>,
}

impl ServerUrl {
    /// Server without TLS at a socket address.
    pub fn plain(address: SocketAddr) -> Self {
        let host = match address.ip() {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self {
            has_tls: false,
            host,
            port: address.port(),
        }
    }

    /// Creates a ride and returns its code.
    ///
    /// # Errors
    /// [`CreateError`], if the server did not create it.
    pub async fn create_ride(&self) -> Result<SessionCode, CreateError> {
        let answer = self.request(Method::POST, "/api/rides", None).await;
        let (status, body) = answer.map_err(|_| CreateError::Unreachable)?;
        match status {
            StatusCode::CREATED => serde_json::from_slice::<CreatedRide>(&body)
                .map(|created| created.code)
                .map_err(|_| CreateError::Other),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                Err(CreateError::Full)
            }
            _ => Err(CreateError::Other),
        }
    }

    /// Looks up a ride. A token of the ride exempts the request from the server's protection
    /// against guessing codes.
    pub(crate) async fn look_up(
        &self,
        code: &SessionCode,
        token: Option<&Token>,
    ) -> Result<RideInfo, JoinError> {
        let path = format!("/api/rides/{code}");
        let answer = self.request(Method::GET, &path, token).await;
        let (status, body) = answer.map_err(|_| JoinError::Unreachable)?;
        match status {
            StatusCode::OK => serde_json::from_slice::<KnownRide>(&body)
                .map(|ride| RideInfo {
                    full: ride.full,
                    locked: ride.locked,
                    invitation: ride.invitation,
                })
                .map_err(|_| JoinError::Outdated),
            StatusCode::NOT_FOUND => Err(JoinError::NoSuchRide),
            _ => Err(JoinError::Unreachable),
        }
    }

    /// Address of the signaling socket of a ride.
    pub(crate) fn socket_url(&self, code: &SessionCode) -> String {
        let scheme = if self.has_tls { "wss" } else { "ws" };
        format!("{scheme}://{}/ws/{code}", self.authority())
    }

    /// Address of the socket of a tunnel's peer.
    pub(crate) fn tunnel_socket_url(&self) -> String {
        let scheme = if self.has_tls { "wss" } else { "ws" };
        format!("{scheme}://{}/api/tunnel", self.authority())
    }

    /// True for `https`.
    pub(crate) fn has_tls(&self) -> bool {
        self.has_tls
    }

    /// Host as in a `Host` header: an IPv6 address has brackets.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// Port, also if it is the default one.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Value of a `Host` header as browsers send it: without the default port.
    pub(crate) fn host_field(&self) -> String {
        let origin = self.to_string();
        let authority = origin.split_once("://").map(|(_, authority)| authority);
        authority.unwrap_or_default().to_owned()
    }

    /// Connects to the server.
    pub(crate) async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        timeout(TIMEOUT, self.connect_without_timeout())
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn connect_without_timeout(&self) -> io::Result<Box<dyn Stream>> {
        let host = self.host.trim_matches(['[', ']']);
        let stream = TcpStream::connect((host, self.port)).await?;
        stream.set_nodelay(true)?;
        if !self.has_tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(tls_config());
        Ok(Box::new(connector.connect(name, stream).await?))
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&Token>,
    ) -> io::Result<(StatusCode, Bytes)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.authority());
        if let Some(token) = token {
            request = request.header(AUTHORIZATION, format!("Bearer {}", token.expose()));
        }
        let request = request
            .body(Empty::<Bytes>::new())
            .map_err(io::Error::other)?;
        let exchange = async {
            let stream = TokioIo::new(self.connect_without_timeout().await?);
            let (mut sender, connection) =
                http1::handshake(stream).await.map_err(io::Error::other)?;
            let answer = async {
                let answer = sender
                    .send_request(request)
                    .await
                    .map_err(io::Error::other)?;
                let status = answer.status();
                let body = Limited::new(answer.into_body(), MAX_ANSWER);
                let body = body.collect().await.map_err(io::Error::other)?;
                Ok((status, body.to_bytes()))
            };
            tokio::pin!(answer);
            tokio::select! {
                answer = &mut answer => answer,
                // An answer without a length ends with the connection.
                _ = connection => answer.await,
            }
        };
        timeout(TIMEOUT, exchange)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Host and port, as in a `Host` header.
    fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// Settings of TLS, the same for all connections, so that they resume sessions.
fn tls_config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| {
        let roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config)
    });
    Arc::clone(config)
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, default) = match self.has_tls {
            true => ("https", 443),
            false => ("http", 80),
        };
        write!(f, "{scheme}://{}", self.host)?;
        match self.port == default {
            true => Ok(()),
            false => write!(f, ":{}", self.port),
        }
    }
}

impl fmt::Display for RideUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/ride/{}", self.server, self.code)
    }
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    /// Reads the address of a server. A path is ignored.
    fn from_str(text: &str) -> Result<Self, UrlError> {
        let uri: Uri = text.trim().parse().map_err(|_| UrlError::NotAnAddress)?;
        let has_tls = match uri.scheme_str() {
            Some("http") => false,
            Some("https") => true,
            _ => return Err(UrlError::NotAnAddress),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        Ok(Self {
            has_tls,
            host: host.ok_or(UrlError::NotAnAddress)?.to_owned(),
            port: uri.port_u16().unwrap_or(if has_tls { 443 } else { 80 }),
        })
    }
}

impl FromStr for RideUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let server = text.parse()?;
        let uri: Uri = text.trim().parse().map_err(|_| UrlError::NotAnAddress)?;
        let code = uri.path().strip_prefix("/ride/");
        let code = code.map(|code| code.trim_end_matches('/').parse());
        let code = code.and_then(Result::ok).ok_or(UrlError::NoRide)?;
        Ok(Self { server, code })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_ride_is_read() {
        for (text, shown) in [
            (
                "http://127.0.0.1:3000/ride/brave-otter-0042",
                "http://127.0.0.1:3000/ride/brave-otter-0042",
            ),
            (
                " https://ride.example/ride/Brave-Otter-0042/?from=qr ",
                "https://ride.example/ride/brave-otter-0042",
            ),
            (
                "http://[::1]:3000/ride/brave-otter-0042",
                "http://[::1]:3000/ride/brave-otter-0042",
            ),
        ] {
            let url: RideUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
        }
    }

    #[test]
    fn other_addresses_are_refused() {
        for (text, error) in [
            ("brave-otter-0042", UrlError::NotAnAddress),
            (
                "ftp://ride.example/ride/brave-otter-0042",
                UrlError::NotAnAddress,
            ),
            ("http:///ride/brave-otter-0042", UrlError::NotAnAddress),
            ("", UrlError::NotAnAddress),
            ("http://ride.example", UrlError::NoRide),
            ("http://ride.example/ride/nonsense", UrlError::NoRide),
            ("http://ride.example/solo", UrlError::NoRide),
        ] {
            assert_eq!(text.parse::<RideUrl>(), Err(error), "{text}");
        }
    }
}
