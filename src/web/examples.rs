//! The examples that were kept of reports: whether the rules judge them rightly; made anonymous, handed out, thrown away.

use super::App;
use super::answer::{Page, Trouble, download, go, page};
use super::correct::review;
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Path};
use super::frame::Frame;
use super::session::Visitor;
use crate::assess::bench::{Record, Wrong};
use crate::domain::account::Right;
use crate::review::examples::{self, Replaced};
use crate::wording::minute;
use crate::wording::verdict;
use askama::Template;
use axum::extract::State;
use serde::Deserialize;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/regeln/beispiele", Need::May(Right::Correct), show)
        .get("/regeln/beispiele.jsonl", Need::Freshly(Right::Correct), export)
        .post("/regeln/beispiele/{id}/unkenntlich", Need::May(Right::Correct), anonymise)
        .post("/regeln/beispiele/{id}/loeschen", Need::May(Right::Correct), remove)
}

struct Row {
    id: String,
    made: String,
    text: String,
    verdict: &'static str,
    class: &'static str,
    report: Option<String>,
    anonymised: bool,
    /// What the rules judge otherwise: name, wanted, found.
    differs: Vec<(&'static str, String, String)>,
    /// What making it anonymous would replace.
    would: Replaced,
}

#[derive(Template)]
#[template(path = "examples.html")]
struct ExamplesPage {
    frame: Frame,
    rows: Vec<Row>,
    wrong: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct More {
    #[serde(default)]
    worte: String,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Page {
    let review = review(&app);
    let kept = review.examples().await?;
    let records: Vec<Record> = kept.iter().filter_map(|one| one.record.clone()).collect();
    let wrong = review.score(&app.rules, &records).wrong;
    let zone = app.desk.settings.business_hours().zone;
    let row = |one: examples::Kept| {
        let record = one.record?;
        let example = one.example;
        let would = if example.anonymised { Vec::new() } else { review.without_caller(&record, &[]).1 };
        Some(Row {
            made: format!("{}, {}", minute(example.made_at, zone), example.made_by),
            verdict: verdict(record.expect.verdict),
            class: record.expect.verdict.as_str(),
            report: example.report.map(|id| id.to_string()),
            anonymised: example.anonymised,
            differs: wrong.iter().find(|one| one.id == record.id).map(named).unwrap_or_default(),
            text: record.text,
            id: example.id,
            would,
        })
    };
    let rows: Vec<Row> = kept.into_iter().rev().filter_map(row).collect();
    let wrong = rows.iter().filter(|row| !row.differs.is_empty()).count();
    page(&ExamplesPage { frame: Frame::of(&visitor, "/regeln", "Beispiele"), rows, wrong })
}

async fn export(State(app): State<App>, _: Visitor) -> Page {
    let lines = examples::lines(&review(&app).examples().await?);
    download("beispiele.jsonl", "application/jsonl; charset=utf-8", lines.into_bytes())
}

async fn anonymise(State(app): State<App>, visitor: Visitor, Path(id): Path<String>, Form(sent): Form<More>) -> Page {
    let more: Vec<String> =
        sent.worte.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    review(&app).anonymise_example(&id, &more, visitor.account.acts_as()).await?.ok_or(Trouble::Missing)?;
    go("/regeln/beispiele")
}

async fn remove(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    if !review(&app).remove_example(&id, visitor.account.acts_as()).await? {
        return Err(Trouble::Meanwhile("Dieses Beispiel ist schon gelöscht.".to_owned()));
    }
    go("/regeln/beispiele")
}

/// What differs, in the page's words.
fn named(wrong: &Wrong) -> Vec<(&'static str, String, String)> {
    let name = |word: &str| match word {
        "lost" => "niemand würde geweckt",
        "made_up" => "Zustimmung erfunden",
        "verdict" => "Urteil",
        "declaration" => "Notfall",
        "consent" => "Zustimmung",
        "callback" => "Rückrufnummer",
        "urgent" => "Ausfall",
        "language" => "Sprache",
        "company" => "Firma",
        "contact" => "Ansprechpartner",
        _ => "Störung",
    };
    wrong.differs.iter().map(|(word, wanted, found)| (name(word), wanted.clone(), found.clone())).collect()
}
