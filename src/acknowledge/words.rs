//! What a technician writes or says in answer to a message: a time, a reason, or a note on the case.

use super::{Actor, Answer, Desk};
use crate::domain::act::{Act, Refusal};
use crate::domain::case::{CaseId, CaseState, NoteContent, Reason};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{Notice, NoticeKind};
use crate::domain::roster::{instant, local};
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, cases, events, notes, notices};
use crate::wording;
use chrono::{DateTime, LocalResult, NaiveTime, TimeZone as _, Utc};
use chrono_tz::Tz;

/// Longer answers are cut.
const LONGEST: usize = 2000;

impl Desk {
    /// Takes an answer to one of our messages. What is said back, if anything has to be.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub async fn answered(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        to: &Notice,
        content: NoteContent,
    ) -> Result<Option<String>, StoreError> {
        let Some(case) = to.case else { return Ok(None) };
        match (to.kind, to.body.as_deref(), &content) {
            (NoticeKind::Question, Some("eta"), NoteContent::Written(text)) => {
                let now = self.clock.now();
                let minutes = minutes_until(text, now, self.settings.business_hours().zone);
                let act = Act::Eta(minutes.unwrap_or(0));
                self.by_words(tx, actor, &act, case).await.map(Some)
            }
            (NoticeKind::Question, Some("reason"), NoteContent::Written(text)) => {
                let act = Act::NoEmergency(Reason::Other(cut(text)));
                self.by_words(tx, actor, &act, case).await.map(Some)
            }
            _ => self.note(tx, &actor.name, case, content).await,
        }
    }

    async fn by_words(&self, tx: &mut Tx, actor: &Actor, act: &Act, case: CaseId) -> Result<String, StoreError> {
        Ok(match self.act_within(tx, actor, act, case).await? {
            Answer::Done => wording::answer(act),
            Answer::Refused(refusal) => wording::refusal(&refusal),
            Answer::Unknown => wording::refusal(&Refusal::Closed),
        })
    }

    /// Notes something written at the page; `false` where there is no such case.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub async fn note_at_page(&self, author: &str, case: CaseId, text: &str) -> Result<bool, StoreError> {
        let mut tx = self.store.begin().await?;
        let noted = self.note(&mut tx, author, case, NoteContent::Written(text.to_owned())).await?;
        tx.commit().await?;
        self.ring();
        Ok(noted.is_some())
    }

    async fn note(
        &self,
        tx: &mut Tx,
        author: &str,
        case: CaseId,
        content: NoteContent,
    ) -> Result<Option<String>, StoreError> {
        let now = self.clock.now();
        let content = match content {
            NoteContent::Written(text) => NoteContent::Written(cut(&text)),
            spoken @ NoteContent::Spoken { .. } => spoken,
        };
        let Some(found) = cases::lock(tx, case).await? else { return Ok(None) };
        notes::add(tx, case, author, &content, now).await?;
        notices::refresh_case(tx, case, now).await?;
        let event = Event::new(now, EventKind::Noted, "").report(found.report).case(case);
        events::append(tx, &event.by(author)).await?;
        let closed = found.state == CaseState::Closed;
        Ok(Some(if closed { wording::noted_closed(case) } else { wording::noted(case) }))
    }

    /// Says something back, silently.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn say_back(&self, tx: &mut Tx, actor: &Actor, text: String) -> Result<(), StoreError> {
        let plan = Plan { body: Some(text), ..Plan::new(NoticeKind::Message, &actor.name, actor.chat) };
        notices::plan(tx, &plan, self.clock.now()).await.map(drop)
    }
}

fn cut(text: &str) -> String {
    text.trim().chars().filter(|letter| *letter != '\0').take(LONGEST).collect()
}

/// "45", "45 min", "1,5 h", "23:30", "um 23.30 Uhr", "7 Uhr": minutes from `now`; `None` where it is no time.
#[must_use]
pub fn minutes_until(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<u32> {
    let text = text.trim().to_lowercase();
    if let Some((hour, minute)) = clock_words(&text) {
        let then = next_at(time_of_day(&hour, &minute)?, now, zone)?;
        let seconds = (then - now).num_seconds();
        return u32::try_from((seconds + 59) / 60).ok();
    }
    let text = text.trim_start_matches("in ").trim();
    let digits =
        text.find(|letter: char| !(letter.is_ascii_digit() || letter == ',' || letter == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let (whole, tenth) = number.split_once([',', '.']).unwrap_or((number, "0"));
    let factor = match unit.trim() {
        // half a minute is not meant, and hours are not said
        "" if whole != number => return None,
        "" | "m" | "min" | "minuten" | "minute" => 1,
        "h" | "std" | "stunde" | "stunden" => 60,
        _ => return None,
    };
    let tenth = tenth.get(..1).unwrap_or("0").parse::<u32>().ok()?;
    Some((whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenth)?.checked_mul(factor)?) / 10)
}

/// Hour and minute where a time of the clock is meant: "um" or "Uhr" says so, ":", or two digits after ".".
fn clock_words(text: &str) -> Option<(String, String)> {
    let (said_um, text) = text.strip_prefix("um ").map_or((false, text), |rest| (true, rest));
    let (said_uhr, text) = match text.split_once("uhr") {
        // "7 uhr 30"
        Some((hour, minute)) if !minute.trim().is_empty() => (true, format!("{}:{}", hour.trim(), minute.trim())),
        Some((time, _)) => (true, time.trim().to_owned()),
        None => (false, text.trim().to_owned()),
    };
    let (hour, minute) = text.split_once([':', '.']).unwrap_or((&text, "00"));
    let clear = hour.len() < text.len() && time_digits(hour, minute);
    (said_um || said_uhr || clear || text.contains(':')).then(|| (hour.to_owned(), minute.to_owned()))
}

fn time_digits(hour: &str, minute: &str) -> bool {
    let digits = |part: &str| part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(hour) && digits(minute) && minute.len() == 2
}

/// `None`: no clock shows that.
fn time_of_day(hour: &str, minute: &str) -> Option<NaiveTime> {
    let time = || NaiveTime::from_hms_opt(hour.parse().ok()?, minute.parse().ok()?, 0);
    time_digits(hour, minute).then(time).flatten()
}

/// When the clock next shows this time. An hour that happens twice is meant as soon as it comes, one that the clocks skip
/// as the roster means it.
fn next_at(time: NaiveTime, now: DateTime<Utc>, zone: Tz) -> Option<DateTime<Utc>> {
    let today = local(zone, now).date();
    let days = [Some(today), today.succ_opt()].into_iter().flatten().map(|day| day.and_time(time));
    let instants = days.flat_map(|then| match zone.from_local_datetime(&then) {
        LocalResult::Ambiguous(first, second) => vec![first.to_utc(), second.to_utc()],
        LocalResult::Single(_) | LocalResult::None => vec![instant(zone, then)],
    });
    instants.into_iter().find(|then| *then > now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let now = "2026-11-21T21:14:30Z".parse().unwrap();
        let berlin = chrono_tz::Europe::Berlin;
        for (text, minutes) in [
            ("45", Some(45)),
            (" 45 min ", Some(45)),
            ("in 20 Minuten", Some(20)),
            ("1,5 h", Some(90)),
            ("2 Stunden", Some(120)),
            ("22:30", Some(16)),
            ("um 23:30 Uhr", Some(76)),
            ("6:00", Some(466)),
            ("23.30", Some(76)),
            ("um 23.30 Uhr", Some(76)),
            ("um 7 Uhr", Some(526)),
            ("7 uhr", Some(526)),
            ("7 Uhr 30", Some(556)),
            ("um 7", Some(526)),
            ("1.5 h", Some(90)),
            ("1.5", None),
            ("um 7.5", None),
            ("23.60", None),
            ("um 45 min", None),
            ("Uhr", None),
            ("bald", None),
            ("", None),
            ("25:00", None),
            ("5 Tage", None),
        ] {
            assert_eq!(minutes_until(text, now, berlin), minutes, "{text:?}");
        }
    }

    #[test]
    fn a_time_in_the_night_the_clocks_change_is_the_next_one() {
        let berlin = chrono_tz::Europe::Berlin;
        for (now, text, minutes) in [
            // 02:00 to 03:00 is skipped: 02:30 is 03:30
            ("2026-03-29T00:30:00Z", "2:30", Some(60)),
            // 02:00 to 03:00 comes twice
            ("2026-10-25T00:00:00Z", "2:30", Some(30)),
            ("2026-10-25T00:40:00Z", "2.30", Some(50)),
            ("2026-10-25T01:40:00Z", "um 3 Uhr", Some(20)),
        ] {
            assert_eq!(minutes_until(text, now.parse().unwrap(), berlin), minutes, "{text:?} at {now}");
        }
    }
}
