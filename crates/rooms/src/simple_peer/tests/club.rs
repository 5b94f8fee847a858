use super::*;

/// Rooms for `max_riders` each, four at most, and what they say.
pub(super) struct Club {
    pub(super) rooms: Rooms,
    pub(super) sent: Vec<(SocketId, Arc<str>)>,
    pub(super) refused: Vec<(SocketId, Refusal)>,
}

impl Club {
    pub(super) fn new(max_riders: u32) -> Self {
        let settings = Settings {
            max_riders,
            max_rooms: 4,
        };
        Self {
            rooms: Rooms::new(settings),
            sent: Vec::new(),
            refused: Vec::new(),
        }
    }

    /// One room with riders on the sockets 1 and up, who know who they are.
    pub(super) fn with_riders(riders: u64) -> Self {
        let mut club = Self::new(32);
        (1..=riders).for_each(|socket| club.enter(socket, "red"));
        club.sent.clear();
        club
    }

    pub(super) fn handle(&mut self, input: Input<'_>) {
        self.rooms.handle(input);
        while let Some(output) = self.rooms.poll_output() {
            match output {
                Output::Send { socket, text } => self.sent.push((socket, text)),
                Output::Refuse { socket, refusal } => self.refused.push((socket, refusal)),
            }
        }
    }

    pub(super) fn enter(&mut self, socket: u64, code: &str) {
        self.handle(Input::Connect {
            socket: SocketId(socket),
            code: code.parse().unwrap(),
            fresh_peer: format!("peer{socket}").parse().unwrap(),
        });
    }

    pub(super) fn say(&mut self, socket: u64, text: &str) {
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

    /// What a socket was sent since the last time.
    pub(super) fn take_text(&mut self, socket: u64) -> Vec<String> {
        let sent = std::mem::take(&mut self.sent);
        let (mine, others): (Vec<_>, Vec<_>) = sent.into_iter().partition(|it| it.0.0 == socket);
        self.sent = others;
        mine.into_iter().map(|(_, text)| text.to_string()).collect()
    }

    pub(super) fn take(&mut self, socket: u64) -> Vec<Value> {
        let texts = self.take_text(socket);
        let values = texts.iter().map(|text| serde_json::from_str(text).unwrap());
        values.collect()
    }
}
