//! The whole ride as a picture: what was asked, what the rider rode, and the
//! others beside them.

use std::sync::Arc;

use leptos::prelude::*;

use super::{
    format,
    marks::Bib,
    my_ride::shown,
    profile::{Line, Profile},
};
use crate::{
    i18n::*,
    state::{ChartLine, RideChart, RideState, Trace},
};

/// How many lines are told apart by their strokes before these repeat; the
/// number at a line's end is its own.
const STROKES: usize = 4;
/// The least space between two numbers at the ends of lines, in percent of the
/// height, as long as there is room.
const SPACE: f32 = 9.0;

/// The picture, where there is one.
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
    let own = Line {
        trace: chart.own.clone(),
        stroke: "own",
    };
    let others = chart.others.iter().enumerate().map(|(index, line)| Line {
        trace: line.trace.clone(),
        stroke: stroke(index),
    });
    // The own line is drawn last, on top.
    let lines: Vec<_> = others.chain([own]).collect();
    let ends = ends(&chart, &lines);
    view! {
        <figure class="ride-chart">
            <figcaption><h2>{t!(i18n, summary.chart)}</h2></figcaption>
            <div class="ride-chart-plot">
                <Profile
                    workout=chart.asked.clone()
                    id=String::from("ride-chart")
                    title=Signal::derive(move || t_string!(i18n, summary.chart_name))
                    lines
                />
                <svg class="ride-chart-ends" aria-hidden="true">
                    {ends
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
                <OwnKey trace=chart.own.clone()/>
                {chart
                    .others
                    .iter()
                    .cloned()
                    .enumerate()
                    .map(|(index, line)| view! { <Key line stroke=stroke(index)/> })
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
fn OwnKey(trace: Trace) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <li data-line="own">
            <Swatch/>
            <span class="ride-chart-name">{t!(i18n, summary.chart_own)}</span>
            <Mean trace/>
        </li>
    }
}

#[component]
fn Key(line: ChartLine, stroke: &'static str) -> impl IntoView {
    let i18n = use_i18n();
    let name = line.name;
    let shown_name = Memo::new(move |_| match name.is_empty() {
        true => t_string!(i18n, rider.somebody).to_owned(),
        false => name.clone(),
    });
    let number = line.number.map(|number| {
        view! { <Bib number=RwSignal::new(number) name=shown_name/> }
    });
    view! {
        <li data-line=stroke>
            <Swatch/>
            {number}
            <span class="ride-chart-name">{move || shown_name.get()}</span>
            <Mean trace=line.trace/>
        </li>
    }
}

/// A piece of the line.
#[component]
fn Swatch() -> impl IntoView {
    view! {
        <svg class="ride-chart-swatch" aria-hidden="true" viewBox="0 0 40 10">
            <line class="profile-line" x1="1" x2="39" y1="5" y2="5"/>
        </svg>
    }
}

#[component]
fn Mean(trace: Trace) -> impl IntoView {
    let i18n = use_i18n();
    let percent = mean(&trace).map(format::percent);
    view! {
        <span class="ride-chart-mean">
            <span class="number">{shown(percent)}</span>
            <span class="unit">{t!(i18n, unit.percent_ftp)}</span>
        </span>
    }
}

/// The mean share of FTP, where anything was measured.
fn mean(trace: &Trace) -> Option<f32> {
    let (sum, count) = trace
        .iter()
        .flatten()
        .fold((0_u32, 0_u32), |(sum, count), percent| {
            (sum + u32::from(*percent), count + 1)
        });
    (count > 0).then(|| sum as f32 / count as f32 / 100.0)
}

/// The numbers at the ends of the others' lines, and how far down, in percent.
fn ends(chart: &RideChart, lines: &[Line]) -> Vec<(u32, f32)> {
    let top = Line::top(&chart.asked, lines);
    let numbered = chart.others.iter().filter_map(|line| {
        let last = line.trace.iter().rev().flatten().next()?;
        let y = 100.0 * (1.0 - f32::from(*last) / 100.0 / top);
        Some((line.number?, y))
    });
    spread(numbered.collect())
}

/// Moves what lies too close apart, downwards first and back up from the
/// ground, keeping the order.
fn spread(mut ends: Vec<(u32, f32)>) -> Vec<(u32, f32)> {
    ends.sort_by(|one, other| one.1.total_cmp(&other.1));
    let space = SPACE.min(100.0 / ends.len().max(1) as f32);
    let mut least = space / 2.0;
    for (_, y) in &mut ends {
        *y = y.max(least);
        least = *y + space;
    }
    let mut most = 100.0 - space / 2.0;
    for (_, y) in ends.iter_mut().rev() {
        *y = y.min(most);
        most = *y - space;
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_lines_that_end_together_do_not_cover_each_other() {
        let ends = spread(vec![(1, 50.0), (2, 50.0), (3, 51.0), (4, 98.0)]);
        for pair in ends.windows(2) {
            assert!(pair[1].1 - pair[0].1 >= SPACE - 0.01, "{ends:?}");
        }
        assert!(ends.iter().all(|(_, y)| (0.0..=100.0).contains(y)));
    }

    #[test]
    fn a_large_bunch_shares_the_room_there_is() {
        let ends = spread((1..=31).map(|number| (number, 40.0)).collect());
        assert!(ends.iter().all(|(_, y)| (0.0..=100.0).contains(y)));
        let numbers = ends.iter().map(|(_, y)| (y * 10.0) as i32);
        assert_eq!(numbers.collect::<std::collections::BTreeSet<_>>().len(), 31);
    }

    #[test]
    fn the_mean_counts_what_was_measured() {
        assert_eq!(mean(&Arc::new(vec![Some(50), None, Some(100)])), Some(0.75));
        assert_eq!(mean(&Arc::new(vec![None])), None);
    }
}
