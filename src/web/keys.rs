//! The key that seals second factors and marks known browsers. It lies beside the database, not in it, readable for the
//! service alone: who has a copy of the database has no seeds.

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
    fn half_a_key_is_no_key() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), [1, 2, 3]).unwrap();
        assert!(Keys::of(folder.path()).err().unwrap().contains("32 bytes"));
    }
}
