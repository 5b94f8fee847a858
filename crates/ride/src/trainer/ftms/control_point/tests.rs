use super::*;

const CONTROL: [u8; 1] = [0x00];
const GRANTED: [u8; 3] = [0x80, 0x00, 0x01];
const DONE: [u8; 3] = [0x80, 0x05, 0x01];
const CONNECTED: ControlInput = ControlInput::Connected {
    range: None,
    resistance: None,
    capabilities: Capabilities::ALL,
};

/// Control point on virtual time.
struct Trainer {
    machine: ControlPoint,
    now: Moment,
}

impl Trainer {
    fn new() -> Self {
        Self {
            machine: ControlPoint {
                data_flows: true,
                ..ControlPoint::default()
            },
            now: Moment::ZERO,
        }
    }

    /// Trainer that is connected and has granted control.
    fn ready() -> Self {
        let mut trainer = Self::new();
        trainer.after(CONNECTED);
        trainer.after(ControlInput::Indication(GRANTED.to_vec()));
        trainer
    }

    fn after(&mut self, input: ControlInput) -> Vec<ControlOutput> {
        self.machine.handle(self.now, input);
        core::iter::from_fn(|| self.machine.poll_output()).collect()
    }

    fn target(&mut self, watts: u16) -> Vec<ControlOutput> {
        self.after(ControlInput::Load(Load::Power(watts)))
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

fn emits(event: ProfileEvent) -> Vec<ControlOutput> {
    vec![ControlOutput::Event(event)]
}

fn uncontrolled(problem: ControlProblem) -> Vec<ControlOutput> {
    emits(ProfileEvent::Uncontrolled(problem))
}

fn controllable() -> Vec<ControlOutput> {
    emits(ProfileEvent::Controllable)
}

#[test]
fn control_is_requested_before_any_target() {
    let mut trainer = Trainer::new();
    assert_eq!(trainer.target(200), []);
    assert_eq!(trainer.after(CONNECTED), write(&CONTROL));
    assert_eq!(trainer.target(210), []);
    assert_eq!(trainer.after(ControlInput::Written(true)), []);
    let granted = [controllable(), power(210)].concat();
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
    trainer.after(ControlInput::Connected {
        range,
        resistance: None,
        capabilities: Capabilities::ALL,
    });
    trainer.indicated(GRANTED);
    assert_eq!(trainer.target(3_000), power(800));
    assert_eq!(trainer.target(0), []);
    assert_eq!(trainer.indicated(DONE), power(50));
}

#[test]
fn without_a_target_the_trainer_simulates_a_flat_road() {
    let mut trainer = Trainer::ready();
    assert_eq!(
        trainer.after(ControlInput::Load(Load::FREE)),
        write(&command::road(0))
    );
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
        uncontrolled(ControlProblem::NoAnswer),
        write(&CONTROL),
    ]
    .concat();
    assert_eq!(outputs, expected);
    // Control is worth nothing until a target is confirmed.
    assert_eq!(trainer.indicated(GRANTED), power(100));
    assert_eq!(trainer.indicated(DONE), controllable());
    assert_eq!(trainer.machine.poll_timeout(), None);
}

#[test]
fn silence_of_the_whole_device_is_not_blamed_on_the_target() {
    let mut trainer = Trainer::ready();
    trainer.machine.data_flows = false;
    trainer.target(100);
    for _ in 0..20 {
        let outputs = trainer.sleep();
        assert!(
            !outputs
                .iter()
                .any(|it| matches!(it, ControlOutput::Event(_)))
        );
    }
    trainer.machine.data_flows = true;
    let mut outputs = vec![];
    while outputs.is_empty() {
        outputs = trainer.sleep();
        outputs.retain(|it| matches!(it, ControlOutput::Event(_)));
    }
    assert_eq!(outputs, uncontrolled(ControlProblem::NoAnswer));
}

#[test]
fn a_trainer_that_never_answers_is_asked_less_and_less_and_reported_once() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    let (mut reports, mut written) = (0, vec![]);
    while written.len() < 9 {
        for output in trainer.sleep() {
            match output {
                ControlOutput::Event(_) => reports += 1,
                ControlOutput::Write(bytes) if bytes == CONTROL => {
                    trainer.indicated(GRANTED);
                    written.push(trainer.now);
                }
                ControlOutput::Write(_) => written.push(trainer.now),
            }
        }
    }
    assert_eq!(reports, 1);
    let pauses = written.windows(2).map(|pair| (pair[1] - pair[0]).as_secs());
    let pauses: Vec<u64> = pauses.collect();
    assert_eq!(pauses, [4, 7, 11, 19, 33, 33, 33, 33]);
}

#[test]
fn a_trainer_that_announces_no_target_power_is_asked_once_and_believed_if_it_obeys() {
    let connect = |trainer: &mut Trainer| {
        trainer.after(ControlInput::Connected {
            range: None,
            resistance: None,
            capabilities: Capabilities {
                power: false,
                ..Capabilities::ALL
            },
        })
    };
    let unsupported = uncontrolled(ControlProblem::Unsupported);
    let mut silent = Trainer::new();
    assert_eq!(
        connect(&mut silent),
        [unsupported.clone(), write(&CONTROL)].concat()
    );
    assert_eq!(silent.indicated(GRANTED), []);
    assert_eq!(silent.target(100), power(100));
    assert_eq!(silent.sleep(), uncontrolled(ControlProblem::NoAnswer));
    let mut obedient = Trainer::new();
    connect(&mut obedient);
    obedient.indicated(GRANTED);
    obedient.target(100);
    assert_eq!(obedient.indicated(DONE), controllable());
}

#[test]
fn an_answer_after_the_time_limit_counts() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.sleep();
    assert_eq!(trainer.indicated(DONE), []);
    assert_eq!(trainer.machine.poll_timeout(), None);
    assert_eq!(trainer.target(100), []);
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
            [uncontrolled(ControlProblem::NotPermitted), write(&CONTROL)].concat()
        );
        assert_eq!(
            trainer.indicated(GRANTED),
            [controllable(), power(100)].concat()
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
fn a_rejected_target_is_reported_and_tried_again_until_it_is_set() {
    for (code, problem) in [
        (2, ControlProblem::Unsupported),
        (3, ControlProblem::Rejected),
        (4, ControlProblem::Rejected),
        (9, ControlProblem::Rejected),
    ] {
        let mut trainer = Trainer::ready();
        let rejected = [0x80, 0x05, code];
        trainer.target(100);
        assert_eq!(trainer.indicated(rejected), uncontrolled(problem));
        let begin = trainer.now;
        for seconds in [1, 2, 6, 14, 30, 60, 90] {
            assert_eq!(trainer.sleep(), power(100));
            assert_eq!((trainer.now - begin).as_secs(), seconds);
            assert_eq!(trainer.indicated(rejected), [], "reported once");
        }
        trainer.sleep();
        assert_eq!(trainer.indicated(DONE), controllable());
        assert_eq!(trainer.machine.poll_timeout(), None);
    }
}

#[test]
fn a_new_target_is_tried_at_once_after_a_rejection() {
    let mut trainer = Trainer::ready();
    for watts in [100, 110, 120] {
        assert_eq!(trainer.target(watts), power(watts));
        trainer.indicated([0x80, 0x05, 0x04]);
        assert_eq!(trainer.target(watts), []);
    }
    assert_eq!(trainer.target(130), power(130));
    assert_eq!(trainer.indicated(DONE), controllable());
}

#[test]
fn the_earlier_target_is_set_again_after_a_rejected_one() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.indicated(DONE);
    trainer.target(2_000);
    trainer.indicated([0x80, 0x05, 0x03]);
    assert_eq!(trainer.target(100), power(100));
    assert_eq!(trainer.indicated(DONE), controllable());
}

#[test]
fn success_that_follows_a_rejection_of_the_same_operation_is_believed() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.indicated([0x80, 0x05, 0x02]);
    assert_eq!(trainer.indicated(DONE), controllable());
    assert_eq!(trainer.machine.poll_timeout(), None);
}

#[test]
fn a_trainer_that_gives_control_and_permits_no_target_is_not_asked_without_pause() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    let not_permitted = [0x80, 0x05, 0x05];
    trainer.indicated(not_permitted);
    trainer.indicated(GRANTED);
    let reported = uncontrolled(ControlProblem::NotPermitted);
    assert_eq!(trainer.indicated(not_permitted), reported);
    assert_eq!(trainer.sleep(), write(&CONTROL));
    assert_eq!(trainer.indicated(GRANTED), power(100));
    assert_eq!(trainer.indicated(DONE), controllable());
}

#[test]
fn control_that_is_not_given_is_reported_and_requested_again() {
    let mut trainer = Trainer::new();
    trainer.target(100);
    trainer.after(CONNECTED);
    let reported = uncontrolled(ControlProblem::NotPermitted);
    assert_eq!(trainer.indicated([0x80, 0x00, 0x04]), reported);
    assert_eq!(trainer.sleep(), write(&CONTROL));
    assert_eq!(
        trainer.indicated(GRANTED),
        [controllable(), power(100)].concat()
    );
}

#[test]
fn a_trainer_without_simulation_is_reset_for_riding_without_a_target() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.indicated(DONE);
    assert_eq!(
        trainer.after(ControlInput::Load(Load::FREE)),
        write(&command::road(0))
    );
    assert_eq!(trainer.indicated([0x80, 0x11, 0x02]), write(&[RESET]));
    // A reset ends the control.
    assert_eq!(trainer.indicated([0x80, 0x01, 0x01]), write(&CONTROL));
    assert_eq!(trainer.indicated(GRANTED), controllable());
    assert_eq!(trainer.target(150), power(150));
    trainer.indicated(DONE);
    assert_eq!(
        trainer.after(ControlInput::Load(Load::FREE)),
        write(&[RESET])
    );
}

#[test]
fn a_machine_is_started_once_when_it_sends_nothing() {
    let mut trainer = Trainer::ready();
    trainer.machine.data_flows = false;
    assert_eq!(trainer.after(ControlInput::Start), write(&[START]));
    assert_eq!(trainer.target(100), []);
    // Many trainers do not know the operation.
    assert_eq!(trainer.indicated([0x80, 0x07, 0x02]), power(100));
}

#[test]
fn the_release_is_written_at_once_and_the_target_set_again_if_the_trainer_stays() {
    let mut trainer = Trainer::ready();
    assert_eq!(trainer.after(ControlInput::Release), [], "no target is set");
    trainer.target(100);
    trainer.indicated(DONE);
    trainer.target(120);
    assert_eq!(
        trainer.after(ControlInput::Release),
        write(&command::road(0))
    );
    assert_eq!(trainer.after(ControlInput::Release), [], "once");
    assert_eq!(trainer.indicated(DONE), [], "the answer to the target");
    assert_eq!(trainer.indicated([0x80, 0x11, 0x01]), power(120));
}

#[test]
fn nothing_is_released_after_the_end_of_the_targets() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    trainer.indicated(DONE);
    trainer.after(ControlInput::Load(Load::FREE));
    trainer.indicated([0x80, 0x11, 0x01]);
    assert_eq!(trainer.after(ControlInput::Release), []);
}

#[test]
fn a_trainer_that_is_connected_again_gets_the_newest_target() {
    let mut trainer = Trainer::ready();
    trainer.target(100);
    assert_eq!(trainer.after(ControlInput::Disconnected), []);
    assert_eq!(trainer.machine.poll_timeout(), None);
    assert_eq!(trainer.target(140), []);
    assert_eq!(trainer.indicated(DONE), []);
    assert_eq!(trainer.after(CONNECTED), write(&CONTROL));
    assert_eq!(
        trainer.indicated(GRANTED),
        [controllable(), power(140)].concat()
    );
}

#[test]
fn a_trainer_that_wants_a_reset_first_is_reset_once() {
    let mut trainer = Trainer::new();
    assert_eq!(trainer.after(CONNECTED), write(&CONTROL));
    let refused = [0x80, 0x00, 0x05];
    let told = uncontrolled(ControlProblem::NotPermitted);
    assert_eq!(trainer.indicated(refused), told);
    assert_eq!(trainer.sleep(), write(&CONTROL));
    assert_eq!(trainer.indicated(refused), []);
    assert_eq!(trainer.sleep(), write(&[RESET]));
    assert_eq!(trainer.indicated([0x80, 0x01, 0x01]), write(&CONTROL));
    assert_eq!(trainer.indicated(GRANTED), controllable());

    // One that refuses all the same is not reset again and again.
    let mut stubborn = Trainer::new();
    stubborn.after(CONNECTED);
    let mut resets = 0;
    for _ in 0..12 {
        let written = stubborn.sleep();
        resets += written
            .iter()
            .filter(|it| **it == write(&[RESET])[0])
            .count();
        stubborn.indicated(refused);
    }
    assert_eq!(resets, 1);
}
