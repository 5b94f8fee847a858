//! Trainers over Bluetooth. Profiles know what the bytes mean; the browser knows UUIDs and bytes.

use std::collections::BTreeMap;

use ride::trainer::{CharacteristicAccess, ProfileSpec, Uuid};
use session::{
    Input,
    trainer::{DeviceCommand, DeviceEvent, DeviceInput},
    view::TrainerFailure,
};

use super::queue::{Event, Queue};
use crate::browser::bluetooth::{
    self, Access, BluetoothDevice, BluetoothError, CharacteristicRequest, DeviceRequest,
};

/// Connected devices, by the number of the attempt.
pub(super) struct Devices {
    queue: Queue,
    connected: BTreeMap<u32, BluetoothDevice>,
}

/// Result of an attempt to connect a device.
pub(super) struct DeviceTask {
    attempt: u32,
    result: Result<BluetoothDevice, BluetoothError>,
}

impl Devices {
    pub(super) fn new(queue: Queue) -> Self {
        Self {
            queue,
            connected: BTreeMap::new(),
        }
    }

    pub(super) fn carry_out(&mut self, command: DeviceCommand) {
        match command {
            DeviceCommand::Choose { attempt, spec } => self.choose(attempt, spec),
            DeviceCommand::Write {
                attempt,
                characteristic,
                bytes,
            } => {
                if let Some(device) = self.connected.get(&attempt) {
                    device.write(&characteristic.to_string(), &bytes);
                }
            }
            DeviceCommand::Release { attempt } => {
                if let Some(mut device) = self.connected.remove(&attempt) {
                    // Disconnecting would end the connection of the newer attempt, too.
                    if self.connected.values().any(|other| other.is_same(&device)) {
                        device.keep_connected();
                    }
                }
            }
        }
    }

    /// Input for the result of an attempt.
    pub(super) fn handle(&mut self, DeviceTask { attempt, result }: DeviceTask) -> Option<Input> {
        let event = match result {
            Ok(device) => {
                let name = device.name();
                self.connected.insert(attempt, device);
                DeviceEvent::Connected { name }
            }
            Err(error) => DeviceEvent::Failed(match error {
                BluetoothError::Unsupported => TrainerFailure::Unsupported,
                BluetoothError::Cancelled => TrainerFailure::Cancelled,
                BluetoothError::NotATrainer => TrainerFailure::NotATrainer,
            }),
        };
        Some(Input::Device(DeviceInput { attempt, event }))
    }

    /// Opens the browser's chooser at once: browsers allow it only in the handler of a tap.
    fn choose(&self, attempt: u32, spec: &'static ProfileSpec) {
        let events = self.queue.clone();
        let connecting = BluetoothDevice::connect(request(spec), move |event| {
            if let Some(event) = device_event(spec, event) {
                let input = Input::Device(DeviceInput { attempt, event });
                events.post(Event::Input(input));
            }
        });
        let queue = self.queue.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let result = connecting.await;
            queue.post(Event::Device(DeviceTask { attempt, result }));
        });
    }
}

fn request(spec: &ProfileSpec) -> DeviceRequest {
    let characteristics = spec.characteristics.iter();
    DeviceRequest {
        advertised_service: spec.advertised_service.to_string(),
        characteristics: characteristics
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
            .collect(),
    }
}

fn device_event(spec: &ProfileSpec, event: bluetooth::DeviceEvent) -> Option<DeviceEvent> {
    let uuid = |text: &str| -> Option<Uuid> {
        let mut uuids = spec.characteristics.iter().map(|it| it.uuid);
        uuids.find(|uuid| uuid.to_string() == text)
    };
    Some(match event {
        bluetooth::DeviceEvent::Value {
            characteristic,
            bytes,
        } => DeviceEvent::Value {
            characteristic: uuid(&characteristic)?,
            bytes,
        },
        bluetooth::DeviceEvent::Written { characteristic, ok } => DeviceEvent::Written {
            characteristic: uuid(&characteristic)?,
            ok,
        },
        bluetooth::DeviceEvent::Disconnected => DeviceEvent::Disconnected,
    })
}
