use std::collections::{HashSet, VecDeque};

use protocol::code::SessionCode;

/// So many codes are remembered; by the time the oldest is forgotten its tokens
/// are too old on all but the busiest server.
const MAX_CODES: usize = 50_000;

/// The codes of rides that are over: who holds a token for one does not open it
/// again.
#[derive(Debug, Default)]
pub struct Over {
    codes: HashSet<SessionCode>,
    order: VecDeque<SessionCode>,
}

impl Over {
    /// Remembers a ride that has ended.
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

    /// Whether a ride has ended.
    pub fn contains(&self, code: &SessionCode) -> bool {
        self.codes.contains(code)
    }
}
