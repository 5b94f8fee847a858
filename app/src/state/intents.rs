//! The channel by which components send requests of the rider to the driver.

use leptos::prelude::*;
use session::Intent;

/// Request of the rider.
pub enum Request {
    /// Intent, passed on to the session unchanged.
    Intent(Intent),
    /// Read a workout file and share it (host).
    ShareFile(web_sys::File),
    /// Set the volume in percent of the sounds that announce intervals.
    SetVolume(u8),
}

/// Channel from the components to the driver. Requests sent while no driver is
/// connected (on the server, and before hydration) are dropped.
#[derive(Clone, Copy)]
pub struct Intents(StoredValue<Option<Handler>, LocalStorage>);

type Handler = std::rc::Rc<dyn Fn(Request)>;

impl Intents {
    /// A channel without a driver.
    pub fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Connects the driver, which handles every request from now on.
    pub fn connect(&self, handler: impl Fn(Request) + 'static) {
        self.0.set_value(Some(std::rc::Rc::new(handler)));
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
