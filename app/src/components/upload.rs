//! The button that uploads a ride to intervals.icu.

use leptos::{prelude::*, task::spawn_local};
use ride::intervals_icu::{Access, ActivityId, ApiKey};

use super::{error_text, labels::Texts};
use crate::{
    browser::storage,
    i18n::*,
    intervals_icu::{self, Offer, UploadError},
    own_rides::OwnRide,
};

/// State of the upload.
#[derive(Clone, Debug, PartialEq)]
enum State {
    /// The server is being asked whether it offers the service.
    Asking,
    /// The settings have to be changed before.
    NotSetUp,
    Ready,
    Uploading,
    /// With the id of the activity, if it is known.
    Done(Option<ActivityId>),
    Failed(UploadError),
}

/// The button, and the result of the upload. An unfinished ride is not uploaded: the service would take
/// the complete ride, uploaded later, for the same activity.
#[component]
pub fn Upload(ride: OwnRide) -> impl IntoView {
    if ride.recording.finished_at.is_none() {
        return ().into_any();
    }
    let i18n = use_i18n();
    let state = RwSignal::new(State::Asking);
    let ride = StoredValue::new(ride);
    let start = move || spawn_local(run(i18n, state, ride));
    Effect::new(move || {
        let uploaded = ride.with_value(|ride| storage::upload(&ride.name));
        match uploaded {
            Some(id) => state.set(State::Done(id)),
            None => spawn_local(async move {
                let next = match intervals_icu::offer().await {
                    Ok(Offer::Ready(..)) => State::Ready,
                    Ok(Offer::Off | Offer::NoKey) => State::NotSetUp,
                    Err(error) => State::Failed(UploadError::Call(error)),
                };
                let _ = state.try_set(next);
            }),
        }
    });
    let content = move || match state.get() {
        State::Asking => ().into_any(),
        State::NotSetUp => view! {
            <a class="button" href="/settings">{t!(i18n, intervals_icu.set_up)}</a>
        }
        .into_any(),
        State::Ready => view! {
            <button type="button" class="button" on:click=move |_| start()>
                {t!(i18n, intervals_icu.upload)}
            </button>
        }
        .into_any(),
        State::Uploading => view! { <span>{t!(i18n, intervals_icu.uploading)}</span> }.into_any(),
        State::Done(None) => view! { <span>{t!(i18n, intervals_icu.uploaded)}</span> }.into_any(),
        State::Done(Some(id)) => {
            let address = format!("https://intervals.icu/activities/{}", id.as_str());
            view! {
                <span>{t!(i18n, intervals_icu.uploaded)}</span>
                <a class="button" href=address target="_blank" rel="noopener noreferrer">
                    {t!(i18n, intervals_icu.open)}
                </a>
            }
            .into_any()
        }
        State::Failed(error) => view! {
            <span class="error" role="alert">{error_text::upload(i18n, error)}</span>
            <button type="button" class="button" on:click=move |_| start()>
                {t!(i18n, common.try_again)}
                <span class="visually-hidden">" " {t!(i18n, intervals_icu.upload)}</span>
            </button>
        }
        .into_any(),
    };
    view! { <span class="upload" role="status">{content}</span> }.into_any()
}

/// Uploads the ride.
async fn run(i18n: Texts, state: RwSignal<State>, ride: StoredValue<OwnRide>) {
    if state.try_set(State::Uploading).is_some() {
        // The rider has left the page.
        return;
    }
    let Some(ride) = ride.try_get_value() else {
        return;
    };
    let name = match ride.recording.workout.is_empty() {
        true => t_string!(i18n, rides.no_workout).to_owned(),
        false => ride.recording.workout.clone(),
    };
    let next = match intervals_icu::offer().await {
        Ok(Offer::Ready(access, key)) => send(&access, &key, &ride, &name).await,
        Ok(Offer::Off | Offer::NoKey) => State::NotSetUp,
        Err(error) => State::Failed(UploadError::Call(error)),
    };
    let _ = state.try_set(next);
}

async fn send(access: &Access, key: &ApiKey, ride: &OwnRide, name: &str) -> State {
    match intervals_icu::upload(access, key, ride, name).await {
        Ok(id) => State::Done(id),
        Err(error) => State::Failed(error),
    }
}
