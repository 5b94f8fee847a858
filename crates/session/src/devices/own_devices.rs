//! All devices of the rider, their readings, and what the trainer is asked to do.

use clock::Moment;
use ride::{
    rider::{Ftp, TrainerKind},
    trainer::{
        Capabilities, DeviceKind, Load, MAX_SLOPE, Reading, auto_pause::AutoPause, easing::Easing,
        low_cadence::LowCadenceGuard, power_match::PowerMatch, simulator::SimulatedProfile,
    },
};

use super::{
    DeviceCommand, DeviceEvent, DeviceInput,
    device::Device,
    pairing::Pairing,
    sources::{self, Sources},
};
use crate::{
    api::{Output, Sound},
    storage::StoredDevices,
    view::{DeviceState, DevicesView, ManualLoad},
};

/// Change of the slope with one tap, in 0.01 %.
const SLOPE_STEP: i16 = 50;
/// Change of the resistance with one tap, in percent.
const RESISTANCE_STEP: u8 = 5;

/// The own devices.
#[derive(Debug)]
pub(crate) struct OwnDevices {
    /// One for each of [`DeviceKind::ALL`].
    pairings: [Pairing; 4],
    sources: Sources,
    /// True if the trainer is steered by the power meter.
    matches_power: bool,
    power_match: PowerMatch,
    /// Number of the newest attempt to connect a device.
    attempts: u32,
    /// Load that the rider sets by hand: used without a target, and instead of it outside of ERG
    /// mode.
    manual: ManualLoad,
    /// Newest target of the ride in watts.
    target: Option<u16>,
    easing: Easing,
    guard: LowCadenceGuard,
    is_released: bool,
    auto_pause: AutoPause,
    reading: Reading,
    /// Devices that were working, so that the loss of one is noticed once.
    was_working: [bool; 4],
}

/// Wish of the ride to the trainer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Target in watts; `None` for riding without one.
    pub(crate) target: Option<u16>,
    /// True while the group rides.
    pub(crate) is_riding: bool,
}

/// Result of [`OwnDevices::ride`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RiddenLoad {
    pub(crate) reading: Reading,
    /// Target in watts on the way there.
    pub(crate) target: Option<u16>,
    /// True while the own recording waits for the rider.
    pub(crate) is_paused: bool,
}

impl Default for OwnDevices {
    fn default() -> Self {
        Self::new(StoredDevices::default())
    }
}

impl OwnDevices {
    /// Devices of a rider who has paired these before.
    pub(crate) fn new(stored: StoredDevices) -> Self {
        let remembered = |kind| {
            let mut devices = stored.devices.iter();
            let device = devices.find(|(other, _)| *other == kind);
            device.map(|(_, device)| device.clone())
        };
        let among = |kinds: &[DeviceKind], kind: Option<DeviceKind>| {
            kind.filter(|kind| kinds.contains(kind))
        };
        Self {
            pairings: DeviceKind::ALL.map(|kind| Pairing::new(kind, remembered(kind))),
            sources: Sources {
                power: among(&sources::POWER, stored.power_source),
                cadence: among(&sources::CADENCE, stored.cadence_source),
            },
            matches_power: stored.matches_power,
            power_match: PowerMatch::default(),
            attempts: 0,
            manual: ManualLoad::default(),
            target: None,
            easing: Easing::default(),
            guard: LowCadenceGuard::default(),
            is_released: false,
            auto_pause: AutoPause::default(),
            reading: Reading::default(),
            was_working: [false; 4],
        }
    }

    /// Content for the browser's storage.
    pub(crate) fn stored(&self) -> StoredDevices {
        let remembered = DeviceKind::ALL.into_iter().zip(&self.pairings);
        let remembered = remembered.filter_map(|(kind, it)| Some((kind, it.remembered()?.clone())));
        StoredDevices {
            devices: remembered.collect(),
            power_source: self.sources.power,
            cadence_source: self.sources.cadence,
            matches_power: self.matches_power,
        }
    }

    fn pairing(&self, kind: DeviceKind) -> &Pairing {
        &self.pairings[kind as usize]
    }

    fn pairing_mut(&mut self, kind: DeviceKind) -> &mut Pairing {
        &mut self.pairings[kind as usize]
    }

    fn trainer(&self) -> Option<&Device> {
        self.pairing(DeviceKind::Trainer).current()
    }

    /// Kind of the trainer. A device whose connection is lost does not count.
    pub(crate) fn kind(&self) -> TrainerKind {
        match self.trainer() {
            Some(device) if device.is_simulated() => TrainerKind::Simulated,
            Some(device) if device.is_connected() => TrainerKind::Bluetooth,
            Some(_) | None => TrainerKind::None,
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.trainer().is_some_and(Device::is_simulated)
    }

    /// State of the trainer.
    pub(crate) fn state(&self) -> DeviceState {
        self.pairing(DeviceKind::Trainer).state()
    }

    /// Everything about the devices that the screen shows.
    pub(crate) fn view(&self, now: Moment) -> DevicesView {
        let capabilities = self.trainer().map(Device::capabilities);
        let resumes_in = match self.auto_pause {
            AutoPause::Resuming(at) => Some((at - now).as_millis().div_ceil(1_000) as u32),
            _ => None,
        };
        DevicesView {
            devices: self.pairings.iter().map(Pairing::view).collect(),
            power_source: self.sources.power,
            cadence_source: self.sources.cadence,
            matches_power: self.matches_power,
            manual: self.manual,
            capabilities: capabilities.unwrap_or_default(),
            is_released: self.is_released,
            is_paused: self.auto_pause.is_paused(),
            resumes_in,
        }
    }

    /// Names of the devices that measure now.
    pub(crate) fn names(&self) -> Vec<&str> {
        let devices = self.pairings.iter().filter_map(Pairing::current);
        let measuring = devices.filter(|device| device.reading() != Reading::default());
        let names = measuring.map(|device| match device.is_simulated() {
            true => ride::recording::SIMULATOR,
            false => device.name(),
        });
        names.collect()
    }

    /// Uses the simulator.
    pub(crate) fn simulate(
        &mut self,
        now: Moment,
        seed: u64,
        ftp: Ftp,
        outputs: &mut impl Extend<Output>,
    ) {
        let profile = Box::new(SimulatedProfile::new(seed, ftp));
        let attempt = self.next_attempt();
        let device = Device::simulated(now, attempt, profile);
        let trainer = self.pairing_mut(DeviceKind::Trainer);
        trainer.use_at_once(now, device, outputs);
        trainer.poll(now, outputs);
    }

    /// Lets the rider choose a device.
    pub(crate) fn pair(
        &mut self,
        now: Moment,
        kind: DeviceKind,
        outputs: &mut impl Extend<Output>,
    ) {
        let attempt = self.next_attempt();
        self.pairing_mut(kind).choose(now, attempt, outputs);
    }

    /// Connects the devices that were paired before.
    pub(crate) fn find_remembered(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        for pairing in &mut self.pairings {
            if pairing.find(now, self.attempts + 1, outputs) {
                self.attempts += 1;
            }
        }
    }

    /// Releases and forgets a device.
    pub(crate) fn forget(
        &mut self,
        now: Moment,
        kind: DeviceKind,
        outputs: &mut impl Extend<Output>,
    ) {
        self.pairing_mut(kind).forget(now, outputs);
    }

    /// Chooses the device that power comes from; `None` for the most exact one.
    pub(crate) fn set_power_source(&mut self, kind: Option<DeviceKind>) {
        self.sources.power = kind.filter(|kind| sources::POWER.contains(kind));
    }

    /// Chooses the device that cadence comes from.
    pub(crate) fn set_cadence_source(&mut self, kind: Option<DeviceKind>) {
        self.sources.cadence = kind.filter(|kind| sources::CADENCE.contains(kind));
    }

    /// Steers the trainer by the power meter, or no longer.
    pub(crate) fn match_power(&mut self, matches: bool) {
        self.matches_power = matches;
        self.power_match = PowerMatch::default();
    }

    /// Follows the targets of the workout, or rides by hand.
    pub(crate) fn set_erg(&mut self, now: Moment, is_on: bool) {
        self.manual.erg = is_on;
        self.ease(now);
    }

    /// Changes the load that is set by hand by some steps.
    pub(crate) fn change_load(&mut self, steps: i8) {
        let manual = &mut self.manual;
        let slope = i32::from(manual.slope) + i32::from(SLOPE_STEP) * i32::from(steps);
        let limit = i32::from(MAX_SLOPE);
        // Lies within two limits of i16.
        manual.slope = slope.clamp(-limit, limit) as i16;
        let resistance =
            i32::from(manual.resistance) + i32::from(RESISTANCE_STEP) * i32::from(steps);
        manual.resistance = resistance.clamp(0, 100) as u8;
    }

    /// Handles an event of a device. Devices of older attempts are released.
    pub(crate) fn handle(
        &mut self,
        now: Moment,
        DeviceInput { attempt, event }: DeviceInput,
        outputs: &mut impl Extend<Output>,
    ) -> bool {
        let pairing = self
            .pairings
            .iter_mut()
            .find(|pairing| pairing.has(attempt));
        let Some(pairing) = pairing else {
            if let DeviceEvent::Chosen { .. } = event {
                let forget = false;
                let release = DeviceCommand::Release { attempt, forget };
                outputs.extend([Output::Device(release)]);
            }
            return false;
        };
        let is_new = pairing.handle(now, attempt, event, outputs);
        pairing.poll(now, outputs);
        is_new
    }

    /// Moment at which [`OwnDevices::handle_timeout`] has to be called.
    pub(crate) fn poll_timeout(&self) -> Option<Moment> {
        self.pairings.iter().filter_map(Pairing::poll_timeout).min()
    }

    /// Does what is due at this moment.
    pub(crate) fn handle_timeout(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        for pairing in &mut self.pairings {
            pairing.handle_timeout(now, outputs);
        }
    }

    /// The page is visible again, or the computer awake: tries lost devices at once.
    pub(crate) fn wake(&mut self, now: Moment) {
        for pairing in &mut self.pairings {
            pairing.hurry(now);
        }
    }

    /// Changes the target over the next seconds, from the current target or power.
    pub(crate) fn ease(&mut self, now: Moment) {
        let from = self.target.or(self.reading.power).unwrap_or_default();
        self.easing.begin(now, from);
    }

    /// Asks the trainer for what the ride wants, and reads the devices.
    pub(crate) fn ride(
        &mut self,
        now: Moment,
        wanted: Wanted,
        outputs: &mut impl Extend<Output>,
    ) -> RiddenLoad {
        self.reading = self.sources.combine(|kind| self.pairing(kind).reading());
        self.update_power_match(now);
        self.follow_pause(now, wanted.is_riding);
        let follows_target = self.manual.erg && !self.is_set_by_hand_only();
        let target = wanted.target.filter(|_| follows_target);
        let target = self.guarded(now, target);
        self.target = self.easing.ease(now, target);
        let load = self.load();
        let trainer = self.pairing_mut(DeviceKind::Trainer);
        if let Some(device) = trainer.current_mut() {
            device.set_load(now, load);
        }
        trainer.poll(now, outputs);
        self.notice_losses(wanted.is_riding, outputs);
        RiddenLoad {
            reading: self.reading,
            target: wanted.target.map(|target| self.target.unwrap_or(target)),
            is_paused: self.auto_pause.is_paused(),
        }
    }

    /// Releases all devices, and gives up attempts to connect some.
    pub(crate) fn release(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.attempts += 1;
        for pairing in &mut self.pairings {
            pairing.release(now, false, outputs);
        }
    }

    /// Frees the trainer of its load: the page is being closed, perhaps for good.
    pub(crate) fn release_target(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        let trainer = self.pairing_mut(DeviceKind::Trainer);
        if let Some(device) = trainer.current_mut() {
            device.release_load(now);
        }
        trainer.poll(now, outputs);
    }

    fn next_attempt(&mut self) -> u32 {
        self.attempts += 1;
        self.attempts
    }

    fn follow_pause(&mut self, now: Moment, is_riding: bool) {
        let was_paused = self.auto_pause.is_paused();
        if is_riding {
            self.auto_pause.follow(now, self.reading);
        } else {
            self.auto_pause = AutoPause::default();
        }
        if was_paused && !self.auto_pause.is_paused() {
            self.easing
                .begin(now, self.reading.power.unwrap_or_default());
        }
    }

    /// Target without what would stop the rider.
    fn guarded(&mut self, now: Moment, target: Option<u16>) -> Option<u16> {
        let target = target.filter(|_| !self.auto_pause.is_paused());
        let was_released = self.is_released;
        self.is_released = self.guard.follow(now, self.reading, target);
        if was_released && !self.is_released {
            self.easing
                .begin(now, self.reading.power.unwrap_or_default());
        }
        target.filter(|_| !self.is_released)
    }

    /// Tells whether the trainer says that it takes loads, and no target power.
    fn is_set_by_hand_only(&self) -> bool {
        let capabilities = self.trainer().map(Device::capabilities);
        capabilities.is_some_and(|it| !it.power && (it.slope || it.resistance))
    }

    /// Load for the trainer.
    fn load(&mut self) -> Load {
        match self.target {
            Some(target) if self.matches_power => Load::Power(self.power_match.correct(target)),
            Some(target) => Load::Power(target),
            // A rider who is being stopped gets a flat road.
            None if self.is_released || self.auto_pause.is_paused() => Load::FREE,
            None => self.manual.load(self.trainer().map(Device::capabilities)),
        }
    }

    /// Follows the difference between trainer and power meter.
    fn update_power_match(&mut self, now: Moment) {
        if self.matches_power {
            let power = |kind| self.pairing(kind).reading().power;
            let (trainer, meter) = (power(DeviceKind::Trainer), power(DeviceKind::PowerMeter));
            self.power_match.update(now, trainer, meter);
        }
    }

    /// Sounds the alarm when a device that worked during the ride is lost.
    fn notice_losses(&mut self, is_riding: bool, outputs: &mut impl Extend<Output>) {
        let mut is_lost = false;
        for (pairing, was_working) in self.pairings.iter().zip(&mut self.was_working) {
            let state = pairing.state();
            is_lost |= *was_working && state.is_lost();
            *was_working = state.is_working();
        }
        if is_lost && is_riding {
            outputs.extend([Output::Sound(Sound::Alarm)]);
        }
    }
}

impl ManualLoad {
    /// Load for a trainer that can do this.
    fn load(self, capabilities: Option<Capabilities>) -> Load {
        let capabilities = capabilities.unwrap_or_default();
        if capabilities.resistance && !capabilities.slope {
            Load::Resistance(self.resistance)
        } else {
            Load::Slope(self.slope)
        }
    }
}
