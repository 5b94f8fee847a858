//! The channel by which components send requests of the rider to the driver.

use std::{cell::Cell, rc::Rc};

use leptos::prelude::*;
use session::{
    Intent,
    exchange::{ExchangeCall, ExchangeInput},
};

/// Request of the rider.
pub enum Request {
    /// Intent, passed on to the session unchanged.
    Intent(Intent),
    /// Read a workout file and share it (host).
    ShareFile(web_sys::File),
    /// Set the volume in percent of the sounds that announce intervals.
    SetVolume(u8),
    /// Call of chat or file transfers.
    Exchange(ExchangeCall),
}

/// Channel from the components to the driver. Requests sent while no driver is
/// connected (on the server, and before hydration) are dropped.
#[derive(Clone, Copy)]
pub struct Intents(StoredValue<Option<Handler>, LocalStorage>);

type Handler = Rc<dyn Fn(Request)>;

impl Intents {
    /// A channel without a driver.
    pub fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Connects the driver, which handles every request from now on.
    pub fn connect(&self, handler: impl Fn(Request) + 'static) {
        self.0.set_value(Some(Rc::new(handler)));
    }

    /// Sends an intent.
    pub fn send(&self, intent: Intent) {
        self.request(Request::Intent(intent));
    }

    /// Sends a workout file to share.
    pub fn share_file(&self, file: web_sys::File) {
        self.request(Request::ShareFile(file));
    }

    /// Sets the volume in percent of the sounds that announce intervals.
    pub fn set_volume(&self, volume: u8) {
        self.request(Request::SetVolume(volume));
    }

    /// Sends an input for chat or file transfers. Returns whether it was handled at once: not in an
    /// event of the driver itself, and not after the rider has left the group.
    pub fn exchange(&self, input: ExchangeInput) -> bool {
        let is_handled = Rc::new(Cell::new(false));
        let handled = Rc::clone(&is_handled);
        self.request(Request::Exchange(Box::new(move |exchange, now| {
            handled.set(true);
            exchange.handle(now, input);
        })));
        is_handled.get()
    }

    fn request(&self, request: Request) {
        let handler = self.0.try_get_value().flatten();
        if let Some(handler) = handler {
            handler(request);
        }
    }
}

impl Default for Intents {
    fn default() -> Self {
        Self::new()
    }
}
