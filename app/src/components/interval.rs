//! Intervals as text: the current one and the next one, and the cue.

use core::time::Duration;

use leptos::prelude::*;
use ride::{
    player,
    workout::{Interval, Target, Zone},
};

use super::{format, labels};
use crate::{i18n::*, state::RideState};

/// Zone of an interval as the value of its `data-zone` attribute, which selects
/// the colour; none without a power target.
pub fn zone_of(interval: &Interval) -> Option<String> {
    match interval.target {
        Target::Power { from, to } => Some(Zone::of((from + to) / 2.0).number().to_string()),
        Target::Max => Some(String::from("7")),
        Target::Free => None,
    }
}

/// One interval: name, target and duration.
#[component]
pub fn IntervalCard(
    interval: Interval,
    #[prop(into)] label: Signal<&'static str>,
) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let zone = zone_of(&interval);
    let length = format::duration(interval.duration);
    let target = labels::target(i18n, &interval, state);
    view! {
        <div class="interval" data-zone=zone>
            <div class="interval-text">
                <p class="interval-label">{move || label.get()}</p>
                <p class="interval-name">{move || labels::interval(i18n, &interval)}</p>
                <p class="interval-target">{target}</p>
            </div>
            <p class="interval-length" translate="no">{length}</p>
        </div>
    }
    .into_any()
}

/// The current interval with its time left, and the next one.
#[component]
pub fn Intervals() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let index = Memo::new(move |_| state.progress.read().interval);
    let parts = Memo::new(move |_| {
        let workout = state.workout.get()?;
        let (at, all) = (index.get(), workout.intervals());
        Some((
            all.get(at)?.clone(),
            all.get(at + 1).cloned(),
            at + 1,
            all.len(),
        ))
    });
    move || {
        let (current, next, number, count) = parts.get()?;
        let (zone, target) = (zone_of(&current), labels::target(i18n, &current, state));
        Some(view! {
            <div class="intervals">
                <div class="interval" data-current="true" data-zone=zone>
                    <div class="interval-text">
                        <p class="interval-label">
                            {t!(i18n, riding.interval_of, index = number, count)}
                        </p>
                        <p class="interval-name">{move || labels::interval(i18n, &current)}</p>
                        <p class="interval-target">{target}</p>
                    </div>
                    <TimeLeft/>
                </div>
                <NextInterval next/>
            </div>
        })
    }
}

#[component]
fn TimeLeft() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let left = Memo::new(move |_| format::remaining(state.progress.read().interval_remaining_ms));
    view! {
        <p class="interval-left">
            <span class="interval-clock" translate="no" data-metric="interval-remaining">{move || left.get()}</span>
            <span class="unit">{t!(i18n, riding.left_in_interval)}</span>
        </p>
    }
}

#[component]
fn NextInterval(next: Option<Interval>) -> impl IntoView {
    let i18n = use_i18n();
    match next {
        Some(interval) => view! {
            <IntervalCard interval label=Signal::derive(move || t_string!(i18n, riding.next))/>
        }
        .into_any(),
        None => view! {
            <div class="interval">
                <div class="interval-text">
                    <p class="interval-label">{t!(i18n, riding.next)}</p>
                    <p class="interval-name">{t!(i18n, riding.last)}</p>
                </div>
            </div>
        }
        .into_any(),
    }
}

/// The current cue. In a workout with cues its space is kept free, so that the
/// layout does not move.
#[component]
pub fn CueLine() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let has_cues = Memo::new(move |_| {
        state
            .workout
            .read()
            .as_ref()
            .is_some_and(|workout| !workout.cues().is_empty())
    });
    let cue = Memo::new(move |_| {
        let workout = state.workout.get()?;
        let position = Duration::from_millis(state.progress.read().position_ms.into());
        player::cue(&workout, position).map(|cue| cue.text.clone())
    });
    view! {
        <Show when=move || has_cues.get()>
            <p class="cue" role="status" aria-label=move || t_string!(i18n, riding.cue)>
                {move || cue.get()}
            </p>
        </Show>
    }
    .into_any()
}
