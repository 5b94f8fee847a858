use std::sync::Arc;

use clock::{Moment, WallTime};
use mesh::node::Input;
use protocol::{
    peer::LinkState,
    signaling::{ClientMessage, ErrorCode, Hello, Report, ServerMessage, close},
};
use rooms::ClientKey;
use rooms::room::{self, Join, Room, RoomSettings, Signer, SocketId};

use super::{
    FromRider, Network, Packet, Rider,
    fake_signer::{FakeSigner, NoStandings},
    faults::socket_closed,
    ms,
};

const SIGNER: FakeSigner = FakeSigner("ours");
/// The server's wall clock at the start, in Unix milliseconds.
pub const SERVER_TIME: u64 = 1_800_000_000_000;

/// Room that begins with the network's time.
pub(super) fn new_room(settings: &RoomSettings) -> Room {
    Room::new(settings.clone(), Arc::new(SIGNER), Moment::ZERO)
}

/// The server with its room and the riders' sockets.
impl Network {
    /// Kills the server, which loses its memory.
    pub fn kill_server(&mut self) {
        self.is_serving = false;
        self.room = None;
        self.first_socket = self.last_socket + 1;
        for rider in 0..self.riders.len() {
            if self.riders[rider].socket.take().is_some() {
                self.schedule_local(ms(5), rider, socket_closed());
            }
        }
    }

    /// Announces to the riders that the server closes, and kills it.
    pub fn shut_down_server(&mut self, retry_after_ms: u32) {
        let closing = ServerMessage::Closing { retry_after_ms }.to_json();
        for rider in 0..self.riders.len() {
            if self.riders[rider].socket.is_some() {
                self.feed(rider, Input::SocketText(closing.clone()));
            }
        }
        self.kill_server();
    }

    /// Starts the server again, without its memory.
    pub fn start_server(&mut self) {
        self.is_serving = true;
    }

    /// Number of link ends in a state according to the riders' newest reports.
    pub fn reported_links(&self, state: LinkState) -> usize {
        let count = |rider: &Rider| {
            let is_own = |(from, _): &&(SocketId, Report)| Some(*from) == rider.socket;
            let newest = self.reports.iter().rev().find(is_own);
            newest.map_or(0, |(_, report)| {
                let links = report.links.iter();
                links.filter(|link| link.state == state).count()
            })
        };
        self.riders.iter().map(count).sum()
    }

    pub(super) fn receive_from_rider(&mut self, socket: SocketId, message: FromRider) {
        if socket.0 < self.first_socket {
            return;
        }
        let text = match message {
            FromRider::Closed => return self.feed_room(room::Input::Closed { socket }),
            FromRider::Binary(bytes) => {
                return self.feed_room(room::Input::Relay { socket, bytes });
            }
            FromRider::Text(text) => text,
        };
        let limit = self.settings.max_message_bytes as usize;
        assert!(text.len() <= limit, "a message over the limit: {text}");
        match ClientMessage::parse(&text).expect("nodes send valid messages") {
            ClientMessage::Hello(hello) => self.receive_hello(socket, hello),
            message => {
                if let ClientMessage::Report(report) = &message {
                    self.reports.push((socket, report.clone()));
                }
                self.feed_room(room::Input::Message { socket, message });
            }
        }
    }

    fn receive_hello(&mut self, socket: SocketId, hello: Hello) {
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        if let Some(snapshot) = &hello.snapshot {
            self.elections.extend(snapshot.elections.clone());
        }
        let has_valid_token = token.is_some_and(|token| SIGNER.verify(token).is_some());
        // A ride that has ended is not restored, whatever the token.
        let has_ended = self.room.as_ref().map(|room| room.is_dead(self.now));
        if has_ended.is_none() && has_valid_token {
            let settings = self.settings.clone();
            let (signer, standings) = (Arc::new(SIGNER), Arc::new(NoStandings));
            let time = self.server_time();
            self.room = Some(Room::restored(settings, signer, standings, self.now, time));
        } else if has_ended.unwrap_or(true) {
            let message = ServerMessage::error(ErrorCode::NoSuchRide);
            self.carry_out_room(room::Output::Send { socket, message });
            return self.carry_out_room(room::Output::Close {
                socket,
                code: close::REFUSED,
                reason: "no such ride",
            });
        }
        self.feed_room(room::Input::Join(Join {
            socket,
            client: ClientKey(socket.0),
            hello,
            fresh_peer: format!("peer-{}", socket.0).parse().unwrap(),
            server_time: self.server_time(),
        }));
    }

    fn server_time(&self) -> WallTime {
        WallTime::from_unix_ms(SERVER_TIME).after(self.now.since_origin())
    }

    pub(super) fn feed_room(&mut self, input: room::Input) {
        let Some(room) = &mut self.room else {
            return;
        };
        room.handle(self.now, input);
        let outputs: Vec<_> = std::iter::from_fn(|| room.poll_output()).collect();
        for output in outputs {
            self.carry_out_room(output);
        }
    }

    fn carry_out_room(&mut self, output: room::Output) {
        match output {
            room::Output::Send { socket, message } => {
                self.signals += u64::from(matches!(message, ServerMessage::Signal { .. }));
                let text = Input::SocketText(message.to_json());
                self.send_reliably(socket, false, Packet::ToRider(socket, text));
            }
            room::Output::Relay { sockets, bytes, .. } => {
                self.relayed += 1;
                for socket in sockets {
                    let frame = Input::SocketBinary(bytes.to_vec());
                    self.send_lossy(self.relay, Packet::ToRider(socket, frame));
                }
            }
            room::Output::Record(_) => {}
            room::Output::Close { socket, code, .. } => {
                let closed = Input::SocketClosed {
                    code,
                    reason: String::new(),
                };
                self.send_reliably(socket, false, Packet::ToRider(socket, closed));
            }
        }
    }

    pub(super) fn open_socket(&mut self, rider: usize) {
        if !self.riders[rider].is_online || !self.is_serving {
            return self.schedule_local(ms(10), rider, socket_closed());
        }
        self.last_socket += 1;
        let socket = SocketId(self.last_socket);
        self.socket_owners.insert(socket, rider);
        self.riders[rider].socket = Some(socket);
        self.riders[rider].is_socket_dead = false;
        let opened = Packet::ToRider(socket, Input::SocketOpened);
        self.send_reliably(socket, false, opened);
    }

    pub(super) fn send_to_server(&mut self, rider: usize, message: FromRider) {
        let rider = &self.riders[rider];
        let Some(socket) = rider.socket.filter(|_| !rider.is_socket_dead) else {
            return;
        };
        match message {
            FromRider::Binary(_) => {
                self.send_lossy(self.relay, Packet::ToRoom(socket, message));
            }
            FromRider::Text(_) | FromRider::Closed => {
                self.send_reliably(socket, true, Packet::ToRoom(socket, message));
            }
        }
    }
}
