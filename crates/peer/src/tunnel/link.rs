//! Socket to the server, which is opened again when it is lost.

use std::{
    rc::Rc,
    time::{Duration, Instant as StdInstant},
};

use protocol::signaling::IceServer;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use tunnel::control::{self, MAX_MESSAGE, PeerMessage, RefusedReason, ToPeer};

use super::{
    Report, TunnelError, TunnelUrl,
    visitors::{ToServer, Visitors},
};
use crate::socket::{NumberedEvent, Socket, SocketConfig};

/// Messages that wait to be sent.
const MAX_WAITING_MESSAGES: usize = 128;
/// Room for control messages in that queue, which frames leave free.
const RESERVE: usize = MAX_WAITING_MESSAGES - 16;
/// Delay before the socket is opened again: doubled each time, up to the limit.
const RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
/// Interval between two liveness checks of the socket.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// Time without a message of the server after which the socket counts as lost.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);
/// Time for the last messages to be sent in the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// State of the socket.
pub(super) struct Link {
    server: SocketConfig,
    pub(super) socket: Option<Socket>,
    pub(super) number: u32,
    /// Instant at which the next socket is opened.
    opens: Option<Instant>,
    failures: u32,
    is_open: bool,
    pub(super) heard: Instant,
    pinged: Instant,
    pub(super) ice_servers: Vec<IceServer>,
    tasks: Vec<JoinHandle<()>>,
    post: mpsc::Sender<NumberedEvent>,
}

impl Link {
    pub(super) fn new(
        url: &TunnelUrl,
        output: Rc<Notify>,
        post: mpsc::Sender<NumberedEvent>,
    ) -> Self {
        let now = Instant::now();
        Self {
            server: SocketConfig {
                server: url.server.clone(),
                url: url.server.tunnel_socket_url(),
                max_message: MAX_MESSAGE,
                max_waiting: MAX_WAITING_MESSAGES,
                sent: Some(output),
            },
            socket: None,
            number: 0,
            opens: Some(now),
            failures: 0,
            is_open: false,
            heard: now,
            pinged: now,
            ice_servers: Vec::new(),
            tasks: Vec::new(),
            post,
        }
    }

    /// Waits until a socket is to be opened.
    pub(super) async fn opens(&self) {
        match self.opens {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    pub(super) fn open(&mut self) {
        self.opens = None;
        self.number = self.number.wrapping_add(1);
        let (socket, task) = Socket::open(self.server.clone(), self.number, self.post.clone());
        self.socket = Some(socket);
        self.heard = Instant::now();
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(task);
    }

    pub(super) fn opened(&mut self, ice_servers: Vec<IceServer>) {
        self.is_open = true;
        self.failures = 0;
        self.ice_servers = ice_servers;
    }

    /// Handles a message but for that which opens the tunnel.
    pub(super) fn handle(
        &mut self,
        message: ToPeer,
        visitors: &mut Visitors,
    ) -> Option<TunnelError> {
        let now = StdInstant::now();
        match message {
            ToPeer::Visitor { visitor } => visitors.add(now, visitor),
            ToPeer::Gone { visitor } => visitors.remove(now, visitor),
            ToPeer::Signal { visitor, signal } => {
                visitors.signal(now, visitor, signal, &self.ice_servers);
            }
            ToPeer::Refused { reason, message } => match reason {
                // Another attempt may succeed.
                RefusedReason::Full | RefusedReason::Timeout => {}
                RefusedReason::Replaced => {
                    let text = "Another program serves this tunnel now, with the same key file.";
                    return Some(TunnelError::Refused(text.to_owned()));
                }
                RefusedReason::Disabled | RefusedReason::Version | RefusedReason::Malformed => {
                    let text = printable(&message);
                    let text = format!("The server does not serve this tunnel: {text}");
                    return Some(TunnelError::Refused(text));
                }
            },
            ToPeer::Opened { .. } | ToPeer::Pong => {}
        }
        None
    }

    /// Sends what waits, as far as the socket takes it. False if the socket is lost.
    pub(super) fn pump(&mut self, visitors: &mut Visitors) -> bool {
        if !self.is_open {
            return true;
        }
        while let Some(message) = visitors.poll_control() {
            if !self.send(&message) {
                return false;
            }
        }
        while self
            .socket
            .as_ref()
            .is_some_and(|it| it.capacity() > RESERVE)
        {
            let is_sent = match visitors.poll_relayed(StdInstant::now()) {
                Some(ToServer::Frame(visitor, frame)) => {
                    let message = Message::binary(control::with_visitor(visitor, &frame));
                    self.socket.as_ref().is_some_and(|it| it.send(message))
                }
                Some(ToServer::Control(message)) => self.send(&message),
                None => return true,
            };
            if !is_sent {
                return false;
            }
        }
        true
    }

    pub(super) fn send(&self, message: &PeerMessage) -> bool {
        let message = Message::text(control::to_text(message));
        self.socket.as_ref().is_some_and(|it| it.send(message))
    }

    /// Checks that the server is there. False if the socket is lost.
    pub(super) fn check(&mut self, now: Instant) -> bool {
        if self.socket.is_none() {
            return true;
        }
        if self.is_open && now >= self.pinged + PING_INTERVAL {
            self.pinged = now;
            self.send(&PeerMessage::Ping);
        }
        now < self.heard + SILENCE_TIMEOUT
    }

    /// The socket is lost; another is opened after a delay.
    pub(super) fn lose(&mut self, visitors: &mut Visitors, report: &mut impl FnMut(Report)) {
        self.socket = None;
        visitors.remove_relayed(StdInstant::now());
        let delay = RETRY_DELAY
            .saturating_mul(1 << self.failures.min(10))
            .min(MAX_RETRY_DELAY);
        // Programs that have lost the same server do not all return at once.
        let delay = delay.mul_f64(1.0 - fraction() / 2.0);
        if self.is_open || self.failures == 0 {
            let what = match self.is_open {
                true => "The connection to the server is lost.",
                false => "The server cannot be reached, or takes no tunnels at the moment.",
            };
            report(Report::Note(format!("{what} It is tried again.")));
        }
        self.is_open = false;
        self.failures = self.failures.saturating_add(1);
        self.opens = Some(Instant::now() + delay);
    }

    /// Closes the socket after everything that was sent.
    pub(super) async fn close(mut self) {
        self.socket = None;
        let _ = timeout(CLOSE_TIMEOUT, async {
            for task in self.tasks {
                let _ = task.await;
            }
        })
        .await;
    }
}

/// Sentence of the server without control characters, at most 200.
fn printable(text: &str) -> String {
    let text = text.chars().filter(|it| !it.is_control());
    text.take(200).collect()
}

/// Random number from 0 to 1.
fn fraction() -> f64 {
    let mut bytes = [0; 4];
    // Without random bytes, the delay is the longest.
    let _ = getrandom::fill(&mut bytes);
    f64::from(u32::from_le_bytes(bytes)) / f64::from(u32::MAX)
}
