//! The part `screens`: what a rider opens later.

use std::sync::Arc;

use leptos::prelude::*;
use ride::workout::Workout;

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
    workout_sheet::WorkoutSheet,
};

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
    /// Rows of the sensors.
    pub sensors: fn() -> AnyView,
    /// Values that the trainer measures now.
    pub trainer_values: fn() -> AnyView,
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
        Self {
            workout: |workout| view! { <WorkoutSheet workout/> }.into_any(),
            manage: |open| view! { <ManageRidersDialog open/> }.into_any(),
            connection: || view! { <ConnectionDetails/> }.into_any(),
            leave_question: || view! { <LeaveQuestion/> }.into_any(),
            riding: || view! { <Riding/> }.into_any(),
            devices: |open| view! { <DevicesDialog open/> }.into_any(),
            bridge: || view! { <BridgePage/> }.into_any(),
            sensors: || view! { <Sensors/> }.into_any(),
            trainer_values: || view! { <TrainerValues/> }.into_any(),
            summary: || view! { <Summary/> }.into_any(),
            play: sound::play,
            unlock_sound: sound::unlock,
        }
    }
}
