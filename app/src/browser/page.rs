//! The page itself: its address, its clipboard, its random source, and whether
//! somebody looks at it.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::VisibilityState;

use super::listener::Listener;

/// `https://host` of this page.
pub fn origin() -> String {
    web_sys::window()
        .and_then(|window| window.location().origin().ok())
        .unwrap_or_default()
}

/// The address of a WebSocket on this page's server.
pub fn socket_address(path: &str) -> String {
    // http becomes ws, https becomes wss.
    format!("{}{path}", origin().replacen("http", "ws", 1))
}

/// 32 bytes from the browser's cryptographic random source.
///
/// `None` where there is none, which no browser with WebAssembly is.
pub fn random_bytes() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let crypto = web_sys::window()?.crypto().ok()?;
    crypto.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

/// Copies a text; `false` where the browser refuses (an insecure page).
pub async fn copy(text: &str) -> bool {
    let Some(window) = web_sys::window() else {
        return false;
    };
    let clipboard = js_sys::Reflect::get(&window.navigator(), &"clipboard".into());
    match clipboard.map(JsCast::dyn_into::<web_sys::Clipboard>) {
        Ok(Ok(clipboard)) => JsFuture::from(clipboard.write_text(text)).await.is_ok(),
        _ => false,
    }
}

/// Whether the browser can connect directly at all.
pub fn supports_webrtc() -> bool {
    web_sys::window().is_some_and(|window| {
        js_sys::Reflect::get(&window, &"RTCPeerConnection".into())
            .is_ok_and(|class| class.is_function())
    })
}

/// Calls `woken` whenever the page becomes visible, comes back from the
/// browser's cache, or is online again: moments in which a socket may look open
/// and be dead.
pub fn on_wake(woken: impl Fn() + Clone + 'static) -> Vec<Listener> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    let mut listeners = vec![
        Listener::new(&window, "pageshow", {
            let woken = woken.clone();
            move |_| woken()
        }),
        Listener::new(&window, "online", {
            let woken = woken.clone();
            move |_| woken()
        }),
    ];
    if let Some(document) = window.document() {
        let page = document.clone();
        listeners.push(Listener::new(&document, "visibilitychange", move |_| {
            if page.visibility_state() == VisibilityState::Visible {
                woken();
            }
        }));
    }
    listeners
}

/// Calls `hidden` when the page is closed, reloaded or put away.
pub fn on_hide(hidden: impl Fn() + 'static) -> Option<Listener> {
    let window = web_sys::window()?;
    Some(Listener::new(&window, "pagehide", move |_| hidden()))
}
