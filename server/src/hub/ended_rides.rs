use std::collections::{HashSet, VecDeque};

use protocol::code::SessionCode;

/// Maximum number of remembered codes. On all but the busiest servers, the tokens
/// of a ride have expired before its code is evicted.
const MAX_CODES: usize = 50_000;

/// Codes of rides that have ended. A resume token does not restore such a ride.
#[derive(Debug, Default)]
pub struct EndedRides {
    codes: HashSet<SessionCode>,
    /// Oldest first.
    order: VecDeque<SessionCode>,
}

impl EndedRides {
    /// Adds the code of a ride that has ended.
    pub fn insert(&mut self, code: SessionCode) {
        if !self.codes.insert(code.clone()) {
            return;
        }
        self.order.push_back(code);
        if self.order.len() > MAX_CODES
            && let Some(oldest) = self.order.pop_front()
        {
            self.codes.remove(&oldest);
        }
    }

    /// Returns `true` if the ride with this code has ended.
    pub fn contains(&self, code: &SessionCode) -> bool {
        self.codes.contains(code)
    }
}
