//! `kind = "folder"`.

use serde::Deserialize;
use std::path::PathBuf;

/// A folder into which anything drops sound files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Folder {
    /// Its name, unique.
    pub name: String,
    /// Which folder.
    pub path: PathBuf,
    /// Seconds between two looks.
    #[serde(default = "five")]
    pub poll_s: u64,
}

fn five() -> u64 {
    5
}

impl Folder {
    pub(super) fn complain(&self, wrong: &mut Vec<String>) {
        super::range(wrong, "poll_s", &self.name, self.poll_s, 1, 600);
    }
}
