//! A web site on loopback that answers as a test wants, and remembers what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::Uri;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// A site. It goes away when this is dropped.
pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
    _serving: JoinSet<()>,
}

type Answers = Box<dyn Fn(&str) -> Answering + Send + Sync>;

struct Inner {
    answers: Mutex<Answers>,
    asked: watch::Sender<Vec<String>>,
    gate: Notify,
}

/// How a request is answered.
pub(crate) enum Answering {
    /// At once.
    With(Response),
    /// Once the gate opens.
    AtTheGate(Response),
}

impl Site {
    /// A site in plain HTTP.
    pub(crate) async fn plain(answers: impl Fn(&str) -> Response + Send + Sync + 'static) -> Self {
        Self::start(answers, None).await
    }

    /// A site with a certificate.
    pub(crate) async fn with_tls(
        authority: &Authority,
        name: &str,
        answers: impl Fn(&str) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self::start(answers, Some(authority.acceptor(name))).await
    }

    async fn start(
        answers: impl Fn(&str) -> Response + Send + Sync + 'static,
        tls: Option<TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            answers: Mutex::new(Box::new(move |path| Answering::With(answers(path)))),
            asked: watch::Sender::default(),
            gate: Notify::new(),
        });
        let router = Router::new().fallback({
            let inner = Arc::clone(&inner);
            move |uri: Uri| async move { inner.answer(uri.path()).await }
        });
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let service = TowerToHyperService::new(router.clone());
                let tls = tls.clone();
                open.spawn(async move {
                    let builder = Builder::new(TokioExecutor::new());
                    // What clients make of it is not the site's business.
                    let _ = match tls {
                        None => builder.serve_connection(TokioIo::new(stream), service).await,
                        Some(tls) => match tls.accept(stream).await {
                            Ok(stream) => builder.serve_connection(TokioIo::new(stream), service).await,
                            Err(_) => Ok(()),
                        },
                    };
                });
            }
        });
        Self { address, inner, _serving: serving }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on the site answers otherwise.
    pub(crate) fn answers(&self, answers: impl Fn(&str) -> Response + Send + Sync + 'static) {
        *self.inner.answers.lock().unwrap() = Box::new(move |path| Answering::With(answers(path)));
    }

    /// From now on the site answers when the gate is opened, once for each opening.
    pub(crate) fn answers_at_the_gate(&self, answers: impl Fn(&str) -> Response + Send + Sync + 'static) {
        *self.inner.answers.lock().unwrap() = Box::new(move |path| Answering::AtTheGate(answers(path)));
    }

    pub(crate) fn open_the_gate(&self) {
        self.inner.gate.notify_one();
    }

    /// The paths that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.inner.asked.borrow().clone()
    }

    /// Waits until the site has been asked so often.
    pub(crate) async fn was_asked(&self, times: usize) {
        self.inner.asked.subscribe().wait_for(|asked| asked.len() >= times).await.unwrap();
    }

    /// How often a path was asked for.
    pub(crate) fn times_asked(&self, path: &str) -> usize {
        self.asked().iter().filter(|asked| *asked == path).count()
    }
}

impl Inner {
    async fn answer(&self, path: &str) -> Response {
        self.asked.send_modify(|asked| asked.push(path.to_owned()));
        let answering = (self.answers.lock().unwrap())(path);
        match answering {
            Answering::With(response) => response,
            Answering::AtTheGate(response) => {
                self.gate.notified().await;
                response
            }
        }
    }
}

pub(crate) fn json(text: impl Into<String>) -> Response {
    ([("content-type", "application/json"), ("cache-control", "max-age=600")], text.into()).into_response()
}

pub(crate) fn redirect(to: &str) -> Response {
    (http::StatusCode::FOUND, [("location", to.to_owned())]).into_response()
}

pub(crate) fn missing() -> Response {
    http::StatusCode::NOT_FOUND.into_response()
}

/// A body that begins and never ends.
pub(crate) fn endless(beginning: &'static str) -> Response {
    struct Endless(Option<&'static str>);

    impl hyper::body::Body for Endless {
        type Data = bytes::Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
        ) -> std::task::Poll<Option<Result<hyper::body::Frame<Self::Data>, Self::Error>>> {
            match self.0.take() {
                Some(text) => std::task::Poll::Ready(Some(Ok(hyper::body::Frame::data(text.into())))),
                None => std::task::Poll::Pending,
            }
        }
    }

    Body::new(Endless(Some(beginning))).into_response()
}

/// A certificate authority of the test's own.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { issuer: Issuer::new(params, key), pem }
    }

    /// A certificate and its key for a name.
    pub(crate) fn certify(&self, name: &str) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }

    pub(crate) fn roots(&self) -> rustls::RootCertStore {
        use rustls_pki_types::pem::PemObject;

        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.pem.as_bytes()).unwrap()).unwrap();
        roots
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let (certificate, key) = self.certify(name);
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}
