//! One look at all mailboxes: which messages lie there, and what a person should mend. Reads `.txt` files only.

use super::limits::Conf;
use super::message::Message;
use super::read::{Ages, Folder, LOCK_STALE, NotRead, RIGHTS_REMEDY, Slot, text};
use super::{SpoolSettings, TO_READ};
use crate::intake::source::{Found, Listing, SourceError, Trouble};
use crate::intake::watch::Stamp;
use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Text without sound, or sound without text, for this long will not heal by itself.
const ORPHANED: Duration = Duration::from_mins(1);
/// A folder that is renumbered while it is listed is listed anew, this often.
const LOOKS: usize = 4;
/// Traces of what is no longer seen are kept this long.
const MEMORY: Duration = Duration::from_mins(10);
/// Known fingerprints are forgotten, all of them, beyond this many.
const FINGERPRINTS_MAX: usize = 50_000;

/// What the source remembers from look to look. Nothing is lost when it is lost.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) ages: Ages,
    /// Fingerprint to key: should an outside program strip a message of its id, it is still known.
    named: HashMap<String, String>,
    /// What `voicemail.conf` says, where it can be read.
    pub(super) conf: Option<Conf>,
}

impl Memory {
    /// An empty memory that knows Asterisk's settings.
    pub(super) fn knowing(conf: Option<Conf>) -> Self {
        Self { conf, ..Self::default() }
    }

    /// The identity of a message in a mailbox.
    pub(super) fn key(&mut self, mailbox: &Mailbox, message: &Message, file: &Stamp) -> String {
        let prefix = format!("{}/{}", mailbox.context, mailbox.name);
        let print = format!("{prefix}/{}", message.fingerprint(file));
        match message.native_id() {
            Some(id) => {
                let key = format!("{prefix}/{id}");
                if self.named.len() >= FINGERPRINTS_MAX {
                    self.named.clear();
                }
                self.named.insert(print, key.clone());
                key
            }
            None => self.named.get(&print).cloned().unwrap_or(print),
        }
    }
}

impl Memory {
    /// A text without sound has been so for long enough not to be on the move. `age` is what the files say.
    pub(super) fn is_silent(&mut self, key: &str, text: &Path, age: Option<Duration>) -> bool {
        self.ages.of(&silence(key, text), age) >= ORPHANED
    }

    /// So many messages fit into a folder of the mailbox; 0 = nobody knows.
    fn most(&self, mailbox: &Mailbox, settings: &SpoolSettings) -> usize {
        let own = self.conf.as_ref().map(|conf| conf.of(&mailbox.context, &mailbox.name).messages);
        own.map_or(settings.max_messages, |most| usize::try_from(most).unwrap_or(0))
    }

    /// After so many seconds Asterisk ends a recording in the mailbox, where that is known.
    pub(super) fn longest_s(&self, mailbox: &Mailbox) -> Option<u32> {
        let limits = self.conf.as_ref()?.of(&mailbox.context, &mailbox.name);
        (limits.max_s > 0).then_some(limits.max_s)
    }

    /// A text has its sound.
    pub(super) fn sounds(&mut self, key: &str, text: &Path) {
        self.ages.over(&silence(key, text));
    }
}

fn silence(key: &str, text: &Path) -> String {
    format!("no sound {key} {}", text.display())
}

/// One mailbox of the spool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    pub(super) context: String,
    pub(super) name: String,
    pub(super) path: PathBuf,
}

/// The result of a look.
#[derive(Default)]
pub(super) struct Look {
    pub(super) listing: Listing,
    /// Something was on the move: look again soon.
    pub(super) unsettled: bool,
}

/// Looks at every mailbox.
pub(super) fn list(settings: &SpoolSettings, memory: &mut Memory) -> Result<Look, SourceError> {
    let mut look = Look::default();
    for mailbox in mailboxes(settings, &mut look.listing.troubles)? {
        let mut messages = Vec::new();
        for name in TO_READ {
            let path = mailbox.path.join(name);
            match list_folder(&mailbox, &path, settings, memory, &mut look) {
                Ok(found) => messages.extend(found),
                // Asterisk makes folders when it needs them
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => look.listing.troubles.push(unreadable(&path, &error)),
            }
        }
        sort_out(messages, memory, &mut look.listing);
    }
    if let Some(moment) = Instant::now().checked_sub(MEMORY) {
        memory.ages.forget_older(moment);
    }
    Ok(look)
}

/// The mailboxes to watch: those named, or all that exist.
fn mailboxes(settings: &SpoolSettings, troubles: &mut Vec<Trouble>) -> Result<Vec<Mailbox>, SourceError> {
    let root = &settings.root;
    let contexts = folders(root).map_err(|error| {
        SourceError::Unreachable(format!(
            "the voicemail folder {} cannot be read: {error}; remedy: check the path, and {RIGHTS_REMEDY}",
            root.display()
        ))
    })?;
    let mailbox = |context: &str, name: &str| {
        let path = root.join(context).join(name);
        Mailbox { context: context.to_owned(), name: name.to_owned(), path }
    };
    if !settings.mailboxes.is_empty() {
        return Ok(settings.mailboxes.iter().map(|(context, name)| mailbox(context, name)).collect());
    }
    let mut found = Vec::new();
    for context in contexts {
        match folders(&root.join(&context)) {
            Ok(names) => found.extend(names.iter().map(|name| mailbox(&context, name))),
            Err(error) => troubles.push(unreadable(&root.join(&context), &error)),
        }
    }
    // FreePBX lays links device/100 -> default/100: the same mailbox once, under its own name
    let linked = |path: &Path| {
        path.canonicalize().ok()
            != root.canonicalize().ok().map(|real| real.join(path.strip_prefix(root).unwrap_or(path)))
    };
    found.sort_by_cached_key(|mailbox| linked(&mailbox.path));
    let mut seen = HashSet::new();
    found.retain(|mailbox| match std::fs::metadata(&mailbox.path) {
        Ok(metadata) => seen.insert(Stamp::of(&metadata).identity()),
        Err(_) => true,
    });
    Ok(found)
}

/// Names of the folders in a folder, sorted, hidden ones left out.
pub(super) fn folders(path: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in path.read_dir()? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if !name.starts_with('.') && entry.path().is_dir() {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// One `.txt` with its identity.
struct Listed {
    found: Found,
    path: PathBuf,
    has_sound: bool,
    age: Option<Duration>,
}

fn list_folder(
    mailbox: &Mailbox,
    path: &Path,
    settings: &SpoolSettings,
    memory: &mut Memory,
    look: &mut Look,
) -> io::Result<Vec<Listed>> {
    let mut last = Vec::new();
    for _ in 0..LOOKS {
        let folder = Folder::look(path)?;
        folder.note_lacking(&mut memory.ages);
        let (messages, troubles, unsettled) = read_texts(mailbox, &folder, settings, memory);
        last = messages;
        if Stamp::of_folder(path)?.same_content(&folder.stamp) {
            look.listing.troubles.extend(troubles);
            look.listing.troubles.extend(folder_troubles(
                &folder,
                memory.most(mailbox, settings),
                settings,
                &mut memory.ages,
            ));
            look.unsettled |= unsettled;
            return Ok(last);
        }
    }
    look.unsettled = true;
    Ok(last)
}

fn read_texts(
    mailbox: &Mailbox,
    folder: &Folder,
    settings: &SpoolSettings,
    memory: &mut Memory,
) -> (Vec<Listed>, Vec<Trouble>, bool) {
    let (mut messages, mut troubles, mut unsettled) = (Vec::new(), Vec::new(), false);
    for (number, slot) in folder.slots.iter().filter(|(_, slot)| slot.has_text) {
        let path = folder.file(*number, "txt");
        match text(&path) {
            Ok((message, stamp)) => {
                let place = path.strip_prefix(&settings.root).unwrap_or(&path).display().to_string();
                let found = Found { key: memory.key(mailbox, &message, &stamp), place };
                let age = least(folder.stamp.age(), stamp.age());
                messages.push(Listed { found, path, has_sound: !slot.sounds.is_empty(), age });
            }
            Err(NotRead::Busy | NotRead::Gone) => unsettled = true,
            Err(NotRead::Failed(error)) => troubles.push(unreadable(&path, &error)),
        }
    }
    (messages, troubles, unsettled)
}

/// Each message once; one that lost its sound is listed when it will not come back.
fn sort_out(messages: Vec<Listed>, memory: &mut Memory, listing: &mut Listing) {
    let mut listed: HashSet<String> = HashSet::new();
    let (whole, silent): (Vec<_>, Vec<_>) = messages.into_iter().partition(|message| message.has_sound);
    for message in whole {
        memory.sounds(&message.found.key, &message.path);
        if listed.insert(message.found.key.clone()) {
            listing.found.push(message.found);
        }
    }
    for message in silent {
        if !memory.is_silent(&message.found.key, &message.path, message.age) {
            continue;
        }
        let elsewhere = !listed.insert(message.found.key.clone());
        let remedy = if elsewhere {
            "another copy has it, remove this one"
        } else {
            "look in the record of calls and call back"
        };
        listing.troubles.push(Trouble {
            key: format!("no-sound:{}:{}", message.path.display(), message.found.key),
            what: format!("{} has no sound beside it; remedy: {remedy}", message.path.display()),
            loses_calls: !elsewhere,
        });
        if !elsewhere {
            listing.found.push(message.found);
        }
    }
}

fn folder_troubles(folder: &Folder, limit: usize, settings: &SpoolSettings, ages: &mut Ages) -> Vec<Trouble> {
    let mut troubles = Vec::new();
    let path = folder.path.display();
    if folder.lock_age(ages).is_some_and(|age| age >= LOCK_STALE) {
        troubles.push(Trouble {
            key: format!("stale-lock:{path}"),
            what: format!(
                "{path}/.lock was left behind: voicemails are being lost; remedy: if no program is at work on this \
                 mailbox, delete that file"
            ),
            loses_calls: true,
        });
    }
    let count = folder.slots.values().filter(|slot| slot.has_text).count();
    if limit > 0 && count * 100 >= limit * settings.warn_percent {
        let full = count >= limit;
        let state = if full { "is full: Asterisk turns callers away" } else { "is nearly full" };
        troubles.push(Trouble {
            key: format!("{}:{path}", if full { "full" } else { "near-full" }),
            what: format!("{path} {state} ({count} of {limit} messages); remedy: delete old messages there"),
            loses_calls: full,
        });
    }
    for (number, slot) in &folder.slots {
        slot_troubles(folder, *number, slot, ages, &mut troubles);
    }
    troubles
}

fn slot_troubles(folder: &Folder, number: u32, slot: &Slot, ages: &mut Ages, troubles: &mut Vec<Trouble>) {
    for sound in slot.sounds.iter().filter(|sound| sound.is_folder) {
        let path = folder.file(number, &sound.ending);
        troubles.push(Trouble {
            key: format!("directory:{}", path.display()),
            what: format!("{} is a directory, not a recording; remedy: move it away", path.display()),
            loses_calls: slot.sounds.iter().all(|sound| sound.is_folder),
        });
    }
    let Some(sound) = slot.sounds.iter().find(|sound| !sound.is_folder && !slot.has_text) else { return };
    let path = folder.file(number, &sound.ending);
    let Ok(metadata) = std::fs::metadata(&path) else { return };
    let stamp = Stamp::of(&metadata);
    let what = format!("no text {} {:?}", path.display(), stamp.identity());
    if ages.of(&what, least(folder.stamp.age(), stamp.age())) >= ORPHANED {
        troubles.push(Trouble {
            key: format!("no-text:{}", path.display()),
            what: format!(
                "{} has no .txt beside it, so Asterisk does not play it to anybody; remedy: listen to it",
                path.display()
            ),
            loses_calls: true,
        });
    }
}

/// The shorter of two ages; none where one lies in the future.
pub(super) fn least(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    Some(one?.min(other?))
}

fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    let remedy = if error.kind() == io::ErrorKind::PermissionDenied { RIGHTS_REMEDY } else { "look at it" };
    Trouble {
        key: format!("unreadable:{}", path.display()),
        what: format!("{} cannot be read: {error}; remedy: {remedy}", path.display()),
        loses_calls: true,
    }
}
