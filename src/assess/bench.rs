//! The bench: how well the rules judge messages whose labels a human has written. Pure: records in, scores out.
//!
//! A record is one line of a file in the corpus format (docs/rules.md). What counts above all is `lost` (an emergency that
//! would wake nobody) and `made_up` (a full consent that was not given); everything else is a share.

use super::rules::{Judgement, Message, Rules, Terms, judge_by};
use crate::domain::assessment::{Consent, Declaration, Finding, Verdict};
use crate::domain::hours::BusinessHours;
use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// A labelled message.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Unique in its file.
    pub id: String,
    /// The transcript, or a mail's body.
    pub text: String,
    /// A mail's subject.
    #[serde(default)]
    pub subject: Option<String>,
    /// A mail's headers, name and value.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The displayed number.
    #[serde(default)]
    pub caller_id: Option<String>,
    /// When it was left.
    pub received_at: DateTime<FixedOffset>,
    /// What a human decided.
    pub expect: Expect,
}

/// The labels of a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expect {
    /// What it is.
    pub verdict: Verdict,
    /// Whether an emergency was declared.
    pub declaration: Declaration,
    /// Whether conditions and fee were agreed to.
    pub consent: Consent,
    /// Whether a core service is down now.
    pub urgent: bool,
    /// The caller's own company.
    #[serde(deserialize_with = "given")]
    pub company: Option<String>,
    /// The person to call back.
    #[serde(deserialize_with = "given")]
    pub contact: Option<String>,
    /// The number said, E.164.
    #[serde(deserialize_with = "given")]
    pub callback: Option<String>,
    /// The fault.
    #[serde(deserialize_with = "given")]
    pub description: Option<String>,
    /// ISO 639-1.
    pub language: String,
}

/// May be null, but has to stand there: a label left out must not count as "none expected".
fn given<'de, D: Deserializer<'de>>(label: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(label)
}

/// Found labels against expected ones.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Labels {
    /// Share of records with the right label.
    pub accuracy: f64,
    /// Mean F1 over the labels that were expected or found.
    pub macro_f1: f64,
    /// Expected label, found label, how often.
    pub confusion: BTreeMap<String, BTreeMap<String, usize>>,
}

/// Share of records whose field is right.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Share {
    /// Equal, letter by letter.
    pub exact: f64,
    /// Equal by [`same`].
    pub score: f64,
}

/// One record that was judged otherwise than by its human.
#[derive(Debug, Clone, Serialize)]
pub struct Wrong {
    /// The record.
    pub id: String,
    /// Its text.
    pub text: String,
    /// Labels and fields that differ: name, expected, found.
    pub differs: Vec<(&'static str, String, String)>,
    /// What the judgement rests on.
    pub findings: Vec<Finding>,
}

/// The scores of a set of records.
#[derive(Debug, Clone, Serialize)]
pub struct Scores {
    /// Number of records.
    pub n: usize,
    /// Verdicts.
    pub verdict: Labels,
    /// Records that should have woken somebody and did not.
    pub lost: Vec<String>,
    /// Records with a full consent that was not given.
    pub made_up: Vec<String>,
    /// Declarations.
    pub declaration: Labels,
    /// Consents.
    pub consent: Labels,
    /// Urgency.
    pub urgent: Labels,
    /// Languages.
    pub language: Labels,
    /// Call-back numbers.
    pub callback: Share,
    /// Companies.
    pub company: Share,
    /// Contacts.
    pub contact: Share,
    /// Descriptions.
    pub description: Share,
    /// Mean time of a judgement in milliseconds.
    pub ms_per_message: f64,
    /// What went wrong, the worst first.
    pub wrong: Vec<Wrong>,
}

/// Judges every record and counts. Time is what `clock` says before and after; times never decide a score.
#[must_use]
pub fn score(
    rules: &Rules,
    records: &[Record],
    terms: &Terms<'_>,
    hours: &BusinessHours,
    clock: &dyn Fn() -> Duration,
) -> Scores {
    // Word lists and the numbering plan are read at the first judgement; a service reads them once.
    let _read = records.first().map(|record| judge_by(rules, &message(record, hours), terms));
    let started = clock();
    let judged: Vec<Judgement> = records.iter().map(|record| judge_by(rules, &message(record, hours), terms)).collect();
    let taken = clock().saturating_sub(started);
    let pairs = || records.iter().zip(&judged);
    let labels = |of: fn(&Record, &Judgement) -> (String, String)| tally(pairs().map(|(r, j)| of(r, j)));
    let ids = |is: fn(&Record, &Judgement) -> bool| {
        pairs().filter(|(record, found)| is(record, found)).map(|(record, _)| record.id.clone()).collect()
    };
    let mut wrong: Vec<Wrong> = pairs().filter_map(|(record, found)| differences(record, found)).collect();
    wrong.sort_by_key(|one| one.differs.iter().map(|(name, ..)| gravity(name)).min());
    Scores {
        n: records.len(),
        verdict: labels(|r, j| (r.expect.verdict.as_str().to_owned(), j.verdict.as_str().to_owned())),
        lost: ids(lost),
        made_up: ids(made_up),
        declaration: labels(|r, j| (r.expect.declaration.as_str().to_owned(), j.declaration.as_str().to_owned())),
        consent: labels(|r, j| (r.expect.consent.as_str().to_owned(), j.consent.as_str().to_owned())),
        urgent: labels(|r, j| (r.expect.urgent.to_string(), j.urgent.to_string())),
        language: labels(|r, j| (r.expect.language.clone(), j.language.clone())),
        callback: share(pairs().map(|(r, j)| (&r.expect.callback, &j.fields.callback)), Measure::Whole),
        company: share(pairs().map(|(r, j)| (&r.expect.company, &j.fields.company)), Measure::Whole),
        contact: share(pairs().map(|(r, j)| (&r.expect.contact, &j.fields.contact)), Measure::Whole),
        description: share(pairs().map(|(r, j)| (&r.expect.description, &j.fields.description)), Measure::Contained),
        ms_per_message: taken.as_secs_f64() * 1000.0 / count(records.len().max(1)),
        wrong,
    }
}

/// A record as the rules take it.
#[must_use]
pub fn message<'a>(record: &'a Record, hours: &BusinessHours) -> Message<'a> {
    Message {
        text: &record.text,
        subject: record.subject.as_deref(),
        displayed: record.caller_id.as_deref(),
        at: Some(record.received_at.with_timezone(&hours.zone).naive_local()),
        outside_hours: !hours.is_open(record.received_at.to_utc()),
        headers: &record.headers,
    }
}

fn lost(record: &Record, found: &Judgement) -> bool {
    record.expect.verdict.wakes() && !found.verdict.wakes()
}

fn made_up(record: &Record, found: &Judgement) -> bool {
    record.expect.consent != Consent::Full && found.consent == Consent::Full
}

/// The smaller the worse.
fn gravity(name: &str) -> usize {
    let order = ["lost", "made_up", "verdict", "declaration", "consent", "callback", "urgent", "language", "company"];
    order.iter().position(|known| *known == name).unwrap_or(order.len())
}

fn differences(record: &Record, found: &Judgement) -> Option<Wrong> {
    let expect = &record.expect;
    let field = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let fields = &found.fields;
    let all = [
        ("lost", !lost(record, found), "woken".to_owned(), "silent".to_owned()),
        ("made_up", !made_up(record, found), expect.consent.as_str().to_owned(), "full".to_owned()),
        label("verdict", expect.verdict.as_str(), found.verdict.as_str()),
        label("declaration", expect.declaration.as_str(), found.declaration.as_str()),
        label("consent", expect.consent.as_str(), found.consent.as_str()),
        label("urgent", &expect.urgent.to_string(), &found.urgent.to_string()),
        label("language", &expect.language, &found.language),
        label("callback", &field(&expect.callback), &field(&fields.callback)),
        (
            "company",
            same(expect.company.as_deref(), fields.company.as_deref(), Measure::Whole),
            field(&expect.company),
            field(&fields.company),
        ),
        (
            "contact",
            same(expect.contact.as_deref(), fields.contact.as_deref(), Measure::Whole),
            field(&expect.contact),
            field(&fields.contact),
        ),
        (
            "description",
            same(expect.description.as_deref(), fields.description.as_deref(), Measure::Contained),
            field(&expect.description),
            field(&fields.description),
        ),
    ];
    let differs: Vec<_> = all.into_iter().filter(|one| !one.1).map(|(name, _, want, got)| (name, want, got)).collect();
    (!differs.is_empty()).then(|| Wrong {
        id: record.id.clone(),
        text: record.text.clone(),
        differs,
        findings: found.findings.clone(),
    })
}

fn label(name: &'static str, expected: &str, found: &str) -> (&'static str, bool, String, String) {
    (name, expected == found, expected.to_owned(), found.to_owned())
}

/// Counts pairs of expected and found labels.
pub fn tally(pairs: impl Iterator<Item = (String, String)>) -> Labels {
    let mut confusion: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for (expected, found) in pairs {
        *confusion.entry(expected).or_default().entry(found).or_default() += 1;
    }
    let cells = || confusion.iter().flat_map(|(want, row)| row.iter().map(move |(got, n)| (want, got, *n)));
    let sum = |of: &dyn Fn(&str, &str) -> bool| cells().filter(|(w, g, _)| of(w, g)).map(|(.., n)| n).sum::<usize>();
    let names: BTreeSet<&String> = cells().flat_map(|(want, got, _)| [want, got]).collect();
    let f1 = |name: &String| {
        let right = sum(&|want, got| want == name && got == name);
        let either = sum(&|want, _| want == name) + sum(&|_, got| got == name);
        2.0 * count(right) / count(either.max(1))
    };
    let macro_f1 = names.iter().map(|name| f1(name)).sum::<f64>() / count(names.len().max(1));
    let accuracy = count(sum(&|want, got| want == got)) / count(sum(&|_, _| true).max(1));
    Labels { accuracy, macro_f1, confusion }
}

/// How two texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// Shared words of the longer one's words: names.
    Whole,
    /// Shared words of the expected one's words: a description may quote whole sentences (at most 400 characters).
    Contained,
}

/// The least share of shared words of two texts that say the same.
const ENOUGH: f64 = 0.6;
/// A longer description is the message itself, not what is said in it.
const LONGEST: usize = 400;

fn share<'a>(pairs: impl Iterator<Item = (&'a Option<String>, &'a Option<String>)>, measure: Measure) -> Share {
    let (mut n, mut exact, mut alike) = (0, 0, 0);
    for (expected, found) in pairs {
        n += 1;
        exact += usize::from(expected == found);
        alike += usize::from(same(expected.as_deref(), found.as_deref(), measure));
    }
    Share { exact: count(exact) / count(n.max(1)), score: count(alike) / count(n.max(1)) }
}

/// Whether a field says what a human wrote: both nothing, or at least 0.6 of their words shared.
#[must_use]
pub fn same(expected: Option<&str>, found: Option<&str>, measure: Measure) -> bool {
    let (Some(expected), Some(found)) = (expected, found) else { return expected.is_none() && found.is_none() };
    if measure == Measure::Contained && found.chars().count() > LONGEST {
        return false;
    }
    let (mut wanted, got) = (words(expected), words(found));
    let of = if measure == Measure::Whole { wanted.len().max(got.len()) } else { wanted.len() };
    let mut shared = 0;
    for word in got {
        if let Some(at) = wanted.iter().position(|other| *other == word) {
            wanted.swap_remove(at);
            shared += 1;
        }
    }
    of > 0 && count(shared) >= ENOUGH * count(of)
}

/// The words of a text as they are compared.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    super::rules::compared(text)
}

#[expect(clippy::cast_precision_loss, reason = "no set has 2^52 records")]
fn count(n: usize) -> f64 {
    n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macro_f1_counts_every_label_alike() {
        let pairs = [("a", "a"), ("a", "a"), ("a", "a"), ("b", "a"), ("b", "b")];
        let labels = tally(pairs.into_iter().map(|(want, got)| (want.to_owned(), got.to_owned())));
        assert!((labels.accuracy - 0.8).abs() < 1e-9);
        // a: 2*3/(3+4), b: 2*1/(2+1)
        assert!((labels.macro_f1 - f64::midpoint(6.0 / 7.0, 2.0 / 3.0)).abs() < 1e-9);
    }

    #[test]
    fn names_are_the_same_without_address_and_with_und_spelled_out() {
        assert!(same(Some("Kuhn & Partner"), Some("Kuhn und Partner"), Measure::Whole));
        assert!(same(Some("Frau Müller"), Some("mueller"), Measure::Whole));
        assert!(!same(Some("Thomas Weber"), Some("Weber"), Measure::Whole));
        assert!(same(Some("Server tot"), Some("Unser Server ist seit heute tot"), Measure::Contained));
        assert!(!same(Some("Kuhn & Beck"), Some("Kuhn & Rau & Alt"), Measure::Whole));
        let long = format!("Server tot {}", "ja ".repeat(150));
        assert!(!same(Some("Server tot"), Some(&long), Measure::Contained));
        assert!(!same(None, Some("Weber"), Measure::Whole) && same(None, None, Measure::Whole));
    }

    #[test]
    fn what_would_wake_nobody_is_lost_and_a_consent_not_given_is_made_up() {
        let line = |text: &str, verdict: &str, consent: &str| {
            serde_json::from_value::<Record>(serde_json::json!({
                "id": text, "text": text, "received_at": "2026-11-21T22:14:00+01:00",
                "expect": { "verdict": verdict, "declaration": "absent", "consent": consent, "urgent": false,
                    "company": null, "contact": null, "callback": null, "description": null, "language": "de" },
            }))
            .unwrap()
        };
        let records = [
            line("Ich hätte gern ein Angebot für Notebooks.", "incomplete", "absent"),
            line("Notfall. Ich akzeptiere die Bedingungen und die Gebühr.", "incomplete", "fee_only"),
        ];
        let terms = Terms { fee: crate::domain::tariff::Cents(4800), own_numbers: &[] };
        let scores = score(Rules::built_in(), &records, &terms, &BusinessHours::default(), &|| Duration::ZERO);
        assert_eq!(scores.lost, [records[0].id.clone()]);
        assert_eq!(scores.made_up, [records[1].id.clone()]);
        assert_eq!(scores.wrong[0].differs[0].0, "lost");
    }
}
