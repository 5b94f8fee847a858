use clock::WallTime;
use protocol::{
    peer::{MemberRole, Token},
    signaling::RoomSnapshot,
};

use crate::ClientKey;

use super::{fake_signer::FakeSigner, fake_standings::FakeStandings, *};

/// The server's wall clock at the start of a test.
pub(super) const TODAY: WallTime = WallTime::from_unix_ms(1_000_000);

/// A room on virtual time, with its outputs collected by kind.
pub(super) struct RoomHarness {
    pub(super) room: Room,
    /// They outlast the room.
    pub(super) standings: Arc<FakeStandings>,
    pub(super) settings: RoomSettings,
    pub(super) now: Moment,
    pub(super) wall_time: WallTime,
    pub(super) sent: Vec<(SocketId, ServerMessage)>,
    pub(super) closed: Vec<(SocketId, u16)>,
    pub(super) relayed: Vec<(Vec<SocketId>, Vec<u8>)>,
}

impl RoomHarness {
    pub(super) fn new() -> Self {
        Self::with(RoomSettings::default())
    }

    /// Room that never closes a silent socket.
    pub(super) fn with(settings: RoomSettings) -> Self {
        Self::with_silence_check(RoomSettings {
            silence: Duration::ZERO,
            ..settings
        })
    }

    /// Room that closes silent sockets according to its settings.
    pub(super) fn with_silence_check(settings: RoomSettings) -> Self {
        let signer = Arc::new(FakeSigner("ours"));
        Self {
            room: Room::new(settings.clone(), signer, Moment::ZERO),
            standings: Arc::default(),
            settings,
            now: Moment::ZERO,
            wall_time: TODAY,
            sent: Vec::new(),
            closed: Vec::new(),
            relayed: Vec::new(),
        }
    }

    /// Replaces the room by one without memory, as after a restart of the server, and drops all
    /// sockets and collected outputs.
    pub(super) fn restart_server(&mut self) {
        let signer = Arc::new(FakeSigner("ours"));
        let standings = self.standings.clone();
        let settings = self.settings.clone();
        self.room = Room::restored(settings, signer, standings, self.now, self.wall_time);
        self.sent.clear();
        self.closed.clear();
        self.relayed.clear();
    }

    pub(super) fn handle(&mut self, input: Input) {
        self.room.handle(self.now, input);
        while let Some(output) = self.room.poll_output() {
            match output {
                Output::Send { socket, message } => self.sent.push((socket, message)),
                Output::Relay { sockets, bytes, .. } => {
                    self.relayed.push((sockets, bytes.to_vec()));
                }
                Output::Record(change) => self.standings.record(change),
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
        self.hello_with_snapshot(socket, resume, None, key)
    }

    pub(super) fn hello_with_snapshot(
        &mut self,
        socket: u64,
        resume: Option<Resume>,
        snapshot: Option<RoomSnapshot>,
        key: u8,
    ) -> Option<Welcome> {
        self.hello_as(MemberRole::Rider, socket, resume, snapshot, key)
    }

    pub(super) fn join_as(&mut self, role: MemberRole, socket: u64) -> Welcome {
        let welcome = self.hello_as(role, socket, None, None, 1);
        welcome.expect("the room welcomes")
    }

    pub(super) fn hello_as(
        &mut self,
        role: MemberRole,
        socket: u64,
        resume: Option<Resume>,
        snapshot: Option<RoomSnapshot>,
        key: u8,
    ) -> Option<Welcome> {
        let keys = PublicKeys {
            sign: [key; 32],
            agree: [key; 32],
        };
        let hello = Hello {
            version: VERSION,
            keys,
            role,
            resume,
            snapshot: snapshot.map(Box::new),
        };
        self.send_hello(socket, hello)
    }

    /// Sends a hello. Returns the welcome, if there is one.
    pub(super) fn send_hello(&mut self, socket: u64, hello: Hello) -> Option<Welcome> {
        let received_before = self.received(socket).len();
        self.handle(Input::Join(Join {
            socket: SocketId(socket),
            client: ClientKey(socket),
            hello,
            fresh_peer: format!("peer{socket}").parse().unwrap(),
            server_time: self.wall_time,
        }));
        self.received(socket)
            .into_iter()
            .skip(received_before)
            .find_map(|message| match message {
                ServerMessage::Welcome(welcome) => Some(*welcome),
                _ => None,
            })
    }

    pub(super) fn close(&mut self, socket: u64) {
        self.handle(Input::Closed {
            socket: SocketId(socket),
        });
    }

    pub(super) fn message(&mut self, socket: u64, message: ClientMessage) {
        self.handle(Input::Message {
            socket: SocketId(socket),
            message,
        });
    }

    /// Advances the clock, with a timeout whenever the room asks for one.
    pub(super) fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        let mut timeouts = 0;
        while let Some(at) = self.room.poll_timeout().filter(|at| *at <= end) {
            timeouts += 1;
            assert!(timeouts < 1_000, "the room asks for timeouts without end");
            self.now = self.now.max(at);
            self.handle(Input::Timeout);
        }
        self.now = end;
    }

    /// Messages sent to a socket.
    pub(super) fn received(&self, socket: u64) -> Vec<ServerMessage> {
        let received = self.sent.iter().filter(|(to, _)| to.0 == socket);
        received.map(|(_, message)| message.clone()).collect()
    }

    pub(super) fn last_received(&self, socket: u64) -> ServerMessage {
        self.received(socket).pop().expect("a message was sent")
    }

    /// Epoch and id of the host that was last announced to a socket.
    pub(super) fn announced_host(&self, socket: u64) -> Option<(u32, PeerId)> {
        let newest_first = self.received(socket).into_iter().rev();
        newest_first
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

    /// Ban tokens sent to a socket.
    pub(super) fn ban_tokens(&self, socket: u64) -> Vec<Token> {
        let received = self.received(socket).into_iter();
        received
            .filter_map(|message| match message {
                ServerMessage::Banned { token } => Some(token),
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
