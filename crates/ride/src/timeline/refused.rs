//! Why the timeline does not take an event.

use thiserror::Error;

/// Why an event does not count. The sentences for what a host may run into are written for riders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// A start without a workout.
    #[error("There is no workout yet. Choose one, then start the countdown.")]
    NoWorkout,
    /// A second start, or a workout shared after it.
    #[error("The ride has already started. End it before you start another.")]
    AlreadyStarted,
    /// An end before any start.
    #[error("The ride has not started yet, so there is nothing to end.")]
    NotStarted,
    /// A pause at a moment when nobody rides.
    #[error("Only a ride under way can be paused.")]
    NotRiding,
    /// A resume without a pause.
    #[error("The ride is not paused, so there is nothing to resume.")]
    NotPaused,
    /// A skip, a back or an extension at a moment when no workout is being ridden.
    #[error("Intervals can be changed only while the ride is under way.")]
    NotUnderWay,
    /// A skip, a back or an extension of an interval that is not the current one.
    #[error("The group is in another interval by now. Look where you are, then decide again.")]
    OtherInterval,
    /// A skip or a back within [`SETTLES_WITHIN`](super::SETTLES_WITHIN) of another one.
    #[error("The group has only just changed the interval. Wait a second, then decide again.")]
    TooSoon,
    /// A skip in the last interval.
    #[error("This is the last interval. To stop here, end the ride.")]
    LastInterval,
    /// An extension beyond [`MAX_EXTENSION`](super::MAX_EXTENSION) or the longest workout.
    #[error("This interval cannot become any longer.")]
    LongEnough,
    /// A start called off that is not ahead.
    #[error("There is no countdown to call off.")]
    NoCountdown,
    /// A change after the end.
    #[error("This ride is over. Start a new one.")]
    Ended,
    /// A change dated before the one that it follows.
    #[error("Another change to the ride came later than this one. Try again.")]
    BackInTime,
    /// More than [`MAX_EVENTS`](super::MAX_EVENTS) or [`MAX_BYTES`](super::MAX_BYTES).
    #[error("This ride has had more changes than it can hold. Start a new one.")]
    Full,
    /// An event by the host of an earlier epoch.
    #[error("Another rider is the host now.")]
    OldEpoch,
    /// The bytes are not an event, or its numbers contradict each other.
    #[error("An event of the ride could not be read and was ignored.")]
    Malformed,
    /// Nobody of this name was the host in this epoch.
    #[error("An event of the ride came from somebody who was not the host and was ignored.")]
    NotTheHost,
    /// The signature is not the host's.
    #[error("An event of the ride was not signed by the host and was ignored.")]
    Forged,
    /// Another event of the same number is held already.
    #[error("An event of the ride contradicts another one and was ignored.")]
    Conflict,
}
