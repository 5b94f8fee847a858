use super::*;
use crate::trainer::{ControlRefusal, TrainerEvent};

const REQUEST_CONTROL: &[u8] = &[0x00];
const CONTROL_GRANTED: &[u8] = &[0x80, 0x00, 0x01];
const TARGET_SET: &[u8] = &[0x80, 0x05, 0x01];
/// 97 W and 61 rpm, from a real trainer.
const BIKE_DATA: &[u8] = &[
    0xfe, 0x02, 0x71, 0x07, 0x17, 0x07, 0x7a, 0x00, 0x7a, 0x00, 0x05, 0x00, 0x00, 0x14, 0x00, 0x61,
    0x00, 0x61, 0x00, 0x00,
];
const BIKE_READING: Reading = Reading {
    power: Some(97),
    cadence: Some(61),
    heart_rate: None,
};

/// Profile on virtual time.
struct Harness {
    profile: FtmsProfile,
    now: Moment,
}

impl Harness {
    fn new() -> Self {
        Self {
            profile: FtmsProfile::new(),
            now: Moment::ZERO + Duration::from_secs(10),
        }
    }

    /// Trainer with a range of 50 to 800 W that is connected and has granted control.
    fn controllable() -> Self {
        let mut trainer = Self::new();
        trainer.value(SUPPORTED_POWER_RANGE, &[50, 0, 0x20, 0x03, 1, 0]);
        trainer.handle(TrainerInput::Connected);
        trainer.value(CONTROL_POINT, CONTROL_GRANTED);
        trainer
    }

    fn handle(&mut self, input: TrainerInput) -> Vec<TrainerOutput> {
        self.profile.handle(self.now, input);
        core::iter::from_fn(|| self.profile.poll_output()).collect()
    }

    fn value(&mut self, characteristic: Uuid, bytes: &[u8]) -> Vec<TrainerOutput> {
        let bytes = bytes.to_vec();
        self.handle(TrainerInput::Value {
            characteristic,
            bytes,
        })
    }

    fn set_target(&mut self, watts: u16) -> Vec<TrainerOutput> {
        self.handle(TrainerInput::SetTarget(Some(watts)))
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Waits for the next timeout.
    fn time_out(&mut self) -> Vec<TrainerOutput> {
        self.now = self.profile.poll_timeout().expect("a timeout");
        self.handle(TrainerInput::Timeout)
    }
}

fn write(bytes: &[u8]) -> TrainerOutput {
    TrainerOutput::Write {
        characteristic: CONTROL_POINT,
        bytes: bytes.to_vec(),
    }
}

fn power(watts: u16) -> TrainerOutput {
    let [low, high] = watts.to_le_bytes();
    write(&[0x05, low, high])
}

const fn event(event: TrainerEvent) -> TrainerOutput {
    TrainerOutput::Event(event)
}

#[test]
fn answers_are_subscribed_to_before_the_first_command_is_written() {
    let subscribed = |uuid: Uuid| {
        let mut characteristics = SPEC.characteristics.iter();
        characteristics.any(|characteristic| {
            characteristic.uuid == uuid && characteristic.access == CharacteristicAccess::Subscribe
        })
    };
    assert!([CONTROL_POINT, INDOOR_BIKE_DATA, STATUS].map(subscribed) == [true; 3]);
    let mut trainer = Harness::new();
    assert_eq!(trainer.set_target(200), []);
    let outputs = trainer.handle(TrainerInput::Connected);
    assert_eq!(outputs, [write(REQUEST_CONTROL)]);
}

#[test]
fn only_bike_data_and_the_control_point_are_required() {
    let required = SPEC.characteristics.iter().filter(|one| one.required);
    let required: Vec<Uuid> = required.map(|one| one.uuid).collect();
    assert_eq!(required, [CONTROL_POINT, INDOOR_BIKE_DATA]);
}

#[test]
fn the_target_is_set_as_soon_as_control_is_granted() {
    let mut trainer = Harness::new();
    trainer.handle(TrainerInput::Connected);
    trainer.set_target(210);
    assert_eq!(
        trainer.value(CONTROL_POINT, CONTROL_GRANTED),
        [event(TrainerEvent::Controllable), power(210)]
    );
    assert_eq!(trainer.value(CONTROL_POINT, TARGET_SET), []);
    assert_eq!(trainer.profile.poll_timeout(), None);
}

#[test]
fn targets_are_limited_to_the_range_that_was_read() {
    let mut trainer = Harness::controllable();
    assert_eq!(trainer.set_target(3_000), [power(800)]);
    trainer.value(CONTROL_POINT, TARGET_SET);
    assert_eq!(trainer.set_target(0), [power(50)]);
}

#[test]
fn an_invalid_range_is_ignored() {
    let mut trainer = Harness::new();
    trainer.value(SUPPORTED_POWER_RANGE, &[1, 2, 3]);
    trainer.handle(TrainerInput::Connected);
    trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    assert_eq!(trainer.set_target(3_000), [power(2_000)]);
}

#[test]
fn the_range_of_an_earlier_connection_is_forgotten() {
    let mut trainer = Harness::controllable();
    trainer.handle(TrainerInput::Disconnected);
    trainer.handle(TrainerInput::Connected);
    trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    assert_eq!(trainer.set_target(1_000), [power(1_000)]);
}

#[test]
fn bike_data_gives_a_reading() {
    let mut trainer = Harness::controllable();
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert_eq!(outputs, [TrainerOutput::Reading(BIKE_READING)]);
}

#[test]
fn fields_that_a_notification_leaves_out_keep_their_values() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    // Power of 250 W only.
    let outputs = trainer.value(INDOOR_BIKE_DATA, &[0x41, 0x00, 0xfa, 0x00]);
    let reading = Reading {
        power: Some(250),
        ..BIKE_READING
    };
    assert_eq!(outputs, [TrainerOutput::Reading(reading)]);
}

#[test]
fn a_truncated_notification_is_ignored() {
    let mut trainer = Harness::controllable();
    assert_eq!(trainer.value(INDOOR_BIKE_DATA, &BIKE_DATA[..6]), []);
    assert_eq!(trainer.profile.poll_timeout(), None);
}

#[test]
fn a_reading_expires_three_seconds_after_the_last_notification() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    trainer.wait(Duration::from_secs(2));
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    let last = trainer.now;
    let expired = TrainerOutput::Reading(Reading::default());
    assert_eq!(trainer.time_out(), [expired]);
    assert_eq!(trainer.now, last + READING_TIMEOUT);
    assert_eq!(trainer.profile.poll_timeout(), None);
}

#[test]
fn an_expired_reading_does_not_fill_a_later_notification() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    // The timeout comes late, after the next notification.
    trainer.wait(Duration::from_secs(60));
    let outputs = trainer.value(INDOOR_BIKE_DATA, &[0x41, 0x00, 0xfa, 0x00]);
    let reading = Reading {
        power: Some(250),
        ..Reading::default()
    };
    let expected = [Reading::default(), reading].map(TrainerOutput::Reading);
    assert_eq!(outputs, expected);
}

#[test]
fn a_rejected_target_is_reported_and_readings_go_on() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    let refused = event(TrainerEvent::Refused(ControlRefusal::Unsupported));
    assert_eq!(trainer.value(CONTROL_POINT, &[0x80, 0x05, 0x02]), [refused]);
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert_eq!(outputs, [TrainerOutput::Reading(BIKE_READING)]);
}

#[test]
fn control_that_another_app_takes_is_requested_again() {
    let mut trainer = Harness::controllable();
    let outputs = trainer.value(STATUS, &[0xff]);
    let lost = event(TrainerEvent::ControlLost);
    assert_eq!(outputs, [lost, write(REQUEST_CONTROL)]);
}

#[test]
fn a_failed_write_is_repeated() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    let failed = TrainerInput::Written {
        characteristic: CONTROL_POINT,
        ok: false,
    };
    assert_eq!(trainer.handle(failed), []);
    assert_eq!(trainer.time_out(), [power(100)]);
}

#[test]
fn a_trainer_that_does_not_answer_is_reported_after_three_attempts() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    let begin = trainer.now;
    let mut outputs = vec![];
    while !outputs.contains(&event(TrainerEvent::NotAnswering)) {
        outputs.extend(trainer.time_out());
    }
    let expected = [power(100), power(100), event(TrainerEvent::NotAnswering)];
    assert_eq!(outputs, expected);
    // Three attempts of 3 s, and two delays of 1 s between them.
    assert_eq!(trainer.now, begin + Duration::from_secs(11));
}

#[test]
fn a_disconnection_ends_the_reading_and_is_reported_once() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    let outputs = trainer.handle(TrainerInput::Disconnected);
    let expired = TrainerOutput::Reading(Reading::default());
    let expected = [expired, event(TrainerEvent::Disconnected)];
    assert_eq!(outputs, expected);
    assert_eq!(trainer.handle(TrainerInput::Disconnected), []);
    assert_eq!(trainer.profile.poll_timeout(), None);
}

#[test]
fn a_trainer_that_is_connected_again_gets_the_newest_target() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    trainer.handle(TrainerInput::Disconnected);
    assert_eq!(trainer.set_target(140), []);
    let outputs = trainer.handle(TrainerInput::Connected);
    assert_eq!(outputs, [write(REQUEST_CONTROL)]);
    let granted = [event(TrainerEvent::Controllable), power(140)];
    assert_eq!(trainer.value(CONTROL_POINT, CONTROL_GRANTED), granted);
}

#[test]
fn values_of_unknown_characteristics_are_ignored() {
    let mut trainer = Harness::controllable();
    assert_eq!(trainer.value(Uuid::from_u16(0x2a37), &[0, 60]), []);
}
