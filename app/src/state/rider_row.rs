//! One rider in the list.

use leptos::prelude::*;
use protocol::peer::LinkState;

use super::{LinkFacts, Trace};

/// One rider's newest numbers. `None` is a number nobody measures.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Watts.
    pub power: Option<u16>,
    /// Revolutions a minute.
    pub cadence: Option<u8>,
    /// Beats a minute.
    pub heart_rate: Option<u8>,
    /// Watts asked of the rider now.
    pub target: Option<u16>,
    /// Milliseconds ridden.
    pub elapsed_ms: u32,
    /// Where in the workout that is, in milliseconds.
    pub position_ms: u32,
}

/// What kind of trainer a rider has.
pub use ride::rider::TrainerKind;

/// One row of the riders' list. The row lives as long as the rider is in the
/// ride; its signals change under it.
#[derive(Clone)]
pub struct RiderRow {
    /// The peer id.
    pub peer: String,
    /// Different for every row there ever was: a rider who leaves and comes back
    /// gets a new one.
    pub row: u32,
    /// Whether this is the rider at this screen.
    pub is_self: bool,
    /// The start number on the rider's bib: the order of joining, from 1; 0
    /// until it is known.
    pub number: ArcRwSignal<u32>,
    /// The rider's name; empty until it has arrived.
    pub name: ArcRwSignal<String>,
    /// FTP in watts.
    pub ftp: ArcRwSignal<Option<u16>>,
    /// Whether the rider says go.
    pub ready: ArcRwSignal<bool>,
    /// What the rider rides on.
    pub trainer: ArcRwSignal<TrainerKind>,
    /// Whether the rider is the host.
    pub host: ArcRwSignal<bool>,
    /// The link to the rider; without meaning for oneself.
    pub link: ArcRwSignal<LinkState>,
    /// Numbers older than 3 s.
    pub stale: ArcRwSignal<bool>,
    /// The newest numbers.
    pub metrics: ArcRwSignal<Metrics>,
    /// What is known of the way to the rider, while somebody looks at it.
    pub facts: ArcRwSignal<LinkFacts>,
    /// The last ten minutes.
    pub trace: ArcRwSignal<Trace>,
}

impl RiderRow {
    /// A row for a rider of whom nothing is known yet.
    pub fn new(peer: String, row: u32, is_self: bool) -> Self {
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
            facts: ArcRwSignal::new(LinkFacts::default()),
            trace: ArcRwSignal::default(),
        }
    }

    /// The word for the link: `self`, or the state's own.
    pub fn link_word(&self) -> &'static str {
        if self.is_self {
            "self"
        } else {
            self.link.get().as_str()
        }
    }
}
