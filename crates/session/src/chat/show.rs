//! View of the chat, made from its state.

use std::sync::Arc;

use clock::Moment;

use super::{
    CHANGE_TIME, Chat, ChatOutput, ChatView, MessageRow, MessageState, PresenceView, Tab, TabView,
    conversations,
};
use crate::exchange::ExchangeNow;

impl Chat {
    /// Has the rows made again that can no longer be changed.
    pub(super) fn expire_changes(&mut self, now: ExchangeNow) {
        let Some(group) = self.group_time(now) else {
            return;
        };
        for tab in &mut self.conversations.tabs {
            for row in &mut tab.rows {
                let can_change = row.row.as_ref().is_some_and(|row| row.can_change);
                if can_change && group.since(row.at) >= CHANGE_TIME {
                    row.row = None;
                }
            }
        }
    }

    /// Shows the chat, if it has changed.
    pub(super) fn show(&mut self, now: ExchangeNow) {
        let mut conversations = std::mem::take(&mut self.conversations);
        conversations.refresh(self.context(now));
        self.conversations = conversations;
        self.change_ends = self.next_change_end(now);
        let view = self.make_view();
        if view != self.view {
            self.view = view.clone();
            self.output(ChatOutput::Show(Box::new(view)));
        }
    }

    fn next_change_end(&self, now: ExchangeNow) -> Option<Moment> {
        let group = self.group_time(now)?;
        let rows = self.conversations.tabs.iter().flat_map(|tab| &tab.rows);
        let own = rows.filter(|row| row.row.as_ref().is_some_and(|row| row.can_change));
        let first = own.map(|row| row.at).min()?;
        Some(now.own.moment + first.after(CHANGE_TIME).since(group))
    }

    /// Bytes in memory that other riders can cause, about.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        let (_, logs) = self.logs.memory();
        let people: usize = self
            .people
            .iter()
            .map(|(_, person)| 150 + person.name.len())
            .sum();
        let avatars = self.peers.values().map(|peer| match &peer.avatar {
            Some(super::Avatar::Picture(bytes)) => bytes.len(),
            _ => 64,
        });
        let rows: usize = self
            .view
            .tabs
            .iter()
            .flat_map(|tab| &tab.messages)
            .map(|row| {
                let text = match &row.state {
                    MessageState::Text { text, .. } => text.len(),
                    _ => 0,
                };
                size_of::<MessageRow>() + text
            })
            .sum();
        logs + people
            + rows
            + avatars.sum::<usize>()
            + 100 * self.conversations.memory()
            + 64 * (self.outputs.len() + self.unsent.len())
    }

    fn make_view(&self) -> ChatView {
        let tabs: Vec<TabView> = self
            .conversations
            .tabs
            .iter()
            .map(|one| self.tab_view(one))
            .collect();
        let own = self.members.as_ref().map(|members| PresenceView {
            peer: members.me.clone(),
            presence: self.presence.0,
            since: self.presence.1.unwrap_or_default(),
            away_since: None,
            avatar: self.avatar.clone(),
            is_hidden: false,
        });
        let others = self.members.iter().flat_map(|members| &members.others);
        let others = others.filter_map(|member| {
            let peer = self.peers.get(&member.peer)?;
            let is_hidden = self.people.is_hidden(&member.peer);
            let is_known = peer.presence.is_some() || peer.avatar.is_some() || is_hidden;
            let (presence, since) = peer.presence.unwrap_or_default();
            (is_known || peer.away_since.is_some()).then(|| PresenceView {
                peer: member.peer.clone(),
                presence,
                since,
                away_since: peer.away_since,
                avatar: peer.avatar.clone().unwrap_or_default(),
                is_hidden,
            })
        });
        ChatView {
            unread: tabs.iter().map(|tab| tab.unread).sum(),
            tabs,
            is_off: self.is_off(),
            riders: own.into_iter().chain(others).collect(),
        }
    }

    fn tab_view(&self, conversation: &conversations::Conversation) -> TabView {
        let tab = conversation.tab.clone();
        let rows = conversation.rows.iter();
        let is_unread = |row: &&conversations::Row| {
            let shown = row.row.as_ref();
            let has_text = |row: &Arc<MessageRow>| {
                !row.is_own && matches!(row.state, MessageState::Text { .. })
            };
            let log = self.logs.log(&row.id.author, row.id.log);
            shown.is_some_and(has_text)
                && log.is_some_and(|log| row.id.number > log.read)
                && self.unread_from.is_some_and(|from| row.at >= from)
        };
        let unread = rows.clone().filter(is_unread).count();
        let is_private = matches!(tab, Tab::Private(_));
        let typing = self.peers.iter().filter(|(peer, state)| {
            let is_here = match &tab {
                Tab::Group => true,
                Tab::Private(other) => other == *peer,
            };
            is_here
                && state.typing_until[usize::from(is_private)].is_some()
                && !self.people.is_hidden(peer)
        });
        let (name, can_send) = match &tab {
            Tab::Group => (String::new(), self.members.is_some()),
            Tab::Private(peer) => (self.people.name(peer), self.member(peer).is_some()),
        };
        TabView {
            typing: typing.map(|(peer, _)| self.people.name(peer)).collect(),
            tab,
            name,
            can_send: can_send && !self.is_off(),
            messages: rows.filter_map(|row| row.row.clone()).collect(),
            unread: u32::try_from(unread).unwrap_or(u32::MAX),
        }
    }
}
