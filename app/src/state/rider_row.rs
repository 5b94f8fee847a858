//! One rider of the list.

use leptos::prelude::*;
use protocol::peer::{LinkState, PeerId};
pub use ride::rider::TrainerKind;

use super::{LinkStats, Trace};

/// A rider's newest numbers. `None` is a number that is not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Power in watts.
    pub power: Option<u16>,
    /// Cadence in revolutions per minute.
    pub cadence: Option<u8>,
    /// Heart rate in beats per minute.
    pub heart_rate: Option<u8>,
    /// Target power in watts.
    pub target: Option<u16>,
    /// Time ridden in milliseconds.
    pub elapsed_ms: u32,
    /// Position in the workout in milliseconds.
    pub position_ms: u32,
}

/// One row of the list of riders. It exists while the rider is in the ride; the
/// values change inside its signals.
///
/// The signals are reference counted, since the session and several views hold
/// them with different lifetimes. A component turns those it needs into `Copy`
/// signals with `RwSignal::from`.
#[derive(Clone)]
pub struct RiderRow {
    /// Peer id.
    pub peer: PeerId,
    /// Key of the row, never used twice: a rider who leaves and returns gets a
    /// new one.
    pub row: u32,
    /// True for the rider at this screen.
    pub is_self: bool,
    /// Start number: the order of joining, from 1; 0 while it is unknown.
    pub number: ArcRwSignal<u32>,
    /// Name; empty while it is unknown.
    pub name: ArcRwSignal<String>,
    /// FTP in watts.
    pub ftp: ArcRwSignal<Option<u16>>,
    /// True if the rider is ready to start.
    pub ready: ArcRwSignal<bool>,
    /// Kind of trainer.
    pub trainer: ArcRwSignal<TrainerKind>,
    /// True for the host.
    pub host: ArcRwSignal<bool>,
    /// State of the link to the rider; not used for the own row.
    pub link: ArcRwSignal<LinkState>,
    /// True if the newest numbers are older than 3 s.
    pub stale: ArcRwSignal<bool>,
    /// The newest numbers.
    pub metrics: ArcRwSignal<Metrics>,
    /// Statistics of the link, updated while the connection panel is open.
    pub link_stats: ArcRwSignal<LinkStats>,
    /// Power of the last ten minutes.
    pub trace: ArcRwSignal<Trace>,
}

impl RiderRow {
    /// A row with empty values.
    pub fn new(peer: PeerId, row: u32, is_self: bool) -> Self {
        Self {
            peer,
            row,
            is_self,
            number: ArcRwSignal::new(0),
            name: ArcRwSignal::new(String::new()),
            ftp: ArcRwSignal::new(None),
            ready: ArcRwSignal::new(false),
            trainer: ArcRwSignal::new(TrainerKind::None),
            host: ArcRwSignal::new(false),
            link: ArcRwSignal::new(LinkState::Connecting),
            stale: ArcRwSignal::new(true),
            metrics: ArcRwSignal::new(Metrics::default()),
            link_stats: ArcRwSignal::new(LinkStats::default()),
            trace: ArcRwSignal::default(),
        }
    }
}
