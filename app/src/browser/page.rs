//! The page: its address, clipboard, random source, and visibility.
//!
//! During server rendering there is no window: addresses are empty, feature
//! checks return false, and no listeners are registered.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::VisibilityState;

use super::{js, listener::Listener};

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
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(path));
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

/// True while the page is visible, and during server rendering.
pub fn is_visible() -> bool {
    let document = web_sys::window().and_then(|window| window.document());
    document.is_none_or(|document| document.visibility_state() == VisibilityState::Visible)
}

/// Calls `handle` when the page becomes visible or hidden. The listener is removed when it is dropped.
pub fn on_visibility(handle: impl Fn(bool) + 'static) -> Option<Listener> {
    let document = web_sys::window()?.document()?;
    Some(Listener::new(&document, "visibilitychange", move |_| {
        handle(is_visible());
    }))
}

/// Shows a number in front of the page's title, in place of the one before; none for zero.
pub fn number_title(number: u32) {
    if let Some(document) = web_sys::window().and_then(|window| window.document()) {
        let title = js::get(&document, "title").and_then(|title| title.as_string());
        let title = title.unwrap_or_default();
        let plain = without_number(&title);
        document.set_title(&match number {
            0 => plain.to_owned(),
            number => format!("({number}) {plain}"),
        });
    }
}

fn without_number(title: &str) -> &str {
    let rest = title
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(") "));
    match rest {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => rest,
        _ => title,
    }
}

/// Moves the focus to the element with this id, if there is one that takes it.
pub fn focus(id: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    if let Some(element) = document.and_then(|document| document.get_element_by_id(id)) {
        js::call(&element, "focus", &[]);
    }
}

/// True if the event is for a field with text, or for a page with an open dialog.
pub fn is_for_text_or_dialog(ev: &web_sys::Event) -> bool {
    const FIELDS: &str = "input:not([type=checkbox], [type=radio], [type=file]), textarea, select";
    let finds = |object: &JsValue, method, selector: &str| {
        js::call(object, method, &[selector.into()]).is_some_and(|found| !found.is_null())
    };
    let is_field = ev
        .target()
        .is_some_and(|target| finds(&target, "closest", FIELDS));
    let document = web_sys::window().and_then(|window| window.document());
    is_field || document.is_some_and(|page| finds(&page, "querySelector", "dialog[open]"))
}

/// Adds a style sheet to the page. The policy for contents allows it, since it is no text of the
/// document. Each call adds it again.
pub fn add_style_sheet(text: &str) {
    let document = web_sys::window().and_then(|window| window.document());
    let sheet = js::construct("CSSStyleSheet", &[]);
    if let (Some(document), Some(sheet)) = (document, sheet) {
        js::call(&sheet, "replaceSync", &[text.into()]);
        if let Some(sheets) = js::get(&document, "adoptedStyleSheets") {
            js::call(&sheets, "push", &[sheet]);
        }
    }
}

/// True for a key that an input method takes.
pub fn is_composed(key: &web_sys::Event) -> bool {
    js::get(key, "isComposing").is_some_and(|is_composed| is_composed.is_truthy())
}

/// True for a key that is held down.
pub fn is_repeated(key: &web_sys::Event) -> bool {
    js::get(key, "repeat").is_some_and(|is_repeated| is_repeated.is_truthy())
}

/// Position to which an element is scrolled down, in pixels; negative in one that is laid out from
/// its end.
pub fn scroll_position(element: &web_sys::Element) -> f64 {
    let position = js::get(element, "scrollTop").and_then(|position| position.as_f64());
    position.unwrap_or_default()
}

/// Scrolls an element to a position.
pub fn scroll_to(element: &web_sys::Element, position: f64) {
    js::set(element, "scrollTop", &position.into());
}

/// Moves an element to the end of the one that the first successful selector finds.
pub fn move_into(element: &web_sys::Element, selectors: &[&str]) {
    let document = web_sys::window().and_then(|window| window.document());
    let find = |selector: &&str| {
        let found = js::call(document.as_ref()?, "querySelector", &[(*selector).into()]);
        found.filter(|found| !found.is_null())
    };
    if let Some(parent) = selectors.iter().find_map(find) {
        js::call(&parent, "append", &[element.into()]);
    }
}

/// Shows an element with the attribute `popover` above the page. Browsers without popovers show it
/// where it stands.
pub fn show_popover(element: &web_sys::Element) {
    js::call(element, "showPopover", &[]);
}

/// Shows an element as [`show_popover`], above those that are shown already.
pub fn raise_popover(element: &web_sys::Element) {
    js::call(element, "hidePopover", &[]);
    show_popover(element);
}

/// True if a click was made with a finger.
pub fn is_touch(click: &web_sys::MouseEvent) -> bool {
    js::get(click, "pointerType").is_some_and(|kind| kind == "touch")
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
    fn a_number_in_front_of_a_title_is_told_from_a_title_with_brackets() {
        assert_eq!(without_number("(3) brave-otter-4821"), "brave-otter-4821");
        assert_eq!(
            without_number("(a) brave-otter-4821"),
            "(a) brave-otter-4821"
        );
        assert_eq!(without_number("brave-otter-4821"), "brave-otter-4821");
    }

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
