//! The ride as a picture: what everybody rode, over what was asked.

use core::time::Duration;
use std::sync::Arc;

use ride::workout::Workout;

/// Percent of FTP, one every five seconds of the ride; `None` where nobody
/// measured.
pub type Trace = Arc<Vec<Option<u8>>>;

/// The whole ride.
#[derive(Clone, Debug, PartialEq)]
pub struct RideChart {
    /// What was asked, as long as the ride was.
    pub asked: Arc<Workout>,
    /// The time ridden.
    pub elapsed: Duration,
    /// The own power.
    pub own: Trace,
    /// The others, in order of their numbers; those who left come last.
    pub others: Vec<ChartLine>,
}

/// Another rider in the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartLine {
    /// The start number; none for somebody who has left.
    pub number: Option<u32>,
    /// The name; empty while unknown.
    pub name: String,
    /// Their power.
    pub trace: Trace,
}
