//! Check of STUN and TURN servers, from this machine.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::join_all;
use protocol::signaling::IceServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::Finding::{self, Failed, Good, Note};
use super::TIMEOUT;
use super::network::{Stream, connect, resolve, secure};
use super::stun::{self, Credentials, HEADER, Method, Response, TransactionId};
use crate::config::{Config, IceKind, IceTransport, IceUrl};
use crate::tls::Roots;
use crate::wall_clock;

/// First interval after which a request over UDP is repeated; it doubles (RFC 8489, section 6.2.1).
const RETRANSMIT_AFTER: Duration = Duration::from_millis(500);
/// "Unauthorized" and "Stale Nonce" (RFC 8489, section 14.8).
const UNAUTHORIZED: u16 = 401;
const STALE_NONCE: u16 = 438;
/// Number of requests with credentials before a server that always asks for a new nonce is given up.
const MAX_ATTEMPTS: usize = 3;

pub(super) async fn check(config: &Config, roots: &Roots) -> Vec<Finding> {
    if !config.p2p_enabled {
        let disabled = "GRUPPETTO_P2P_ENABLED is false: riders get no direct links, and use no STUN or TURN server.";
        return vec![Note(disabled.into())];
    }
    let servers = servers(config);
    let urls = servers.iter().flat_map(|server| {
        let urls = server.urls.iter();
        urls.map(move |url| (url, server))
    });
    let findings = join_all(urls.map(|(url, server)| check_url(url, server, roots))).await;
    if findings.is_empty() {
        let none = "None is set: only riders in one network get direct links, all others are relayed by this \
                    server. Set GRUPPETTO_ICE_SERVERS.";
        return vec![Note(none.into())];
    }
    findings
}

/// The servers that a rider would get, with credentials of a rider.
fn servers(config: &Config) -> Vec<IceServer> {
    let turn = config.ice.turn().map(|turn| {
        // Not the name of any rider.
        turn.ice_server(0, wall_clock::now().unix_ms())
    });
    config.ice_servers().into_iter().chain(turn).collect()
}

async fn check_url(text: &str, server: &IceServer, roots: &Roots) -> Finding {
    // Invalid URLs are refused with the settings.
    let Ok(url) = text.parse::<IceUrl>() else {
        return Failed(format!("{text} is not the URL of a STUN or TURN server."));
    };
    let result = match url.transport {
        IceTransport::Udp => over_udp(&url, server).await,
        IceTransport::Tcp | IceTransport::Tls => over_tcp(&url, server, roots).await,
        IceTransport::Dtls => {
            return Note(format!(
                "{url} was not checked: this check does not speak DTLS."
            ));
        }
    };
    match result {
        Ok(success) => Good(format!("{url} {success}.")),
        Err(failure) => Failed(format!("{url} {failure}.")),
    }
}

/// Tries all addresses of the host until one answers.
async fn over_udp(url: &IceUrl, server: &IceServer) -> Result<String, String> {
    let mut failure = String::new();
    for address in resolve(&url.host, url.port).await? {
        let any: IpAddr = match address {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = match UdpSocket::bind((any, 0)).await {
            Ok(socket) => socket,
            Err(error) => {
                return Err(format!(
                    "cannot be asked: this machine opens no socket ({error})"
                ));
            }
        };
        // Only packets of this address are received.
        let connected = socket.connect(address).await;
        let result = match connected {
            Ok(()) => talk(&mut UdpExchange(socket), url, server).await,
            Err(error) => Err(format!("cannot be reached at {address} ({error})")),
        };
        match result {
            Ok(success) => return Ok(success),
            Err(reason) => failure = reason,
        }
    }
    Err(failure)
}

async fn over_tcp(url: &IceUrl, server: &IceServer, roots: &Roots) -> Result<String, String> {
    let stream = connect(&url.host, url.port).await?;
    if url.transport == IceTransport::Tls {
        let stream = secure(stream, &url.host, roots).await?;
        talk(&mut StreamExchange(stream), url, server).await
    } else {
        talk(&mut StreamExchange(stream), url, server).await
    }
}

async fn talk(
    exchange: &mut impl Exchange,
    url: &IceUrl,
    server: &IceServer,
) -> Result<String, String> {
    match url.kind {
        IceKind::Stun => bind(exchange).await,
        IceKind::Turn => allocate(exchange, server).await,
    }
}

/// Asks a STUN server for the address of this machine.
async fn bind(exchange: &mut impl Exchange) -> Result<String, String> {
    match exchange.ask(Method::Binding, None).await? {
        Response::Success {
            mapped: Some(mapped),
            ..
        } => Ok(format!("answers, and sees this machine at {mapped}")),
        Response::Success { mapped: None, .. } => Err("answers without an address".into()),
        Response::Error { code, reason, .. } => {
            Err(format!("refuses the request ({code} {reason})"))
        }
    }
}

/// Allocates an address on a TURN server, and releases it.
async fn allocate(exchange: &mut impl Exchange, server: &IceServer) -> Result<String, String> {
    let (username, password) = server
        .username
        .as_deref()
        .zip(server.credential.as_deref())
        .ok_or("has no credentials")?;
    let mut challenge = match exchange.ask(Method::Allocate, None).await? {
        Response::Error {
            code: UNAUTHORIZED,
            challenge: Some(challenge),
            ..
        } => challenge,
        Response::Success { .. } => {
            return Err(
                "relays without credentials, for anyone: set use-auth-secret in coturn".into(),
            );
        }
        Response::Error { code, reason, .. } => return Err(refusal(code, &reason)),
    };
    for _ in 0..MAX_ATTEMPTS {
        let credentials = Credentials {
            username,
            password,
            challenge: &challenge,
        };
        match exchange.ask(Method::Allocate, Some(credentials)).await? {
            Response::Success { relayed, .. } => {
                // Without an answer the allocation ends by itself, after ten minutes.
                let _ = exchange.ask(Method::Refresh, Some(credentials)).await;
                return match relayed {
                    Some(relayed) => {
                        Ok(format!("accepts the credentials, and relays at {relayed}"))
                    }
                    None => Err("accepts the credentials, but names no address".into()),
                };
            }
            Response::Error {
                code: STALE_NONCE,
                challenge: Some(newer),
                ..
            } => challenge = newer,
            Response::Error { code, reason, .. } => return Err(refusal(code, &reason)),
        }
    }
    Err("asks for a new nonce again and again".into())
}

/// Refusal of an allocation, and its usual cause.
fn refusal(code: u16, reason: &str) -> String {
    let cause = match code {
        UNAUTHORIZED | 441 => {
            ": GRUPPETTO_TURN_SECRET is not the secret of the TURN server, a fixed username or password is \
             wrong, or the two clocks differ"
        }
        486 | 508 => ": it has no more addresses or ports to give",
        _ => "",
    };
    format!("refuses to relay ({code} {reason}){cause}")
}

/// Requests to one server, one after the other.
trait Exchange {
    /// Sends a request and waits for its response.
    async fn ask(
        &mut self,
        method: Method,
        credentials: Option<Credentials<'_>>,
    ) -> Result<Response, String>;
}

struct UdpExchange(UdpSocket);

impl Exchange for UdpExchange {
    async fn ask(
        &mut self,
        method: Method,
        credentials: Option<Credentials<'_>>,
    ) -> Result<Response, String> {
        let id = new_id();
        let request = stun::request(method, id, credentials);
        let unreachable = |error| format!("cannot be reached ({error})");
        let ends_at = Instant::now() + TIMEOUT;
        let (mut repeat_at, mut interval) = (Instant::now(), RETRANSMIT_AFTER);
        let mut buffer = [0; 1_500];
        while repeat_at < ends_at {
            self.0.send(&request).await.map_err(unreachable)?;
            repeat_at = (repeat_at + interval).min(ends_at);
            interval *= 2;
            while let Ok(received) = timeout_at(repeat_at, self.0.recv(&mut buffer)).await {
                let length = received.map_err(unreachable)?;
                if let Some(response) = stun::response(&buffer[..length], method, id) {
                    return Ok(response);
                }
            }
        }
        Err("does not answer: check that its port is open for UDP".into())
    }
}

struct StreamExchange<S>(S);

impl<S: Stream> Exchange for StreamExchange<S> {
    async fn ask(
        &mut self,
        method: Method,
        credentials: Option<Credentials<'_>>,
    ) -> Result<Response, String> {
        let id = new_id();
        let request = stun::request(method, id, credentials);
        let answer = async {
            self.0.write_all(&request).await?;
            self.0.flush().await?;
            loop {
                let mut header = [0; HEADER];
                self.0.read_exact(&mut header).await?;
                let mut message = header.to_vec();
                message.resize(stun::length(&header), 0);
                self.0.read_exact(&mut message[HEADER..]).await?;
                if let Some(response) = stun::response(&message, method, id) {
                    return Ok::<_, std::io::Error>(response);
                }
            }
        };
        match timeout(TIMEOUT, answer).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(format!("closes the connection without an answer ({error})")),
            Err(_) => Err("accepts the connection, but does not answer".into()),
        }
    }
}

/// Random identifier of a request.
fn new_id() -> TransactionId {
    let mut id = TransactionId::default();
    let random = Uuid::new_v4();
    let length = id.len();
    id.copy_from_slice(&random.as_bytes()[..length]);
    id
}
