//! Every connection drops at the same moment, as when a network in between
//! fails, and every client comes back at once, trying again until it is in.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Reading, Unit, mebibytes};
use crate::crowd;
use crate::error::BenchError;
use crate::options::Options;
use crate::samples::Samples;
use crate::servers::Running;
use crate::wire::Socket;

/// The row that the aim is about.
pub const BACK_IN_TIME: &str = "back within 30 s";
/// The seconds in its name.
pub const PATIENCE_SECONDS: u64 = 30;

const PATIENCE: Duration = Duration::from_secs(PATIENCE_SECONDS);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(5);
/// How long a refused client waits, at least; at most three times that, and
/// different for each.
const RETRY: Duration = Duration::from_millis(500);

/// Takes it once.
pub async fn take(running: &Running, options: &Options) -> Result<Vec<Reading>, BenchError> {
    let process = running.process();
    let sockets = crowd::open(running.address, options.connections).await?;
    sleep(Duration::from_secs(1)).await;
    let (before, used) = (process.resident()?, process.cpu_seconds()?);
    process.forget_peak()?;
    for socket in sockets {
        socket.cut()?;
    }
    let back = come_back(running, options.connections).await;
    let used = process.cpu_seconds()? - used;
    let after = process.resident()?;
    let peak = process.peak()?;
    let share = back.len() as f64 / f64::from(options.connections) * 100.0;
    let when = "until 99 % are back";
    Ok(vec![
        Reading::new(BACK_IN_TIME, Unit::Percent, share),
        match back.quantile(0.99, options.connections as usize) {
            Some(seconds) => Reading::new(when, Unit::Seconds, seconds),
            None => Reading::failed(when, Unit::Seconds),
        },
        Reading::new("server CPU for that", Unit::Seconds, used),
        Reading::new("memory before", Unit::Mebibytes, mebibytes(before)),
        Reading::new("memory at the peak", Unit::Mebibytes, mebibytes(peak)),
        Reading::new("memory at the end", Unit::Mebibytes, mebibytes(after)),
    ])
}

/// After how many seconds each client that came back in time was back; they
/// stay until all are or the time is over.
async fn come_back(running: &Running, connections: u32) -> Samples {
    let start = Instant::now();
    let back = Rc::new(RefCell::new(Vec::new()));
    let mut clients = JoinSet::new();
    for number in 0..connections {
        let door = crowd::door(running.address, number);
        let back = Rc::clone(&back);
        clients.spawn_local(async move {
            let socket = keep_trying(door, number).await;
            back.borrow_mut().push(start.elapsed().as_secs_f64());
            socket.stay().await
        });
    }
    let all = async {
        while back.borrow().len() < connections as usize {
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = all => {}
        () = sleep_until(start + PATIENCE) => {}
    }
    // Whoever was let in and thrown out again is not back: none should be.
    let lost = std::iter::from_fn(|| clients.try_join_next()).count();
    let mut back = back.borrow_mut();
    let kept = back.len().saturating_sub(lost);
    back.truncate(kept);
    back.iter().copied().collect()
}

async fn keep_trying(door: crate::wire::Door, number: u32) -> Socket {
    let name = crowd::name(number);
    loop {
        if let Ok(Ok(socket)) = timeout(ATTEMPT, Socket::open(door, &name)).await {
            return socket;
        }
        sleep(RETRY + RETRY * (number % 101) / 50).await;
    }
}
