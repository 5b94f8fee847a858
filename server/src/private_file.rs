//! Files that only this process's user, or root, may read and change.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;
use uuid::Uuid;

/// Reason why a file cannot be used.
#[derive(Debug)]
pub enum FileError {
    /// It cannot be read or written, or holds something else.
    Io(io::Error),
    /// Others may know or replace its content; says why, and what to do.
    Unsafe(String),
}

impl From<io::Error> for FileError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Opens a file with options, without waiting for anything. If the options create
/// it, its mode is 600.
///
/// # Errors
/// [`FileError::Unsafe`] unless it is a regular file that others may neither read
/// nor change.
pub fn open(path: &Path, options: &OpenOptions) -> Result<File, FileError> {
    // Without O_NONBLOCK, opening a FIFO waits for its other end.
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = options.clone().mode(0o600).custom_flags(flags).open(path)?;
    check_safety(path, &file.metadata()?).map_err(FileError::Unsafe)?;
    Ok(file)
}

/// Creates the folder of a file, for this process's user only, if it does not exist.
///
/// # Errors
/// The folder cannot be created.
pub fn create_folder(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    folder.map_or(Ok(()), |folder| {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder)
    })
}

/// Writes a temporary file of mode 600 beside a file, and passes it to `publish`
/// when it is complete and on the disk. It is removed afterwards if it still exists.
///
/// # Errors
/// The temporary file cannot be written, or `publish` failed.
pub fn write_aside(
    file: &Path,
    content: &[u8],
    publish: impl FnOnce(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = file.with_extension(Uuid::new_v4().simple().to_string());
    let published = write_new(&temporary, content).and_then(|()| publish(&temporary));
    // If removing fails, the file is unused and readable by its owner only.
    let _ = fs::remove_file(&temporary);
    published
}

fn write_new(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Checks that only this process's user, or root, may read and replace the file.
fn check_safety(path: &Path, metadata: &Metadata) -> Result<(), String> {
    const OTHERS: u32 = 0o077;
    let path = path.display();
    if !metadata.is_file() {
        return Err("is not a regular file: choose another".to_owned());
    }
    let user = geteuid().as_raw();
    if metadata.uid() != user && metadata.uid() != 0 {
        let owner = metadata.uid();
        return Err(format!(
            "belongs to user {owner}, who may know or change its content: delete it, or run `chown {user} {path}` if you trust that user"
        ));
    }
    if metadata.mode() & OTHERS != 0 {
        return Err(format!(
            "may be read or written by other users: run `chmod 600 {path}`, or delete it if they may have used it"
        ));
    }
    Ok(())
}
