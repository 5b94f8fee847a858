// Check of the reader of workout files, for one format each.

use ride::formats::{self, Format, MAX_FILE_BYTES};
use ride::rider::Ftp;
use ride::workout::{MAX_DURATION, MAX_INTERVALS};

/// Reads a file. An accepted workout keeps its limits, and is accepted again in every format in
/// which it is written.
pub fn check(bytes: &[u8], file_name: &str) {
    let ftp = Ftp::default();
    let Ok(imported) = formats::read(bytes, file_name, ftp) else {
        return;
    };
    let workout = imported.workout;
    assert!(bytes.len() <= MAX_FILE_BYTES);
    assert!(workout.duration() <= MAX_DURATION);
    assert!(workout.intervals().len() <= MAX_INTERVALS);
    for format in Format::ALL {
        let file = formats::write(&workout, format, ftp);
        // A file may be larger than what it was read from, and then above the limit.
        if file.len() <= MAX_FILE_BYTES {
            let again = formats::read(file.as_bytes(), file_name, ftp);
            assert!(again.is_ok(), "{format:?}: {again:?}");
        }
    }
}
