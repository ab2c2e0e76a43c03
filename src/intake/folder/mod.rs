//! A folder that other programs drop recordings into.
//!
//! Any file is a recording, whatever its ending: a voice may be in it. Left out are hidden files, `*.tmp`, `*.part` and
//! `*.json`. A file is taken when its size and times have stood still for `settle`, or at once when it arrived by
//! rename. Beside `call.wav` may lie `call.wav.json` or `call.json`, dropped before or with it:
//! `{"caller": "+49…", "name": "…", "time": "2026-11-22T10:19:29+01:00", "id": "…"}`, every field optional.
//!
//! Identity is the side-car's `id` with the size (two recordings under one id are two messages), else name, size and
//! time of the file. What is safe is moved to `done/`, never overwriting, and never deleted.
//!
//! What can go wrong: rights on the folder (`Unreachable`), a directory or pipe among the files, a side-car that cannot
//! be read (`Trouble`; the sound is still taken), a recording too large or unreadable (`Sound::Refused`).

mod side_car;

use crate::domain::report::{Arrival, Caller, Content, Sound};
use crate::intake::source::{Found, Listing, Said, Source, SourceError, Trouble};
use crate::intake::watch::{Stamp, Watch, blocking, lock};
use async_trait::async_trait;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use side_car::SideCar;
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const DONE: &str = "done";
/// Endings of sound that is known; a directory of such a name is a mistake.
const SOUND_ENDINGS: [&str; 9] = ["wav", "gsm", "mp3", "ogg", "opus", "oga", "ulaw", "alaw", "sln"];
/// A side-car whose sound does not come for this long is told of.
const SIDE_CAR_ALONE: Duration = Duration::from_mins(1);
/// So many files of one name may lie in `done/`.
const SUFFIXES: u32 = 100_000;

/// Settings of a folder.
#[derive(Debug, Clone)]
pub struct FolderSettings {
    /// The folder.
    pub path: PathBuf,
    /// How often to look where nothing was noticed.
    pub poll: Duration,
    /// Larger recordings are refused, in bytes.
    pub max_bytes: u64,
    /// A file that stood still for this long is complete.
    pub settle: Duration,
}

impl FolderSettings {
    /// `path` with poll 5 s, 64 MiB, settled after 2 s.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        let poll = Duration::from_secs(5);
        Self { path, poll, max_bytes: 64 * 1024 * 1024, settle: Duration::from_secs(2) }
    }
}

/// A folder that other programs drop recordings into.
pub struct FolderSource {
    name: String,
    settings: Arc<FolderSettings>,
    seen: Arc<Mutex<Seen>>,
    watch: Watch,
    unsettled: bool,
}

impl FolderSource {
    /// A folder; nothing is touched before the first `list`.
    #[must_use]
    pub fn new(name: String, settings: FolderSettings) -> Self {
        let watch = Watch::new(settings.path.clone(), false, |_| true);
        Self { name, settings: Arc::new(settings), seen: Arc::default(), watch, unsettled: false }
    }
}

#[async_trait]
impl Source for FolderSource {
    fn name(&self) -> &str {
        &self.name
    }

    async fn list(&mut self) -> Result<Listing, SourceError> {
        let (settings, seen, watch) = (self.settings.clone(), self.seen.clone(), self.watch.clone());
        let (mut listing, unsettled) = blocking(move || {
            watch.ensure();
            lock(&seen).list(&settings, &watch.arrived()).map_err(|error| unreachable_folder(&settings.path, &error))
        })
        .await?;
        self.unsettled = unsettled;
        let watching = self.watch.trouble();
        listing.troubles.extend(watching.map(|what| Trouble { key: "watch".to_owned(), what, loses_calls: false }));
        Ok(listing)
    }

    async fn take(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let (settings, wanted, source) = (self.settings.clone(), found.clone(), self.name.clone());
        blocking(move || take(&settings, source, &wanted)).await
    }

    async fn confirm(&mut self, found: &Found) -> Result<(), SourceError> {
        let (settings, wanted) = (self.settings.clone(), found.clone());
        blocking(move || {
            put_away(&settings.path, &wanted).map_err(|error| {
                SourceError::Unreachable(format!(
                    "{} cannot be moved to {DONE}/: {error}; remedy: let the service's user write in {}",
                    wanted.place,
                    settings.path.display()
                ))
            })
        })
        .await
    }

    async fn examine(&mut self) -> Vec<Said> {
        let path = self.settings.path.clone();
        let told = move || {
            let remedy = "make the folder and let this user write there";
            let shown = path.display();
            std::fs::read_dir(&path).map_err(|error| format!("{shown} cannot be read ({error}): {remedy}"))?;
            let probe = path.join(".nachtwache-check");
            std::fs::write(&probe, b"").map_err(|error| format!("{shown} cannot be written ({error}): {remedy}"))?;
            std::fs::remove_file(&probe).map_err(|error| format!("{} cannot be removed: {error}", probe.display()))?;
            Ok(shown.to_string())
        };
        let told = blocking(move || Ok(told())).await;
        vec![told.unwrap_or_else(|error| Err(error.to_string()))]
    }

    async fn changed(&mut self) {
        let within = if self.unsettled { self.settings.settle.min(self.settings.poll) } else { self.settings.poll };
        self.watch.changed(within).await;
    }
}

/// Which files were seen how, and since when.
#[derive(Default)]
struct Seen {
    files: HashMap<String, (Stamp, Instant, bool)>,
}

impl Seen {
    /// Everything there, and whether some of it is still being written.
    fn list(&mut self, settings: &FolderSettings, arrived: &HashSet<String>) -> io::Result<(Listing, bool)> {
        let (mut listing, mut unsettled) = (Listing::default(), false);
        let names = names(&settings.path)?;
        self.files.retain(|name, _| names.contains(name));
        let mut keys = HashSet::new();
        for name in names.iter().filter(|name| !is_left_out(name)) {
            let path = settings.path.join(name);
            let stamp = match std::fs::metadata(&path) {
                Ok(found) if found.is_file() => Stamp::of(&found),
                Ok(found) => {
                    listing.troubles.extend(no_file(&path, found.is_dir()));
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
                Err(error) => {
                    listing.troubles.extend(nameless(&path, name, &error));
                    continue;
                }
            };
            let side_car = SideCar::beside(&settings.path, name, &names);
            let waiting =
                side_car.as_ref().is_some_and(|car| !self.is_settled(&car.name, &car.stamp, settings, arrived));
            if !self.is_settled(name, &stamp, settings, arrived) || waiting {
                unsettled = true;
                continue;
            }
            if let Some(Err(why)) = side_car.as_ref().map(|car| &car.content) {
                let what = format!("is a side-car that cannot be used: {why}; the recording is taken without it");
                listing.troubles.push(trouble(
                    "side-car",
                    &side_car_path(&settings.path, side_car.as_ref()),
                    &what,
                    false,
                ));
            }
            let key = key(name, &stamp, side_car.as_ref());
            if keys.insert(key.clone()) {
                listing.found.push(Found { key, place: name.clone() });
            }
        }
        lonely(settings, &names, &mut listing.troubles);
        Ok((listing, unsettled))
    }

    /// Stood still long enough, by the file's times or before our eyes, or came as a whole.
    fn is_settled(&mut self, name: &str, stamp: &Stamp, settings: &FolderSettings, arrived: &HashSet<String>) -> bool {
        let renamed = arrived.contains(name);
        let (seen, since, whole) = self.files.entry(name.to_owned()).or_insert((*stamp, Instant::now(), renamed));
        if !seen.same_content(stamp) {
            (*seen, *since, *whole) = (*stamp, Instant::now(), false);
        }
        *whole |= renamed;
        *whole || since.elapsed() >= settings.settle || stamp.untouched().is_some_and(|age| age >= settings.settle)
    }
}

/// Side-cars whose sound never came.
fn lonely(settings: &FolderSettings, names: &HashSet<String>, troubles: &mut Vec<Trouble>) {
    let is_car = |name: &&String| name.to_ascii_lowercase().ends_with(".json") && !name.starts_with('.');
    for name in names.iter().filter(is_car) {
        let stem = &name[..name.len() - ".json".len()];
        let has_sound = names.iter().any(|sound| !is_left_out(sound) && (sound == stem || stem_of(sound) == stem));
        let path = settings.path.join(name);
        let age = std::fs::metadata(&path).ok().and_then(|found| Stamp::of(&found).untouched());
        if !has_sound && age.is_some_and(|age| age >= SIDE_CAR_ALONE) {
            troubles.push(trouble(
                "alone",
                &path,
                "is a side-car without a recording; remedy: drop the recording or delete it",
                false,
            ));
        }
    }
}

fn names(path: &Path) -> io::Result<HashSet<String>> {
    // a name that is no UTF-8 cannot be opened by what stands for it here, and shows as trouble
    path.read_dir()?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

fn is_left_out(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    name.starts_with('.') || name == DONE || [".json", ".tmp", ".part"].iter().any(|ending| lower.ends_with(ending))
}

fn stem_of(name: &str) -> &str {
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn trouble(kind: &str, path: &Path, what: &str, loses_calls: bool) -> Trouble {
    Trouble { key: format!("{kind}:{}", path.display()), what: format!("{} {what}", path.display()), loses_calls }
}

/// A directory named like a recording, a pipe, a socket. Other directories are none of our business.
fn no_file(path: &Path, is_folder: bool) -> Option<Trouble> {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_ascii_lowercase();
    let what = match (is_folder, SOUND_ENDINGS.contains(&ending.as_str())) {
        (true, true) => "is a directory, not a recording; remedy: move what is in it one up",
        (true, false) => return None,
        (false, _) => "is no regular file; remedy: remove it and drop the recording itself",
    };
    Some(trouble("no-file", path, what, true))
}

/// A link that points nowhere, a name that is no UTF-8. A file that went away meanwhile is none of our business.
fn nameless(path: &Path, name: &str, error: &io::Error) -> Option<Trouble> {
    if name.contains(char::REPLACEMENT_CHARACTER) {
        return Some(trouble("name", path, "has a name that is no UTF-8; remedy: rename it", true));
    }
    path.is_symlink().then(|| trouble("link", path, &format!("points nowhere: {error}"), true))
}

fn unreachable_folder(path: &Path, error: &io::Error) -> SourceError {
    let remedy = match error.kind() {
        io::ErrorKind::NotFound => "create it, or check the path in the settings",
        io::ErrorKind::PermissionDenied => "let the service's user read and write it",
        _ => "check the path in the settings",
    };
    SourceError::Unreachable(format!("the folder {} cannot be read: {error}; remedy: {remedy}", path.display()))
}

fn side_car_path(folder: &Path, side_car: Option<&SideCar>) -> PathBuf {
    folder.join(side_car.map_or("", |car| car.name.as_str()))
}

fn key(name: &str, stamp: &Stamp, side_car: Option<&SideCar>) -> String {
    match side_car.and_then(|car| car.told().id).filter(|id| !id.is_empty()) {
        Some(id) => format!("{id}/{}", stamp.size),
        None => format!("{name}/{}/{}", stamp.size, stamp.modified_ns()),
    }
}

/// The file of a message and its side-car, if it is still the same.
fn still_there(folder: &Path, wanted: &Found) -> io::Result<Option<(PathBuf, Stamp, Option<SideCar>)>> {
    let names = names(folder)?;
    if !names.contains(&wanted.place) || is_left_out(&wanted.place) {
        return Ok(None);
    }
    let path = folder.join(&wanted.place);
    let stamp = match std::fs::metadata(&path) {
        Ok(found) => Stamp::of(&found),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let side_car = SideCar::beside(folder, &wanted.place, &names);
    Ok((key(&wanted.place, &stamp, side_car.as_ref()) == wanted.key).then_some((path, stamp, side_car)))
}

fn take(settings: &FolderSettings, source: String, wanted: &Found) -> Result<Arrival, SourceError> {
    let gone = || SourceError::Gone(format!("{} is no longer there, or is another file now", wanted.place));
    let folder = &settings.path;
    let there = still_there(folder, wanted).map_err(|error| unreachable_folder(folder, &error))?;
    let (path, stamp, side_car) = there.ok_or_else(gone)?;
    let refused = |why: String| Sound::Refused { name: wanted.place.clone(), path: path.clone(), why };
    let sound = if stamp.size > settings.max_bytes {
        let (size, max) = (stamp.size, settings.max_bytes);
        refused(format!("{} has {size} bytes, the limit is {max}; remedy: listen to it there", path.display()))
    } else {
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(settings.max_bytes).read_to_end(&mut bytes)) {
            Ok(_) => Sound::Bytes { name: wanted.place.clone(), bytes },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
            Err(error) => {
                refused(format!("{} cannot be read: {error}; remedy: let the service's user read it", path.display()))
            }
        }
    };
    match still_there(folder, wanted) {
        Ok(Some((_, after, _))) if after.same_content(&stamp) => {}
        _ => return Err(SourceError::Busy(format!("{} changed while it was read", wanted.place))),
    }
    let told = side_car.map(|car| car.told()).unwrap_or_default();
    let text = |text: Option<String>| text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    let caller = Caller { number: text(told.caller), name: text(told.name) };
    Ok(Arrival {
        source,
        key: wanted.key.clone(),
        mailbox: None,
        caller,
        called_at: told.time,
        content: Content::Voicemail(sound),
        twin: None,
        longest_s: None,
    })
}

/// Moves a recording and its side-car to `done/`. Repeated or too late it does nothing.
fn put_away(folder: &Path, wanted: &Found) -> io::Result<()> {
    let Some((path, _, side_car)) = still_there(folder, wanted)? else { return Ok(()) };
    let done = folder.join(DONE);
    match std::fs::create_dir(&done) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let car = side_car.map(|car| (folder.join(&car.name), car.name));
    let suffix = (0..SUFFIXES).find(|suffix| !done.join(suffixed(&wanted.place, *suffix)).exists()).unwrap_or(SUFFIXES);
    // the sound first: a crash between leaves a side-car that is told of, not a sound without its caller
    move_aside(&path, &done, &wanted.place, suffix)?;
    if let Some((path, name)) = car {
        move_aside(&path, &done, &name, suffix)?;
    }
    File::open(&done)?.sync_all()?;
    File::open(folder)?.sync_all()
}

fn suffixed(name: &str, suffix: u32) -> String {
    match (suffix, name.split_once('.')) {
        (0, _) => name.to_owned(),
        (_, Some((stem, ending))) if !stem.is_empty() => format!("{stem}-{suffix}.{ending}"),
        _ => format!("{name}-{suffix}"),
    }
}

/// Renames to the first free name from `suffix` on.
fn move_aside(from: &Path, done: &Path, name: &str, suffix: u32) -> io::Result<()> {
    for suffix in suffix..=SUFFIXES {
        let to = done.join(suffixed(name, suffix));
        let moved = match renameat_with(CWD, from, CWD, &to, RenameFlags::NOREPLACE) {
            // not every file system can: then look first
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) if !to.exists() => std::fs::rename(from, &to),
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => continue,
            Err(error) => Err(error.into()),
            Ok(()) => Ok(()),
        };
        match moved {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            other => return other,
        }
    }
    Err(io::Error::other(format!("{} has too many files named {name}", done.display())))
}
