//! Passwords: Argon2id with the parameters in the hash, at most two at once, and the same work for names that do not exist.

use super::answer::Trouble;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// 64 MiB, three rounds, one lane (reliability W-05; OWASP asks for 19 MiB and two rounds at least).
const MEMORY_KIB: u32 = 64 * 1024;
const ROUNDS: u32 = 3;
const AT_ONCE: usize = 2;
/// Characters of a password.
const SHORTEST: usize = 15;
const LONGEST: usize = 128;

/// Somebody's hash who does not exist: his password takes as long.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash("nobody has this password").unwrap_or_default());

/// Where passwords are worked on.
pub(crate) struct Passwords(Arc<Semaphore>);

impl Default for Passwords {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(AT_ONCE)))
    }
}

impl Passwords {
    /// Whether the password fits the hash; with no hash it never does, and takes as long.
    ///
    /// # Errors
    /// Where there is no thread to work on.
    pub(super) async fn fits(&self, password: SecretString, phc: Option<String>) -> Result<bool, Trouble> {
        self.work(move || {
            let exists = phc.is_some();
            let fits = verify(password.expose_secret(), phc.as_deref().unwrap_or(&NOBODY));
            fits && exists
        })
        .await
    }

    /// The hash of a new password.
    ///
    /// # Errors
    /// As `fits`, and where the system gives no randomness.
    pub(super) async fn hash(&self, password: SecretString) -> Result<String, Trouble> {
        self.work(move || hash(password.expose_secret())).await?.map_err(Trouble::Ours)
    }

    async fn work<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Trouble> {
        let gone = |error: &dyn std::fmt::Display| Trouble::Ours(error.to_string());
        let permit = self.0.clone().acquire_owned().await.map_err(|error| gone(&error))?;
        let job = move || {
            // held by the work itself: it goes on where whoever asked for it has gone away
            let _permit = permit;
            job()
        };
        tokio::task::spawn_blocking(job).await.map_err(|error| gone(&error))
    }
}

fn argon() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, ROUNDS, 1, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &str) -> Result<String, String> {
    argon().hash_password(password.as_bytes()).map(|hash| hash.to_string()).map_err(|error| error.to_string())
}

fn verify(password: &str, phc: &str) -> bool {
    // the parameters stand in the hash: an older one is checked by its own
    PasswordHash::new(phc).is_ok_and(|hash| argon().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Whether the hash was made with weaker parameters than today's.
pub(super) fn is_old(phc: &str) -> bool {
    !phc.contains(&format!("m={MEMORY_KIB},t={ROUNDS},"))
}

/// What is wrong with a new password, as a sentence. `context`: words that everybody would try (name, firm).
pub(super) fn complaint(password: &str, context: &[&str]) -> Option<String> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Some(format!(
            "Das Passwort ist zu kurz: mindestens {SHORTEST} Zeichen. Ein Satz ist leicht zu merken."
        ));
    }
    if length > LONGEST {
        return Some(format!("Das Passwort ist zu lang: höchstens {LONGEST} Zeichen."));
    }
    let mut given = vec!["nachtwache", "notfall", "techniker", "kister"];
    given.extend(context);
    if zxcvbn::zxcvbn(password, &given).score() < zxcvbn::Score::Three {
        let text = "Dieses Passwort ist zu leicht zu erraten: keine bekannten Passwörter, Namen oder Tastenreihen.";
        return Some(text.to_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_hash_and_no_other() {
        let hash = hash("drei blaue Pferde im Regen").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$"), "{hash}");
        assert!(verify("drei blaue Pferde im Regen", &hash));
        assert!(!verify("drei blaue Pferde im Regen ", &hash));
        assert!(!verify("x", "no hash"));
        assert!(!is_old(&hash));
        assert!(is_old("$argon2id$v=19$m=19456,t=2,p=1$abc$def"));
    }

    #[tokio::test]
    async fn whoever_goes_away_makes_no_room_for_a_third_one() {
        let passwords = Passwords::default();
        let (begun, mut beginning) = tokio::sync::mpsc::unbounded_channel();
        let (go_on, wait) = std::sync::mpsc::channel::<()>();
        let mut gone = Box::pin(passwords.work(move || {
            begun.send(()).unwrap();
            wait.recv().unwrap();
        }));
        tokio::select! {
            _ = &mut gone => panic!("it cannot have ended"),
            _ = beginning.recv() => {}
        }
        drop(gone);
        assert_eq!(passwords.0.available_permits(), AT_ONCE - 1, "the work goes on");
        go_on.send(()).unwrap();
        let both = passwords.0.acquire_many(u32::try_from(AT_ONCE).unwrap()).await;
        assert!(both.is_ok(), "and makes room when it ends");
    }

    #[test]
    fn weak_passwords_are_refused_with_a_reason() {
        for weak in [
            "kurz",
            "passwortpasswort",
            "nachtwachenachtwache",
            "qwertzuiopasdfghj",
            "aaaaaaaaaaaaaaaaaaaa",
            "PetraMusterPetraMuster",
        ] {
            assert!(complaint(weak, &["Petra Muster"]).is_some(), "{weak}");
        }
        assert!(complaint(&"x".repeat(129), &[]).is_some());
        for good in ["drei blaue Pferde im Regen", "ŸŸ fünf grüne Äpfel 7 Uhr", "correct battery horse staple now"]
        {
            assert_eq!(complaint(good, &["Petra"]), None, "{good}");
        }
    }
}
