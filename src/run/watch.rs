//! Wiring of what looks after the service itself, and of what tells people of it.

use super::{POLL, Wiring};
use crate::escalate::drill::DrillStep;
use crate::escalate::morning::MorningStep;
use crate::escalate::queue::QueueStep;
use crate::escalate::ready::ReadyStep;
use crate::escalate::start::tell_start;
use crate::escalate::watch::Watch;
use crate::runtime::bell::Bell;
use std::time::Duration;

/// How often it is looked whether somebody must be asked, or a list is due.
const SELDOM: Duration = Duration::from_secs(15);

impl Wiring {
    /// People are told that the service started, where they want to be. A store that refuses keeps nobody from starting.
    pub(super) async fn tell_start(&self) {
        if !self.settings.watch.tell_start {
            return;
        }
        let told = tell_start(&self.store, &self.settings, &self.roster, self.clock.now()).await;
        if let Err(error) = told {
            tracing::error!(%error, "could not tell that the service started");
        }
    }

    /// What looks after the service itself.
    pub(super) fn watch_the_watch(&self) -> anyhow::Result<()> {
        let (store, settings, roster) = (self.store.clone(), self.settings.clone(), self.roster.clone());
        let watch = Watch::new(store, settings, roster, self.status.clone(), self.clock.clone());
        let watch = watch.map_err(anyhow::Error::msg)?;
        self.lifecycle.spawn("watch".into(), watch.run(self.lifecycle.clone()));
        let queue = QueueStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        };
        self.work(&Bell::default(), SELDOM, queue);
        if self.settings.drill.enabled {
            let drill = DrillStep {
                store: self.store.clone(),
                settings: self.settings.clone(),
                roster: self.roster.clone(),
                clock: self.clock.clone(),
                bells: self.bells.clone(),
            };
            self.work(&Bell::default(), POLL, drill);
        }
        if self.settings.roster.ready_before_min > 0 {
            let ready = ReadyStep {
                store: self.store.clone(),
                settings: self.settings.clone(),
                roster: self.roster.clone(),
                clock: self.clock.clone(),
                bells: self.bells.clone(),
            };
            self.work(&Bell::default(), SELDOM, ready);
        }
        if self.settings.morning.enabled {
            let (store, settings, roster) = (self.store.clone(), self.settings.clone(), self.roster.clone());
            let morning = MorningStep::new(store, settings, roster, self.clock.clone(), self.bells.clone());
            self.work(&Bell::default(), SELDOM, morning.map_err(anyhow::Error::msg)?);
        }
        Ok(())
    }
}
