//! All devices of the rider, and their readings.

use clock::Moment;
use protocol::{peer::PeerId, signaling::Member};
use ride::{
    bridge::{BridgeReport, BridgedDevice},
    rider::{Ftp, TrainerKind},
    trainer::{
        Capabilities, DeviceKind, Load, Reading, auto_pause::AutoPause, simulator::SimulatedProfile,
    },
};

use super::{
    DeviceCommand, DeviceEvent, DeviceInput,
    device::Device,
    load_control::{LoadControl, Measured, Wanted},
    pairing::Pairing,
    phone::{self, Phone},
    sources::{CADENCE_SOURCES, POWER_SOURCES, Sources},
};
use crate::{
    api::{Output, Sound},
    storage::StoredDevices,
    view::{DeviceState, DeviceView, DevicesView, PhoneState},
};

/// The own devices.
#[derive(Debug)]
pub(crate) struct OwnDevices {
    /// One for each of [`DeviceKind::ALL`].
    pairings: [Pairing; 4],
    sources: Sources,
    load: LoadControl,
    /// Number of the newest attempt to connect a device.
    attempts: u32,
    reading: Reading,
    /// Devices that were working, so that the loss of one is noticed once.
    was_working: [bool; 4],
    phone: Phone,
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
                power: among(&POWER_SOURCES, stored.power_source),
                cadence: among(&CADENCE_SOURCES, stored.cadence_source),
            },
            load: LoadControl::new(stored.matches_power),
            attempts: 0,
            reading: Reading::default(),
            was_working: [false; 4],
            phone: Phone::default(),
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
            matches_power: self.load.matches_power(),
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

    /// Device of the phone, unless this page has one of the kind that is connected, or is connecting
    /// one. A device of the phone that is connected takes the place of the simulator.
    fn of_phone(&self, kind: DeviceKind) -> Option<BridgedDevice> {
        let device = self.phone.device(kind)?;
        let pairing = self.pairing(kind);
        let is_free = match pairing.current() {
            _ if pairing.is_pairing() => false,
            None => true,
            Some(own) => {
                let is_connected = phone::state_of(&device).is_connected();
                is_connected && (own.is_simulated() || !own.is_connected())
            }
        };
        is_free.then_some(device)
    }

    fn reading(&self, kind: DeviceKind) -> Reading {
        match self.of_phone(kind) {
            Some(device) => device.reading,
            None => self.pairing(kind).reading(),
        }
    }

    fn state(&self, kind: DeviceKind) -> DeviceState {
        match self.of_phone(kind) {
            Some(device) => phone::state_of(&device),
            None => self.pairing(kind).state(),
        }
    }

    /// Loads that the trainer takes; `None` without a trainer.
    fn capabilities(&self) -> Option<Capabilities> {
        match self.of_phone(DeviceKind::Trainer) {
            Some(device) => Some(device.capabilities),
            None => self.trainer().map(Device::capabilities),
        }
    }

    fn device_view(&self, kind: DeviceKind) -> DeviceView {
        let own = self.pairing(kind).view();
        match self.of_phone(kind) {
            Some(device) => DeviceView {
                state: phone::state_of(&device),
                battery: device.battery,
                reading: device.reading,
                is_of_phone: true,
                ..own
            },
            None => own,
        }
    }

    /// Kind of the trainer. A device whose connection is lost does not count.
    pub(crate) fn kind(&self) -> TrainerKind {
        let of_phone = self.of_phone(DeviceKind::Trainer);
        let is_connected = |device| phone::state_of(&device).is_connected();
        match self.trainer() {
            _ if of_phone.is_some_and(is_connected) => TrainerKind::Bluetooth,
            Some(device) if device.is_simulated() => TrainerKind::Simulated,
            Some(device) if device.is_connected() => TrainerKind::Bluetooth,
            Some(_) | None => TrainerKind::None,
        }
    }

    pub(crate) fn is_simulated(&self) -> bool {
        self.trainer().is_some_and(Device::is_simulated)
    }

    /// Everything about the devices that the screen shows.
    pub(crate) fn view(&self, now: Moment) -> DevicesView {
        let resumes_in = match self.load.auto_pause() {
            AutoPause::Resuming(at) => Some((at - now).as_millis().div_ceil(1_000) as u32),
            _ => None,
        };
        DevicesView {
            devices: DeviceKind::ALL.map(|kind| self.device_view(kind)).into(),
            power_source: self.sources.power,
            cadence_source: self.sources.cadence,
            matches_power: self.load.matches_power(),
            manual: self.load.manual(),
            capabilities: self.capabilities().unwrap_or_default(),
            phone: self.phone.state(),
            bridge_link: String::new(),
            bridge: None,
            is_released: self.load.is_released(),
            is_paused: self.load.auto_pause().is_paused(),
            resumes_in,
        }
    }

    /// Names of the devices that measure now.
    pub(crate) fn names(&self) -> Vec<String> {
        let is_measuring = |kind: &DeviceKind| self.reading(*kind) != Reading::default();
        let measuring = DeviceKind::ALL.into_iter().filter(is_measuring);
        let name = |kind| match (self.of_phone(kind), self.pairing(kind).current()) {
            (Some(device), _) => Some(device.name),
            (None, Some(device)) if device.is_simulated() => {
                Some(ride::recording::SIMULATOR.to_owned())
            }
            (None, device) => Some(device?.name().to_owned()),
        };
        measuring.filter_map(name).collect()
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
        self.sources.power = kind.filter(|kind| POWER_SOURCES.contains(kind));
    }

    /// Chooses the device that cadence comes from.
    pub(crate) fn set_cadence_source(&mut self, kind: Option<DeviceKind>) {
        self.sources.cadence = kind.filter(|kind| CADENCE_SOURCES.contains(kind));
    }

    /// Steers the trainer by the power meter, or no longer.
    pub(crate) fn match_power(&mut self, matches: bool) {
        self.load.match_power(matches);
    }

    /// Follows the targets of the workout, or rides by hand.
    pub(crate) fn set_erg(&mut self, now: Moment, is_on: bool) {
        self.load.set_erg(is_on);
        self.ease(now);
    }

    /// Changes the load that is set by hand by some steps.
    pub(crate) fn change_load(&mut self, steps: i8) {
        self.load.change_by_hand(steps);
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
        let pairings = self.pairings.iter().filter_map(Pairing::poll_timeout);
        pairings.chain(self.phone.poll_timeout()).min()
    }

    /// Does what is due at this moment.
    pub(crate) fn handle_timeout(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        for pairing in &mut self.pairings {
            pairing.handle_timeout(now, outputs);
        }
        self.phone.handle_timeout(now);
    }

    /// Takes the report of a phone of the rider. Returns true if it is used from now on.
    pub(crate) fn phone_reported(
        &mut self,
        now: Moment,
        phone: &Member,
        report: BridgeReport,
    ) -> bool {
        // The page may have slept.
        self.phone.handle_timeout(now);
        self.phone.reported(now, phone, report.into_devices())
    }

    /// Forgets the phone and its devices.
    pub(crate) fn stop_phone(&mut self) {
        self.phone = Phone::default();
    }

    /// Tells whether a phone connects devices for this page.
    pub(crate) fn has_phone(&self) -> bool {
        self.phone.state() == PhoneState::Connected
    }

    /// A member has left the ride.
    pub(crate) fn member_left(&mut self, peer: &PeerId) {
        self.phone.left(peer);
    }

    /// Phone and load of the message to the phone that is due.
    pub(crate) fn take_phone_message(&mut self, now: Moment) -> Option<(PeerId, Load)> {
        self.phone.take_message(now)
    }

    /// Devices for the report of a bridge.
    pub(crate) fn bridged(&self) -> Vec<BridgedDevice> {
        let devices = self.pairings.iter().zip(DeviceKind::ALL);
        let devices = devices.filter_map(|(pairing, kind)| {
            let device = pairing.current();
            let capabilities = device.map(Device::capabilities).unwrap_or_default();
            let battery = device.and_then(Device::battery);
            let (state, reading) = (pairing.state(), pairing.reading());
            phone::bridged(kind, state, reading, battery, capabilities)
        });
        devices.collect()
    }

    /// The page is visible again, or the computer awake: tries lost devices at once.
    pub(crate) fn wake(&mut self, now: Moment) {
        for pairing in &mut self.pairings {
            pairing.hurry(now);
        }
    }

    /// Changes the target over the next seconds, from the current target or power.
    pub(crate) fn ease(&mut self, now: Moment) {
        let target = self.load.target();
        let from = target.or(self.reading.power).unwrap_or_default();
        self.load.ease(now, from);
    }

    /// Asks the trainer for what the ride wants, and reads the devices.
    pub(crate) fn ride(
        &mut self,
        now: Moment,
        wanted: Wanted,
        outputs: &mut impl Extend<Output>,
    ) -> RiddenLoad {
        self.reading = self.sources.combine(|kind| self.reading(kind));
        let power = |kind| self.reading(kind).power;
        let measured = Measured {
            reading: self.reading,
            trainer: power(DeviceKind::Trainer),
            power_meter: power(DeviceKind::PowerMeter),
            capabilities: self.capabilities(),
        };
        let load = self.load.follow(now, wanted, measured);
        self.set_load(now, load, outputs);
        self.notice_losses(wanted.is_riding, outputs);
        RiddenLoad {
            reading: self.reading,
            target: wanted
                .target
                .map(|target| self.load.target().unwrap_or(target)),
            is_paused: self.load.auto_pause().is_paused(),
        }
    }

    /// Sets the load of the trainer, of this page or of the phone.
    pub(crate) fn set_load(&mut self, now: Moment, load: Load, outputs: &mut impl Extend<Output>) {
        let is_of_phone = self.of_phone(DeviceKind::Trainer).is_some();
        let trainer = self.pairing_mut(DeviceKind::Trainer);
        if let Some(device) = trainer.current_mut() {
            device.set_load(now, load);
        }
        trainer.poll(now, outputs);
        let is_own = trainer.current().is_some();
        if is_of_phone {
            self.phone.set_load(load);
        } else if is_own {
            // No one rides on the phone's trainer.
            self.phone.set_load(Load::FREE);
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

    /// Sounds the alarm when a device that worked during the ride is lost.
    fn notice_losses(&mut self, is_riding: bool, outputs: &mut impl Extend<Output>) {
        let mut is_lost = false;
        let states = DeviceKind::ALL.map(|kind| self.state(kind));
        for (state, was_working) in states.iter().zip(&mut self.was_working) {
            is_lost |= *was_working && state.is_lost();
            *was_working = state.is_working();
        }
        if is_lost && is_riding {
            outputs.extend([Output::Sound(Sound::Alarm)]);
        }
    }
}
