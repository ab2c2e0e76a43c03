//! The ear of the siren: when nothing can be stored, a human hears of it all the same.

use super::notifier::{Face, How, Notifier, NotifyError};
use crate::roster::Roster;
use crate::runtime::clock::Clock;
use crate::runtime::siren::Cry;
use crate::wording;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

/// The same cry is not repeated within so long.
const QUIET: TimeDelta = TimeDelta::minutes(10);

/// The longest pause asked for that a cry waits out.
const PATIENCE: Duration = Duration::from_secs(5);

/// Listens to the siren.
pub struct Ear {
    /// Who is on duty, as it was read last.
    pub roster: Roster,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The way to the phones.
    pub notifier: Arc<dyn Notifier>,
}

impl Ear {
    /// Sends every cry to everybody on duty, until no siren is left.
    pub async fn run(self, mut cries: Receiver<Cry>) {
        let mut heard: HashMap<String, DateTime<Utc>> = HashMap::new();
        while let Some(cry) = cries.recv().await {
            let now = self.clock.now();
            heard.retain(|_, at| now - *at < QUIET);
            if heard.contains_key(&cry.key) {
                continue;
            }
            tracing::error!(source = %cry.source, why = %cry.why, "a message cannot be stored: telling people directly");
            if self.tell(&cry).await {
                heard.insert(cry.key, now);
            }
        }
    }

    /// Whether at least one person was reached.
    async fn tell(&self, cry: &Cry) -> bool {
        let face = Face { text: wording::cannot_store(&cry.source, &cry.why), ..Face::default() };
        let mut reached = false;
        let told = self.roster.last_known(self.clock.now()).recipients(&["duty", "office"]);
        let told: HashSet<i64> = told.iter().filter_map(|one| one.chat).collect();
        for chat in told {
            match self.show(chat, &face).await {
                Ok(_) => reached = true,
                Err(error) => tracing::error!(%error, "the siren did not reach somebody"),
            }
        }
        reached
    }

    /// There is no store to put a cry back into: a short pause is waited out.
    async fn show(&self, chat: i64, face: &Face) -> Result<i64, NotifyError> {
        let how = How { chat, loud: true, answers: None };
        match self.notifier.show(how, face).await {
            Err(NotifyError::Wait(pause)) if pause <= PATIENCE => {
                tokio::time::sleep(pause).await;
                self.notifier.show(how, face).await
            }
            result => result,
        }
    }
}
