//! The part `fit_files`: rides as files.

use ride::recording::fit::{self, Activity, FitError, FitFile};

use super::{FIT_FILES, PartUnavailable};

/// The functions of the part.
#[derive(Clone, Copy)]
pub struct FitFiles {
    encode: fn(&Activity, i32) -> Result<FitFile, FitError>,
}

impl FitFiles {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        Self {
            encode: fit::encode,
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
    FIT_FILES
        .load()
        .await
        .map(|part| (part.encode)(activity, utc_offset))
}
