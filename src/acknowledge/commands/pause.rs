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
        let me = actor.name.as_str();
        let own = changes::own_absences(tx, me, now).await?;
        let mut before = self.roster.known_plan();
        let zone = before.hours.zone;
        // a new choice takes the place of what he chose before
        before.changes.retain(|change| !own.contains(change));
        if let Some(same) = own.iter().map(|own| own.until).find(|end| (*end - until).abs() <= ONE_TAP) {
            // the same button, pressed twice
            return Ok(head(&words::pause(away_until(&before, me, now).max(Some(same)), zone)));
        }
        if let Some(end) = away_until(&before, me, now).filter(|end| *end >= until) {
            // somebody else noted that he is away even longer
            changes::end_absences(tx, me, now).await?;
            return Ok(head(&words::pause(Some(end), zone)));
        }
        if let Some(from) = self.alone(&before, me, (now, until)) {
            let words = words::nobody_else(from, zone);
            self.answer_turns(tx, actor, message, &Said::only(&words)).await?;
            return Ok(head(&words));
        }
        changes::end_absences(tx, me, now).await?;
        let change = Change { kind: ChangeKind::Absence, technician: me.to_owned(), from: now, until };
        changes::make(tx, &change, ChangeState::Active, me, now).await?;
        let names = self.tell_covers(tx, &before, change, own.is_empty()).await?;
        self.tell_office(tx, &words::pause_noted(me, Some(until), zone)).await?;
        let event = Event::new(now, EventKind::Roster, format!("{me} pauses until {until}"));
        events::append(tx, &event.by(me)).await?;
        let said = words::pausing(until, &names, zone);
        let ends = vec![vec![Choice::PauseEnds.key(words::end_pause())]];
        self.answer_turns(tx, actor, message, &Said { text: said.clone(), keys: ends }).await?;
        Ok(head(&said))
    }

    /// From when on nobody who can be reached would be on duty in his place.
    fn alone(&self, plan: &Plan, me: &str, (from, until): (DateTime<Utc>, DateTime<Utc>)) -> Option<DateTime<Utc>> {
        let duty = self.roster.last_known(from);
        let reached =
            |name: &String| duty.named(name).is_some_and(|one| one.chat.is_some() || !one.channels.is_empty());
        let stands_in = |name: &String| name != me && reached(name);
        let shifts = plan.shifts(from, until).into_iter();
        let mut his = shifts.filter(|shift| shift.order.iter().any(|name| name == me));
        his.find(|shift| !shift.order.iter().any(stands_in)).map(|shift| shift.from)
    }

    /// Tells those who have duty because of a pause; their names. At night one who did not have it before is woken.
    async fn tell_covers(
        &self,
        tx: &mut Tx,
        before: &Plan,
        absence: Change,
        is_new: bool,
    ) -> Result<Vec<String>, StoreError> {
        let now = self.clock.now();
        let me = absence.technician.clone();
        let covers = covers(before, absence);
        let duty = self.roster.last_known(now);
        for cover in &covers {
            let loud = is_new && cover.from <= now && !self.settings.business_hours().is_open(now);
            if let Some(recipient) = duty.named(&cover.name) {
                let words = words::covers(&me, cover.from, cover.until, before.hours.zone);
                self.tell(tx, recipient, &words, loud).await?;
            }
        }
        Ok(covers.into_iter().map(|cover| cover.name).collect())
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

/// Until when somebody who is away now stays away.
fn away_until(plan: &Plan, who: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let absences = plan.changes.iter().filter(|one| one.kind == ChangeKind::Absence && one.technician == who);
    absences.filter(|one| (one.from..one.until).contains(&now)).map(|one| one.until).max()
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
