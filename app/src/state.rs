//! What the screen shows: signals that the session writes and components read.
//!
//! One way only. Components never write here; they send an [`Intent`] to the
//! session, and what comes of it appears in these signals. Each signal is as
//! narrow as a component's interest, so a new heart rate redraws one number.

mod chart;
mod network;

use std::sync::Arc;

use leptos::prelude::*;
use mesh::{code::SessionCode, peer::LinkState};
use ride::{recording::fit::FitError, timeline, workout::Workout, zwo::ZwoError};

pub use chart::{ChartLine, RideChart, Trace};
pub use network::{Candidate, Ends, LinkFacts, NetworkFacts};

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

/// Something that happened, for a line on the screen and the screen reader.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A rider came.
    Joined(String),
    /// A rider left of their own will.
    Left(String),
    /// A rider was away for longer than the grace.
    Gone(String),
    /// The host removed a rider.
    Removed(String),
    /// The host locked the ride.
    Locked,
    /// The host opened the ride again.
    Unlocked,
    /// The host closed the ride for everybody.
    Closed,
    /// The server does not do what was wished.
    Denied(Denial),
    /// A rider is host now.
    NewHost(String),
    /// This rider is host now.
    YouAreHost,
    /// The invitation is on the clipboard.
    LinkCopied,
    /// The clipboard was refused; the address is in the address bar.
    CopyFailed,
    /// The host shared a workout, by name.
    WorkoutShared(String),
    /// Elements of the workout file that were left out: their names and counts.
    Ignored(String),
    /// The host's wish makes no sense now.
    Refused(timeline::Refused),
    /// The host, by name, has changed the ride.
    Decided(String, Decision),
    /// The host has decided something that this version does not know.
    Newer,
}

/// What a host has changed, where the screen does not say so by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// On to the next interval.
    Skipped,
    /// Back to the start of an interval, counted from 1.
    WentBack(usize),
    /// The interval is longer.
    Extended,
    /// The start was called off.
    Cancelled,
}

/// Why the server does not do what a host, or the first host, wishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// The server is not connected now.
    NoServer,
    /// Another rider is the host.
    NotHost,
    /// Another rider began the ride, or it was handed over.
    NotFirstHost,
    /// The rider meant is not connected.
    NotConnected,
    /// No more riders can be removed.
    TooManyRemoved,
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

impl Default for RideState {
    fn default() -> Self {
        Self::new()
    }
}

/// What a rider asks of the session.
#[derive(Clone, Debug)]
pub enum Intent {
    /// Go on as the known rider at this position of [`Stage::WhoAreYou`].
    GoOnAs(usize),
    /// Join as somebody else: shows the form.
    SomebodyElse,
    /// Join under this name with this FTP.
    Join(ride::rider::RiderName, ride::rider::Ftp),
    /// Say go, or take it back.
    Ready(bool),
    /// Share a workout with everybody (host).
    ShareWorkout(Arc<Workout>),
    /// Read a workout file and share it (host). The size is checked first.
    ShareFile(web_sys::File),
    /// Start the countdown (host).
    Start,
    /// Call the start off (host).
    CancelStart,
    /// On from the interval of this index to the next (host).
    Skip(usize),
    /// Back to the start of the interval of this index, or the one before (host).
    Back(usize),
    /// Make the interval of this index a minute longer (host).
    Extend(usize),
    /// Pause the ride (host).
    Pause,
    /// Go on after a pause (host).
    Resume,
    /// End the ride for everybody (host).
    End,
    /// Leave the ride.
    Leave,
    /// Connect a trainer over Bluetooth; must come from a tap.
    ConnectTrainer,
    /// Ride on the simulator.
    SimulateTrainer,
    /// Copy the invitation to the clipboard.
    CopyLink,
    /// Save the FIT file.
    DownloadFit,
    /// Take this rider over from the other tab.
    TakeOver,
    /// Let nobody new in, or everybody again (host).
    Lock(bool),
    /// Make the rider of this peer id the host (host).
    HandOver(String),
    /// Remove a rider for good (host).
    Remove {
        /// The rider's peer id.
        peer: String,
        /// Why, for the rider to read; may be empty.
        reason: String,
    },
    /// Send everybody home and end the code (host).
    CloseRide,
    /// Be host again, as the first host.
    Reclaim,
    /// Look for the ride again.
    Retry,
    /// Keep the facts about the links up to date, or no longer.
    WatchLinks(bool),
}

/// The way from a component to the session. On the server, and before
/// hydration, it goes nowhere.
#[derive(Clone, Copy)]
pub struct Intents(StoredValue<Option<Sender>, LocalStorage>);

type Sender = std::rc::Rc<dyn Fn(Intent)>;

impl Intents {
    /// A way that leads nowhere yet.
    pub fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Leads it to the session.
    pub fn connect(&self, sender: impl Fn(Intent) + 'static) {
        self.0.set_value(Some(std::rc::Rc::new(sender)));
    }

    /// Sends an intent.
    pub fn send(&self, intent: Intent) {
        let sender = self.0.try_get_value().flatten();
        if let Some(sender) = sender {
            sender(intent);
        }
    }
}

impl Default for Intents {
    fn default() -> Self {
        Self::new()
    }
}
