//! The JSON file beside a recording that says who called.

use super::{is_left_out, stem_of};
use crate::intake::watch::Stamp;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use std::collections::HashSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

const SIDE_CAR_MAX: u64 = 64 * 1024;

/// What a side-car says.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Told {
    pub(super) caller: Option<String>,
    pub(super) name: Option<String>,
    pub(super) time: Option<DateTime<Utc>>,
    pub(super) id: Option<String>,
}

/// A side-car that lies beside a recording.
pub(super) struct SideCar {
    pub(super) name: String,
    pub(super) stamp: Stamp,
    pub(super) content: Result<Told, String>,
}

impl SideCar {
    /// The side-car of a recording: `<file>.json`, else `<stem>.json` where no other recording shares the stem.
    pub(super) fn beside(folder: &Path, sound: &str, names: &HashSet<String>) -> Option<Self> {
        let own = format!("{sound}.json");
        let stem = stem_of(sound);
        let alone = || !names.iter().any(|other| other != sound && !is_left_out(other) && stem_of(other) == stem);
        let name = if names.contains(&own) { Some(own) } else { Some(format!("{stem}.json")).filter(|_| alone()) };
        let name = name.filter(|name| names.contains(name))?;
        let path = folder.join(&name);
        let stamp = Stamp::of(&std::fs::metadata(&path).ok().filter(std::fs::Metadata::is_file)?);
        Some(Self { content: read_side_car(&path), name, stamp })
    }

    /// What it says; nothing where it cannot be read.
    pub(super) fn told(&self) -> Told {
        self.content.clone().unwrap_or_default()
    }
}

fn read_side_car(path: &Path) -> Result<Told, String> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SIDE_CAR_MAX).read_to_end(&mut bytes));
    read.map_err(|error| error.to_string())?;
    // the parser's own words would quote the caller
    serde_json::from_slice(&bytes)
        .map_err(|error| format!("line {} column {} is not as expected", error.line(), error.column()))
}
