//! `[receipt]`: the answer to somebody who wrote a mail.

use super::Settings;
use serde::Deserialize;

/// `[receipt]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReceiptRow {
    /// Whether senders of mails get a receipt, by the server of `[smtp]`.
    pub enabled: bool,
}

/// What is wrong with the section.
pub(super) fn complaints(settings: &Settings, wrong: &mut Vec<String>) {
    if settings.receipt.enabled && settings.smtp.is_none() {
        wrong.push("receipt.enabled: no mail server sends the receipts; add [smtp] with host and from".into());
    }
}
