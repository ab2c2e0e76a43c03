//! "Wortschatz": the words that the recogniser should expect and the names of customers.

use super::App;
use super::answer::{Page, Trouble, go, page, page_with};
use super::correct::review;
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Path};
use super::frame::Frame;
use super::session::Visitor;
use crate::domain::account::Right;
use crate::review::{Added, Unfit};
use crate::store::vocabulary::{self, Kind};
use crate::wording::day;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/wortschatz", Need::May(Right::Correct), show).post("/wortschatz", Need::May(Right::Correct), add).post(
        "/wortschatz/{id}/streichen",
        Need::May(Right::Correct),
        remove,
    )
}

/// The words of one kind.
struct Group {
    kind: &'static str,
    name: &'static str,
    words: Vec<Row>,
}

struct Row {
    id: String,
    word: String,
    added: String,
    by: String,
}

#[derive(Template)]
#[template(path = "vocabulary.html")]
struct VocabularyPage {
    frame: Frame,
    groups: Vec<Group>,
    typed: String,
    kind: String,
    wrong: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    art: String,
    wort: String,
}

async fn show(State(app): State<App>, visitor: Visitor) -> Page {
    page(&listed(&app, &visitor).await?)
}

async fn add(State(app): State<App>, visitor: Visitor, Form(sent): Form<Sent>) -> Page {
    let kind = Kind::parse(&sent.art).ok_or_else(|| Trouble::Wrong("Diese Art gibt es nicht.".to_owned()))?;
    let wrong = match review(&app).add_word(kind, &sent.wort, visitor.account.acts_as()).await? {
        Added::Done => return go("/wortschatz"),
        Added::Already => "Das Wort steht schon in der Liste.",
        Added::Refused(Unfit::Shape) => "Ein Wort hat zwei bis 60 Zeichen und steht in einer Zeile.",
        Added::Refused(Unfit::Terms) => {
            "Worte von Notfall, Zustimmung, Bedingungen oder Gebühr dürfen nicht in die Liste: Das Programm würde sie sonst hören, wo niemand sie sagt."
        }
        Added::Refused(Unfit::Full) => "Die Liste ist voll. Streichen Sie, was nicht mehr gebraucht wird.",
    };
    refused(&app, &visitor, sent, wrong).await
}

async fn refused(app: &App, visitor: &Visitor, sent: Sent, wrong: &'static str) -> Result<Response, Trouble> {
    let shown = listed(app, visitor).await?;
    let shown = VocabularyPage { typed: sent.wort, kind: sent.art, wrong: Some(wrong), ..shown };
    page_with(StatusCode::UNPROCESSABLE_ENTITY, &shown)
}

async fn remove(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    if !review(&app).remove_word(&id, visitor.account.acts_as()).await? {
        return Err(Trouble::Meanwhile("Das Wort steht nicht mehr in der Liste.".to_owned()));
    }
    go("/wortschatz")
}

async fn listed(app: &App, visitor: &Visitor) -> Result<VocabularyPage, Trouble> {
    let zone = app.desk.settings.business_hours().zone;
    let mut all = vocabulary::all(&mut *app.desk.store.read().await?).await?;
    all.sort_by_key(|entry| entry.word.to_lowercase());
    let groups = [Kind::Customer, Kind::Contact, Kind::Product, Kind::Place].map(|kind| Group {
        kind: kind.as_str(),
        name: match kind {
            Kind::Customer => "Kunden",
            Kind::Contact => "Ansprechpartner",
            Kind::Product => "Produkte",
            Kind::Place => "Orte",
        },
        words: all
            .iter()
            .filter(|entry| entry.kind == kind)
            .map(|entry| Row {
                id: entry.id.clone(),
                word: entry.word.clone(),
                added: day(entry.added_at, zone),
                by: entry.added_by.clone(),
            })
            .collect(),
    });
    Ok(VocabularyPage {
        frame: Frame::of(visitor, "/wortschatz", "Wortschatz"),
        groups: groups.into(),
        typed: String::new(),
        kind: String::new(),
        wrong: None,
    })
}
