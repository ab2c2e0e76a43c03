//! The words that the firm wants to be heard right: who may stand on the list.

use super::Review;
use crate::assess::rules::speaks_of_terms;
use crate::domain::event::{Event, EventKind};
use crate::store::vocabulary::{self, Kind};
use crate::store::{StoreError, Tx, events};
use chrono::{DateTime, Utc};

/// The longest word, characters.
const LONGEST: usize = 60;
/// The longest list: more the recogniser never sees.
const MOST: usize = 2_000;

/// What came of adding a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    /// It stands on the list.
    Done,
    /// It stood there already.
    Already,
    /// It may not stand there.
    Refused(Unfit),
}

/// Why a word may not stand on the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// Nothing, a single letter, longer than 60 characters, or more than one line.
    Shape,
    /// A recogniser that expects words of consent, declaration or fee hears them where nobody says them.
    Terms,
    /// The list is full.
    Full,
}

impl Review {
    /// Puts a word on the list.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn add_word(&self, kind: Kind, word: &str, actor: &str) -> Result<Added, StoreError> {
        let word = word.trim();
        let letters = word.chars().filter(|c| c.is_alphanumeric()).count();
        if letters < 2 || word.chars().count() > LONGEST || word.contains(char::is_control) {
            return Ok(Added::Refused(Unfit::Shape));
        }
        if speaks_of_terms(&self.rules, word, self.settings.terms.fee_cents().unwrap_or_default()) {
            return Ok(Added::Refused(Unfit::Terms));
        }
        let now = self.clock.now();
        let mut tx = self.store.begin().await?;
        if vocabulary::all(tx.reading()).await?.len() >= MOST {
            return Ok(Added::Refused(Unfit::Full));
        }
        if !vocabulary::add(&mut tx, kind, word, actor, now).await? {
            return Ok(Added::Already);
        }
        let detail = format!("added a {}", kind.as_str());
        events::append(&mut tx, &Event::new(now, EventKind::Vocabulary, detail).by(actor)).await?;
        tx.commit().await?;
        Ok(Added::Done)
    }

    /// Takes a word off the list. `false`: it does not stand there.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn remove_word(&self, id: &str, actor: &str) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let was = forget(&mut tx, id, actor, self.clock.now()).await?;
        tx.commit().await?;
        Ok(was)
    }
}

/// Takes a word off the list. That it went is told, and by whom; the word itself is not: it may be somebody's name.
pub(super) async fn forget(tx: &mut Tx, id: &str, actor: &str, now: DateTime<Utc>) -> Result<bool, StoreError> {
    let Some(entry) = vocabulary::remove(tx, id).await? else { return Ok(false) };
    let detail = format!("removed a {}", entry.kind.as_str());
    events::append(tx, &Event::new(now, EventKind::Vocabulary, detail).by(actor)).await?;
    Ok(true)
}
