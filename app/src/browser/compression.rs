//! Compression by the browser (Compression Streams), as raw DEFLATE (RFC 1951).
//!
//! In the browser only; elsewhere, and in browsers without it, every function returns `None`.

use js_sys::{Promise, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::js::{call, construct, get};

/// Compresses bytes.
pub async fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    run("CompressionStream", bytes, usize::MAX).await
}

/// Decompresses bytes to at most `limit` bytes; `None` for more, and for bytes that are not
/// compressed.
pub async fn inflate(bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    run("DecompressionStream", bytes, limit).await
}

async fn run(class: &str, bytes: &[u8], limit: usize) -> Option<Vec<u8>> {
    let stream = construct(class, &["deflate-raw".into()])?;
    let writer = call(&get(&stream, "writable")?, "getWriter", &[])?;
    // Both fail with the stream, which the reader sees, too.
    for (method, arguments) in [
        ("write", &[Uint8Array::from(bytes).into()][..]),
        ("close", &[]),
    ] {
        let promise: Promise = call(&writer, method, arguments)?.dyn_into().ok()?;
        wasm_bindgen_futures::spawn_local(async move {
            let _ = JsFuture::from(promise).await;
        });
    }
    let reader = call(&get(&stream, "readable")?, "getReader", &[])?;
    let mut output = Vec::new();
    loop {
        let promise: Promise = call(&reader, "read", &[])?.dyn_into().ok()?;
        let chunk = JsFuture::from(promise).await.ok()?;
        if get(&chunk, "done")?.is_truthy() {
            return Some(output);
        }
        let chunk: Uint8Array = get(&chunk, "value")?.dyn_into().ok()?;
        if output.len() + chunk.length() as usize > limit {
            call(&reader, "cancel", &[])?;
            return None;
        }
        output.extend(chunk.to_vec());
    }
}
