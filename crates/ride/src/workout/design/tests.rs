use proptest::prelude::*;

use super::*;
use crate::library;
use crate::workout::{IntervalKind, MAX_CADENCE, MAX_FRACTION, Target};

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn kinds(design: &Design) -> Vec<(u16, usize, u64)> {
    let blocks = design.plan().blocks.iter();
    let kinds = blocks.map(|block| (block.times, block.steps.len(), block.duration().as_secs()));
    kinds.collect()
}

/// Warm-up, four times threshold, cool-down.
fn design() -> Design {
    let mut design = Design::default();
    for block in [NewBlock::Warmup, NewBlock::Repeat, NewBlock::Cooldown] {
        design.edit(Edit::Add(block));
    }
    design.edit(Edit::Name("Mine".to_owned()));
    design
}

#[test]
fn blocks_are_added_at_the_end_and_make_a_workout() {
    let design = design();
    assert_eq!(kinds(&design), [(1, 1, 600), (4, 2, 1_440), (1, 1, 600)]);
    let workout = design.workout().unwrap();
    assert_eq!(workout.name(), "Mine");
    assert_eq!(workout.intervals().len(), 10);
    assert_eq!(workout.duration(), seconds(2_640));
    for block in NewBlock::ALL {
        let mut design = Design::default();
        design.edit(Edit::Add(block));
        assert!(design.workout().is_ok(), "{block:?}");
    }
    assert_eq!(Design::default().workout(), Err(WorkoutError::NoIntervals));
}

#[test]
fn blocks_are_moved_duplicated_and_removed() {
    let mut design = design();
    let ids: Vec<u32> = design.plan().blocks.iter().map(|block| block.id).collect();
    design.edit(Edit::Move(ids[2], 0));
    design.edit(Edit::Duplicate(ids[1]));
    assert_eq!(
        kinds(&design),
        [(1, 1, 600), (1, 1, 600), (4, 2, 1_440), (4, 2, 1_440)]
    );
    design.edit(Edit::Remove(ids[0]));
    design.edit(Edit::Move(ids[2], 99));
    assert_eq!(kinds(&design), [(4, 2, 1_440), (4, 2, 1_440), (1, 1, 600)]);
}

#[test]
fn everything_can_be_undone_and_redone() {
    let mut design = design();
    let id = design.plan().blocks[1].id;
    let mut states = vec![design.plan().clone()];
    let edits = [
        Edit::Times(id, 5),
        Edit::Step(id, 0, StepChange::From(1.1)),
        Edit::Step(id, 1, StepChange::Duration(seconds(90))),
        Edit::Step(id, 0, StepChange::Cadence(Some(95))),
        Edit::Step(id, 0, StepChange::Cue("Go!".to_owned())),
        Edit::Description("Hard".to_owned()),
        Edit::Remove(id),
    ];
    for edit in edits {
        design.edit(edit);
        states.push(design.plan().clone());
    }
    for state in states.iter().rev().skip(1) {
        design.undo();
        assert_eq!(design.plan(), state);
    }
    for state in states.iter().skip(1) {
        design.redo();
        assert_eq!(design.plan(), state);
    }
    assert!(!design.can_redo());
    while design.can_undo() {
        design.undo();
    }
    assert_eq!(design.plan(), &Plan::default());
}

#[test]
fn an_interval_changes_its_kind_and_gets_a_target_that_suits_it() {
    let mut design = design();
    let [warm_up, set] = [0, 1].map(|at| design.plan().blocks[at].id);
    let mut change = |id, kind| {
        design.edit(Edit::Step(id, 0, StepChange::Kind(kind)));
        let blocks = &design.plan().blocks;
        let block = blocks.iter().find(|block| block.id == id).unwrap();
        assert!(design.workout().is_ok());
        (block.steps[0].interval.target, block.steps[0].is_ramp())
    };
    assert_eq!(
        change(warm_up, IntervalKind::Steady),
        (Target::steady(0.45), false)
    );
    assert_eq!(
        change(warm_up, IntervalKind::Ramp),
        (Target::steady(0.45), true)
    );
    assert_eq!(change(set, IntervalKind::FreeRide), (Target::Free, false));
    assert_eq!(change(set, IntervalKind::MaxEffort), (Target::Max, false));
    assert_eq!(
        change(set, IntervalKind::Work),
        (Target::steady(0.70), false)
    );
}

#[test]
fn cues_are_shown_at_any_time_of_an_interval() {
    let mut design = design();
    let id = design.plan().blocks[1].id;
    let mut change = |change| design.edit(Edit::Step(id, 0, change));
    change(StepChange::Cue("Go".to_owned()));
    change(StepChange::AddCue);
    change(StepChange::CueText(1, "Half".to_owned()));
    change(StepChange::AddCue);
    change(StepChange::CueAt(2, seconds(999)));
    change(StepChange::CueText(2, "End".to_owned()));
    change(StepChange::AddCue);
    let workout = design.workout().unwrap();
    let cues = workout
        .cues()
        .iter()
        .map(|cue| (cue.at.as_secs(), cue.text.as_str()));
    let cues: Vec<_> = cues.take(4).collect();
    // The last one has no text and is not shown.
    assert_eq!(
        cues,
        [(600, "Go"), (720, "Half"), (839, "End"), (960, "Go")]
    );
    design.edit(Edit::Step(id, 0, StepChange::RemoveCue(1)));
    design.edit(Edit::Step(id, 0, StepChange::Name("Hill".to_owned())));
    let workout = design.workout().unwrap();
    assert_eq!(workout.cues().len(), 8);
    assert_eq!(workout.intervals()[1].name, "Hill");
}

#[test]
fn an_edit_after_an_undo_ends_the_redo() {
    let mut design = design();
    design.undo();
    assert!(design.can_redo());
    design.edit(Edit::Add(NewBlock::Tempo));
    assert!(!design.can_redo());
}

#[test]
fn values_are_kept_within_their_limits() {
    let mut design = design();
    let id = design.plan().blocks[1].id;
    for change in [
        StepChange::From(9.0),
        StepChange::Duration(Duration::ZERO),
        StepChange::Cadence(Some(999)),
    ] {
        design.edit(Edit::Step(id, 0, change));
    }
    design.edit(Edit::Times(id, 0));
    let block = &design.plan().blocks[1];
    assert_eq!(block.times, 1);
    assert_eq!(block.steps[0].interval.target, Target::steady(MAX_FRACTION));
    assert_eq!(block.steps[0].interval.duration, seconds(1));
    assert_eq!(block.steps[0].interval.cadence, Some(MAX_CADENCE));
    design.edit(Edit::Step(id, 0, StepChange::From(f32::NAN)));
    assert_eq!(
        design.plan().blocks[1].steps[0].interval.target,
        Target::steady(0.0)
    );
    design.edit(Edit::Step(99, 0, StepChange::From(1.0)));
    design.edit(Edit::Step(id, 9, StepChange::From(1.0)));
}

#[test]
fn the_ends_of_a_ramp_are_edited_apart_and_those_of_a_steady_interval_together() {
    let mut design = design();
    let [warm_up, set] = [0, 1].map(|at| design.plan().blocks[at].id);
    design.edit(Edit::Step(warm_up, 0, StepChange::From(0.5)));
    design.edit(Edit::Step(set, 0, StepChange::From(0.9)));
    let target = |at: usize| design.plan().blocks[at].steps[0].interval.target;
    assert_eq!(
        target(0),
        Target::Power {
            from: 0.5,
            to: 0.75
        }
    );
    assert_eq!(target(1), Target::steady(0.9));
}

#[test]
fn a_workout_is_folded_into_blocks_and_comes_back_unchanged() {
    for built_in in library::all() {
        let design = Design::of(&built_in.workout);
        assert_eq!(design.workout().unwrap(), built_in.workout);
        assert!(!design.can_undo());
    }
    let mut written = design();
    written.edit(Edit::Add(NewBlock::FreeRide));
    let folded = Design::of(&written.workout().unwrap());
    assert_eq!(kinds(&folded), kinds(&written));
}

#[test]
fn a_design_beyond_a_limit_says_so_when_it_is_made_a_workout() {
    let mut design = Design::default();
    for _ in 0..30 {
        design.edit(Edit::Add(NewBlock::Repeat));
        let id = design.plan().blocks.last().unwrap().id;
        design.edit(Edit::Times(id, MAX_TIMES));
    }
    assert!(matches!(
        design.workout(),
        Err(WorkoutError::TooManyIntervals | WorkoutError::TooLong)
    ));
    for _ in 0..2 * MAX_BLOCKS {
        design.edit(Edit::Add(NewBlock::Tempo));
    }
    assert_eq!(design.plan().blocks.len(), MAX_BLOCKS);
}

fn any_edit() -> impl Strategy<Value = Edit> {
    let id = 0_u32..8;
    let change = prop_oneof![
        (0_u64..10_000).prop_map(|time| StepChange::Duration(seconds(time))),
        any::<f32>().prop_map(StepChange::From),
        any::<f32>().prop_map(StepChange::To),
        proptest::option::of(any::<u16>()).prop_map(StepChange::Cadence),
        "[a-z ]{0,9}".prop_map(StepChange::Cue),
        "[a-z ]{0,9}".prop_map(StepChange::Name),
        Just(StepChange::AddCue),
        (0_usize..4, 0_u64..900).prop_map(|(cue, at)| StepChange::CueAt(cue, seconds(at))),
        (0_usize..4, "[a-z ]{0,9}").prop_map(|(cue, text)| StepChange::CueText(cue, text)),
        (0_usize..4).prop_map(StepChange::RemoveCue),
        (0_usize..8).prop_map(|kind| StepChange::Kind(IntervalKind::ALL[kind])),
    ];
    prop_oneof![
        (0_usize..10).prop_map(|kind| Edit::Add(NewBlock::ALL[kind])),
        id.clone().prop_map(Edit::Remove),
        id.clone().prop_map(Edit::Duplicate),
        (id.clone(), 0_usize..9).prop_map(|(id, to)| Edit::Move(id, to)),
        (id.clone(), any::<u16>()).prop_map(|(id, times)| Edit::Times(id, times)),
        (id, 0_usize..3, change).prop_map(|(id, step, change)| Edit::Step(id, step, change)),
    ]
}

proptest! {
    #[test]
    fn undoing_everything_leads_back_to_the_beginning(edits in prop::collection::vec(any_edit(), 0..60)) {
        let mut design = design();
        let before = design.plan().clone();
        let done = design.done.len();
        for edit in edits {
            design.edit(edit);
            if let Ok(workout) = design.workout() {
                prop_assert_eq!(Design::of(&workout).workout(), Ok(workout));
            }
        }
        let after = design.plan().clone();
        while design.done.len() > done {
            design.undo();
        }
        prop_assert_eq!(design.plan(), &before);
        while design.can_redo() {
            design.redo();
        }
        prop_assert_eq!(design.plan(), &after);
    }
}
