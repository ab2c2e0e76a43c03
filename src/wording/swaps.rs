//! What the two people of a swap read, and the office. Pure.

use super::commands::span;
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// Which shift is to be given away.
#[must_use]
pub fn which_shift(any: bool) -> &'static str {
    if any {
        "🔁 Welchen Dienst möchtest du abgeben?"
    } else {
        "Du hast in den nächsten vier Wochen keinen Dienst."
    }
}

/// To whom.
#[must_use]
pub fn to_whom(from: DateTime<Utc>, until: DateTime<Utc>, any: bool, zone: Tz) -> String {
    let question = if any { "Wen soll ich fragen?" } else { "In dieser Zeit kann niemand übernehmen." };
    format!("🔁 {}\n{question}", span(from, until, zone))
}

/// How far a swap is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swap {
    /// The colleague has not answered.
    Asked,
    /// He has it.
    Agreed,
    /// He does not want it.
    Refused,
    /// The asker took it back.
    Withdrawn,
    /// He did not answer in time.
    Lapsed,
}

/// A swap as its two people see it.
#[derive(Debug, Clone, Copy)]
pub struct Swapping<'a> {
    /// Who gives the shift away.
    pub from_whom: &'a str,
    /// Who is asked.
    pub to_whom: &'a str,
    /// From.
    pub from: DateTime<Utc>,
    /// To.
    pub until: DateTime<Utc>,
    /// How far it is.
    pub state: Swap,
}

/// What the message of the one who is asked shows.
#[must_use]
pub fn swap_for_colleague(swap: Swapping<'_>, zone: Tz) -> String {
    let (who, time) = (swap.from_whom, span(swap.from, swap.until, zone));
    match swap.state {
        Swap::Asked => format!("🔁 {who} fragt: Übernimmst du den Dienst?\n{time}"),
        Swap::Agreed => format!("✅ Du hast den Dienst von {who} übernommen\n{time}"),
        Swap::Refused => format!("Abgelehnt: Dienst von {who}\n{time}"),
        Swap::Withdrawn => format!("Zurückgezogen: {who} behält den Dienst\n{time}"),
        Swap::Lapsed => format!("Abgelaufen: {who} behält den Dienst\n{time}"),
    }
}

/// What the message of the one who asks shows.
#[must_use]
pub fn swap_for_asker(swap: Swapping<'_>, zone: Tz) -> String {
    let (who, time) = (swap.to_whom, span(swap.from, swap.until, zone));
    match swap.state {
        Swap::Asked => format!("🔁 {who} ist gefragt\n{time}\nBis zur Antwort bleibt der Dienst bei dir."),
        Swap::Agreed => format!("✅ {who} hat deinen Dienst übernommen\n{time}"),
        Swap::Refused => format!("❌ {who} übernimmt nicht, du behältst den Dienst\n{time}"),
        Swap::Withdrawn => format!("Zurückgezogen, du behältst den Dienst\n{time}"),
        Swap::Lapsed => format!("⌛ {who} hat nicht geantwortet, du behältst den Dienst\n{time}"),
    }
}

/// To the office: a shift has changed hands.
#[must_use]
pub fn swapped(swap: Swapping<'_>, zone: Tz) -> String {
    format!("🔁 {} übernimmt den Dienst von {}\n{}", swap.to_whom, swap.from_whom, span(swap.from, swap.until, zone))
}

/// To whoever has duty where nobody had it.
#[must_use]
pub fn has_duty(from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> String {
    format!("📅 Dienstplan geändert: Du hast Dienst\n{}", span(from, until, zone))
}

/// To whoever has duty no longer, and nobody instead.
#[must_use]
pub fn no_longer_has_duty(from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> String {
    format!("📅 Dienstplan geändert: Du hast keinen Dienst\n{}", span(from, until, zone))
}

/// The label of the button that takes a request back.
#[must_use]
pub fn withdraw() -> &'static str {
    "Zurückziehen"
}

/// Why a press on a swap changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoSwap {
    /// Decided already, or too late.
    Over,
    /// The same press was heard before.
    AskedAlready,
    /// Not for whoever pressed.
    NotYours,
    /// The asker does not have this shift (any more).
    NotHis,
    /// Whoever is asked is away then.
    Away,
    /// The colleague cannot be asked here.
    Unreachable,
}

/// See `NoSwap`.
#[must_use]
pub fn no_swap(why: NoSwap) -> &'static str {
    match why {
        NoSwap::Over => "Das ist schon entschieden oder zu spät.",
        NoSwap::AskedAlready => "Die Anfrage läuft schon.",
        NoSwap::NotYours => "Diese Anfrage ist nicht an dich.",
        NoSwap::NotHis => "Diesen Dienst gibt es so nicht mehr. Bitte noch einmal /tausch.",
        NoSwap::Away => "In dieser Zeit bist du nicht im Dienstplan (Pause oder abwesend).",
        NoSwap::Unreachable => "Das kann hier gerade nicht gefragt werden.",
    }
}
