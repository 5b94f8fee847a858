//! A device over Web Bluetooth: UUIDs and bytes, without knowledge of their
//! meaning, which the trainer profiles of `ride` have.
//!
//! In the browser only: without a window, as during server rendering, choosing fails
//! with [`ChooserError::Unsupported`]. Dropping a [`BluetoothDevice`] removes its
//! listeners and disconnects it, after the writes that were begun.

mod bindings;
mod writer;

use std::{cell::Cell, rc::Rc, time::Duration};

use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{clock, listener::Listener};
use bindings::{Bluetooth, Characteristic, Device, Gatt, Service};
use writer::Writer;

/// Characteristic to prepare. UUIDs are text in the canonical form.
pub struct CharacteristicRequest {
    /// Service of the characteristic.
    pub service: String,
    /// Characteristic itself.
    pub uuid: String,
    /// Access to prepare.
    pub access: Access,
    /// True if a device without it is rejected.
    pub required: bool,
}

/// Access to a characteristic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read once.
    Read,
    /// Notifications or indications.
    Subscribe,
    /// Writes only.
    Write,
}

/// Reason why no device was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChooserError {
    /// The browser has no Web Bluetooth, or the page is not a secure context.
    Unsupported,
    /// The browser rejected the request with this `DOMException`.
    Rejected {
        /// Its name.
        name: String,
        /// Its message.
        message: String,
        /// Time between the request and the exception.
        after: Duration,
        /// False if the browser says that Bluetooth is not available.
        available: bool,
    },
}

/// Reason why a device was not connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectError {
    /// The device is out of reach, or the connection broke while it was prepared.
    Unreachable,
    /// The connection failed for another reason.
    Refused,
    /// The device lacks a required characteristic.
    Lacking,
}

/// Event of a device.
pub enum DeviceEvent {
    /// Value of a characteristic: read, notified or indicated.
    Value {
        /// UUID of the characteristic, as in [`CharacteristicRequest::uuid`].
        characteristic: String,
        /// The value.
        bytes: Vec<u8>,
    },
    /// Result of a write.
    Written {
        /// UUID of the characteristic.
        characteristic: String,
        /// True if the device confirmed the write.
        ok: bool,
    },
    /// The connection is lost.
    Disconnected,
}

type Emit = Rc<dyn Fn(DeviceEvent)>;

/// Device that the rider has chosen. It is disconnected when it is dropped.
pub struct BluetoothDevice {
    device: Device,
    connection: Option<Connection>,
    disconnects_on_drop: Cell<bool>,
}

impl BluetoothDevice {
    /// Shows the browser's chooser of devices at once: of those that advertise one of the services
    /// `advertised`. The page may use the services `used` of it as well. Browsers allow it only in
    /// the handler of a tap or key press.
    ///
    /// # Errors
    /// The reason why no device was chosen.
    pub fn choose(
        advertised: &[String],
        used: &[String],
    ) -> impl Future<Output = Result<Self, ChooserError>> + use<> {
        let asked_at = clock::moment();
        let bluetooth = bluetooth();
        let chosen = bluetooth
            .as_ref()
            .map(|bluetooth| bluetooth.request_device(&filters(advertised, used)));
        async move {
            let (Some(bluetooth), Some(chosen)) = (bluetooth, chosen) else {
                return Err(ChooserError::Unsupported);
            };
            match settle(chosen).await {
                Ok(device) => Ok(Self::new(device)),
                Err(error) => {
                    let after = clock::moment() - asked_at;
                    let available = settle(bluetooth.availability()).await;
                    Err(ChooserError::Rejected {
                        name: property(&error, "name"),
                        message: property(&error, "message"),
                        after,
                        available: available.map_or(true, |available| available.is_truthy()),
                    })
                }
            }
        }
    }

    /// The device with this id, if the browser lets the page use it again without a choice. Few
    /// browsers do.
    pub async fn find(id: &str) -> Option<Self> {
        let devices = settle(bluetooth()?.devices()).await.ok()?;
        let devices = js_sys::Array::from(&devices).into_iter();
        let mut devices = devices.map(Self::new);
        devices.find(|device| {
            let is_found = device.id() == id;
            // Dropping a device disconnects it: only the one that is returned may be dropped so.
            device.disconnects_on_drop.set(is_found);
            is_found
        })
    }

    fn new(device: JsValue) -> Self {
        Self {
            device: device.unchecked_into(),
            connection: None,
            disconnects_on_drop: Cell::new(true),
        }
    }

    /// Id that the browser has given the device; empty if it gives none.
    pub fn id(&self) -> String {
        self.device.id().unwrap_or_default()
    }

    /// Takes the page's permission to use the device back, where the browser can do it.
    pub fn forget(&self) {
        let forgotten = self.device.forget();
        spawn_local(async move {
            // A browser that cannot do it keeps it in its settings.
            let _ = settle(forgotten).await;
        });
    }

    /// Name that the device gives itself.
    pub fn name(&self) -> String {
        self.device.name().unwrap_or_default()
    }

    /// True if both are the same device.
    pub fn is_same(&self, other: &Self) -> bool {
        js_sys::Object::is(self.device.as_ref(), other.device.as_ref())
    }

    /// Keeps the device connected when this value is dropped.
    pub fn keep_connected(&self) {
        self.disconnects_on_drop.set(false);
    }

    /// Connects the device and prepares its characteristics. A connection that exists, or is being
    /// made, ends before, without an event, unless it is `shared`.
    ///
    /// # Errors
    /// The reason why there is no connection.
    pub fn connect<E: Fn(DeviceEvent) + 'static>(
        &mut self,
        characteristics: Vec<CharacteristicRequest>,
        shared: bool,
        emit: E,
    ) -> impl Future<Output = Result<Connection, ConnectError>> + use<E> {
        self.connection = None;
        if !shared {
            disconnect(&self.device);
        }
        Connection::open(self.device.clone(), characteristics, Rc::new(emit))
    }

    /// Takes the connection that was made.
    pub fn attach(&mut self, connection: Connection) {
        self.connection = Some(connection);
    }

    /// Writes to a characteristic with response, after the writes before it, and reports
    /// [`DeviceEvent::Written`]. The first write begins at once, so that it is on its way even from
    /// a page that is being closed.
    pub fn write(&self, uuid: &str, bytes: &[u8]) {
        if let Some(connection) = &self.connection {
            connection.write(uuid, bytes);
        }
    }
}

impl Drop for BluetoothDevice {
    fn drop(&mut self) {
        if !self.disconnects_on_drop.get() {
            return;
        }
        match &self.connection {
            Some(connection) => connection.writer.close(),
            None => disconnect(&self.device),
        }
    }
}

/// Connection to a device, with its characteristics. Dropping it removes the listeners and drops
/// the writes that are waiting; the device stays connected.
pub struct Connection {
    characteristics: Vec<(String, Characteristic)>,
    /// UUIDs of the characteristics that the device lacks, or that could not be prepared.
    pub missing: Vec<String>,
    writer: Rc<Writer>,
    _listeners: Vec<Listener>,
}

impl Connection {
    async fn open(
        device: Device,
        requests: Vec<CharacteristicRequest>,
        emit: Emit,
    ) -> Result<Self, ConnectError> {
        let gatt = device.gatt().ok_or(ConnectError::Unreachable)?;
        let connected = settle(gatt.connect()).await;
        connected.map_err(|error| gatt_error(&error))?;
        let disconnected = Listener::new(&device, "gattserverdisconnected", {
            let emit = emit.clone();
            move |_| emit(DeviceEvent::Disconnected)
        });
        let mut connection = Self {
            characteristics: Vec::new(),
            missing: Vec::new(),
            writer: Rc::new(Writer::new(device, emit)),
            _listeners: vec![disconnected],
        };
        for request in requests {
            let prepared = connection.prepare(&gatt, &request).await;
            match prepared {
                Ok(characteristic) => {
                    let prepared = (request.uuid, characteristic);
                    connection.characteristics.push(prepared);
                }
                Err(error) if request.required => return Err(connect_error(&error)),
                Err(_) => connection.missing.push(request.uuid),
            }
        }
        if gatt.connected() {
            Ok(connection)
        } else {
            Err(ConnectError::Unreachable)
        }
    }

    async fn prepare(
        &mut self,
        gatt: &Gatt,
        request: &CharacteristicRequest,
    ) -> Result<Characteristic, JsValue> {
        let service = settle(gatt.primary_service(&request.service)).await?;
        let service: Service = service.unchecked_into();
        let characteristic = settle(service.characteristic(&request.uuid)).await?;
        let characteristic: Characteristic = characteristic.unchecked_into();
        match request.access {
            Access::Read => {
                let value = settle(characteristic.read_value()).await?;
                (self.writer.emit)(DeviceEvent::Value {
                    characteristic: request.uuid.clone(),
                    bytes: bytes(&value.unchecked_into()),
                });
            }
            Access::Subscribe => {
                let listener = self.listen(&request.uuid, &characteristic);
                settle(characteristic.start_notifications()).await?;
                self._listeners.push(listener);
            }
            Access::Write => {}
        }
        Ok(characteristic)
    }

    fn listen(&self, uuid: &str, characteristic: &Characteristic) -> Listener {
        let (source, emit) = (characteristic.clone(), self.writer.emit.clone());
        let uuid = uuid.to_owned();
        Listener::new(characteristic, "characteristicvaluechanged", move |_| {
            if let Some(view) = source.value() {
                emit(DeviceEvent::Value {
                    characteristic: uuid.clone(),
                    bytes: bytes(&view),
                });
            }
        })
    }

    fn write(&self, uuid: &str, bytes: &[u8]) {
        let known = self.characteristics.iter().find(|(known, _)| known == uuid);
        if let Some((uuid, characteristic)) = known {
            let write = (uuid.clone(), characteristic.clone(), bytes.to_vec());
            self.writer.waiting.borrow_mut().push_back(write);
            self.writer.write_next();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if !self.writer.closing.get() {
            self.writer.detached.set(true);
        }
    }
}

fn disconnect(device: &Device) {
    if let Some(gatt) = device.gatt() {
        gatt.disconnect();
    }
}

/// True if the browser has Web Bluetooth.
pub fn is_supported() -> bool {
    bluetooth().is_some()
}

/// Web Bluetooth, where the browser has it.
fn bluetooth() -> Option<Bluetooth> {
    let navigator = web_sys::window()?.navigator();
    let bluetooth = js_sys::Reflect::get(&navigator, &"bluetooth".into()).ok()?;
    bluetooth.is_truthy().then(|| bluetooth.unchecked_into())
}

/// Reason why a device was not connected, by the message of Chromium (`bluetooth_error.cc`).
fn gatt_error(error: &JsValue) -> ConnectError {
    match property(error, "message").contains("in range") {
        true => ConnectError::Unreachable,
        false => ConnectError::Refused,
    }
}

/// Reason why a required characteristic could not be prepared: it does not exist or cannot be
/// subscribed to, or else the connection broke.
fn connect_error(error: &JsValue) -> ConnectError {
    match property(error, "name").as_str() {
        "NotFoundError" | "NotSupportedError" => ConnectError::Lacking,
        _ => ConnectError::Unreachable,
    }
}

/// Text property of an exception; empty if it has none.
fn property(error: &JsValue, name: &str) -> String {
    let value = js_sys::Reflect::get(error, &name.into());
    value.ok().and_then(|it| it.as_string()).unwrap_or_default()
}

/// `{filters: [{services: [service]}, …], optionalServices: […]}`
fn filters(advertised: &[String], used: &[String]) -> JsValue {
    let options = js_sys::Object::new();
    // Setting a property of a plain object does not fail.
    let set = |object: &js_sys::Object, name: &str, value: &JsValue| {
        let _ = js_sys::Reflect::set(object, &name.into(), value);
    };
    let filters = advertised.iter().map(|service| {
        let filter = js_sys::Object::new();
        let services = js_sys::Array::of1(&JsValue::from(service));
        set(&filter, "services", &services);
        JsValue::from(filter)
    });
    set(&options, "filters", &filters.collect::<js_sys::Array>());
    let used = used.iter().map(JsValue::from).collect::<js_sys::Array>();
    set(&options, "optionalServices", &used);
    options.into()
}

async fn settle(promise: Result<js_sys::Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

fn bytes(view: &js_sys::DataView) -> Vec<u8> {
    let (offset, length) = (view.byte_offset() as u32, view.byte_length() as u32);
    js_sys::Uint8Array::new_with_byte_offset_and_length(&view.buffer(), offset, length).to_vec()
}
