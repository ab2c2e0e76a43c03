//! The recording of a drill, and how it is laid into the folder from which it travels.

use std::io;
use std::path::{Path, PathBuf};

/// Somebody says that it is no emergency (synthetic speech, nobody's voice).
const RECORDING: &[u8] = include_bytes!("../../tests/data/recordings/vm-19.WAV");

/// The folder of drills beside the store's other files.
#[must_use]
pub fn folder(store: &Path) -> PathBuf {
    store.join("drill")
}

/// Lays the recording down under this identity; files of drills that are over go away.
///
/// # Errors
/// Where the folder or the file cannot be written.
pub async fn lay(folder: &Path, id: &str) -> io::Result<()> {
    match tokio::fs::remove_dir_all(folder.join("done")).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "could not take away the files of earlier drills");
        }
        _ => {}
    }
    tokio::fs::create_dir_all(folder).await?;
    let unfinished = folder.join(format!("{id}.part"));
    tokio::fs::write(&unfinished, bytes(id)).await?;
    tokio::fs::rename(&unfinished, folder.join(format!("{id}.wav"))).await
}

/// The recording with its identity behind the sound: two drills are never the same recording.
fn bytes(id: &str) -> Vec<u8> {
    let mut bytes = RECORDING.to_vec();
    if bytes.len() % 2 == 1 {
        bytes.push(0);
    }
    let size = u32::try_from(id.len()).unwrap_or(0);
    bytes.extend(b"junk");
    bytes.extend(size.to_le_bytes());
    bytes.extend(id.as_bytes());
    bytes
}
