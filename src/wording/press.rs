//! Buttons, and the short answers to a press. Pure.

use super::safe;
use crate::domain::act::{Act, Refusal};
use crate::domain::case::{CaseId, Reason};
use crate::domain::notice::Menu;

/// The label of a button.
#[must_use]
pub fn button(act: &Act) -> String {
    let label = match act {
        Act::Take => "Übernehmen",
        Act::Pass(_) => "Weitergeben",
        Act::NoEmergency(why) => return reason(why),
        Act::Transcript => "Abschrift",
        Act::Show => "Zeigen",
        Act::Eta(minutes) => return format!("{minutes} min"),
        Act::CalledBack => "Rückruf erfolgt",
        Act::Consent(true) => "Zustimmung erhalten",
        Act::Consent(false) => "Zustimmung abgelehnt",
        Act::Done => "Erledigt",
        Act::GiveBack => "Zurückgeben",
        Act::HandOver(to) => to,
        Act::Accept => "Annehmen",
        Act::Decline => "Ablehnen",
        Act::Split(_) => "Gehört nicht dazu",
    };
    label.to_owned()
}

/// The label of a button that opens a menu.
#[must_use]
pub fn menu(menu: Menu) -> &'static str {
    match menu {
        Menu::Eta => "Andere Zeit …",
        Menu::Reason => "Kein Notfall …",
        Menu::Hand => "Übergeben …",
    }
}

/// The label of the button that closes a menu.
#[must_use]
pub fn back() -> &'static str {
    "‹ Zurück"
}

/// The label of the button that asks for an answer in one's own words.
#[must_use]
pub fn other() -> &'static str {
    "Anderer Grund …"
}

/// The label of a button in a list of cases.
#[must_use]
pub fn show(case: CaseId) -> String {
    format!("{case} zeigen")
}

/// Why a case is no emergency.
#[must_use]
pub fn reason(why: &Reason) -> String {
    let words = match why {
        Reason::Misdial => "verwählt",
        Reason::Settled => "hat sich erledigt",
        Reason::CanWait => "hat Zeit bis morgen",
        Reason::NoCustomer => "kein Kunde",
        Reason::Duplicate => "doppelt gemeldet",
        Reason::Other(text) => return safe::line(text, 120),
    };
    words.to_owned()
}

/// The short answer to a press.
#[must_use]
pub fn answer(act: &Act) -> String {
    let words = match act {
        Act::Take | Act::Accept => "Du hast übernommen. Wann rufst du zurück?",
        Act::Pass(_) => "Weitergegeben: der Nächste wird gerufen.",
        Act::NoEmergency(_) => "Als „kein Notfall“ beendet.",
        Act::Transcript => "Die Abschrift kommt.",
        Act::Show => "Kommt.",
        Act::Eta(minutes) => return format!("Rückruf in {minutes} Minuten vermerkt."),
        Act::CalledBack => "Rückruf vermerkt.",
        Act::Consent(true) => "Zustimmung am Telefon vermerkt: erhalten.",
        Act::Consent(false) => "Zustimmung am Telefon vermerkt: abgelehnt.",
        Act::Done => "Erledigt.",
        Act::GiveBack => "Zurückgegeben, die Eskalation läuft weiter.",
        Act::HandOver(to) => return format!("{to} ist gefragt. Bis zur Annahme bleibt der Vorgang bei dir."),
        Act::Decline => "Abgelehnt.",
        Act::Split(_) => "Die letzte Nachricht ist jetzt ein eigener Vorgang.",
    };
    words.to_owned()
}

/// Why a press changed nothing.
#[must_use]
pub fn refusal(refusal: &Refusal) -> String {
    let words = match refusal {
        Refusal::TakenBy(who) => return format!("Schon übernommen von {who}."),
        Refusal::Closed => "Der Vorgang ist schon beendet.",
        Refusal::NotYours => "Bitte zuerst übernehmen.",
        Refusal::Already => "Ist schon vermerkt.",
        Refusal::NotOffered => "Der Vorgang wird dir nicht (mehr) übergeben.",
        Refusal::NobodyElse => "An diese Person kann der Vorgang nicht übergeben werden.",
        Refusal::NoTime => "Bitte eine Zeit innerhalb der nächsten 12 Stunden nennen, zum Beispiel 45 oder 23:30.",
    };
    words.to_owned()
}

/// A note was taken.
#[must_use]
pub fn noted(case: CaseId) -> String {
    format!("Notiert zu Vorgang {case}.")
}

/// A note was taken on a case that is closed.
#[must_use]
pub fn noted_closed(case: CaseId) -> String {
    format!("Notiert zu Vorgang {case}, der aber schon beendet ist: Es wird niemand gerufen.")
}

/// To somebody who is no technician of the firm.
#[must_use]
pub fn stranger() -> &'static str {
    "Dafür bist du nicht freigeschaltet."
}

/// To a press that takes longer than a moment.
#[must_use]
pub fn under_way() -> &'static str {
    "Wird bearbeitet …"
}

/// To a press on something that no longer exists.
#[must_use]
pub fn unknown_button() -> &'static str {
    "Diesen Knopf kenne ich nicht mehr."
}
