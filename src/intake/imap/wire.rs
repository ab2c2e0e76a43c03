//! The connection under a session: TCP with keepalive, TLS, and a limit on what one answer may bring.

use super::ImapSettings;
use crate::config::Tls;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// A silent peer is asked after so long whether it still lives.
const KEEPALIVE: Duration = Duration::from_mins(1);

pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + std::fmt::Debug> Stream for T {}

/// A connection that ends when more comes than was asked for.
#[derive(Debug)]
pub(super) struct Wire {
    inner: Box<dyn Stream>,
    left: u64,
}

impl Wire {
    fn new(inner: Box<dyn Stream>) -> Self {
        Self { inner, left: 64 * 1024 }
    }

    /// From now on so many bytes may come.
    pub(super) fn allow(&mut self, bytes: u64) {
        self.left = bytes;
    }

    /// Encrypted from here on.
    pub(super) async fn encrypt(self, settings: &ImapSettings, trust: &Arc<ClientConfig>) -> Result<Self, String> {
        let (host, patience) = (&settings.host, settings.patience);
        let name = ServerName::try_from(host.clone()).map_err(|_| format!("{host} is no name of a server"))?;
        let shaking = TlsConnector::from(trust.clone()).connect(name, self.inner);
        let shaken = tokio::time::timeout(patience, shaking).await;
        match shaken {
            Ok(Ok(stream)) => Ok(Self::new(Box::new(stream))),
            Ok(Err(error)) => Err(format!("no encrypted connection: {error}; is it the right host, port and tls?")),
            Err(_) => {
                Err(format!("no encrypted connection within {} s; is it the right port and tls?", patience.as_secs()))
            }
        }
    }
}

/// A connection to the server; with implicit TLS it is encrypted.
pub(super) async fn connect(settings: &ImapSettings, trust: &Arc<ClientConfig>) -> Result<Wire, String> {
    let (host, port) = (settings.host.as_str(), settings.port);
    let connected = tokio::time::timeout(settings.patience, TcpStream::connect((host, port))).await;
    let stream = match connected {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(format!("no connection: {error}")),
        Err(_) => return Err(format!("no connection within {} s", settings.patience.as_secs())),
    };
    let alive = socket2::TcpKeepalive::new().with_time(KEEPALIVE).with_interval(KEEPALIVE / 4).with_retries(4);
    // without it the next poll still finds a dead line out
    drop(socket2::SockRef::from(&stream).set_tcp_keepalive(&alive));
    drop(stream.set_nodelay(true));
    let wire = Wire::new(Box::new(stream));
    if settings.tls == Tls::Implicit { wire.encrypt(settings, trust).await } else { Ok(wire) }
}

/// Whom to trust: the authorities of the file, else the system's.
pub(super) fn trust(ca: Option<&Path>) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = ca {
        let unusable = |why: String| format!("the certificates in {} cannot be used: {why}", path.display());
        for one in CertificateDer::pem_file_iter(path).map_err(|error| unusable(error.to_string()))? {
            let one = one.map_err(|error| unusable(error.to_string()))?;
            roots.add(one).map_err(|error| unusable(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(unusable("there is none in it".to_owned()));
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err("this machine trusts no authority; remedy: install ca-certificates, or set ca".to_owned());
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let came = (buf.filled().len() - before) as u64;
        if came > self.left {
            return Poll::Ready(Err(io::Error::other("more came than was asked for")));
        }
        self.left -= came;
        polled
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
