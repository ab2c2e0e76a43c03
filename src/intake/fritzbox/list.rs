//! One look at all machines: one that fails is told of and keeps no other machine's messages waiting.

use super::machine::Messages;
use super::take::tam_of;
use super::{FritzBox, Known};
use crate::intake::source::{Found, Listing, SourceError, Trouble};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

impl FritzBox {
    pub(super) async fn list_all(&mut self) -> Result<Listing, SourceError> {
        let since = self.since().await?;
        let mut listing = Listing::default();
        let machines = self.machines().await?;
        if machines.is_empty() {
            listing.troubles.push(self.no_machine());
        }
        let mut entries = HashMap::new();
        for (tam, read) in self.read_all(machines).await? {
            match read {
                Ok(messages) => {
                    listing.troubles.extend(self.troubles_of(tam).await);
                    self.note(messages, since, &mut listing, &mut entries);
                }
                Err(why) => {
                    let what = format!("answering machine {tam}: {why}");
                    listing.troubles.push(Trouble { key: format!("tam{tam}:list"), what, loses_calls: true });
                    // what is known of its messages holds until it can be read again
                    let of_it = self.entries.iter().filter(|(key, _)| tam_of(key) == Some(tam));
                    entries.extend(of_it.map(|(key, known)| (key.clone(), known.clone())));
                }
            }
        }
        self.trying.retain(|key, _| entries.contains_key(key));
        self.unheard.retain(|key| entries.contains_key(key));
        self.entries = entries;
        listing.troubles.extend(self.mark_trouble.clone());
        Ok(listing)
    }

    /// Every machine's messages, or why there are none; an error where that holds for all of them.
    async fn read_all(&mut self, machines: Vec<u8>) -> Result<Vec<(u8, Result<Messages, String>)>, SourceError> {
        let mut all = Vec::new();
        let (mut first, mut turned_away) = (None, None);
        for tam in machines {
            if let Some(why) = &turned_away {
                all.push((tam, Err(String::clone(why))));
                continue;
            }
            let wire = self.wire().await?;
            match wire.messages(tam).await {
                Ok(messages) => all.push((tam, Ok(messages))),
                Err(error @ SourceError::Busy(_)) => return Err(error),
                Err(error) => {
                    // a login that was refused is not tried once more: that would lock the user out
                    let is_login = matches!(error, SourceError::Refused(_)) && wire.challenge.is_none();
                    turned_away = is_login.then(|| error.to_string());
                    all.push((tam, Err(error.to_string())));
                    first.get_or_insert(error);
                }
            }
        }
        match first {
            Some(error) if all.iter().all(|(_, read)| read.is_err()) => Err(error),
            _ => Ok(all),
        }
    }

    async fn troubles_of(&mut self, tam: u8) -> Vec<Trouble> {
        let shown = self.shown();
        let info = match self.wire().await {
            Ok(wire) => wire.info(tam).await,
            Err(error) => Err(error),
        };
        match info {
            Ok(info) => info.troubles(tam, &shown),
            // the messages are there all the same
            Err(error) => vec![Trouble { key: format!("tam{tam}:info"), what: error.to_string(), loses_calls: false }],
        }
    }

    fn note(
        &self,
        messages: Messages,
        since: DateTime<Utc>,
        listing: &mut Listing,
        entries: &mut HashMap<String, Known>,
    ) {
        let mut listed = messages.entries;
        // boxes write the newest first; who called first is helped first
        listed.sort_by_key(|entry| entry.date);
        for entry in listed {
            let is_recent = self.called_at(&entry).is_none_or(|at| at >= since);
            if entry.new || is_recent {
                listing.found.push(Found { key: entry.key.clone(), place: entry.path.clone() });
                entries.insert(entry.key.clone(), (entry, messages.sid.clone()));
            }
        }
    }
}
