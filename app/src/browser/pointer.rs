//! Dragging with a mouse, a finger or a pen.
//!
//! Called from event handlers, so never during server rendering.

use web_sys::{Element, PointerEvent};

/// Position of a pointer in an element, and the size of the element, in pixels.
pub struct Place {
    /// Distance from the left edge.
    pub x: f64,
    /// Distance from the upper edge.
    pub y: f64,
    /// Width of the element.
    pub width: f64,
    /// Height of the element.
    pub height: f64,
}

/// Position of the pointer in the element; `None` for one without a size.
pub fn place_in(element: &Element, ev: &PointerEvent) -> Option<Place> {
    let rect = element.get_bounding_client_rect();
    (rect.width() > 0.0 && rect.height() > 0.0).then(|| Place {
        x: f64::from(ev.client_x()) - rect.left(),
        y: f64::from(ev.client_y()) - rect.top(),
        width: rect.width(),
        height: rect.height(),
    })
}

/// Sends all further events of the pointer to the element, until it is let go.
pub fn capture(element: &Element, ev: &PointerEvent) {
    // Fails only for a pointer that is gone.
    let _ = element.set_pointer_capture(ev.pointer_id());
}

/// Middles of the children of a list, from the upper edge of the window.
pub fn middles(list: &Element) -> Vec<f64> {
    let children = list.children();
    let children = (0..children.length()).filter_map(|index| children.item(index));
    let rects = children.map(|child| child.get_bounding_client_rect());
    rects.map(|rect| rect.top() + rect.height() / 2.0).collect()
}

/// Height of the window.
pub fn window_height() -> f64 {
    let height = web_sys::window().and_then(|window| window.inner_height().ok());
    height
        .and_then(|height| height.as_f64())
        .unwrap_or_default()
}

/// Scrolls the page down.
pub fn scroll_by(pixels: f64) {
    if let Some(window) = web_sys::window() {
        window.scroll_by_with_x_and_y(0.0, pixels);
    }
}
