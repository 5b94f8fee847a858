//! Certificate authorities that a peer trusts.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use thiserror::Error;
use tokio_rustls::{
    TlsConnector,
    rustls::{
        ClientConfig, RootCertStore,
        pki_types::{CertificateDer, TrustAnchor, pem::PemObject},
    },
};

/// Largest file of certificates in bytes. The list of Mozilla has 250 kB.
const MAX_FILE: u64 = 4 * 1024 * 1024;

/// Those that browsers trust, the list of Mozilla, and further ones, such as the private authority
/// of a company.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Authorities {
    further: Arc<[TrustAnchor<'static>]>,
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
        match store.is_empty() {
            true => Err(Reason::NoCertificate),
            false => Ok(Self {
                further: store.roots.into(),
            }),
        }
    }

    /// Connector that trusts them.
    pub(crate) fn connector(&self) -> TlsConnector {
        let further = self.further.iter().cloned();
        let all = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
        let roots: RootCertStore = all.chain(further).collect();
        let config = ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth();
        Arc::new(config).into()
    }
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Authorities({} further)", self.further.len())
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
