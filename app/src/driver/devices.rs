//! Trainers over Bluetooth. Profiles know what the bytes mean; the browser knows UUIDs and bytes.

use std::collections::BTreeMap;

use ride::trainer::{CharacteristicAccess, ProfileSpec, Uuid};
use session::{
    Input,
    trainer::{self, DeviceCommand, DeviceEvent, DeviceInput},
};

use super::queue::{Event, Queue};
use crate::browser::bluetooth::{
    self, Access, BluetoothDevice, CharacteristicRequest, ChooserError, ConnectError, Connection,
};

/// Devices that the rider has chosen, by the number of the attempt.
pub(super) struct Devices {
    queue: Queue,
    chosen: BTreeMap<u32, Chosen>,
}

struct Chosen {
    device: BluetoothDevice,
    spec: &'static ProfileSpec,
    /// Number of the newest attempt to connect it.
    connects: u32,
}

/// Result of a task.
pub(super) enum DeviceTask {
    /// The chooser was closed.
    Chosen {
        attempt: u32,
        spec: &'static ProfileSpec,
        result: Result<BluetoothDevice, ChooserError>,
    },
    /// An attempt to connect a device has ended.
    Connected {
        attempt: u32,
        connect: u32,
        result: Result<Connection, ConnectError>,
    },
}

impl Devices {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            chosen: BTreeMap::new(),
        }
    }

    pub(super) fn carry_out(&mut self, command: DeviceCommand) {
        match command {
            DeviceCommand::Choose { attempt, spec } => self.choose(attempt, spec),
            DeviceCommand::Connect { attempt } => self.connect(attempt),
            DeviceCommand::Write {
                attempt,
                characteristic,
                bytes,
            } => {
                if let Some(chosen) = self.chosen.get(&attempt) {
                    chosen.device.write(&characteristic.to_string(), &bytes);
                }
            }
            DeviceCommand::Release { attempt } => {
                if let Some(mut released) = self.chosen.remove(&attempt) {
                    // Disconnecting would end the connection of the newer attempt, too.
                    let mut others = self.chosen.values();
                    if others.any(|other| other.device.is_same(&released.device)) {
                        released.device.keep_connected();
                    }
                }
            }
        }
    }

    /// Input for the result of a task.
    pub(super) fn handle(&mut self, task: DeviceTask) -> Option<Input> {
        let (attempt, event) = match task {
            DeviceTask::Chosen {
                attempt,
                spec,
                result,
            } => (attempt, self.device_chosen(attempt, spec, result)),
            DeviceTask::Connected {
                attempt,
                connect,
                result,
            } => {
                let chosen = self.chosen.get_mut(&attempt);
                let chosen = chosen.filter(|chosen| chosen.connects == connect)?;
                let event = match result {
                    Ok(connection) => {
                        let missing = connection.missing.iter();
                        let missing = missing.filter_map(|text| uuid(chosen.spec, text));
                        let missing = missing.collect();
                        chosen.device.attach(connection);
                        DeviceEvent::Connected { missing }
                    }
                    Err(error) => DeviceEvent::ConnectFailed(match error {
                        ConnectError::Unreachable => trainer::ConnectError::Unreachable,
                        ConnectError::NotATrainer => trainer::ConnectError::NotATrainer,
                    }),
                };
                (attempt, event)
            }
        };
        Some(Input::Device(DeviceInput { attempt, event }))
    }

    fn device_chosen(
        &mut self,
        attempt: u32,
        spec: &'static ProfileSpec,
        result: Result<BluetoothDevice, ChooserError>,
    ) -> DeviceEvent {
        match result {
            Ok(device) => {
                let name = device.name();
                let chosen = Chosen {
                    device,
                    spec,
                    connects: 0,
                };
                self.chosen.insert(attempt, chosen);
                DeviceEvent::Chosen { name }
            }
            Err(ChooserError::Unsupported) => {
                DeviceEvent::NotChosen(trainer::ChooserError::Unsupported)
            }
            Err(ChooserError::Rejected {
                name,
                message,
                after,
                available,
            }) => DeviceEvent::NotChosen(trainer::ChooserError::Rejected {
                name,
                message,
                after,
                available,
            }),
        }
    }

    /// Opens the browser's chooser at once: browsers allow it only in the handler of a tap.
    fn choose(&self, attempt: u32, spec: &'static ProfileSpec) {
        let choosing = BluetoothDevice::choose(&spec.advertised_service.to_string());
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let result = choosing.await;
            queue.post(Event::Device(DeviceTask::Chosen {
                attempt,
                spec,
                result,
            }));
        });
    }

    fn connect(&mut self, attempt: u32) {
        let Some(chosen) = self.chosen.get_mut(&attempt) else {
            return;
        };
        chosen.connects += 1;
        let (spec, connect) = (chosen.spec, chosen.connects);
        let events = self.queue.clone();
        let connecting = chosen.device.connect(requests(spec), move |event| {
            if let Some(event) = device_event(spec, event) {
                let input = Input::Device(DeviceInput { attempt, event });
                events.post(Event::Input(input));
            }
        });
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let result = connecting.await;
            queue.post(Event::Device(DeviceTask::Connected {
                attempt,
                connect,
                result,
            }));
        });
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
