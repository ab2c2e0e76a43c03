//! The certificate by which a server shows itself: read from two PEM files, and again when they change.

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::SystemTime;
use tokio_rustls::TlsAcceptor;

/// When each of the two files was changed last.
type Stamp = (Option<SystemTime>, Option<SystemTime>);

/// A certificate chain and its key, as the files had them last.
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    kept: RwLock<(Stamp, TlsAcceptor)>,
}

impl std::fmt::Debug for Certificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificate").field("chain", &self.chain).finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// Where one cannot be read, holds no certificate or key, or they do not belong together.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, String> {
        let acceptor = acceptor(chain, key)?;
        let kept = RwLock::new((stamp(chain, key), acceptor));
        Ok(Self { chain: chain.to_owned(), key: key.to_owned(), kept })
    }

    /// For the next connection. Files that changed are read again; while they are not whole (a renewal writes two of them) the
    /// certificate before stays in use.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let now = stamp(&self.chain, &self.key);
        {
            let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
            if kept.0 == now {
                return kept.1.clone();
            }
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != now {
            match acceptor(&self.chain, &self.key) {
                Ok(acceptor) => {
                    tracing::info!("the certificate changed and was read again");
                    *kept = (now, acceptor);
                }
                Err(error) => tracing::warn!(error, "the certificate changed and cannot be used: the one before stays"),
            }
        }
        kept.1.clone()
    }
}

fn stamp(chain: &Path, key: &Path) -> Stamp {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|file| file.modified()).ok();
    (changed(chain), changed(key))
}

fn acceptor(chain: &Path, key: &Path) -> Result<TlsAcceptor, String> {
    let said = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let certificates: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(chain).and_then(Iterator::collect).map_err(|error| said(chain, &error))?;
    if certificates.is_empty() {
        return Err(said(chain, &"there is no certificate in it"));
    }
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| said(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .map_err(|error| said(key, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
