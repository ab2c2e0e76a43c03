//! The model files: which are known, which lie here, how they come here, and whether one is what it says.
//!
//! Promises: a file under its own name is whole and, where it is known, has the known SHA-256; a download that was
//! cut is resumed; a wrong file never replaces a right one.
//! What can go wrong: no network, a full disk, a mirror with other files: each says so and leaves what was there.

mod download;

use crate::store::sound::hex;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// Where the models are published.
pub const BASE_URL: &str = "https://huggingface.co/ggerganov/whisper.cpp/resolve/main";

/// First bytes of a ggml file, little-endian.
const MAGIC: u32 = 0x6767_6d6c;
/// Magic and eleven numbers of 4 bytes.
const HEADER: usize = 48;

static MANIFEST: LazyLock<Vec<Model>> = LazyLock::new(|| {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Manifest {
        model: Vec<Model>,
    }
    let text = include_str!("../../../models/manifest.toml");
    let manifest: Manifest = toml::from_str(text).expect("the manifest is part of the binary, and a test reads it");
    manifest.model
});

/// One known model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Its short name ("small-q5_1").
    pub name: String,
    /// Its file name ("ggml-small-q5_1.bin").
    pub file: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hex, where it is known for certain.
    pub sha256: Option<String>,
}

/// A known model, and what lies of it in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelState {
    /// The model.
    pub model: Model,
    /// Where it is or would be.
    pub path: PathBuf,
    /// What lies there.
    pub presence: Presence,
}

/// How much of a model lies in a folder, by size only (`verify` reads it).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Nothing.
    Absent,
    /// A download that was cut; so many bytes are here.
    Part(u64),
    /// A file of the right size.
    Here,
    /// A file of another size: truncated, or not this model.
    WrongSize(u64),
}

/// A file that is a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its size in bytes.
    pub bytes: u64,
    /// Its SHA-256, lower-case hex.
    pub sha256: String,
    /// The known model it is; `None` for a model of one's own, of which only the header could be checked.
    pub known: Option<String>,
}

/// Why a model is not here or is not one.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No such name in the manifest.
    #[error("there is no model {0:?}; `nachtwache models list` lists them")]
    Unknown(String),
    /// The file system.
    #[error("could not {verb} {}: {source}", path.display())]
    File {
        /// What was tried.
        verb: &'static str,
        /// On which file.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// No room. What was fetched stays and is resumed.
    #[error("the disk is full: {} needs {needed} more bytes", path.display())]
    DiskFull {
        /// The file that was written.
        path: PathBuf,
        /// How much is missing.
        needed: u64,
    },
    /// The connection.
    #[error("could not fetch {url}: {why}")]
    Network {
        /// From where.
        url: String,
        /// What happened.
        why: String,
    },
    /// Not the size of this model.
    #[error("{} has {found} bytes, not {expected}: it is truncated or another file", path.display())]
    Size {
        /// The file.
        path: PathBuf,
        /// The manifest's size.
        expected: u64,
        /// Its size.
        found: u64,
    },
    /// Not the content of this model.
    #[error("{} is not what was published (SHA-256 {found}, not {expected})", path.display())]
    Checksum {
        /// The file.
        path: PathBuf,
        /// The manifest's checksum.
        expected: String,
        /// Its checksum.
        found: String,
    },
    /// Not a model at all.
    #[error("{} is no Whisper model in ggml format: {why}", path.display())]
    NotAModel {
        /// The file.
        path: PathBuf,
        /// What is wrong with its header.
        why: String,
    },
}

/// The known models, as in `models/manifest.toml`.
#[must_use]
pub fn known() -> &'static [Model] {
    &MANIFEST
}

/// The known models and what lies of them in `dir`.
#[must_use]
pub fn list(dir: &Path) -> Vec<ModelState> {
    known().iter().map(|model| state(model, dir)).collect()
}

/// Whether the file is a Whisper model, and where its name is known, the published one. Reads the whole file.
///
/// # Errors
/// When it cannot be read, is no model, or differs from the published file of its name.
pub fn verify(path: &Path) -> Result<Checked, ModelError> {
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    check(path, known().iter().find(|model| model.file == name))
}

/// Brings a model into `dir` and gives its path; one that is there and right is not fetched again. `base_url` is a
/// folder (`BASE_URL` or a mirror); `progress` hears the bytes that are here and those wanted.
///
/// # Errors
/// See `ModelError`. What was fetched before a cut or a full disk is resumed by the next call.
pub async fn fetch(
    name: &str,
    dir: &Path,
    base_url: &str,
    mut progress: impl FnMut(u64, u64),
) -> Result<PathBuf, ModelError> {
    let wanted = |model: &&Model| model.name == name || model.file == name;
    let model = known().iter().find(wanted).ok_or_else(|| ModelError::Unknown(name.to_owned()))?;
    let ModelState { path, presence, .. } = state(model, dir);
    if presence == Presence::Here && check_aside(&path, model).await.is_ok() {
        progress(model.bytes, model.bytes);
        return Ok(path);
    }
    fs::create_dir_all(dir).map_err(file("create", dir))?;
    let part = part_of(&path);
    let url = format!("{}/{}", base_url.trim_end_matches('/'), model.file);
    download::download(model, &url, &part, &mut progress).await?;
    if let Err(error) = check_aside(&part, model).await {
        // it cannot become right by being resumed
        fs::remove_file(&part).map_err(file("remove", &part))?;
        return Err(error);
    }
    fs::rename(&part, &path).map_err(file("rename", &part))?;
    File::open(dir).and_then(|folder| folder.sync_all()).map_err(file("sync", dir))?;
    Ok(path)
}

fn state(model: &Model, dir: &Path) -> ModelState {
    let path = dir.join(&model.file);
    let length = |path: &Path| fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|data| data.len());
    let presence = match (length(&path), length(&part_of(&path))) {
        (Some(bytes), _) if bytes == model.bytes => Presence::Here,
        (Some(bytes), _) => Presence::WrongSize(bytes),
        (None, Some(bytes)) => Presence::Part(bytes),
        (None, None) => Presence::Absent,
    };
    ModelState { model: model.clone(), path, presence }
}

fn part_of(path: &Path) -> PathBuf {
    path.with_added_extension("part")
}

/// Hashing a gigabyte takes seconds: not on the runtime's threads.
async fn check_aside(path: &Path, model: &'static Model) -> Result<Checked, ModelError> {
    let owned = path.to_owned();
    let checked = tokio::task::spawn_blocking(move || check(&owned, Some(model))).await;
    checked.unwrap_or_else(|error| {
        Err(ModelError::File { verb: "check", path: path.to_owned(), source: io::Error::other(error) })
    })
}

fn check(path: &Path, model: Option<&Model>) -> Result<Checked, ModelError> {
    let mut opened = File::open(path).map_err(file("open", path))?;
    let mut head = [0; HEADER];
    let not_a_model = |why: String| ModelError::NotAModel { path: path.to_owned(), why };
    opened.read_exact(&mut head).map_err(|error| not_a_model(error.to_string()))?;
    plausible(&head).map_err(not_a_model)?;
    let bytes = opened.metadata().map_err(file("read", path))?.len();
    if let Some(model) = model.filter(|model| model.bytes != bytes) {
        return Err(ModelError::Size { path: path.to_owned(), expected: model.bytes, found: bytes });
    }
    let mut hash = Sha256::new_with_prefix(head);
    let mut piece = vec![0; 1 << 20];
    loop {
        match opened.read(&mut piece).map_err(file("read", path))? {
            0 => break,
            length => hash.update(&piece[..length]),
        }
    }
    let sha256 = hex(&hash.finalize());
    match model.and_then(|model| model.sha256.as_ref()).filter(|expected| **expected != sha256) {
        Some(expected) => {
            Err(ModelError::Checksum { path: path.to_owned(), expected: expected.clone(), found: sha256 })
        }
        None => Ok(Checked { bytes, sha256, known: model.map(|model| model.name.clone()) }),
    }
}

/// whisper.cpp allocates what the header says before it reads further: the numbers must be those of some Whisper.
fn plausible(head: &[u8; HEADER]) -> Result<(), String> {
    let mut numbers = head.as_chunks::<4>().0.iter().map(|bytes| u32::from_le_bytes(*bytes));
    let mut expect = |what: &str, from: u32, to: u32| {
        let number = numbers.next().unwrap_or_default();
        if (from..=to).contains(&number) { Ok(()) } else { Err(format!("{what} is {number}")) }
    };
    expect("the magic", MAGIC, MAGIC)?;
    expect("the vocabulary", 51_864, 51_866)?;
    expect("the audio context", 1, 1_500)?;
    expect("the encoder's width", 64, 1_280)?;
    expect("the encoder's heads", 1, 20)?;
    expect("the encoder's depth", 1, 32)?;
    expect("the text context", 1, 448)?;
    expect("the decoder's width", 64, 1_280)?;
    expect("the decoder's heads", 1, 20)?;
    expect("the decoder's depth", 1, 32)?;
    expect("the number of mel bands", 80, 128)?;
    // format, plus a thousand for each version of the quantisation
    expect("the number format", 0, 2_100)
}

fn file(verb: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ModelError {
    let path = path.to_owned();
    move |source| ModelError::File { verb, path, source }
}
