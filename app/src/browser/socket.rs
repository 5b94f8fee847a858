//! The signaling socket.

use wasm_bindgen::JsCast;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::listener::Listener;

/// What a socket has to say.
pub enum SocketEvent {
    /// It is open.
    Opened,
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
    /// It is closed, or could not be opened.
    Closed {
        /// The close code (RFC 6455, section 7.4); 1006 when there was none.
        code: u16,
        /// The server's reason, often empty.
        reason: String,
    },
}

/// A WebSocket; dropping it closes it in silence.
pub struct SignalingSocket {
    socket: WebSocket,
    _listeners: Vec<Listener>,
}

impl SignalingSocket {
    /// Opens a socket; `None` when the address is refused outright.
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
                    .map_or((1006, String::new()), |event| {
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

    /// Sends a text message. A socket that is closing says so by its event.
    pub fn send_text(&self, text: &str) {
        let _ = self.socket.send_with_str(text);
    }

    /// Sends a binary message.
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
