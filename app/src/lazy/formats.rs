//! The part `formats`: files that riders bring and take away.

use ride::{
    recording::fit::{self, Activity, FitError, FitFile},
    zwo::{self, Imported, ZwoError},
};

use super::{FORMATS, PartUnavailable};

/// The functions of the part.
#[derive(Clone, Copy)]
pub struct Formats {
    parse_zwo: fn(&[u8], &str) -> Result<Imported, ZwoError>,
    encode_fit: fn(&Activity, i32) -> Result<FitFile, FitError>,
}

impl Formats {
    /// The table. Only the split point of the part may call this: any other call
    /// moves the part into the module of the caller.
    pub fn table() -> Self {
        Self {
            parse_zwo: zwo::parse,
            encode_fit: fit::encode,
        }
    }
}

/// Reads a workout file with this name. The outer error means that the code for it could not be
/// fetched, the inner one that the file is not a workout.
///
/// # Errors
/// [`PartUnavailable`], as [`super::Part::load`].
pub async fn parse_zwo(
    bytes: &[u8],
    file_name: &str,
) -> Result<Result<Imported, ZwoError>, PartUnavailable> {
    FORMATS
        .load()
        .await
        .map(|formats| (formats.parse_zwo)(bytes, file_name))
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
    FORMATS
        .load()
        .await
        .map(|formats| (formats.encode_fit)(activity, utc_offset))
}
