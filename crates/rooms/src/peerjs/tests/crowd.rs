use super::*;

/// Enough for a room.
pub(super) const FEW: [&str; 4] = ["ana", "ben", "cleo", "dan"];

/// A broker with a clock, which sorts what the broker says by socket.
pub(super) struct Crowd {
    pub(super) broker: Broker,
    pub(super) now: Moment,
    pub(super) sent: Vec<(SocketId, String)>,
    pub(super) refused: Vec<(SocketId, Refusal)>,
    pub(super) closed: Vec<(SocketId, u16)>,
    pub(super) probed: Vec<SocketId>,
}

impl Crowd {
    pub(super) fn new() -> Self {
        Self::with(Settings::default())
    }

    pub(super) fn with(settings: Settings) -> Self {
        Self {
            broker: Broker::new(settings),
            now: Moment::ZERO,
            sent: Vec::new(),
            refused: Vec::new(),
            closed: Vec::new(),
            probed: Vec::new(),
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

    /// Gives why the socket is refused at once, if it is.
    pub(super) fn connect(
        &mut self,
        socket: u64,
        key: Option<&str>,
        id: Option<&str>,
        token: Option<&str>,
    ) -> Option<Refusal> {
        let socket = SocketId(socket);
        let before = self.refused.len();
        self.handle(Input::Connect {
            socket,
            key,
            id,
            token,
        });
        let mine = self.refused.split_off(before);
        mine.iter()
            .find(|(to, _)| *to == socket)
            .map(|(_, refusal)| *refusal)
    }

    pub(super) fn join(&mut self, socket: u64, id: &str, token: &str) -> Option<Refusal> {
        self.connect(socket, Some("peerjs"), Some(id), Some(token))
    }

    /// Joins, is in, and has been told so.
    pub(super) fn enter(&mut self, socket: u64, id: &str, token: &str) {
        assert_eq!(self.join(socket, id, token), None);
        assert_eq!(self.take(socket), [OPEN]);
    }

    pub(super) fn say(&mut self, socket: u64, text: &str) {
        self.handle(Input::Message {
            socket: SocketId(socket),
            message: Message::parse(text),
        });
    }

    pub(super) fn alive(&mut self, socket: u64) {
        self.handle(Input::Alive {
            socket: SocketId(socket),
        });
    }

    /// The client closes its socket.
    pub(super) fn close(&mut self, socket: u64) {
        self.end(socket, true);
    }

    /// The client loses its socket.
    pub(super) fn drop_socket(&mut self, socket: u64) {
        self.end(socket, false);
    }

    fn end(&mut self, socket: u64, goodbye: bool) {
        self.handle(Input::Closed {
            socket: SocketId(socket),
            goodbye,
        });
    }

    /// Lets time pass, waking the broker when it wants to be woken.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(at) = self.broker.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.handle(Input::Timeout);
        }
        self.now = end;
    }

    /// What a socket was sent since the last time.
    pub(super) fn take(&mut self, socket: u64) -> Vec<String> {
        let (mine, others) = std::mem::take(&mut self.sent)
            .into_iter()
            .partition(|(to, _)| to.0 == socket);
        self.sent = others;
        let mine: Vec<(SocketId, String)> = mine;
        mine.into_iter().map(|(_, text)| text).collect()
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
