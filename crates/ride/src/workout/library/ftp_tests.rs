//! Tests that measure FTP.

use super::Focus;
use super::build::Builder;
use crate::workout::{Draft, FtpTest};

pub(super) fn drafts() -> Vec<(Focus, Draft)> {
    vec![(Focus::Test, ramp_test()), (Focus::Test, twenty_minutes())]
}

/// Last power of the ramp test in percent of FTP: out of reach for a rider whose FTP is about right.
const RAMP_END: u16 = 190;

fn ramp_test() -> Draft {
    let steps = (46..=RAMP_END).step_by(6);
    let ramp = Builder::new(
        "Ramp test",
        "The power rises every minute until you cannot go on. Your FTP is 75 % of your best minute. Stop when you have to, and end the ride.",
    )
    .cue_in(5, "Five easy minutes first.")
    .warm_up(300, 35, 45)
    .cue("The power rises every minute. Stay seated, and ride until you cannot go on.");
    let ramp = steps.fold(ramp, |it, percent| match percent {
        100 => it.cue("This is your FTP so far.").work(60, percent),
        _ => it.work(60, percent),
    });
    ramp.cue("You have finished the whole ramp. Spin.")
        .cool_down(300, 50, 35)
        .build_test(FtpTest::Ramp)
}

fn twenty_minutes() -> Draft {
    Builder::new(
        "20-minute test",
        "Twenty minutes as hard as you can hold, after a warm-up that takes the freshness away. Your FTP is 95 % of the mean power of the twenty minutes.",
    )
    .cue_in(10, "Warm up. The test itself lasts twenty minutes.")
    .warm_up(600, 45, 75)
    .times(3, |it, _| it.work_at(60, 95, 100).rest(60, 50))
    .rest(180, 50)
    .cue("Five hard minutes before the test.")
    .work(300, 108)
    .rest(600, 50)
    .cue("Go! Start a little too easy, and finish with nothing left.")
    .cue_in(600, "Half way. Can you add a few watts?")
    .cue_in(1_080, "The last two minutes.")
    .free(1_200)
    .cue("That was the test. Well done.")
    .cool_down(600, 55, 35)
    .build_test(FtpTest::TwentyMinutes)
}
