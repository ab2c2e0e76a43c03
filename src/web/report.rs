//! One report: its sound, its words in step with it, what was found, and who was told.

use super::App;
use super::answer::{Page, page};
use super::correct::ReviewForm;
use super::doors::{Doors, Need};
use super::form::Path;
use super::frame::Frame;
use super::heard::{self, Heard};
use super::session::Visitor;
use crate::domain::account::Right;
use crate::domain::case::CaseId;
use crate::domain::notice::Delivery;
use crate::domain::report::ReportId;
use crate::store::deliveries::{self, Told};
use crate::store::{Reader, StoreError, cases, events, joins};
use crate::wording::story;
use askama::Template;
use axum::extract::State;

/// So many notices are shown; a night that rang longer has more.
const TOLD: i64 = 200;

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/meldungen/{id}", Need::May(Right::Read), report)
}

#[derive(Template)]
#[template(path = "report.html")]
struct ReportPage {
    frame: Frame,
    heard: Heard,
    case: Option<CaseId>,
    /// For whoever may correct what was judged.
    review: Option<ReviewForm>,
    happened: Happened,
}

/// What happened with a report or a case, and who was told.
pub(super) struct Happened {
    /// When, and what.
    pub(super) lines: Vec<(String, String)>,
    pub(super) told: Vec<Delivered>,
}

/// One notice.
pub(super) struct Delivered {
    pub(super) to: String,
    pub(super) way: String,
    pub(super) kind: &'static str,
    pub(super) loud: bool,
    pub(super) class: &'static str,
    pub(super) state: &'static str,
    pub(super) planned: String,
    /// Sent at, or next try at.
    pub(super) at: Option<String>,
    /// An earlier try may have arrived.
    pub(super) repeated: bool,
    /// Why the last try failed, as the log has it.
    pub(super) error: Option<String>,
}

async fn report(State(app): State<App>, visitor: Visitor, Path(id): Path<String>) -> Page {
    let (report, heard) = heard::of_address(&app, &id).await?;
    let mut reader = app.desk.store.read().await?;
    let opened = cases::of_report(&mut reader, report.id).await?.map(|case| case.id);
    let case = match opened {
        Some(case) => Some(case),
        None => joins::case_of(&mut reader, report.id).await?,
    };
    let happened = happened(&app, &mut reader, opened, report.id).await?;
    drop(reader);
    let review = if visitor.may(Right::Correct) { ReviewForm::of(&app, report.id).await? } else { None };
    let frame = Frame::of(&visitor, "/", &format!("Meldung vom {}", heard.at)).with_script("player.js");
    page(&ReportPage { frame, heard, case, review, happened })
}

/// The story of a report and the case it opened.
pub(super) async fn happened(
    app: &App,
    reader: &mut Reader,
    case: Option<CaseId>,
    report: ReportId,
) -> Result<Happened, StoreError> {
    let lines = events::of_report(reader, report).await?;
    let told = deliveries::of_story(reader, case, report, TOLD).await?;
    Ok(Happened {
        lines: lines.iter().map(|event| (app.moment(event.at), story::story(event))).collect(),
        told: told.iter().map(|told| delivered(app, told)).collect(),
    })
}

fn delivered(app: &App, told: &Told) -> Delivered {
    let notice = &told.notice;
    let at = match notice.delivery {
        Delivery::Sent => notice.sent_at.map(|at| app.moment(at)),
        Delivery::Due | Delivery::Sending => told.due_at.map(|at| format!("nächster Versuch {}", app.moment(at))),
        Delivery::Failed | Delivery::Gone => None,
    };
    let class = match notice.delivery {
        Delivery::Sent => "good",
        Delivery::Due | Delivery::Sending => "waiting",
        Delivery::Failed => "failing",
        Delivery::Gone => "",
    };
    Delivered {
        to: story::recipient(&notice.recipient).to_owned(),
        way: notice.channel.clone().unwrap_or_else(|| "Telegram".to_owned()),
        kind: story::notice(notice.kind),
        loud: notice.loud,
        class,
        state: story::delivery(notice.delivery),
        planned: app.moment(notice.created_at),
        at,
        repeated: notice.repeated,
        error: told.error.clone().filter(|_| notice.delivery != Delivery::Sent),
    }
}
