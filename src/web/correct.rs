//! Correcting a report: the words, the fields, the verdict; and keeping it as an example for the rules. The report's own page
//! may show the same forms: `ReviewForm::of` and the template `review_form.html`.

use super::App;
use super::answer::{Page, Trouble, go, page, page_with};
use super::doors::{Doors, Need};
use super::form::{Form, Path};
use super::frame::Frame;
use super::session::Visitor;
use crate::assess::bench::{Expect, Record};
use crate::domain::account::Right;
use crate::domain::assessment::{Consent, Declaration, Verdict};
use crate::domain::correction::{Correction, What};
use crate::domain::report::{Medium, ReportId, Stage};
use crate::review::{Change, Outcome, Refusal, Review};
use crate::store::{assessments, corrections, reports, transcripts};
use crate::wording::minute;
use crate::wording::verdict;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use chrono_tz::Tz;
use serde::Deserialize;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/meldungen/{id}/berichtigen", Need::May(Right::Correct), ask)
        .post("/meldungen/{id}/berichtigen", Need::May(Right::Correct), correct)
        .get("/meldungen/{id}/beispiel", Need::May(Right::Correct), ask_labels)
        .post("/meldungen/{id}/beispiel", Need::May(Right::Correct), keep)
}

/// The office's operations, by what the page stands on.
pub(super) fn review(app: &App) -> Review {
    let desk = &app.desk;
    Review {
        store: desk.store.clone(),
        settings: desk.settings.clone(),
        roster: desk.roster.clone(),
        rules: app.rules.clone(),
        clock: desk.clock.clone(),
        bells: desk.bells.clone(),
    }
}

/// A field that can be corrected.
pub(crate) struct Field {
    /// Its word: `what` of the form.
    pub(crate) what: &'static str,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// Several lines.
    pub(crate) long: bool,
    /// Whether a person set it.
    pub(crate) by_hand: bool,
}

/// One line of the history.
pub(crate) struct Line {
    pub(crate) at: String,
    pub(crate) who: String,
    pub(crate) name: &'static str,
    pub(crate) before: String,
    pub(crate) after: String,
    pub(crate) reason: Option<String>,
}

/// One choice of a list.
pub(crate) struct Choice {
    pub(crate) word: &'static str,
    pub(crate) name: &'static str,
    pub(crate) on: bool,
}

/// Everything that can be corrected of a report, with what was.
pub(crate) struct ReviewForm {
    pub(crate) id: String,
    /// How many corrections there are: a form made before another one is refused.
    pub(crate) version: usize,
    /// The text, where a person may type it anew.
    pub(crate) text: Option<String>,
    /// As the recogniser heard it, where a person changed it.
    pub(crate) heard: Option<String>,
    pub(crate) fields: Vec<Field>,
    pub(crate) verdicts: Vec<Choice>,
    pub(crate) history: Vec<Line>,
    /// Why the last try changed nothing.
    pub(crate) wrong: Option<String>,
}

impl ReviewForm {
    /// Of a report; `None`: there is no such report, it has not been judged yet, or its words were deleted.
    pub(crate) async fn of(app: &App, id: ReportId) -> Result<Option<Self>, Trouble> {
        let mut reader = app.desk.store.read().await?;
        let Some(report) = reports::maybe(&mut reader, id).await? else { return Ok(None) };
        let Some(found) = assessments::find(&mut reader, id).await? else { return Ok(None) };
        if report.stage != Stage::Done || report.is_drill() || reports::lost_its_words(&mut reader, id).await? {
            return Ok(None);
        }
        let made = corrections::of_report(&mut reader, id).await?;
        let by_hand = |what: What| made.iter().any(|one| one.what == what);
        let spoken = report.medium == Medium::Voicemail;
        let text = transcripts::find(&mut reader, id).await?.filter(|_| spoken).map(|(text, _)| text.text());
        let heard = if by_hand(What::Transcript) { transcripts::original(&mut reader, id).await? } else { None };
        let zone = app.desk.settings.business_hours().zone;
        let fields = [
            (What::Company, found.fields.company),
            (What::Contact, found.fields.contact),
            (What::Callback, found.fields.callback),
            (What::Description, found.fields.description),
        ];
        Ok(Some(Self {
            id: id.to_string(),
            version: made.len(),
            text,
            heard: heard.map(|(heard, _)| heard.text()),
            fields: fields
                .map(|(what, value)| Field {
                    what: what.as_str(),
                    name: name_of(what),
                    value: value.unwrap_or_default(),
                    long: what == What::Description,
                    by_hand: by_hand(what),
                })
                .into(),
            verdicts: verdicts(found.verdict),
            history: made.iter().rev().map(|one| line(one, zone)).collect(),
            wrong: None,
        }))
    }
}

#[derive(Template)]
#[template(path = "correct.html")]
struct CorrectPage {
    frame: Frame,
    form: ReviewForm,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    version: usize,
    was: String,
    #[serde(default)]
    wert: String,
    #[serde(default)]
    grund: String,
}

async fn ask(State(app): State<App>, visitor: Visitor, Path(id): Path<ReportId>) -> Page {
    let form = ReviewForm::of(&app, id).await?.ok_or(Trouble::Missing)?;
    page(&CorrectPage { frame: Frame::of(&visitor, "/", "Berichtigen"), form })
}

async fn correct(State(app): State<App>, visitor: Visitor, Path(id): Path<ReportId>, Form(sent): Form<Sent>) -> Page {
    let change = change(&sent).ok_or_else(|| Trouble::Wrong("Dieses Feld gibt es nicht.".to_owned()))?;
    let zone = app.desk.settings.business_hours().zone;
    let (status, wrong) = match review(&app).correct(id, sent.version, change, visitor.account.acts_as()).await? {
        Outcome::Done(_) => return go(&format!("/meldungen/{id}/berichtigen")),
        Outcome::Unknown => return Err(Trouble::Missing),
        Outcome::Refused(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, why(refusal).to_owned()),
        Outcome::Changed { by, at } => {
            let at = at.with_timezone(&zone).format("%H:%M");
            let text = format!(
                "{by} hat diese Meldung um {at} berichtigt. Prüfen Sie den neuen Stand und senden Sie noch einmal."
            );
            (StatusCode::CONFLICT, text)
        }
    };
    let mut form = ReviewForm::of(&app, id).await?.ok_or(Trouble::Wrong(wrong.clone()))?;
    form.wrong = Some(wrong);
    // what was typed is not lost
    match form.fields.iter_mut().find(|field| field.what == sent.was) {
        Some(field) => field.value = sent.wert,
        None if sent.was == What::Transcript.as_str() => form.text = form.text.map(|_| sent.wert),
        None => {}
    }
    page_with(status, &CorrectPage { frame: Frame::of(&visitor, "/", "Berichtigen"), form })
}

fn change(sent: &Sent) -> Option<Change> {
    let value = sent.wert.clone();
    Some(match What::parse(&sent.was)? {
        What::Transcript => Change::Transcript(value),
        What::Company => Change::Company(value),
        What::Contact => Change::Contact(value),
        What::Callback => Change::Callback(value),
        What::Description => Change::Description(value),
        What::Verdict => Change::Verdict(Verdict::parse(&value)?, sent.grund.clone()),
    })
}

fn why(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::NotJudged => "Die Meldung ist noch nicht geprüft. Warten Sie einen Augenblick.",
        Refusal::Written => {
            "Eine E-Mail bleibt, wie ihr Absender sie schrieb. Berichtigen Sie die Felder oder das Urteil."
        }
        Refusal::Drill => "Das ist die tägliche Probe, keine Meldung.",
        Refusal::Empty => "Der Text ist leer. Ist niemand zu hören, setzen Sie das Urteil von Hand.",
        Refusal::TooLong => "Das ist zu lang. Kürzen Sie es.",
        Refusal::NoNumber => {
            "Das ist keine Nummer, die man zurückrufen kann. Schreiben Sie sie mit Vorwahl, etwa 09721 555017."
        }
        Refusal::NoReason => "Schreiben Sie dazu, warum das Urteil anders ist.",
        Refusal::Same => "Das steht dort schon so.",
        Refusal::WordsDeleted => "Der Wortlaut dieser Meldung ist gelöscht. Sie bleibt, wie sie beurteilt wurde.",
    }
}

fn line(one: &Correction, zone: Tz) -> Line {
    let shown = |value: &Option<String>| match (one.what, value) {
        (_, None) => "–".to_owned(),
        (What::Verdict, Some(word)) => {
            Verdict::parse(word).map_or_else(|| word.clone(), |found| verdict(found).to_owned())
        }
        (_, Some(value)) => value.clone(),
    };
    Line {
        at: minute(one.at, zone),
        who: one.actor.clone(),
        name: name_of(one.what),
        before: shown(&one.before),
        after: shown(&one.after),
        reason: one.reason.clone(),
    }
}

fn name_of(what: What) -> &'static str {
    match what {
        What::Transcript => "Abschrift",
        What::Company => "Firma",
        What::Contact => "Ansprechpartner",
        What::Callback => "Rückrufnummer",
        What::Description => "Störung",
        What::Verdict => "Urteil",
    }
}

pub(super) fn declaration(declaration: Declaration) -> &'static str {
    match declaration {
        Declaration::Declared => "erklärt",
        Declaration::Unqualified => "genannt, nicht als unternehmenskritisch",
        Declaration::Absent => "nicht erklärt",
        Declaration::Denied => "verneint",
    }
}

pub(super) fn consent(consent: Consent) -> &'static str {
    match consent {
        Consent::Full => "beidem zugestimmt",
        Consent::FeeOnly => "nur der Gebühr",
        Consent::ConditionsOnly => "nur den Bedingungen",
        Consent::Conditional => "unter Vorbehalt",
        Consent::Refused => "abgelehnt",
        Consent::Absent => "nicht zugestimmt",
    }
}

fn verdicts(now: Verdict) -> Vec<Choice> {
    let all = [Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear, Verdict::NotEmergency, Verdict::Ignored];
    all.map(|one| Choice { word: one.as_str(), name: verdict(one), on: one == now }).into()
}

// ── an example for the rules ──

#[derive(Template)]
#[template(path = "example_form.html")]
struct LabelsPage {
    frame: Frame,
    id: String,
    text: String,
    verdicts: Vec<Choice>,
    declarations: Vec<Choice>,
    consents: Vec<Choice>,
    labels: Expect,
    wrong: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Labels {
    urteil: String,
    erklaerung: String,
    zustimmung: String,
    #[serde(default)]
    dringend: Option<String>,
    firma: String,
    ansprechpartner: String,
    nummer: String,
    stoerung: String,
    sprache: String,
}

async fn ask_labels(State(app): State<App>, visitor: Visitor, Path(id): Path<ReportId>) -> Page {
    let draft = review(&app).draft_example(id).await?.ok_or(Trouble::Missing)?;
    let labels = draft.expect.clone();
    page(&labels_page(&visitor, id, draft, labels, None))
}

async fn keep(State(app): State<App>, visitor: Visitor, Path(id): Path<ReportId>, Form(sent): Form<Labels>) -> Page {
    let review = review(&app);
    let draft = review.draft_example(id).await?.ok_or(Trouble::Missing)?;
    let Some(labels) = labels(sent) else {
        let frame = "Wählen Sie Urteil, Erklärung und Zustimmung aus den Listen, und die Nummer mit Vorwahl.";
        let labels = draft.expect.clone();
        return page_with(StatusCode::UNPROCESSABLE_ENTITY, &labels_page(&visitor, id, draft, labels, Some(frame)));
    };
    review.keep_example(id, labels, visitor.account.acts_as()).await?.ok_or(Trouble::Missing)?;
    go("/regeln/beispiele")
}

fn labels(sent: Labels) -> Option<Expect> {
    let field = |value: String| Some(value.trim().to_owned()).filter(|value| !value.is_empty());
    let number = field(sent.nummer);
    let callback = match &number {
        Some(number) => Some(crate::domain::phone::e164(number)?),
        None => None,
    };
    Some(Expect {
        verdict: Verdict::parse(&sent.urteil)?,
        declaration: Declaration::parse(&sent.erklaerung)?,
        consent: Consent::parse(&sent.zustimmung)?,
        urgent: sent.dringend.is_some(),
        company: field(sent.firma),
        contact: field(sent.ansprechpartner),
        callback,
        description: field(sent.stoerung),
        language: field(sent.sprache)
            .filter(|code| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_lowercase()))?,
    })
}

fn labels_page(
    visitor: &Visitor,
    id: ReportId,
    draft: Record,
    labels: Expect,
    wrong: Option<&'static str>,
) -> LabelsPage {
    let declarations = [Declaration::Declared, Declaration::Unqualified, Declaration::Absent, Declaration::Denied];
    let consents = [
        Consent::Full,
        Consent::FeeOnly,
        Consent::ConditionsOnly,
        Consent::Conditional,
        Consent::Refused,
        Consent::Absent,
    ];
    LabelsPage {
        frame: Frame::of(visitor, "/regeln", "Beispiel für die Regeln"),
        id: id.to_string(),
        text: draft.text,
        verdicts: verdicts(labels.verdict),
        declarations: declarations
            .map(|one| Choice { word: one.as_str(), name: declaration(one), on: one == labels.declaration })
            .into(),
        consents: consents
            .map(|one| Choice { word: one.as_str(), name: consent(one), on: one == labels.consent })
            .into(),
        labels,
        wrong,
    }
}
