//! The recording of a message: a file below the storage folder, on this machine or over HTTP.
//!
//! Promises: no file outside the storage folder is read, whatever path FreeSWITCH (or a caller's name) says and wherever
//! links lead; a login goes to the configured host only.

use crate::intake::files::{Files, Login, NotFetched};
use crate::intake::http::{Limits, Peer};
use crate::intake::watch::{Stamp, apart};
use secrecy::SecretString;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

const RIGHTS: &str = "add this user to the group freeswitch (usermod -aG freeswitch nachtwache)";

/// A web server that serves the storage folder.
#[derive(Debug)]
pub struct WebFiles {
    /// The address that stands for the storage folder.
    pub url: String,
    /// User name and password, where it asks for them.
    pub login: Option<(String, SecretString)>,
}

/// Where recordings come from.
#[derive(Debug)]
pub(super) enum Recordings {
    /// The storage folder is on this machine.
    Folder(PathBuf),
    /// Something serves it.
    Web(Box<Web>),
}

/// A web server that serves the storage folder.
#[derive(Debug)]
pub(super) struct Web {
    peer: Peer,
    files: Files,
    login: Option<(String, SecretString)>,
    storage: PathBuf,
}

impl Web {
    async fn fetch(&self, path: &Path) -> Result<Vec<u8>, NotFetched> {
        let parts = parts_below(&self.storage, path).ok_or_else(|| outside(&self.storage))?;
        let login = self.login.as_ref().map(|(user, password)| Login { user, password });
        let url = self.peer.url(parts.iter().map(String::as_str));
        self.files.fetch(url, |url| self.peer.is_own(url), login.as_ref()).await
    }
}

impl Recordings {
    /// Recordings below `storage`, served by `web` or on this machine.
    ///
    /// # Errors
    /// Where the web server's address cannot be used.
    pub(super) fn open(
        storage: PathBuf,
        web: Option<WebFiles>,
        limits: Limits,
        max_bytes: u64,
    ) -> Result<Self, String> {
        let Some(web) = web else { return Ok(Self::Folder(storage)) };
        let peer = Peer::open("the web server of FreeSWITCH's recordings", &web.url, "check files", limits)?;
        let files = Files::of(&peer, max_bytes)?;
        Ok(Self::Web(Box::new(Web { peer, files, login: web.login, storage })))
    }

    /// The recording at the path that FreeSWITCH says.
    pub(super) async fn fetch(&self, path: &str, max_bytes: u64) -> Result<Vec<u8>, NotFetched> {
        match self {
            Self::Folder(storage) => {
                let (storage, path) = (storage.clone(), PathBuf::from(path));
                let read = apart(move || read(&storage, &path, max_bytes)).await;
                read.map_err(|why| NotFetched::Later(why.to_owned()))?
            }
            Self::Web(web) => web.fetch(Path::new(path)).await,
        }
    }

    /// What `check` says of it.
    pub(super) fn examine(&self) -> Result<String, String> {
        match self {
            Self::Folder(storage) => match std::fs::read_dir(storage) {
                Ok(_) => Ok(format!("recordings in {}", storage.display())),
                Err(error) => {
                    let shown = storage.display();
                    Err(format!("{shown} cannot be read ({error}); remedy: check the key storage, or {RIGHTS}"))
                }
            },
            Self::Web(web) => Ok(format!("recordings from {}", web.peer.host())),
        }
    }
}

fn outside(storage: &Path) -> NotFetched {
    let shown = storage.display();
    NotFetched::Never(format!("its file does not lie below {shown}; set the key storage to FreeSWITCH's folder"))
}

/// The parts of a path below the storage folder: plain names only.
fn parts_below(storage: &Path, path: &Path) -> Option<Vec<String>> {
    let below = path.strip_prefix(storage).ok()?;
    let parts = below.components().map(|part| match part {
        Component::Normal(name) => name.to_str().map(str::to_owned),
        _ => None,
    });
    parts.collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())
}

/// Reads a file below the storage folder, all links resolved.
fn read(storage: &Path, path: &Path, max_bytes: u64) -> Result<Vec<u8>, NotFetched> {
    let resolved = |path: &Path| path.canonicalize().map_err(|error| unreadable(&error));
    let (inside, path) = (resolved(storage)?, resolved(path)?);
    if !path.starts_with(&inside) {
        return Err(outside(storage));
    }
    // before it is opened: a pipe would keep us waiting
    let before = path.metadata().map_err(|error| unreadable(&error))?;
    if !before.is_file() {
        return Err(NotFetched::Never("it is no regular file".into()));
    }
    if before.len() > max_bytes {
        return Err(NotFetched::Never(format!("it has {} bytes, the limit is {max_bytes}", before.len())));
    }
    let mut file = File::open(&path).map_err(|error| unreadable(&error))?;
    let mut bytes = Vec::new();
    (&mut file).take(max_bytes).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    let after = file.metadata().map_err(|error| unreadable(&error))?;
    if bytes.is_empty() || !Stamp::of(&before).same_content(&Stamp::of(&after)) {
        return Err(NotFetched::Later("it is still being written".into()));
    }
    Ok(bytes)
}

fn unreadable(error: &io::Error) -> NotFetched {
    match error.kind() {
        io::ErrorKind::PermissionDenied => NotFetched::Forbidden(format!("it cannot be read ({error}): {RIGHTS}")),
        _ => NotFetched::Later(format!("it cannot be read ({error})")),
    }
}
