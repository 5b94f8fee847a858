//! Page with the shell, as far as the peer sees it.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use futures_util::{SinkExt, StreamExt};
use mesh::{
    link::SdpKind,
    node::{RtcCommand, RtcEvent},
};
use protocol::{
    peer::DeliveryClass,
    signaling::{DirectLinkSettings, Signal},
};
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use tunnel::{
    control::{self, ToVisitor, VisitorMessage},
    head::Kind,
    identity::AccessToken,
    multiplexer::{Event, Limits, Multiplexer, StreamId},
};

use super::support::head;
use crate::rtc::{ChannelSet, Connections, Packet};

const TIMEOUT: Duration = Duration::from_secs(150);

/// Page with the shell: a socket to the server, and a direct channel.
pub struct Page {
    socket: Option<WebSocketStream<TcpStream>>,
    browser: Connections<u32>,
    packets: mpsc::Receiver<Packet>,
    relayed: Multiplexer,
    direct: Multiplexer,
    is_open: bool,
    is_ready: bool,
    done: Vec<(StreamId, Vec<u8>)>,
    bodies: Vec<(StreamId, Vec<u8>)>,
}

impl Page {
    pub async fn open(visitors: SocketAddr, host: &str, token: &AccessToken) -> Self {
        let stream = TcpStream::connect(visitors).await.unwrap();
        let url = format!("ws://{}/.gruppetto/socket", host);
        let mut request = url.into_client_request().unwrap();
        let origin = format!("http://{}", host);
        request
            .headers_mut()
            .insert("origin", origin.parse().unwrap());
        let (socket, _) = client_async(request, stream).await.unwrap();
        let (browser, packets) = Connections::new(ChannelSet::Tunnel);
        Self {
            socket: Some(socket),
            browser,
            packets,
            relayed: Multiplexer::visitor(Limits::default(), token),
            direct: Multiplexer::visitor(Limits::default(), token),
            is_open: false,
            is_ready: false,
            done: Vec::new(),
            bodies: Vec::new(),
        }
    }

    /// Loads a page over the direct channel.
    pub async fn load(&mut self, path: &str) -> Vec<u8> {
        let head = head(Kind::Http, "GET", path, &[]).encode().unwrap();
        let stream = self.direct.open(&head, false).unwrap();
        let load = async {
            loop {
                if let Some(at) = self.done.iter().position(|(it, _)| *it == stream) {
                    return self.done.swap_remove(at).1;
                }
                self.step().await;
            }
        };
        timeout(TIMEOUT, load).await.expect("in time")
    }

    async fn step(&mut self) {
        while let Some((attempt, event)) = self.browser.poll_event() {
            self.handle(attempt, event).await;
        }
        while self.is_open
            && let Some(bytes) = self.direct.poll_message()
        {
            let class = DeliveryClass::Control;
            let send = RtcCommand::Send { class, bytes };
            self.browser.command(Instant::now(), &1, send);
        }
        while self.is_ready
            && let Some(frame) = self.relayed.poll_message()
        {
            self.send(Message::binary(frame)).await;
        }
        let at = self.browser.timeout();
        let at = at.unwrap_or_else(|| Instant::now() + Duration::from_secs(1));
        let socket = &mut self.socket;
        let message = async {
            match socket {
                Some(socket) => socket.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = message => match message {
                Some(Ok(Message::Text(text))) => self.receive(control::parse(&text).unwrap()),
                Some(Ok(Message::Binary(frame))) => self.relayed.receive(&frame).unwrap(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => self.socket = None,
            },
            Some(packet) = self.packets.recv() => self.browser.receive(Instant::now(), &packet),
            () = sleep_until(at.into()) => self.browser.handle_timeout(Instant::now()),
        }
    }

    async fn send(&mut self, message: Message) {
        if let Some(socket) = &mut self.socket {
            let _ = socket.send(message).await;
        }
    }

    fn receive(&mut self, message: ToVisitor) {
        let now = Instant::now();
        let command = match message {
            ToVisitor::Ready { name, .. } => {
                assert_eq!(name, "Route videos");
                self.is_ready = true;
                let open = RtcCommand::Open {
                    ice_servers: Vec::new(),
                    direct: DirectLinkSettings::default(),
                };
                self.browser.command(now, &1, open);
                RtcCommand::CreateOffer { ice_restart: false }
            }
            ToVisitor::Signal {
                signal: Signal::Answer { sdp, .. },
            } => {
                let kind = SdpKind::Answer;
                RtcCommand::SetRemote { kind, sdp }
            }
            ToVisitor::Signal {
                signal: Signal::Candidates { mut candidates, .. },
            } => RtcCommand::AddCandidate(candidates.remove(0)),
            _ => return,
        };
        self.browser.command(now, &1, command);
    }

    async fn handle(&mut self, attempt: u32, event: RtcEvent) {
        let signal = match event {
            RtcEvent::LocalDescription { sdp, .. } => Signal::Offer { attempt, sdp },
            RtcEvent::Candidate(json) => Signal::Candidates {
                attempt,
                candidates: vec![json],
            },
            RtcEvent::Opened(_) => {
                self.is_open = true;
                return;
            }
            RtcEvent::Frame { bytes, .. } => return self.receive_direct(&bytes),
            RtcEvent::Failed => panic!("the connection failed"),
            _ => return,
        };
        let text = control::to_text(&VisitorMessage::Signal { signal });
        self.send(Message::text(text)).await;
    }

    fn receive_direct(&mut self, frame: &[u8]) {
        self.direct.receive(frame).unwrap();
        while let Some(event) = self.direct.poll_event() {
            match event {
                Event::Head { stream, .. } => self.bodies.push((stream, Vec::new())),
                Event::Data { stream, bytes } => {
                    self.direct.consumed(stream, bytes.len());
                    let body = self.bodies.iter_mut().find(|(it, _)| *it == stream);
                    body.unwrap().1.extend(bytes);
                }
                Event::End { stream } => {
                    let at = self.bodies.iter().position(|(it, _)| *it == stream);
                    self.done.push(self.bodies.swap_remove(at.unwrap()));
                }
                Event::Reset { reason, .. } => panic!("{reason:?}"),
                _ => {}
            }
        }
    }
}
