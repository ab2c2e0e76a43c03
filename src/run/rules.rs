//! The rules that judge a text, as the settings have them; and what the recogniser may not be told to expect.

use crate::assess;
use crate::assess::rules::{Rules, speaks_of_terms};
use crate::config::Settings;
use anyhow::Context as _;

/// The rules by the settings.
///
/// # Errors
/// Where the folder `assess.rules` cannot be read, a file in it is no rule file, an example in it goes wrong, or by these rules
/// `transcribe.prompt` holds words of a consent.
pub fn rules(settings: &Settings) -> anyhow::Result<Rules> {
    let rules = read_rules(settings)?;
    anyhow::ensure!(
        !speaks_of_terms(&rules, &settings.transcribe.prompt, settings.terms.fee_cents().unwrap_or_default()),
        "transcribe.prompt: holds words of an emergency, of consent, conditions or fee, and the recogniser would hear them \
         where nobody says them; leave only names and products"
    );
    Ok(rules)
}

fn read_rules(settings: &Settings) -> anyhow::Result<Rules> {
    let Some(folder) = &settings.assess.rules else { return Ok(Rules::with(&[])?) };
    let rules = assess::rules_of(Some(folder)).context("assess.rules")?;
    let wrong = rules.check();
    anyhow::ensure!(
        wrong.is_empty(),
        "assess.rules: {} of the examples in {} go wrong; see `nachtwache rules check {}`",
        wrong.len(),
        folder.display(),
        folder.display()
    );
    Ok(rules)
}
