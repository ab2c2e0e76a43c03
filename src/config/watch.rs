//! `[watch]`, `[drill]`, `[morning]`: what the service tells of itself, and proves of itself.

use super::Settings;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use serde::Deserialize;

/// `[watch]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WatchRow {
    /// Whether the office is told, silently, that the service started.
    pub tell_start: bool,
    /// Minutes that a report may wait for its transcript; then the office is told that there is a queue.
    pub waiting_min: u32,
    /// So many reports may wait for their transcript.
    pub waiting_most: u32,
}

impl Default for WatchRow {
    fn default() -> Self {
        Self { tell_start: true, waiting_min: 10, waiting_most: 20 }
    }
}

impl WatchRow {
    /// Whether a stage is behind its work, where so many reports wait, the oldest since `oldest`.
    #[must_use]
    pub fn is_behind(&self, waiting: i64, oldest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let limit = TimeDelta::minutes(i64::from(self.waiting_min));
        waiting > i64::from(self.waiting_most) || oldest.is_some_and(|oldest| now - oldest > limit)
    }

    /// Whether it has caught up for good: half as much waits as may, so that a queue at the brink is not told of again and
    /// again.
    #[must_use]
    pub fn has_caught_up(&self, waiting: i64, oldest: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
        let limit = TimeDelta::seconds(i64::from(self.waiting_min) * 30);
        waiting <= i64::from(self.waiting_most / 2) && oldest.is_none_or(|oldest| now - oldest <= limit)
    }
}

/// `[drill]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DrillRow {
    /// Whether there are drills.
    pub enabled: bool,
    /// When the daily one begins, local time, "09:00".
    pub at: String,
    /// Minutes within which it must have arrived.
    pub within_min: u32,
    /// In whose chat it arrives: "office", "duty" or a technician's name.
    pub tell: String,
}

impl Default for DrillRow {
    fn default() -> Self {
        Self { enabled: true, at: "09:00".into(), within_min: 5, tell: "office".into() }
    }
}

impl DrillRow {
    /// When the daily one begins.
    #[must_use]
    pub fn time(&self) -> NaiveTime {
        time(&self.at).expect("checked when the settings were loaded")
    }

    /// Within which time it must have arrived.
    #[must_use]
    pub fn within(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.within_min))
    }
}

/// `[morning]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MorningRow {
    /// Whether there is a list.
    pub enabled: bool,
    /// Addresses that get it by mail, beside the office's chat.
    pub mail_to: Vec<String>,
}

impl Default for MorningRow {
    fn default() -> Self {
        Self { enabled: true, mail_to: Vec::new() }
    }
}

fn time(text: &str) -> Option<NaiveTime> {
    NaiveTime::parse_from_str(text, "%H:%M").ok()
}

/// What is wrong with the three sections.
pub(super) fn complaints(settings: &Settings, wrong: &mut Vec<String>) {
    let (drill, morning, watch) = (&settings.drill, &settings.morning, &settings.watch);
    if !(2..=1440).contains(&watch.waiting_min) {
        wrong.push(format!("watch.waiting_min: {} is not between 2 and 1440", watch.waiting_min));
    }
    if !(1..=100_000).contains(&watch.waiting_most) {
        wrong.push(format!("watch.waiting_most: {} is not between 1 and 100000", watch.waiting_most));
    }
    if time(&drill.at).is_none() {
        wrong.push(format!("drill.at: {:?} is no time of day; write e.g. \"09:00\"", drill.at));
    }
    if !(1..=60).contains(&drill.within_min) {
        wrong.push(format!("drill.within_min: {} is not between 1 and 60", drill.within_min));
    }
    let known = ["office", "duty"].contains(&drill.tell.as_str())
        || settings.technicians.iter().any(|technician| technician.name == drill.tell);
    if !known {
        wrong.push(format!("drill.tell: {:?} is nobody: use \"office\", \"duty\" or a technician's name", drill.tell));
    }
    for address in &morning.mail_to {
        if address.parse::<lettre::Address>().is_err() {
            wrong.push(format!("morning.mail_to: {address:?} is no mail address; write e.g. \"buero@example.de\""));
        }
    }
    if !morning.mail_to.is_empty() && settings.smtp.is_none() {
        wrong.push("morning.mail_to: a mail needs a mail server; add [smtp]".into());
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_could_never_arrive_is_refused() {
        assert_eq!(complaint(""), "");
        assert_eq!(complaint("[drill]\nat = \"21:30\"\n[watch]\ntell_start = false\n"), "");
        for (text, key) in [
            ("[drill]\nat = \"9\"\n", "drill.at"),
            ("[drill]\nwithin_min = 0\n", "drill.within_min"),
            ("[watch]\nwaiting_min = 1\n", "watch.waiting_min"),
            ("[watch]\nwaiting_most = 0\n", "watch.waiting_most"),
            ("[drill]\ntell = \"Nobody\"\n", "drill.tell"),
            ("[morning]\nmail_to = [\"office\"]\n", "morning.mail_to"),
            ("[morning]\nmail_to = [\"office@example.de\"]\n", "smtp"),
            ("[roster]\nready_before_min = 10\n", "roster.ready_before_min"),
            ("[[sources]]\nkind = \"folder\"\nname = \"drill\"\npath = \"/tmp\"\n", "sources.name"),
        ] {
            let complaint = complaint(text);
            assert!(complaint.contains(key), "{key}: {complaint:?}");
        }
    }
}
