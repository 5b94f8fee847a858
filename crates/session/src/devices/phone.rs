//! Devices that a phone connects for this page, see [`crate::bridge`].

use clock::{Duration, Moment};
use protocol::{
    peer::{Incarnation, PeerId, PeerNumber},
    signaling::Member,
};
use ride::{
    bridge::{BridgedDevice, BridgedState},
    trainer::{Capabilities, DeviceKind, Load, READING_TIMEOUT, Reading},
};

use crate::view::{DeviceState, PhoneState};

/// Interval between two messages to the phone while the load stays the same.
const REPEAT_INTERVAL: Duration = Duration::from_millis(500);

/// The phone, if there is one.
#[derive(Debug, Default)]
pub(super) struct Phone {
    /// Phone that has reported last.
    current: Option<Reporter>,
    /// Its devices.
    devices: Vec<BridgedDevice>,
    /// Devices of an earlier phone, or of its page before a reload, of kinds that the current one has
    /// not connected so far.
    missing: Vec<BridgedDevice>,
    /// True if it has not reported for [`READING_TIMEOUT`].
    is_lost: bool,
    /// Load for its trainer; `None` until the ride has decided one, so that the phone holds the load
    /// from before a reload.
    load: Option<Load>,
    /// Load in the last message, and the moment of the next one with the same load.
    sent: Option<(Load, Moment)>,
}

#[derive(Clone, Debug)]
struct Reporter {
    peer: PeerId,
    number: PeerNumber,
    /// Load of its page.
    incarnation: Incarnation,
    at: Moment,
}

impl Phone {
    /// Takes the report of a phone that has proved its right. Of several phones, the one that came
    /// last counts, since its page is the one that the rider has just opened. Returns true if another
    /// phone, another load of its page, or one that was lost reports.
    pub(super) fn reported(
        &mut self,
        now: Moment,
        phone: &Member,
        devices: Vec<BridgedDevice>,
    ) -> bool {
        let (peer, number) = (&phone.peer, phone.number);
        let is_older =
            |current: &Reporter| current.peer != *peer && number < current.number && !self.is_lost;
        if self.current.as_ref().is_some_and(is_older) {
            return false;
        }
        let is_same =
            |current: &Reporter| current.peer == *peer && current.incarnation == phone.incarnation;
        let is_same_page = self.current.as_ref().is_some_and(is_same);
        let is_new = self.is_lost || !is_same_page;
        self.current = Some(Reporter {
            peer: peer.clone(),
            number,
            incarnation: phone.incarnation,
            at: now,
        });
        let has_trainer = |device: &BridgedDevice| device.kind == DeviceKind::Trainer;
        if !devices.iter().any(has_trainer) {
            // A phone without a trainer is answered, too.
            self.load.get_or_insert(Load::FREE);
        }
        let earlier = std::mem::replace(&mut self.devices, devices);
        if !is_same_page {
            self.missing.extend(earlier);
        }
        let connected = &self.devices;
        let is_missing = |kind| connected.iter().all(|device| device.kind != kind);
        self.missing.retain(|device| is_missing(device.kind));
        self.is_lost = false;
        if is_new {
            self.sent = None;
        }
        is_new
    }

    /// A member has left the ride.
    pub(super) fn left(&mut self, peer: &PeerId) {
        if self.current.as_ref().is_some_and(|it| it.peer == *peer) {
            self.is_lost = true;
        }
    }

    /// Moment at which the phone counts as lost, or at which it is to be sent a message.
    pub(super) fn poll_timeout(&self) -> Option<Moment> {
        let current = self.current.as_ref().filter(|_| !self.is_lost)?;
        let lost_at = current.at + READING_TIMEOUT;
        Some(self.sent.map_or(lost_at, |(_, next)| lost_at.min(next)))
    }

    /// Notices that the phone is silent.
    pub(super) fn handle_timeout(&mut self, now: Moment) {
        let since = self.current.as_ref().map(|current| current.at);
        self.is_lost |= since.is_some_and(|at| now - at >= READING_TIMEOUT);
    }

    /// State of the phone.
    pub(super) fn state(&self) -> PhoneState {
        match (&self.current, self.is_lost) {
            (None, _) => PhoneState::None,
            (Some(_), false) => PhoneState::Connected,
            (Some(_), true) => PhoneState::Lost,
        }
    }

    /// Device of a kind. Nothing is known of the devices of a lost phone, and of missing ones, but their
    /// names.
    pub(super) fn device(&self, kind: DeviceKind) -> Option<BridgedDevice> {
        let is_wanted = |device: &&BridgedDevice| device.kind == kind;
        let connected = self.devices.iter().find(is_wanted);
        let missing = || self.missing.iter().find(is_wanted);
        let mut device = connected.or_else(missing)?.clone();
        if self.is_lost || connected.is_none() {
            device.state = BridgedState::Lost;
            device.reading = Reading::default();
        }
        Some(device)
    }

    /// Sets the load of the trainer.
    pub(super) fn set_load(&mut self, load: Load) {
        self.load = Some(load);
    }

    /// Phone and load of the message that is due.
    pub(super) fn take_message(&mut self, now: Moment) -> Option<(PeerId, Load)> {
        let current = self.current.as_ref().filter(|_| !self.is_lost)?;
        let wanted = self.load?;
        let is_sent = |(load, next)| load == wanted && now < next;
        if self.sent.is_some_and(is_sent) {
            return None;
        }
        self.sent = Some((wanted, now + REPEAT_INTERVAL));
        Some((current.peer.clone(), wanted))
    }
}

/// State of a phone's device, as the screen shows it.
pub(super) fn state_of(device: &BridgedDevice) -> DeviceState {
    let name = device.name.clone();
    match device.state {
        BridgedState::Connecting => DeviceState::Connecting,
        BridgedState::Connected => DeviceState::Connected(name),
        BridgedState::Silent => DeviceState::Silent(name),
        BridgedState::Lost => DeviceState::Lost(name),
        BridgedState::Uncontrolled(problem) => DeviceState::Uncontrolled(name, problem),
    }
}

/// Device for a report; `None` if none is connected or being connected.
pub(super) fn bridged(
    kind: DeviceKind,
    state: DeviceState,
    reading: Reading,
    battery: Option<u8>,
    capabilities: Capabilities,
) -> Option<BridgedDevice> {
    let (state, name) = match state {
        DeviceState::None | DeviceState::Simulated | DeviceState::Failed(_) => return None,
        DeviceState::Connecting => (BridgedState::Connecting, String::new()),
        DeviceState::Connected(name) => (BridgedState::Connected, name),
        DeviceState::Silent(name) => (BridgedState::Silent, name),
        DeviceState::Lost(name) => (BridgedState::Lost, name),
        DeviceState::Uncontrolled(name, problem) => (BridgedState::Uncontrolled(problem), name),
    };
    Some(BridgedDevice {
        kind,
        state,
        name: BridgedDevice::named(&name),
        capabilities,
        reading,
        battery,
    })
}
