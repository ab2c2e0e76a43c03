//! "/pause": for some hours somebody else is told. Never where nobody else would be on duty.

use super::{Choice, head};
use crate::acknowledge::{Actor, Desk};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::Said;
use crate::domain::roster::{Change, ChangeKind, Plan, instant, local};
use crate::store::roster::{self as changes, ChangeState};
use crate::store::{Reader, StoreError, Tx, events};
use crate::wording::commands as words;
use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;

/// The hours that have a button.
pub(super) const HOURS: [u32; 3] = [1, 2, 4];

/// Two presses within so little time mean one pause.
const ONE_TAP: TimeDelta = TimeDelta::seconds(30);

/// Who is on duty in somebody's place, from when to when.
struct Cover {
    name: String,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// Until when somebody pauses who noted it himself.
pub(super) async fn running(
    reader: &mut Reader,
    who: &str,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    let all = changes::list(reader, now).await?;
    let his = all.iter().filter(|one| {
        let change = &one.change;
        one.state == ChangeState::Active
            && change.kind == ChangeKind::Absence
            && one.made_by == who
            && change.technician == who
            && change.from <= now
    });
    Ok(his.map(|one| one.change.until).max())
}

/// The next 8 o'clock.
pub(super) fn morning_after(now: DateTime<Utc>, zone: Tz) -> DateTime<Utc> {
    let eight = NaiveTime::from_hms_opt(8, 0, 0).expect("8:00 is a time of day");
    let today = local(zone, now).date();
    let at = |day: chrono::NaiveDate| instant(zone, day.and_time(eight));
    let tomorrow = today.succ_opt().unwrap_or(today);
    if at(today) > now { at(today) } else { at(tomorrow) }
}

impl Desk {
    pub(super) async fn pause_menu(&self, me: &str) -> Result<Said, StoreError> {
        let mut reader = self.store.read().await?;
        let running = running(&mut reader, me, self.clock.now()).await?;
        drop(reader);
        let mut keys = vec![
            HOURS.into_iter().map(|hours| Choice::Pause(hours * 60).key(words::hours(hours))).collect(),
            vec![Choice::PauseUntilMorning.key(words::until_morning())],
        ];
        keys.extend(running.map(|_| vec![Choice::PauseEnds.key(words::end_pause())]));
        Ok(Said { text: words::pause(running, self.settings.business_hours().zone), keys })
    }

    pub(super) async fn begin_pause(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
        until: DateTime<Utc>,
    ) -> Result<String, StoreError> {
        let now = self.clock.now();
        let before = self.roster.known_plan();
        let zone = before.hours.zone;
        let me = actor.name.as_str();
        if is_away(&before, me, now, until - ONE_TAP) {
            // the same button, pressed twice
            return Ok(head(&words::pause(Some(until), zone)));
        }
        let alone = before.shifts(now, until).into_iter().find(|shift| shift.order == [me]);
        if let Some(shift) = alone {
            let words = words::nobody_else(shift.from, zone);
            self.answer_turns(tx, actor, message, &Said::only(&words)).await?;
            return Ok(head(&words));
        }
        let change = Change { kind: ChangeKind::Absence, technician: me.to_owned(), from: now, until };
        changes::make(tx, &change, ChangeState::Active, me, now).await?;
        let covers = covers(&before, change);
        let duty = self.roster.last_known(now);
        for cover in &covers {
            let at_night = cover.from <= now && !self.settings.business_hours().is_open(now);
            if let Some(recipient) = duty.named(&cover.name) {
                self.tell(tx, recipient, &words::covers(me, cover.from, cover.until, zone), at_night).await?;
            }
        }
        self.tell_office(tx, &words::pause_noted(me, Some(until), zone)).await?;
        let event = Event::new(now, EventKind::Roster, format!("{me} pauses until {until}"));
        events::append(tx, &event.by(me)).await?;
        let names: Vec<String> = covers.into_iter().map(|cover| cover.name).collect();
        let said = words::pausing(until, &names, zone);
        let ends = vec![vec![Choice::PauseEnds.key(words::end_pause())]];
        self.answer_turns(tx, actor, message, &Said { text: said.clone(), keys: ends }).await?;
        Ok(head(&said))
    }

    pub(super) async fn end_pause(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
    ) -> Result<String, StoreError> {
        let now = self.clock.now();
        let ended = changes::end_absences(tx, &actor.name, now).await? > 0;
        let words = words::pause_ended(ended);
        self.answer_turns(tx, actor, message, &Said::only(words)).await?;
        if ended {
            self.tell_office(tx, &words::pause_noted(&actor.name, None, self.settings.business_hours().zone)).await?;
            let event = Event::new(now, EventKind::Roster, format!("{} ends the pause", actor.name));
            events::append(tx, &event.by(&actor.name)).await?;
        }
        Ok(words.to_owned())
    }
}

/// Whether somebody is away from now until then in any case.
fn is_away(plan: &Plan, who: &str, now: DateTime<Utc>, until: DateTime<Utc>) -> bool {
    let absences = plan.changes.iter().filter(|one| one.kind == ChangeKind::Absence && one.technician == who);
    absences.into_iter().any(|one| one.from <= now && one.until >= until)
}

/// Who has duty because of an absence, each once, in order of time.
fn covers(before: &Plan, absence: Change) -> Vec<Cover> {
    let (me, from, until) = (absence.technician.clone(), absence.from, absence.until);
    let mut after = before.clone();
    after.changes.push(absence);
    let mut covers: Vec<Cover> = Vec::new();
    for shift in after.duties(from, until) {
        let mine = before.duties(shift.from, shift.until).into_iter().find(|one| one.duty() == Some(&me));
        let (Some(name), Some(mine)) = (shift.duty(), mine) else { continue };
        match covers.iter_mut().find(|cover| cover.name == name) {
            Some(cover) => cover.until = mine.until,
            None => covers.push(Cover { name: name.to_owned(), from: mine.from, until: mine.until }),
        }
    }
    covers
}
