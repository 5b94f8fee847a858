//! Connections of riders and attackers, each from a loopback address of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use protocol::code::SessionCode;
use protocol::peer::{MemberRole, PeerId, PublicKeys};
use protocol::signaling::{ClientMessage, Hello, Resume, RoomSnapshot, ServerMessage, VERSION};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::error::BenchError;

/// A WebSocket of the app's dialect.
pub type Socket = WebSocketStream<TcpStream>;

/// Time after which a request counts as unanswered.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of an answer that are kept.
const MAX_ANSWER: usize = 64 * 1024;

/// Connects from a source address. A small receive buffer makes a client that does not read hold
/// up the server sooner.
///
/// # Errors
/// The connection is refused.
pub async fn open_tcp(
    server: SocketAddr,
    source: Ipv4Addr,
    receive_buffer: Option<u32>,
) -> Result<TcpStream, BenchError> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((source, 0).into())?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    let stream = timeout(TIMEOUT, socket.connect(server))
        .await
        .map_err(|_| BenchError::Closed)??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Opens a WebSocket.
///
/// # Errors
/// The connection or the upgrade is refused.
pub async fn connect(
    server: SocketAddr,
    source: Ipv4Addr,
    path: &str,
) -> Result<Socket, BenchError> {
    upgrade(open_tcp(server, source, None).await?, server, path).await
}

/// Upgrades a connection to a WebSocket.
///
/// # Errors
/// The upgrade is refused.
pub async fn upgrade(
    stream: TcpStream,
    server: SocketAddr,
    path: &str,
) -> Result<Socket, BenchError> {
    let address = format!("ws://{server}{path}");
    let upgraded = timeout(TIMEOUT, tokio_tungstenite::client_async(address, stream)).await;
    match upgraded {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(BenchError::Refused(error.to_string())),
        Err(_) => Err(BenchError::Closed),
    }
}

/// Answer to an HTTP request.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Head and body, as far as they are kept.
    pub text: String,
    /// Time from connecting to the first byte.
    pub delay: Duration,
}

/// Sends an HTTP request on a connection of its own.
///
/// # Errors
/// There is no answer in time.
pub async fn request(
    server: SocketAddr,
    source: Ipv4Addr,
    method: &str,
    path: &str,
    headers: &str,
) -> Result<Answer, BenchError> {
    let begun = Instant::now();
    let mut stream = open_tcp(server, source, None).await?;
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nContent-Length: 0\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut bytes = vec![0; MAX_ANSWER];
    let mut length = timeout(TIMEOUT, stream.read(&mut bytes))
        .await
        .map_err(|_| BenchError::Closed)??;
    let delay = begun.elapsed();
    while length < bytes.len() {
        match timeout(TIMEOUT, stream.read(&mut bytes[length..])).await {
            Ok(Ok(count)) if count > 0 => length += count,
            _ => break,
        }
    }
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    Ok(Answer {
        status: status.ok_or(BenchError::Closed)?,
        text,
        delay,
    })
}

/// Starts a ride.
///
/// # Errors
/// [`BenchError::Refused`] with the server's answer.
pub async fn start_ride(
    server: SocketAddr,
    source: Ipv4Addr,
    headers: &str,
) -> Result<SessionCode, BenchError> {
    let answer = request(server, source, "POST", "/api/rides", headers).await?;
    let code = answer
        .text
        .split_once(r#""code":""#)
        .and_then(|(_, rest)| rest.split('"').next())
        .and_then(|code| code.parse().ok());
    code.filter(|_| answer.status == 201)
        .ok_or_else(|| BenchError::Refused(answer.status.to_string()))
}

/// A member that an attacker's program plays.
pub struct Member {
    /// Its socket.
    pub socket: Socket,
    /// Id, token and load, to come back with.
    pub resume: Resume,
    /// Name of the TURN credentials that the member got.
    pub turn_user: Option<String>,
}

/// Joins a ride as a new member, or as a former one.
///
/// # Errors
/// [`BenchError::Refused`] with the server's message.
pub async fn join(
    mut socket: Socket,
    resume: Option<Resume>,
    snapshot: Option<RoomSnapshot>,
) -> Result<Member, BenchError> {
    let hello = ClientMessage::Hello(Hello {
        version: VERSION,
        keys: PublicKeys {
            sign: [7; 32],
            agree: [9; 32],
        },
        role: MemberRole::Rider,
        resume,
        snapshot: snapshot.map(Box::new),
    });
    let lost = |_| BenchError::Closed;
    socket
        .send(Message::text(hello.to_json()))
        .await
        .map_err(lost)?;
    loop {
        let next = timeout(TIMEOUT, socket.next()).await;
        let Ok(Some(Ok(message))) = next else {
            return Err(BenchError::Closed);
        };
        let Message::Text(text) = message else {
            continue;
        };
        match ServerMessage::parse(&text) {
            Ok(ServerMessage::Welcome(welcome)) => {
                let servers = welcome.ice_servers.iter();
                return Ok(Member {
                    socket,
                    turn_user: servers.filter_map(|it| it.username.clone()).next(),
                    resume: Resume {
                        peer: welcome.peer.clone(),
                        token: welcome.token.clone(),
                        incarnation: None,
                    },
                });
            }
            Ok(ServerMessage::Error { code, .. }) => {
                return Err(BenchError::Refused(format!("{code:?}")));
            }
            _ => {}
        }
    }
}

/// An id that no member has.
pub fn stranger(number: u32) -> PeerId {
    format!("stranger-{number}").parse().expect("a peer id")
}
