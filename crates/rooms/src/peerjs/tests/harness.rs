use super::*;

/// Ids of a full room.
pub(super) const FULL_ROOM: [&str; 4] = ["ana", "ben", "cleo", "dan"];

/// A broker on virtual time, with its outputs collected by kind.
pub(super) struct PeerJsHarness {
    pub(super) broker: PeerJsBroker,
    pub(super) now: Moment,
    pub(super) sent: Vec<(SocketId, String)>,
    pub(super) refused: Vec<(SocketId, PeerJsRefusal)>,
    pub(super) closed: Vec<(SocketId, u16)>,
    pub(super) probed: Vec<SocketId>,
    /// Client of all sockets; `None`: each socket has its own.
    pub(super) client: Option<ClientKey>,
}

impl PeerJsHarness {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        Self {
            broker: PeerJsBroker::new(settings),
            now: Moment::ZERO,
            sent: Vec::new(),
            refused: Vec::new(),
            closed: Vec::new(),
            probed: Vec::new(),
            client: None,
        }
    }

    pub(super) fn handle(&mut self, input: Input<'_>) {
        self.broker.handle(self.now, input);
        while let Some(output) = self.broker.poll_output() {
            match output {
                Output::Open { socket } => self.sent.push((socket, OPEN.into())),
                Output::Send { socket, text } => self.sent.push((socket, text)),
                Output::Refuse { socket, refusal } => self.refused.push((socket, refusal)),
                Output::Close { socket, code, .. } => self.closed.push((socket, code)),
                Output::Probe { socket } => self.probed.push(socket),
            }
        }
    }

    /// Connects a socket. Returns the reason if it is refused at once.
    pub(super) fn connect(
        &mut self,
        socket: u64,
        key: Option<&str>,
        id: Option<&str>,
        token: Option<&str>,
    ) -> Option<PeerJsRefusal> {
        let socket = SocketId(socket);
        let refused_before = self.refused.len();
        self.handle(Input::Connect {
            socket,
            client: self.client.unwrap_or(ClientKey(socket.0)),
            key,
            id,
            token,
        });
        let refused = self.refused.split_off(refused_before);
        refused
            .iter()
            .find(|(to, _)| *to == socket)
            .map(|(_, refusal)| *refusal)
    }

    pub(super) fn join(&mut self, socket: u64, id: &str, token: &str) -> Option<PeerJsRefusal> {
        self.connect(socket, Some("peerjs"), Some(id), Some(token))
    }

    /// Joins, and checks that the socket has its id.
    pub(super) fn open(&mut self, socket: u64, id: &str, token: &str) {
        assert_eq!(self.join(socket, id, token), None);
        assert_eq!(self.take(socket), [OPEN]);
    }

    pub(super) fn message(&mut self, socket: u64, text: &str) {
        self.handle(Input::Message {
            socket: SocketId(socket),
            message: Message::parse(text),
        });
    }

    pub(super) fn answer_probe(&mut self, socket: u64) {
        self.handle(Input::ProbeAnswered {
            socket: SocketId(socket),
        });
    }

    /// The client closes its socket.
    pub(super) fn close(&mut self, socket: u64) {
        self.end(socket, true);
    }

    /// The client loses its socket.
    pub(super) fn lose_socket(&mut self, socket: u64) {
        self.end(socket, false);
    }

    fn end(&mut self, socket: u64, goodbye: bool) {
        self.handle(Input::Closed {
            socket: SocketId(socket),
            goodbye,
        });
    }

    /// Advances the clock, with a timeout whenever the broker asks for one.
    pub(super) fn advance(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.broker.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.handle(Input::Timeout);
        }
        self.now = end;
    }

    /// Texts sent to a socket since the last call.
    pub(super) fn take(&mut self, socket: u64) -> Vec<String> {
        let sent = std::mem::take(&mut self.sent);
        let (received, others): (Vec<_>, Vec<_>) =
            sent.into_iter().partition(|(to, _)| to.0 == socket);
        self.sent = others;
        received.into_iter().map(|(_, text)| text).collect()
    }
}

pub(super) fn offer(from: &str, to: &str, number: usize) -> String {
    format!(r#"{{"type":"OFFER","src":"{from}","dst":"{to}","payload":{{"n":{number}}}}}"#)
}

pub(super) fn leave(from: &str, to: &str) -> String {
    format!(r#"{{"type":"LEAVE","src":"{from}","dst":"{to}"}}"#)
}

pub(super) fn expire(from: &str, to: &str) -> String {
    format!(r#"{{"type":"EXPIRE","src":"{from}","dst":"{to}"}}"#)
}
