//! The members of a room and their sockets.

use std::collections::{BTreeMap, HashMap, VecDeque};

use clock::Moment;
use protocol::{
    peer::{Incarnation, LinkState, MemberRole, PeerId, PeerNumber, PublicKeys},
    signaling::{LinkReport, Member},
};

use super::{SocketId, known_pages::KnownPage};

/// Number of departed members whose page loads are remembered.
const MAX_DEPARTED: usize = 256;

/// Members by number, present and away.
#[derive(Debug)]
pub(super) struct Members {
    by_number: BTreeMap<PeerNumber, RoomMember>,
    /// Sockets of the present members. Every number in it is a key of `by_number`.
    sockets: HashMap<SocketId, PeerNumber>,
    next_number: u32,
    departed: VecDeque<DepartedPage>,
}

/// A member as the room knows it.
#[derive(Debug)]
pub(super) struct RoomMember {
    pub(super) peer: PeerId,
    pub(super) role: MemberRole,
    pub(super) keys: PublicKeys,
    pub(super) incarnation: Incarnation,
    /// Incarnation that the page resumed with, if the room assigned it another one. The page may
    /// resume with it again, because it may not have received the welcome.
    pub(super) presented_incarnation: Option<Incarnation>,
    pub(super) presence: Presence,
    /// Set if the member joined here or presented a resume token; not set while it is known only
    /// from the snapshots of others.
    pub(super) authenticated: bool,
    /// Members to which it last reported a direct link.
    pub(super) direct_links: Vec<PeerId>,
    /// Pages of other members that its page has links to or may have; see [`KnownPage`].
    pub(super) known_pages: Vec<KnownPage>,
}

/// Connection of a member to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    Present(SocketId),
    /// Without a socket since `since`; removed at `until`.
    Away {
        since: Moment,
        until: Moment,
    },
}

/// Last page load of a member that is gone. If the member returns, it gets a newer one.
#[derive(Debug)]
struct DepartedPage {
    peer: PeerId,
    /// See [`RoomMember::bound_key`].
    sign_key: Option<[u8; 32]>,
    incarnation: Incarnation,
    /// See [`RoomMember::authenticated`].
    authenticated: bool,
}

impl Members {
    pub(super) fn new() -> Self {
        Self {
            by_number: BTreeMap::new(),
            sockets: HashMap::new(),
            next_number: 1,
            departed: VecDeque::new(),
        }
    }

    /// Riders, present and away.
    pub(super) fn riders(&self) -> impl Iterator<Item = (PeerNumber, &RoomMember)> {
        self.iter().filter(|(_, member)| member.is_rider())
    }

    /// Number of members that compete for a place with a member of this role: riders, or the
    /// members of all other roles together.
    pub(super) fn count_beside(&self, role: MemberRole) -> usize {
        let members = self.by_number.values();
        members
            .filter(|member| member.is_rider() == role.is_rider())
            .count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (PeerNumber, &RoomMember)> {
        self.by_number
            .iter()
            .map(|(number, member)| (*number, member))
    }

    pub(super) fn contains(&self, number: PeerNumber) -> bool {
        self.by_number.contains_key(&number)
    }

    pub(super) fn get(&self, number: PeerNumber) -> Option<&RoomMember> {
        self.by_number.get(&number)
    }

    pub(super) fn find(&self, peer: &PeerId) -> Option<(PeerNumber, &RoomMember)> {
        self.iter().find(|(_, member)| member.peer == *peer)
    }

    pub(super) fn number_of(&self, peer: &PeerId) -> Option<PeerNumber> {
        self.find(peer).map(|(number, _)| number)
    }

    pub(super) fn authenticated_rider(&self, number: PeerNumber) -> Option<&RoomMember> {
        self.get(number)
            .filter(|member| member.authenticated && member.is_rider())
    }

    /// Newest member that is known only from snapshots, and that competes for a place with a
    /// member of this role.
    pub(super) fn newest_unauthenticated_beside(&self, role: MemberRole) -> Option<PeerNumber> {
        let mut newest_first = self.iter().rev();
        let member = newest_first
            .find(|(_, member)| !member.authenticated && member.is_rider() == role.is_rider());
        member.map(|(number, _)| number)
    }

    /// Rider that has been present for the longest time, preferably a connected one.
    pub(super) fn longest_present_rider(&self) -> Option<(PeerNumber, &RoomMember)> {
        let connected = self.riders().find(|(_, member)| member.is_connected());
        connected.or_else(|| self.riders().next())
    }

    pub(super) fn of_socket(&self, socket: SocketId) -> Option<PeerNumber> {
        self.sockets.get(&socket).copied()
    }

    /// Sockets in no particular order.
    pub(super) fn sockets(&self) -> impl Iterator<Item = SocketId> {
        self.sockets.keys().copied()
    }

    /// Connected members by number, with their sockets.
    pub(super) fn connected(&self) -> impl Iterator<Item = (PeerNumber, SocketId)> {
        self.iter()
            .filter_map(|(number, member)| Some((number, member.socket()?)))
    }

    /// Number for the next new member.
    pub(super) fn next_number(&self) -> PeerNumber {
        PeerNumber(self.next_number)
    }

    /// Keeps a number and all lower ones from being given to new members.
    pub(super) fn reserve_up_to(&mut self, number: PeerNumber) {
        self.next_number = self.next_number.max(number.0.saturating_add(1));
    }

    pub(super) fn insert(&mut self, number: PeerNumber, member: RoomMember) {
        if let Presence::Present(socket) = member.presence {
            self.sockets.insert(socket, number);
        }
        self.by_number.insert(number, member);
        self.reserve_up_to(number);
    }

    /// Gives a member a new socket and page. Returns the socket that it had before.
    pub(super) fn reconnect(
        &mut self,
        number: PeerNumber,
        socket: SocketId,
        page: ReturningPage,
    ) -> Option<SocketId> {
        let member = self.by_number.get_mut(&number)?;
        let old = member.socket();
        member.incarnation = page.incarnation;
        member.presented_incarnation = page.presented_incarnation;
        member.keys = page.keys;
        member.presence = Presence::Present(socket);
        self.sockets.insert(socket, number);
        old.inspect(|old| {
            self.sockets.remove(old);
        })
    }

    /// Marks a member that is known from snapshots as authenticated, with the role of its token.
    pub(super) fn authenticate(
        &mut self,
        number: PeerNumber,
        role: MemberRole,
        known_pages: Vec<KnownPage>,
    ) {
        if let Some(member) = self.by_number.get_mut(&number) {
            member.authenticated = true;
            member.role = role;
            member.known_pages = known_pages;
        }
    }

    /// Takes a socket from its member, which is away from then on.
    pub(super) fn disconnect(&mut self, socket: SocketId, away: Presence) -> Option<PeerNumber> {
        let number = self.sockets.remove(&socket)?;
        if let Some(member) = self.by_number.get_mut(&number) {
            member.presence = away;
            member.direct_links.clear();
        }
        Some(number)
    }

    /// Restarts the absence of a member, if it is away.
    pub(super) fn restart_absence(&mut self, number: PeerNumber, away: Presence) {
        let member = self.by_number.get_mut(&number);
        if let Some(member) = member.filter(|member| !member.is_connected()) {
            member.presence = away;
        }
    }

    /// Restarts the absence of all members that are known only from snapshots.
    pub(super) fn restart_unauthenticated(&mut self, away: Presence) {
        for member in self.by_number.values_mut() {
            if !member.authenticated {
                member.presence = away;
            }
        }
    }

    /// Removes a member, and remembers its page load in case that it returns.
    pub(super) fn remove(&mut self, number: PeerNumber) -> Option<PeerId> {
        let member = self.by_number.remove(&number)?;
        if let Some(socket) = member.socket() {
            self.sockets.remove(&socket);
        }
        for other in self.by_number.values_mut() {
            other.known_pages.retain(|page| page.number != number);
        }
        self.departed.push_back(DepartedPage {
            peer: member.peer.clone(),
            sign_key: member.bound_key(),
            incarnation: member.incarnation,
            authenticated: member.authenticated,
        });
        if self.departed.len() > MAX_DEPARTED {
            self.departed.pop_front();
        }
        Some(member.peer)
    }

    /// Removes all members at the end of the ride. Returns their sockets in ascending order.
    pub(super) fn remove_all(&mut self) -> Vec<SocketId> {
        self.by_number.clear();
        let mut sockets: Vec<_> = self.sockets.drain().map(|(socket, _)| socket).collect();
        sockets.sort();
        sockets
    }

    /// Returns `true` if the room has welcomed a member, and so issued a token to it. Forgotten for
    /// members that have been gone for long.
    pub(super) fn has_been_welcomed(&self, peer: &PeerId) -> bool {
        let mut departed = self.departed.iter();
        self.find(peer)
            .is_some_and(|(_, member)| member.authenticated)
            || departed.any(|page| page.authenticated && page.peer == *peer)
    }

    /// Signing key with which a member has to come back, of those who are there or left recently.
    pub(super) fn sign_key(&self, peer: &PeerId) -> Option<[u8; 32]> {
        if let Some((_, member)) = self.find(peer) {
            return member.bound_key();
        }
        let mut departed = self.departed.iter().rev();
        departed.find(|page| page.peer == *peer)?.sign_key
    }

    /// Last page load of a member that is gone; forgotten by this call.
    pub(super) fn take_departed(&mut self, peer: &PeerId) -> Option<Incarnation> {
        let index = self.departed.iter().position(|page| page.peer == *peer)?;
        self.departed.remove(index).map(|page| page.incarnation)
    }

    /// Updates the direct links of a member from its report.
    pub(super) fn set_links(&mut self, number: PeerNumber, links: Vec<LinkReport>) {
        if let Some(member) = self.by_number.get_mut(&number) {
            let direct = links
                .into_iter()
                .filter(|link| link.state == LinkState::Direct);
            member.direct_links = direct.map(|link| link.peer).collect();
        }
    }

    /// Members whose grace period has expired.
    pub(super) fn expired(&self, now: Moment) -> Vec<PeerNumber> {
        let expired = |member: &RoomMember| member.away_until().is_some_and(|until| until <= now);
        self.iter()
            .filter(|(_, member)| expired(member))
            .map(|(number, _)| number)
            .collect()
    }

    /// End of the first grace period to expire.
    pub(super) fn next_expiry(&self) -> Option<Moment> {
        self.by_number
            .values()
            .filter_map(RoomMember::away_until)
            .min()
    }

    /// All members but one, as the protocol describes them.
    pub(super) fn describe_others(&self, except: PeerNumber) -> Vec<Member> {
        self.iter()
            .filter(|(number, _)| *number != except)
            .map(|(number, member)| member.describe(number))
            .collect()
    }
}

/// Page with which a member returns.
#[derive(Debug)]
pub(super) struct ReturningPage {
    pub(super) incarnation: Incarnation,
    /// See [`RoomMember::presented_incarnation`].
    pub(super) presented_incarnation: Option<Incarnation>,
    pub(super) keys: PublicKeys,
}

impl RoomMember {
    pub(super) fn socket(&self) -> Option<SocketId> {
        match self.presence {
            Presence::Present(socket) => Some(socket),
            Presence::Away { .. } => None,
        }
    }

    pub(super) fn is_rider(&self) -> bool {
        self.role.is_rider()
    }

    pub(super) fn is_connected(&self) -> bool {
        self.socket().is_some()
    }

    /// Signing key to which the member is bound: others verify what it has signed. Keys that are known
    /// only from snapshots do not bind, and tunnels and bridges sign nothing and make new ones.
    fn bound_key(&self) -> Option<[u8; 32]> {
        let is_bound = self.authenticated && self.role.follows_ride();
        is_bound.then_some(self.keys.sign)
    }

    fn away_until(&self) -> Option<Moment> {
        match self.presence {
            Presence::Present(_) => None,
            Presence::Away { until, .. } => Some(until),
        }
    }

    /// Returns `true` if a newer page has taken over from a page with this incarnation.
    pub(super) fn has_replaced(&self, page: Incarnation) -> bool {
        page < self.incarnation && self.presented_incarnation != Some(page)
    }

    /// The member as the protocol describes it.
    pub(super) fn describe(&self, number: PeerNumber) -> Member {
        Member {
            peer: self.peer.clone(),
            number,
            incarnation: self.incarnation,
            role: self.role,
            away: !self.is_connected(),
            keys: self.keys,
        }
    }
}
