//! Memory of the server while messages queue up for a receiver that does not
//! read.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Measurement, Unit, mebibytes};
use crate::clients;
use crate::error::BenchError;
use crate::offer::Offer;
use crate::options::Options;
use crate::servers::RunningServer;
use crate::websocket::{ConnectOptions, WebSocket, WriteHalf};

/// Padding that makes each message about 16 KiB long, the size of an OFFER with
/// many candidates.
const PADDING: usize = 15 * 1024;
/// Time limit for sending everything.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Time after sending in which the server may still disconnect the receiver, and
/// the pause before memory is read.
const SETTLE_TIME: Duration = Duration::from_secs(10);
/// Receive buffer of the receiver in bytes: small, so that messages soon queue up
/// in the server.
const RECEIVE_BUFFER: u32 = 16 * 1024;
/// Interval at which the server's open sockets are counted.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Runs the benchmark once.
pub async fn run(
    server: &RunningServer,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let process = server.process();
    let before = process.resident_bytes()?;
    let sender = WebSocket::open(clients::connect_options(server.address, 0), "sender").await?;
    let small_buffer = ConnectOptions {
        receive_buffer: Some(RECEIVE_BUFFER),
        ..clients::connect_options(server.address, 1)
    };
    // Kept open, but never read from.
    let receiver = WebSocket::open(small_buffer, "stalled").await?;
    let open_files = process.open_files()?;
    process.reset_peak()?;
    let write_half = Rc::clone(sender.write_half());
    let total = u64::from(options.stalled_megabytes) * 1_048_576;
    let sent = Cell::new(0);
    let start = Instant::now();
    let disconnected = tokio::select! {
        at = wait_for_disconnect(server, open_files) => Some(at?),
        () = send_all(&write_half, total, &sent) => None,
        error = sender.keep_open() => return Err(error),
    };
    let disconnected = match disconnected {
        Some(at) => Some(at),
        None => timeout(SETTLE_TIME, wait_for_disconnect(server, open_files))
            .await
            .ok()
            .transpose()?,
    };
    sleep(if options.quick {
        SETTLE_TIME / 10
    } else {
        SETTLE_TIME
    })
    .await;
    let after = process.resident_bytes()?;
    let peak = process.peak_bytes()?;
    drop(receiver);
    let until_disconnect = "time until the receiver was disconnected";
    Ok(vec![
        Measurement::new(
            "sent to the receiver",
            Unit::Mebibytes,
            mebibytes(sent.get()),
        ),
        match disconnected {
            Some(at) => {
                Measurement::new(until_disconnect, Unit::Seconds, (at - start).as_secs_f64())
            }
            None => Measurement::failed(until_disconnect, Unit::Seconds),
        },
        Measurement::new(
            "peak memory increase",
            Unit::Mebibytes,
            mebibytes(peak.saturating_sub(before)),
        ),
        Measurement::new(
            "memory increase 10 s later",
            Unit::Mebibytes,
            mebibytes(after.saturating_sub(before)),
        ),
    ])
}

/// Sends as fast as the server reads, until `total` bytes are sent, the server
/// stops reading, or the connection is lost. `sent` counts the bytes.
async fn send_all(write_half: &WriteHalf, total: u64, sent: &Cell<u64>) {
    let mut offer = Offer::new("stalled", PADDING);
    let deadline = Instant::now() + SEND_TIMEOUT;
    let mut number = 0;
    while sent.get() < total && Instant::now() < deadline {
        number += 1;
        if write_half.send(offer.with_sequence(number)).is_err() {
            return;
        }
        while write_half.pending() > 0 {
            match timeout(SEND_TIMEOUT, write_half.writable()).await {
                Ok(Ok(())) if write_half.flush().is_ok() => {}
                _ => return,
            }
        }
        sent.set(sent.get() + offer.len() as u64);
    }
}

/// Waits until the server has closed a socket, and returns the time.
async fn wait_for_disconnect(
    server: &RunningServer,
    open_files: usize,
) -> Result<Instant, BenchError> {
    while server.process().open_files()? >= open_files {
        sleep(POLL_INTERVAL).await;
    }
    Ok(Instant::now())
}
