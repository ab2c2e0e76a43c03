//! What is said while somebody has a case: reminders, hand-over, questions. Pure.

use super::{hour, moment};
use crate::domain::case::{Case, CaseId};
use crate::domain::life::Patience;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Where more stands than may be said here.
#[must_use]
pub fn link(url: &str) -> String {
    format!("🔗 {url}")
}

/// The time by which the taker wanted to call back has passed. `about` says whom and which number, where that may be seen.
#[must_use]
pub fn remind(case: &Case, patience: &Patience, about: &[String], zone: Tz) -> String {
    let mut lines = vec![format!("⏰ RÜCKRUF ÜBERFÄLLIG · Vorgang {}", case.id)];
    let promised = case.eta_at.map(|at| format!("Rückruf erwartet bis {}. ", hour(at, zone))).unwrap_or_default();
    let resumes = case.reminded_at.map(|at| hour(at + patience.grace, zone)).unwrap_or_default();
    lines.push(format!("{promised}Hast du zurückgerufen?"));
    lines.push(format!("Ohne Antwort wird ab {resumes} weiter alarmiert."));
    if !about.is_empty() {
        lines.push(String::new());
        lines.extend(about.iter().cloned());
    }
    lines.join("\n")
}

/// What remains of a reminder or a question once it is answered.
#[must_use]
pub fn remind_over(case: CaseId) -> String {
    format!("Vorgang {case} · Erinnerung erledigt")
}

/// Called back, and still not closed.
#[must_use]
pub fn unclosed(case: &Case, zone: Tz) -> String {
    let called = case.called_back_at.map(|at| moment(at, zone)).unwrap_or_default();
    format!("🕓 Vorgang {} ist noch nicht abgeschlossen\nRückruf: {called}. Ist der Vorgang erledigt?", case.id)
}

/// A colleague wants to hand a case over; `alert` is what he saw himself.
#[must_use]
pub fn offer(case: &Case, from: &str, until: DateTime<Utc>, alert: &str, zone: Tz) -> String {
    format!(
        "🤝 {from} möchte dir Vorgang {} übergeben\nBitte bis {} annehmen, sonst bleibt er bei {from}.\n\n{alert}",
        case.id,
        hour(until, zone)
    )
}

/// What remains of an offer once it is decided.
#[must_use]
pub fn offer_over(case: &Case, to: &str) -> String {
    match &case.taken_by {
        Some(who) if who == to => format!("Vorgang {} · du hast übernommen", case.id),
        Some(who) => format!("Vorgang {} · Übergabe vorbei, {who} hat ihn", case.id),
        None => format!("Vorgang {} · Übergabe vorbei", case.id),
    }
}

/// Whom it was offered to did not accept.
#[must_use]
pub fn lapsed(case: CaseId, to: &str) -> String {
    format!("↩ Vorgang {case} bleibt bei dir\n{to} hat die Übergabe nicht angenommen.")
}

/// A question that is answered with a text.
#[must_use]
pub fn question(about: &str, case: CaseId) -> String {
    match about {
        "eta" => {
            format!("Wann rufst du zurück? (Vorgang {case})\nAntworte auf diese Nachricht, zum Beispiel: 45 oder 23:30")
        }
        _ => format!("Warum ist Vorgang {case} kein Notfall?\nAntworte auf diese Nachricht mit ein paar Worten."),
    }
}
