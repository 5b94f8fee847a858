//! Writes to a device.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    rc::Rc,
};

use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::{
    DeviceEvent, Emit,
    bindings::{Characteristic, Device},
    disconnect, settle,
};

/// Writes of one connection, one at a time: browsers reject a second one meanwhile.
pub(super) struct Writer {
    pub(super) device: Device,
    pub(super) emit: Emit,
    pub(super) waiting: RefCell<VecDeque<(String, Characteristic, Vec<u8>)>>,
    busy: Cell<bool>,
    /// The device is to be disconnected after the last write.
    pub(super) closing: Cell<bool>,
    /// The connection is over; what becomes of its writes is of no interest.
    pub(super) detached: Cell<bool>,
}

impl Writer {
    pub(super) fn new(device: Device, emit: Emit) -> Self {
        Self {
            device,
            emit,
            waiting: RefCell::default(),
            busy: Cell::new(false),
            closing: Cell::new(false),
            detached: Cell::new(false),
        }
    }

    pub(super) fn close(self: &Rc<Self>) {
        self.closing.set(true);
        self.write_next();
    }

    pub(super) fn write_next(self: &Rc<Self>) {
        if self.busy.get() || self.detached.get() {
            return;
        }
        let next = self.waiting.borrow_mut().pop_front();
        let Some((uuid, characteristic, bytes)) = next else {
            if self.closing.get() {
                self.detached.set(true);
                disconnect(&self.device);
            }
            return;
        };
        self.busy.set(true);
        let written = write(&characteristic, &js_sys::Uint8Array::from(&bytes[..]));
        let writer = self.clone();
        spawn_local(async move {
            let ok = settle(written).await.is_ok();
            writer.busy.set(false);
            if !writer.detached.get() {
                (writer.emit)(DeviceEvent::Written {
                    characteristic: uuid,
                    ok,
                });
                writer.write_next();
            }
        });
    }
}

/// Writes with response, unless the characteristic takes only writes without.
fn write(
    characteristic: &Characteristic,
    bytes: &js_sys::Uint8Array,
) -> Result<js_sys::Promise, JsValue> {
    let properties = characteristic.properties();
    let has = |name: &str| {
        let value = js_sys::Reflect::get(&properties, &name.into());
        value.is_ok_and(|value| value.is_truthy())
    };
    if has("writeWithoutResponse") && !has("write") {
        characteristic.write_without_response(bytes)
    } else {
        characteristic.write_with_response(bytes)
    }
}
