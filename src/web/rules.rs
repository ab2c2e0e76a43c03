//! "Regeln": the rules with their examples, and the bench: what they make of a text or of a stored report.

use super::App;
use super::answer::{Page, Trouble, page, page_with};
use super::correct::{consent, declaration, review};
use super::doors::{Doors, Need};
use super::form::{Form, Query};
use super::frame::Frame;
use super::session::Visitor;
use crate::assess::bench::Record;
use crate::assess::rules::Judgement;
use crate::domain::account::Right;
use crate::domain::assessment::{Finding, Polarity, Subject};
use crate::domain::report::ReportId;
use crate::wording;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

/// The longest text for the bench, characters.
const LONGEST: usize = 20_000;

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/regeln", Need::May(Right::Rules), show).post("/regeln", Need::May(Right::Rules), judge)
}

/// The concepts of one file.
struct File {
    name: String,
    subject: &'static str,
    size: usize,
    concepts: Vec<Concept>,
}

struct Concept {
    name: String,
    language: Option<String>,
    patterns: Vec<String>,
    except: Vec<String>,
    holds: Vec<String>,
    not: Vec<String>,
}

/// A stretch of the text: which findings quote it, or none.
struct Stretch {
    text: String,
    about: Option<String>,
}

struct Line {
    subject: &'static str,
    polarity: &'static str,
    quote: String,
    rule: String,
}

/// What the rules make of a text.
struct Judged {
    verdict: &'static str,
    class: &'static str,
    declaration: &'static str,
    consent: &'static str,
    urgent: bool,
    stretches: Vec<Stretch>,
    lines: Vec<Line>,
    missing: Vec<&'static str>,
    fields: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "rules.html")]
struct RulesPage {
    frame: Frame,
    version: String,
    size: (usize, usize),
    files: Vec<File>,
    text: String,
    judged: Option<Judged>,
    wrong: Option<&'static str>,
    may_change: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    report: Option<ReportId>,
    datei: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    text: String,
}

async fn show(State(app): State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let mut shown = rules_page(&app, &visitor, asked.datei.as_deref());
    if let Some(id) = asked.report {
        let record = review(&app).record_of(id).await?.ok_or(Trouble::Missing)?;
        shown.judged = Some(judged(&record, &review(&app).judged(&record, &app.rules)));
        shown.text = record.text;
    }
    page(&shown)
}

async fn judge(State(app): State<App>, visitor: Visitor, Form(sent): Form<Sent>) -> Page {
    let mut shown = rules_page(&app, &visitor, None);
    if sent.text.trim().is_empty() || sent.text.chars().count() > LONGEST {
        shown.wrong = Some("Geben Sie einen Text mit höchstens 20.000 Zeichen ein.");
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &RulesPage { text: sent.text, ..shown });
    }
    let record = review(&app).record_of_text(sent.text);
    shown.judged = Some(judged(&record, &review(&app).judged(&record, &app.rules)));
    page(&RulesPage { text: record.text, ..shown })
}

/// The page; of the rules only the concepts of the file `open`, for all of them together are long.
fn rules_page(app: &App, visitor: &Visitor, open: Option<&str>) -> RulesPage {
    let mut files: Vec<File> = Vec::new();
    for one in app.rules.shown() {
        let at = files.iter().position(|file| file.name == one.file).unwrap_or_else(|| {
            let subject = subject_of(one.file);
            files.push(File { name: one.file.to_owned(), subject, size: 0, concepts: Vec::new() });
            files.len() - 1
        });
        files[at].size += 1;
        if open == Some(one.file) {
            files[at].concepts.push(Concept {
                name: one.name.to_owned(),
                language: one.language.map(str::to_owned),
                patterns: one.patterns.to_vec(),
                except: one.except.to_vec(),
                holds: one.holds.to_vec(),
                not: one.not.to_vec(),
            });
        }
    }
    RulesPage {
        frame: Frame::of(visitor, "/regeln", "Regeln"),
        version: app.rules.version().to_owned(),
        size: app.rules.size(),
        files,
        text: String::new(),
        judged: None,
        wrong: None,
        may_change: visitor.may(Right::Legislate),
    }
}

/// What a built-in file is about.
fn subject_of(file: &str) -> &'static str {
    match file {
        "grammar.toml" => "Wie Sätze gebaut sind",
        "statement.toml" => "Notfall, Bedingungen, Gebühr",
        "consent.toml" => "Zustimmung",
        "scope.toml" => "Was eine Zustimmung einschränkt",
        "outage.toml" => "Ausfälle",
        "noise.toml" => "Werbung, Automaten, Rauschen",
        "foreign.toml" => "Andere Sprachen",
        _ => "Eigene Regeln",
    }
}

fn judged(record: &Record, found: &Judgement) -> Judged {
    let fields = &found.fields;
    let shown = [
        ("Firma", &fields.company),
        ("Ansprechpartner", &fields.contact),
        ("Rückrufnummer", &fields.callback),
        ("Störung", &fields.description),
    ];
    Judged {
        verdict: wording::verdict(found.verdict),
        class: found.verdict.as_str(),
        declaration: declaration(found.declaration),
        consent: consent(found.consent),
        urgent: found.urgent,
        stretches: stretches(&record.text, &found.findings),
        lines: found.findings.iter().map(line).collect(),
        missing: found.missing.iter().map(|one| wording::missing(*one)).collect(),
        fields: shown.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect(),
    }
}

fn line(finding: &Finding) -> Line {
    Line {
        subject: subject(finding.subject),
        polarity: match finding.polarity {
            Polarity::Holds => "gilt",
            Polarity::Denied => "verneint",
            Polarity::Conditional => "unter Vorbehalt",
            Polarity::Mentioned => "nur erwähnt",
        },
        quote: finding.quote.clone(),
        rule: finding.rule.clone(),
    }
}

fn subject(subject: Subject) -> &'static str {
    match subject {
        Subject::Declaration => "Notfall",
        Subject::Conditions => "Bedingungen",
        Subject::Fee => "Gebühr",
        Subject::Urgency => "Ausfall",
    }
}

/// The text cut at the edges of what is quoted.
fn stretches(text: &str, findings: &[Finding]) -> Vec<Stretch> {
    let mut edges: Vec<usize> =
        findings.iter().flat_map(|one| [one.range.0, one.range.1]).chain([0, text.len()]).collect();
    edges.retain(|at| text.is_char_boundary(*at));
    edges.sort_unstable();
    edges.dedup();
    let cut = |pair: &[usize]| {
        let within = |one: &&Finding| one.range.0 <= pair[0] && pair[1] <= one.range.1;
        let mut about: Vec<&str> = findings.iter().filter(within).map(|one| subject(one.subject)).collect();
        about.dedup();
        let about = Some(about.join(", ")).filter(|about| !about.is_empty());
        Stretch { text: text[pair[0]..pair[1]].to_owned(), about }
    };
    edges.windows(2).map(cut).collect()
}
