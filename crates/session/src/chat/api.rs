//! Inputs and outputs of the chat.

use std::sync::Arc;

use protocol::peer::PeerId;

use super::{Avatar, ChatView, GroupReaction, MessageId, MessageRow, Presence, Tab};

/// Input of the chat.
#[derive(Clone, Debug)]
pub enum ChatInput {
    /// Answer to [`ChatOutput::Load`]: what the browser has stored of this ride's chat; empty if
    /// nothing. Written by this browser, but possibly by another version, or damaged.
    Loaded(Vec<u8>),
    /// The rider sends a message in a tab.
    Send {
        /// Tab.
        tab: Tab,
        /// Text of 1 to [`MAX_MESSAGE_CHARS`] characters.
        text: String,
    },
    /// The rider changes the text of an own message.
    Edit {
        /// Message.
        message: MessageId,
        /// New text.
        text: String,
    },
    /// The rider deletes an own message.
    Delete(MessageId),
    /// The host removes a message for everyone.
    Remove(MessageId),
    /// The rider adds a reaction to a message, or takes the own one back.
    ReactTo {
        /// Message.
        message: MessageId,
        /// Number of the reaction, from 0.
        reaction: u8,
    },
    /// The rider reacts to another rider, or to the group.
    React {
        /// Rider; `None` for the group.
        to: Option<PeerId>,
        /// Number of the reaction, from 0.
        reaction: u8,
    },
    /// The rider has changed the text of a message that is not sent yet.
    Typing {
        /// Tab.
        tab: Tab,
        /// True if there is text.
        has_text: bool,
    },
    /// A tab is shown in a visible page, so that its messages are read; `None` if none is.
    Shown(Option<Tab>),
    /// The rider opens a tab for private messages with this rider.
    OpenPrivate(PeerId),
    /// Hide a rider's messages and reactions in this browser, or show them again.
    Hide(PeerId, bool),
    /// Activity of the own page.
    SetPresence(Presence),
    /// The own avatar.
    SetAvatar(Avatar),
    /// Switch the chat on or off for the ride (host).
    SwitchOn(bool),
}

/// Output of the chat.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatOutput {
    /// Load what is stored for this rider (the own id); answered by [`ChatInput::Loaded`]. What is
    /// older than 24 hours is deleted instead.
    Load(PeerId),
    /// Store this for the rider of [`Self::Load`], in place of what is stored.
    Store(Vec<u8>),
    /// Show this.
    Show(Box<ChatView>),
    /// A rider reacted to a rider or to the group.
    Reacted(GroupReaction),
    /// A message of another rider arrived and is not shown in an open tab: make a sound, show it
    /// large for a while, add it to the live region.
    Arrived(Arc<MessageRow>),
    /// A message was not sent.
    Rejected(Rejection),
}

/// Reason why something of the own rider was not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// More messages than are allowed in a short time: wait for this number of seconds.
    TooFast(u8),
    /// No text, or too much of it.
    Length,
    /// The host has switched the chat off.
    Off,
    /// The message can no longer be edited or deleted.
    TooLate,
    /// The rider is no longer in the ride.
    Gone,
    /// The rider at this screen has left the group.
    NoGroup,
}
