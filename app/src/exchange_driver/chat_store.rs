//! The chat of a rider in IndexedDB, for 24 hours.

use std::{cell::RefCell, rc::Rc};

use clock::WallTime;
use session::exchange::KEPT_FOR;

use crate::browser::{chats, clock as browser_clock};

/// Place of one rider's chat. Writes follow one another; of several that wait, only the newest is
/// carried out.
pub(super) struct ChatStore {
    name: String,
    waiting: RefCell<Waiting>,
}

#[derive(Default)]
struct Waiting {
    is_writing: bool,
    next: Option<Vec<u8>>,
}

impl ChatStore {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            waiting: RefCell::default(),
        }
    }

    /// What is stored; empty if nothing is, or if the browser cannot read it. Chats of all rides that
    /// are too old are deleted before.
    pub(super) async fn load(&self, now: WallTime) -> Vec<u8> {
        // Without a database, the chat lasts as long as the page.
        let _ = chats::delete_before(now.before(KEPT_FOR).unix_ms()).await;
        chats::load(&self.name)
            .await
            .ok()
            .flatten()
            .unwrap_or_default()
    }

    /// Stores a chat.
    pub(super) fn put(store: &Rc<Self>, bytes: Vec<u8>) {
        let is_first = {
            let mut waiting = store.waiting.borrow_mut();
            waiting.next = Some(bytes);
            !std::mem::replace(&mut waiting.is_writing, true)
        };
        if !is_first {
            return;
        }
        let store = Rc::clone(store);
        wasm_bindgen_futures::spawn_local(async move {
            loop {
                let next = {
                    let mut waiting = store.waiting.borrow_mut();
                    let next = waiting.next.take();
                    waiting.is_writing = next.is_some();
                    next
                };
                let Some(bytes) = next else { return };
                let now = browser_clock::wall_time().unix_ms();
                // The next change is stored again.
                let _ = chats::put(&store.name, now, &bytes).await;
            }
        });
    }
}
