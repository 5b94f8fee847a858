//! What connections cost that say nothing.

use std::time::Duration;

use tokio::time::sleep;

use super::{Reading, Unit, mebibytes};
use crate::crowd;
use crate::error::BenchError;
use crate::options::Options;
use crate::servers::Running;

/// The row that the aim is about.
pub const PER_CONNECTION: &str = "resident memory a connection";

/// How long the server may put its memory in order, as a garbage collector
/// does.
const SETTLE: Duration = Duration::from_secs(10);

/// Takes it once.
pub async fn take(running: &Running, options: &Options) -> Result<Vec<Reading>, BenchError> {
    let before = running.process().resident()?;
    let sockets = crowd::open(running.address, options.connections).await?;
    let count = sockets.len();
    let mut kept = crowd::keep(sockets);
    sleep(if options.quick { SETTLE / 10 } else { SETTLE }).await;
    let after = running.process().resident()?;
    crowd::all_there(&mut kept)?;
    let each = after.saturating_sub(before) as f64 / 1024.0 / count as f64;
    Ok(vec![
        Reading::new(
            "resident memory without any",
            Unit::Mebibytes,
            mebibytes(before),
        ),
        Reading::new(
            format!("resident memory with {count} idle connections"),
            Unit::Mebibytes,
            mebibytes(after),
        ),
        Reading::new(PER_CONNECTION, Unit::Kibibytes, each),
    ])
}
