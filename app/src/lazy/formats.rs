//! The part `formats`: files that riders bring and take away.

use ride::{
    recording::{
        Recording,
        fit::{self, FitError},
    },
    zwo::{self, Imported, ZwoError},
};

use super::{FORMATS, PartUnavailable};

/// The functions of the part.
#[derive(Clone, Copy)]
pub struct Formats {
    parse_zwo: fn(&[u8], &str) -> Result<Imported, ZwoError>,
    encode_fit: fn(&Recording) -> Result<Vec<u8>, FitError>,
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

/// Writes a recording as a FIT file. The outer error means that the code for it
/// could not be fetched, the inner one that the recording makes no file.
///
/// # Errors
/// [`PartUnavailable`], as [`super::Part::load`].
pub async fn encode_fit(
    recording: &Recording,
) -> Result<Result<Vec<u8>, FitError>, PartUnavailable> {
    FORMATS
        .load()
        .await
        .map(|formats| (formats.encode_fit)(recording))
}
