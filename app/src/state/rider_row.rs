//! One rider of the list.

use leptos::prelude::*;
use protocol::peer::{LinkState, PeerId};
use session::view::Row;

use super::{LinkStats, Metrics, Trace, TrainerKind, set_if_changed};

/// One row of the list of riders. It exists while the rider is in the ride; the
/// values change inside its signals.
///
/// The signals are reference counted, since the driver and several views hold
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
    /// True if another rider has the same name.
    pub shares_name: ArcRwSignal<bool>,
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
    /// Takes over the values of a row of the session's view.
    pub fn update(&self, row: &Row) {
        set_if_changed(&self.number, &row.number);
        set_if_changed(&self.name, &row.name);
        set_if_changed(&self.shares_name, &row.shares_name);
        set_if_changed(&self.ftp, &row.ftp);
        set_if_changed(&self.ready, &row.ready);
        set_if_changed(&self.trainer, &row.trainer);
        set_if_changed(&self.host, &row.is_host);
        set_if_changed(&self.link, &row.link);
        set_if_changed(&self.stale, &row.stale);
        set_if_changed(&self.metrics, &row.metrics);
        set_if_changed(&self.link_stats, &row.link_stats);
        set_if_changed(&self.trace, &row.trace);
    }

    /// A row with empty values.
    pub fn new(peer: PeerId, row: u32, is_self: bool) -> Self {
        Self {
            peer,
            row,
            is_self,
            number: ArcRwSignal::new(0),
            name: ArcRwSignal::new(String::new()),
            shares_name: ArcRwSignal::new(false),
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
