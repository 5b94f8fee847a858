use std::collections::HashMap;
use std::panic::{PanicHookInfo, set_hook};
use std::sync::Mutex;
use std::time::Instant;

use crate::sync::lock;

/// Maximum number of places in the code that are remembered. There are fewer places
/// that can panic and be reached.
const MAX_PLACES: usize = 64;

/// Logs panics through the log, so that its format and its limit apply to them, and
/// at most once per second and place in the code.
pub fn log_panics() {
    let origin = Instant::now();
    let repeated = Mutex::new(RepeatedPanics::default());
    set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        if lock(&repeated).is_new(&place, origin.elapsed().as_secs()) {
            tracing::error!(place, message = message(panic), "panicked");
        }
    }));
}

/// Message of a panic, unless it was formatted at run time: then it may contain what
/// a rider sent.
fn message(panic: &PanicHookInfo<'_>) -> &'static str {
    panic
        .payload()
        .downcast_ref::<&'static str>()
        .copied()
        .unwrap_or("")
}

/// Second of the last logged panic by place.
#[derive(Debug, Default)]
struct RepeatedPanics(HashMap<String, u64>);

impl RepeatedPanics {
    fn is_new(&mut self, place: &str, second: u64) -> bool {
        if self.0.get(place) == Some(&second) {
            return false;
        }
        if self.0.len() >= MAX_PLACES && !self.0.contains_key(place) {
            self.0.clear();
        }
        self.0.insert(place.to_owned(), second);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_logged_once_per_place_and_second() {
        let mut panics = RepeatedPanics::default();
        assert!(panics.is_new("a.rs:1", 0));
        assert!(!panics.is_new("a.rs:1", 0));
        assert!(panics.is_new("b.rs:1", 0));
        assert!(panics.is_new("a.rs:1", 1));
        for place in 0..1_000 {
            panics.is_new(&place.to_string(), 1);
            assert!(panics.0.len() <= MAX_PLACES);
        }
    }
}
