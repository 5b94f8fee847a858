//! Peer of a tunnel that a test plays by hand.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};
use tunnel::control::{
    PeerMessage, ToPeer, VERSION, VisitorId, parse, split_visitor, to_text, with_visitor,
};
use tunnel::head::{RequestHead, ResponseHead};
use tunnel::identity::AccessToken;
use tunnel::multiplexer::{Event, Limits, Multiplexer, Refusal, ResetReason, StreamId};

use super::Secrets;
use super::browser::TIMEOUT;

/// Peer with the multiplexers of its visitors.
pub struct Peer {
    pub socket: WebSocketStream<TcpStream>,
    pub origin: String,
    token: AccessToken,
    pub visitors: HashMap<VisitorId, Multiplexer>,
    events: VecDeque<(VisitorId, Event)>,
    pub texts: VecDeque<ToPeer>,
}

/// Stream of a visitor.
pub type Id = (VisitorId, StreamId);

impl Peer {
    pub async fn open(address: SocketAddr) -> WebSocketStream<TcpStream> {
        let stream = TcpStream::connect(address).await.expect("connects");
        let url = format!("ws://{address}/api/tunnel");
        client_async(url, stream).await.expect("an upgrade").0
    }

    pub async fn connect(address: SocketAddr, secrets: &Secrets) -> Result<Self, ToPeer> {
        let mut socket = Self::open(address).await;
        let open = PeerMessage::Open {
            version: VERSION,
            key: secrets.key.clone(),
            token_hash: secrets.token.hash(),
            name: "Route videos".into(),
        };
        socket
            .send(Message::text(to_text(&open)))
            .await
            .expect("sends");
        let first = timeout(TIMEOUT, socket.next()).await.expect("in time");
        let Some(Ok(Message::Text(first))) = first else {
            panic!("expected a text: {first:?}");
        };
        match parse(&first).expect("a message") {
            ToPeer::Opened { origin, code, .. } => {
                assert_eq!(code, secrets.key.code());
                Ok(Self {
                    socket,
                    origin,
                    token: secrets.token.clone(),
                    visitors: HashMap::new(),
                    events: VecDeque::new(),
                    texts: VecDeque::new(),
                })
            }
            other => Err(other),
        }
    }

    /// Reads one message of the server. Hellos are answered. `None`: the socket has ended.
    pub async fn read(&mut self) -> Option<()> {
        let message = timeout(TIMEOUT, self.socket.next()).await.expect("in time");
        match message?.ok()? {
            Message::Text(text) => {
                let message: ToPeer = parse(&text).expect("a message");
                match &message {
                    ToPeer::Visitor { visitor } => {
                        let peer = Multiplexer::peer(Limits::default());
                        self.visitors.insert(*visitor, peer);
                    }
                    ToPeer::Gone { visitor } => drop(self.visitors.remove(visitor)),
                    _ => {}
                }
                self.texts.push_back(message);
            }
            Message::Binary(bytes) => {
                let (visitor, frame) = split_visitor(&bytes).expect("a frame");
                let Some(multiplexer) = self.visitors.get_mut(&visitor) else {
                    return Some(());
                };
                multiplexer.receive(frame).expect("a frame of the protocol");
                while let Some(event) = multiplexer.poll_event() {
                    match event {
                        Event::Hello { token, .. } if token == self.token => multiplexer.accept(),
                        Event::Hello { .. } => multiplexer.refuse(Refusal::Forbidden),
                        event => self.events.push_back((visitor, event)),
                    }
                }
                self.flush().await;
            }
            Message::Close(_) => return None,
            _ => {}
        }
        Some(())
    }

    /// Sends what the multiplexers have to send.
    pub async fn flush(&mut self) {
        for (visitor, multiplexer) in &mut self.visitors {
            while let Some(frame) = multiplexer.poll_message() {
                let message = Message::binary(with_visitor(*visitor, &frame));
                // The server may have closed the socket already.
                let _ = self.socket.send(message).await;
            }
        }
    }

    /// Next event that `is_expected` accepts. Others are kept.
    pub async fn event(&mut self, is_expected: impl Fn(&Event) -> bool) -> (VisitorId, Event) {
        loop {
            let found = self.events.iter().position(|(_, it)| is_expected(it));
            if let Some(event) = found.and_then(|index| self.events.remove(index)) {
                return event;
            }
            self.read().await.expect("an open socket");
        }
    }

    /// Next text that `is_expected` accepts.
    pub async fn text(&mut self, is_expected: impl Fn(&ToPeer) -> bool) -> ToPeer {
        loop {
            while let Some(text) = self.texts.pop_front() {
                if is_expected(&text) {
                    return text;
                }
            }
            self.read().await.expect("an open socket");
        }
    }

    /// Next request.
    pub async fn request(&mut self) -> (Id, RequestHead) {
        let opened = self.event(|it| matches!(it, Event::Opened { .. })).await;
        let (visitor, Event::Opened { stream, head }) = opened else {
            unreachable!("as asked for");
        };
        let head = RequestHead::decode(&head).expect("a head");
        ((visitor, stream), head)
    }

    /// Next bytes of a request's body; `None` at its end. They count as consumed.
    pub async fn body(&mut self, id: Id) -> Option<Vec<u8>> {
        let event = self.event(|it| {
            matches!(it, Event::Data { stream, .. } | Event::End { stream } if *stream == id.1)
        });
        match event.await.1 {
            Event::Data { bytes, .. } => {
                self.multiplexer(id).consumed(id.1, bytes.len());
                self.flush().await;
                Some(bytes)
            }
            _ => None,
        }
    }

    /// Waits until a stream is reset by the server.
    pub async fn reset_of(&mut self, id: Id) -> ResetReason {
        let event = self
            .event(|it| matches!(it, Event::Reset { stream, .. } if *stream == id.1))
            .await;
        match event.1 {
            Event::Reset { reason, .. } => reason,
            _ => unreachable!("as asked for"),
        }
    }

    /// Begins a response.
    pub async fn respond(&mut self, id: Id, status: u16, fields: &[(&str, &str)], has_body: bool) {
        let field = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        let head = ResponseHead {
            status,
            fields: fields.iter().map(field).collect(),
        };
        let head = head.encode().expect("a head");
        self.multiplexer(id).respond(id.1, &head, has_body);
        self.flush().await;
    }

    /// Writes bytes of a body.
    pub async fn write(&mut self, id: Id, bytes: &[u8]) {
        let mut rest = bytes;
        loop {
            let count = self.multiplexer(id).write(id.1, rest);
            rest = &rest[count..];
            self.flush().await;
            if rest.is_empty() {
                return;
            }
            self.event(|it| matches!(it, Event::Writable { stream } if *stream == id.1))
                .await;
        }
    }

    /// Ends a body.
    pub async fn finish(&mut self, id: Id) {
        self.multiplexer(id).finish(id.1);
        self.flush().await;
    }

    /// Answers a request with a text.
    pub async fn answer(&mut self, id: Id, text: &str) {
        self.respond(id, 200, &[("content-type", "text/plain")], true)
            .await;
        self.write(id, text.as_bytes()).await;
        self.finish(id).await;
    }

    pub async fn reset(&mut self, id: Id, reason: ResetReason) {
        self.multiplexer(id).reset(id.1, reason);
        self.flush().await;
    }

    pub async fn send(&mut self, message: &PeerMessage) -> Result<(), tungstenite::Error> {
        self.socket.send(Message::text(to_text(message))).await
    }

    fn multiplexer(&mut self, (visitor, _): Id) -> &mut Multiplexer {
        self.visitors.get_mut(&visitor).expect("a visitor")
    }
}
