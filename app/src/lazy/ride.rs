//! The part `ride`: the session and the screens of a ride.

use leptos::prelude::*;

use crate::routes::{group_ride::GroupRide, solo_ride::SoloRide};

/// The views of the part.
#[derive(Clone, Copy)]
pub struct RideViews {
    /// A group ride, by the code in the address.
    pub group: fn() -> AnyView,
    /// A ride alone.
    pub solo: fn() -> AnyView,
}

impl RideViews {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        Self {
            group: || view! { <GroupRide/> }.into_any(),
            solo: || view! { <SoloRide/> }.into_any(),
        }
    }
}
