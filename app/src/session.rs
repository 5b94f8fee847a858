//! The driver of a ride in the browser.

use crate::state::{Intents, RideState};

/// Opens a group ride by what stands in the address. Call in an effect.
pub fn open_group(_state: RideState, _intents: Intents, _code: String) {}

/// Opens a ride alone, on the simulator, without a network. Call in an effect.
pub fn open_solo(_state: RideState, _intents: Intents) {}
