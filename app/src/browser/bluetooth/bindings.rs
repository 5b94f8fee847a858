//! Bindings of Web Bluetooth, declared here since web-sys offers it only behind an unstable flag.

use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

#[wasm_bindgen]
extern "C" {
    pub(super) type Bluetooth;
    #[wasm_bindgen(method, catch, js_name = requestDevice)]
    pub(super) fn request_device(
        this: &Bluetooth,
        options: &JsValue,
    ) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getAvailability)]
    pub(super) fn availability(this: &Bluetooth) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = getDevices)]
    pub(super) fn devices(this: &Bluetooth) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(extends = EventTarget)]
    #[derive(Clone)]
    pub(super) type Device;
    #[wasm_bindgen(method, getter)]
    pub(super) fn id(this: &Device) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn name(this: &Device) -> Option<String>;
    #[wasm_bindgen(method, catch)]
    pub(super) fn forget(this: &Device) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn gatt(this: &Device) -> Option<Gatt>;

    pub(super) type Gatt;
    #[wasm_bindgen(method, getter)]
    pub(super) fn connected(this: &Gatt) -> bool;
    #[wasm_bindgen(method, catch)]
    pub(super) fn connect(this: &Gatt) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method)]
    pub(super) fn disconnect(this: &Gatt);
    #[wasm_bindgen(method, catch, js_name = getPrimaryService)]
    pub(super) fn primary_service(this: &Gatt, service: &str) -> Result<js_sys::Promise, JsValue>;

    pub(super) type Service;
    #[wasm_bindgen(method, catch, js_name = getCharacteristic)]
    pub(super) fn characteristic(
        this: &Service,
        characteristic: &str,
    ) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(extends = EventTarget)]
    #[derive(Clone)]
    pub(super) type Characteristic;
    #[wasm_bindgen(method, getter)]
    pub(super) fn value(this: &Characteristic) -> Option<js_sys::DataView>;
    #[wasm_bindgen(method, catch, js_name = startNotifications)]
    pub(super) fn start_notifications(this: &Characteristic) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = readValue)]
    pub(super) fn read_value(this: &Characteristic) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, getter)]
    pub(super) fn properties(this: &Characteristic) -> JsValue;
    #[wasm_bindgen(method, catch, js_name = writeValueWithResponse)]
    pub(super) fn write_with_response(
        this: &Characteristic,
        bytes: &js_sys::Uint8Array,
    ) -> Result<js_sys::Promise, JsValue>;
    #[wasm_bindgen(method, catch, js_name = writeValueWithoutResponse)]
    pub(super) fn write_without_response(
        this: &Characteristic,
        bytes: &js_sys::Uint8Array,
    ) -> Result<js_sys::Promise, JsValue>;
}
