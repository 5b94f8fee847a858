//! The page: its address, clipboard, random source, and visibility.
//!
//! During server rendering there is no window: addresses are empty, feature
//! checks return false, and no listeners are registered.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::VisibilityState;

use super::listener::Listener;

/// Origin of the page, such as `https://ride.example`.
pub fn origin() -> String {
    web_sys::window()
        .and_then(|window| window.location().origin().ok())
        .unwrap_or_default()
}

/// Address of a WebSocket at this path on the page's server.
pub fn socket_address(path: &str) -> String {
    // http becomes ws, https becomes wss.
    format!("{}{path}", origin().replacen("http", "ws", 1))
}

/// Loads the page again.
pub fn reload() {
    if let Some(window) = web_sys::window() {
        // Fails only for a page that is being left.
        let _ = window.location().reload();
    }
}

/// True on an iPhone or iPad, where every browser is WebKit.
pub fn is_ios() -> bool {
    web_sys::window().is_some_and(|window| {
        let navigator = window.navigator();
        let user_agent = navigator.user_agent().unwrap_or_default();
        names_ios(&user_agent, navigator.max_touch_points())
    })
}

/// An iPad calls itself a Mac, but no Mac has a touch screen.
fn names_ios(user_agent: &str, touch_points: i32) -> bool {
    let names_device = ["iPhone", "iPad", "iPod"]
        .iter()
        .any(|device| user_agent.contains(device));
    names_device || (user_agent.contains("Macintosh") && touch_points > 1)
}

/// 32 bytes from the browser's cryptographic random source; `None` if it has
/// none, which does not occur in browsers with WebAssembly.
pub fn random_bytes() -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    let crypto = web_sys::window()?.crypto().ok()?;
    crypto.get_random_values_with_u8_array(&mut bytes).ok()?;
    Some(bytes)
}

/// Restores the texts of the server where a translator has replaced them, before
/// the app looks for them (`public/translation.js`).
#[cfg(feature = "hydrate")]
pub fn end_translation() {
    if let (Some(window), Ok(event)) = (web_sys::window(), web_sys::Event::new("hydrating")) {
        // Fails for an event that is being dispatched already.
        let _ = window.dispatch_event(&event);
    }
}

/// Value of the input with this id; `None` if there is none.
pub fn input_value(id: &str) -> Option<String> {
    let input = web_sys::window()?.document()?.get_element_by_id(id)?;
    let input = input.dyn_into::<web_sys::HtmlInputElement>().ok()?;
    Some(input.value())
}

/// Copies a text to the clipboard. False if the browser refuses, as it does for
/// pages that are not secure contexts.
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

/// Fragment of the page's address, without `#`.
pub fn fragment() -> String {
    let hash = web_sys::window().and_then(|window| window.location().hash().ok());
    hash.map(|hash| hash.trim_start_matches('#').to_owned())
        .unwrap_or_default()
}

/// Removes the fragment from the page's address.
pub fn clear_fragment() {
    if let Some(path) = web_sys::window().and_then(|window| window.location().pathname().ok()) {
        replace_path(&path);
    }
}

/// Replaces the path of the page's address, without loading anything.
pub fn replace_path(path: &str) {
    if let Some(history) = web_sys::window().and_then(|window| window.history().ok()) {
        // Fails only for another origin.
        let _ = history.replace_state_with_url(&wasm_bindgen::JsValue::NULL, "", Some(path));
    }
}

/// True if the browser has WebRTC.
pub fn supports_webrtc() -> bool {
    web_sys::window().is_some_and(|window| {
        js_sys::Reflect::get(&window, &"RTCPeerConnection".into())
            .is_ok_and(|class| class.is_function())
    })
}

/// Calls `handle` at every tap and key.
pub fn on_gesture(handle: impl Fn() + Clone + 'static) -> Vec<Listener> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    let listen = |name| {
        let handle = handle.clone();
        Listener::new(&window, name, move |_| handle())
    };
    ["click", "keydown"].map(listen).into()
}

/// Calls `handle` when the page becomes visible, returns from the browser's
/// page cache, or goes online. At these moments a socket can look open although
/// its connection is lost. The listeners are removed when they are dropped.
pub fn on_wake(handle: impl Fn() + Clone + 'static) -> Vec<Listener> {
    let Some(window) = web_sys::window() else {
        return Vec::new();
    };
    let mut listeners = vec![
        Listener::new(&window, "pageshow", {
            let handle = handle.clone();
            move |_| handle()
        }),
        Listener::new(&window, "online", {
            let handle = handle.clone();
            move |_| handle()
        }),
    ];
    if let Some(document) = window.document() {
        let page = document.clone();
        listeners.push(Listener::new(&document, "visibilitychange", move |_| {
            if page.visibility_state() == VisibilityState::Visible {
                handle();
            }
        }));
    }
    listeners
}

/// Calls `handle` when the page is closed, reloaded or put into the page cache.
/// The listener is removed when it is dropped.
pub fn on_hide(handle: impl Fn() + 'static) -> Option<Listener> {
    let window = web_sys::window()?;
    Some(Listener::new(&window, "pagehide", move |_| handle()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipad_that_calls_itself_a_mac_is_told_from_a_mac() {
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 \
                   (KHTML, like Gecko) Version/17.4 Safari/605.1.15";
        assert!(names_ios(mac, 5));
        assert!(!names_ios(mac, 0));
    }

    #[test]
    fn chrome_on_an_iphone_counts_as_ios_and_chrome_on_android_does_not() {
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) CriOS/123.0.6312.52 Mobile/15E148 Safari/604.1";
        let android = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 \
                       (KHTML, like Gecko) Chrome/123.0.0.0 Mobile Safari/537.36";
        assert!(names_ios(iphone, 5));
        assert!(!names_ios(android, 5));
    }
}
