use super::*;

/// A room with a clock, which sorts what the room says by socket.
pub(super) struct Hall {
    pub(super) room: Room,
    pub(super) now: Duration,
    pub(super) sent: Vec<(SocketId, ServerMessage)>,
    pub(super) closed: Vec<(SocketId, u16)>,
    pub(super) relayed: Vec<(Vec<SocketId>, Vec<u8>)>,
}

impl Hall {
    pub(super) fn new() -> Self {
        Self::with(RoomSettings::default())
    }

    pub(super) fn with(settings: RoomSettings) -> Self {
        let room = Room::new(settings, Duration::ZERO);
        let (sent, closed, relayed) = Default::default();
        Self {
            room,
            now: Duration::ZERO,
            sent,
            closed,
            relayed,
        }
    }

    pub(super) fn say(&mut self, input: Input) {
        self.room.handle(self.now, input);
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Send { socket, message } => self.sent.push((socket, message)),
                Output::Relay { sockets, bytes, .. } => {
                    self.relayed.push((sockets, bytes.to_vec()));
                }
                Output::Close { socket, code, .. } => self.closed.push((socket, code)),
            }
        }
    }

    pub(super) fn join(&mut self, socket: u64) -> Welcome {
        self.hello(socket, None, 1).expect("the room welcomes")
    }

    pub(super) fn hello(
        &mut self,
        socket: u64,
        resume: Option<Resume>,
        key: u8,
    ) -> Option<Welcome> {
        let keys = PublicKeys {
            sign: [key; 32],
            agree: [key; 32],
        };
        self.say(Input::Join {
            socket: SocketId(socket),
            hello: Hello {
                version: VERSION,
                keys,
                resume,
            },
            fresh_peer: format!("peer{socket}").parse().unwrap(),
            fresh_token: format!("token{socket}").parse().unwrap(),
            server_time: 1_000,
        });
        let last = self.heard(socket).into_iter().rev();
        last.filter_map(|message| match message {
            ServerMessage::Welcome(welcome) => Some(*welcome),
            _ => None,
        })
        .next()
    }

    pub(super) fn close(&mut self, socket: u64) {
        self.say(Input::Closed {
            socket: SocketId(socket),
        });
    }

    pub(super) fn message(&mut self, socket: u64, message: ClientMessage) {
        self.say(Input::Message {
            socket: SocketId(socket),
            message,
        });
    }

    /// Lets time pass, waking the room when it wants to be woken.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.room.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.say(Input::Timeout);
        }
        self.now = end;
    }

    pub(super) fn heard(&self, socket: u64) -> Vec<ServerMessage> {
        let mine = self.sent.iter().filter(|(to, _)| to.0 == socket);
        mine.map(|(_, message)| message.clone()).collect()
    }

    pub(super) fn last(&self, socket: u64) -> ServerMessage {
        self.heard(socket).pop().expect("something was said")
    }
}

pub(super) fn resume(welcome: &Welcome, same_page: bool) -> Option<Resume> {
    Some(Resume {
        peer: welcome.peer.clone(),
        token: welcome.token.clone(),
        incarnation: same_page.then_some(welcome.incarnation),
    })
}

pub(super) fn code(message: &ServerMessage) -> Option<ErrorCode> {
    match message {
        ServerMessage::Error { code, .. } => Some(*code),
        _ => None,
    }
}
