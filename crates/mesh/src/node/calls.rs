//! Which riders are to be reached directly, and when they are called.

use clock::Moment;

use std::time::Duration;

use super::{Node, Output, RtcCommand};
use crate::link::Reach;
use protocol::peer::{LinkState, PeerId, PeerNumber};

/// So many connections are made at a time.
const CALLS: usize = 4;

impl Node {
    /// Whether anybody is reached directly.
    pub(super) fn is_linked(&self) -> bool {
        let mut links = self.peers.values().map(|peer| peer.link.state());
        links.any(|state| state == LinkState::Direct)
    }

    /// When the next connection is to be made, while there may be more.
    pub(super) fn next_call(&self) -> Option<Moment> {
        let calls = self.peers.values().filter_map(|peer| peer.link.call_at());
        calls.min().filter(|_| self.may_call())
    }

    pub(super) fn make_calls(&mut self, now: Moment, numbers: &[PeerNumber]) {
        for number in numbers {
            let due = |peer: &super::Peer| peer.link.call_at().is_some_and(|at| at <= now);
            if !self.may_call() || !self.peers.get(number).is_some_and(due) {
                continue;
            }
            let id = self.next_connection();
            if let Some(peer) = self.peers.get_mut(number) {
                peer.called = Some(now);
                peer.link.call(now, id);
            }
        }
    }

    fn may_call(&self) -> bool {
        let calling = self.peers.values().filter(|peer| peer.link.is_calling());
        calling.count() < CALLS
    }

    pub(super) fn next_connection(&mut self) -> u32 {
        self.connections = self.connections.wrapping_add(1);
        self.connections
    }

    pub(super) fn reach(&self, number: PeerNumber) -> Reach {
        let away = self.peers.get(&number).is_some_and(|peer| peer.member.away);
        let relay = self.socket.is_open() && !away;
        let direct = self.wants_direct() && self.is_early(number);
        let mut others = self.peers.iter().filter(|(other, _)| **other != number);
        let others = others.any(|(_, peer)| peer.link.state() == LinkState::Direct);
        let told = self.server.as_ref().map(|server| server.direct);
        let patience = told.unwrap_or_default().timeout_ms;
        Reach {
            relay,
            direct,
            away,
            others: others && !self.socket.is_open(),
            patience: Duration::from_millis(patience.into()),
        }
    }

    pub(super) fn wants_direct(&self) -> bool {
        self.config.p2p_available && self.server.as_ref().is_some_and(|server| server.p2p)
    }

    /// Whether both of us are among the riders who have direct links.
    fn is_early(&self, number: PeerNumber) -> bool {
        let Some((me, server)) = self.me.as_ref().zip(self.server.as_ref()) else {
            return false;
        };
        let later = me.number.max(number);
        let before = self.peers.keys().filter(|other| **other < later).count();
        let before = before + usize::from(me.number < later);
        before < server.limits.max_direct as usize
    }

    pub(super) fn open_connection(&mut self, peer: PeerId, connection: u32) {
        self.stats.connection_attempts += 1;
        let server = self.server.as_ref();
        let command = RtcCommand::Open {
            ice_servers: server.map(|it| it.ice_servers.clone()).unwrap_or_default(),
            direct: server.map(|it| it.direct).unwrap_or_default(),
        };
        self.outputs.push_back(Output::Rtc {
            peer,
            connection,
            command,
        });
    }
}
