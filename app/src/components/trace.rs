//! Lines of power over time.

use leptos::prelude::*;

use crate::state::Trace;

/// The points of a trace: ten minutes, one every five seconds.
const POINTS: usize = 120;
/// The coordinates it is drawn in, and the percent of FTP at its top.
const HEIGHT: f32 = 100.0;
const TOP: f32 = 150.0;

/// Somebody's last ten minutes as a small line, the newest at the right, over
/// their FTP. The numbers beside it say the same to whoever does not see it.
#[component]
pub fn TraceLine(trace: RwSignal<Trace>) -> impl IntoView {
    let lines = move || {
        let trace = trace.read();
        let before = POINTS.saturating_sub(trace.len());
        polylines(&trace, |index, percent| {
            ((before + index) as f32 + 0.5, height(percent))
        })
    };
    let known = move || trace.read().iter().flatten().count();
    let ftp = height(100);
    view! {
        <svg
            class="trace"
            aria-hidden="true"
            viewBox=format!("0 0 {POINTS} {HEIGHT}")
            preserveAspectRatio="none"
            data-trace=known
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

fn height(percent: u8) -> f32 {
    HEIGHT * (1.0 - (f32::from(percent) / TOP).min(1.0))
}

/// The points of one polyline for each stretch without a gap. A point alone
/// stands twice, so that it shows as a dot.
pub fn polylines(points: &[Option<u8>], place: impl Fn(usize, u8) -> (f32, f32)) -> Vec<String> {
    let placed: Vec<_> = points
        .iter()
        .enumerate()
        .map(|(index, point)| point.map(|percent| place(index, percent)))
        .collect();
    let stretches = placed.split(Option::is_none);
    let stretches = stretches.map(|stretch| stretch.iter().flatten().collect::<Vec<_>>());
    stretches
        .filter(|stretch| !stretch.is_empty())
        .map(|mut stretch| {
            if let [only] = stretch[..] {
                stretch.push(only);
            }
            let points = stretch.iter().map(|(x, y)| format!("{x:.1},{y:.1}"));
            points.collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_parts_the_line_and_a_single_point_is_a_dot() {
        let points = [Some(50), Some(75), None, None, Some(100)];
        let lines = polylines(&points, |index, percent| (index as f32, percent.into()));
        assert_eq!(lines, ["0.0,50.0 1.0,75.0", "4.0,100.0 4.0,100.0"]);
    }

    #[test]
    fn nothing_known_draws_nothing() {
        assert!(polylines(&[None, None], |_, _| (0.0, 0.0)).is_empty());
        assert!(polylines(&[], |_, _| (0.0, 0.0)).is_empty());
    }

    #[test]
    fn a_sprint_stays_in_the_picture() {
        assert_eq!((height(0), height(254)), (HEIGHT, 0.0));
    }
}
