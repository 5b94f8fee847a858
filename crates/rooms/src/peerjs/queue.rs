//! Absent peers, and the messages queued for them.

use std::{collections::HashMap, sync::Arc};

use clock::Moment;

use crate::ClientKey;

use super::{
    CLIENT_SHARE, MessageKind, Output, PeerJsBroker, ROOM_SHARE, SENDER_SHARE, SocketIdentity,
    TimerKind, message, room::QueueUsage,
};

/// Id without a connected peer.
#[derive(Default)]
pub(super) struct AbsentPeer {
    /// Token of the peer that had the id last. Messages queued since then may be meant for it.
    pub(super) token: Option<Arc<str>>,
    /// Set while the id is reserved for that token.
    pub(super) is_reserved: bool,
    /// Time until which the peer that had the id last may return.
    pub(super) may_return_until: Option<Moment>,
    /// Queued messages by sender. No queue in it is empty.
    pub(super) queues: HashMap<Arc<str>, QueuedMessages>,
}

/// Messages of one sender for one absent receiver.
pub(super) struct QueuedMessages {
    messages: Vec<(u64, String)>,
    bytes: u64,
    /// Client of the sender when the first message was queued.
    client: ClientKey,
    expires_at: Moment,
}

impl AbsentPeer {
    /// Returns `true` if it has no state to keep.
    pub(super) fn is_unused(&self) -> bool {
        self.may_return_until.is_none() && self.queues.is_empty()
    }
}

impl PeerJsBroker {
    /// Queues a message for an absent peer, or drops it if a limit is reached.
    pub(super) fn queue(&mut self, now: Moment, from: &SocketIdentity, to: &str, text: String) {
        let length = text.len() as u64;
        let known = self.rooms[&from.room]
            .absent
            .get(to)
            .and_then(|absent| absent.queues.get(&from.id));
        let fits = match known {
            Some(queued) => {
                queued.messages.len() < self.settings.pair_messages as usize
                    && queued.bytes + length <= u64::from(self.settings.pair_bytes)
                    && self.has_space_for_bytes(from, queued.client, length)
            }
            None => {
                self.has_space_for_bytes(from, from.client, length) && self.has_space_for_pair(from)
            }
        };
        if fits {
            self.push_queued(now, from, to, text);
        } else {
            self.tally.queue_full += 1;
            if known.is_none() {
                self.send_expire(&from.room, to, &from.id);
            }
        }
    }

    /// The messages of one sender for an absent peer have expired.
    pub(super) fn expire(&mut self, room: &Arc<str>, to: &Arc<str>, from: &Arc<str>) {
        let absent = self
            .rooms
            .get_mut(room)
            .and_then(|room| room.absent.get_mut(to));
        if let Some(queued) = absent.and_then(|absent| absent.queues.remove(from)) {
            self.uncount(room, from, &queued);
            self.tally.expired += queued.messages.len() as u64;
            self.send_expire(room, to, from);
        }
    }

    /// Takes all messages queued for a peer, in the order of their arrival.
    pub(super) fn take_queued(
        &mut self,
        room: &Arc<str>,
        to: &Arc<str>,
        absent: AbsentPeer,
    ) -> Vec<String> {
        let mut messages = Vec::new();
        for (from, queued) in absent.queues {
            self.uncount(room, &from, &queued);
            self.cancel_timer(queued.expires_at, room, to, TimerKind::Expiry { from });
            messages.extend(queued.messages);
        }
        messages.sort_unstable_by_key(|(number, _)| *number);
        messages.into_iter().map(|(_, text)| text).collect()
    }

    /// Expires all messages queued for a peer now.
    pub(super) fn expire_all(&mut self, room: &Arc<str>, to: &Arc<str>) {
        let absent = self.rooms.get(room).and_then(|room| room.absent.get(to));
        let pairs: Vec<_> = absent
            .into_iter()
            .flat_map(|absent| &absent.queues)
            .map(|(from, queued)| (from.clone(), queued.expires_at))
            .collect();
        for (from, expires_at) in pairs {
            self.expire(room, to, &from);
            self.cancel_timer(expires_at, room, to, TimerKind::Expiry { from });
        }
    }

    fn has_space_for_bytes(&self, from: &SocketIdentity, client: ClientKey, length: u64) -> bool {
        let (room, max) = (&self.rooms[&from.room], self.settings.max_queue_bytes);
        let in_all = self.counts.queued_bytes + length;
        let (own, share) = match self.settings.rooms {
            true => (room.queued_bytes, ROOM_SHARE),
            false => (room.usage_of(&from.id).bytes, SENDER_SHARE),
        };
        let of_client = self.usage_of_client(client).bytes + length;
        in_all <= max
            && own + length <= max / u64::from(share)
            && of_client <= max / u64::from(CLIENT_SHARE)
    }

    fn has_space_for_pair(&self, from: &SocketIdentity) -> bool {
        let (room, max) = (&self.rooms[&from.room], self.settings.max_pairs);
        let (own, share) = match self.settings.rooms {
            true => (room.pairs, ROOM_SHARE),
            false => (room.usage_of(&from.id).pairs, SENDER_SHARE),
        };
        self.counts.pairs < max as usize
            && own < max.div_ceil(share)
            && self.usage_of_client(from.client).pairs < max.div_ceil(CLIENT_SHARE)
    }

    fn usage_of_client(&self, client: ClientKey) -> QueueUsage {
        self.clients.get(&client).copied().unwrap_or_default()
    }

    fn push_queued(&mut self, now: Moment, from: &SocketIdentity, to: &str, text: String) {
        let number = self.next_number;
        self.next_number += 1;
        // The sender is connected, so its room exists.
        let Some(room) = self.rooms.get_mut(&from.room) else {
            return;
        };
        let length = text.len() as u64;
        room.queued_bytes += length;
        let usage = room.senders.entry(from.id.clone()).or_default();
        usage.bytes += length;
        self.counts.queued_bytes += length;
        let known = room
            .absent
            .get_mut(to)
            .and_then(|absent| absent.queues.get_mut(&from.id));
        if let Some(queued) = known {
            queued.bytes += length;
            queued.messages.push((number, text));
            self.clients.entry(queued.client).or_default().bytes += length;
            return;
        }
        let of_client = self.clients.entry(from.client).or_default();
        of_client.pairs += 1;
        of_client.bytes += length;
        room.pairs += 1;
        room.senders.entry(from.id.clone()).or_default().pairs += 1;
        self.counts.pairs += 1;
        let expires_at = now + self.settings.expire;
        let queued = QueuedMessages {
            messages: vec![(number, text)],
            bytes: length,
            client: from.client,
            expires_at,
        };
        let to: Arc<str> = to.into();
        let absent = room.absent.entry(to.clone()).or_default();
        absent.queues.insert(from.id.clone(), queued);
        let from_id = from.id.clone();
        self.set_timer(
            expires_at,
            &from.room,
            &to,
            TimerKind::Expiry { from: from_id },
        );
    }

    /// Removes a pair from the counts.
    fn uncount(&mut self, room: &Arc<str>, from: &str, queued: &QueuedMessages) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.pairs -= 1;
            room.queued_bytes -= queued.bytes;
            if let Some(usage) = room.senders.get_mut(from) {
                usage.pairs -= 1;
                usage.bytes -= queued.bytes;
                if usage.pairs == 0 {
                    room.senders.remove(from);
                }
            }
        }
        if let Some(usage) = self.clients.get_mut(&queued.client) {
            usage.pairs -= 1;
            usage.bytes -= queued.bytes;
            if usage.pairs == 0 {
                self.clients.remove(&queued.client);
            }
        }
        self.counts.pairs -= 1;
        self.counts.queued_bytes -= queued.bytes;
    }

    /// Sends EXPIRE to a sender, if it is still connected.
    fn send_expire(&mut self, room: &Arc<str>, absent: &str, sender: &str) {
        let room = self.rooms.get(room);
        if let Some(peer) = room.and_then(|room| room.connected.get(sender)) {
            let socket = peer.socket;
            let text = message::forward(MessageKind::Expire, absent, sender, None);
            self.outputs.push_back(Output::Send { socket, text });
        }
    }
}
