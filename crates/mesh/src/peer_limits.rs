//! Rate limits for the work that other members can cause here, all in one place.
//!
//! Members are authenticated by the server but not trusted: a faulty or hostile page could send
//! offers or requests without end. Each member has one token bucket per kind of request, so it
//! exhausts neither this page nor the limits of the others. A request over its limit is dropped;
//! honest pages stay below the limits, and repeat a request that was not answered.

use std::time::Duration;

use litemap::LiteMap;

use clock::Moment;
use protocol::peer::PeerId;

use crate::rate_limit::RateLimit;

/// Largest number of members that are tracked at once. A ride has at most 32 riders, and few
/// members of other roles.
pub const MAX_TRACKED_PEERS: usize = 128;

/// Kind of request that another member makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PeerRequest {
    /// WebRTC offer, upon which this page opens or renegotiates a peer connection. An honest page
    /// sends one when a link is made, one after 3 s of silence, and one per connection attempt.
    Offer,
    /// Request for the newer part of the timeline. An honest page sends at most one for newer
    /// events, one for the whole timeline, and both again when the host changes.
    Timeline,
    /// Timeline event that does not follow the known ones, upon which this page requests the whole
    /// timeline from its sender.
    WholeTimeline,
    /// Request for the power history of all riders. An honest page waits 5 s for an answer.
    History,
    /// Report of a bridge with a proof that is not known yet. An honest bridge has one proof as
    /// long as the rider uses it.
    BridgeProof,
    /// Report of a bridge. An honest one sends at most four per second.
    BridgeReport,
}

/// Limits by `PeerRequest as usize`.
const LIMITS: [RateLimit; 6] = [
    RateLimit::new(4, Duration::from_millis(500)),
    RateLimit::new(4, Duration::from_millis(500)),
    RateLimit::new(1, Duration::from_secs(2)),
    RateLimit::new(1, Duration::from_secs(5)),
    RateLimit::new(2, Duration::from_secs(1)),
    RateLimit::new(8, Duration::from_millis(125)),
];

/// Limit on the offers of all members together. Each is answered with some signals through the
/// server, which closes sockets that send more than 100 messages per second.
const ALL_OFFERS: RateLimit = RateLimit::new(16, Duration::from_millis(100));

/// Token buckets of the other members.
///
/// A bucket is the moment at which it is full again, so an idle member costs nothing.
#[derive(Clone, Debug, Default)]
pub struct PeerLimits {
    full_at: LiteMap<PeerId, [Moment; LIMITS.len()]>,
    all_offers_full_at: Moment,
}

impl PeerLimits {
    /// Takes a token for a request of a member. Returns false when the request exceeds the limit
    /// and is to be dropped.
    pub fn allow(&mut self, now: Moment, peer: &PeerId, request: PeerRequest) -> bool {
        if !self.full_at.contains_key(peer) {
            self.make_room(now);
            if self.full_at.len() >= MAX_TRACKED_PEERS {
                return false;
            }
        }
        let limit = LIMITS[request as usize];
        let buckets = self.full_at.entry(peer.clone()).or_default();
        let full_at = &mut buckets[request as usize];
        let is_offer = request == PeerRequest::Offer;
        let allowed = limit.allows(now, *full_at)
            && (!is_offer || ALL_OFFERS.allows(now, self.all_offers_full_at));
        if allowed {
            *full_at = limit.after_one(now, *full_at);
            if is_offer {
                self.all_offers_full_at = ALL_OFFERS.after_one(now, self.all_offers_full_at);
            }
        }
        allowed
    }

    /// Forgets a member that left the ride.
    pub fn remove_peer(&mut self, peer: &PeerId) {
        self.full_at.remove(peer);
    }

    /// Forgets members whose buckets are all full, which changes no decision.
    fn make_room(&mut self, now: Moment) {
        if self.full_at.len() >= MAX_TRACKED_PEERS {
            let is_in_use = |full_at: &Moment| *full_at > now;
            self.full_at
                .retain(|_, buckets| buckets.iter().any(is_in_use));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KINDS: [PeerRequest; 6] = [
        PeerRequest::Offer,
        PeerRequest::Timeline,
        PeerRequest::WholeTimeline,
        PeerRequest::History,
        PeerRequest::BridgeProof,
        PeerRequest::BridgeReport,
    ];

    fn at(ms: u64) -> Moment {
        Moment::from_origin(Duration::from_millis(ms))
    }

    fn peer(name: &str) -> PeerId {
        name.parse().unwrap()
    }

    /// Number of requests allowed within `seconds`, of 100 per second.
    fn allowed(limits: &mut PeerLimits, name: &str, request: PeerRequest, seconds: u64) -> usize {
        let peer = peer(name);
        let times = (0..100 * seconds).map(|count| at(10 * count));
        times
            .filter(|now| limits.allow(*now, &peer, request))
            .count()
    }

    #[test]
    fn four_offers_are_allowed_at_once_and_one_more_every_half_second() {
        let (mut limits, eve) = (PeerLimits::default(), peer("eve"));
        for _ in 0..4 {
            assert!(limits.allow(at(1_000), &eve, PeerRequest::Offer));
        }
        assert!(!limits.allow(at(1_000), &eve, PeerRequest::Offer));
        assert!(!limits.allow(at(1_499), &eve, PeerRequest::Offer));
        assert!(limits.allow(at(1_500), &eve, PeerRequest::Offer));
        assert!(!limits.allow(at(1_500), &eve, PeerRequest::Offer));
        for _ in 0..4 {
            assert!(limits.allow(at(3_500), &eve, PeerRequest::Offer));
        }
        assert!(!limits.allow(at(3_500), &eve, PeerRequest::Offer));
    }

    #[test]
    fn the_history_is_sent_once_in_five_seconds_and_the_whole_timeline_requested_once_in_two() {
        let (mut limits, eve) = (PeerLimits::default(), peer("eve"));
        for (request, ms) in [
            (PeerRequest::History, 5_000),
            (PeerRequest::WholeTimeline, 2_000),
        ] {
            assert!(limits.allow(at(7), &eve, request));
            assert!(!limits.allow(at(ms + 6), &eve, request));
            assert!(limits.allow(at(ms + 7), &eve, request));
        }
    }

    #[test]
    fn a_peer_that_floods_gets_the_rate_of_its_limit_and_no_more() {
        let mut limits = PeerLimits::default();
        let counts = KINDS.map(|request| allowed(&mut limits, "eve", request, 10));
        assert_eq!(counts, [4 + 19, 4 + 19, 5, 2, 2 + 9, 8 + 79]);
    }

    #[test]
    fn refused_requests_do_not_postpone_the_next_token() {
        let (mut limits, eve) = (PeerLimits::default(), peer("eve"));
        assert!(limits.allow(at(0), &eve, PeerRequest::History));
        for ms in 1..5_000 {
            assert!(!limits.allow(at(ms), &eve, PeerRequest::History));
        }
        assert!(limits.allow(at(5_000), &eve, PeerRequest::History));
    }

    #[test]
    fn a_peer_that_floods_takes_nothing_from_the_others_or_from_other_kinds() {
        let mut limits = PeerLimits::default();
        allowed(&mut limits, "eve", PeerRequest::Offer, 1);
        for _ in 0..4 {
            assert!(limits.allow(at(1_000), &peer("ana"), PeerRequest::Offer));
            assert!(limits.allow(at(1_000), &peer("eve"), PeerRequest::Timeline));
        }
    }

    #[test]
    fn many_members_together_cannot_make_this_page_send_more_signals_than_the_server_allows() {
        let mut limits = PeerLimits::default();
        let flood = (0..1_000).flat_map(|ms| (0..28).map(move |number| (ms, number)));
        let allowed = flood.filter(|(ms, number)| {
            limits.allow(at(*ms), &peer(&format!("eve-{number}")), PeerRequest::Offer)
        });
        assert_eq!(allowed.count(), 16 + 9);
    }

    #[test]
    fn the_number_of_tracked_peers_is_bounded_and_idle_ones_make_room() {
        let mut limits = PeerLimits::default();
        for number in 0..MAX_TRACKED_PEERS {
            let peer = peer(&format!("peer-{number}"));
            assert!(limits.allow(at(0), &peer, PeerRequest::History));
        }
        for number in 0..1_000 {
            let stranger = peer(&format!("stranger-{number}"));
            assert!(!limits.allow(at(4_999), &stranger, PeerRequest::History));
        }
        assert_eq!(limits.full_at.len(), MAX_TRACKED_PEERS);
        assert!(limits.allow(at(5_000), &peer("stranger-0"), PeerRequest::History));
        assert_eq!(limits.full_at.len(), 1);
    }

    #[test]
    fn a_peer_that_left_is_forgotten() {
        let (mut limits, eve) = (PeerLimits::default(), peer("eve"));
        assert!(limits.allow(at(0), &eve, PeerRequest::History));
        limits.remove_peer(&eve);
        assert!(limits.full_at.is_empty());
        assert!(limits.allow(at(1), &eve, PeerRequest::History));
    }

    #[test]
    fn clocks_at_either_end_of_their_range_do_not_overflow() {
        let (mut limits, eve) = (PeerLimits::default(), peer("eve"));
        let last = Moment::from_origin(Duration::MAX);
        for request in KINDS {
            assert!(limits.allow(last, &eve, request));
            let _ = limits.allow(Moment::ZERO, &eve, request);
        }
    }
}
