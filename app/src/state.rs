//! What the screen shows: signals that the session writes and components read.
//!
//! One way only. Components never write here; they send an [`Intent`] to the
//! session, and what comes of it appears in these signals. Each signal is as
//! narrow as a component's interest, so a new heart rate redraws one number.

mod chart;
mod intents;
mod network;
mod notice;
mod rider_row;

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{code::SessionCode, peer::LinkState};
use ride::{recording::fit::FitError, workout::Workout, zwo::ZwoError};

pub use chart::{ChartLine, RideChart, Trace};
pub use intents::{Intent, Intents};
pub use network::{Candidate, Ends, LinkFacts, NetworkFacts};
pub use notice::{Decision, Denial, Notice};
pub use rider_row::{Metrics, RiderRow, TrainerKind};

/// Where this rider is in the ride: one screen each.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// The page has just opened and asks the server about the code.
    #[default]
    Opening,
    /// This browser rode here before, perhaps still does in another tab.
    WhoAreYou {
        /// The names of the riders it knows, newest first, by position.
        known: Vec<String>,
    },
    /// Somebody new: asks for name and FTP.
    Introduce,
    /// The signaling socket is opening.
    Joining,
    /// Joined; the ride has not been started.
    Lobby,
    /// Started; the first interval is seconds away.
    Countdown,
    /// Riding, or paused by the host ([`Progress::paused`]).
    Riding,
    /// Over: the summary.
    Ended,
    /// The ride cannot be joined, or is over for this rider.
    Refused(Refusal),
    /// Another tab went on as this rider.
    Moved,
    /// The rider left of their own will.
    Left,
}

/// Why a ride cannot be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such code, or its ride is over.
    NoSuchRide,
    /// As many riders as a ride takes, or as many rides as the server takes.
    Full,
    /// Too many rides were started from this network in a short time.
    TooMany,
    /// The host locked the ride.
    Locked,
    /// The host removed this rider ([`RideState::removed`]).
    Removed,
    /// The host closed the ride for everybody.
    Closed,
    /// The address holds no session code at all.
    NotACode,
    /// The server could not be reached.
    Unreachable,
    /// The server speaks another version: the page must be loaded again.
    Outdated,
    /// Anything else the server said.
    Other,
}

/// Where the group is in the workout.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Whole seconds to the start, during the countdown.
    pub countdown: u32,
    /// Milliseconds ridden; never runs backwards.
    pub elapsed_ms: u32,
    /// Where in the workout that is, in milliseconds; the host may move it.
    pub position_ms: u32,
    /// Milliseconds left of the workout.
    pub remaining_ms: u32,
    /// Index of the current interval.
    pub interval: usize,
    /// Milliseconds left of the current interval.
    pub interval_remaining_ms: u32,
    /// Whether the host has paused the ride.
    pub paused: bool,
    /// Whole seconds to going on, once the host has said so.
    pub resumes_in: Option<u32>,
}

/// The state of the own trainer's connection.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TrainerState {
    /// None chosen.
    #[default]
    None,
    /// The simulator.
    Simulated,
    /// The chooser is open, or the connection is being made.
    Connecting,
    /// A real one, by its name.
    Connected(String),
    /// A real one that measures but does not follow the target.
    Uncontrolled(String),
    /// It was connected and has dropped.
    Lost(String),
    /// It could not be connected.
    Failed(TrainerFailure),
}

/// Why a trainer could not be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainerFailure {
    /// This browser has no Web Bluetooth, or the page is not secure.
    Unsupported,
    /// The rider closed the chooser.
    Cancelled,
    /// The device did not answer as a Fitness Machine.
    NotATrainer,
}

/// The own socket to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Connection {
    /// Not asked for: alone, or before joining.
    #[default]
    Idle,
    /// Open.
    Online,
    /// Lost; the ride goes on and it is being reopened.
    Lost {
        /// The attempt under way, from 1.
        attempt: u32,
    },
    /// The server knows the ride no more; this rider rides on alone.
    Alone,
    /// The server knows the ride no more; those who are linked directly ride on together.
    Unserved,
}

/// Why a workout file was not shared.
#[derive(Clone, Debug, PartialEq)]
pub enum FileProblem {
    /// Over 1 MiB.
    TooLarge,
    /// The browser could not read it.
    Unreadable,
    /// It is no workout that can be ridden.
    Refused(ZwoError),
}

/// Why the FIT file could not be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownloadProblem {
    /// The browser did not let it.
    Browser,
    /// There is no file to save.
    Fit(FitError),
}

/// What the end shows.
#[derive(Clone, Debug, PartialEq)]
pub struct RideSummary {
    /// The figures.
    pub figures: ride::analysis::Summary,
    /// The workout's name.
    pub workout: String,
}

/// All signals of a ride. `Copy`, so that it travels through the context.
#[derive(Clone, Copy)]
pub struct RideState {
    /// The screen.
    pub stage: RwSignal<Stage>,
    /// The session code, once known. `None` when riding alone.
    pub code: RwSignal<Option<SessionCode>>,
    /// The address to share: the public one, or this page's own.
    pub invitation: RwSignal<String>,
    /// The riders in order of arrival, oneself among them.
    pub riders: RwSignal<Vec<RiderRow>>,
    /// Whether this rider is the host.
    pub is_host: RwSignal<bool>,
    /// Whether too few riders are reached for the host to decide anything.
    pub controls_wait: RwSignal<bool>,
    /// Whether this rider says go.
    pub ready: RwSignal<bool>,
    /// The own FTP in watts.
    pub ftp: RwSignal<u16>,
    /// The shared workout.
    pub workout: RwSignal<Option<Arc<Workout>>>,
    /// Why the last workout file was not shared.
    pub workout_error: RwSignal<Option<FileProblem>>,
    /// Where the group is in it.
    pub progress: RwSignal<Progress>,
    /// The own numbers.
    pub mine: RwSignal<Metrics>,
    /// The own trainer.
    pub trainer: RwSignal<TrainerState>,
    /// Whether the ride lets nobody new in.
    pub locked: RwSignal<bool>,
    /// Whether this rider was host first and may be again.
    pub may_reclaim: RwSignal<bool>,
    /// Why the host removed this rider; empty where no reason was given.
    pub removed: RwSignal<Option<String>>,
    /// The own socket.
    pub connection: RwSignal<Connection>,
    /// What is known of all links, while somebody looks at it.
    pub network: RwSignal<NetworkFacts>,
    /// The last thing that happened.
    pub notice: RwSignal<Option<Notice>>,
    /// The end.
    pub summary: RwSignal<Option<RideSummary>>,
    /// The end as a picture.
    pub chart: RwSignal<Option<Arc<RideChart>>>,
    /// Why the FIT file could not be saved.
    pub download_error: RwSignal<Option<DownloadProblem>>,
}

impl RideState {
    /// The state before anything is known.
    pub fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::default()),
            code: RwSignal::new(None),
            invitation: RwSignal::new(String::new()),
            riders: RwSignal::new(Vec::new()),
            is_host: RwSignal::new(false),
            controls_wait: RwSignal::new(false),
            ready: RwSignal::new(false),
            ftp: RwSignal::new(200),
            workout: RwSignal::new(None),
            workout_error: RwSignal::new(None),
            progress: RwSignal::new(Progress::default()),
            mine: RwSignal::new(Metrics::default()),
            trainer: RwSignal::new(TrainerState::default()),
            locked: RwSignal::new(false),
            may_reclaim: RwSignal::new(false),
            removed: RwSignal::new(None),
            connection: RwSignal::new(Connection::default()),
            network: RwSignal::new(NetworkFacts::default()),
            notice: RwSignal::new(None),
            summary: RwSignal::new(None),
            chart: RwSignal::new(None),
            download_error: RwSignal::new(None),
        }
    }
}

impl RideState {
    /// Whether there are others and none of them is reached directly, so that
    /// without the server nobody is.
    pub fn has_lost_everybody(&self) -> bool {
        let riders = self.riders.read();
        let mut others = riders.iter().filter(|rider| !rider.is_self).peekable();
        others.peek().is_some() && others.all(|rider| rider.link.get() != LinkState::Direct)
    }
}

impl Default for RideState {
    fn default() -> Self {
        Self::new()
    }
}
