//! The profile of a workout: one bar per interval, in the colour of its zone, as
//! high as its fraction of FTP.
//!
//! The bars are stretched to the available width. Texts are placed over them
//! with percentages as coordinates, so that letters keep their shape.

use core::time::Duration;
use std::sync::Arc;

use leptos::prelude::*;
use ride::{
    history::SLOT,
    workout::{Bar, IntervalKind, Workout},
};

use super::{format, labels, trace::polylines};
use crate::{i18n::*, state::Trace};

/// Coordinate system of the bars.
const WIDTH: f32 = 1000.0;
const HEIGHT: f32 = 100.0;
/// Fraction of FTP that every profile has room for, so that an easy workout
/// looks easy.
const MIN_TOP: f32 = 1.2;
/// Fraction of the width from which an interval has room for the name of its
/// zone.
const MIN_LABEL_WIDTH: f32 = 0.055;

/// The profile as an image with a text alternative.
#[component]
pub fn Profile(
    workout: Arc<Workout>,
    /// Unique on the page.
    id: String,
    /// Position in the workout, 0 to 1, to be marked.
    #[prop(optional, into)]
    position: Option<Signal<f64>>,
    /// Accessible name, if it differs from "Workout profile".
    #[prop(optional, into)]
    title: Option<Signal<&'static str>>,
    /// Measured power, drawn over the bars.
    #[prop(optional)]
    lines: Vec<PowerLine>,
) -> impl IntoView {
    let i18n = use_i18n();
    let scale = ProfileScale::of(&workout).with(&lines);
    let has_lines = !lines.is_empty();
    let title = title.unwrap_or(Signal::derive(move || t_string!(i18n, workout.profile)));
    let (title_id, desc_id) = (format!("{id}-title"), format!("{id}-desc"));
    let (title_ref, desc_ref) = (title_id.clone(), desc_id.clone());
    let desc = labels::profile(i18n, &workout);
    let ftp_line = scale.percent_down(1.0);
    view! {
        <div class="profile" translate="no" data-lines=has_lines.then_some("true")>
            <div class="profile-area">
                <svg class="profile-plot" role="img" aria-labelledby=title_ref aria-describedby=desc_ref>
                    <title id=title_id>{move || title.get()}</title>
                    <desc id=desc_id>{desc}</desc>
                    <svg
                        viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                        preserveAspectRatio="none"
                        width="100%"
                        height="100%"
                    >
                        {scale.bars(&workout).into_iter().map(draw_bar).collect_view()}
                        {lines.iter().map(|line| scale.line(line)).collect_view()}
                    </svg>
                    <line class="profile-ftp" x1="0" x2="100%" y1=ftp_line.clone() y2=ftp_line.clone()/>
                    {scale.zone_labels(&workout).into_iter().map(draw_zone_label).collect_view()}
                    {position.map(|position| view! { <PositionMarker position/> })}
                    <text class="profile-ftp-label" x="100%" y=ftp_line dx="-4" dy="-5" text-anchor="end">
                        {move || t_string!(i18n, common.ftp)}
                    </text>
                </svg>
            </div>
            <svg class="profile-axis" aria-hidden="true">
                {axis_ticks(&workout).into_iter().map(draw_tick).collect_view()}
            </svg>
        </div>
    }
    .into_any()
}

/// Position of the group: a line with a pennant on top; the part behind it is
/// dimmed.
#[component]
fn PositionMarker(position: Signal<f64>) -> impl IntoView {
    let at = Memo::new(move |_| format!("{:.2}%", position.get().clamp(0.0, 1.0) * 100.0));
    view! {
        <rect class="profile-done" x="0" y="0" height="100%" width=move || at.get()/>
        <svg class="profile-marker" x=move || at.get() overflow="visible">
            <line x1="0" x2="0" y1="0" y2="100%"/>
            <path d="M-9 0H9L0 14Z"/>
        </svg>
    }
}

/// Measured power over the whole workout.
pub struct PowerLine {
    /// The power.
    pub trace: Trace,
    /// Value of its `data-line` attribute, which selects the stroke: `own` or a
    /// number.
    pub stroke: &'static str,
}

impl PowerLine {
    /// Fraction of FTP at the upper edge of a profile with these lines.
    pub fn top_fraction(workout: &Workout, lines: &[Self]) -> f32 {
        ProfileScale::of(workout).with(lines).top
    }
}

/// One bar of the profile.
struct ProfileBar {
    points: String,
    zone: u8,
    free: bool,
}

/// Name of a zone in a bar.
struct ZoneLabel {
    middle: String,
    zone: u8,
}

/// A time below the profile.
struct AxisTick {
    at: String,
    text: String,
    anchor: &'static str,
}

/// Mapping from time and power to coordinates.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfileScale {
    /// Duration over the whole width.
    pub seconds: f32,
    /// Fraction of FTP at the upper edge.
    pub top: f32,
}

impl ProfileScale {
    /// Scale of a profile without lines.
    pub fn of(workout: &Workout) -> Self {
        let bars = workout.bars();
        let peak = bars
            .iter()
            .map(|bar| bar.from.max(bar.to))
            .fold(MIN_TOP, f32::max);
        Self {
            seconds: workout.duration().as_secs_f32(),
            top: peak * 1.06,
        }
    }

    /// Makes room for these lines.
    fn with(self, lines: &[PowerLine]) -> Self {
        let points = lines.iter().flat_map(|line| line.trace.iter().flatten());
        let peak = points.max().map_or(0.0, |peak| f32::from(*peak) / 100.0);
        Self {
            top: self.top.max(peak * 1.06),
            ..self
        }
    }

    /// Draws a line with one point in the middle of each slot.
    fn line(&self, line: &PowerLine) -> impl IntoView + use<> {
        let slot = WIDTH * self.fraction_of_width(SLOT);
        let lines = polylines(&line.trace, |index, percent| {
            let x = (index as f32 + 0.5) * slot;
            (x.min(WIDTH), self.y(f32::from(percent) / 100.0))
        });
        let stroke = line.stroke;
        let draw = move |points: String| {
            view! { <polyline class="profile-line" data-line=stroke points=points/> }
        };
        lines.into_iter().map(draw).collect_view()
    }

    fn fraction_of_width(&self, duration: Duration) -> f32 {
        duration.as_secs_f32() / self.seconds
    }

    fn y(&self, fraction: f32) -> f32 {
        HEIGHT * (1.0 - fraction / self.top)
    }

    fn percent_down(&self, fraction: f32) -> String {
        format!("{:.2}%", self.y(fraction))
    }

    fn bars(&self, workout: &Workout) -> Vec<ProfileBar> {
        workout.bars().iter().map(|bar| self.bar(bar)).collect()
    }

    fn bar(&self, bar: &Bar) -> ProfileBar {
        let left = WIDTH * self.fraction_of_width(bar.start);
        let right = WIDTH * self.fraction_of_width(bar.start + bar.duration);
        let (from, to) = (self.y(bar.from), self.y(bar.to));
        ProfileBar {
            points: format!(
                "{left:.2},{HEIGHT} {left:.2},{from:.2} {right:.2},{to:.2} {right:.2},{HEIGHT}"
            ),
            zone: bar.zone.number(),
            free: bar.kind == IntervalKind::FreeRide,
        }
    }

    fn zone_labels(&self, workout: &Workout) -> Vec<ZoneLabel> {
        let bars = workout.bars();
        let wide = bars
            .iter()
            .filter(|bar| self.fraction_of_width(bar.duration) >= MIN_LABEL_WIDTH);
        let labels = wide
            .filter(|bar| bar.kind != IntervalKind::FreeRide)
            .map(|bar| ZoneLabel {
                middle: format!(
                    "{:.2}%",
                    100.0
                        * (self.fraction_of_width(bar.start)
                            + self.fraction_of_width(bar.duration) / 2.0)
                ),
                zone: bar.zone.number(),
            });
        labels.collect()
    }
}

fn draw_bar(bar: ProfileBar) -> impl IntoView {
    view! {
        <polygon
            class="profile-bar"
            points=bar.points
            data-zone=bar.zone.to_string()
            data-free=bar.free.then_some("true")
        />
    }
}

fn draw_zone_label(label: ZoneLabel) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <text class="profile-zone" x=label.middle y="100%" dy="-8" text-anchor="middle">
            {t!(i18n, workout.zone, number = label.zone)}
        </text>
    }
}

fn draw_tick(tick: AxisTick) -> impl IntoView {
    view! {
        <text x=tick.at y="15" text-anchor=tick.anchor>
            {tick.text}
        </text>
    }
}

/// At most six times in round steps, the end among them.
fn axis_ticks(workout: &Workout) -> Vec<AxisTick> {
    const STEPS: [u64; 14] = [
        5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400,
    ];
    let total = workout.duration();
    let seconds = total.as_secs();
    let step = STEPS.into_iter().find(|step| seconds / step <= 4);
    let step = step.unwrap_or(21600);
    // A text shortly before the end would touch the text at the end.
    let last = seconds.saturating_sub(step * 7 / 8);
    let starts = (0..)
        .map(|index| index * step)
        .take_while(|at| *at == 0 || *at <= last);
    let mut ticks: Vec<AxisTick> = starts
        .map(|at| AxisTick {
            at: format!("{:.2}%", 100.0 * at as f64 / total.as_secs_f64()),
            text: format::duration(Duration::from_secs(at)),
            anchor: if at == 0 { "start" } else { "middle" },
        })
        .collect();
    ticks.push(AxisTick {
        at: "100%".into(),
        text: format::duration(total),
        anchor: "end",
    });
    ticks
}

/// List of the zones with their names and durations: a legend of the colours.
#[component]
pub fn ZoneLegend(workout: Arc<Workout>) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <ul class="legend" role="list" aria-label=move || t_string!(i18n, workout.legend)>
            {zone_times(&workout)
                .into_iter()
                .map(|(zone, time)| {
                    view! {
                        <li data-zone=zone.number().to_string()>
                            <span class="zone-chip">
                                {t!(i18n, workout.zone, number = zone.number())}
                            </span>
                            <span>{move || labels::zone(i18n, zone)}</span>
                            <span class="legend-time">{format::duration(time)}</span>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
    .into_any()
}

/// The zones of a workout in order, with their durations. Free rides have no
/// zone.
fn zone_times(workout: &Workout) -> Vec<(ride::workout::Zone, Duration)> {
    let mut times = std::collections::BTreeMap::new();
    for bar in workout
        .bars()
        .iter()
        .filter(|bar| bar.kind != IntervalKind::FreeRide)
    {
        *times.entry(bar.zone).or_insert(Duration::ZERO) += bar.duration;
    }
    times.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use ride::workout::{Draft, Interval, Target};

    use super::*;

    fn workout(parts: &[(u64, f32, f32)]) -> Workout {
        let intervals = parts.iter().map(|(seconds, from, to)| {
            let target = Target::Power {
                from: *from,
                to: *to,
            };
            Interval::new(Duration::from_secs(*seconds), IntervalKind::Steady, target)
        });
        Workout::new(Draft {
            intervals: intervals.collect(),
            ..Draft::default()
        })
        .expect("a few short intervals are a workout")
    }

    #[test]
    fn bars_fill_the_width_and_start_at_the_bottom() {
        let workout = workout(&[(60, 0.5, 0.5), (60, 1.0, 1.0)]);
        let bars = ProfileScale::of(&workout).bars(&workout);
        assert!(bars[0].points.starts_with("0.00,100 "));
        assert!(bars[1].points.ends_with(" 1000.00,100"));
    }

    #[test]
    fn an_easy_workout_leaves_space_above() {
        let workout = workout(&[(60, 0.5, 0.5)]);
        assert!(ProfileScale::of(&workout).y(0.5) > HEIGHT / 2.0);
    }

    #[test]
    fn the_axis_has_at_most_six_times_and_ends_with_the_duration() {
        for seconds in [30, 61, 1200, 3600, 5 * 3600 + 7, 24 * 3600] {
            let ticks = axis_ticks(&workout(&[(seconds, 0.5, 0.5)]));
            assert!(
                (2..=6).contains(&ticks.len()),
                "{seconds} s has {}",
                ticks.len()
            );
            let end = format::duration(Duration::from_secs(seconds));
            assert_eq!(ticks[ticks.len() - 1].text, end);
        }
    }
}
