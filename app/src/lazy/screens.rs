//! The part `screens`: what a rider opens later.

use std::sync::Arc;

use leptos::prelude::*;
use ride::workout::Workout;
use session::{Now, Session, SessionConfig, bridge::BridgeSession};

use super::view::Dialog;
use crate::browser::sound::{self, Tone};
use crate::components::{
    bridge_page::BridgePage,
    connection_panel::ConnectionDetails,
    devices::{DevicesDialog, Sensors, TrainerValues},
    leave_question::LeaveQuestion,
    manage_riders::ManageRidersDialog,
    riding::Riding,
    summary::Summary,
    unfinished::UnfinishedOffer,
    workout_sheet::WorkoutSheet,
};

/// Opens the session of a bridge, see [`BridgeSession::new`].
pub type OpenBridge = fn(SessionConfig, Now, &str, &str) -> Box<dyn Session>;

/// The views of the part.
#[derive(Clone, Copy)]
pub struct ScreenViews {
    /// A shared workout in the lobby.
    pub workout: fn(Arc<Workout>) -> AnyView,
    /// Dialog in which the host manages the riders.
    pub manage: Dialog,
    /// The figures of the connection panel.
    pub connection: fn() -> AnyView,
    /// Guard and question before the browser's Back leaves a ride under way.
    pub leave_question: fn() -> AnyView,
    /// The ride under way.
    pub riding: fn() -> AnyView,
    /// Dialog with all devices.
    pub devices: Dialog,
    /// The page of a phone that connects devices for a rider.
    pub bridge: fn() -> AnyView,
    /// Session of that page.
    pub bridge_session: OpenBridge,
    /// Rows of the sensors.
    pub sensors: fn() -> AnyView,
    /// Values that the trainer measures now.
    pub trainer_values: fn() -> AnyView,
    /// Offer to resume or finish a solo ride that was not finished.
    pub unfinished: fn() -> AnyView,
    /// The end of a ride.
    pub summary: fn() -> AnyView,
    /// Plays a tone at a volume in percent.
    pub play: fn(Tone, u8),
    /// Makes later tones audible, within a tap.
    pub unlock_sound: fn(),
}

impl ScreenViews {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        super::style::add_style_sheet();
        Self {
            workout: |workout| view! { <WorkoutSheet workout/> }.into_any(),
            manage: |open| view! { <ManageRidersDialog open/> }.into_any(),
            connection: || view! { <ConnectionDetails/> }.into_any(),
            leave_question: || view! { <LeaveQuestion/> }.into_any(),
            riding: || view! { <Riding/> }.into_any(),
            devices: |open| view! { <DevicesDialog open/> }.into_any(),
            bridge: || view! { <BridgePage/> }.into_any(),
            bridge_session: |config, now, fragment, stored| {
                Box::new(BridgeSession::new(config, now, fragment, stored))
            },
            sensors: || view! { <Sensors/> }.into_any(),
            trainer_values: || view! { <TrainerValues/> }.into_any(),
            unfinished: || view! { <UnfinishedOffer/> }.into_any(),
            summary: || view! { <Summary/> }.into_any(),
            play: sound::play,
            unlock_sound: sound::unlock,
        }
    }
}
