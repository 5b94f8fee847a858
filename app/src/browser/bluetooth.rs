//! A device over Web Bluetooth: UUIDs and bytes, without knowledge of their
//! meaning, which the trainer profiles of `ride` have.
//!
//! The bindings are declared here, since web-sys offers this API only behind an
//! unstable flag. In the browser only: without a window, as during server
//! rendering, connecting fails with [`BluetoothError::Unsupported`]. Dropping a
//! [`BluetoothDevice`] removes its listeners and disconnects.

use std::rc::Rc;

use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::EventTarget;

use super::listener::Listener;

#[wasm_bindgen]
extern "C" {
    type Bluetooth;
    #[wasm_bindgen(method, catch, js_name = requestDevice)]
    fn request_device(this: &Bluetooth, options: &JsValue) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(extends = EventTarget)]
    #[derive(Clone)]
    type Device;
    #[wasm_bindgen(method, getter)]
    fn name(this: &Device) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    fn gatt(this: &Device) -> Option<Gatt>;

    type Gatt;
    #[wasm_bindgen(method, catch)]
    fn connect(this: &Gatt) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method)]
    fn disconnect(this: &Gatt);
    #[wasm_bindgen(method, catch, js_name = getPrimaryService)]
    fn primary_service(this: &Gatt, service: &str) -> Result<js_sys::Promise, JsValue>;

    type Service;
    #[wasm_bindgen(method, catch, js_name = getCharacteristic)]
    fn characteristic(this: &Service, characteristic: &str) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(extends = EventTarget)]
    #[derive(Clone)]
    type Characteristic;
    #[wasm_bindgen(method, getter)]
    fn value(this: &Characteristic) -> Option<js_sys::DataView>;
    #[wasm_bindgen(method, catch, js_name = startNotifications)]
    fn start_notifications(this: &Characteristic) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = readValue)]
    fn read_value(this: &Characteristic) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = writeValueWithResponse)]
    fn write_value(
        this: &Characteristic,
        bytes: &js_sys::Uint8Array,
    ) -> Result<js_sys::Promise, JsValue>;
}

/// Device to choose, and the characteristics to prepare.
pub struct DeviceRequest {
    /// Service that the device advertises.
    pub advertised_service: String,
    /// Characteristics, in the order in which they are read and subscribed to.
    pub characteristics: Vec<CharacteristicRequest>,
}

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

/// Reason why no device was connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BluetoothError {
    /// The browser has no Web Bluetooth, or the page is not a secure context.
    Unsupported,
    /// The rider closed the device chooser.
    Cancelled,
    /// The device lacks a required characteristic.
    NotATrainer,
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

/// Connected device. It is disconnected when it is dropped.
pub struct BluetoothDevice {
    device: Device,
    characteristics: Vec<(String, Characteristic)>,
    emit: Emit,
    disconnects_on_drop: bool,
    _listeners: Vec<Listener>,
}

impl BluetoothDevice {
    /// Shows the browser's device chooser at once, and connects the chosen device. Browsers allow
    /// it only in the handler of a tap or key press.
    ///
    /// # Errors
    /// The reason why no device was connected.
    pub fn connect(
        request: DeviceRequest,
        emit: impl Fn(DeviceEvent) + 'static,
    ) -> impl Future<Output = Result<Self, BluetoothError>> {
        let chosen = choose(&request);
        async move {
            let chosen = settle(Ok(chosen?)).await;
            let device: Device = chosen
                .map_err(|_| BluetoothError::Cancelled)?
                .unchecked_into();
            let prepared = Self::prepare(device.clone(), request, Rc::new(emit)).await;
            prepared.map_err(|_| {
                disconnect(&device);
                BluetoothError::NotATrainer
            })
        }
    }

    async fn prepare(device: Device, request: DeviceRequest, emit: Emit) -> Result<Self, JsValue> {
        let gatt = device.gatt().ok_or(JsValue::NULL)?;
        settle(gatt.connect()).await?;
        let mut prepared = Self {
            device: device.clone(),
            characteristics: Vec::new(),
            emit: emit.clone(),
            disconnects_on_drop: true,
            _listeners: vec![Listener::new(
                &device,
                "gattserverdisconnected",
                move |_| {
                    emit(DeviceEvent::Disconnected);
                },
            )],
        };
        for characteristic in request.characteristics {
            let required = characteristic.required;
            if let Err(error) = prepared.prepare_characteristic(&gatt, characteristic).await
                && required
            {
                return Err(error);
            }
        }
        Ok(prepared)
    }

    async fn prepare_characteristic(
        &mut self,
        gatt: &Gatt,
        request: CharacteristicRequest,
    ) -> Result<(), JsValue> {
        let service = settle(gatt.primary_service(&request.service)).await?;
        let service: Service = service.unchecked_into();
        let characteristic = settle(service.characteristic(&request.uuid)).await?;
        let characteristic: Characteristic = characteristic.unchecked_into();
        match request.access {
            Access::Read => {
                let value = settle(characteristic.read_value()).await?;
                (self.emit)(DeviceEvent::Value {
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
        self.characteristics.push((request.uuid, characteristic));
        Ok(())
    }

    fn listen(&self, uuid: &str, characteristic: &Characteristic) -> Listener {
        let (source, emit) = (characteristic.clone(), self.emit.clone());
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

    /// Name that the device gives itself.
    pub fn name(&self) -> String {
        self.device.name().unwrap_or_default()
    }

    /// True if both are connections to the same device.
    pub fn is_same(&self, other: &Self) -> bool {
        js_sys::Object::is(self.device.as_ref(), other.device.as_ref())
    }

    /// Keeps the device connected when this value is dropped.
    pub fn keep_connected(&mut self) {
        self.disconnects_on_drop = false;
    }

    /// Writes to a characteristic with response, and reports [`DeviceEvent::Written`].
    pub fn write(&self, uuid: &str, bytes: &[u8]) {
        let known = self.characteristics.iter().find(|(known, _)| known == uuid);
        let written = known.map(|(_, characteristic)| {
            characteristic.write_value(&js_sys::Uint8Array::from(bytes))
        });
        let (characteristic, emit) = (uuid.to_owned(), self.emit.clone());
        spawn_local(async move {
            let ok = match written {
                Some(written) => settle(written).await.is_ok(),
                None => false,
            };
            emit(DeviceEvent::Written { characteristic, ok });
        });
    }
}

impl Drop for BluetoothDevice {
    fn drop(&mut self) {
        if self.disconnects_on_drop {
            disconnect(&self.device);
        }
    }
}

fn disconnect(device: &Device) {
    if let Some(gatt) = device.gatt() {
        gatt.disconnect();
    }
}

/// Opens the device chooser.
fn choose(request: &DeviceRequest) -> Result<js_sys::Promise, BluetoothError> {
    let navigator = web_sys::window()
        .ok_or(BluetoothError::Unsupported)?
        .navigator();
    let bluetooth = js_sys::Reflect::get(&navigator, &"bluetooth".into())
        .ok()
        .filter(|bluetooth| !bluetooth.is_undefined())
        .ok_or(BluetoothError::Unsupported)?
        .unchecked_into::<Bluetooth>();
    let chosen = bluetooth.request_device(&filters(&request.advertised_service));
    chosen.map_err(|_| BluetoothError::Cancelled)
}

/// `{filters: [{services: [service]}]}`
fn filters(service: &str) -> JsValue {
    let filter = js_sys::Object::new();
    let services = js_sys::Array::of1(&JsValue::from(service));
    let options = js_sys::Object::new();
    // Setting a property of a plain object does not fail.
    let _ = js_sys::Reflect::set(&filter, &"services".into(), &services);
    let _ = js_sys::Reflect::set(&options, &"filters".into(), &js_sys::Array::of1(&filter));
    options.into()
}

async fn settle(promise: Result<js_sys::Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

fn bytes(view: &js_sys::DataView) -> Vec<u8> {
    let (offset, length) = (view.byte_offset() as u32, view.byte_length() as u32);
    js_sys::Uint8Array::new_with_byte_offset_and_length(&view.buffer(), offset, length).to_vec()
}
