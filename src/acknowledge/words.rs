//! What a technician writes or says in answer to a message: a time, a reason, or a note on the case.

use super::{Actor, Answer, Desk};
use crate::domain::act::{Act, Refusal};
use crate::domain::case::{CaseId, NoteContent, Reason};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{Notice, NoticeKind};
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, cases, events, notes, notices};
use crate::wording;
use chrono::{DateTime, NaiveTime, Utc};
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
            _ => self.note(tx, actor, case, content).await,
        }
    }

    async fn by_words(&self, tx: &mut Tx, actor: &Actor, act: &Act, case: CaseId) -> Result<String, StoreError> {
        Ok(match self.act_within(tx, actor, act, case).await? {
            Answer::Done => wording::answer(act),
            Answer::Refused(refusal) => wording::refusal(&refusal),
            Answer::Unknown => wording::refusal(&Refusal::Closed),
        })
    }

    async fn note(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        case: CaseId,
        content: NoteContent,
    ) -> Result<Option<String>, StoreError> {
        let now = self.clock.now();
        let content = match content {
            NoteContent::Written(text) => NoteContent::Written(cut(&text)),
            spoken @ NoteContent::Spoken { .. } => spoken,
        };
        let Some(found) = cases::lock(tx, case).await? else { return Ok(None) };
        notes::add(tx, case, &actor.name, &content, now).await?;
        notices::refresh_case(tx, case, now).await?;
        let event = Event::new(now, EventKind::Noted, "").report(found.report).case(case);
        events::append(tx, &event.by(&actor.name)).await?;
        Ok(Some(wording::noted(case)))
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

/// "45", "45 min", "1,5 h", "23:30", "um 23:30 Uhr": minutes from `now`; `None` where it is no time.
fn minutes_until(text: &str, now: DateTime<Utc>, zone: Tz) -> Option<u32> {
    let text = text.trim().to_lowercase();
    let text = text.trim_start_matches("um ").trim_start_matches("in ").trim_end_matches("uhr").trim();
    if let Some((hour, minute)) = text.split_once(':') {
        let time = NaiveTime::from_hms_opt(hour.trim().parse().ok()?, minute.trim().parse().ok()?, 0)?;
        let today = now.with_timezone(&zone).date_naive();
        let at = |day: chrono::NaiveDate| day.and_time(time).and_local_timezone(zone).earliest();
        let then = [at(today), today.succ_opt().and_then(at)].into_iter().flatten().find(|then| *then > now)?;
        let seconds = (then.with_timezone(&Utc) - now).num_seconds();
        return u32::try_from((seconds + 59) / 60).ok();
    }
    let digits =
        text.find(|letter: char| !(letter.is_ascii_digit() || letter == ',' || letter == '.')).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim() {
        "" | "m" | "min" | "minuten" | "minute" => 1,
        "h" | "std" | "stunde" | "stunden" => 60,
        _ => return None,
    };
    let (whole, tenth) = number.split_once([',', '.']).unwrap_or((number, "0"));
    let tenth = tenth.get(..1).unwrap_or("0").parse::<u32>().ok()?;
    Some((whole.parse::<u32>().ok()?.checked_mul(10)?.checked_add(tenth)?.checked_mul(factor)?) / 10)
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
            ("bald", None),
            ("", None),
            ("25:00", None),
            ("5 Tage", None),
        ] {
            assert_eq!(minutes_until(text, now, berlin), minutes, "{text:?}");
        }
    }
}
