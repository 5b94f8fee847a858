//! Time to open many connections, up to 200 of them at the same time.

use tokio::time::Instant;

use super::{Measurement, Unit};
use crate::clients;
use crate::error::BenchError;
use crate::options::Options;
use crate::servers::RunningServer;

/// Runs the benchmark once.
pub async fn run(
    server: &RunningServer,
    options: &Options,
) -> Result<Vec<Measurement>, BenchError> {
    let cpu_before = server.process().cpu_seconds()?;
    let start = Instant::now();
    let sockets = clients::open(server.address, options.openings).await?;
    let seconds = start.elapsed().as_secs_f64();
    let cpu = server.process().cpu_seconds()? - cpu_before;
    let count = sockets.len();
    Ok(vec![
        Measurement::new(
            format!("time until {count} connections are open"),
            Unit::Seconds,
            seconds,
        ),
        Measurement::new("server CPU time", Unit::Seconds, cpu),
    ])
}
