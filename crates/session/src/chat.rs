//! Chat of a group: messages, reactions, typing, presence and avatars.
//!
//! Messages, their edits and the reactions to them are signed entries of logs, which every rider
//! holds ([`ride::chat`]). An author sends each new entry to all reachable riders, and again to those
//! who do not acknowledge it. Whoever was away, or is new, asks for what it lacks.
//!
//! Layout:
//! - `logs`: the entries, their order and their bounds.
//! - `conversations`: tabs, and the rows of their messages.
//! - `people`: keys, names, and who is hidden; `peers`: the members who are there.
//! - `requests`: when to ask whom for missing entries.
//! - `limits`: what another rider can make this page do.
//! - `presence`: presence and avatars; `withhold`: entries whose times cannot be right.
//! - `send`, `receive`, `show`, `keep`: what the rider does, what others send, what the screen shows,
//!   and what the browser stores.
//!
//! Contract: a state machine without IO, see [`Chat`]. Everything that another rider can make it keep
//! or send has a bound.

mod api;
mod conversations;
mod keep;
mod limits;
mod logs;
mod peers;
mod people;
mod presence;
mod receive;
mod requests;
mod send;
mod show;
mod view;
mod withhold;

use std::{collections::VecDeque, sync::Arc};

use clock::{Duration, GroupTime, Moment, WallTime};
use litemap::LiteMap;
use protocol::peer::{DeliveryClass, PeerId};
use ride::{
    chat::{ChatMessage, Content, EntryId, Have, MAX_TEXT_CHARS},
    timeline::SigningKey,
};

use crate::exchange::{ExchangeNow, ExchangeOutput, GroupMember, GroupMembers};
use conversations::{Context, Conversations};
use logs::Logs;
use peers::Peer;
use people::People;
use presence::{PRESENCE_INTERVAL, Pending, report_of};
use requests::Requests;
use send::SendRates;

pub use api::{ChatInput, ChatOutput, Rejection};
pub use view::{
    Avatar, ChatView, DeliveryMarks, GroupReaction, MessageRow, MessageState, Presence,
    PresenceView, ReactionCount, Tab, TabView,
};

pub use ride::chat::{EntryId as MessageId, MAX_EMOJI_BYTES, MAX_PICTURE_BYTES, REACTIONS};

/// Largest number of characters (Unicode scalar values) of a message.
pub const MAX_MESSAGE_CHARS: usize = MAX_TEXT_CHARS;
/// Largest number of messages that a tab keeps.
pub const MAX_MESSAGES: usize = 200;
/// Time for which an own message can be edited and deleted.
pub const CHANGE_TIME: Duration = Duration::from_secs(600);

/// Time after which a mark that a rider is typing goes.
const TYPING_TIME: Duration = Duration::from_secs(4);
/// Time in which receipts are collected before they are sent.
const RECEIPT_DELAY: Duration = Duration::from_millis(100);
/// Time between two changes of what the browser stores.
const STORE_INTERVAL: Duration = Duration::from_secs(2);
/// Time after a switch-off for which messages are still shown, since they were on their way.
const OFF_TOLERANCE: Duration = Duration::from_secs(5);
/// The host's newest decision on whether there is a chat.
#[derive(Clone, Debug)]
struct Switch {
    /// Epoch of the host, and entry: a higher one supersedes.
    order: (u32, EntryId),
    at: GroupTime,
    is_on: bool,
    signed: ride::chat::SignedEntry,
}

/// Chat of one page.
///
/// [`Self::set_members`], [`Self::receive`] and [`Self::handle`] take inputs, [`Self::poll_output`] is
/// drained after each of them, and [`Self::poll_timeout`] says when to call [`Self::handle_timeout`].
#[derive(Debug)]
pub struct Chat {
    key: SigningKey,
    seed: u64,
    outputs: VecDeque<ExchangeOutput>,
    members: Option<Arc<GroupMembers>>,
    /// Reading of group time, to go on with while it is unknown.
    last_group: Option<(GroupTime, Moment)>,
    /// Wall time and group time of what was stored, for the times of its messages.
    stored_at: Option<(WallTime, GroupTime)>,
    people: People,
    peers: LiteMap<PeerId, Peer>,
    logs: Logs,
    conversations: Conversations,
    requests: Requests,
    switch: Option<Switch>,
    /// Time at which this page has learned of the newest host term, if it was there before.
    newest_term_since: Option<GroupTime>,
    rates: SendRates,
    /// Messages that wait until group time is known.
    unsent: VecDeque<(Tab, String)>,
    shown: Option<Tab>,
    unread_from: Option<GroupTime>,
    presence: (Presence, Option<WallTime>),
    avatar: Avatar,
    presence_pending: Pending,
    avatar_pending: Pending,
    store_pending: Pending,
    receipts_due: Option<Moment>,
    /// Moment at which the oldest entry is deleted.
    expires_at: Option<Moment>,
    /// True once what was stored has been loaded.
    is_loaded: bool,
    /// Tab and moment in which others were last told that this rider is typing.
    typing_sent: Option<(Tab, Moment)>,
    /// Moment at which the first own message can no longer be changed.
    change_ends: Option<Moment>,
    is_dirty: bool,
    view: ChatView,
    /// Messages of others that were not understood, forged, or over a limit.
    rejected: u64,
}

impl Chat {
    /// Chat of a rider who signs with `key`. The seed differs in every page load.
    pub fn new(key: SigningKey, seed: u64) -> Self {
        Self {
            key,
            seed,
            outputs: VecDeque::new(),
            members: None,
            last_group: None,
            stored_at: None,
            people: People::default(),
            peers: LiteMap::new(),
            logs: Logs::default(),
            conversations: Conversations::default(),
            requests: Requests::default(),
            switch: None,
            newest_term_since: None,
            rates: SendRates::default(),
            unsent: VecDeque::new(),
            shown: None,
            unread_from: None,
            presence: (Presence::default(), None),
            avatar: Avatar::default(),
            presence_pending: Pending::default(),
            avatar_pending: Pending::default(),
            store_pending: Pending::default(),
            receipts_due: None,
            expires_at: None,
            is_loaded: false,
            typing_sent: None,
            change_ends: None,
            is_dirty: false,
            view: ChatView::default(),
            rejected: 0,
        }
    }

    /// Number of messages of others that were malformed, forged, or over a limit, and were dropped.
    pub fn rejected(&self) -> u64 {
        self.rejected
    }

    /// Riders whom this browser hides.
    pub fn hidden(&self) -> Vec<PeerId> {
        let hidden = self.people.iter().filter(|(_, person)| person.is_hidden);
        hidden.map(|(peer, _)| peer.clone()).collect()
    }

    /// Takes over the group.
    pub fn set_members(&mut self, now: ExchangeNow, members: Arc<GroupMembers>) {
        self.note_group_time(now);
        let before = self.members.replace(Arc::clone(&members));
        if before.is_none() {
            self.output(ChatOutput::Load(members.me.clone()));
            self.presence.1 = Some(now.own.wall);
        }
        let mut is_renamed = false;
        for member in &members.others {
            is_renamed |= self.note_key(&member.peer, member.sign_key, &member.name);
        }
        is_renamed |= self.note_key(&members.me, self.key.public(), &members.name);
        let terms_before = before.as_ref().map(|before| &before.host_terms);
        if terms_before != Some(&members.host_terms) {
            let newest = members.host_terms.iter().map(|term| term.epoch).max();
            let known = terms_before.map(|terms| terms.iter().map(|term| term.epoch).max());
            if known.is_some_and(|known| known < newest) {
                self.newest_term_since = self.group_time(now);
            }
            for term in members.host_terms.iter() {
                let person = self.people.person(&term.peer);
                if person.is_none_or(|person| !person.is_verified) {
                    self.note_key(&term.peer, term.sign_key, "");
                }
            }
            is_renamed = true;
            self.find_switch();
        }
        if is_renamed {
            self.conversations.invalidate_all();
        }
        let is_present = |peer: &PeerId| members.others.iter().any(|one| one.peer == *peer);
        self.peers.retain(|peer, _| is_present(peer));
        for member in &members.others {
            self.follow_link(now, member);
        }
        let reachable = self.reachable();
        self.requests
            .set_reachable(now.own.moment, self.seed, &reachable);
        self.is_dirty = true;
        self.finish(now);
    }

    /// Takes over the state of a member's link.
    fn follow_link(&mut self, now: ExchangeNow, member: &GroupMember) {
        let moment = now.own.moment;
        let (is_new, is_known) = match self.peers.get(&member.peer) {
            Some(peer) => (peer.incarnation != member.incarnation, true),
            None => (true, false),
        };
        let received = [self.last_own(None), self.last_own(Some(&member.peer))];
        let group = self.group_time(now);
        let peer = self.peers.entry(member.peer.clone()).or_default();
        if is_new {
            // The page asks by itself for what it lacks.
            *peer = std::mem::take(peer).reloaded(member.incarnation, received);
        }
        let is_reachable = member.is_reachable();
        let is_linked = is_reachable && !peer.is_reachable;
        let is_lost = is_known && !is_reachable && peer.is_reachable;
        peer.is_reachable = is_reachable;
        if is_reachable {
            peer.away_since = None;
        } else if is_lost || member.link == protocol::peer::LinkState::Away {
            peer.away_since.get_or_insert(now.own.wall);
        }
        if !is_reachable {
            peer.reachable_since = None;
        } else if is_linked {
            peer.reachable_since = group;
        }
        if is_linked {
            peer.progressed();
            peer.expect_receipt(moment);
            self.requests.want(moment, &member.peer);
            self.owe_receipts(moment, &member.peer);
            self.send_presence(now, &member.peer);
            self.send_avatar(&member.peer);
        }
    }

    /// Handles an input of this page.
    pub fn handle(&mut self, now: ExchangeNow, input: ChatInput) {
        self.note_group_time(now);
        match input {
            ChatInput::Loaded(bytes) => self.load(now, &bytes),
            ChatInput::Send { tab, text } => self.send_text(now, tab, &text),
            ChatInput::Edit { message, text } => self.edit(now, message, &text),
            ChatInput::Delete(message) => self.delete(now, message),
            ChatInput::Remove(message) => self.remove(now, message),
            ChatInput::ReactTo { message, reaction } => self.react_to(now, message, reaction),
            ChatInput::React { to, reaction } => self.react(now, to, reaction),
            ChatInput::Typing { tab, has_text } => self.type_in(now, tab, has_text),
            ChatInput::Shown(tab) => {
                self.shown = tab;
                self.read_shown(now.own.moment);
            }
            ChatInput::OpenPrivate(peer) => {
                if self.me() != Some(&peer) {
                    self.conversations.open(Tab::Private(peer));
                    self.is_dirty = true;
                    self.store_soon(now.own.moment);
                }
            }
            ChatInput::Hide(peer, hide) => {
                if self.me() != Some(&peer) && self.people.hide(&peer, hide) {
                    self.conversations.invalidate_all();
                    self.read_shown(now.own.moment);
                    self.is_dirty = true;
                    self.store_soon(now.own.moment);
                }
            }
            ChatInput::SetPresence(presence) => {
                if self.presence.0 != presence {
                    self.presence = (presence, Some(now.own.wall));
                    self.presence_pending
                        .want(now.own.moment, PRESENCE_INTERVAL);
                    self.is_dirty = true;
                }
            }
            ChatInput::SetAvatar(avatar) => self.set_avatar(now.own.moment, avatar),
            ChatInput::SwitchOn(is_on) => self.switch_on(now, is_on),
        }
        self.finish(now);
    }

    /// The moment of [`Self::poll_timeout`] has come.
    pub fn handle_timeout(&mut self, now: ExchangeNow) {
        self.note_group_time(now);
        self.finish(now);
    }

    /// Next output; `None` when there is none.
    pub fn poll_output(&mut self) -> Option<ExchangeOutput> {
        self.outputs.pop_front()
    }

    /// Moment at which to call [`Self::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Moment> {
        let store = self.store_pending.due.filter(|_| self.is_loaded);
        let is_grouped = self.members.is_some();
        let timeouts = [
            self.presence_pending
                .due
                .filter(|_| is_grouped && self.last_group.is_some()),
            self.avatar_pending.due.filter(|_| is_grouped),
            store,
            self.receipts_due,
            self.requests
                .timeout()
                .filter(|_| self.last_group.is_some()),
            self.logs.timeout(),
            self.expires_at.filter(|_| self.last_group.is_some()),
            self.change_ends,
        ];
        let peers = self.peers.values().filter_map(Peer::timeout);
        timeouts.into_iter().flatten().chain(peers).min()
    }

    fn me(&self) -> Option<&PeerId> {
        self.members.as_ref().map(|members| &members.me)
    }

    fn member(&self, peer: &PeerId) -> Option<&GroupMember> {
        let members = self.members.as_ref()?;
        members.others.iter().find(|member| member.peer == *peer)
    }

    /// Riders whom messages reach now, in order of arrival.
    fn reachable(&self) -> Vec<PeerId> {
        let members = self.members.as_ref().map_or(&[][..], |one| &one.others);
        let reachable = members.iter().filter(|member| member.is_reachable());
        reachable.map(|member| member.peer.clone()).collect()
    }

    fn note_group_time(&mut self, now: ExchangeNow) {
        if let Some(group) = now.group {
            self.last_group = Some((group, now.own.moment));
            self.unread_from.get_or_insert(group);
        }
    }

    /// Group time, or what it is by the last reading.
    fn group_time(&self, now: ExchangeNow) -> Option<GroupTime> {
        let last = self.last_group;
        let last = last.map(|(group, at)| group.after(now.own.moment - at));
        now.group.or(last)
    }

    /// Wall time of a group time.
    fn wall_of(&self, now: ExchangeNow, at: GroupTime) -> WallTime {
        let reference = self.group_time(now).map(|group| (now.own.wall, group));
        match reference.or(self.stored_at) {
            Some((wall, group)) if at > group => wall.after(at.since(group)),
            Some((wall, group)) => wall.before(group.since(at)),
            None => now.own.wall,
        }
    }

    /// Takes over the key of a rider from the server. Returns true if rows may change.
    fn note_key(&mut self, peer: &PeerId, key: [u8; 32], name: &str) -> bool {
        let (members, logs) = (self.members.clone(), &self.logs);
        let is_used = |peer: &PeerId| {
            let members = members.as_ref();
            members.is_some_and(|one| one.others.iter().any(|member| member.peer == *peer))
                || logs.iter().any(|((author, _), _)| author == peer)
        };
        let Some(person) = self.people.add(peer, is_used) else {
            return false;
        };
        // Nobody else could check entries of an earlier key, whether the server named it or not.
        let is_other_key = person.key.is_some_and(|known| known != key);
        let is_news = person.key != Some(key) || !person.is_verified;
        let is_renamed = !name.is_empty() && person.name != name;
        (person.key, person.is_verified) = (Some(key), true);
        if is_renamed {
            name.clone_into(&mut person.name);
        }
        if is_other_key {
            self.logs.remove_author(peer);
            self.conversations.remove_author(peer);
        } else if is_news {
            let logs = self
                .logs
                .iter_mut()
                .filter(|((author, _), _)| author == peer);
            logs.for_each(|(_, log)| log.is_verified = true);
        }
        is_news || is_renamed
    }

    /// Chooses the host's newest decision on whether there is a chat, of all that are held.
    fn find_switch(&mut self) {
        let Some(members) = self.members.clone() else {
            return;
        };
        let terms = &members.host_terms;
        let mut newest = self.switch.take();
        for ((author, log), one) in self.logs.iter() {
            for (number, held) in one.entries() {
                let Some(Content::Switch(is_on, epoch)) = held.content else {
                    continue;
                };
                let id = EntryId {
                    author: author.clone(),
                    log: *log,
                    number,
                };
                let order = (epoch, id);
                let is_newest = held.withheld.is_none()
                    && newest.as_ref().is_none_or(|newest| newest.order < order);
                if is_newest
                    && one.to.is_none()
                    && conversations::is_host(terms, &self.people, author, epoch)
                {
                    newest = Some(Switch {
                        order,
                        at: held.at,
                        is_on,
                        signed: held.signed.clone(),
                    });
                }
            }
        }
        self.switch = newest;
        if !self.is_off() {
            self.logs.end_off();
        }
        self.is_dirty = true;
    }

    fn is_off(&self) -> bool {
        self.switch.as_ref().is_some_and(|switch| !switch.is_on)
    }

    fn context(&self, now: ExchangeNow) -> Context<'_> {
        let members = self.members.as_ref();
        let off = self.switch.as_ref().filter(|switch| !switch.is_on);
        Context {
            me: self.me(),
            logs: &self.logs,
            people: &self.people,
            host_terms: members.map_or(&[], |members| &members.host_terms),
            group: self.group_time(now),
            off_since: off.map(|switch| switch.at.after(OFF_TOLERANCE)),
        }
    }

    fn output(&mut self, output: ChatOutput) {
        self.outputs.push_back(ExchangeOutput::Chat(output));
    }

    fn send(&mut self, to: &PeerId, class: DeliveryClass, message: &ChatMessage) {
        self.send_bytes(to, class, message.encode());
    }

    fn send_bytes(&mut self, to: &PeerId, class: DeliveryClass, payload: Vec<u8>) {
        self.outputs.push_back(ExchangeOutput::Send {
            to: to.clone(),
            class,
            payload,
        });
    }

    fn broadcast(&mut self, class: DeliveryClass, message: &ChatMessage) {
        let payload = message.encode();
        for peer in self.reachable() {
            self.send_bytes(&peer, class, payload.clone());
        }
    }

    fn store_soon(&mut self, now: Moment) {
        // A change is often followed by others.
        let later = now + Duration::from_millis(100);
        self.store_pending.want(later, STORE_INTERVAL);
    }

    /// Asks a rider for the entries that are missing here.
    fn ask(&mut self, peer: &PeerId) {
        let Some(me) = self.me().cloned() else {
            return;
        };
        let logs = self.logs.have(|key, log| {
            // Of private logs only those that the other rider has written to this one.
            log.to.is_none() || key.0 == *peer && log.to.as_ref() == Some(&me)
        });
        let have = ChatMessage::Have(Have { logs });
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.asked();
        }
        self.send(peer, DeliveryClass::Control, &have);
    }

    /// Carries out everything that is due, and that follows from an input.
    fn finish(&mut self, now: ExchangeNow) {
        let moment = now.own.moment;
        let late = self.logs.release(moment, None);
        self.delivered(now, late);
        if self.group_time(now).is_some() {
            self.send_unsent(now);
            let reachable = self.reachable();
            if let Some(peer) = self.requests.poll(moment, &reachable) {
                self.ask(&peer);
            }
        }
        if self.members.is_some() {
            if self.last_group.is_some()
                && self.presence_pending.poll(moment)
                && let Some(report) = self.presence_report(now)
            {
                self.broadcast(DeliveryClass::Control, &report);
            }
            if self.avatar_pending.poll(moment) {
                let report = ChatMessage::Avatar(report_of(&self.avatar));
                for peer in self.reachable() {
                    if let Some(peer) = self.peers.get_mut(&peer) {
                        peer.has_avatar = true;
                    }
                }
                for (_, peer) in self.peers.iter_mut().filter(|(_, peer)| !peer.is_reachable) {
                    peer.has_avatar = false;
                }
                self.broadcast(DeliveryClass::Bulk, &report);
            }
        }
        self.send_again(moment);
        self.send_receipts(moment);
        for (_, peer) in self.peers.iter_mut() {
            for typing in &mut peer.typing_until {
                if typing.is_some_and(|until| until <= moment) {
                    *typing = None;
                    self.is_dirty = true;
                }
            }
        }
        self.expire(now);
        if self.change_ends.is_some_and(|end| end <= moment) {
            self.change_ends = None;
            self.is_dirty = true;
            self.expire_changes(now);
        }
        if self.is_dirty {
            self.is_dirty = false;
            self.show(now);
        }
        if self.is_loaded && self.store_pending.poll(moment) {
            self.store(now);
        }
    }
}

#[cfg(test)]
mod simulation;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
