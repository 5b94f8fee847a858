//! Storing and loading of the chat, so that it is there after a reload.

use clock::{GroupTime, WallTime};
use litemap::LiteMap;
use protocol::peer::{DeliveryClass, PeerId};
use ride::chat::{
    ChatMessage, Entries, EntryId,
    stored::{StoredChat, StoredMarks, StoredPerson},
};

use super::{
    Avatar, Chat, ChatOutput, Tab,
    conversations::Delivery,
    logs::{Outcome, Withheld},
    presence::{AVATAR_INTERVAL, avatar_of, report_of},
};
use crate::exchange::{ExchangeNow, KEPT_FOR};

/// Largest number of stored riders that are read.
const MAX_PEOPLE: usize = 256;
/// Largest number of entries that are sent to one rider after a reload without being asked for.
const MAX_RESENT: usize = 20;

/// Riders in what is stored, by their places.
#[derive(Default)]
struct Places {
    people: Vec<PeerId>,
    places: LiteMap<PeerId, u32>,
}

impl Places {
    fn place(&mut self, peer: &PeerId) -> u32 {
        let people = &mut self.people;
        *self.places.entry(peer.clone()).or_insert_with(|| {
            people.push(peer.clone());
            // There are a few hundred at most.
            people.len() as u32 - 1
        })
    }
}

impl Chat {
    /// Stores everything.
    pub(super) fn store(&mut self, now: ExchangeNow) {
        let Some(group) = self.group_time(now) else {
            return self.store_soon(now.own.moment);
        };
        let mut places = Places::default();
        let mut entries = Vec::new();
        let (mut read, mut withheld) = (Vec::new(), Vec::new());
        for ((author, log), one) in self.logs.iter() {
            places.place(author);
            entries.extend(one.entries().map(|(_, held)| held.signed.clone()));
            for (number, held) in one.entries() {
                let id = || EntryId {
                    author: author.clone(),
                    log: *log,
                    number,
                };
                withheld.extend(held.withheld.map(|why| (id(), why == Withheld::WhileOff)));
            }
            if one.read > 0 {
                read.push(EntryId {
                    author: author.clone(),
                    log: *log,
                    number: one.read,
                });
            }
        }
        let marks = self.conversations.marks();
        let marks = marks.map(|(id, riders)| StoredMarks {
            log: id.log,
            number: id.number,
            riders: riders
                .iter()
                .map(|(peer, delivery)| (places.place(peer), *delivery as u8))
                .collect(),
        });
        let marks = marks.collect();
        let tabs = self.conversations.tabs.iter();
        let tabs = tabs.filter_map(|one| match &one.tab {
            Tab::Group => None,
            Tab::Private(peer) => Some(places.place(peer)),
        });
        let tabs = tabs.collect();
        for (peer, _) in self.people.iter().filter(|(_, person)| person.is_hidden) {
            places.place(peer);
        }
        let people = places.people.iter().map(|peer| {
            let person = self.people.person(peer).cloned().unwrap_or_default();
            StoredPerson {
                peer: peer.clone(),
                name: person.name,
                key: person.key.map_or(Vec::new(), Vec::from),
                is_verified: person.is_verified,
                is_hidden: person.is_hidden,
            }
        });
        let stored = StoredChat {
            wall: now.own.wall,
            group,
            people: people.collect(),
            entries,
            marks,
            read,
            tabs,
            avatar: report_of(&self.avatar),
            unread_from: self.unread_from.unwrap_or(group),
            withheld: Some(withheld),
            epoch: self.newest_epoch(),
        };
        self.output(ChatOutput::Store(stored.encode()));
    }

    /// Takes over what was stored.
    pub(super) fn load(&mut self, now: ExchangeNow, bytes: &[u8]) {
        if self.is_loaded {
            return;
        }
        self.is_loaded = true;
        if !bytes.is_empty() {
            // Without what is damaged or too old.
            self.store_soon(now.own.moment);
        }
        let stored = StoredChat::decode(bytes);
        let stored = stored.filter(|stored| now.own.wall.since(stored.wall) <= KEPT_FOR);
        let (Some(stored), Some(me)) = (stored, self.me().cloned()) else {
            return;
        };
        self.stored_at = Some((stored.wall, stored.group));
        let people: Vec<_> = stored.people.iter().take(MAX_PEOPLE).collect();
        let wrong_keys: Vec<&PeerId> = people
            .iter()
            .filter(|person| person.peer != me && !self.load_person(person))
            .map(|person| &person.peer)
            .collect();
        let wall_of = |at: GroupTime| -> WallTime {
            let age = stored.group.since(at);
            stored.wall.before(age).after(at.since(stored.group))
        };
        let moment = now.own.moment;
        if stored.epoch.is_some() && stored.epoch == self.newest_epoch() {
            self.newest_term_since = Some(stored.group);
        }
        let withheld: LiteMap<EntryId, bool> =
            stored.withheld.unwrap_or_default().into_iter().collect();
        for signed in stored.entries {
            let Ok(entry) = signed.read() else {
                continue;
            };
            let (id, author) = (entry.id.clone(), entry.id.author.clone());
            let is_own = author == me;
            let person = self.people.person(&author);
            let is_known = is_own || person.is_some_and(|person| person.key.is_some());
            let is_between_us = is_own || entry.to.as_ref().is_none_or(|to| *to == me);
            let is_old = now.own.wall.since(wall_of(entry.at)) > KEPT_FOR;
            if !is_known || !is_between_us || is_old || wrong_keys.contains(&&author) {
                continue;
            }
            let is_verified = is_own || person.is_some_and(|person| person.is_verified);
            let tab = match &entry.to {
                None => Tab::Group,
                Some(to) if is_own => Tab::Private(to.clone()),
                Some(_) => Tab::Private(author),
            };
            let at = entry.at;
            let withheld = withheld.get(&id).map(|while_off| match while_off {
                true => Withheld::WhileOff,
                false => Withheld::Late,
            });
            let outcome = self
                .logs
                .insert(moment, entry, signed, is_verified, false, withheld);
            if let Outcome::Delivered(_) = outcome
                && let Some(held) = self.logs.entry(&id).cloned()
            {
                self.conversations.add(&id, &held, tab, wall_of(at));
            }
        }
        let peer_at = |place: u32| people.get(place as usize).map(|person| person.peer.clone());
        for marks in stored.marks {
            let id = EntryId {
                author: me.clone(),
                log: marks.log,
                number: marks.number,
            };
            if self.logs.entry(&id).is_some() {
                let riders = marks.riders.iter().take(MAX_PEOPLE);
                let riders = riders.filter_map(|(place, delivery)| {
                    let delivery = match delivery {
                        0 => Delivery::Sent,
                        1 => Delivery::Delivered,
                        _ => Delivery::Read,
                    };
                    Some((peer_at(*place)?, delivery))
                });
                self.conversations.mark(id, riders.collect());
            }
        }
        for read in stored.read {
            if let Some(log) = self.logs.log_mut(&read.author, read.log) {
                log.read = log.read.max(read.number.min(log.last()));
            }
        }
        for place in stored.tabs {
            if let Some(peer) = peer_at(place) {
                self.conversations.open(Tab::Private(peer));
            }
        }
        if self.avatar == Avatar::Initials && stored.avatar.is_valid() {
            self.avatar = avatar_of(stored.avatar);
            if self.avatar != Avatar::Initials {
                self.avatar_pending.want(moment, AVATAR_INTERVAL);
            }
        }
        self.unread_from = Some(stored.unread_from);
        for (id, held) in self.logs.trim(&me) {
            self.conversations.remove(&id, &held);
        }
        self.find_switch();
        self.conversations.invalidate_all();
        self.read_shown(moment);
        for peer in self.reachable() {
            self.owe_receipts(moment, &peer);
            self.send_undelivered(&peer);
        }
    }

    /// Deletes entries when they have been kept for long enough.
    pub(super) fn expire(&mut self, now: ExchangeNow) {
        self.expires_at = None;
        let Some(group) = self.group_time(now) else {
            return;
        };
        let expired = self.logs.expire(group, KEPT_FOR);
        if !expired.is_empty() {
            for (id, held) in expired {
                self.conversations.remove(&id, &held);
            }
            self.is_dirty = true;
            self.store_soon(now.own.moment);
        }
        let left = |oldest: GroupTime| oldest.after(KEPT_FOR).since(group);
        self.expires_at = self.logs.oldest().map(|one| now.own.moment + left(one));
    }

    fn newest_epoch(&self) -> Option<u32> {
        let terms = self.members.as_ref()?.host_terms.iter();
        terms.map(|term| term.epoch).max()
    }

    /// Takes over a stored rider. Returns false if the server has named another key.
    fn load_person(&mut self, stored: &StoredPerson) -> bool {
        let Some(person) = self.people.add(&stored.peer, |_| true) else {
            return true;
        };
        person.is_hidden |= stored.is_hidden;
        if person.name.is_empty() {
            person.name = ride::chat::chat_name(&stored.name);
        }
        let key = <[u8; 32]>::try_from(&stored.key[..]).ok();
        match (person.key, key) {
            (Some(known), Some(key)) => known == key,
            (None, Some(key)) => {
                (person.key, person.is_verified) = (Some(key), stored.is_verified);
                true
            }
            (_, None) => true,
        }
    }

    /// Sends a rider the messages of an earlier page load that it has not received, as far as it is
    /// known.
    fn send_undelivered(&mut self, peer: &PeerId) {
        let undelivered = self.conversations.marks().filter(|(_, riders)| {
            let mut riders = riders.iter();
            riders.any(|(rider, delivery)| rider == peer && *delivery == Delivery::Sent)
        });
        let entries = undelivered.filter_map(|(id, _)| self.logs.entry(id));
        let entries: Vec<_> = entries
            .map(|held| held.signed.clone())
            .take(MAX_RESENT)
            .collect();
        if !entries.is_empty() {
            let entries = Entries {
                entries,
                ..Entries::default()
            };
            self.send(peer, DeliveryClass::Control, &ChatMessage::Entries(entries));
        }
    }
}
