//! What a source hands over (`Arrival`) and what is kept of it (`Report`).

use crate::domain::assessment::words;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::PathBuf;
use uuid::Uuid;

/// Identity of a stored report; also the name of its sound file. Time-ordered (UUID v7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ReportId(pub Uuid);

impl ReportId {
    /// A new identity for a report stored now.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for ReportId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl std::str::FromStr for ReportId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// Who called, as the source shows it. `None` where withheld.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The displayed number, unparsed ("01701234567", "+49 170 …").
    pub number: Option<String>,
    /// The displayed name.
    pub name: Option<String>,
}

/// The sound of an arrival, or why there is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sound {
    /// The whole file, as found.
    Bytes {
        /// The file's name at the source ("msg0000.wav"): a hint for the decoder, never a path of ours.
        name: String,
        /// Its content.
        bytes: Vec<u8>,
    },
    /// A sound that was not taken: too large, unreadable, not a file. Kept on record, wakes a human.
    Refused {
        /// The file's name at the source.
        name: String,
        /// Where it lies, for the admin.
        path: PathBuf,
        /// What is wrong and what to do, in English.
        why: String,
    },
}

words! {
    /// By which way somebody reported.
    Medium {
        /// A recording.
        Voicemail = "voicemail",
        /// A written e-mail.
        Email = "email",
        /// A fax, which the terms do not accept.
        Fax = "fax",
    }
}

/// A written report: what its sender wrote, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mail {
    /// The sender's address, lower case, without his name.
    pub sender: Option<String>,
    /// Where an answer goes: `Reply-To`, else the sender.
    pub reply_to: Option<String>,
    /// The `Message-ID` without its brackets.
    pub message_id: Option<String>,
    /// The subject, decoded.
    pub subject: String,
    /// The readable text, decoded; HTML where there is nothing else.
    pub text: String,
    /// Header names and unfolded, decoded values, in order.
    pub headers: Vec<(String, String)>,
    /// Whether a machine wrote it (RFC 3834 and its kin): it raises nothing and gets no answer.
    pub automatic: bool,
    /// The mail as it came, kept as proof.
    pub raw: Vec<u8>,
}

/// What arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A recording.
    Voicemail(Sound),
    /// A recording that came with words beside it: somebody passes it on, or writes and attaches a sound.
    VoicemailWithMail(Sound, Mail),
    /// A written e-mail.
    Email(Mail),
    /// A fax as a mail; recorded, not accepted.
    Fax(Mail),
}

impl Content {
    /// By which way it came.
    #[must_use]
    pub fn medium(&self) -> Medium {
        match self {
            Self::Voicemail(_) | Self::VoicemailWithMail(..) => Medium::Voicemail,
            Self::Email(_) => Medium::Email,
            Self::Fax(_) => Medium::Fax,
        }
    }
}

/// Two recordings of one call, seen by two ways, began no further apart.
pub const SAME_CALL: TimeDelta = TimeDelta::minutes(10);

/// The source through which drills travel; no mailbox of the settings may be named so.
pub const DRILL: &str = "drill";

/// One message as a source hands it over, before it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The source's name from the settings.
    pub source: String,
    /// The message's identity within its source, stable over renumbering and restarts.
    pub key: String,
    /// The mailbox or line it was left on.
    pub mailbox: Option<String>,
    /// Who called.
    pub caller: Caller,
    /// When the caller began to speak; `None` where the source does not know.
    pub called_at: Option<DateTime<Utc>>,
    /// What was left.
    pub content: Content,
    /// Identity of the message that outlives its key, for sources whose keys can change (a mail's Message-ID and SHA-256):
    /// the same twin at the same source is the same message.
    pub twin: Option<String>,
    /// The mailbox ends a recording after so many seconds, where that is known.
    pub longest_s: Option<u32>,
}

/// How far a report has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waits for its transcript.
    Transcribe,
    /// Waits for its assessment.
    Assess,
    /// Assessed; what follows is the case's.
    Done,
}

impl Stage {
    /// The word in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transcribe => "transcribe",
            Self::Assess => "assess",
            Self::Done => "done",
        }
    }

    /// The stage of a word in the database.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Transcribe, Self::Assess, Self::Done].into_iter().find(|stage| stage.as_str() == word)
    }
}

/// Whoever has waited for so long is overtaken by nobody who comes from then on.
pub const OVERTAKEN_FOR: TimeDelta = TimeDelta::minutes(25);
/// A call within business hours stands so far behind one outside; a long recording at most a little less far.
const BEHIND_THE_NIGHT: TimeDelta = TimeDelta::minutes(15);
const BEHIND_THE_SHORT: TimeDelta = TimeDelta::minutes(10);
/// For each second of its sound a recording stands ten behind.
const BEHIND_A_SECOND: u64 = 10;
/// Of telephone sound, 16 bit; a compressed one counts as shorter than it is, beside those of its own kind it makes no difference.
const BYTES_A_SECOND: u64 = 16_000;

/// One stored voicemail or e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its identity.
    pub id: ReportId,
    /// The source's name.
    pub source: String,
    /// Its identity within the source.
    pub key: String,
    /// The mailbox or line.
    pub mailbox: Option<String>,
    /// Who called.
    pub caller: Caller,
    /// When the caller called (the time of storing where the source did not know).
    pub called_at: DateTime<Utc>,
    /// When it was safe on our disk.
    pub stored_at: DateTime<Utc>,
    /// Its recording; `None` where the sound was refused.
    pub recording: Option<Recording>,
    /// Why there is no sound, in English.
    pub trouble: Option<String>,
    /// By which way it came.
    pub medium: Medium,
    /// The mailbox ends a recording after so many seconds, where that is known.
    pub longest_s: Option<u32>,
    /// How far it has come.
    pub stage: Stage,
}

impl Report {
    /// Whether it is the daily proof that the way is open: known by its source and never by its words. It opens no case,
    /// wakes nobody and costs nothing.
    #[must_use]
    pub fn is_drill(&self) -> bool {
        self.source == DRILL
    }

    /// Its place in the queue, the earliest goes first: when it was stored, later by what may go before it. So a call from
    /// outside business hours goes before one from inside and a short one before a long one, and nobody waits for ever:
    /// whoever comes `OVERTAKEN_FOR` later stands behind it, whatever he is.
    #[must_use]
    pub fn turn_at(&self, outside: bool) -> DateTime<Utc> {
        let seconds = self.recording.as_ref().map_or(0, |sound| sound.bytes / BYTES_A_SECOND);
        let length = i64::try_from(seconds.saturating_mul(BEHIND_A_SECOND)).unwrap_or(i64::MAX / 1000);
        let hours = if outside { TimeDelta::zero() } else { BEHIND_THE_NIGHT };
        self.stored_at + hours + TimeDelta::seconds(length.min(BEHIND_THE_SHORT.num_seconds()))
    }
}

/// A stored sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// File name within the sound folder: report id plus the original ending.
    pub file: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The file's name at the source.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A report stored so many seconds after the first one, with a recording of so many seconds.
    fn report(stored_s: i64, sound_s: u64) -> Report {
        let stored_at = DateTime::UNIX_EPOCH + TimeDelta::seconds(stored_s);
        let recording = Recording {
            file: String::new(),
            sha256: String::new(),
            bytes: sound_s * BYTES_A_SECOND,
            name: String::new(),
        };
        Report {
            id: ReportId::fresh(),
            source: "spool".into(),
            key: String::new(),
            mailbox: None,
            caller: Caller::default(),
            called_at: stored_at,
            stored_at,
            recording: Some(recording),
            trouble: None,
            medium: Medium::Voicemail,
            longest_s: None,
            stage: Stage::Transcribe,
        }
    }

    #[test]
    fn the_night_goes_before_the_day_and_the_short_before_the_long() {
        let turn = |stored_s, sound_s, outside| report(stored_s, sound_s).turn_at(outside);
        assert!(turn(60, 600, true) < turn(60, 0, false), "at one time the night goes first, however long");
        assert!(turn(300, 20, true) < turn(0, 90, true) && turn(300, 20, false) < turn(0, 90, false));
        assert!(turn(0, 30, true) < turn(1, 30, true), "of like ones whoever came first");
        assert!(turn(0, 600, false) <= turn(OVERTAKEN_FOR.num_seconds(), 0, true), "a day's long one has its turn");
    }

    proptest! {
        #[test]
        fn whoever_comes_and_however_urgent_everybody_is_served_within_a_bound(
            arrivals in proptest::collection::vec((0_i64..90, 0_u64..900, any::<bool>(), 1_i64..900), 1..25),
            flood in 10_i64..120,
        ) {
            // (stored, turn, seconds of work); beside them, without end, a short call of the night every `flood` seconds
            let mut at = 0;
            let mut waiting: Vec<(i64, DateTime<Utc>, i64, bool)> = Vec::new();
            for (gap, sound, outside, work) in &arrivals {
                at += gap;
                waiting.push((at, report(at, *sound).turn_at(*outside), *work, true));
            }
            let (mut clock, mut next_urgent, mut left) = (0, 0, arrivals.len());
            while left > 0 {
                while next_urgent <= clock {
                    waiting.push((next_urgent, report(next_urgent, 0).turn_at(true), 5 * flood, false));
                    next_urgent += flood;
                }
                let here = (0..waiting.len()).filter(|one| waiting[*one].0 <= clock);
                let Some(next) = here.min_by_key(|one| waiting[*one].1) else { clock += 1; continue };
                let served = waiting.swap_remove(next);
                // nobody who still waits came so much earlier
                let passed_over = waiting.iter().filter(|one| one.0 <= clock && one.0 + OVERTAKEN_FOR.num_seconds() < served.0);
                prop_assert_eq!(passed_over.count(), 0);
                left -= usize::from(served.3);
                clock += served.2;
            }
        }
    }
}
