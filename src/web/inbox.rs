//! Eingang: what came in, newest first, filtered, counted, searched. It grows and changes by itself.
//!
//! The filter is the address: a page can be kept, sent on and gone back to, and works without scripts.

use super::App;
use super::answer::{Page, Trouble, page};
use super::doors::{Doors, Need};
use super::form::Query;
use super::frame::Frame;
use super::session::Visitor;
use super::times;
use crate::config::SourceRow;
use crate::domain::account::Right;
use crate::domain::assessment::Verdict;
use crate::domain::report::{Medium, Stage};
use crate::store::inbox::{self, Counts, Cursor, Filter, Row, State, VERDICTS};
use crate::wording::{self, safe};
use askama::Template;
use axum::extract;
use chrono::{DateTime, Days, NaiveDate, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// Longest name in a row.
const NAME: usize = 80;
/// Longest beginning of what was said.
const OPENING: usize = 180;

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/", Need::May(Right::Read), list)
}

/// What stands behind the question mark. An empty field is none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Asked {
    /// Verdicts, with commas between them.
    #[serde(skip_serializing_if = "String::is_empty")]
    urteil: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    stand: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    quelle: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    techniker: String,
    /// Days of the firm's calendar, 2026-11-21; both count.
    #[serde(skip_serializing_if = "String::is_empty")]
    von: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    bis: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    suche: String,
    /// The page: below or above this place.
    #[serde(skip_serializing_if = "String::is_empty")]
    vor: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    nach: String,
}

impl Asked {
    fn verdicts(&self) -> Result<Vec<Verdict>, Trouble> {
        let words = self.urteil.split(',').filter(|word| !word.is_empty());
        words.map(|word| Verdict::parse(word).ok_or_else(|| wrong("dieses Urteil"))).collect()
    }

    fn filter(&self, zone: Tz) -> Result<Filter, Trouble> {
        let day = |text: &str| -> Result<Option<NaiveDate>, Trouble> {
            if text.is_empty() {
                return Ok(None);
            }
            text.parse().map(Some).map_err(|_| wrong("diesen Tag"))
        };
        let after = |day: NaiveDate| day.checked_add_days(Days::new(1)).ok_or_else(|| wrong("diesen Tag"));
        Ok(Filter {
            verdicts: self.verdicts()?,
            state: some(&self.stand)
                .map(|word| State::parse(&word).ok_or_else(|| wrong("diesen Stand")))
                .transpose()?,
            from: day(&self.von)?.map(|day| times::begin_of(day, zone)),
            until: day(&self.bis)?.map(after).transpose()?.map(|day| times::begin_of(day, zone)),
            source: some(&self.quelle),
            technician: some(&self.techniker),
            words: self.suche.clone(),
        })
    }

    fn cursor(&self) -> Result<Cursor, Trouble> {
        let place = |text: &str| text.parse().map_err(|_| wrong("diese Seite"));
        match (self.vor.as_str(), self.nach.as_str()) {
            ("", "") => Ok(Cursor::Newest),
            (before, "") => place(before).map(Cursor::Before),
            (_, after) => place(after).map(Cursor::After),
        }
    }

    /// The address of the same with something else, on its first page.
    fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self { vor: String::new(), nach: String::new(), ..self.clone() };
        change(&mut other);
        match serde_urlencoded::to_string(&other) {
            Ok(fields) if !fields.is_empty() => format!("/?{fields}"),
            _ => "/".to_owned(),
        }
    }

    /// Whether it asks for anything but everything.
    fn narrows(&self) -> bool {
        self.with(|_| {}) != "/"
    }
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn wrong(what: &str) -> Trouble {
    Trouble::Wrong(format!("Der Eingang kennt {what} nicht. Gehen Sie zum Eingang zurück und wählen Sie neu."))
}

/// One choice of a filter.
struct Chip {
    name: &'static str,
    /// `None`: too many to count.
    count: Option<i64>,
    on: bool,
    href: String,
}

/// One choice of a list.
struct Choice {
    name: String,
    on: bool,
}

/// One row as it is shown.
struct Line {
    key: String,
    at: String,
    when: String,
    moment: String,
    verdict: &'static str,
    verdict_class: &'static str,
    who: String,
    contact: String,
    number: String,
    opening: String,
    way: String,
    source: String,
    case: String,
    state: &'static str,
    state_class: &'static str,
    technician: String,
    charge: bool,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct InboxPage {
    frame: Frame,
    asked: Asked,
    verdicts: Vec<Chip>,
    states: Vec<Chip>,
    sources: Vec<Choice>,
    technicians: Vec<Choice>,
    many: String,
    lines: Vec<Line>,
    older: Option<String>,
    newer: Option<String>,
    narrows: bool,
}

async fn list(extract::State(app): extract::State<App>, visitor: Visitor, Query(asked): Query<Asked>) -> Page {
    let zone = app.desk.settings.business_hours().zone;
    let filter = asked.filter(zone)?;
    let mut reader = app.desk.store.read().await?;
    let found = inbox::page(&mut reader, &filter, asked.cursor()?).await?;
    let counts = inbox::counts(&mut reader, &filter).await?;
    drop(reader);
    let now = app.desk.clock.now();
    let lines = found.rows.into_iter().map(|row| line(row, now, zone, visitor.may(Right::Charge)));
    let settings = &app.desk.settings;
    page(&InboxPage {
        frame: Frame::of(&visitor, "/", "Eingang").with_script("inbox.js"),
        verdicts: verdict_chips(&asked, &filter, &counts),
        states: state_chips(&asked, &filter, &counts),
        sources: choices(settings.sources.iter().map(SourceRow::name), &asked.quelle),
        technicians: choices(settings.technicians.iter().map(|one| one.name.as_str()), &asked.techniker),
        many: if counts.more { format!("mehr als {}", many(inbox::COUNTED)) } else { many(counts.all) },
        lines: lines.collect(),
        older: found.older.map(|place| asked.with(|asked| asked.vor = place.to_string())),
        newer: found.newer.map(|place| asked.with(|asked| asked.nach = place.to_string())),
        narrows: asked.narrows(),
        asked,
    })
}

fn many(count: i64) -> String {
    let digits = count.to_string();
    let grouped = match digits.len() {
        0..=3 => digits,
        length => format!("{}.{}", &digits[..length - 3], &digits[length - 3..]),
    };
    if count == 1 { "1 Meldung".to_owned() } else { format!("{grouped} Meldungen") }
}

/// The known ones, and the one that is asked for where it is none of them (any more).
fn choices<'a>(known: impl Iterator<Item = &'a str>, asked: &str) -> Vec<Choice> {
    let mut all: Vec<Choice> = known.map(|name| Choice { name: name.to_owned(), on: name == asked }).collect();
    if !asked.is_empty() && !all.iter().any(|choice| choice.on) {
        all.push(Choice { name: asked.to_owned(), on: true });
    }
    all
}

/// Each one is added or taken away by itself.
fn verdict_chips(asked: &Asked, filter: &Filter, counts: &Counts) -> Vec<Chip> {
    let chip = |(verdict, count): (&Verdict, &i64)| {
        let on = filter.verdicts.contains(verdict);
        let chosen = VERDICTS.iter().filter(|one| filter.verdicts.contains(one) != (*one == verdict));
        let words: Vec<&str> = chosen.map(|one| one.as_str()).collect();
        let href = asked.with(|asked| asked.urteil = words.join(","));
        Chip { name: wording::verdict_first(*verdict), count: (!counts.more).then_some(*count), on, href }
    };
    VERDICTS.iter().zip(&counts.verdicts).map(chip).collect()
}

/// One of them or all.
fn state_chips(asked: &Asked, filter: &Filter, counts: &Counts) -> Vec<Chip> {
    let chip = |(state, count): (&State, &i64)| {
        let on = filter.state == Some(*state);
        let word = if on { "" } else { state.as_str() };
        let href = asked.with(|asked| word.clone_into(&mut asked.stand));
        Chip { name: state_name(*state), count: (!counts.more).then_some(*count), on, href }
    };
    State::ALL.iter().zip(&counts.states).map(chip).collect()
}

fn state_name(state: State) -> &'static str {
    match state {
        State::Waiting => "Wartet",
        State::Open => "Offen",
        State::Taken => "Übernommen",
        State::Closed => "Erledigt",
        State::None => "Ohne Vorgang",
    }
}

fn line(row: Row, now: DateTime<Utc>, zone: Tz, sees_charges: bool) -> Line {
    let name = |text: Option<String>| text.map(|text| safe::line(&text, NAME)).unwrap_or_default();
    let number = row.callback.or(row.displayed).map(|number| safe::number(&number)).unwrap_or_default();
    let names = [name(row.company), name(row.caller), name(row.contact.clone()), number.clone()];
    let who = names.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "Unbekannt".to_owned());
    let contact = Some(name(row.contact)).filter(|contact| *contact != who).unwrap_or_default();
    let waits = if row.stage == Stage::Transcribe { "Wird abgeschrieben" } else { "Wird geprüft" };
    let way = match (row.medium, row.sound_ms) {
        (Medium::Voicemail, Some(length)) => wording::clock(length.div_ceil(1000)),
        (Medium::Voicemail, None) => "Anruf".to_owned(),
        (Medium::Email, _) => "E-Mail".to_owned(),
        (Medium::Fax, _) => "Fax".to_owned(),
    };
    Line {
        key: row.report.to_string(),
        at: row.called_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        when: times::relative(row.called_at, now, zone),
        moment: wording::moment(row.called_at, zone),
        verdict: row.verdict.map_or(waits, wording::verdict_first),
        verdict_class: row.verdict.map_or("waiting", Verdict::as_str),
        number: if number == who { String::new() } else { number },
        who,
        contact,
        opening: row.opening.map(|text| safe::line(&text, OPENING)).unwrap_or_default(),
        way,
        source: safe::line(&row.source, NAME),
        case: row.case.map(|case| case.to_string()).unwrap_or_default(),
        state: state_name(row.state),
        state_class: row.state.as_str(),
        technician: name(row.technician),
        charge: row.charge && sees_charges,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_messages_is_told_in_words() {
        assert_eq!((many(0).as_str(), many(1).as_str()), ("0 Meldungen", "1 Meldung"));
        assert_eq!(many(100_000), "100.000 Meldungen");
    }

    #[test]
    fn a_chip_adds_its_verdict_and_takes_it_away_again() {
        let asked = Asked { urteil: "unclear".into(), suche: "a&b".into(), vor: "7".into(), ..Asked::default() };
        let filter = asked.filter(chrono_tz::Europe::Berlin).unwrap();
        let chips = verdict_chips(&asked, &filter, &Counts::default());
        assert_eq!(chips[0].href, "/?urteil=confirmed%2Cunclear&suche=a%26b", "and the first page is shown");
        assert_eq!(chips[2].href, "/?suche=a%26b");
        assert!(chips[2].on && !chips[0].on);
    }

    #[test]
    fn a_day_is_one_of_the_firms_calendar() {
        let asked = Asked { von: "2026-11-21".into(), bis: "2026-11-21".into(), ..Asked::default() };
        let filter = asked.filter(chrono_tz::Europe::Berlin).unwrap();
        assert_eq!(filter.from.unwrap().to_rfc3339(), "2026-11-20T23:00:00+00:00");
        assert_eq!(filter.until.unwrap() - filter.from.unwrap(), chrono::TimeDelta::days(1));
    }
}
