use std::time::Duration;

use clock::Moment;

use super::{ServerInfo, members::Members};
use crate::link::LinkConditions;
use protocol::peer::PeerNumber;

/// Largest number of connection attempts of this page that are in progress at once.
const MAX_CONCURRENT_ATTEMPTS: usize = 4;

/// Decides which members are to be reached directly, and when the attempts start.
#[derive(Debug)]
pub(super) struct ConnectionScheduler {
    p2p_available: bool,
    /// Number of the newest connection.
    last_connection: u32,
}

impl ConnectionScheduler {
    /// Scheduler for a browser that has `RTCPeerConnection` or not.
    pub(super) fn new(p2p_available: bool) -> Self {
        Self {
            p2p_available,
            last_connection: 0,
        }
    }

    /// Whether this page uses direct links: its browser supports them and the server allows them.
    pub(super) fn supports_p2p(&self, server: Option<&ServerInfo>) -> bool {
        self.p2p_available && server.is_some_and(|server| server.p2p)
    }

    /// Number for a connection, never used before.
    pub(super) fn next_connection(&mut self) -> u32 {
        self.last_connection = self.last_connection.wrapping_add(1);
        self.last_connection
    }

    /// Conditions of the link to a member.
    pub(super) fn conditions(
        &self,
        members: &Members,
        server: Option<&ServerInfo>,
        is_socket_open: bool,
        number: PeerNumber,
    ) -> LinkConditions {
        let peer = members.peer(number);
        let is_away = peer.is_some_and(|peer| peer.member.away);
        let mut others = members.peers().filter(|peer| peer.member.number != number);
        let others_direct = others.any(|peer| peer.link.is_direct());
        let within_limit = |server| is_within_direct_limit(members, server, number);
        let settings = server.map(|server| server.direct).unwrap_or_default();
        LinkConditions {
            relay_available: is_socket_open && !is_away,
            direct_wanted: self.supports_p2p(server) && server.is_some_and(within_limit),
            is_away,
            others_reached: others_direct && !is_socket_open,
            attempt_timeout: Duration::from_millis(settings.timeout_ms.into()),
        }
    }

    /// Moment of the next attempt, while another one may be started.
    pub(super) fn timeout(&self, members: &Members) -> Option<Moment> {
        let due = |peer: &super::members::Peer| peer.link.connection_attempt_due_at();
        let due = members.peers().filter_map(due);
        due.min().filter(|_| has_capacity(members))
    }

    /// Whether an attempt to a member starts now.
    pub(super) fn is_due(&self, now: Moment, members: &Members, number: PeerNumber) -> bool {
        let peer = members.peer(number);
        let due_at = peer.and_then(|peer| peer.link.connection_attempt_due_at());
        due_at.is_some_and(|at| at <= now) && has_capacity(members)
    }
}

fn has_capacity(members: &Members) -> bool {
    let connecting = members.peers().filter(|peer| peer.link.is_connecting());
    connecting.count() < MAX_CONCURRENT_ATTEMPTS
}

/// Whether this page and a member are both among the riders with the lowest numbers, which have
/// direct links. Members of other roles have none and do not count.
fn is_within_direct_limit(members: &Members, server: &ServerInfo, number: PeerNumber) -> bool {
    let Some(own) = members.own().filter(|own| own.role.is_rider()) else {
        return false;
    };
    let peer = members.peer(number).map(|peer| &peer.member);
    if !peer.is_some_and(|peer| peer.role.is_rider()) {
        return false;
    }
    let later = own.number.max(number);
    let earlier = members
        .riders()
        .filter(|rider| rider.member.number < later)
        .count();
    let earlier = earlier + usize::from(own.number < later);
    earlier < server.limits.max_direct as usize
}
