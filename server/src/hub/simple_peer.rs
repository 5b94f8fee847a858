//! Rooms of the simple-peer dialect for the third-party driver.

use std::sync::Arc;

use axum::extract::ws::Utf8Bytes;
use clock::Moment;
use protocol::peer::PeerId;
use rooms::ClientKey;
use rooms::room::SocketId;
use rooms::simple_peer::{
    Counts, Input, Message, Output, RoomCode, Settings, SimplePeerBroker, SimplePeerParseError,
    SimplePeerRefusal, Tally,
};

use super::context::random_peer_id;
use super::third_party::{RoomOutput, ThirdPartyDriver, ThirdPartyRooms};
use crate::config::Config;
use crate::limits::AttemptOutcome;
use crate::metrics::{DialectName, RoomStatistics};

/// Parameters of a client: the code in its address, and the id that the server
/// gives it.
#[derive(Debug, Clone)]
pub struct SimplePeerParams {
    code: RoomCode,
    peer: PeerId,
}

impl SimplePeerParams {
    /// Parameters with a new, random id.
    pub fn new(code: RoomCode) -> Self {
        Self {
            code,
            peer: random_peer_id(),
        }
    }
}

/// All simple-peer rooms of the server, as the driver needs them.
#[derive(Debug)]
pub struct SimplePeerRooms {
    broker: SimplePeerBroker,
    /// Socket that has connected and is not refused.
    connected: Option<SocketId>,
    /// Text sent last. A message to many receivers is converted once.
    converted: Option<(Arc<str>, Utf8Bytes)>,
}

impl SimplePeerRooms {
    pub(super) fn new(config: &Config) -> Self {
        let settings = Settings {
            max_riders: config.max_riders,
            max_rooms: config.max_rooms,
        };
        Self {
            broker: SimplePeerBroker::new(settings),
            connected: None,
            converted: None,
        }
    }

    fn convert(&mut self, text: Arc<str>) -> Utf8Bytes {
        match &self.converted {
            Some((last, converted)) if Arc::ptr_eq(last, &text) => converted.clone(),
            _ => {
                let converted = Utf8Bytes::from(&*text);
                self.converted = Some((text, converted.clone()));
                converted
            }
        }
    }
}

impl ThirdPartyRooms for SimplePeerRooms {
    const NAME: DialectName = DialectName::SimplePeer;
    type Params = SimplePeerParams;
    type Message<'a> = Result<Message<'a>, SimplePeerParseError>;

    fn log_names(params: &SimplePeerParams) -> (&str, &str) {
        (params.code.as_str(), params.peer.as_str())
    }

    fn parse(text: &str) -> Option<Self::Message<'_>> {
        Some(Message::parse(text))
    }

    fn has_room(&self, params: &SimplePeerParams) -> bool {
        self.broker.has_room(&params.code)
    }

    fn connect(
        &mut self,
        _now: Moment,
        socket: SocketId,
        _client: ClientKey,
        params: &SimplePeerParams,
    ) {
        self.connected = Some(socket);
        self.broker.handle(Input::Connect {
            socket,
            code: params.code.clone(),
            fresh_peer: params.peer.clone(),
        });
    }

    fn message(&mut self, _now: Moment, socket: SocketId, message: Self::Message<'_>) {
        self.broker.handle(Input::Message { socket, message });
    }

    fn closed(&mut self, _now: Moment, socket: SocketId, _goodbye: bool) {
        self.broker.handle(Input::Closed { socket });
    }

    fn poll_output(&mut self) -> Option<RoomOutput> {
        match self.broker.poll_output() {
            Some(Output::Send { socket, text }) => {
                let text = self.convert(text);
                Some(RoomOutput::Send { socket, text })
            }
            Some(Output::Refuse { socket, refusal }) => {
                self.connected = None;
                Some(refuse(socket, refusal))
            }
            None => {
                self.converted = None;
                let socket = self.connected.take()?;
                Some(RoomOutput::Joined {
                    socket,
                    greeting: None,
                })
            }
        }
    }

    fn statistics(&self) -> RoomStatistics {
        let (counts, tally) = (self.broker.counts(), self.broker.tally());
        RoomStatistics {
            rooms: counts.rooms,
            peers: counts.peers,
            relayed: tally.relayed,
            relayed_bytes: tally.relayed_bytes,
            ignored: vec![
                ("malformed", tally.malformed),
                ("forged", tally.forged),
                ("no-receiver", tally.without_receiver),
            ],
        }
    }
}

impl ThirdPartyDriver<SimplePeerRooms> {
    /// Counts of this moment and totals since the start.
    pub fn counts(&self) -> (Counts, Tally) {
        self.read(|rooms| (rooms.broker.counts(), rooms.broker.tally()))
    }
}

fn refuse(socket: SocketId, refusal: SimplePeerRefusal) -> RoomOutput {
    RoomOutput::Refuse {
        socket,
        reason: refusal.into(),
        text: refusal.to_json(),
        close_code: refusal.close_code(),
        outcome: AttemptOutcome::NotCounted,
    }
}
