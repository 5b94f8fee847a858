//! Access to state behind a mutex.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even one that is poisoned.
///
/// No critical section of this crate can panic between two changes that belong
/// together, so the value is consistent even if a thread panicked while it held
/// the lock.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
