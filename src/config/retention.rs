//! `[retention]`: how long what was said and who said it is kept. Deletion is on unless `keep_for_ever` says otherwise.

use super::Settings;
use crate::domain::retention::Periods;
use chrono::TimeDelta;
use serde::Deserialize;

/// `[retention]`; each period in days. A clock starts when the case is closed, without a case when the report was stored.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Nothing is deleted by itself; requests still are.
    pub keep_for_ever: bool,
    /// Recordings, voice notes.
    pub sound_days: u32,
    /// Transcripts, fields, mails, notes, texts of notices.
    pub text_days: u32,
    /// The displayed number (three digits stay) and name.
    pub number_days: u32,
    /// What else is known of the call; times and verdict stay.
    pub metadata_days: u32,
    /// What proves a charge, from its release or cancellation.
    pub proof_days: u32,
    /// Sound, text and number of ignored reports and drills.
    pub ignored_days: u32,
    /// Events, notices, roster changes, troubles that are over.
    pub log_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            keep_for_ever: false,
            sound_days: 30,
            text_days: 30,
            number_days: 90,
            metadata_days: 365,
            proof_days: 365,
            ignored_days: 7,
            log_days: 730,
        }
    }
}

impl Retention {
    /// As values.
    #[must_use]
    pub fn periods(&self) -> Periods {
        let days = |count: u32| TimeDelta::days(i64::from(count));
        Periods {
            sound: days(self.sound_days),
            text: days(self.text_days),
            number: days(self.number_days),
            metadata: days(self.metadata_days),
            proof: days(self.proof_days),
            ignored: days(self.ignored_days),
        }
    }
}

/// What is wrong with the section.
pub(super) fn complaints(settings: &Settings, wrong: &mut Vec<String>) {
    let row = &settings.retention;
    let mut range = |key: &str, days: u32, from: u32, to: u32| {
        if !(from..=to).contains(&days) {
            wrong.push(format!(
                "retention.{key}: {days} is not between {from} and {to}; to delete nothing set keep_for_ever"
            ));
        }
    };
    range("sound_days", row.sound_days, 1, 3650);
    range("text_days", row.text_days, 1, 3650);
    range("number_days", row.number_days, 1, 3650);
    range("metadata_days", row.metadata_days, 1, 3650);
    // three years to the end of the year
    range("proof_days", row.proof_days, 30, 1461);
    range("ignored_days", row.ignored_days, 1, 365);
    range("log_days", row.log_days, 30, 3650);
    let longest = row.sound_days.max(row.text_days).max(row.number_days).max(row.ignored_days);
    if row.metadata_days < longest {
        wrong.push(format!(
            "retention.metadata_days: {} is shorter than what it describes is kept; write {longest} or more",
            row.metadata_days
        ));
    }
    if row.log_days < row.text_days.max(row.sound_days) {
        wrong.push(format!(
            "retention.log_days: {} is shorter than the reports that it tells of are kept; write {} or more",
            row.log_days,
            row.text_days.max(row.sound_days)
        ));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Settings;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn deletion_is_on_and_only_its_own_key_switches_it_off() {
        let plain = Settings::parse("").unwrap().retention;
        assert!(!plain.keep_for_ever);
        assert_eq!((plain.sound_days, plain.text_days, plain.ignored_days), (30, 30, 7));
        assert!(Settings::parse("[retention]\nkeep_for_ever = true\n").unwrap().retention.keep_for_ever);
        let never = complaint("[retention]\nsound_days = 0\n");
        assert!(never.contains("retention.sound_days") && never.contains("keep_for_ever"), "{never}");
    }

    #[test]
    fn periods_that_contradict_each_other_are_refused() {
        assert!(complaint("[retention]\nsound_days = 400\n").contains("retention.metadata_days"));
        assert!(complaint("[retention]\nlog_days = 31\ntext_days = 60\n").contains("retention.log_days"));
        assert!(complaint("[retention]\nproof_days = 2000\n").contains("retention.proof_days"));
    }
}
