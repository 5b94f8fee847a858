//! Whom the riders reach directly, as they say.

use super::{LinkCounts, Rider, Room};
use crate::{
    peer::{LinkState, PeerId, PeerNumber},
    signaling::Report,
};

impl Room {
    /// How the riders reach each other now.
    pub fn links(&self) -> LinkCounts {
        let links = self.members.values().flat_map(|rider| &rider.links);
        let mut counts = LinkCounts::default();
        for (_, state) in links {
            counts.direct += u32::from(*state == LinkState::Direct);
            counts.relayed += u32::from(*state == LinkState::Relayed);
        }
        counts
    }

    pub(super) fn report(&mut self, number: PeerNumber, report: Report) {
        if let Some(rider) = self.members.get_mut(&number) {
            let links = report.links.into_iter();
            rider.links = links.map(|link| (link.peer, link.state)).collect();
        }
    }
}

impl Rider {
    /// Whether it has a live direct link to somebody.
    pub(super) fn reaches(&self, peer: &PeerId) -> bool {
        let mut links = self.links.iter();
        links.any(|(to, state)| to == peer && *state == LinkState::Direct)
    }
}
