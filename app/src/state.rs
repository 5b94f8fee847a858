//! State of the screen: signals that the session writes and components read.
//!
//! Data flows one way. Components never write these signals; they send an
//! [`Intent`] to the session, and its effect appears here. Each signal is as
//! narrow as the interest of one component, so that a new heart rate redraws
//! one number.

mod chart;
mod intents;
mod network;
mod notice;
mod rider_row;

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{code::SessionCode, peer::LinkState};
use ride::{recording::fit::FitError, workout::Workout, zwo::ZwoError};

pub use chart::{RideChart, RiderTrace, Trace};
pub use intents::{Intent, Intents};
pub use network::{CandidatePair, CandidateType, LinkStats, NetworkStats};
pub use notice::{CommandRejection, HostAction, Notice};
pub use rider_row::{Metrics, RiderRow, TrainerKind};

/// Stage of this rider's ride. Each has its own screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// The page asks the server about the code.
    #[default]
    LookingUp,
    /// This browser was in the ride before, perhaps still is in another tab:
    /// asks which rider to resume.
    ChooseRider {
        /// Names of the riders that it knows, newest first. The position is the
        /// argument of [`Intent::ResumeAs`].
        known: Vec<String>,
    },
    /// Asks a new rider for name and FTP.
    EnterName,
    /// The signaling socket is opening.
    Joining,
    /// Joined; the ride has not been started.
    Lobby,
    /// The ride starts in a few seconds.
    Countdown,
    /// The ride runs or is paused ([`Progress::paused`]).
    Riding,
    /// The ride is over; the summary is shown.
    Ended,
    /// The ride cannot be joined, or is over for this rider.
    CannotJoin(JoinError),
    /// Another tab took over this rider.
    TakenOver,
    /// The rider left.
    Left,
}

/// Reason why a ride cannot be joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinError {
    /// The code is unknown, or its ride is over.
    NoSuchRide,
    /// The ride has its maximum of riders, or the server its maximum of rides.
    Full,
    /// Too many rides were created from this network in a short time.
    TooManyRides,
    /// The host locked the ride.
    Locked,
    /// The host kicked this rider ([`RideState::kick_reason`]).
    Kicked,
    /// The host closed the ride for all riders.
    Closed,
    /// The address contains no valid session code.
    NotACode,
    /// The server could not be reached.
    Unreachable,
    /// The server speaks another version: the page must be reloaded.
    Outdated,
    /// Any other error reported by the server.
    Other,
}

/// Position of the group in the workout.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Progress {
    /// Whole seconds until the start, during the countdown.
    pub countdown: u32,
    /// Milliseconds ridden; never decreases.
    pub elapsed_ms: u32,
    /// Position in the workout in milliseconds; the host can move it.
    pub position_ms: u32,
    /// Milliseconds left of the workout.
    pub remaining_ms: u32,
    /// Index of the current interval.
    pub interval: usize,
    /// Milliseconds left of the current interval.
    pub interval_remaining_ms: u32,
    /// True while the ride is paused.
    pub paused: bool,
    /// Whole seconds until the pause ends, once the host has resumed the ride.
    pub resumes_in: Option<u32>,
}

/// State of the own trainer.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TrainerState {
    /// No trainer was chosen.
    #[default]
    None,
    /// The simulated trainer.
    Simulated,
    /// The browser's device chooser is open, or the connection is being made.
    Connecting,
    /// The trainer with this name is connected and follows the target.
    Connected(String),
    /// The trainer with this name measures but does not follow the target.
    Uncontrolled(String),
    /// The connection to the trainer with this name was lost.
    Lost(String),
    /// The trainer could not be connected.
    Failed(TrainerFailure),
}

/// Reason why a trainer could not be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrainerFailure {
    /// The browser has no Web Bluetooth, or the page is not a secure context.
    Unsupported,
    /// The rider closed the device chooser.
    Cancelled,
    /// The device is not a Fitness Machine.
    NotATrainer,
}

/// State of the connection to the server.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ServerConnection {
    /// Not needed: before joining, and in a solo ride.
    #[default]
    Idle,
    /// Open.
    Online,
    /// Lost and being reopened; the ride continues.
    Lost {
        /// Number of the current attempt, from 1.
        attempt: u32,
    },
    /// The server no longer knows the ride and no other rider is reachable:
    /// this rider continues alone.
    Alone,
    /// The server no longer knows the ride; riders with direct links continue
    /// together.
    PeersOnly,
}

/// Reason why a workout file was not shared.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkoutFileError {
    /// The file is larger than 1 MiB.
    TooLarge,
    /// The browser could not read the file.
    Unreadable,
    /// The file contains no valid workout.
    Invalid(ZwoError),
}

/// Reason why the FIT file was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitDownloadError {
    /// The browser refused the download.
    Browser,
    /// The recording could not be encoded.
    Fit(FitError),
}

/// Figures of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct RideSummary {
    /// Averages and totals.
    pub figures: ride::analysis::Summary,
    /// Name of the workout.
    pub workout: String,
}

/// All signals of a ride. `Copy`, so that it can be provided as a context.
#[derive(Clone, Copy)]
pub struct RideState {
    /// Stage of the ride, and so the screen.
    pub stage: RwSignal<Stage>,
    /// Session code; `None` until it is known and in a solo ride.
    pub code: RwSignal<Option<SessionCode>>,
    /// Invitation link: the server's public address, or else this page's.
    pub invitation: RwSignal<String>,
    /// All riders, this one included, in order of joining.
    pub riders: RwSignal<Vec<RiderRow>>,
    /// True if this rider is the host.
    pub is_host: RwSignal<bool>,
    /// True while host commands are suspended because too few riders are
    /// connected.
    pub controls_suspended: RwSignal<bool>,
    /// True if this rider is ready to start.
    pub ready: RwSignal<bool>,
    /// Own FTP in watts.
    pub ftp: RwSignal<u16>,
    /// The shared workout.
    pub workout: RwSignal<Option<Arc<Workout>>>,
    /// Reason why the last workout file was not shared.
    pub workout_error: RwSignal<Option<WorkoutFileError>>,
    /// Position in the workout.
    pub progress: RwSignal<Progress>,
    /// Own numbers.
    pub own_metrics: RwSignal<Metrics>,
    /// Own trainer.
    pub trainer: RwSignal<TrainerState>,
    /// True while the ride is locked against new riders.
    pub locked: RwSignal<bool>,
    /// True if this rider created the ride and may become host again.
    pub can_reclaim: RwSignal<bool>,
    /// The host's reason for kicking this rider; empty if none was given.
    pub kick_reason: RwSignal<Option<String>>,
    /// Connection to the server.
    pub connection: RwSignal<ServerConnection>,
    /// Statistics of all links, updated while the connection panel is open.
    pub network: RwSignal<NetworkStats>,
    /// The newest notice.
    pub notice: RwSignal<Option<Notice>>,
    /// Summary of the ride.
    pub summary: RwSignal<Option<RideSummary>>,
    /// Chart of the ride.
    pub chart: RwSignal<Option<Arc<RideChart>>>,
    /// Reason why the FIT file was not saved.
    pub download_error: RwSignal<Option<FitDownloadError>>,
}

impl RideState {
    /// The state of a page that was just opened.
    pub fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::default()),
            code: RwSignal::new(None),
            invitation: RwSignal::new(String::new()),
            riders: RwSignal::new(Vec::new()),
            is_host: RwSignal::new(false),
            controls_suspended: RwSignal::new(false),
            ready: RwSignal::new(false),
            ftp: RwSignal::new(200),
            workout: RwSignal::new(None),
            workout_error: RwSignal::new(None),
            progress: RwSignal::new(Progress::default()),
            own_metrics: RwSignal::new(Metrics::default()),
            trainer: RwSignal::new(TrainerState::default()),
            locked: RwSignal::new(false),
            can_reclaim: RwSignal::new(false),
            kick_reason: RwSignal::new(None),
            connection: RwSignal::new(ServerConnection::default()),
            network: RwSignal::new(NetworkStats::default()),
            notice: RwSignal::new(None),
            summary: RwSignal::new(None),
            chart: RwSignal::new(None),
            download_error: RwSignal::new(None),
        }
    }

    /// True if there are other riders and none of them is linked directly, so that
    /// without the server none of them can be reached.
    pub fn depends_on_relay(&self) -> bool {
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
