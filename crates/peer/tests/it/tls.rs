//! A server behind TLS, with a certificate that no public authority has issued.

use std::{fs, net::SocketAddr, path::PathBuf, process, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use peer::{
    authorities::Authorities,
    server::{CreateError, RideUrl, ServerUrl},
};
use protocol::peer::LinkState;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, pki_types::PrivateKeyDer},
};

use crate::support::{Riders, TestServer, local};

/// Proxy that terminates TLS.
struct TlsProxy {
    address: SocketAddr,
    /// File with its certificate.
    certificate: PathBuf,
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.certificate);
    }
}

impl TlsProxy {
    /// Starts one with a certificate for this name.
    async fn start(name: &str, server: SocketAddr) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([name.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A peer that does not trust the certificate hangs up.
                    let Ok(mut stream) = acceptor.accept(stream).await else {
                        return;
                    };
                    let mut behind = TcpStream::connect(server).await.expect("the server");
                    let _ = copy_bidirectional(&mut stream, &mut behind).await;
                });
            }
        });
        let pem = format!(
            "A certificate for {name}\n-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
            STANDARD.encode(cert.der())
        );
        let file = format!("gruppetto-{}-{}.pem", process::id(), address.port());
        let certificate = std::env::temp_dir().join(file);
        fs::write(&certificate, pem).unwrap();
        Self {
            address,
            certificate,
        }
    }

    fn url(&self) -> ServerUrl {
        let url = format!("https://localhost:{}", self.address.port());
        url.parse().unwrap()
    }

    fn authorities(&self) -> Authorities {
        Authorities::read(&self.certificate).unwrap()
    }
}

#[tokio::test]
async fn riders_who_trust_its_authority_ride_over_tls() {
    local(async {
        let server = TestServer::start(&["--p2p-enabled", "false"]).await;
        let proxy = TlsProxy::start("localhost", server.address).await;
        let url = proxy.url().trusting(proxy.authorities());
        let code = url.create_ride().await.unwrap();
        let ride = RideUrl { server: url, code };
        let mut riders = Riders::join(&ride, 2, None).await;
        riders
            .run_until("numbers of all", |riders| {
                riders.all_see_numbers(LinkState::Relayed)
            })
            .await;
        riders.close().await;
    })
    .await;
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = TestServer::start(&[]).await;
    let proxy = TlsProxy::start("localhost", server.address).await;
    let created = proxy.url().create_ride().await;
    assert_eq!(created, Err(CreateError::Unreachable));
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let server = TestServer::start(&[]).await;
    let proxy = TlsProxy::start("other.example", server.address).await;
    let created = proxy
        .url()
        .trusting(proxy.authorities())
        .create_ride()
        .await;
    assert_eq!(created, Err(CreateError::Unreachable));
}
