//! Tabs with the rows of their messages, made from the entries of the logs.
//!
//! A row is a function of the entries that are held, so riders who hold the same entries see the same
//! messages, in whatever order the entries have arrived.

use std::sync::Arc;

use clock::{Duration, GroupTime, WallTime};
use litemap::LiteMap;
use protocol::{peer::PeerId, signaling::HostTerm};
use ride::chat::{Content, EntryId, REACTIONS};

use super::{
    CHANGE_TIME, DeliveryMarks, MessageRow, MessageState, ReactionCount, Tab,
    logs::{Held, Logs},
    people::People,
};

/// Time by which a change may be later than [`CHANGE_TIME`], for clocks that differ.
const CHANGE_TOLERANCE: Duration = Duration::from_secs(30);
/// Largest number of private tabs.
const MAX_PRIVATE_TABS: usize = 64;

/// Delivery of an own message to one rider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Delivery {
    Sent,
    Delivered,
    Read,
}

/// Place of a message in its tab, and its row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) at: GroupTime,
    pub(super) id: EntryId,
    /// Time of sending by the wall clock.
    pub(super) wall: WallTime,
    /// The row; `None` if it has to be made again.
    pub(super) row: Option<Arc<MessageRow>>,
}

/// One tab.
#[derive(Clone, Debug)]
pub(super) struct Conversation {
    pub(super) tab: Tab,
    pub(super) rows: Vec<Row>,
}

/// State besides the conversations of which rows are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Context<'a> {
    pub(super) me: Option<&'a PeerId>,
    pub(super) logs: &'a Logs,
    pub(super) people: &'a People,
    pub(super) host_terms: &'a [HostTerm],
    pub(super) group: Option<GroupTime>,
    /// Time at which the host has switched the chat off.
    pub(super) off_since: Option<GroupTime>,
}

impl Context<'_> {
    fn is_me(&self, peer: &PeerId) -> bool {
        self.me == Some(peer)
    }

    /// Tells whether a rider was the host of an epoch.
    pub(super) fn is_host(&self, peer: &PeerId, epoch: u32) -> bool {
        is_host(self.host_terms, self.people, peer, epoch)
    }
}

/// Tells whether a rider was the host of an epoch, with the key that its entries are signed with.
pub(super) fn is_host(terms: &[HostTerm], people: &People, peer: &PeerId, epoch: u32) -> bool {
    let key = people.person(peer).and_then(|person| person.key);
    let mut terms = terms.iter();
    terms.any(|term| term.epoch == epoch && term.peer == *peer && Some(term.sign_key) == key)
}

/// All tabs.
#[derive(Clone, Debug)]
pub(super) struct Conversations {
    /// The group's, then the private ones in the order in which they were opened.
    pub(super) tabs: Vec<Conversation>,
    /// Entries about each message.
    about: LiteMap<EntryId, Vec<EntryId>>,
    /// Delivery of own messages.
    marks: LiteMap<EntryId, Vec<(PeerId, Delivery)>>,
}

impl Default for Conversations {
    fn default() -> Self {
        Self {
            tabs: vec![Conversation {
                tab: Tab::Group,
                rows: Vec::new(),
            }],
            about: LiteMap::new(),
            marks: LiteMap::new(),
        }
    }
}

impl Conversations {
    pub(super) fn find(&self, tab: &Tab) -> Option<&Conversation> {
        self.tabs.iter().find(|one| one.tab == *tab)
    }

    /// The conversation of a tab, which is opened if it does not exist. `None` if there are too many.
    pub(super) fn open(&mut self, tab: Tab) -> Option<&mut Conversation> {
        let place = match self.tabs.iter().position(|one| one.tab == tab) {
            Some(place) => place,
            None if self.tabs.len() > MAX_PRIVATE_TABS => {
                let is_empty = |one: &Conversation| one.tab != Tab::Group && one.rows.is_empty();
                let place = self.tabs.iter().position(is_empty)?;
                self.tabs.remove(place);
                return self.open(tab);
            }
            None => {
                let rows = Vec::new();
                self.tabs.push(Conversation { tab, rows });
                self.tabs.len() - 1
            }
        };
        self.tabs.get_mut(place)
    }

    /// Adds an entry that is now held. Returns false if its tab has no room.
    pub(super) fn add(&mut self, id: &EntryId, held: &Held, tab: Tab, wall: WallTime) -> bool {
        match &held.content {
            Some(Content::Text(_)) => {
                let Some(conversation) = self.open(tab) else {
                    return false;
                };
                let rows = &mut conversation.rows;
                let place = rows.partition_point(|row| (row.at, &row.id) < (held.at, id));
                let row = Row {
                    at: held.at,
                    id: id.clone(),
                    wall,
                    row: None,
                };
                rows.insert(place, row);
            }
            content => {
                if let Some(target) = content.as_ref().and_then(Content::target) {
                    self.about
                        .entry(target.clone())
                        .or_default()
                        .push(id.clone());
                    self.invalidate(target);
                }
            }
        }
        true
    }

    /// Removes an entry that was dropped.
    pub(super) fn remove(&mut self, id: &EntryId, held: &Held) {
        match &held.content {
            Some(Content::Text(_)) => {
                for tab in &mut self.tabs {
                    tab.rows.retain(|row| row.id != *id);
                }
                self.marks.remove(id);
            }
            content => {
                if let Some(target) = content.as_ref().and_then(Content::target) {
                    let ids = self.about.get_mut(target);
                    let is_empty = ids.is_some_and(|ids| {
                        ids.retain(|one| one != id);
                        ids.is_empty()
                    });
                    if is_empty {
                        self.about.remove(target);
                    }
                    self.invalidate(target);
                }
            }
        }
    }

    /// Removes all messages and reactions of a rider whose key was not the right one.
    pub(super) fn remove_author(&mut self, author: &PeerId) {
        for tab in &mut self.tabs {
            tab.rows.retain(|row| row.id.author != *author);
        }
        for (_, ids) in self.about.iter_mut() {
            ids.retain(|id| id.author != *author);
        }
        self.about.retain(|_, ids| !ids.is_empty());
        self.invalidate_all();
    }

    /// Has a row made again.
    pub(super) fn invalidate(&mut self, id: &EntryId) {
        for tab in &mut self.tabs {
            // Messages arrive at the end.
            if let Some(row) = tab.rows.iter_mut().rev().find(|row| row.id == *id) {
                row.row = None;
                return;
            }
        }
    }

    /// Has all rows made again.
    pub(super) fn invalidate_all(&mut self) {
        for row in self.tabs.iter_mut().flat_map(|tab| &mut tab.rows) {
            row.row = None;
        }
    }

    /// Notes the riders to whom an own message goes.
    pub(super) fn mark(&mut self, id: EntryId, riders: Vec<(PeerId, Delivery)>) {
        self.marks.insert(id, riders);
    }

    pub(super) fn marks(&self) -> impl Iterator<Item = (&EntryId, &Vec<(PeerId, Delivery)>)> {
        self.marks.iter()
    }

    /// Takes over that a rider has received messages of an own log from number `first` to `last`, and
    /// read those up to `read`. Returns true if that is new.
    pub(super) fn receipt(
        &mut self,
        (me, log): (&PeerId, u32),
        rider: &PeerId,
        (first, last): (u32, u32),
        read: u32,
    ) -> bool {
        let mut changed = Vec::new();
        for (id, riders) in self.marks.iter_mut() {
            if id.author != *me || id.log != log || !(first..=last).contains(&id.number) {
                continue;
            }
            let now = match id.number <= read {
                true => Delivery::Read,
                false => Delivery::Delivered,
            };
            for (peer, delivery) in riders {
                if peer == rider && *delivery < now {
                    *delivery = now;
                    changed.push(id.clone());
                }
            }
        }
        for id in &changed {
            self.invalidate(id);
        }
        !changed.is_empty()
    }

    /// Makes rows that have to be made. Rows of hidden riders, and those written while the chat was
    /// off, have none.
    pub(super) fn refresh(&mut self, context: Context<'_>) {
        let mut tabs = std::mem::take(&mut self.tabs);
        for tab in &mut tabs {
            let Conversation { tab, rows } = tab;
            for row in rows.iter_mut().filter(|row| row.row.is_none()) {
                row.row = self.row(context, tab, row).map(Arc::new);
            }
        }
        self.tabs = tabs;
    }

    /// Row of a message; `None` if it is not shown.
    fn row(&self, context: Context<'_>, tab: &Tab, row: &Row) -> Option<MessageRow> {
        let (id, author) = (&row.id, &row.id.author);
        let is_own = context.is_me(author);
        let held = context.logs.entry(id)?;
        let Some(Content::Text(text)) = held.content.as_ref().filter(|_| held.withheld.is_none())
        else {
            return None;
        };
        let is_late = context.off_since.is_some_and(|off| row.at > off);
        if context.people.is_hidden(author) || is_late {
            return None;
        }
        let about = self.about.get(id).map_or(&[][..], Vec::as_slice);
        let mut edit: Option<(&EntryId, &String)> = None;
        let (mut is_deleted, mut is_removed) = (false, false);
        let mut reactions: LiteMap<(u8, &PeerId), (&EntryId, bool)> = LiteMap::new();
        for one in about {
            let Some(held) = context.logs.entry(one) else {
                continue;
            };
            if held.withheld.is_some() || !is_in_tab(context, tab, one) {
                continue;
            }
            let is_by_author = one.author == *author;
            let is_in_time = held.at >= row.at
                && held.at.since(row.at) <= CHANGE_TIME + CHANGE_TOLERANCE
                && one.incarnation() >= id.incarnation()
                && !context
                    .logs
                    .is_before_earlier_load(one, held.at, CHANGE_TOLERANCE);
            match &held.content {
                Some(Content::Edit(_, text)) if is_by_author && is_in_time => {
                    if edit.is_none_or(|(newest, _)| newest < one) {
                        edit = Some((one, text));
                    }
                }
                Some(Content::Delete(_)) if is_by_author && is_in_time => is_deleted = true,
                Some(Content::Remove(_, epoch)) if context.is_host(&one.author, *epoch) => {
                    is_removed = true;
                }
                Some(Content::React(_, reaction, on)) if !context.people.is_hidden(&one.author) => {
                    let newest = reactions.entry((*reaction, &one.author));
                    let newest = newest.or_insert((one, *on));
                    if newest.0 < one {
                        *newest = (one, *on);
                    }
                }
                _ => {}
            }
        }
        let state = match edit {
            _ if is_removed => MessageState::Removed,
            _ if is_deleted => MessageState::Deleted,
            Some((_, text)) => MessageState::Text {
                text: text.clone(),
                is_edited: true,
            },
            None => MessageState::Text {
                text: text.clone(),
                is_edited: false,
            },
        };
        let has_text = matches!(state, MessageState::Text { .. });
        let is_recent = context
            .group
            .is_some_and(|now| now.since(row.at) < CHANGE_TIME);
        let person = context.people.person(author);
        Some(MessageRow {
            id: id.clone(),
            is_own,
            is_private: *tab != Tab::Group,
            name: context.people.name(author),
            is_verified: is_own || person.is_some_and(|person| person.is_verified),
            state,
            at: row.wall,
            marks: self
                .marks
                .get(id)
                .map(|riders| marks(context.people, riders)),
            reactions: (0..REACTIONS)
                .filter(|_| has_text)
                .filter_map(|reaction| count(context, reaction, &reactions))
                .collect(),
            can_change: is_own && has_text && is_recent,
        })
    }

    /// Tells whether the own rider has given a message a reaction.
    pub(super) fn has_reacted(&self, logs: &Logs, me: &PeerId, id: &EntryId, reaction: u8) -> bool {
        let about = self.about.get(id).map_or(&[][..], Vec::as_slice);
        let own = about.iter().filter(|one| one.author == *me);
        let given = own.filter_map(|one| match logs.entry(one)?.content {
            Some(Content::React(_, of, on)) if of == reaction => Some((one, on)),
            _ => None,
        });
        given.max().is_some_and(|(_, on)| on)
    }

    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let about: usize = self.about.values().map(Vec::len).sum();
        let marks: usize = self.marks.values().map(Vec::len).sum();
        let rows: usize = self.tabs.iter().map(|tab| tab.rows.len()).sum();
        self.tabs.len() + about + marks + rows
    }
}

/// Tells whether an entry belongs to the conversation of a tab.
fn is_in_tab(context: Context<'_>, tab: &Tab, id: &EntryId) -> bool {
    match (tab, context.logs.receiver(id)) {
        (Tab::Group, to) => to.is_none(),
        (Tab::Private(peer), Some(to)) => {
            *to == *peer && context.is_me(&id.author) || id.author == *peer
        }
        (Tab::Private(_), None) => false,
    }
}

fn marks(people: &People, riders: &[(PeerId, Delivery)]) -> DeliveryMarks {
    let names = |least: Delivery| {
        let riders = riders.iter().filter(|(_, delivery)| *delivery >= least);
        riders.map(|(peer, _)| people.name(peer)).collect()
    };
    DeliveryMarks {
        present: names(Delivery::Sent),
        delivered: names(Delivery::Delivered),
        read: names(Delivery::Read),
    }
}

fn count(
    context: Context<'_>,
    reaction: u8,
    given: &LiteMap<(u8, &PeerId), (&EntryId, bool)>,
) -> Option<ReactionCount> {
    let given = given
        .iter()
        .filter(|((of, _), (_, on))| *of == reaction && *on);
    let riders: Vec<&PeerId> = given.map(|((_, peer), _)| *peer).collect();
    let count = ReactionCount {
        reaction,
        names: riders
            .iter()
            .map(|peer| context.people.name(peer))
            .collect(),
        is_own: riders.iter().any(|peer| context.is_me(peer)),
    };
    (!riders.is_empty()).then_some(count)
}
