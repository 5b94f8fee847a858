//! Driver of chat, file transfers, media and shared pages: writes their signals, keeps what the browser stores of
//! them, and sends and plays voices and pictures.

mod chat_store;
mod media;
mod transfers;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use leptos::prelude::*;
use protocol::{code::SessionCode, peer::PeerId};
use session::{
    chat::{ChatInput, ChatOutput},
    exchange::{ExchangeInput, ExchangeOutput},
    pages::PageOutput,
};

use crate::{
    browser::clock,
    lazy::{ExchangeDriver, PostExchange},
    state::ExchangeState,
};
use chat_store::ChatStore;
use media::MediaDriver;
use transfers::TransferDriver;

/// Opens the driver of the ride with this code.
pub fn open(code: SessionCode, state: ExchangeState, post: PostExchange) -> ExchangeDriver {
    let post: PostInput = Rc::new(move |input| {
        post(Box::new(|exchange, now| exchange.handle(now, input)));
    });
    let transfers = TransferDriver::new(code.clone(), state, Rc::clone(&post));
    let media = MediaDriver::new(state.media, Rc::clone(&post));
    let driver = Driver {
        code,
        state,
        post,
        chat: RefCell::new(None),
        reactions: Cell::new(0),
    };
    Rc::new(move |exchange| {
        while let Some(output) = exchange.poll_output() {
            match output {
                // The session sends messages itself.
                ExchangeOutput::Send { .. } => {}
                ExchangeOutput::Chat(output) => driver.chat(output),
                ExchangeOutput::Transfers(output) => transfers.carry_out(output),
                ExchangeOutput::Media(output) => media.carry_out(output),
                ExchangeOutput::Pages(PageOutput::Show(pages)) => driver.state.pages.set(pages),
            }
        }
    })
}

/// Takes inputs for the exchange.
type PostInput = Rc<dyn Fn(ExchangeInput)>;

struct Driver {
    code: SessionCode,
    state: ExchangeState,
    post: PostInput,
    /// Where the chat of the rider is kept.
    chat: RefCell<Option<Rc<ChatStore>>>,
    /// Number of reactions so far.
    reactions: Cell<u32>,
}

impl Driver {
    fn chat(&self, output: ChatOutput) {
        let state = self.state;
        match output {
            ChatOutput::Load(rider) => self.load_chat(&rider),
            ChatOutput::Store(bytes) => {
                if let Some(store) = &*self.chat.borrow() {
                    ChatStore::put(store, bytes);
                }
            }
            ChatOutput::Show(view) => state.chat.set(*view),
            ChatOutput::Reacted(reaction) => {
                self.reactions.set(self.reactions.get().wrapping_add(1));
                state.reacted.set(Some((self.reactions.get(), reaction)));
            }
            ChatOutput::Arrived(message) => state.arrived.set(Some(message)),
            ChatOutput::Rejected(rejection) => state.rejected.set(Some(rejection)),
        }
    }

    fn load_chat(&self, rider: &PeerId) {
        let store = Rc::new(ChatStore::new(format!("{}/{rider}", self.code)));
        *self.chat.borrow_mut() = Some(Rc::clone(&store));
        let post = Rc::clone(&self.post);
        wasm_bindgen_futures::spawn_local(async move {
            let stored = store.load(clock::wall_time()).await;
            post(ExchangeInput::Chat(ChatInput::Loaded(stored)));
        });
    }
}
