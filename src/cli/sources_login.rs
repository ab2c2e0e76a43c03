//! `nachtwache sources login`: a person lets the service read his mailbox, once.

use crate::config::{Flow, Settings, SourceRow};
use crate::intake::Memory;
use crate::intake::imap::Tokens;
use crate::run;
use crate::wording::login as wording;
use anyhow::Context as _;
use std::process::ExitCode;
use std::time::Duration;

/// Which source.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The source's name from the settings
    name: String,
}

/// Shows address and code, waits for the person, and keeps the refresh token in the store.
pub(super) async fn login(settings: &Settings, options: &Options) -> anyhow::Result<ExitCode> {
    let name = &options.name;
    let row = settings.sources.iter().find(|row| row.name() == name);
    let row = row.with_context(|| format!("there is no [[sources]] named {name}"))?;
    let oauth = if let SourceRow::Imap(row) = row { row.oauth.as_ref() } else { None };
    let oauth = oauth.filter(|oauth| oauth.flow == Flow::Device);
    let oauth = oauth.with_context(|| format!("the source {name} has no oauth with flow = \"device\""))?;
    let store = run::open_store(settings).await?;
    let mut tokens = Tokens::new(run::oauth(oauth)?, Memory::new(store.clone(), name.clone()), Duration::from_secs(30));
    let code = tokens.device_code().await?;
    super::say(&wording::device_code(name, &code.address, &code.code));
    tokens.wait_for(code).await?;
    super::say(&wording::logged_in(name));
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
