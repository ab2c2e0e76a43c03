//! Wiring of the second hearing, where the settings name a larger model.

use super::{LOOK, Wiring, child_options};
use crate::assess::confirm::ConfirmStep as JudgeAgain;
use crate::assess::rules::Rules;
use crate::runtime::bell::Bell;
use crate::transcribe::child::Child;
use crate::transcribe::confirm::ConfirmStep as HearAgain;
use std::sync::Arc;

impl Wiring {
    /// A larger model hears again, and that is judged. Nobody waits for it: there is no bell.
    pub(super) fn start_second_hearing(&self, rules: Arc<Rules>) {
        let Some(model) = &self.settings.transcribe.confirm_model else { return };
        if !model.exists() {
            let model = model.display();
            tracing::error!(%model, "there is no such model (transcribe.confirm_model): nothing is heard a second time");
        }
        let judge = JudgeAgain {
            store: self.store.clone(),
            settings: self.settings.clone(),
            roster: self.roster.clone(),
            rules,
            clock: self.clock.clone(),
            bells: self.bells.clone(),
        };
        self.work(&Bell::default(), LOOK, judge);
        let hear = HearAgain {
            store: self.store.clone(),
            settings: self.settings.clone(),
            model: model.clone(),
            clock: self.clock.clone(),
            child: Child::new(child_options(&self.settings, "confirmer")),
        };
        self.work(&Bell::default(), LOOK, hear);
    }
}
