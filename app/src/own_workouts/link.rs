//! Links that hold a workout in their fragment, which browsers send to no server.
//!
//! The fragment is `w=` and the workout as CBOR, compressed with DEFLATE, in base64url.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ride::{formats::MAX_FILE_BYTES, workout::Workout};

use crate::browser::{compression, page};

/// Start of the fragment.
const PREFIX: &str = "w=";
/// Longest fragment that is read, in bytes.
const MAX_FRAGMENT: usize = 256 * 1024;

/// Link to a workout; `None` where the browser cannot compress.
pub async fn link_to(workout: &Workout) -> Option<String> {
    let compressed = compression::deflate(&workout.to_bytes()).await?;
    let (origin, fragment) = (page::origin(), URL_SAFE_NO_PAD.encode(compressed));
    Some(format!("{origin}/workouts#{PREFIX}{fragment}"))
}

/// Content of the page's fragment.
pub enum Linked {
    /// No link to a workout.
    Nothing,
    /// The workout.
    Workout(Workout),
    /// The link is damaged, or of another version.
    Unreadable,
}

/// Workout in the fragment of the page's address.
pub async fn linked() -> Linked {
    let fragment = page::fragment();
    let Some(encoded) = fragment.strip_prefix(PREFIX) else {
        return Linked::Nothing;
    };
    match read(encoded).await {
        Some(workout) => Linked::Workout(workout),
        None => Linked::Unreadable,
    }
}

async fn read(encoded: &str) -> Option<Workout> {
    if encoded.len() > MAX_FRAGMENT {
        return None;
    }
    let compressed = URL_SAFE_NO_PAD.decode(encoded).ok()?;
    let bytes = compression::inflate(&compressed, MAX_FILE_BYTES).await?;
    Workout::from_bytes(&bytes)
}
