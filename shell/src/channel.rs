//! One channel to the tunnel peer.

use js_sys::{Array, Uint8Array};
use tunnel::{
    head::{Kind, RequestHead, ResponseHead},
    identity::AccessToken,
    multiplexer::{Event, Limits, Multiplexer, OpenError, Refusal, ResetReason},
};
use wasm_bindgen::prelude::*;

use crate::field;

/// Visitor's side of the multiplexer of one channel.
///
/// The owner passes each message of the channel to `receive`, and after each call sends what
/// `pollMessage` returns while the channel takes more, and handles what `pollEvent` returns.
#[wasm_bindgen]
pub struct Channel(Multiplexer);

#[wasm_bindgen]
impl Channel {
    /// Channel whose hello waits to be sent.
    ///
    /// # Errors
    /// If the token is malformed.
    #[wasm_bindgen(constructor)]
    pub fn new(token: &str) -> Result<Self, JsError> {
        let token: AccessToken = token.parse()?;
        Ok(Self(Multiplexer::visitor(Limits::default(), &token)))
    }

    /// Opens a stream and returns its number; 0 if there are too many, and it is worth trying
    /// again when another has ended. `fields` are names and values in turn.
    ///
    /// # Errors
    /// If the head is malformed or too large, or the channel is closed.
    pub fn open(
        &mut self,
        is_web_socket: bool,
        method: String,
        target: String,
        fields: Vec<String>,
        has_body: bool,
    ) -> Result<u32, JsError> {
        let head = RequestHead {
            kind: if is_web_socket {
                Kind::WebSocket
            } else {
                Kind::Http
            },
            method,
            target,
            fields: field::from_flat(fields)
                .ok_or_else(|| JsError::new("a header field is malformed"))?,
        };
        match self.0.open(&head.encode()?, has_body) {
            Err(OpenError::TooManyStreams) => Ok(0),
            opened => Ok(opened?),
        }
    }

    /// Queues bytes of the request's body, and returns how many were accepted. After fewer than
    /// all, an event `writable` follows.
    pub fn write(&mut self, stream: u32, bytes: &[u8]) -> usize {
        self.0.write(stream, bytes)
    }

    /// Ends the request's body.
    pub fn finish(&mut self, stream: u32) {
        self.0.finish(stream);
    }

    /// Cancels a stream.
    pub fn cancel(&mut self, stream: u32) {
        self.0.reset(stream, ResetReason::Cancelled);
    }

    /// Gives the peer credit for bytes that the reader has taken.
    pub fn consumed(&mut self, stream: u32, bytes: usize) {
        self.0.consumed(stream, bytes);
    }

    /// Asks the peer for a `pong`.
    pub fn ping(&mut self, value: u32) {
        self.0.ping(value);
    }

    /// Handles a message of the peer.
    ///
    /// # Errors
    /// If the peer violates the protocol; the channel must be closed.
    pub fn receive(&mut self, message: &[u8]) -> Result<(), JsError> {
        Ok(self.0.receive(message)?)
    }

    /// Next message to send, `undefined` if there is none.
    #[wasm_bindgen(js_name = pollMessage)]
    pub fn poll_message(&mut self) -> Option<Vec<u8>> {
        self.0.poll_message()
    }

    /// Next event as an array, `undefined` if there is none: its kind, the stream (or the value of
    /// a `pong`), and what belongs to it.
    ///
    /// `["accepted"]`, `["refused", reason]`, `["head", stream, status, [name, value, …]]`,
    /// `["data", stream, bytes]`, `["end", stream]`, `["reset", stream, reason]`,
    /// `["writable", stream]`, `["pong", value]`
    #[wasm_bindgen(js_name = pollEvent)]
    pub fn poll_event(&mut self) -> Option<Array> {
        loop {
            let event = self.0.poll_event()?;
            let named = |kind: &str| Array::of1(&kind.into());
            let of_stream = |kind: &str, stream: u32| Array::of2(&kind.into(), &stream.into());
            return Some(match event {
                Event::Accepted => named("accepted"),
                Event::Refused(refusal) => {
                    Array::of2(&"refused".into(), &refusal_name(refusal).into())
                }
                Event::Head { stream, head } => {
                    let Ok(head) = ResponseHead::decode(&head) else {
                        self.0.reset(stream, ResetReason::Refused);
                        return Some(reset_event(stream, ResetReason::Refused));
                    };
                    let fields: Array = field::to_flat(head.fields).map(JsValue::from).collect();
                    Array::of4(&"head".into(), &stream.into(), &head.status.into(), &fields)
                }
                Event::Data { stream, bytes } => {
                    let bytes = Uint8Array::from(bytes.as_slice());
                    Array::of3(&"data".into(), &stream.into(), &bytes)
                }
                Event::End { stream } => of_stream("end", stream),
                Event::Reset { stream, reason } => reset_event(stream, reason),
                Event::Writable { stream } => of_stream("writable", stream),
                Event::Pong(value) => of_stream("pong", value),
                // Events of the peer's side.
                Event::Hello { .. } | Event::Opened { .. } => continue,
            });
        }
    }
}

fn reset_event(stream: u32, reason: ResetReason) -> Array {
    Array::of3(&"reset".into(), &stream.into(), &reset_name(reason).into())
}

fn reset_name(reason: ResetReason) -> &'static str {
    match reason {
        ResetReason::Cancelled => "cancelled",
        ResetReason::Unreachable => "unreachable",
        ResetReason::TimedOut => "timed-out",
        ResetReason::Refused => "refused",
        ResetReason::Broken => "broken",
    }
}

fn refusal_name(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Forbidden => "forbidden",
        Refusal::Version => "version",
        Refusal::Busy => "busy",
    }
}
