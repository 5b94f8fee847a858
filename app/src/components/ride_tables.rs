//! Tables of a ride: its intervals, the time in zones, and the best mean powers.

use core::time::Duration;
use std::sync::Arc;

use leptos::{html, prelude::*, task::spawn_local};
use ride::{
    analysis::{
        intervals::{IntervalResult, interval_results},
        mean_max::{MeanMax, mean_max_curve},
        zones::{
            heart_rate_zone_limits, power_zone_limits, time_in_heart_rate_zones,
            time_in_power_zones,
        },
    },
    recording::Recording,
    workout::{MAX_INTERVALS, Workout},
};

use super::{
    format::{self, or_dash},
    labels,
    ride_plot::Zoom,
};
use crate::{
    browser::{
        plot::{Axis, Chart, ChartOptions, Series},
        storage,
    },
    i18n::*,
};

/// Largest number of intervals in the table, as many as a workout has.
const MAX_ROWS: usize = MAX_INTERVALS;
/// Height of the curve in pixels.
const CURVE_HEIGHT: f64 = 260.0;

/// Each interval with target and achieved values. Its name shows it in the traces.
#[component]
pub fn IntervalTable(
    recording: Arc<Recording>,
    workout: Option<Arc<Workout>>,
    zoom: Zoom,
) -> impl IntoView {
    let i18n = use_i18n();
    let rows = interval_results(&recording).into_iter().enumerate();
    let rows = rows.take(MAX_ROWS).map(|(row, result)| {
        let name = interval_name(i18n, &result, workout.as_deref());
        view! { <IntervalRow row result name zoom/> }
    });
    view! {
        <section aria-labelledby="intervals-heading">
            <h2 id="intervals-heading">{t!(i18n, analysis.intervals)}</h2>
                <table class="ride-table intervals-table" role="table">
                    <thead role="rowgroup">
                        <tr role="row">
                            <th role="columnheader" scope="col">{t!(i18n, analysis.interval)}</th>
                            <th role="columnheader" scope="col">{t!(i18n, summary.duration)}</th>
                            <th role="columnheader" scope="col">{t!(i18n, analysis.target)}</th>
                            <th role="columnheader" scope="col">{t!(i18n, analysis.achieved)}</th>
                            <th role="columnheader" scope="col">{t!(i18n, analysis.heart_rate)}</th>
                            <th role="columnheader" scope="col">{t!(i18n, analysis.cadence)}</th>
                            <th role="columnheader" scope="col">{t!(i18n, analysis.at_target)}</th>
                        </tr>
                    </thead>
                    <tbody role="rowgroup">{rows.collect_view()}</tbody>
                </table>
        </section>
    }
    .into_any()
}

fn interval_name(
    i18n: labels::Texts,
    result: &IntervalResult,
    workout: Option<&Workout>,
) -> String {
    let interval = workout
        .zip(result.interval)
        .and_then(|(workout, index)| workout.intervals().get(index as usize));
    match interval {
        Some(interval) => labels::interval(i18n, interval),
        None => t_string!(i18n, analysis.outside).to_owned(),
    }
}

#[component]
fn IntervalRow(row: usize, result: IntervalResult, name: String, zoom: Zoom) -> impl IntoView {
    let i18n = use_i18n();
    let figures = result.figures;
    let (from, to) = (result.samples.start as f64, result.samples.end as f64);
    view! {
        <tr role="row" data-interval=row.to_string()>
            <th role="rowheader" scope="row">
                <button
                    type="button"
                    class="button quiet"
                    on:click=move |_| zoom.show(from, to)
                >
                    {name}
                    <span class="visually-hidden">" " {t!(i18n, analysis.show_interval)}</span>
                </button>
            </th>
            <Cell
                metric="duration"
                label=t_string!(i18n, summary.duration)
                value=format::duration(result.duration)
            />
            <Cell metric="target" label=t_string!(i18n, analysis.target) value=watts(result.target)/>
            <Cell
                metric="power"
                label=t_string!(i18n, analysis.achieved)
                value=watts(figures.average_power)
            />
            <Cell
                metric="heart-rate"
                label=t_string!(i18n, analysis.heart_rate)
                value=rounded(figures.average_heart_rate)
            />
            <Cell
                metric="cadence"
                label=t_string!(i18n, analysis.cadence)
                value=rounded(figures.average_cadence)
            />
            <Cell
                metric="compliance"
                label=t_string!(i18n, analysis.at_target)
                value=percent(result.compliance)
            />
        </tr>
    }
    .into_any()
}

/// Cell of a table. Its label is shown where there is no room for columns.
#[component]
fn Cell(metric: &'static str, label: &'static str, value: String) -> impl IntoView {
    view! { <td role="cell" data-metric=metric data-label=label translate="no">{value}</td> }
        .into_any()
}

/// A figure without decimals.
pub fn rounded(figure: Option<f32>) -> String {
    or_dash(figure.map(|figure| format!("{figure:.0}")))
}

fn watts(figure: Option<f32>) -> String {
    or_dash(figure.map(|figure| format!("{figure:.0} W")))
}

/// A share in percent.
pub fn percent(share: Option<f32>) -> String {
    or_dash(share.map(|share| format!("{:.0} %", share * 100.0)))
}

/// Time in the zones of power and heart rate.
#[component]
pub fn Zones(recording: Arc<Recording>) -> impl IntoView {
    let i18n = use_i18n();
    let threshold = storage::threshold_heart_rate();
    let power = time_in_power_zones(&recording.samples, recording.ftp);
    let power_limits = power_zone_limits(recording.ftp).map(u32::from);
    let heart_rate = time_in_heart_rate_zones(&recording.samples, threshold);
    let heart_rate_limits = heart_rate_zone_limits(threshold).map(u32::from);
    let heart_rate = heart_rate.iter().any(|time| !time.is_zero()).then(|| {
        view! {
            <section aria-labelledby="heart-rate-zones-heading" data-zones="heart-rate">
                <h2 id="heart-rate-zones-heading">{t!(i18n, analysis.heart_rate_zones)}</h2>
                <ZoneTable times=heart_rate.to_vec() limits=heart_rate_limits.to_vec() unit="bpm"/>
                <p class="hint">
                    {t!(i18n, analysis.threshold_hint, threshold)} " "
                    <a href="/settings">{t!(i18n, settings.link)}</a>
                </p>
            </section>
        }
    });
    view! {
        <div class="ride-zones">
            <section aria-labelledby="power-zones-heading" data-zones="power">
                <h2 id="power-zones-heading">{t!(i18n, analysis.power_zones)}</h2>
                <ZoneTable times=power.to_vec() limits=power_limits.to_vec() unit="W"/>
            </section>
            {heart_rate}
        </div>
    }
    .into_any()
}

#[component]
fn ZoneTable(times: Vec<Duration>, limits: Vec<u32>, unit: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    let total: Duration = times.iter().sum();
    let total = total.as_secs_f32().max(1.0);
    let rows = times.into_iter().enumerate().map(|(zone, time)| {
        let number = zone + 1;
        let range = match (
            zone.checked_sub(1).and_then(|before| limits.get(before)),
            limits.get(zone),
        ) {
            (None, Some(to)) => format!("≤ {to} {unit}"),
            (Some(from), Some(to)) => format!("{}–{to} {unit}", from + 1),
            (Some(from), None) => format!("> {from} {unit}"),
            (None, None) => String::new(),
        };
        let share = time.as_secs_f32() / total;
        view! {
            <tr role="row" data-zone=number.to_string()>
                <th role="rowheader" scope="row">{t!(i18n, analysis.zone, number)}</th>
                <td role="cell" translate="no">{range}</td>
                <td role="cell" translate="no" data-metric="time">{format::duration(time)}</td>
                <td role="cell" translate="no">{percent(Some(share))}</td>
                <td role="cell" class="zone-bar" aria-hidden="true">
                    <svg viewBox="0 0 100 10" preserveAspectRatio="none">
                        <rect width=format!("{:.1}", share * 100.0) height="10"></rect>
                    </svg>
                </td>
            </tr>
        }
    });
    view! {
        <table class="ride-table zone-table" role="table">
            <thead class="visually-hidden" role="rowgroup">
                <tr role="row">
                    <th role="columnheader" scope="col">{t!(i18n, analysis.zone_column)}</th>
                    <th role="columnheader" scope="col">{t!(i18n, analysis.range)}</th>
                    <th role="columnheader" scope="col">{t!(i18n, analysis.time)}</th>
                    <th role="columnheader" scope="col">{t!(i18n, analysis.share)}</th>
                    <td role="cell"></td>
                </tr>
            </thead>
            <tbody role="rowgroup">{rows.collect_view()}</tbody>
        </table>
    }
    .into_any()
}

/// Best mean power over each duration, as a curve and as a table.
#[component]
pub fn MeanMaxCurve(recording: Arc<Recording>) -> impl IntoView {
    let i18n = use_i18n();
    let curve = mean_max_curve(&recording.samples);
    if curve.is_empty() {
        return ().into_any();
    }
    let node = NodeRef::<html::Div>::new();
    let chart = StoredValue::new_local(None::<Chart>);
    let points = curve.clone();
    let label = t_string!(i18n, analysis.best_power);
    let duration = t_string!(i18n, summary.duration);
    node.on_load(move |element| {
        let points = points.clone();
        spawn_local(async move {
            let x = points.iter().map(|point| f64::from(point.seconds));
            let watts = points.iter().map(|point| Some(point.watts));
            let (x, watts) = (x.collect(), watts.collect());
            // The table below has the same values.
            let drawn = Chart::draw(&element, curve_options(duration, label), x, vec![watts]).await;
            let _ = chart.try_set_value(drawn);
        });
    });
    view! {
        <section aria-labelledby="mean-max-heading" data-curve="mean-max">
            <h2 id="mean-max-heading">{t!(i18n, analysis.mean_max)}</h2>
            <div class="ride-plot-canvas" aria-hidden="true" node_ref=node></div>
            <ul class="mean-max" role="list" aria-labelledby="mean-max-heading">
                {curve
                    .iter()
                    .map(|point| {
                        view! {
                            <li translate="no">
                                {length(point)} " "
                                <strong data-seconds=point.seconds.to_string()>
                                    {watts(Some(point.watts))}
                                </strong>
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
    .into_any()
}

fn length(point: &MeanMax) -> String {
    short_length(point.seconds)
}

fn short_length(seconds: u32) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 if seconds.is_multiple_of(60) => format!("{} min", seconds / 60),
        _ => format::elapsed(seconds.saturating_mul(1_000)),
    }
}

fn curve_options(duration: &'static str, label: &'static str) -> ChartOptions {
    ChartOptions {
        height: CURVE_HEIGHT,
        x_label: duration,
        is_logarithmic: true,
        x_steps: &[],
        x_text: |seconds| short_length(seconds.round() as u32),
        axes: vec![Axis {
            name: "watts",
            label: "W",
            is_right: false,
            from: Some(0.0),
        }],
        series: vec![Series {
            label,
            color: "--color-yellow",
            axis: "watts",
            fill: 15,
            width: 2.0,
            decimals: 0,
        }],
        on_range: Box::new(|_, _| {}),
    }
}
