//! The illustration of the home page: one workout at three FTPs, and three riders
//! at the same second of it.

use leptos::prelude::*;

use crate::i18n::*;

/// The drawn workout: seconds and percent of FTP.
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
/// FTP in watts and jersey colour of each rider, highest FTP first.
const RIDERS: [(u32, &str); 3] = [(300, "red"), (220, "yellow"), (150, "green")];
/// Second at which the riders are drawn, and the target there in percent of FTP.
const NOW: (u32, u32) = (800, 95);
/// Duration of the workout, which is the width of the drawing.
const DURATION: u32 = 1300;
/// Height of the drawing.
const HEIGHT: u32 = 560;
/// Height of 100 W.
const HEIGHT_OF_100_W: u32 = 145;

/// The illustration.
#[component]
pub fn HeroIllustration() -> impl IntoView {
    let i18n = use_i18n();
    let title = move || t_string!(i18n, home.hero_title);
    view! {
        <svg
            class="hero-illustration"
            viewBox=format!("0 0 {DURATION} {HEIGHT}")
            role="img"
            translate="no"
            aria-labelledby="hero-title"
            aria-describedby="hero-desc"
        >
            <title id="hero-title">{title}</title>
            <desc id="hero-desc">{move || t_string!(i18n, home.hero_desc)}</desc>
            {RIDERS.map(power_profile).into_iter().collect_view()}
            <line class="hero-now" x1=NOW.0 x2=NOW.0 y1="0" y2=HEIGHT/>
            {RIDERS.map(rider_dot).into_iter().collect_view()}
        </svg>
    }
    .into_any()
}

fn power_profile((ftp, jersey): (u32, &'static str)) -> impl IntoView {
    view! { <path class="hero-profile" data-jersey=jersey d=outline(ftp)/> }
}

fn outline(ftp: u32) -> String {
    let mut at = 0;
    let steps = STEPS.map(|(seconds, percent)| {
        at += seconds;
        format!("V{}H{at}", y_of(ftp, percent))
    });
    format!("M0 {HEIGHT}{}V{HEIGHT}Z", steps.concat())
}

fn y_of(ftp: u32, percent: u32) -> u32 {
    HEIGHT - ftp * percent * HEIGHT_OF_100_W / 10_000
}

fn rider_dot((ftp, jersey): (u32, &'static str)) -> impl IntoView {
    let y = y_of(ftp, NOW.1);
    view! {
        <g class="hero-rider" data-jersey=jersey>
            <circle cx=NOW.0 cy=y r="17"/>
            <text x=NOW.0 y=y dx="34" dy="-16">{ftp * NOW.1 / 100} " W"</text>
        </g>
    }
}
