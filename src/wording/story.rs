//! A case's story, its notices and its findings in plain German, for the page. Pure.

use super::charges::withdrawn;
use super::statements::doubt_named;
use super::{reason, title};
use crate::domain::act::Act;
use crate::domain::assessment::{Polarity, Subject, Verdict};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{Delivery, NoticeKind};

/// One line of a story, without its time. Details are written for the log, in English: only what is known of them is told.
#[must_use]
#[expect(clippy::too_many_lines, reason = "one arm a kind")]
pub fn story(event: &Event) -> String {
    let detail = event.detail.as_str();
    let who = event.actor.as_deref().unwrap_or("Nachtwache");
    let words = match event.kind {
        EventKind::Stored => return format!("Eingegangen über „{detail}“"),
        EventKind::SeenAgain => "Dieselbe Nachricht noch einmal gesehen",
        EventKind::Confirmed => "Dem Postfach bestätigt",
        EventKind::Transcribed => return transcribed(detail),
        EventKind::Failed => "Ein Schritt ist gescheitert und wird wiederholt",
        EventKind::GivenUp => "Abschrift gescheitert: bitte anhören",
        EventKind::Assessed => {
            return verdict(detail).map_or_else(|| "Geprüft".into(), |found| format!("Geprüft: {found}"));
        }
        EventKind::HeardAgain => return heard_again(detail),
        EventKind::Opened => return opened(detail),
        EventKind::Rang => return rang(detail),
        EventKind::Sent => return sent(detail),
        EventKind::Undelivered => return undelivered(detail),
        EventKind::Acted | EventKind::Closed => return acted(who, detail),
        EventKind::Noted => return format!("{who} hat etwas notiert"),
        EventKind::Proposed => return proposed(detail),
        EventKind::Withdrawn => return format!("Vorgeschlagene Gebühr zurückgenommen: {}", withdrawn(detail)),
        EventKind::Released => return format!("{who} hat die Gebühr freigegeben"),
        EventKind::Cancelled => return format!("{who} hat die Gebühr storniert"),
        EventKind::Objected => "Gegen die Gebühr ist etwas eingewandt: bitte prüfen",
        EventKind::Corrected => return format!("{who} hat etwas berichtigt; neu geprüft"),
        EventKind::Example => return format!("{who} hat ein Beispiel für die Regeln angelegt oder geändert"),
        EventKind::Rules => return format!("{who} hat die Regeln geändert"),
        EventKind::Vocabulary => return format!("{who} hat den Wortschatz geändert"),
        EventKind::Deleted => "Gelöscht: Die Frist war um, oder es wurde verlangt",
        EventKind::Held => return format!("{who} hat die Löschung angehalten oder wieder zugelassen"),
        EventKind::Exported => return format!("{who} hat eine Auskunft ausgegeben"),
        EventKind::Moved => "Ein Telegram-Chat hat eine neue Nummer",
        EventKind::Joined if detail == "same_message" => "Dieselbe Nachricht kam noch auf einem anderen Weg",
        EventKind::Joined => "Eine weitere Nachricht gehört dazu",
        EventKind::Split => return format!("{who} hat eine Nachricht abgetrennt: Sie ist ein eigener Vorgang"),
        EventKind::Trouble => "Störung am Postfach gemeldet",
        EventKind::Queue => "Rückstand bei den Abschriften gemeldet",
        EventKind::Receipt if detail.starts_with("sent") => "Eingangsbestätigung verschickt",
        EventKind::Receipt => "Eingangsbestätigung noch nicht verschickt",
        EventKind::OtherWay => return other_way(detail),
        EventKind::Reminded => return reminded(detail),
        EventKind::Resumed => {
            let who = detail.split(" did not call back").next().unwrap_or_default();
            return format!("{who} hat nicht rechtzeitig zurückgerufen: Die Eskalation läuft weiter");
        }
        EventKind::Lapsed => {
            let to = detail.split(" did not accept").next().unwrap_or_default();
            return format!("{to} hat die Übergabe nicht angenommen");
        }
        EventKind::Path => "Ein Weg zu den Technikern fiel aus oder geht wieder",
        EventKind::Paired => "Telefon gekoppelt oder entkoppelt",
        EventKind::Roster => return format!("{who} hat den Dienstplan geändert"),
        EventKind::Access => return format!("{who}: Zugang zur Seite"),
        EventKind::Account => return format!("{who}: Konto geändert"),
        EventKind::Mended => "Selbstprüfung: Der Vorgang wurde wieder aufgenommen",
    };
    words.to_owned()
}

fn verdict(word: &str) -> Option<&'static str> {
    Verdict::parse(word).map(title)
}

fn transcribed(detail: &str) -> String {
    match detail.strip_suffix(" words") {
        Some("1") => "Abschrift fertig: 1 Wort".into(),
        Some(count) => format!("Abschrift fertig: {count} Wörter"),
        None => format!("Abschrift nicht zu glauben: {}", doubt_named(detail)),
    }
}

/// "confirmed, incomplete -> confirmed", "ignored, stays incomplete", "confirmed, closed", "given up: why"
fn heard_again(detail: &str) -> String {
    let verdict = |word: &str| Verdict::parse(word).map(super::verdict);
    let (alone, came) = detail.split_once(", ").unwrap_or((detail, ""));
    let Some(alone) = verdict(alone) else { return "Zweite Anhörung ohne Ergebnis: Es bleibt bei der ersten".into() };
    match came.split_once(" -> ").and_then(|(_, now)| verdict(now)) {
        Some(now) => format!("Zweite Anhörung: {alone}. Jetzt gilt: {now}"),
        None if came == "closed" => format!("Zweite Anhörung: {alone}. Der Vorgang war schon beendet"),
        None => format!("Zweite Anhörung: {alone}. Es bleibt beim ersten Urteil"),
    }
}

fn opened(detail: &str) -> String {
    match verdict(detail) {
        Some(found) => format!("Vorgang eröffnet: {found}"),
        None => "Vorgang eröffnet, noch bevor etwas verstanden war".into(),
    }
}

/// "ring 2: Anna, Bernd"
fn rang(detail: &str) -> String {
    let (ring, names) = detail.split_once(": ").unwrap_or(("", detail));
    let ring = ring.strip_prefix("ring ").map(|number| format!(" ({number}. Runde)")).unwrap_or_default();
    format!("Gerufen{ring}: {}", names.replace("office", "Büro"))
}

/// "alert to Anna"
fn sent(detail: &str) -> String {
    let Some((kind, to)) = detail.split_once(" to ") else { return "Zugestellt".into() };
    let what = NoticeKind::parse(kind).map_or("Nachricht", notice);
    format!("{what} zugestellt: {}", recipient(to))
}

/// "Anna: why", "Anna by mail: why"
fn undelivered(detail: &str) -> String {
    let to = detail.split(": ").next().unwrap_or_default();
    match to.split_once(" by ") {
        Some((to, way)) => format!("Nicht zugestellt: {} über „{way}“", recipient(to)),
        None => format!("Nicht zugestellt: {}", recipient(to)),
    }
}

/// "48,00", "48,00 (on the phone)", "48,00 (heard by a person)"
fn proposed(detail: &str) -> String {
    let (net, basis) = detail.split_once(" (").unwrap_or((detail, ""));
    let basis = match basis {
        "on the phone)" => ", nach Zustimmung am Telefon",
        "heard by a person)" => ", nach einer Berichtigung von Hand",
        _ => "",
    };
    format!("Gebühr vorgeschlagen: {net} € netto{basis}")
}

/// "Anna: by mail, webhook"
fn other_way(detail: &str) -> String {
    let (to, ways) = detail.split_once(": by ").unwrap_or((detail, ""));
    format!("Keine Antwort von {}: auch über „{ways}“ gerufen", recipient(to))
}

fn reminded(detail: &str) -> String {
    match detail.strip_suffix(": not closed") {
        Some(who) => format!("{who} an den Abschluss erinnert"),
        None => format!("{detail} an den Rückruf erinnert"),
    }
}

/// "take", "eta: 30", "none: misdial"
fn acted(who: &str, detail: &str) -> String {
    let data = match detail.split_once(": ") {
        Some((word, detail)) => format!("{word}:0:{detail}"),
        None => format!("{detail}:0"),
    };
    let Some((act, _)) = Act::parse(&data) else {
        return "Beendet: nach der Prüfung kein Notfall".into();
    };
    let did = match act {
        Act::Take => "hat übernommen".into(),
        Act::Pass(_) => "hat weitergegeben: Der Nächste wird gerufen".into(),
        Act::NoEmergency(why) => format!("hat beendet: kein Notfall ({})", reason(&why)),
        Act::Transcript => "hat sich die Abschrift schicken lassen".into(),
        Act::Show => "hat sich den Vorgang zeigen lassen".into(),
        Act::Eta(minutes) => format!("will in {minutes} Minuten zurückrufen"),
        Act::CalledBack => "hat zurückgerufen".into(),
        Act::Consent(true) => "hat die Zustimmung am Telefon erhalten".into(),
        Act::Consent(false) => "hat am Telefon keine Zustimmung erhalten".into(),
        Act::Done => "hat den Vorgang erledigt".into(),
        Act::GiveBack => "hat zurückgegeben: Die Eskalation läuft weiter".into(),
        Act::HandOver(to) => format!("möchte an {to} übergeben"),
        Act::Accept => "hat die Übergabe angenommen".into(),
        Act::Decline => "hat die Übergabe abgelehnt".into(),
        Act::Split(_) => "hat die letzte Nachricht abgetrennt".into(),
    };
    format!("{who} {did}")
}

/// To whom a notice goes.
#[must_use]
pub fn recipient(name: &str) -> &str {
    if name == "office" { "Büro" } else { name }
}

/// What a notice is called.
#[must_use]
pub fn notice(kind: NoticeKind) -> &'static str {
    match kind {
        NoticeKind::Voice => "Aufnahme",
        NoticeKind::Alert => "Alarm",
        NoticeKind::Transcript => "Abschrift",
        NoticeKind::Text | NoticeKind::Outage => "Störung am Postfach",
        NoticeKind::Hint => "Hinweis",
        NoticeKind::Remind => "Erinnerung",
        NoticeKind::Offer => "Übergabe",
        NoticeKind::Question => "Frage",
        NoticeKind::Bundle => "Liste",
        NoticeKind::Ready => "Bereitschaft",
        NoticeKind::Swap => "Diensttausch",
        NoticeKind::Test => "Testalarm",
        NoticeKind::Drill => "Probelauf",
        NoticeKind::Message => "Nachricht",
        NoticeKind::Reply => "Antwort",
    }
}

/// How far a delivery is.
#[must_use]
pub fn delivery(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::Due => "wartet",
        Delivery::Sending => "wird gesendet",
        Delivery::Sent => "zugestellt",
        Delivery::Failed => "nicht zugestellt",
        Delivery::Gone => "zurückgenommen",
    }
}

/// What a finding is about.
#[must_use]
pub fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Declaration => "Erklärung des Notfalls",
        Subject::Conditions => "Bedingungen",
        Subject::Fee => "Gebühr",
        Subject::Urgency => "Dringlichkeit",
    }
}

/// Which way a finding counts.
#[must_use]
pub fn polarity(polarity: Polarity) -> &'static str {
    match polarity {
        Polarity::Holds => "✓ gilt",
        Polarity::Denied => "✗ verneint",
        Polarity::Conditional => "⚠ unter Vorbehalt",
        Polarity::Mentioned => "– nur erwähnt",
    }
}

/// What the decoder noticed of a sound, which is written for the log.
#[must_use]
pub fn sound_remark(remark: &str) -> &'static str {
    if remark.contains("truncated") {
        "Die Aufnahme bricht ab: Es fehlt etwas vom Ende."
    } else if remark.contains("only the beginning") {
        "Die Aufnahme ist sehr lang: Nur der Anfang wurde abgehört."
    } else {
        "An der Tondatei ist etwas ungewöhnlich. Bitte anhören."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn told(kind: EventKind, detail: &str) -> String {
        story(&Event::new(DateTime::UNIX_EPOCH, kind, detail).by("Anna"))
    }

    #[test]
    fn every_line_of_a_story_is_german() {
        let lines = [
            (EventKind::Stored, "spool", "Eingegangen über „spool“"),
            (EventKind::Transcribed, "42 words", "Abschrift fertig: 42 Wörter"),
            (EventKind::Transcribed, "NoWords", "Abschrift nicht zu glauben: keine Worte erkannt"),
            (EventKind::Assessed, "confirmed", "Geprüft: Notfall bestätigt"),
            (EventKind::Opened, "unheard", "Vorgang eröffnet, noch bevor etwas verstanden war"),
            (EventKind::Rang, "ring 2: Anna, office", "Gerufen (2. Runde): Anna, Büro"),
            (EventKind::Sent, "alert to Anna", "Alarm zugestellt: Anna"),
            (EventKind::Undelivered, "office by mail: refused: x", "Nicht zugestellt: Büro über „mail“"),
            (EventKind::Acted, "take", "Anna hat übernommen"),
            (EventKind::Acted, "eta: 30", "Anna will in 30 Minuten zurückrufen"),
            (EventKind::Closed, "none: other:nur ein Test", "Anna hat beendet: kein Notfall (nur ein Test)"),
            (EventKind::Closed, "harmless", "Beendet: nach der Prüfung kein Notfall"),
            (EventKind::Acted, "hand: Jörg: der Zweite", "Anna möchte an Jörg: der Zweite übergeben"),
            (
                EventKind::Proposed,
                "48,00 (on the phone)",
                "Gebühr vorgeschlagen: 48,00 € netto, nach Zustimmung am Telefon",
            ),
            (EventKind::OtherWay, "Anna: by mail", "Keine Antwort von Anna: auch über „mail“ gerufen"),
            (EventKind::Reminded, "Anna: not closed", "Anna an den Abschluss erinnert"),
            (EventKind::Lapsed, "Bernd did not accept, Anna keeps it", "Bernd hat die Übergabe nicht angenommen"),
        ];
        for (kind, detail, expected) in lines {
            assert_eq!(told(kind, detail), expected);
        }
    }
}
