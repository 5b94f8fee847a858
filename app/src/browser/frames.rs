//! Pictures that the page draws. During server rendering there are none.

use std::time::Duration;

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::{clock, js, page};

/// Number of pictures per second that the page draws, counted for this time; `None` if the page is
/// hidden meanwhile, when browsers draw none.
pub async fn frames_per_second(duration: Duration) -> Option<f32> {
    if !page::is_visible() {
        clock::sleep(duration).await;
        return None;
    }
    let began = clock::moment();
    let mut frames = 0_u16;
    let mut passed = Duration::ZERO;
    while passed < duration {
        next_frame().await?;
        frames = frames.saturating_add(1);
        passed = clock::moment() - began;
    }
    // A page that was hidden has drawn nothing for long.
    (passed < 3 * duration && page::is_visible()).then(|| f32::from(frames) / passed.as_secs_f32())
}

async fn next_frame() -> Option<()> {
    let window = web_sys::window()?;
    let promise = js_sys::Promise::new(&mut |resolve, _| {
        js::call(
            window.unchecked_ref(),
            "requestAnimationFrame",
            &[resolve.into()],
        );
    });
    JsFuture::from(promise).await.ok().map(drop)
}
