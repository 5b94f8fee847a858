//! Many sockets at once.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use tokio::task::{JoinHandle, JoinSet, spawn_local};

use crate::error::BenchError;
use crate::offer::{Offer, check};
use crate::wire::{Door, Socket};

/// Own addresses that connections are spread over.
const SOURCES: u32 = 20;
/// Sockets that are being opened at any one time.
const OPENING_AT_ONCE: usize = 200;

/// A sender and the receiver that its messages go to.
#[derive(Debug)]
pub struct Pair {
    /// Sends.
    pub sender: Socket,
    /// Receives.
    pub receiver: Socket,
    /// What is sent.
    pub offer: Offer,
}

/// The door of the socket of this number.
pub fn door(server: SocketAddr, number: u32) -> Door {
    // 127.0.0.2 and on; every address of 127/8 is the machine's own.
    let source = Ipv4Addr::new(127, 0, 0, (2 + number % SOURCES) as u8);
    Door {
        server,
        source,
        receive_buffer: None,
    }
}

/// The id of the peer of this number.
pub fn name(number: u32) -> String {
    format!("rider{number}")
}

/// Opens sockets, a few hundred at a time.
///
/// # Errors
/// The first failure: a figure is taken of all of them or of none.
pub async fn open(server: SocketAddr, count: u32) -> Result<Vec<Socket>, BenchError> {
    let queue: Rc<RefCell<VecDeque<u32>>> = Rc::new(RefCell::new((0..count).collect()));
    let openers: Vec<JoinHandle<Result<Vec<Socket>, BenchError>>> = (0..OPENING_AT_ONCE)
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
) -> Result<Vec<Socket>, BenchError> {
    let mut sockets = Vec::new();
    loop {
        let next = queue.borrow_mut().pop_front();
        let Some(number) = next else {
            return Ok(sockets);
        };
        sockets.push(Socket::open(door(server, number), &name(number)).await?);
    }
}

/// Opens pairs, each of which has sent one message that arrived as it should.
/// Their names end on `load`: what was on its way in another load, and waits in
/// the server for its receiver to come back, is for other names.
///
/// # Errors
/// [`BenchError::Unfaithful`] when it did not.
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
            sender: Socket::open(door(server, number), &from).await?,
            receiver: Socket::open(door(server, number), &to).await?,
            offer: Offer::new(&to, 0),
        };
        pair.sender.link().send(pair.offer.numbered(0))?;
        let first = pair.receiver.text().await?;
        check(pair.receiver.bytes(first), &from, &to, 0)?;
        pairs.push(pair);
    }
    Ok(pairs)
}

/// Keeps sockets open and answers their pings; each task ends with its socket.
pub fn keep(sockets: Vec<Socket>) -> JoinSet<BenchError> {
    let mut kept = JoinSet::new();
    for socket in sockets {
        kept.spawn_local(socket.stay());
    }
    kept
}

/// Whether none of the sockets kept has ended.
///
/// # Errors
/// What ended the first that did.
pub fn all_there(kept: &mut JoinSet<BenchError>) -> Result<(), BenchError> {
    match kept.try_join_next() {
        None => Ok(()),
        Some(ended) => Err(joined(ended)),
    }
}

/// What a task of this program came to.
///
/// # Panics
/// When the task did.
pub fn joined<T>(result: Result<T, tokio::task::JoinError>) -> T {
    result.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
