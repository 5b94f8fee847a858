//! The device of one kind: the one in use, and another one that is being connected.

use clock::Moment;
use ride::trainer::{DeviceKind, ProfileInput, Reading};

use super::{DeviceCommand, DeviceEvent, device::Device};
use crate::{
    api::Output,
    storage::StoredDevice,
    view::{DeviceState, DeviceView, Notice, PairingFailure},
};

/// Devices of one kind.
#[derive(Debug)]
pub(super) struct Pairing {
    kind: DeviceKind,
    /// Device in use.
    current: Option<Device>,
    /// Device of the newest attempt, until it is connected.
    connecting: Option<Device>,
    /// Reason why the last attempt failed, for a rider without another device.
    failure: Option<PairingFailure>,
    /// Device that was paired last, until it is forgotten.
    remembered: Option<StoredDevice>,
}

impl Pairing {
    pub(super) fn new(kind: DeviceKind, remembered: Option<StoredDevice>) -> Self {
        Self {
            kind,
            current: None,
            connecting: None,
            failure: None,
            remembered,
        }
    }

    pub(super) fn remembered(&self) -> Option<&StoredDevice> {
        self.remembered.as_ref()
    }

    pub(super) fn current(&self) -> Option<&Device> {
        self.current.as_ref()
    }

    pub(super) fn current_mut(&mut self) -> Option<&mut Device> {
        self.current.as_mut()
    }

    /// Tells whether the rider is waiting for a device.
    pub(super) fn is_pairing(&self) -> bool {
        self.connecting.as_ref().is_some_and(Device::is_shown)
    }

    pub(super) fn reading(&self) -> Reading {
        self.current
            .as_ref()
            .map(Device::reading)
            .unwrap_or_default()
    }

    pub(super) fn state(&self) -> DeviceState {
        match (&self.current, self.failure) {
            _ if self.is_pairing() => DeviceState::Connecting,
            (Some(device), _) => device.state(),
            (None, Some(failure)) => DeviceState::Failed(failure),
            (None, None) => DeviceState::None,
        }
    }

    pub(super) fn view(&self) -> DeviceView {
        DeviceView {
            kind: self.kind,
            state: self.state(),
            battery: self.current.as_ref().and_then(Device::battery),
            reading: self.reading(),
            remembered: self.remembered.as_ref().map(|stored| stored.name.clone()),
            is_of_phone: false,
        }
    }

    /// Tells whether one of the devices belongs to this attempt.
    pub(super) fn has(&self, attempt: u32) -> bool {
        let mut devices = self.connecting.iter().chain(&self.current);
        devices.any(|device| device.attempt() == attempt)
    }

    /// Lets the rider choose a device. The current one stays in use until another is connected.
    pub(super) fn choose(&mut self, now: Moment, attempt: u32, outputs: &mut impl Extend<Output>) {
        self.begin(now, Device::new(attempt, self.kind), outputs);
        let kind = self.kind;
        outputs.extend([Output::Device(DeviceCommand::Choose { attempt, kind })]);
    }

    /// Looks for the device that was paired last. Returns false if there is none, or no need.
    pub(super) fn find(
        &mut self,
        now: Moment,
        attempt: u32,
        outputs: &mut impl Extend<Output>,
    ) -> bool {
        let remembered = self
            .remembered
            .as_ref()
            .filter(|stored| !stored.id.is_empty());
        let Some(id) = remembered.map(|stored| stored.id.clone()) else {
            return false;
        };
        if self.current.is_some() || self.connecting.is_some() {
            return false;
        }
        self.begin(now, Device::remembered(attempt, self.kind), outputs);
        let kind = self.kind;
        outputs.extend([Output::Device(DeviceCommand::Find { attempt, kind, id })]);
        true
    }

    fn begin(&mut self, now: Moment, device: Device, outputs: &mut impl Extend<Output>) {
        if let Some(older) = self.connecting.replace(device) {
            older.release(now, false, outputs);
        }
        self.failure = None;
    }

    /// Uses a device that needs no connection.
    pub(super) fn use_at_once(
        &mut self,
        now: Moment,
        device: Device,
        outputs: &mut impl Extend<Output>,
    ) {
        self.release(now, false, outputs);
        self.current = Some(device);
    }

    /// Handles an event of a device of this attempt. Returns true if it is in use from now on.
    pub(super) fn handle(
        &mut self,
        now: Moment,
        attempt: u32,
        event: DeviceEvent,
        outputs: &mut impl Extend<Output>,
    ) -> bool {
        let is_new = |device: &Device| device.attempt() == attempt;
        let is_first = self.connecting.as_ref().is_some_and(is_new);
        let device = if is_first {
            self.connecting.as_mut()
        } else {
            self.current.as_mut()
        };
        let Some(device) = device else { return false };
        match event {
            DeviceEvent::Chosen { id, name, profiles } => {
                device.chosen(now, id, name, profiles, outputs);
            }
            DeviceEvent::NotChosen(error) if is_first => self.fail(now, error.failure(), outputs),
            DeviceEvent::NotRemembered if is_first => self.connecting = None,
            // A device in use was chosen.
            DeviceEvent::NotChosen(_) | DeviceEvent::NotRemembered => {}
            DeviceEvent::Connected { missing } => {
                device.connected(now, missing);
                if is_first {
                    self.take_into_use(now, outputs);
                    return true;
                }
            }
            DeviceEvent::ConnectFailed(error) => {
                if let Some(failure) = device.connect_failed(now, error, outputs) {
                    self.fail(now, failure, outputs);
                }
            }
            DeviceEvent::Value {
                characteristic,
                bytes,
            } => device.value(now, characteristic, bytes),
            DeviceEvent::Written { characteristic, ok } => {
                device.feed(now, ProfileInput::Written { characteristic, ok });
            }
            DeviceEvent::Disconnected => device.disconnected(now),
        }
        false
    }

    /// Moment at which [`Pairing::handle_timeout`] has to be called.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        let connecting = self.connecting.as_ref().and_then(Device::poll_timeout);
        let current = self.current.as_ref().and_then(|device| {
            if self.holds_back() {
                device.poll_profile_timeout()
            } else {
                device.poll_timeout()
            }
        });
        connecting.into_iter().chain(current).min()
    }

    /// Does what is due at this moment.
    pub(super) fn handle_timeout(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Some(device) = &mut self.connecting
            && let Some(failure) = device.handle_timeout(now, outputs)
        {
            self.fail(now, failure, outputs);
        }
        let holds_back = self.holds_back();
        if let Some(device) = &mut self.current {
            device.handle_profile_timeout(now);
            if !holds_back {
                // A device that was connected once is tried again and again.
                device.handle_timeout(now, outputs);
            }
        }
        self.poll(now, outputs);
    }

    /// Connects devices that are out of reach without further delay.
    pub(super) fn hurry(&mut self, now: Moment) {
        for device in self.connecting.iter_mut().chain(&mut self.current) {
            device.hurry(now);
        }
    }

    /// Carries out what the device in use has to do.
    pub(super) fn poll(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        if let Some(device) = &mut self.current {
            device.poll(now, outputs);
        }
    }

    /// Releases the devices. With `forget`, the browser forgets the one in use as well.
    pub(super) fn release(&mut self, now: Moment, forget: bool, outputs: &mut impl Extend<Output>) {
        self.failure = None;
        if let Some(device) = self.connecting.take() {
            device.release(now, false, outputs);
        }
        if let Some(device) = self.current.take() {
            device.release(now, forget, outputs);
        }
    }

    /// Releases the devices, and remembers none.
    pub(super) fn forget(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        self.release(now, true, outputs);
        self.remembered = None;
    }

    /// Replaces the device by the one that was just connected for the first time.
    fn take_into_use(&mut self, now: Moment, outputs: &mut impl Extend<Output>) {
        let Some(device) = self.connecting.take() else {
            return;
        };
        self.remembered = Some(device.stored());
        if let Some(before) = self.current.replace(device) {
            before.release(now, false, outputs);
        }
    }

    /// Gives up the newest attempt. A rider who has a device keeps it, and is told why it was not
    /// replaced. A remembered device that does not answer is not worth a word.
    fn fail(&mut self, now: Moment, failure: PairingFailure, outputs: &mut impl Extend<Output>) {
        let Some(device) = self.connecting.take() else {
            return;
        };
        let is_shown = device.is_shown();
        device.release(now, false, outputs);
        if !is_shown {
            return;
        }
        match self.current {
            None => self.failure = Some(failure),
            Some(_) => outputs.extend([Output::Notice(Notice::NotPaired(self.kind, failure))]),
        }
    }

    /// Tells whether the current device has to wait before it is connected again: the rider may
    /// just be connecting the same device by another attempt, which this would interrupt.
    fn holds_back(&self) -> bool {
        self.connecting.as_ref().is_some_and(Device::is_chosen)
    }
}
