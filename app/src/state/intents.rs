//! Intents: what a rider asks the session to do, and the channel to it.

use std::sync::Arc;

use leptos::prelude::*;
use protocol::peer::PeerId;
use ride::workout::Workout;

/// A rider's request to the session. Those marked (host) are ignored unless
/// this rider is the host.
#[derive(Clone, Debug)]
pub enum Intent {
    /// Resume as the known rider at this position of
    /// [`super::Stage::ChooseRider`].
    ResumeAs(usize),
    /// Join as a new rider: shows the form for name and FTP.
    JoinAsNewRider,
    /// Join under this name with this FTP.
    Join(ride::rider::RiderName, ride::rider::Ftp),
    /// Set or clear the own ready flag.
    SetReady(bool),
    /// Share a workout with all riders (host).
    ShareWorkout(Arc<Workout>),
    /// Read a workout file and share it (host). The size is checked first.
    ShareFile(web_sys::File),
    /// Start the countdown (host).
    Start,
    /// Cancel the countdown (host).
    CancelStart,
    /// Skip from the interval with this index to the next one (host).
    Skip(usize),
    /// Go back to the start of the interval with this index, or to the one
    /// before it (host).
    Back(usize),
    /// Extend the interval with this index by one minute (host).
    Extend(usize),
    /// Pause the ride (host).
    Pause,
    /// Continue after a pause (host).
    Resume,
    /// End the ride for all riders (host).
    End,
    /// Leave the ride.
    Leave,
    /// Connect a trainer over Bluetooth. Browsers allow it only in the handler
    /// of a tap or key press.
    ConnectTrainer,
    /// Use the simulated trainer.
    SimulateTrainer,
    /// Copy the invitation link to the clipboard.
    CopyLink,
    /// Save the FIT file.
    DownloadFit,
    /// Take over this rider from another tab.
    TakeOver,
    /// Lock the ride against new riders, or unlock it (host).
    Lock(bool),
    /// Make the rider with this peer id the host (host).
    HandOver(PeerId),
    /// Kick a rider and ban them from this code (host).
    Kick {
        /// The rider's peer id.
        peer: PeerId,
        /// Reason shown to the rider; may be empty.
        reason: String,
    },
    /// Close the ride for all riders and end its code (host).
    CloseRide,
    /// Become host again; possible for the rider who created the ride.
    Reclaim,
    /// Look up the ride again.
    Retry,
    /// Start or stop updating the link statistics.
    WatchLinks(bool),
}

/// Channel from the components to the session. Intents sent while no session is
/// connected (on the server, and before hydration) are dropped.
#[derive(Clone, Copy)]
pub struct Intents(StoredValue<Option<Handler>, LocalStorage>);

type Handler = std::rc::Rc<dyn Fn(Intent)>;

impl Intents {
    /// A channel without a session.
    pub fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Connects the session, which handles every intent from now on.
    pub fn connect(&self, handler: impl Fn(Intent) + 'static) {
        self.0.set_value(Some(std::rc::Rc::new(handler)));
    }

    /// Sends an intent.
    pub fn send(&self, intent: Intent) {
        let handler = self.0.try_get_value().flatten();
        if let Some(handler) = handler {
            handler(intent);
        }
    }
}

impl Default for Intents {
    fn default() -> Self {
        Self::new()
    }
}
