//! Messages of other riders.

use clock::{Duration, GroupTime, Moment};
use litemap::LiteMap;
use protocol::peer::{DeliveryClass, PeerId};
use ride::chat::{
    Author, ChatMessage, Content, Entries, EntryId, Have, Reaction, Receipt, SignedEntry, Typing,
    chat_name,
};

use super::{
    Chat, ChatOutput, GroupReaction, MessageState, TYPING_TIME, Tab,
    limits::Work,
    logs::{Held, Outcome},
    peers::Peer,
    presence::avatar_of,
};
use crate::exchange::{ExchangeNow, KEPT_FOR};

/// Time by which an entry may be ahead of group time.
const MAX_AHEAD: Duration = Duration::from_secs(10);
/// Age up to which a message that arrives is announced.
const NEWS_AGE: Duration = Duration::from_secs(60);
/// Largest size of the entries of an answer, in bytes.
const MAX_ANSWER_BYTES: usize = 48 * 1024;

impl Chat {
    /// Handles a message of another member.
    pub fn receive(&mut self, now: ExchangeNow, from: &PeerId, payload: &[u8]) {
        self.note_group_time(now);
        if !self.peers.contains_key(from) {
            return;
        }
        match ChatMessage::decode(payload) {
            Ok(message) => {
                self.note_heard(now, from);
                self.receive_message(now, from, message);
            }
            Err(_) => self.rejected += 1,
        }
        self.finish(now);
    }

    /// A page has loaded its chat: it is sent what is not sent again otherwise.
    fn note_heard(&mut self, now: ExchangeNow, from: &PeerId) {
        if let Some(peer) = self.peers.get_mut(from)
            && !std::mem::replace(&mut peer.is_heard, true)
        {
            peer.has_avatar = false;
            if peer.is_reachable {
                self.send_presence(now, from);
            }
            self.send_avatar(from);
        }
    }

    /// Takes a token for work that a rider causes.
    fn allow(&mut self, now: ExchangeNow, from: &PeerId, work: Work) -> bool {
        let peer = self.peers.get_mut(from);
        let is_allowed = peer.is_some_and(|peer| peer.limits.allow(now.own.moment, work));
        self.rejected += u64::from(!is_allowed);
        is_allowed
    }

    fn receive_message(&mut self, now: ExchangeNow, from: &PeerId, message: ChatMessage) {
        let work = match &message {
            ChatMessage::Entries(_) => Work::Frame,
            ChatMessage::Have(_) => Work::Answer,
            ChatMessage::Receipts(_) => Work::Receipts,
            ChatMessage::Typing(_) => Work::Typing,
            ChatMessage::Presence(_) => Work::Presence,
            ChatMessage::Reaction(_) => Work::Reaction,
            ChatMessage::Avatar(_) => Work::Avatar,
        };
        if !self.allow(now, from, work) {
            return;
        }
        match message {
            ChatMessage::Entries(entries) => self.receive_entries(now, from, entries),
            ChatMessage::Have(have) => self.answer(now.own.moment, from, &have),
            ChatMessage::Receipts(receipts) => {
                self.receive_receipts(now.own.moment, from, &receipts)
            }
            ChatMessage::Typing(typing) => self.receive_typing(now.own.moment, from, typing),
            ChatMessage::Presence(report) => self.receive_presence(now, from, report),
            ChatMessage::Reaction(reaction) => self.receive_reaction(from, reaction),
            ChatMessage::Avatar(report) => {
                if let Some(peer) = self.peers.get_mut(from) {
                    peer.avatar = Some(avatar_of(report));
                    self.is_dirty = true;
                }
            }
        }
    }

    fn receive_entries(&mut self, now: ExchangeNow, from: &PeerId, entries: Entries) {
        let Entries {
            authors,
            entries,
            more,
        } = entries;
        let peer = self.peers.get_mut(from);
        let is_answer = more.is_some() && peer.is_some_and(Peer::answered);
        // Riders who were not asked vouch for nobody.
        let authors = if is_answer { &authors[..] } else { &[] };
        let mut is_progress = false;
        for signed in entries {
            match self.receive_entry(now, from, authors, signed, is_answer) {
                Ok(is_new) => is_progress |= is_new,
                // The answer to a question of which nothing is known any more, as after a return.
                Err(_) if more.is_some() && !is_answer => self.rejected += 1,
                Err(Fault::Unverifiable) => self.rejected += 1,
                Err(Fault::Forged) => {
                    // The sender has made it: the rest is not read.
                    self.rejected += 1;
                    if let Some(peer) = self.peers.get_mut(from) {
                        peer.limits.punish(now.own.moment);
                    }
                    break;
                }
            }
        }
        if let Some(more) = more.filter(|_| is_answer) {
            let moment = now.own.moment;
            self.requests.answered(moment, from, more && is_progress);
            if !more {
                // The predecessors that are still missing do not exist any more.
                let ids = self.logs.release(moment, Some(from));
                self.delivered(now, ids);
            }
        }
    }

    /// Takes over an entry. Returns whether it is new.
    fn receive_entry(
        &mut self,
        now: ExchangeNow,
        from: &PeerId,
        authors: &[Author],
        signed: SignedEntry,
        is_answer: bool,
    ) -> Result<bool, Fault> {
        let entry = signed.read().map_err(|_| Fault::Forged)?;
        let (id, author) = (entry.id.clone(), entry.id.author.clone());
        let me = self.me().cloned().ok_or(Fault::Forged)?;
        let is_authors = author == *from;
        // New entries, and private ones, come from their author only.
        let is_for_me = entry.to.as_ref().is_none_or(|to| *to == me);
        if !is_authors && (!is_answer || entry.to.is_some()) || !is_for_me {
            return Err(Fault::Forged);
        }
        if self.logs.holds(&id) {
            if is_authors {
                self.owe_receipt(now.own.moment, &id);
            } else if self.withhold(now, from, &entry).is_none() {
                self.vouched(&id, &signed);
            }
            return Ok(false);
        }
        if !is_answer && !self.allow_new(now, &id) {
            return Ok(false);
        }
        let is_ahead = self
            .group_time(now)
            .is_none_or(|group| entry.at > group.after(MAX_AHEAD));
        if is_ahead {
            self.rejected += 1;
            return Ok(false);
        }
        if self
            .group_time(now)
            .is_some_and(|group| group.since(entry.at) >= KEPT_FOR)
        {
            return Ok(false);
        }
        let Some(is_verified) = self.check_key(&author, authors) else {
            self.rejected += 1;
            return Ok(false);
        };
        if !self.allow(now, from, Work::Signature) {
            return Ok(false);
        }
        let claimed = authors.iter().find(|one| one.peer == author);
        let known = self.people.person(&author).and_then(|person| person.key);
        let key = known.or(claimed.map(|claimed| claimed.key));
        if !key.is_some_and(|key| signed.is_signed_by(&key)) {
            return Err(match is_authors {
                true => Fault::Forged,
                // The one who passes it on may have another key of its author.
                false => Fault::Unverifiable,
            });
        }
        if let (None, Some(claimed)) = (known, claimed) {
            let logs = &self.logs;
            let members = &self.peers;
            let is_used = |peer: &PeerId| {
                members.contains_key(peer) || logs.iter().any(|((author, _), _)| author == peer)
            };
            let Some(person) = self.people.add(&author, is_used) else {
                return Ok(false);
            };
            person.key = Some(claimed.key);
            person.name = chat_name(&claimed.name);
        } else if let Some(claimed) = claimed
            && let Some(person) = self.people.person_mut(&author)
            && person.name.is_empty()
        {
            // A host of before this page was opened: the server has told the key, but no name.
            person.name = chat_name(&claimed.name);
        }
        let is_reachable = self
            .peers
            .get(&author)
            .is_some_and(|peer| peer.is_reachable);
        // An answer has everything that its sender holds. If its author cannot be asked, or this is
        // the author, there is no use to wait for more.
        let in_order =
            !is_answer || !(author == me || is_authors || !is_reachable || self.logs.is_new(&id));
        let moment = now.own.moment;
        let withheld = self.withhold(now, from, &entry);
        match self
            .logs
            .insert(moment, entry, signed, is_verified, in_order, withheld)
        {
            Outcome::Delivered(ids) => {
                self.delivered(now, ids);
                Ok(true)
            }
            Outcome::Waits => {
                if is_reachable {
                    self.requests.want(moment, &author);
                }
                Ok(true)
            }
            Outcome::Full => Ok(false),
            Outcome::Refused => {
                self.rejected += 1;
                Ok(false)
            }
        }
    }

    /// Takes over a decision of a former host that was withheld before.
    fn vouched(&mut self, id: &EntryId, signed: &SignedEntry) {
        match self.logs.vouch(id, signed) {
            Some(Content::Switch(..)) => {
                self.find_switch();
                self.conversations.invalidate_all();
            }
            Some(content) => {
                if let Some(target) = content.target() {
                    self.conversations.invalidate(target);
                }
            }
            None => return,
        }
        self.is_dirty = true;
    }

    /// Takes the tokens for a new entry of a member. Logs of earlier page loads are complete, but for
    /// what the page could not send.
    fn allow_new(&mut self, now: ExchangeNow, id: &EntryId) -> bool {
        let peer = self.peers.get(&id.author);
        let is_current =
            peer.is_some_and(|peer| id.incarnation() == peer.incarnation.0 & 0xff_ffff);
        (is_current || self.allow(now, &id.author, Work::EarlierLoad))
            && self.allow(now, &id.author, Work::NewEntry)
    }

    /// Tells whether the key of an author is from the server; `None` if the claimed one is not right.
    fn check_key(&self, author: &PeerId, authors: &[Author]) -> Option<bool> {
        let claimed = authors.iter().find(|one| one.peer == *author);
        let person = self.people.person(author);
        match (
            person.and_then(|person| Some((person.key?, person.is_verified))),
            claimed,
        ) {
            (Some((known, _)), Some(claimed)) if known != claimed.key => None,
            (Some((_, is_verified)), _) => Some(is_verified),
            (None, Some(_)) => Some(false),
            (None, None) => None,
        }
    }

    fn owe_receipt(&mut self, now: Moment, id: &EntryId) {
        if let Some(log) = self.logs.log_mut(&id.author, id.log) {
            log.owes_receipt = true;
            self.receipts_due.get_or_insert(now + super::RECEIPT_DELAY);
        }
    }

    /// Takes over entries that are now held.
    pub(super) fn delivered(&mut self, now: ExchangeNow, ids: Vec<EntryId>) {
        let Some(me) = self.me().cloned().filter(|_| !ids.is_empty()) else {
            return;
        };
        let moment = now.own.moment;
        let mut news = Vec::new();
        let mut has_switch = false;
        for id in &ids {
            let Some(held) = self.logs.entry(id).cloned() else {
                continue;
            };
            let to = self.logs.receiver(id).cloned();
            let tab = match to {
                None => Tab::Group,
                Some(to) if id.author == me => Tab::Private(to),
                Some(_) => Tab::Private(id.author.clone()),
            };
            let wall = self.wall_of(now, held.at);
            self.conversations.add(id, &held, tab.clone(), wall);
            has_switch |= matches!(held.content, Some(Content::Switch(..)));
            if id.author != me {
                self.owe_receipt(moment, id);
                if self.is_news(now, id, &held) {
                    let typing = usize::from(tab != Tab::Group);
                    if let Some(peer) = self.peers.get_mut(&id.author) {
                        peer.typing_until[typing] = None;
                    }
                    news.push((id.clone(), tab));
                }
            }
        }
        if has_switch {
            self.find_switch();
            self.conversations.invalidate_all();
        }
        for (id, held) in self.logs.trim(&me) {
            self.conversations.remove(&id, &held);
        }
        self.read_shown(moment);
        if !news.is_empty() {
            self.announce(now, &news);
        }
        self.is_dirty = true;
        self.store_soon(moment);
    }

    /// Tells whether an entry is a message that was written now.
    fn is_news(&self, now: ExchangeNow, id: &EntryId, held: &Held) -> bool {
        let is_message = matches!(held.content, Some(Content::Text(_)));
        let group = self.group_time(now);
        let is_recent = group.is_some_and(|group| group.since(held.at) <= NEWS_AGE);
        // What was written before this page was there is history.
        let is_new = self.unread_from.is_some_and(|from| held.at >= from);
        is_message && is_recent && is_new && !self.people.is_hidden(&id.author)
    }

    /// Announces messages that are not in the tab that is shown.
    fn announce(&mut self, now: ExchangeNow, news: &[(EntryId, Tab)]) {
        let mut conversations = std::mem::take(&mut self.conversations);
        conversations.refresh(self.context(now));
        self.conversations = conversations;
        for (id, tab) in news {
            if self.shown.as_ref() == Some(tab) {
                continue;
            }
            let rows = self.conversations.find(tab).map(|one| &one.rows);
            let row = rows.and_then(|rows| rows.iter().rev().find(|row| row.id == *id));
            let row = row.and_then(|row| row.row.clone());
            if let Some(row) = row
                && matches!(row.state, MessageState::Text { .. })
            {
                self.output(ChatOutput::Arrived(row));
            }
        }
    }

    fn receive_receipts(&mut self, now: Moment, from: &PeerId, receipts: &[Receipt]) {
        // Each log counts once, in the order in which pages send them: a message that repeats one
        // would cost as much as hundreds of messages.
        let mut before = None;
        for receipt in receipts {
            if before < Some(receipt.log) {
                before = Some(receipt.log);
                let range = (receipt.first, receipt.last);
                self.received_by(now, from, receipt.log, range, receipt.read);
            }
        }
    }

    /// Takes over that a rider holds entries of an own log.
    fn received_by(&mut self, now: Moment, from: &PeerId, log: u32, range: (u32, u32), read: u32) {
        let Some(me) = self.me().cloned() else {
            return;
        };
        let last = self.logs.log(&me, log).map(super::logs::Log::last);
        let Some(last) = last.filter(|last| range.1 <= *last) else {
            return;
        };
        if self.conversations.receipt((&me, log), from, range, read) {
            self.is_dirty = true;
            self.store_soon(now);
        }
        for (index, to) in [None, Some(from)].into_iter().enumerate() {
            let is_log = self.is_own_log(to, log);
            if let Some(peer) = self.peers.get_mut(from).filter(|_| is_log)
                && range.1 > peer.received[index]
            {
                peer.received[index] = range.1;
                peer.progressed();
                if range.1 < last {
                    peer.expect_receipt(now);
                }
            }
        }
    }

    /// Answers a question with entries that the other rider lacks: first those that are newer than
    /// what it holds, in their order, then older ones, the newest of them first.
    fn answer(&mut self, now: Moment, from: &PeerId, have: &Have) {
        let Some(me) = self.me().cloned() else {
            return;
        };
        // Each number counts once, as with receipts.
        let mut before = (None, 0);
        for log in have.logs.iter().filter(|log| log.author == me) {
            for (first, last) in &log.ranges {
                if before < (Some(log.log), *first) {
                    before = (Some(log.log), *last);
                    self.received_by(now, from, log.log, (*first, *last), 0);
                }
            }
        }
        if !self.peers.get(from).is_some_and(|peer| peer.is_reachable) {
            return;
        }
        // In the order of the rows; a map needs less code than sorting.
        type Place<'a> = (GroupTime, &'a PeerId, u32, u32);
        let mut newer: LiteMap<Place<'_>, &SignedEntry> = LiteMap::new();
        let mut older: LiteMap<Place<'_>, &SignedEntry> = LiteMap::new();
        for ((author, log), one) in self.logs.iter() {
            let is_shared = match &one.to {
                None => true,
                Some(to) => *author == me && to == from,
            };
            if !is_shared {
                continue;
            }
            let mut theirs = have.logs.iter();
            let theirs = theirs.find(|theirs| theirs.author == *author && theirs.log == *log);
            let last = theirs.and_then(|theirs| Some(theirs.ranges.last()?.1));
            for (number, held) in one.entries() {
                if held.withheld.is_some() || theirs.is_some_and(|one| one.contains(number)) {
                    continue;
                }
                let part = match last {
                    Some(last) if number > last => &mut newer,
                    _ => &mut older,
                };
                part.insert((held.at, author, *log, number), &held.signed);
            }
        }
        let switch = self.switch.as_ref().filter(|switch| {
            let id = &switch.order.1;
            self.logs.entry(id).is_none()
        });
        let mut bytes = 0;
        let count = newer.len() + older.len();
        let mut page: LiteMap<Place<'_>, &SignedEntry> = LiteMap::new();
        for (place, signed) in newer.iter().chain(older.iter().rev()) {
            bytes += signed.size() + 40;
            if bytes > MAX_ANSWER_BYTES {
                break;
            }
            page.insert(*place, *signed);
        }
        let mut authors: Vec<Author> = Vec::new();
        let switch_author = switch.map(|switch| &switch.order.1.author);
        let writers = page
            .keys()
            .map(|(_, author, ..)| *author)
            .chain(switch_author);
        for author in writers {
            if author != &me
                && authors.iter().all(|one| one.peer != *author)
                && let Some(person) = self.people.person(author)
                && let Some(key) = person.key
            {
                authors.push(Author {
                    peer: author.clone(),
                    key,
                    name: person.name.clone(),
                });
            }
        }
        let more = page.len() < count;
        let switch = switch.map(|switch| switch.signed.clone());
        let entries = page.values().map(|signed| (*signed).clone());
        let message = ChatMessage::Entries(Entries {
            authors,
            entries: switch.into_iter().chain(entries).collect(),
            more: Some(more),
        });
        self.send(from, DeliveryClass::Bulk, &message);
    }

    fn receive_typing(&mut self, now: Moment, from: &PeerId, typing: Typing) {
        if self.is_off() {
            return;
        }
        if let Some(peer) = self.peers.get_mut(from) {
            let until = typing.is_typing.then_some(now + TYPING_TIME);
            peer.typing_until[usize::from(typing.is_private)] = until;
            self.is_dirty = true;
        }
    }

    fn receive_reaction(&mut self, from: &PeerId, reaction: Reaction) {
        if self.is_off() || self.people.is_hidden(from) {
            return;
        }
        let name = self.people.name(from);
        self.output(ChatOutput::Reacted(GroupReaction {
            from: from.clone(),
            name,
            to: reaction.to,
            reaction: reaction.reaction,
        }));
    }
}

/// Reason why an entry is not taken.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// No honest rider sends it.
    Forged,
    /// It was passed on, and is not signed with the key that is known here.
    Unverifiable,
}
