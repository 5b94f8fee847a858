use core::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::trainer::{DeviceKind, Load, cycling_power, fec, heart_rate, profiles, wahoo};

const CONNECTED: ProfileInput = ProfileInput::Connected {
    missing: Vec::new(),
};

/// Profile on virtual time.
struct Harness {
    profile: NotifyingProfile,
    now: Moment,
}

impl Harness {
    fn new(profile: NotifyingProfile) -> Self {
        let now = Moment::ZERO + Duration::from_secs(10);
        Self { profile, now }
    }

    /// Wahoo trainer that is connected, and has taken the unlocking.
    fn wahoo() -> Self {
        let mut harness = Self::new(wahoo::profile());
        harness.handle(CONNECTED);
        harness.written(true);
        harness
    }

    fn handle(&mut self, input: ProfileInput) -> Vec<ProfileOutput> {
        self.profile.handle(self.now, input);
        core::iter::from_fn(|| self.profile.poll_output()).collect()
    }

    fn value(&mut self, characteristic: Uuid, bytes: &[u8]) -> Vec<ProfileOutput> {
        let bytes = bytes.to_vec();
        self.handle(ProfileInput::Value {
            characteristic,
            bytes,
        })
    }

    fn written(&mut self, ok: bool) -> Vec<ProfileOutput> {
        let characteristic = wahoo::CONTROL;
        self.handle(ProfileInput::Written { characteristic, ok })
    }

    /// Lets the time pass until the next time-out.
    fn wait(&mut self) -> Vec<ProfileOutput> {
        self.now = self.profile.poll_timeout().expect("something is due");
        self.handle(ProfileInput::Timeout)
    }
}

fn writes(outputs: &[ProfileOutput]) -> Vec<Vec<u8>> {
    let writes = outputs.iter().filter_map(|output| match output {
        ProfileOutput::Write { bytes, .. } => Some(bytes.clone()),
        _ => None,
    });
    writes.collect()
}

fn events(outputs: &[ProfileOutput]) -> Vec<ProfileEvent> {
    let events = outputs.iter().filter_map(|output| match output {
        ProfileOutput::Event(event) => Some(*event),
        _ => None,
    });
    events.collect()
}

#[test]
fn a_strap_measures_falls_silent_and_comes_back() {
    let mut strap = Harness::new(heart_rate::profile());
    let only = ProfileEvent::Uncontrolled(ControlProblem::MeasuresOnly);
    assert_eq!(events(&strap.handle(CONNECTED)), [only]);
    let reading = Reading {
        heart_rate: Some(140),
        ..Reading::default()
    };
    let measured = strap.value(heart_rate::MEASUREMENT, &[0, 140]);
    assert_eq!(measured, [ProfileOutput::Reading(reading)]);
    assert_eq!(strap.wait(), [ProfileOutput::Reading(Reading::default())]);
    assert_eq!(events(&strap.wait()), [ProfileEvent::Silent]);
    let back = strap.value(heart_rate::MEASUREMENT, &[0, 140]);
    assert_eq!(events(&back), [ProfileEvent::Measuring]);
    // 0 says that there is no reading.
    let none = strap.value(heart_rate::MEASUREMENT, &[0, 0]);
    assert_eq!(none, [ProfileOutput::Reading(Reading::default())]);
}

#[test]
fn a_power_meter_that_is_disconnected_has_no_reading() {
    let mut meter = Harness::new(cycling_power::profile());
    meter.handle(CONNECTED);
    meter.value(cycling_power::MEASUREMENT, &[0, 0, 200, 0]);
    let gone = meter.handle(ProfileInput::Disconnected);
    assert_eq!(gone, [ProfileOutput::Reading(Reading::default())]);
    assert_eq!(meter.profile.poll_timeout(), None);
}

#[test]
fn a_trainer_is_unlocked_before_the_first_load_and_only_the_newest_waits() {
    let mut trainer = Harness::new(wahoo::profile());
    trainer.handle(ProfileInput::SetLoad(Load::Power(100)));
    assert_eq!(writes(&trainer.handle(CONNECTED)), [vec![0x20, 0xee, 0xfc]]);
    for watts in [120, 130, 140] {
        assert_eq!(
            trainer.handle(ProfileInput::SetLoad(Load::Power(watts))),
            []
        );
    }
    let unlocked = trainer.written(true);
    assert_eq!(events(&unlocked), [ProfileEvent::Controllable]);
    assert_eq!(writes(&unlocked), [vec![0x42, 140, 0]]);
    assert_eq!(trainer.written(true), []);
    assert_eq!(trainer.handle(ProfileInput::SetLoad(Load::Power(140))), []);
}

#[test]
fn a_load_of_two_writes_is_written_to_its_end_unless_there_is_a_newer_one() {
    let mut trainer = Harness::wahoo();
    let first = trainer.handle(ProfileInput::SetLoad(Load::FREE));
    assert_eq!(writes(&first)[0][0], 0x43);
    assert_eq!(writes(&trainer.written(true)), [vec![0x46, 0, 0x80]]);
    assert_eq!(trainer.written(true), []);
    trainer.handle(ProfileInput::SetLoad(Load::Slope(100)));
    trainer.handle(ProfileInput::SetLoad(Load::Power(150)));
    assert_eq!(writes(&trainer.written(true)), [vec![0x42, 150, 0]]);
}

#[test]
fn a_trainer_that_takes_no_writes_is_reported_and_tried_again() {
    let mut trainer = Harness::wahoo();
    trainer.handle(ProfileInput::SetLoad(Load::Power(100)));
    let mut seen = Vec::new();
    for _ in 0..6 {
        let outputs = trainer.wait();
        seen.extend(events(&outputs));
    }
    let lost = ProfileEvent::Uncontrolled(ControlProblem::NoAnswer);
    let unheard = [ProfileEvent::Silent, lost];
    assert!(seen.iter().all(|event| unheard.contains(event)), "{seen:?}");
    assert_eq!(seen.iter().filter(|event| **event == lost).count(), 1);
    while writes(&trainer.wait()).is_empty() {}
    assert_eq!(events(&trainer.written(true)), [ProfileEvent::Controllable]);
}

#[test]
fn a_trainer_is_freed_of_its_load_at_once() {
    let mut trainer = Harness::wahoo();
    assert_eq!(trainer.handle(ProfileInput::Release), []);
    trainer.handle(ProfileInput::SetLoad(Load::Power(300)));
    // Its write is still in flight.
    let released = trainer.handle(ProfileInput::Release);
    assert_eq!(writes(&released)[0][0], 0x43);
    assert_eq!(
        writes(&released)[1],
        [0x46, 0, 0x80],
        "the page may be gone before an answer"
    );
    // The rider stays after all: the load comes back.
    assert_eq!(writes(&trainer.written(true)), [vec![0x42, 44, 1]]);
}

/// Times in ms between notifications, and their bytes.
fn notifications() -> impl Strategy<Value = Vec<(u64, Vec<u8>)>> {
    let bytes = prop::collection::vec(any::<u8>(), 0..24);
    prop::collection::vec((0_u64..4_000, bytes), 0..40)
}

proptest! {
    #[test]
    fn readings_of_any_bytes_are_plausible_and_none_is_frozen(notifications in notifications()) {
        for kind in DeviceKind::ALL {
            for mut profile in profiles(kind) {
                let mut now = Moment::ZERO + Duration::from_secs(1);
                profile.handle(now, CONNECTED);
                let mut newest = Reading::default();
                for (pause, bytes) in &notifications {
                    now += Duration::from_millis(*pause);
                    for it in profile.spec().characteristics {
                        let (characteristic, bytes) = (it.uuid, bytes.clone());
                        profile.handle(now, ProfileInput::Value { characteristic, bytes });
                    }
                    while let Some(output) = profile.poll_output() {
                        if let ProfileOutput::Reading(reading) = output {
                            newest = reading;
                        }
                    }
                    prop_assert!(newest.heart_rate != Some(0));
                }
                // Nothing comes any more: after the time-outs nothing is shown.
                for _ in 0..20 {
                    let Some(due) = profile.poll_timeout() else { break };
                    now = now.max(due);
                    profile.handle(now, ProfileInput::Timeout);
                    while let Some(output) = profile.poll_output() {
                        if let ProfileOutput::Reading(reading) = output {
                            newest = reading;
                        }
                    }
                }
                prop_assert_eq!(newest, Reading::default());
            }
        }
    }

    #[test]
    fn the_power_of_a_load_is_written_as_it_is_up_to_2000_watts(watts in any::<u16>()) {
        let plausible = watts.min(2_000);
        let [low, high] = plausible.to_le_bytes();
        prop_assert_eq!(wahoo::encode(Load::Power(watts)), [vec![0x42, low, high]]);
        let page = fec::parse_page(&fec::encode(Load::Power(watts))).unwrap();
        prop_assert_eq!(u16::from_le_bytes([page[6], page[7]]), plausible * 4);
    }

    #[test]
    fn a_slope_is_written_to_a_hundredth_of_a_percent(slope in -2_000_i16..=2_000) {
        let page = fec::parse_page(&fec::encode(Load::Slope(slope))).unwrap();
        prop_assert_eq!(i32::from(u16::from_le_bytes([page[5], page[6]])) - 20_000, i32::from(slope));
        let write = wahoo::encode(Load::Slope(slope))[1].clone();
        let share = f32::from(u16::from_le_bytes([write[1], write[2]])) / 32_768.0 - 1.0;
        prop_assert!((share * 10_000.0 - f32::from(slope)).abs() < 0.5);
    }
}
