//! What a caller may ask for: what is stored of him, and that it is deleted. And what the firm may: that something stays.
//!
//! A caller is found by his number in every spelling (displayed, spoken, written in any form), by his name, or by one report.

use super::retention::{finish_one, want_rewrite};
use crate::assess::Said;
use crate::assess::rules::spoken_digits;
use crate::domain::event::{Event, EventKind};
use crate::domain::phone::{e164, is_written};
use crate::domain::report::{Report, ReportId};
use crate::domain::retention::{Class, Kept, Periods, Why};
use crate::store::legal_holds::{self, LegalHold};
use crate::store::personal::{self, Texts};
use crate::store::vocabulary::{self, Entry, Kind};
use crate::store::{Reader, Store, StoreError, Tx, assessments, events, housekeeping, notes, reports, retention};
use crate::store::{cases, mails};
use chrono::{DateTime, TimeDelta, Utc};

/// Reports looked at in one go.
const PAGE: usize = 500;
/// The shortest number or name that is looked for: less would find strangers.
const SHORTEST: usize = 4;

/// Whom a request is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// Whoever has this number: the digits behind country code and zero.
    Number(String),
    /// Whoever has this name, in lower case: a person, a company or an address.
    Name(String),
    /// This report.
    Report(ReportId),
}

impl Whom {
    /// By a number in any usual form.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn number(text: &str) -> Result<Self, String> {
        let full = e164(text).ok_or("that is no number with its area code; write e.g. \"09721 555017\"")?;
        Ok(Self::Number(significant(&full)))
    }

    /// By a name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn name(text: &str) -> Result<Self, String> {
        let name = text.trim().to_lowercase();
        if name.chars().count() < SHORTEST {
            return Err(format!("a name needs {SHORTEST} letters at least: a shorter one would find strangers"));
        }
        Ok(Self::Name(name))
    }
}

/// "+499721555017" → "9721555017"; of a foreign number all digits.
fn significant(e164: &str) -> String {
    e164.strip_prefix("+49").unwrap_or(e164.trim_start_matches('+')).to_owned()
}

/// Every report of somebody, the oldest first.
///
/// # Errors
/// Where the store refused.
pub async fn find(store: &Store, whom: &Whom) -> Result<Vec<Report>, StoreError> {
    let mut reader = store.read().await?;
    if let Whom::Report(id) = whom {
        return Ok(match retention::age(&mut reader, *id).await? {
            Some(_) => vec![reports::find(&mut reader, *id).await?],
            None => Vec::new(),
        });
    }
    let candidates = match whom {
        Whom::Name(name) if telling(name).len() > 1 => personal::with_letters(&mut reader, telling(name)).await?,
        _ => personal::every(&mut reader).await?,
    };
    let mut found = Vec::new();
    for page in candidates.chunks(PAGE) {
        let texts = personal::texts(&mut reader, page).await?;
        for one in texts.iter().filter(|texts| may_be_of(whom, texts)) {
            if let Some(report) = reports::maybe(&mut reader, one.report).await?
                && is_of(whom, &report, &mut reader).await?
            {
                found.push(report);
            }
        }
    }
    Ok(found)
}

/// The longest part of a name that a database finds as we do: see `personal::with_letters`.
fn telling(name: &str) -> &str {
    let told = |letter: char| letter.is_ascii_lowercase() && !matches!(letter, 'i' | 'k');
    name.split(|letter| !told(letter)).max_by_key(|part| part.len()).unwrap_or_default()
}

/// Whether a closer look is worth it: never "no" where `is_of` says "yes". Some of the texts are JSON.
fn may_be_of(whom: &Whom, texts: &Texts) -> bool {
    match whom {
        Whom::Number(number) => {
            let own = |text: &String| e164(text).is_some_and(|full| significant(&full) == *number);
            // what is read in the words is in figures, and long: looking for spoken ones takes time
            texts.judged.iter().any(|text| in_figures(text, number))
                || texts.written.iter().any(|text| own(text) || names_number(text, number))
        }
        Whom::Name(name) => {
            let quoted = serde_json::Value::from(name.as_str()).to_string();
            let quoted = quoted.trim_matches('"');
            let all = texts.judged.iter().chain(&texts.written);
            all.map(|text| text.to_lowercase()).any(|text| text.contains(name) || text.contains(quoted))
        }
        Whom::Report(_) => true,
    }
}

/// The customers and contacts on the list of words whose name it is.
///
/// # Errors
/// Where the store refused.
pub async fn words(store: &Store, whom: &Whom) -> Result<Vec<Entry>, StoreError> {
    let Whom::Name(name) = whom else { return Ok(Vec::new()) };
    let mut all = vocabulary::all(&mut *store.read().await?).await?;
    all.retain(|one| {
        matches!(one.kind, Kind::Customer | Kind::Contact) && one.word.to_lowercase().contains(name.as_str())
    });
    Ok(all)
}

/// Takes those words off the list, too. How many there were.
///
/// # Errors
/// Where the store refused.
pub async fn erase_words(store: &Store, whom: &Whom, actor: &str, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let all = words(store, whom).await?;
    if all.is_empty() {
        return Ok(0);
    }
    let mut tx = store.begin().await?;
    for one in &all {
        super::vocabulary::forget(&mut tx, &one.id, actor, now).await?;
    }
    want_rewrite(&mut tx, now).await?;
    tx.commit().await?;
    Ok(all.len())
}

async fn is_of(whom: &Whom, report: &Report, reader: &mut Reader) -> Result<bool, StoreError> {
    let fields = assessments::find(reader, report.id).await?.map(|found| found.fields).unwrap_or_default();
    let said = Said::of(report, reader).await?;
    let mut texts = vec![said.text()];
    if let Some((mail, _)) = mails::find(reader, report.id).await? {
        texts.extend([mail.subject, mail.text]);
        texts.extend(
            mail.sender.into_iter().chain(mail.reply_to).chain(mail.headers.into_iter().map(|(_, value)| value)),
        );
    }
    if let Some(case) = cases::of_report(reader, report.id).await? {
        for note in notes::of_case(reader, case.id).await? {
            if let crate::domain::case::NoteContent::Written(text) = note.content {
                texts.push(text);
            }
        }
    }
    Ok(match whom {
        Whom::Number(number) => {
            let known = [report.caller.number.as_deref(), fields.callback.as_deref(), fields.displayed.as_deref()];
            let own = |text: &str| e164(text).is_some_and(|full| significant(&full) == *number);
            known.into_iter().flatten().any(own) || texts.iter().any(|text| names_number(text, number))
        }
        Whom::Name(name) => {
            let known = [report.caller.name.clone(), fields.company, fields.contact];
            known.iter().flatten().chain(&texts).any(|text| text.to_lowercase().contains(name))
        }
        Whom::Report(id) => report.id == *id,
    })
}

/// Whether the number stands in the text, in figures of any grouping or spoken digit by digit.
fn names_number(text: &str, number: &str) -> bool {
    in_figures(text, number) || spoken_digits(text).contains(number)
}

/// Whether the number stands in the text in figures of any grouping.
fn in_figures(text: &str, number: &str) -> bool {
    text.split(|letter| !is_written(letter))
        .filter(|run| run.len() >= number.len())
        .any(|run| run.chars().filter(char::is_ascii_digit).collect::<String>().contains(number))
}

/// Why a report is not erased without more ado; `None` = nothing is in the way.
///
/// # Errors
/// Where the store refused.
pub async fn obstacle(
    store: &Store,
    report: ReportId,
    periods: &Periods,
    now: DateTime<Utc>,
) -> Result<Option<Kept>, StoreError> {
    let age = retention::age(&mut *store.read().await?, report).await?;
    Ok(age.and_then(|age| age.kept(periods, now)))
}

/// How a request to erase is done.
#[derive(Debug, Clone, Copy)]
pub struct Order<'a> {
    /// Who asks for it.
    pub actor: &'a str,
    /// Also where a case or a charge is open, or a released charge may have to be proved.
    pub even_open: bool,
    /// How long a released charge may have to be proved.
    pub periods: &'a Periods,
}

/// What came of a request to erase.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Reports of which everything is gone but times, verdict and amounts.
    pub erased: Vec<ReportId>,
    /// Reports that stay, and what keeps them.
    pub kept: Vec<(ReportId, Kept)>,
}

/// Erases reports on request. Those with an open case or an open charge stay unless the order says otherwise; what somebody
/// holds stays in any case, and so does what has no verdict yet. The proposed charge of an erased report is taken back: without its proof it is none.
///
/// # Errors
/// Where disk or store refused: what was begun is finished by the service.
pub async fn erase(
    store: &Store,
    all: &[ReportId],
    order: Order<'_>,
    now: DateTime<Utc>,
) -> Result<Erased, StoreError> {
    let mut done = Erased::default();
    for report in all {
        let mut tx = store.begin().await?;
        if let Some(kept) = erase_one(&mut tx, *report, order, now).await? {
            done.kept.push((*report, kept));
            continue;
        }
        tx.commit().await?;
        while finish_one(store, now).await? {}
        done.erased.push(*report);
    }
    if !done.erased.is_empty() {
        // lists and answers of the past name companies and numbers, and belong to no report
        let mut tx = store.begin().await?;
        housekeeping::forget_loose_texts(&mut tx, now).await?;
        tx.commit().await?;
        // what is free in the file is overwritten; the file itself is written anew when nobody waits for it
        store.scrub().await?;
    }
    Ok(done)
}

/// What keeps the report, if it was not erased. Whether something does is asked under the report's lock: what somebody holds
/// a moment before stays.
async fn erase_one(
    tx: &mut Tx,
    report: ReportId,
    order: Order<'_>,
    now: DateTime<Utc>,
) -> Result<Option<Kept>, StoreError> {
    if reports::lock(tx, report).await?.is_none() {
        return Ok(None);
    }
    let Some(age) = retention::age(tx.reading(), report).await? else { return Ok(None) };
    let stays = |kept: &Kept| !order.even_open || matches!(kept, Kept::Held(_) | Kept::Unjudged);
    if let Some(kept) = age.kept(order.periods, now).filter(stays) {
        return Ok(Some(kept));
    }
    let (actor, mut proves) = (order.actor, !age.proves.is_empty());
    if retention::withdraw_proposed(tx, report, now).await? {
        let event = Event::new(now, EventKind::Withdrawn, "its proof was erased").report(report).by(actor);
        events::append(tx, &event).await?;
        proves = retention::age(tx.reading(), report).await?.is_some_and(|left| !left.proves.is_empty());
    }
    let left = |class: &Class| !age.deleted.contains(class) && (*class != Class::Proof || proves);
    let classes: Vec<Class> = Class::ALL.into_iter().filter(left).collect();
    retention::begin(tx, report, &classes, Why::Request, Some(actor), now).await?;
    want_rewrite(tx, now).await?;
    Ok(None)
}

/// Nothing of the report is deleted until `until`.
///
/// # Errors
/// The outer: where the store refused. The inner: what is wrong with the request.
pub async fn hold(
    store: &Store,
    report: ReportId,
    reason: &str,
    until: DateTime<Utc>,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<Result<(), String>, StoreError> {
    if reason.trim().is_empty() {
        return Ok(Err("a hold needs a reason".into()));
    }
    if until <= now || until > now + TimeDelta::days(10 * 366) {
        return Ok(Err("a hold needs an end, within ten years from now".into()));
    }
    let mut tx = store.begin().await?;
    // whoever is erasing it has it locked: then the hold comes too late, and finds what is left
    if reports::lock(&mut tx, report).await?.is_none() {
        return Ok(Err("there is no such report".into()));
    }
    legal_holds::add(&mut tx, report, reason.trim(), until, actor, now).await?;
    let detail = format!("until {}", until.format("%Y-%m-%d"));
    events::append(&mut tx, &Event::new(now, EventKind::Held, detail).report(report).by(actor)).await?;
    tx.commit().await?;
    Ok(Ok(()))
}

/// The holds of a report end now. Whether there was one.
///
/// # Errors
/// Where the store refused.
pub async fn release_hold(
    store: &Store,
    report: ReportId,
    actor: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let mut tx = store.begin().await?;
    let ended = legal_holds::end(&mut tx, report, actor, now).await?;
    if ended > 0 {
        events::append(&mut tx, &Event::new(now, EventKind::Held, "no longer").report(report).by(actor)).await?;
    }
    tx.commit().await?;
    Ok(ended > 0)
}

/// What is held by hand, and was, the newest first.
///
/// # Errors
/// Where the store refused.
pub async fn holds(store: &Store) -> Result<Vec<LegalHold>, StoreError> {
    legal_holds::all(&mut *store.read().await?).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_found_in_every_spelling_and_no_other_is() {
        let Ok(Whom::Number(number)) = Whom::number("09721 555017") else { panic!("a number") };
        assert_eq!(Whom::number("+49 9721/555017"), Ok(Whom::Number(number.clone())));
        for text in [
            "Rückruf 09721/555017 bitte",
            "Tel. 09721 - 55 50 17.",
            "+49 (0) 9721 555017",
            "0049 9721 55 50 17",
            "unter null neun sieben zwei eins fünf fünf fünf null eins sieben",
        ] {
            assert!(names_number(text, &number), "{text}");
        }
        for text in ["09721 555018", "0171 3920020, Durchwahl 555017", "", "9721"] {
            assert!(!names_number(text, &number), "{text}");
        }
    }

    #[test]
    fn what_would_find_strangers_is_refused() {
        assert!(Whom::number("555017").is_err());
        assert!(Whom::name(" ab ").is_err());
        assert_eq!(Whom::name(" Rossmeisl "), Ok(Whom::Name("rossmeisl".into())));
    }
}
