//! What a technician reads who writes a command or uses an invitation. Pure. Lines are short: a phone shows some forty
//! letters.

use super::safe;
use super::weekday;
use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseState};
use crate::domain::roster::Shift;
use chrono::{DateTime, Datelike as _, Utc};
use chrono_tz::Tz;

/// The commands as Telegram shows them: name, and what it is for.
const COMMANDS: [(&str, &str); 7] = [
    ("dienst", "Wer hat Dienst?"),
    ("offen", "Offene Vorgänge"),
    ("pause", "Eine Weile nicht rufen"),
    ("tausch", "Dienst abgeben"),
    ("test", "Probealarm an mich"),
    (PAGE, "Link zur Seite"),
    ("hilfe", "Was gibt es?"),
];
/// The one that there is only with a page.
const PAGE: &str = "seite";
/// Longer names and numbers are cut in a list.
const LINE_MAX: usize = 38;

/// The commands there are, with or without a page.
pub fn commands(page: bool) -> impl Iterator<Item = (&'static str, &'static str)> {
    COMMANDS.into_iter().filter(move |(name, _)| page || *name != PAGE)
}

/// What there is.
#[must_use]
pub fn help(name: &str, page: bool) -> String {
    let mut lines = vec![format!("Hallo {name}, das kannst du hier tun:")];
    lines.extend(commands(page).map(|(command, what)| format!("/{command} – {what}")));
    lines.push(String::new());
    lines.push("Notizen: auf einen Alarm antworten, mit Text oder Sprache.".into());
    lines.join("\n")
}

/// To a command that there is not, or words that answer nothing.
#[must_use]
pub fn not_understood() -> &'static str {
    "Das habe ich nicht verstanden\n/hilfe zeigt, was es gibt. Eine Notiz gehört als Antwort auf den Alarm."
}

/// The way into the page, for so many minutes.
#[must_use]
pub fn page_link(link: &str, minutes: i64) -> String {
    format!("🔑 Dein Link zur Seite\nEr gilt einmal und {minutes} Minuten. Gib ihn nicht weiter.\n{link}")
}

/// Who has a password enters by it.
#[must_use]
pub fn page_by_password(page: &str) -> String {
    format!("Du meldest dich mit Passwort an\n{page}")
}

/// The account was shut out.
#[must_use]
pub fn page_shut() -> &'static str {
    "Dein Konto ist gesperrt\nBitte im Büro Bescheid sagen."
}

/// Another account has the technician's name.
#[must_use]
pub fn page_name_taken(name: &str) -> String {
    format!("Das Konto {name} gehört auf der Seite noch nicht zu dir\nBitte im Büro Bescheid sagen.")
}

/// To somebody who is no technician of the firm.
#[must_use]
pub fn guest() -> &'static str {
    "Hier melden sich nur Techniker\nEine Einladung bekommst du im Büro: einen Code, den du so schickst: /start CODE"
}

/// To a command in a group.
#[must_use]
pub fn not_here() -> &'static str {
    "Bitte im privaten Chat mit mir\nBefehle und Einladungen gehören nicht in die Gruppe. Ein Code, der hier stand, gilt nicht mehr."
}

/// A code that is none, was used, or is too old; it is not said which.
#[must_use]
pub fn no_invitation() -> &'static str {
    "Dieser Code gilt nicht\nBitte lass dir im Büro einen neuen geben."
}

/// After too many codes.
#[must_use]
pub fn too_many_codes() -> &'static str {
    "Zu viele Versuche\nBitte in einer Stunde noch einmal."
}

/// The phone is somebody else's already.
#[must_use]
pub fn phone_of_another(other: &str) -> String {
    format!("Dieses Telefon gehört schon zu {other}\nBitte im Büro Bescheid sagen; der Code gilt weiter.")
}

/// A phone is paired.
#[must_use]
pub fn welcome(name: &str) -> String {
    format!(
        "✅ Hallo {name}, dein Telefon ist verbunden.\nAlarme kommen ab jetzt hierher. Bitte erlaube diesem Chat, dich nachts \
         zu wecken, und probiere es gleich aus: /test\n/hilfe zeigt, was es gibt."
    )
}

/// To the office: a phone is paired.
#[must_use]
pub fn paired(name: &str) -> String {
    format!("ℹ {name} hat ein Telefon verbunden\nAlarme an {name} gehen jetzt dorthin.")
}

/// To the phone that was the technician's before.
#[must_use]
pub fn no_longer_yours(name: &str) -> String {
    format!("ℹ Alarme an {name} gehen jetzt an ein anderes Telefon.\nWarst du das nicht, sag bitte im Büro Bescheid.")
}

/// Who is on duty.
#[derive(Debug, Clone, Copy)]
pub struct OnDutyNow<'a> {
    /// Whoever asks.
    pub me: &'a str,
    /// In order; empty = a gap.
    pub order: &'a [String],
    /// Who is told in a gap.
    pub last_resort: &'a [String],
    /// The next hand-over; none = none is planned.
    pub next: Option<&'a Shift>,
    /// The asker's next shift.
    pub mine: Option<&'a Shift>,
    /// Until when the asker pauses.
    pub pause: Option<DateTime<Utc>>,
}

/// Who is on duty, until when, and when it is the asker's turn.
#[must_use]
pub fn on_duty(now: OnDutyNow<'_>, zone: Tz) -> String {
    let mut lines = Vec::new();
    let mark = |name: &str| if name == now.me { " (du)" } else { "" };
    if let Some((duty, rest)) = now.order.split_first() {
        lines.push(format!("📅 Dienst hat {duty}{}", mark(duty)));
        lines.push(match rest.first() {
            Some(backup) => format!("Vertretung: {backup}{}", mark(backup)),
            None => "⚠ keine Vertretung".to_owned(),
        });
    } else {
        lines.push("⚠ Niemand hat Dienst".to_owned());
        lines.push(format!("Gerufen wird: {}", last_resort(now.last_resort)));
    }
    lines.push(match now.next {
        Some(next) => {
            let then = next.duty().map_or_else(|| "⚠ niemand".to_owned(), str::to_owned);
            format!("Wechsel: {}, dann {then}", short(next.from, zone))
        }
        None => "Kein Wechsel geplant.".to_owned(),
    });
    lines.push(String::new());
    match now.mine {
        Some(mine) => lines.push(format!("Dein nächster Dienst:\n{}", span(mine.from, mine.until, zone))),
        None if now.order.first().is_some_and(|duty| duty == now.me) => {}
        None => lines.push("Du bist nicht eingeteilt.".to_owned()),
    }
    lines.extend(now.pause.map(|until| format!("⏸ Du pausierst bis {}.", short(until, zone))));
    lines.join("\n").trim_end().to_owned()
}

fn last_resort(words: &[String]) -> String {
    let word = |word: &String| match word.as_str() {
        "everyone" => "alle".to_owned(),
        "office" => "das Büro".to_owned(),
        name => name.to_owned(),
    };
    words.iter().map(word).collect::<Vec<_>>().join(", ")
}

/// One case in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The case.
    pub case: Case,
    /// The firm, where it is known and may be seen.
    pub firm: Option<String>,
    /// The number to call, likewise.
    pub number: Option<String>,
}

/// The open and taken cases; `more`: so many older ones are not listed.
#[must_use]
pub fn open_cases(listed: &[Listed], more: usize, me: &str, zone: Tz) -> String {
    let count = listed.len() + more;
    if count == 0 {
        return "✅ Kein Vorgang ist offen.".to_owned();
    }
    let head = if count == 1 { "📋 1 offener Vorgang".to_owned() } else { format!("📋 {count} offene Vorgänge") };
    let older = if more > 0 { format!("\n{more} ältere stehen nicht hier.") } else { String::new() };
    let mut parts = vec![head + &older];
    parts.extend(listed.iter().map(|one| listed_case(one, me, zone)));
    parts.join("\n\n")
}

fn listed_case(one: &Listed, me: &str, zone: Tz) -> String {
    let case = &one.case;
    let sign = match (case.unheard, case.verdict) {
        (true, _) => "🔴 nicht abgehört",
        (_, Verdict::Confirmed) => "🚨 bestätigt",
        (_, Verdict::Incomplete) => "🟠 unvollständig",
        (_, Verdict::Unclear) => "🔴 unklar",
        (_, Verdict::NotEmergency | Verdict::Ignored) => "⚪ kein Notfall",
    };
    let who = match (&case.taken_by, case.state) {
        (Some(who), CaseState::Taken) if who == me => "bei dir".to_owned(),
        (Some(who), CaseState::Taken) => format!("bei {who}"),
        _ => "niemand hat ihn".to_owned(),
    };
    let called = if case.called_back_at.is_some() { ", zurückgerufen" } else { "" };
    let mut lines =
        vec![format!("Vorgang {} · {sign}", case.id), format!("seit {} · {who}{called}", short(case.opened_at, zone))];
    lines.extend(one.firm.as_ref().map(|firm| format!("🏢 {}", safe::line(firm, LINE_MAX))));
    lines.extend(one.number.as_ref().map(|number| format!("📞 {}", safe::number(number))));
    lines.join("\n")
}

/// A test alarm.
#[must_use]
pub fn test_alarm(name: &str) -> String {
    format!("🔔 PROBEALARM für {name}\nSo laut kommt ein echter Alarm. Bitte antippen, wenn du ihn gehört hast.")
}

/// What remains of a test alarm.
#[must_use]
pub fn test_arrived(seconds: i64) -> String {
    format!("✅ Probealarm angekommen nach {seconds} s")
}

/// The label of the button under a test alarm.
#[must_use]
pub fn arrived() -> &'static str {
    "Angekommen"
}

/// A test alarm again so soon.
#[must_use]
pub fn test_too_soon() -> &'static str {
    "Bitte etwas warten\nDer letzte Probealarm ist keine Minute her."
}

/// How long nobody shall ring; `running`: until when it is so already.
#[must_use]
pub fn pause(running: Option<DateTime<Utc>>, zone: Tz) -> String {
    match running {
        Some(until) => format!("⏸ Du pausierst bis {}.\nNeues Ende ab jetzt, oder beenden?", short(until, zone)),
        None => "⏸ Pause\nWie lange soll jemand anders gerufen werden?".to_owned(),
    }
}

/// The label of a button for so many hours.
#[must_use]
pub fn hours(count: u32) -> String {
    format!("{count} h")
}

/// The label of the button for a pause until the morning.
#[must_use]
pub fn until_morning() -> &'static str {
    "bis 8:00"
}

/// The label of the button that ends a pause.
#[must_use]
pub fn end_pause() -> &'static str {
    "Pause beenden"
}

/// A pause is noted; `cover` is on duty instead.
#[must_use]
pub fn pausing(until: DateTime<Utc>, cover: &[String], zone: Tz) -> String {
    let instead = if cover.is_empty() { String::new() } else { format!("\nDienst hat {}.", cover.join(", dann ")) };
    format!("⏸ Du pausierst bis {}.{instead}\nEin Alarm an alle erreicht dich trotzdem.", short(until, zone))
}

/// A pause would leave nobody.
#[must_use]
pub fn nobody_else(at: DateTime<Utc>, zone: Tz) -> String {
    format!(
        "Das geht nicht: ab {} hätte niemand Dienst.\nGib den Dienst mit /tausch ab, dann kannst du pausieren.",
        short(at, zone)
    )
}

/// A pause is over.
#[must_use]
pub fn pause_ended(was_running: bool) -> &'static str {
    if was_running { "▶ Pause beendet\nDu wirst wieder gerufen." } else { "Du pausierst gerade nicht." }
}

/// To whoever is on duty instead.
#[must_use]
pub fn covers(who: &str, from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> String {
    format!("⏸ {who} macht Pause, du hast Dienst\n{}", span(from, until, zone))
}

/// To the office: somebody pauses, or no longer does.
#[must_use]
pub fn pause_noted(who: &str, until: Option<DateTime<Utc>>, zone: Tz) -> String {
    match until {
        Some(until) => format!("⏸ {who} macht Pause bis {}.", short(until, zone)),
        None => format!("▶ {who} hat die Pause beendet."),
    }
}

/// "Mo 23.11. 08:00 – Mo 30.11. 08:00"
#[must_use]
pub fn span(from: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> String {
    format!("{} – {}", short(from, zone), short(until, zone))
}

/// "Sa 21.11. 22:14"
fn short(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    format!("{} {}", weekday(local.weekday()), local.format("%d.%m. %H:%M"))
}
