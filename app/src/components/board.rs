//! The live board: the newest numbers of all riders.

use leptos::prelude::*;
use ride::workout::Zone;

use super::{
    format::{self, or_dash},
    rider::RiderCard,
    riders::Riders,
    trace::TraceLine,
};
use crate::{
    i18n::*,
    state::{RideState, RiderRow},
};

/// Fraction of FTP at which the effort bar is full.
const FULL_BAR: f32 = 1.5;

/// The list of riders with their numbers.
#[component]
pub fn Board() -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    view! {
        <Riders class="board" card=|rider| view! { <BoardRider rider/> }.into_any()>
            <p class="hint">{t!(i18n, riders.count, count = move || state.riders.read().len())}</p>
        </Riders>
    }
}

#[component]
fn BoardRider(rider: RiderRow) -> impl IntoView {
    let i18n = use_i18n();
    let state = expect_context::<RideState>();
    let metrics = RwSignal::from(rider.metrics.clone());
    let (ftp, stale) = (
        RwSignal::from(rider.ftp.clone()),
        RwSignal::from(rider.stale.clone()),
    );
    let trace = RwSignal::from(rider.trace.clone());
    let power = Memo::new(move |_| metrics.read().power);
    let target = Memo::new(move |_| metrics.read().target);
    let cadence = Memo::new(move |_| metrics.read().cadence);
    let heart_rate = Memo::new(move |_| metrics.read().heart_rate);
    let position = Memo::new(move |_| metrics.read().position_ms);
    let progress = move || {
        let total = state
            .workout
            .read()
            .as_ref()
            .map(|workout| workout.duration().as_millis());
        total
            .map_or(0, |total| u128::from(position.get()) * 100 / total.max(1))
            .min(100)
    };
    let share = Memo::new(move |_| effort(power.get(), ftp.get()));
    let target_share = Memo::new(move |_| effort(target.get(), ftp.get()));
    view! {
        <RiderCard rider>
            <p class="rider-power">
                <span class="number" translate="no" data-metric="power">{move || or_dash(power.get())}</span>
                <span class="unit">{t!(i18n, unit.watts)}</span>
            </p>
            <EffortBar share target=target_share/>
            <TraceLine trace/>
            <p class="rider-numbers">
                <span>
                    <span class="number" translate="no">{move || or_dash(share.get().map(format::percent))}</span>
                    <span class="unit">{t!(i18n, unit.percent_ftp)}</span>
                </span>
                <span>
                    <span class="unit">{t!(i18n, riders.of)}</span>
                    <span class="number" translate="no" data-metric="target">{move || or_dash(target.get())}</span>
                    <span class="unit">{t!(i18n, unit.watts)}</span>
                </span>
                <span>
                    <span class="number" translate="no" data-metric="cadence">{move || or_dash(cadence.get())}</span>
                    <span class="unit">{t!(i18n, unit.rpm)}</span>
                </span>
                <span>
                    <span class="number" translate="no" data-metric="heart-rate">{move || or_dash(heart_rate.get())}</span>
                    <span class="unit">{t!(i18n, unit.bpm)}</span>
                </span>
                <span>
                    <span class="number" translate="no" data-metric="progress">{progress}</span>
                    <span class="unit">{t!(i18n, unit.percent)}</span>
                </span>
            </p>
            <p class="rider-stale">
                {move || stale.get().then(|| t_string!(i18n, riders.stale))}
            </p>
        </RiderCard>
    }
    .into_any()
}

/// Power as a fraction of FTP.
fn effort(watts: Option<u16>, ftp: Option<u16>) -> Option<f32> {
    let ftp = ftp.filter(|ftp| *ftp > 0)?;
    Some(f32::from(watts?) / f32::from(ftp))
}

/// Bar of the power relative to FTP, in the colour of its zone, with a mark at
/// the target.
#[component]
fn EffortBar(share: Memo<Option<f32>>, target: Memo<Option<f32>>) -> impl IntoView {
    let bar_length = |share: f32| format!("{:.1}%", (share / FULL_BAR).clamp(0.0, 1.0) * 100.0);
    let zone = move || {
        share
            .get()
            .map(|share| Zone::of(share).number().to_string())
    };
    let tick = move || {
        target
            .get()
            .map(bar_length)
            .map(|x| view! { <line class="effort-target" x1=x.clone() x2=x y1="0" y2="100%"/> })
    };
    view! {
        <svg class="effort" aria-hidden="true">
            <rect class="effort-track" width="100%" height="100%"/>
            <rect
                class="effort-fill"
                height="100%"
                width=move || bar_length(share.get().unwrap_or_default())
                data-zone=zone
            />
            {tick}
        </svg>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effort_is_relative_to_the_riders_own_ftp() {
        assert_eq!(effort(Some(150), Some(200)), Some(0.75));
        assert_eq!(effort(Some(150), None), None);
        assert_eq!(effort(None, Some(200)), None);
    }
}
