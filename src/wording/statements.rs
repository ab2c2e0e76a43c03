//! What was read in a message, line by line: fields, statements with their proof, money. Pure.

use super::safe::{line, number};
use super::{Known, clock_of};
use crate::domain::assessment::{
    Assessment, Consent, ConsentDoubt, Declaration, Finding, Missing, Polarity, Subject, Verdict,
};
use crate::domain::phone;
use crate::domain::report::{Medium, Report};
use crate::domain::tariff::Tariff;
use crate::domain::transcript::Doubt;

/// Longest company and person in an alert, UTF-16 units as all of these.
const NAME: usize = 120;
/// Longest displayed name.
const CALLER: usize = 60;
/// Longest description in an alert.
const DESCRIPTION: usize = 400;
/// Longest quote in an alert.
const QUOTE: usize = 110;

pub(super) fn fields(lines: &mut Vec<String>, found: &Assessment, known: &Known<'_>) {
    let fields = &found.fields;
    let mut field = |sign: &str, value: &Option<String>, missing: &str| {
        let value = value.as_ref().map(|value| line(value, NAME)).filter(|value| !value.is_empty());
        lines.push(format!("{sign} {}", value.as_deref().unwrap_or(missing)));
    };
    field("🏢", &fields.company, "Firma nicht genannt");
    field("👤", &fields.contact, "Ansprechpartner nicht genannt");
    lines.push(format!("📞 {}", callback(found, known)));
    if let Some(description) = &fields.description {
        lines.push(format!("🔧 {}", line(description, DESCRIPTION)));
    }
    if found.verdict == Verdict::Unclear {
        lines.push(match (&known.report.trouble, &found.remark) {
            (Some(_), _) => "⚠ die Aufnahme liegt nur im Postfach: bitte dort anhören".to_owned(),
            (None, why) => format!("⚠ {}", why.as_deref().map_or("nicht sicher verstanden", doubt_named)),
        });
    }
}

/// The number in E.164 as plain text, so that a phone makes it tappable.
fn callback(found: &Assessment, known: &Known<'_>) -> String {
    let fields = &found.fields;
    let Some(spoken) = fields.callback.as_deref().map(number) else {
        return match known.report.medium {
            Medium::Email | Medium::Fax => "keine Nummer genannt".into(),
            Medium::Voicemail => format!("{} (angezeigt, keine Nummer genannt)", displayed(known.report)),
        };
    };
    if known.report.medium != Medium::Voicemail {
        return format!("{spoken} (geschrieben)");
    }
    let mut note = vec!["gesprochen".to_owned()];
    if fields.callback_doubtful {
        note.push("⚠ unsicher verstanden".into());
    }
    match &fields.displayed {
        Some(displayed) if *displayed == spoken => note.push("wie angezeigt".into()),
        Some(displayed) => note.push(format!("angezeigt: {} ⚠ abweichend", number(&phone::spaced(displayed)))),
        None => note.push("angezeigt: unterdrückt".into()),
    }
    format!("{spoken} ({})", note.join("; "))
}

pub(super) fn displayed(report: &Report) -> String {
    let shown = report.caller.number.as_deref().map(|text| phone::e164(text).unwrap_or_else(|| number(text)));
    shown.filter(|text| !text.is_empty()).unwrap_or_else(|| "Nummer unterdrückt".into())
}

pub(super) fn caller(report: &Report) -> String {
    match report.caller.name.as_ref().map(|name| line(name, CALLER)).filter(|name| !name.is_empty()) {
        Some(name) => format!("{name}, {}", displayed(report)),
        None => displayed(report),
    }
}

pub(super) fn statements(lines: &mut Vec<String>, found: &Assessment) {
    let declared = match found.declaration {
        Declaration::Declared => "✅ Notfall erklärt",
        Declaration::Unqualified => "⚠ Notfall genannt, nicht als unternehmenskritisch",
        Declaration::Absent => "❌ Notfall nicht erklärt",
        Declaration::Denied => "❌ Notfall verneint",
    };
    lines.push(proven(declared, found, Subject::Declaration));
    let conditions = matches!(found.consent, Consent::Full | Consent::ConditionsOnly);
    let fee = matches!(found.consent, Consent::Full | Consent::FeeOnly);
    lines.push(agreement("Bedingungen", conditions, found, Subject::Conditions));
    lines.push(agreement("Gebühr", fee, found, Subject::Fee));
    if let Some(doubt) = found.consent_doubt {
        lines.push(format!("⚠ {}", unsafe_consent(doubt)));
    }
}

/// Why words of a full consent do not count as one.
#[must_use]
pub fn unsafe_consent(doubt: ConsentDoubt) -> String {
    let why = match doubt {
        ConsentDoubt::SecondDecode => "zweites Abhören stimmt nicht überein",
        ConsentDoubt::Improbable => "Worte unsicher erkannt",
        ConsentDoubt::OutsideSpeech | ConsentDoubt::NoProof => "Stelle in der Aufnahme nicht belegt",
        ConsentDoubt::SecondHearing => "die zweite Anhörung durch das größere Sprachmodell hörte sie nicht",
        ConsentDoubt::Heard => "nur von Hand berichtigt, vom Programm nicht so gehört",
    };
    format!("Zustimmung möglich, aber nicht gesichert: {why}. Bitte anhören.")
}

fn agreement(name: &str, holds: bool, found: &Assessment, subject: Subject) -> String {
    let head = match (holds, found.consent) {
        (true, _) => format!("✅ {name}{}", agreed_amount(found, subject)),
        (false, Consent::Refused) => format!("❌ {name} abgelehnt"),
        (false, Consent::Conditional) => format!("⚠ {name} nur unter Vorbehalt"),
        (false, _) => format!("❌ {name}: keine Zustimmung"),
    };
    if holds || matches!(found.consent, Consent::Refused | Consent::Conditional) {
        return proven(&head, found, subject);
    }
    head
}

/// To what he agreed, where that is an amount.
fn agreed_amount(found: &Assessment, subject: Subject) -> String {
    match (subject, found.tariff) {
        (Subject::Fee, Tariff::Activation { net, .. }) => format!(" {} €", net.german()),
        _ => String::new(),
    }
}

fn proven(head: &str, found: &Assessment, subject: Subject) -> String {
    let strongest = |finding: &&Finding| match finding.polarity {
        Polarity::Holds => 0,
        Polarity::Denied | Polarity::Conditional => 1,
        Polarity::Mentioned => 2,
    };
    let Some(finding) = found.findings.iter().filter(|finding| finding.subject == subject).min_by_key(strongest) else {
        return head.to_owned();
    };
    let at = finding.seconds.map(|(start, _)| format!("  {}", clock_of(start))).unwrap_or_default();
    format!("{head}{at} „{}“", line(&finding.quote, QUOTE))
}

/// What may be charged.
#[must_use]
pub fn money(found: &Assessment) -> String {
    // a verdict may be set by hand: the consent it names may be missing all the same
    let agreed = found.verdict == Verdict::Confirmed && found.consent == Consent::Full;
    let missing = if agreed { "" } else { " – erst nach Zustimmung" };
    match found.tariff {
        Tariff::Activation { net, gross, .. } => {
            format!("💶 {} € zzgl. MwSt. ({} € brutto){missing}", net.german(), gross.german())
        }
        Tariff::Surcharge { percent } => {
            format!("💶 keine Aktivierungsgebühr; {percent} % Zuschlag, falls Termine weichen")
        }
    }
}

/// What a required statement or field is called.
#[must_use]
pub fn missing(missing: Missing) -> &'static str {
    match missing {
        Missing::Declaration => "Erklärung des Notfalls",
        Missing::Conditions => "Zustimmung zu den Bedingungen",
        Missing::Fee => "Zustimmung zur Gebühr",
        Missing::Company => "Firma",
        Missing::Contact => "Ansprechpartner",
        Missing::Callback => "Rückrufnummer",
        Missing::Description => "Beschreibung der Störung",
    }
}

/// Why a text is not to be believed.
#[must_use]
pub fn doubtful(doubt: Doubt) -> &'static str {
    match doubt {
        Doubt::NoVoice => "niemand spricht",
        Doubt::Tones => "nur Töne",
        Doubt::NoWords => "keine Worte erkannt",
        Doubt::Loop => "die Abschrift dreht sich im Kreis und ist nicht zu glauben",
        Doubt::Invention => "die Abschrift ist eine bekannte Erfindung des Programms",
        Doubt::OutsideSpeech => "die Worte liegen, wo niemand spricht",
        Doubt::Improbable => "die Worte sind nur unsicher erkannt",
        Doubt::Undecodable => "die Tondatei ist nicht lesbar",
        Doubt::GivenUp => "die Abschrift ist gescheitert",
    }
}

/// The remark of an assessment begins with the doubt's name.
#[must_use]
pub fn doubt_named(remark: &str) -> &'static str {
    let all = [
        Doubt::NoVoice,
        Doubt::Tones,
        Doubt::NoWords,
        Doubt::Loop,
        Doubt::Invention,
        Doubt::OutsideSpeech,
        Doubt::Improbable,
        Doubt::Undecodable,
        Doubt::GivenUp,
    ];
    all.into_iter().find(|doubt| remark.starts_with(&format!("{doubt:?}"))).map_or("nicht sicher verstanden", doubtful)
}
