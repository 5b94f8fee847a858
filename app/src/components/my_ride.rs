//! The own ride, to be read from two metres away.

use leptos::prelude::*;

use super::{
    format,
    gear::GearAlarm,
    interval::{CueLine, Intervals, zone_of},
    profile::Profile,
};
use crate::{i18n::*, state::RideState};

/// The region.
#[component]
pub fn MyRide() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let paused = Memo::new(move |_| state.progress.read().paused);
    let zone = Memo::new(move |_| {
        let index = state.progress.read().interval;
        state
            .workout
            .read()
            .as_ref()
            .and_then(|workout| zone_of(workout.intervals().get(index)?))
    });
    view! {
        <section class="my-ride" aria-label=move || t_string!(i18n, riding.mine) data-zone=move || zone.get()>
            <Gauge/>
            <Strip/>
            <GearAlarm/>
            <Show when=move || paused.get() fallback=Intervals>
                <PausedSign/>
            </Show>
            <CueLine/>
            <RideProfile/>
        </section>
    }
    .into_any()
}

/// How power stands against the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Balance {
    NoPower,
    NoTarget,
    On,
    Over(u16),
    Under(u16),
}

impl Balance {
    /// Within 5 % of the target, or 10 W, is on it.
    fn of(power: Option<u16>, target: Option<u16>) -> Self {
        let (power, target) = match (power, target) {
            (None, _) => return Self::NoPower,
            (_, None) => return Self::NoTarget,
            (Some(power), Some(target)) => (power, target),
        };
        let slack = (target / 20).max(10);
        if power.abs_diff(target) <= slack {
            Self::On
        } else if power > target {
            Self::Over(power - target)
        } else {
            Self::Under(target - power)
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::NoPower | Self::NoTarget => "none",
            Self::On => "on",
            Self::Over(_) => "over",
            Self::Under(_) => "under",
        }
    }

    fn arrow(self) -> &'static str {
        match self {
            Self::NoPower | Self::NoTarget => "",
            Self::On => "●",
            Self::Over(_) => "▲",
            Self::Under(_) => "▼",
        }
    }
}

/// Power, and the target it should be.
#[component]
fn Gauge() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let power = Memo::new(move |_| state.mine.read().power);
    let target = Memo::new(move |_| state.mine.read().target);
    let balance = Memo::new(move |_| Balance::of(power.get(), target.get()));
    let paused = Memo::new(move |_| state.progress.read().paused);
    let words = move || match balance.get() {
        Balance::NoPower => t!(i18n, riding.no_power).into_any(),
        Balance::NoTarget if paused.get() => t!(i18n, riding.spin).into_any(),
        Balance::NoTarget => t!(i18n, riding.no_target).into_any(),
        Balance::On => t!(i18n, riding.on_target).into_any(),
        Balance::Over(watts) => t!(i18n, riding.over, watts).into_any(),
        Balance::Under(watts) => t!(i18n, riding.under, watts).into_any(),
    };
    view! {
        <div class="gauge">
            <p class="gauge-power">
                <span class="unseen">{t!(i18n, riding.power)} " "</span>
                <Number metric="power" value=Signal::derive(move || shown(power.get()))/>
                <span class="unit">{t!(i18n, unit.watts)}</span>
            </p>
            <div class="gauge-side">
                <p class="gauge-target">
                    <span class="metric-label">{t!(i18n, riding.target)}</span>
                    <span class="gauge-target-number">
                        <Number metric="target" value=Signal::derive(move || shown(target.get()))/>
                        <span class="unit">{t!(i18n, unit.watts)}</span>
                    </span>
                </p>
                <p class="balance" data-balance=move || balance.get().word()>
                    <span class="balance-arrow" aria-hidden="true">{move || balance.get().arrow()}</span>
                    <span>{words}</span>
                </p>
            </div>
        </div>
    }
    .into_any()
}

/// The smaller numbers.
#[component]
fn Strip() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let cadence = Memo::new(move |_| state.mine.read().cadence);
    let heart_rate = Memo::new(move |_| state.mine.read().heart_rate);
    let elapsed = Memo::new(move |_| format::elapsed(state.progress.read().elapsed_ms));
    let remaining = Memo::new(move |_| format::remaining(state.progress.read().remaining_ms));
    view! {
        <div class="strip">
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.cadence)}</span>
                <Number metric="cadence" value=Signal::derive(move || shown(cadence.get()))/>
                <span class="unit">{t!(i18n, unit.rpm)}</span>
            </p>
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.heart_rate)}</span>
                <Number metric="heart-rate" value=Signal::derive(move || shown(heart_rate.get()))/>
                <span class="unit">{t!(i18n, unit.bpm)}</span>
            </p>
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.elapsed)}</span>
                <Number metric="elapsed" value=Signal::derive(move || elapsed.get())/>
            </p>
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.remaining)}</span>
                <Number metric="remaining" value=Signal::derive(move || remaining.get())/>
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn Number(metric: &'static str, value: Signal<String>) -> impl IntoView {
    view! { <span class="number" data-metric=metric>{move || value.get()}</span> }
}

/// A number, or the dash that stands for none.
pub fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| String::from("–"), |value| value.to_string())
}

#[component]
fn PausedSign() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let resumes_in = Memo::new(move |_| state.progress.read().resumes_in);
    let heading = move || match resumes_in.get() {
        Some(seconds) => t!(i18n, riding.resumes_in, seconds).into_any(),
        None => t!(i18n, riding.paused).into_any(),
    };
    let body = move || {
        if state.is_host.get() {
            t_string!(i18n, riding.paused_host)
        } else {
            t_string!(i18n, riding.paused_body)
        }
    };
    view! {
        <div class="paused" role="status">
            <p class="paused-heading">{heading}</p>
            <p>{body}</p>
        </div>
    }
}

#[component]
fn RideProfile() -> impl IntoView {
    let state = expect_context::<RideState>();
    let at = Memo::new(move |_| state.progress.read().position_ms);
    move || {
        state.workout.get().map(|workout| {
            let whole = workout.duration().as_secs_f64() * 1000.0;
            let position = Signal::derive(move || f64::from(at.get()) / whole);
            view! { <Profile workout id=String::from("ride-profile") position/> }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_watts_beside_an_easy_target_are_on_it() {
        assert_eq!(Balance::of(Some(110), Some(100)), Balance::On);
        assert_eq!(Balance::of(Some(111), Some(100)), Balance::Over(11));
    }

    #[test]
    fn five_percent_beside_a_hard_target_are_on_it() {
        assert_eq!(Balance::of(Some(285), Some(300)), Balance::On);
        assert_eq!(Balance::of(Some(284), Some(300)), Balance::Under(16));
    }

    #[test]
    fn without_power_the_target_does_not_matter() {
        assert_eq!(Balance::of(None, Some(100)), Balance::NoPower);
        assert_eq!(Balance::of(Some(150), None), Balance::NoTarget);
    }
}
