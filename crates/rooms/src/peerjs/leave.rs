//! Departure of peers: by LEAVE, or by the end of their socket.

use std::sync::Arc;

use clock::Moment;

use super::{MessageKind, Output, PeerJsBroker, SocketIdentity, TimerKind, message};
use crate::room::SocketId;
use protocol::signaling::close;

/// A room remembers at most this many times its size of peers that may return. Beyond that, the
/// loss of a socket counts as LEAVE.
const AWAY_FACTOR: usize = 4;

impl PeerJsBroker {
    /// Handles the end of a socket.
    pub(super) fn closed(&mut self, now: Moment, socket: SocketId, goodbye: bool) {
        let Some(identity) = self.identities.remove(&socket) else {
            return;
        };
        let claimant = self.take_claim(&identity);
        if identity.is_open {
            let token = self.disconnect(&identity);
            match claimant {
                Some(claimant) => {
                    self.admit(claimant, identity.room.clone(), identity.id.clone(), token);
                }
                None => self.remember(now, &identity, token, goodbye),
            }
        }
        self.remove_unused(&identity.room, &identity.id);
    }

    /// Handles the LEAVE of a peer.
    pub(super) fn leave(&mut self, socket: SocketId) {
        let Some(identity) = self.identities.remove(&socket) else {
            return;
        };
        let claimant = self.take_claim(&identity);
        let token = self.disconnect(&identity);
        self.outputs.push_back(Output::Close {
            socket,
            code: close::LEFT,
            reason: "left",
        });
        self.announce(&identity.room, &identity.id);
        if let Some(claimant) = claimant {
            self.admit(claimant, identity.room.clone(), identity.id.clone(), token);
        }
        self.remove_unused(&identity.room, &identity.id);
    }

    /// A peer that lost its socket has not returned in time.
    pub(super) fn handle_return_timeout(&mut self, name: &Arc<str>, id: &Arc<str>) {
        if let Some(room) = self.rooms.get_mut(name)
            && let Some(absent) = room.absent.get_mut(id)
        {
            absent.may_return_until = None;
            absent.is_reserved = false;
            room.away -= 1;
            self.counts.away -= 1;
        }
        self.announce(name, id);
    }

    /// Removes a connected peer. Returns its token.
    fn disconnect(&mut self, identity: &SocketIdentity) -> Arc<str> {
        self.counts.peers -= 1;
        let room = self.rooms.get_mut(&identity.room);
        room.and_then(|room| room.connected.remove(&identity.id))
            .map(|peer| peer.token)
            .expect("an open identity is a connected peer's")
    }

    /// Remembers a peer that lost its socket and may return.
    fn remember(&mut self, now: Moment, identity: &SocketIdentity, token: Arc<str>, goodbye: bool) {
        let (rooms, max) = (self.settings.rooms, self.settings.max_peers as usize);
        let max_in_room = self.settings.room_size as usize * AWAY_FACTOR;
        let Some(room) = self.rooms.get_mut(&identity.room) else {
            return;
        };
        let is_alone = room.connected.is_empty() && room.absent.is_empty();
        if rooms && is_alone {
            return;
        }
        if self.counts.away >= max || rooms && room.away >= max_in_room {
            return self.announce(&identity.room, &identity.id);
        }
        let timeout = if rooms {
            self.settings.heartbeat_timeout
        } else {
            self.settings.expire
        };
        let may_return_until = now + timeout;
        let absent = room.absent.entry(identity.id.clone()).or_default();
        absent.token = Some(token);
        absent.is_reserved = !goodbye;
        absent.may_return_until = Some(may_return_until);
        room.away += 1;
        self.counts.away += 1;
        self.set_timer(
            may_return_until,
            &identity.room,
            &identity.id,
            TimerKind::ReturnTimeout,
        );
    }

    /// Sends LEAVE to the others of a room. Upstream does not announce departures.
    fn announce(&mut self, name: &str, id: &str) {
        let room = self.rooms.get(name).filter(|_| self.settings.rooms);
        let others = room.into_iter().flat_map(|room| &room.connected);
        let sends = others.map(|(other, peer)| Output::Send {
            socket: peer.socket,
            text: message::forward(MessageKind::Leave, id, other, None),
        });
        self.outputs.extend(sends);
    }
}
