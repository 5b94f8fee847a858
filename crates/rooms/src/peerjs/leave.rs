//! How a peer goes: of its own will, or with its socket.

use std::sync::Arc;

use clock::Moment;

use super::{Alarm, Broker, Kind, Output, Seat, message};
use crate::room::SocketId;
use protocol::signaling::close;

/// So many times its size a room remembers of those who dropped; who drops
/// beyond that counts as gone at once.
const AWAY_FACTOR: usize = 4;

impl Broker {
    /// A socket is gone.
    pub(super) fn closed(&mut self, now: Moment, socket: SocketId, goodbye: bool) {
        let Some(seat) = self.seats.remove(&socket) else {
            return;
        };
        let claimant = self.take_claim(&seat);
        if seat.open {
            let token = self.disconnect(&seat);
            match claimant {
                Some(claimant) => {
                    self.admit(claimant, seat.room.clone(), seat.id.clone(), token);
                }
                None => self.dropped(now, &seat, token, goodbye),
            }
        }
        self.tidy(&seat.room, &seat.id);
    }

    /// A peer said that it leaves.
    pub(super) fn leave(&mut self, socket: SocketId) {
        let Some(seat) = self.seats.remove(&socket) else {
            return;
        };
        let claimant = self.take_claim(&seat);
        let token = self.disconnect(&seat);
        self.outputs.push_back(Output::Close {
            socket,
            code: close::LEFT,
            reason: "left",
        });
        self.announce(&seat.room, &seat.id);
        if let Some(claimant) = claimant {
            self.admit(claimant, seat.room.clone(), seat.id.clone(), token);
        }
        self.tidy(&seat.room, &seat.id);
    }

    /// A peer that dropped did not come back in time.
    pub(super) fn gone(&mut self, name: &Arc<str>, id: &Arc<str>) {
        if let Some(room) = self.rooms.get_mut(name)
            && let Some(absent) = room.absent.get_mut(id)
        {
            absent.gone_at = None;
            absent.held = false;
            room.away -= 1;
            self.counts.away -= 1;
        }
        self.announce(name, id);
    }

    /// Takes a peer off the list of the connected, and gives its token.
    fn disconnect(&mut self, seat: &Seat) -> Arc<str> {
        self.counts.peers -= 1;
        let room = self.rooms.get_mut(&seat.room);
        room.and_then(|room| room.connected.remove(&seat.id))
            .map(|peer| peer.token)
            .expect("an open seat is a connected peer's")
    }

    /// A peer lost its socket: for a while it may come back.
    fn dropped(&mut self, now: Moment, seat: &Seat, token: Arc<str>, goodbye: bool) {
        let (rooms, most) = (self.settings.rooms, self.settings.max_peers as usize);
        let most_in_room = self.settings.room_size as usize * AWAY_FACTOR;
        let Some(room) = self.rooms.get_mut(&seat.room) else {
            return;
        };
        let is_alone = room.connected.is_empty() && room.absent.is_empty();
        if rooms && is_alone {
            return;
        }
        if self.counts.away >= most || rooms && room.away >= most_in_room {
            return self.announce(&seat.room, &seat.id);
        }
        let patience = if rooms {
            self.settings.heartbeat_timeout
        } else {
            self.settings.expire
        };
        let gone_at = now + patience;
        let absent = room.absent.entry(seat.id.clone()).or_default();
        absent.token = Some(token);
        absent.held = !goodbye;
        absent.gone_at = Some(gone_at);
        room.away += 1;
        self.counts.away += 1;
        self.set_timer(gone_at, &seat.room, &seat.id, Alarm::Gone);
    }

    /// Tells the others of a room that somebody left; upstream does not.
    fn announce(&mut self, name: &str, id: &str) {
        let room = self.rooms.get(name).filter(|_| self.settings.rooms);
        let others = room.into_iter().flat_map(|room| &room.connected);
        let sends = others.map(|(other, peer)| Output::Send {
            socket: peer.socket,
            text: message::pass(Kind::Leave, id, other, None),
        });
        self.outputs.extend(sends);
    }
}
