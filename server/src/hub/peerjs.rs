//! Rooms of the PeerJS dialect for the third-party driver.

use axum::extract::ws::Utf8Bytes;
use clock::Moment;
use protocol::signaling::close;
use rooms::ClientKey;
use rooms::peerjs::{
    Counts, Input, Message, OPEN, Output, PeerJsBroker, PeerJsParseError, PeerJsRefusal, Tally,
};
use rooms::room::SocketId;

use super::third_party::{RoomOutput, ThirdPartyDriver, ThirdPartyRooms};
use crate::config::Config;
use crate::limits::AttemptOutcome;
use crate::metrics::{DialectName, RoomStatistics};

/// Query parameters of a client's address. Without `Debug`: the token is a
/// secret.
#[derive(Clone, Default)]
pub struct PeerJsParams {
    /// Key that the server's settings ask for.
    pub key: Option<String>,
    /// Id that the client wants.
    pub id: Option<String>,
    /// Name of the client's room; without rooms, the secret of its id.
    pub token: Option<String>,
}

/// All PeerJS peers of the server: a [`PeerJsBroker`], as the driver needs it.
#[derive(Debug)]
pub struct PeerJsRooms {
    broker: PeerJsBroker,
    token_is_room: bool,
}

impl PeerJsRooms {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            broker: PeerJsBroker::new(config.peerjs.broker_settings()),
            token_is_room: config.peerjs.peerjs_rooms,
        }
    }

    fn refuse(&self, socket: SocketId, refusal: PeerJsRefusal) -> RoomOutput {
        // With rooms, a taken id shows that the token was valid.
        let is_guess = match refusal {
            PeerJsRefusal::InvalidKey => true,
            PeerJsRefusal::IdTaken => !self.token_is_room,
            _ => false,
        };
        RoomOutput::Refuse {
            socket,
            reason: refusal.into(),
            text: refusal.to_json(),
            close_code: close::REFUSED,
            outcome: match is_guess {
                true => AttemptOutcome::Miss,
                false => AttemptOutcome::NotCounted,
            },
        }
    }
}

impl ThirdPartyRooms for PeerJsRooms {
    const NAME: DialectName = DialectName::PeerJs;
    type Params = PeerJsParams;
    type Message<'a> = Result<Message<'a>, PeerJsParseError>;

    fn log_names(params: &PeerJsParams) -> (&str, &str) {
        (
            params.token.as_deref().unwrap_or_default(),
            params.id.as_deref().unwrap_or_default(),
        )
    }

    fn parse(text: &str) -> Option<Self::Message<'_>> {
        let message = Message::parse(text);
        (!matches!(message, Ok(Message::Heartbeat))).then_some(message)
    }

    fn has_room(&self, params: &PeerJsParams) -> bool {
        let token = params.token.as_deref();
        token.is_some_and(|token| self.broker.has_room(token))
    }

    fn connect(&mut self, now: Moment, socket: SocketId, client: ClientKey, params: &PeerJsParams) {
        let connect = Input::Connect {
            socket,
            client,
            key: params.key.as_deref(),
            id: params.id.as_deref(),
            token: params.token.as_deref(),
        };
        self.broker.handle(now, connect);
    }

    fn message(&mut self, now: Moment, socket: SocketId, message: Self::Message<'_>) {
        self.broker.handle(now, Input::Message { socket, message });
    }

    fn probe_answered(&mut self, now: Moment, socket: SocketId) {
        self.broker.handle(now, Input::ProbeAnswered { socket });
    }

    fn closed(&mut self, now: Moment, socket: SocketId, goodbye: bool) {
        self.broker.handle(now, Input::Closed { socket, goodbye });
    }

    fn handle_timeout(&mut self, now: Moment) {
        self.broker.handle(now, Input::Timeout);
    }

    fn poll_timeout(&self) -> Option<Moment> {
        self.broker.poll_timeout()
    }

    fn poll_output(&mut self) -> Option<RoomOutput> {
        Some(match self.broker.poll_output()? {
            Output::Open { socket } => RoomOutput::Joined {
                socket,
                greeting: Some(Utf8Bytes::from_static(OPEN)),
            },
            Output::Send { socket, text } => RoomOutput::Send {
                socket,
                text: text.into(),
            },
            Output::Refuse { socket, refusal } => self.refuse(socket, refusal),
            Output::Close {
                socket,
                code,
                reason,
            } => RoomOutput::Close {
                socket,
                code,
                reason,
            },
            Output::Probe { socket } => RoomOutput::Probe { socket },
        })
    }

    fn statistics(&self) -> RoomStatistics {
        let (counts, tally) = (self.broker.counts(), self.broker.tally());
        RoomStatistics {
            rooms: counts.rooms,
            peers: counts.peers,
            relayed: tally.relayed,
            relayed_bytes: tally.relayed_bytes,
            ignored: vec![
                ("expired", tally.expired),
                ("queue-full", tally.queue_full),
                ("malformed", tally.malformed),
                ("unknown-type", tally.unknown_type),
                ("not-open", tally.not_open),
            ],
        }
    }
}

impl ThirdPartyDriver<PeerJsRooms> {
    /// Returns `true` if a peer is in the room of a token.
    pub fn has_room(&self, token: &str) -> bool {
        self.read(|rooms| rooms.broker.has_room(token))
    }

    /// Returns `true` if the room of a token has its maximum number of peers.
    pub fn is_full(&self, token: &str) -> bool {
        self.read(|rooms| rooms.broker.is_full(token))
    }

    /// Ids that a peer with this token can reach.
    pub fn ids(&self, token: &str) -> Vec<String> {
        self.read(|rooms| rooms.broker.ids(token).map(str::to_owned).collect())
    }

    /// Counts of this moment and totals since the start.
    pub fn counts(&self) -> (Counts, Tally) {
        self.read(|rooms| (rooms.broker.counts(), rooms.broker.tally()))
    }
}
