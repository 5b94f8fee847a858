//! Many client connections at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use tokio::task::{JoinHandle, JoinSet, spawn_local};

use crate::error::BenchError;
use crate::offer::{Offer, verify_relayed};
use crate::websocket::{ConnectOptions, WebSocket};

/// Number of source addresses that the connections are spread over, so that the
/// ports of one address are not exhausted.
const SOURCES: u32 = 20;
/// Connections that are being opened at the same time.
const OPENING_AT_ONCE: usize = 200;

/// Two clients: one sends all its messages to the other.
#[derive(Debug)]
pub struct Pair {
    /// The sending client.
    pub sender: WebSocket,
    /// The receiving client.
    pub receiver: WebSocket,
    /// Message to the receiver.
    pub offer: Offer,
}

/// Connection parameters of the client with the given number.
pub fn connect_options(server: SocketAddr, number: u32) -> ConnectOptions {
    // From 127.0.0.2 on: every address of 127/8 is a loopback address.
    let source = Ipv4Addr::new(127, 0, 0, (2 + number % SOURCES) as u8);
    ConnectOptions {
        server,
        source,
        receive_buffer: None,
    }
}

/// PeerJS id of the client with the given number.
pub fn peer_id(number: u32) -> String {
    format!("rider{number}")
}

/// Opens `count` connections, [`OPENING_AT_ONCE`] at a time.
///
/// # Errors
/// The first failure; a measurement with fewer connections would be misleading.
pub async fn open(server: SocketAddr, count: u32) -> Result<Vec<WebSocket>, BenchError> {
    let queue: Rc<RefCell<VecDeque<u32>>> = Rc::new(RefCell::new((0..count).collect()));
    let openers: Vec<JoinHandle<Result<Vec<WebSocket>, BenchError>>> = (0..OPENING_AT_ONCE)
        .map(|_| spawn_local(open_from(server, Rc::clone(&queue))))
        .collect();
    let mut sockets = Vec::with_capacity(count as usize);
    for opener in openers {
        sockets.extend(joined(opener.await)?);
    }
    Ok(sockets)
}

async fn open_from(
    server: SocketAddr,
    queue: Rc<RefCell<VecDeque<u32>>>,
) -> Result<Vec<WebSocket>, BenchError> {
    let mut sockets = Vec::new();
    loop {
        let next = queue.borrow_mut().pop_front();
        let Some(number) = next else {
            return Ok(sockets);
        };
        sockets.push(WebSocket::open(connect_options(server, number), &peer_id(number)).await?);
    }
}

/// Opens pairs and checks that one message of each arrives unchanged.
///
/// The ids end with `load`, so that messages of an earlier load, which the
/// server may still hold for their receivers, are not delivered to these clients.
///
/// # Errors
/// [`BenchError::IncorrectRelay`] when a message arrives changed.
pub async fn open_pairs(
    server: SocketAddr,
    count: u32,
    load: u32,
) -> Result<Vec<Pair>, BenchError> {
    let mut pairs = Vec::with_capacity(count as usize);
    for number in 0..count {
        let (from, to) = (
            format!("sender{number}-{load}"),
            format!("receiver{number}-{load}"),
        );
        let mut pair = Pair {
            sender: WebSocket::open(connect_options(server, number), &from).await?,
            receiver: WebSocket::open(connect_options(server, number), &to).await?,
            offer: Offer::new(&to, 0),
        };
        pair.sender.write_half().send(pair.offer.with_sequence(0))?;
        let first = pair.receiver.text().await?;
        verify_relayed(pair.receiver.bytes(first), &from, &to, 0)?;
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Spawns a task per connection that keeps it open and answers pings. A task
/// ends when its connection ends.
pub fn keep_open(sockets: Vec<WebSocket>) -> JoinSet<BenchError> {
    let mut kept = JoinSet::new();
    for socket in sockets {
        kept.spawn_local(socket.keep_open());
    }
    kept
}

/// Checks that no connection of [`keep_open`] has ended.
///
/// # Errors
/// The error that ended the first one.
pub fn check_all_open(kept: &mut JoinSet<BenchError>) -> Result<(), BenchError> {
    match kept.try_join_next() {
        None => Ok(()),
        Some(ended) => Err(joined(ended)),
    }
}

/// Result of a finished task.
///
/// # Panics
/// Resumes the panic of the task.
pub fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
