//! Devices over Bluetooth. Profiles know what the bytes mean; the browser knows UUIDs and bytes.
//!
//! Reached through [`crate::lazy::TRAINERS`] only, so that it is not fetched before the lobby.

use std::{cell::RefCell, rc::Rc};

use litemap::LiteMap;
use ride::trainer::{
    CharacteristicAccess, CharacteristicSpec, DeviceKind, ProfileFactory, ProfileSpec, Uuid,
    battery, profiles,
};
use session::devices::{self, DeviceCommand, DeviceEvent, DeviceInput};

use crate::browser::{
    bluetooth::{
        self, Access, BluetoothDevice, CharacteristicRequest, ChooserError, ConnectError,
        Connection,
    },
    tab_lock::{self, TabLock},
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
    chosen: RefCell<LiteMap<u32, Chosen>>,
}

struct Chosen {
    device: BluetoothDevice,
    /// Tells the other tabs that the device is in use here.
    _lock: TabLock,
    /// Number of the newest attempt to connect it.
    connects: u32,
}

impl Devices {
    fn carry_out(self: &Rc<Self>, command: DeviceCommand) {
        match command {
            DeviceCommand::Choose { attempt, kind } => self.choose(attempt, kind),
            DeviceCommand::Find { attempt, id, .. } => self.find(attempt, id),
            DeviceCommand::Connect { attempt, spec } => self.connect(attempt, spec),
            DeviceCommand::Write {
                attempt,
                characteristic,
                bytes,
            } => {
                if let Some(chosen) = self.chosen.borrow().get(&attempt) {
                    chosen.device.write(&characteristic.to_string(), &bytes);
                }
            }
            DeviceCommand::Release { attempt, forget } => {
                // Disconnecting would end the connection of the other attempt, too.
                let is_shared = self.is_shared(attempt);
                let released = self.chosen.borrow_mut().remove(&attempt);
                if let Some(released) = released {
                    if is_shared {
                        released.device.keep_connected();
                    } else if forget {
                        released.device.forget();
                    }
                }
            }
        }
    }

    /// Opens the browser's chooser at once: browsers allow it only in the handler of a tap.
    fn choose(self: &Rc<Self>, attempt: u32, kind: DeviceKind) {
        let profiles = profiles(kind);
        let specs = || profiles.iter().map(|profile| profile.spec());
        let advertised = specs().map(|spec| spec.advertised_service);
        let used = specs()
            .flat_map(|spec| spec.characteristics)
            .map(|it| it.service);
        let used = used.chain([battery::SERVICE]);
        let choosing = BluetoothDevice::choose(&texts(advertised), &texts(used));
        let this = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let event = match choosing.await {
                Ok(device) => match this.is_taken(&device.id()).await {
                    Some(true) => DeviceEvent::NotChosen(devices::ChooserError::Taken),
                    _ => this.chosen(attempt, device),
                },
                Err(error) => DeviceEvent::NotChosen(chooser_error(error)),
            };
            (this.emit)(DeviceInput { attempt, event });
        });
    }

    /// Looks for a device that was chosen before, unless another tab uses it: two that control one
    /// trainer would take its target from each other.
    fn find(self: &Rc<Self>, attempt: u32, id: String) {
        let devices = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let found = match devices.is_taken(&id).await {
                Some(false) => BluetoothDevice::find(&id).await,
                _ => None,
            };
            let event = match found {
                Some(device) => devices.chosen(attempt, device),
                None => DeviceEvent::NotRemembered,
            };
            (devices.emit)(DeviceInput { attempt, event });
        });
    }

    /// Tells whether another tab uses the device with this id; `None` where the browser cannot tell.
    async fn is_taken(&self, id: &str) -> Option<bool> {
        let is_own = |chosen: &Chosen| chosen.device.id() == id;
        if self.chosen.borrow().values().any(is_own) {
            return Some(false);
        }
        tab_lock::is_held(&lock_name(id)).await
    }

    fn chosen(&self, attempt: u32, device: BluetoothDevice) -> DeviceEvent {
        let (id, name) = (device.id(), device.name());
        let chosen = Chosen {
            device,
            _lock: TabLock::hold(lock_name(&id)),
            connects: 0,
        };
        self.chosen.borrow_mut().insert(attempt, chosen);
        let profiles = ProfileFactory(profiles);
        DeviceEvent::Chosen { id, name, profiles }
    }

    fn connect(self: &Rc<Self>, attempt: u32, spec: &'static ProfileSpec) {
        // Of a device that serves two purposes, one must not end the connection of the other.
        let is_shared = self.is_shared(attempt);
        let mut all = self.chosen.borrow_mut();
        let Some(chosen) = all.get_mut(&attempt) else {
            return;
        };
        chosen.connects += 1;
        let connect = chosen.connects;
        let emit = self.emit.clone();
        let connecting = chosen
            .device
            .connect(requests(spec), is_shared, move |event| {
                if let Some(event) = device_event(spec, event) {
                    emit(DeviceInput { attempt, event });
                }
            });
        let devices = self.clone();
        wasm_bindgen_futures::spawn_local(async move {
            let result = connecting.await;
            if let Some(event) = devices.connected(attempt, connect, spec, result) {
                (devices.emit)(DeviceInput { attempt, event });
            }
        });
    }

    /// Tells whether the device of an attempt was chosen by another attempt as well.
    fn is_shared(&self, attempt: u32) -> bool {
        let all = self.chosen.borrow();
        let others = all.iter().filter(|(other, _)| **other != attempt);
        let mut others = others.map(|(_, chosen)| &chosen.device);
        let this = all.get(&attempt);
        this.is_some_and(|this| others.any(|other| other.is_same(&this.device)))
    }

    /// Takes the result of an attempt to connect, unless there is a newer one.
    fn connected(
        &self,
        attempt: u32,
        connect: u32,
        spec: &ProfileSpec,
        result: Result<Connection, ConnectError>,
    ) -> Option<DeviceEvent> {
        let mut all = self.chosen.borrow_mut();
        let chosen = all.get_mut(&attempt);
        let chosen = chosen.filter(|chosen| chosen.connects == connect)?;
        Some(match result {
            Ok(connection) => {
                let missing = connection.missing.iter();
                let missing = missing.filter_map(|text| uuid(spec, text));
                let missing = missing.collect();
                chosen.device.attach(connection);
                DeviceEvent::Connected { missing }
            }
            Err(ConnectError::Unreachable) => {
                DeviceEvent::ConnectFailed(devices::ConnectError::Unreachable)
            }
            Err(ConnectError::Refused) => {
                DeviceEvent::ConnectFailed(devices::ConnectError::Refused)
            }
            Err(ConnectError::Lacking) => {
                DeviceEvent::ConnectFailed(devices::ConnectError::WrongKind)
            }
        })
    }
}

fn chooser_error(error: ChooserError) -> devices::ChooserError {
    match error {
        ChooserError::Unsupported => devices::ChooserError::Unsupported,
        ChooserError::Rejected {
            name,
            message,
            after,
            available,
        } => devices::ChooserError::Rejected {
            name,
            message,
            after,
            available,
        },
    }
}

/// Name of the lock of a device.
fn lock_name(id: &str) -> String {
    format!("gruppetto device {id}")
}

/// Services as texts, each once.
fn texts(services: impl Iterator<Item = Uuid>) -> Vec<String> {
    let mut texts = Vec::new();
    for service in services {
        let text = service.to_string();
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// Characteristics of the profile, and the state of charge, which every device may have.
fn characteristics(spec: &ProfileSpec) -> impl Iterator<Item = &CharacteristicSpec> {
    spec.characteristics.iter().chain([&battery::SPEC])
}

fn requests(spec: &ProfileSpec) -> Vec<CharacteristicRequest> {
    let characteristics = characteristics(spec);
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

/// UUID of a characteristic.
fn uuid(spec: &ProfileSpec, text: &str) -> Option<Uuid> {
    let mut uuids = characteristics(spec).map(|it| it.uuid);
    uuids.find(|uuid| uuid.to_string() == text)
}
