//! The proof of one charge on a sheet of paper, and the seconds that prove it to be heard.

use super::App;
use super::answer::{Page, Trouble, page};
use super::charges::{decided, hear, why_no_consent};
use super::doors::{Doors, Need};
use super::form::Path;
use super::frame::Frame;
use super::session::Visitor;
use super::{assets, charts};
use crate::domain::account::Right;
use crate::domain::assessment::{Finding, Subject};
use crate::domain::case::CaseId;
use crate::domain::charge::ChargeState;
use crate::domain::report::Medium;
use crate::review::charges::{Dossier, REASON_MAX, dossier};
use crate::review::clip;
use crate::wording::{charges as wording, verdict as verdict_name};
use crate::wording::{clock_of, minute};
use askama::Template;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse as _;
use chrono_tz::Tz;

pub(super) fn routes(doors: Doors) -> Doors {
    doors.get("/vorgaenge/{number}/nachweis", Need::May(Right::Charge), sheet).get(
        "/vorgaenge/{number}/beleg/{nth}",
        Need::May(Right::Charge),
        heard,
    )
}

#[derive(Template)]
#[template(path = "proof.html")]
struct ProofPage {
    frame: Frame,
    style: String,
    number: i64,
    state: &'static str,
    class: &'static str,
    facts: Vec<(&'static str, String)>,
    findings: Vec<Found>,
    by_phone: Option<String>,
    consents: Vec<String>,
    steps: Vec<String>,
    decided: Vec<String>,
    objection: Option<&'static str>,
    printed: String,
    proposed: bool,
    released: bool,
    no_consent: Option<&'static str>,
    reason_max: usize,
}

/// One statement on the sheet.
struct Found {
    subject: &'static str,
    quote: String,
    seconds: Option<String>,
    probability: Option<String>,
    rule: String,
    /// Under which number it is heard.
    hear: Option<usize>,
}

async fn sheet(State(app): State<App>, visitor: Visitor, Path(number): Path<i64>) -> Page {
    let zone = app.desk.settings.business_hours().zone;
    let found = dossier(&mut app.desk.store.read().await?, CaseId(number)).await?.ok_or(Trouble::Missing)?;
    let entry = &found.entry;
    let consents = found.consents.iter().map(|one| {
        let said = if one.given { "zugestimmt" } else { "abgelehnt" };
        format!("{}: am Telefon {said}, vermerkt von {}", minute(one.at, zone), one.actor)
    });
    let steps = found.steps.iter().map(|step| {
        let by = step.actor.as_deref().map(|actor| format!(" ({actor})")).unwrap_or_default();
        format!("{}: {}{by}", minute(step.at, zone), wording::step(step))
    });
    let by_phone = entry.proof.findings.is_empty().then(|| wording::agreed(entry, zone)).flatten();
    page(&ProofPage {
        frame: Frame::of(&visitor, "/gebuehren", &format!("Nachweis zu Vorgang {number}")),
        style: assets::address("charges.css"),
        number,
        state: wording::state(entry.state),
        class: entry.state.as_str(),
        facts: facts(&found, zone),
        findings: findings(&found),
        by_phone,
        consents: consents.collect(),
        steps: steps.collect(),
        decided: decided(entry, zone),
        objection: entry.objection.filter(|_| entry.state != ChargeState::Cancelled).map(wording::objection),
        printed: minute(app.desk.clock.now(), zone),
        proposed: entry.state == ChargeState::Proposed,
        released: entry.state == ChargeState::Released,
        no_consent: why_no_consent(&app, CaseId(number)).await?,
        reason_max: REASON_MAX,
    })
}

fn facts(found: &Dossier, zone: Tz) -> Vec<(&'static str, String)> {
    let (entry, report) = (&found.entry, &found.report);
    let unknown = || "nicht bekannt".to_owned();
    let rate = entry.vat_percent().map(|percent| format!(" ({percent} %)")).unwrap_or_default();
    let way = match report.medium {
        Medium::Voicemail => "Sprachnachricht",
        Medium::Email => "E-Mail",
        Medium::Fax => "Fax",
    };
    let mut facts = vec![
        ("Firma", entry.customer.company.clone().unwrap_or_else(unknown)),
        ("Ansprechpartner", entry.customer.contact.clone().unwrap_or_else(unknown)),
        ("Rückrufnummer", entry.customer.callback.clone().unwrap_or_else(unknown)),
        ("Gemeldet", format!("{}, {way}", minute(entry.called_at, zone))),
        ("Leistung", "Aktivierung der Notfallbereitschaft außerhalb der Geschäftszeiten".to_owned()),
        ("Netto", format!("{} €", entry.net.german())),
        ("Mehrwertsteuer", format!("{} €{rate}", entry.vat().german())),
        ("Brutto", format!("{} €", entry.gross.german())),
        ("Grundlage", wording::basis(entry.basis).to_owned()),
    ];
    facts.extend(found.verdict.map(|verdict| ("Prüfung", verdict_name(verdict).to_owned())));
    facts.extend(entry.proof.rules.clone().map(|rules| ("Stand der Regeln", rules)));
    facts.extend(models(&entry.proof.models));
    facts.extend(entry.proof.sound_sha256.clone().map(|sum| ("SHA-256 der Aufnahme", sum)));
    facts.extend(entry.proof.mail_sha256.clone().map(|sum| ("SHA-256 der E-Mail", sum)));
    facts
}

/// Which speech model heard it, and which one heard it again.
fn models(models: &[String]) -> Option<(&'static str, String)> {
    match models {
        [] => None,
        [first] => Some(("Sprachmodell", first.clone())),
        [first, others @ ..] => Some(("Sprachmodelle", format!("{first}; zweite Anhörung: {}", others.join(", ")))),
    }
}

fn findings(found: &Dossier) -> Vec<Found> {
    let heard: Vec<usize> = hear(&found.entry).into_iter().map(|one| one.nth).collect();
    let shown = |(nth, finding): (usize, &Finding)| Found {
        subject: match finding.subject {
            Subject::Declaration => "Notfall erklärt",
            Subject::Conditions => "Bedingungen",
            Subject::Fee => "Gebühr",
            Subject::Urgency => "Dringlichkeit",
        },
        quote: finding.quote.clone(),
        seconds: finding.seconds.map(|(from, until)| format!("{} bis {}", clock_of(from), clock_of(until))),
        probability: finding.probability.map(|one| format!("{} %", charts::number(f64::from(one) * 100.0, 0))),
        rule: finding.rule.clone(),
        hear: heard.contains(&nth).then_some(nth),
    };
    found.entry.proof.findings.iter().enumerate().map(shown).collect()
}

/// The proving seconds, out of the recording as we wrote it anew.
async fn heard(State(app): State<App>, Path((number, nth)): Path<(i64, usize)>) -> Page {
    let found = dossier(&mut app.desk.store.read().await?, CaseId(number)).await?.ok_or(Trouble::Missing)?;
    let (from, until) = found.seconds(nth).ok_or(Trouble::Missing)?;
    let recording = found.report.recording.as_ref().ok_or(Trouble::Missing)?;
    // a recording is deleted when its time is over; the proof outlives it
    let made = app.voices.playable(&recording.file, &recording.name).await.map_err(|error| {
        tracing::warn!(error, "a proof could not be made audible");
        Trouble::Missing
    })?;
    let whole = tokio::fs::read(&made.path).await.map_err(|_| Trouble::Missing)?;
    let clip = clip::cut(&whole, from, until).map_err(|_| Trouble::Missing)?;
    let headers = [
        (header::CONTENT_TYPE, "audio/wav".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"beleg-{number}-{nth}.wav\"")),
        (header::CONTENT_SECURITY_POLICY, "sandbox".to_owned()),
    ];
    Ok((headers, clip).into_response())
}
