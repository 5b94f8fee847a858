//! The live board: every rider's newest numbers.

use leptos::prelude::*;
use ride::workout::Zone;

use super::{
    format,
    my_ride::shown,
    rider::{RiderCard, Row},
    riders::Riders,
    trace::TraceLine,
};
use crate::{
    i18n::*,
    state::{RideState, RiderRow},
};

/// The share of FTP at which a bar is full.
const FULL: f32 = 1.5;

/// The board.
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
    let row = Row::new(&rider);
    let power = Memo::new(move |_| row.metrics.read().power);
    let target = Memo::new(move |_| row.metrics.read().target);
    let cadence = Memo::new(move |_| row.metrics.read().cadence);
    let heart_rate = Memo::new(move |_| row.metrics.read().heart_rate);
    let position = Memo::new(move |_| row.metrics.read().position_ms);
    let progress = move || {
        let whole = state
            .workout
            .read()
            .as_ref()
            .map(|workout| workout.duration().as_millis());
        whole
            .map_or(0, |whole| u128::from(position.get()) * 100 / whole.max(1))
            .min(100)
    };
    let share = Memo::new(move |_| effort(power.get(), row.ftp.get()));
    let target_share = Memo::new(move |_| effort(target.get(), row.ftp.get()));
    view! {
        <RiderCard rider>
            <p class="rider-power">
                <span class="number" data-metric="power">{move || shown(power.get())}</span>
                <span class="unit">{t!(i18n, unit.watts)}</span>
            </p>
            <EffortBar share target=target_share/>
            <TraceLine trace=row.trace/>
            <p class="rider-numbers">
                <span class="rider-effort">
                    <span class="number">{move || shown(share.get().map(format::percent))}</span>
                    <span class="unit">{t!(i18n, unit.percent_ftp)}</span>
                </span>
                <span>
                    <span class="unit">{t!(i18n, riders.of)}</span>
                    <span class="number" data-metric="target">{move || shown(target.get())}</span>
                    <span class="unit">{t!(i18n, unit.watts)}</span>
                </span>
                <span>
                    <span class="number" data-metric="cadence">{move || shown(cadence.get())}</span>
                    <span class="unit">{t!(i18n, unit.rpm)}</span>
                </span>
                <span>
                    <span class="number" data-metric="heart-rate">{move || shown(heart_rate.get())}</span>
                    <span class="unit">{t!(i18n, unit.bpm)}</span>
                </span>
                <span>
                    <span class="number" data-metric="progress">{progress}</span>
                    <span class="unit">{t!(i18n, unit.percent)}</span>
                </span>
            </p>
            <p class="rider-stale">
                {move || row.stale.get().then(|| t_string!(i18n, riders.stale))}
            </p>
        </RiderCard>
    }
    .into_any()
}

fn effort(watts: Option<u16>, ftp: Option<u16>) -> Option<f32> {
    let ftp = ftp.filter(|ftp| *ftp > 0)?;
    Some(f32::from(watts?) / f32::from(ftp))
}

/// How hard somebody rides, whatever their strength: a bar in the zone's
/// colour, with a tick where the target is.
#[component]
fn EffortBar(share: Memo<Option<f32>>, target: Memo<Option<f32>>) -> impl IntoView {
    let along = |share: f32| format!("{:.1}%", (share / FULL).clamp(0.0, 1.0) * 100.0);
    let zone = move || {
        share
            .get()
            .map(|share| Zone::of(share).number().to_string())
    };
    let tick = move || {
        target
            .get()
            .map(along)
            .map(|x| view! { <line class="effort-target" x1=x.clone() x2=x y1="0" y2="100%"/> })
    };
    view! {
        <svg class="effort" aria-hidden="true">
            <rect class="effort-track" width="100%" height="100%"/>
            <rect
                class="effort-fill"
                height="100%"
                width=move || along(share.get().unwrap_or_default())
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
