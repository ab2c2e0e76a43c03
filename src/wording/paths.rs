//! What is said of the ways to people themselves. Pure.

use super::{NAME_MAX, hour, safe};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Telegram does not answer.
#[must_use]
pub fn telegram_down(since: DateTime<Utc>, zone: Tz) -> String {
    format!(
        "⚠ TELEGRAM IST GESTÖRT seit {}\nAlarme kommen jetzt auf diesem Weg. Übernehmen geht erst wieder in Telegram: \
         bis dahin wird weiter alarmiert.",
        hour(since, zone)
    )
}

/// Telegram answers again.
#[must_use]
pub fn telegram_back(since: DateTime<Utc>, now: DateTime<Utc>, zone: Tz) -> String {
    format!("✅ Telegram ist wieder da\nAusfall von {} bis {}.", hour(since, zone), hour(now, zone))
}

/// Another way does not work.
#[must_use]
pub fn channel_down(name: &str, since: DateTime<Utc>, zone: Tz) -> String {
    format!(
        "⚠ ZWEITER WEG „{}“ IST GESTÖRT seit {}\nFällt auch Telegram aus, kommt dort kein Alarm an. \
         Bitte in der Konfiguration prüfen (nachtwache check).",
        safe::line(name, NAME_MAX),
        hour(since, zone)
    )
}

/// Another way works again.
#[must_use]
pub fn channel_back(name: &str, zone: Tz, now: DateTime<Utc>) -> String {
    format!("✅ Zweiter Weg „{}“ geht wieder, {}", safe::line(name, NAME_MAX), hour(now, zone))
}

/// What a notice says on another way than Telegram.
#[must_use]
pub fn by_other_way(text: &str) -> String {
    format!("{text}\n\n(zweiter Weg: bitte in Telegram antworten)")
}

/// Who called, as one field of another way's template: on one line, bounded.
#[must_use]
pub fn name_field(name: &str) -> String {
    safe::line(name, 120)
}

/// The number to call back, as one field of another way's template.
#[must_use]
pub fn number_field(number: &str) -> String {
    safe::number(number)
}
