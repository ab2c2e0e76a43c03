//! One message read whole without Asterisk's lock: caller and voice from the same moment, or `Busy`.
//!
//! While Asterisk closes a gap, `msg0000.wav` is already the next caller's voice and `msg0000.txt` still the former
//! caller's (35 ms measured). The lock must not be taken: a lock in the way makes Asterisk lose the next message. So:
//! 1. a fresh lock in the folder, or one held by flock, means wait;
//! 2. a message that lacks the sound while its folder changed a moment ago means that a move is under way;
//! 3. folder, text and sound must not have been touched within the clock tick of the file system, else "unchanged"
//!    says nothing;
//! 4. after reading, folder, both names and both files must be as they were (every rename touches the folder).
//!
//! Nothing is ever written, and only regular files are opened.

use super::message::{Message, seconds};
use crate::intake::watch::Stamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A `.lock` older than this was left behind: Asterisk itself waits at most 5 s for it.
pub(super) const LOCK_STALE: Duration = Duration::from_secs(10);
/// After this much quiet a message without sound, or half a text, is no longer about to become whole.
const UNDER_WAY: Duration = Duration::from_secs(2);
/// A text without the lines it should have is believed after this long.
const HALF_WRITTEN: Duration = Duration::from_secs(5);
/// A `.txt` has 300 bytes.
const TEXT_MAX: u64 = 64 * 1024;
/// Sound and `duration` differ by at most this many seconds.
const DURATION_APART: f64 = 2.0;
/// What to do where files cannot be read.
pub(super) const RIGHTS_REMEDY: &str = "add the service's user to the group asterisk and let that group read";
/// Best first; whatever else lies there comes after these.
const ENDINGS: [&str; 8] = ["wav", "WAV", "gsm", "wav16", "ulaw", "alaw", "sln", "g722"];

/// How long things have been as they are, by our own clock or by the files' times, whichever is longer.
#[derive(Default)]
pub(super) struct Ages {
    seen: HashMap<String, (Instant, Instant)>,
}

impl Ages {
    /// How long `what` has been so: since it was first asked for, at least `by_files`.
    pub(super) fn of(&mut self, what: &str, by_files: Option<Duration>) -> Duration {
        let now = Instant::now();
        let (first, last) = self.seen.entry(what.to_owned()).or_insert((now, now));
        *last = now;
        now.duration_since(*first).max(by_files.unwrap_or_default())
    }

    /// Forgets what nobody has asked for since `moment`.
    pub(super) fn forget_older(&mut self, moment: Instant) {
        self.seen.retain(|_, (_, last)| *last >= moment);
    }

    /// `what` is no longer so.
    pub(super) fn over(&mut self, what: &str) {
        self.seen.remove(what);
    }
}

/// One `msgNNNN.<ending>` that is not the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SoundFile {
    pub(super) ending: String,
    pub(super) is_folder: bool,
}

/// What lies under one number.
#[derive(Debug, Clone, Default)]
pub(super) struct Slot {
    pub(super) has_text: bool,
    /// Best first.
    pub(super) sounds: Vec<SoundFile>,
}

/// One look into a folder such as INBOX: names only.
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// Taken before the names were read.
    pub(super) stamp: Stamp,
    pub(super) slots: BTreeMap<u32, Slot>,
    lock: Option<Stamp>,
    flock: Option<Stamp>,
}

impl Folder {
    /// Looks.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn look(path: &Path) -> io::Result<Self> {
        let stamp = Stamp::of_folder(path)?;
        let mut folder = Self { path: path.to_owned(), stamp, slots: BTreeMap::new(), lock: None, flock: None };
        for entry in path.read_dir()? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            match name {
                ".lock" => folder.lock = entry.metadata().ok().map(|found| Stamp::of(&found)),
                "lock" => folder.flock = entry.metadata().ok().map(|found| Stamp::of(&found)),
                _ => {
                    let Some((number, ending)) = numbered(name) else { continue };
                    let slot = folder.slots.entry(number).or_default();
                    let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
                    if ending == "txt" {
                        slot.has_text = true;
                    } else {
                        slot.sounds.push(SoundFile { ending: ending.to_owned(), is_folder });
                    }
                }
            }
        }
        for slot in folder.slots.values_mut() {
            slot.sounds.sort_by_cached_key(|sound| (sound.is_folder, rank(&sound.ending), sound.ending.clone()));
        }
        Ok(folder)
    }

    /// The path of a file in it.
    pub(super) fn file(&self, number: u32, ending: &str) -> PathBuf {
        self.path.join(format!("msg{number:04}.{ending}"))
    }

    /// Age of the `.lock`, if there is one.
    pub(super) fn lock_age(&self, ages: &mut Ages) -> Option<Duration> {
        let lock = self.lock?;
        Some(ages.of(&format!("lock {} {:?} {}", self.path.display(), lock.identity(), lock.modified_ns()), lock.age()))
    }

    /// Somebody is at work here, and not forgotten.
    pub(super) fn is_locked(&self, ages: &mut Ages) -> bool {
        let by_link = self.lock_age(ages).is_some_and(|age| age < LOCK_STALE);
        let held = format!("flock {}", self.path.display());
        let by_flock = match self.flock {
            Some(lock) if flock_held(lock.identity().1) => ages.of(&held, None) < LOCK_STALE,
            _ => {
                ages.over(&held);
                false
            }
        };
        by_link || by_flock
    }

    /// A later message has lost its sound of this ending a moment ago: it is on its way, maybe under our number.
    fn is_closing_up(&self, number: u32, ending: &str, ages: &mut Ages) -> bool {
        let lacking = self.lacking().filter(|(other, lacks)| *other > number && lacks == ending);
        lacking.fold(false, |found, (other, lacks)| self.lack_age(other, &lacks, ages) < UNDER_WAY || found)
    }

    /// Notes who lacks what, so that a lasting gap is not taken for a move when the folder changes later.
    pub(super) fn note_lacking(&self, ages: &mut Ages) {
        for (number, ending) in self.lacking() {
            self.lack_age(number, &ending, ages);
        }
    }

    /// How long this very text has lacked its sound; the number alone says nothing, each move has its gap there.
    fn lack_age(&self, number: u32, ending: &str, ages: &mut Ages) -> Duration {
        let Ok(found) = std::fs::metadata(self.file(number, "txt")) else { return Duration::ZERO };
        let text = Stamp::of(&found);
        let what = format!("lacks {ending} {} {:?} {}", self.path.display(), text.identity(), text.modified_ns());
        ages.of(&what, self.stamp.age())
    }

    /// Messages that lack an ending other messages here have.
    fn lacking(&self) -> impl Iterator<Item = (u32, String)> {
        let sounds = self.slots.values().flat_map(|slot| &slot.sounds);
        let endings: BTreeSet<&str> = sounds.map(|sound| sound.ending.as_str()).collect();
        let texts = self.slots.iter().filter(|(_, slot)| slot.has_text);
        texts.flat_map(move |(number, slot)| {
            let has = |ending: &str| slot.sounds.iter().any(|sound| sound.ending == ending);
            let lacks = endings.iter().filter(|ending| !has(ending)).map(|ending| (*number, (*ending).to_owned()));
            lacks.collect::<Vec<_>>()
        })
    }
}

/// Number and ending of `msgNNNN.<ending>`, exact case.
fn numbered(name: &str) -> Option<(u32, &str)> {
    let (number, ending) = name.strip_prefix("msg")?.split_once('.')?;
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !ending.is_empty()).then(|| number.parse().ok().map(|number| (number, ending)))?
}

fn rank(ending: &str) -> usize {
    ENDINGS.iter().position(|known| *known == ending).unwrap_or(ENDINGS.len())
}

/// Whether the kernel knows of a flock on this inode. Asking by flock would be taking it.
fn flock_held(inode: u64) -> bool {
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return false };
    locks.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.contains(&"FLOCK")
            && words
                .iter()
                .any(|word| word.matches(':').count() == 2 && word.rsplit(':').next() == Some(&inode.to_string()))
    })
}

/// Why a message was not read.
#[derive(Debug)]
pub(super) enum NotRead {
    /// Being written, moved or renumbered.
    Busy,
    /// No such name.
    Gone,
    /// It is there and cannot be read.
    Failed(io::Error),
}

impl From<io::Error> for NotRead {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Gone } else { Self::Failed(error) }
    }
}

/// The text of a message, whole.
pub(super) fn text(path: &Path) -> Result<(Message, Stamp), NotRead> {
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        return Err(NotRead::Failed(io::Error::other("it is no regular file")));
    }
    let before = Stamp::of(&found);
    let message = Message::parse(&content(path, TEXT_MAX)?);
    let after = Stamp::of(&std::fs::metadata(path)?);
    let settled = message.is_whole() || before.age().is_some_and(|age| age >= HALF_WRITTEN);
    if settled && before.same_content(&after) { Ok((message, after)) } else { Err(NotRead::Busy) }
}

/// A voice and its caller, from the same moment.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) message: Message,
    pub(super) text: Stamp,
    pub(super) voice: Voice,
    /// The length of the sound fits the `duration` of the text, as far as that can be told.
    pub(super) plausible: bool,
}

/// The sound of a message.
#[derive(Debug)]
pub(super) enum Voice {
    Bytes { name: String, bytes: Vec<u8> },
    Refused { path: PathBuf, why: String },
}

/// The stamps of folder, text and sound, which must stand still.
type Moment = (Stamp, Stamp, Option<Stamp>);

/// What the attempts at one message have seen so far.
#[derive(Default)]
pub(super) struct Stood(Option<(Moment, Instant)>);

impl Stood {
    /// Nothing was touched within the clock tick of the file system: by the files' times, or, should those lie in the
    /// future, because an earlier attempt saw the same.
    fn still(&mut self, moment: &Moment) -> bool {
        let stamps = [Some(moment.0), Some(moment.1), moment.2];
        let by_files = stamps.iter().flatten().all(|stamp| stamp.age().is_some_and(|age| age >= stamp.tick()));
        let tick = stamps.iter().flatten().map(Stamp::tick).max().unwrap_or_default();
        match self.0 {
            Some((seen, since)) if seen == *moment => by_files || since.elapsed() >= tick,
            _ => {
                self.0 = Some((*moment, Instant::now()));
                by_files
            }
        }
    }
}

/// Reads message `number` of the folder at `path`. `stood` is shared by all attempts at it; one without sound is read
/// only if it is known to be `silent`.
///
/// # Errors
/// `Busy` where caller and voice may not belong together.
pub(super) fn message(
    path: &Path,
    number: u32,
    silent: bool,
    max_bytes: u64,
    ages: &mut Ages,
    stood: &mut Stood,
) -> Result<Whole, NotRead> {
    let folder = Folder::look(path)?;
    let slot = folder.slots.get(&number).filter(|slot| slot.has_text).ok_or(NotRead::Gone)?;
    if folder.is_locked(ages) || (slot.sounds.is_empty() && !silent) {
        return Err(NotRead::Busy);
    }
    let text_path = folder.file(number, "txt");
    let chosen = choose(&folder, number, slot, max_bytes)?;
    let sound_path = chosen.as_ref().ok().map(|(_, path)| path.clone());
    let best = chosen.as_ref().map_or_else(|_| slot.sounds.first(), |(sound, _)| Some(sound));
    if best.is_some_and(|sound| folder.is_closing_up(number, &sound.ending, ages)) {
        return Err(NotRead::Busy);
    }
    let before = moment(path, &text_path, sound_path.as_deref())?;
    if !folder.stamp.same_content(&before.0) || !stood.still(&before) {
        return Err(NotRead::Busy);
    }
    let (message, text) = text(&text_path)?;
    let (voice, plausible) = voice(chosen, &message, max_bytes)?;
    if moment(path, &text_path, sound_path.as_deref())? != before || Folder::look(path)?.is_locked(ages) {
        return Err(NotRead::Busy);
    }
    Ok(Whole { message, text, voice, plausible })
}

fn moment(folder: &Path, text: &Path, sound: Option<&Path>) -> Result<Moment, NotRead> {
    let sound = sound.map(|path| std::fs::metadata(path).map(|found| Stamp::of(&found))).transpose()?;
    Ok((Stamp::of_folder(folder)?, Stamp::of(&std::fs::metadata(text)?), sound))
}

type Chosen = Result<(SoundFile, PathBuf), Voice>;

/// The best sound that can be taken, or why the best one cannot.
fn choose(folder: &Folder, number: u32, slot: &Slot, max_bytes: u64) -> Result<Chosen, NotRead> {
    let mut refused = None;
    let mut empty = None;
    for sound in &slot.sounds {
        let path = folder.file(number, &sound.ending);
        let found = std::fs::metadata(&path)?;
        let why = if !found.is_file() {
            Some("is no regular file; remedy: move it away and look for the real recording".to_owned())
        } else if found.len() > max_bytes {
            Some(format!(
                "has {} bytes, the limit is {max_bytes}; remedy: listen to it there, or raise the limit",
                found.len()
            ))
        } else {
            None
        };
        match why {
            Some(why) => {
                refused.get_or_insert(Voice::Refused { why: format!("{} {why}", path.display()), path });
            }
            None if found.len() == 0 => {
                empty.get_or_insert((sound.clone(), path));
            }
            None => return Ok(Ok((sound.clone(), path))),
        }
    }
    let without = || {
        let path = folder.file(number, "txt");
        Voice::Refused { why: format!("{} has no sound beside it; remedy: call back", path.display()), path }
    };
    Ok(match (empty, refused) {
        (Some(empty), None) => Ok(empty),
        (_, Some(refused)) => Err(refused),
        (None, None) => Err(without()),
    })
}

fn voice(chosen: Chosen, message: &Message, max_bytes: u64) -> Result<(Voice, bool), NotRead> {
    let (sound, path) = match chosen {
        Ok(chosen) => chosen,
        Err(refused) => return Ok((refused, true)),
    };
    let bytes = match content(&path, max_bytes) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            let why = format!("{} cannot be read: {error}; remedy: {RIGHTS_REMEDY}", path.display());
            return Ok((Voice::Refused { path, why }, true));
        }
        Err(error) => return Err(error.into()),
    };
    let plausible = match (seconds(&sound.ending, &bytes), message.duration()) {
        (Some(heard), Some(said)) => (heard - f64::from(said)).abs() <= DURATION_APART,
        _ => true,
    };
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok((Voice::Bytes { name, bytes }, plausible))
}

/// The content of a regular file. One that grew beyond `max` while it was read is cut there; its stamp tells.
fn content(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}
