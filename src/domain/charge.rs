//! A charge in the books: what it stands on, where it stands, and every step it took.

use crate::domain::assessment::{Fields, Finding, Polarity, Subject, Verdict, words};
use crate::domain::case::CaseId;
use crate::domain::report::ReportId;
use crate::domain::tariff::Cents;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

words! {
    /// What a charge stands on. They are never mixed.
    Basis {
        /// The caller's own words in a report.
        Spoken = "spoken",
        /// What a technician recorded of a call-back.
        Phone = "phone",
        /// What a person wrote down after listening to the recording.
        Heard = "heard",
    }
}

words! {
    /// Where a charge stands.
    ChargeState {
        /// Proposed: waits until a person decides.
        Proposed = "proposed",
        /// A person released it for billing.
        Released = "released",
        /// A person cancelled it; where it had been released, that is a credit.
        Cancelled = "cancelled",
    }
}

words! {
    /// What came up about a charge after it was proposed, for a person to look at. It changes nothing by itself.
    Objection {
        /// The customer refused on the phone.
        Refused = "refused",
        /// The report that proves it was taken off the case.
        Split = "split",
        /// A later assessment no longer proves it.
        Judged = "judged",
    }
}

words! {
    /// One step of a charge.
    StepKind {
        /// The service, or a consent on the phone, proposed it.
        Proposed = "proposed",
        /// A proposal that stood on the phone alone is gone: the customer refused after all.
        Withdrawn = "withdrawn",
        /// A person released it.
        Released = "released",
        /// A person cancelled the proposal.
        Cancelled = "cancelled",
        /// A person cancelled what had been released.
        Credited = "credited",
        /// A proposal went to another case with the report that proves it.
        Moved = "moved",
        /// What a person had decided stayed, though the report that proves it went to another case.
        Kept = "kept",
        /// The customer refused on the phone; the charge stands.
        Refused = "refused",
        /// A later assessment no longer proves it; the charge stands.
        Judged = "judged",
        /// The customer agreed on the phone after having refused.
        Agreed = "agreed",
    }
}

/// Who did something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A charge as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// For which case.
    pub case: CaseId,
    /// Proven by which report.
    pub report: ReportId,
    /// Where it stands.
    pub state: ChargeState,
    /// Net amount.
    pub net: Cents,
    /// With VAT.
    pub gross: Cents,
    /// What it stands on.
    pub basis: Basis,
    /// What proves it.
    pub proof: Proof,
    /// Whom it is for: frozen in the proof once a person decided, until then as read out of the messages now.
    pub customer: Customer,
    /// When the caller called.
    pub called_at: DateTime<Utc>,
    /// When it was proposed.
    pub proposed_at: DateTime<Utc>,
    /// Who released it; stays where it was cancelled afterwards.
    pub released: Option<Signed>,
    /// Who cancelled it.
    pub cancelled: Option<Signed>,
    /// Why it was cancelled.
    pub reason: Option<String>,
    /// What came up since.
    pub objection: Option<Objection>,
}

impl Entry {
    /// VAT in cents.
    #[must_use]
    pub fn vat(&self) -> Cents {
        Cents(self.gross.0 - self.net.0)
    }

    /// VAT in percent: the one whole rate that makes the gross of the net (from one euro on there is only one).
    #[must_use]
    pub fn vat_percent(&self) -> Option<u8> {
        (0..=100).find(|percent| self.net.plus_percent(*percent) == self.gross)
    }

    /// Whether it had been released before it was cancelled.
    #[must_use]
    pub fn is_credited(&self) -> bool {
        self.state == ChargeState::Cancelled && self.released.is_some()
    }

    /// The words of consent, joined; none where it stands on the phone alone or the text is deleted.
    #[must_use]
    pub fn quote(&self) -> Option<String> {
        let agreed = |finding: &&Finding| {
            finding.polarity == Polarity::Holds && matches!(finding.subject, Subject::Conditions | Subject::Fee)
        };
        let quotes: Vec<&str> = self.proof.findings.iter().filter(agreed).map(|one| one.quote.trim()).collect();
        (!quotes.is_empty()).then(|| quotes.join(" … "))
    }
}

/// Whom a charge is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Customer {
    /// The company.
    pub company: Option<String>,
    /// The person.
    pub contact: Option<String>,
    /// The number to call back on: as spoken, else as displayed.
    pub callback: Option<String>,
}

impl From<Fields> for Customer {
    fn from(fields: Fields) -> Self {
        Self { company: fields.company, contact: fields.contact, callback: fields.callback.or(fields.displayed) }
    }
}

/// What proves a charge. Everything may be missing: proposals of earlier versions know less, and words may be deleted.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Proof {
    /// The statements with words, seconds and probability.
    pub findings: Vec<Finding>,
    /// SHA-256 of the recording, hex.
    pub sound_sha256: Option<String>,
    /// SHA-256 of the mail, hex.
    pub mail_sha256: Option<String>,
    /// Version of the rules that found them.
    pub rules: Option<String>,
    /// The speech models that heard it: the quick one, and the larger one where there was a second hearing.
    pub models: Vec<String>,
    /// Who asked on the phone, or listened.
    pub by: Option<String>,
    /// When he did.
    pub at: Option<DateTime<Utc>>,
    /// The verdict when a person decided.
    pub verdict: Option<Verdict>,
    /// Whom it is for, as it was when a person decided.
    pub customer: Option<Customer>,
}

/// One step of a charge; only ever added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// What.
    pub kind: StepKind,
    /// Who; none = the service.
    pub actor: Option<String>,
    /// The net amount it was about.
    pub net: Cents,
    /// The reason, what it stands on, or the other case.
    pub detail: String,
}

/// How many charges stand where, and what they come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sum {
    /// Where they stand.
    pub state: ChargeState,
    /// How many.
    pub count: u64,
    /// Net.
    pub net: Cents,
    /// With VAT.
    pub gross: Cents,
}

/// Which charges are meant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those that stand here.
    pub state: Option<ChargeState>,
    /// Only those that count between these instants (the second one not included): a released charge counts when it was
    /// released, so that no month that was handed on changes; any other one when the caller called.
    pub span: Option<(DateTime<Utc>, DateTime<Utc>)>,
}

/// One line for the accounts: a charge, or the credit of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// The charge.
    pub entry: Entry,
    /// Takes back what was released: the amounts count negative.
    pub credit: bool,
}

/// What of these charges is to be booked: each that counts in the span, and each credit that was given in it. A charge that
/// was released and later cancelled is two lines, so that nothing that was handed on vanishes silently.
#[must_use]
pub fn lines(entries: Vec<Entry>, filter: &Filter) -> Vec<Line> {
    let within = |at: DateTime<Utc>| filter.span.is_none_or(|(from, until)| from <= at && at < until);
    let wanted = |state| filter.state.is_none_or(|wanted| wanted == state);
    let mut lines = Vec::new();
    for entry in entries {
        let credit = entry.is_credited();
        let state = if credit { ChargeState::Released } else { entry.state };
        let booked_at = entry.released.as_ref().map_or(entry.called_at, |released| released.at);
        let credited = credit && (wanted(ChargeState::Released) || wanted(ChargeState::Cancelled));
        let credit_at = entry.cancelled.as_ref().filter(|_| credited).map(|cancelled| cancelled.at);
        if within(booked_at) && wanted(state) {
            lines.push(Line { entry: entry.clone(), credit: false });
        }
        if credit_at.is_some_and(within) {
            lines.push(Line { entry, credit: true });
        }
    }
    lines
}
