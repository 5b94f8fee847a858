//! The split points: where the release build cuts the module into parts.
//!
//! Each function returns the table of one part ([`app::lazy`]). In the release
//! build (feature `split`) it is the entry of a module that is fetched when the
//! function is first called; tools/build/front_end.mjs makes the modules. In every
//! other build it is an ordinary function.

use app::lazy::{ExchangeViews, Fetches, RideViews, Rides, ScreenViews, Trainers, Workouts};

/// The functions that fetch the parts.
pub fn fetches() -> Fetches {
    Fetches {
        ride: || Box::pin(async { ride().await.ok().map(|table| *table) }),
        screens: || Box::pin(async { screens().await.ok().map(|table| *table) }),
        trainers: || Box::pin(async { trainers().await.ok().map(|table| *table) }),
        exchange: || Box::pin(async { exchange().await.ok().map(|table| *table) }),
        rides: || Box::pin(async { rides().await.ok().map(|table| *table) }),
        workouts: || Box::pin(async { workouts().await.ok().map(|table| *table) }),
    }
}

/// A function that is an entry of a module.
macro_rules! split_point {
    ($module:ident, $name:ident -> $table:ty) => {
        #[cfg(feature = "split")]
        #[wasm_split_helpers::wasm_split($module, fallible)]
        fn $name() -> Result<Box<$table>, wasm_split_helpers::SplitLoaderError> {
            Ok(Box::new(<$table>::table()))
        }

        #[cfg(not(feature = "split"))]
        async fn $name() -> Result<Box<$table>, std::convert::Infallible> {
            Ok(Box::new(<$table>::table()))
        }
    };
}

split_point!(ride, ride -> RideViews);
split_point!(later, screens -> ScreenViews);
split_point!(later, trainers -> Trainers);
split_point!(later, exchange -> ExchangeViews);
split_point!(later, rides -> Rides);
split_point!(later, workouts -> Workouts);
