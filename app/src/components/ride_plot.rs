//! The traces of a ride: power over its target, heart rate, cadence, and W' balance, with zoom.

use std::sync::Arc;

use leptos::{html, prelude::*, task::spawn_local};
use ride::{
    analysis::w_balance::{DEFAULT_W_PRIME, w_balance},
    recording::{Recording, Sample},
};

use super::format;
use crate::{
    browser::plot::{Axis, Chart, ChartOptions, Series},
    i18n::*,
};

/// Shortest range that can be shown, in seconds.
const MIN_RANGE: f64 = 10.0;
/// Height in pixels.
const HEIGHT: f64 = 340.0;

/// Range of a ride in recorded seconds.
pub type Range = (f64, f64);

/// Zoom of the traces, which other parts of the page change as well.
#[derive(Clone, Copy)]
pub struct Zoom {
    /// Range that is shown.
    pub shown: RwSignal<Range>,
    /// Length of the ride in seconds.
    pub seconds: f64,
    wanted: RwSignal<Option<Range>>,
}

impl Zoom {
    /// The whole ride.
    pub fn new(seconds: usize) -> Self {
        let seconds = (seconds as f64).max(MIN_RANGE);
        Self {
            shown: RwSignal::new((0.0, seconds)),
            seconds,
            wanted: RwSignal::new(None),
        }
    }

    /// Shows a range, kept within the ride.
    pub fn show(self, from: f64, to: f64) {
        let length = (to - from).clamp(MIN_RANGE, self.seconds);
        let from = ((from + to - length) / 2.0).clamp(0.0, self.seconds - length);
        let range = (from, from + length);
        self.shown.set(range);
        self.wanted.set(Some(range));
    }

    /// Shows a range around the same middle, longer by this factor.
    fn scale(self, factor: f64) {
        let (from, to) = self.shown.get_untracked();
        let (middle, half) = ((from + to) / 2.0, (to - from) / 2.0 * factor);
        self.show(middle - half, middle + half);
    }

    /// Shows a range that is earlier or later by this share of its length.
    fn shift(self, share: f64) {
        let (from, to) = self.shown.get_untracked();
        let shift = (to - from) * share;
        // The range lies within the ride.
        let shift = shift.max(-from).min(self.seconds - to);
        self.show(from + shift, to + shift);
    }
}

/// A line that can be hidden.
struct Line {
    name: Signal<&'static str>,
    series: usize,
    is_shown: bool,
}

/// The figure.
#[component]
pub fn RidePlot(recording: Arc<Recording>, zoom: Zoom) -> impl IntoView {
    let i18n = use_i18n();
    let node = NodeRef::<html::Div>::new();
    let chart = StoredValue::new_local(None::<Chart>);
    let has_failed = RwSignal::new(false);
    let lines = StoredValue::new(vec![]);
    let has = |measured: fn(&Sample) -> bool| recording.samples.iter().any(measured);
    let names = [
        (
            Signal::derive(move || t_string!(i18n, analysis.target)),
            true,
        ),
        (
            Signal::derive(move || t_string!(i18n, analysis.power)),
            has(|sample| sample.power.is_some()),
        ),
        (
            Signal::derive(move || t_string!(i18n, analysis.heart_rate)),
            has(|sample| sample.heart_rate.is_some()),
        ),
        (
            Signal::derive(move || t_string!(i18n, analysis.cadence)),
            has(|sample| sample.cadence.is_some()),
        ),
        (
            Signal::derive(move || t_string!(i18n, analysis.w_balance)),
            has(|sample| sample.power.is_some()),
        ),
    ];
    for (series, (name, is_measured)) in names.into_iter().enumerate() {
        if is_measured {
            let is_shown = series != W_BALANCE;
            lines.update_value(|lines| {
                lines.push(Line {
                    name,
                    series,
                    is_shown,
                })
            });
        }
    }
    node.on_load(move |element| {
        let recording = recording.clone();
        let time = t_string!(i18n, analysis.time);
        let labels = names.map(|(name, _)| name.get_untracked());
        spawn_local(async move {
            let (x, columns) = columns(&recording);
            let options = options(time, labels, move |from, to| {
                // The library shows more than the ride if that is a single second.
                let to = to.min(zoom.seconds);
                let _ = zoom.shown.try_set((from.clamp(0.0, to.max(0.0)), to));
            });
            let drawn = Chart::draw(&element, options, x, columns).await;
            if let Some(drawn) = &drawn {
                drawn.show_series(W_BALANCE, false);
            }
            let _ = has_failed.try_set(drawn.is_none());
            let _ = chart.try_set_value(drawn);
        });
    });
    Effect::new(move || {
        if let Some((from, to)) = zoom.wanted.get() {
            chart.with_value(|chart| {
                if let Some(chart) = chart {
                    chart.show_range(from, to);
                }
            });
        }
    });
    let switches = lines.with_value(|lines| {
        let switches = lines.iter().map(|line| {
            let (name, series) = (line.name, line.series);
            let change = move |event| {
                let is_shown = event_target_checked(&event);
                chart.with_value(|chart| {
                    if let Some(chart) = chart {
                        chart.show_series(series, is_shown);
                    }
                });
            };
            view! {
                <label class="checkbox" data-series=series.to_string()>
                    <input type="checkbox" checked=line.is_shown on:change=change/>
                    <span>{move || name.get()}</span>
                </label>
            }
        });
        switches.collect_view()
    });
    let shown = move || {
        let (from, to) = zoom.shown.get();
        (from.round() as u32, to.round() as u32)
    };
    let text = |seconds: u32| format::elapsed(seconds.saturating_mul(1_000));
    view! {
        <figure
            class="ride-plot"
            aria-labelledby="ride-plot-heading"
            data-from=move || shown().0.to_string()
            data-to=move || shown().1.to_string()
        >
            <figcaption><h2 id="ride-plot-heading">{t!(i18n, analysis.traces)}</h2></figcaption>
            <div class="ride-plot-lines" role="group" aria-label=move || t_string!(i18n, analysis.lines)>
                {switches}
            </div>
            <div class="ride-plot-canvas" aria-hidden="true" node_ref=node></div>
            <Show when=move || has_failed.get()>
                <p class="error" role="alert">{t!(i18n, analysis.plot_failed)}</p>
            </Show>
            <div class="ride-plot-zoom" role="group" aria-label=move || t_string!(i18n, analysis.zoom)>
                <button type="button" class="button" on:click=move |_| zoom.shift(-0.5)>
                    {t!(i18n, analysis.earlier)}
                </button>
                <button type="button" class="button" on:click=move |_| zoom.scale(0.5)>
                    {t!(i18n, analysis.zoom_in)}
                </button>
                <button type="button" class="button" on:click=move |_| zoom.scale(2.0)>
                    {t!(i18n, analysis.zoom_out)}
                </button>
                <button type="button" class="button" on:click=move |_| zoom.shift(0.5)>
                    {t!(i18n, analysis.later)}
                </button>
                <button type="button" class="button" on:click=move |_| zoom.show(0.0, zoom.seconds)>
                    {t!(i18n, analysis.show_all)}
                </button>
                <p class="hint" role="status">
                    <span translate="no">{move || text(shown().0)}</span>
                    " – "
                    <span translate="no">{move || text(shown().1)}</span>
                </p>
            </div>
            <p class="hint">{t!(i18n, analysis.zoom_hint)}</p>
        </figure>
    }
    .into_any()
}

/// Position of W' balance among the series.
const W_BALANCE: usize = 4;

/// Recorded seconds, and the values of each series. A pause interrupts the lines.
fn columns(recording: &Recording) -> (Vec<f64>, Vec<Vec<Option<f32>>>) {
    let samples = &recording.samples;
    let balance = w_balance(samples, recording.ftp, DEFAULT_W_PRIME);
    let mut x = Vec::with_capacity(samples.len());
    let mut columns: Vec<_> = (0..5).map(|_| Vec::with_capacity(samples.len())).collect();
    let mut before: Option<&Sample> = None;
    for (second, (sample, balance)) in samples.iter().zip(balance).enumerate() {
        if before.is_some_and(|before| sample.at.since(before.at).as_secs() > 1) {
            x.push(second as f64 - 0.5);
            columns.iter_mut().for_each(|column| column.push(None));
        }
        before = Some(sample);
        x.push(second as f64);
        let values = [
            sample.target.map(f32::from),
            sample.power.map(f32::from),
            sample.heart_rate.map(f32::from),
            sample.cadence.map(f32::from),
            Some(balance / 1_000.0),
        ];
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value);
        }
    }
    (x, columns)
}

fn options(
    time: &'static str,
    labels: [&'static str; 5],
    on_range: impl Fn(f64, f64) + 'static,
) -> ChartOptions {
    let axis = |name, label, is_right, from| Axis {
        name,
        label,
        is_right,
        from,
    };
    let line = |series: usize, color, axis, fill, width, decimals| Series {
        label: labels[series],
        color,
        axis,
        fill,
        width,
        decimals,
    };
    ChartOptions {
        height: HEIGHT,
        x_label: time,
        is_logarithmic: false,
        x_steps: &[
            1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0, 7_200.0,
            14_400.0,
        ],
        x_text: |seconds| format::elapsed((seconds.max(0.0) * 1_000.0) as u32),
        axes: vec![
            axis("watts", "W", false, Some(0.0)),
            axis("rate", "bpm, rpm", true, Some(0.0)),
            axis("balance", "kJ", true, None),
        ],
        series: vec![
            line(0, "--color-zone-1", "watts", 30, 1.0, 0),
            line(1, "--color-yellow", "watts", 0, 1.5, 0),
            line(2, "--color-red", "rate", 0, 1.5, 0),
            line(3, "--color-zone-2", "rate", 0, 1.0, 0),
            line(W_BALANCE, "--color-zone-7", "balance", 0, 1.5, 1),
        ],
        on_range: Box::new(on_range),
    }
}
