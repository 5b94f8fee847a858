//! The pages, one per file.

pub mod bridge;
pub mod group_ride;
pub mod home;
pub mod not_found;
pub mod rides;
pub mod solo_ride;
pub mod workouts;

use leptos::prelude::*;
use leptos_meta::Title;

use crate::{
    components::{
        ride_frame::{RideFrame, RideUnavailable},
        status_screen::LoadingScreen,
    },
    i18n::*,
    lazy::{self, Part, Progress},
};

/// Page with a view of a part, outside of a ride.
fn part_page<T: Copy + Send + Sync + 'static>(
    part: &'static Part<T>,
    title: Signal<&'static str>,
    draw: impl Fn(T) -> AnyView + Send + 'static,
) -> AnyView {
    let needed = lazy::use_part(part);
    let content = move || part.loaded().map(&draw).into_any();
    frame_part(needed, title, Box::new(content))
}

fn frame_part(
    part: lazy::NeededPart,
    title: Signal<&'static str>,
    content: Box<dyn Fn() -> AnyView + Send>,
) -> AnyView {
    let i18n = use_i18n();
    let view = move || match part.progress() {
        Progress::Fetching => view! {
            <RideFrame stage="waiting">
                <LoadingScreen text=Signal::derive(move || t_string!(i18n, part.loading))/>
            </RideFrame>
        }
        .into_any(),
        Progress::Failed => view! { <RideUnavailable part/> }.into_any(),
        Progress::Loaded => {
            let content = content();
            view! { <RideFrame stage="outside">{content}</RideFrame> }.into_any()
        }
    };
    view! {
        <Title text=move || title.get()/>
        {view}
    }
    .into_any()
}

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
