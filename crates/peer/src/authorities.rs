//! Certificate authorities that a peer trusts.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use thiserror::Error;
use tokio_rustls::rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, TrustAnchor, pem::PemObject},
};

/// Largest file of certificates in bytes. The list of Mozilla has 250 kB.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Those that browsers trust, the list of Mozilla, and further ones, such as the private authority
/// of a company.
#[derive(Clone, Default)]
pub struct Authorities {
    further: Option<Further>,
}

/// Further authorities, and the settings of TLS with them.
#[derive(Clone)]
struct Further {
    anchors: Arc<[TrustAnchor<'static>]>,
    config: Arc<ClientConfig>,
}

/// Reason why no certificates were read from a file.
#[derive(Debug, Error)]
#[error("The file of certificates {} {reason}.", .path.display())]
pub struct AuthoritiesError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug, Error)]
enum Reason {
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    #[error("is too large")]
    TooLarge,
    #[error("has no certificate in PEM format")]
    NoCertificate,
    #[error("has a certificate that cannot be used")]
    Unusable,
}

impl Authorities {
    /// Reads further authorities from a file with certificates in PEM format.
    ///
    /// # Errors
    /// [`AuthoritiesError`], if the file cannot be read, or one of its certificates.
    pub fn read(path: &Path) -> Result<Self, AuthoritiesError> {
        Self::read_file(path).map_err(|reason| AuthoritiesError {
            path: path.to_owned(),
            reason,
        })
    }

    fn read_file(path: &Path) -> Result<Self, Reason> {
        // A pipe has no length, and may have no end.
        if std::fs::metadata(path)?.len() > MAX_FILE {
            return Err(Reason::TooLarge);
        }
        Self::parse(&std::fs::read(path)?)
    }

    fn parse(pem: &[u8]) -> Result<Self, Reason> {
        let mut store = RootCertStore::empty();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|_| Reason::Unusable)?;
            store.add(certificate).map_err(|_| Reason::Unusable)?;
        }
        if store.is_empty() {
            return Err(Reason::NoCertificate);
        }
        let further = Further {
            config: config(&store.roots),
            anchors: store.roots.into(),
        };
        Ok(Self {
            further: Some(further),
        })
    }

    /// Settings of TLS, the same for all connections, so that they resume sessions.
    pub(crate) fn tls_config(&self) -> Arc<ClientConfig> {
        static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
        let config = match &self.further {
            Some(further) => &further.config,
            None => CONFIG.get_or_init(|| config(&[])),
        };
        Arc::clone(config)
    }

    fn anchors(&self) -> &[TrustAnchor<'static>] {
        self.further.as_ref().map_or(&[], |it| &it.anchors)
    }
}

fn config(further: &[TrustAnchor<'static>]) -> Arc<ClientConfig> {
    let all = webpki_roots::TLS_SERVER_ROOTS.iter().chain(further);
    let roots: RootCertStore = all.cloned().collect();
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

impl PartialEq for Authorities {
    fn eq(&self, other: &Self) -> bool {
        self.anchors() == other.anchors()
    }
}

impl Eq for Authorities {}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({} further)", self.anchors().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_refused() {
        for text in ["", "no certificate"] {
            let error = Authorities::parse(text.as_bytes()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "has no certificate in PEM format",
                "{text}"
            );
        }
    }

    #[test]
    fn a_damaged_certificate_is_refused() {
        for text in [
            "-----BEGIN CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----\n",
        ] {
            let error = Authorities::parse(text.as_bytes()).unwrap_err();
            assert_eq!(
                error.to_string(),
                "has a certificate that cannot be used",
                "{text}"
            );
        }
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = Authorities::read(Path::new("/nowhere/ca.pem")).unwrap_err();
        let message = error.to_string();
        let start = "The file of certificates /nowhere/ca.pem cannot be read: ";
        assert!(message.starts_with(start), "{message}");
    }
}
