//! The chart of the summary: the power of all riders over the workout.

use std::sync::Arc;

use ride::workout::Workout;

/// Power in percent of FTP, one value for every five seconds of the ride;
/// `None` where no power was measured.
pub type Trace = Arc<Vec<Option<u8>>>;

/// The whole ride.
#[derive(Clone, Debug, PartialEq)]
pub struct RideChart {
    /// The workout as it was ridden, with skips, repeats and extensions.
    pub ridden: Arc<Workout>,
    /// Power of the rider at this screen.
    pub own: Trace,
    /// The other riders by start number; riders who have left come last.
    pub others: Vec<RiderTrace>,
}

/// Power of another rider.
#[derive(Clone, Debug, PartialEq)]
pub struct RiderTrace {
    /// Start number; none for a rider who has left.
    pub number: Option<u32>,
    /// Name; empty while it is unknown.
    pub name: String,
    /// Power over the ride.
    pub trace: Trace,
}
