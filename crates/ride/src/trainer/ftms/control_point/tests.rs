use super::*;

const CONTROL: [u8; 1] = [0x00];
const GRANTED: [u8; 3] = [0x80, 0x00, 0x01];
const DONE: [u8; 3] = [0x80, 0x05, 0x01];

/// Control point on virtual time.
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

    /// Trainer that is connected and has granted control.
    fn ready() -> Self {
        let mut trainer = Self::new();
        trainer.after(ControlInput::Connected { range: None });
        trainer.after(ControlInput::Indication(GRANTED.to_vec()));
        trainer
    }

    fn after(&mut self, input: ControlInput) -> Vec<ControlOutput> {
        self.machine.handle(self.now, input);
        core::iter::from_fn(|| self.machine.poll_output()).collect()
    }

    fn target(&mut self, watts: u16) -> Vec<ControlOutput> {
        self.after(ControlInput::Target(Some(watts)))
    }

    fn indicated(&mut self, bytes: [u8; 3]) -> Vec<ControlOutput> {
        self.after(ControlInput::Indication(bytes.to_vec()))
    }

    fn sleep(&mut self) -> Vec<ControlOutput> {
        self.now = self.machine.poll_timeout().expect("something to wait for");
        self.after(ControlInput::Timeout)
    }
}

fn write(bytes: &[u8]) -> Vec<ControlOutput> {
    vec![ControlOutput::Write(bytes.to_vec())]
}

fn power(watts: u16) -> Vec<ControlOutput> {
    let [low, high] = watts.to_le_bytes();
    write(&[0x05, low, high])
}

fn emits(event: TrainerEvent) -> Vec<ControlOutput> {
    vec![ControlOutput::Event(event)]
}

#[test]
fn control_is_requested_before_any_target() {
    let mut trainer = Trainer::new();
    assert_eq!(trainer.target(200), []);
    assert_eq!(
        trainer.after(ControlInput::Connected { range: None }),
        write(&CONTROL)
    );
    assert_eq!(trainer.target(210), []);
    assert_eq!(trainer.after(ControlInput::Written(true)), []);
    let granted = [emits(TrainerEvent::Controllable), power(210)].concat();
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
fn a_target_that_is_set_is_not_written_again() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.indicated(DONE);
    assert_eq!(trainer.target(100), []);
}

#[test]
fn every_target_is_clamped_to_the_trainers_range() {
    let range = PowerRange::parse(&[50, 0, 0x20, 0x03, 1, 0]).ok();
    let mut trainer = Trainer::new();
    trainer.after(ControlInput::Connected { range });
    trainer.indicated(GRANTED);
    assert_eq!(trainer.target(3_000), power(800));
    assert_eq!(trainer.target(0), []);
    assert_eq!(trainer.indicated(DONE), power(50));
}

#[test]
fn without_a_target_the_trainer_simulates_a_flat_road() {
    let mut trainer = Trainer::ready();
    assert_eq!(trainer.after(ControlInput::Target(None)), write(&FLAT_ROAD));
    assert_eq!(trainer.indicated([0x80, 0x11, 0x01]), []);
    assert_eq!(trainer.target(150), power(150));
}

#[test]
fn an_operation_without_an_answer_times_out_and_the_newest_target_is_tried_again() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.target(120);
    assert_eq!(
        trainer.machine.poll_timeout(),
        Some(Moment::ZERO + ANSWER_TIMEOUT)
    );
    assert_eq!(trainer.sleep(), []);
    assert_eq!(trainer.now, Moment::ZERO + ANSWER_TIMEOUT);
    assert_eq!(trainer.sleep(), power(120));
    assert_eq!(trainer.now, Moment::ZERO + ANSWER_TIMEOUT + RETRY_DELAY);
}

#[test]
fn an_early_timeout_changes_nothing() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.now = Moment::ZERO + (ANSWER_TIMEOUT - Duration::from_millis(1));
    assert_eq!(trainer.after(ControlInput::Timeout), []);
    assert_eq!(trainer.indicated(DONE), []);
    assert_eq!(trainer.machine.poll_timeout(), None);
}

#[test]
fn an_answer_to_another_operation_does_not_end_the_current_one() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    for late in [GRANTED, [0x80, 0x11, 0x01], [0x81, 0x05, 0x01]] {
        assert_eq!(trainer.indicated(late), []);
    }
    assert_eq!(trainer.target(120), []);
    assert_eq!(trainer.after(ControlInput::Indication(vec![0x80])), []);
    assert_eq!(trainer.indicated(DONE), power(120));
}

#[test]
fn a_failed_write_is_repeated_after_a_delay() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    assert_eq!(trainer.after(ControlInput::Written(false)), []);
    assert_eq!(trainer.target(110), []);
    assert_eq!(trainer.sleep(), power(110));
}

#[test]
fn a_trainer_that_never_answers_is_reported_and_control_is_requested_again() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    let mut outputs = vec![];
    for _ in 0..6 {
        outputs.extend(trainer.sleep());
    }
    let expected = [
        power(100),
        power(100),
        emits(TrainerEvent::NotAnswering),
        write(&CONTROL),
    ]
    .concat();
    assert_eq!(outputs, expected);
    assert_eq!(
        trainer.indicated(GRANTED),
        [emits(TrainerEvent::Controllable), power(100)].concat()
    );
}

#[test]
fn control_that_another_app_has_taken_is_requested_again_and_the_target_set_again() {
    for lost in [
        ControlInput::Status(vec![0xff]),
        ControlInput::Indication(vec![0x80, 0x05, 0x05]),
    ] {
        let mut trainer = Trainer::ready();
        trainer.target(100);
        assert_eq!(
            trainer.after(lost),
            [emits(TrainerEvent::ControlLost), write(&CONTROL)].concat()
        );
        assert_eq!(
            trainer.indicated(GRANTED),
            [emits(TrainerEvent::Controllable), power(100)].concat()
        );
    }
}

#[test]
fn other_statuses_are_ignored() {
    let mut trainer = Trainer::ready();
    assert_eq!(trainer.after(ControlInput::Status(vec![0x08, 100, 0])), []);
    assert_eq!(trainer.after(ControlInput::Status(vec![])), []);
}

#[test]
fn a_rejected_target_is_reported_and_not_tried_again() {
    for (code, reason) in [
        (2, ControlRefusal::Unsupported),
        (3, ControlRefusal::BadParameter),
        (4, ControlRefusal::Failed),
        (9, ControlRefusal::Failed),
    ] {
        let mut trainer = Trainer::ready();
        trainer.target(100);
        assert_eq!(
            trainer.indicated([0x80, 0x05, code]),
            emits(TrainerEvent::Refused(reason))
        );
        assert_eq!(trainer.target(100), []);
        assert_eq!(trainer.target(120), power(120));
    }
}

#[test]
fn a_trainer_that_is_connected_again_gets_the_newest_target() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    assert_eq!(
        trainer.after(ControlInput::Disconnected),
        emits(TrainerEvent::Disconnected)
    );
    assert_eq!(trainer.machine.poll_timeout(), None);
    assert_eq!(trainer.after(ControlInput::Disconnected), []);
    assert_eq!(trainer.target(140), []);
    assert_eq!(trainer.indicated(DONE), []);
    assert_eq!(
        trainer.after(ControlInput::Connected { range: None }),
        write(&CONTROL)
    );
    assert_eq!(
        trainer.indicated(GRANTED),
        [emits(TrainerEvent::Controllable), power(140)].concat()
    );
}
