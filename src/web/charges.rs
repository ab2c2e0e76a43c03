//! "Gebühren": what may be billed, each with the words that prove it; released, cancelled, agreed to on the phone, handed to
//! the accounts.

use super::App;
use super::answer::{Page, Trouble, download, go, page};
use super::assets;
use super::charts::whole;
use super::doors::{Doors, Need};
use super::form::{Form, Nothing, Path, Query};
use super::frame::Frame;
use super::month::month_name;
use super::session::Visitor;
use crate::acknowledge::{Answer, PageActor};
use crate::domain::account::Right;
use crate::domain::act::Act;
use crate::domain::case::{CaseId, CaseState};
use crate::domain::charge::{ChargeState, Entry, Filter, Signed, Sum};
use crate::domain::tariff::Cents;
use crate::review::charges::{self, Decided, REASON_MAX};
use crate::store::cases;
use crate::wording::charges as wording;
use crate::wording::{clock_of, minute};
use askama::Template;
use axum::extract::State;
use chrono::{Datelike as _, Months, NaiveDate};
use chrono_tz::Tz;
use serde::Deserialize;

pub(super) fn routes(doors: Doors) -> Doors {
    doors
        .get("/gebuehren", Need::May(Right::Charge), list)
        .get("/gebuehren/export", Need::Freshly(Right::Charge), export)
        .post("/gebuehren/{number}/freigeben", Need::May(Right::Charge), release)
        .post("/gebuehren/{number}/stornieren", Need::May(Right::Charge), cancel)
        .post("/gebuehren/{number}/zustimmung", Need::May(Right::Charge), consent)
}

/// So many on one page.
const SHOWN: u32 = 50;
/// So many months can be chosen.
const MONTHS: u32 = 18;
const STATES: [(&str, &str, Option<ChargeState>); 4] = [
    ("vorgeschlagen", "Vorgeschlagen", Some(ChargeState::Proposed)),
    ("freigegeben", "Freigegeben", Some(ChargeState::Released)),
    ("storniert", "Storniert", Some(ChargeState::Cancelled)),
    ("alle", "Alle", None),
];

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    stand: String,
    monat: String,
    seite: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    grund: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    antwort: String,
}

#[derive(Template)]
#[template(path = "charges.html")]
struct ChargesPage {
    frame: Frame,
    style: String,
    tabs: Vec<Tab>,
    months: Vec<Choice>,
    /// The state's word, for links and forms.
    stand: &'static str,
    month: String,
    rows: Vec<Row>,
    count: String,
    from: u32,
    earlier: Option<u32>,
    later: Option<u32>,
    reason_max: usize,
}

/// One state with what stands there.
struct Tab {
    word: &'static str,
    name: &'static str,
    here: bool,
    count: String,
    net: String,
}

struct Choice {
    value: String,
    name: String,
    here: bool,
}

/// One charge on the list.
struct Row {
    number: i64,
    called: String,
    company: String,
    contact: Option<String>,
    net: String,
    gross: String,
    state: &'static str,
    class: &'static str,
    basis: &'static str,
    agreed: String,
    hear: Vec<Hear>,
    decided: Vec<String>,
    objection: Option<&'static str>,
    proposed: bool,
    released: bool,
}

/// Where a finding is heard.
pub(super) struct Hear {
    pub(super) nth: usize,
    pub(super) from: String,
}

async fn list(State(app): State<App>, visitor: Visitor, Query(wanted): Query<Wanted>) -> Page {
    let zone = app.desk.settings.business_hours().zone;
    let (stand, state) = standing(&wanted.stand)?;
    let (month, filter) = filter(&wanted.monat, state, zone)?;
    let at = if wanted.seite.is_empty() { Ok(0) } else { wanted.seite.parse::<u32>() };
    let at = at.ok().filter(|at| *at < 100_000).ok_or_else(|| Trouble::Wrong("Diese Seite gibt es nicht.".into()))?;
    let found = charges::page(&mut app.desk.store.read().await?, &filter, SHOWN, at * SHOWN).await?;
    let tabs = STATES.into_iter().map(|(word, name, state)| tab(word, name, state, stand, &found.sums));
    let more = u64::from(at + 1) * u64::from(SHOWN) < found.count;
    let today = app.desk.clock.now().with_timezone(&zone).date_naive();
    page(&ChargesPage {
        frame: Frame::of(&visitor, "/gebuehren", "Gebühren"),
        style: assets::address("charges.css"),
        tabs: tabs.collect(),
        months: months(today, month),
        stand,
        month: month.map(|month| month.format("%Y-%m").to_string()).unwrap_or_default(),
        rows: found.entries.iter().map(|entry| row(entry, zone)).collect(),
        count: whole(found.count),
        from: at * SHOWN + 1,
        earlier: at.checked_sub(1),
        later: more.then_some(at + 1),
        reason_max: REASON_MAX,
    })
}

/// A state's word and the state; without a word what waits.
fn standing(word: &str) -> Result<(&'static str, Option<ChargeState>), Trouble> {
    let word = if word.is_empty() { STATES[0].0 } else { word };
    let known = STATES.into_iter().find(|(known, ..)| *known == word);
    known.map(|(word, _, state)| (word, state)).ok_or_else(|| Trouble::Wrong("Diesen Stand gibt es nicht.".into()))
}

fn filter(text: &str, state: Option<ChargeState>, zone: Tz) -> Result<(Option<NaiveDate>, Filter), Trouble> {
    let month = charges::month(text);
    if month.is_none() && !text.is_empty() {
        return Err(Trouble::Wrong("Diesen Monat gibt es nicht; geschrieben wird er so: 2026-11.".into()));
    }
    Ok((month, Filter { state, span: month.map(|month| charges::span_of(month, zone)) }))
}

fn tab(word: &'static str, name: &'static str, state: Option<ChargeState>, stand: &str, sums: &[Sum]) -> Tab {
    let of = sums.iter().filter(|sum| state.is_none_or(|state| state == sum.state));
    let (count, net) = of.fold((0, 0), |(count, net), sum| (count + sum.count, net + sum.net.0));
    let net = wording::signed(Cents(net));
    Tab { word, name, here: word == stand, count: whole(count), net }
}

fn months(today: NaiveDate, chosen: Option<NaiveDate>) -> Vec<Choice> {
    let first = today.with_day(1).unwrap_or(today);
    let last = (0..MONTHS).filter_map(|back| first.checked_sub_months(Months::new(back)));
    let mut all: Vec<NaiveDate> = last.collect();
    all.extend(chosen.filter(|chosen| !all.contains(chosen)));
    let named = all.into_iter().map(|month| Choice {
        value: month.format("%Y-%m").to_string(),
        name: month_name(month),
        here: Some(month) == chosen,
    });
    std::iter::once(Choice { value: String::new(), name: "alle Monate".into(), here: chosen.is_none() })
        .chain(named)
        .collect()
}

fn row(entry: &Entry, zone: Tz) -> Row {
    Row {
        number: entry.case.0,
        called: minute(entry.called_at, zone),
        company: entry.customer.company.clone().unwrap_or_else(|| "Firma unbekannt".into()),
        contact: entry.customer.contact.clone(),
        net: entry.net.german(),
        gross: entry.gross.german(),
        state: wording::state(entry.state),
        class: entry.state.as_str(),
        basis: wording::basis(entry.basis),
        agreed: wording::agreed(entry, zone).unwrap_or_else(|| "Wortlaut gelöscht".into()),
        hear: hear(entry),
        decided: decided(entry, zone),
        objection: entry.objection.filter(|_| entry.state != ChargeState::Cancelled).map(wording::objection),
        proposed: entry.state == ChargeState::Proposed,
        released: entry.state == ChargeState::Released,
    }
}

/// The findings that can be heard.
pub(super) fn hear(entry: &Entry) -> Vec<Hear> {
    let findings = entry.proof.findings.iter().enumerate().filter(|_| entry.proof.sound_sha256.is_some());
    findings.filter_map(|(nth, finding)| Some(Hear { nth, from: clock_of(finding.seconds?.0) })).collect()
}

/// Who decided, and when.
pub(super) fn decided(entry: &Entry, zone: Tz) -> Vec<String> {
    let signed = |what: &str, signed: &Signed| format!("{what} von {} am {}", signed.by, minute(signed.at, zone));
    let mut told: Vec<String> = entry.released.iter().map(|one| signed("freigegeben", one)).collect();
    let what = if entry.is_credited() { "Gutschrift" } else { "storniert" };
    let reason = entry.reason.as_deref().unwrap_or_default();
    told.extend(entry.cancelled.iter().map(|one| format!("{}: {reason}", signed(what, one))));
    told
}

async fn export(State(app): State<App>, Query(wanted): Query<Wanted>) -> Page {
    let zone = app.desk.settings.business_hours().zone;
    let (stand, state) = standing(&wanted.stand)?;
    let (month, filter) = filter(&wanted.monat, state, zone)?;
    let lines = charges::lines(&mut app.desk.store.read().await?, &filter).await?;
    let month = month.map(|month| month.format("-%Y-%m").to_string()).unwrap_or_default();
    download(&format!("gebuehren-{stand}{month}.csv"), "text/csv; charset=utf-8", wording::csv(&lines, zone))
}

async fn release(State(app): State<App>, visitor: Visitor, Path(number): Path<i64>, _: Form<Nothing>) -> Page {
    let by = visitor.account.acts_as();
    answer(&app, number, charges::release(&app.desk.store, CaseId(number), by, app.desk.clock.now()).await?)
}

async fn cancel(State(app): State<App>, visitor: Visitor, Path(number): Path<i64>, Form(form): Form<Reason>) -> Page {
    let by = visitor.account.acts_as();
    answer(&app, number, charges::cancel(&app.desk.store, CaseId(number), by, &form.grund, app.desk.clock.now()).await?)
}

/// After a decision its proof shows who decided and when; the second one is told what stands.
fn answer(app: &App, number: i64, came: Decided) -> Page {
    let zone = app.desk.settings.business_hours().zone;
    match came {
        Decided::Done(_) => go(&format!("/vorgaenge/{number}/nachweis")),
        Decided::Already(entry) => {
            let who = decided(&entry, zone).join("; ");
            Err(Trouble::Meanwhile(format!("Die Gebühr zu Vorgang {number} ist schon entschieden: {who}.")))
        }
        Decided::Unknown => Err(Trouble::Missing),
        Decided::Nobody => Err(Trouble::Denied),
        Decided::NoReason => {
            Err(Trouble::Wrong(format!("Ein Storno braucht einen Grund, höchstens {REASON_MAX} Zeichen.")))
        }
    }
}

/// What the customer said on the phone: the button's own operation, with all its rules.
async fn consent(State(app): State<App>, visitor: Visitor, Path(number): Path<i64>, Form(form): Form<Said>) -> Page {
    let given = match form.antwort.as_str() {
        "ja" => true,
        "nein" => false,
        _ => return Err(Trouble::Wrong("Die Antwort ist ja oder nein.".into())),
    };
    let actor = PageActor { name: visitor.account.acts_as().to_owned(), stands_in: true };
    match app.desk.act_at_page(&actor, &Act::Consent(given), CaseId(number)).await? {
        Answer::Done => go(&format!("/vorgaenge/{number}/nachweis")),
        Answer::Unknown => Err(Trouble::Missing),
        Answer::Refused(_) => Err(Trouble::Meanwhile(NOBODY_HAS_IT.to_owned())),
    }
}

const NOBODY_HAS_IT: &str =
    "Den Vorgang hat noch niemand übernommen. Eine Zustimmung am Telefon wird vermerkt, sobald ihn jemand hat.";

/// Why a consent on the phone cannot be noted now; `None` where it can.
pub(super) async fn why_no_consent(app: &App, case: CaseId) -> Result<Option<&'static str>, Trouble> {
    let mut reader = app.desk.store.read().await?;
    let case = cases::find(&mut reader, case).await?.ok_or(Trouble::Missing)?;
    Ok((case.state == CaseState::Open).then_some(NOBODY_HAS_IT))
}
