//! The receipt to somebody who wrote a mail: recorded, under which number, what is still missing (RFC 3834).
//!
//! Promise: at most one per address and day, at most once, never to a machine. A receipt that may have been sent is not sent
//! again: a courtesy must not become a flood. Nothing waits for it.

use super::smtp::{Letter, Mail, MailError, Mailer};
use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::runtime::clock::Clock;
use crate::runtime::worker::{Round, Step};
use crate::store::receipts::{Receipt, State};
use crate::store::{Claim, Lease, Store, StoreError, assessments, cases, events, joins, mails, receipts, reports};
use crate::wording::{self, Receipted};
use async_trait::async_trait;
use chrono::TimeDelta;
use std::sync::Arc;
use std::time::Duration;

const LEASE: Duration = Duration::from_mins(2);
/// Tries while the mail server cannot be reached: two hours in all.
const TRIES: u32 = 8;

/// The step that sends receipts.
pub struct ReceiptStep {
    store: Store,
    settings: Arc<Settings>,
    clock: Arc<dyn Clock>,
    mailer: Mailer,
}

impl ReceiptStep {
    /// By the mail server of the settings; nothing is reached for yet.
    ///
    /// # Errors
    /// Where sender, host or secret cannot be used; the text names the key.
    pub fn new(store: Store, settings: Arc<Settings>, clock: Arc<dyn Clock>) -> Result<Self, String> {
        let smtp = settings.smtp.as_ref().ok_or("receipt.enabled: no mail server sends the receipts; add [smtp]")?;
        let mailer = Mailer::new(smtp)?;
        Ok(Self { store, settings, clock, mailer })
    }

    async fn claim(&self) -> Result<Option<(Receipt, Lease)>, StoreError> {
        let mut tx = self.store.begin().await?;
        let claimed = receipts::claim(&mut tx, Claim { now: self.clock.now(), lease: LEASE }).await?;
        tx.commit().await?;
        Ok(claimed)
    }

    /// The receipt as a mail; `None` where there is nothing to answer (any more) or the address is none.
    async fn worded(&self, receipt: &Receipt) -> Result<Option<Letter>, StoreError> {
        let mut reader = self.store.read().await?;
        let report = reports::find(&mut reader, receipt.report).await?;
        let Some((mail, _)) = mails::find(&mut reader, receipt.report).await? else { return Ok(None) };
        let Some(found) = assessments::find(&mut reader, receipt.report).await? else { return Ok(None) };
        let case = match cases::of_report(&mut reader, receipt.report).await? {
            Some(case) => Some(case.id),
            None => joins::case_of(&mut reader, receipt.report).await?,
        };
        drop(reader);
        let Some(case) = case else { return Ok(None) };
        let settings = &self.settings;
        let text = wording::receipt(&Receipted {
            case,
            at: report.called_at,
            zone: settings.business_hours().zone,
            missing: &found.missing,
            tariff: found.tariff,
            number: settings.terms.own_numbers.first().map(String::as_str),
            reaction_hours: settings.terms.reaction_hours,
        });
        let id = mail.message_id.filter(|id| id.chars().all(|c| c.is_ascii_graphic() && c != '<' && c != '>'));
        let answered = id.map(|id| format!("<{id}>"));
        let mut headers = vec![("Auto-Submitted", "auto-replied"), ("X-Auto-Response-Suppress", "All")];
        headers.extend(answered.iter().flat_map(|id| [("In-Reply-To", id.as_str()), ("References", id.as_str())]));
        Ok(self.mailer.letter(&Mail {
            to: &receipt.address,
            subject: &wording::receipt_subject(case),
            text: &text,
            headers: &headers,
            // an empty sender on the envelope: nobody answers an answer
            bounces: false,
        }))
    }

    async fn send(&self, receipt: &Receipt, lease: &Lease) -> Result<(), StoreError> {
        let Some(letter) = self.worded(receipt).await? else {
            return self.tried(receipt, lease, State::Failed, Some("there is nothing to answer")).await;
        };
        if let Err(error) = self.mailer.probe().await {
            // provably not sent
            let state = if lease.attempt < TRIES { State::Due } else { State::Failed };
            return self.tried(receipt, lease, state, Some(&error)).await;
        }
        let mut tx = self.store.begin().await?;
        receipts::sending(&mut tx, receipt.report, lease).await?;
        tx.commit().await?;
        match self.mailer.deliver(&letter).await {
            Ok(()) => self.tried(receipt, lease, State::Sent, None).await,
            Err(error) => {
                let again = matches!(error, MailError::NotDelivered(_)) && lease.attempt < TRIES;
                let state = if again { State::Due } else { State::Failed };
                self.tried(receipt, lease, state, Some(&error.to_string())).await
            }
        }
    }

    async fn tried(
        &self,
        receipt: &Receipt,
        lease: &Lease,
        state: State,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let now = self.clock.now();
        let minutes = 1i64 << lease.attempt.min(6);
        let due_at = (state == State::Due).then(|| now + TimeDelta::minutes(minutes));
        let sent_at = (state == State::Sent).then_some(now);
        let mut tx = self.store.begin().await?;
        receipts::tried(&mut tx, receipt.report, lease, state, (due_at, sent_at), error).await?;
        let detail = error.map_or_else(|| state.as_str().to_owned(), |error| format!("{}: {error}", state.as_str()));
        events::append(&mut tx, &Event::new(now, EventKind::Receipt, detail).report(receipt.report)).await?;
        tx.commit().await?;
        let state = state.as_str();
        tracing::info!(report.id = %receipt.report, state, attempt = lease.attempt, stage = "escalate", "a receipt was tried");
        Ok(())
    }
}

#[async_trait]
impl Step for ReceiptStep {
    fn name(&self) -> String {
        "escalate.receipt".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let Some((receipt, lease)) = self.claim().await? else { return Ok(Round::Idle) };
        if receipt.state == State::Sending {
            self.tried(&receipt, &lease, State::Failed, Some("broken off before; it may have been sent")).await?;
        } else {
            self.send(&receipt, &lease).await?;
        }
        Ok(Round::Worked)
    }
}
