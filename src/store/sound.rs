//! Sound files beside the database: tmp → fsync → rename → fsync(folder), named by report id.
//!
//! A file whose row was never committed is an orphan and harmless; a row never points at a file that is not on disk.

use super::{Result, StoreError};
use crate::domain::report::{Recording, ReportId};
use sha2::{Digest as _, Sha256};
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

/// Makes the folder, readable by its owner only.
pub(super) fn make_folder(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| StoreError::Sound { path: folder.to_owned(), error })
}

/// Writes a sound durably and says what the row must know of it. Blocking.
///
/// # Errors
/// Where the disk refused (full, read-only, …): nothing may then be told to the source.
pub fn write(folder: &Path, id: ReportId, name: &str, bytes: &[u8]) -> Result<Recording> {
    let file = format!("{id}.{}", ending(name));
    let path = folder.join(&file);
    let tmp = folder.join(format!(".{file}.tmp"));
    let written = write_through(&tmp, &path, folder, bytes);
    if let Err(error) = written {
        // Best effort: the name is ours alone, a leftover only costs space.
        drop(fs::remove_file(&tmp));
        return Err(StoreError::Sound { path, error });
    }
    Ok(Recording { file, sha256: sha256(bytes), bytes: bytes.len() as u64, name: name.to_owned() })
}

fn write_through(tmp: &Path, path: &Path, folder: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(tmp)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(tmp, path)?;
    File::open(folder)?.sync_all()
}

/// SHA-256 as lower-case hex.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes as lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a String cannot fail");
        hex
    })
}

/// Up to five letters or digits of the source's ending: the given name is data, never a path of ours.
fn ending(name: &str) -> String {
    let given = Path::new(name).extension().and_then(|end| end.to_str()).unwrap_or("sound");
    let kept: String = given.chars().filter(char::is_ascii_alphanumeric).take(5).collect();
    if kept.is_empty() { "sound".to_owned() } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_stays_data() {
        assert_eq!(ending("../../etc/passwd"), "sound");
        assert_eq!(ending("a.W/../V"), "sound");
        assert_eq!(ending("msg0000.WAV"), "WAV");
        assert_eq!(ending("x.ogg\0%%%%%%%"), "ogg");
    }

    #[test]
    fn a_sound_is_written_whole_and_leaves_no_temporary() {
        let folder = tempfile::tempdir().unwrap();
        let id = ReportId::fresh();
        let recording = write(folder.path(), id, "msg0000.wav", b"abc").unwrap();
        assert_eq!(fs::read(folder.path().join(&recording.file)).unwrap(), b"abc");
        assert_eq!(recording.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
