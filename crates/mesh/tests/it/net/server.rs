//! The sockets and the server behind them, which can lose its memory.

use std::sync::Arc;

use clock::{Moment, WallTime};

use mesh::node::Input;
use protocol::{
    peer::LinkState,
    signaling::{ClientMessage, ErrorCode, Hello, Report, ServerMessage, close},
};
use rooms::room::{self, Join, Room, RoomSettings, Signer, SocketId};

use super::{FromRider, Net, Packet, Rider, fake_signer::FakeSigner, ms};

/// The word that makes this server's tokens good.
const WORD: FakeSigner = FakeSigner("ours");
/// The server's wall clock when all begins, in Unix milliseconds.
pub const TODAY: u64 = 1_800_000_000_000;

/// A room that begins with the network's time.
pub(super) fn open(settings: &RoomSettings) -> Room {
    Room::new(settings.clone(), Arc::new(WORD), Moment::ZERO)
}

impl Net {
    /// The server is gone at once, and its memory with it.
    pub fn kill_server(&mut self) {
        self.serving = false;
        self.room = None;
        self.first_socket = self.sockets + 1;
        for rider in 0..self.riders.len() {
            if self.riders[rider].socket.take().is_some() {
                let page = self.riders[rider].page;
                let closed = Input::SocketClosed {
                    code: 1006,
                    reason: String::new(),
                };
                self.at(ms(5), Packet::Local(rider, page, closed));
            }
        }
    }

    /// The server says that it goes, and goes.
    pub fn shut_down_server(&mut self, retry_after_ms: u32) {
        let goodbye = ServerMessage::Closing { retry_after_ms }.to_json();
        for rider in 0..self.riders.len() {
            if self.riders[rider].socket.is_some() {
                self.feed(rider, Input::SocketText(goodbye.clone()));
            }
        }
        self.kill_server();
    }

    /// It is there again and knows nothing.
    pub fn start_server(&mut self) {
        self.serving = true;
    }

    /// How many ends of links are in a state, as the riders last reported.
    pub fn links(&self, state: LinkState) -> usize {
        let newest = |rider: &Rider| {
            let reports = self.reports.iter().rev();
            let own = |(from, _): &&(SocketId, Report)| Some(*from) == rider.socket;
            let report = reports.clone().find(own);
            report.map_or(0, |(_, report)| {
                let links = report.links.iter();
                links.filter(|link| link.state == state).count()
            })
        };
        self.riders.iter().map(newest).sum()
    }

    pub(super) fn room_hears(&mut self, socket: SocketId, said: FromRider) {
        if socket.0 < self.first_socket {
            return;
        }
        match said {
            FromRider::Closed => self.feed_room(room::Input::Closed { socket }),
            FromRider::Binary(bytes) => self.feed_room(room::Input::Relay { socket, bytes }),
            FromRider::Text(text) if text.len() > self.settings.max_message_bytes as usize => {
                panic!("a message longer than the server takes: {text}");
            }
            FromRider::Text(text) => match ClientMessage::parse(&text).expect("nodes speak well") {
                ClientMessage::Hello(hello) => self.greeted(socket, hello),
                ClientMessage::Report(report) => {
                    self.reports.push((socket, report.clone()));
                    let message = ClientMessage::Report(report);
                    self.feed_room(room::Input::Message { socket, message });
                }
                message => self.feed_room(room::Input::Message { socket, message }),
            },
        }
    }

    fn greeted(&mut self, socket: SocketId, hello: Hello) {
        let token = hello.resume.as_ref().map(|resume| &resume.token);
        let restore = hello.snapshot.as_deref();
        let told = restore.map(|restore| restore.elections.clone());
        self.elections.extend(told.unwrap_or_default());
        let good = token.is_some_and(|token| WORD.verify(token).is_some());
        // A ride that is over is over, whatever token comes.
        let over = self.room.as_ref().map(|room| room.is_dead(self.now));
        if over.is_none() && good {
            let settings = self.settings.clone();
            self.room = Some(Room::restored(settings, Arc::new(WORD), self.now));
        } else if over.unwrap_or(true) {
            let refusal = ServerMessage::error(ErrorCode::NoSuchRide);
            self.carry_out(room::Output::Send {
                socket,
                message: refusal,
            });
            return self.carry_out(room::Output::Close {
                socket,
                code: close::REFUSED,
                reason: "no such ride",
            });
        }
        self.feed_room(room::Input::Join(Join {
            socket,
            hello,
            fresh_peer: format!("peer-{}", socket.0).parse().unwrap(),
            server_time: WallTime::from_unix_ms(TODAY).after(self.now.since_origin()),
        }));
    }

    pub(super) fn feed_room(&mut self, input: room::Input) {
        let Some(room) = &mut self.room else {
            return;
        };
        room.handle(self.now, input);
        let outputs: Vec<_> = std::iter::from_fn(|| room.poll_output()).collect();
        for output in outputs {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: room::Output) {
        match output {
            room::Output::Send { socket, message } => {
                self.signals += u64::from(matches!(message, ServerMessage::Signal { .. }));
                let text = Input::SocketText(message.to_json());
                self.post(socket, false, Packet::ToRider(socket, text));
            }
            room::Output::Relay { sockets, bytes, .. } => {
                self.relayed += 1;
                for socket in sockets {
                    let frame = Input::SocketBinary(bytes.to_vec());
                    self.throw(self.relay, Packet::ToRider(socket, frame));
                }
            }
            room::Output::Close { socket, code, .. } => {
                let closed = Input::SocketClosed {
                    code,
                    reason: String::new(),
                };
                self.post(socket, false, Packet::ToRider(socket, closed));
            }
        }
    }

    pub(super) fn open_socket(&mut self, rider: usize) {
        let page = self.riders[rider].page;
        if !self.riders[rider].online || !self.serving {
            let closed = Input::SocketClosed {
                code: 1006,
                reason: String::new(),
            };
            return self.at(ms(10), Packet::Local(rider, page, closed));
        }
        self.sockets += 1;
        let socket = SocketId(self.sockets);
        self.owners.insert(socket, rider);
        self.riders[rider].socket = Some(socket);
        self.riders[rider].mute = false;
        self.post(socket, false, Packet::ToRider(socket, Input::SocketOpened));
    }

    pub(super) fn say(&mut self, rider: usize, said: FromRider) {
        let Some(socket) = self.riders[rider]
            .socket
            .filter(|_| !self.riders[rider].mute)
        else {
            return;
        };
        match said {
            FromRider::Binary(_) => self.throw(self.relay, Packet::ToRoom(socket, said)),
            _ => self.post(socket, true, Packet::ToRoom(socket, said)),
        }
    }
}
