use std::time::Duration;

use super::{PeerNumber, ResumeClaims, Room, SocketId, Statement};
use protocol::{
    peer::Token,
    signaling::{Limits, ServerMessage, VERSION, Welcome},
};

impl Room {
    pub(super) fn welcome(&mut self, socket: SocketId, number: PeerNumber, server_time: u64) {
        let rider = &self.members[&number];
        // None while the room asks its riders.
        let host = self.host.and_then(|host| self.members.get(&host));
        let others = self.members.iter().filter(|(other, _)| **other != number);
        let welcome = Welcome {
            version: VERSION,
            peer: rider.peer.clone(),
            number,
            incarnation: rider.incarnation,
            token: self.token(number, server_time),
            role: protocol::peer::MemberRole::Rider,
            host: host.map(|host| host.peer.clone()),
            first_host: self.first_host.clone().filter(|_| host.is_some()),
            locked: self.locked,
            bans: self.notes(),
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

    /// A fresh token, so that it is good for long from each welcome on.
    fn token(&self, number: PeerNumber, server_time: u64) -> Token {
        let rider = &self.members[&number];
        let expires = server_time / 1_000 + self.settings.token_life.as_secs();
        self.signer.sign(&Statement::Rider(ResumeClaims {
            peer: rider.peer.clone(),
            number,
            incarnation: rider.incarnation,
            epoch: self.epoch().max(self.epoch_floor),
            host: self.host == Some(number),
            expires,
        }))
    }

    fn notes(&self) -> Vec<Token> {
        let notes = self.barred.iter().map(|barred| barred.note.clone());
        notes.collect()
    }

    fn limits(&self) -> Limits {
        Limits {
            max_message_bytes: self.settings.max_message_bytes,
            max_riders: self.settings.max_riders,
            max_direct: self.settings.max_direct,
            grace_ms: millis(self.settings.grace),
            relay_bytes_per_second: self.settings.relay_bytes_per_second,
        }
    }
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
