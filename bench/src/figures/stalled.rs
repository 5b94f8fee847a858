//! What a server does with messages for a receiver that stops reading.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::{Reading, Unit, mebibytes};
use crate::crowd;
use crate::error::BenchError;
use crate::offer::Offer;
use crate::options::Options;
use crate::servers::Running;
use crate::wire::{Door, Link, Socket};

/// What makes each message about 16 KiB long, as an OFFER with many
/// candidates can be.
const PADDING: usize = 15 * 1024;
/// How long the sender may take over all of it.
const SENDING: Duration = Duration::from_secs(30);
/// How long the server may take afterwards to cut off a receiver, and to put
/// its memory in order.
const SETTLE: Duration = Duration::from_secs(10);
/// The receiver's own buffer, so that the server notices soon.
const RECEIVE_BUFFER: u32 = 16 * 1024;
/// How often the server's sockets are counted.
const LOOK: Duration = Duration::from_millis(20);

/// Takes it once.
pub async fn take(running: &Running, options: &Options) -> Result<Vec<Reading>, BenchError> {
    let process = running.process();
    let before = process.resident()?;
    let sender = Socket::open(crowd::door(running.address, 0), "sender").await?;
    let narrow = Door {
        receive_buffer: Some(RECEIVE_BUFFER),
        ..crowd::door(running.address, 1)
    };
    // Open, and never read from again.
    let receiver = Socket::open(narrow, "stalled").await?;
    let open = process.open_files()?;
    process.forget_peak()?;
    let link = Rc::clone(sender.link());
    let all = u64::from(options.stalled_megabytes) * 1_048_576;
    let sent = Cell::new(0);
    let start = Instant::now();
    let cut = tokio::select! {
        cut = cut_off(running, open) => Some(cut?),
        () = offer_all(&link, all, &sent) => None,
        ended = sender.stay() => return Err(ended),
    };
    let cut = match cut {
        Some(at) => Some(at),
        None => timeout(SETTLE, cut_off(running, open))
            .await
            .ok()
            .transpose()?,
    };
    sleep(if options.quick { SETTLE / 10 } else { SETTLE }).await;
    let after = process.resident()?;
    let peak = process.peak()?;
    drop(receiver);
    let until_cut = "until the receiver was cut off";
    Ok(vec![
        Reading::new(
            "sent to the receiver",
            Unit::Mebibytes,
            mebibytes(sent.get()),
        ),
        match cut {
            Some(at) => Reading::new(until_cut, Unit::Seconds, (at - start).as_secs_f64()),
            None => Reading::failed(until_cut, Unit::Seconds),
        },
        Reading::new(
            "memory gained at the peak",
            Unit::Mebibytes,
            mebibytes(peak.saturating_sub(before)),
        ),
        Reading::new(
            "memory still held 10 s later",
            Unit::Mebibytes,
            mebibytes(after.saturating_sub(before)),
        ),
    ])
}

/// Sends as fast as the server takes it, until it is all sent, the server
/// takes no more, or the sender is cut off.
async fn offer_all(link: &Link, all: u64, sent: &Cell<u64>) {
    let mut offer = Offer::new("stalled", PADDING);
    let deadline = Instant::now() + SENDING;
    let mut number = 0;
    while sent.get() < all && Instant::now() < deadline {
        number += 1;
        if link.send(offer.numbered(number)).is_err() {
            return;
        }
        while link.waiting() > 0 {
            match timeout(SENDING, link.writable()).await {
                Ok(Ok(())) if link.push().is_ok() => {}
                _ => return,
            }
        }
        sent.set(sent.get() + offer.len() as u64);
    }
}

/// Waits until the server has one socket less; when that was.
async fn cut_off(running: &Running, open: usize) -> Result<Instant, BenchError> {
    while running.process().open_files()? >= open {
        sleep(LOOK).await;
    }
    Ok(Instant::now())
}
