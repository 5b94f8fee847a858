//! TLS towards other servers.

use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Certificates that are trusted.
pub type Roots = Arc<RootCertStore>;

/// Certificates that browsers trust: the list of Mozilla. Those that only this machine trusts would
/// be unknown to the riders' devices.
pub fn browser_roots() -> Roots {
    Arc::new(RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    })
}

/// Connector that trusts `roots`.
pub fn connector(roots: &Roots) -> TlsConnector {
    let config = ClientConfig::builder()
        .with_root_certificates(roots.clone())
        .with_no_client_auth();
    Arc::new(config).into()
}
