//! Reasons why the timeline rejects a change or an event.

use thiserror::Error;

/// Reason why a change or an event is rejected. A host may see the messages of its own changes;
/// the others are counted only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TimelineError {
    /// Start without a workout.
    #[error("There is no workout yet. Choose one, then start the countdown.")]
    NoWorkout,
    /// Second start, or a workout shared after the start.
    #[error("The ride has already started. End it before you start another one.")]
    AlreadyStarted,
    /// End without a start.
    #[error("The ride has not started yet, so it cannot be ended.")]
    NotStarted,
    /// Pause at a time when the ride is not running.
    #[error("Only a running ride can be paused.")]
    NotRiding,
    /// Resume without a pause.
    #[error("The ride is not paused, so it cannot be resumed.")]
    NotPaused,
    /// Skip, back or extension before the start.
    #[error("Intervals can be changed only during the ride.")]
    NotUnderWay,
    /// Skip, back or extension of an interval that is not the current one.
    #[error("The group is already in another interval. Check the current interval and try again.")]
    OtherInterval,
    /// Skip or back within [`DOUBLE_TAP_WINDOW`](super::DOUBLE_TAP_WINDOW) of another one.
    #[error("The interval was changed just now. Wait a second and try again.")]
    TooSoon,
    /// Skip in the last interval.
    #[error("This is the last interval. To stop here, end the ride.")]
    LastInterval,
    /// Extension beyond [`MAX_EXTENSION`](super::MAX_EXTENSION) or the longest possible workout.
    #[error("This interval cannot be extended any further.")]
    ExtensionLimit,
    /// Cancelled start without a countdown.
    #[error("There is no countdown to cancel.")]
    NoCountdown,
    /// Change after the end.
    #[error("This ride is over. Start a new one.")]
    Ended,
    /// Change dated before its predecessor.
    #[error("Another change to the ride was made at the same time. Try again.")]
    OutOfOrder,
    /// More events of one host than half of what the other hosts leave of
    /// [`MAX_EVENTS`](super::MAX_EVENTS) or [`MAX_TIMELINE_BYTES`](super::MAX_TIMELINE_BYTES).
    #[error(
        "You have made as many changes to this ride as one host can. Hand it over, or start a new one."
    )]
    Full,
    /// Change that lies too far in the future.
    #[error("A change of the ride lies too far in the future and was ignored.")]
    TooFarAhead,
    /// Event by the host of an earlier epoch.
    #[error("Another rider is the host now.")]
    OldEpoch,
    /// Bytes that are not an event, or an event with contradictory numbers.
    #[error("An event of the ride could not be read and was ignored.")]
    Malformed,
    /// Event by a peer that is not known as host of its epoch.
    #[error("An event of the ride was not sent by the host and was ignored.")]
    NotHost,
    /// Signature that does not match the host's key.
    #[error("An event of the ride was not signed by the host and was ignored.")]
    Forged,
    /// Event with the number of another event in the log.
    #[error("An event of the ride contradicts another one and was ignored.")]
    Conflict,
}
