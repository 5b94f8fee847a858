//! Trainers over Bluetooth. Profiles know what the bytes mean; the browser knows UUIDs and bytes.
//!
//! Reached through [`crate::lazy::TRAINERS`] only, so that it is not fetched before the lobby.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use ride::trainer::{CharacteristicAccess, ProfileSpec, Uuid};
use session::devices::{self, DeviceCommand, DeviceEvent, DeviceInput};

use crate::browser::bluetooth::{
    self, Access, BluetoothDevice, CharacteristicRequest, ChooserError, ConnectError, Connection,
};

/// Driver without devices. Events go to `emit`.
pub(crate) fn open(emit: Rc<dyn Fn(DeviceInput)>) -> Box<dyn Fn(DeviceCommand)> {
    let chosen = RefCell::default();
    let devices = Rc::new(Devices { emit, chosen });
    Box::new(move |command| devices.carry_out(command))
}

/// Devices that the rider has chosen, by the number of the attempt. No borrow lasts while an event
/// is emitted, which may lead to the next command.
struct Devices {
    emit: Rc<dyn Fn(DeviceInput)>,
    chosen: RefCell<BTreeMap<u32, Chosen>>,
}

struct Chosen {
    device: BluetoothDevice,
    spec: &'static ProfileSpec,
    /// Number of the newest attempt to connect it.
    connects: u32,
}

impl Devices {
    fn carry_out(self: &Rc<Self>, command: DeviceCommand) {
        match command {
            DeviceCommand::Choose { attempt, spec } => self.choose(attempt, spec),
            DeviceCommand::Connect { attempt } => self.connect(attempt),
            DeviceCommand::Write {
                attempt,
                characteristic,
                bytes,
            } => {
                if let Some(chosen) = self.chosen.borrow().get(&attempt) {
                    chosen.device.write(&characteristic.to_string(), &bytes);
                }
            }
            DeviceCommand::Release { attempt } => {
                let released = self.chosen.borrow_mut().remove(&attempt);
                if let Some(mut released) = released {
                    // Disconnecting would end the connection of the newer attempt, too.
                    let others = self.chosen.borrow();
                    let mut others = others.values();
                    if others.any(|other| other.device.is_same(&released.device)) {
                        released.device.keep_connected();
                    }
                }
            }
        }
    }

    /// Opens the browser's chooser at once: browsers allow it only in the handler of a tap.
    fn choose(self: &Rc<Self>, attempt: u32, spec: &'static ProfileSpec) {
        let choosing = BluetoothDevice::choose(&spec.advertised_service.to_string());
        let devices = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let event = match choosing.await {
                Ok(device) => {
                    let name = device.name();
                    let chosen = Chosen {
                        device,
                        spec,
                        connects: 0,
                    };
                    devices.chosen.borrow_mut().insert(attempt, chosen);
                    DeviceEvent::Chosen { name }
                }
                Err(error) => DeviceEvent::NotChosen(chooser_error(error)),
            };
            (devices.emit)(DeviceInput { attempt, event });
        });
    }

    fn connect(self: &Rc<Self>, attempt: u32) {
        let mut all = self.chosen.borrow_mut();
        let Some(chosen) = all.get_mut(&attempt) else {
            return;
        };
        chosen.connects += 1;
        let (spec, connect) = (chosen.spec, chosen.connects);
        let emit = self.emit.clone();
        let connecting = chosen.device.connect(requests(spec), move |event| {
            if let Some(event) = device_event(spec, event) {
                emit(DeviceInput { attempt, event });
            }
        });
        let devices = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let result = connecting.await;
            if let Some(event) = devices.connected(attempt, connect, result) {
                (devices.emit)(DeviceInput { attempt, event });
            }
        });
    }

    /// Takes the result of an attempt to connect, unless there is a newer one.
    fn connected(
        &self,
        attempt: u32,
        connect: u32,
        result: Result<Connection, ConnectError>,
    ) -> Option<DeviceEvent> {
        let mut all = self.chosen.borrow_mut();
        let chosen = all.get_mut(&attempt);
        let chosen = chosen.filter(|chosen| chosen.connects == connect)?;
        Some(match result {
            Ok(connection) => {
                let missing = connection.missing.iter();
                let missing = missing.filter_map(|text| uuid(chosen.spec, text));
                let missing = missing.collect();
                chosen.device.attach(connection);
                DeviceEvent::Connected { missing }
            }
            Err(ConnectError::Unreachable) => {
                DeviceEvent::ConnectFailed(trainer::ConnectError::Unreachable)
            }
            Err(ConnectError::WrongKind) => {
                DeviceEvent::ConnectFailed(trainer::ConnectError::WrongKind)
            }
        })
    }
}

fn chooser_error(error: ChooserError) -> trainer::ChooserError {
    match error {
        ChooserError::Unsupported => trainer::ChooserError::Unsupported,
        ChooserError::Rejected {
            name,
            message,
            after,
            available,
        } => trainer::ChooserError::Rejected {
            name,
            message,
            after,
            available,
        },
    }
}

fn requests(spec: &ProfileSpec) -> Vec<CharacteristicRequest> {
    let characteristics = spec.characteristics.iter();
    characteristics
        .map(|characteristic| CharacteristicRequest {
            service: characteristic.service.to_string(),
            uuid: characteristic.uuid.to_string(),
            access: match characteristic.access {
                CharacteristicAccess::Read => Access::Read,
                CharacteristicAccess::Subscribe => Access::Subscribe,
                CharacteristicAccess::Write => Access::Write,
            },
            required: characteristic.required,
        })
        .collect()
}

fn device_event(spec: &ProfileSpec, event: bluetooth::DeviceEvent) -> Option<DeviceEvent> {
    Some(match event {
        bluetooth::DeviceEvent::Value {
            characteristic,
            bytes,
        } => DeviceEvent::Value {
            characteristic: uuid(spec, &characteristic)?,
            bytes,
        },
        bluetooth::DeviceEvent::Written { characteristic, ok } => DeviceEvent::Written {
            characteristic: uuid(spec, &characteristic)?,
            ok,
        },
        bluetooth::DeviceEvent::Disconnected => DeviceEvent::Disconnected,
    })
}

/// UUID of a characteristic of the profile.
fn uuid(spec: &ProfileSpec, text: &str) -> Option<Uuid> {
    let mut uuids = spec.characteristics.iter().map(|it| it.uuid);
    uuids.find(|uuid| uuid.to_string() == text)
}
