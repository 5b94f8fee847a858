//! Recovery after all connections drop at the same moment, as when a network
//! fails: every client reconnects at once and retries until it is connected.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::{Measurement, Unit, mebibytes};
use crate::clients;
use crate::error::BenchError;
use crate::options::Options;
use crate::samples::Samples;
use crate::servers::RunningServer;
use crate::websocket::{ConnectOptions, WebSocket};

/// Name of the measurement that has a target.
pub const RECONNECTED_IN_TIME: &str = "reconnected within 30 s";
/// Time limit in that name, in seconds.
pub const DEADLINE_SECONDS: u64 = 30;

const DEADLINE: Duration = Duration::from_secs(DEADLINE_SECONDS);
/// Time limit of one attempt.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shortest delay before a client retries. The longest is three times that; each
/// client has its own.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(500);

/// Runs the benchmark once.
pub async fn run(
    server: &RunningServer,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let process = server.process();
    let sockets = clients::open(server.address, options.connections).await?;
    sleep(Duration::from_secs(1)).await;
    let (before, cpu_before) = (process.resident_bytes()?, process.cpu_seconds()?);
    process.reset_peak()?;
    for socket in sockets {
        socket.reset()?;
    }
    let reconnected = reconnect_all(server, options.connections).await;
    let cpu = process.cpu_seconds()? - cpu_before;
    let after = process.resident_bytes()?;
    let peak = process.peak_bytes()?;
    let share = reconnected.len() as f64 / f64::from(options.connections) * 100.0;
    let time_to_99 = "time until 99 % are reconnected";
    Ok(vec![
        Measurement::new(RECONNECTED_IN_TIME, Unit::Percent, share),
        match reconnected.quantile(0.99, options.connections as usize) {
            Some(seconds) => Measurement::new(time_to_99, Unit::Seconds, seconds),
            None => Measurement::failed(time_to_99, Unit::Seconds),
        },
        Measurement::new("server CPU time", Unit::Seconds, cpu),
        Measurement::new("memory before", Unit::Mebibytes, mebibytes(before)),
        Measurement::new("memory at the peak", Unit::Mebibytes, mebibytes(peak)),
        Measurement::new("memory at the end", Unit::Mebibytes, mebibytes(after)),
    ])
}

/// Reconnects all clients. Returns the seconds after which each connected; late
/// ones and those that were disconnected again are missing.
async fn reconnect_all(server: &RunningServer, connections: u32) -> Samples {
    let start = Instant::now();
    let times = Rc::new(RefCell::new(Vec::new()));
    let mut tasks = JoinSet::new();
    for number in 0..connections {
        let options = clients::connect_options(server.address, number);
        let times = Rc::clone(&times);
        tasks.spawn_local(async move {
            let socket = connect_with_retries(options, number).await;
            times.borrow_mut().push(start.elapsed().as_secs_f64());
            socket.keep_open().await
        });
    }
    let all_connected = async {
        while times.borrow().len() < connections as usize {
            sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = all_connected => {}
        () = sleep_until(start + DEADLINE) => {}
    }
    // A client that was disconnected again does not count. None should be.
    let lost = std::iter::from_fn(|| tasks.try_join_next()).count();
    let mut times = times.borrow_mut();
    let kept = times.len().saturating_sub(lost);
    times.truncate(kept);
    times.iter().copied().collect()
}

async fn connect_with_retries(options: ConnectOptions, number: u32) -> WebSocket {
    let id = clients::peer_id(number);
    loop {
        if let Ok(Ok(socket)) = timeout(ATTEMPT_TIMEOUT, WebSocket::open(options, &id)).await {
            return socket;
        }
        sleep(MIN_RETRY_DELAY + MIN_RETRY_DELAY * (number % 101) / 50).await;
    }
}
