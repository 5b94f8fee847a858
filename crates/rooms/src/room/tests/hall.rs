use super::{paper::FakeSigner, *};
use protocol::{peer::Token, signaling::RoomSnapshot};

/// The server's wall clock in here, in Unix milliseconds.
pub(super) const TODAY: u64 = 1_000_000;

/// A room with a clock, which sorts what the room says by socket.
pub(super) struct RoomHarness {
    pub(super) room: Room,
    pub(super) settings: RoomSettings,
    pub(super) now: Duration,
    pub(super) wall: u64,
    pub(super) sent: Vec<(SocketId, ServerMessage)>,
    pub(super) closed: Vec<(SocketId, u16)>,
    pub(super) relayed: Vec<(Vec<SocketId>, Vec<u8>)>,
}

impl RoomHarness {
    pub(super) fn new() -> Self {
        Self::with(RoomSettings::default())
    }

    /// Where nobody minds that sockets say nothing: they say what a test has them say.
    pub(super) fn with(settings: RoomSettings) -> Self {
        Self::listening(RoomSettings {
            silence: Duration::ZERO,
            ..settings
        })
    }

    /// Where sockets have to say something.
    pub(super) fn listening(settings: RoomSettings) -> Self {
        let room = Room::new(
            settings.clone(),
            Arc::new(FakeSigner("ours")),
            Duration::ZERO,
        );
        let (sent, closed, relayed) = Default::default();
        Self {
            room,
            settings,
            now: Duration::ZERO,
            wall: TODAY,
            sent,
            closed,
            relayed,
        }
    }

    /// The server loses its memory; all sockets are gone.
    pub(super) fn lose_memory(&mut self) {
        let signer = Arc::new(FakeSigner("ours"));
        self.room = Room::restored(self.settings.clone(), signer, self.now);
        self.sent.clear();
        self.closed.clear();
        self.relayed.clear();
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
        self.hello_with(socket, resume, None, key)
    }

    /// Hello, with what the page knows of the ride.
    pub(super) fn hello_with(
        &mut self,
        socket: u64,
        resume: Option<Resume>,
        restore: Option<RoomSnapshot>,
        key: u8,
    ) -> Option<Welcome> {
        let keys = PublicKeys {
            sign: [key; 32],
            agree: [key; 32],
        };
        let heard = self.heard(socket).len();
        self.say(Input::Join(Join {
            socket: SocketId(socket),
            hello: Hello {
                version: VERSION,
                keys,
                resume,
                role: protocol::peer::MemberRole::Rider,
                snapshot: restore.map(Box::new),
            },
            fresh_peer: format!("peer{socket}").parse().unwrap(),
            server_time: self.wall,
        }));
        self.heard(socket)
            .into_iter()
            .skip(heard)
            .find_map(|message| match message {
                ServerMessage::Welcome(welcome) => Some(*welcome),
                _ => None,
            })
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
        let mut wakes = 0;
        while let Some(at) = self.room.poll_timeout().filter(|at| *at <= end) {
            wakes += 1;
            assert!(wakes < 1_000, "the room wants to be woken again and again");
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

    /// Whether a socket was told of another host.
    pub(super) fn host_told(&self, socket: u64) -> Option<(u32, PeerId)> {
        let heard = self.heard(socket).into_iter().rev();
        heard
            .filter_map(|message| match message {
                ServerMessage::Host { term, .. } => Some((term.epoch, term.peer)),
                ServerMessage::Restored(restored) => {
                    let term = restored.hosts.into_iter().last()?;
                    Some((term.epoch, term.peer))
                }
                _ => None,
            })
            .next()
    }

    /// The notes of who may not come back that a socket was given.
    pub(super) fn notes(&self, socket: u64) -> Vec<Token> {
        let heard = self.heard(socket).into_iter();
        heard
            .filter_map(|message| match message {
                ServerMessage::Banned { token: note } => Some(note),
                _ => None,
            })
            .collect()
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
