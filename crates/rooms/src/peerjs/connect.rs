//! How a socket gets its id, by the checks of upstream in upstream's order.

use std::sync::Arc;

use clock::Moment;

use super::{
    Alarm, Broker, Claim, Connected, MAX_TOKEN, Output, PROBE_REST, Refusal, Seat, message,
};
use crate::room::SocketId;
use protocol::{peer::same_secret, signaling::close};

impl Broker {
    pub(super) fn connect(
        &mut self,
        now: Moment,
        socket: SocketId,
        key: Option<&str>,
        id: Option<&str>,
        token: Option<&str>,
    ) -> Result<(), Refusal> {
        let given = |value: Option<_>| value.filter(|it: &&str| !it.is_empty());
        let (Some(key), Some(id), Some(token)) = (given(key), given(id), given(token)) else {
            return Err(Refusal::Missing);
        };
        if key != self.settings.key {
            return Err(Refusal::InvalidKey);
        }
        let id = message::id(id).ok_or(Refusal::InvalidId)?;
        if token.len() > MAX_TOKEN {
            return Err(Refusal::InvalidToken);
        }
        let name = self.room_name(token);
        let room = self.rooms.get_key_value(name).map(|(name, _)| name.clone());
        let name = room.unwrap_or_else(|| name.into());
        if self.has(&name, &id) {
            return self.claim(now, socket, name, id, token);
        }
        self.check_place(&name, &id, token)?;
        let token = if self.settings.rooms {
            name.clone()
        } else {
            token.into()
        };
        self.admit(socket, name, id, token);
        Ok(())
    }

    /// A socket that was probed lives: its claimant does not get the id.
    pub(super) fn alive(&mut self, now: Moment, socket: SocketId) {
        let Some(seat) = self.seats.get(&socket).filter(|seat| seat.open).cloned() else {
            return;
        };
        if let Some(claimant) = self.take_claim(&seat) {
            self.let_rest(&seat, now + PROBE_REST);
            self.seats.remove(&claimant);
            self.outputs.push_back(Output::Refuse {
                socket: claimant,
                refusal: Refusal::IdTaken,
            });
        }
    }

    /// The old socket did not answer: the claimant gets the id.
    pub(super) fn hand_over(&mut self, room: &Arc<str>, id: &Arc<str>) {
        let peer = self
            .rooms
            .get_mut(room)
            .and_then(|room| room.connected.get_mut(id));
        if let Some(peer) = peer
            && let Some(claim) = peer.claim.take()
        {
            self.counts.claims -= 1;
            self.replace(claim.socket, room, id);
        }
    }

    /// Ends the claim on a peer's id, if there is one; its socket's seat is
    /// left to the caller.
    pub(super) fn take_claim(&mut self, seat: &Seat) -> Option<SocketId> {
        let peer = self
            .rooms
            .get_mut(&seat.room)
            .and_then(|room| room.connected.get_mut(&seat.id))?;
        let claim = peer.claim.take()?;
        self.counts.claims -= 1;
        self.cancel_timer(claim.until, &seat.room, &seat.id, Alarm::ProbeOver);
        Some(claim.socket)
    }

    /// Gives a socket its id, and what waited for that.
    pub(super) fn admit(
        &mut self,
        socket: SocketId,
        name: Arc<str>,
        id: Arc<str>,
        token: Arc<str>,
    ) {
        let waited = self.welcome_back(&name, &id, &token);
        let room = self.rooms.entry(name.clone()).or_default();
        let peer = Connected {
            socket,
            token,
            claim: None,
            rests_until: Moment::ZERO,
        };
        room.connected.insert(id.clone(), peer);
        self.counts.peers += 1;
        let open = true;
        self.seats.insert(
            socket,
            Seat {
                room: name,
                id,
                open,
            },
        );
        self.outputs.push_back(Output::Open { socket });
        for text in waited {
            self.relay(socket, text);
        }
    }

    fn let_rest(&mut self, seat: &Seat, until: Moment) {
        let room = self.rooms.get_mut(&seat.room);
        if let Some(peer) = room.and_then(|room| room.connected.get_mut(&seat.id)) {
            peer.rests_until = until;
        }
    }

    fn has(&self, room: &Arc<str>, id: &Arc<str>) -> bool {
        let room = self.rooms.get(room);
        room.is_some_and(|room| room.connected.contains_key(id))
    }

    /// Asks for an id that is connected.
    fn claim(
        &mut self,
        now: Moment,
        socket: SocketId,
        name: Arc<str>,
        id: Arc<str>,
        token: &str,
    ) -> Result<(), Refusal> {
        let until = now + self.settings.probe_timeout;
        let rooms = self.settings.rooms;
        let peer = self
            .rooms
            .get_mut(&name)
            .and_then(|room| room.connected.get_mut(&id))
            .filter(|peer| peer.claim.is_none() && same_secret(&peer.token, token))
            .ok_or(Refusal::IdTaken)?;
        if !rooms {
            self.replace(socket, &name, &id);
            return Ok(());
        }
        if now < peer.rests_until {
            return Err(Refusal::IdTaken);
        }
        peer.claim = Some(Claim { socket, until });
        let old = peer.socket;
        self.counts.claims += 1;
        self.set_timer(until, &name, &id, Alarm::ProbeOver);
        let seat = Seat {
            room: name,
            id,
            open: false,
        };
        self.seats.insert(socket, seat);
        self.outputs.push_back(Output::Probe { socket: old });
        Ok(())
    }

    /// Gives a connected peer another socket.
    fn replace(&mut self, socket: SocketId, name: &Arc<str>, id: &Arc<str>) {
        let Some(peer) = self
            .rooms
            .get_mut(name)
            .and_then(|room| room.connected.get_mut(id))
        else {
            return;
        };
        let old = std::mem::replace(&mut peer.socket, socket);
        peer.rests_until = Moment::ZERO;
        self.seats.remove(&old);
        let seat = Seat {
            room: name.clone(),
            id: id.clone(),
            open: true,
        };
        self.seats.insert(socket, seat);
        self.outputs.push_back(Output::Close {
            socket: old,
            code: close::SUPERSEDED,
            reason: "another socket has this id now",
        });
        self.outputs.push_back(Output::Open { socket });
    }

    fn check_place(&self, name: &str, id: &str, token: &str) -> Result<(), Refusal> {
        let room = self.rooms.get(name);
        let absent = room.and_then(|room| room.absent.get(id));
        let owner = absent
            .filter(|absent| absent.held)
            .and_then(|absent| absent.token.as_deref());
        if owner.is_some_and(|owner| !same_secret(owner, token)) {
            return Err(Refusal::IdTaken);
        }
        if self.counts.peers >= self.settings.max_peers as usize {
            return Err(Refusal::ServerFull);
        }
        if self.is_full(name) {
            return Err(Refusal::RoomFull);
        }
        Ok(())
    }

    /// What waited for an id that is connected again. What may be meant for
    /// somebody with another token goes back to its senders.
    fn welcome_back(&mut self, name: &Arc<str>, id: &Arc<str>, token: &str) -> Vec<String> {
        let absent = self.rooms.get(name).and_then(|room| room.absent.get(id));
        let owner = absent.and_then(|absent| absent.token.as_deref());
        if owner.is_some_and(|owner| !same_secret(owner, token)) {
            self.expire_all(name, id);
        }
        let Some(room) = self.rooms.get_mut(name) else {
            return Vec::new();
        };
        let Some(absent) = room.absent.remove(id) else {
            return Vec::new();
        };
        if let Some(gone_at) = absent.gone_at {
            room.away -= 1;
            self.counts.away -= 1;
            self.cancel_timer(gone_at, name, id, Alarm::Gone);
        }
        self.fetch(name, id, absent)
    }
}
