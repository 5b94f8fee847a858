//! The own ride: large numbers that can be read from two metres away.

use leptos::prelude::*;

use super::{
    devices_panel::{DeviceAlerts, TrainerAlert},
    format::{self, or_dash},
    interval::{CueLine, Intervals, zone_of},
    own_settings::OwnSettings,
    profile::Profile,
};
use crate::{i18n::*, state::RideState};

/// The region "My ride".
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
            <PowerGauge/>
            <Show when=move || paused.get() fallback=Intervals>
                <PausedNotice/>
            </Show>
            <TrainerAlert/>
            <DeviceAlerts/>
            <CueLine/>
            <MetricStrip/>
            <OwnSettings/>
            <RideProfile/>
        </section>
    }
    .into_any()
}

/// Power compared to the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TargetDeviation {
    NoPower,
    NoTarget,
    OnTarget,
    Over(u16),
    Under(u16),
}

impl TargetDeviation {
    /// Power counts as on target within 5 %, or 10 W if that is more.
    fn of(power: Option<u16>, target: Option<u16>) -> Self {
        let (power, target) = match (power, target) {
            (None, _) => return Self::NoPower,
            (_, None) => return Self::NoTarget,
            (Some(power), Some(target)) => (power, target),
        };
        let tolerance = (target / 20).max(10);
        if power.abs_diff(target) <= tolerance {
            Self::OnTarget
        } else if power > target {
            Self::Over(power - target)
        } else {
            Self::Under(target - power)
        }
    }

    /// Value of the `data-deviation` attribute.
    fn name(self) -> &'static str {
        match self {
            Self::NoPower | Self::NoTarget => "none",
            Self::OnTarget => "on",
            Self::Over(_) => "over",
            Self::Under(_) => "under",
        }
    }

    fn arrow(self) -> &'static str {
        match self {
            Self::NoPower | Self::NoTarget => "",
            Self::OnTarget => "●",
            Self::Over(_) => "▲",
            Self::Under(_) => "▼",
        }
    }
}

/// Power and target.
#[component]
fn PowerGauge() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let power = Memo::new(move |_| state.own_metrics.read().power);
    let target = Memo::new(move |_| state.own_metrics.read().target);
    let deviation = Memo::new(move |_| TargetDeviation::of(power.get(), target.get()));
    let paused = Memo::new(move |_| state.progress.read().paused);
    // Numbers of four digits are drawn smaller.
    let is_long = Memo::new(move |_| power.get().max(target.get()) >= Some(1000));
    let text = move || match deviation.get() {
        TargetDeviation::NoPower => t!(i18n, riding.no_power).into_any(),
        TargetDeviation::NoTarget if paused.get() => t!(i18n, riding.spin).into_any(),
        TargetDeviation::NoTarget => t!(i18n, riding.no_target).into_any(),
        TargetDeviation::OnTarget => t!(i18n, riding.on_target).into_any(),
        TargetDeviation::Over(watts) => t!(i18n, riding.over, watts).into_any(),
        TargetDeviation::Under(watts) => t!(i18n, riding.under, watts).into_any(),
    };
    view! {
        <div class="gauge" data-long=move || is_long.get().then_some("true")>
            <p class="gauge-power">
                <span class="visually-hidden">{t!(i18n, riding.power)} " "</span>
                <MetricValue metric="power" value=Signal::derive(move || or_dash(power.get()))/>
                <span class="unit">{t!(i18n, unit.watts)}</span>
            </p>
            <div class="gauge-side">
                <p class="gauge-target">
                    <span class="metric-label">{t!(i18n, riding.target)}</span>
                    <span class="gauge-target-number">
                        <MetricValue metric="target" value=Signal::derive(move || or_dash(target.get()))/>
                        <span class="unit">{t!(i18n, unit.watts)}</span>
                    </span>
                </p>
                <p class="target-deviation" data-deviation=move || deviation.get().name()>
                    <span class="target-deviation-arrow" translate="no" aria-hidden="true">{move || deviation.get().arrow()}</span>
                    <span>{text}</span>
                </p>
            </div>
        </div>
    }
    .into_any()
}

/// Cadence, heart rate and times.
#[component]
fn MetricStrip() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let cadence = Memo::new(move |_| state.own_metrics.read().cadence);
    let heart_rate = Memo::new(move |_| state.own_metrics.read().heart_rate);
    let elapsed = Memo::new(move |_| format::elapsed(state.progress.read().elapsed_ms));
    let remaining = Memo::new(move |_| format::remaining(state.progress.read().remaining_ms));
    view! {
        <div class="metric-strip">
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.cadence)}</span>
                <MetricValue metric="cadence" value=Signal::derive(move || or_dash(cadence.get()))/>
                <span class="unit">{t!(i18n, unit.rpm)}</span>
            </p>
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.heart_rate)}</span>
                <MetricValue metric="heart-rate" value=Signal::derive(move || or_dash(heart_rate.get()))/>
                <span class="unit">{t!(i18n, unit.bpm)}</span>
            </p>
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.elapsed)}</span>
                <MetricValue metric="elapsed" value=Signal::derive(move || elapsed.get())/>
            </p>
            <p class="metric">
                <span class="metric-label">{t!(i18n, riding.remaining)}</span>
                <MetricValue metric="remaining" value=Signal::derive(move || remaining.get())/>
            </p>
        </div>
    }
    .into_any()
}

#[component]
fn MetricValue(metric: &'static str, value: Signal<String>) -> impl IntoView {
    view! { <span class="number" translate="no" data-metric=metric>{move || value.get()}</span> }
}

#[component]
fn PausedNotice() -> impl IntoView {
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
    let position_ms = Memo::new(move |_| state.progress.read().position_ms);
    move || {
        state.workout.get().map(|workout| {
            let total_ms = workout.duration().as_secs_f64() * 1000.0;
            let position = Signal::derive(move || f64::from(position_ms.get()) / total_ms);
            view! { <Profile workout id=String::from("ride-profile") position/> }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_watts_off_an_easy_target_count_as_on_target() {
        assert_eq!(
            TargetDeviation::of(Some(110), Some(100)),
            TargetDeviation::OnTarget
        );
        assert_eq!(
            TargetDeviation::of(Some(111), Some(100)),
            TargetDeviation::Over(11)
        );
    }

    #[test]
    fn five_percent_off_a_hard_target_count_as_on_target() {
        assert_eq!(
            TargetDeviation::of(Some(285), Some(300)),
            TargetDeviation::OnTarget
        );
        assert_eq!(
            TargetDeviation::of(Some(284), Some(300)),
            TargetDeviation::Under(16)
        );
    }

    #[test]
    fn deviation_needs_both_power_and_target() {
        assert_eq!(
            TargetDeviation::of(None, Some(100)),
            TargetDeviation::NoPower
        );
        assert_eq!(
            TargetDeviation::of(Some(150), None),
            TargetDeviation::NoTarget
        );
    }
}
