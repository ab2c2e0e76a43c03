//! One case: who has it, what may be done, the messages that belong to it, and its story.

use super::App;
use super::acts::{self, Acts, Fields};
use super::answer::{Page, Trouble, go, page, page_with};
use super::doors::{Doors, Need};
use super::form::{Form, Path};
use super::frame::Frame;
use super::heard::{self, Badge, Heard};
use super::report::{self, Happened};
use super::session::Visitor;
use crate::acknowledge::{Answer, PageActor};
use crate::domain::account::{Right, Role};
use crate::domain::case::{Case, CaseId, CaseState, Note, NoteContent};
use crate::domain::report::Report;
use crate::store::joins::Why;
use crate::store::{Reader, StoreError, assessments, cases, charge_steps, consents, joins, notes, reports};
use crate::wording;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::TimeDelta;
use serde::Deserialize;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/vorgaenge/{number}", Need::May(Right::Read), case)
        .post("/vorgaenge/{number}/tun", Need::May(Right::Act), act)
        .post("/vorgaenge/{number}/notiz", Need::May(Right::Act), note)
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    frame: Frame,
    number: CaseId,
    verdict: Badge,
    /// The state's word and class.
    state: Badge,
    /// What is known of it now: name and value.
    facts: Vec<(&'static str, String)>,
    /// Why an act changed nothing.
    wrong: Option<String>,
    acts: Acts,
    heard: Heard,
    joined: Vec<Joined>,
    notes: Vec<Noted>,
    happened: Happened,
    /// For whoever may see charges.
    charge: Option<Charged>,
    can_correct: bool,
}

/// The case's charge.
struct Charged {
    net: String,
    class: &'static str,
    state: &'static str,
}

/// A later message of the case.
struct Joined {
    id: String,
    medium: &'static str,
    at: String,
    verdict: Option<Badge>,
    /// The same message, seen by another way.
    same: bool,
    has_sound: bool,
    description: Option<String>,
}

/// A note.
struct Noted {
    author: String,
    at: String,
    text: Option<String>,
    /// Where a spoken one can be heard, and how long it is.
    spoken: Option<(String, String)>,
    /// It was spoken and is not here (yet).
    lost: bool,
}

/// A note's form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    notiz: String,
}

async fn case(State(app): State<App>, visitor: Visitor, Path(number): Path<String>) -> Page {
    page(&shown(&app, &visitor, parse(&number)?, None).await?)
}

async fn act(State(app): State<App>, visitor: Visitor, Path(number): Path<String>, Form(fields): Form<Fields>) -> Page {
    let id = parse(&number)?;
    let zone = app.desk.settings.business_hours().zone;
    let act = match fields.act(id, app.desk.clock.now(), zone) {
        Ok(act) => act,
        Err(wrong) => return again(&app, &visitor, id, StatusCode::UNPROCESSABLE_ENTITY, wrong.to_owned()).await,
    };
    match app.desk.act_at_page(&actor(&visitor), &act, id).await? {
        Answer::Done => go(&format!("/vorgaenge/{id}")),
        Answer::Refused(why) => again(&app, &visitor, id, StatusCode::CONFLICT, wording::refusal(&why)).await,
        Answer::Unknown => Err(Trouble::Missing),
    }
}

async fn note(
    State(app): State<App>,
    visitor: Visitor,
    Path(number): Path<String>,
    Form(written): Form<Written>,
) -> Page {
    let id = parse(&number)?;
    if written.notiz.trim().is_empty() {
        let wrong = "Die Notiz ist leer.".to_owned();
        return again(&app, &visitor, id, StatusCode::UNPROCESSABLE_ENTITY, wrong).await;
    }
    if !app.desk.note_at_page(visitor.account.acts_as(), id, &written.notiz).await? {
        return Err(Trouble::Missing);
    }
    go(&format!("/vorgaenge/{id}#notizen"))
}

/// The page once more, with what is wrong.
async fn again(app: &App, visitor: &Visitor, id: CaseId, status: StatusCode, wrong: String) -> Page {
    page_with(status, &shown(app, visitor, id, Some(wrong)).await?)
}

fn parse(number: &str) -> Result<CaseId, Trouble> {
    number.parse().map(CaseId).map_err(|_| Trouble::Missing)
}

fn actor(visitor: &Visitor) -> PageActor {
    PageActor {
        name: visitor.account.acts_as().to_owned(),
        stands_in: matches!(visitor.account.role, Role::Admin | Role::Reviewer),
    }
}

async fn shown(app: &App, visitor: &Visitor, id: CaseId, wrong: Option<String>) -> Result<CasePage, Trouble> {
    let now = app.desk.clock.now();
    let mut reader = app.desk.store.read().await?;
    let case = cases::find(&mut reader, id).await?.ok_or(Trouble::Missing)?;
    let report = reports::find(&mut reader, case.report).await?;
    let later = joins::of_case(&mut reader, id).await?;
    let split = later.iter().filter(|(_, why)| *why != Why::SameMessage).count();
    let duty = app.desk.roster.at(&mut reader, now).await?;
    let colleagues: Vec<String> =
        duty.people().iter().filter(|one| one.chat.is_some()).map(|one| one.name.clone()).collect();
    let mut joined = Vec::new();
    for (report, why) in later {
        let report = reports::find(&mut reader, report).await?;
        joined.push(joined_report(app, &mut reader, &report, why).await?);
    }
    let notes = notes::of_case(&mut reader, id).await?;
    let happened = report::happened(app, &mut reader, Some(id), case.report).await?;
    let facts = facts(app, &mut reader, &case, &report).await?;
    let charge = if visitor.may(Right::Charge) { charge_steps::find(&mut reader, id).await? } else { None };
    drop(reader);
    Ok(CasePage {
        frame: Frame::of(visitor, "/", &format!("Vorgang {id}")).with_script("player.js"),
        number: id,
        verdict: verdict(&case),
        state: state(case.state),
        facts,
        wrong,
        acts: acts::acts(&case, split, &colleagues, &actor(visitor), now),
        heard: heard::heard(app, &report).await?,
        joined,
        notes: notes.into_iter().rev().map(|note| noted(app, note)).collect(),
        happened,
        charge: charge.map(|entry| Charged {
            net: entry.net.german(),
            class: entry.state.as_str(),
            state: wording::charges::state(entry.state),
        }),
        can_correct: visitor.may(Right::Correct),
    })
}

fn verdict(case: &Case) -> Badge {
    if case.unheard { Badge { class: "unclear", name: "noch nicht abgehört" } } else { Badge::of(case.verdict) }
}

fn state(state: CaseState) -> Badge {
    let name = match state {
        CaseState::Open => "offen",
        CaseState::Taken => "übernommen",
        CaseState::Closed => "beendet",
    };
    Badge { class: state.as_str(), name }
}

async fn facts(
    app: &App,
    reader: &mut Reader,
    case: &Case,
    report: &Report,
) -> Result<Vec<(&'static str, String)>, StoreError> {
    let zone = app.desk.settings.business_hours().zone;
    let mut facts = Vec::new();
    match (case.state, &case.taken_by, case.taken_at) {
        (CaseState::Open, ..) => facts.push(("Wer", "noch niemand: Es wird weiter gerufen".to_owned())),
        (_, Some(who), Some(at)) => facts.push(("Wer", format!("{who}, seit {}", app.moment(at)))),
        _ => {}
    }
    if let Some(at) = case.called_back_at {
        facts.push(("Rückruf", format!("erfolgt, {}", app.moment(at))));
    } else if let Some(at) = case.eta_at.filter(|_| case.state == CaseState::Taken) {
        facts.push(("Rückruf", format!("bis {}", app.moment(at))));
    }
    if let Some(offer) = &case.offer {
        facts.push(("Übergabe", format!("{} ist gefragt, bis {}", offer.to, wording::hour(offer.until, zone))));
    }
    if let Some(phone) = consents::newest(reader, case.id).await? {
        let what = if phone.given { "erhalten" } else { "abgelehnt" };
        facts.push(("Zustimmung am Telefon", format!("{what}, laut {}, {}", phone.actor, app.moment(phone.at))));
    }
    match (case.state, case.due_at) {
        (CaseState::Open, Some(at)) => facts.push(("Nächster Ruf", app.moment(at))),
        (CaseState::Taken, Some(at)) => facts.push(("Nächste Erinnerung", app.moment(at))),
        (CaseState::Closed, _) => facts.push(("Ende", wording::closed(case, zone))),
        _ => {}
    }
    let deadline = report.called_at + TimeDelta::hours(i64::from(app.desk.settings.terms.reaction_hours));
    if case.state != CaseState::Closed {
        facts.push(("Frist", app.moment(deadline)));
    }
    Ok(facts)
}

async fn joined_report(app: &App, reader: &mut Reader, report: &Report, why: Why) -> Result<Joined, StoreError> {
    let found = assessments::find(reader, report.id).await?;
    Ok(Joined {
        id: report.id.to_string(),
        medium: heard::medium(report.medium),
        at: app.moment(report.called_at),
        verdict: found.as_ref().map(|found| Badge::of(found.verdict)),
        same: why == Why::SameMessage,
        has_sound: report.recording.is_some(),
        description: found.and_then(|found| found.fields.description),
    })
}

fn noted(app: &App, note: Note) -> Noted {
    let (text, spoken, lost) = match note.content {
        NoteContent::Written(text) => (Some(text), None, false),
        NoteContent::Spoken { seconds, file: Some(_), .. } => {
            (None, Some((format!("/notizen/{}/notiz.wav", note.id), wording::clock(seconds))), false)
        }
        NoteContent::Spoken { .. } => (None, None, true),
    };
    Noted { author: note.author, at: app.moment(note.at), text, spoken, lost }
}
