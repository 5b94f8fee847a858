//! WebSocket messages within a stream.

use js_sys::{Array, JsString, Uint8Array};
use tunnel::messages::{self, Decoder, Message};
use wasm_bindgen::prelude::*;

/// Bytes of a text message.
#[wasm_bindgen(js_name = encodeText)]
pub fn encode_text(text: String) -> Vec<u8> {
    messages::encode(&Message::Text(text))
}

/// Bytes of a binary message.
#[wasm_bindgen(js_name = encodeBinary)]
pub fn encode_binary(bytes: Vec<u8>) -> Vec<u8> {
    messages::encode(&Message::Binary(bytes))
}

/// Bytes of a close frame. `code` is absent for a close without a status.
#[wasm_bindgen(js_name = encodeClose)]
pub fn encode_close(code: Option<u16>, reason: String) -> Vec<u8> {
    messages::encode(&Message::Close(code, reason))
}

/// Decoder of a stream's bytes.
#[wasm_bindgen]
#[derive(Default)]
pub struct MessageDecoder(Decoder);

#[wasm_bindgen]
impl MessageDecoder {
    /// Decoder at the begin of a stream.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    /// Next message: `["text", string]`, `["binary", bytes]` or `["close", code or undefined,
    /// reason]`; `undefined` until more bytes have come.
    ///
    /// # Errors
    /// If the bytes are not messages.
    pub fn next(&mut self) -> Result<Option<Array>, JsError> {
        let Some(message) = self.0.next()? else {
            return Ok(None);
        };
        Ok(Some(match message {
            Message::Text(text) => Array::of2(&kind("text"), &text.into()),
            Message::Binary(bytes) => {
                Array::of2(&kind("binary"), &Uint8Array::from(bytes.as_slice()))
            }
            Message::Close(code, reason) => {
                Array::of3(&kind("close"), &code.into(), &reason.into())
            }
        }))
    }
}

fn kind(name: &str) -> JsString {
    name.into()
}
