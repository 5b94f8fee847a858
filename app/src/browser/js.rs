//! Members, methods and classes of JavaScript by their names, for interfaces that are used rarely: each
//! binding of web-sys would make the script of the first page larger.
//!
//! During server rendering there are no objects to pass.

use js_sys::{Array, Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// Member of an object; `None` if it has none, or an undefined one.
pub(super) fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    let value = Reflect::get(object, &name.into()).ok()?;
    (!value.is_undefined()).then_some(value)
}

/// Sets a member of an object. Fails for no object that is not frozen.
pub(super) fn set(object: &JsValue, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

/// Result of a method; `None` if there is none, or if it throws.
pub(super) fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let function: Function = get(object, method)?.dyn_into().ok()?;
    let list: Array = arguments.iter().collect();
    function.apply(object, &list).ok()
}

/// New object of a global class; `None` if the browser lacks it.
pub(super) fn construct(class: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let class: Function = get(&js_sys::global(), class)?.dyn_into().ok()?;
    let list: Array = arguments.iter().collect();
    Reflect::construct(&class, &list).ok()
}
