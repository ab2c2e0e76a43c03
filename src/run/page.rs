//! The page, on threads of its own. What it lacks costs a page, never an alarm: the service starts all the same.

use super::{Wiring, child_options};
use crate::assess::rules::Rules;
use crate::config;
use crate::runtime::lifecycle::Lifecycle;
use crate::runtime::status::State;
use crate::store::{Store, accounts};
use crate::transcribe::child::Child;
use crate::transcribe::voice::VoiceDesk;
use crate::web::{Parts, RETRY, WORKER, Web};
use std::path::PathBuf;
use std::sync::Arc;

impl Wiring {
    /// Serves the page, where the settings have one.
    pub(super) fn start_page(&self, rules: Arc<Rules>) {
        let Some(settings) = self.settings.web.clone() else { return };
        // a child of its own: who listens at the page keeps no alarm waiting
        let child = Child::new(child_options(&self.settings, "page"));
        let parts = Parts {
            desk: self.answer_desk(),
            status: self.status.clone(),
            voices: Arc::new(VoiceDesk::new(self.store.sound_folder().to_owned(), child)),
            rules,
        };
        let served = serve(parts, settings, self.settings.store.folder.clone(), self.lifecycle.clone());
        if let Err(error) = self.lifecycle.spawn_apart(WORKER.to_owned(), served) {
            let error = format!("the page has no threads: {error}; allow the service more of them and start it again");
            tracing::error!(error, "the page cannot be served");
            self.status.say(WORKER, State::Failing, error, self.clock.now());
        }
    }
}

async fn serve(parts: Parts, settings: config::Web, folder: PathBuf, lifecycle: Lifecycle) {
    warn_if_nobody_can_enter(&parts.desk.store).await;
    while !lifecycle.is_stopping() {
        match Web::new(parts.clone(), settings.clone(), &folder).await {
            Ok(web) => return web.run(lifecycle).await,
            Err(error) => {
                let error = format!("{error}; put it right, it is tried again every {} s", RETRY.as_secs());
                tracing::error!(error, "the page cannot be served");
                parts.status.say(WORKER, State::Failing, &error, parts.desk.clock.now());
            }
        }
        lifecycle.unless_stopped(tokio::time::sleep(RETRY)).await;
    }
}

async fn warn_if_nobody_can_enter(store: &Store) {
    let known = async { accounts::all(&mut *store.read().await?).await };
    match known.await {
        Ok(known) if known.is_empty() => {
            tracing::warn!("nobody can enter the page yet: `nachtwache user add NAME --role admin`");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "could not look who can enter the page"),
    }
}
