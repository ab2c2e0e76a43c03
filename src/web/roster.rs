//! The roster: a month at a glance, who is on now, where nobody is, and the changes of it.
//!
//! Promise: what is entered here is what the planner rings by, from the next look on; it is checked, noted and told as a
//! change by command is (`roster::change`). A technician enters and takes back absences of his own only, and none that would
//! leave nobody.

use super::answer::{Page, Trouble, download, go, page};
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Path, Query};
use super::frame::Frame;
use super::month::{Month, Week};
use super::session::Visitor;
use super::{App, Inner};
use crate::domain::account::Right;
use crate::domain::roster::{Change, ChangeKind, Plan, instant, local, parse_local};
use crate::roster::change::{self, Office, Senseless, Span};
use crate::roster::ical;
use crate::store::phones;
use crate::store::roster::{self, ChangeState, Noted};
use crate::wording::{commands::span as from_to, moment};
use askama::Template;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

/// The calendar reaches so far ahead, and so far back for the beginning of the shift that runs.
const AHEAD: TimeDelta = TimeDelta::days(90);
const BACK: TimeDelta = TimeDelta::days(40);

pub(super) fn routes(doors: Doors) -> Doors {
    let (see, plan) = (Need::May(Right::Roster), Need::May(Right::Plan));
    doors
        .get("/dienstplan", see, show)
        .get("/dienstplan/kalender.ics", see, calendar)
        .post("/dienstplan/vertretung", plan, take_over)
        .post("/dienstplan/tausch", plan, swap)
        // a technician: his own only
        .post("/dienstplan/abwesenheit", see, absence)
        .post("/dienstplan/{id}/zuruecknehmen", see, withdraw)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// "2026-12"
    monat: Option<String>,
    /// A gap to be filled, local times.
    von: Option<String>,
    bis: Option<String>,
    /// "nein": the change made no difference.
    wirkt: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TakeOver {
    wer: String,
    #[serde(default)]
    statt: String,
    von: String,
    bis: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Swap {
    wer: String,
    von: String,
    bis: String,
    mit: String,
    mit_von: String,
    mit_bis: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Absence {
    wer: String,
    von: String,
    bis: String,
}

/// A gap that is still to come.
struct Gap {
    time: String,
    /// Its ends as form fields have them.
    from: String,
    until: String,
}

/// A change in the list.
struct Row {
    id: String,
    what: String,
    time: String,
    asked: bool,
    made_by: String,
    made_at: String,
    /// The visitor may take it back.
    his: bool,
}

#[derive(Template)]
#[template(path = "roster.html")]
struct RosterPage {
    frame: Frame,
    title: String,
    previous: String,
    next: String,
    weeks: Vec<Week>,
    /// Who has duty now; `None` = nobody.
    duty: Option<String>,
    backup: Option<String>,
    /// The next hand-over, and to whom.
    handover: Option<(String, Option<String>)>,
    last_resort: Vec<String>,
    gaps: Vec<Gap>,
    changes: Vec<Row>,
    technicians: Vec<String>,
    /// The visitor may change the plan.
    plans: bool,
    /// The technician who the visitor is.
    me: Option<String>,
    /// What the form begins with: a gap.
    from: String,
    until: String,
    without_effect: bool,
}

async fn show(State(app): State<App>, visitor: Visitor, Query(wanted): Query<Wanted>) -> Page {
    let (now, zone) = (app.desk.clock.now(), app.zone());
    let month = Month::of(wanted.monat.as_deref(), local(zone, now).date())
        .ok_or_else(|| Trouble::Wrong("Einen Monat schreibt man so: 2026-12.".to_owned()))?;
    let (begins, ends) = month.shown(zone);
    let mut reader = app.desk.store.read().await?;
    let plan = app.desk.roster.plan_from(&mut reader, begins, now).await?;
    let noted = roster::list(&mut reader, begins.min(now)).await?;
    drop(reader);
    let on_duty = plan.at(now);
    let handover = plan.next_handover(now).map(|next| (moment(next.from, zone), next.duty().map(str::to_owned)));
    let plans = visitor.may(Right::Plan);
    let settings = &app.desk.settings;
    let prefilled = |given: Option<String>| given.filter(|text| parse_local(text).is_some()).unwrap_or_default();
    page(&RosterPage {
        frame: Frame::of(&visitor, "/dienstplan", "Dienstplan"),
        title: month.title(),
        previous: month.previous(),
        next: month.next(),
        weeks: month.weeks(&plan, now, visitor.account.technician.as_deref()),
        duty: on_duty.order.first().cloned(),
        backup: on_duty.order.get(1).cloned(),
        handover,
        last_resort: plan.last_resort.iter().map(|word| last_resort(word)).collect(),
        gaps: plan.gaps(begins.max(now), ends).iter().map(|gap| gap_of(zone, gap.from, gap.until)).collect(),
        changes: noted.into_iter().filter_map(|one| row(one, &visitor, zone)).collect(),
        technicians: settings.technicians.iter().map(|one| one.name.clone()).collect(),
        plans,
        me: visitor.account.technician,
        from: prefilled(wanted.von),
        until: prefilled(wanted.bis),
        without_effect: wanted.wirkt.as_deref() == Some("nein"),
    })
}

fn last_resort(word: &str) -> String {
    match word {
        "everyone" => "alle",
        "office" => "das Büro",
        "duty" => "wer Dienst hat",
        name => name,
    }
    .to_owned()
}

fn gap_of(zone: Tz, from: DateTime<Utc>, until: DateTime<Utc>) -> Gap {
    let field = |at| local(zone, at).format("%Y-%m-%dT%H:%M").to_string();
    Gap { time: from_to(from, until, zone), from: field(from), until: field(until) }
}

/// A change that counts or waits for an answer.
fn row(one: Noted, visitor: &Visitor, zone: Tz) -> Option<Row> {
    let asked = match one.state {
        ChangeState::Asked => true,
        ChangeState::Active => false,
        ChangeState::Refused | ChangeState::Withdrawn | ChangeState::Lapsed => return None,
    };
    let change = &one.change;
    let what = match &change.kind {
        ChangeKind::Absence => format!("{} ist abwesend", change.technician),
        ChangeKind::Override { replaces: Some(other) } => format!("{} statt {other}", change.technician),
        ChangeKind::Override { replaces: None } => format!("{} übernimmt", change.technician),
    };
    Some(Row {
        what,
        time: from_to(change.from, change.until, zone),
        asked,
        his: visitor.may(Right::Plan) || is_own_absence(change, visitor),
        made_at: moment(one.made_at, zone),
        made_by: one.made_by,
        id: one.id,
    })
}

fn is_own_absence(change: &Change, visitor: &Visitor) -> bool {
    change.kind == ChangeKind::Absence && visitor.account.technician.as_ref() == Some(&change.technician)
}

async fn calendar(State(app): State<App>, _: Visitor) -> Page {
    let now = app.desk.clock.now();
    let plan = app.desk.roster.plan_from(&mut app.reader().await?, now - BACK, now).await?;
    let mut shifts = plan.shifts(now - BACK, now + AHEAD);
    // the one that runs keeps its beginning, and so its identity
    shifts.retain(|shift| shift.until > now);
    download("dienstplan.ics", "text/calendar; charset=utf-8", ical::export(&shifts, now).into_bytes())
}

async fn take_over(State(app): State<App>, visitor: Visitor, Form(form): Form<TakeOver>) -> Page {
    let (technician, span) = (app.technician(&form.wer)?, app.span(&form.von, &form.bis)?);
    let statt = Some(form.statt).filter(|name| !name.is_empty());
    let replaces = statt.map(|name| app.technician(&name)).transpose()?;
    let changes = change::take_over(&technician, replaces.as_deref(), span, app.desk.clock.now()).map_err(german)?;
    app.make(&visitor, &changes).await
}

async fn swap(State(app): State<App>, visitor: Visitor, Form(form): Form<Swap>) -> Page {
    let (one, other) = (app.technician(&form.wer)?, app.technician(&form.mit)?);
    let (ones, others) = (app.span(&form.von, &form.bis)?, app.span(&form.mit_von, &form.mit_bis)?);
    let changes = change::swap((&one, ones), (&other, others), app.desk.clock.now()).map_err(german)?;
    app.make(&visitor, &changes).await
}

async fn absence(State(app): State<App>, visitor: Visitor, Form(form): Form<Absence>) -> Page {
    let (technician, span) = (app.technician(&form.wer)?, app.span(&form.von, &form.bis)?);
    let changes = change::absence(&technician, span, app.desk.clock.now()).map_err(german)?;
    if !visitor.may(Right::Plan) {
        if !changes.iter().all(|change| is_own_absence(change, &visitor)) {
            return Err(Trouble::Denied);
        }
        app.leaves_somebody(&changes, span).await?;
    }
    app.make(&visitor, &changes).await
}

async fn withdraw(
    State(app): State<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(Nothing {}): Form<Nothing>,
) -> Page {
    let noted = roster::find(&mut *app.reader().await?, &id).await?.ok_or(Trouble::Missing)?;
    if !visitor.may(Right::Plan) && !is_own_absence(&noted.change, &visitor) {
        return Err(Trouble::Denied);
    }
    let office = app.office(&visitor).await?;
    let mut tx = app.desk.store.begin().await?;
    let Some(noted) = office.withdraw(&mut tx, &id).await? else {
        return Err(Trouble::Meanwhile("Diese Änderung gilt schon nicht mehr.".to_owned()));
    };
    tx.commit().await?;
    app.desk.ring();
    go(&month_of(app.zone(), noted.change.from, ""))
}

/// The month in which a change shows.
fn month_of(zone: Tz, at: DateTime<Utc>, more: &str) -> String {
    format!("/dienstplan?monat={}{more}", local(zone, at).format("%Y-%m"))
}

fn german(error: Senseless) -> Trouble {
    Trouble::Wrong(match error {
        Senseless::Backwards => "Das Ende liegt nicht nach dem Anfang.".to_owned(),
        Senseless::Over => "Diese Zeit ist schon vorbei; es würde sich nichts ändern.".to_owned(),
        Senseless::Himself(name) => format!("{name} kann nicht für sich selbst einspringen."),
        Senseless::Overlap => "Die beiden Zeiten überschneiden sich; dann wäre nicht klar, wer Dienst hat.".to_owned(),
    })
}

impl Inner {
    fn zone(&self) -> Tz {
        self.desk.settings.business_hours().zone
    }

    async fn reader(&self) -> Result<crate::store::Reader, Trouble> {
        Ok(self.desk.store.read().await?)
    }

    fn technician(&self, name: &str) -> Result<String, Trouble> {
        let found = self.desk.settings.technicians.iter().find(|one| one.name == name);
        let found = found.ok_or_else(|| Trouble::Wrong("Diesen Techniker gibt es nicht (mehr).".to_owned()))?;
        Ok(found.name.clone())
    }

    fn span(&self, from: &str, until: &str) -> Result<Span, Trouble> {
        let at = |text: &str| {
            let local = parse_local(text).ok_or_else(|| Trouble::Wrong(format!("{text:?} ist keine Zeit.")))?;
            Ok::<_, Trouble>(instant(self.zone(), local))
        };
        Ok((at(from)?, at(until)?))
    }

    async fn plan_now(&self, now: DateTime<Utc>) -> Result<Plan, Trouble> {
        Ok(self.desk.roster.plan(&mut self.reader().await?, now).await?)
    }

    async fn office<'a>(&'a self, visitor: &'a Visitor) -> Result<Office<'a>, Trouble> {
        let now = self.desk.clock.now();
        let phones = phones::all(&mut *self.reader().await?).await?;
        let before = self.plan_now(now).await?;
        Ok(Office { settings: &self.desk.settings, before, phones, made_by: visitor.account.acts_as(), now })
    }

    /// Whoever is away by his own word leaves the duty to somebody.
    async fn leaves_somebody(&self, changes: &[Change], (from, until): Span) -> Result<(), Trouble> {
        let before = self.plan_now(self.desk.clock.now()).await?;
        let mut after = before.clone();
        after.changes.extend_from_slice(changes);
        if after.gaps(from, until) == before.gaps(from, until) {
            return Ok(());
        }
        let text =
            "Dann hätte zeitweise niemand Dienst. Geben Sie den Dienst zuerst ab, oder fragen Sie die Verwaltung.";
        Err(Trouble::Wrong(text.to_owned()))
    }

    /// Notes the changes, tells those concerned, and shows the month.
    async fn make(&self, visitor: &Visitor, changes: &[Change]) -> Page {
        let office = self.office(visitor).await?;
        let mut tx = self.desk.store.begin().await?;
        office.make(&mut tx, changes).await?;
        tx.commit().await?;
        self.desk.ring();
        let mut after = office.before.clone();
        after.changes.extend_from_slice(changes);
        let orders = |plan: &Plan, change: &Change| {
            let shifts = plan.shifts(change.from, change.until).into_iter();
            shifts.map(|shift| (shift.from, shift.order)).collect::<Vec<_>>()
        };
        let same = changes.iter().all(|one| orders(&after, one) == orders(&office.before, one));
        let first = changes.iter().map(|one| one.from).min().unwrap_or(office.now);
        go(&month_of(self.zone(), first, if same { "&wirkt=nein" } else { "" }))
    }
}
