//! Notices: events of the ride that are told in one line of text.

use ride::{timeline, trainer::DeviceKind};

use super::PairingFailure;

/// An event of the ride, shown in the status region and announced by screen
/// readers. Riders are given by name, with the number where two have the same
/// ([`numbered`](super::numbered)); a name that is not known is empty.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// The FTP in W that a test has measured was stored.
    FtpSaved(u16),
    /// The solo ride that was offered goes on in another tab.
    ResumedElsewhere,
    /// A rider joined.
    Joined(String),
    /// A rider left on purpose.
    Left(String),
    /// A rider was away for longer than the grace period.
    Gone(String),
    /// The host kicked a rider.
    Kicked(String),
    /// The host locked the ride.
    Locked,
    /// The host unlocked the ride.
    Unlocked,
    /// The host closed the ride for all riders.
    Closed,
    /// The server rejected a command of this rider.
    CommandRejected(CommandRejection),
    /// Another rider became host.
    NewHost(String),
    /// This rider became host.
    YouAreHost,
    /// The invitation link was copied to the clipboard.
    LinkCopied,
    /// The browser refused access to the clipboard.
    CopyFailed,
    /// The host shared the workout with this name.
    WorkoutShared(String),
    /// No trainer was connected for this reason; the one in use stays.
    NotPaired(DeviceKind, PairingFailure),
    /// The timeline rejected a change that this rider, as host, asked for.
    ChangeRejected(timeline::TimelineError),
    /// The host with this name changed the ride.
    HostActed(String, HostAction),
    /// The host sent a kind of event that this version of the app does not
    /// know.
    NewerVersion,
}

/// A host's change of the ride that the screen does not show by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostAction {
    /// Skipped to the next interval.
    Skipped,
    /// Went back to the start of the interval with this number, from 1.
    WentBack(usize),
    /// Extended the interval.
    Extended,
    /// Cancelled the countdown.
    Cancelled,
}

/// Reason why the server rejected a command of a rider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandRejection {
    /// The server is not connected.
    NoServer,
    /// Another rider is the host.
    NotHost,
    /// Another rider created the ride, or the ride was handed over.
    NotFirstHost,
    /// The rider that the command is about is not connected.
    NotConnected,
    /// The ride cannot hold another ban.
    TooManyBans,
}
