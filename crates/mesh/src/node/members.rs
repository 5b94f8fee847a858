//! Who is in the ride, as the server says.

use clock::{Moment, WallTime};

use std::collections::BTreeSet;

use super::{Budget, Node, NodeEvent, Peer, PeerLimits, Server};
use crate::link::{Link, Page};
use protocol::{
    peer::{PeerId, PeerNumber},
    signaling::{ErrorCode, LeftReason, Member, Resume, ServerMessage, Welcome},
};

impl Node {
    pub(super) fn server_says(&mut self, now: Moment, message: ServerMessage) {
        match message {
            ServerMessage::Welcome(welcome) => self.welcomed(now, *welcome),
            ServerMessage::Error { code, message } => self.refused(code, message),
            ServerMessage::Replaced => self.end(NodeEvent::Replaced),
            ServerMessage::Kicked { reason } => self.end(NodeEvent::Kicked { reason }),
            ServerMessage::Ended => self.end(NodeEvent::RideEnded),
            ServerMessage::Closing { retry_after_ms } => self.server_closing(now, retry_after_ms),
            ServerMessage::Pong => {}
            _ if !self.socket.is_open() => self.stats.ignored += 1,
            ServerMessage::Joined { member } => self.joined(now, member),
            ServerMessage::Away { peer } => self.gone_away(&peer),
            ServerMessage::Returned { member } => self.returned(now, member),
            ServerMessage::Left { peer, reason } => self.left(&peer, reason),
            ServerMessage::Host { term, first_host } => self.new_term(term, first_host),
            ServerMessage::Locked { locked } => self.set_locked(locked),
            ServerMessage::Banned { token: note } => self.keep_note(note),
            ServerMessage::Restored(restored) => self.restored(now, *restored),
            ServerMessage::Signal {
                from,
                incarnation,
                signal,
            } => {
                self.signalled(now, &from, incarnation, signal);
            }
        }
    }

    /// Everybody is gone, with their connections.
    pub(super) fn forget_peers(&mut self) {
        let numbers: Vec<_> = self.peers.keys().copied().collect();
        numbers.into_iter().for_each(|number| self.forget(number));
        self.limits = PeerLimits::default();
    }

    fn forget(&mut self, number: PeerNumber) {
        if let Some(peer) = self.peers.get_mut(&number) {
            peer.link.hang_up();
        }
        self.drain(number);
        self.peers.remove(&number);
    }

    fn refused(&mut self, code: ErrorCode, message: String) {
        match self.socket.is_open() {
            false if code.is_final() && self.is_linked() => {
                self.give_server_up();
                self.event(NodeEvent::JoinRefused { code, message });
            }
            false if code.is_final() => self.end(NodeEvent::JoinRefused { code, message }),
            true if code.is_denial() => self.event(NodeEvent::CommandRefused { code, message }),
            _ => self.stats.ignored += 1,
        }
    }

    fn welcomed(&mut self, now: Moment, welcome: Welcome) {
        let resume = Resume {
            peer: welcome.peer.clone(),
            token: welcome.token.clone(),
            incarnation: Some(welcome.incarnation),
        };
        self.socket_welcomed(now, resume);
        let epoch = welcome.hosts.last().map_or(0, |term| term.epoch);
        self.server = Some(Server {
            since: now,
            time: WallTime::from_unix_ms(welcome.server_time),
            ice_servers: welcome.ice_servers.clone(),
            direct: welcome.direct,
            limits: welcome.limits,
            p2p: welcome.p2p,
        });
        self.budget = Budget::new(now, welcome.limits.relay_bytes_per_second);
        let me = self.myself(&welcome);
        let back = self.me.is_some();
        let same = self.me.as_ref().is_some_and(|old| {
            (&old.peer, old.number, old.incarnation) == (&me.peer, me.number, me.incarnation)
        });
        self.me = Some(me);
        if back {
            self.event(NodeEvent::SocketRestored);
        }
        if same {
            self.catch_up(now, welcome);
        } else {
            self.start(now, welcome);
        }
        self.offer();
        for peer in self.peers.values_mut() {
            peer.link.signals_lost(now);
        }
        if epoch < self.epoch() {
            self.correct_server(now);
        }
    }

    fn myself(&self, welcome: &Welcome) -> Member {
        Member {
            peer: welcome.peer.clone(),
            number: welcome.number,
            incarnation: welcome.incarnation,
            role: welcome.role,
            away: false,
            keys: self.config.keys,
        }
    }

    /// In the ride, knowing nothing of the others.
    fn start(&mut self, now: Moment, welcome: Welcome) {
        self.forget_peers();
        self.take_rule(&welcome);
        self.event(NodeEvent::Welcomed {
            peer: welcome.peer,
            number: welcome.number,
            incarnation: welcome.incarnation,
            token: welcome.token,
            members: welcome.members.clone(),
            server_time: WallTime::from_unix_ms(welcome.server_time),
        });
        for member in welcome.members {
            self.add(now, member);
        }
        if self.locked {
            self.event(NodeEvent::LockChanged(true));
        }
    }

    /// Back in the ride: what changed meanwhile is told as if it happened now.
    fn catch_up(&mut self, now: Moment, welcome: Welcome) {
        let present: BTreeSet<_> = welcome.members.iter().map(|member| member.number).collect();
        let missing: Vec<_> = self
            .members()
            .filter(|member| !present.contains(&member.number))
            .map(|member| member.peer.clone())
            .collect();
        for peer in missing {
            self.left(&peer, LeftReason::Gone);
        }
        let before = (self.terms.last().cloned(), self.locked);
        let epoch = welcome.hosts.last().map_or(0, |term| term.epoch);
        match epoch < self.epoch() {
            // Epochs never run back.
            true => self.stats.ignored += 1,
            false => self.take_rule(&welcome),
        }
        for member in welcome.members {
            self.compare(now, member);
        }
        self.tell_rule(before);
    }

    fn compare(&mut self, now: Moment, member: Member) {
        let known = self.peers.get(&member.number);
        let Some(known) = known.filter(|known| known.member.peer == member.peer) else {
            return self.joined(now, member);
        };
        let was = &known.member;
        if was.incarnation != member.incarnation {
            let away = member.away.then(|| member.peer.clone());
            self.returned(now, member);
            if let Some(peer) = away {
                self.gone_away(&peer);
            }
        } else if was.away && !member.away {
            self.returned(now, member);
        } else if member.away && !was.away {
            self.gone_away(&member.peer);
        }
    }

    fn joined(&mut self, now: Moment, member: Member) {
        self.event(NodeEvent::Joined(member.clone()));
        self.add(now, member);
    }

    fn add(&mut self, now: Moment, member: Member) {
        if let Some(link) = self.new_link(now, &member) {
            self.forget(member.number);
            self.peers.insert(
                member.number,
                Peer {
                    member,
                    link,
                    shown: None,
                    called: None,
                },
            );
        }
    }

    fn new_link(&mut self, now: Moment, member: &Member) -> Option<Link> {
        let seed = self.random.next();
        let me = self.me.as_ref().filter(|me| me.number != member.number)?;
        Some(Link::new(now, page(me), page(member), seed))
    }

    fn gone_away(&mut self, peer: &PeerId) {
        if let Some(known) = self.peer_mut(peer) {
            known.member.away = true;
            self.event(NodeEvent::Away(peer.clone()));
        }
    }

    /// The same page goes on where it was, a newer one knows nothing.
    fn returned(&mut self, now: Moment, member: Member) {
        let Some(known) = self.peers.get_mut(&member.number) else {
            return;
        };
        let same_page = known.member.incarnation == member.incarnation;
        known.member = member.clone();
        if same_page {
            known.link.signals_lost(now);
        } else {
            known.link.hang_up();
            self.drain(member.number);
            self.renew(now, &member);
        }
        self.event(NodeEvent::Returned(member));
    }

    fn renew(&mut self, now: Moment, member: &Member) {
        let link = self.new_link(now, member);
        if let Some((known, link)) = self.peers.get_mut(&member.number).zip(link) {
            known.link = link;
        }
    }

    fn left(&mut self, peer: &PeerId, reason: LeftReason) {
        if let Some(number) = self.peer(peer).map(|peer| peer.member.number) {
            self.forget(number);
            self.limits.remove_peer(peer);
            self.event(NodeEvent::Left {
                peer: peer.clone(),
                reason,
            });
        }
    }
}

fn page(member: &Member) -> Page {
    Page {
        number: member.number,
        incarnation: member.incarnation,
    }
}
