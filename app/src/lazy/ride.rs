//! The part `ride`: the session and the screens of a ride.

use leptos::prelude::*;
use ride::rider::{Ftp, RiderName};

use crate::{
    components::ride_page::RidePage,
    driver,
    i18n::*,
    lazy,
    state::{Intent, Intents, RideState, Stage},
};

/// The functions of the part.
#[derive(Clone, Copy)]
pub struct RideViews {
    /// Opens the group ride with the code in the page's address. Its signals belong
    /// to the current owner, which has to be the page's.
    pub open_group: fn(String) -> OpenRide,
    /// A solo ride.
    pub solo: fn() -> AnyView,
    /// The page of a phone that connects devices for a rider.
    pub bridge: fn() -> AnyView,
}

/// A group ride that has been opened.
#[derive(Clone, Copy)]
pub struct OpenRide {
    /// What the session does about joining.
    pub step: Signal<JoinStep>,
    /// Joins as a new rider, at [`JoinStep::EnterName`].
    pub join: Callback<(RiderName, Ftp)>,
    /// The page, for all steps but [`JoinStep::EnterName`].
    pub page: fn() -> AnyView,
}

/// Step of a group ride with regard to the form for name and FTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinStep {
    /// The ride is being looked up.
    LookUp,
    /// A new rider has to enter name and FTP.
    EnterName,
    /// Any other.
    Other,
}

impl RideViews {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        Self {
            open_group,
            solo,
            bridge,
        }
    }
}

fn open_group(address: String) -> OpenRide {
    let (state, intents) = provide_state();
    driver::open_group(state, intents, address);
    let step = Memo::new(move |_| {
        state.stage.with(|stage| match stage {
            Stage::LookingUp => JoinStep::LookUp,
            Stage::EnterName => JoinStep::EnterName,
            _ => JoinStep::Other,
        })
    });
    OpenRide {
        step: step.into(),
        join: Callback::new(move |(name, ftp)| intents.send(Intent::Join(name, ftp))),
        page: || view! { <RidePage/> }.into_any(),
    }
}

fn solo() -> AnyView {
    let i18n = use_i18n();
    let (state, intents) = provide_state();
    Effect::new(move || driver::open_solo(state, intents, t_string!(i18n, common.you)));
    view! { <RidePage/> }.into_any()
}

fn bridge() -> AnyView {
    let (state, intents) = provide_state();
    lazy::prefetch();
    lazy::screen(move |views| {
        driver::open_bridge(state, intents, views.bridge_session);
        (views.bridge)()
    })
}

fn provide_state() -> (RideState, Intents) {
    let (state, intents) = (RideState::new(), Intents::new());
    provide_context(state);
    provide_context(intents);
    (state, intents)
}
