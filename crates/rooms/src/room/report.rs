//! Whom the riders reach directly, as they say.

use super::Room;
use protocol::{
    peer::{LinkState, PeerNumber},
    signaling::Report,
};

impl Room {
    pub(super) fn report(&mut self, number: PeerNumber, report: Report) {
        if let Some(rider) = self.members.get_mut(&number) {
            let links = report.links.into_iter();
            let direct = links.filter(|link| link.state == LinkState::Direct);
            rider.reaches = direct.map(|link| link.peer).collect();
        }
    }
}
