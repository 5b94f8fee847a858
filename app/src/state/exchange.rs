//! Signals of chat, file transfers, media and shared pages, which are loaded later than the ride.

use std::sync::Arc;

use leptos::prelude::*;
use session::{
    chat::{Avatar, ChatView, GroupReaction, MessageRow, Rejection, Tab},
    pages::SharedPage,
    transfers::{OfferRejection, TransferView},
};

use super::{FilesState, MediaSignals};
use crate::browser::pictures::ObjectUrl;

/// Picture of an avatar, and its address in this page.
pub type Picture = (Arc<[u8]>, ObjectUrl);

/// All signals of chat, file transfers, media and shared pages.
#[derive(Clone, Copy)]
pub struct ExchangeState {
    /// The chat.
    pub chat: RwSignal<ChatView>,
    /// The newest message that arrived while it was not shown in an open chat.
    pub arrived: RwSignal<Option<Arc<MessageRow>>>,
    /// The newest reaction to a rider or to the group, with a number that makes each one new.
    pub reacted: RwSignal<Option<(u32, GroupReaction)>>,
    /// Reason why the last message was not sent.
    pub rejected: RwSignal<Option<Rejection>>,
    /// True while the chat is open on the screen.
    pub is_open: RwSignal<bool>,
    /// Tab of the chat that is shown, or was last.
    pub tab: RwSignal<Tab>,
    /// Texts that are not sent yet.
    pub drafts: RwSignal<Vec<(Tab, String)>>,
    /// True until the field for messages has taken the focus.
    pub wants_focus: RwSignal<bool>,
    /// Avatar of the rider at this screen.
    pub avatar: RwSignal<Avatar>,
    /// Addresses of the pictures of avatars.
    pub pictures: StoredValue<Vec<Picture>, LocalStorage>,
    /// The transfers.
    pub transfers: RwSignal<Vec<TransferView>>,
    /// Reason why the last file was not offered.
    pub offer_rejected: RwSignal<Option<OfferRejection>>,
    /// Files that are sent, and those that have arrived.
    pub files: FilesState,
    /// Voice, cameras and screen sharing.
    pub media: MediaSignals,
    /// Pages that companions share.
    pub pages: RwSignal<Vec<SharedPage>>,
}

impl ExchangeState {
    /// Signals of a page that was just opened.
    pub fn new() -> Self {
        Self {
            chat: RwSignal::new(ChatView::default()),
            arrived: RwSignal::new(None),
            reacted: RwSignal::new(None),
            rejected: RwSignal::new(None),
            is_open: RwSignal::new(false),
            tab: RwSignal::new(Tab::Group),
            drafts: RwSignal::new(Vec::new()),
            wants_focus: RwSignal::new(false),
            avatar: RwSignal::new(Avatar::default()),
            pictures: StoredValue::new_local(Vec::new()),
            transfers: RwSignal::new(Vec::new()),
            offer_rejected: RwSignal::new(None),
            files: FilesState::new(),
            media: MediaSignals::new(),
            pages: RwSignal::new(Vec::new()),
        }
    }
}

impl Default for ExchangeState {
    fn default() -> Self {
        Self::new()
    }
}
