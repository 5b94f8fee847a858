use super::*;

/// Broker with at most four rooms, and its outputs.
pub(super) struct SimplePeerHarness {
    pub(super) broker: SimplePeerBroker,
    pub(super) sent: Vec<(SocketId, Arc<str>)>,
    pub(super) refused: Vec<(SocketId, SimplePeerRefusal)>,
}

impl SimplePeerHarness {
    pub(super) fn new(max_riders: u32) -> Self {
        let settings = Settings {
            max_riders,
            max_rooms: 4,
        };
        Self {
            broker: SimplePeerBroker::new(settings),
            sent: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// One room with riders on the sockets 1 and up, after their identity messages.
    pub(super) fn with_riders(riders: u64) -> Self {
        let mut harness = Self::new(32);
        (1..=riders).for_each(|socket| harness.connect(socket, "red"));
        harness.sent.clear();
        harness
    }

    pub(super) fn handle(&mut self, input: Input<'_>) {
        self.broker.handle(input);
        while let Some(output) = self.broker.poll_output() {
            match output {
                Output::Send { socket, text } => self.sent.push((socket, text)),
                Output::Refuse { socket, refusal } => self.refused.push((socket, refusal)),
            }
        }
    }

    pub(super) fn connect(&mut self, socket: u64, code: &str) {
        self.handle(Input::Connect {
            socket: SocketId(socket),
            code: code.parse().unwrap(),
            fresh_peer: format!("peer{socket}").parse().unwrap(),
        });
    }

    pub(super) fn message(&mut self, socket: u64, text: &str) {
        self.handle(Input::Message {
            socket: SocketId(socket),
            message: Message::parse(text),
        });
    }

    pub(super) fn close(&mut self, socket: u64) {
        self.handle(Input::Closed {
            socket: SocketId(socket),
        });
    }

    /// Texts sent to a socket since the last call.
    pub(super) fn take_texts(&mut self, socket: u64) -> Vec<String> {
        let sent = std::mem::take(&mut self.sent);
        let (received, others): (Vec<_>, Vec<_>) =
            sent.into_iter().partition(|(to, _)| to.0 == socket);
        self.sent = others;
        let texts = received.into_iter();
        texts.map(|(_, text)| text.to_string()).collect()
    }

    /// Messages sent to a socket since the last call.
    pub(super) fn take(&mut self, socket: u64) -> Vec<Value> {
        let texts = self.take_texts(socket);
        let values = texts.iter().map(|text| serde_json::from_str(text).unwrap());
        values.collect()
    }
}
