//! Types of what the screen shows of the chat.

use std::sync::Arc;

use clock::WallTime;
use protocol::peer::PeerId;

use super::MessageId;

/// Tab of the chat.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tab {
    /// Messages to all.
    Group,
    /// Messages between this rider and another one.
    Private(PeerId),
}

/// Everything that the screen shows of the chat.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChatView {
    /// The group's tab and the private ones, in the order in which they were opened.
    pub tabs: Vec<TabView>,
    /// Unread messages of all tabs.
    pub unread: u32,
    /// True while the host has switched the chat off.
    pub is_off: bool,
    /// Presence and avatar of each other rider who has sent one, and the own ones.
    pub riders: Vec<PresenceView>,
}

/// One tab.
#[derive(Clone, Debug, PartialEq)]
pub struct TabView {
    /// Which one.
    pub tab: Tab,
    /// Name of the rider at the other end of a private tab; empty for the group's.
    pub name: String,
    /// True if messages can be sent: there is a group, and the rider at the other end is known.
    pub can_send: bool,
    /// Messages in order; shared with the view before where unchanged.
    pub messages: Vec<Arc<MessageRow>>,
    /// Names of riders who are typing.
    pub typing: Vec<String>,
    /// Number of unread messages.
    pub unread: u32,
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageRow {
    /// Id.
    pub id: MessageId,
    /// True for messages of this rider, from this page load or an earlier one.
    pub is_own: bool,
    /// True if the message is only for this rider (or from this rider for one other).
    pub is_private: bool,
    /// Name of the author.
    pub name: String,
    /// False if the author's key is not known from the server: the message was passed on by others
    /// after its author had left.
    pub is_verified: bool,
    /// Text, or what became of it.
    pub state: MessageState,
    /// Time of sending, by this browser's wall clock.
    pub at: WallTime,
    /// Delivery, for own messages.
    pub marks: Option<DeliveryMarks>,
    /// Reactions with at least one rider, in order of their numbers.
    pub reactions: Vec<ReactionCount>,
    /// True while the author may edit and delete it.
    pub can_change: bool,
}

/// Text of a message, or what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MessageState {
    /// Text.
    Text {
        /// The text.
        text: String,
        /// True if its author has edited it.
        is_edited: bool,
    },
    /// Its author has deleted it.
    Deleted,
    /// The host has removed it.
    Removed,
}

/// Riders who were there when an own message was sent, by what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryMarks {
    /// Names of all riders who were there.
    pub present: Vec<String>,
    /// Names of those to whom it was delivered.
    pub delivered: Vec<String>,
    /// Names of those who have read it.
    pub read: Vec<String>,
}

/// Riders who gave a message the same reaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionCount {
    /// Number of the reaction, from 0.
    pub reaction: u8,
    /// Names of the riders.
    pub names: Vec<String>,
    /// True if this rider is one of them.
    pub is_own: bool,
}

/// Reaction to a rider or to the group, shown for a few seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupReaction {
    /// Rider who reacted.
    pub from: PeerId,
    /// Name of that rider.
    pub name: String,
    /// Rider to whom it was sent; `None` for the group.
    pub to: Option<PeerId>,
    /// Number of the reaction, from 0.
    pub reaction: u8,
}

/// Activity of a rider's page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presence {
    /// In the lobby, or with the summary.
    #[default]
    Waiting,
    /// Riding.
    Riding,
    /// The ride waits for this rider, or for the group.
    Paused,
    /// The page is hidden: the rider is in another tab or app.
    Hidden,
}

/// Presence and avatar of a rider.
#[derive(Clone, Debug, PartialEq)]
pub struct PresenceView {
    /// Rider.
    pub peer: PeerId,
    /// Activity of the rider's page.
    pub presence: Presence,
    /// Time since which it does.
    pub since: WallTime,
    /// Time since which there is no connection to the rider.
    pub away_since: Option<WallTime>,
    /// Avatar.
    pub avatar: Avatar,
    /// True if this browser hides the rider.
    pub is_hidden: bool,
}

/// Picture of a rider.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Avatar {
    /// Colour by the start number, and initials.
    #[default]
    Initials,
    /// One emoji: one grapheme cluster of at most 64 bytes.
    Emoji(String),
    /// WebP or JPEG of at most [`MAX_PICTURE_BYTES`](super::MAX_PICTURE_BYTES).
    Picture(Arc<[u8]>),
}
