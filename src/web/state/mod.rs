//! *Zustand*: how the watch itself is. Each thing is well or not, and what is not says what to do. For machines the same
//! as figures, and one word each: does the process live, can it work?

mod facts;
mod judged;
mod metrics;
pub(crate) mod shown;

use super::App;
use super::answer::{Page, page};
use super::doors::{Doors, Need};
use super::frame::Frame;
use super::session::Visitor;
use crate::domain::account::Right;
use crate::wording::minute;
use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use facts::Facts;
use judged::{Light, Section, is_ill, judged};

/// The longest sound that is transcribed, seconds.
const LONGEST_SOUND_S: u64 = 600;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/zustand", Need::May(Right::State), state)
        .get("/metrics", Need::Machine, figures)
        .get("/healthz", Need::Nobody, lives)
        .get("/readyz", Need::Nobody, works)
}

#[derive(Template)]
#[template(path = "state.html")]
struct StatePage {
    frame: Frame,
    sections: Vec<Section>,
    bad: usize,
    at: String,
}

async fn state(State(app): State<App>, visitor: Visitor) -> Page {
    let facts = Facts::of(&app).await?;
    let zone = app.desk.settings.business_hours().zone;
    let sections = judged(&facts, longest(&app), zone);
    let bad = sections.iter().flat_map(|section| &section.items).filter(|item| item.light == Light::Bad).count();
    let frame = Frame::of(&visitor, "/zustand", "Zustand");
    page(&StatePage { frame, sections, bad, at: minute(facts.now, zone) })
}

async fn figures(State(app): State<App>) -> Page {
    let text = metrics::text(&Facts::of(&app).await?, longest(&app));
    Ok(([(header::CONTENT_TYPE, metrics::KIND)], text).into_response())
}

/// The process lives.
async fn lives() -> &'static str {
    "ok\n"
}

/// The store answers, and no worker fails or hangs. Which one is not said here.
async fn works(State(app): State<App>) -> Response {
    let now = app.desk.clock.now();
    let ill = app.status.board().iter().any(|(name, entry)| is_ill(name, entry, longest(&app), now));
    let answers = async { crate::store::notices::pending(&mut *app.desk.store.read().await?).await };
    if ill || answers.await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response();
    }
    "ready\n".into_response()
}

/// How long a transcription may take.
fn longest(app: &App) -> TimeDelta {
    let row = &app.desk.settings.transcribe;
    let seconds = (LONGEST_SOUND_S * u64::from(row.limit_factor)).max(row.limit_min_s);
    TimeDelta::seconds(i64::try_from(seconds).unwrap_or(3600))
}
