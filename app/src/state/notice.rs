//! What happens in a ride, for a line on the screen.

use ride::timeline;

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
