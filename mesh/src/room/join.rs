use super::{Gone, Presence, Rider, Room, SocketId};
use crate::{
    peer::{Incarnation, PeerId, PeerNumber, Token},
    signaling::{ErrorCode, Hello, Limits, Resume, ServerMessage, VERSION, Welcome, close},
};

/// So many riders who left are remembered by their token.
const MAX_GONE: usize = 256;

/// What a resume turns out to be.
enum Claim {
    Member(PeerNumber),
    Gone(usize),
    Stale,
    False,
}

impl Room {
    pub(super) fn join(
        &mut self,
        socket: SocketId,
        hello: Hello,
        fresh: (PeerId, Token),
        server_time: u64,
    ) {
        if hello.version != VERSION {
            return self.turn_away(socket, ErrorCode::UnsupportedVersion, close::REFUSED);
        }
        if self.sockets.contains_key(&socket) {
            return self.send(socket, ServerMessage::error(ErrorCode::BadMessage));
        }
        let Some(resume) = &hello.resume else {
            return self.enter(socket, &hello, fresh, Incarnation(1), server_time);
        };
        match self.claim(resume) {
            Claim::Member(number) => self.come_back(socket, number, &hello, server_time),
            Claim::Gone(index) => self.join_again(socket, &hello, index, server_time),
            Claim::Stale => {
                self.send(socket, ServerMessage::Replaced);
                self.close(socket, close::REPLACED, "a newer page is this rider");
            }
            Claim::False => self.turn_away(socket, ErrorCode::BadToken, close::REFUSED),
        }
    }

    pub(super) fn remember(&mut self, rider: Rider) {
        self.gone.push_back(Gone {
            peer: rider.peer,
            token: rider.token,
            incarnation: rider.incarnation,
        });
        if self.gone.len() > MAX_GONE {
            self.gone.pop_front();
        }
    }

    fn claim(&self, resume: &Resume) -> Claim {
        let member = self
            .members
            .iter()
            .find(|(_, rider)| rider.peer == resume.peer);
        if let Some((number, rider)) = member {
            return match resume.incarnation {
                _ if !rider.token.matches(&resume.token) => Claim::False,
                Some(load) if load != rider.incarnation => Claim::Stale,
                _ => Claim::Member(*number),
            };
        }
        let gone = self.gone.iter().position(|gone| gone.peer == resume.peer);
        match gone {
            Some(index) if self.gone[index].token.matches(&resume.token) => Claim::Gone(index),
            _ => Claim::False,
        }
    }

    fn join_again(&mut self, socket: SocketId, hello: &Hello, index: usize, server_time: u64) {
        if self.is_full() {
            return self.turn_away(socket, ErrorCode::RideFull, close::REFUSED);
        }
        if let Some(gone) = self.gone.remove(index) {
            let next = Incarnation(gone.incarnation.0.saturating_add(1));
            self.enter(socket, hello, (gone.peer, gone.token), next, server_time);
        }
    }

    fn enter(
        &mut self,
        socket: SocketId,
        hello: &Hello,
        (peer, token): (PeerId, Token),
        incarnation: Incarnation,
        server_time: u64,
    ) {
        if self.is_full() {
            return self.turn_away(socket, ErrorCode::RideFull, close::REFUSED);
        }
        let number = PeerNumber(self.next_number);
        self.next_number += 1;
        let presence = Presence::Present(socket);
        let keys = hello.keys;
        let rider = Rider {
            peer,
            token,
            keys,
            incarnation,
            presence,
        };
        self.members.insert(number, rider);
        self.sockets.insert(socket, number);
        self.dies_at = None;
        self.dead = false;
        if self.host.is_none() {
            self.begin_term(number);
        }
        self.welcome(socket, number, server_time);
        self.announce(number, |member| ServerMessage::Joined { member });
    }

    /// A member has a new socket: the same page, or a newer one.
    fn come_back(&mut self, socket: SocketId, number: PeerNumber, hello: &Hello, server_time: u64) {
        let same_page = hello
            .resume
            .as_ref()
            .is_some_and(|resume| resume.incarnation.is_some());
        let Some(rider) = self.members.get_mut(&number) else {
            return;
        };
        let old = rider.socket();
        let new_key = rider.keys.sign != hello.keys.sign;
        rider.presence = Presence::Present(socket);
        rider.keys = hello.keys;
        if !same_page {
            rider.incarnation = Incarnation(rider.incarnation.0.saturating_add(1));
        }
        self.sockets.insert(socket, number);
        if let Some(old) = old {
            self.drop_socket(old, same_page);
        }
        let new_term = (self.host == Some(number) && new_key).then(|| self.begin_term(number));
        self.welcome(socket, number, server_time);
        self.announce(number, |member| ServerMessage::Returned { member });
        if let Some(term) = new_term {
            self.tell_others(number, &ServerMessage::Host { term });
        }
    }

    fn drop_socket(&mut self, old: SocketId, same_page: bool) {
        self.sockets.remove(&old);
        if same_page {
            self.close(old, close::SUPERSEDED, "this page has a newer socket");
        } else {
            self.send(old, ServerMessage::Replaced);
            self.close(old, close::REPLACED, "a newer page is this rider");
        }
    }

    fn announce(
        &mut self,
        number: PeerNumber,
        message: impl Fn(crate::signaling::Member) -> ServerMessage,
    ) {
        let member = self.member(number, &self.members[&number]);
        self.tell_others(number, &message(member));
    }

    fn welcome(&mut self, socket: SocketId, number: PeerNumber, server_time: u64) {
        let rider = &self.members[&number];
        // Whoever is welcomed is a member, and a room with members has a host.
        let host = self.host.unwrap_or(number);
        let others = self.members.iter().filter(|(other, _)| **other != number);
        let welcome = Welcome {
            version: VERSION,
            peer: rider.peer.clone(),
            number,
            incarnation: rider.incarnation,
            token: rider.token.clone(),
            role: self.role(number),
            host: self.members[&host].peer.clone(),
            epoch: self.epoch(),
            hosts: self.terms.iter().cloned().collect(),
            members: others
                .map(|(other, rider)| self.member(*other, rider))
                .collect(),
            ice_servers: self.settings.ice_servers.clone(),
            server_time,
            limits: self.limits(),
            p2p: self.settings.p2p,
            direct: self.settings.direct,
        };
        self.send(socket, ServerMessage::Welcome(Box::new(welcome)));
    }

    fn limits(&self) -> Limits {
        let grace_ms = u32::try_from(self.settings.grace.as_millis()).unwrap_or(u32::MAX);
        Limits {
            max_message_bytes: self.settings.max_message_bytes,
            max_riders: self.settings.max_riders,
            max_direct: self.settings.max_direct,
            grace_ms,
        }
    }
}
