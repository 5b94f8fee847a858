//! The part `rides`: rides that are over, and their files.

use leptos::{prelude::*, task::spawn_local};
use ride::recording::{
    Recording,
    fit::{self, Activity, FitError, FitFile},
    stored::RideState,
};
use session::{FinishedRide, UnfinishedSolo};

use super::{PartUnavailable, RIDES};
use crate::components::{
    ride_analysis::RideAnalysis, rides_page::RidesPage, settings_page::SettingsPage,
};
use crate::own_rides;

/// The views and functions of the part.
#[derive(Clone, Copy)]
pub struct Rides {
    /// The page of the ride with this id; of all rides for an empty text.
    pub page: fn(String) -> AnyView,
    /// The page of the rider's settings.
    pub settings: fn() -> AnyView,
    /// Finds a solo ride that can be resumed, and passes it on if there is one.
    pub find_unfinished_solo: fn(Box<dyn FnOnce(UnfinishedSolo)>),
    /// Reads a stored recording, see [`Recording::from_readable_chunks`].
    pub read_recording: fn(&[Vec<u8>]) -> Option<Recording>,
    /// Encodes a finished ride as it is stored, see [`FinishedRide::new`].
    pub encode_finished: fn(&Recording, &RideState) -> FinishedRide,
    encode_fit: fn(&Activity, i32) -> Result<FitFile, FitError>,
}

impl Rides {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        super::style::add_style_sheet();
        Self {
            page: |id| match id.is_empty() {
                true => view! { <RidesPage/> }.into_any(),
                false => view! { <RideAnalysis id/> }.into_any(),
            },
            settings: || view! { <SettingsPage/> }.into_any(),
            find_unfinished_solo: |found| {
                spawn_local(async move {
                    if let Some(ride) = own_rides::unfinished_solo().await {
                        found(ride);
                    }
                });
            },
            read_recording: Recording::from_readable_chunks,
            encode_finished: FinishedRide::new,
            encode_fit: fit::encode,
        }
    }
}

/// Writes a ride as a FIT file, see [`fit::encode`]. The outer error means that the code for it
/// could not be fetched, the inner one that the recording makes no file.
///
/// # Errors
/// [`PartUnavailable`], as [`super::Part::load`].
pub async fn encode_fit(
    activity: &Activity,
    utc_offset: i32,
) -> Result<Result<FitFile, FitError>, PartUnavailable> {
    RIDES
        .load()
        .await
        .map(|part| (part.encode_fit)(activity, utc_offset))
}
