//! Statistics of the links, for the connection panel.

use clock::{Duration, Moment};

use crate::{
    group::Group,
    roster::Roster,
    view::{LinkStats, NetworkStats},
};

/// Interval between two updates.
const UPDATE_INTERVAL: Duration = Duration::from_secs(1);

/// Updates the statistics while the panel is open.
#[derive(Debug, Default)]
pub(crate) struct LinkMonitor {
    /// Time of the next update; `None` while the panel is closed.
    next_update: Option<Moment>,
    /// Time at which the candidates of new direct links are asked for, all at once.
    candidates_at: Option<Moment>,
}

impl LinkMonitor {
    /// Starts or stops the updates.
    pub(crate) fn watch(&mut self, now: Moment, watch: bool) {
        self.next_update = watch.then_some(now);
    }

    /// Records that a link became direct.
    pub(crate) fn became_direct(&mut self, now: Moment) {
        self.candidates_at.get_or_insert(now + UPDATE_INTERVAL);
    }

    /// Returns true if the candidates of direct links are to be asked for.
    pub(crate) fn wants_candidates(&mut self, now: Moment) -> bool {
        self.candidates_at.take_if(|at| now >= *at).is_some()
    }

    /// Updates the statistics of each link, if it is time, and returns those of all links.
    /// `rejected` counts messages that the session itself has rejected.
    pub(crate) fn update(
        &mut self,
        now: Moment,
        group: &Group,
        roster: &mut Roster,
        rejected: u64,
    ) -> Option<NetworkStats> {
        if self.next_update.is_none_or(|next| now < next) {
            return None;
        }
        self.next_update = Some(now + UPDATE_INTERVAL);
        let node = group.node()?;
        roster.update_link_stats(now, |peer, known| LinkStats {
            round_trip: node.round_trip(peer),
            clock_error: node.peer_clock_error(peer),
            ..known
        });
        let stats = node.stats();
        Some(NetworkStats {
            clock_error: node.clock_error(now),
            attempts: stats.connection_attempts,
            direct_connections: stats.direct_connections,
            outcomes: stats.outcomes,
            connect_time: stats.connect_time,
            fallbacks: stats.fallbacks,
            bytes_sent: stats.bytes_sent,
            bytes_received: stats.bytes_received,
            ignored: stats.ignored + rejected,
        })
    }
}
