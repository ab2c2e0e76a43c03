//! *Datenschutz*: what is stored of a caller, handed out or erased; what is held; the clocks; the proof of what was deleted.
//! A number or a name never stands in an address: what is looked for is posted.

use super::App;
use super::answer::{Page, Trouble, download, go, page};
use super::doors::{Doors, Need};
use super::form::Form;
use super::frame::Frame;
use super::session::Visitor;
use crate::domain::account::Right;
use crate::domain::report::{Report, ReportId};
use crate::domain::retention::Kept;
use crate::review::requests::{Order, Whom};
use crate::review::{export, ledger, requests, retention};
use crate::store::ledger as rows;
use crate::wording::minute;
use askama::Template;
use axum::extract::State;
use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

pub(super) fn routes(doors: Doors) -> Doors {
    let right = Right::Privacy;
    doors
        .get("/datenschutz", Need::May(right), overview)
        .post("/datenschutz/suche", Need::May(right), search)
        .post("/datenschutz/auszug", Need::Freshly(right), hand_out)
        .post("/datenschutz/loeschen", Need::Freshly(right), erase)
        .post("/datenschutz/aufbewahren", Need::Freshly(right), hold)
        .post("/datenschutz/freigeben", Need::Freshly(right), release)
}

/// So many reports the page looks at in one request, and packs of so many bytes: what is more takes longer than a request may.
const MOST: usize = 500;
const MOST_BYTES: u64 = 500 * 1024 * 1024;

/// One clock in force.
struct Clock {
    what: &'static str,
    days: u32,
    from: &'static str,
}

/// One report that is held by hand.
struct Held {
    report: String,
    reason: String,
    until: String,
    by: String,
    holds: bool,
}

#[derive(Template)]
#[template(path = "privacy.html")]
struct PrivacyPage {
    frame: Frame,
    clocks: Vec<Clock>,
    keeps_all: bool,
    looked_at: Option<String>,
    holds: Vec<Held>,
    /// Month, class and reason, how many.
    months: Vec<(String, Vec<(String, usize)>)>,
    rows: usize,
    /// What is wrong with the ledger.
    broken: Option<String>,
}

async fn overview(State(app): State<App>, visitor: Visitor) -> Page {
    let (store, settings) = (&app.desk.store, &app.desk.settings);
    let (zone, now) = (settings.business_hours().zone, app.desk.clock.now());
    let check = ledger::check(store, &settings.store.folder).await?;
    let broken = match (check.broken_at, check.differs_at) {
        (Some(row), _) => {
            Some(format!("Zeile {row} ist nicht mehr, wie sie geschrieben wurde: Jemand hat das Verzeichnis geändert."))
        }
        // the file follows with the next look
        (None, Some(row)) if check.in_file > check.rows || row < i64::try_from(check.in_file).unwrap_or(i64::MAX) => {
            Some(format!("Datenbank und Datei weichen ab Zeile {row} voneinander ab."))
        }
        _ => None,
    };
    let holds = requests::holds(store).await?.into_iter().map(|hold| Held {
        holds: hold.holds(now),
        report: hold.report.to_string(),
        reason: hold.reason,
        until: minute(hold.until, zone),
        by: hold.made_by,
    });
    page(&PrivacyPage {
        frame: Frame::of(&visitor, "/datenschutz", "Datenschutz"),
        clocks: clocks(&app),
        keeps_all: settings.retention.keep_for_ever,
        looked_at: retention::looked_at(store).await?.map(|at| minute(at, zone)),
        holds: holds.collect(),
        months: months(&app).await?,
        rows: check.rows.saturating_sub(1),
        broken,
    })
}

fn clocks(app: &App) -> Vec<Clock> {
    const CLOSED: &str = "ab Abschluss des Vorgangs, ohne Vorgang ab Eingang";
    let row = &app.desk.settings.retention;
    let clock = |what, days, from| Clock { what, days, from };
    vec![
        clock("Ton: Aufnahmen, Sprachnotizen", row.sound_days, CLOSED),
        clock("Text: Abschrift, Angaben, E-Mails, Notizen, Suche", row.text_days, CLOSED),
        clock("Angezeigte Nummer (drei Ziffern bleiben) und Name", row.number_days, CLOSED),
        clock("Übrige Angaben zum Anruf", row.metadata_days, CLOSED),
        clock("Nachweis einer Gebühr", row.proof_days, "ab Freigabe oder Storno"),
        clock("Ignorierte Meldungen und Probealarme", row.ignored_days, "ab Eingang"),
        clock("Ereignisse und Benachrichtigungen", row.log_days, "ab dem Ereignis"),
    ]
}

async fn months(app: &App) -> Result<Vec<(String, Vec<(String, usize)>)>, Trouble> {
    let zone = app.desk.settings.business_hours().zone;
    let mut months: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
    for row in rows::behind(&mut *app.desk.store.read().await?, 0).await? {
        let month = row.at.with_timezone(&zone).format("%Y-%m").to_string();
        let what = format!("{} ({})", class(&row.class), why(&row.why));
        *months.entry(month).or_default().entry(what).or_default() += 1;
    }
    Ok(months.into_iter().rev().map(|(month, counts)| (month, counts.into_iter().collect())).collect())
}

fn class(word: &str) -> &str {
    match word {
        "sound" => "Ton",
        "text" => "Text",
        "number" => "Nummer",
        "metadata" => "Angaben",
        "proof" => "Nachweis",
        other => other,
    }
}

fn why(word: &str) -> &str {
    match word {
        "period" => "Frist",
        "request" => "auf Verlangen",
        "restored" => "nach einer Sicherung noch einmal",
        other => other,
    }
}

/// Who is looked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    /// "nummer", "name" or "meldung".
    wonach: String,
    was: String,
}

impl Search {
    fn whom(&self) -> Result<Whom, Trouble> {
        let wrong = |text: &str| Trouble::Wrong(text.to_owned());
        match self.wonach.as_str() {
            "nummer" => Whom::number(&self.was)
                .map_err(|_| wrong("Das ist keine Nummer mit Vorwahl. Schreiben Sie zum Beispiel 09721 555017.")),
            "name" => Whom::name(&self.was)
                .map_err(|_| wrong("Ein Name braucht mindestens vier Buchstaben, sonst werden Fremde gefunden.")),
            "meldung" => parsed(&self.was).map(Whom::Report),
            _ => Err(wrong("Wählen Sie, wonach gesucht wird.")),
        }
    }
}

fn parsed(id: &str) -> Result<ReportId, Trouble> {
    id.trim().parse().map_err(|_| Trouble::Wrong("Das ist keine Kennung einer Meldung.".to_owned()))
}

/// One report that was found.
struct Found {
    id: String,
    at: String,
    number: Option<String>,
    name: Option<String>,
    /// What keeps it from being erased.
    kept: Option<String>,
    /// What was deleted of it, when and why.
    gone: Vec<String>,
}

#[derive(Template)]
#[template(path = "privacy_found.html")]
struct FoundPage {
    frame: Frame,
    what: String,
    text: String,
    found: Vec<Found>,
    /// Names on the list of words.
    words: Vec<String>,
    kept: bool,
    /// What came of an order.
    said: Option<String>,
}

/// What is found, if it is not too much for the page.
async fn few(app: &App, whom: &Whom) -> Result<Vec<Report>, Trouble> {
    let found = requests::find(&app.desk.store, whom).await?;
    if found.len() > MOST {
        return Err(Trouble::Wrong(format!(
            "Das sind {} Meldungen, mehr als {MOST} auf einmal zeigt die Seite nicht. Suchen Sie genauer, oder nehmen Sie auf \
             dem Rechner „nachtwache privacy export“ oder „nachtwache privacy erase“.",
            found.len()
        )));
    }
    Ok(found)
}

async fn search(State(app): State<App>, visitor: Visitor, Form(search): Form<Search>) -> Page {
    show(&app, &visitor, search, None).await
}

async fn show(app: &App, visitor: &Visitor, search: Search, said: Option<String>) -> Page {
    let (store, zone) = (&app.desk.store, app.desk.settings.business_hours().zone);
    let (periods, now) = (app.desk.settings.retention.periods(), app.desk.clock.now());
    let (mut found, whom) = (Vec::new(), search.whom()?);
    for report in few(app, &whom).await? {
        let kept = requests::obstacle(store, report.id, &periods, now).await?;
        let gone = rows::of_report(&mut *store.read().await?, report.id).await?;
        found.push(Found {
            id: report.id.to_string(),
            at: minute(report.called_at, zone),
            number: report.caller.number,
            name: report.caller.name,
            kept: kept.map(|kept| says(kept, zone)),
            gone: gone
                .iter()
                .map(|row| format!("{} gelöscht am {} ({})", class(&row.class), minute(row.at, zone), why(&row.why)))
                .collect(),
        });
    }
    let words = requests::words(store, &whom).await?.into_iter().map(|one| one.word).collect();
    let kept = found.iter().any(|one| one.kept.is_some());
    let frame = Frame::of(visitor, "/datenschutz", "Datenschutz: Gefunden");
    page(&FoundPage { frame, what: search.wonach, text: search.was, found, words, kept, said })
}

fn says(kept: Kept, zone: Tz) -> String {
    match kept {
        Kept::Unjudged => "noch nicht geprüft".into(),
        Kept::OpenCase => "der Vorgang ist offen".into(),
        Kept::OpenCharge => "eine Gebühr wartet auf Freigabe oder Storno".into(),
        Kept::Proof(until) => format!("gehört zu einer freigegebenen Gebühr, bis {}", minute(until, zone)),
        Kept::Held(until) => format!("wird aufbewahrt bis {}", minute(until, zone)),
    }
}

async fn hand_out(State(app): State<App>, visitor: Visitor, Form(search): Form<Search>) -> Page {
    let now = app.desk.clock.now();
    let whom = search.whom()?;
    if export::weigh(&app.desk.store, &few(&app, &whom).await?).await? > MOST_BYTES {
        return Err(Trouble::Wrong(
            "Die Aufnahmen sind zusammen größer als 500 MB. Nehmen Sie auf dem Rechner „nachtwache privacy export“."
                .to_owned(),
        ));
    }
    let (bytes, count) = export::export(&app.desk.store, &whom, visitor.account.acts_as(), now).await?;
    if count == 0 {
        return Err(Trouble::Wrong("Davon ist nichts gespeichert.".to_owned()));
    }
    download(&format!("auszug-{}.zip", now.format("%Y-%m-%d")), "application/zip", bytes)
}

/// Erase what is found. A box that is not ticked is not sent.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Erase {
    wonach: String,
    was: String,
    sicher: Option<String>,
    auch_offene: Option<String>,
}

async fn erase(State(app): State<App>, visitor: Visitor, Form(order): Form<Erase>) -> Page {
    if order.sicher.as_deref() != Some("ja") {
        return Err(Trouble::Wrong("Es wurde nichts gelöscht: Bestätigen Sie, dass es endgültig ist.".to_owned()));
    }
    let (store, settings, now) = (&app.desk.store, &app.desk.settings, app.desk.clock.now());
    let periods = settings.retention.periods();
    let search = Search { wonach: order.wonach, was: order.was };
    let whom = search.whom()?;
    let all: Vec<ReportId> = few(&app, &whom).await?.into_iter().map(|report| report.id).collect();
    let even_open = order.auch_offene.as_deref() == Some("ja");
    let order = Order { actor: visitor.account.acts_as(), even_open, periods: &periods };
    let done = requests::erase(store, &all, order, now).await?;
    let words = requests::erase_words(store, &whom, order.actor, now).await?;
    if let Err(error) = ledger::follow(store, &settings.store.folder).await {
        tracing::error!(%error, "the ledger of deletions beside the database could not be brought up to date");
    }
    let mut said = format!("{} gelöscht, {} behalten.", done.erased.len(), done.kept.len());
    if words > 0 {
        write!(said, " {words} von der Wortliste genommen.").expect("a string can be written to");
    }
    if words + done.erased.len() > 0 {
        said += " Was frei wurde, ist überschrieben; die Datenbank wird in der nächsten ruhigen Stunde neu geschrieben, \
                 spätestens in sieben Tagen.";
    }
    show(&app, &visitor, search, Some(said)).await
}

/// Keep one report until a day.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keep {
    meldung: String,
    grund: String,
    bis: String,
}

async fn hold(State(app): State<App>, visitor: Visitor, Form(keep): Form<Keep>) -> Page {
    let until = last_moment(&keep.bis, app.desk.settings.business_hours().zone)?;
    let report = parsed(&keep.meldung)?;
    let now = app.desk.clock.now();
    let held = requests::hold(&app.desk.store, report, &keep.grund, until, visitor.account.acts_as(), now).await?;
    held.map_err(|_| {
        Trouble::Wrong(
            "Aufbewahren braucht eine Meldung, die es gibt, einen Grund und ein Ende in den nächsten zehn Jahren."
                .to_owned(),
        )
    })?;
    go("/datenschutz")
}

/// The end of a day that a form gives as 2027-06-30.
fn last_moment(day: &str, zone: Tz) -> Result<DateTime<Utc>, Trouble> {
    let wrong = || Trouble::Wrong("Das ist kein Tag. Schreiben Sie zum Beispiel 2027-06-30.".to_owned());
    let day: NaiveDate = day.trim().parse().map_err(|_| wrong())?;
    let next = day.checked_add_signed(TimeDelta::days(1)).ok_or_else(wrong)?;
    let midnight = next.and_time(NaiveTime::MIN).and_local_timezone(zone).latest().ok_or_else(wrong)?;
    Ok(midnight.to_utc())
}

/// Which report need not be kept any longer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Release {
    meldung: String,
}

async fn release(State(app): State<App>, visitor: Visitor, Form(release): Form<Release>) -> Page {
    let report = parsed(&release.meldung)?;
    requests::release_hold(&app.desk.store, report, visitor.account.acts_as(), app.desk.clock.now()).await?;
    go("/datenschutz")
}
