//! The WebSocket to the server, for signaling and relayed frames.
//!
//! In the browser only: it is opened by the session, never during server
//! rendering. Dropping it removes the listeners and closes the socket.

use wasm_bindgen::JsCast;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::listener::Listener;

/// Close code of a connection that ended without a close frame (RFC 6455,
/// section 7.4.1).
const ABNORMAL_CLOSURE: u16 = 1006;

/// Event of a socket.
pub enum SocketEvent {
    /// The socket is open.
    Opened,
    /// A text message arrived.
    Text(String),
    /// A binary message arrived.
    Binary(Vec<u8>),
    /// The socket is closed, or could not be opened.
    Closed {
        /// Close code (RFC 6455, section 7.4); 1006 if there was none.
        code: u16,
        /// Reason given by the server, often empty.
        reason: String,
    },
}

/// An open or opening WebSocket. Dropping it closes it without an event.
pub struct SignalingSocket {
    socket: WebSocket,
    _listeners: Vec<Listener>,
}

impl SignalingSocket {
    /// Opens a socket; `None` if the browser rejects the address.
    pub fn open(address: &str, handle: impl Fn(SocketEvent) + Clone + 'static) -> Option<Self> {
        let socket = WebSocket::new(address).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let listeners = vec![
            Listener::new(&socket, "open", {
                let handle = handle.clone();
                move |_| handle(SocketEvent::Opened)
            }),
            Listener::new(&socket, "message", {
                let handle = handle.clone();
                move |event| {
                    if let Some(event) = message(&event) {
                        handle(event);
                    }
                }
            }),
            Listener::new(&socket, "close", move |event| {
                let (code, reason) = event
                    .dyn_into::<CloseEvent>()
                    .map_or((ABNORMAL_CLOSURE, String::new()), |event| {
                        (event.code(), event.reason())
                    });
                handle(SocketEvent::Closed { code, reason });
            }),
        ];
        Some(Self {
            socket,
            _listeners: listeners,
        })
    }

    /// Sends a text message. A failure is not reported here; a socket that is
    /// closing emits [`SocketEvent::Closed`].
    pub fn send_text(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Sends a binary message, with failures as in [`Self::send_text`].
    pub fn send_binary(&self, bytes: &[u8]) {
        let _ = self.socket.send_with_u8_array(bytes);
    }
}

impl Drop for SignalingSocket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}

fn message(event: &web_sys::Event) -> Option<SocketEvent> {
    let data = event.dyn_ref::<MessageEvent>()?.data();
    if let Some(text) = data.as_string() {
        return Some(SocketEvent::Text(text));
    }
    let buffer = data.dyn_into::<js_sys::ArrayBuffer>().ok()?;
    Some(SocketEvent::Binary(
        js_sys::Uint8Array::new(&buffer).to_vec(),
    ))
}
