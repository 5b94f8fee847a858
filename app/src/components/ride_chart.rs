//! The chart of the summary: power of all riders over the workout.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    format::{self, or_dash},
    icons::Bib,
    labels,
    profile::{PowerLine, Profile},
};
use crate::{
    i18n::*,
    state::{RideChart, RideState, RiderTrace, Trace},
};

/// Number of different strokes; with more riders they repeat. Each line also has
/// the start number of its rider at its end.
const STROKES: usize = 4;
/// Minimum distance between two start numbers at the ends of lines, in percent
/// of the height. Reduced if there are more riders than fit.
const LABEL_DISTANCE: f32 = 9.0;

/// The chart, if any power was measured.
#[component]
pub fn RideChartFigure() -> impl IntoView {
    let state = expect_context::<RideState>();
    move || {
        let chart = state.chart.get();
        let chart = chart.filter(|chart| {
            let others = chart.others.iter().map(|line| &line.trace);
            others
                .chain([&chart.own])
                .any(|trace| mean(trace).is_some())
        });
        chart.map(|chart| view! { <Figure chart/> })
    }
}

#[component]
fn Figure(chart: Arc<RideChart>) -> impl IntoView {
    let i18n = use_i18n();
    let own = PowerLine {
        trace: chart.own.clone(),
        stroke: "own",
    };
    let others = chart
        .others
        .iter()
        .enumerate()
        .map(|(index, line)| PowerLine {
            trace: line.trace.clone(),
            stroke: stroke(index),
        });
    // The own line is drawn last, on top.
    let lines: Vec<_> = others.chain([own]).collect();
    let end_labels = end_labels(&chart, &lines);
    view! {
        <figure class="ride-chart">
            <figcaption><h2>{t!(i18n, summary.chart)}</h2></figcaption>
            <div class="ride-chart-plot">
                <Profile
                    workout=chart.ridden.clone()
                    id=String::from("ride-chart")
                    title=Signal::derive(move || t_string!(i18n, summary.chart_name))
                    lines
                />
                <svg class="ride-chart-ends" translate="no" aria-hidden="true">
                    {end_labels
                        .into_iter()
                        .map(|(number, y)| {
                            view! { <text x="4" y=format!("{y:.1}%") dy="0.35em">{number}</text> }
                        })
                        .collect_view()}
                </svg>
            </div>
            <ul
                class="ride-chart-riders"
                role="list"
                aria-label=move || t_string!(i18n, summary.chart_riders)
            >
                <OwnLegendItem trace=chart.own.clone()/>
                {chart
                    .others
                    .iter()
                    .cloned()
                    .enumerate()
                    .map(|(index, line)| view! { <LegendItem rider=line stroke=stroke(index)/> })
                    .collect_view()}
            </ul>
        </figure>
    }
    .into_any()
}

const fn stroke(index: usize) -> &'static str {
    match index % STROKES {
        0 => "1",
        1 => "2",
        2 => "3",
        _ => "4",
    }
}

#[component]
fn OwnLegendItem(trace: Trace) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <li data-line="own">
            <Swatch/>
            <span class="ride-chart-name">{t!(i18n, common.you)}</span>
            <MeanPower trace/>
        </li>
    }
}

#[component]
fn LegendItem(rider: RiderTrace, stroke: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    let name = rider.name;
    let shown_name = Memo::new(move |_| labels::rider_name(i18n, name.clone()));
    let number = rider.number.map(|number| {
        view! { <Bib number=RwSignal::new(number) name=shown_name/> }
    });
    view! {
        <li data-line=stroke>
            <Swatch/>
            {number}
            <span class="ride-chart-name" translate="no">{move || shown_name.get()}</span>
            <MeanPower trace=rider.trace/>
        </li>
    }
}

/// A sample of the line.
#[component]
fn Swatch() -> impl IntoView {
    view! {
        <svg class="ride-chart-swatch" aria-hidden="true" viewBox="0 0 40 10">
            <line class="profile-line" x1="1" x2="39" y1="5" y2="5"/>
        </svg>
    }
}

#[component]
fn MeanPower(trace: Trace) -> impl IntoView {
    let i18n = use_i18n();
    let percent = mean(&trace).map(format::percent);
    view! {
        <span class="ride-chart-mean">
            <span class="number" translate="no">{or_dash(percent)}</span>
            <span class="unit">{t!(i18n, unit.percent_ftp)}</span>
        </span>
    }
}

/// Mean power as a fraction of FTP; `None` if nothing was measured.
fn mean(trace: &Trace) -> Option<f32> {
    let (sum, count) = trace
        .iter()
        .flatten()
        .fold((0_u32, 0_u32), |(sum, count), percent| {
            (sum + u32::from(*percent), count + 1)
        });
    (count > 0).then(|| sum as f32 / count as f32 / 100.0)
}

/// Start numbers at the ends of the lines, with their distance from the top in
/// percent.
fn end_labels(chart: &RideChart, lines: &[PowerLine]) -> Vec<(u32, f32)> {
    let top = PowerLine::top_fraction(&chart.ridden, lines);
    let numbered = chart.others.iter().filter_map(|line| {
        let last = line.trace.iter().rev().flatten().next()?;
        let y = 100.0 * (1.0 - f32::from(*last) / 100.0 / top);
        Some((line.number?, y))
    });
    spread(numbered.collect())
}

/// Moves labels that are too close apart, first downwards and then up from the
/// bottom, keeping their order.
fn spread(mut labels: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    labels.sort_by(|one, other| one.1.total_cmp(&other.1));
    let distance = LABEL_DISTANCE.min(100.0 / labels.len().max(1) as f32);
    let mut min_y = distance / 2.0;
    for (_, y) in &mut labels {
        *y = y.max(min_y);
        min_y = *y + distance;
    }
    let mut max_y = 100.0 - distance / 2.0;
    for (_, y) in labels.iter_mut().rev() {
        *y = y.min(max_y);
        max_y = *y - distance;
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_lines_that_end_together_do_not_overlap() {
        let ends = spread(vec![(1, 50.0), (2, 50.0), (3, 51.0), (4, 98.0)]);
        for pair in ends.windows(2) {
            assert!(pair[1].1 - pair[0].1 >= LABEL_DISTANCE - 0.01, "{ends:?}");
        }
        assert!(ends.iter().all(|(_, y)| (0.0..=100.0).contains(y)));
    }

    #[test]
    fn labels_of_many_riders_share_the_height() {
        let ends = spread((1..=31).map(|number| (number, 40.0)).collect());
        assert!(ends.iter().all(|(_, y)| (0.0..=100.0).contains(y)));
        let numbers = ends.iter().map(|(_, y)| (y * 10.0) as i32);
        assert_eq!(numbers.collect::<std::collections::BTreeSet<_>>().len(), 31);
    }

    #[test]
    fn the_mean_ignores_gaps() {
        assert_eq!(mean(&Arc::new(vec![Some(50), None, Some(100)])), Some(0.75));
        assert_eq!(mean(&Arc::new(vec![None])), None);
    }
}
