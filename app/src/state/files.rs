//! Files that riders send each other, beside what the session knows of their transfers.

use leptos::prelude::*;
use protocol::peer::PeerId;
use session::transfers::{MAX_AT_A_TIME, TransferId, TransferInput};

use crate::browser::kept_files::Content;

/// Signals of files. `Copy`, as a part of [`ExchangeState`](super::ExchangeState).
#[derive(Clone, Copy)]
pub struct FilesState {
    /// Files that this page sends.
    pub queue: StoredValue<SendQueue<web_sys::File>, LocalStorage>,
    /// Number of files that wait until others are sent.
    pub waiting: RwSignal<usize>,
    /// Files that are complete.
    pub received: RwSignal<Vec<ReceivedFile>, LocalStorage>,
    /// Files that the rider has chosen, until it is known to whom they go.
    pub chosen: RwSignal<Vec<web_sys::File>, LocalStorage>,
    /// True while the rider is asked that.
    pub asks_to_whom: RwSignal<bool>,
    /// True if a folder was among what was dropped last.
    pub has_folder: RwSignal<bool>,
    /// True while the transfers are shown, and not their number alone.
    pub is_open: RwSignal<bool>,
}

/// A file that is complete.
#[derive(Clone)]
pub struct ReceivedFile {
    /// Transfer.
    pub transfer: TransferId,
    /// Cleaned name.
    pub name: String,
    /// Content, of no media type that a browser would open.
    pub content: Content,
}

impl FilesState {
    /// Signals of a page that was just opened.
    pub fn new() -> Self {
        Self {
            queue: StoredValue::new_local(SendQueue::default()),
            waiting: RwSignal::new(0),
            received: RwSignal::new_local(Vec::new()),
            chosen: RwSignal::new_local(Vec::new()),
            asks_to_whom: RwSignal::new(false),
            has_folder: RwSignal::new(false),
            is_open: RwSignal::new(true),
        }
    }

    /// Changes the queue, and returns the offers that are due.
    pub fn change_queue(
        self,
        change: impl FnOnce(&mut SendQueue<web_sys::File>),
    ) -> Vec<TransferInput> {
        let changed = self.queue.try_update_value(|queue| {
            change(queue);
            let offers: Vec<_> = std::iter::from_fn(|| queue.next_offer()).collect();
            (offers, queue.waiting.len())
        });
        let Some((offers, waiting)) = changed else {
            return Vec::new();
        };
        if self.waiting.get_untracked() != waiting {
            self.waiting.set(waiting);
        }
        let input =
            |(file, to, chosen): (u32, Option<PeerId>, web_sys::File)| TransferInput::Offer {
                file,
                name: chosen.name(),
                size: chosen.size() as u64,
                to,
            };
        offers.into_iter().map(input).collect()
    }

    /// The received file of a transfer.
    pub fn received(self, transfer: TransferId) -> Option<ReceivedFile> {
        let received = self.received.read();
        received
            .iter()
            .find(|file| file.transfer == transfer)
            .cloned()
    }
}

impl Default for FilesState {
    fn default() -> Self {
        Self::new()
    }
}

/// Files that this page sends: at most [`MAX_AT_A_TIME`] at a time, the others follow in order.
pub struct SendQueue<F> {
    last: u32,
    offered: Vec<(u32, F)>,
    waiting: Vec<(F, Option<PeerId>)>,
}

impl<F> Default for SendQueue<F> {
    fn default() -> Self {
        Self {
            last: 0,
            offered: Vec::new(),
            waiting: Vec::new(),
        }
    }
}

impl<F: Clone> SendQueue<F> {
    /// Appends files for one rider, or for all.
    pub fn append(&mut self, files: impl IntoIterator<Item = F>, to: Option<&PeerId>) {
        let files = files.into_iter();
        self.waiting.extend(files.map(|file| (file, to.cloned())));
    }

    /// Forgets all files: the transfers of offered ones have ended.
    pub fn restart(&mut self) {
        self.offered.clear();
        self.waiting.clear();
    }

    /// Removes the files that have not been offered.
    pub fn clear(&mut self) {
        self.waiting.clear();
    }

    /// The offered file of this number.
    pub fn file(&self, number: u32) -> Option<F> {
        let file = self.offered.iter().find(|(other, _)| *other == number);
        file.map(|(_, file)| file.clone())
    }

    /// Forgets an offered file: all its transfers have ended.
    pub fn forget(&mut self, number: u32) {
        self.offered.retain(|(other, _)| *other != number);
    }

    /// The next file to offer, with its number and receiver; `None` while enough others are offered.
    fn next_offer(&mut self) -> Option<(u32, Option<PeerId>, F)> {
        if self.waiting.is_empty() || self.offered.len() >= MAX_AT_A_TIME {
            return None;
        }
        let (file, to) = self.waiting.remove(0);
        self.last += 1;
        self.offered.push((self.last, file.clone()));
        Some((self.last, to, file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offers(queue: &mut SendQueue<&'static str>) -> Vec<(u32, &'static str)> {
        let offers = std::iter::from_fn(|| queue.next_offer());
        offers.map(|(number, _, file)| (number, file)).collect()
    }

    #[test]
    fn three_files_are_offered_at_a_time_and_the_others_follow_in_order() {
        let mut queue = SendQueue::default();
        queue.append(["a", "b", "c", "d", "e"], None);
        assert_eq!(offers(&mut queue), [(1, "a"), (2, "b"), (3, "c")]);
        queue.forget(2);
        assert_eq!(offers(&mut queue), [(4, "d")]);
        assert_eq!((queue.file(2), queue.file(4)), (None, Some("d")));
        queue.forget(1);
        queue.forget(3);
        assert_eq!(offers(&mut queue), [(5, "e")]);
    }

    #[test]
    fn a_cleared_queue_keeps_what_is_offered() {
        let mut queue = SendQueue::default();
        queue.append(["a", "b", "c", "d"], None);
        offers(&mut queue);
        queue.clear();
        queue.forget(1);
        assert_eq!(offers(&mut queue), []);
        assert_eq!(queue.file(3), Some("c"));
    }
}
