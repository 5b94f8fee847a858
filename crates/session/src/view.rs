//! View of the session: everything that the screen shows, as plain values.
//!
//! The session changes its [`View`] while it handles inputs. A driver compares it with what is on
//! the screen after each input and updates the difference. [`Notice`]s are events and leave the
//! session as outputs.

mod chart;
mod devices;
mod network;
mod notice;

use std::sync::Arc;

use clock::{Duration, WallTime};
use protocol::{
    code::SessionCode,
    peer::{LinkState, MemberRole, PeerId},
    signaling::ErrorCode,
};
use ride::{
    formats::{FileError, Imported},
    recording::fit::{FitError, SubSport},
    rider::TrainerKind,
    workout::Workout,
};

pub use chart::{RideChart, RiderTrace, Trace};
pub use devices::{
    BridgeView, DeviceState, DeviceView, DevicesView, ManualLoad, PairingFailure, PhoneState,
    RiderPage,
};
pub use network::{
    AttemptOutcome, CandidatePair, CandidateType, DirectLinks, LinkStats, NetworkStats,
    OutcomeCounts,
};
pub use notice::{CommandRejection, HostAction, Notice};

/// Everything that the screen shows.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Screen that is shown.
    pub stage: Stage,
    /// Session code; `None` in a solo ride.
    pub code: Option<SessionCode>,
    /// Address to share; empty in a solo ride.
    pub invitation: String,
    /// Riders in order of arrival, including this one.
    pub riders: Vec<Row>,
    /// Members who do not ride, in order of arrival.
    pub others: Vec<OtherMember>,
    /// True if this rider is the host.
    pub is_host: bool,
    /// True if the host's controls are disabled because too few riders are reachable without the
    /// server.
    pub controls_suspended: bool,
    /// True if other riders were in the ride that this rider has left.
    pub others_ride_on: bool,
    /// True if this rider is ready.
    pub ready: bool,
    /// Own FTP in watts.
    pub ftp: u16,
    /// Share in percent of the workout's targets at which the rider rides.
    pub bias: u8,
    /// FTP in watts that a test has measured, until the rider accepts it or keeps the old one.
    pub measured_ftp: Option<u16>,
    /// Shared workout.
    pub workout: Option<Arc<Workout>>,
    /// Reason why the last workout file was not shared.
    pub workout_error: Option<WorkoutFileError>,
    /// Workout of a file with remarks, until the rider uses it, dismisses it, or another workout is
    /// shared.
    pub workout_file: Option<Arc<Imported>>,
    /// Position of the group in the workout.
    pub progress: Progress,
    /// Own metrics.
    pub own_metrics: Metrics,
    /// Own devices, the trainer among them.
    pub devices: DevicesView,
    /// True if the ride is locked.
    pub locked: bool,
    /// True if this rider was the first host and may reclaim the role.
    pub can_reclaim: bool,
    /// Reason for which the host kicked this rider; empty if the host gave none.
    pub kick_reason: Option<String>,
    /// State of the connection to the server.
    pub connection: ServerConnection,
    /// Possibility of direct links.
    pub direct_links: DirectLinks,
    /// Statistics of all links, updated while they are watched.
    pub network: NetworkStats,
    /// Summary of the ride that has ended.
    pub summary: Option<RideSummary>,
    /// Key of the recording of the ride that has ended, once it is stored.
    pub kept_ride: Option<String>,
    /// Host who ended the ride, if it did not end with its workout.
    pub ended_by: Option<EndedBy>,
    /// Chart of the ride that has ended.
    pub chart: Option<Arc<RideChart>>,
    /// Reason why the FIT file was not saved.
    pub download_error: Option<FitDownloadError>,
    /// Kind of ride that FIT files are written as.
    pub sub_sport: SubSport,
    /// Solo ride that was not finished, which can be resumed.
    pub unfinished: Option<UnfinishedRide>,
    /// True while the browser does not store the recording, so that it would be lost with the page.
    pub recording_at_risk: bool,
}

/// Solo ride that was not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfinishedRide {
    /// Key of its recording.
    pub key: String,
    /// Name of its workout.
    pub workout: String,
    /// Time of its start.
    pub started_at: WallTime,
    /// Recorded time.
    pub recorded: Duration,
}

/// Member who does not ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherMember {
    /// Its id.
    pub peer: PeerId,
    /// Its number in the ride.
    pub number: u32,
    /// Its role.
    pub role: MemberRole,
}

impl Default for View {
    fn default() -> Self {
        Self {
            stage: Stage::default(),
            code: None,
            invitation: String::new(),
            riders: Vec::new(),
            others: Vec::new(),
            is_host: false,
            controls_suspended: false,
            others_ride_on: false,
            ready: false,
            ftp: 200,
            bias: 100,
            measured_ftp: None,
            workout: None,
            workout_error: None,
            workout_file: None,
            progress: Progress::default(),
            own_metrics: Metrics::default(),
            devices: DevicesView::default(),
            locked: false,
            can_reclaim: false,
            kick_reason: None,
            connection: ServerConnection::default(),
            direct_links: DirectLinks::default(),
            network: NetworkStats::default(),
            summary: None,
            kept_ride: None,
            ended_by: None,
            chart: None,
            download_error: None,
            sub_sport: SubSport::default(),
            unfinished: None,
            recording_at_risk: false,
        }
    }
}

/// One rider in the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Number of the row, never reused: a rider who leaves and returns gets a new row.
    pub id: u32,
    /// Id of the rider.
    pub peer: PeerId,
    /// True if this is the rider at this screen.
    pub is_self: bool,
    /// Start number: the order of joining, from 1.
    pub number: u32,
    /// Name; empty until it has arrived.
    pub name: String,
    /// True if another rider has the same name, so that the number has to be shown with it
    /// ([`numbered`]).
    pub shares_name: bool,
    /// FTP in watts.
    pub ftp: Option<u16>,
    /// True if the rider is ready.
    pub ready: bool,
    /// Kind of trainer.
    pub trainer: TrainerKind,
    /// True if the rider is the host.
    pub is_host: bool,
    /// State of the link; without meaning for the own row.
    pub link: LinkState,
    /// True if the metrics are older than 3 s.
    pub stale: bool,
    /// Newest metrics.
    pub metrics: Metrics,
    /// Statistics of the link, updated while they are watched.
    pub link_stats: LinkStats,
    /// Power of the last ten minutes.
    pub trace: Trace,
}

/// Name of a rider who shares it with another one, told apart by the start number.
pub fn numbered(name: &str, number: u32) -> String {
    format!("{name} ({number})")
}

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

/// Stage of this rider's ride. Each has its own screen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Stage {
    /// The page asks the server about the code.
    #[default]
    LookingUp,
    /// This browser was in the ride before, perhaps still is in another tab:
    /// asks which rider to resume.
    ChooseRider {
        /// Names of the riders that it knows, newest first, with the numbers of
        /// those who share a name ([`numbered`]). The position is the
        /// argument of [`Intent::ResumeAs`](crate::Intent::ResumeAs).
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
    /// The host kicked this rider ([`View::kick_reason`]).
    Kicked,
    /// The host closed the ride for all riders.
    Closed,
    /// The address contains no valid session code.
    NotACode,
    /// The server could not be reached.
    Unreachable,
    /// The server speaks another version: the page must be reloaded.
    Outdated,
    /// The rider has stopped using this phone (bridge).
    Dismissed,
    /// Any other error reported by the server.
    Other,
}

impl From<ErrorCode> for JoinError {
    fn from(code: ErrorCode) -> Self {
        match code {
            ErrorCode::NoSuchRide => Self::NoSuchRide,
            ErrorCode::RideFull => Self::Full,
            ErrorCode::RideLocked => Self::Locked,
            ErrorCode::UnsupportedVersion => Self::Outdated,
            _ => Self::Other,
        }
    }
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
    /// True if the host has paused the ride.
    pub paused: bool,
    /// Whole seconds until the pause ends, once the host has resumed the ride.
    pub resumes_in: Option<u32>,
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
    Invalid(FileError),
    /// The part of the app that reads workout files could not be fetched.
    PartUnavailable,
}

/// Reason why the FIT file was not saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FitDownloadError {
    /// The browser refused the download.
    Browser,
    /// The recording could not be encoded.
    Fit(FitError),
    /// The part of the app that writes FIT files could not be fetched.
    PartUnavailable,
}

/// Figures of the summary.
#[derive(Clone, Debug, PartialEq)]
pub struct RideSummary {
    /// Averages and totals.
    pub figures: ride::analysis::Summary,
    /// Name of the workout.
    pub workout: String,
}

/// Host who ended a ride.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// The rider at this screen.
    Me(WallTime),
    /// The rider with this name; empty if it is not known.
    Rider(String, WallTime),
}
