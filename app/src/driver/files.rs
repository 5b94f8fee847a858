//! Workout files in, FIT files out.

use ride::{
    formats::{Imported, MAX_FILE_BYTES},
    recording::fit::Activity,
    rider::Ftp,
};
use session::Input;

use super::queue::{Event, Queue};
use crate::{
    browser::{clock, files},
    lazy::{self, PartUnavailable},
    state::{FitDownloadError, WorkoutFileError},
};

/// Media type of FIT files.
const FIT_TYPE: &str = "application/vnd.ant.fit";

/// Reads a workout file for a rider with this FTP, and gives the session the workout or the reason
/// why there is none.
pub(super) fn read_workout(queue: Queue, file: web_sys::File, ftp: Ftp) {
    wasm_bindgen_futures::spawn_local(async move {
        let workout = parse(&file, ftp).await;
        queue.post(Event::Input(Input::WorkoutFile(workout)));
    });
}

async fn parse(file: &web_sys::File, ftp: Ftp) -> Result<Imported, WorkoutFileError> {
    if file.size() > MAX_FILE_BYTES as f64 {
        return Err(WorkoutFileError::TooLarge);
    }
    let bytes = files::read(file)
        .await
        .ok_or(WorkoutFileError::Unreadable)?;
    let imported = lazy::read_workout(&bytes, &file.name(), ftp)
        .await
        .map_err(|PartUnavailable(_)| WorkoutFileError::PartUnavailable)?;
    imported.map_err(WorkoutFileError::Invalid)
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
