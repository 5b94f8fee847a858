//! Workout files in, FIT files out.

use ride::recording::Recording;
use session::{ImportedWorkout, Input};

use super::queue::{Event, Queue};
use crate::{
    browser::files,
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

/// Saves the recording as a FIT file in the rider's downloads.
pub(super) fn save_fit(queue: Queue, recording: Box<Recording>) {
    wasm_bindgen_futures::spawn_local(async move {
        let result = match lazy::encode_fit(&recording).await {
            Ok(Ok(bytes)) => {
                let name = file_name(&recording);
                let saved = files::save(&name, FIT_TYPE, &bytes);
                saved.ok_or(FitDownloadError::Browser)
            }
            Ok(Err(error)) => Err(FitDownloadError::Fit(error)),
            Err(PartUnavailable(_)) => Err(FitDownloadError::PartUnavailable),
        };
        queue.post(Event::Input(Input::FitSaved(result)));
    });
}

/// Name of the FIT file: `gruppetto-sweet-spot-2026-11-21.fit`.
fn file_name(recording: &Recording) -> String {
    let slug: String = recording
        .workout
        .to_lowercase()
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .flat_map(|word| ["-", word])
        .collect();
    let date = js_sys::Date::new(&(recording.started_at.unix_ms() as f64).into());
    let day = String::from(date.to_iso_string());
    format!("gruppetto{slug}-{}.fit", day.get(..10).unwrap_or_default())
}
