//! Charges as people and programs for accounts read them. Pure.

use super::{day, minute};
use crate::domain::charge::{Basis, ChargeState, Entry, Line, Objection, Step, StepKind};
use crate::domain::phone;
use crate::domain::tariff::Cents;
use chrono_tz::Tz;

const HEAD: [&str; 14] = [
    "Vorgang",
    "Datum",
    "Firma",
    "Ansprechpartner",
    "Rückrufnummer",
    "Netto",
    "Steuersatz",
    "Steuer",
    "Brutto",
    "Grundlage",
    "Zustimmung",
    "Freigegeben von",
    "Freigegeben am",
    "Status",
];
/// Programs for tables take UTF-8 for something else without it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The lines as a table for accounts: UTF-8 with its mark, semicolons, every cell quoted, CRLF, comma before the cents.
#[must_use]
pub fn csv(lines: &[Line], zone: Tz) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(BYTE_ORDER_MARK.to_vec());
    writer.write_record(HEAD).expect("memory takes it");
    for line in lines {
        writer.write_record(cells(line, zone)).expect("memory takes it");
    }
    writer.into_inner().expect("memory takes it")
}

fn cells(line: &Line, zone: Tz) -> [String; 14] {
    let entry = &line.entry;
    let amount = |cents: Cents| signed(if line.credit { Cents(-cents.0) } else { cents });
    let credited_at = entry.cancelled.as_ref().filter(|_| line.credit).map(|cancelled| cancelled.at);
    let text = |text: Option<&str>| cell(text.unwrap_or_default());
    let released = entry.released.as_ref();
    let callback = entry.customer.callback.as_deref().map(phone::spaced);
    [
        entry.case.to_string(),
        day(credited_at.unwrap_or(entry.called_at), zone),
        text(entry.customer.company.as_deref()),
        text(entry.customer.contact.as_deref()),
        text(callback.as_deref()),
        amount(entry.net),
        entry.vat_percent().map(|percent| percent.to_string()).unwrap_or_default(),
        amount(entry.vat()),
        amount(entry.gross),
        basis(entry.basis).to_owned(),
        text(agreed(entry, zone).as_deref()),
        text(released.map(|released| released.by.as_str())),
        released.map(|released| day(released.at, zone)).unwrap_or_default(),
        standing(line).to_owned(),
    ]
}

/// What the customer agreed with: his words, or who asked him and when.
#[must_use]
pub fn agreed(entry: &Entry, zone: Tz) -> Option<String> {
    if let Some(quote) = entry.quote() {
        return Some(quote);
    }
    let (by, at) = entry.proof.by.as_ref().zip(entry.proof.at)?;
    Some(format!("am Telefon bei {by}, {}", minute(at, zone)))
}

/// A text of others as a cell of one line that no program for tables runs (F-127).
#[must_use]
pub fn cell(text: &str) -> String {
    let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{line}") } else { line }
}

/// An amount with its sign: `-48,00`.
#[must_use]
pub fn signed(cents: Cents) -> String {
    let sign = if cents.0 < 0 { "-" } else { "" };
    format!("{sign}{}", Cents(cents.0.abs()).german())
}

/// What a charge stands on.
#[must_use]
pub fn basis(basis: Basis) -> &'static str {
    match basis {
        Basis::Spoken => "Nachricht",
        Basis::Phone => "Telefon",
        Basis::Heard => "abgehört",
    }
}

/// Where a charge stands.
#[must_use]
pub fn state(state: ChargeState) -> &'static str {
    match state {
        ChargeState::Proposed => "vorgeschlagen",
        ChargeState::Released => "freigegeben",
        ChargeState::Cancelled => "storniert",
    }
}

fn standing(line: &Line) -> &'static str {
    match line.entry.state {
        _ if line.credit => "Gutschrift",
        ChargeState::Cancelled if line.entry.is_credited() => state(ChargeState::Released),
        other => state(other),
    }
}

/// What came up about a charge since, and what to do.
#[must_use]
pub fn objection(objection: Objection) -> &'static str {
    match objection {
        Objection::Refused => "Der Kunde hat danach am Telefon abgelehnt. Bitte prüfen und gegebenenfalls stornieren.",
        Objection::Split => {
            "Die Nachricht, die sie belegt, gehört jetzt zu einem anderen Vorgang. Bitte prüfen und gegebenenfalls stornieren."
        }
        Objection::Judged => "Eine spätere Prüfung belegt sie nicht mehr. Bitte prüfen und gegebenenfalls stornieren.",
    }
}

/// One step of a charge's history, without who and when.
#[must_use]
pub fn step(step: &Step) -> String {
    let other = step.detail.rsplit(' ').next().unwrap_or_default();
    match step.kind {
        StepKind::Proposed => format!("vorgeschlagen, Grundlage: {}", Basis::parse(&step.detail).map_or("", basis)),
        StepKind::Withdrawn => format!("Vorschlag zurückgenommen: {}", withdrawn(&step.detail)),
        StepKind::Released => "freigegeben".into(),
        StepKind::Cancelled => format!("storniert: {}", step.detail),
        StepKind::Credited => format!("nach der Freigabe storniert (Gutschrift): {}", step.detail),
        StepKind::Moved if step.detail.starts_with("to ") => format!("an Vorgang {other} übergegangen"),
        StepKind::Moved => format!("von Vorgang {other} übernommen"),
        StepKind::Kept => "blieb hier: die Nachricht gehört jetzt zu einem anderen Vorgang".into(),
        StepKind::Refused => "der Kunde hat am Telefon abgelehnt; die Gebühr steht".into(),
        StepKind::Judged => "eine spätere Prüfung belegt sie nicht mehr; die Gebühr steht".into(),
        StepKind::Agreed => "der Kunde hat am Telefon doch zugestimmt".into(),
    }
}

/// Why a proposal was taken back, by the detail of its step or event.
#[must_use]
pub fn withdrawn(detail: &str) -> &'static str {
    match detail {
        "" | "refused on the phone" => "am Telefon abgelehnt",
        "not heard a second time" => "in der zweiten Anhörung nicht gehört",
        "not proven after a correction" => "nach der Berichtigung nicht mehr belegt",
        _ => "der Beleg wurde gelöscht",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::assessment::{Finding, Polarity, Subject};
    use crate::domain::case::CaseId;
    use crate::domain::charge::{Customer, Filter, Proof, Signed, lines};
    use crate::domain::report::ReportId;
    use chrono::{DateTime, Utc};
    use chrono_tz::Europe::Berlin;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn signed_by(by: &str, when: &str) -> Signed {
        Signed { by: by.into(), at: at(when) }
    }

    fn entry(case: i64, company: &str, quote: &str) -> Entry {
        let finding = Finding {
            subject: Subject::Fee,
            polarity: Polarity::Holds,
            rule: "consent.fee.agree".into(),
            quote: quote.into(),
            range: (0, quote.len()),
            seconds: Some((31.0, 33.5)),
            probability: Some(0.93),
        };
        let callback = Some("+4917139200 27".replace(' ', ""));
        Entry {
            case: CaseId(case),
            report: ReportId(uuid::Uuid::nil()),
            state: ChargeState::Proposed,
            net: Cents(4800),
            gross: Cents(5712),
            basis: Basis::Spoken,
            proof: Proof { findings: vec![finding], ..Proof::default() },
            customer: Customer { company: Some(company.into()), contact: Some("Dirk Rossmeisl".into()), callback },
            called_at: at("2026-11-21T21:14:00Z"),
            proposed_at: at("2026-11-21T21:15:00Z"),
            released: None,
            cancelled: None,
            reason: None,
            objection: None,
        }
    }

    /// One of each kind, and what others wrote to make a program for tables run it.
    fn books() -> Vec<Entry> {
        let released = Entry {
            state: ChargeState::Released,
            released: Some(signed_by("Klara Büro", "2026-11-30T22:59:00Z")),
            ..entry(1001, "Rossmeisl Elektrotechnik", "mit der „Gebühr“ von 48 Euro; einverstanden")
        };
        let credited = Entry {
            state: ChargeState::Cancelled,
            released: Some(signed_by("Klara Büro", "2026-11-23T08:00:00Z")),
            cancelled: Some(signed_by("Klara Büro", "2026-12-02T08:00:00Z")),
            reason: Some("Kulanz".into()),
            ..entry(1002, "=cmd|' /C calc'!A0", "+ja\r\n\"klar\"")
        };
        let phone = Entry {
            basis: Basis::Phone,
            proof: Proof { by: Some("@Anna".into()), at: Some(at("2026-11-21T21:40:00Z")), ..Proof::default() },
            customer: Customer { company: None, contact: Some("-2+3".into()), callback: None },
            ..entry(1003, "", "")
        };
        let cancelled = Entry {
            state: ChargeState::Cancelled,
            cancelled: Some(signed_by("Klara Büro", "2026-11-24T08:00:00Z")),
            reason: Some("Doppelt".into()),
            ..entry(1004, "\tTab GmbH", "@ja")
        };
        vec![released, credited, phone, cancelled]
    }

    const GOLDEN: &str = include_str!("../../tests/data/charges.csv");

    #[test]
    fn the_table_for_accounts_is_the_one_written_down() {
        let now = String::from_utf8(csv(&lines(books(), &Filter::default()), Berlin)).unwrap();
        assert!(now == GOLDEN, "the table is another one:\n{now}");
    }

    #[test]
    fn the_table_is_read_back_as_it_was_meant() {
        let bytes = csv(&lines(books(), &Filter::default()), Berlin);
        assert!(bytes.starts_with(BYTE_ORDER_MARK) && bytes.ends_with(b"\r\n"));
        let mut reader = csv::ReaderBuilder::new().delimiter(b';').from_reader(&bytes[3..]);
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
        assert_eq!(rows.len(), 5, "the credited one is two lines");
        let credit = &rows[2];
        assert_eq!(
            (credit[5].as_str(), credit[13].as_str(), credit[1].as_str()),
            ("-48,00", "Gutschrift", "02.12.2026")
        );
        assert_eq!(credit[2], "'=cmd|' /C calc'!A0");
        assert_eq!(credit[10], "'+ja  \"klar\"");
        let sum: i64 = rows.iter().map(|row| row[5].replace(',', "").parse::<i64>().unwrap()).sum();
        assert_eq!(sum, 4800 * 3, "released, proposed and cancelled; released and credited come to nothing");
        for row in &rows {
            let text = row.iter().enumerate().filter(|(nth, _)| !(5..9).contains(nth)).map(|(_, cell)| cell);
            assert!(text.clone().all(|cell| !cell.starts_with(['=', '+', '-', '@', '\t', '\r'])), "{row:?}");
        }
    }

    #[test]
    fn a_credit_counts_in_its_own_month_and_the_release_stays_in_its() {
        let month = |from: &str, until: &str, state| Filter { state, span: Some((at(from), at(until))) };
        let told = |filter: &Filter| -> Vec<(i64, bool)> {
            lines(books(), filter).iter().map(|line| (line.entry.case.0, line.credit)).collect()
        };
        let november = ("2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z");
        let december = ("2026-11-30T23:00:00Z", "2026-12-31T23:00:00Z");
        let released = Some(ChargeState::Released);
        assert_eq!(told(&month(november.0, november.1, released)), [(1001, false), (1002, false)]);
        assert_eq!(told(&month(december.0, december.1, released)), [(1002, true)]);
        assert_eq!(told(&month(december.0, december.1, None)), [(1002, true)]);
        assert_eq!(told(&month(november.0, november.1, Some(ChargeState::Cancelled))), [(1004, false)]);
        assert_eq!(told(&month(november.0, november.1, Some(ChargeState::Proposed))), [(1003, false)]);
    }

    #[test]
    fn a_proposal_that_was_taken_back_says_why() {
        let told = |detail: &str| {
            let kind = StepKind::Withdrawn;
            step(&Step { at: at("2026-11-21T21:14:00Z"), kind, actor: None, net: Cents(4800), detail: detail.into() })
        };
        assert_eq!(told(""), "Vorschlag zurückgenommen: am Telefon abgelehnt");
        assert_eq!(
            told("not proven after a correction"),
            "Vorschlag zurückgenommen: nach der Berichtigung nicht mehr belegt"
        );
        assert_eq!(told("erased"), "Vorschlag zurückgenommen: der Beleg wurde gelöscht");
    }

    #[test]
    fn the_rate_is_the_one_that_makes_the_gross() {
        let rate = |net, gross| Entry { net: Cents(net), gross: Cents(gross), ..entry(1, "a", "b") }.vat_percent();
        assert_eq!((rate(4800, 5712), rate(4800, 4800), rate(9999, 10_699)), (Some(19), Some(0), Some(7)));
        assert_eq!(rate(4800, 5713), None);
    }
}
