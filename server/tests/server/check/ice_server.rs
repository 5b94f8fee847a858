//! STUN and TURN server for tests, over UDP and TCP at the same port. It has an implementation of
//! the messages of its own (RFC 8489, RFC 8656), so that an error in the checked one is found.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha1::Sha1;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

const REALM: &str = "turn.example";
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// Behavior of a TURN server.
#[derive(Clone, Copy)]
pub struct Turn {
    /// Secret of temporary credentials.
    pub secret: &'static str,
    /// Fixed username and password instead.
    pub user: Option<(&'static str, &'static str)>,
    /// Number of requests that are refused because of their nonce.
    pub stale_nonces: i32,
    /// Relays without credentials.
    pub is_open: bool,
}

impl Default for Turn {
    fn default() -> Self {
        Self {
            secret: "north",
            user: None,
            stale_nonces: 0,
            is_open: false,
        }
    }
}

/// A running server.
pub struct IceServer {
    pub address: SocketAddr,
    state: Arc<State>,
}

struct State {
    turn: Option<Turn>,
    stale_nonces: AtomicI32,
    allocations: AtomicI32,
}

impl IceServer {
    pub async fn stun() -> Self {
        Self::start(None).await
    }

    pub async fn turn(turn: Turn) -> Self {
        Self::start(Some(turn)).await
    }

    /// Number of allocations that were not released.
    pub fn allocations(&self) -> i32 {
        self.state.allocations.load(Ordering::SeqCst)
    }

    async fn start(turn: Option<Turn>) -> Self {
        let state = Arc::new(State {
            turn,
            stale_nonces: AtomicI32::new(turn.map_or(0, |turn| turn.stale_nonces)),
            allocations: AtomicI32::new(0),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let socket = UdpSocket::bind(address).await.expect("the same port");
        tokio::spawn(serve_udp(socket, state.clone()));
        tokio::spawn(serve_tcp(listener, state.clone()));
        Self { address, state }
    }
}

async fn serve_udp(socket: UdpSocket, state: Arc<State>) {
    let mut buffer = [0; 1_500];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        // A stray packet comes first, which clients must ignore.
        let _ = socket.send_to(b"stray", from).await;
        let answer = state.answer(&buffer[..length], from);
        let _ = socket.send_to(&answer, from).await;
    }
}

async fn serve_tcp(listener: TcpListener, state: Arc<State>) {
    while let Ok((stream, from)) = listener.accept().await {
        tokio::spawn(serve_stream(stream, from, state.clone()));
    }
}

async fn serve_stream(mut stream: TcpStream, from: SocketAddr, state: Arc<State>) {
    let mut header = [0; 20];
    while stream.read_exact(&mut header).await.is_ok() {
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        let mut message = header.to_vec();
        message.resize(20 + length, 0);
        if stream.read_exact(&mut message[20..]).await.is_err() {
            return;
        }
        let _ = stream.write_all(&state.answer(&message, from)).await;
    }
}

impl State {
    fn answer(&self, request: &[u8], from: SocketAddr) -> Vec<u8> {
        assert_eq!(request[4..8], COOKIE);
        let kind = u16::from_be_bytes([request[0], request[1]]);
        match (kind, self.turn) {
            (0x0001, _) => response(request, 0x0100, &[(0x0020, mixed(from))]),
            (0x0003 | 0x0004, Some(turn)) => self.relay(request, turn),
            _ => refusal(request, 400, "Bad Request"),
        }
    }

    fn relay(&self, request: &[u8], turn: Turn) -> Vec<u8> {
        let find = |kind| {
            attributes(request)
                .into_iter()
                .find(|(own, ..)| *own == kind)
        };
        let Some((_, at, integrity)) = find(0x0008) else {
            if turn.is_open {
                return self.granted(request);
            }
            return refusal(request, 401, "Unauthorized");
        };
        if self.stale_nonces.fetch_sub(1, Ordering::SeqCst) > 0 {
            return refusal(request, 438, "Stale Nonce");
        }
        let (_, _, username) = find(0x0006).expect("a username");
        let username = String::from_utf8(username).expect("text");
        let password = match turn.user {
            Some((name, password)) if name == username => password.to_owned(),
            Some(_) => return refusal(request, 401, "Unauthorized"),
            None => {
                let mut mac = Hmac::<Sha1>::new_from_slice(turn.secret.as_bytes()).expect("a key");
                mac.update(username.as_bytes());
                STANDARD.encode(mac.finalize().into_bytes())
            }
        };
        let key = Md5::digest(format!("{username}:{REALM}:{password}"));
        let mut covered = request[..at].to_vec();
        let length = (at - 20 + 24) as u16;
        covered[2..4].copy_from_slice(&length.to_be_bytes());
        let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("a key");
        mac.update(&covered);
        match mac.verify_slice(&integrity) {
            Ok(()) => self.granted(request),
            Err(_) => refusal(request, 401, "Unauthorized"),
        }
    }

    fn granted(&self, request: &[u8]) -> Vec<u8> {
        if request[1] == 0x04 {
            self.allocations.fetch_sub(1, Ordering::SeqCst);
            return response(request, 0x0100, &[]);
        }
        self.allocations.fetch_add(1, Ordering::SeqCst);
        let relayed = "192.0.2.7:49152".parse().expect("an address");
        response(request, 0x0100, &[(0x0016, mixed(relayed))])
    }
}

/// Kind, place and value of each attribute.
fn attributes(message: &[u8]) -> Vec<(u16, usize, Vec<u8>)> {
    let mut found = Vec::new();
    let mut at = 20;
    while at + 4 <= message.len() {
        let kind = u16::from_be_bytes([message[at], message[at + 1]]);
        let length = usize::from(u16::from_be_bytes([message[at + 2], message[at + 3]]));
        found.push((kind, at, message[at + 4..at + 4 + length].to_vec()));
        at += 4 + length.div_ceil(4) * 4;
    }
    found
}

fn refusal(request: &[u8], code: u16, reason: &str) -> Vec<u8> {
    let mut error = vec![0, 0, (code / 100) as u8, (code % 100) as u8];
    error.extend(reason.as_bytes());
    let attributes = [
        (0x0009, error),
        (0x0014, REALM.as_bytes().to_vec()),
        (0x0015, b"a nonce".to_vec()),
    ];
    response(request, 0x0110, &attributes)
}

fn response(request: &[u8], class: u16, attributes: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let kind = u16::from_be_bytes([request[0], request[1]]) | class;
    let mut body = Vec::new();
    for (kind, value) in attributes {
        body.extend(kind.to_be_bytes());
        body.extend((value.len() as u16).to_be_bytes());
        body.extend(value);
        body.resize(body.len().div_ceil(4) * 4, 0);
    }
    let mut message = kind.to_be_bytes().to_vec();
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(&request[4..20]);
    message.extend(body);
    message
}

/// IPv4 address, combined with the cookie.
fn mixed(address: SocketAddr) -> Vec<u8> {
    let IpAddr::V4(ip) = address.ip() else {
        panic!("an IPv4 address");
    };
    let port = address.port() ^ 0x2112;
    let ip = ip
        .octets()
        .into_iter()
        .zip(COOKIE)
        .map(|(byte, mask)| byte ^ mask);
    [0, 1]
        .into_iter()
        .chain(port.to_be_bytes())
        .chain(ip)
        .collect()
}
