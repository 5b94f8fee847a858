//! Reading files that the rider chose, and saving files as downloads.
//!
//! In the browser only. During server rendering [`save`] returns `None`.

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, DragEvent, HtmlAnchorElement, Url};

use super::js;

/// Time after which the object URL of a download is released. The browser has
/// started the download by then.
const RELEASE_AFTER_MS: i32 = 60_000;

/// The content of a file that the rider chose; `None` if it cannot be read.
pub async fn read(file: &web_sys::File) -> Option<Vec<u8>> {
    let buffer = JsFuture::from(file.array_buffer()).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Part of a file that the rider chose, from a byte on, shorter at the end of the file; `None` if it
/// cannot be read.
pub async fn read_part(file: &Blob, from: f64, length: f64) -> Option<Vec<u8>> {
    let part = js::call(file, "slice", &[from.into(), (from + length).into()])?;
    let buffer = js::call(&part, "arrayBuffer", &[])?;
    let buffer = JsFuture::from(js_sys::Promise::from(buffer)).await.ok()?;
    Some(js_sys::Uint8Array::new(&buffer).to_vec())
}

/// Saves bytes under a name in the rider's downloads; `None` if the browser
/// refuses.
pub fn save(name: &str, media_type: &str, bytes: &[u8]) -> Option<()> {
    let content = FileContent::default();
    content.push(bytes);
    save_content(name, media_type, &content)
}

/// True if the browser can open the system's share sheet.
pub fn can_share() -> bool {
    web_sys::window().is_some_and(|window| js::get(&window.navigator(), "share").is_some())
}

/// Opens the system's share sheet for a file, or for the text where the browser does not share such
/// files. In the handler of a tap only. Returns `false` if the browser refuses; a rider who closes the
/// sheet has not been refused.
pub async fn share(name: &str, media_type: &str, bytes: &[u8], text: &str) -> bool {
    let Some(navigator) = web_sys::window().map(|window| window.navigator()) else {
        return false;
    };
    let data = js_sys::Object::new();
    let content = FileContent::default();
    content.push(bytes);
    let options = js_sys::Object::new();
    js::set(&options, "type", &media_type.into());
    let file = js::construct("File", &[content.0.into(), name.into(), options.into()]);
    if let Some(file) = file {
        js::set(&data, "files", &js_sys::Array::of1(&file));
    }
    let shares_file = js::call(&navigator, "canShare", &[data.clone().into()]);
    if !shares_file.is_some_and(|shares| shares.is_truthy()) {
        js::set(&data, "files", &JsValue::UNDEFINED);
        js::set(&data, "text", &text.into());
    }
    let shared = js::call(&navigator, "share", &[data.into()]);
    let Some(Ok(shared)) = shared.map(JsCast::dyn_into::<js_sys::Promise>) else {
        return false;
    };
    match JsFuture::from(shared).await {
        Ok(_) => true,
        Err(error) => js::get(&error, "name").is_some_and(|name| name == "AbortError"),
    }
}

/// Content of a file, outside of this module's memory.
#[derive(Default)]
pub struct FileContent(js_sys::Array);

impl FileContent {
    /// Appends bytes.
    pub fn push(&self, bytes: &[u8]) {
        self.0.push(&js_sys::Uint8Array::from(bytes));
    }

    /// Content of these parts: arrays of bytes, and blobs.
    pub(super) fn of(parts: js_sys::Array) -> Self {
        Self(parts)
    }

    /// Appends a blob.
    pub(super) fn push_blob(&self, blob: &Blob) {
        self.0.push(blob);
    }

    /// The content so far as a blob; `None` if the browser has no memory for it.
    pub(super) fn blob(&self, media_type: &str) -> Option<Blob> {
        let options = BlobPropertyBag::new();
        options.set_type(media_type);
        Blob::new_with_u8_array_sequence_and_options(&self.0, &options).ok()
    }
}

/// Saves content under a name, as [`save`].
pub fn save_content(name: &str, media_type: &str, content: &FileContent) -> Option<()> {
    save_blob(name, &content.blob(media_type)?)
}

/// File with this name and content, as if the rider had chosen it.
pub fn file_of(name: &str, content: &Blob) -> Option<web_sys::File> {
    let parts = js_sys::Array::of1(content);
    js::construct("File", &[parts.into(), name.into()])?
        .dyn_into()
        .ok()
}

/// Saves a blob under a name, as [`save`].
pub fn save_blob(name: &str, blob: &Blob) -> Option<()> {
    let document = web_sys::window()?.document()?;
    let url = Url::create_object_url_with_blob(blob).ok()?;
    let anchor: HtmlAnchorElement = document.create_element("a").ok()?.dyn_into().ok()?;
    anchor.set_href(&url);
    anchor.set_download(name);
    anchor.click();
    let release = wasm_bindgen::closure::Closure::once_into_js(move || {
        let _ = Url::revoke_object_url(&url);
    });
    web_sys::window()?
        .set_timeout_with_callback_and_timeout_and_arguments_0(
            release.unchecked_ref(),
            RELEASE_AFTER_MS,
        )
        .ok()?;
    Some(())
}

/// Files of a drop.
#[derive(Default)]
pub struct Dropped {
    /// The files.
    pub files: Vec<web_sys::File>,
    /// True if a folder was dropped, which is none of the files.
    pub has_folder: bool,
}

/// True if the drag holds files.
pub fn drags_files(ev: &DragEvent) -> bool {
    let types = ev.data_transfer().and_then(|data| js::get(&data, "types"));
    types.is_some_and(|types| {
        js_sys::Array::from(&types)
            .iter()
            .any(|kind| kind == "Files")
    })
}

/// True if a drag that leaves an element leaves the page.
pub fn leaves_page(ev: &DragEvent) -> bool {
    js::get(ev, "relatedTarget").is_none_or(|to| to.is_null())
}

/// The files of a drop. Only while the event is handled.
pub fn dropped(ev: &DragEvent) -> Dropped {
    let mut dropped = Dropped::default();
    let items = ev.data_transfer().and_then(|data| js::get(&data, "items"));
    let items = items.map(|items| js_sys::Array::from(&items));
    for item in items.unwrap_or_default() {
        // An item that is no file has no entry, nor is it one.
        let entry = js::call(&item, "webkitGetAsEntry", &[]);
        let is_folder = entry.and_then(|entry| js::get(&entry, "isDirectory"));
        let file = js::call(&item, "getAsFile", &[]).and_then(|file| file.dyn_into().ok());
        match file {
            _ if is_folder.is_some_and(|is_folder| is_folder.is_truthy()) => {
                dropped.has_folder = true;
            }
            Some(file) => dropped.files.push(file),
            None => {}
        }
    }
    dropped
}
