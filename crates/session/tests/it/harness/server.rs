//! The server: one room behind sockets, which can lose its memory.

use std::sync::Arc;

use clock::{Moment, WallTime};
use protocol::{
    peer::Token,
    signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close},
};
use rooms::room::{self, Join, ResumeClaims, Room, RoomSettings, Signer, SocketId, Statement};
use session::{Input, RideInfo, SocketEvent, view::JoinError};

use super::{
    World, ms,
    network::{FromPage, Packet},
};

/// Wall clock of the server at the start, in Unix milliseconds.
pub const TODAY_MS: u64 = 1_800_000_000_000;

/// Signer whose tokens can be read: `kind_peer_number_incarnation_epoch_host_expires`.
#[derive(Debug)]
struct FakeSigner;

impl Signer for FakeSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let text = match statement {
            Statement::Ban(peer) => format!("ban_{peer}"),
            Statement::Resume(claims) => format!(
                "rider_{}_{}_{}_{}_{}_{}",
                claims.peer,
                claims.number.0,
                claims.incarnation.0,
                claims.epoch,
                u8::from(claims.host),
                claims.expires.unix_seconds(),
            ),
        };
        text.parse().unwrap()
    }

    fn verify(&self, token: &Token) -> Option<Statement> {
        let mut parts = token.expose().split('_');
        let kind = parts.next()?;
        let peer = parts.next()?.parse().ok()?;
        if kind == "ban" {
            return Some(Statement::Ban(peer));
        }
        let mut number = || parts.next()?.parse::<u64>().ok();
        Some(Statement::Resume(ResumeClaims {
            peer,
            number: protocol::peer::PeerNumber(number()? as u32),
            incarnation: protocol::peer::Incarnation(number()? as u32),
            epoch: number()? as u32,
            host: number()? == 1,
            expires: WallTime::from_unix_ms(number()? * 1_000),
        }))
    }
}

pub(super) fn new_room(settings: &RoomSettings) -> Room {
    Room::new(settings.clone(), Arc::new(FakeSigner), Moment::ZERO)
}

impl World {
    /// The server stops at once and loses its memory.
    pub fn kill_server(&mut self) {
        self.serving = false;
        self.room = None;
        self.first_socket = self.sockets + 1;
        for at in 0..self.browsers.len() {
            if let Some((_, socket)) = self.browsers[at].socket.take() {
                self.feed_later(at, ms(5), closed(socket, 1006));
            }
        }
    }

    /// The server announces that it stops, and stops.
    pub fn shut_down_server(&mut self, retry_after_ms: u32) {
        let goodbye = ServerMessage::Closing { retry_after_ms }.to_json();
        for at in 0..self.browsers.len() {
            if let Some((_, socket)) = self.browsers[at].socket {
                let event = SocketEvent::Text(goodbye.clone());
                self.feed(at, Input::Socket { socket, event });
            }
        }
        self.kill_server();
    }

    /// The server serves again, without memory.
    pub fn start_server(&mut self) {
        self.serving = true;
    }

    pub(super) fn look_up(&self) -> Result<RideInfo, JoinError> {
        if !self.serving {
            return Err(JoinError::Unreachable);
        }
        let room = self.room.as_ref().filter(|room| !room.is_dead(self.now));
        let room = room.ok_or(JoinError::NoSuchRide)?;
        let summary = room.summary();
        Ok(RideInfo {
            full: summary.full,
            locked: summary.locked,
            invitation: None,
        })
    }

    pub(super) fn server_receives(&mut self, socket: SocketId, said: FromPage) {
        if socket.0 < self.first_socket {
            return;
        }
        match said {
            FromPage::Closed => self.feed_room(room::Input::Closed { socket }),
            FromPage::Binary(bytes) => self.feed_room(room::Input::Relay { socket, bytes }),
            FromPage::Text(text) => match ClientMessage::parse(&text).unwrap() {
                ClientMessage::Hello(hello) => self.greet(socket, hello),
                message => self.feed_room(room::Input::Message { socket, message }),
            },
        }
    }

    fn greet(&mut self, socket: SocketId, hello: Hello) {
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        let is_valid = token.is_some_and(|token| FakeSigner.verify(token).is_some());
        let is_over = self.room.as_ref().map(|room| room.is_dead(self.now));
        if is_over.is_none() && is_valid {
            let signer = Arc::new(FakeSigner);
            self.room = Some(Room::restored(self.settings.clone(), signer, self.now));
        } else if is_over.unwrap_or(true) {
            let refusal = ServerMessage::error(ErrorCode::NoSuchRide);
            let text = SocketEvent::Text(refusal.to_json());
            self.post(socket, false, Packet::ToPage(socket, text));
            return self.close_socket(socket, close::REFUSED);
        }
        self.feed_room(room::Input::Join(Join {
            socket,
            hello,
            fresh_peer: format!("peer-{}", socket.0).parse().unwrap(),
            server_time: self.server_time(),
        }));
    }

    fn server_time(&self) -> WallTime {
        WallTime::from_unix_ms(TODAY_MS).after(self.now.since_origin())
    }

    pub(super) fn feed_room(&mut self, input: room::Input) {
        let Some(room) = &mut self.room else {
            return;
        };
        room.handle(self.now, input);
        let outputs: Vec<_> = std::iter::from_fn(|| room.poll_output()).collect();
        for output in outputs {
            match output {
                room::Output::Send { socket, message } => {
                    let event = SocketEvent::Text(message.to_json());
                    self.post(socket, false, Packet::ToPage(socket, event));
                }
                room::Output::Relay { sockets, bytes, .. } => {
                    for socket in sockets {
                        let event = SocketEvent::Binary(bytes.to_vec());
                        self.send_unreliably(self.relay, Packet::ToPage(socket, event));
                    }
                }
                room::Output::Close { socket, code, .. } => self.close_socket(socket, code),
            }
        }
    }

    fn close_socket(&mut self, socket: SocketId, code: u16) {
        let reason = String::new();
        let event = SocketEvent::Closed { code, reason };
        self.post(socket, false, Packet::ToPage(socket, event));
    }

    pub(super) fn open_socket(&mut self, at: usize, number: u32) {
        if !self.browsers[at].online || !self.serving {
            return self.feed_later(at, ms(10), closed(number, 1006));
        }
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        self.owners.insert(socket, at);
        self.browsers[at].socket = Some((socket, number));
        self.post(socket, false, Packet::ToPage(socket, SocketEvent::Opened));
    }

    /// The page sends on its socket, or closes it.
    pub(super) fn say(&mut self, at: usize, said: FromPage) {
        let Some((socket, _)) = self.browsers[at].socket else {
            return;
        };
        match said {
            FromPage::Binary(_) => {
                self.send_unreliably(self.relay, Packet::ToServer(socket, said));
            }
            FromPage::Closed => {
                self.browsers[at].socket = None;
                self.post(socket, true, Packet::ToServer(socket, said));
            }
            FromPage::Text(_) => self.post(socket, true, Packet::ToServer(socket, said)),
        }
    }

    /// The network of one browser fails: its socket breaks, and it cannot open another.
    pub fn go_offline(&mut self, at: usize) {
        self.browsers[at].online = false;
        self.drop_socket(at);
    }

    /// The network of one browser works again, and the browser says so.
    pub fn go_online(&mut self, at: usize) {
        self.browsers[at].online = true;
        self.feed(at, Input::Wake);
    }

    /// The socket of one browser breaks; both ends notice.
    pub fn drop_socket(&mut self, at: usize) {
        if let Some((socket, number)) = self.browsers[at].socket.take() {
            self.post(socket, true, Packet::ToServer(socket, FromPage::Closed));
            self.feed(at, closed(number, 1006));
        }
    }
}

fn closed(socket: u32, code: u16) -> Input {
    let reason = String::new();
    let event = SocketEvent::Closed { code, reason };
    Input::Socket { socket, event }
}
