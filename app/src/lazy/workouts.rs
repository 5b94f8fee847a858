//! The part `workouts`: choosing, reading and writing workouts.

use leptos::prelude::*;
use ride::{
    formats::{self, FileError, Imported},
    rider::Ftp,
};

use super::{PartUnavailable, WORKOUTS, view::Dialog};
use crate::components::{
    designer::DesignerPage, workout_chooser::WorkoutChooser, workouts_page::WorkoutsPage,
};

/// The views and functions of the part.
#[derive(Clone, Copy)]
pub struct Workouts {
    /// The workouts to choose from in the lobby.
    pub chooser: Dialog,
    /// The page of the workout with this number, or of a `new` one; of all workouts for an empty
    /// text.
    pub page: fn(String) -> AnyView,
    read: fn(&[u8], &str, Ftp) -> Result<Imported, FileError>,
}

impl Workouts {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        super::style::add_style_sheet();
        Self {
            chooser: |open| view! { <WorkoutChooser open/> }.into_any(),
            page: |address| match address.is_empty() {
                true => view! { <WorkoutsPage/> }.into_any(),
                false => view! { <DesignerPage address/> }.into_any(),
            },
            read: formats::read,
        }
    }
}

/// Reads a workout file with this name, see [`formats::read`]. The outer error means that the code
/// for it could not be fetched, the inner one that the file is not a workout.
///
/// # Errors
/// [`PartUnavailable`], as [`super::Part::load`].
pub async fn read_workout(
    bytes: &[u8],
    file_name: &str,
    ftp: Ftp,
) -> Result<Result<Imported, FileError>, PartUnavailable> {
    WORKOUTS
        .load()
        .await
        .map(|part| (part.read)(bytes, file_name, ftp))
}
