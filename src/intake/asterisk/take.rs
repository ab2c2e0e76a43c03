//! One message by its identity, wherever in its mailbox it lies by now.

use super::SpoolSettings;
use super::TO_READ;
use super::listing::{Mailbox, Memory, folders, least};
use super::read::{self, Folder, NotRead, RIGHTS_REMEDY, Stood, Voice, Whole};
use crate::domain::report::{Arrival, Content, Sound};
use crate::intake::source::{Found, SourceError};
use crate::intake::watch::Stamp;
use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Attempts at a message before it is left alone for a moment.
const ATTEMPTS: usize = 8;
/// Pause between them: longer than a clock tick of the file system.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(30);
/// A sound that does not fit its text is looked at this often, then handed over all the same.
const IMPLAUSIBLE_ATTEMPTS: usize = 4;

/// A message found by its identity.
pub(super) struct There {
    pub(super) mailbox: Mailbox,
    /// "INBOX"
    pub(super) folder: String,
    /// The id Asterisk knows it by.
    pub(super) id: Option<String>,
    text: PathBuf,
    number: u32,
    has_sound: bool,
    /// How long nothing changed, by the files' times.
    age: Option<Duration>,
}

/// What a search found.
pub(super) struct Search {
    /// Every place, those with sound first.
    pub(super) places: Vec<There>,
    /// Nothing moved meanwhile: what was not found is not there.
    still: bool,
}

/// The mailbox a key speaks of.
pub(super) fn mailbox_of(settings: &SpoolSettings, key: &str) -> Result<Mailbox, SourceError> {
    let mut parts = key.splitn(3, '/');
    let named = |part: Option<&str>| part.filter(|part| !["", ".", ".."].contains(part)).map(str::to_owned);
    match (named(parts.next()), named(parts.next()), parts.next()) {
        (Some(context), Some(name), Some(_)) => {
            Ok(Mailbox { path: settings.root.join(&context).join(&name), context, name })
        }
        _ => Err(SourceError::Gone(format!("{key} is no message of an Asterisk spool"))),
    }
}

/// Looks for a message: new folders first, then wherever a person may have moved it before it was read.
pub(super) fn search(mailbox: &Mailbox, wanted: &Found, memory: &mut Memory) -> Result<Search, SourceError> {
    let mut names: Vec<String> = TO_READ.iter().map(|name| (*name).to_owned()).collect();
    names.push("Old".to_owned());
    for name in folders(&mailbox.path).unwrap_or_default() {
        if !names.contains(&name) && name != "tmp" {
            names.push(name);
        }
    }
    let mut search = Search { places: Vec::new(), still: true };
    let mut looked_at = Vec::new();
    for name in names {
        let folder = match Folder::look(&mailbox.path.join(&name)) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                let path = mailbox.path.join(&name);
                let what = format!("{} cannot be read: {error}; remedy: {RIGHTS_REMEDY}", path.display());
                return Err(SourceError::Unreachable(what));
            }
        };
        search_folder(mailbox, &name, &folder, wanted, memory, &mut search);
        if search.places.iter().any(|there| there.has_sound) {
            break;
        }
        looked_at.push(folder);
    }
    search.places.sort_by_key(|there| !there.has_sound);
    search.still &= looked_at.iter().all(|folder| {
        folder.stamp.age().is_some_and(|age| age >= folder.stamp.tick())
            && Stamp::of_folder(&folder.path).is_ok_and(|now| now.same_content(&folder.stamp))
    });
    Ok(search)
}

fn search_folder(
    mailbox: &Mailbox,
    name: &str,
    folder: &Folder,
    wanted: &Found,
    memory: &mut Memory,
    search: &mut Search,
) {
    for (number, slot) in folder.slots.iter().filter(|(_, slot)| slot.has_text) {
        let path = folder.file(*number, "txt");
        match read::text(&path) {
            Ok((message, stamp)) if memory.key(mailbox, &message, &stamp) == wanted.key => search.places.push(There {
                mailbox: mailbox.clone(),
                folder: name.to_owned(),
                id: message.id().map(str::to_owned),
                text: path,
                number: *number,
                has_sound: !slot.sounds.is_empty(),
                age: least(folder.stamp.age(), stamp.age()),
            }),
            Ok(_) | Err(NotRead::Failed(_)) => {}
            Err(NotRead::Busy | NotRead::Gone) => search.still = false,
        }
    }
}

/// Takes a message whole. Blocking: up to a quarter of a second while the mailbox is being changed.
pub(super) fn take(
    settings: &SpoolSettings,
    memory: &mut Memory,
    source: &str,
    wanted: &Found,
) -> Result<Arrival, SourceError> {
    let mailbox = mailbox_of(settings, &wanted.key)?;
    let mut stood: HashMap<PathBuf, Stood> = HashMap::new();
    let mut implausible = 0;
    let mut failed = None;
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            std::thread::sleep(ATTEMPT_PAUSE);
        }
        let search = search(&mailbox, wanted, memory)?;
        if search.places.is_empty() && search.still {
            return Err(SourceError::Gone(format!("message {} is no longer in its mailbox", wanted.key)));
        }
        for there in search.places {
            if !there.has_sound && !memory.is_silent(&wanted.key, &there.text, there.age) {
                continue;
            }
            let folder = mailbox.path.join(&there.folder);
            let stood = stood.entry(there.text.clone()).or_default();
            match read::message(&folder, there.number, !there.has_sound, settings.max_bytes, &mut memory.ages, stood) {
                Ok(whole) if memory.key(&mailbox, &whole.message, &whole.text) != wanted.key => {}
                Ok(whole) if !whole.plausible && implausible < IMPLAUSIBLE_ATTEMPTS => implausible += 1,
                Ok(whole) => {
                    let longest_s = memory.longest_s(&mailbox);
                    return Ok(Arrival { longest_s, ..arrival(source, &mailbox, wanted, whole) });
                }
                Err(NotRead::Busy | NotRead::Gone) => {}
                Err(NotRead::Failed(error)) => failed = Some(format!("{}: {error}", there.text.display())),
            }
        }
    }
    Err(SourceError::Busy(failed.unwrap_or_else(|| format!("mailbox {} is being changed", mailbox.path.display()))))
}

fn arrival(source: &str, mailbox: &Mailbox, wanted: &Found, whole: Whole) -> Arrival {
    let sound = match whole.voice {
        Voice::Bytes { name, bytes } => Sound::Bytes { name, bytes },
        Voice::Refused { path, why } => {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            Sound::Refused { name, path, why }
        }
    };
    Arrival {
        source: source.to_owned(),
        key: wanted.key.clone(),
        mailbox: Some(format!("{}@{}", mailbox.name, mailbox.context)),
        caller: whole.message.caller(),
        called_at: whole.message.called_at(),
        content: Content::Voicemail(sound),
        twin: None,
        longest_s: None,
    }
}
