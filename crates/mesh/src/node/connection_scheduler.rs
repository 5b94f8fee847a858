use std::time::Duration;

use clock::Moment;

use super::{
    ServerInfo,
    members::{Members, Peer},
};
use crate::link::LinkConditions;
use protocol::peer::{PeerId, PeerNumber};

/// Largest number of connection attempts of this page that are in progress at once.
const MAX_CONCURRENT_ATTEMPTS: usize = 4;

/// Decides which members are to be reached directly, and when the attempts start.
#[derive(Debug)]
pub(super) struct ConnectionScheduler {
    p2p_available: bool,
    /// Number of the newest connection.
    last_connection: u32,
    /// Member that is to be reached directly whatever the roles are.
    partner: Option<PeerId>,
}

impl ConnectionScheduler {
    /// Scheduler for a browser that has `RTCPeerConnection` or not.
    pub(super) fn new(p2p_available: bool) -> Self {
        Self {
            p2p_available,
            last_connection: 0,
            partner: None,
        }
    }

    /// Returns true if the browser has `RTCPeerConnection`.
    pub(super) fn has_webrtc(&self) -> bool {
        self.p2p_available
    }

    pub(super) fn set_partner(&mut self, partner: PeerId) {
        self.partner = Some(partner);
    }

    /// Returns true if this page uses direct links: its browser supports them and the server allows
    /// them.
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
        let mut others = members.riders().filter(|peer| peer.member.number != number);
        let others_direct = others.any(|peer| peer.link.is_direct());
        let is_partner = peer.is_some_and(|peer| Some(&peer.member.peer) == self.partner.as_ref());
        let within_limit = |server| is_partner || is_within_direct_limit(members, server, number);
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
        let due = |peer: &Peer| peer.link.connection_attempt_due_at();
        let due = members.peers().filter_map(due);
        due.min().filter(|_| has_capacity(members))
    }

    /// Returns true if an attempt to a member starts now.
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

/// Returns true if this page and a member are both among the riders with the lowest numbers, which
/// have direct links. Members of other roles have none and do not count.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        link::{TokenBucket, testing::make_direct},
        node::members::tests::{id, member, members},
    };
    use clock::WallTime;
    use protocol::{
        peer::MemberRole::{self, Rider, Spectator},
        signaling::{DirectLinkSettings, Limits},
    };

    fn server(max_direct: u32) -> ServerInfo {
        ServerInfo {
            welcomed_at: Moment::ZERO,
            time: WallTime::from_unix_ms(0),
            ice_servers: Vec::new(),
            direct: DirectLinkSettings::default(),
            limits: Limits {
                max_message_bytes: 65_536,
                max_riders: 32,
                max_direct,
                grace_ms: 30_000,
                relay_bytes_per_second: None,
                max_file_bytes: None,
                max_cameras: None,
            },
            p2p: true,
            tunnel_origin: None,
        }
    }

    /// Numbers of the members that the first member is to reach directly.
    fn direct(roles: &[MemberRole], max_direct: u32) -> Vec<u32> {
        let (members, server) = (members(roles), server(max_direct));
        let scheduler = ConnectionScheduler::new(true);
        let is_wanted = |number: &PeerNumber| {
            let conditions = scheduler.conditions(&members, Some(&server), true, *number);
            conditions.direct_wanted
        };
        let numbers = members.numbers().into_iter().filter(is_wanted);
        numbers.map(|number| number.0).collect()
    }

    #[test]
    fn the_first_riders_have_direct_links() {
        assert_eq!(direct(&[Rider; 5], 3), [2, 3]);
        assert_eq!(direct(&[Rider; 5], 16), [2, 3, 4, 5]);
        assert!(direct(&[Rider; 5], 0).is_empty());
    }

    #[test]
    fn a_partner_of_any_role_has_a_direct_link() {
        let (members, server) = (members(&[Spectator, Rider, Rider]), server(0));
        let mut scheduler = ConnectionScheduler::new(true);
        scheduler.set_partner(id(3));
        let wanted = [2, 3].map(|number| {
            let number = PeerNumber(number);
            let conditions = scheduler.conditions(&members, Some(&server), true, number);
            conditions.direct_wanted
        });
        assert_eq!(wanted, [false, true]);
    }

    #[test]
    fn members_of_other_roles_have_no_direct_links_and_do_not_count() {
        let roles = [Rider, Spectator, Rider, Spectator, Rider, Rider];
        assert_eq!(direct(&roles, 3), [3, 5]);
        assert!(direct(&[Spectator, Rider, Rider], 16).is_empty());
    }

    #[test]
    fn without_a_server_or_peer_connections_nothing_is_direct() {
        let (members, server) = (members(&[Rider; 2]), server(16));
        let number = PeerNumber(2);
        for (p2p_available, server) in [(false, Some(&server)), (true, None)] {
            let scheduler = ConnectionScheduler::new(p2p_available);
            let conditions = scheduler.conditions(&members, server, true, number);
            assert!(!conditions.direct_wanted);
        }
    }

    #[test]
    fn four_attempts_are_in_progress_at_once() {
        let (mut members, server) = (members(&[Rider; 8]), server(16));
        let mut scheduler = ConnectionScheduler::new(true);
        // Of two members, the one with the higher number starts.
        members.set_own(member(9, Rider));
        for number in members.numbers() {
            let peer = members.remove(number).unwrap();
            members.insert(Moment::ZERO, peer.member);
            let conditions = scheduler.conditions(&members, Some(&server), true, number);
            let mut bucket = TokenBucket::default();
            let peer = members.peer_mut(number).unwrap();
            peer.link.tick(Moment::ZERO, conditions, &mut bucket);
        }
        let mut started = Vec::new();
        for number in members.numbers() {
            if scheduler.is_due(Moment::ZERO, &members, number) {
                let connection = scheduler.next_connection();
                let peer = members.peer_mut(number).unwrap();
                peer.link.start_connection_attempt(Moment::ZERO, connection);
                started.push(number.0);
            }
        }
        assert_eq!(started, [2, 3, 4, 5]);
        assert_eq!(scheduler.timeout(&members), None);
    }

    #[test]
    fn silence_counts_against_a_member_only_when_others_are_reached_without_the_server() {
        let mut members = members(&[Rider; 3]);
        let scheduler = ConnectionScheduler::new(true);
        let others_reached = |members: &Members, is_socket_open| {
            let number = PeerNumber(2);
            let conditions = scheduler.conditions(members, None, is_socket_open, number);
            conditions.others_reached
        };
        assert!(!others_reached(&members, false));
        let other = members.peer_mut(PeerNumber(3)).unwrap();
        make_direct(&mut other.link, Moment::ZERO);
        assert!(others_reached(&members, false));
        assert!(!others_reached(&members, true));
    }
}
