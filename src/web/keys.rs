//! The key that seals second factors and marks known browsers. It lies beside the database, not in it, readable for the
//! service alone: who has a copy of the database has no seeds.

use super::answer::Trouble;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

const FILE: &str = "page.key";

/// 256 random bits.
pub(crate) struct Keys([u8; 32]);

impl Keys {
    /// The key in `folder`; made where there is none.
    ///
    /// # Errors
    /// Where it cannot be read or made, with what to do.
    pub(super) fn of(folder: &Path) -> Result<Self, String> {
        let path = folder.join(FILE);
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        match std::fs::read(&path) {
            Ok(bytes) => {
                let whole = || {
                    said(
                        &"is no key of 32 bytes; put the right one back from the backup, or delete it: then second factors are set up anew",
                    )
                };
                Ok(Self(bytes.try_into().map_err(|_| whole())?))
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let mut key = [0u8; 32];
                getrandom::fill(&mut key).map_err(|error| said(&error))?;
                let mut file = std::fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(&path)
                    .map_err(|error| said(&error))?;
                file.write_all(&key).and_then(|()| file.sync_all()).map_err(|error| said(&error))?;
                Ok(Self(key))
            }
            Err(error) => Err(said(&error)),
        }
    }

    /// The key for one purpose, so that no two purposes share one.
    pub(crate) fn purpose(&self, purpose: &str) -> [u8; 32] {
        use hmac::{Hmac, KeyInit as _, Mac as _};
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(purpose.as_bytes());
        mac.finalize().into_bytes().into()
    }

    /// Seals a secret (ChaCha20-Poly1305), as text. It opens for the same purpose and `context` only.
    ///
    /// # Errors
    /// Where the system gives no randomness.
    pub(super) fn seal(&self, purpose: &str, context: &str, secret: &[u8]) -> Result<String, Trouble> {
        let mut nonce = [0u8; NONCE_LEN];
        getrandom::fill(&mut nonce).map_err(|error| Trouble::Ours(format!("no randomness: {error}")))?;
        let mut sealed = secret.to_vec();
        let key = self.sealing(purpose);
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(context), &mut sealed)
            .map_err(|_| Trouble::Ours("a secret could not be sealed".to_owned()))?;
        Ok(BASE64.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// Opens what was sealed; `None`: it is not ours, or was sealed for something else.
    pub(super) fn open(&self, purpose: &str, context: &str, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = BASE64.decode(sealed).ok()?;
        let (nonce, secret) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.sealing(purpose).open_in_place(nonce, Aad::from(context), secret).ok()?;
        Some(opened.to_vec())
    }

    fn sealing(&self, purpose: &str) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &self.purpose(purpose)).expect("the key has 32 bytes");
        LessSafeKey::new(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_made_once_and_is_the_services_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = Keys::of(folder.path()).unwrap();
        assert_eq!(first.0, Keys::of(folder.path()).unwrap().0);
        let mode = std::fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_ne!(first.purpose("a"), first.purpose("b"));
    }

    #[test]
    fn what_is_sealed_opens_for_the_same_thing_only() {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::of(folder.path()).unwrap();
        let sealed = keys.seal("totp", "anna", b"a seed").unwrap();
        assert!(!sealed.contains("seed"));
        assert_ne!(sealed, keys.seal("totp", "anna", b"a seed").unwrap(), "no two are the same");
        assert_eq!(keys.open("totp", "anna", &sealed).as_deref(), Some(b"a seed".as_slice()));
        assert_eq!(keys.open("totp", "bernd", &sealed), None);
        assert_eq!(keys.open("other", "anna", &sealed), None);
        for broken in ["", "AAAA", "!", &sealed[1..]] {
            assert_eq!(keys.open("totp", "anna", broken), None);
        }
    }

    #[test]
    fn half_a_key_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), [1, 2, 3]).unwrap();
        assert!(Keys::of(folder.path()).err().unwrap().contains("32 bytes"));
    }
}
