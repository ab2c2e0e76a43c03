//! The page, on threads of its own.

use super::{Wiring, child_options};
use crate::assess::rules::Rules;
use crate::store::accounts;
use crate::transcribe::child::Child;
use crate::transcribe::voice::VoiceDesk;
use crate::web::{Parts, Web};
use anyhow::Context as _;
use std::sync::Arc;

impl Wiring {
    /// Serves the page, where the settings have one.
    pub(super) async fn start_page(&self, rules: Arc<Rules>) -> anyhow::Result<()> {
        let Some(settings) = self.settings.web.clone() else { return Ok(()) };
        if accounts::all(&mut *self.store.read().await?).await?.is_empty() {
            tracing::warn!("nobody can enter the page yet: `nachtwache user add NAME --role admin`");
        }
        // a child of its own: who listens at the page keeps no alarm waiting
        let child = Child::new(child_options(&self.settings, "page"));
        let parts = Parts {
            desk: self.answer_desk(),
            status: self.status.clone(),
            voices: Arc::new(VoiceDesk::new(self.store.sound_folder().to_owned(), child)),
            rules,
        };
        let web = Web::new(parts, settings, &self.settings.store.folder).await;
        let web = web.map_err(anyhow::Error::msg).context("could not make the page")?;
        let name = "web".to_owned();
        self.lifecycle.spawn_apart(name, web.run(self.lifecycle.clone())).context("could not start the page's threads")
    }
}
