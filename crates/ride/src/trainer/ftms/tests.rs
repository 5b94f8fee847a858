use super::*;
use crate::trainer::{Load, Reading, SILENCE_TIMEOUT};

const REQUEST_CONTROL: &[u8] = &[0x00];
const CONTROL_GRANTED: &[u8] = &[0x80, 0x00, 0x01];
const START: &[u8] = &[0x07];
const TARGET_SET: &[u8] = &[0x80, 0x05, 0x01];
/// 97 W, 61 rpm and 19.05 km/h, from a real trainer.
const BIKE_DATA: &[u8] = &[
    0xfe, 0x02, 0x71, 0x07, 0x17, 0x07, 0x7a, 0x00, 0x7a, 0x00, 0x05, 0x00, 0x00, 0x14, 0x00, 0x61,
    0x00, 0x61, 0x00, 0x00,
];
const BIKE_READING: Reading = Reading {
    power: Some(97),
    cadence: Some(61),
    heart_rate: None,
    speed: Some(5_292),
};

const CONNECTED: ProfileInput = ProfileInput::Connected {
    missing: Vec::new(),
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
        trainer.handle(CONNECTED);
        trainer.value(CONTROL_POINT, CONTROL_GRANTED);
        trainer
    }

    /// Outputs, without what the trainer can do.
    fn handle(&mut self, input: ProfileInput) -> Vec<ProfileOutput> {
        self.profile.handle(self.now, input);
        let outputs = core::iter::from_fn(|| self.profile.poll_output());
        let is_other = |output: &ProfileOutput| {
            !matches!(output, ProfileOutput::Event(ProfileEvent::Capable(_)))
        };
        outputs.filter(is_other).collect()
    }

    fn value(&mut self, characteristic: Uuid, bytes: &[u8]) -> Vec<ProfileOutput> {
        let bytes = bytes.to_vec();
        self.handle(ProfileInput::Value {
            characteristic,
            bytes,
        })
    }

    fn set_target(&mut self, watts: u16) -> Vec<ProfileOutput> {
        self.handle(ProfileInput::SetLoad(Load::Power(watts)))
    }

    fn wait(&mut self, duration: Duration) {
        self.now += duration;
    }

    /// Waits for the next timeout of the control point, while the rider pedals.
    fn time_out_riding(&mut self) -> Vec<ProfileOutput> {
        let due = self.profile.control.poll_timeout().expect("a timeout");
        while self.now < due {
            self.value(INDOOR_BIKE_DATA, BIKE_DATA);
            self.now = due.min(self.now + Duration::from_secs(1));
        }
        self.handle(ProfileInput::Timeout)
    }

    /// Waits until the device counts as silent.
    fn fall_silent(&mut self) {
        while !self.time_out().contains(&event(ProfileEvent::Silent)) {}
    }

    /// Waits for the next timeout.
    fn time_out(&mut self) -> Vec<ProfileOutput> {
        self.now = self.profile.poll_timeout().expect("a timeout");
        self.handle(ProfileInput::Timeout)
    }
}

fn write(bytes: &[u8]) -> ProfileOutput {
    ProfileOutput::Write {
        characteristic: CONTROL_POINT,
        bytes: bytes.to_vec(),
    }
}

fn power(watts: u16) -> ProfileOutput {
    let [low, high] = watts.to_le_bytes();
    write(&[0x05, low, high])
}

const fn event(event: ProfileEvent) -> ProfileOutput {
    ProfileOutput::Event(event)
}

const fn uncontrolled(problem: ControlProblem) -> ProfileOutput {
    event(ProfileEvent::Uncontrolled(problem))
}

#[test]
fn answers_are_subscribed_to_before_the_first_command_is_written() {
    let subscribed = |uuid: Uuid| {
        let mut characteristics = SPEC.characteristics.iter();
        characteristics
            .any(|characteristic| characteristic.uuid == uuid && characteristic.access == Subscribe)
    };
    assert!([CONTROL_POINT, INDOOR_BIKE_DATA, STATUS].map(subscribed) == [true; 3]);
    let mut trainer = Harness::new();
    assert_eq!(trainer.set_target(200), []);
    let outputs = trainer.handle(CONNECTED);
    assert_eq!(outputs, [write(REQUEST_CONTROL)]);
}

#[test]
fn only_bike_data_is_required() {
    let required = SPEC.characteristics.iter().filter(|one| one.required);
    let required: Vec<Uuid> = required.map(|one| one.uuid).collect();
    assert_eq!(required, [INDOOR_BIKE_DATA]);
}

#[test]
fn a_device_without_control_point_measures_and_is_never_written_to() {
    let mut trainer = Harness::new();
    trainer.set_target(200);
    let outputs = trainer.handle(ProfileInput::Connected {
        missing: vec![CONTROL_POINT, STATUS],
    });
    assert_eq!(outputs, [uncontrolled(ControlProblem::MeasuresOnly)]);
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert_eq!(outputs, [ProfileOutput::Reading(BIKE_READING)]);
    assert_eq!(trainer.set_target(210), []);
    assert_eq!(trainer.handle(ProfileInput::Release), []);
}

#[test]
fn the_target_is_set_as_soon_as_control_is_granted() {
    let mut trainer = Harness::new();
    trainer.handle(CONNECTED);
    trainer.set_target(210);
    assert_eq!(
        trainer.value(CONTROL_POINT, CONTROL_GRANTED),
        [event(ProfileEvent::Controllable), power(210)]
    );
    assert_eq!(trainer.value(CONTROL_POINT, TARGET_SET), []);
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
    trainer.handle(CONNECTED);
    trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    assert_eq!(trainer.set_target(3_000), [power(2_000)]);
}

#[test]
fn a_range_of_zeros_limits_no_target() {
    let mut trainer = Harness::new();
    trainer.value(SUPPORTED_POWER_RANGE, &[0; 6]);
    trainer.handle(CONNECTED);
    trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    assert_eq!(trainer.set_target(200), [power(200)]);
}

#[test]
fn the_range_of_an_earlier_connection_is_forgotten() {
    let mut trainer = Harness::controllable();
    trainer.handle(ProfileInput::Disconnected);
    trainer.handle(CONNECTED);
    trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    assert_eq!(trainer.set_target(1_000), [power(1_000)]);
}

#[test]
fn bike_data_gives_a_reading() {
    let mut trainer = Harness::controllable();
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert_eq!(outputs, [ProfileOutput::Reading(BIKE_READING)]);
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
    assert_eq!(outputs, [ProfileOutput::Reading(reading)]);
}

#[test]
fn a_heart_rate_that_stops_coming_expires_although_other_values_come() {
    let mut trainer = Harness::controllable();
    // Cadence of 60 rpm, power of 250 W, heart rate of 142, then without heart rate.
    let with_heart_rate = [0x45, 0x02, 120, 0, 0xfa, 0x00, 142];
    let without = [0x45, 0x00, 120, 0, 0xfa, 0x00];
    let reading = |heart_rate| Reading {
        power: Some(250),
        cadence: Some(60),
        heart_rate,
        speed: None,
    };
    trainer.value(INDOOR_BIKE_DATA, &with_heart_rate);
    for _ in 0..2 {
        trainer.wait(Duration::from_secs(1));
        let outputs = trainer.value(INDOOR_BIKE_DATA, &without);
        assert_eq!(outputs, [ProfileOutput::Reading(reading(Some(142)))]);
    }
    assert_eq!(
        trainer.time_out(),
        [ProfileOutput::Reading(reading(None))],
        "three seconds after it came last"
    );
}

#[test]
fn power_and_cadence_that_stop_coming_expire_although_other_values_come() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    for _ in 0..4 {
        trainer.wait(Duration::from_secs(1));
        // Heart rate only.
        trainer.value(INDOOR_BIKE_DATA, &[0x01, 0x02, 142]);
    }
    let outputs = trainer.value(INDOOR_BIKE_DATA, &[0x01, 0x02, 143]);
    let reading = Reading {
        heart_rate: Some(143),
        ..Reading::default()
    };
    assert_eq!(outputs, [ProfileOutput::Reading(reading)]);
}

#[test]
fn a_heart_rate_of_zero_after_real_values_is_no_reading() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, &[0x41, 0x02, 0xfa, 0x00, 142]);
    let outputs = trainer.value(INDOOR_BIKE_DATA, &[0x41, 0x02, 0xfa, 0x00, 0]);
    let reading = Reading {
        power: Some(250),
        ..Reading::default()
    };
    assert_eq!(outputs, [ProfileOutput::Reading(reading)]);
}

#[test]
fn announced_fields_that_are_missing_do_not_take_the_others_along() {
    let mut trainer = Harness::controllable();
    // Ends before the average power and the heart rate.
    let outputs = trainer.value(INDOOR_BIKE_DATA, &BIKE_DATA[..17]);
    assert_eq!(outputs, [ProfileOutput::Reading(BIKE_READING)]);
}

#[test]
fn a_reading_expires_three_seconds_after_the_last_notification() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    trainer.wait(Duration::from_secs(2));
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    let last = trainer.now;
    let expired = ProfileOutput::Reading(Reading::default());
    assert_eq!(trainer.time_out(), [expired]);
    assert_eq!(trainer.now, last + READING_TIMEOUT);
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
    assert_eq!(outputs, [ProfileOutput::Reading(reading)]);
}

#[test]
fn a_rejected_target_is_reported_and_readings_go_on() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    let reported = uncontrolled(ControlProblem::Unsupported);
    assert_eq!(
        trainer.value(CONTROL_POINT, &[0x80, 0x05, 0x02]),
        [reported]
    );
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert_eq!(outputs, [ProfileOutput::Reading(BIKE_READING)]);
}

#[test]
fn control_that_another_app_takes_is_requested_again() {
    let mut trainer = Harness::controllable();
    let outputs = trainer.value(STATUS, &[0xff]);
    let lost = uncontrolled(ControlProblem::NotPermitted);
    assert_eq!(outputs, [lost, write(REQUEST_CONTROL)]);
}

#[test]
fn a_failed_write_is_repeated() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    let failed = ProfileInput::Written {
        characteristic: CONTROL_POINT,
        ok: false,
    };
    assert_eq!(trainer.handle(failed), []);
    assert_eq!(trainer.time_out(), [power(100)]);
}

#[test]
fn a_trainer_that_measures_and_does_not_answer_is_reported_after_three_attempts() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    let begin = trainer.now;
    let mut outputs = vec![];
    let reported = uncontrolled(ControlProblem::NoAnswer);
    while !outputs.contains(&reported) {
        outputs.extend(trainer.time_out_riding());
    }
    assert_eq!(outputs, [power(100), power(100), reported]);
    // Three attempts of 3 s, and two delays of 1 s between them.
    assert_eq!(trainer.now, begin + Duration::from_secs(11));
}

#[test]
fn a_device_without_data_is_silent_after_five_seconds_and_is_told_to_start() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    trainer.value(CONTROL_POINT, TARGET_SET);
    let connected = trainer.now;
    assert_eq!(
        trainer.time_out(),
        [event(ProfileEvent::Silent), write(START)]
    );
    assert_eq!(trainer.now, connected + SILENCE_TIMEOUT);
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    let measuring = event(ProfileEvent::Measuring);
    assert_eq!(outputs, [measuring, ProfileOutput::Reading(BIKE_READING)]);
}

#[test]
fn data_that_stop_are_noticed_once() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    let last = trainer.now;
    trainer.time_out();
    assert_eq!(
        trainer.time_out(),
        [event(ProfileEvent::Silent), write(START)]
    );
    assert_eq!(trainer.now, last + SILENCE_TIMEOUT);
    trainer.value(CONTROL_POINT, &[0x80, 0x07, 0x01]);
    assert_eq!(trainer.profile.poll_timeout(), None);
}

/// Connects a device again that stops sending 4 s after control is requested, and returns what is
/// written then.
fn reconnect_after_silence(trainer: &mut Harness) -> Vec<ProfileOutput> {
    for _ in 0..4 {
        trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
        trainer.wait(Duration::from_secs(1));
    }
    trainer.fall_silent();
    trainer.handle(ProfileInput::Disconnected);
    trainer.handle(CONNECTED)
}

#[test]
fn a_console_that_stops_sending_when_it_is_controlled_measures_without_control() {
    let mut trainer = Harness::controllable();
    assert_eq!(reconnect_after_silence(&mut trainer), [], "first the data");
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert!(outputs.contains(&write(REQUEST_CONTROL)));
    trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    let reported = uncontrolled(ControlProblem::StopsWhenControlled);
    assert_eq!(reconnect_after_silence(&mut trainer), [reported]);
    trainer.set_target(100);
    let outputs = trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    assert!(
        !outputs
            .iter()
            .any(|it| matches!(it, ProfileOutput::Write { .. }))
    );
}

#[test]
fn a_rider_who_stops_pedalling_is_not_taken_for_a_console_that_stops_sending() {
    let mut trainer = Harness::controllable();
    // Cadence and power of 0.
    let resting = [0x45, 0x00, 0, 0, 0, 0];
    for _ in 0..3 {
        trainer.value(INDOOR_BIKE_DATA, &resting);
        trainer.fall_silent();
        trainer.handle(ProfileInput::Disconnected);
        assert_eq!(trainer.handle(CONNECTED), [write(REQUEST_CONTROL)]);
    }
}

#[test]
fn a_device_that_waits_for_its_start_is_controlled_though_it_sends_nothing() {
    let mut trainer = Harness::controllable();
    trainer.fall_silent();
    trainer.handle(ProfileInput::Disconnected);
    assert_eq!(trainer.handle(CONNECTED), []);
    let outputs = trainer.time_out();
    assert_eq!(
        outputs,
        [event(ProfileEvent::Silent), write(REQUEST_CONTROL)]
    );
    let granted = trainer.value(CONTROL_POINT, CONTROL_GRANTED);
    assert_eq!(granted, [event(ProfileEvent::Controllable), write(START)]);
}

#[test]
fn features_without_a_target_power_are_told_unless_they_are_not_filled_in() {
    let unsupported = uncontrolled(ControlProblem::Unsupported);
    for (features, expected) in [
        // Resistance and simulation only.
        (&[0x87, 0x44, 0, 0, 0x04, 0x20, 0, 0][..], Some(unsupported)),
        (&[0x87, 0x44, 0, 0, 0x0c, 0xe0, 0, 0][..], None),
        (&[0; 8][..], None),
        (&[0x87][..], None),
    ] {
        let mut trainer = Harness::new();
        trainer.value(FEATURE, features);
        let outputs = trainer.handle(CONNECTED);
        let writes = [write(REQUEST_CONTROL)];
        assert_eq!(
            outputs,
            expected.into_iter().chain(writes).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_disconnection_ends_the_reading() {
    let mut trainer = Harness::controllable();
    trainer.value(INDOOR_BIKE_DATA, BIKE_DATA);
    let outputs = trainer.handle(ProfileInput::Disconnected);
    assert_eq!(outputs, [ProfileOutput::Reading(Reading::default())]);
    assert_eq!(trainer.handle(ProfileInput::Disconnected), []);
    assert_eq!(trainer.profile.poll_timeout(), None);
}

#[test]
fn a_trainer_that_is_connected_again_gets_the_newest_target() {
    let mut trainer = Harness::controllable();
    trainer.set_target(100);
    trainer.handle(ProfileInput::Disconnected);
    assert_eq!(trainer.set_target(140), []);
    let outputs = trainer.handle(CONNECTED);
    assert_eq!(outputs, [write(REQUEST_CONTROL)]);
    let granted = [event(ProfileEvent::Controllable), power(140)];
    assert_eq!(trainer.value(CONTROL_POINT, CONTROL_GRANTED), granted);
}

#[test]
fn values_of_unknown_characteristics_are_ignored() {
    let mut trainer = Harness::controllable();
    assert_eq!(trainer.value(Uuid::from_u16(0x2a37), &[0, 60]), []);
}

#[test]
fn what_a_trainer_can_do_is_told_as_its_feature_characteristic_says() {
    let capable = |targets: [u8; 4]| {
        let mut profile = FtmsProfile::new();
        let bytes = [[0x87, 0x44, 0, 0], targets].concat();
        let characteristic = FEATURE;
        let value = ProfileInput::Value {
            characteristic,
            bytes,
        };
        profile.handle(Moment::ZERO, value);
        profile.handle(Moment::ZERO, CONNECTED);
        profile.poll_output()
    };
    let event = |power, slope, resistance| {
        let capabilities = Capabilities {
            power,
            slope,
            resistance,
        };
        Some(ProfileOutput::Event(ProfileEvent::Capable(capabilities)))
    };
    assert_eq!(capable([0x0c, 0xe0, 0, 0]), event(true, true, true));
    assert_eq!(capable([0x08, 0x00, 0, 0]), event(true, false, false));
    assert_eq!(capable([0x04, 0x00, 0, 0]), event(false, false, true));
    assert_eq!(capable([0; 4]), event(true, true, true));
}

#[test]
fn slopes_and_levels_of_resistance_are_set_by_hand() {
    let mut trainer = Harness::controllable();
    let mut set = |load: Load, done: u8| {
        let written = trainer.handle(ProfileInput::SetLoad(load));
        trainer.value(CONTROL_POINT, &[0x80, done, 0x01]);
        written
    };
    let write = |bytes: &[u8]| {
        vec![ProfileOutput::Write {
            characteristic: CONTROL_POINT,
            bytes: bytes.to_vec(),
        }]
    };
    assert_eq!(
        set(Load::Slope(-250), 0x11),
        write(&[0x11, 0, 0, 0x06, 0xff, 40, 51])
    );
    assert_eq!(set(Load::Resistance(50), 0x04), write(&[0x04, 50]));
    assert_eq!(set(Load::Power(150), 0x05), write(&[0x05, 150, 0]));
}
