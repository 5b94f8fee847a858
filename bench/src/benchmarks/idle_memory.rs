//! Memory of idle connections.

use std::time::Duration;

use tokio::time::sleep;

use super::{Measurement, Unit, mebibytes};
use crate::clients;
use crate::error::BenchError;
use crate::options::Options;
use crate::servers::RunningServer;

/// Name of the measurement that has a target.
pub const MEMORY_PER_CONNECTION: &str = "resident memory per connection";

/// Pause before memory is read, for a garbage collector to run.
const SETTLE_TIME: Duration = Duration::from_secs(10);

/// Runs the benchmark once.
pub async fn run(
    server: &RunningServer,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let before = server.process().resident_bytes()?;
    let sockets = clients::open(server.address, options.connections).await?;
    let count = sockets.len();
    let mut tasks = clients::keep_open(sockets);
    sleep(match options.quick {
        true => SETTLE_TIME / 10,
        false => SETTLE_TIME,
    })
    .await;
    let after = server.process().resident_bytes()?;
    clients::check_all_open(&mut tasks)?;
    let each = after.saturating_sub(before) as f64 / 1024.0 / count as f64;
    Ok(vec![
        Measurement::new(
            "resident memory without connections",
            Unit::Mebibytes,
            mebibytes(before),
        ),
        Measurement::new(
            format!("resident memory with {count} idle connections"),
            Unit::Mebibytes,
            mebibytes(after),
        ),
        Measurement::new(MEMORY_PER_CONNECTION, Unit::Kibibytes, each),
    ])
}
