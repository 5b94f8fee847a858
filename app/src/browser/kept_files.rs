//! Files that other riders send, while they arrive and until the rider has saved them: in the origin
//! private file system (OPFS, <https://fs.spec.whatwg.org>), so that a reload does not lose them, or in
//! memory where the browser has none.
//!
//! The folder `transfers/{session code}/{rider}/{transfer}` has the file `record`, and the bytes in
//! segments, each a file that is named after the position of its first byte. A browser copies a file
//! when it is opened to append to it, and what is written counts when the file is closed. A file is
//! therefore written once, or few times while it is small, and never appended to: in Chromium, 100 MB
//! in steps of 4 MiB took 1.8 s so, and 14 s appended to one file.
//!
//! In the browser only. Elsewhere there is no place, and nothing is kept.

use js_sys::{Array, Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::{
    files::{FileContent, read_part},
    js,
};

/// Folder of all transfers.
const ROOT: &str = "transfers";
/// File with the record of a transfer.
const RECORD: &str = "record";
/// Size in bytes from which a segment is complete: the most that is held in memory.
pub const SEGMENT_BYTES: u64 = 4 << 20;

/// Content of a file, on the disk or in memory.
pub type Content = web_sys::Blob;

/// Folder of one rider in one ride.
#[derive(Clone)]
pub struct RiderFolder(JsValue);

impl RiderFolder {
    /// Opens the folder. `None` if the browser has no such place, or cannot write there.
    pub async fn open(code: &str, rider: &str) -> Option<Self> {
        // Safari before version 26 writes in workers only.
        let class = js::get(&js_sys::global(), "FileSystemFileHandle")?;
        js::get(&js::get(&class, "prototype")?, "createWritable")?;
        let mut folder = root().await?;
        for name in [ROOT, code, rider] {
            folder = subfolder(&folder, name, true).await?;
        }
        Some(Self(folder))
    }

    /// What is kept, each with the name of its transfer and its record.
    pub async fn load(&self) -> Vec<(String, Vec<u8>, KeptFile)> {
        let mut all = Vec::new();
        for (name, folder) in entries(&self.0).await {
            let record = match file(&folder, RECORD).await {
                Some(record) => read_part(&record, 0.0, size(&record) as f64).await,
                None => None,
            };
            match record {
                Some(record) => {
                    let kept = KeptFile::load(folder).await;
                    all.push((name, record, kept));
                }
                // The page was closed before the record was written.
                None => remove(&self.0, &name).await,
            }
        }
        all
    }

    /// Makes place for a transfer.
    pub async fn create(&self, name: &str) -> Option<KeptFile> {
        let folder = subfolder(&self.0, name, true).await?;
        Some(KeptFile {
            folder: Some(folder),
            ..KeptFile::default()
        })
    }

    /// Deletes what is kept of a transfer.
    pub async fn delete(&self, name: &str) {
        remove(&self.0, name).await;
    }
}

/// The browser did not write: its place is full, or was taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the browser did not write the file")]
pub struct NotWritten;

/// Bytes of one file. Without a folder they are in memory.
#[derive(Default)]
pub struct KeptFile {
    folder: Option<JsValue>,
    /// Complete segments.
    segments: Array,
    /// Number of their bytes.
    in_segments: u64,
    /// The bytes after them.
    tail: FileContent,
    in_tail: u64,
    /// Number of bytes of the tail that a reload does not lose.
    saved_of_tail: u64,
}

impl KeptFile {
    async fn load(folder: JsValue) -> Self {
        let mut kept = Self::default();
        // The sizes chain the segments.
        while let Some(segment) = file(&folder, &kept.in_segments.to_string()).await {
            if size(&segment) == 0 {
                break;
            }
            kept.in_segments += size(&segment);
            kept.segments.push(&segment);
        }
        kept.folder = Some(folder);
        kept
    }

    /// Number of bytes, those in memory included.
    pub fn size(&self) -> u64 {
        self.in_segments + self.in_tail
    }

    /// True if a reload loses bytes that [`Self::save`] would keep.
    pub fn is_unsaved(&self) -> bool {
        self.folder.is_some() && self.in_tail > self.saved_of_tail
    }

    /// Writes the record, after all bytes so far.
    ///
    /// # Errors
    /// [`NotWritten`]; the bytes are still there.
    pub async fn write_record(&mut self, record: &[u8]) -> Result<(), NotWritten> {
        self.save().await?;
        let Some(folder) = &self.folder else {
            return Ok(());
        };
        let record = Uint8Array::from(record);
        write(folder, RECORD, &record).await.ok_or(NotWritten)
    }

    /// Appends bytes. A segment that is complete is written at once.
    ///
    /// # Errors
    /// [`NotWritten`].
    pub async fn append(&mut self, bytes: &[u8]) -> Result<(), NotWritten> {
        self.tail.push(bytes);
        self.in_tail += bytes.len() as u64;
        if self.in_tail < SEGMENT_BYTES {
            return Ok(());
        }
        self.save().await?;
        let segment = match &self.folder {
            Some(folder) => file(folder, &self.in_segments.to_string()).await,
            // The browser may move it to the disk.
            None => self.tail.blob(""),
        };
        let segment = segment.filter(|segment| size(segment) == self.in_tail);
        let segment = segment.ok_or(NotWritten)?;
        self.segments.push(&segment);
        self.in_segments += self.in_tail;
        self.tail = FileContent::default();
        (self.in_tail, self.saved_of_tail) = (0, 0);
        Ok(())
    }

    /// Writes what a reload would lose.
    ///
    /// # Errors
    /// [`NotWritten`]; the bytes are still there.
    pub async fn save(&mut self) -> Result<(), NotWritten> {
        if let Some(folder) = self.folder.as_ref().filter(|_| self.is_unsaved()) {
            let tail = self.tail.blob("").ok_or(NotWritten)?;
            let name = self.in_segments.to_string();
            write(folder, &name, &tail).await.ok_or(NotWritten)?;
            self.saved_of_tail = self.in_tail;
        }
        Ok(())
    }

    /// Part of the file; `None` if it cannot be read.
    pub async fn read(&self, offset: u64, length: u32) -> Option<Vec<u8>> {
        read_part(&self.content("")?, offset as f64, f64::from(length)).await
    }

    /// The whole file with a media type.
    pub fn content(&self, media_type: &str) -> Option<Content> {
        let content = FileContent::of(self.segments.iter().collect());
        content.push_blob(&self.tail.blob("")?);
        content.blob(media_type)
    }
}

/// Deletes transfers of all riders in all rides whose record is older than this moment, in milliseconds
/// since 1970.
pub async fn delete_before(unix_ms: f64) {
    let Some(root) = root().await else { return };
    let Some(all) = subfolder(&root, ROOT, false).await else {
        return;
    };
    for (code, rides) in entries(&all).await {
        for (rider, transfers) in entries(&rides).await {
            for (transfer, folder) in entries(&transfers).await {
                let changed = match file(&folder, RECORD).await {
                    Some(record) => js::get(&record, "lastModified"),
                    // Of a transfer that another page begins.
                    None => None,
                };
                let changed = changed.and_then(|changed| changed.as_f64());
                if changed.is_some_and(|changed| changed < unix_ms) {
                    remove(&transfers, &transfer).await;
                }
            }
            remove_empty(&rides, &rider).await;
        }
        remove_empty(&all, &code).await;
    }
}

/// Deletes everything. Returns whether nothing is left.
pub async fn delete_all() -> bool {
    let Some(root) = root().await else {
        return true;
    };
    remove(&root, ROOT).await;
    subfolder(&root, ROOT, false).await.is_none()
}

async fn root() -> Option<JsValue> {
    let navigator = web_sys::window()?.navigator();
    wait(js::call(
        &js::get(&navigator, "storage")?,
        "getDirectory",
        &[],
    )?)
    .await
}

async fn subfolder(folder: &JsValue, name: &str, create: bool) -> Option<JsValue> {
    let options = option("create", create);
    wait(js::call(
        folder,
        "getDirectoryHandle",
        &[name.into(), options],
    )?)
    .await
}

/// Names and handles of the folders in a folder.
async fn entries(folder: &JsValue) -> Vec<(String, JsValue)> {
    let mut all = Vec::new();
    let Some(iterator) = js::call(folder, "values", &[]) else {
        return all;
    };
    while let Some(next) = js::call(&iterator, "next", &[])
        && let Some(next) = wait(next).await
        && let Some(handle) = js::get(&next, "value")
    {
        let is_folder = js::get(&handle, "kind").is_some_and(|kind| kind == "directory");
        if let Some(name) = js::get(&handle, "name").and_then(|name| name.as_string())
            && is_folder
        {
            all.push((name, handle));
        }
    }
    all
}

async fn file(folder: &JsValue, name: &str) -> Option<Content> {
    let handle = wait(js::call(folder, "getFileHandle", &[name.into()])?).await?;
    let file = wait(js::call(&handle, "getFile", &[])?).await?;
    file.dyn_into().ok()
}

fn size(content: &Content) -> u64 {
    let size = js::get(content, "size").and_then(|size| size.as_f64());
    size.unwrap_or_default() as u64
}

/// Replaces a file.
async fn write(folder: &JsValue, name: &str, data: &JsValue) -> Option<()> {
    let options = option("create", true);
    let handle = wait(js::call(folder, "getFileHandle", &[name.into(), options])?).await?;
    let stream = wait(js::call(&handle, "createWritable", &[])?).await?;
    wait(js::call(&stream, "write", std::slice::from_ref(data))?).await?;
    // Only now does the file change.
    wait(js::call(&stream, "close", &[])?).await?;
    Some(())
}

async fn remove(folder: &JsValue, name: &str) {
    let options = option("recursive", true);
    if let Some(removed) = js::call(folder, "removeEntry", &[name.into(), options]) {
        wait(removed).await;
    }
}

/// Removes a folder if it is empty.
async fn remove_empty(folder: &JsValue, name: &str) {
    if let Some(removed) = js::call(folder, "removeEntry", &[name.into()]) {
        wait(removed).await;
    }
}

fn option(name: &str, value: bool) -> JsValue {
    let options = js_sys::Object::new();
    js::set(&options, name, &value.into());
    options.into()
}

/// Result of a promise; `None` if it is rejected.
async fn wait(promise: JsValue) -> Option<JsValue> {
    let promise: Promise = promise.dyn_into().ok()?;
    JsFuture::from(promise).await.ok()
}
