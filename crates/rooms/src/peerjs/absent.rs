//! Who is not there: what waits for them, and for how long.

use std::{collections::HashMap, sync::Arc};

use clock::Moment;

use super::{Alarm, Broker, Kind, Output, ROOM_SHARE, SENDER_SHARE, Seat, message};

/// An id that nobody has now.
#[derive(Default)]
pub(super) struct Absent {
    /// The token of the last one who had it, while what waits may be meant
    /// for that one.
    pub(super) token: Option<Arc<str>>,
    /// Whether nobody with another token gets the id.
    pub(super) held: bool,
    /// When the last one who had it counts as gone.
    pub(super) gone_at: Option<Moment>,
    /// What waits, by sender. No list in here is empty.
    pub(super) waiting: HashMap<Arc<str>, Waiting>,
}

/// What one sender left for one receiver.
pub(super) struct Waiting {
    messages: Vec<(u64, String)>,
    bytes: u64,
    expires_at: Moment,
}

impl Absent {
    /// Whether nothing would be lost with it.
    pub(super) fn is_nothing(&self) -> bool {
        self.gone_at.is_none() && self.waiting.is_empty()
    }
}

impl Broker {
    /// Keeps a message for somebody who is not there, or drops it where
    /// nothing more can be kept.
    pub(super) fn wait(&mut self, now: Moment, from: &Seat, to: &str, text: String) {
        let length = text.len() as u64;
        let known = self.rooms[&from.room]
            .absent
            .get(to)
            .and_then(|absent| absent.waiting.get(&from.id));
        let fits = match known {
            Some(waiting) => {
                waiting.messages.len() < self.settings.pair_messages as usize
                    && waiting.bytes + length <= u64::from(self.settings.pair_bytes)
                    && self.has_bytes(from, length)
            }
            None => self.has_bytes(from, length) && self.has_pair(from),
        };
        if fits {
            self.keep(now, from, to, text);
        } else {
            self.tally.queue_full += 1;
            if known.is_none() {
                self.give_back(&from.room, to, &from.id);
            }
        }
    }

    /// What one sender left was not fetched in time.
    pub(super) fn expire(&mut self, room: &Arc<str>, to: &Arc<str>, from: &Arc<str>) {
        let absent = self
            .rooms
            .get_mut(room)
            .and_then(|room| room.absent.get_mut(to));
        if let Some(waiting) = absent.and_then(|absent| absent.waiting.remove(from)) {
            self.forget(room, from, &waiting);
            self.tally.expired += waiting.messages.len() as u64;
            self.give_back(room, to, from);
        }
    }

    /// Takes everything that waits for somebody, in the order in which it
    /// came.
    pub(super) fn fetch(&mut self, room: &Arc<str>, to: &Arc<str>, absent: Absent) -> Vec<String> {
        let mut messages = Vec::new();
        for (from, waiting) in absent.waiting {
            self.forget(room, &from, &waiting);
            self.cancel_timer(waiting.expires_at, room, to, Alarm::Expired { from });
            messages.extend(waiting.messages);
        }
        messages.sort_unstable_by_key(|(number, _)| *number);
        messages.into_iter().map(|(_, text)| text).collect()
    }

    /// Lets everything that waits for somebody expire now.
    pub(super) fn expire_all(&mut self, room: &Arc<str>, to: &Arc<str>) {
        let absent = self.rooms.get(room).and_then(|room| room.absent.get(to));
        let pairs: Vec<_> = absent
            .into_iter()
            .flat_map(|absent| &absent.waiting)
            .map(|(from, waiting)| (from.clone(), waiting.expires_at))
            .collect();
        for (from, expires_at) in pairs {
            self.expire(room, to, &from);
            self.cancel_timer(expires_at, room, to, Alarm::Expired { from });
        }
    }

    fn has_bytes(&self, from: &Seat, length: u64) -> bool {
        let (room, most) = (&self.rooms[&from.room], self.settings.max_queue_bytes);
        let in_all = self.counts.queued_bytes + length;
        let (own, share) = match self.settings.rooms {
            true => (room.queued_bytes, ROOM_SHARE),
            false => (room.left_by(&from.id).bytes, SENDER_SHARE),
        };
        in_all <= most && own + length <= most / u64::from(share)
    }

    fn has_pair(&self, from: &Seat) -> bool {
        let (room, most) = (&self.rooms[&from.room], self.settings.max_pairs);
        let (own, share) = match self.settings.rooms {
            true => (room.pairs, ROOM_SHARE),
            false => (room.left_by(&from.id).pairs, SENDER_SHARE),
        };
        self.counts.pairs < most as usize && own < most.div_ceil(share)
    }

    fn keep(&mut self, now: Moment, from: &Seat, to: &str, text: String) {
        let number = self.next_number;
        self.next_number += 1;
        // The sender is connected, so its room is there.
        let Some(room) = self.rooms.get_mut(&from.room) else {
            return;
        };
        let length = text.len() as u64;
        room.queued_bytes += length;
        let left = room.senders.entry(from.id.clone()).or_default();
        left.bytes += length;
        self.counts.queued_bytes += length;
        let known = room
            .absent
            .get_mut(to)
            .and_then(|absent| absent.waiting.get_mut(&from.id));
        if let Some(waiting) = known {
            waiting.bytes += length;
            waiting.messages.push((number, text));
            return;
        }
        room.pairs += 1;
        room.senders.entry(from.id.clone()).or_default().pairs += 1;
        self.counts.pairs += 1;
        let expires_at = now + self.settings.expire;
        let waiting = Waiting {
            messages: vec![(number, text)],
            bytes: length,
            expires_at,
        };
        let to: Arc<str> = to.into();
        let absent = room.absent.entry(to.clone()).or_default();
        absent.waiting.insert(from.id.clone(), waiting);
        let from_id = from.id.clone();
        self.set_timer(
            expires_at,
            &from.room,
            &to,
            Alarm::Expired { from: from_id },
        );
    }

    /// Takes a pair out of the counts.
    fn forget(&mut self, room: &Arc<str>, from: &str, waiting: &Waiting) {
        if let Some(room) = self.rooms.get_mut(room) {
            room.pairs -= 1;
            room.queued_bytes -= waiting.bytes;
            if let Some(left) = room.senders.get_mut(from) {
                left.pairs -= 1;
                left.bytes -= waiting.bytes;
                if left.pairs == 0 {
                    room.senders.remove(from);
                }
            }
        }
        self.counts.pairs -= 1;
        self.counts.queued_bytes -= waiting.bytes;
    }

    /// Tells a sender, if it is still there, that nobody came.
    fn give_back(&mut self, room: &Arc<str>, absent: &str, sender: &str) {
        let sender_there = self
            .rooms
            .get(room)
            .and_then(|room| room.connected.get(sender));
        if let Some(there) = sender_there {
            let socket = there.socket;
            let text = message::pass(Kind::Expire, absent, sender, None);
            self.outputs.push_back(Output::Send { socket, text });
        }
    }
}
