//! What somebody who wrote a mail gets as an answer. Pure.

use super::moment;
use crate::domain::assessment::Missing;
use crate::domain::case::CaseId;
use crate::domain::phone;
use crate::domain::tariff::Tariff;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// What a receipt says.
#[derive(Debug, Clone, Copy)]
pub struct Receipted<'a> {
    /// The number of the case.
    pub case: CaseId,
    /// When the mail was written.
    pub at: DateTime<Utc>,
    /// The firm's time zone.
    pub zone: Tz,
    /// What the terms ask for and the mail lacks.
    pub missing: &'a [Missing],
    /// What may be charged.
    pub tariff: Tariff,
    /// The firm's emergency number, E.164.
    pub number: Option<&'a str>,
    /// Hours within which the firm reacts.
    pub reaction_hours: u32,
}

/// The subject of a receipt.
#[must_use]
pub fn receipt_subject(case: CaseId) -> String {
    format!("Ihre Meldung ist eingegangen – Vorgang {case}")
}

/// The text of a receipt.
#[must_use]
pub fn receipt(said: &Receipted<'_>) -> String {
    let mut lines = vec![
        "Guten Tag,".to_owned(),
        String::new(),
        format!("Ihre E-Mail ist am {} eingegangen und aufgezeichnet.", moment(said.at, said.zone)),
        format!("Sie hat die Vorgangsnummer {}. Der Bereitschaftsdienst wird benachrichtigt.", said.case),
    ];
    let needs = |what: &&Missing| !matches!((what, said.tariff), (Missing::Fee, Tariff::Surcharge { .. }));
    let missing: Vec<&Missing> = said.missing.iter().filter(needs).collect();
    if !missing.is_empty() {
        lines.extend([String::new(), "Nach unseren Bedingungen fehlt noch:".to_owned()]);
        lines.extend(missing.into_iter().map(|what| format!("– {}", demand(*what, said.tariff))));
        lines.push(String::new());
        lines.push(match said.number {
            Some(number) => {
                format!("Bitte ergänzen Sie das als Antwort auf diese E-Mail oder unter {}.", phone::spaced(number))
            }
            None => "Bitte ergänzen Sie das als Antwort auf diese E-Mail.".to_owned(),
        });
    }
    lines.extend([
        String::new(),
        format!(
            "Eine Reaktion kann mehrere Stunden dauern, bis zu {} Stunden. Ein Rechtsanspruch darauf besteht nicht.",
            said.reaction_hours
        ),
        String::new(),
        "Diese Nachricht wurde automatisch erstellt.".to_owned(),
        String::new(),
    ]);
    lines.join("\n")
}

/// What the sender must still say, as a whole sentence.
fn demand(what: Missing, tariff: Tariff) -> String {
    match what {
        Missing::Declaration => "die ausdrückliche Erklärung, dass es ein unternehmenskritischer Notfall ist".into(),
        Missing::Conditions => "Ihre Zustimmung zu unseren Geschäftsbedingungen".into(),
        Missing::Fee => match tariff {
            Tariff::Activation { net, gross, .. } => format!(
                "Ihre Zustimmung zur Aktivierungsgebühr von {} € zzgl. MwSt. ({} € brutto)",
                net.german(),
                gross.german()
            ),
            Tariff::Surcharge { .. } => "Ihre Zustimmung zur Gebühr".into(),
        },
        Missing::Company => "der Name Ihrer Firma".into(),
        Missing::Contact => "ein Ansprechpartner".into(),
        Missing::Callback => "eine Rückrufnummer, am besten mobil".into(),
        Missing::Description => "eine möglichst genaue Beschreibung der Störung".into(),
    }
}
