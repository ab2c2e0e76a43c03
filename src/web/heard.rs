//! One report as a page shows it: its sound with its picture, its words, what was found in them, and what is missing.

use super::sound;
use super::wave::{self, Wave};
use super::words::{self, Paragraph};
use super::{App, Inner};
use crate::domain::assessment::{Assessment, Finding, Verdict};
use crate::domain::phone;
use crate::domain::report::{Mail, Medium, Report, ReportId, Stage};
use crate::domain::transcript::Transcript;
use crate::store::{Reader, StoreError, assessments, hearings, mails, transcripts};
use crate::wording::{self, story};
use chrono::{DateTime, Utc};
use std::time::Duration;

/// A page waits so long for a recording's picture.
const PATIENCE: Duration = Duration::from_secs(10);

/// A report for reading and hearing.
pub(super) struct Heard {
    pub(super) id: String,
    pub(super) medium: &'static str,
    /// Who called, as the source shows it.
    pub(super) caller: String,
    pub(super) at: String,
    pub(super) hours: &'static str,
    pub(super) source: String,
    pub(super) verdict: Option<Badge>,
    pub(super) company: Option<String>,
    pub(super) contact: Option<String>,
    pub(super) description: Option<String>,
    pub(super) numbers: Vec<Number>,
    /// The spoken number is not the displayed one.
    pub(super) differ: bool,
    pub(super) missing: Vec<&'static str>,
    pub(super) money: Option<String>,
    pub(super) findings: Vec<Found>,
    pub(super) player: Option<Player>,
    /// Why there is nothing to play.
    pub(super) silent: Option<&'static str>,
    /// Where the sound as it came can be fetched.
    pub(super) original: Option<String>,
    pub(super) paragraphs: Vec<Paragraph>,
    /// What is said where there are no words.
    pub(super) wordless: &'static str,
    /// What should make a reader doubt.
    pub(super) warnings: Vec<String>,
    pub(super) language: Option<String>,
    /// What each model heard, where there was a second hearing.
    pub(super) hearings: Vec<OneHearing>,
    pub(super) letter: Option<Letter>,
}

/// A word on a coloured ground.
pub(super) struct Badge {
    pub(super) class: &'static str,
    pub(super) name: &'static str,
}

/// A number to call.
pub(super) struct Number {
    pub(super) label: &'static str,
    pub(super) text: String,
    /// In E.164, where it can be dialled.
    pub(super) dial: Option<String>,
    pub(super) note: &'static str,
}

/// A finding.
pub(super) struct Found {
    pub(super) subject: &'static str,
    pub(super) polarity: &'static str,
    pub(super) rule: String,
    pub(super) quote: String,
    /// "0:07" and "7.50", where it was heard.
    pub(super) at: Option<(String, String)>,
}

/// A recording that can be played.
pub(super) struct Player {
    pub(super) src: String,
    /// Its length in seconds and its picture, once it was made audible.
    pub(super) picture: Option<(String, Wave)>,
}

/// What one model heard.
pub(super) struct OneHearing {
    pub(super) name: &'static str,
    pub(super) model: String,
    /// What it says by itself; none: not to be believed, or not judged yet.
    pub(super) verdict: Option<&'static str>,
    pub(super) text: String,
    /// Its words stand above.
    pub(super) counts: bool,
}

/// A mail.
pub(super) struct Letter {
    pub(super) subject: String,
    pub(super) sender: String,
    pub(super) text: String,
    pub(super) raw: String,
}

impl Badge {
    pub(super) fn of(verdict: Verdict) -> Self {
        Self { class: verdict.as_str(), name: wording::title(verdict) }
    }
}

impl Inner {
    /// "Sa 21.11.2026 22:14"
    pub(super) fn moment(&self, at: DateTime<Utc>) -> String {
        wording::moment(at, self.desk.settings.business_hours().zone)
    }
}

/// Reads a report, and has its sound made audible.
pub(super) async fn heard(app: &App, report: &Report) -> Result<Heard, StoreError> {
    let mut reader = app.desk.store.read().await?;
    let found = assessments::find(&mut reader, report.id).await?;
    let transcript = transcripts::find(&mut reader, report.id).await?.map(|(transcript, _)| transcript);
    let mail = mails::find(&mut reader, report.id).await?.map(|(mail, _)| mail);
    let hearings = hearings_of(&mut reader, report.id, found.as_ref()).await?;
    drop(reader);
    let settings = &app.desk.settings;
    let outside = !settings.business_hours().is_open(report.called_at);
    let least = settings.assess.min_probability;
    let findings = found.as_ref().map(|found| found.findings.as_slice()).unwrap_or_default();
    let marks = words::marks(transcript.as_ref(), findings, least);
    let (player, silent) = player(app, report, &marks).await;
    let (numbers, differ) = numbers(report, found.as_ref());
    let fields = found.as_ref().map(|found| &found.fields);
    Ok(Heard {
        id: report.id.to_string(),
        medium: medium(report.medium),
        caller: caller(report),
        at: app.moment(report.called_at),
        hours: if outside { "außerhalb der Geschäftszeiten" } else { "innerhalb der Geschäftszeiten" },
        source: report.source.clone(),
        verdict: found.as_ref().map(|found| Badge::of(found.verdict)),
        company: fields.and_then(|fields| fields.company.clone()),
        contact: fields.and_then(|fields| fields.contact.clone()),
        description: fields.and_then(|fields| fields.description.clone()),
        numbers,
        differ,
        missing: found.iter().flat_map(|found| &found.missing).map(|missing| wording::missing(*missing)).collect(),
        money: found.as_ref().map(|found| wording::money(found).trim_start_matches("💶 ").to_owned()),
        findings: findings.iter().map(shown).collect(),
        player,
        silent,
        original: report.recording.as_ref().map(|_| format!("/meldungen/{}/original", report.id)),
        paragraphs: transcript.iter().flat_map(|one| words::paragraphs(one, least, &marks.proofs)).collect(),
        wordless: wordless(report, transcript.as_ref()),
        warnings: warnings(report, transcript.as_ref(), found.as_ref()),
        language: found.as_ref().map(|found| language(&found.language)),
        hearings,
        letter: mail.map(|mail| letter(report, mail)),
    })
}

/// Both hearings of a report; none where there was no second one.
async fn hearings_of(
    reader: &mut Reader,
    report: ReportId,
    found: Option<&Assessment>,
) -> Result<Vec<OneHearing>, StoreError> {
    let first = transcripts::first(reader, report).await?.map(|(first, _)| first);
    let (Some(first), Some(second)) = (first, hearings::find(reader, report).await?) else { return Ok(Vec::new()) };
    let original = assessments::original(reader, report).await?;
    let quick = original.as_ref().or(found).map(|found| wording::verdict_first(found.verdict));
    let one = |name, heard: &Transcript, verdict, counts| OneHearing {
        name,
        model: heard.model.clone(),
        verdict,
        text: heard.text(),
        counts,
    };
    Ok(vec![
        one("Erste Anhörung", &first, quick, !second.counts),
        one("Zweite Anhörung", &second.transcript, second.verdict.map(wording::verdict_first), second.counts),
    ])
}

async fn player(app: &App, report: &Report, marks: &wave::Marks) -> (Option<Player>, Option<&'static str>) {
    let Some(recording) = &report.recording else {
        let why = "Die Aufnahme liegt nur im Postfach: Bitte dort anhören.";
        return (None, report.trouble.is_some().then_some(why));
    };
    let src = format!("/meldungen/{}/aufnahme.wav", report.id);
    match tokio::time::timeout(PATIENCE, app.voices.playable(&recording.file, &recording.name)).await {
        Ok(Ok(made)) => {
            let picture = (words::seconds(made.sound_ms), wave::wave(&made.peaks, made.sound_ms, marks));
            (Some(Player { src, picture: Some(picture) }), None)
        }
        // the player itself waits longer
        Err(_) => (Some(Player { src, picture: None }), None),
        Ok(Err(error)) => {
            tracing::info!(report.id = %report.id, error, "a recording could not be made audible");
            (None, Some("Diese Aufnahme lässt sich hier nicht abspielen. Laden Sie das Original herunter."))
        }
    }
}

pub(super) fn medium(medium: Medium) -> &'static str {
    match medium {
        Medium::Voicemail => "Sprachnachricht",
        Medium::Email => "E-Mail",
        Medium::Fax => "Fax",
    }
}

fn caller(report: &Report) -> String {
    let number = report.caller.number.as_deref();
    let number = number.map(|text| phone::e164(text).map_or_else(|| text.to_owned(), |number| phone::spaced(&number)));
    let known: Vec<String> = report.caller.name.clone().into_iter().chain(number).collect();
    if known.is_empty() && report.medium == Medium::Voicemail { "Nummer unterdrückt".into() } else { known.join(", ") }
}

/// The spoken and the displayed number, and whether they differ.
fn numbers(report: &Report, found: Option<&Assessment>) -> (Vec<Number>, bool) {
    let number =
        |label, note, e164: &String| Number { label, text: phone::spaced(e164), dial: phone::e164(e164), note };
    let fields = found.map(|found| &found.fields);
    let spoken = fields.and_then(|fields| fields.callback.as_ref());
    let displayed = fields.and_then(|fields| fields.displayed.clone());
    let displayed = displayed.or_else(|| report.caller.number.as_deref().and_then(phone::e164));
    let differ = spoken.zip(displayed.as_ref()).is_some_and(|(spoken, displayed)| spoken != displayed);
    let doubtful = fields.is_some_and(|fields| fields.callback_doubtful);
    let said = if report.medium == Medium::Voicemail { "Gesprochen" } else { "Geschrieben" };
    let note = if doubtful { "⚠ unsicher verstanden" } else { "" };
    let shown = displayed.as_ref().map(|displayed| number("Angezeigt", "", displayed));
    (spoken.map(|spoken| number(said, note, spoken)).into_iter().chain(shown).collect(), differ)
}

fn shown(finding: &Finding) -> Found {
    let span = words::span(finding);
    Found {
        subject: story::subject(finding.subject),
        polarity: story::polarity(finding.polarity),
        rule: finding.rule.clone(),
        quote: finding.quote.clone(),
        at: span.map(|(start, _)| (words::clock(start), words::seconds(start))),
    }
}

fn wordless(report: &Report, transcript: Option<&Transcript>) -> &'static str {
    match (report.stage, transcript) {
        _ if report.medium != Medium::Voicemail => "",
        (Stage::Transcribe, None) => "Die Aufnahme wird gerade abgehört. Die Abschrift erscheint hier von selbst.",
        (_, None) => "Es gibt keine Abschrift. Bitte anhören.",
        (_, Some(_)) => "Es wurden keine Worte erkannt. Bitte anhören.",
    }
}

fn warnings(report: &Report, transcript: Option<&Transcript>, found: Option<&Assessment>) -> Vec<String> {
    let doubt = transcript.and_then(|transcript| transcript.doubt);
    let doubt =
        doubt.map(|doubt| format!("Der Abschrift ist nicht zu glauben: {}. Bitte anhören.", wording::doubtful(doubt)));
    let unclear = found.filter(|found| found.verdict == Verdict::Unclear && doubt.is_none());
    let unclear = unclear.map(|found| {
        let why = found.remark.as_deref().map_or("nicht sicher verstanden", wording::doubt_named);
        format!("Unklar: {why}.")
    });
    let remark = transcript.and_then(|transcript| transcript.remark.as_deref());
    let cut = transcript.is_some_and(|transcript| transcript.seems_cut_off(report.longest_s));
    [
        doubt,
        unclear,
        found.and_then(|found| found.consent_doubt).map(wording::unsafe_consent),
        remark.map(|remark| story::sound_remark(remark).to_owned()),
        cut.then(|| "Die Aufnahme endet vielleicht mitten im Satz.".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn language(code: &str) -> String {
    let name = match code {
        "de" => "Deutsch",
        "en" => "Englisch",
        "fr" => "Französisch",
        "it" => "Italienisch",
        "pl" => "Polnisch",
        "ru" => "Russisch",
        "tr" => "Türkisch",
        other => return format!("andere ({other})"),
    };
    name.to_owned()
}

fn letter(report: &Report, mail: Mail) -> Letter {
    Letter {
        subject: mail.subject,
        sender: mail.sender.unwrap_or_else(|| "unbekannt".to_owned()),
        text: mail.text,
        raw: format!("/meldungen/{}/mail.eml", report.id),
    }
}

/// The report of an address, read and heard.
pub(super) async fn of_address(app: &App, id: &str) -> Result<(Report, Heard), super::answer::Trouble> {
    let report = sound::find(app, id).await?;
    let heard = heard(app, &report).await?;
    Ok((report, heard))
}
