//! File with the key and the token of a tunnel, so that a restarted program has the same address.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use tunnel::identity::{AccessToken, TunnelKey};

use super::addresses::{SiteUrl, TunnelUrl};

/// Permissions of everyone but the owner.
const OTHERS: u32 = 0o077;
/// Largest file in bytes.
const MAX_FILE: u64 = 4_096;

/// Secrets of a tunnel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Secrets {
    /// Secret of the owner, from which the tunnel's code follows.
    pub key: TunnelKey,
    /// Secret in the link.
    pub token: AccessToken,
}

/// Reason why a file of secrets cannot be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// Reading or writing failed.
    #[error("The file {} cannot be used: {error}. Choose another with --key-file.", path.display())]
    Io {
        /// File.
        path: PathBuf,
        /// Cause.
        error: io::Error,
    },
    /// Others may have read it.
    #[error(
        "The file {} may be read or written by other users: run `chmod 600 {}`, or delete it if they may have used it.",
        path.display(),
        path.display()
    )]
    Unsafe {
        /// File.
        path: PathBuf,
    },
    /// It holds something else.
    #[error(
        "The file {} holds something else than the key and the token of a tunnel: delete it, or choose another with --key-file.",
        path.display()
    )]
    Malformed {
        /// File.
        path: PathBuf,
    },
    /// No folder is known for it.
    #[error(
        "The folder for settings is not known, since HOME is not set. Choose a file with --key-file."
    )]
    NoFolder,
    /// The system has no random bytes.
    #[error("The system gives no random bytes.")]
    NoEntropy,
}

/// File in the user's folder for settings that belongs to a site and the address of a server or ride.
///
/// # Errors
/// [`KeyFileError::NoFolder`]
pub fn default_path(
    variable: impl Fn(&str) -> Option<OsString>,
    to: &SiteUrl,
    url: &TunnelUrl,
) -> Result<PathBuf, KeyFileError> {
    let folder = |name| {
        variable(name)
            .map(PathBuf::from)
            .filter(|it| it.is_absolute())
    };
    // XDG Base Directory Specification, section 3.
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(folder("HOME")?.join(".config")));
    let digest = Sha256::digest(format!("{to}\0{url}"));
    let digits: String = digest[..8].iter().map(|it| format!("{it:02x}")).collect();
    let config = config.ok_or(KeyFileError::NoFolder)?;
    Ok(config
        .join("gruppetto")
        .join(format!("tunnel-{digits}.json")))
}

impl Secrets {
    /// New secrets.
    ///
    /// # Errors
    /// [`KeyFileError::NoEntropy`]
    pub fn random() -> Result<Self, KeyFileError> {
        let mut bytes = [[0; 20]; 2];
        for bytes in &mut bytes {
            getrandom::fill(bytes).map_err(|_| KeyFileError::NoEntropy)?;
        }
        let [key, token] = bytes;
        Ok(Self {
            key: TunnelKey::new(key),
            token: AccessToken::new(token),
        })
    }

    /// Reads the secrets of a file, or creates it with new ones and mode 600.
    ///
    /// # Errors
    /// [`KeyFileError`] with a sentence that names the file.
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        let io_error = |error| KeyFileError::Io {
            path: path.to_owned(),
            error,
        };
        match OpenOptions::new().read(true).open(path) {
            Ok(file) => return Self::read(path, &file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(io_error(error)),
        }
        let secrets = Self::random()?;
        let content = serde_json::to_vec_pretty(&secrets).map_err(io::Error::other);
        let created = content.and_then(|content| create(path, &content));
        match created {
            Ok(()) => Ok(secrets),
            // Another program has created it in the meantime.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Self::read(path, &File::open(path).map_err(io_error)?)
            }
            Err(error) => Err(io_error(error)),
        }
    }

    fn read(path: &Path, file: &File) -> Result<Self, KeyFileError> {
        let io_error = |error| KeyFileError::Io {
            path: path.to_owned(),
            error,
        };
        let malformed = || KeyFileError::Malformed {
            path: path.to_owned(),
        };
        let metadata = file.metadata().map_err(io_error)?;
        if !metadata.is_file() {
            return Err(malformed());
        }
        if metadata.mode() & OTHERS != 0 {
            return Err(KeyFileError::Unsafe {
                path: path.to_owned(),
            });
        }
        let mut text = String::new();
        file.take(MAX_FILE)
            .read_to_string(&mut text)
            .map_err(io_error)?;
        serde_json::from_str(&text).map_err(|_| malformed())
    }
}

/// Writes a file beside, and gives it its name when it is complete, unless there is one already.
fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(folder)?;
    }
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    let written = write(&aside, content).and_then(|()| fs::hard_link(&aside, path));
    // If removing fails, the file is unused and readable by its owner only.
    let _ = fs::remove_file(&aside);
    written
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Folder that is removed in the end.
    struct Folder(PathBuf);

    impl Folder {
        fn new() -> Self {
            let name = Secrets::random().unwrap();
            let name = format!("gruppetto-{}", name.key.expose());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_restarted_program_has_the_same_secrets() {
        let folder = Folder::new();
        let path = folder.0.join("deep/tunnel.json");
        let first = Secrets::load_or_create(&path).unwrap();
        let second = Secrets::load_or_create(&path).unwrap();
        assert_eq!(first.key.code(), second.key.code());
        assert_eq!(first.token, second.token);
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!(mode(&path), 0o600);
        assert_eq!(mode(path.parent().unwrap()), 0o700);
        let files = fs::read_dir(path.parent().unwrap()).unwrap();
        assert_eq!(files.count(), 1);
    }

    #[test]
    fn a_file_that_others_may_read_is_refused() {
        let folder = Folder::new();
        let path = folder.0.join("tunnel.json");
        Secrets::load_or_create(&path).unwrap();
        for mode in [0o640, 0o604, 0o660, 0o601] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let error = Secrets::load_or_create(&path).unwrap_err();
            assert!(error.to_string().contains("chmod 600"), "{error}");
        }
    }

    #[test]
    fn a_file_with_something_else_is_refused_and_not_changed() {
        let folder = Folder::new();
        fs::create_dir_all(&folder.0).unwrap();
        let path = folder.0.join("tunnel.json");
        for content in ["", "{}", "[1]", r#"{"key":"short","token":"short"}"#] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
            let error = Secrets::load_or_create(&path).unwrap_err();
            assert!(error.to_string().contains("delete it"), "{error}");
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        let error = Secrets::load_or_create(&folder.0).unwrap_err();
        assert!(error.to_string().contains("--key-file"), "{error}");
    }

    #[test]
    fn the_file_follows_from_site_and_ride() {
        let path = |to: &str, url: &str| {
            let home = |name: &str| (name == "HOME").then(|| "/home/rider".into());
            default_path(home, &to.parse().unwrap(), &url.parse().unwrap()).unwrap()
        };
        let ride = "https://ride.example/ride/brave-otter-0042";
        let first = path("http://127.0.0.1:8080", ride);
        assert!(first.starts_with("/home/rider/.config/gruppetto"));
        assert_eq!(first, path("http://127.0.0.1:8080", ride));
        assert_ne!(first, path("http://127.0.0.1:8081", ride));
        assert_ne!(first, path("http://127.0.0.1:8080", "https://ride.example"));
        let configured = |name: &str| (name == "XDG_CONFIG_HOME").then(|| "/config".into());
        let (to, url) = ("http://a.example", "https://ride.example");
        let path = default_path(configured, &to.parse().unwrap(), &url.parse().unwrap());
        assert!(path.unwrap().starts_with("/config/gruppetto"));
        let none = default_path(|_| None, &to.parse().unwrap(), &url.parse().unwrap());
        assert!(matches!(none, Err(KeyFileError::NoFolder)));
    }
}
