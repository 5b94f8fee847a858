//! The attacks, each by few clients. They run until they are dropped.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::SinkExt;
use futures_util::future::{join_all, pending};
use protocol::code::SessionCode;
use protocol::election::Election;
use protocol::frame::ToServer;
use protocol::peer::DeliveryClass;
use protocol::signaling::{ClientMessage, HostTerm, RoomSnapshot};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;

use super::client::{Member, connect, join, open_tcp, request, start_ride, stranger, upgrade};
use crate::error::BenchError;

/// Pause of an attacker after a refusal. Shorter ones only keep the attacker's own machine busy.
const AFTER_REFUSAL: Duration = Duration::from_millis(20);
/// Receive buffer of clients that do not read.
const SMALL_BUFFER: u32 = 4_096;

/// An attack on the server, or on one ride.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attack {
    /// Joining the ride under a new identity and leaving it, in a loop.
    JoinAndLeave,
    /// Coming back as the same member, in a loop.
    Resume,
    /// Coming back with made-up host terms, in a loop.
    HostTerms,
    /// Members of other rides who are sent much and read nothing.
    UnreadQueues,
    /// The same from many addresses.
    ManyUnreadQueues,
    /// Downloads that are not read.
    SlowDownloads,
    /// Connections that send nothing.
    IdleConnections,
    /// Requests whose head does not end.
    LongHeads,
    /// Requests without a path.
    NoPath,
    /// Unknown codes from the networks of one customer.
    GuessedCodes,
    /// Joins for the sake of the credentials for the TURN server.
    TurnNames,
}

/// Counters of an attack.
#[derive(Debug, Default)]
pub struct Progress {
    /// Steps that the server let pass: joins, requests, connections that are open.
    pub done: AtomicU64,
    /// Steps that it refused.
    pub refused: AtomicU64,
    /// Different names of credentials.
    pub names: std::sync::Mutex<std::collections::HashSet<String>>,
}

impl Progress {
    fn count<T>(&self, result: &Result<T, BenchError>) {
        let counter = match result {
            Ok(_) => &self.done,
            Err(_) => &self.refused,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Target of an attack.
#[derive(Debug, Clone)]
pub struct Target {
    /// The server.
    pub server: SocketAddr,
    /// Code of the honest riders' ride, which the attackers know.
    pub code: SessionCode,
    /// Path of a large file.
    pub file: String,
    /// Counters.
    pub progress: Arc<Progress>,
}

impl Attack {
    /// All attacks, in the order of the page.
    pub const ALL: [Self; 11] = [
        Self::JoinAndLeave,
        Self::Resume,
        Self::HostTerms,
        Self::UnreadQueues,
        Self::ManyUnreadQueues,
        Self::SlowDownloads,
        Self::IdleConnections,
        Self::LongHeads,
        Self::NoPath,
        Self::GuessedCodes,
        Self::TurnNames,
    ];

    /// The attack in one sentence.
    pub fn description(self) -> &'static str {
        match self {
            Self::JoinAndLeave => {
                "four clients with the code join the ride as new riders and leave it, in a loop"
            }
            Self::Resume => {
                "four clients join the ride and come back as the same riders, in a loop"
            }
            Self::HostTerms => {
                "four riders of the ride come back with made-up host terms and elections, in a loop"
            }
            Self::UnreadQueues => {
                "960 sockets of four addresses in rides of their own are sent bulk frames, and read nothing"
            }
            Self::ManyUnreadQueues => {
                "9,600 sockets of 80 addresses in rides of their own are sent bulk frames, and read nothing"
            }
            Self::SlowDownloads => {
                "two addresses request a large file on 512 connections each, and read nothing"
            }
            Self::IdleConnections => {
                "two addresses open 512 connections each and send nothing; the server has 1,024 descriptors"
            }
            Self::LongHeads => "one address sends 400 KB of a head on each of 512 connections",
            Self::NoPath => "four connections send `CONNECT a:1`, and again when they are closed",
            Self::GuessedCodes => {
                "60 unknown codes from each of 170 networks (/64) of one customer (/48), through a proxy"
            }
            Self::TurnNames => "one address joins the ride in a loop to get TURN credentials",
        }
    }

    /// Meaning of [`Progress::done`].
    pub fn done(self) -> &'static str {
        match self {
            Self::JoinAndLeave | Self::Resume | Self::HostTerms | Self::TurnNames => "joins",
            Self::UnreadQueues | Self::ManyUnreadQueues => "sockets opened",
            Self::SlowDownloads | Self::IdleConnections | Self::LongHeads => "connections opened",
            Self::NoPath | Self::GuessedCodes => "requests answered",
        }
    }

    /// Settings of the server, beside the defaults.
    pub fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::GuessedCodes => &[("GRUPPETTO_TRUSTED_PROXIES", "127.0.0.9")],
            Self::TurnNames => &[
                ("GRUPPETTO_TURN_SECRET", "a secret of the benchmark"),
                ("GRUPPETTO_TURN_URLS", "turn:turn.example:3478"),
            ],
            _ => &[],
        }
    }

    /// Limit of the server's descriptors.
    pub fn descriptors(self) -> Option<u32> {
        (self == Self::IdleConnections).then_some(1_024)
    }

    /// Whether the attack takes the whole time, and not a third of it.
    pub fn is_long(self) -> bool {
        matches!(
            self,
            Self::JoinAndLeave
                | Self::Resume
                | Self::HostTerms
                | Self::UnreadQueues
                | Self::ManyUnreadQueues
        )
    }

    /// Attacks.
    pub async fn run(self, target: Target) {
        let clients = |count: u8| (1..=count).map(attacker);
        let target = &target;
        match self {
            Self::JoinAndLeave => {
                join_all(clients(4).map(|it| join_and_leave(target, it))).await;
            }
            Self::Resume => {
                join_all(clients(4).map(|it| resume(target, it, false))).await;
            }
            Self::HostTerms => {
                join_all(clients(4).map(|it| resume(target, it, true))).await;
            }
            Self::UnreadQueues => {
                join_all(clients(4).map(|it| unread_queues(target, it, 10))).await;
            }
            Self::ManyUnreadQueues => {
                let clients = (1..=80).map(|network| Ipv4Addr::new(127, 9, network, 1));
                join_all(clients.map(|it| unread_queues(target, it, 5))).await;
            }
            Self::SlowDownloads => {
                let head = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", target.file);
                let head = head.as_bytes();
                join_all(clients(2).map(|it| hold(target, it, head))).await;
            }
            Self::IdleConnections => {
                join_all(clients(2).map(|it| hold(target, it, b""))).await;
            }
            Self::LongHeads => {
                let head = format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}", "x".repeat(400_000));
                hold(target, attacker(1), head.as_bytes()).await;
            }
            Self::NoPath => {
                join_all(clients(4).map(|it| no_path(target, it))).await;
            }
            Self::GuessedCodes => guess_codes(target).await,
            Self::TurnNames => mint_names(target, attacker(1)).await,
        }
        pending().await
    }
}

fn attacker(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 9, number)
}

async fn enter(target: &Target, source: Ipv4Addr) -> Result<Member, BenchError> {
    let socket = connect(target.server, source, &format!("/ws/{}", target.code)).await?;
    join(socket, None, None).await
}

async fn join_and_leave(target: &Target, source: Ipv4Addr) {
    loop {
        let entered = enter(target, source).await;
        target.progress.count(&entered);
        match entered {
            Ok(mut member) => {
                let leave = Message::text(ClientMessage::Leave.to_json());
                let _ = member.socket.send(leave).await;
            }
            Err(_) => sleep(AFTER_REFUSAL).await,
        }
    }
}

/// Comes back in a loop, after it was admitted once.
async fn resume(target: &Target, source: Ipv4Addr, with_terms: bool) {
    let mut epoch = 2;
    let mut known = None;
    loop {
        epoch += 1;
        let snapshot = with_terms.then(|| made_up_terms(epoch));
        let path = format!("/ws/{}", target.code);
        let entered = match connect(target.server, source, &path).await {
            Ok(socket) => join(socket, known.clone(), snapshot).await,
            Err(error) => Err(error),
        };
        target.progress.count(&entered);
        match entered {
            Ok(member) => known = Some(member.resume),
            Err(_) => sleep(AFTER_REFUSAL).await,
        }
    }
}

fn made_up_terms(epoch: u32) -> RoomSnapshot {
    let term = HostTerm {
        epoch,
        peer: stranger(epoch),
        sign_key: [3; 32],
    };
    RoomSnapshot {
        hosts: vec![term.clone()],
        first_host: Some(stranger(epoch)),
        elections: vec![Election {
            term,
            votes: Vec::new(),
        }],
        ..RoomSnapshot::default()
    }
}

/// Rides of 23 members who read nothing, and one who sends to all of them.
async fn unread_queues(target: &Target, source: Ipv4Addr, rides: u32) {
    let mut held = Vec::new();
    let mut senders = Vec::new();
    for _ in 0..rides {
        let Ok(code) = start_ride(target.server, source, "").await else {
            break;
        };
        let path = format!("/ws/{code}");
        for number in 0..24 {
            let buffer = (number > 0).then_some(SMALL_BUFFER);
            let entered = async {
                let stream = open_tcp(target.server, source, buffer).await?;
                join(upgrade(stream, target.server, &path).await?, None, None).await
            };
            let entered = entered.await;
            target.progress.count(&entered);
            match entered {
                Ok(member) if number == 0 => senders.push(member),
                Ok(member) => held.push(member),
                Err(_) => {}
            }
        }
    }
    let payload = vec![0; 15_000];
    let frame = ToServer {
        class: DeliveryClass::Bulk,
        sealed: true,
        targets: Vec::new(),
        payload: &payload,
    };
    let frame = Message::binary(frame.encode());
    join_all(senders.iter_mut().map(|sender| async {
        while sender.socket.send(frame.clone()).await.is_ok() {
            // A member sends 1 MiB a second at most.
            sleep(Duration::from_millis(14)).await;
        }
    }))
    .await;
    pending::<()>().await;
    drop(held);
}

/// Holds 512 connections on which a head was sent, and opens those again that are closed.
async fn hold(target: &Target, source: Ipv4Addr, head: &[u8]) {
    join_all((0..512).map(|_| async {
        loop {
            let opened = open_tcp(target.server, source, Some(SMALL_BUFFER)).await;
            target.progress.count(&opened);
            if let Ok(mut stream) = opened {
                let sent = stream.write_all(head).await;
                // Returns when the server closes the connection.
                while sent.is_ok() && !is_closed(&stream).await {
                    sleep(Duration::from_millis(500)).await;
                }
            }
            sleep(Duration::from_millis(200)).await;
        }
    }))
    .await;
}

/// Returns `true` if the other side has closed or reset the connection. Reads nothing.
async fn is_closed(stream: &tokio::net::TcpStream) -> bool {
    let ready = stream.ready(tokio::io::Interest::READABLE);
    let ready = tokio::time::timeout(Duration::from_millis(1), ready).await;
    matches!(ready, Ok(Ok(ready)) if ready.is_read_closed() || ready.is_error())
        || matches!(ready, Ok(Err(_)))
}

async fn no_path(target: &Target, source: Ipv4Addr) {
    loop {
        let answered = async {
            let mut stream = open_tcp(target.server, source, None).await?;
            loop {
                stream
                    .write_all(b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n")
                    .await?;
                let mut answer = [0; 1_024];
                if stream.read(&mut answer).await? == 0 {
                    return Err(BenchError::Closed);
                }
                target.progress.done.fetch_add(1, Ordering::Relaxed);
            }
        };
        let answered: Result<(), BenchError> = answered.await;
        target.progress.count(&answered);
    }
}

async fn guess_codes(target: &Target) {
    let proxy = Ipv4Addr::new(127, 0, 0, 9);
    for network in 0..170 {
        for guess in 0..60 {
            let path = format!("/api/rides/brave-otter-{:04}", network * 60 + guess);
            let header = format!("X-Forwarded-For: 2001:db8:1:{network:x}::1\r\n");
            let answer = request(target.server, proxy, "GET", &path, &header).await;
            let was_judged = matches!(&answer, Ok(answer) if answer.status == 404);
            let counter = match was_judged {
                true => &target.progress.done,
                false => &target.progress.refused,
            };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }
}

async fn mint_names(target: &Target, source: Ipv4Addr) {
    loop {
        let entered = enter(target, source).await;
        target.progress.count(&entered);
        match entered {
            Ok(mut member) => {
                if let (Some(name), Ok(mut names)) =
                    (member.turn_user, target.progress.names.lock())
                {
                    names.insert(name);
                }
                let leave = Message::text(ClientMessage::Leave.to_json());
                let _ = member.socket.send(leave).await;
            }
            Err(_) => sleep(AFTER_REFUSAL).await,
        }
    }
}
