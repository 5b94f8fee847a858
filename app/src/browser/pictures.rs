//! Pictures that the rider chose, reduced to small squares, and addresses of pictures in memory.
//!
//! In the browser only; elsewhere every function returns `None`.

use js_sys::{Function, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Url};

use super::js;

/// Sizes in pixels and qualities that are tried, best first.
const ATTEMPTS: [(f64, f64); 5] = [
    (192.0, 0.85),
    (160.0, 0.75),
    (128.0, 0.7),
    (96.0, 0.6),
    (64.0, 0.5),
];
/// Formats that are tried. Safari does not write the first.
const FORMATS: [&str; 2] = ["image/webp", "image/jpeg"];

/// Address of a picture, which is valid until this is dropped.
pub struct ObjectUrl(String);

impl ObjectUrl {
    /// Address of a WebP or JPEG picture; `None` for bytes that are neither.
    pub fn of_picture(bytes: &[u8]) -> Option<Self> {
        let kind = match bytes {
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [
                b'R',
                b'I',
                b'F',
                b'F',
                _,
                _,
                _,
                _,
                b'W',
                b'E',
                b'B',
                b'P',
                ..,
            ] => "image/webp",
            _ => return None,
        };
        let options = BlobPropertyBag::new();
        options.set_type(kind);
        let parts = js_sys::Array::of1(&Uint8Array::from(bytes));
        let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
        Url::create_object_url_with_blob(&blob).ok().map(Self)
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Drop for ObjectUrl {
    fn drop(&mut self) {
        let _ = Url::revoke_object_url(&self.0);
    }
}

/// The middle of a picture as WebP or JPEG of at most `max_bytes`; `None` if the browser cannot
/// decode it.
pub async fn reduce(file: &web_sys::File, max_bytes: usize) -> Option<Vec<u8>> {
    let url = ObjectUrl(Url::create_object_url_with_blob(file).ok()?);
    let picture = js::construct("Image", &[])?;
    js::set(&picture, "src", &url.as_str().into());
    wait(js::call(&picture, "decode", &[])?).await?;
    let width = js::get(&picture, "naturalWidth")?.as_f64()?;
    let height = js::get(&picture, "naturalHeight")?.as_f64()?;
    let side = width.min(height);
    if side < 1.0 {
        return None;
    }
    let canvas: JsValue = web_sys::window()?
        .document()?
        .create_element("canvas")
        .ok()?
        .into();
    for (size, quality) in ATTEMPTS {
        js::set(&canvas, "width", &size.into());
        js::set(&canvas, "height", &size.into());
        let context = js::call(&canvas, "getContext", &["2d".into()])?;
        // JPEG has no transparency.
        js::set(&context, "fillStyle", &"#fff".into());
        js::call(
            &context,
            "fillRect",
            &[0.into(), 0.into(), size.into(), size.into()],
        );
        let left_and_top = [(width - side) / 2.0, (height - side) / 2.0];
        let places = left_and_top
            .into_iter()
            .chain([side, side, 0.0, 0.0, size, size]);
        let places = places.map(JsValue::from);
        let arguments: Vec<JsValue> = [picture.clone()].into_iter().chain(places).collect();
        js::call(&context, "drawImage", &arguments)?;
        for format in FORMATS {
            if let Some(bytes) = encode(&canvas, format, quality).await
                && bytes.len() <= max_bytes
            {
                return Some(bytes);
            }
        }
    }
    None
}

/// Content of a canvas in a format; `None` if the browser does not write it.
async fn encode(canvas: &JsValue, format: &str, quality: f64) -> Option<Vec<u8>> {
    let promise = Promise::new(&mut |resolve: Function, reject: Function| {
        let arguments = [resolve.into(), format.into(), quality.into()];
        if js::call(canvas, "toBlob", &arguments).is_none() {
            let _ = reject.call0(&JsValue::NULL);
        }
    });
    let blob = JsFuture::from(promise).await.ok()?;
    // Browsers write PNG in place of a format that they do not know.
    if js::get(&blob, "type")? != format {
        return None;
    }
    let buffer = wait(js::call(&blob, "arrayBuffer", &[])?).await?;
    Some(Uint8Array::new(&buffer).to_vec())
}

async fn wait(promise: JsValue) -> Option<JsValue> {
    JsFuture::from(promise.dyn_into::<Promise>().ok()?)
        .await
        .ok()
}
