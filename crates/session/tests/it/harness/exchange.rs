//! Chat and files of a page: what it shows of them, and what its browser keeps.

use std::{collections::BTreeMap, sync::Arc};

use protocol::peer::PeerId;
use session::{
    Session,
    chat::{
        ChatInput, ChatOutput, ChatView, GroupReaction, MessageRow, MessageState, Rejection, Tab,
    },
    exchange::{self, ExchangeInput, ExchangeOutput, LoadedExchange, OpenExchange},
    pages::{PageOutput, SharedPage},
    transfers::{StoredTransfer, TransferId, TransferInput, TransferOutput, TransferView},
};

use super::{World, media::PageMedia, tab::Program};

/// Chat and files on the screen of a page.
#[derive(Clone, Debug, Default)]
pub struct ShownExchange {
    pub(super) rider: Option<PeerId>,
    pub chat: ChatView,
    pub arrived: Vec<Arc<MessageRow>>,
    pub reactions: Vec<GroupReaction>,
    pub rejections: Vec<Rejection>,
    /// Number of times that the chat was stored.
    pub chat_stores: u32,
    pub transfers: Vec<TransferView>,
    /// Files that the page has offered.
    offered: BTreeMap<u32, Vec<u8>>,
    /// Received files.
    pub complete: Vec<(TransferId, String)>,
    pub media: PageMedia,
    pub pages: Vec<SharedPage>,
    /// Another page goes on with what is stored.
    pub is_released: bool,
}

impl World {
    /// The page has loaded chat and files.
    pub fn load_exchange(&mut self, at: usize) {
        self.load_exchange_with(at, exchange::open);
    }

    /// The rider's program, which is no page, has chat and files only.
    pub fn load_exchange_without_media(&mut self, at: usize) {
        self.load_exchange_with(at, exchange::open_without_media);
    }

    fn load_exchange_with(&mut self, at: usize, open: OpenExchange) {
        let now = self.clocks(at);
        let program = self.tabs[at].program.as_mut();
        let session = program.and_then(Program::session).expect("a session");
        session.load_exchange(now, open);
        self.carry_out(at);
    }

    pub fn chat(&mut self, at: usize, input: ChatInput) {
        self.exchange(at, ExchangeInput::Chat(input));
    }

    pub(super) fn exchange(&mut self, at: usize, input: ExchangeInput) {
        let now = self.clocks(at);
        let program = self.tabs[at].program.as_mut();
        let session = program.and_then(Program::session).expect("a session");
        let call = |exchange: &mut dyn LoadedExchange, now| exchange.handle(now, input);
        session.call_exchange(now, Box::new(call));
        self.carry_out(at);
    }

    /// Carries out what the exchange of a page wants.
    pub(super) fn drain_exchange(&mut self, at: usize) {
        loop {
            let program = self.tabs[at].program.as_mut();
            let exchange = program
                .and_then(Program::session)
                .and_then(Session::exchange);
            match exchange.and_then(LoadedExchange::poll_output) {
                Some(output) => self.exchange_output(at, output),
                None => return,
            }
        }
    }

    /// Sends a message to all.
    pub fn say_to_all(&mut self, at: usize, text: &str) {
        let (tab, text) = (Tab::Group, text.to_owned());
        self.chat(at, ChatInput::Send { tab, text });
    }

    /// Messages that a page shows in a tab of the chat: names and texts.
    pub fn messages(&self, at: usize, tab: &Tab) -> Vec<(String, String)> {
        let rows = self.message_rows(at, tab);
        let rows = rows.iter().map(|row| {
            let text = match &row.state {
                MessageState::Text { text, .. } => text.clone(),
                MessageState::Deleted => "(deleted)".to_owned(),
                MessageState::Removed => "(removed)".to_owned(),
            };
            (row.name.clone(), text)
        });
        rows.collect()
    }

    pub fn message_rows(&self, at: usize, tab: &Tab) -> Vec<Arc<MessageRow>> {
        let tabs = self.tabs[at].exchange.chat.tabs.iter();
        let mut shown = tabs.filter(|view| view.tab == *tab);
        shown
            .next()
            .map_or_else(Vec::new, |view| view.messages.clone())
    }

    fn exchange_output(&mut self, at: usize, output: ExchangeOutput) {
        match output {
            ExchangeOutput::Send { .. } => panic!("the session sends it"),
            ExchangeOutput::Chat(output) => self.chat_output(at, output),
            ExchangeOutput::Transfers(output) => self.transfer_output(at, output),
            ExchangeOutput::Media(output) => self.media_output(at, output),
            ExchangeOutput::Pages(PageOutput::Show(pages)) => self.tabs[at].exchange.pages = pages,
        }
    }

    fn transfer_output(&mut self, at: usize, output: TransferOutput) {
        let rider = self.tabs[at].exchange.rider.clone();
        let place = |transfer| (rider.clone().expect("a loaded rider"), transfer);
        match output {
            TransferOutput::Load(rider) => {
                let shown = &mut self.tabs[at].exchange;
                (shown.rider, shown.is_released) = (Some(rider.clone()), false);
                let kept = &self.storage(at).files;
                let stored = kept.iter().filter(|((owner, _), _)| *owner == rider);
                let stored = stored.map(|((_, transfer), file)| StoredTransfer {
                    transfer: *transfer,
                    record: file.0.clone(),
                    kept: file.1.len() as u64,
                });
                let loaded = TransferInput::Loaded(stored.collect());
                self.transfer(at, loaded);
            }
            TransferOutput::ReadFile {
                file,
                offset,
                length,
            } => {
                let bytes = self.tabs[at].exchange.offered.get(&file);
                let from = offset as usize;
                let bytes = bytes.map(|bytes| bytes[from..from + length as usize].to_vec());
                let read = TransferInput::FileRead {
                    file,
                    offset,
                    bytes,
                };
                self.transfer(at, read);
            }
            TransferOutput::ForgetFile(file) => {
                self.tabs[at].exchange.offered.remove(&file);
            }
            TransferOutput::Store { transfer, record } => {
                assert!(!self.tabs[at].exchange.is_released);
                self.storage_mut(at)
                    .files
                    .entry(place(transfer))
                    .or_default()
                    .0 = record;
            }
            TransferOutput::Write {
                transfer,
                offset,
                bytes,
            } => {
                assert!(!self.tabs[at].exchange.is_released);
                let file = self
                    .storage_mut(at)
                    .files
                    .entry(place(transfer))
                    .or_default();
                assert_eq!(file.1.len() as u64, offset);
                file.1.extend(bytes);
                let kept = Some(file.1.len() as u64);
                self.transfer(at, TransferInput::Written { transfer, kept });
            }
            TransferOutput::ReadBack {
                transfer,
                offset,
                length,
            } => {
                let (_, bytes) = &self.storage(at).files[&place(transfer)];
                let from = offset as usize;
                let bytes = Some(bytes[from..from + length as usize].to_vec());
                let read = TransferInput::ReadBack {
                    transfer,
                    offset,
                    bytes,
                };
                self.transfer(at, read);
            }
            TransferOutput::Complete { transfer, name } => {
                self.tabs[at].exchange.complete.push((transfer, name));
            }
            TransferOutput::Discard(transfer) => {
                assert!(!self.tabs[at].exchange.is_released);
                self.storage_mut(at).files.remove(&place(transfer));
            }
            TransferOutput::Release => self.tabs[at].exchange.is_released = true,
            TransferOutput::Show(transfers) => self.tabs[at].exchange.transfers = transfers,
            TransferOutput::Rejected(rejection) => panic!("{rejection:?}"),
        }
    }

    /// The rider does something with files.
    pub fn transfer(&mut self, at: usize, input: TransferInput) {
        self.exchange(at, ExchangeInput::Transfers(input));
    }

    /// Offers a file to all.
    pub fn offer_file(&mut self, at: usize, name: &str, content: &[u8]) {
        let files = &mut self.tabs[at].exchange.offered;
        let file = files.keys().last().map_or(1, |last| last + 1);
        files.insert(file, content.to_vec());
        let (name, size) = (name.to_owned(), content.len() as u64);
        let to = None;
        let offer = TransferInput::Offer {
            file,
            name,
            size,
            to,
        };
        self.transfer(at, offer);
    }

    /// Accepts the file that is shown last.
    pub fn accept_file(&mut self, at: usize) {
        let offer = self.tabs[at].exchange.transfers.last().expect("an offer");
        self.transfer(at, TransferInput::Accept(offer.id));
    }

    /// Content of a received file.
    pub fn received_file(&self, at: usize, name: &str) -> Option<&[u8]> {
        let shown = &self.tabs[at].exchange;
        let (transfer, _) = shown.complete.iter().find(|(_, one)| one == name)?;
        let place = (shown.rider.clone()?, *transfer);
        Some(&self.storage(at).files.get(&place)?.1)
    }

    fn chat_output(&mut self, at: usize, output: ChatOutput) {
        let shown = &mut self.tabs[at].exchange;
        match output {
            ChatOutput::Load(rider) => {
                shown.rider = Some(rider.clone());
                let stored = self.storage(at).chats.get(&rider).cloned();
                let loaded = ChatInput::Loaded(stored.unwrap_or_default());
                self.chat(at, loaded);
            }
            ChatOutput::Store(bytes) => {
                let rider = shown.rider.clone().expect("a loaded chat");
                shown.chat_stores += 1;
                self.storage_mut(at).chats.insert(rider, bytes);
            }
            ChatOutput::Show(view) => shown.chat = *view,
            ChatOutput::Arrived(row) => shown.arrived.push(row),
            ChatOutput::Reacted(reaction) => shown.reactions.push(reaction),
            ChatOutput::Rejected(rejection) => shown.rejections.push(rejection),
        }
    }
}
