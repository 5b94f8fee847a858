//! The signaling socket and the peer connections.

use litemap::LiteMap;

use mesh::link::{RtcCommand, RtcEvent};
use protocol::{code::SessionCode, peer::PeerId};
use session::Input;

use super::queue::{Event, Queue};
use crate::{
    browser::{
        page,
        rtc::{self, Opened, PeerConnection},
        socket::{self, SignalingSocket},
    },
    state::{CandidatePair, CandidateType, DirectLinks},
};

/// Open connections.
pub(super) struct Connections {
    queue: Queue,
    socket: Option<SignalingSocket>,
    /// Connection to each peer, with its number.
    peers: LiteMap<PeerId, (u32, PeerConnection)>,
}

impl Connections {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            socket: None,
            peers: LiteMap::new(),
        }
    }

    pub(super) fn open_socket(&mut self, code: &SessionCode, number: u32) {
        let queue = self.queue.clone();
        let address = page::socket_address(&format!("/ws/{code}"));
        self.socket = SignalingSocket::open(&address, move |event| {
            queue.post(socket_event(number, event));
        });
        if self.socket.is_none() {
            let (code, reason) = (1006, String::new());
            let closed = socket::SocketEvent::Closed { code, reason };
            self.queue.post(socket_event(number, closed));
        }
    }

    pub(super) fn close_socket(&mut self) {
        self.socket = None;
    }

    pub(super) fn send_text(&self, text: &str) {
        if let Some(socket) = &self.socket {
            socket.send_text(text);
        }
    }

    pub(super) fn send_binary(&self, bytes: &[u8]) {
        if let Some(socket) = &self.socket {
            socket.send_binary(bytes);
        }
    }

    pub(super) fn command(&mut self, peer: PeerId, number: u32, command: RtcCommand) {
        let current = self.peers.get(&peer).filter(|(own, _)| *own == number);
        match command {
            RtcCommand::Open {
                ice_servers,
                direct,
            } => {
                let (queue, from) = (self.queue.clone(), peer.clone());
                let opened = PeerConnection::open(&ice_servers, direct, move |event| {
                    queue.post(rtc_event(from.clone(), number, event));
                });
                let links = direct_links(&opened);
                self.queue.post(Event::Input(Input::DirectLinks(links)));
                match opened {
                    Ok(opened) => {
                        self.peers.insert(peer, (number, opened.connection));
                    }
                    Err(_) => self.queue.post(rtc_event(peer, number, RtcEvent::Failed)),
                }
            }
            RtcCommand::Close if current.is_some() => {
                self.peers.remove(&peer);
            }
            command => {
                if let Some((_, connection)) = current {
                    connection.command(command);
                }
            }
        }
    }

    pub(super) fn close_all(&mut self) {
        self.peers.clear();
    }

    /// Asks each connection for the candidate pair that it uses.
    pub(super) fn query_candidate_pairs(&self) {
        for (peer, (number, connection)) in &self.peers {
            let (queue, peer, connection_number) = (self.queue.clone(), peer.clone(), *number);
            let pair = connection.candidate_pair();
            wasm_bindgen_futures::spawn_local(async move {
                let pair = pair.await.as_ref().and_then(candidate_pair);
                queue.post(Event::Input(Input::CandidatePair {
                    peer,
                    connection: connection_number,
                    pair,
                }));
            });
        }
    }
}

fn socket_event(socket: u32, event: socket::SocketEvent) -> Event {
    use session::SocketEvent;
    let event = match event {
        socket::SocketEvent::Opened => SocketEvent::Opened,
        socket::SocketEvent::Text(text) => SocketEvent::Text(text),
        socket::SocketEvent::Binary(bytes) => SocketEvent::Binary(bytes),
        socket::SocketEvent::Closed { code, reason } => SocketEvent::Closed { code, reason },
    };
    Event::Input(Input::Socket { socket, event })
}

fn rtc_event(peer: PeerId, connection: u32, event: RtcEvent) -> Event {
    Event::Input(Input::Rtc {
        peer,
        connection,
        event,
    })
}

fn direct_links(opened: &Result<Opened, String>) -> DirectLinks {
    match opened {
        Ok(opened) if opened.refused.is_empty() => DirectLinks::Possible,
        Ok(opened) => DirectLinks::ServersRefused {
            urls: opened
                .refused
                .iter()
                .map(|server| server.url.clone())
                .collect(),
            used: opened.used,
        },
        Err(reason) => DirectLinks::Blocked(reason.clone()),
    }
}

fn candidate_pair(pair: &rtc::CandidatePair) -> Option<CandidatePair> {
    Some(CandidatePair {
        local: CandidateType::parse(&pair.local)?,
        remote: CandidateType::parse(&pair.remote)?,
    })
}
