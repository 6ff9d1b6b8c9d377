//! TLS with a certificate and key from PEM files, which are read anew now and then: whatever renews them cannot be expected to
//! restart the service.

use std::sync::Arc;

use arc_swap::ArcSwap;
use daypass_exchange::config::TlsConfig;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate chain.
    #[error("cannot read the certificate chain `{path}`: {why}")]
    Certificate {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The private key.
    #[error("cannot read the private key `{path}`: {why}")]
    Key {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The two do not fit.
    #[error("the certificate and the key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate that is served, and where it is from.
pub(crate) struct Certificate {
    files: TlsConfig,
    served: ArcSwap<CertifiedKey>,
}

impl Certificate {
    /// Reads the files.
    pub(crate) fn open(files: &TlsConfig) -> Result<Arc<Self>, TlsError> {
        let served = ArcSwap::from_pointee(read(files)?);
        Ok(Arc::new(Self { files: files.clone(), served }))
    }

    /// Reads the files anew, and says whether they hold another certificate. Where they cannot be used, as when one of them
    /// has been replaced and the other not yet, the last that could is served on.
    pub(crate) fn reload(&self) -> Result<bool, TlsError> {
        let certificate = read(&self.files)?;
        if certificate.cert == self.served.load().cert {
            return Ok(false);
        }
        self.served.store(Arc::new(certificate));
        Ok(true)
    }

    /// TLS 1.2 and 1.3 with the certificate of the moment.
    pub(crate) fn acceptor(self: Arc<Self>) -> Result<TlsAcceptor, TlsError> {
        let mut server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(self);
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(server)))
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.served.load_full())
    }
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Certificate({})", self.files.cert)
    }
}

/// A chain and its key, which fit together.
fn read(files: &TlsConfig) -> Result<CertifiedKey, TlsError> {
    let bad = |why: String| TlsError::Certificate { path: files.cert.clone(), why };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&files.cert)
        .map_err(|error| bad(error.to_string()))?
        .collect::<Result<_, _>>()
        .map_err(|error| bad(error.to_string()))?;
    if chain.is_empty() {
        return Err(bad("it holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| TlsError::Key { path: files.key.clone(), why: error.to_string() })?;
    Ok(CertifiedKey::from_der(chain, key, &default_provider())?)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rcgen::{CertificateParams, KeyPair};
    use rustls::{ClientConfig, RootCertStore};
    use rustls_pki_types::ServerName;
    use tokio_rustls::TlsConnector;

    use super::*;

    struct Issued {
        certificate: rcgen::Certificate,
        key: KeyPair,
    }

    fn issued() -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["sts.example.com".to_owned()]).unwrap().self_signed(&key).unwrap();
        Issued { certificate, key }
    }

    fn files(directory: &Path) -> TlsConfig {
        let path = |name: &str| directory.join(name).display().to_string();
        TlsConfig { cert: path("cert.pem"), key: path("key.pem") }
    }

    /// Whether a client that trusts this certificate alone gets through.
    async fn accepted(acceptor: &TlsAcceptor, issued: &Issued) -> bool {
        let mut roots = RootCertStore::empty();
        roots.add(issued.certificate.der().clone()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (theirs, ours) = tokio::io::duplex(16 * 1_024);
        let name = ServerName::try_from("sts.example.com").unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        let (connected, _) = tokio::join!(connector.connect(name, theirs), acceptor.accept(ours));
        connected.is_ok()
    }

    #[tokio::test]
    async fn a_renewed_certificate_is_served_once_it_and_its_key_are_there() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let (first, second) = (issued(), issued());
        std::fs::write(&files.cert, first.certificate.pem()).unwrap();
        std::fs::write(&files.key, first.key.serialize_pem()).unwrap();
        let certificate = Certificate::open(&files).unwrap();
        let acceptor = Arc::clone(&certificate).acceptor().unwrap();
        assert!(accepted(&acceptor, &first).await);
        assert!(!certificate.reload().unwrap(), "nothing is new");

        std::fs::write(&files.cert, second.certificate.pem()).unwrap();
        assert!(matches!(certificate.reload(), Err(TlsError::Unusable(_))));
        assert!(accepted(&acceptor, &first).await, "the key is not there yet");
        std::fs::write(&files.key, second.key.serialize_pem()).unwrap();
        assert!(certificate.reload().unwrap());
        assert!(accepted(&acceptor, &second).await && !accepted(&acceptor, &first).await);

        std::fs::remove_file(&files.cert).unwrap();
        assert!(matches!(certificate.reload(), Err(TlsError::Certificate { .. })));
        assert!(accepted(&acceptor, &second).await, "what was served is served on");
    }

    #[test]
    fn the_key_is_not_printed() {
        let directory = tempfile::tempdir().unwrap();
        let files = files(directory.path());
        let issued = issued();
        std::fs::write(&files.cert, issued.certificate.pem()).unwrap();
        std::fs::write(&files.key, issued.key.serialize_pem()).unwrap();
        let printed = format!("{:?}", Certificate::open(&files).unwrap());
        assert_eq!(printed, format!("Certificate({})", files.cert));
    }
}
