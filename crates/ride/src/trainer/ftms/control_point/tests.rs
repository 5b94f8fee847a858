use super::*;

const CONTROL: [u8; 1] = [0x00];
const GRANTED: [u8; 3] = [0x80, 0x00, 0x01];
const DONE: [u8; 3] = [0x80, 0x05, 0x01];

/// A machine on virtual time, and what it has put out.
struct Trainer {
    machine: ControlPoint,
    now: Moment,
}

impl Trainer {
    fn new() -> Self {
        Self {
            machine: ControlPoint::new(),
            now: Moment::ZERO,
        }
    }

    /// Connected, and control granted.
    fn ready() -> Self {
        let mut trainer = Self::new();
        trainer.after(Input::Connected { range: None });
        trainer.after(Input::Indication(GRANTED.to_vec()));
        trainer
    }

    fn after(&mut self, input: Input) -> Vec<Output> {
        self.machine.handle(self.now, input);
        core::iter::from_fn(|| self.machine.poll_output()).collect()
    }

    fn target(&mut self, watts: u16) -> Vec<Output> {
        self.after(Input::Target(Some(watts)))
    }

    fn indicated(&mut self, bytes: [u8; 3]) -> Vec<Output> {
        self.after(Input::Indication(bytes.to_vec()))
    }

    fn sleep(&mut self) -> Vec<Output> {
        self.now = self.machine.poll_timeout().expect("something to wait for");
        self.after(Input::Timeout)
    }
}

fn write(bytes: &[u8]) -> Vec<Output> {
    vec![Output::Write(bytes.to_vec())]
}

fn power(watts: u16) -> Vec<Output> {
    let [low, high] = watts.to_le_bytes();
    write(&[0x05, low, high])
}

fn tells(event: Event) -> Vec<Output> {
    vec![Output::Event(event)]
}

#[test]
fn control_is_asked_for_before_any_target() {
    let mut trainer = Trainer::new();
    assert_eq!(trainer.target(200), []);
    assert_eq!(
        trainer.after(Input::Connected { range: None }),
        write(&CONTROL)
    );
    assert_eq!(trainer.target(210), []);
    assert_eq!(trainer.after(Input::Written(true)), []);
    let granted = [tells(Event::Ready), power(210)].concat();
    assert_eq!(trainer.indicated(GRANTED), granted);
}

#[test]
fn one_operation_is_in_flight_and_only_the_newest_target_waits() {
    let mut trainer = Trainer::ready();
    assert_eq!(trainer.target(100), power(100));
    for watts in [110, 120, 130] {
        assert_eq!(trainer.target(watts), []);
    }
    assert_eq!(trainer.indicated(DONE), power(130));
    assert_eq!(trainer.indicated(DONE), []);
}

#[test]
fn a_target_that_is_set_already_is_not_written_again() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.indicated(DONE);
    assert_eq!(trainer.target(100), []);
}

#[test]
fn every_target_is_clamped_to_the_trainers_range() {
    let range = PowerRange::parse(&[50, 0, 0x20, 0x03, 1, 0]).ok();
    let mut trainer = Trainer::new();
    trainer.after(Input::Connected { range });
    trainer.indicated(GRANTED);
    assert_eq!(trainer.target(3_000), power(800));
    assert_eq!(trainer.target(0), []);
    assert_eq!(trainer.indicated(DONE), power(50));
}

#[test]
fn without_a_target_the_trainer_simulates_a_flat_road() {
    let mut trainer = Trainer::ready();
    assert_eq!(trainer.after(Input::Target(None)), write(&FLAT_ROAD));
    assert_eq!(trainer.indicated([0x80, 0x11, 0x01]), []);
    assert_eq!(trainer.target(150), power(150));
}

#[test]
fn an_answer_that_does_not_come_is_given_up_and_the_newest_target_tried_again() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.target(120);
    assert_eq!(
        trainer.machine.poll_timeout(),
        Some(Moment::ZERO + ANSWER_WITHIN)
    );
    assert_eq!(trainer.sleep(), []);
    assert_eq!(trainer.now, Moment::ZERO + ANSWER_WITHIN);
    assert_eq!(trainer.sleep(), power(120));
    assert_eq!(trainer.now, Moment::ZERO + ANSWER_WITHIN + RETRY_AFTER);
}

#[test]
fn a_timeout_that_comes_too_early_changes_nothing() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.now = Moment::ZERO + (ANSWER_WITHIN - Duration::from_millis(1));
    assert_eq!(trainer.after(Input::Timeout), []);
    assert_eq!(trainer.indicated(DONE), []);
    assert_eq!(trainer.machine.poll_timeout(), None);
}

#[test]
fn an_answer_to_something_else_does_not_end_the_operation() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    for late in [GRANTED, [0x80, 0x11, 0x01], [0x81, 0x05, 0x01]] {
        assert_eq!(trainer.indicated(late), []);
    }
    assert_eq!(trainer.target(120), []);
    assert_eq!(trainer.after(Input::Indication(vec![0x80])), []);
    assert_eq!(trainer.indicated(DONE), power(120));
}

#[test]
fn a_write_that_fails_is_tried_again_a_moment_later() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    assert_eq!(trainer.after(Input::Written(false)), []);
    assert_eq!(trainer.target(110), []);
    assert_eq!(trainer.sleep(), power(110));
}

#[test]
fn a_trainer_that_never_answers_counts_as_lost_and_is_asked_for_control_again() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    let mut outputs = vec![];
    for _ in 0..6 {
        outputs.extend(trainer.sleep());
    }
    let expected = [power(100), power(100), tells(Event::Lost), write(&CONTROL)].concat();
    assert_eq!(outputs, expected);
    assert_eq!(
        trainer.indicated(GRANTED),
        [tells(Event::Ready), power(100)].concat()
    );
}

#[test]
fn control_that_another_app_took_is_asked_for_again_and_the_target_set_again() {
    for lost in [
        Input::Status(vec![0xff]),
        Input::Indication(vec![0x80, 0x05, 0x05]),
    ] {
        let mut trainer = Trainer::ready();
        trainer.target(100);
        assert_eq!(
            trainer.after(lost),
            [tells(Event::Lost), write(&CONTROL)].concat()
        );
        assert_eq!(
            trainer.indicated(GRANTED),
            [tells(Event::Ready), power(100)].concat()
        );
    }
}

#[test]
fn other_statuses_are_no_loss() {
    let mut trainer = Trainer::ready();
    assert_eq!(trainer.after(Input::Status(vec![0x08, 100, 0])), []);
    assert_eq!(trainer.after(Input::Status(vec![])), []);
}

#[test]
fn a_refusal_is_told_and_the_same_target_not_tried_again() {
    for (code, reason) in [
        (2, Refusal::Unsupported),
        (3, Refusal::BadParameter),
        (4, Refusal::Failed),
        (9, Refusal::Failed),
    ] {
        let mut trainer = Trainer::ready();
        trainer.target(100);
        assert_eq!(
            trainer.indicated([0x80, 0x05, code]),
            tells(Event::Refused { reason })
        );
        assert_eq!(trainer.target(100), []);
        assert_eq!(trainer.target(120), power(120));
    }
}

#[test]
fn a_trainer_that_drops_and_comes_back_gets_the_newest_target() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    assert_eq!(trainer.after(Input::Disconnected), tells(Event::Lost));
    assert_eq!(trainer.machine.poll_timeout(), None);
    assert_eq!(trainer.after(Input::Disconnected), []);
    assert_eq!(trainer.target(140), []);
    assert_eq!(trainer.indicated(DONE), []);
    assert_eq!(
        trainer.after(Input::Connected { range: None }),
        write(&CONTROL)
    );
    assert_eq!(
        trainer.indicated(GRANTED),
        [tells(Event::Ready), power(140)].concat()
    );
}
