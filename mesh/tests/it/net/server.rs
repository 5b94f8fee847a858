//! The sockets and the room behind them.

use mesh::{
    node::Input,
    peer::Token,
    room::{self, SocketId},
    signaling::{ClientMessage, ServerMessage},
};

use super::{FromRider, Net, Packet, ms};

impl Net {
    pub(super) fn room_hears(&mut self, socket: SocketId, said: FromRider) {
        match said {
            FromRider::Closed => self.feed_room(room::Input::Closed { socket }),
            FromRider::Binary(bytes) => self.feed_room(room::Input::Relay { socket, bytes }),
            FromRider::Text(text) => match ClientMessage::parse(&text).expect("nodes speak well") {
                ClientMessage::Hello(hello) => {
                    let fresh_peer = format!("peer-{}", socket.0).parse().unwrap();
                    let fresh_token: Token = format!("token-{}", socket.0).parse().unwrap();
                    let server_time = 1_800_000_000_000;
                    self.feed_room(room::Input::Join {
                        socket,
                        hello,
                        fresh_peer,
                        fresh_token,
                        server_time,
                    });
                }
                message => self.feed_room(room::Input::Message { socket, message }),
            },
        }
    }

    pub(super) fn feed_room(&mut self, input: room::Input) {
        self.room.handle(self.now, input);
        while let Some(output) = self.room.poll_output() {
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
    }

    pub(super) fn open_socket(&mut self, rider: usize) {
        let page = self.riders[rider].page;
        if !self.riders[rider].online {
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
