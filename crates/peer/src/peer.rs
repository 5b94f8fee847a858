//! Driver of a [`Session`] on tokio.
//!
//! Everything that happens is an [`Event`] in one queue. Each is handled with the clocks read once;
//! then the session's outputs are carried out.

use std::{
    collections::VecDeque,
    time::{Duration, Instant as StdInstant},
};

use clock::{Moment, Now};
use protocol::{code::SessionCode, peer::PeerId};
use ride::recording::fit::SubSport;
use session::{
    Input, Intent, OpenedRecording, Opening, Output, RideInfo, RideSession, Session, SessionConfig,
    SocketEvent,
    devices::{ChooserError, DeviceCommand, DeviceEvent, DeviceInput},
    exchange::{self, ExchangeInput},
    storage::StoredDevices,
    view::{FitDownloadError, JoinError, View},
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    clocks::Clocks,
    exchange::ExchangeView,
    rtc::{ChannelSet, Connections, Packet},
    server::RideUrl,
    socket::{NumberedEvent, Socket, SocketConfig},
    storage::MemoryStorage,
};

/// Events that wait to be handled. Beyond it, sockets are not read.
const MAX_WAITING: usize = 256;
/// Largest message of the server in bytes: its welcome has all members of the ride, and is larger
/// than what riders send.
const MAX_SOCKET_MESSAGE: usize = 1024 * 1024;
/// Messages that wait to be sent. A server that reads so slowly counts as lost.
const MAX_WAITING_MESSAGES: usize = 1_024;
/// Time for the last messages to be sent when a peer is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Settings of a peer.
#[derive(Clone, Debug)]
pub struct PeerConfig {
    /// Ride to join.
    pub ride: RideUrl,
    /// True for direct links, where the server allows them; otherwise the server relays all.
    pub has_direct_links: bool,
}

/// Event from outside.
#[derive(Debug)]
pub(crate) enum Event {
    /// The server's answer about the ride.
    LookedUp(Result<RideInfo, JoinError>),
    /// Event of the signaling socket.
    Socket(NumberedEvent),
}

impl From<NumberedEvent> for Event {
    fn from(event: NumberedEvent) -> Self {
        Self::Socket(event)
    }
}

/// A session with its connections: that of a rider, or of a [`Companion`](crate::Companion). Dropping
/// it is like a page that crashes: [`Peer::close`] ends it in order.
#[derive(Debug)]
pub struct Peer<S: Session = RideSession> {
    ride: RideUrl,
    clocks: Clocks,
    session: S,
    post: mpsc::Sender<Event>,
    events: mpsc::Receiver<Event>,
    /// Answers that outputs have at once.
    answers: VecDeque<Input>,
    socket: Option<Socket>,
    connections: Connections<(PeerId, u32)>,
    packets: mpsc::Receiver<Packet>,
    /// Tasks of sockets that are open or closing.
    socket_tasks: Vec<JoinHandle<()>>,
    storage: MemoryStorage,
    exchange: ExchangeView,
}

impl Peer {
    /// Opens the ride. Within a [`tokio::task::LocalSet`].
    pub fn open(config: PeerConfig) -> Self {
        let PeerConfig {
            ride,
            has_direct_links,
        } = config;
        let opening = Opening::Group {
            address: ride.code.to_string(),
            reloaded: false,
        };
        Self::start(ride, has_direct_links, |config, now| {
            let mut session = RideSession::new(config, now, opening);
            session.load_exchange(now, exchange::open_without_media);
            session
        })
    }
}

impl<S: Session> Peer<S> {
    /// Starts a session. Within a [`tokio::task::LocalSet`].
    pub(crate) fn start(
        ride: RideUrl,
        has_direct_links: bool,
        open: impl FnOnce(SessionConfig, Now) -> S,
    ) -> Self {
        let clocks = Clocks::start();
        let (post, events) = mpsc::channel(MAX_WAITING);
        let config = SessionConfig {
            origin: ride.server.to_string(),
            p2p_available: has_direct_links,
            entropy: entropy(),
            sub_sport: SubSport::default(),
            utc_offset: 0,
            devices: StoredDevices::default(),
        };
        let (connections, packets) = Connections::new(ChannelSet::Rider);
        let mut peer = Self {
            ride,
            clocks,
            session: open(config, clocks.now()),
            post,
            events,
            answers: VecDeque::new(),
            socket: None,
            connections,
            packets,
            socket_tasks: Vec::new(),
            storage: MemoryStorage::default(),
            exchange: ExchangeView::default(),
        };
        peer.carry_out();
        peer
    }

    pub(crate) fn session(&self) -> &S {
        &self.session
    }

    /// Everything that a screen would show.
    pub fn view(&self) -> &View {
        self.session.view()
    }

    /// Chat and file transfers that a screen would show.
    pub fn exchange(&self) -> &ExchangeView {
        &self.exchange
    }

    /// Readings of the peer's clocks.
    pub fn now(&self) -> Now {
        self.clocks.now()
    }

    /// Instant of a moment of these clocks, for timers.
    pub fn instant(&self, at: Moment) -> Instant {
        self.clocks.instant(at)
    }

    /// Handles a request of the rider.
    pub fn intend(&mut self, intent: Intent) {
        self.handle(Input::Intent(intent));
    }

    /// Handles a request of the rider about the chat or a file transfer.
    pub fn intend_exchange(&mut self, input: ExchangeInput) {
        crate::exchange::call(&mut self.session, self.clocks, input);
        self.carry_out();
    }

    /// Waits for the next event or timeout and handles it. Cancellation loses nothing.
    pub async fn step(&mut self) {
        let session = self.session.poll_timeout();
        let session = session.map(|at| self.clocks.instant(at));
        let connections = self.connections.timeout().map(Instant::from_std);
        let timer = async {
            match session.into_iter().chain(connections).min() {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some(event) = self.events.recv() => self.handle_event(event),
            Some(packet) = self.packets.recv() => {
                self.connections.receive(StdInstant::now(), &packet);
                self.carry_out();
            }
            () = timer => {
                self.connections.handle_timeout(StdInstant::now());
                match session.is_some_and(|at| at <= Instant::now()) {
                    true => self.handle(Input::Timeout),
                    false => self.carry_out(),
                }
            }
        }
    }

    fn handle_event(&mut self, event: Event) {
        match event {
            Event::LookedUp(result) => {
                let stored = Box::new(self.storage.load());
                self.handle(Input::LookedUp { result, stored });
            }
            Event::Socket(NumberedEvent { socket, event }) => {
                // The session expects nothing of a socket that it has closed.
                if self.socket.as_ref().map(Socket::number) != Some(socket) {
                    return;
                }
                if matches!(event, SocketEvent::Closed { .. }) {
                    self.socket = None;
                }
                self.handle(Input::Socket { socket, event });
            }
        }
    }

    /// Ends the session, and waits until everything that it sent is on its way.
    pub async fn close(mut self) {
        self.session.close();
        self.carry_out();
        self.connections.close_all(StdInstant::now());
        self.socket = None;
        // Its tasks must not wait for this queue.
        self.events.close();
        let tasks = std::mem::take(&mut self.socket_tasks);
        let _ = timeout(CLOSE_TIMEOUT, async {
            for task in tasks {
                let _ = task.await;
            }
        })
        .await;
    }

    fn handle(&mut self, input: Input) {
        self.session.handle(self.clocks.now(), input);
        self.carry_out();
    }

    /// Carries out all outputs, and handles the answers that they have at once.
    fn carry_out(&mut self) {
        loop {
            while let Some(output) = self.session.poll_output() {
                self.carry_out_one(output);
            }
            crate::exchange::carry_out(&mut self.session, self.clocks, &mut self.exchange);
            while let Some(((peer, connection), event)) = self.connections.poll_event() {
                self.answers.push_back(Input::Rtc {
                    peer,
                    connection,
                    event,
                });
            }
            match self.answers.pop_front() {
                Some(answer) => self.session.handle(self.clocks.now(), answer),
                None => break,
            }
        }
        self.socket_tasks.retain(|task| !task.is_finished());
    }

    fn carry_out_one(&mut self, output: Output) {
        match output {
            Output::LookUp(code) => self.look_up(code),
            Output::OpenSocket { code, socket } => {
                let config = SocketConfig {
                    server: self.ride.server.clone(),
                    url: self.ride.server.socket_url(&code),
                    max_message: MAX_SOCKET_MESSAGE,
                    max_waiting: MAX_WAITING_MESSAGES,
                    sent: None,
                };
                let (socket, task) = Socket::open(config, socket, self.post.clone());
                self.socket = Some(socket);
                self.socket_tasks.push(task);
            }
            Output::CloseSocket => self.socket = None,
            Output::SendText(text) => self.send(Message::text(text)),
            Output::SendBinary(bytes) => self.send(Message::binary(bytes)),
            Output::Rtc {
                peer,
                connection,
                command,
            } => {
                let now = StdInstant::now();
                let links = self.connections.command(now, &(peer, connection), command);
                self.answers.extend(links.map(Input::DirectLinks));
            }
            Output::CloseConnections => self.connections.close_all(StdInstant::now()),
            Output::Storage(command) => self.storage.carry_out(command),
            // The recording of a peer is not kept.
            Output::OpenRecording { open, .. } => {
                let opened = OpenedRecording::Empty;
                self.answers
                    .push_back(Input::RecordingOpened { open, opened });
            }
            Output::WriteRecording { write, .. } => {
                let is_stored = true;
                self.answers
                    .push_back(Input::RecordingWritten { write, is_stored });
            }
            Output::SaveFit(_) => {
                let refused = Input::FitSaved(Err(FitDownloadError::Browser));
                self.answers.push_back(refused);
            }
            Output::CopyLink(_) => self.answers.push_back(Input::LinkCopied(false)),
            Output::Device(command) => self.answers.extend(device_answer(&command)),
            Output::NeedEntropy => self.answers.extend(entropy().map(Input::Entropy)),
            // str0m does not tell the types of the candidates.
            Output::QueryCandidatePair => {
                let answer = |(peer, connection): &(PeerId, u32)| Input::CandidatePair {
                    peer: peer.clone(),
                    connection: *connection,
                    pair: None,
                };
                self.answers.extend(self.connections.keys().map(answer));
            }
            Output::FindUnfinishedSolo
            | Output::KeepScreenOn(_)
            | Output::Sound(_)
            | Output::Notice(_) => {}
        }
    }

    fn look_up(&self, code: SessionCode) {
        let (server, post) = (self.ride.server.clone(), self.post.clone());
        let token = self.storage.token().cloned();
        tokio::task::spawn_local(async move {
            let answer = server.look_up(&code, token.as_ref()).await;
            let _ = post.send(Event::LookedUp(answer)).await;
        });
    }

    fn send(&mut self, message: Message) {
        let Some(socket) = &self.socket else { return };
        if !socket.send(message) {
            let number = socket.number();
            self.socket = None;
            self.answers.push_back(Input::Socket {
                socket: number,
                event: SocketEvent::Closed {
                    code: 1006,
                    reason: String::new(),
                },
            });
        }
    }
}

/// Answer of a computer without Bluetooth.
fn device_answer(command: &DeviceCommand) -> Option<Input> {
    let (attempt, event) = match command {
        DeviceCommand::Choose { attempt, .. } => {
            let event = DeviceEvent::NotChosen(ChooserError::Unsupported);
            (*attempt, event)
        }
        DeviceCommand::Find { attempt, .. } => (*attempt, DeviceEvent::NotRemembered),
        _ => return None,
    };
    Some(Input::Device(DeviceInput { attempt, event }))
}

/// Random bytes of the operating system; `None` if it has none.
fn entropy() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).ok()?;
    Some(bytes)
}
