//! What people send to the bot comes in two steps: where the file lies, then its bytes.

use serde::Deserialize;
use teloxide_core::payloads::GetFile;
use teloxide_core::types::FileId;

use super::Bot;
use super::error::BotError;

/// The Bot API hands out no larger files, in bytes.
pub const DOWNLOAD_MAX: u64 = 20 << 20;

/// Only the path is looked at; it is missing when the file is too large to be had.
#[derive(Deserialize)]
struct Found {
    file_path: Option<String>,
    file_size: Option<u64>,
}

impl Bot {
    /// Where the file of a [`What::Voice`](super::What::Voice) lies, for [`Bot::download`]; valid for an hour.
    ///
    /// # Errors
    /// [`BotError::Invalid`] if it is larger than [`DOWNLOAD_MAX`]; never [`Failure::Unknown`](super::Failure::Unknown).
    pub async fn file(&self, file_id: &str) -> Result<String, BotError> {
        let payload = GetFile::new(FileId(file_id.to_owned()));
        let found: Found = self.api.call(&payload).await.map_err(BotError::when_reading)?;
        if found.file_size.is_some_and(|size| size > DOWNLOAD_MAX) {
            return Err(too_large(DOWNLOAD_MAX));
        }
        found.file_path.ok_or_else(|| BotError::Invalid("Telegram does not say where the file lies".into()))
    }

    /// The bytes of a file, at most `max_bytes` of them (and never more than [`DOWNLOAD_MAX`]).
    ///
    /// # Errors
    /// [`BotError::Invalid`] if it is larger or the path is not one; `Refusal::Gone` if it is no longer there;
    /// never [`Failure::Unknown`](super::Failure::Unknown): it may simply be asked again.
    pub async fn download(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, BotError> {
        if !is_plain(path) {
            return Err(BotError::Invalid("the path of the file is not a plain one".into()));
        }
        self.api.download(path, max_bytes.min(DOWNLOAD_MAX)).await.map_err(BotError::when_reading)
    }
}

pub(super) fn too_large(max_bytes: u64) -> BotError {
    BotError::Invalid(format!("the file is larger than {max_bytes} bytes"))
}

/// `voice/file_7.oga`: it goes into an address, so nothing in it may lead elsewhere.
fn is_plain(path: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    path.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.chars().all(letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_nowhere_else() {
        assert!(is_plain("voice/file_7.oga") && is_plain("music/a-b.mp3"));
        for odd in ["", "/etc/passwd", "a//b", "../botX/getMe", "a/../b", "a/.hidden", "a?b", "a#b", "a%2e", "a b", "ä"]
        {
            assert!(!is_plain(odd), "{odd}");
        }
    }
}
