//! The program beside a web site that it brings to visitors: `gruppetto tunnel`.
//!
//! - `socket loop` (here): the socket to the server, which is opened again when it is lost;
//! - `visitors`: visitors with their channels, through the server and direct;
//! - `channel`, `stream`: one channel with its multiplexer, and the streams of its requests;
//! - `site`, `http`, `web_socket`: a reverse proxy (RFC 9110) to the local site, with `fields` for
//!   header fields and `access` for what visitors may do;
//! - `addresses`, `key_file`, `metrics`.
//!
//! Contract: [`run`] is used within a [`tokio::task::LocalSet`]. Only the site's address and the
//! server are contacted, and visitors over UDP. Nothing is answered before the token was checked.
//!
//! A tunnel with the code of a ride is served like one without: joining the ride as a companion that
//! announces the page to riders is the concern of the caller, who gets the address by
//! [`Report::Address`].

mod access;
mod addresses;
mod channel;
mod fields;
mod http;
mod key_file;
mod metrics;
mod site;
mod stream;
mod visitors;
mod web_socket;

use std::{
    pin::pin,
    rc::Rc,
    time::{Duration, Instant as StdInstant},
};

use protocol::signaling::IceServer;
use session::SocketEvent;
use thiserror::Error;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval, sleep_until, timeout},
};
use tokio_tungstenite::tungstenite::Message;
use tunnel::control::{self, MAX_MESSAGE, PeerMessage, RefusedReason, ToPeer, VERSION};

pub use access::{Access, Credentials};
pub use addresses::{AddressError, SiteUrl, TunnelUrl};
pub use key_file::{KeyFileError, Secrets, default_path as default_key_file};
pub use metrics::{Bytes, Metrics, Way};
pub use site::TunnelLimits;

use crate::socket::{NumberedEvent, Socket, SocketConfig};
use site::Site;
use visitors::{ToServer, Visitors};

/// Events of the socket that wait to be handled.
const MAX_WAITING: usize = 64;
/// Messages that wait to be sent.
const MAX_WAITING_MESSAGES: usize = 128;
/// Room for control messages in that queue, which frames leave free.
const RESERVE: usize = MAX_WAITING_MESSAGES - 16;
/// Packets that are handled before anything else is done.
const MAX_PACKETS: usize = 64;
/// Delay before the socket is opened again: doubled each time, up to the limit.
const RETRY_DELAY: Duration = Duration::from_millis(500);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);
/// Interval between two liveness checks of the socket.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// Time without a message of the server after which the socket counts as lost.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(45);
/// Time for the last messages to be sent in the end.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// A site that is brought to visitors.
#[derive(Clone, Debug)]
pub struct Tunnel {
    /// Local site.
    pub to: SiteUrl,
    /// Server that the tunnel goes through.
    pub url: TunnelUrl,
    /// Name that visitors see, at most [`control::MAX_NAME`] bytes.
    pub name: String,
    /// Key and token.
    pub secrets: Secrets,
    /// What visitors may do.
    pub access: Access,
    /// Limits.
    pub limits: TunnelLimits,
}

/// Something to tell the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// The tunnel is open at this address, which contains the token. Reported when it is first
    /// open, and when the address has changed.
    Address(String),
    /// Sentence about the connection to the server.
    Note(String),
}

/// Reason why a tunnel has ended by itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TunnelError {
    /// The server does not serve it.
    #[error("{0}")]
    Refused(String),
}

/// State of the socket.
struct Link {
    server: SocketConfig,
    socket: Option<Socket>,
    number: u32,
    /// Instant at which the next socket is opened.
    opens: Option<Instant>,
    failures: u32,
    is_open: bool,
    heard: Instant,
    pinged: Instant,
    ice_servers: Vec<IceServer>,
    tasks: Vec<JoinHandle<()>>,
    post: mpsc::Sender<NumberedEvent>,
}

/// Serves a tunnel until it is told to stop, and returns its numbers.
///
/// # Errors
/// [`TunnelError`], if the server does not serve it.
pub async fn run(
    tunnel: Tunnel,
    mut report: impl FnMut(Report),
    stop: impl Future<Output = ()>,
) -> Result<Metrics, TunnelError> {
    let output = Rc::new(Notify::new());
    let (post, mut events) = mpsc::channel(MAX_WAITING);
    let open = PeerMessage::Open {
        version: VERSION,
        key: tunnel.secrets.key.clone(),
        token_hash: tunnel.secrets.token.hash(),
        name: tunnel.name.clone(),
    };
    let Tunnel {
        to,
        url,
        secrets,
        access,
        limits,
        ..
    } = tunnel;
    let site = Rc::new(Site::new(to, secrets.token.clone(), access, limits));
    let (mut visitors, mut packets) =
        Visitors::new(StdInstant::now(), Rc::clone(&site), Rc::clone(&output));
    let mut link = Link::new(&url, Rc::clone(&output), post);
    let mut address = String::new();
    let mut stop = pin!(stop);
    let mut second = interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        visitors.pump_direct(StdInstant::now());
        if !link.pump(&mut visitors) {
            link.lose(&mut visitors, &mut report);
        }
        let timer = visitors.timeout().map(Instant::from_std);
        let timer = async {
            match timer {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = &mut stop => break,
            Some(event) = events.recv() => {
                if event.socket != link.number || link.socket.is_none() {
                    continue;
                }
                link.heard = Instant::now();
                match event.event {
                    SocketEvent::Opened => {
                        link.send(&open);
                    }
                    SocketEvent::Text(text) => {
                        let Some(message) = control::parse::<ToPeer>(&text) else {
                            continue;
                        };
                        if let ToPeer::Opened { origin, ice_servers, .. } = message {
                            link.opened(ice_servers);
                            site.set_origin(&origin);
                            let link = format!("{origin}/#{}", secrets.token.expose());
                            match link == address {
                                true => report(Report::Note("The tunnel is open again.".to_owned())),
                                false => report(Report::Address(link.clone())),
                            }
                            address = link;
                        } else if let Some(error) = link.handle(message, &mut visitors) {
                            visitors.close_all(StdInstant::now());
                            return Err(error);
                        }
                    }
                    SocketEvent::Binary(bytes) => {
                        if let Some((visitor, frame)) = control::split_visitor(&bytes) {
                            let now = StdInstant::now();
                            visitors.receive_frame(now, visitor, frame, &link.ice_servers);
                        }
                    }
                    SocketEvent::Closed { .. } => link.lose(&mut visitors, &mut report),
                }
            }
            Some(packet) = packets.recv() => {
                let now = StdInstant::now();
                visitors.receive_packet(now, &packet);
                for _ in 1..MAX_PACKETS {
                    let Ok(packet) = packets.try_recv() else { break };
                    visitors.receive_packet(now, &packet);
                }
            }
            () = output.notified() => {}
            () = timer => visitors.handle_timeout(StdInstant::now()),
            _ = second.tick() => {
                visitors.tidy(StdInstant::now());
                if !link.check(Instant::now()) {
                    link.lose(&mut visitors, &mut report);
                }
            }
            () = link.opens() => link.open(),
        }
    }
    visitors.close_all(StdInstant::now());
    // Its tasks must not wait for this queue.
    drop(events);
    link.close().await;
    Ok(visitors.metrics().clone())
}

impl Link {
    fn new(url: &TunnelUrl, output: Rc<Notify>, post: mpsc::Sender<NumberedEvent>) -> Self {
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
    async fn opens(&self) {
        match self.opens {
            Some(at) => sleep_until(at).await,
            None => std::future::pending().await,
        }
    }

    fn open(&mut self) {
        self.opens = None;
        self.number = self.number.wrapping_add(1);
        let (socket, task) = Socket::open(self.server.clone(), self.number, self.post.clone());
        self.socket = Some(socket);
        self.heard = Instant::now();
        self.tasks.retain(|task| !task.is_finished());
        self.tasks.push(task);
    }

    fn opened(&mut self, ice_servers: Vec<IceServer>) {
        self.is_open = true;
        self.failures = 0;
        self.ice_servers = ice_servers;
    }

    /// Handles a message but for that which opens the tunnel.
    fn handle(&mut self, message: ToPeer, visitors: &mut Visitors) -> Option<TunnelError> {
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
    fn pump(&mut self, visitors: &mut Visitors) -> bool {
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

    fn send(&self, message: &PeerMessage) -> bool {
        let message = Message::text(control::to_text(message));
        self.socket.as_ref().is_some_and(|it| it.send(message))
    }

    /// Checks that the server is there. False if the socket is lost.
    fn check(&mut self, now: Instant) -> bool {
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
    fn lose(&mut self, visitors: &mut Visitors, report: &mut impl FnMut(Report)) {
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
    async fn close(mut self) {
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

#[cfg(test)]
mod tests;
