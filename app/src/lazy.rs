//! Parts of the app that the browser fetches when they are needed.
//!
//! The first page needs little of the app, so the release build splits it: the
//! main module holds the pages before a ride, and the parts are modules of their
//! own. A [`Part`] is a table of functions (for example [`RideViews`]). The table
//! is the only way from the main module into the part: what only the table names
//! is not in the main module.
//!
//! | part | module | contents | loaded |
//! |---|---|---|---|
//! | [`RIDE`] | `ride` | session of a rider, driver, lobby, countdown | with the page of a ride or of a bridge |
//! | [`SCREENS`] | `later` | dialogs of the host, connection details, ride screen, summary, page, session and QR code of a bridge | in the lobby, with the page of a bridge |
//! | [`TRAINERS`] | `later` | trainers over Bluetooth | in the lobby |
//! | [`EXCHANGE`] | `later` | chat, reactions, presence, files, voice and pictures, shared pages | in the lobby |
//! | [`RIDES`] | `later` | pages of rides that are over, their files, settings | in the lobby, with their pages |
//! | [`WORKOUTS`] | `later` | workouts: built-in and own ones, files, the designer | in the lobby, with their page |
//!
//! A module more costs the way into the lobby several KB, since what modules
//! share is compressed apart. [`prefetch`] loads `later` while riders wait in the lobby, so that nothing is
//! fetched during a ride. [`prefetch_ride`] loads the first at the first tap or
//! key on the first page.
//!
//! [`Part::load`] retries a fetch that fails and returns [`PartUnavailable`] when
//! it fails again; the next call starts anew. A view that needs a part ([`screen`],
//! [`use_part`]) tells the rider about the failure and goes on trying.
//!
//! The root package installs the functions that fetch the parts ([`Fetches`]),
//! because they are split points and have to be in the package that is compiled
//! to a module. A build that is not split (`cargo leptos watch`) installs
//! functions that return the tables at once. On the server nothing is installed,
//! and no part is ever loaded.

mod exchange;
mod ride;
mod rides;
mod screens;
mod style;
mod trainers;
mod view;
mod workouts;

use std::{
    future::Future,
    pin::Pin,
    sync::{
        OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leptos::task::spawn_local;

use crate::browser::clock;

pub use exchange::{ExchangeDriver, ExchangeViews, PostExchange, exchange_view};
pub use ride::{JoinStep, OpenRide, RideViews};
pub use rides::{Rides, encode_fit};
pub use screens::{OpenBridge, ScreenViews};
pub use trainers::{DeviceDriver, Trainers};
pub use view::{NeededPart, Progress, addition, dialog, screen, use_part, view_of};
pub use workouts::{Workouts, read_workout};

/// The session and the screens of a ride.
pub static RIDE: Part<RideViews> = Part::new("ride");
/// The screens that a rider opens later.
pub static SCREENS: Part<ScreenViews> = Part::new("screens");
/// Trainers over Bluetooth.
pub static TRAINERS: Part<Trainers> = Part::new("trainers");
/// Chat and file transfers.
pub static EXCHANGE: Part<ExchangeViews> = Part::new("exchange");
/// Rides that are over.
pub static RIDES: Part<Rides> = Part::new("rides");
/// Choosing, reading and writing workouts.
pub static WORKOUTS: Part<Workouts> = Part::new("workouts");

/// Pauses before the second and the third attempt to fetch a part.
const RETRY_AFTER: [Duration; 2] = [Duration::from_millis(500), Duration::from_secs(2)];

/// Pause after three failed attempts, for what goes on trying.
const RETRY_FAILED_AFTER: Duration = Duration::from_secs(10);
/// Time from the ride's arrival to the prefetch of the other parts on the first
/// page. Until then the connection is left to the way into the lobby.
const REST_AFTER: Duration = Duration::from_secs(3);

/// A part of the app could not be fetched, in three attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the part \"{0}\" of the app could not be fetched")]
pub struct PartUnavailable(pub &'static str);

/// One attempt to fetch a part.
pub type Fetch<T> = fn() -> Pin<Box<dyn Future<Output = Option<T>>>>;

/// A part of the app.
pub struct Part<T> {
    name: &'static str,
    fetch: OnceLock<Fetch<T>>,
    table: OnceLock<T>,
}

impl<T: Copy> Part<T> {
    const fn new(name: &'static str) -> Self {
        Self {
            name,
            fetch: OnceLock::new(),
            table: OnceLock::new(),
        }
    }

    /// The part, if it has been loaded.
    pub fn loaded(&self) -> Option<T> {
        self.table.get().copied()
    }

    /// The part, fetched if it has not been loaded.
    ///
    /// # Errors
    /// [`PartUnavailable`] after three attempts. Nothing of the failure is kept:
    /// the next call fetches again.
    pub async fn load(&self) -> Result<T, PartUnavailable> {
        let mut pauses = RETRY_AFTER.into_iter();
        loop {
            if let Some(table) = self.loaded() {
                return Ok(table);
            }
            let fetch = self.fetch.get().ok_or(PartUnavailable(self.name))?;
            if let Some(table) = fetch().await {
                return Ok(*self.table.get_or_init(|| table));
            }
            let pause = pauses.next().ok_or(PartUnavailable(self.name))?;
            clock::sleep(pause).await;
        }
    }
}

/// The functions that fetch the parts.
pub struct Fetches {
    /// Fetches [`RIDE`].
    pub ride: Fetch<RideViews>,
    /// Fetches [`SCREENS`].
    pub screens: Fetch<ScreenViews>,
    /// Fetches [`TRAINERS`].
    pub trainers: Fetch<Trainers>,
    /// Fetches [`EXCHANGE`].
    pub exchange: Fetch<ExchangeViews>,
    /// Fetches [`RIDES`].
    pub rides: Fetch<Rides>,
    /// Fetches [`WORKOUTS`].
    pub workouts: Fetch<Workouts>,
}

impl Fetches {
    /// Installs them. Only the first call counts.
    #[cfg(feature = "hydrate")]
    pub(crate) fn install(self) {
        let _ = RIDE.fetch.set(self.ride);
        let _ = SCREENS.fetch.set(self.screens);
        let _ = TRAINERS.fetch.set(self.trainers);
        let _ = EXCHANGE.fetch.set(self.exchange);
        let _ = RIDES.fetch.set(self.rides);
        let _ = WORKOUTS.fetch.set(self.workouts);
    }
}

/// Loads the ride before its page is opened, and what a ride may need later if the
/// rider stays on the first page. Only the first call does anything.
pub fn prefetch_ride() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    spawn_local(async {
        // The page of the ride tries again after a failure, and tells the rider.
        if RIDE.load().await.is_ok() {
            clock::sleep(REST_AFTER).await;
            prefetch();
        }
    });
}

/// Loads everything that a ride may need later, and tries until it is there. Only
/// the first call does anything.
pub fn prefetch() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if STARTED.swap(true, Ordering::Relaxed) {
        return;
    }
    spawn_local(async {
        while SCREENS.load().await.is_err() {
            clock::sleep(RETRY_FAILED_AFTER).await;
        }
        while TRAINERS.load().await.is_err() {
            clock::sleep(RETRY_FAILED_AFTER).await;
        }
        while EXCHANGE.load().await.is_err() {
            clock::sleep(RETRY_FAILED_AFTER).await;
        }
        while RIDES.load().await.is_err() {
            clock::sleep(RETRY_FAILED_AFTER).await;
        }
        while WORKOUTS.load().await.is_err() {
            clock::sleep(RETRY_FAILED_AFTER).await;
        }
    });
}
