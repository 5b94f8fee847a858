//! The pages, one per file.

pub mod bridge;
pub mod group_ride;
pub mod home;
pub mod not_found;
pub mod solo_ride;
pub mod workouts;

/// Returns `true` for the addresses of pages that need the part `ride` at once.
#[cfg(feature = "ssr")]
pub fn opens_ride(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    path.starts_with("/ride/") || path == "/solo" || path == "/bridge"
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_rides_fetch_the_ride_at_once() {
        assert!(opens_ride("/ride/brave-otter-0042"));
        assert!(opens_ride("/solo?from=home"));
        assert!(opens_ride("/bridge"));
        assert!(!opens_ride("/"));
        assert!(!opens_ride("/rides"));
    }
}
