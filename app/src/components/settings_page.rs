//! The page of the rider's settings: the key of intervals.icu and the threshold heart rate.

use leptos::{prelude::*, task::spawn_local, web_sys::SubmitEvent};
use ride::intervals_icu::{Access, ApiKey, CallError, Route};

use super::{error_text, labels::Texts};
use crate::{
    browser::{intervals_icu as browser, storage},
    i18n::*,
    intervals_icu,
};

/// The content of the page.
#[component]
pub fn SettingsPage() -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <section class="settings column">
            <h1>{t!(i18n, settings.heading)}</h1>
            <ThresholdHeartRate/>
            <IntervalsIcu/>
            <p class="actions">
                <a class="button" href="/rides">{t!(i18n, rides.link)}</a>
                <a class="button" href="/">{t!(i18n, common.go_home)}</a>
            </p>
        </section>
    }
    .into_any()
}

/// Result of a change of the threshold heart rate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Change {
    Saved,
    OutOfRange,
    NotStored,
}

#[component]
fn ThresholdHeartRate() -> impl IntoView {
    let i18n = use_i18n();
    let rate = storage::threshold_heart_rate();
    let change = RwSignal::new(None::<Change>);
    let save = move |text: String| {
        let rate = text.trim().parse::<u8>().ok();
        let rate = rate.filter(|rate| storage::THRESHOLD_HEART_RATES.contains(rate));
        change.set(Some(match rate {
            None => Change::OutOfRange,
            Some(rate) if storage::save_threshold_heart_rate(rate) => Change::Saved,
            Some(_) => Change::NotStored,
        }));
    };
    let message = move || {
        change.get().map(|change| match change {
            Change::Saved => view! { <p>{t!(i18n, settings.saved)}</p> }.into_any(),
            Change::OutOfRange => {
                let (min, max) = storage::THRESHOLD_HEART_RATES.into_inner();
                let text = t!(i18n, settings.heart_rate_bad, min, max);
                view! { <p class="error">{text}</p> }.into_any()
            }
            Change::NotStored => {
                view! { <p class="error">{t!(i18n, settings.not_stored)}</p> }.into_any()
            }
        })
    };
    let is_invalid = move || (change.get() == Some(Change::OutOfRange)).then_some("true");
    view! {
        <section class="panel" aria-labelledby="heart-rate-heading">
            <h2 id="heart-rate-heading">{t!(i18n, settings.heart_rate)}</h2>
            <div class="field settings-number">
                <label for="threshold-heart-rate">{t!(i18n, settings.threshold_heart_rate)}</label>
                <input
                    id="threshold-heart-rate"
                    type="number"
                    inputmode="numeric"
                    min=storage::THRESHOLD_HEART_RATES.start().to_string()
                    max=storage::THRESHOLD_HEART_RATES.end().to_string()
                    step="1"
                    autocomplete="off"
                    prop:value=rate.to_string()
                    aria-describedby="threshold-heart-rate-hint threshold-heart-rate-result"
                    aria-invalid=is_invalid
                    on:change=move |ev| save(event_target_value(&ev))
                />
                <p class="hint" id="threshold-heart-rate-hint">
                    {t!(i18n, settings.threshold_heart_rate_hint)}
                </p>
                <div role="status" id="threshold-heart-rate-result">{message}</div>
            </div>
        </section>
    }
    .into_any()
}

#[component]
fn IntervalsIcu() -> impl IntoView {
    let i18n = use_i18n();
    // `None` while the server is being asked.
    let offered = RwSignal::new(None::<Result<Option<Access>, CallError>>);
    let ask = move || {
        offered.set(None);
        spawn_local(async move {
            let _ = offered.try_set(Some(browser::access().await));
        });
    };
    Effect::new(ask);
    let content = move || match offered.get() {
        None => {
            view! { <p class="hint" role="status">{t!(i18n, intervals_icu.asking)}</p> }.into_any()
        }
        Some(Ok(None)) => view! {
            <p>{t!(i18n, intervals_icu.off)}</p>
            <RemoveOldKey/>
        }
        .into_any(),
        Some(Ok(Some(access))) => view! { <Key access/> }.into_any(),
        Some(Err(error)) => view! {
            <p class="error" role="alert">{error_text::intervals_icu(i18n, error)}</p>
            <button type="button" class="button" on:click=move |_| ask()>
                {t!(i18n, common.try_again)}
            </button>
        }
        .into_any(),
    };
    view! {
        <section class="panel" aria-labelledby="intervals-icu-heading">
            <h2 id="intervals-icu-heading" translate="no">{t!(i18n, intervals_icu.heading)}</h2>
            {content}
        </section>
    }
    .into_any()
}

/// Button that removes a key which was saved while the server offered the service.
#[component]
fn RemoveOldKey() -> impl IntoView {
    let i18n = use_i18n();
    let has_key = RwSignal::new(storage::intervals_icu_key().is_some());
    let remove = move |_| {
        storage::remove_intervals_icu_key();
        has_key.set(false);
    };
    view! {
        <Show when=move || has_key.get()>
            <button type="button" class="button" on:click=remove>
                {t!(i18n, intervals_icu.remove_key)}
            </button>
        </Show>
    }
    .into_any()
}

/// Result of the last change of the key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum KeyChange {
    NotAKey,
    Checking,
    /// With the number of workouts planned for today.
    Works(usize),
    /// The service does not accept it. It is not saved.
    Rejected,
    /// It is saved, but could not be checked.
    NotChecked(CallError),
    NotStored,
    Removed,
}

/// What a key opens, which way is used, and the form for the key.
#[component]
fn Key(access: Access) -> impl IntoView {
    let i18n = use_i18n();
    let has_key = RwSignal::new(storage::intervals_icu_key().is_some());
    let route = RwSignal::new(browser::route());
    let change = RwSignal::new(None::<KeyChange>);
    let typed = RwSignal::new(String::new());
    let is_shown = RwSignal::new(false);
    let passes_through = access.passes_through;
    let access = StoredValue::new(access);
    let way = move || match (route.get(), passes_through) {
        (Some(Route::PassThrough), _) => t!(i18n, intervals_icu.way_pass_through).into_any(),
        (None, true) => t!(i18n, intervals_icu.way_undecided).into_any(),
        (Some(Route::Direct), _) | (None, false) => t!(i18n, intervals_icu.way_direct).into_any(),
    };
    let is_checking = move || change.get() == Some(KeyChange::Checking);
    let save = move |event: SubmitEvent| {
        event.prevent_default();
        if is_checking() {
            return;
        }
        let Ok(key) = typed.get_untracked().parse::<ApiKey>() else {
            change.set(Some(KeyChange::NotAKey));
            return;
        };
        change.set(Some(KeyChange::Checking));
        let access = access.get_value();
        spawn_local(async move {
            let checked = intervals_icu::planned_today(&access, &key).await;
            let result = match checked {
                Err(CallError::WrongKey) => KeyChange::Rejected,
                _ if !storage::save_intervals_icu_key(&key) => KeyChange::NotStored,
                Ok(planned) => KeyChange::Works(planned.len()),
                Err(error) => KeyChange::NotChecked(error),
            };
            if change.try_set(Some(result)).is_some() {
                // The rider has left the page.
                return;
            }
            route.set(browser::route());
            if matches!(result, KeyChange::Works(_) | KeyChange::NotChecked(_)) {
                has_key.set(true);
                typed.set(String::new());
                is_shown.set(false);
            }
        });
    };
    let remove = move |_| {
        storage::remove_intervals_icu_key();
        has_key.set(false);
        change.set(Some(KeyChange::Removed));
    };
    let is_invalid = move || {
        let is_invalid = matches!(change.get(), Some(KeyChange::NotAKey | KeyChange::Rejected));
        is_invalid.then_some("true")
    };
    view! {
        <p>{t!(i18n, intervals_icu.about)}</p>
        <p data-way=move || route_name(route.get())>{way}</p>
        <p>{t!(i18n, intervals_icu.key_opens)}</p>
        <p>{t!(i18n, intervals_icu.key_source)}</p>
        <Show when=move || has_key.get()>
            <p><strong>{t!(i18n, intervals_icu.key_saved)}</strong></p>
        </Show>
        <form class="settings-key" on:submit=save>
            <div class="field">
                <label for="intervals-icu-key">{t!(i18n, intervals_icu.key)}</label>
                <input
                    id="intervals-icu-key"
                    type=move || if is_shown.get() { "text" } else { "password" }
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    prop:value=move || typed.get()
                    aria-describedby="intervals-icu-result"
                    aria-invalid=is_invalid
                    on:input=move |ev| typed.set(event_target_value(&ev))
                />
            </div>
            <div class="actions">
                <button type="submit" class="button primary" disabled=is_checking>
                    {t!(i18n, intervals_icu.save_key)}
                </button>
                <button
                    type="button"
                    class="button"
                    aria-pressed=move || is_shown.get().to_string()
                    on:click=move |_| is_shown.update(|is_shown| *is_shown = !*is_shown)
                >
                    {t!(i18n, intervals_icu.show_key)}
                </button>
                <Show when=move || has_key.get()>
                    <button type="button" class="button" disabled=is_checking on:click=remove>
                        {t!(i18n, intervals_icu.remove_key)}
                    </button>
                </Show>
            </div>
        </form>
        <div role="status" id="intervals-icu-result">
            {move || change.get().map(|change| key_change(i18n, change))}
        </div>
    }
    .into_any()
}

fn route_name(route: Option<Route>) -> &'static str {
    match route {
        None => "undecided",
        Some(Route::Direct) => "direct",
        Some(Route::PassThrough) => "pass-through",
    }
}

fn key_change(i18n: Texts, change: KeyChange) -> AnyView {
    match change {
        KeyChange::Checking => view! { <p>{t!(i18n, intervals_icu.checking)}</p> }.into_any(),
        KeyChange::Works(planned) => {
            view! { <p>{t!(i18n, intervals_icu.key_works, planned)}</p> }.into_any()
        }
        KeyChange::Removed => view! { <p>{t!(i18n, intervals_icu.key_removed)}</p> }.into_any(),
        KeyChange::NotAKey => {
            view! { <p class="error">{t!(i18n, intervals_icu.not_a_key)}</p> }.into_any()
        }
        KeyChange::Rejected => {
            let reason = error_text::intervals_icu(i18n, CallError::WrongKey);
            view! { <p class="error">{reason}</p> }.into_any()
        }
        KeyChange::NotChecked(error) => {
            let reason = error_text::intervals_icu(i18n, error);
            view! {
                <p>{t!(i18n, intervals_icu.key_not_checked)}</p>
                <p class="error">{reason}</p>
            }
            .into_any()
        }
        KeyChange::NotStored => {
            view! { <p class="error">{t!(i18n, settings.not_stored)}</p> }.into_any()
        }
    }
}
