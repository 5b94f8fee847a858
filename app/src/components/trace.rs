//! Lines of power over time.

use leptos::prelude::*;

use crate::state::Trace;

/// Points of a trace: ten minutes, one every five seconds.
const POINTS: usize = 120;
/// Height of the drawing.
const HEIGHT: f32 = 100.0;
/// Percent of FTP at the upper edge.
const TOP: f32 = 150.0;

/// A rider's power of the last ten minutes, the newest at the right, with a line
/// at the FTP. Hidden from screen readers, which read the numbers beside it.
#[component]
pub fn TraceLine(trace: RwSignal<Trace>) -> impl IntoView {
    let lines = move || {
        let trace = trace.read();
        let missing = POINTS.saturating_sub(trace.len());
        polylines(&trace, |index, percent| {
            ((missing + index) as f32 + 0.5, y(percent))
        })
    };
    let point_count = move || trace.read().iter().flatten().count();
    let ftp = y(100);
    view! {
        <svg
            class="trace"
            aria-hidden="true"
            viewBox=format!("0 0 {POINTS} {HEIGHT}")
            preserveAspectRatio="none"
            data-trace=point_count
        >
            <line class="trace-ftp" x1="0" x2=POINTS y1=ftp y2=ftp/>
            {move || {
                lines()
                    .into_iter()
                    .map(|points| view! { <polyline class="trace-line" points=points/> })
                    .collect_view()
            }}
        </svg>
    }
    .into_any()
}

fn y(percent: u8) -> f32 {
    HEIGHT * (1.0 - (f32::from(percent) / TOP).min(1.0))
}

/// One polyline for each part without a gap. A single point is repeated, so that
/// it shows as a dot.
pub fn polylines(points: &[Option<u8>], place: impl Fn(usize, u8) -> (f32, f32)) -> Vec<String> {
    let placed: Vec<_> = points
        .iter()
        .enumerate()
        .map(|(index, point)| point.map(|percent| place(index, percent)))
        .collect();
    let parts = placed.split(Option::is_none);
    let parts = parts.map(|part| part.iter().flatten().collect::<Vec<_>>());
    parts
        .filter(|part| !part.is_empty())
        .map(|mut part| {
            if let [only] = part[..] {
                part.push(only);
            }
            let points = part.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
            points.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_splits_the_line_and_a_single_point_becomes_a_dot() {
        let points = [Some(50), Some(75), None, None, Some(100)];
        let lines = polylines(&points, |index, percent| (index as f32, percent.into()));
        assert_eq!(lines, ["0.0,50.0 1.0,75.0", "4.0,100.0 4.0,100.0"]);
    }

    #[test]
    fn a_trace_without_values_draws_nothing() {
        assert!(polylines(&[None, None], |_, _| (0.0, 0.0)).is_empty());
        assert!(polylines(&[], |_, _| (0.0, 0.0)).is_empty());
    }

    #[test]
    fn a_sprint_stays_inside_the_drawing() {
        assert_eq!((y(0), y(254)), (HEIGHT, 0.0));
    }
}
