//! Properties of the control of all trainers, with devices that answer late, refuse, or are silent.

use core::time::Duration;

use clock::Moment;
use proptest::prelude::*;

use super::{
    DeviceKind, DeviceProfile, Load, MAX_SLOPE, ProfileInput, ProfileOutput, Uuid, ftms, profiles,
    wahoo,
};

const POWER_AND_CADENCE: &[u8] = &[0x44, 0, 0, 0, 170, 0, 110, 0];

fn load() -> impl Strategy<Value = Load> {
    prop_oneof![
        any::<u16>().prop_map(Load::Power),
        (-MAX_SLOPE..=MAX_SLOPE).prop_map(Load::Slope),
        (0_u8..=100).prop_map(Load::Resistance),
    ]
}

/// How a device takes a command.
#[derive(Clone, Copy, Debug)]
struct Behaviour {
    /// Time in ms until the write is confirmed, and from then until it is answered.
    written_after: u64,
    answered_after: u64,
    /// Result; `None` for no answer.
    result: Option<u8>,
}

fn obedient() -> impl Strategy<Value = Behaviour> {
    (0_u64..800, 0_u64..1_500).prop_map(|(written_after, answered_after)| Behaviour {
        written_after,
        answered_after,
        result: Some(1),
    })
}

fn any_behaviour() -> impl Strategy<Value = Behaviour> {
    let results = prop_oneof![Just(None), (0_u8..8).prop_map(Some)];
    (0_u64..5_000, 0_u64..5_000, results).prop_map(|(written_after, answered_after, result)| {
        Behaviour {
            written_after,
            answered_after,
            result,
        }
    })
}

/// Profile with its device on virtual time. The device sends data twice a second.
struct Simulation {
    profile: Box<dyn DeviceProfile>,
    data: Option<Uuid>,
    behaviours: Vec<Behaviour>,
    now: Moment,
    due: Vec<(Moment, ProfileInput)>,
    writes: Vec<(Moment, Vec<u8>)>,
    /// Inputs that allow another write: a confirmation, an answer, time that has passed.
    progress: usize,
    progress_at_write: Option<usize>,
}

impl Simulation {
    fn new(profile: Box<dyn DeviceProfile>, behaviours: Vec<Behaviour>) -> Self {
        let mut characteristics = profile.spec().characteristics.iter();
        let data = characteristics.find(|it| it.uuid == ftms::INDOOR_BIKE_DATA);
        Self {
            data: data.map(|it| it.uuid),
            profile,
            behaviours,
            now: Moment::ZERO + Duration::from_secs(10),
            due: Vec::new(),
            writes: Vec::new(),
            progress: 0,
            progress_at_write: None,
        }
    }

    fn value(&mut self, characteristic: Uuid, bytes: &[u8]) {
        let bytes = bytes.to_vec();
        self.handle(ProfileInput::Value {
            characteristic,
            bytes,
        });
    }

    fn handle(&mut self, input: ProfileInput) {
        self.profile.handle(self.now, input);
        let mut outputs = 0;
        while let Some(output) = self.profile.poll_output() {
            outputs += 1;
            assert!(outputs <= 8, "a bounded number of outputs");
            let ProfileOutput::Write {
                characteristic,
                bytes,
            } = output
            else {
                continue;
            };
            let at_write = self.progress_at_write.replace(self.progress);
            assert_ne!(at_write, Some(self.progress), "one command at a time");
            let behaviour = self.behaviours[self.writes.len() % self.behaviours.len()];
            let written_at = self.now + Duration::from_millis(behaviour.written_after);
            let written = ProfileInput::Written {
                characteristic,
                ok: true,
            };
            self.due.push((written_at, written));
            if let Some(result) = behaviour.result {
                let at = written_at + Duration::from_millis(behaviour.answered_after);
                let answer = ProfileInput::Value {
                    characteristic,
                    bytes: vec![0x80, bytes[0], result],
                };
                self.due.push((at, answer));
            }
            self.writes.push((self.now, bytes));
        }
    }

    /// Lets time pass.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        let mut next_data = self.now;
        let mut steps = 0;
        loop {
            steps += 1;
            assert!(steps < 20_000, "it goes to sleep between events");
            let timeout = self.profile.poll_timeout().map(|at| at.max(self.now));
            let answer = self.due.iter().map(|(at, _)| *at).min();
            let data = self.data.map(|_| next_data);
            let next = [timeout, answer, data].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            if next > self.now {
                self.progress += 1;
            }
            self.now = next;
            if let Some(at) = self.due.iter().position(|(at, _)| *at <= next) {
                let (_, input) = self.due.remove(at);
                self.progress += 1;
                self.handle(input);
            } else if data == Some(next) {
                next_data = next + Duration::from_millis(500);
                self.value(ftms::INDOOR_BIKE_DATA, POWER_AND_CADENCE);
            } else {
                self.handle(ProfileInput::Timeout);
            }
        }
        self.now = end;
        self.progress += 1;
    }

    fn connect(&mut self) {
        let missing = Vec::new();
        self.handle(ProfileInput::Connected { missing });
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn commands_are_written_one_at_a_time_and_nothing_runs_hot(
        loads in prop::collection::vec((load(), 0_u64..6_000), 1..25),
        behaviours in prop::collection::vec(any_behaviour(), 1..6),
        drops in prop::collection::vec(any::<bool>(), 25),
    ) {
        for kind in DeviceKind::ALL {
            for profile in profiles(kind) {
                let mut device = Simulation::new(profile, behaviours.clone());
                device.connect();
                for ((load, pause), drops) in loads.iter().zip(&drops) {
                    device.progress += 1;
                    device.handle(ProfileInput::SetLoad(*load));
                    device.run(Duration::from_millis(*pause));
                    if *drops && *pause > 4_000 {
                        device.due.clear();
                        device.progress += 1;
                        device.handle(ProfileInput::Disconnected);
                        device.run(Duration::from_millis(100));
                        device.connect();
                    }
                }
                device.run(Duration::from_secs(60));
            }
        }
    }

    #[test]
    fn the_newest_target_is_what_an_obedient_trainer_has_in_the_end(
        loads in prop::collection::vec((0_u16..3_000, 0_u64..3_000), 1..40),
        behaviours in prop::collection::vec(obedient(), 1..6),
        range in (0_i16..=100, 200_i16..2_000),
    ) {
        let (lowest, highest) = range;
        let newest = loads.last().map_or(0, |(watts, _)| *watts);
        let mut fitness_machine = Simulation::new(Box::new(ftms::FtmsProfile::new()), behaviours.clone());
        let bytes = [lowest, highest, 1].map(i16::to_le_bytes).concat();
        fitness_machine.value(ftms::SUPPORTED_POWER_RANGE, &bytes);
        let clamped = newest.clamp(lowest as u16, highest as u16).to_le_bytes();
        let wahoo = Simulation::new(Box::new(wahoo::profile()), behaviours);
        let plain = newest.min(2_000).to_le_bytes();
        for (mut trainer, wanted) in [
            (fitness_machine, [0x05, clamped[0], clamped[1]]),
            (wahoo, [0x42, plain[0], plain[1]]),
        ] {
            trainer.connect();
            for (watts, pause) in &loads {
                trainer.progress += 1;
                trainer.handle(ProfileInput::SetLoad(Load::Power(*watts)));
                trainer.run(Duration::from_millis(*pause));
            }
            trainer.run(Duration::from_secs(15));
            let targets = trainer.writes.iter().filter(|(_, bytes)| bytes[0] == wanted[0]);
            let last = targets.map(|(_, bytes)| bytes.clone()).next_back();
            prop_assert_eq!(last, Some(wanted.to_vec()));
        }
    }
}
