//! What of the facts is well, what is not, and what to do about it. Pure.

use super::facts::{Disk, Drilled, Facts, Queue, Second};
use super::shown::{ago, amount, bytes};
use crate::domain::report::Stage;
use crate::runtime::status::{Entry, State};
use crate::store::drills::Drill;
use crate::store::paths::Path as Way;
use crate::store::watched::Watched;
use crate::wording::minute;
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// A worker may fail for so long.
const FAILING: TimeDelta = TimeDelta::seconds(90);
/// A worker that says nothing for so long hangs; a transcription may take as long as its own limit.
const SILENT: TimeDelta = TimeDelta::minutes(4);
/// The deletion looks every hour.
const UNLOOKED: TimeDelta = TimeDelta::hours(3);
/// A drill every day, and some hours.
const UNDRILLED: TimeDelta = TimeDelta::hours(27);
/// Less room than this is too little.
const ROOM: u64 = 1 << 30;
/// Workers that speak only when something changes.
const QUIET: &[&str] = &["web"];

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Light {
    Good,
    Bad,
    /// Neither: nothing is set up, or nothing happened yet.
    Plain,
}

/// One line of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) name: String,
    pub(super) light: Light,
    pub(super) says: String,
    /// What to do.
    pub(super) remedy: Option<&'static str>,
}

impl Item {
    fn new(name: impl Into<String>, light: Light, says: impl Into<String>) -> Self {
        Self { name: name.into(), light, says: says.into(), remedy: None }
    }

    fn good(name: impl Into<String>, says: impl Into<String>) -> Self {
        Self::new(name, Light::Good, says)
    }

    fn plain(name: impl Into<String>, says: impl Into<String>) -> Self {
        Self::new(name, Light::Plain, says)
    }

    fn bad(name: impl Into<String>, says: impl Into<String>, remedy: &'static str) -> Self {
        Self { remedy: Some(remedy), ..Self::new(name, Light::Bad, says) }
    }

    /// The badge's class.
    pub(super) fn class(&self) -> &'static str {
        match self.light {
            Light::Good => "good",
            Light::Bad => "failing",
            Light::Plain => "",
        }
    }

    /// The badge's word.
    pub(super) fn word(&self) -> &'static str {
        match self.light {
            Light::Good => "gut",
            Light::Bad => "Störung",
            Light::Plain => "–",
        }
    }
}

/// A part of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Section {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) items: Vec<Item>,
}

/// Whether a worker fails or hangs. `longest`: how long a transcription may take.
pub(super) fn is_ill(name: &str, entry: &Entry, longest: TimeDelta, now: DateTime<Utc>) -> bool {
    fails(entry, now) || hangs(name, entry, longest, now)
}

fn fails(entry: &Entry, now: DateTime<Utc>) -> bool {
    entry.failing_since.is_some_and(|since| now - since > FAILING)
}

fn hangs(name: &str, entry: &Entry, longest: TimeDelta, now: DateTime<Utc>) -> bool {
    let listens = matches!(name, "transcribe" | "transcribe.confirm");
    let patience = if listens && entry.state == State::Running { SILENT + longest } else { SILENT };
    !QUIET.contains(&name) && now - entry.at > patience
}

/// The whole page.
pub(super) fn judged(facts: &Facts, longest: TimeDelta, zone: Tz) -> Vec<Section> {
    let section = |id, title, items| Section { id, title, items };
    let now = facts.now;
    let sources = facts.sources.iter().map(|(name, seen)| source(name, seen.as_ref(), zone, now));
    let troubles = facts.troubles.iter().map(|one| {
        let says = format!("seit {}: {}", minute(one.since, zone), one.what);
        Item::bad(&one.source, says, "Was zu tun ist, steht dabei; danach verschwindet die Zeile von selbst.")
    });
    let ways = facts.ways.iter().map(|(name, seen)| way(name, seen.as_ref(), zone, now));
    let workers = facts.workers.iter().map(|(name, entry)| worker(name, entry, longest, zone, now));
    vec![
        section("quellen", "Quellen", sources.chain(troubles).collect()),
        section("wege", "Wege zu den Technikern", ways.chain(people(facts, zone)).collect()),
        section("arbeit", "Arbeit", work(facts, zone)),
        section(
            "maschine",
            "Maschine",
            vec![model(facts), disk(facts.disk), Item::plain("Datenbank", bytes(facts.database))],
        ),
        section("wache", "Die Wache selbst", vec![heartbeat(facts), drill(facts, zone), retention(facts, zone)]),
        section("teile", "Teile des Dienstes", workers.collect()),
    ]
}

fn worker(name: &str, entry: &Entry, longest: TimeDelta, zone: Tz, now: DateTime<Utc>) -> Item {
    const REMEDY: &str = "Das Protokoll sagt mehr: journalctl -u nachtwache. Bleibt es so, starten Sie den Dienst neu: \
        systemctl restart nachtwache.";
    if hangs(name, entry, longest, now) {
        return Item::bad(name, format!("sagt seit {} nichts mehr", minute(entry.at, zone)), REMEDY);
    }
    match entry.failing_since {
        Some(since) if fails(entry, now) => {
            Item::bad(name, format!("schlägt fehl seit {}: {}", minute(since, zone), entry.detail), REMEDY)
        }
        Some(_) => Item::plain(name, format!("versucht es noch einmal: {}", entry.detail)),
        None => Item::good(name, if entry.state == State::Running { "arbeitet" } else { "wartet auf Arbeit" }),
    }
}

fn source(name: &str, seen: Option<&Watched>, zone: Tz, now: DateTime<Utc>) -> Item {
    let Some(seen) = seen else { return Item::plain(name, "noch nicht abgefragt") };
    let news = seen
        .arrived_at
        .map_or("noch keine Nachricht".to_owned(), |at| format!("letzte Nachricht {}", minute(at, zone)));
    match (seen.failing_since, seen.reached_at) {
        (Some(since), _) => Item::bad(
            name,
            format!(
                "nicht erreichbar seit {} ({}): {}",
                minute(since, zone),
                amount(i64::from(seen.failures), "Versuch", "Versuche"),
                seen.why.as_deref().unwrap_or("kein Grund genannt")
            ),
            "Prüfen Sie Anlage, Netz und Zugangsdaten; »nachtwache check« sagt, was fehlt. Nachrichten bleiben solange dort liegen.",
        ),
        (None, Some(at)) => Item::good(name, format!("erreicht {}, {news}", ago(now - at))),
        (None, None) => Item::plain(name, format!("wartet, bis sich jemand meldet; {news}")),
    }
}

fn way(name: &str, seen: Option<&Way>, zone: Tz, now: DateTime<Utc>) -> Item {
    let Some(seen) = seen else { return Item::plain(name, "noch nicht benutzt") };
    match (seen.down_at.or(seen.failing_since), seen.ok_at) {
        (Some(since), _) => Item::bad(
            name,
            format!("gestört seit {}: {}", minute(since, zone), seen.error.as_deref().unwrap_or("kein Grund genannt")),
            "Prüfen Sie Netz und Zugang dieses Weges; solange wird über die anderen Wege alarmiert.",
        ),
        (None, Some(at)) => Item::good(name, format!("zuletzt gut {}", ago(now - at))),
        (None, None) => Item::plain(name, "noch nicht benutzt"),
    }
}

fn people(facts: &Facts, zone: Tz) -> Vec<Item> {
    let mut items = Vec::new();
    if !facts.anybody {
        items.push(Item::bad(
            "Erreichbarkeit",
            "Niemand ist auf irgendeinem Weg zu erreichen.",
            "Verbinden Sie ein Telefon: nachtwache technician invite NAME.",
        ));
    }
    items.extend(facts.gaps.iter().map(|(from, until)| {
        let says = format!("Lücke von {} bis {}", minute(*from, zone), minute(*until, zone));
        Item::bad("Dienstplan", says, "Tragen Sie im Dienstplan jemanden ein; bis dahin gilt die letzte Zuflucht.")
    }));
    items.extend(facts.calendars.iter().map(|what| {
        Item::bad("Kalender", what.clone(), "Bringen Sie den Kalender in Ordnung; solange gilt der letzte gute Stand.")
    }));
    if items.is_empty() {
        items.push(Item::good("Dienstplan", "keine Lücke in den nächsten 14 Tagen"));
    }
    items
}

fn work(facts: &Facts, zone: Tz) -> Vec<Item> {
    let mut items: Vec<Item> = facts.queues.iter().map(|queue| backlog(*queue, zone)).collect();
    items.extend(facts.second.as_ref().map(second_hearing));
    items.push(if facts.undelivered > 0 {
        Item::bad(
            "Benachrichtigungen",
            format!(
                "{} seit mehr als drei Minuten auf keinem Weg angekommen",
                amount(facts.undelivered, "laute ist", "laute sind")
            ),
            "Rufen Sie den Diensthabenden an und sehen Sie nach den Wegen.",
        )
    } else {
        Item::good("Benachrichtigungen", amount(facts.notices, "wartet", "warten"))
    });
    let says = format!("{} offen, {} übernommen", facts.open, facts.taken);
    items.push(Item::plain("Vorgänge", says));
    items
}

fn backlog(queue: Queue, zone: Tz) -> Item {
    let name = match queue.stage {
        Stage::Transcribe => "Abschrift",
        Stage::Assess => "Prüfung",
        Stage::Done => "erledigt",
    };
    let says = amount(queue.waiting, "Meldung wartet", "Meldungen warten");
    match queue.oldest.filter(|_| queue.behind) {
        Some(oldest) => Item::bad(
            name,
            format!("{says}, die älteste seit {}", minute(oldest, zone)),
            "Hören Sie die Meldungen selbst ab. Ist das Sprachmodell da, und hat die Maschine genug Zeit dafür?",
        ),
        None => Item::good(name, says),
    }
}

fn second_hearing(second: &Second) -> Item {
    const NAME: &str = "Zweite Anhörung";
    let says = format!("{}, {}", second.model, amount(second.waiting, "Meldung wartet", "Meldungen warten"));
    if second.size.is_none() {
        let says = format!("{} fehlt: es bleibt bei der ersten", second.model);
        return Item::bad(
            NAME,
            says,
            "Holen Sie das Modell aus transcribe.confirm_model, oder löschen Sie die Einstellung.",
        );
    }
    if second.failed > 0 {
        let says = format!("{says}; {} seit gestern gescheitert", second.failed);
        let remedy = "Das Protokoll sagt, warum. Reicht die Zeit nicht, erhöhen Sie transcribe.limit_factor, oder nehmen Sie ein kleineres Modell.";
        return Item::bad(NAME, says, remedy);
    }
    Item::good(NAME, says)
}

fn model(facts: &Facts) -> Item {
    let (name, size) = &facts.model;
    match size {
        Some(size) => Item::good("Sprachmodell", format!("{name}, {}", bytes(*size))),
        None => Item::bad(
            "Sprachmodell",
            format!("{name} fehlt: alarmiert wird ohne Text"),
            "Holen Sie es: nachtwache models fetch small-q8_0, oder nennen Sie ein anderes in transcribe.model.",
        ),
    }
}

fn disk(disk: Option<Disk>) -> Item {
    let Some(Disk { free, total }) = disk else {
        return Item::bad("Platz", "nicht zu ermitteln", "Ist der Ordner aus store.folder da und lesbar?");
    };
    let says = format!("{} von {} frei", bytes(free), bytes(total));
    if free < ROOM || free < total / 20 {
        return Item::bad(
            "Platz",
            says,
            "Schaffen Sie Platz auf der Platte von store.folder: ist sie voll, bleibt jede Nachricht in der Quelle liegen.",
        );
    }
    Item::good("Platz", says)
}

fn heartbeat(facts: &Facts) -> Item {
    let watch = facts.workers.get("watch");
    match (watch.filter(|entry| entry.failing_since.is_some()), facts.heartbeat) {
        (Some(entry), _) => Item::bad(
            "Lebenszeichen",
            format!("geht nicht hinaus: {}", entry.detail),
            "Beheben Sie, was hier steht; dann geht es von selbst wieder hinaus.",
        ),
        (None, true) => Item::good("Lebenszeichen", "geht hinaus, solange alles gut ist"),
        (None, false) => Item::plain(
            "Lebenszeichen",
            "nicht eingerichtet: ein toter Dienst fällt draußen niemandem auf ([heartbeat])",
        ),
    }
}

fn drill(facts: &Facts, zone: Tz) -> Item {
    const NAME: &str = "Probealarm";
    const REMEDY: &str = "Machen Sie selbst einen: nachtwache drill zeigt, wie weit er kommt.";
    match &facts.drill {
        Drilled::Off => Item::plain(NAME, "ausgeschaltet"),
        Drilled::Never => Item::plain(NAME, "noch keiner"),
        Drilled::Last(Drill { failed_at: Some(at), .. }) => {
            Item::bad(NAME, format!("der letzte kam nicht an ({})", minute(*at, zone)), REMEDY)
        }
        Drilled::Last(Drill { arrived_at: Some(at), begun_at, .. }) if facts.now - *begun_at <= UNDRILLED => {
            Item::good(NAME, format!("angekommen {}", minute(*at, zone)))
        }
        Drilled::Last(Drill { begun_at, .. }) if facts.now - *begun_at > UNDRILLED => {
            Item::bad(NAME, format!("der letzte begann {}", minute(*begun_at, zone)), REMEDY)
        }
        Drilled::Last(_) => Item::plain(NAME, "unterwegs"),
    }
}

fn retention(facts: &Facts, zone: Tz) -> Item {
    const NAME: &str = "Löschung";
    let held = if facts.held > 0 {
        format!("; {} aufbewahrt", amount(facts.held, "Meldung wird", "Meldungen werden"))
    } else {
        String::new()
    };
    if facts.keep_for_ever {
        return Item::plain(NAME, format!("ausgeschaltet (retention.keep_for_ever){held}"));
    }
    match facts.looked_at {
        None => Item::plain(NAME, format!("noch nicht nachgesehen{held}")),
        Some(at) if facts.now - at > UNLOOKED => Item::bad(
            NAME,
            format!("zuletzt nachgesehen {}{held}", minute(at, zone)),
            "Sehen Sie unten nach review.retention; was fällig ist, bleibt solange liegen.",
        ),
        Some(at) => {
            let next = minute(at + TimeDelta::hours(1), zone);
            Item::good(NAME, format!("zuletzt nachgesehen {}, wieder gegen {next}{held}", minute(at, zone)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_fills_up_is_red_before_it_is_full_and_says_what_to_do() {
        const GIB: u64 = 1 << 30;
        assert_eq!(disk(Some(Disk { free: 50 * GIB, total: 100 * GIB })).light, Light::Good);
        for low in [Disk { free: 4 * GIB, total: 100 * GIB }, Disk { free: GIB - 1, total: 10 * GIB }] {
            let item = disk(Some(low));
            assert!(
                item.light == Light::Bad && item.remedy.is_some_and(|todo| todo.contains("store.folder")),
                "{item:?}"
            );
        }
    }

    #[test]
    fn a_worker_that_hangs_or_fails_is_ill_and_one_that_transcribes_for_long_is_not() {
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let entry = |state, minutes, failing: Option<i64>| Entry {
            state,
            detail: String::new(),
            at: now - TimeDelta::minutes(minutes),
            failing_since: failing.map(|seconds| now - TimeDelta::seconds(seconds)),
        };
        let longest = TimeDelta::minutes(30);
        assert!(!is_ill("assess", &entry(State::Idle, 1, None), longest, now));
        assert!(is_ill("assess", &entry(State::Idle, 5, None), longest, now));
        assert!(!is_ill("transcribe", &entry(State::Running, 25, None), longest, now));
        assert!(is_ill("transcribe", &entry(State::Running, 35, None), longest, now));
        assert!(!is_ill("send", &entry(State::Failing, 0, Some(60)), longest, now));
        assert!(is_ill("send", &entry(State::Failing, 0, Some(100)), longest, now));
        assert!(!is_ill("web", &entry(State::Idle, 500, None), longest, now));
    }
}
