//! Inputs and outputs of [`RideSession`](crate::RideSession).

use std::sync::Arc;

use clock::Duration;
use mesh::node::{RtcCommand, RtcEvent};
use protocol::{code::SessionCode, peer::PeerId};
use ride::{
    formats::Imported,
    recording::{
        Recording,
        fit::{Activity, SubSport},
        stored::{RideHead, RideState, SoloRider},
    },
    rider::{Bias, Ftp, RiderName},
    timeline::SignedEvent,
    trainer::DeviceKind,
    workout::Workout,
};

use crate::{
    devices::{DeviceCommand, DeviceInput},
    storage::{StorageCommand, StoredDevices, StoredProfile, StoredRide},
    view::{
        CandidatePair, DirectLinks, FitDownloadError, JoinError, Notice, UnfinishedRide,
        WorkoutFileError,
    },
};

/// Settings of a session that do not change.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Origin of the page, such as `https://example.org`, for the invitation.
    pub origin: String,
    /// True if the browser has `RTCPeerConnection`.
    pub p2p_available: bool,
    /// Random bytes for the keys of a new rider, from a cryptographic source; `None` where the
    /// browser has none.
    pub entropy: Option<[u8; 32]>,
    /// Kind of ride that this browser's rider has chosen for FIT files.
    pub sub_sport: SubSport,
    /// Offset of local time from UTC in seconds.
    pub utc_offset: i32,
    /// Devices that this browser's rider has paired.
    pub devices: StoredDevices,
}

/// Ride that a session opens.
#[derive(Clone, Debug)]
pub enum Opening {
    /// Group ride by the code in the page's address.
    Group {
        /// Code as it stands in the address.
        address: String,
        /// True if this tab was in the ride and was reloaded: it left a mark when it was hidden,
        /// which a copy of a tab that is still riding does not have.
        reloaded: bool,
    },
    /// Solo ride, without a network. It begins on the simulator.
    Solo {
        /// Rider as last entered in this browser.
        profile: Option<StoredProfile>,
        /// Name for a rider without a stored name.
        default_name: String,
    },
}

/// Event that a session handles.
#[derive(Clone, Debug)]
pub enum Input {
    /// Request of the rider.
    Intent(Intent),
    /// The moment of [`RideSession::poll_timeout`](crate::RideSession::poll_timeout) has come.
    Timeout,
    /// The page became visible, came back from the browser's cache, or is online again.
    Wake,
    /// The page was hidden or is being closed, perhaps for good.
    Hide,
    /// Answer to [`Output::LookUp`], with everything that the browser has stored about the ride.
    LookedUp {
        /// Answer of the server.
        result: Result<RideInfo, JoinError>,
        /// Stored data about the ride.
        stored: Box<StoredRide>,
    },
    /// Event of the socket with this number, see [`Output::OpenSocket`].
    Socket {
        /// Number of the socket.
        socket: u32,
        /// Event of the socket.
        event: SocketEvent,
    },
    /// Event of a peer connection.
    Rtc {
        /// Rider at the other end.
        peer: PeerId,
        /// Number of the connection, see [`Output::Rtc`].
        connection: u32,
        /// Event of the connection.
        event: RtcEvent,
    },
    /// Possibility of direct links, after a connection was or was not opened.
    DirectLinks(DirectLinks),
    /// Event of the own trainer.
    Device(DeviceInput),
    /// The host has chosen a workout file, which is being read.
    WorkoutFileChosen,
    /// Content of the workout file.
    WorkoutFile(Result<Imported, WorkoutFileError>),
    /// Result of [`Output::CopyLink`].
    LinkCopied(bool),
    /// Answer to [`Output::OpenRecording`].
    RecordingOpened {
        /// Number of the attempt.
        open: u32,
        /// What the browser has stored.
        opened: OpenedRecording,
    },
    /// Solo ride that was not finished and is not under way in another tab. Answer to
    /// [`Output::FindUnfinishedSolo`], if there is one.
    UnfinishedSolo(Box<UnfinishedSolo>),
    /// The solo ride that was offered goes on in another tab by now; instead of
    /// [`Intent::ResumeUnfinished`].
    UnfinishedTaken,
    /// Result of [`Output::WriteRecording`].
    RecordingWritten {
        /// Number of the write.
        write: u32,
        /// True if the transaction is complete; false if it has failed in any way.
        is_stored: bool,
    },
    /// Result of [`Output::SaveFit`].
    FitSaved(Result<(), FitDownloadError>),
    /// Candidate pair that a peer connection uses; `None` while it uses none. Answer to
    /// [`Output::QueryCandidatePair`].
    CandidatePair {
        /// Rider at the other end.
        peer: PeerId,
        /// Number of the connection.
        connection: u32,
        /// The candidate pair.
        pair: Option<CandidatePair>,
    },
    /// A rider of this browser was banned from the ride, in another tab.
    Banned,
    /// Number of phones' links that this rider has made invalid, perhaps in another tab; before
    /// [`Intent::TakeOver`].
    RevokedLinks(u32),
    /// Random bytes for the keys of the next new rider. Answer to [`Output::NeedEntropy`].
    Entropy([u8; 32]),
}

/// Event of a signaling socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SocketEvent {
    /// The socket is open.
    Opened,
    /// A text message arrived.
    Text(String),
    /// A binary message arrived.
    Binary(Vec<u8>),
    /// The socket is closed, or could not be opened.
    Closed {
        /// Close code (RFC 6455, section 7.4); 1006 where there was none.
        code: u16,
        /// Reason given by the server.
        reason: String,
    },
}

/// Answer of the server about a ride.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RideInfo {
    /// True if the ride has its maximum of riders.
    pub full: bool,
    /// True if the host has locked the ride.
    pub locked: bool,
    /// Invitation link with the server's public address, if one is configured.
    pub invitation: Option<String>,
}

/// Sound that announces an interval, or the loss of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// Short: in each of the last three seconds before it.
    Tick,
    /// Long: it begins.
    Start,
    /// A device is lost.
    Alarm,
}

/// Request of the rider. Those marked (host) are ignored unless this rider is the host.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Resume as the known rider at this position of
    /// [`Stage::ChooseRider`](crate::view::Stage::ChooseRider).
    ResumeAs(usize),
    /// Join as a new rider: shows the form for name and FTP.
    JoinAsNewRider,
    /// Join under this name with this FTP.
    Join(RiderName, Ftp),
    /// Set or clear the own ready flag.
    SetReady(bool),
    /// Share a workout with all riders (host).
    ShareWorkout(Arc<Workout>),
    /// Ride at this share of the workout's targets.
    SetBias(Bias),
    /// Take the FTP that a test has measured as the own.
    AcceptFtp,
    /// Keep the FTP in spite of a test.
    KeepFtp,
    /// Share the workout of the file with remarks (host).
    UseWorkoutFile,
    /// Choose another workout than that of the file with remarks.
    DismissWorkoutFile,
    /// Start the countdown (host).
    Start,
    /// Cancel the countdown (host).
    CancelStart,
    /// Skip from the interval with this index to the next one (host).
    Skip(usize),
    /// Go back to the start of the interval with this index, or to the one before it (host).
    Back(usize),
    /// Extend the interval with this index by one minute (host).
    Extend(usize),
    /// Pause the ride (host).
    Pause,
    /// Continue after a pause (host).
    Resume,
    /// End the ride for all riders (host).
    End,
    /// Leave the ride.
    Leave,
    /// Resume the solo ride that was not finished.
    ResumeUnfinished,
    /// Choose and connect a device over Bluetooth. Browsers allow it only in the handler of a tap
    /// or key press.
    Pair(DeviceKind),
    /// Disconnect and forget a device.
    Forget(DeviceKind),
    /// Stop using the phone that connects devices, and make its link invalid.
    StopPhone,
    /// Take power from this kind of device; `None` for the most exact one.
    SetPowerSource(Option<DeviceKind>),
    /// Take cadence from this kind of device; `None` for the most exact one.
    SetCadenceSource(Option<DeviceKind>),
    /// Steer the trainer by the power meter, or no longer.
    MatchPower(bool),
    /// Ride in ERG mode, or by hand.
    SetErg(bool),
    /// Change the load that is set by hand by this number of steps.
    ChangeLoad(i8),
    /// Use the simulated trainer.
    SimulateTrainer,
    /// Copy the invitation link to the clipboard.
    CopyLink,
    /// Save the FIT file.
    DownloadFit,
    /// Write FIT files as this kind of ride from now on.
    SetSubSport(SubSport),
    /// Take over this rider from another tab.
    TakeOver,
    /// Lock the ride against new riders, or unlock it (host).
    Lock(bool),
    /// Make this rider the host (host).
    HandOver(PeerId),
    /// Kick a rider and ban them from this code (host).
    Kick {
        /// Rider to kick.
        peer: PeerId,
        /// Reason shown to the rider; may be empty.
        reason: String,
    },
    /// Close the ride for all riders and end its code (host).
    CloseRide,
    /// Become host again; possible for the rider who created the ride.
    Reclaim,
    /// Look up the ride again.
    Retry,
    /// Start or stop updating the link statistics.
    WatchLinks(bool),
}

/// Own recording in this browser's storage.
#[derive(Clone, Debug, PartialEq)]
pub enum OpenedRecording {
    /// The browser cannot read or write it.
    Failed,
    /// Nothing is stored.
    Empty,
    /// The recording so far, of [`Recording::from_readable_chunks`].
    Stored(Box<Recording>),
}

/// Change of the stored recording.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordingChange {
    /// Append a chunk, and store the state of the ride
    /// ([`RideState`](ride::recording::stored::RideState)) if it has changed.
    Append {
        /// The chunk.
        chunk: Vec<u8>,
        /// The encoded state.
        state: Option<Vec<u8>>,
    },
    /// The ride is finished: replace its chunks and its state by [`FinishedRide::new`], in one
    /// transaction.
    Keep(Box<(Recording, RideState)>),
    /// Delete all chunks.
    Clear,
}

/// Finished ride as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedRide {
    /// The whole recording, as one chunk.
    pub recording: Vec<u8>,
    /// Encoded [`RideState`](ride::recording::stored::RideState).
    pub state: Vec<u8>,
    /// Encoded [`RideHead`](ride::recording::stored::RideHead).
    pub head: Vec<u8>,
}

impl FinishedRide {
    /// Encodes a finished ride.
    pub fn new(recording: &Recording, state: &RideState) -> Self {
        Self {
            recording: recording.encode(),
            state: state.encode(),
            head: RideHead::of(recording).encode(),
        }
    }
}

/// Solo ride that was not finished: its page was closed, or crashed.
#[derive(Clone, Debug, PartialEq)]
pub struct UnfinishedSolo {
    /// What is shown of it.
    pub ride: UnfinishedRide,
    /// Its rider.
    pub rider: SoloRider,
    /// Events of its timeline.
    pub events: Vec<SignedEvent>,
}

impl UnfinishedSolo {
    /// Ride with this key, from its stored state and chunks; `None` if they cannot be read, or if
    /// nothing was recorded.
    pub fn read(key: String, state: &[u8], chunks: &[Vec<u8>]) -> Option<Self> {
        let recording = Recording::from_readable_chunks(chunks)?;
        let state = RideState::decode(state).ok()?;
        Some(Self {
            events: state.events(),
            rider: state.solo?,
            ride: UnfinishedRide {
                key,
                workout: recording.workout,
                started_at: recording.started_at,
                recorded: Duration::from_secs(recording.samples.len() as u64),
            },
        })
    }
}

/// Request of a session to its driver.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Ask the server about the ride with this code; answered by [`Input::LookedUp`].
    LookUp(SessionCode),
    /// Open a signaling socket for this ride. Events of sockets with lower numbers are not wanted
    /// any more.
    OpenSocket {
        /// Ride to join.
        code: SessionCode,
        /// Number of the socket, for [`Input::Socket`].
        socket: u32,
    },
    /// Close the socket after everything that was sent.
    CloseSocket,
    /// Send a text message on the socket.
    SendText(String),
    /// Send a binary message on the socket.
    SendBinary(Vec<u8>),
    /// Carry out a command on a peer connection.
    Rtc {
        /// Rider at the other end.
        peer: PeerId,
        /// Number of the connection, unique within the session.
        connection: u32,
        /// The command.
        command: RtcCommand,
    },
    /// Close all peer connections: the session has left the group.
    CloseConnections,
    /// Ask each peer connection for its candidate pair; answered by [`Input::CandidatePair`].
    QueryCandidatePair,
    /// Change the stored data of this browser.
    Storage(StorageCommand),
    /// Open the stored recording with this key, and try to write; answered by
    /// [`Input::RecordingOpened`].
    OpenRecording {
        /// Number of the attempt, unique within the session.
        open: u32,
        /// Key of the recording.
        key: String,
        /// True if what is stored is needed; otherwise the answer may be [`OpenedRecording::Empty`].
        reads: bool,
    },
    /// Find a solo ride that was not finished; answered by [`Input::UnfinishedSolo`].
    FindUnfinishedSolo,
    /// Change the recording that was opened; answered by [`Input::RecordingWritten`]. Writes are
    /// carried out in order.
    WriteRecording {
        /// Number of the write, unique within the session.
        write: u32,
        /// The change.
        change: RecordingChange,
    },
    /// Command to the own trainer.
    Device(DeviceCommand),
    /// Keep the screen on, or let it turn off.
    KeepScreenOn(bool),
    /// Make a sound before or at the start of an interval.
    Sound(Sound),
    /// Copy a text to the clipboard; answered by [`Input::LinkCopied`].
    CopyLink(String),
    /// Encode the ride as a FIT file and save it; answered by [`Input::FitSaved`].
    SaveFit(Box<Activity>),
    /// Show a notice.
    Notice(Notice),
    /// Provide random bytes with [`Input::Entropy`].
    NeedEntropy,
}
