//! The box signs its certificate itself, so it is known by its fingerprint: a configured one, else the first one seen.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// SHA-256 of a certificate, lower-case hex.
pub(super) type Fingerprint = String;

/// Which certificate a server must show.
#[derive(Debug)]
pub(super) struct Pin {
    provider: Arc<CryptoProvider>,
    state: Mutex<State>,
    /// What this one knows is right here, too.
    other: Option<Arc<Pin>>,
}

#[derive(Debug, Default)]
struct State {
    pinned: Vec<Fingerprint>,
    /// Pinned on sight and not remembered yet.
    fresh: bool,
    /// Shown last, and wrong.
    wrong: Option<Fingerprint>,
}

impl Pin {
    /// Those pinned and nothing else; without any the first certificate that is shown. What `other` has pinned is right, too.
    pub(super) fn new(pinned: Vec<Fingerprint>, other: Option<Arc<Self>>) -> Arc<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        Arc::new(Self { provider, state: Mutex::new(State { pinned, ..State::default() }), other })
    }

    /// The TLS of a client that trusts this pin alone.
    pub(super) fn tls(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let builder =
            ClientConfig::builder_with_provider(self.provider.clone()).with_safe_default_protocol_versions()?;
        Ok(builder.dangerous().with_custom_certificate_verifier(self.clone()).with_no_client_auth())
    }

    /// All that are right, for people; empty before one was seen.
    pub(super) fn pinned(&self) -> String {
        self.state().pinned.join(", ")
    }

    /// Pinned on sight since this was asked last.
    pub(super) fn fresh(&self) -> Option<Fingerprint> {
        let state = self.state();
        state.pinned.first().cloned().filter(|_| state.fresh)
    }

    pub(super) fn remembered(&self) {
        self.state().fresh = false;
    }

    /// What was pinned on sight, and whose owner then could not prove that it is his, counts for nothing.
    pub(super) fn forget_fresh(&self) {
        let mut state = self.state();
        if std::mem::take(&mut state.fresh) {
            state.pinned.clear();
        }
    }

    /// The wrong certificate that was shown since this was asked last.
    pub(super) fn wrong(&self) -> Option<Fingerprint> {
        self.state().wrong.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accepts(&self, shown: &str) -> bool {
        let is_right = |state: &State| state.pinned.iter().any(|pinned| pinned == shown);
        if self.other.as_ref().is_some_and(|other| is_right(&other.state())) {
            return true;
        }
        let mut state = self.state();
        if state.pinned.is_empty() {
            (state.pinned, state.fresh) = (vec![shown.to_owned()], true);
        }
        let right = is_right(&state);
        state.wrong = (!right).then(|| shown.to_owned());
        right
    }
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.accepts(&crate::store::sound::sha256(end_entity)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_pinned_and_another_is_wrong() {
        let pin = Pin::new(Vec::new(), None);
        assert!(pin.accepts("a") && pin.accepts("a"));
        assert_eq!(pin.fresh().as_deref(), Some("a"));
        pin.remembered();
        assert_eq!(pin.fresh(), None);
        assert!(!pin.accepts("b"));
        assert_eq!((pin.wrong().as_deref(), pin.pinned().as_str()), (Some("b"), "a"));
        assert_eq!(pin.wrong(), None);
    }

    #[test]
    fn one_that_was_not_proven_is_forgotten_and_a_remembered_one_is_not() {
        let pin = Pin::new(Vec::new(), None);
        assert!(pin.accepts("a"));
        pin.forget_fresh();
        assert!(pin.accepts("b"));
        pin.remembered();
        pin.forget_fresh();
        assert!(!pin.accepts("a"));
    }

    #[test]
    fn what_is_right_at_the_other_door_is_right_here() {
        let first = Pin::new(vec!["a".into(), "b".into()], None);
        let second = Pin::new(vec!["c".into()], Some(first.clone()));
        assert!(second.accepts("a") && second.accepts("b") && second.accepts("c") && !second.accepts("d"));
        assert!(first.accepts("b") && !first.accepts("c"));
    }
}
