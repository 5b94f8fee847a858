//! The own devices, as the screen shows them.

use ride::trainer::{Capabilities, ControlProblem, DeviceKind, Load, Reading};

/// State of a device.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum DeviceState {
    /// No trainer was chosen.
    #[default]
    None,
    /// The simulated trainer.
    Simulated,
    /// The browser's device chooser is open, or the connection is being made.
    Connecting,
    /// The trainer with this name is connected and follows the target.
    Connected(String),
    /// The trainer with this name measures but does not follow the target, for this reason.
    Uncontrolled(String, ControlProblem),
    /// The trainer with this name is connected, and sends no data.
    Silent(String),
    /// The connection to the trainer with this name is lost, and being made again.
    Lost(String),
    /// The trainer could not be connected.
    Failed(PairingFailure),
}

impl DeviceState {
    /// Tells whether the device measures.
    pub const fn is_working(&self) -> bool {
        matches!(
            self,
            Self::Simulated | Self::Connected(_) | Self::Uncontrolled(..)
        )
    }

    /// Tells whether the device is connected, also if it does not measure.
    pub const fn is_connected(&self) -> bool {
        self.is_working() || matches!(self, Self::Silent(_))
    }

    /// Tells whether the device was connected and measures no more.
    pub const fn is_lost(&self) -> bool {
        matches!(self, Self::Silent(_) | Self::Lost(_))
    }
}

/// Device of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceView {
    /// Its kind.
    pub kind: DeviceKind,
    /// Its state.
    pub state: DeviceState,
    /// State of charge in percent, where it is known.
    pub battery: Option<u8>,
    /// Its readings.
    pub reading: Reading,
    /// Name of the device that was paired last, connected or not.
    pub remembered: Option<String>,
    /// True if the rider's phone connects it.
    pub is_of_phone: bool,
}

/// State of the phone that connects devices for this page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PhoneState {
    /// There is none.
    #[default]
    None,
    /// It reports its devices.
    Connected,
    /// It has reported, and does so no more.
    Lost,
}

/// All devices, and what they are used for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DevicesView {
    /// Devices, in the order of [`DeviceKind::ALL`]; none before the ride is joined.
    pub devices: Vec<DeviceView>,
    /// Kind of device that power comes from; `None` for the most exact one.
    pub power_source: Option<DeviceKind>,
    /// Kind of device that cadence comes from.
    pub cadence_source: Option<DeviceKind>,
    /// True if the trainer is steered by the power meter.
    pub matches_power: bool,
    /// Load that is set by hand.
    pub manual: ManualLoad,
    /// Loads that the trainer takes.
    pub capabilities: Capabilities,
    /// The rider's phone.
    pub phone: PhoneState,
    /// Link for a phone that connects devices for this page; empty until the ride is joined.
    pub bridge_link: String,
    /// What the page of a bridge shows; `None` on the page of a rider.
    pub bridge: Option<BridgeView>,
    /// True while the target is released because the cadence was too low.
    pub is_released: bool,
    /// True while the own recording waits for the rider to pedal.
    pub is_paused: bool,
    /// Whole seconds until the own recording goes on.
    pub resumes_in: Option<u32>,
}

impl DevicesView {
    /// Device of a kind.
    pub fn device(&self, kind: DeviceKind) -> Option<&DeviceView> {
        self.devices.iter().find(|device| device.kind == kind)
    }

    /// State of the device of a kind.
    pub fn state(&self, kind: DeviceKind) -> &DeviceState {
        static NONE: DeviceState = DeviceState::None;
        self.device(kind).map_or(&NONE, |device| &device.state)
    }
}

/// What a bridge shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeView {
    /// Name of the rider; empty until it is known.
    pub rider: String,
    /// State of the rider's page.
    pub page: RiderPage,
    /// Load of the trainer.
    pub load: Load,
}

/// State of the page that a bridge serves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RiderPage {
    /// It has not answered so far.
    #[default]
    Awaited,
    /// The rider is not in the ride.
    Absent,
    /// It answers.
    Connected,
    /// It answers no more; the load is still held.
    Silent,
    /// It answers no more, and the load is eased off.
    Lost,
}

/// Load that a rider sets by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManualLoad {
    /// True in ERG mode: the trainer holds the targets of the workout.
    pub erg: bool,
    /// Slope in 0.01 %.
    pub slope: i16,
    /// Resistance in percent, for trainers without slopes.
    pub resistance: u8,
}

impl Default for ManualLoad {
    fn default() -> Self {
        Self {
            erg: true,
            slope: 0,
            resistance: 20,
        }
    }
}

/// Reason why a device could not be connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairingFailure {
    /// The browser has no Web Bluetooth, or the page is not a secure context.
    Unsupported,
    /// The rider closed the device chooser.
    Cancelled,
    /// Web Bluetooth is disabled in the browser, by its maker, an administrator or the rider.
    Disabled,
    /// The rider, the browser or the system denies access to Bluetooth.
    Denied,
    /// The computer has no Bluetooth, or it is switched off.
    AdapterOff,
    /// The part of the app that connects trainers could not be fetched.
    PartUnavailable,
    /// The device is not a Fitness Machine.
    WrongKind,
    /// The device is out of reach, or asleep.
    Unreachable,
    /// The device refuses the connection, or another tab has it.
    Taken,
}
