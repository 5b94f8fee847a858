//! What Gruppetto is, as a picture: one workout at three strengths, and three
//! riders at the same second of it.

use leptos::prelude::*;

use crate::i18n::*;

/// The workout of the picture: seconds and percent of FTP.
const STEPS: [(u32, u32); 11] = [
    (150, 50),
    (120, 65),
    (180, 90),
    (60, 55),
    (180, 90),
    (60, 55),
    (180, 95),
    (60, 55),
    (120, 105),
    (60, 120),
    (130, 45),
];
/// FTP in watts and jersey of each rider, strongest first.
const RIDERS: [(u32, &str); 3] = [(300, "red"), (220, "yellow"), (150, "green")];
/// The second at which the three are, and the percent asked for there.
const NOW: (u32, u32) = (800, 95);
const SECONDS: u32 = 1300;
/// The height of the picture, and how much of it a hundred watts take.
const HEIGHT: u32 = 560;
const HUNDRED_WATTS: u32 = 145;

/// The picture.
#[component]
pub fn Poster() -> impl IntoView {
    let i18n = use_i18n();
    let title = move || t_string!(i18n, home.poster_title);
    view! {
        <svg
            class="poster"
            viewBox=format!("0 0 {SECONDS} {HEIGHT}")
            role="img"
            aria-labelledby="poster-title"
            aria-describedby="poster-desc"
        >
            <title id="poster-title">{title}</title>
            <desc id="poster-desc">{move || t_string!(i18n, home.poster_desc)}</desc>
            {RIDERS.map(hill).into_iter().collect_view()}
            <line class="poster-now" x1=NOW.0 x2=NOW.0 y1="0" y2=HEIGHT/>
            {RIDERS.map(dot).into_iter().collect_view()}
        </svg>
    }
    .into_any()
}

fn hill((ftp, jersey): (u32, &'static str)) -> impl IntoView {
    view! { <path class="poster-hill" data-jersey=jersey d=outline(ftp)/> }
}

fn outline(ftp: u32) -> String {
    let mut at = 0;
    let steps = STEPS.map(|(seconds, percent)| {
        at += seconds;
        format!("V{}H{at}", height(ftp, percent))
    });
    format!("M0 {HEIGHT}{}V{HEIGHT}Z", steps.concat())
}

fn height(ftp: u32, percent: u32) -> u32 {
    HEIGHT - ftp * percent * HUNDRED_WATTS / 10_000
}

fn dot((ftp, jersey): (u32, &'static str)) -> impl IntoView {
    let y = height(ftp, NOW.1);
    view! {
        <g class="poster-rider" data-jersey=jersey>
            <circle cx=NOW.0 cy=y r="17"/>
            <text x=NOW.0 y=y dx="34" dy="-16">{ftp * NOW.1 / 100} " W"</text>
        </g>
    }
}
