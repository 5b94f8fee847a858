//! Threshold, over-unders, VO2max, anaerobic efforts and sprints.

use super::Focus;
use super::build::Builder;
use crate::workout::Draft;

pub(super) fn drafts() -> Vec<(Focus, Draft)> {
    vec![
        (Focus::Threshold, taster()),
        (Focus::Threshold, threshold_4_by_6()),
        (Focus::Threshold, threshold_3_by_10()),
        (Focus::Threshold, threshold_2_by_20()),
        (Focus::OverUnders, over_unders_short()),
        (Focus::OverUnders, over_unders_3_by_9()),
        (Focus::Vo2Max, thirty_thirty()),
        (Focus::Vo2Max, vo2_5_by_3()),
        (Focus::Vo2Max, vo2_pyramid()),
        (Focus::Anaerobic, one_minute_hills()),
        (Focus::Anaerobic, forty_twenty()),
        (Focus::Sprint, opener()),
        (Focus::Sprint, sprints_10()),
    ]
}

fn taster() -> Draft {
    Builder::new(
        "Five-minute taster",
        "A short ride to see how it works: three efforts, each a little harder.",
    )
    .cue_in(2, "Five minutes to try everything out.")
    .cue_in(55, "First effort coming up.")
    .warm_up(60, 40, 70)
    .work(45, 95)
    .rest(30, 50)
    .work(45, 105)
    .rest(30, 50)
    .cue("Thirty seconds, the last hard ones.")
    .work(30, 120)
    .cue("Done. Spin your legs out.")
    .cool_down(60, 60, 40)
    .build()
}

fn threshold_4_by_6() -> Draft {
    Builder::new(
        "Threshold 4 × 6",
        "Four efforts of six minutes at FTP with short breaks.",
    )
    .cue_in(10, "Four times six minutes. Warm up until you sweat.")
    .warm_up(600, 45, 85)
    .rest(120, 50)
    .times(4, |it, round| {
        let it = match round {
            1 => it.cue("Six minutes at FTP. Start gently."),
            4 => it.cue("Last one. Hold it to the end."),
            _ => it,
        };
        it.work(360, 100).rest(180, 50)
    })
    .cool_down(360, 60, 40)
    .build()
}

fn threshold_3_by_10() -> Draft {
    Builder::new(
        "Threshold 3 × 10",
        "Half an hour around FTP in three blocks, each starting easy and ending hard.",
    )
    .cue_in(10, "Three blocks of ten minutes.")
    .warm_up(600, 45, 85)
    .rest(120, 50)
    .times(3, |it, round| {
        let it = match round {
            1 => it.cue("Five minutes just below FTP, five minutes just above."),
            3 => it.cue("The last block."),
            _ => it,
        };
        it.work(300, 96).work(300, 102).rest(300, 50)
    })
    .cool_down(420, 60, 40)
    .build()
}

fn threshold_2_by_20() -> Draft {
    Builder::new(
        "Threshold 2 × 20",
        "The classic: twice twenty minutes close to FTP.",
    )
    .cue_in(10, "Long efforts need a long warm-up.")
    .warm_up(720, 45, 85)
    .rest(180, 50)
    .cue("Twenty minutes. The first five should feel too easy.")
    .work(1_200, 96)
    .rest(600, 50)
    .cue("Second one. You have done this before.")
    .work(1_200, 97)
    .cool_down(600, 60, 40)
    .build()
}

fn over_unders_short() -> Draft {
    Builder::new(
        "Over-unders 4 × 5",
        "Four short blocks in which a minute over FTP follows a minute and a half under it.",
    )
    .cue_in(10, "Under, over, under, over.")
    .warm_up(540, 45, 85)
    .rest(120, 52)
    .times(4, |it, round| {
        let it = match round {
            1 => it.cue("A minute and a half under FTP, then a minute over. Twice."),
            4 => it.cue("Last block."),
            _ => it,
        };
        it.work(90, 93)
            .work(60, 108)
            .work(90, 93)
            .work(60, 108)
            .rest(210, 52)
    })
    .cool_down(300, 60, 40)
    .build()
}

fn over_unders_3_by_9() -> Draft {
    Builder::new(
        "Over-unders 3 × 9",
        "Three blocks that go from just under to just over FTP and back.",
    )
    .cue_in(10, "Three blocks today. Warm up with care.")
    .warm_up(480, 45, 80)
    .rest(120, 55)
    .times(3, |it, round| {
        let it = match round {
            1 => it
                .cue("Two minutes just under FTP, one just over. Three times.")
                .cue_in(120, "Over! Stay seated and smooth.")
                .cue_in(180, "Under again. This is where you recover."),
            3 => it.cue("Third block, the last one."),
            _ => it,
        };
        it.times(3, |it, _| it.work(120, 92).work(60, 106))
            .rest(300, 55)
    })
    .cool_down(300, 60, 40)
    .build()
}

fn thirty_thirty() -> Draft {
    Builder::new(
        "Thirty-thirty",
        "Two sets of ten: thirty seconds hard, thirty seconds easy.",
    )
    .cue_in(10, "Twenty times thirty seconds. You will be warm soon.")
    .warm_up(540, 45, 85)
    .rest(120, 50)
    .cue("Ten times thirty seconds hard, thirty easy.")
    .times(10, |it, _| it.work_at(30, 125, 95).rest(30, 50))
    .rest(240, 50)
    .cue("Second set.")
    .times(10, |it, _| it.work_at(30, 125, 95).rest(30, 50))
    .cool_down(360, 58, 40)
    .build()
}

fn vo2_5_by_3() -> Draft {
    Builder::new(
        "VO2max 5 × 3",
        "Five times three minutes at 115 % of FTP, with as much rest.",
    )
    .cue_in(10, "Five hard ones. Warm up well.")
    .warm_up(480, 45, 80)
    .rest(120, 50)
    .times(5, |it, round| {
        let it = match round {
            1 => it.cue("First of five. Build into it, do not start too fast."),
            3 => it.cue_in(90, "Half of them done. Keep breathing."),
            5 => it.cue("Last one starts now."),
            _ => it,
        };
        it.work_at(180, 115, 95).rest(180, 50)
    })
    .cool_down(300, 60, 40)
    .build()
}

fn vo2_pyramid() -> Draft {
    Builder::new(
        "VO2max pyramid",
        "One, two, three, four minutes and down again, all of them hard.",
    )
    .cue_in(10, "A pyramid: up to four minutes and back to one.")
    .warm_up(600, 45, 85)
    .rest(120, 50)
    .cue("One minute to start with.")
    .work(60, 120)
    .rest(90, 50)
    .work(120, 117)
    .rest(120, 50)
    .work(180, 114)
    .rest(180, 50)
    .cue("The top: four minutes.")
    .work(240, 111)
    .rest(240, 50)
    .cue("Downhill from here.")
    .work(180, 114)
    .rest(180, 50)
    .work(120, 117)
    .rest(120, 50)
    .cue("The last minute.")
    .work(60, 122)
    .cool_down(420, 58, 40)
    .build()
}

fn one_minute_hills() -> Draft {
    Builder::new(
        "One-minute hills",
        "Eight steep minutes with enough rest to do each of them well.",
    )
    .cue_in(
        10,
        "Eight hills. The rest between them is part of the work.",
    )
    .warm_up(600, 45, 85)
    .rest(120, 50)
    .times(8, |it, round| {
        let it = match round {
            1 => it.cue("One minute. Strong from the first turn."),
            5 => it.cue("Half way up."),
            8 => it.cue("The last hill."),
            _ => it,
        };
        it.work(60, 140).rest(180, 45)
    })
    .cool_down(420, 58, 40)
    .build()
}

fn forty_twenty() -> Draft {
    Builder::new(
        "Forty-twenty",
        "Three sets of six: forty seconds very hard, twenty seconds to breathe.",
    )
    .cue_in(10, "Three sets. Each gets long at its end.")
    .warm_up(600, 45, 85)
    .rest(120, 50)
    .times(3, |it, round| {
        let it = match round {
            1 => it.cue("Six times forty seconds hard, twenty easy."),
            3 => it.cue("Last set. Empty yourself."),
            _ => it,
        };
        it.times(6, |it, _| it.work(40, 130).rest(20, 45))
            .rest(300, 45)
    })
    .cool_down(360, 55, 40)
    .build()
}

fn opener() -> Draft {
    Builder::new(
        "Opener",
        "Twenty minutes that wake the legs up: three quick efforts, a steady block, one sprint.",
    )
    .cue_in(5, "Easy start. Let the legs come to you.")
    .warm_up(300, 40, 75)
    .rest(60, 50)
    .cue("Three quick ones: 30 seconds with fast legs.")
    .times(3, |it, _| it.work_at(30, 120, 100).rest(60, 50))
    .cue("Settle in, four steady minutes.")
    .steady(240, 85)
    .rest(60, 50)
    .cue("One sprint of 15 seconds. Everything you have!")
    .all_out(15)
    .cue_in(15, "Ride as you like.")
    .free(75)
    .cool_down(180, 60, 40)
    .build()
}

fn sprints_10() -> Draft {
    Builder::new(
        "Ten sprints",
        "Ten sprints of twelve seconds, each with three minutes to forget it.",
    )
    .cue_in(10, "Ten sprints, fresh for each one.")
    .warm_up(600, 45, 80)
    .rest(120, 50)
    .times(10, |it, round| {
        let it = match round {
            1 => it.cue("Sprint! Twelve seconds."),
            5 => it.cue("Five down after this one."),
            10 => it.cue("The last one counts double."),
            _ => it.cue("Sprint!"),
        };
        it.all_out(12).rest(168, 50)
    })
    .cool_down(420, 58, 40)
    .build()
}
