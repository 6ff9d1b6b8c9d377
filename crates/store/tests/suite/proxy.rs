//! A way to PostgreSQL that can be cut at a chosen point of the conversation.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the next conversation that comes there is cut.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cut {
    /// Nowhere.
    Never,
    /// When the client sends COMMIT: the server does not hear of it.
    BeforeCommit,
    /// When the server answers COMMIT: the client does not hear of it.
    AfterCommit,
    /// When the client begins a transaction.
    BeforeBegin,
    /// When the client says anything.
    BeforeAnything,
    /// At once, and all new ones as well.
    Everything,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    pub(crate) port: u16,
    cut: Arc<AtomicU8>,
}

impl Proxy {
    /// Listens on a port of this machine, and connects to `address`.
    pub(crate) async fn start(address: (String, u16)) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            cut: Arc::new(AtomicU8::new(Cut::Never as u8)),
        };
        let serving = proxy.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                if !serving.is_set(Cut::Everything) {
                    let server = TcpStream::connect(address.clone()).await.unwrap();
                    tokio::spawn(serving.clone().converse(client, server));
                }
            }
        });
        proxy
    }

    /// Chooses where to cut. Every cut but [`Cut::Everything`] is made once.
    pub(crate) fn cut(&self, cut: Cut) {
        self.cut.store(cut as u8, Ordering::SeqCst);
    }

    fn is_set(&self, cut: Cut) -> bool {
        self.cut.load(Ordering::SeqCst) == cut as u8
    }

    /// Takes the wish to cut there, if it is the present one.
    fn take(&self, cut: Cut) -> bool {
        let (cut, never) = (cut as u8, Cut::Never as u8);
        self.cut.compare_exchange(cut, never, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Passes on what both say. Our messages are small enough to arrive in one piece. Returning closes both
    /// connections.
    async fn converse(self, mut client: TcpStream, mut server: TcpStream) {
        let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
        loop {
            tokio::select! {
                read = client.read(&mut from_client) => {
                    let Some(said) = received(read, &from_client) else { return };
                    if self.is_set(Cut::Everything)
                        || self.take(Cut::BeforeAnything)
                        || (says(said, b"COMMIT\0") && self.take(Cut::BeforeCommit))
                        || (says(said, b"BEGIN\0") && self.take(Cut::BeforeBegin))
                        || server.write_all(said).await.is_err()
                    {
                        return;
                    }
                }
                read = server.read(&mut from_server) => {
                    let Some(said) = received(read, &from_server) else { return };
                    if self.is_set(Cut::Everything)
                        || (says(said, b"COMMIT\0") && self.take(Cut::AfterCommit))
                        || client.write_all(said).await.is_err()
                    {
                        return;
                    }
                }
            }
        }
    }
}

fn received(read: std::io::Result<usize>, buffer: &[u8]) -> Option<&[u8]> {
    read.ok().filter(|length| *length > 0).map(|length| &buffer[..length])
}

fn says(said: &[u8], what: &[u8]) -> bool {
    said.windows(what.len()).any(|window| window == what)
}
