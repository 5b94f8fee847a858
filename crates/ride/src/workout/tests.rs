use super::*;

const fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(minutes * 60)
}

fn ride(target: Target) -> Interval {
    Interval::new(minutes(10), IntervalKind::Steady, target)
}

fn build(intervals: Vec<Interval>) -> Result<Workout, WorkoutError> {
    Workout::new(Draft {
        name: "Test".into(),
        intervals,
        ..Draft::default()
    })
}

fn ftp(watts: u16) -> Ftp {
    Ftp::new(watts).expect("an FTP")
}

#[test]
fn a_workout_has_at_least_one_interval_and_at_most_2000() {
    assert_eq!(build(vec![]), Err(WorkoutError::NoIntervals));
    assert!(
        build(vec![
            Interval::new(
                Duration::from_secs(1),
                IntervalKind::Rest,
                Target::Free
            );
            2_000
        ])
        .is_ok()
    );
    let many = vec![ride(Target::Free); 10_000];
    assert_eq!(build(many), Err(WorkoutError::TooManyIntervals));
}

#[test]
fn a_workout_is_at_most_24_hours_long() {
    assert!(build(vec![ride(Target::Free); 144]).is_ok());
    assert_eq!(
        build(vec![ride(Target::Free); 145]),
        Err(WorkoutError::TooLong)
    );
    let endless = Interval::new(Duration::MAX, IntervalKind::Steady, Target::Free);
    assert_eq!(
        build(vec![endless.clone(), endless]),
        Err(WorkoutError::TooLong)
    );
}

#[test]
fn an_interval_under_a_millisecond_is_rejected() {
    let short = Interval::new(
        Duration::from_micros(999),
        IntervalKind::Steady,
        Target::Free,
    );
    assert_eq!(
        build(vec![ride(Target::Free), short]),
        Err(WorkoutError::EmptyInterval { number: 2 })
    );
}

#[test]
fn power_that_is_negative_over_500_percent_or_not_a_number_is_rejected() {
    for fraction in [f32::NAN, f32::INFINITY, -0.01, 5.01, 30.0] {
        for target in [
            Target::Power {
                from: fraction,
                to: 1.0,
            },
            Target::Power {
                from: 1.0,
                to: fraction,
            },
        ] {
            assert!(matches!(
                build(vec![ride(target)]),
                Err(WorkoutError::PowerOutOfRange { number: 1, .. })
            ));
        }
    }
    let error = build(vec![ride(Target::steady(30.0))])
        .expect_err("an error")
        .to_string();
    assert_eq!(
        error,
        "Interval 1 has a target of 3000 % of FTP; the range is 0 to 500 %. Correct its power."
    );
}

#[test]
fn a_cadence_of_0_or_over_250_is_rejected() {
    for cadence in [0, 251] {
        let interval = Interval {
            cadence: Some(cadence),
            ..ride(Target::Free)
        };
        assert_eq!(
            build(vec![interval]),
            Err(WorkoutError::CadenceOutOfRange { number: 1, cadence })
        );
    }
}

#[test]
fn invisible_characters_are_removed_and_the_length_of_texts_is_limited() {
    let draft = |name: String| Draft {
        name,
        intervals: vec![ride(Target::Free)],
        ..Draft::default()
    };
    let workout = Workout::new(draft(" Sweet\u{202e}\u{0} \tspot\n".into())).expect("a workout");
    assert_eq!(workout.name(), "Sweet  spot");
    let error = Workout::new(draft("x".repeat(201))).expect_err("an error");
    assert_eq!(
        error,
        WorkoutError::TextTooLong {
            field: TextField::Name,
            limit: 200
        }
    );
}

#[test]
fn the_total_length_of_texts_is_limited() {
    let cue = Cue {
        at: Duration::ZERO,
        shown_for: Duration::ZERO,
        text: "€".repeat(500),
    };
    let draft = Draft {
        intervals: vec![ride(Target::Free)],
        cues: vec![cue; 100],
        ..Draft::default()
    };
    assert_eq!(Workout::new(draft), Err(WorkoutError::TooMuchText));
}

#[test]
fn cues_are_sorted_and_must_come_before_the_end() {
    let cue = |at| Cue {
        at: minutes(at),
        shown_for: minutes(1),
        text: String::new(),
    };
    let draft = |cues| Draft {
        intervals: vec![ride(Target::Free)],
        cues,
        ..Draft::default()
    };
    let workout = Workout::new(draft(vec![cue(9), cue(3)])).expect("a workout");
    assert_eq!(workout.cues(), [cue(3), cue(9)]);
    assert_eq!(
        Workout::new(draft(vec![cue(10)])),
        Err(WorkoutError::CueAfterEnd { number: 1 })
    );
}

#[test]
fn a_target_is_a_share_of_the_riders_own_ftp() {
    let ramp = build(vec![ride(Target::Power { from: 0.5, to: 1.0 })]).expect("a workout");
    assert_eq!(ramp.target_at(minutes(0), ftp(200)), Some(100));
    assert_eq!(ramp.target_at(minutes(5), ftp(200)), Some(150));
    assert_eq!(ramp.target_at(minutes(5), ftp(300)), Some(225));
    assert_eq!(ramp.target_at(minutes(10), ftp(200)), None);
}

#[test]
fn targets_in_watts_are_limited() {
    assert_eq!(watts(5.0, ftp(600)), MAX_WATTS);
    assert_eq!(watts(f32::NAN, ftp(200)), 0);
    assert_eq!(watts(-1.0, ftp(200)), 0);
}

#[test]
fn zones_include_their_upper_bound() {
    for (percent, zone) in [
        (55, 1),
        (56, 2),
        (75, 2),
        (76, 3),
        (90, 3),
        (91, 4),
        (105, 4),
        (106, 5),
        (120, 5),
        (121, 6),
        (150, 6),
        (151, 7),
    ] {
        assert_eq!(
            Zone::of(percent as f32 / 100.0).number(),
            zone,
            "{percent} %"
        );
    }
}

#[test]
fn the_bars_of_a_profile_have_no_gaps() {
    let workout = build(vec![
        ride(Target::steady(0.9)),
        ride(Target::Free),
        ride(Target::Max),
    ])
    .expect("a workout");
    let bars: Vec<(Duration, u8, IntervalKind)> = workout
        .bars()
        .iter()
        .map(|bar| (bar.start, bar.zone.number(), bar.kind))
        .collect();
    assert_eq!(
        bars,
        [
            (minutes(0), 3, IntervalKind::Steady),
            (minutes(10), 2, IntervalKind::Steady),
            (minutes(20), 6, IntervalKind::Steady)
        ]
    );
}

#[test]
fn a_ramp_is_split_at_the_bounds_of_zones() {
    let workout = build(vec![ride(Target::Power {
        from: 0.85,
        to: 0.45,
    })])
    .expect("a workout");
    let bars = workout.bars();
    assert_eq!(
        bars.iter().map(|bar| bar.zone.number()).collect::<Vec<_>>(),
        [3, 2, 1]
    );
    let seconds: Vec<f32> = bars
        .iter()
        .map(|bar| bar.duration.as_secs_f32().round())
        .collect();
    assert_eq!(seconds, [150.0, 300.0, 150.0]);
    assert!((bars[1].from - 0.75).abs() < 1e-4 && (bars[1].to - 0.55).abs() < 1e-4);
}

#[test]
fn a_workout_is_decoded_unchanged_and_checked() {
    for library::BuiltIn { workout, .. } in library::all() {
        let bytes = minicbor::to_vec(&workout).expect("memory");
        assert_eq!(
            minicbor::decode::<Workout>(&bytes).expect("the same workout"),
            workout
        );
    }
    let invalid = Draft {
        intervals: vec![ride(Target::steady(f32::NAN))],
        ..Draft::default()
    };
    let bytes = minicbor::to_vec(&invalid).expect("memory");
    assert!(minicbor::decode::<Workout>(&bytes).is_err());
}
