//! The list at each opening. Pure. Short lines: it is read on a phone.

use super::safe;
use super::{hour, reason, title, weekday};
use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseId, CaseState, Outcome, Reason};
use crate::domain::tariff::Cents;
use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;

/// So many lines of one kind are told one by one.
const SHOWN: usize = 25;
/// Longest text of others in a line.
const LONGEST: usize = 120;
/// Longest name of a caller.
const NAME: usize = 70;

/// Who called and his number, which a long name does not push out.
#[must_use]
pub fn who(name: Option<&str>, number: Option<&str>) -> Option<String> {
    let name = name.map(|name| safe::line(name, NAME)).filter(|name| !name.is_empty());
    let said: Vec<String> = name.into_iter().chain(number.map(safe::number)).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// Everything since the last list, and what must be done now.
#[derive(Debug, Clone, Default)]
pub struct Morning {
    /// When the list is made.
    pub at: DateTime<Utc>,
    /// Since when it tells.
    pub since: DateTime<Utc>,
    /// The verdict of each message that came in; none = not judged yet.
    pub came: Vec<Option<Verdict>>,
    /// Cases that are still open, were opened or were closed, the oldest first.
    pub cases: Vec<Told>,
    /// Messages that are no emergency and wait for a call-back.
    pub waiting: Vec<Waiting>,
    /// Charges that a human must release.
    pub charges: Vec<Release>,
    /// What is wrong at a mailbox, by its name.
    pub mailboxes: Vec<(String, String)>,
    /// When nobody is on duty in the coming week.
    pub gaps: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// What should be mended at the duty calendars.
    pub calendars: Vec<String>,
    /// The ways to people that do not work.
    pub ways: Vec<String>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Told {
    /// The case.
    pub case: Case,
    /// When the caller called.
    pub at: DateTime<Utc>,
    /// Who called and his number; none = not to be seen here.
    pub who: Option<String>,
    /// Later messages that joined it.
    pub later: usize,
}

/// A message that waits for a call-back.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// When the caller called.
    pub at: DateTime<Utc>,
    /// Its case, if there was one.
    pub case: Option<CaseId>,
    /// As in [`Told`].
    pub who: Option<String>,
}

/// How a customer agreed to the fee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreed {
    /// In his own words, as the recogniser heard them.
    Said,
    /// To a technician on the phone.
    Phone,
    /// In words that a person heard in the recording and wrote down.
    Heard,
}

/// A charge that waits for its release.
#[derive(Debug, Clone)]
pub struct Release {
    /// For which case.
    pub case: CaseId,
    /// Its amount without tax.
    pub net: Cents,
    /// How the customer agreed.
    pub agreed: Agreed,
}

/// The headline, for a mail's subject.
#[must_use]
pub fn subject(morning: &Morning, zone: Tz) -> String {
    format!("☀ Morgenliste {}", stamp(morning.at, zone))
}

/// The whole list.
#[must_use]
pub fn list(morning: &Morning, zone: Tz) -> String {
    let mut lines = vec![subject(morning, zone), came_in(morning, zone)];
    lines.extend(counts(&morning.came));
    let of = |state: CaseState| morning.cases.iter().filter(move |told| told.case.state == state);
    let open = of(CaseState::Open).chain(of(CaseState::Taken)).map(|told| case(told, zone)).collect();
    section(&mut lines, "🔴 NOCH OFFEN", open);
    section(&mut lines, "📞 ZURÜCKRUFEN", morning.waiting.iter().map(|one| waiting(one, zone)).collect());
    section(&mut lines, "💶 GEBÜHREN, FREIZUGEBEN", morning.charges.iter().map(release).collect());
    section(&mut lines, "✅ ERLEDIGT", of(CaseState::Closed).map(|told| case(told, zone)).collect());
    let mailbox =
        |(name, what): &(String, String)| format!("„{}“: {}", safe::line(name, 60), safe::line(what, LONGEST));
    section(&mut lines, "📭 POSTFACH GESTÖRT", morning.mailboxes.iter().map(mailbox).collect());
    section(&mut lines, "📵 WEG GESTÖRT", morning.ways.iter().map(|what| safe::line(what, LONGEST)).collect());
    let gap = |(from, until): &(DateTime<Utc>, DateTime<Utc>)| {
        format!("niemand eingeteilt:\n  {} bis {}", stamp(*from, zone), stamp(*until, zone))
    };
    let mut roster: Vec<String> = morning.gaps.iter().map(gap).collect();
    roster.extend(morning.calendars.iter().map(|what| safe::line(what, LONGEST)));
    section(&mut lines, "📅 DIENSTPLAN", roster);
    lines.join("\n")
}

fn came_in(morning: &Morning, zone: Tz) -> String {
    let since = stamp(morning.since, zone);
    match morning.came.len() {
        0 => format!("Nichts eingegangen seit {since}."),
        1 => format!("1 Nachricht seit {since}:"),
        many => format!("{many} Nachrichten seit {since}:"),
    }
}

/// "2 × Notfall bestätigt"
fn counts(came: &[Option<Verdict>]) -> Vec<String> {
    let kinds = [
        (Some(Verdict::Confirmed), title(Verdict::Confirmed)),
        (Some(Verdict::Incomplete), title(Verdict::Incomplete)),
        (Some(Verdict::Unclear), "unklar"),
        (Some(Verdict::NotEmergency), "kein Notfall"),
        (Some(Verdict::Ignored), title(Verdict::Ignored)),
        (None, "noch nicht geprüft"),
    ];
    let count = |kind: Option<Verdict>| came.iter().filter(|one| **one == kind).count();
    let kinds = kinds.into_iter().map(|(kind, word)| (count(kind), word)).filter(|(count, _)| *count > 0);
    kinds.map(|(count, word)| format!("{count} × {word}")).collect()
}

fn section(lines: &mut Vec<String>, head: &str, rows: Vec<String>) {
    if rows.is_empty() {
        return;
    }
    lines.push(String::new());
    lines.push(if rows.len() == 1 { head.to_owned() } else { format!("{head} ({})", rows.len()) });
    let rest = rows.len().saturating_sub(SHOWN);
    lines.extend(rows.into_iter().take(SHOWN));
    if rest > 0 {
        lines.push(format!("… und {rest} weitere"));
    }
}

fn case(told: &Told, zone: Tz) -> String {
    let case = &told.case;
    let verdict = if case.unheard { "nicht abgehört" } else { short(case.verdict) };
    let mut lines = vec![format!("{} · {} · {verdict}", case.id, time(told.at, zone))];
    lines.extend(told.who.as_ref().map(|who| safe::line(who, LONGEST)));
    lines.extend((told.later > 0).then(|| format!("+ {} weitere Nachricht(en)", told.later)));
    let called = case.called_back_at.map(|at| format!("Rückruf {}", time(at, zone)));
    let taker = case.taken_by.as_ref();
    let state = match case.state {
        CaseState::Open => "niemand hat übernommen".to_owned(),
        CaseState::Taken => format!("bei {}", taker.map_or("?", String::as_str)),
        CaseState::Closed => ended(case, zone),
    };
    let uncalled = (case.state == CaseState::Taken).then(|| "noch kein Rückruf".to_owned());
    lines.push([Some(state), called.or(uncalled)].into_iter().flatten().collect::<Vec<_>>().join(", "));
    lines.join("\n  ")
}

fn ended(case: &Case, zone: Tz) -> String {
    let outcome = match case.outcome {
        Some(Outcome::Done) | None => "erledigt",
        Some(Outcome::NoEmergency) => "kein Notfall",
        Some(Outcome::Harmless) => "nach Prüfung kein Notfall",
    };
    // one's own words may tell of the caller
    let named = case.reason.as_ref().filter(|why| !matches!(why, Reason::Other(_)));
    let why = named.map(|why| format!(" ({})", reason(why))).unwrap_or_default();
    let by = case.closed_by.as_ref().map(|who| format!(", {who}")).unwrap_or_default();
    let at = case.closed_at.map(|at| format!(" {}", time(at, zone))).unwrap_or_default();
    format!("{outcome}{why}{by}{at}")
}

fn waiting(one: &Waiting, zone: Tz) -> String {
    let case = one.case.map(|id| format!(" · Vorgang {id}")).unwrap_or_default();
    let who = one.who.as_ref().map(|who| format!("\n  {}", safe::line(who, LONGEST))).unwrap_or_default();
    format!("{}{case}{who}", time(one.at, zone))
}

fn release(one: &Release) -> String {
    let basis = match one.agreed {
        Agreed::Said => "in der Nachricht zugestimmt",
        Agreed::Phone => "am Telefon zugestimmt",
        Agreed::Heard => "nur in berichtigter Abschrift zugestimmt, bitte anhören",
    };
    format!("{} · {} € netto\n  {basis}", one.case, one.net.german())
}

fn short(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Confirmed => "bestätigt",
        Verdict::Incomplete => "unvollständig",
        Verdict::Unclear => "unklar",
        Verdict::NotEmergency | Verdict::Ignored => "kein Notfall",
    }
}

/// "So 22:14"
fn time(at: DateTime<Utc>, zone: Tz) -> String {
    format!("{} {}", weekday(at.with_timezone(&zone).weekday()), hour(at, zone))
}

/// "So 22.11. 22:14"
fn stamp(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    format!("{} {}", weekday(local.weekday()), local.format("%d.%m. %H:%M"))
}
