use super::*;
use crate::workout::design::NewBlock;

const REACH: Point = Point {
    time: 30.0,
    power: 0.05,
};

fn at(time: f32, power: f32) -> Point {
    Point { time, power }
}

/// Warm-up of 600 s from 45 to 75 %, four times 240 s at 100 % and 120 s at 50 %, free ride of 300 s.
fn design() -> Design {
    let mut design = Design::default();
    for block in [NewBlock::Warmup, NewBlock::Repeat, NewBlock::FreeRide] {
        design.edit(Edit::Add(block));
    }
    design
}

fn grabbed(design: &Design, at: Point) -> Option<(u16, usize, Option<Handle>)> {
    let grabbed = grab(&segments(design), at, REACH);
    grabbed.map(|(segment, handle)| (segment.round, segment.step, handle))
}

#[test]
fn the_segments_are_the_intervals_of_the_workout() {
    let design = design();
    let workout = design.workout().unwrap();
    let segments = segments(&design);
    let lengths = segments.iter().map(|segment| segment.duration);
    let intervals = workout.intervals().iter().map(|interval| interval.duration);
    assert!(lengths.eq(intervals));
    assert_eq!(segments.last().unwrap().end(), workout.duration());
}

#[test]
fn a_pointer_takes_the_edge_that_it_is_near() {
    let design = design();
    assert_eq!(
        grabbed(&design, at(595.0, 0.2)),
        Some((0, 0, Some(Handle::End)))
    );
    assert_eq!(
        grabbed(&design, at(610.0, 0.2)),
        Some((0, 0, Some(Handle::End)))
    );
    assert_eq!(
        grabbed(&design, at(60.0, 0.48)),
        Some((0, 0, Some(Handle::From)))
    );
    assert_eq!(
        grabbed(&design, at(540.0, 0.72)),
        Some((0, 0, Some(Handle::To)))
    );
    // The second round of the set.
    assert_eq!(
        grabbed(&design, at(1_080.0, 1.02)),
        Some((1, 0, Some(Handle::Power)))
    );
    assert_eq!(grabbed(&design, at(1_080.0, 0.5)), Some((1, 0, None)));
    // A free ride has no power, and nothing is behind the end.
    assert_eq!(grabbed(&design, at(2_200.0, 0.6)), Some((0, 0, None)));
    assert_eq!(
        grabbed(&design, at(2_350.0, 0.6)),
        Some((0, 0, Some(Handle::End)))
    );
    assert_eq!(grabbed(&design, at(2_400.0, 0.6)), None);
}

#[test]
fn the_power_of_a_narrow_step_can_be_grabbed_as_well() {
    let mut design = Design::default();
    design.edit(Edit::Add(NewBlock::Vo2Max));
    let reach = at(500.0, 0.05);
    let grabbed = grab(&segments(&design), at(90.0, 1.15), reach);
    assert_eq!(grabbed.unwrap().1, Some(Handle::Power));
}

#[test]
fn what_is_dragged_follows_the_pointer_and_is_undone_at_once() {
    let mut design = design();
    let before = design.plan().clone();
    let (segment, handle) = grab(&segments(&design), at(840.0, 0.3), REACH).unwrap();
    for by in [5.0, 20.0, 61.0] {
        let grid = Duration::from_secs(10);
        design.drag(moved(&segment, handle.unwrap(), at(by, 0.4), grid));
    }
    design.finish_drag();
    assert_eq!(
        design.plan().blocks[1].steps[0].interval.duration.as_secs(),
        300
    );
    design.undo();
    assert_eq!(design.plan(), &before);
    design.redo();
    let (segment, handle) = grab(&segments(&design), at(60.0, 0.48), REACH).unwrap();
    let edit = moved(&segment, handle.unwrap(), at(0.0, -0.104), grid(1.0));
    design.drag(edit);
    let Target::Power { from, to } = design.plan().blocks[0].steps[0].interval.target else {
        panic!("a warm-up has a power");
    };
    assert_eq!((from, to), (0.35, 0.75));
}

#[test]
fn what_is_dragged_there_and_back_leaves_nothing_to_undo() {
    let mut design = Design::of(&design().workout().unwrap());
    let segment = segments(&design)[0];
    for by in [90.0, 0.0] {
        design.drag(moved(&segment, Handle::End, at(by, 0.0), grid(1.0)));
    }
    assert!(design.can_undo());
    design.finish_drag();
    assert!(!design.can_undo());
}

#[test]
fn nothing_is_dragged_below_its_limit() {
    let segment = segments(&design())[0];
    let far = at(-1e9, -1e9);
    let shortest = moved(&segment, Handle::End, far, grid(9.0));
    assert_eq!(
        shortest,
        Edit::Step(1, 0, StepChange::Duration(Duration::from_secs(60)))
    );
    assert_eq!(
        moved(&segment, Handle::From, far, grid(1.0)),
        Edit::Step(1, 0, StepChange::From(0.0))
    );
}
