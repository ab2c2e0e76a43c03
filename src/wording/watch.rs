//! What the service says of itself: that it started, that a drill arrived or did not, that somebody is not ready. Pure.

use super::{NAME_MAX, hour, moment, safe, weekday};
use crate::domain::drill::Reached;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use chrono_tz::Tz;

/// So many mailboxes and ways are named at a start.
const NAMES: usize = 15;

/// A drill arrived; for the chat, silently.
#[must_use]
pub fn drill_arrived(seconds: i64) -> String {
    let took = if seconds < 120 { format!("{seconds} s") } else { format!("{} min", seconds / 60) };
    format!("✅ Probelauf angekommen: abgehört, geprüft, in {took}")
}

/// A drill did not arrive.
#[must_use]
pub fn drill_failed(reached: Reached, minutes: i64) -> String {
    let far = match reached {
        Reached::Laid => "Aufnahme hingelegt, nicht eingegangen",
        Reached::Stored => "Aufnahme angekommen, nicht verschriftet",
        Reached::NotTranscribed => "Aufnahme angekommen, die Spracherkennung fand keinen Text",
        Reached::Transcribed => "Aufnahme verschriftet, nicht geprüft",
        Reached::Assessed | Reached::Arrived => "Aufnahme geprüft, die Meldung kam nicht in den Chat",
    };
    format!(
        "🚨 PROBEALARM NICHT ANGEKOMMEN\nSo weit kam er in {minutes} min: {far}.\n\
         Echte Notrufe können ebenso hängen bleiben. Bitte das Postfach selbst abhören und nachsehen, ob Nachtwache läuft (nachtwache health)."
    )
}

/// What is told at a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// For how long the service was off; none = it never ran before.
    pub off: Option<TimeDelta>,
    /// Who has duty, in order.
    pub duty: &'a [String],
    /// The mailboxes.
    pub sources: &'a [String],
    /// The ways beside Telegram.
    pub channels: &'a [String],
    /// The firm's time zone.
    pub zone: Tz,
}

/// The service started; for the office, silently.
#[must_use]
pub fn started(told: &Started<'_>) -> String {
    let off = match told.off {
        None => "erster Start".to_owned(),
        Some(off) => format!("vorher aus für {}", span(off)),
    };
    let local = told.at.with_timezone(&told.zone);
    let since = format!("{} {}", weekday(local.weekday()), local.format("%d.%m. %H:%M"));
    let duty = match told.duty {
        [] => "niemand eingeteilt, es gilt die Notlösung".to_owned(),
        [first] => first.clone(),
        [first, backup, ..] => format!("{first}, Vertretung {backup}"),
    };
    let ways: Vec<String> = std::iter::once("Telegram".to_owned()).chain(told.channels.iter().cloned()).collect();
    format!(
        "🌙 Nachtwache ist wach seit {since} · {off}\nDienst: {duty}\nPostfächer: {}\nWege: {}",
        listed(told.sources),
        listed(&ways)
    )
}

/// The first names, and how many more there are.
fn listed(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMES).map(|name| safe::line(name, NAME_MAX)).collect();
    shown.extend((names.len() > NAMES).then(|| format!("… und {} weitere", names.len() - NAMES)));
    shown.join(", ")
}

/// The service starts again and again; for the office and the technician on duty, loudly.
#[must_use]
pub fn restarts(starts: usize, minutes: i64) -> String {
    format!(
        "⚠ NACHTWACHE STARTET IMMER WIEDER NEU\n{starts} Starts in {minutes} min. Bitte im Protokoll nach dem Grund sehen \
         (journalctl -u nachtwache). Bis dahin das Postfach auch selbst abhören."
    )
}

/// More reports wait for their transcripts than should; for the office, loudly.
#[must_use]
pub fn queue_grows(waiting: i64, oldest: TimeDelta) -> String {
    let wait = if waiting == 1 { "1 Meldung wartet".to_owned() } else { format!("{waiting} Meldungen warten") };
    format!(
        "⚠ DIE ABSCHRIFTEN KOMMEN NICHT NACH\n{wait} auf die Abschrift, die älteste seit {}. Alarmiert wird trotzdem, aber ohne \
         Text: bitte die Aufnahmen selbst abhören und nachsehen, ob das Sprachmodell läuft (nachtwache health).",
        span(oldest)
    )
}

/// They do not any longer; for the office, silently.
#[must_use]
pub fn queue_over(lasted: TimeDelta) -> String {
    format!("✅ Die Abschriften sind wieder auf dem Laufenden (Rückstand gemeldet vor {})", span(lasted))
}

/// Asks whoever takes over whether he is ready.
#[must_use]
pub fn ready(begins: DateTime<Utc>, again: bool, zone: Tz) -> String {
    let head = if again { "⏰ Bist du bereit?" } else { "Bist du bereit?" };
    format!("{head} Dein Dienst beginnt um {}.", hour(begins, zone))
}

/// What remains of the question once it is answered.
#[must_use]
pub fn ready_said(begins: DateTime<Utc>, zone: Tz) -> String {
    format!("✅ Bereit gemeldet · Dienst ab {}", moment(begins, zone))
}

/// What remains of the question once the shift is somebody else's.
#[must_use]
pub fn ready_over() -> &'static str {
    "Diesen Dienst hat inzwischen jemand anders."
}

/// The label of the button.
#[must_use]
pub fn ready_button() -> &'static str {
    "Bin bereit"
}

/// The short answer to the press.
#[must_use]
pub fn ready_thanks() -> &'static str {
    "Danke, ist vermerkt."
}

/// Whoever takes over has not said that he is ready.
#[must_use]
pub fn not_ready(who: &str, begins: DateTime<Utc>, zone: Tz) -> String {
    format!(
        "⚠ {who} hat nicht bestätigt\nDer Dienst von {who} beginnt jetzt ({}). Bitte nachfragen, ob {who} erreichbar ist.",
        hour(begins, zone)
    )
}

/// He said so late.
#[must_use]
pub fn ready_late(who: &str, at: DateTime<Utc>, zone: Tz) -> String {
    format!("✅ {who} hat doch noch bestätigt ({})", hour(at, zone))
}

/// "3 min", "2 h 05 min", "4 Tage"
#[must_use]
pub fn span(span: TimeDelta) -> String {
    let minutes = span.num_minutes();
    match minutes {
        ..1 => "weniger als 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2880 => format!("{} h {:02} min", minutes / 60, minutes % 60),
        _ => format!("{} Tage", minutes / 1440),
    }
}
