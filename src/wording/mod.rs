//! Every German sentence that is sent. Pure: values and `now` in, plain text out; whoever sends it escapes it.

mod bundle;
pub mod charges;
pub mod commands;
mod life;
pub mod login;
pub mod morning;
mod paths;
mod press;
mod receipt;
pub mod safe;
mod statements;
pub mod story;
pub mod swaps;
mod times;
mod verdicts;
pub mod watch;

pub use bundle::{LISTED, Listed, bundle, take};
pub use life::{lapsed, link, offer, offer_over, question, remind, remind_over, unclosed};
pub use paths::{by_other_way, channel_back, channel_down, name_field, number_field, telegram_back, telegram_down};
pub use press::{
    answer, back, button, menu, noted, noted_closed, other, reason, refusal, show, stranger, under_way, unknown_button,
};
pub use receipt::{Receipted, receipt, receipt_subject};
pub use statements::{doubt_named, doubtful, missing, money, unsafe_consent};
pub use times::{clock, clock_of, day, hour, minute, moment, weekday};
pub use verdicts::{title, verdict, verdict_first};

use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::case::{Case, CaseState, Note, NoteContent, Outcome, PhoneConsent, Reason};
use crate::domain::notice::Outage;
use crate::domain::report::{Mail, Medium, Report};
use crate::domain::transcript::Transcript;
use chrono::{DateTime, Datelike as _, TimeDelta, Utc};
use chrono_tz::Tz;
use statements::{caller, displayed, fields, statements};

/// What marks a message that an earlier try may have delivered already.
pub const REPEATED: &str = "(Wiederholung möglich)";
/// So many later messages are told one by one on an alert.
const LATER_SHOWN: usize = 4;
/// So many notes stand on an alert, each so long.
const NOTES_SHOWN: usize = 3;
const NOTE_MAX: usize = 200;
/// Longest address of a sender and subject of a mail, UTF-16 units as all of these.
const HEAD_MAX: usize = 120;
/// Longest name of a mailbox or of a way, and longest failure.
const NAME_MAX: usize = 60;
const WHY_MAX: usize = 600;
/// The words of a recording or a mail: so much at most, in three messages.
const WORDS_MAX: usize = 11_000;
const CUT_OFF: &str = "✂ evtl. abgeschnitten";
const NEW_MESSAGE: &str = "Neue Sprachnachricht";

/// What is known of a report when a message is worded.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The report.
    pub report: &'a Report,
    /// Its case, once open.
    pub case: Option<&'a Case>,
    /// Its assessment, once made.
    pub assessment: Option<&'a Assessment>,
    /// The firm's time zone.
    pub zone: Tz,
    /// Whether the caller called outside business hours.
    pub outside: bool,
    /// Hours within which the firm reacts.
    pub reaction_hours: u32,
    /// Length of the sound, where it is known.
    pub sound_ms: Option<u32>,
    /// The recording seems to end in the middle.
    pub cut_off: bool,
    /// What was written, where the report is a mail.
    pub mail: Option<&'a Mail>,
    /// Later reports that joined the case.
    pub later: &'a [Later],
    /// What the customer said to a technician on the phone.
    pub phone: Option<&'a PhoneConsent>,
    /// What technicians noted.
    pub notes: &'a [Note],
    /// What a second hearing made of it, where that is quieter than what stands.
    pub quieter: Option<Verdict>,
}

/// A later report of the same caller about the same trouble.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Later {
    /// When he called or wrote.
    pub at: DateTime<Utc>,
    /// By which way.
    pub medium: Medium,
    /// What it is.
    pub verdict: Option<Verdict>,
    /// It is the same message, seen by another way.
    pub same_message: bool,
}

/// The caption under the recording: who called, when, how long, and what came of it.
#[must_use]
pub fn first_word(known: &Known<'_>) -> String {
    let length = known.sound_ms.map(|ms| format!(", {}", clock(ms / 1000))).unwrap_or_default();
    let from = caller(known.report);
    let at = moment(known.report.called_at, known.zone);
    let state = match (known.case, known.assessment.map(|found| found.verdict)) {
        (Some(case), None) if case.unheard => format!("Noch nicht abgehört · Vorgang {}", case.id),
        (Some(case), verdict) => format!("{} · Vorgang {}", title(verdict.unwrap_or(case.verdict)), case.id),
        (None, Some(verdict)) => title(verdict).to_owned(),
        (None, None) => "wird abgehört …".to_owned(),
    };
    let cut = if known.cut_off { format!("\n{CUT_OFF}") } else { String::new() };
    format!("{NEW_MESSAGE}{length}, von {from}\n{at}\n{state}{cut}")
}

/// The caption with the sound's length, where it was worded before the length was known.
#[must_use]
pub fn with_length(caption: &str, sound_ms: u32) -> String {
    caption.replacen(&format!("{NEW_MESSAGE}, von"), &format!("{NEW_MESSAGE}, {}, von", clock(sound_ms / 1000)), 1)
}

/// The alert of a case, as in the terms: who, where, what, which number, what was said.
#[must_use]
pub fn alert(known: &Known<'_>, case: &Case, repeated: bool) -> String {
    let mut lines = vec![headline(case)];
    if repeated {
        lines.push(REPEATED.into());
    }
    lines.push(when(known));
    lines.extend(known.mail.map(|mail| letter_head(mail, known.report)));
    lines.extend(known.cut_off.then(|| CUT_OFF.to_owned()));
    // only the newest stands above the number: that must be seen at one glance
    let mut later = later_lines(known.later, known.zone);
    lines.extend(later.pop());
    lines.push(String::new());
    match known.assessment {
        Some(found) => {
            fields(&mut lines, found, known);
            lines.push(String::new());
            statements(&mut lines, found);
            lines.push(money(found));
        }
        None if known.report.medium != Medium::Voicemail => {}
        None => lines.push(format!("📞 {}", displayed(known.report))),
    }
    lines.push(String::new());
    lines.extend(later);
    lines.extend(known.quieter.map(quieter));
    if case.unheard {
        lines.push(String::new());
        let remedy = match known.mail.filter(|_| known.report.medium != Medium::Voicemail) {
            Some(_) => "Noch nicht geprüft. Bitte die E-Mail lesen („Abschrift“).",
            None => "Noch keine Abschrift. Bitte die Aufnahme anhören.",
        };
        lines.push(remedy.into());
    }
    lines.extend(whose(case, known));
    lines.retain_mut(|line| {
        line.truncate(line.trim_end().len());
        true
    });
    lines.join("\n").replace("\n\n\n", "\n\n").trim_end().to_owned()
}

/// Whom a case is about, in three lines at most: firm, person, number.
#[must_use]
pub fn about(known: &Known<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    match known.assessment {
        Some(found) => fields(&mut lines, found, known),
        None => lines.push(format!("📞 {}", displayed(known.report))),
    }
    lines.retain(|line| ["🏢", "👤", "📞"].iter().any(|mark| line.starts_with(mark)));
    lines
}

/// What was read in a message: fields, statements, money.
#[must_use]
pub fn judgement(known: &Known<'_>, found: &Assessment) -> String {
    let mut lines = vec![when(known)];
    fields(&mut lines, found, known);
    statements(&mut lines, found);
    lines.push(money(found));
    lines.join("\n")
}

/// The alert where Telegram is to see nothing of the caller.
#[must_use]
pub fn minimal_alert(known: &Known<'_>, case: &Case, repeated: bool) -> String {
    let mut lines = vec![headline(case)];
    if repeated {
        lines.push(REPEATED.into());
    }
    lines.push(when(known));
    lines.extend(known.cut_off.then(|| CUT_OFF.to_owned()));
    lines.extend(later_lines(known.later, known.zone));
    lines.extend(known.quieter.map(quieter));
    // a technician's own words may tell of the caller
    lines.extend(whose(case, &Known { notes: &[], ..*known }));
    lines.extend((!known.notes.is_empty()).then(|| format!("📝 Notizen: {}", known.notes.len())));
    lines.join("\n")
}

/// What remains of a closed case's messages: number and outcome.
#[must_use]
pub fn closed(case: &Case, zone: Tz) -> String {
    let outcome = match case.outcome {
        Some(Outcome::Done) | None => "erledigt",
        Some(Outcome::NoEmergency) => "kein Notfall",
        Some(Outcome::Harmless) => "nach Prüfung kein Notfall",
    };
    // one's own words may tell of the caller: they do not outlive the case here
    let named = case.reason.as_ref().filter(|why| !matches!(why, Reason::Other(_)));
    let why = named.map(|why| format!(": {}", reason(why))).unwrap_or_default();
    let by = case.closed_by.as_ref().map(|who| format!(" · {who}")).unwrap_or_default();
    let at = case.closed_at.map(|at| format!(" · {}", moment(at, zone))).unwrap_or_default();
    format!("Vorgang {} · {outcome}{why}{by}{at}", case.id)
}

/// The words of a recording, on request.
#[must_use]
pub fn transcript(case: &Case, transcript: Option<&Transcript>) -> String {
    let head = format!("Abschrift zu Vorgang {}", case.id);
    let Some(transcript) = transcript else {
        return format!("{head}\n\nNoch nicht fertig. Bitte die Aufnahme anhören.");
    };
    let warning = transcript.doubt.map(|doubt| format!("\n⚠ {}", doubtful(doubt))).unwrap_or_default();
    let text = transcript.text();
    let body = if text.is_empty() { "Keine Worte erkannt.".to_owned() } else { text };
    format!("{head}{warning}\n\n{}", safe::lines(&body, WORDS_MAX))
}

/// The words of a mail, on request.
#[must_use]
pub fn letter(case: &Case, mail: &Mail) -> String {
    format!(
        "E-Mail zu Vorgang {}\nBetreff: {}\n\n{}",
        case.id,
        safe::line(&mail.subject, HEAD_MAX),
        safe::lines(&mail.text, WORDS_MAX)
    )
}

fn letter_head(mail: &Mail, report: &Report) -> String {
    let beside = if report.medium == Medium::Voicemail { "Aufnahme in einer " } else { "" };
    format!("✉ {beside}E-Mail von {}", safe::line(mail.sender.as_deref().unwrap_or("unbekannt"), HEAD_MAX))
}

/// A machine heard less the second time: only a person makes it quieter.
#[must_use]
pub fn quieter(alone: Verdict) -> String {
    format!("🔁 Zweite Anhörung: {}. Der Alarm bleibt, bis jemand entscheidet: bitte anhören.", verdict(alone))
}

/// The newest ones in full, the rest as a number.
fn later_lines(later: &[Later], zone: Tz) -> Vec<String> {
    let rest = later.len().saturating_sub(LATER_SHOWN);
    let counted = (rest > 0).then(|| format!("➕ {rest} weitere davor"));
    counted.into_iter().chain(later[rest..].iter().map(|one| later_line(one, zone))).collect()
}

fn later_line(later: &Later, zone: Tz) -> String {
    let what = match (later.same_message, later.medium) {
        (true, _) => "dieselbe Nachricht noch einmal",
        (false, Medium::Voicemail) => "weitere Nachricht",
        (false, Medium::Email | Medium::Fax) => "weitere E-Mail",
    };
    let verdict = later.verdict.filter(|_| !later.same_message).map(|verdict| format!(": {}", title(verdict)));
    format!("➕ {what}, {}{}", moment(later.at, zone), verdict.unwrap_or_default())
}

/// Trouble at a mailbox.
#[must_use]
pub fn trouble(what: &str) -> String {
    format!(
        "⚠ POSTFACH GESTÖRT – Notrufe können verloren gehen\n{}\nBitte das Postfach selbst abhören.",
        safe::line(what, WHY_MAX)
    )
}

/// Something at a mailbox that should be mended and loses no call yet.
#[must_use]
pub fn hint(what: &str) -> String {
    format!("ℹ Am Postfach ist etwas zu richten\n{}", safe::line(what, WHY_MAX))
}

/// A mailbox that cannot be reached, or can be again.
#[must_use]
pub fn outage(outage: &Outage, zone: Tz) -> String {
    let name = safe::line(&outage.source, NAME_MAX);
    let since = moment(outage.since, zone);
    match outage.until {
        None => format!(
            "⚠ Postfach „{name}“ nicht erreichbar seit {} – Notrufe können verloren gehen\nSeit {since}: {}\n\
             Bitte das Postfach selbst abhören, bis es wieder erreichbar ist.",
            outage.since.with_timezone(&zone).format("%H:%M"),
            safe::line(&outage.why, WHY_MAX)
        ),
        Some(until) => format!(
            "✅ Postfach „{name}“ ist wieder erreichbar\nAusfall von {since} bis {}. Was inzwischen eingegangen ist, wird jetzt abgeholt.",
            moment(until, zone)
        ),
    }
}

/// The cry when nothing can be stored.
#[must_use]
pub fn cannot_store(source: &str, why: &str) -> String {
    format!(
        "🚨 SPEICHERN NICHT MÖGLICH\nIm Postfach „{}“ wartet eine neue Nachricht, die nicht gespeichert werden kann.\n\
         Bitte das Postfach selbst abhören.\n{}",
        safe::line(source, NAME_MAX),
        safe::line(why, WHY_MAX)
    )
}

fn headline(case: &Case) -> String {
    let text = match (case.unheard, case.verdict) {
        (true, _) => "🔴 NOCH NICHT ABGEHÖRT",
        (_, Verdict::Confirmed) => "🚨 NOTFALL BESTÄTIGT",
        (_, Verdict::Incomplete) => "🟠 NOTFALL UNVOLLSTÄNDIG",
        (_, Verdict::Unclear) => "🔴 UNKLAR – BITTE ANHÖREN",
        (_, Verdict::NotEmergency | Verdict::Ignored) => "⚪ KEIN NOTFALL",
    };
    format!("{text} · Vorgang {}", case.id)
}

fn when(known: &Known<'_>) -> String {
    let at = known.report.called_at;
    let hours = if known.outside { "außerhalb der Geschäftszeiten" } else { "innerhalb der Geschäftszeiten" };
    let deadline = (at + TimeDelta::hours(i64::from(known.reaction_hours))).with_timezone(&known.zone);
    format!("{} · {hours} · Frist {} {}", moment(at, known.zone), weekday(deadline.weekday()), deadline.format("%H:%M"))
}

/// Who has it, and what has been done.
fn whose(case: &Case, known: &Known<'_>) -> Vec<String> {
    let zone = known.zone;
    let mut lines = Vec::new();
    if let (Some(who), Some(at)) = (&case.taken_by, case.taken_at)
        && case.state != CaseState::Open
    {
        let eta = case.eta_at.filter(|_| case.called_back_at.is_none());
        let eta = eta.map(|at| format!(" · Rückruf bis {}", hour(at, zone))).unwrap_or_default();
        lines.push(String::new());
        lines.push(format!("👉 übernommen von {who}, {}{eta}", moment(at, zone)));
    }
    if let Some(offer) = &case.offer {
        lines.push(format!("🤝 {} ist gefragt, bis {}", offer.to, hour(offer.until, zone)));
    }
    if let Some(at) = case.called_back_at {
        lines.push(format!("☎ Rückruf erfolgt, {}", moment(at, zone)));
    }
    if let Some(phone) = known.phone {
        let what = if phone.given { "erhalten" } else { "abgelehnt" };
        lines.push(format!("☎ Zustimmung am Telefon {what} – laut {}, {}", phone.actor, moment(phone.at, zone)));
    }
    lines.extend(note_lines(known.notes, zone));
    if case.state == CaseState::Closed {
        lines.push(closed(case, zone));
    }
    lines
}

/// The newest ones, shortened.
fn note_lines(notes: &[Note], zone: Tz) -> Vec<String> {
    let rest = notes.len().saturating_sub(NOTES_SHOWN);
    let counted = (rest > 0).then(|| format!("📝 {rest} weitere davor"));
    let line = |note: &Note| {
        let what = match &note.content {
            NoteContent::Written(text) => safe::line(text, NOTE_MAX),
            NoteContent::Spoken { seconds, .. } => format!("🎙 Sprachnotiz, {}", clock(*seconds)),
        };
        format!("📝 {}, {}: {what}", note.author, hour(note.at, zone))
    };
    counted.into_iter().chain(notes[rest..].iter().map(line)).collect()
}
