use std::{collections::BTreeMap, sync::Mutex};

use super::*;

/// Standings in memory.
#[derive(Debug, Default)]
pub(super) struct FakeStandings(Mutex<BTreeMap<PeerId, Standing>>);

impl FakeStandings {
    pub(super) fn record(&self, change: StandingChange) {
        let mut standings = self.0.lock().unwrap();
        match change {
            StandingChange::Banned(peer) => standings.insert(peer, Standing::Banned),
            StandingChange::Left(peer) => standings.insert(peer, Standing::Left),
            StandingChange::Returned(peer) => standings.remove(&peer),
        };
    }

    /// Forgets everything, as a server without its file does.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap().clear();
    }
}

impl Standings for FakeStandings {
    fn standing(&self, peer: &PeerId) -> Standing {
        let standings = self.0.lock().unwrap();
        standings.get(peer).copied().unwrap_or_default()
    }
}
