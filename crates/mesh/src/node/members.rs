use litemap::LiteMap;

use clock::Moment;

use crate::{
    link::{Link, PageId},
    random::Random,
};
use protocol::{
    peer::{LinkState, PeerId, PeerNumber},
    signaling::{LeftReason, Member},
};

/// The members of the ride as the server last named them, with the links to them.
#[derive(Debug)]
pub(super) struct Members {
    own: Option<Member>,
    peers: LiteMap<PeerNumber, Peer>,
    /// Seeds for the links.
    random: Random,
}

/// Another member, and the link to it.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) member: Member,
    pub(super) link: Link,
    /// State of the link in the last [`NodeEvent::LinkChanged`](super::NodeEvent::LinkChanged).
    pub(super) announced: Option<LinkState>,
}

/// Change of the member list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemberChange {
    Joined(Member),
    Away(PeerId),
    Returned(Member),
    Left(PeerId, LeftReason),
}

impl Members {
    pub(super) fn new(random: Random) -> Self {
        Self {
            own: None,
            peers: LiteMap::new(),
            random,
        }
    }

    /// This page's own member, once the server has welcomed it.
    pub(super) fn own(&self) -> Option<&Member> {
        self.own.as_ref()
    }

    pub(super) fn is_own(&self, peer: &PeerId) -> bool {
        self.own.as_ref().is_some_and(|own| own.peer == *peer)
    }

    pub(super) fn set_own(&mut self, own: Member) {
        self.own = Some(own);
    }

    /// The other members, by number.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.values()
    }

    pub(super) fn peers_mut(&mut self) -> impl Iterator<Item = &mut Peer> {
        self.peers.iter_mut().map(|(_, peer)| peer)
    }

    pub(super) fn numbers(&self) -> Vec<PeerNumber> {
        self.peers.keys().copied().collect()
    }

    /// Numbers of the other members that follow the ride.
    pub(super) fn following_ride(&self) -> Vec<PeerNumber> {
        let following = self.peers().filter(|peer| peer.member.role.follows_ride());
        following.map(|peer| peer.member.number).collect()
    }

    pub(super) fn peer(&self, number: PeerNumber) -> Option<&Peer> {
        self.peers.get(&number)
    }

    pub(super) fn peer_mut(&mut self, number: PeerNumber) -> Option<&mut Peer> {
        self.peers.get_mut(&number)
    }

    pub(super) fn peer_by_id(&self, id: &PeerId) -> Option<&Peer> {
        self.peers().find(|peer| peer.member.peer == *id)
    }

    pub(super) fn peer_by_id_mut(&mut self, id: &PeerId) -> Option<&mut Peer> {
        self.peers_mut().find(|peer| peer.member.peer == *id)
    }

    /// The other members that are riders.
    pub(super) fn riders(&self) -> impl Iterator<Item = &Peer> {
        self.peers().filter(|peer| peer.member.role.is_rider())
    }

    /// Returns true if this page is a rider's.
    pub(super) fn is_rider(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.role.is_rider())
    }

    /// Number of riders, this one included.
    pub(super) fn rider_count(&self) -> usize {
        self.riders().count() + usize::from(self.is_rider())
    }

    /// Rider with a number, this one included.
    pub(super) fn rider(&self, number: PeerNumber) -> Option<&Member> {
        self.all_riders().find(|rider| rider.number == number)
    }

    /// Rider with an id, this one included.
    pub(super) fn rider_by_id(&self, id: &PeerId) -> Option<&Member> {
        self.all_riders().find(|rider| rider.peer == *id)
    }

    fn all_riders(&self) -> impl Iterator<Item = &Member> {
        let others = self.peers().map(|peer| &peer.member);
        let all = self.own.iter().chain(others);
        all.filter(|member| member.role.is_rider())
    }

    /// Returns true if any member is reached directly.
    pub(super) fn any_direct(&self) -> bool {
        self.peers().any(|peer| peer.link.is_direct())
    }

    /// Differences of a newer member list from this one, in the order in which they are to be
    /// applied.
    pub(super) fn changes_to(&self, newer: Vec<Member>) -> Vec<MemberChange> {
        let is_present = |peer: &&Peer| {
            newer
                .iter()
                .any(|member| member.number == peer.member.number)
        };
        let missing = self.peers().filter(|peer| !is_present(peer));
        let left = |peer: &Peer| MemberChange::Left(peer.member.peer.clone(), LeftReason::Gone);
        let mut changes: Vec<_> = missing.map(left).collect();
        for member in newer {
            let known = self.peers.get(&member.number).map(|peer| &peer.member);
            let Some(known) = known.filter(|known| known.peer == member.peer) else {
                changes.push(MemberChange::Joined(member));
                continue;
            };
            let away = member.away.then(|| member.peer.clone());
            if known.incarnation != member.incarnation {
                changes.push(MemberChange::Returned(member));
                changes.extend(away.map(MemberChange::Away));
            } else if known.away && !member.away {
                changes.push(MemberChange::Returned(member));
            } else if !known.away {
                changes.extend(away.map(MemberChange::Away));
            }
        }
        changes
    }

    /// Adds a member with a new link. Returns the peer that had the number before.
    pub(super) fn insert(&mut self, now: Moment, member: Member) -> Option<Peer> {
        let link = self.new_link(now, &member)?;
        let peer = Peer {
            member,
            link,
            announced: None,
        };
        self.peers.insert(peer.member.number, peer)
    }

    pub(super) fn remove(&mut self, number: PeerNumber) -> Option<Peer> {
        self.peers.remove(&number)
    }

    /// Takes in that a member has a socket again. Returns the previous link if its page is a newer
    /// one, which knows nothing of it.
    pub(super) fn set_returned(&mut self, now: Moment, member: Member) -> Option<Link> {
        let new_link = self.new_link(now, &member);
        let peer = self.peers.get_mut(&member.number)?;
        let is_same_page = peer.member.incarnation == member.incarnation;
        peer.member = member;
        if is_same_page {
            peer.link.signals_lost(now);
            return None;
        }
        Some(std::mem::replace(&mut peer.link, new_link?))
    }

    fn new_link(&mut self, now: Moment, member: &Member) -> Option<Link> {
        let seed = self.random.next();
        let own = self.own.as_ref()?;
        (own.number != member.number).then(|| Link::new(now, page_id(own), page_id(member), seed))
    }
}

fn page_id(member: &Member) -> PageId {
    PageId {
        number: member.number,
        incarnation: member.incarnation,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use protocol::{
        election::BallotKey,
        peer::{Incarnation, MemberRole, PublicKeys},
    };

    pub(in crate::node) fn id(number: u32) -> PeerId {
        format!("peer-{number}").parse().unwrap()
    }

    pub(in crate::node) fn key(number: u32) -> BallotKey {
        BallotKey::from_seed([number as u8; 32]).unwrap()
    }

    pub(in crate::node) fn member(number: u32, role: MemberRole) -> Member {
        Member {
            peer: id(number),
            number: PeerNumber(number),
            incarnation: Incarnation(1),
            role,
            away: false,
            keys: PublicKeys {
                sign: key(number).public(),
                agree: [0; 32],
            },
        }
    }

    /// Members with the given roles, numbered from 1, of which the first is this page.
    pub(in crate::node) fn members(roles: &[MemberRole]) -> Members {
        let mut members = Members::new(Random::new(1));
        for (number, role) in (1..).zip(roles) {
            let member = member(number, *role);
            match number {
                1 => members.set_own(member),
                _ => _ = members.insert(Moment::ZERO, member),
            }
        }
        members
    }

    fn riders(count: usize) -> Members {
        members(&vec![MemberRole::Rider; count])
    }

    #[test]
    fn an_equal_member_list_changes_nothing() {
        let members = riders(3);
        let same = members.peers().map(|peer| peer.member.clone()).collect();
        assert_eq!(members.changes_to(same), []);
    }

    #[test]
    fn a_newer_member_list_tells_who_left_joined_returned_and_is_away() {
        let mut members = riders(5);
        members.peer_mut(PeerNumber(3)).unwrap().member.away = true;
        let newer = |number| member(number, MemberRole::Rider);
        let away = Member {
            away: true,
            ..newer(4)
        };
        let reloaded = Member {
            incarnation: Incarnation(2),
            away: true,
            ..newer(5)
        };
        let list = vec![newer(3), away, reloaded.clone(), newer(6)];
        let expected = [
            MemberChange::Left(id(2), LeftReason::Gone),
            MemberChange::Returned(newer(3)),
            MemberChange::Away(id(4)),
            MemberChange::Returned(reloaded),
            MemberChange::Away(id(5)),
            MemberChange::Joined(newer(6)),
        ];
        assert_eq!(members.changes_to(list), expected);
    }

    #[test]
    fn a_number_that_belongs_to_another_member_now_is_a_new_member() {
        let members = riders(2);
        let other = Member {
            peer: id(9),
            ..member(2, MemberRole::Rider)
        };
        let changes = members.changes_to(vec![other.clone()]);
        assert_eq!(changes, [MemberChange::Joined(other)]);
    }

    #[test]
    fn only_riders_are_counted_as_riders() {
        let members = members(&[
            MemberRole::Spectator,
            MemberRole::Rider,
            MemberRole::Coach,
            MemberRole::Rider,
        ]);
        assert_eq!(members.rider_count(), 2);
        assert!(members.rider(PeerNumber(2)).is_some());
        for number in [1, 3] {
            assert_eq!(members.rider(PeerNumber(number)), None);
            assert_eq!(members.rider_by_id(&id(number)), None);
        }
    }

    #[test]
    fn a_member_with_the_own_number_is_not_inserted() {
        let mut members = riders(1);
        members.insert(Moment::ZERO, member(1, MemberRole::Rider));
        assert_eq!(members.peers().count(), 0);
    }

    #[test]
    fn a_newer_page_gets_a_new_link_and_the_same_page_keeps_its_own() {
        let mut members = riders(2);
        let same = member(2, MemberRole::Rider);
        assert!(members.set_returned(Moment::ZERO, same.clone()).is_none());
        let newer = Member {
            incarnation: Incarnation(2),
            ..same
        };
        assert!(members.set_returned(Moment::ZERO, newer).is_some());
    }
}
