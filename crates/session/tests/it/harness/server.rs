//! The server: one room behind sockets, which can lose its memory.

use std::sync::Arc;

use clock::{Duration, Moment, WallTime};
use protocol::{
    code::SessionCode,
    peer::{Incarnation, MemberRole, PeerId, PeerNumber, Token},
    signaling::{ClientMessage, ErrorCode, Hello, ServerMessage, close},
};
use rooms::ClientKey;
use rooms::room::{
    self, HostClaims, Join, ResumeClaims, Room, RoomSettings, Signer, SocketId, Standing,
    Standings, Statement,
};
use session::{Input, RideInfo, SocketEvent, view::JoinError};

use super::{
    CODE, World, ms,
    world::{FromPage, Packet},
};

/// Wall clock of the server at the start, in Unix milliseconds.
pub const TODAY_MS: u64 = 1_800_000_000_000;

pub struct Server {
    /// Room of the ride; `None` while the server has no memory of it.
    pub room: Option<Room>,
    pub is_serving: bool,
    /// The server has no room for another ride, or refuses to say anything about this one.
    pub look_up_error: Option<JoinError>,
    /// The server speaks another version of the protocol.
    pub is_outdated: bool,
    /// Public address for invitations.
    pub invitation: Option<String>,
    /// Lead of the server's wall clock, which may be set while riders are connected.
    pub clock_lead: Duration,
    /// Number of relayed frames.
    pub relayed: u64,
    settings: RoomSettings,
    signer: Arc<FakeSigner>,
    sockets: u64,
    /// Sockets with lower numbers belonged to a server that was killed.
    first_socket: u64,
}

impl Server {
    pub(super) fn new(settings: RoomSettings) -> Self {
        let signer = Arc::new(FakeSigner("secret"));
        Self {
            room: Some(Room::new(settings.clone(), signer.clone(), Moment::ZERO)),
            is_serving: true,
            look_up_error: None,
            is_outdated: false,
            invitation: None,
            clock_lead: Duration::ZERO,
            relayed: 0,
            settings,
            signer,
            sockets: 0,
            first_socket: 1,
        }
    }

    /// Number of sockets that were opened.
    pub fn sockets_opened(&self) -> u64 {
        self.sockets
    }

    /// Number of members of the room.
    pub fn riders(&self) -> u32 {
        let room = self.room.as_ref();
        room.map_or(0, |room| room.summary().riders)
    }
}

/// Standings of a server that remembers nothing.
#[derive(Debug)]
struct NoStandings;

impl Standings for NoStandings {
    fn standing(&self, _: &PeerId) -> Standing {
        Standing::Member
    }
}

/// Signer whose tokens can be read:
/// `secret_kind_peer_number_incarnation_role_epoch_host_expires`.
#[derive(Debug)]
struct FakeSigner(&'static str);

impl Signer for FakeSigner {
    fn sign(&self, statement: &Statement) -> Token {
        let secret = self.0;
        let text = match statement {
            Statement::Ban(peer) => format!("{secret}_ban_{peer}"),
            Statement::Host(claims) => {
                let first_host = claims.first_host.as_ref().map_or("", PeerId::as_str);
                format!(
                    "{secret}_host_{}_{}_{first_host}",
                    claims.peer, claims.epoch
                )
            }
            Statement::Resume(claims) => format!(
                "{secret}_resume_{}_{}_{}_{}_{}_{}_{}",
                claims.peer,
                claims.number.0,
                claims.incarnation.0,
                claims.role as u8,
                claims.epoch,
                u8::from(claims.host),
                claims.expires.unix_seconds(),
            ),
        };
        text.parse().unwrap()
    }

    fn verify(&self, token: &Token) -> Option<Statement> {
        let mut parts = token.expose().split('_');
        if parts.next()? != self.0 {
            return None;
        }
        let kind = parts.next()?;
        let peer = parts.next()?.parse().ok()?;
        if kind == "ban" {
            return Some(Statement::Ban(peer));
        }
        if kind == "host" {
            return Some(Statement::Host(HostClaims {
                peer,
                epoch: parts.next()?.parse().ok()?,
                first_host: parts.next()?.parse().ok(),
            }));
        }
        let mut number = || parts.next()?.parse::<u64>().ok();
        Some(Statement::Resume(ResumeClaims {
            peer,
            number: PeerNumber(number()? as u32),
            incarnation: Incarnation(number()? as u32),
            role: MemberRole::from_byte(number()? as u8)?,
            epoch: number()? as u32,
            host: number()? == 1,
            expires: WallTime::from_unix_ms(number()? * 1_000),
        }))
    }
}

impl World {
    /// The server stops at once and loses its memory.
    pub fn kill_server(&mut self) {
        self.server.is_serving = false;
        self.server.room = None;
        self.server.first_socket = self.server.sockets + 1;
        for at in 0..self.tabs.len() {
            if let Some((_, socket)) = self.tabs[at].socket.take() {
                self.feed_later(at, ms(5), closed(socket, 1006));
            }
        }
    }

    /// The server announces that it stops, and stops.
    pub fn shut_down_server(&mut self, retry_after_ms: u32) {
        let goodbye = ServerMessage::Closing { retry_after_ms }.to_json();
        for at in 0..self.tabs.len() {
            if let Some((_, socket)) = self.tabs[at].socket {
                let event = SocketEvent::Text(goodbye.clone());
                self.feed(at, Input::Socket { socket, event });
            }
        }
        self.kill_server();
    }

    /// The server serves again, without memory.
    pub fn start_server(&mut self) {
        self.server.is_serving = true;
    }

    /// The server serves again, without memory and with another secret: it believes no token.
    pub fn start_server_with_another_secret(&mut self) {
        self.server.signer = Arc::new(FakeSigner("another"));
        self.start_server();
    }

    /// The socket of one page looks open, but nothing passes any more in either direction.
    pub fn mute_socket(&mut self, at: usize) {
        self.tabs[at].is_mute = true;
    }

    pub(super) fn look_up(&self, at: usize, code: &SessionCode) -> Result<RideInfo, JoinError> {
        if !self.server.is_serving || !self.tabs[at].is_online {
            return Err(JoinError::Unreachable);
        }
        if let Some(error) = self.server.look_up_error {
            return Err(error);
        }
        let room = self.server.room.as_ref();
        let room = room.filter(|room| !room.is_dead(self.now) && code.to_string() == CODE);
        let summary = room.ok_or(JoinError::NoSuchRide)?.summary();
        Ok(RideInfo {
            full: summary.full,
            locked: summary.locked,
            invitation: self.server.invitation.clone(),
        })
    }

    pub(super) fn server_receives(&mut self, socket: SocketId, said: FromPage) {
        if socket.0 < self.server.first_socket {
            return;
        }
        match said {
            FromPage::Closed => self.feed_room(room::Input::Closed { socket }),
            FromPage::Binary(bytes) => self.feed_room(room::Input::Relay { socket, bytes }),
            FromPage::Text(text) => {
                let largest = self.server.settings.max_message_bytes as usize;
                assert!(text.len() <= largest, "a message too large for the server");
                match ClientMessage::parse(&text).unwrap() {
                    ClientMessage::Hello(hello) => self.greet(socket, hello),
                    message => self.feed_room(room::Input::Message { socket, message }),
                }
            }
        }
    }

    fn greet(&mut self, socket: SocketId, hello: Hello) {
        if self.server.is_outdated {
            return self.refuse(socket, ErrorCode::UnsupportedVersion);
        }
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        let signer = self.server.signer.clone();
        let is_valid = token.is_some_and(|token| signer.verify(token).is_some());
        let room = self.server.room.as_ref();
        // A ride that is over stays over, with any token.
        let is_over = room.map(|room| room.is_dead(self.now));
        if is_over.is_none() && is_valid {
            let settings = self.server.settings.clone();
            let standings = Arc::new(NoStandings);
            let time = self.server_time();
            self.server.room = Some(Room::restored(settings, signer, standings, self.now, time));
        } else if is_over.unwrap_or(true) {
            return self.refuse(socket, ErrorCode::NoSuchRide);
        }
        self.feed_room(room::Input::Join(Join {
            socket,
            client: ClientKey(socket.0),
            hello,
            fresh_peer: format!("peer-{}", socket.0).parse().unwrap(),
            server_time: self.server_time(),
        }));
    }

    fn refuse(&mut self, socket: SocketId, code: ErrorCode) {
        let text = SocketEvent::Text(ServerMessage::error(code).to_json());
        self.post(socket, false, Packet::ToPage(socket, text));
        self.close_socket(socket, close::REFUSED);
    }

    fn server_time(&self) -> WallTime {
        let since_start = self.now.since_origin() + self.server.clock_lead;
        WallTime::from_unix_ms(TODAY_MS).after(since_start)
    }

    pub(super) fn feed_room(&mut self, input: room::Input) {
        let Some(room) = &mut self.server.room else {
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
                    self.server.relayed += 1;
                    for socket in sockets {
                        let event = SocketEvent::Binary(bytes.to_vec());
                        self.send_unreliably(self.relay, Packet::ToPage(socket, event));
                    }
                }
                room::Output::Record(_) => {}
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
        if !self.tabs[at].is_online || !self.server.is_serving {
            return self.feed_later(at, ms(10), closed(number, 1006));
        }
        self.server.sockets += 1;
        let socket = SocketId(self.server.sockets);
        self.owners.insert(socket, at);
        self.tabs[at].socket = Some((socket, number));
        self.tabs[at].is_mute = false;
        self.post(socket, false, Packet::ToPage(socket, SocketEvent::Opened));
    }

    /// The page sends on its socket, or closes it.
    pub(super) fn say(&mut self, at: usize, said: FromPage) {
        let Some((socket, _)) = self.tabs[at].socket else {
            return;
        };
        let is_mute = self.tabs[at].is_mute;
        if matches!(said, FromPage::Closed) {
            self.tabs[at].socket = None;
        }
        if is_mute {
            return;
        }
        match said {
            FromPage::Binary(_) => {
                self.send_unreliably(self.relay, Packet::ToServer(socket, said));
            }
            FromPage::Closed | FromPage::Text(_) => {
                self.post(socket, true, Packet::ToServer(socket, said));
            }
        }
    }
}

pub(super) fn closed(socket: u32, code: u16) -> Input {
    let reason = String::new();
    let event = SocketEvent::Closed { code, reason };
    Input::Socket { socket, event }
}
