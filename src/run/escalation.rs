//! What wakes people, and what looks after the ways to them.

use super::{LOOK, POLL, SENDERS, Wiring, child_options};
use crate::escalate::audit::AuditStep;
use crate::escalate::channels::Channels;
use crate::escalate::notifier::Notifier;
use crate::escalate::paths::{PathStep, ProbeStep};
use crate::escalate::plan::PlanStep;
use crate::escalate::receipt::ReceiptStep;
use crate::escalate::send::SendStep;
use crate::roster::feed::FeedStep;
use crate::runtime::bell::Bell;
use crate::transcribe::child::Child;
use crate::transcribe::voice::VoiceDesk;
use std::sync::Arc;
use std::time::Duration;

impl Wiring {
    pub(super) fn start_escalation(&self, notifier: &Arc<dyn Notifier>) -> anyhow::Result<()> {
        let child = Child::new(child_options(&self.settings, "voice"));
        let channels = Arc::new(Channels::from(&self.settings).map_err(anyhow::Error::msg)?);
        let voices = Arc::new(VoiceDesk::new(self.store.sound_folder().to_owned(), child));
        for number in 1..=SENDERS {
            let step = SendStep {
                number,
                store: self.store.clone(),
                settings: self.settings.clone(),
                clock: self.clock.clone(),
                bells: self.bells.clone(),
                notifier: notifier.clone(),
                channels: channels.clone(),
                voices: voices.clone(),
            };
            self.work(&self.bells.send, POLL, step);
        }
        let plan = PlanStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        };
        self.work(&self.bells.escalate, POLL, plan);
        self.start_supervision(channels);
        if self.settings.receipt.enabled {
            let receipt = ReceiptStep::new(self.store.clone(), self.settings.clone(), self.clock.clone());
            self.work(&Bell::default(), Duration::from_secs(5), receipt.map_err(anyhow::Error::msg)?);
        }
        if !self.settings.roster.feeds.is_empty() {
            let feeds = FeedStep::new(self.store.clone(), self.settings.clone(), self.clock.clone());
            self.work(&Bell::default(), LOOK, feeds.map_err(anyhow::Error::msg)?);
        }
        self.watch_the_watch()?;
        let audit = AuditStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        };
        self.work(&Bell::default(), Duration::from_mins(1), audit);
        Ok(())
    }

    /// The ways to people are looked after.
    fn start_supervision(&self, channels: Arc<Channels>) {
        let paths = PathStep {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            clock: self.clock.clone(),
            bells: self.bells.clone(),
            begun_at: self.clock.now(),
        };
        self.work(&Bell::default(), LOOK, paths);
        let probe = ProbeStep { store: self.store.clone(), channels, clock: self.clock.clone() };
        self.work(&Bell::default(), LOOK, probe);
    }
}
