//! The workout for the ride that the rider starts next.
//!
//! The designer and the list of planned workouts put it here when no ride is open in another tab, and the lobby of the next ride
//! takes it. It is gone when the page is reloaded; the workout itself is stored.

use std::cell::RefCell;

thread_local! {
    static NEXT: RefCell<Option<NextWorkout>> = const { RefCell::new(None) };
}

/// A workout, encoded, since the first page knows none.
#[derive(Clone, Debug)]
pub struct NextWorkout {
    /// Name; may be empty.
    pub name: String,
    /// Bytes of `Workout::to_bytes`.
    pub bytes: Vec<u8>,
}

/// Puts a workout here, in place of the one of before.
pub fn put(workout: NextWorkout) {
    NEXT.set(Some(workout));
}

/// Name of the workout that is here.
pub fn name() -> Option<String> {
    NEXT.with_borrow(|next| next.as_ref().map(|next| next.name.clone()))
}

/// Takes the workout away.
pub fn take() -> Option<NextWorkout> {
    NEXT.take()
}
