//! Assignment of ids to sockets, with upstream's checks in upstream's order.

use std::sync::Arc;

use clock::Moment;

use super::{
    ConnectedPeer, IdClaim, MAX_TOKEN, Output, PROBE_PAUSE, PeerJsBroker, PeerJsRefusal,
    SocketIdentity, TimerKind, message,
};
use crate::{ClientKey, room::SocketId};
use protocol::{peer::same_secret, signaling::close};

impl PeerJsBroker {
    pub(super) fn connect(
        &mut self,
        now: Moment,
        (socket, client): (SocketId, ClientKey),
        key: Option<&str>,
        id: Option<&str>,
        token: Option<&str>,
    ) -> Result<(), PeerJsRefusal> {
        let given = |value: Option<_>| value.filter(|it: &&str| !it.is_empty());
        let (Some(key), Some(id), Some(token)) = (given(key), given(id), given(token)) else {
            return Err(PeerJsRefusal::Missing);
        };
        if key != self.settings.key {
            return Err(PeerJsRefusal::InvalidKey);
        }
        let id = message::parse_id(id).ok_or(PeerJsRefusal::InvalidId)?;
        if token.len() > MAX_TOKEN {
            return Err(PeerJsRefusal::InvalidToken);
        }
        let name = self.room_name(token);
        let room = self.rooms.get_key_value(name).map(|(name, _)| name.clone());
        let name = room.unwrap_or_else(|| name.into());
        if self.has(&name, &id) {
            return self.claim(now, (socket, client), name, id, token);
        }
        self.check_capacity(&name, &id, token)?;
        let token = if self.settings.rooms {
            name.clone()
        } else {
            token.into()
        };
        self.admit((socket, client), name, id, token);
        Ok(())
    }

    /// A probed socket has answered: the claim on its id is refused.
    pub(super) fn probe_answered(&mut self, now: Moment, socket: SocketId) {
        let Some(identity) = self
            .identities
            .get(&socket)
            .filter(|identity| identity.is_open)
            .cloned()
        else {
            return;
        };
        if let Some((claimant, _)) = self.take_claim(&identity) {
            self.pause_probes(&identity, now + PROBE_PAUSE);
            self.identities.remove(&claimant);
            self.outputs.push_back(Output::Refuse {
                socket: claimant,
                refusal: PeerJsRefusal::IdTaken,
            });
        }
    }

    /// The probed socket has not answered: the claimant gets the id.
    pub(super) fn hand_over_to_claimant(&mut self, room: &Arc<str>, id: &Arc<str>) {
        let peer = self
            .rooms
            .get_mut(room)
            .and_then(|room| room.connected.get_mut(id));
        if let Some(peer) = peer
            && let Some(claim) = peer.claim.take()
        {
            self.counts.claims -= 1;
            self.replace((claim.socket, claim.client), room, id);
        }
    }

    /// Ends the claim on a peer's id, if there is one. Returns the claiming socket, whose identity
    /// the caller removes or replaces.
    pub(super) fn take_claim(
        &mut self,
        identity: &SocketIdentity,
    ) -> Option<(SocketId, ClientKey)> {
        let peer = self
            .rooms
            .get_mut(&identity.room)
            .and_then(|room| room.connected.get_mut(&identity.id))?;
        let claim = peer.claim.take()?;
        self.counts.claims -= 1;
        self.cancel_timer(
            claim.until,
            &identity.room,
            &identity.id,
            TimerKind::ProbeTimeout,
        );
        Some((claim.socket, claim.client))
    }

    /// Gives a socket its id, and delivers the messages queued for it.
    pub(super) fn admit(
        &mut self,
        (socket, client): (SocketId, ClientKey),
        name: Arc<str>,
        id: Arc<str>,
        token: Arc<str>,
    ) {
        let queued = self.take_over_queue(&name, &id, &token);
        let room = self.rooms.entry(name.clone()).or_default();
        let peer = ConnectedPeer {
            socket,
            token,
            claim: None,
            no_probe_until: Moment::ZERO,
        };
        room.connected.insert(id.clone(), peer);
        self.counts.peers += 1;
        self.identities.insert(
            socket,
            SocketIdentity {
                room: name,
                id,
                client,
                is_open: true,
            },
        );
        self.outputs.push_back(Output::Open { socket });
        for text in queued {
            self.relay(socket, text);
        }
    }

    fn pause_probes(&mut self, identity: &SocketIdentity, until: Moment) {
        let room = self.rooms.get_mut(&identity.room);
        if let Some(peer) = room.and_then(|room| room.connected.get_mut(&identity.id)) {
            peer.no_probe_until = until;
        }
    }

    fn has(&self, room: &Arc<str>, id: &Arc<str>) -> bool {
        let room = self.rooms.get(room);
        room.is_some_and(|room| room.connected.contains_key(id))
    }

    /// Claims the id of a connected peer.
    fn claim(
        &mut self,
        now: Moment,
        (socket, client): (SocketId, ClientKey),
        name: Arc<str>,
        id: Arc<str>,
        token: &str,
    ) -> Result<(), PeerJsRefusal> {
        let until = now + self.settings.probe_timeout;
        let rooms = self.settings.rooms;
        let peer = self
            .rooms
            .get_mut(&name)
            .and_then(|room| room.connected.get_mut(&id))
            .filter(|peer| peer.claim.is_none() && same_secret(&peer.token, token))
            .ok_or(PeerJsRefusal::IdTaken)?;
        if !rooms {
            self.replace((socket, client), &name, &id);
            return Ok(());
        }
        if now < peer.no_probe_until {
            return Err(PeerJsRefusal::IdTaken);
        }
        peer.claim = Some(IdClaim {
            socket,
            client,
            until,
        });
        let old = peer.socket;
        self.counts.claims += 1;
        self.set_timer(until, &name, &id, TimerKind::ProbeTimeout);
        let identity = SocketIdentity {
            room: name,
            id,
            client,
            is_open: false,
        };
        self.identities.insert(socket, identity);
        self.outputs.push_back(Output::Probe { socket: old });
        Ok(())
    }

    /// Gives the id of a connected peer to another socket.
    fn replace(&mut self, (socket, client): (SocketId, ClientKey), name: &Arc<str>, id: &Arc<str>) {
        let Some(peer) = self
            .rooms
            .get_mut(name)
            .and_then(|room| room.connected.get_mut(id))
        else {
            return;
        };
        let old = std::mem::replace(&mut peer.socket, socket);
        peer.no_probe_until = Moment::ZERO;
        self.identities.remove(&old);
        let identity = SocketIdentity {
            room: name.clone(),
            id: id.clone(),
            client,
            is_open: true,
        };
        self.identities.insert(socket, identity);
        self.outputs.push_back(Output::Close {
            socket: old,
            code: close::SUPERSEDED,
            reason: "another socket has this id now",
        });
        self.outputs.push_back(Output::Open { socket });
    }

    fn check_capacity(&self, name: &str, id: &str, token: &str) -> Result<(), PeerJsRefusal> {
        let room = self.rooms.get(name);
        let absent = room.and_then(|room| room.absent.get(id));
        let owner = absent
            .filter(|absent| absent.is_reserved)
            .and_then(|absent| absent.token.as_deref());
        if owner.is_some_and(|owner| !same_secret(owner, token)) {
            return Err(PeerJsRefusal::IdTaken);
        }
        if self.counts.peers >= self.settings.max_peers as usize {
            return Err(PeerJsRefusal::ServerFull);
        }
        if self.is_full(name) {
            return Err(PeerJsRefusal::RoomFull);
        }
        Ok(())
    }

    /// Takes the messages queued for an id that is connected again. If the id belonged to a peer
    /// with another token, the messages expire instead.
    fn take_over_queue(&mut self, name: &Arc<str>, id: &Arc<str>, token: &str) -> Vec<String> {
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
        if let Some(may_return_until) = absent.may_return_until {
            room.away -= 1;
            self.counts.away -= 1;
            self.cancel_timer(may_return_until, name, id, TimerKind::ReturnTimeout);
        }
        self.take_queued(name, id, absent)
    }
}
