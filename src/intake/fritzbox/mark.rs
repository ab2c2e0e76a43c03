//! Saying at the box that a message was heard, and seeing whether it understood.
//!
//! The place in the list moves with every deletion, so the list is read directly before. Makers of clients disagree on
//! whether 1 or 0 means heard: 1 first, as AVM says; what worked is remembered. Where nothing works the message stays
//! new at the box and nothing else is lost.

use super::FritzBox;
use super::take::tam_of;
use crate::intake::source::{Found, SourceError, Trouble};

/// By which name the word that worked is remembered.
const WORD: &str = "word for heard";

impl FritzBox {
    pub(super) async fn mark_one(&mut self, found: &Found) -> Result<(), SourceError> {
        let Some(tam) = tam_of(&found.key) else { return Ok(()) };
        let usual = u32::from(self.memory.recall(WORD).await?.as_deref() != Some("0"));
        let mut why = String::from("the list shows it as new all the same");
        for word in [usual, 1 - usual] {
            let Some((entry, _)) = self.find(&found.key).await?.filter(|(entry, _)| entry.new) else { return Ok(()) };
            let Some(index) = entry.index else {
                why = "the list gives it no number".into();
                break;
            };
            let marked = self.wire().await?.mark(tam, index, word).await;
            if self.is_heard(&found.key).await? {
                if word != usual {
                    self.memory.keep(WORD, &word.to_string()).await?;
                }
                self.mark_trouble = None;
                return Ok(());
            }
            if let Err(error) = marked {
                why = error.to_string();
                break;
            }
        }
        self.mark_trouble = Some(Trouble {
            key: "mark".into(),
            what: format!(
                "stored messages cannot be marked as heard at the FRITZ!Box at {} ({why}): they stay new there; remedy: set \
                 mark_read = false for this source if that is no harm",
                self.shown()
            ),
            loses_calls: false,
        });
        Ok(())
    }

    /// Whether the list shows the message as heard, now or in a moment. One that is gone needs no mark.
    async fn is_heard(&mut self, key: &str) -> Result<bool, SourceError> {
        let is_new = |found: Option<(super::Entry, _)>| found.is_some_and(|(entry, _)| entry.new);
        if !is_new(self.find(key).await?) {
            return Ok(true);
        }
        tokio::time::sleep(self.settings.limits.mark).await;
        Ok(!is_new(self.find(key).await?))
    }
}
