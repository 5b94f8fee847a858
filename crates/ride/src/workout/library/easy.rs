//! Recovery, endurance, tempo and sweet spot.

use super::Focus;
use super::build::Builder;
use crate::workout::Draft;

pub(super) fn drafts() -> Vec<(Focus, Draft)> {
    vec![
        (Focus::Recovery, spin()),
        (Focus::Recovery, rest_day()),
        (Focus::Endurance, endurance_45()),
        (Focus::Endurance, cadence_waves()),
        (Focus::Endurance, endurance_90()),
        (Focus::Endurance, long_steady()),
        (Focus::Tempo, tempo_2_by_15()),
        (Focus::Tempo, tempo_climb()),
        (Focus::Tempo, tempo_long()),
        (Focus::SweetSpot, sweet_spot_2_by_10()),
        (Focus::SweetSpot, sweet_spot_3_by_12()),
        (Focus::SweetSpot, sweet_spot_2_by_20()),
    ]
}

fn spin() -> Draft {
    Builder::new(
        "Easy spin",
        "Twenty-five minutes with light legs, for the day after a hard one.",
    )
    .cue_in(5, "No hurry today. Breathe through your nose if you can.")
    .warm_up(300, 40, 50)
    .steady_at(480, 50, 90)
    .cue("A little faster with the legs, not with the power.")
    .steady_at(240, 48, 100)
    .steady_at(300, 50, 85)
    .cue("That was it. You should feel better than before.")
    .cool_down(180, 48, 40)
    .build()
}

fn rest_day() -> Draft {
    Builder::new(
        "Rest-day forty",
        "Forty minutes of easy riding that changes just enough to stay awake.",
    )
    .cue_in(5, "Forty easy minutes. Drink, and sit comfortably.")
    .warm_up(360, 40, 52)
    .times(4, |it, _| it.steady(300, 55).steady_at(120, 48, 100))
    .cue("Last minutes. Let the legs turn by themselves.")
    .cool_down(360, 52, 38)
    .build()
}

fn endurance_45() -> Draft {
    Builder::new(
        "Endurance 45",
        "Three quarters of an hour at a power that you could ride all day.",
    )
    .cue_in(10, "Settle in. You should be able to talk all the way.")
    .warm_up(420, 45, 65)
    .steady(900, 68)
    .cue("Stand up for half a minute when you like.")
    .steady(120, 60)
    .steady(900, 70)
    .cue("Home from here.")
    .cool_down(360, 65, 42)
    .build()
}

fn cadence_waves() -> Draft {
    Builder::new(
        "Cadence waves",
        "An hour of endurance in which the cadence goes up and down while the power stays.",
    )
    .cue_in(10, "The power stays the same today, your legs do not.")
    .warm_up(480, 45, 65)
    .times(4, |it, round| {
        let it = match round {
            1 => it.cue("Slow and strong: 70 turns a minute."),
            4 => it.cue("Last wave."),
            _ => it,
        };
        it.steady_at(240, 70, 70)
            .steady_at(240, 70, 85)
            .steady_at(180, 68, 100)
            .steady(60, 55)
    })
    .cool_down(240, 62, 42)
    .build()
}

fn endurance_90() -> Draft {
    Builder::new(
        "Endurance 90",
        "An hour and a half that slowly climbs through the endurance zone.",
    )
    .cue_in(10, "Ninety minutes. Eat something in the first half.")
    .warm_up(600, 45, 62)
    .steady(1_200, 65)
    .cue("Time for a bite and a sip.")
    .steady(1_200, 68)
    .cue("A little more now.")
    .steady(1_200, 72)
    .steady(600, 70)
    .cue("Well ridden. Roll out.")
    .cool_down(600, 62, 40)
    .build()
}

fn long_steady() -> Draft {
    Builder::new(
        "Two hours with company",
        "Two hours of endurance with a short lift every quarter of an hour, so that it does not become dull.",
    )
    .cue_in(10, "Two hours together. Find your place on the saddle.")
    .warm_up(600, 45, 62)
    .times(6, |it, round| {
        let it = it.steady(780, 67);
        let it = match round {
            1 => it.cue("A lift: two minutes a bit harder."),
            3 => it.cue("Half way. Eat before you are hungry."),
            6 => it.cue("The last lift."),
            _ => it,
        };
        it.steady(120, 85)
    })
    .steady(600, 65)
    .cool_down(600, 60, 40)
    .build()
}

fn tempo_2_by_15() -> Draft {
    Builder::new(
        "Tempo 2 × 15",
        "Two brisk quarters of an hour: harder than endurance, but under control.",
    )
    .cue_in(10, "Warm up. Two steady blocks are coming.")
    .warm_up(540, 45, 75)
    .cue("Fifteen minutes of tempo. Short sentences are still possible.")
    .work(900, 82)
    .rest(300, 55)
    .cue("Second block, the same again.")
    .work(900, 84)
    .cool_down(360, 65, 42)
    .build()
}

fn tempo_climb() -> Draft {
    Builder::new(
        "Tempo staircase",
        "Tempo that climbs in four steps and comes back, twice.",
    )
    .cue_in(10, "Today we climb stairs.")
    .warm_up(480, 45, 72)
    .times(2, |it, round| {
        let it = match round {
            1 => it.cue("First staircase. Each step is a little higher."),
            _ => it.cue("Second staircase. You know the steps now."),
        };
        it.steady(240, 76)
            .steady(240, 80)
            .steady(240, 84)
            .steady(240, 88)
            .steady(120, 80)
            .rest(240, 55)
    })
    .cool_down(360, 62, 42)
    .build()
}

fn tempo_long() -> Draft {
    Builder::new(
        "Tempo 3 × 20",
        "An hour of tempo in three blocks, for long climbs and long days.",
    )
    .cue_in(10, "Three long blocks. Keep something for the last one.")
    .warm_up(600, 45, 75)
    .times(3, |it, round| {
        let it = match round {
            1 => it.cue("Twenty minutes. Find a rhythm."),
            2 => it.cue("Second block. Drink first."),
            _ => it.cue("The last one. It is only twenty minutes."),
        };
        it.work(1_200, 83).rest(240, 55)
    })
    .cool_down(480, 62, 42)
    .build()
}

fn sweet_spot_2_by_10() -> Draft {
    Builder::new(
        "Sweet spot 2 × 10",
        "A short ride just below FTP, for evenings with little time.",
    )
    .cue_in(10, "Short and sweet today.")
    .warm_up(480, 45, 78)
    .cue("Ten minutes at 90 %. Smooth, not heroic.")
    .work_at(600, 90, 90)
    .rest(240, 55)
    .cue("And once more.")
    .work_at(600, 91, 90)
    .cool_down(300, 62, 42)
    .build()
}

fn sweet_spot_3_by_12() -> Draft {
    Builder::new(
        "Sweet spot 3 × 12",
        "Three times twelve minutes at 90 % of FTP: much training for little pain.",
    )
    .cue_in(10, "Three blocks at 90 %. Warm up well.")
    .warm_up(600, 45, 75)
    .times(3, |it, round| {
        let it = match round {
            1 => it.cue("Twelve minutes at 90 %. You should be able to say a short sentence."),
            2 => it.cue("Second block."),
            _ => it.cue("Last block."),
        };
        it.work_at(720, 90, 90).rest(240, 55)
    })
    .cool_down(420, 65, 40)
    .build()
}

fn sweet_spot_2_by_20() -> Draft {
    Builder::new(
        "Sweet spot 2 × 20",
        "Two long blocks just below FTP, the second a little harder than the first.",
    )
    .cue_in(10, "Two long ones today.")
    .warm_up(600, 45, 78)
    .cue("Twenty minutes. Count them in fives.")
    .work_at(1_200, 88, 88)
    .rest(360, 52)
    .cue("Second block. Sit up, relax your shoulders, and go.")
    .work_at(1_200, 91, 88)
    .cool_down(480, 62, 42)
    .build()
}
