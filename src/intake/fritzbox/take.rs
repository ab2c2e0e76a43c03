//! One message whole: its sound, and then once more the list, since a file's name is used again after a deletion.

use super::FritzBox;
use super::Trying;
use super::sound::Fetched;
use super::tam::Entry;
use crate::domain::report::{Arrival, Caller, Content, Sound};
use crate::intake::source::{Found, SourceError};
use crate::store::sound::sha256;
use std::path::PathBuf;
use std::time::Instant;

impl FritzBox {
    pub(super) async fn take_one(&mut self, found: &Found) -> Result<Arrival, SourceError> {
        let known = match self.entries.get(&found.key) {
            Some(known) => Some(known.clone()),
            None => self.find(&found.key).await?,
        };
        let (entry, sid) = known.ok_or_else(|| self.gone())?;
        let sound = self.sound_of(&entry, sid).await?;
        // somebody else's voice may lie under that name by now
        let (entry, _) = self.find(&found.key).await?.ok_or_else(|| self.gone())?;
        self.trying.remove(&entry.key);
        let twin = match &sound {
            Sound::Bytes { bytes, .. } => Some(format!("{}/{}", entry.call, sha256(bytes))),
            Sound::Refused { .. } => {
                self.unheard.insert(entry.key.clone());
                None
            }
        };
        Ok(Arrival {
            source: self.name.clone(),
            called_at: self.called_at(&entry),
            key: entry.key,
            mailbox: Some(entry.called.unwrap_or_else(|| format!("tam{}", entry.tam))),
            caller: Caller { number: entry.number, name: entry.name },
            content: Content::Voicemail(sound),
            twin,
            longest_s: self.settings.longest_s,
        })
    }

    /// A message in the list as it is now, with the session to read its sound.
    pub(super) async fn find(&mut self, key: &str) -> Result<Option<(Entry, Option<String>)>, SourceError> {
        let Some(tam) = tam_of(key) else { return Ok(None) };
        let messages = self.wire().await?.messages(tam).await?;
        let sid = messages.sid;
        Ok(messages.entries.into_iter().find(|entry| entry.key == key).map(|entry| (entry, sid)))
    }

    fn gone(&self) -> SourceError {
        SourceError::Gone(format!("the message is no longer in the list of the FRITZ!Box at {}", self.shown()))
    }

    /// `Busy` as long as it is worth trying.
    async fn sound_of(&mut self, entry: &Entry, sid: Option<String>) -> Result<Sound, SourceError> {
        let (shown, max, limits) = (self.shown(), self.settings.max_bytes, self.settings.limits);
        let wire = self.wire().await?;
        let place = match wire.home.place(&entry.path) {
            Ok(place) => place,
            Err(why) => return Ok(refused(&shown, "", &format!("the address of the sound {why}"))),
        };
        let name = format!("{}.wav", place.name());
        let refused = |why: String| refused(&shown, place.file(), &why);
        match wire.sound(&place, sid, max).await? {
            Fetched::Sound(bytes) => Ok(Sound::Bytes { name, bytes }),
            Fetched::TooLarge => Ok(refused(format!("the sound has more than {max} bytes"))),
            Fetched::Nothing { why, part } => {
                let trying = self.trying.entry(entry.key.clone());
                let trying = trying.or_insert_with(|| Trying { tries: 0, since: Instant::now() });
                trying.tries += 1;
                if trying.tries < limits.tries && trying.since.elapsed() < limits.trying {
                    return Err(SourceError::Busy(format!("the FRITZ!Box at {shown} does not give the sound: {why}")));
                }
                match part {
                    Some(bytes) => {
                        tracing::warn!(source = %self.name, "a recording is shorter than its head says; taken as it is");
                        Ok(Sound::Bytes { name, bytes })
                    }
                    None => Ok(refused(format!("no known way gives the sound ({why})"))),
                }
            }
        }
    }
}

fn refused(shown: &str, file: &str, why: &str) -> Sound {
    Sound::Refused {
        name: file.rsplit('/').next().unwrap_or("").to_owned(),
        path: PathBuf::from(format!("{shown}{file}")),
        why: format!("{why}; remedy: listen to it on a phone of the box (**600), it stays new there"),
    }
}

/// The machine that a key names.
pub(super) fn tam_of(key: &str) -> Option<u8> {
    key.strip_prefix("tam")?.split_once('/')?.0.parse().ok()
}
