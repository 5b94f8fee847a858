//! A workout's profile as a picture: bars in zone colours over time, as high
//! as their share of FTP.
//!
//! The bars are stretched to whatever width there is; the words are laid over
//! them in percentages, so that letters keep their shape.

use core::time::Duration;
use std::sync::Arc;

use leptos::prelude::*;
use ride::{
    history::SLOT,
    workout::{Bar, Kind, Workout},
};

use super::{format, trace::polylines, words};
use crate::{i18n::*, state::Trace};

/// The coordinates that the bars are drawn in.
const WIDTH: f32 = 1000.0;
const HEIGHT: f32 = 100.0;
/// The share of FTP that every profile has room for, so that an easy workout
/// looks easy.
const LEAST_TOP: f32 = 1.2;
/// The share of the width from which on an interval has room for its zone.
const ROOM_FOR_ZONE: f32 = 0.055;

/// The picture.
#[component]
pub fn Profile(
    workout: Arc<Workout>,
    /// Unique on the page.
    id: String,
    /// The share of the workout ridden, 0 to 1, to mark the position.
    #[prop(optional, into)]
    position: Option<Signal<f64>>,
    /// What it is called, where that is not simply the profile.
    #[prop(optional, into)]
    title: Option<Signal<&'static str>>,
    /// What was ridden, drawn over it.
    #[prop(optional)]
    lines: Vec<Line>,
) -> impl IntoView {
    let i18n = use_i18n();
    let scale = Scale::of(&workout).with(&lines);
    let ridden = !lines.is_empty();
    let title = title.unwrap_or(Signal::derive(move || t_string!(i18n, workout.profile)));
    let (title_id, desc_id) = (format!("{id}-title"), format!("{id}-desc"));
    let (title_ref, desc_ref) = (title_id.clone(), desc_id.clone());
    let desc = words::profile(i18n, &workout);
    let ftp_line = scale.percent_down(1.0);
    view! {
        <div class="profile" data-ridden=ridden.then_some("true")>
            <svg class="profile-plot" role="img" aria-labelledby=title_ref aria-describedby=desc_ref>
                <title id=title_id>{move || title.get()}</title>
                <desc id=desc_id>{desc}</desc>
                <svg
                    class="profile-bars"
                    viewBox=format!("0 0 {WIDTH} {HEIGHT}")
                    preserveAspectRatio="none"
                    width="100%"
                    height="100%"
                >
                    {scale.shapes(&workout).into_iter().map(draw).collect_view()}
                    {lines.iter().map(|line| scale.line(line)).collect_view()}
                </svg>
                <line class="profile-ftp" x1="0" x2="100%" y1=ftp_line.clone() y2=ftp_line.clone()/>
                {scale.zone_labels(&workout).into_iter().map(label).collect_view()}
                {position.map(|position| view! { <Marker position/> })}
                <text class="profile-ftp-label" x="100%" y=ftp_line dx="-4" dy="-5" text-anchor="end">
                    {move || t_string!(i18n, workout.ftp_line)}
                </text>
            </svg>
            <svg class="profile-axis" aria-hidden="true">
                {ticks(&workout).into_iter().map(tick).collect_view()}
            </svg>
        </div>
    }
    .into_any()
}

/// Where the group is: a line with a kite on top, the way behind it dimmed.
#[component]
fn Marker(position: Signal<f64>) -> impl IntoView {
    let at = Memo::new(move |_| format!("{:.2}%", position.get().clamp(0.0, 1.0) * 100.0));
    view! {
        <rect class="profile-done" x="0" y="0" height="100%" width=move || at.get()/>
        <svg class="profile-marker" x=move || at.get() overflow="visible">
            <line x1="0" x2="0" y1="0" y2="100%"/>
            <path d="M-9 0H9L0 14Z"/>
        </svg>
    }
}

/// Power over the whole workout, to be drawn over it.
pub struct Line {
    /// The power.
    pub trace: Trace,
    /// The word for its stroke, `own` or a number.
    pub stroke: &'static str,
}

impl Line {
    /// The fraction of FTP at the top of a picture of this workout with these
    /// lines.
    pub fn top(workout: &Workout, lines: &[Self]) -> f32 {
        Scale::of(workout).with(lines).top
    }
}

/// A bar, ready to draw.
struct Shape {
    points: String,
    zone: u8,
    free: bool,
}

/// A zone's word in a bar.
struct ZoneLabel {
    middle: String,
    zone: u8,
}

/// A time on the axis.
struct Tick {
    at: String,
    text: String,
    anchor: &'static str,
}

/// How a workout fits into the picture.
struct Scale {
    seconds: f32,
    top: f32,
}

impl Scale {
    fn of(workout: &Workout) -> Self {
        let bars = workout.bars();
        let peak = bars
            .iter()
            .map(|bar| bar.from.max(bar.to))
            .fold(LEAST_TOP, f32::max);
        Self {
            seconds: workout.duration().as_secs_f32(),
            top: peak * 1.06,
        }
    }

    /// Leaves room for these lines.
    fn with(self, lines: &[Line]) -> Self {
        let points = lines.iter().flat_map(|line| line.trace.iter().flatten());
        let peak = points.max().map_or(0.0, |peak| f32::from(*peak) / 100.0);
        Self {
            top: self.top.max(peak * 1.06),
            ..self
        }
    }

    /// A line, a point in the middle of each slot.
    fn line(&self, line: &Line) -> impl IntoView + use<> {
        let slot = WIDTH * self.share(SLOT);
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

    fn share(&self, duration: Duration) -> f32 {
        duration.as_secs_f32() / self.seconds
    }

    fn y(&self, fraction: f32) -> f32 {
        HEIGHT * (1.0 - fraction / self.top)
    }

    fn percent_down(&self, fraction: f32) -> String {
        format!("{:.2}%", self.y(fraction))
    }

    fn shapes(&self, workout: &Workout) -> Vec<Shape> {
        workout.bars().iter().map(|bar| self.shape(bar)).collect()
    }

    fn shape(&self, bar: &Bar) -> Shape {
        let left = WIDTH * self.share(bar.start);
        let right = WIDTH * self.share(bar.start + bar.duration);
        let (from, to) = (self.y(bar.from), self.y(bar.to));
        Shape {
            points: format!(
                "{left:.2},{HEIGHT} {left:.2},{from:.2} {right:.2},{to:.2} {right:.2},{HEIGHT}"
            ),
            zone: bar.zone.number(),
            free: bar.kind == Kind::FreeRide,
        }
    }

    fn zone_labels(&self, workout: &Workout) -> Vec<ZoneLabel> {
        let bars = workout.bars();
        let wide = bars
            .iter()
            .filter(|bar| self.share(bar.duration) >= ROOM_FOR_ZONE);
        let labels = wide
            .filter(|bar| bar.kind != Kind::FreeRide)
            .map(|bar| ZoneLabel {
                middle: format!(
                    "{:.2}%",
                    100.0 * (self.share(bar.start) + self.share(bar.duration) / 2.0)
                ),
                zone: bar.zone.number(),
            });
        labels.collect()
    }
}

fn draw(shape: Shape) -> impl IntoView {
    view! {
        <polygon
            class="profile-bar"
            points=shape.points
            data-zone=shape.zone.to_string()
            data-free=shape.free.then_some("true")
        />
    }
}

fn label(label: ZoneLabel) -> impl IntoView {
    let i18n = use_i18n();
    view! {
        <text class="profile-zone" x=label.middle y="100%" dy="-8" text-anchor="middle">
            {t!(i18n, workout.zone, number = label.zone)}
        </text>
    }
}

fn tick(tick: Tick) -> impl IntoView {
    view! {
        <text x=tick.at y="15" text-anchor=tick.anchor>
            {tick.text}
        </text>
    }
}

/// At most six times, at round steps; the end is always one of them.
fn ticks(workout: &Workout) -> Vec<Tick> {
    const STEPS: [u64; 14] = [
        5, 10, 15, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 14400,
    ];
    let whole = workout.duration();
    let seconds = whole.as_secs();
    let step = STEPS.into_iter().find(|step| seconds / step <= 4);
    let step = step.unwrap_or(21600);
    // A step shortly before the end would touch the end's own number.
    let last = seconds.saturating_sub(step * 7 / 8);
    let starts = (0..)
        .map(|index| index * step)
        .take_while(|at| *at == 0 || *at <= last);
    let mut ticks: Vec<Tick> = starts
        .map(|at| Tick {
            at: format!("{:.2}%", 100.0 * at as f64 / whole.as_secs_f64()),
            text: format::duration(Duration::from_secs(at)),
            anchor: if at == 0 { "start" } else { "middle" },
        })
        .collect();
    ticks.push(Tick {
        at: "100%".into(),
        text: format::duration(whole),
        anchor: "end",
    });
    ticks
}

/// How long each zone lasts: says in words what the colours mean.
#[component]
pub fn Legend(workout: Arc<Workout>) -> impl IntoView {
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
                            <span>{move || words::zone(i18n, zone)}</span>
                            <span class="legend-time">{format::duration(time)}</span>
                        </li>
                    }
                })
                .collect_view()}
        </ul>
    }
    .into_any()
}

/// The zones that occur, in order, with their time. Free rides are in none.
fn zone_times(workout: &Workout) -> Vec<(ride::workout::Zone, Duration)> {
    let mut times = std::collections::BTreeMap::new();
    for bar in workout
        .bars()
        .iter()
        .filter(|bar| bar.kind != Kind::FreeRide)
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
            Interval::new(Duration::from_secs(*seconds), Kind::Steady, target)
        });
        Workout::new(Draft {
            intervals: intervals.collect(),
            ..Draft::default()
        })
        .expect("a few short intervals are a workout")
    }

    #[test]
    fn bars_fill_the_width_and_stand_on_the_ground() {
        let workout = workout(&[(60, 0.5, 0.5), (60, 1.0, 1.0)]);
        let shapes = Scale::of(&workout).shapes(&workout);
        assert!(shapes[0].points.starts_with("0.00,100 "));
        assert!(shapes[1].points.ends_with(" 1000.00,100"));
    }

    #[test]
    fn an_easy_workout_leaves_room_above() {
        let workout = workout(&[(60, 0.5, 0.5)]);
        assert!(Scale::of(&workout).y(0.5) > HEIGHT / 2.0);
    }

    #[test]
    fn the_axis_has_few_numbers_and_ends_at_the_end() {
        for seconds in [30, 61, 1200, 3600, 5 * 3600 + 7, 24 * 3600] {
            let ticks = ticks(&workout(&[(seconds, 0.5, 0.5)]));
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
