//! "Auswertung": a year on one page.

use super::App;
use super::answer::{Page, Trouble, download, page};
use super::charts::{
    Bars, Curve, Frame as Picture, Heat, Layer, Lines, Place, Row, Unit, heat, lines, number, rows, stacked,
};
use super::doors::{Doors, Need};
use super::form::Query;
use super::frame::Frame;
use super::month::month_name;
use super::session::Visitor;
use crate::domain::account::Right;
use crate::domain::assessment::Verdict;
use crate::domain::case::{CaseState, Outcome};
use crate::domain::tariff::Cents;
use crate::review::figures::{Figures, Month, Reach, Speed, Step, Wait, figures};
use crate::store::figures::VERDICTS;
use crate::wording;
use crate::wording::charges::{cell, signed};
use crate::wording::weekday;
use askama::Template;
use askama::filters::HtmlSafe;
use axum::extract::State;
use chrono::{Datelike as _, NaiveDate};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/auswertung", Need::May(Right::Figures), show).get(
        "/auswertung/export",
        Need::May(Right::Figures),
        export,
    )
}

const SPANS: [(&str, &str, Reach); 3] =
    [("jahr", "12 Monate", Reach::Year), ("90", "90 Tage", Reach::Quarter), ("monat", "1 Monat", Reach::Month)];
const DAYS: [&str; 7] = ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mär", "Apr", "Mai", "Jun", "Jul", "Aug", "Sep", "Okt", "Nov", "Dez"];

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Wanted {
    zeit: String,
}

#[derive(Template)]
#[template(path = "figures.html")]
struct FiguresPage {
    frame: Frame,
    style: String,
    spans: Vec<(&'static str, &'static str, bool)>,
    zeit: &'static str,
    span: String,
    /// What counts most: name, value.
    most: Vec<(&'static str, String)>,
    pictures: Vec<Drawn>,
}

/// A picture as markup: `charts` escaped what others named in it.
struct Drawn(String);

impl fmt::Display for Drawn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Drawn {}

fn reach(word: &str) -> Result<(&'static str, Reach), Trouble> {
    let word = if word.is_empty() { SPANS[0].0 } else { word };
    let known = SPANS.into_iter().find(|(known, ..)| *known == word);
    known.map(|(word, _, reach)| (word, reach)).ok_or_else(|| Trouble::Wrong("Diesen Zeitraum gibt es nicht.".into()))
}

async fn found(app: &App, reach: Reach) -> Result<Figures, Trouble> {
    let zone = app.desk.settings.business_hours().zone;
    Ok(figures(&mut app.desk.store.read().await?, reach, zone, app.desk.clock.now()).await?)
}

async fn show(State(app): State<App>, visitor: Visitor, Query(wanted): Query<Wanted>) -> Page {
    let (zeit, reach) = reach(&wanted.zeit)?;
    let figures = found(&app, reach).await?;
    page(&FiguresPage {
        frame: Frame::of(&visitor, "/auswertung", "Auswertung"),
        style: super::assets::address("charts.css"),
        spans: SPANS.into_iter().map(|(word, name, _)| (word, name, word == zeit)).collect(),
        zeit,
        span: format!("{} bis {}", figures.days.0.format("%d.%m.%Y"), figures.days.1.format("%d.%m.%Y")),
        most: most(&figures),
        pictures: pictures(&figures).into_iter().map(Drawn).collect(),
    })
}

/// The few numbers above the pictures.
fn most(figures: &Figures) -> Vec<(&'static str, String)> {
    let sums = figures.reports.values().fold([0_u32; 5], |mut sums, day| {
        sums.iter_mut().zip(day).for_each(|(sum, count)| *sum += count);
        sums
    });
    let wait =
        |wait: Option<Wait>| wait.map_or_else(|| "–".into(), |wait| Unit::Seconds.told(f64::from(wait.median_s)));
    let (released, net) =
        figures.charges.values().fold((0, 0), |(count, net), one| (count + one.released, net + one.net.0));
    let count = |count: u32| number(f64::from(count), 0);
    vec![
        ("Meldungen", count(sums.iter().sum())),
        ("davon bestätigte Notfälle", count(sums[0])),
        ("bis zur Übernahme (Hälfte der Fälle)", wait(figures.answer)),
        ("bis zum Rückruf (Hälfte der Fälle)", wait(figures.call_back)),
        ("freigegebene Gebühren", format!("{} ({} € netto)", count(released), signed(Cents(net)))),
    ]
}

fn pictures(figures: &Figures) -> Vec<String> {
    let step = if figures.step == Step::Week { "Woche" } else { "Tag" };
    let places = places(figures);
    let title = |what: &str| format!("{what} je {step}");
    vec![
        stacked(
            &Picture {
                id: "meldungen",
                title: &title("Meldungen"),
                told: "Gestapelte Balken: wie viele Meldungen eingingen, nach Prüfung.",
            },
            &Bars { places: places.clone(), layers: layers(figures), heading: step.into() },
        ),
        heat(
            &Picture {
                id: "stunden",
                title: "Wann gemeldet wird",
                told: "Ein Feld aus Wochentagen und Stunden: je kräftiger, desto mehr Meldungen.",
            },
            &Heat {
                rows: DAYS.map(str::to_owned).to_vec(),
                columns: (0..24).map(|hour| format!("{hour} Uhr")).collect(),
                every: 6,
                values: figures.busiest.iter().map(|hours| hours.to_vec()).collect(),
                heading: "Tag".into(),
            },
        ),
        waits("uebernahme", "Zeit bis zur Übernahme", &figures.answers, figures, &places, step),
        waits("rueckruf", "Zeit bis zum Rückruf", &figures.call_backs, figures, &places, step),
        speed(figures, places, step),
        charged(figures),
        outcomes(figures),
        technicians(figures),
    ]
}

fn places(figures: &Figures) -> Vec<Place> {
    let mut month = 0;
    let place = |(nth, day): (usize, &NaiveDate)| match figures.step {
        Step::Week => {
            let new = std::mem::replace(&mut month, day.month()) != day.month();
            let tick = (new && nth > 0).then(|| MONTHS[day.month0() as usize].to_owned());
            Place { name: format!("Woche ab {}", day.format("%d.%m.%Y")), tick }
        }
        Step::Day => {
            let every = if figures.places.len() > 40 { 14 } else { 7 };
            let tick = (nth % every == 0).then(|| day.format("%d.%m.").to_string());
            let name = format!("{} {}", weekday(day.weekday()), day.format("%d.%m.%Y"));
            Place { name, tick }
        }
    };
    figures.places.iter().enumerate().map(place).collect()
}

fn layers(figures: &Figures) -> Vec<Layer> {
    let layer = |(nth, verdict): (usize, Verdict)| Layer {
        name: wording::verdict(verdict).into(),
        class: verdict.as_str(),
        values: figures.places.iter().map(|day| figures.reports.get(day).map_or(0, |counts| counts[nth])).collect(),
    };
    VERDICTS.into_iter().enumerate().map(layer).collect()
}

fn waits(
    id: &str,
    title: &str,
    found: &BTreeMap<NaiveDate, Wait>,
    figures: &Figures,
    places: &[Place],
    step: &str,
) -> String {
    let values = |of: fn(&Wait) -> u32| -> Vec<Option<f64>> {
        figures.places.iter().map(|day| found.get(day).map(|wait| f64::from(of(wait)))).collect()
    };
    let curves = vec![
        Curve { name: "9 von 10 Fällen".into(), class: "soft", values: values(|wait| wait.most_s) },
        Curve { name: "Hälfte der Fälle".into(), class: "strong", values: values(|wait| wait.median_s) },
    ];
    let told = "Zwei Kurven: so lange dauerte es höchstens bei der Hälfte und bei neun von zehn Vorgängen.";
    lines(
        &Picture { id, title, told },
        &Lines { places: places.to_vec(), curves, unit: Unit::Seconds, heading: step.into() },
    )
}

fn speed(figures: &Figures, places: Vec<Place>, step: &str) -> String {
    let values = figures.places.iter().map(|day| figures.speeds.get(day).and_then(Speed::factor)).collect();
    let curves = vec![Curve { name: "Echtzeitfaktor".into(), class: "strong", values }];
    lines(
        &Picture {
            id: "abschrift",
            title: "Rechenzeit der Abschrift (Echtzeitfaktor)",
            told: "Eine Kurve: so viele Sekunden rechnet die Abschrift für eine Sekunde Aufnahme.",
        },
        &Lines { places, curves, unit: Unit::Factor, heading: step.into() },
    )
}

fn charged(figures: &Figures) -> String {
    let months: Vec<_> = figures.charges.iter().collect();
    let layer = |name: &str, class, of: fn(&Month) -> u32| Layer {
        name: name.into(),
        class,
        values: months.iter().map(|(_, month)| of(month)).collect(),
    };
    let bars = Bars {
        places: months
            .iter()
            .map(|(day, _)| Place { name: month_name(**day), tick: Some(MONTHS[day.month0() as usize].into()) })
            .collect(),
        layers: vec![
            layer("freigegeben", "strong", |month| month.released),
            layer("vorgeschlagen", "incomplete", |month| month.proposed),
            layer("storniert", "ignored", |month| month.cancelled),
        ],
        heading: "Monat".into(),
    };
    let told = "Gestapelte Balken: Gebühren je Monat, nach ihrem Stand.";
    stacked(&Picture { id: "gebuehren", title: "Gebühren je Monat", told }, &bars)
}

fn outcomes(figures: &Figures) -> String {
    let bars: Vec<Row> = figures
        .outcomes
        .iter()
        .map(|(state, outcome, value)| Row {
            name: outcome_name(*state, *outcome).into(),
            class: "strong",
            value: *value,
        })
        .collect();
    let told = "Liegende Balken: wie Vorgänge endeten oder stehen.";
    rows(&Picture { id: "ausgang", title: "Vorgänge nach Ausgang", told }, &bars, ["Ausgang", "Vorgänge"])
}

fn outcome_name(state: CaseState, outcome: Option<Outcome>) -> &'static str {
    match (state, outcome) {
        (_, Some(Outcome::Done)) => "erledigt",
        (_, Some(Outcome::NoEmergency)) => "kein Notfall",
        (_, Some(Outcome::Harmless)) => "harmlos",
        (CaseState::Open, None) => "offen",
        (CaseState::Taken, None) => "in Arbeit",
        (CaseState::Closed, None) => "geschlossen",
    }
}

fn technicians(figures: &Figures) -> String {
    let bar = |(name, value): &(Option<String>, u32)| Row {
        name: name.clone().unwrap_or_else(|| "niemand".into()),
        class: if name.is_some() { "strong" } else { "ignored" },
        value: *value,
    };
    let bars: Vec<Row> = figures.technicians.iter().map(bar).collect();
    let told = "Liegende Balken: wer wie viele Vorgänge übernommen hat.";
    rows(&Picture { id: "techniker", title: "Vorgänge nach Techniker", told }, &bars, ["Techniker", "Vorgänge"])
}

/// One line a day or week; what has no such place stands below.
async fn export(State(app): State<App>, Query(wanted): Query<Wanted>) -> Page {
    let (zeit, reach) = reach(&wanted.zeit)?;
    let figures = found(&app, reach).await?;
    let mut writer = csv::WriterBuilder::new()
        .delimiter(b';')
        .terminator(csv::Terminator::CRLF)
        .quote_style(csv::QuoteStyle::Always)
        .from_writer(b"\xef\xbb\xbf".to_vec());
    let ours = |error: csv::Error| Trouble::Ours(error.to_string());
    let mut head = vec![if figures.step == Step::Week { "Woche ab" } else { "Tag" }.to_owned()];
    head.extend(VERDICTS.map(|verdict| format!("Meldungen {}", wording::verdict(verdict))));
    head.extend(
        ["Übernahme Hälfte s", "Übernahme 9 von 10 s", "Rückruf Hälfte s", "Rückruf 9 von 10 s", "Echtzeitfaktor"]
            .map(str::to_owned),
    );
    writer.write_record(&head).map_err(ours)?;
    for day in &figures.places {
        writer.write_record(line(&figures, *day)).map_err(ours)?;
    }
    let body = writer.into_inner().map_err(|error| Trouble::Ours(error.to_string()))?;
    download(&format!("auswertung-{zeit}.csv"), "text/csv; charset=utf-8", body)
}

fn line(figures: &Figures, day: NaiveDate) -> Vec<String> {
    let mut cells = vec![cell(&day.format("%d.%m.%Y").to_string())];
    cells.extend(figures.reports.get(&day).copied().unwrap_or_default().map(|count| count.to_string()));
    for found in [&figures.answers, &figures.call_backs] {
        let wait = found.get(&day);
        cells.extend(
            [wait.map(|wait| wait.median_s), wait.map(|wait| wait.most_s)]
                .map(|seconds| seconds.map(|seconds| seconds.to_string()).unwrap_or_default()),
        );
    }
    let factor = figures.speeds.get(&day).and_then(Speed::factor);
    cells.push(factor.map(|factor| format!("{factor:.3}").replace('.', ",")).unwrap_or_default());
    cells
}
