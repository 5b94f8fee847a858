//! How long many connections take to open, a few hundred at a time.

use tokio::time::Instant;

use super::{Reading, Unit};
use crate::crowd;
use crate::error::BenchError;
use crate::options::Options;
use crate::servers::Running;

/// Takes it once.
pub async fn take(running: &Running, options: &Options) -> Result<Vec<Reading>, BenchError> {
    let used = running.process().cpu_seconds()?;
    let start = Instant::now();
    let sockets = crowd::open(running.address, options.openings).await?;
    let seconds = start.elapsed().as_secs_f64();
    let used = running.process().cpu_seconds()? - used;
    let count = sockets.len();
    Ok(vec![
        Reading::new(
            format!("until {count} connections are open"),
            Unit::Seconds,
            seconds,
        ),
        Reading::new("server CPU for that", Unit::Seconds, used),
    ])
}
