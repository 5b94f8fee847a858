//! What riders ask of the session, and the way there.

use std::sync::Arc;

use leptos::prelude::*;
use ride::workout::Workout;

/// What a rider asks of the session.
#[derive(Clone, Debug)]
pub enum Intent {
    /// Go on as the known rider at this position of [`super::Stage::WhoAreYou`].
    GoOnAs(usize),
    /// Join as somebody else: shows the form.
    SomebodyElse,
    /// Join under this name with this FTP.
    Join(ride::rider::RiderName, ride::rider::Ftp),
    /// Say go, or take it back.
    Ready(bool),
    /// Share a workout with everybody (host).
    ShareWorkout(Arc<Workout>),
    /// Read a workout file and share it (host). The size is checked first.
    ShareFile(web_sys::File),
    /// Start the countdown (host).
    Start,
    /// Call the start off (host).
    CancelStart,
    /// On from the interval of this index to the next (host).
    Skip(usize),
    /// Back to the start of the interval of this index, or the one before (host).
    Back(usize),
    /// Make the interval of this index a minute longer (host).
    Extend(usize),
    /// Pause the ride (host).
    Pause,
    /// Go on after a pause (host).
    Resume,
    /// End the ride for everybody (host).
    End,
    /// Leave the ride.
    Leave,
    /// Connect a trainer over Bluetooth; must come from a tap.
    ConnectTrainer,
    /// Ride on the simulator.
    SimulateTrainer,
    /// Copy the invitation to the clipboard.
    CopyLink,
    /// Save the FIT file.
    DownloadFit,
    /// Take this rider over from the other tab.
    TakeOver,
    /// Let nobody new in, or everybody again (host).
    Lock(bool),
    /// Make the rider of this peer id the host (host).
    HandOver(String),
    /// Remove a rider for good (host).
    Remove {
        /// The rider's peer id.
        peer: String,
        /// Why, for the rider to read; may be empty.
        reason: String,
    },
    /// Send everybody home and end the code (host).
    CloseRide,
    /// Be host again, as the first host.
    Reclaim,
    /// Look for the ride again.
    Retry,
    /// Keep the facts about the links up to date, or no longer.
    WatchLinks(bool),
}

/// The way from a component to the session. On the server, and before
/// hydration, it goes nowhere.
#[derive(Clone, Copy)]
pub struct Intents(StoredValue<Option<Sender>, LocalStorage>);

type Sender = std::rc::Rc<dyn Fn(Intent)>;

impl Intents {
    /// A way that leads nowhere yet.
    pub fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Leads it to the session.
    pub fn connect(&self, sender: impl Fn(Intent) + 'static) {
        self.0.set_value(Some(std::rc::Rc::new(sender)));
    }

    /// Sends an intent.
    pub fn send(&self, intent: Intent) {
        let sender = self.0.try_get_value().flatten();
        if let Some(sender) = sender {
            sender(intent);
        }
    }
}

impl Default for Intents {
    fn default() -> Self {
        Self::new()
    }
}
