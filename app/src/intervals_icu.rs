//! intervals.icu with the rider's own key: planned workouts in, finished rides out.
//!
//! The key is in the browser's storage only. `browser::intervals_icu` sends the calls.

use ride::{
    intervals_icu::{self, Access, ActivityId, ApiKey, CallError, PlannedWorkout, Upload},
    recording::fit::FitError,
    rider::Ftp,
};

use crate::{
    browser::{clock, intervals_icu as browser, storage},
    own_rides::{FileFormat, OwnRide, id_of},
};

/// What a page can do with intervals.icu.
#[derive(Clone, Debug, PartialEq)]
pub enum Offer {
    /// This server does not offer it.
    Off,
    /// The rider has saved no key.
    NoKey,
    /// Both are there.
    Ready(Access, ApiKey),
}

/// Reason why a ride was not uploaded.
#[derive(Clone, Debug, PartialEq)]
pub enum UploadError {
    /// There is no FIT file of it.
    File(FitError),
    /// The call failed.
    Call(CallError),
}

/// What this page can do. A page without a key asks the server nothing.
///
/// # Errors
/// [`CallError`] if the server does not tell.
pub async fn offer() -> Result<Offer, CallError> {
    let Some(key) = storage::intervals_icu_key() else {
        return Ok(Offer::NoKey);
    };
    let access = browser::access().await?;
    Ok(access.map_or(Offer::Off, |access| Offer::Ready(access, key)))
}

/// Workouts that the owner of the key has planned for today.
///
/// # Errors
/// [`CallError`].
pub async fn planned_today(
    access: &Access,
    key: &ApiKey,
) -> Result<Vec<PlannedWorkout>, CallError> {
    // Every clock that a rider uses has a date.
    let today = clock::today().ok_or(CallError::Unreadable)?;
    let profile = storage::profile();
    let ftp = profile.and_then(|profile| Ftp::new(profile.ftp).ok());
    let request = intervals_icu::planned_workouts(key, today);
    browser::call(access, &request, |answer| {
        intervals_icu::read_planned_workouts(answer, today, ftp.unwrap_or_default())
    })
    .await
}

/// Uploads a ride under a name, remembers that, and returns the id of its activity. A ride that the
/// service has already counts as uploaded.
///
/// # Errors
/// [`UploadError`].
pub async fn upload(
    access: &Access,
    key: &ApiKey,
    ride: &OwnRide,
    name: &str,
) -> Result<Option<ActivityId>, UploadError> {
    let file = ride
        .file(FileFormat::Fit, storage::sub_sport())
        .map_err(UploadError::File)?;
    let external_id = format!("gruppetto-{}", id_of(&ride.name));
    let request = intervals_icu::upload(
        key,
        Upload {
            name,
            external_id: &external_id,
            file_name: &file.name,
            file: &file.bytes,
        },
    );
    let request = request.map_err(UploadError::Call)?;
    let id = match browser::call(access, &request, intervals_icu::read_upload).await {
        Err(CallError::AlreadyUploaded) => None,
        id => id.map_err(UploadError::Call)?,
    };
    storage::save_upload(&ride.name, id.as_ref());
    Ok(id)
}
