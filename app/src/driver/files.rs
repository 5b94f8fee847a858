//! Workout files in, FIT files out.

use ride::recording::fit::Activity;
use session::{ImportedWorkout, Input};

use super::queue::{Event, Queue};
use crate::{
    browser::{clock, files},
    lazy::{self, PartUnavailable},
    state::{FitDownloadError, WorkoutFileError},
};

/// Largest workout file that is read, in bytes.
const MAX_FILE_BYTES: f64 = 1024.0 * 1024.0;
/// Media type of FIT files.
const FIT_TYPE: &str = "application/vnd.ant.fit";

/// Reads a workout file, and gives the session the workout or the reason why there is none.
pub(super) fn read_workout(queue: Queue, file: web_sys::File) {
    wasm_bindgen_futures::spawn_local(async move {
        let workout = parse(&file).await;
        queue.post(Event::Input(Input::WorkoutFile(workout)));
    });
}

async fn parse(file: &web_sys::File) -> Result<ImportedWorkout, WorkoutFileError> {
    if file.size() > MAX_FILE_BYTES {
        return Err(WorkoutFileError::TooLarge);
    }
    let bytes = files::read(file)
        .await
        .ok_or(WorkoutFileError::Unreadable)?;
    let parsed = lazy::parse_zwo(&bytes, &file.name())
        .await
        .map_err(|PartUnavailable(_)| WorkoutFileError::PartUnavailable)?;
    let imported = parsed.map_err(WorkoutFileError::Invalid)?;
    Ok(ImportedWorkout {
        workout: imported.workout,
        remarks: imported.remarks,
    })
}

/// Saves the ride as a FIT file in the rider's downloads.
pub(super) fn save_fit(queue: Queue, activity: Box<Activity>) {
    wasm_bindgen_futures::spawn_local(async move {
        let utc_offset = clock::utc_offset(activity.recording.started_at);
        let result = match lazy::encode_fit(&activity, utc_offset).await {
            Ok(Ok(file)) => {
                let saved = files::save(&file.name, FIT_TYPE, &file.bytes);
                saved.ok_or(FitDownloadError::Browser)
            }
            Ok(Err(error)) => Err(FitDownloadError::Fit(error)),
            Err(PartUnavailable(_)) => Err(FitDownloadError::PartUnavailable),
        };
        queue.post(Event::Input(Input::FitSaved(result)));
    });
}
