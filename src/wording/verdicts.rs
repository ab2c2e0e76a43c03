//! The verdicts' names: one table for every door.

use crate::domain::assessment::Verdict;

/// A verdict as the head of an alert or of a list.
#[must_use]
pub fn title(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "Notfall bestätigt",
        Verdict::Incomplete => "Notfall unvollständig",
        Verdict::Unclear => "Unklar – bitte anhören",
        Verdict::NotEmergency => "kein Notfall – Morgenliste",
        Verdict::Ignored => "keine Nachricht",
    }
}

/// A verdict's name within a sentence.
#[must_use]
pub fn verdict(verdict: Verdict) -> &'static str {
    names(verdict).0
}

/// A verdict's name where it stands first.
#[must_use]
pub fn verdict_first(verdict: Verdict) -> &'static str {
    names(verdict).1
}

fn names(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Confirmed => ("bestätigt", "Bestätigt"),
        Verdict::Incomplete => ("unvollständig", "Unvollständig"),
        Verdict::Unclear => ("unklar", "Unklar"),
        Verdict::NotEmergency => ("kein Notfall", "Kein Notfall"),
        Verdict::Ignored => ("keine Nachricht", "Keine Nachricht"),
    }
}
