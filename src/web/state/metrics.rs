//! The figures for Prometheus, in its text format. Labels are names of the settings and of workers: bounded, and nothing of a
//! caller. Pure.

use super::facts::{Drilled, Facts};
use super::judged::is_ill;
use chrono::{DateTime, TimeDelta, Utc};
use std::fmt::Write as _;

/// The content type of the format.
pub(super) const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text under construction.
struct Figures(String);

impl Figures {
    /// A figure with its help, and one row for each label (`""` = none).
    fn add<'a>(&mut self, name: &str, help: &str, label: &str, rows: impl IntoIterator<Item = (&'a str, i64)>) {
        let mut rows = rows.into_iter().peekable();
        if rows.peek().is_none() {
            return;
        }
        writeln!(self.0, "# HELP nachtwache_{name} {help}\n# TYPE nachtwache_{name} gauge").expect(FITS);
        for (value, figure) in rows {
            let label = if label.is_empty() { String::new() } else { format!("{{{label}=\"{}\"}}", escaped(value)) };
            writeln!(self.0, "nachtwache_{name}{label} {figure}").expect(FITS);
        }
    }

    fn one(&mut self, name: &str, help: &str, figure: Option<i64>) {
        self.add(name, help, "", figure.map(|figure| ("", figure)));
    }
}

const FITS: &str = "writing to a String cannot fail";

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

fn seconds(at: DateTime<Utc>) -> i64 {
    at.timestamp()
}

fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// All figures.
pub(super) fn text(facts: &Facts, longest: TimeDelta) -> String {
    let mut all = Figures(String::new());
    workers(&mut all, facts, longest);
    queues(&mut all, facts);
    let named = |name: &'static str| move |figure: i64| (name, figure);
    all.one("notices_due", "Notices to be sent or changed.", Some(facts.notices));
    all.one("notices_undelivered", "Loud notices that reached nobody within 3 minutes.", Some(facts.undelivered));
    let cases = [(facts.open, "open"), (facts.taken, "taken")];
    let cases = cases.map(|(number, state)| named(state)(i64::try_from(number).unwrap_or(i64::MAX)));
    all.add("cases", "Cases that are not closed.", "state", cases);
    let seen = || facts.sources.iter().filter_map(|(name, seen)| Some((name.as_str(), seen.as_ref()?)));
    all.add(
        "source_failing",
        "1 while a mailbox cannot be reached.",
        "source",
        seen().map(|(name, seen)| (name, i64::from(seen.failing_since.is_some()))),
    );
    all.add(
        "source_reached_timestamp_seconds",
        "When a mailbox last answered.",
        "source",
        seen().filter_map(|(name, seen)| Some((name, seconds(seen.reached_at?)))),
    );
    let ways = facts.ways.iter().filter_map(|(name, seen)| Some((name.as_str(), seen.as_ref()?)));
    let failing = ways.map(|(name, seen)| (name, i64::from(seen.down_at.or(seen.failing_since).is_some())));
    all.add("way_failing", "1 while a way to people does not work.", "way", failing);
    all.one("troubles", "Troubles at the mailboxes that stand.", i64::try_from(facts.troubles.len()).ok());
    all.one("roster_gaps", "Gaps of the roster in the next 14 days.", i64::try_from(facts.gaps.len()).ok());
    all.one("model_present", "1 where the speech model is there.", Some(i64::from(facts.model.1.is_some())));
    let second = facts.second.as_ref();
    all.one("second_hearings_waiting", "Reports that wait for the larger model.", second.map(|one| one.waiting));
    all.one("second_hearings_failed", "Those of the last day that it gave up.", second.map(|one| one.failed));
    all.one("disk_free_bytes", "Free space of the store's folder.", facts.disk.map(|disk| count(disk.free)));
    all.one("disk_size_bytes", "Size of that disk.", facts.disk.map(|disk| count(disk.total)));
    all.one("database_bytes", "Size of the database.", Some(count(facts.database)));
    let arrived = if let Drilled::Last(last) = &facts.drill { last.arrived_at } else { None };
    all.one("drill_arrived_timestamp_seconds", "When the newest drill arrived, if it did.", arrived.map(seconds));
    all.one(
        "deletion_looked_timestamp_seconds",
        "When it was last looked for what is to be deleted.",
        facts.looked_at.map(seconds),
    );
    all.0
}

fn queues(all: &mut Figures, facts: &Facts) {
    all.add(
        "reports_waiting",
        "Reports that wait in a stage.",
        "stage",
        facts.queues.iter().map(|queue| (queue.stage.as_str(), queue.waiting)),
    );
    all.add(
        "report_waits_seconds",
        "For how long the oldest report has been waiting in a stage.",
        "stage",
        facts.queues.iter().map(|queue| {
            let waits = queue.oldest.map_or(0, |oldest| (facts.now - oldest).num_seconds().max(0));
            (queue.stage.as_str(), waits)
        }),
    );
    all.add(
        "stage_behind",
        "1 while more reports wait in a stage than should, or for too long.",
        "stage",
        facts.queues.iter().map(|queue| (queue.stage.as_str(), i64::from(queue.behind))),
    );
}

fn workers(all: &mut Figures, facts: &Facts, longest: TimeDelta) {
    let ill = |name: &str, entry| i64::from(is_ill(name, entry, longest, facts.now));
    all.add(
        "worker_ill",
        "1 while a worker fails or says nothing.",
        "worker",
        facts.workers.iter().map(|(name, entry)| (name.as_str(), ill(name, entry))),
    );
    all.add(
        "worker_spoke_timestamp_seconds",
        "When a worker last said something.",
        "worker",
        facts.workers.iter().map(|(name, entry)| (name.as_str(), seconds(entry.at))),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_label() {
        let mut all = Figures(String::new());
        all.add("x", "X.", "source", [("a\"} 1\nevil{b=\"\\", 1)]);
        assert_eq!(
            all.0,
            "# HELP nachtwache_x X.\n# TYPE nachtwache_x gauge\nnachtwache_x{source=\"a\\\"} 1\\nevil{b=\\\"\\\\\"} 1\n"
        );
        all.add("none", "None.", "source", []);
        assert!(!all.0.contains("none"));
    }
}
