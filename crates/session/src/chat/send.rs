//! Messages and reactions of the rider at this page.

use std::collections::VecDeque;

use clock::{Duration, Moment};
use litemap::LiteMap;
use protocol::peer::{DeliveryClass, Incarnation, PeerId};
use ride::chat::{
    ChatMessage, Content, Entries, Entry, EntryId, REACTIONS, Reaction, Receipt, SignedEntry,
    Typing, chat_text,
};

use super::{
    CHANGE_TIME, Chat, ChatOutput, GroupReaction, Rejection, Tab,
    conversations::{self, Delivery},
    logs::Outcome,
};
use crate::exchange::ExchangeNow;

/// Largest number of entries in [`ENTRY_WINDOW`]; receivers allow a few more.
const MAX_SENT: usize = 30;
const ENTRY_WINDOW: Duration = Duration::from_secs(2);
/// Largest number of reactions to riders in [`REACTION_WINDOW`].
const MAX_REACTIONS: usize = 5;
const REACTION_WINDOW: Duration = Duration::from_secs(10);
/// Time between two messages that say that the rider is typing.
const TYPING_INTERVAL: Duration = Duration::from_millis(2_500);
/// Largest number of messages that wait until group time is known.
const MAX_UNSENT: usize = MAX_SENT;
/// Largest number and size of the entries that are sent again at once.
const MAX_RESENT: usize = 20;
const MAX_RESENT_BYTES: usize = 14 * 1024;

/// Moments at which this rider has sent something.
#[derive(Clone, Debug, Default)]
pub(super) struct SendRates {
    entries: VecDeque<Moment>,
    reactions: VecDeque<Moment>,
}

/// Notes that something is sent now, unless `limit` others were within a window. Returns the time to
/// wait otherwise.
fn allow(
    times: &mut VecDeque<Moment>,
    now: Moment,
    limit: usize,
    window: Duration,
) -> Result<(), Duration> {
    if times.len() >= limit {
        let first = times.front().copied().unwrap_or_default();
        let wait = (first + window).since(now);
        if wait > Duration::ZERO {
            return Err(wait);
        }
        times.pop_front();
    }
    times.push_back(now);
    Ok(())
}

impl Chat {
    /// Sends a message, or says why not.
    pub(super) fn send_text(&mut self, now: ExchangeNow, tab: Tab, text: &str) {
        let is_there = match &tab {
            Tab::Group => self.members.is_some(),
            Tab::Private(peer) => self.member(peer).is_some(),
        };
        if self.is_off() {
            return self.output(ChatOutput::Rejected(Rejection::Off));
        }
        let Some(text) = chat_text(text) else {
            return self.output(ChatOutput::Rejected(Rejection::Length));
        };
        if !is_there {
            return self.output(ChatOutput::Rejected(Rejection::Gone));
        }
        if !self.may_send(now.own.moment) {
            return;
        }
        self.typing_sent = None;
        if self.group_time(now).is_some() {
            self.write_text(now, tab, text);
        } else if self.unsent.len() < MAX_UNSENT {
            self.unsent.push_back((tab, text));
        }
    }

    /// Sends the messages that have waited for group time.
    pub(super) fn send_unsent(&mut self, now: ExchangeNow) {
        while let Some((tab, text)) = self.unsent.pop_front() {
            self.write_text(now, tab, text);
        }
    }

    /// Tells whether another entry may be sent; otherwise the rider is told to wait.
    fn may_send(&mut self, now: Moment) -> bool {
        let allowed = allow(&mut self.rates.entries, now, MAX_SENT, ENTRY_WINDOW);
        if let Err(wait) = allowed {
            // At most the window of two seconds.
            let seconds = wait.as_millis().div_ceil(1_000) as u8;
            self.output(ChatOutput::Rejected(Rejection::TooFast(seconds)));
        }
        allowed.is_ok()
    }

    fn write_text(&mut self, now: ExchangeNow, tab: Tab, text: String) {
        let Some(members) = self.members.clone() else {
            return;
        };
        let to = match &tab {
            Tab::Group => None,
            Tab::Private(peer) => Some(peer.clone()),
        };
        let present: Vec<(PeerId, Delivery)> = match &to {
            Some(peer) => vec![(peer.clone(), Delivery::Sent)],
            None => {
                let riders = members.others.iter().filter(|member| member.is_present());
                riders
                    .map(|member| (member.peer.clone(), Delivery::Sent))
                    .collect()
            }
        };
        if let Some(id) = self.write(now, to.as_ref(), Content::Text(text)) {
            self.conversations.mark(id.clone(), present);
            self.conversations.invalidate(&id);
        }
    }

    /// Changes the text of an own message.
    pub(super) fn edit(&mut self, now: ExchangeNow, message: EntryId, text: &str) {
        let Some(text) = chat_text(text) else {
            return self.output(ChatOutput::Rejected(Rejection::Length));
        };
        if self.is_off() {
            return self.output(ChatOutput::Rejected(Rejection::Off));
        }
        if self.can_change(now, &message) && self.may_send(now.own.moment) {
            let to = self.logs.receiver(&message).cloned();
            self.write(now, to.as_ref(), Content::Edit(message, text));
        }
    }

    /// Deletes an own message.
    pub(super) fn delete(&mut self, now: ExchangeNow, message: EntryId) {
        if self.can_change(now, &message) && self.may_send(now.own.moment) {
            let to = self.logs.receiver(&message).cloned();
            self.write(now, to.as_ref(), Content::Delete(message));
        }
    }

    /// Tells whether an own message may still be changed; otherwise the rider is told.
    fn can_change(&mut self, now: ExchangeNow, message: &EntryId) -> bool {
        let is_own = self.me() == Some(&message.author);
        let group = self.group_time(now);
        let (Some(held), Some(group), true) = (self.logs.entry(message), group, is_own) else {
            return false;
        };
        let is_in_time = group.since(held.at) < CHANGE_TIME;
        if !is_in_time {
            self.output(ChatOutput::Rejected(Rejection::TooLate));
        }
        is_in_time
    }

    /// Epoch in which this rider is the host, if it is.
    fn own_epoch(&self) -> Option<u32> {
        let members = self.members.as_ref()?;
        let is_host = members.host.as_ref() == Some(&members.me);
        let mut terms = members.host_terms.iter().rev().filter(|_| is_host);
        let own = terms.find(|term| {
            conversations::is_host(
                std::slice::from_ref(term),
                &self.people,
                &members.me,
                term.epoch,
            )
        });
        own.map(|term| term.epoch)
    }

    /// Removes a message for everyone, as the host.
    pub(super) fn remove(&mut self, now: ExchangeNow, message: EntryId) {
        let epoch = self.own_epoch().filter(|_| !message.is_private());
        if let Some(epoch) = epoch
            && self.logs.entry(&message).is_some()
            && self.may_send(now.own.moment)
        {
            self.write(now, None, Content::Remove(message, epoch));
        }
    }

    /// Switches the chat on or off, as the host.
    pub(super) fn switch_on(&mut self, now: ExchangeNow, is_on: bool) {
        if let Some(epoch) = self.own_epoch()
            && is_on == self.is_off()
            && self.may_send(now.own.moment)
        {
            self.write(now, None, Content::Switch(is_on, epoch));
        }
    }

    /// Adds a reaction to a message, or takes the own one back.
    pub(super) fn react_to(&mut self, now: ExchangeNow, message: EntryId, reaction: u8) {
        let Some(me) = self.me().cloned() else {
            return;
        };
        if reaction >= REACTIONS || self.logs.entry(&message).is_none() {
            return;
        }
        if self.is_off() {
            return self.output(ChatOutput::Rejected(Rejection::Off));
        }
        let to = match self.logs.receiver(&message) {
            Some(to) if *to == me => Some(message.author.clone()),
            to => to.cloned(),
        };
        if to.as_ref().is_some_and(|to| self.member(to).is_none()) {
            return self.output(ChatOutput::Rejected(Rejection::Gone));
        }
        if self.may_send(now.own.moment) {
            let (conversations, logs) = (&self.conversations, &self.logs);
            let on = !conversations.has_reacted(logs, &me, &message, reaction);
            self.write(now, to.as_ref(), Content::React(message, reaction, on));
        }
    }

    /// Log of this page load for the group, or for one rider.
    fn own_log(&self, to: Option<&PeerId>) -> Option<u32> {
        let members = self.members.as_ref()?;
        let Incarnation(incarnation) = members.incarnation;
        let Some(to) = to else {
            return Some(incarnation << 8);
        };
        let is_own = |log: u32| log >> 8 == incarnation & 0xff_ffff;
        let own = || {
            let logs = self.logs.iter();
            logs.filter(move |((author, log), _)| *author == members.me && is_own(*log))
        };
        if let Some(((_, log), _)) = own().find(|(_, log)| log.to.as_ref() == Some(to)) {
            return Some(*log);
        }
        // In an order that tells receivers nothing of other conversations.
        let start = to.as_str().bytes().fold(self.seed, |sum, byte| {
            (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut logs = (0..255).map(|step| {
            let place = ((start >> 8).wrapping_add(step) % 255) as u32 + 1;
            incarnation << 8 | place
        });
        logs.find(|log| own().all(|((_, one), _)| one != log))
    }

    /// Tells whether a number is that of the own log of this page load, of those that exist.
    pub(super) fn is_own_log(&self, to: Option<&PeerId>, log: u32) -> bool {
        self.members.as_ref().is_some_and(|members| {
            let own = self.logs.log(&members.me, log);
            log >> 8 == members.incarnation.0 & 0xff_ffff
                && own.is_some_and(|own| own.to.as_ref() == to)
        })
    }

    /// Highest number of the own log of this page load.
    pub(super) fn last_own(&self, to: Option<&PeerId>) -> u32 {
        let log = self.own_log(to).zip(self.me());
        let log = log.and_then(|(log, me)| self.logs.log(me, log));
        log.map_or(0, super::logs::Log::last)
    }

    /// Writes an entry and sends it. Returns its id.
    fn write(
        &mut self,
        now: ExchangeNow,
        to: Option<&PeerId>,
        content: Content,
    ) -> Option<EntryId> {
        let (group, me, log) = (self.group_time(now)?, self.me()?.clone(), self.own_log(to)?);
        let known = self.logs.log(&me, log);
        let id = EntryId {
            number: known.map_or(1, super::logs::Log::next),
            author: me,
            log,
        };
        let earliest = known.and_then(super::logs::Log::earliest_next);
        let entry = Entry {
            id: id.clone(),
            at: earliest.map_or(group, |earliest| earliest.max(group)),
            content: Some(content),
            to: to.cloned(),
        };
        let signed = entry.sign(&self.key);
        let moment = now.own.moment;
        let outcome = self
            .logs
            .insert(moment, entry, signed.clone(), true, false, None);
        let Outcome::Delivered(ids) = outcome else {
            return None;
        };
        self.delivered(now, ids);
        let message = ChatMessage::Entries(Entries {
            entries: vec![signed],
            ..Entries::default()
        });
        match to {
            None => self.broadcast(DeliveryClass::Control, &message),
            Some(to) if self.peers.get(to).is_some_and(|peer| peer.is_reachable) => {
                self.send(to, DeliveryClass::Control, &message);
            }
            Some(_) => {}
        }
        for (peer, state) in self.peers.iter_mut() {
            if to.is_none_or(|to| to == peer) {
                state.expect_receipt(moment);
            }
        }
        Some(id)
    }

    /// Sends entries again that were not acknowledged in time.
    pub(super) fn send_again(&mut self, now: Moment) {
        let peers = self.peers.iter_mut();
        let due = peers.filter_map(|(peer, state)| state.is_resend_due(now).then(|| peer.clone()));
        for peer in due.collect::<Vec<_>>() {
            let Some(received) = self.peers.get(&peer).map(|state| state.received) else {
                continue;
            };
            let mut is_missing = false;
            for (to, received) in [None, Some(&peer)].into_iter().zip(received) {
                let entries = self.unacknowledged(to, received);
                is_missing |= !entries.is_empty();
                if !entries.is_empty() {
                    let entries = Entries {
                        entries,
                        ..Entries::default()
                    };
                    self.send(
                        &peer,
                        DeliveryClass::Control,
                        &ChatMessage::Entries(entries),
                    );
                }
            }
            if is_missing && let Some(state) = self.peers.get_mut(&peer) {
                state.expect_receipt(now);
            }
        }
    }

    /// First entries of the own log after a number.
    fn unacknowledged(&self, to: Option<&PeerId>, received: u32) -> Vec<SignedEntry> {
        let log = self.own_log(to).zip(self.me());
        let Some(log) = log.and_then(|(log, me)| self.logs.log(me, log)) else {
            return Vec::new();
        };
        let newer = log.entries().filter(|(number, _)| *number > received);
        let mut bytes = 0;
        let in_bounds = newer.take(MAX_RESENT).take_while(|(_, held)| {
            bytes += held.signed.size();
            bytes <= MAX_RESENT_BYTES
        });
        in_bounds.map(|(_, held)| held.signed.clone()).collect()
    }

    /// Has receipts for all logs of an author sent.
    pub(super) fn owe_receipts(&mut self, now: Moment, author: &PeerId) {
        for (_, log) in self.logs.iter_mut().filter(|((one, _), _)| one == author) {
            log.owes_receipt = true;
            self.receipts_due.get_or_insert(now + super::RECEIPT_DELAY);
        }
    }

    /// Sends the receipts that are due. Those for riders who are away are sent when they return.
    pub(super) fn send_receipts(&mut self, now: Moment) {
        if self.receipts_due.is_none_or(|due| now < due) {
            return;
        }
        self.receipts_due = None;
        let mut receipts: LiteMap<PeerId, Vec<Receipt>> = LiteMap::new();
        let peers = &self.peers;
        for ((author, log), one) in self.logs.iter_mut() {
            let is_reachable = peers.get(author).is_some_and(|peer| peer.is_reachable);
            if !one.owes_receipt || !is_reachable {
                continue;
            }
            one.owes_receipt = false;
            if let Some((first, last)) = one.newest_range() {
                let receipt = Receipt {
                    log: *log,
                    first,
                    last,
                    read: one.read,
                };
                receipts.entry(author.clone()).or_default().push(receipt);
            }
        }
        for (author, receipts) in receipts.into_tuple_vec() {
            let message = ChatMessage::Receipts(receipts);
            self.send(&author, DeliveryClass::Control, &message);
        }
    }

    /// Notes that the messages of the tab that is shown are read: not those of hidden riders, which are
    /// not shown.
    pub(super) fn read_shown(&mut self, now: Moment) {
        let (Some(shown), Some(me)) = (&self.shown, self.me().cloned()) else {
            return;
        };
        let mut is_new = false;
        for (key, log) in self
            .logs
            .iter_mut()
            .filter(|((author, _), _)| *author != me && !self.people.is_hidden(author))
        {
            let is_shown = match shown {
                Tab::Group => log.to.is_none(),
                Tab::Private(peer) => log.to.is_some() && key.0 == *peer,
            };
            let last = log.last_shown();
            if is_shown && log.read < last {
                log.read = last;
                log.owes_receipt = true;
                is_new = true;
            }
        }
        if is_new {
            self.receipts_due.get_or_insert(now + super::RECEIPT_DELAY);
            self.is_dirty = true;
            self.store_soon(now);
        }
    }

    /// Reacts to a rider or to the group, unless there were too many reactions.
    pub(super) fn react(&mut self, now: ExchangeNow, to: Option<PeerId>, reaction: u8) {
        let Some(members) = self.members.clone() else {
            return;
        };
        let moment = now.own.moment;
        if reaction >= REACTIONS
            || self.is_off()
            || allow(
                &mut self.rates.reactions,
                moment,
                MAX_REACTIONS,
                REACTION_WINDOW,
            )
            .is_err()
        {
            return;
        }
        let message = ChatMessage::Reaction(Reaction {
            reaction,
            to: to.clone(),
        });
        self.broadcast(DeliveryClass::Control, &message);
        self.output(ChatOutput::Reacted(GroupReaction {
            from: members.me.clone(),
            name: members.name.clone(),
            to,
            reaction,
        }));
    }

    /// Tells the others of a tab that this rider is typing, or no longer.
    pub(super) fn type_in(&mut self, now: ExchangeNow, tab: Tab, has_text: bool) {
        let moment = now.own.moment;
        let last = self.typing_sent.as_ref().filter(|(one, _)| *one == tab);
        let is_recent = last.is_some_and(|(_, at)| moment - *at < TYPING_INTERVAL);
        if self.is_off() || (has_text && is_recent) || (!has_text && last.is_none()) {
            return;
        }
        self.typing_sent = has_text.then(|| (tab.clone(), moment));
        let message = |is_private| {
            ChatMessage::Typing(Typing {
                is_private,
                is_typing: has_text,
            })
        };
        match &tab {
            Tab::Group => self.broadcast(DeliveryClass::Control, &message(false)),
            Tab::Private(peer) if self.peers.get(peer).is_some_and(|peer| peer.is_reachable) => {
                self.send(peer, DeliveryClass::Control, &message(true));
            }
            Tab::Private(_) => {}
        }
    }
}
