//! State of the screen: signals that the driver writes and components read.
//!
//! Data flows one way. Components never write these signals; they send an
//! [`Intent`] to the session, and its effect appears here. Each signal is as
//! narrow as the interest of one component, so that a new heart rate redraws
//! one number.

mod exchange;
mod files;
mod intents;
mod media;
mod rider_row;

use std::sync::Arc;

use leptos::prelude::*;
use protocol::{code::SessionCode, peer::LinkState};
use ride::{formats::Imported, workout::Workout};

pub use exchange::ExchangeState;
pub use files::{FilesState, ReceivedFile, SendQueue};
pub use intents::{Intents, Request};
pub use media::{MediaSignals, RemotePictures};
pub use ride::{recording::fit::SubSport, rider::TrainerKind};
pub use rider_row::RiderRow;
pub use session::{
    Intent,
    devices::{CADENCE_SOURCES, POWER_SOURCES},
    view::{
        AttemptOutcome, BridgeView, CandidatePair, CandidateType, CommandRejection, DeviceState,
        DeviceView, DevicesView, DirectLinks, EndedBy, FitDownloadError, HostAction, JoinError,
        LinkStats, ManualLoad, Metrics, NetworkStats, Notice, OtherMember, OutcomeCounts,
        PairingFailure, PhoneState, Progress, RideChart, RideSummary, RiderPage, RiderTrace,
        ServerConnection, Stage, Trace, UnfinishedRide, WorkoutFileError, numbered,
    },
};

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
    /// Members who do not ride.
    pub others: RwSignal<Vec<OtherMember>>,
    /// True if this rider is the host.
    pub is_host: RwSignal<bool>,
    /// True while host commands are suspended because too few riders are
    /// connected.
    pub controls_suspended: RwSignal<bool>,
    /// True if other riders were in the ride that this rider has left.
    pub others_ride_on: RwSignal<bool>,
    /// True if this rider is ready to start.
    pub ready: RwSignal<bool>,
    /// Own FTP in watts.
    pub ftp: RwSignal<u16>,
    /// Share in percent of the workout's targets at which the rider rides.
    pub bias: RwSignal<u8>,
    /// FTP in watts that a test has measured, until the rider decides.
    pub measured_ftp: RwSignal<Option<u16>>,
    /// Volume in percent of the sounds that announce intervals; 0 is off.
    pub volume: RwSignal<u8>,
    /// The shared workout.
    pub workout: RwSignal<Option<Arc<Workout>>>,
    /// Reason why the last workout file was not shared.
    pub workout_error: RwSignal<Option<WorkoutFileError>>,
    /// Workout of a file with remarks, until the rider decides.
    pub workout_file: RwSignal<Option<Arc<Imported>>>,
    /// Position in the workout.
    pub progress: RwSignal<Progress>,
    /// Own numbers.
    pub own_metrics: RwSignal<Metrics>,
    /// Own trainer.
    pub trainer: RwSignal<DeviceState>,
    /// Own devices, the trainer among them, and what they are used for.
    pub devices: RwSignal<DevicesView>,
    /// True while the ride is locked against new riders.
    pub locked: RwSignal<bool>,
    /// True if this rider created the ride and may become host again.
    pub can_reclaim: RwSignal<bool>,
    /// The host's reason for kicking this rider; empty if none was given.
    pub kick_reason: RwSignal<Option<String>>,
    /// Connection to the server.
    pub connection: RwSignal<ServerConnection>,
    /// Possibility of direct links.
    pub direct_links: RwSignal<DirectLinks>,
    /// Statistics of all links, updated while the connection panel is open.
    pub network: RwSignal<NetworkStats>,
    /// The newest notice.
    pub notice: RwSignal<Option<Notice>>,
    /// Summary of the ride.
    pub summary: RwSignal<Option<RideSummary>>,
    /// Key of the recording of the ride that has ended, once it is stored.
    pub kept_ride: RwSignal<Option<String>>,
    /// Host who ended the ride, if it did not end with its workout.
    pub ended_by: RwSignal<Option<EndedBy>>,
    /// Chart of the ride.
    pub chart: RwSignal<Option<Arc<RideChart>>>,
    /// Reason why the FIT file was not saved.
    pub download_error: RwSignal<Option<FitDownloadError>>,
    /// Kind of ride that FIT files are written as.
    pub sub_sport: RwSignal<SubSport>,
    /// Solo ride that was not finished, which can be resumed.
    pub unfinished: RwSignal<Option<UnfinishedRide>>,
    /// True while the browser does not store the recording.
    pub recording_at_risk: RwSignal<bool>,
    /// Chat and file transfers, once they are loaded.
    pub exchange: RwSignal<Option<ExchangeState>>,
}

impl RideState {
    /// The state of a page that was just opened.
    pub fn new() -> Self {
        Self {
            stage: RwSignal::new(Stage::default()),
            code: RwSignal::new(None),
            invitation: RwSignal::new(String::new()),
            riders: RwSignal::new(Vec::new()),
            others: RwSignal::new(Vec::new()),
            is_host: RwSignal::new(false),
            controls_suspended: RwSignal::new(false),
            others_ride_on: RwSignal::new(false),
            ready: RwSignal::new(false),
            ftp: RwSignal::new(200),
            bias: RwSignal::new(100),
            measured_ftp: RwSignal::new(None),
            volume: RwSignal::new(0),
            workout: RwSignal::new(None),
            workout_error: RwSignal::new(None),
            workout_file: RwSignal::new(None),
            progress: RwSignal::new(Progress::default()),
            own_metrics: RwSignal::new(Metrics::default()),
            trainer: RwSignal::new(DeviceState::default()),
            devices: RwSignal::new(DevicesView::default()),
            locked: RwSignal::new(false),
            can_reclaim: RwSignal::new(false),
            kick_reason: RwSignal::new(None),
            connection: RwSignal::new(ServerConnection::default()),
            direct_links: RwSignal::new(DirectLinks::default()),
            network: RwSignal::new(NetworkStats::default()),
            notice: RwSignal::new(None),
            summary: RwSignal::new(None),
            kept_ride: RwSignal::new(None),
            ended_by: RwSignal::new(None),
            chart: RwSignal::new(None),
            download_error: RwSignal::new(None),
            sub_sport: RwSignal::new(SubSport::default()),
            unfinished: RwSignal::new(None),
            recording_at_risk: RwSignal::new(false),
            exchange: RwSignal::new(None),
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

/// Writes a signal if its value has changed, so that nothing else is rendered
/// again.
pub fn set_if_changed<S, T>(signal: &S, value: &T)
where
    S: Set<Value = T> + WithUntracked<Value = T>,
    T: PartialEq + Clone,
{
    if signal.with_untracked(|old| old != value) {
        signal.set(value.clone());
    }
}

impl Default for RideState {
    fn default() -> Self {
        Self::new()
    }
}
