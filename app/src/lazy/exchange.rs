//! The part `exchange`: chat, reactions, presence, files and media.

use std::rc::Rc;

use leptos::prelude::*;
use protocol::{code::SessionCode, peer::PeerId};
use session::exchange::{self, ExchangeCall, LoadedExchange, OpenExchange};

use super::EXCHANGE;
use crate::{
    components::{chat_rider::ChatRider, media_rider::MediaCard, together::Together},
    exchange_driver,
    state::{ExchangeState, RideState},
};

/// Takes the calls that the driver of an exchange has for the session.
pub type PostExchange = Rc<dyn Fn(ExchangeCall)>;

/// Carries out the outputs of an exchange.
pub type ExchangeDriver = Rc<dyn Fn(&mut dyn LoadedExchange)>;

/// The functions of the part.
#[derive(Clone, Copy)]
pub struct ExchangeViews {
    /// Opens the exchange of a session.
    pub open: OpenExchange,
    /// Signals of an exchange, which belong to the current owner.
    pub state: fn() -> ExchangeState,
    /// Driver of the exchange of the ride with this code, which writes these signals.
    pub driver: fn(SessionCode, ExchangeState, PostExchange) -> ExchangeDriver,
    /// Chat and files on the page of a ride.
    pub view: fn(ExchangeState) -> AnyView,
    /// What the card of a rider with this label shows of them.
    pub rider: fn(ExchangeState, PeerId, Memo<String>) -> AnyView,
}

impl ExchangeViews {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        super::style::add_style_sheet();
        Self {
            open: exchange::open,
            state: ExchangeState::new,
            driver: exchange_driver::open,
            view: |exchange| view! { <Together exchange/> }.into_any(),
            rider: |exchange, peer, label| {
                view! {
                    <ChatRider exchange peer=peer.clone() label/>
                    <MediaCard exchange peer label/>
                }
                .into_any()
            },
        }
    }
}

/// A view of chat and files, once they are loaded; none in a solo ride.
pub fn exchange_view(draw: Box<dyn Fn(ExchangeViews, ExchangeState) -> AnyView + Send>) -> AnyView {
    let state = expect_context::<RideState>();
    let view = move || {
        let (exchange, part) = (state.exchange.get()?, EXCHANGE.loaded()?);
        Some(draw(part, exchange))
    };
    view.into_any()
}
