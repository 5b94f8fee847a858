//! A trainer over Web Bluetooth, through the Fitness Machine service.
//!
//! This module knows UUIDs and bytes; `ride::trainer` knows their meaning. The
//! bindings are declared here, since web-sys offers this API only behind an
//! unstable flag.
//!
//! In the browser only: without a window, as during server rendering, connecting
//! fails with [`BluetoothError::Unsupported`]. Dropping a [`BluetoothTrainer`]
//! removes its listeners and disconnects.

use std::rc::Rc;

use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::EventTarget;

use super::listener::Listener;

/// Fitness Machine service and its characteristics (Bluetooth SIG, FTMS 1.0).
const FITNESS_MACHINE: u16 = 0x1826;
const INDOOR_BIKE_DATA: u16 = 0x2AD2;
const SUPPORTED_POWER_RANGE: u16 = 0x2AD8;
const CONTROL_POINT: u16 = 0x2AD9;
const STATUS: u16 = 0x2ADA;

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
    fn primary_service(this: &Gatt, service: u16) -> Result<js_sys::Promise, JsValue>;

    type Service;
    #[wasm_bindgen(method, catch, js_name = getCharacteristic)]
    fn characteristic(this: &Service, characteristic: u16) -> Result<js_sys::Promise, JsValue>;

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

/// Reason why no trainer was connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BluetoothError {
    /// The browser has no Web Bluetooth, or the page is not a secure context.
    Unsupported,
    /// The rider closed the device chooser.
    Cancelled,
    /// The device is not a Fitness Machine.
    NotATrainer,
}

/// Event of a connected trainer.
pub enum TrainerEvent {
    /// An Indoor Bike Data notification.
    IndoorBikeData(Vec<u8>),
    /// A Control Point indication.
    Indication(Vec<u8>),
    /// A Fitness Machine Status notification.
    Status(Vec<u8>),
    /// The last write finished: true if it reached the trainer.
    WriteCompleted(bool),
    /// The connection dropped.
    Disconnected,
}

type Emit = Rc<dyn Fn(TrainerEvent)>;

/// A connected trainer.
pub struct BluetoothTrainer {
    device: Device,
    control_point: Characteristic,
    power_range: Option<Vec<u8>>,
    emit: Emit,
    /// False if the device has been handed over to another connection.
    disconnects_on_drop: bool,
    _listeners: Vec<Listener>,
}

impl BluetoothTrainer {
    /// Opens the browser's device chooser and connects the chosen device. Browsers
    /// allow this only in the handler of a tap or key press.
    pub async fn connect(emit: impl Fn(TrainerEvent) + 'static) -> Result<Self, BluetoothError> {
        let device = choose().await?;
        let subscribed = Self::subscribe(device.clone(), Rc::new(emit)).await;
        subscribed.map_err(|_| {
            disconnect(&device);
            BluetoothError::NotATrainer
        })
    }

    async fn subscribe(device: Device, emit: Emit) -> Result<Self, JsValue> {
        let gatt = device.gatt().ok_or(JsValue::NULL)?;
        settle(gatt.connect()).await?;
        let service: Service = settle(gatt.primary_service(FITNESS_MACHINE))
            .await?
            .unchecked_into();
        let data = characteristic(&service, INDOOR_BIKE_DATA).await?;
        let control_point = characteristic(&service, CONTROL_POINT).await?;
        let power_range = read(&service, SUPPORTED_POWER_RANGE).await;
        let status = characteristic(&service, STATUS).await.ok();
        let mut listeners = vec![
            listen(&data, &emit, TrainerEvent::IndoorBikeData),
            listen(&control_point, &emit, TrainerEvent::Indication),
            Listener::new(&device, "gattserverdisconnected", {
                let emit = emit.clone();
                move |_| emit(TrainerEvent::Disconnected)
            }),
        ];
        // Indications first, so that the response to the first write is received.
        settle(control_point.start_notifications()).await?;
        settle(data.start_notifications()).await?;
        // Optional characteristic: reports when another app takes control.
        if let Some(status) = status {
            listeners.push(listen(&status, &emit, TrainerEvent::Status));
            let _ = settle(status.start_notifications()).await;
        }
        Ok(Self {
            device,
            control_point,
            power_range,
            emit,
            disconnects_on_drop: true,
            _listeners: listeners,
        })
    }

    /// Name of the device.
    pub fn name(&self) -> String {
        self.device.name().unwrap_or_default()
    }

    /// Value of the Supported Power Range characteristic, if there is one.
    pub fn power_range(&self) -> Option<&[u8]> {
        self.power_range.as_deref()
    }

    /// Prepares for being replaced by `other`. If both are the same device, dropping
    /// this one must not disconnect it.
    pub fn hand_over_to(&mut self, other: &Self) {
        self.disconnects_on_drop = !js_sys::Object::is(self.device.as_ref(), other.device.as_ref());
    }

    /// Writes to the Control Point; emits [`TrainerEvent::WriteCompleted`].
    pub fn write(&self, bytes: &[u8]) {
        let written = self
            .control_point
            .write_value(&js_sys::Uint8Array::from(bytes));
        let emit = self.emit.clone();
        spawn_local(
            async move { emit(TrainerEvent::WriteCompleted(settle(written).await.is_ok())) },
        );
    }
}

impl Drop for BluetoothTrainer {
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

async fn choose() -> Result<Device, BluetoothError> {
    let navigator = web_sys::window()
        .ok_or(BluetoothError::Unsupported)?
        .navigator();
    let bluetooth = js_sys::Reflect::get(&navigator, &"bluetooth".into())
        .ok()
        .filter(|bluetooth| !bluetooth.is_undefined())
        .ok_or(BluetoothError::Unsupported)?
        .unchecked_into::<Bluetooth>();
    let chosen = settle(bluetooth.request_device(&filters())).await;
    chosen
        .map(JsCast::unchecked_into)
        .map_err(|_| BluetoothError::Cancelled)
}

/// `{filters: [{services: [0x1826]}]}`
fn filters() -> JsValue {
    let filter = js_sys::Object::new();
    let services = js_sys::Array::of1(&JsValue::from(FITNESS_MACHINE));
    let options = js_sys::Object::new();
    // Setting a property of a plain object does not fail.
    let _ = js_sys::Reflect::set(&filter, &"services".into(), &services);
    let _ = js_sys::Reflect::set(&options, &"filters".into(), &js_sys::Array::of1(&filter));
    options.into()
}

async fn settle(promise: Result<js_sys::Promise, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(promise?).await
}

async fn characteristic(service: &Service, id: u16) -> Result<Characteristic, JsValue> {
    Ok(settle(service.characteristic(id)).await?.unchecked_into())
}

async fn read(service: &Service, id: u16) -> Option<Vec<u8>> {
    let characteristic = characteristic(service, id).await.ok()?;
    let value = settle(characteristic.read_value()).await.ok()?;
    Some(bytes(&value.unchecked_into()))
}

fn bytes(view: &js_sys::DataView) -> Vec<u8> {
    let (offset, length) = (view.byte_offset() as u32, view.byte_length() as u32);
    js_sys::Uint8Array::new_with_byte_offset_and_length(&view.buffer(), offset, length).to_vec()
}

fn listen(
    characteristic: &Characteristic,
    emit: &Emit,
    event: fn(Vec<u8>) -> TrainerEvent,
) -> Listener {
    let (source, emit) = (characteristic.clone(), emit.clone());
    Listener::new(characteristic, "characteristicvaluechanged", move |_| {
        if let Some(view) = source.value() {
            emit(event(bytes(&view)));
        }
    })
}
