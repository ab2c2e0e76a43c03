//! "/tausch", the asker's part: which of my shifts, to whom; then the colleague is asked.

use super::Choice;
use crate::acknowledge::{Actor, Desk};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::{NoticeKind, Said};
use crate::domain::roster::{Change, ChangeKind, Plan, instant, local};
use crate::store::notices::Plan as NoticePlan;
use crate::store::roster::{self as changes, ChangeState};
use crate::store::{StoreError, Tx, events, notices, people, replies};
use crate::wording::commands::span;
use crate::wording::swaps::{self as words, NoSwap};
use chrono::{DateTime, Days, TimeDelta, Utc};

/// So far ahead shifts are offered, and so many.
const AHEAD: TimeDelta = TimeDelta::days(28);
const OFFERED: usize = 8;
/// A shift beyond the horizon is not cut by it unless it is longer than this.
const BEYOND: TimeDelta = TimeDelta::days(35);
/// A longer shift is offered week by week.
const PIECE: Days = Days::new(7);

type Time = (DateTime<Utc>, DateTime<Utc>);

impl Desk {
    pub(super) fn my_shifts(&self, me: &str) -> Said {
        let plan = self.roster.known_plan();
        let zone = plan.hours.zone;
        let shifts = shifts_of(&plan, me, self.clock.now());
        let key = |(from, until): &Time| vec![Choice::Shift(*from, *until).key(span(*from, *until, zone))];
        Said { text: words::which_shift(!shifts.is_empty()).to_owned(), keys: shifts.iter().map(key).collect() }
    }

    pub(super) async fn choose_colleague(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
        (from, until): Time,
    ) -> Result<String, StoreError> {
        let plan = self.roster.known_plan();
        if !has_duty(&plan, &actor.name, (from, until), self.clock.now()) {
            return Ok(words::no_swap(NoSwap::NotHis).to_owned());
        }
        let duty = self.roster.last_known(self.clock.now());
        let others = duty.people().iter().filter(|one| one.chat.is_some() && one.name != actor.name);
        let can = others.filter(|one| is_there(&plan, &actor.name, &one.name, (from, until), self.clock.now()));
        let keys: Vec<_> =
            can.map(|one| vec![Choice::Colleague(from, until, one.name.clone()).key(one.name.clone())]).collect();
        let text = words::to_whom(from, until, !keys.is_empty(), plan.hours.zone);
        self.answer_turns(tx, actor, message, &Said { text, keys }).await?;
        Ok(String::new())
    }

    pub(super) async fn ask_colleague(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
        (from, until): Time,
        name: &str,
    ) -> Result<String, StoreError> {
        let menu = match message {
            Some(message) => replies::pressed(tx, actor.chat, message).await?,
            None => None,
        };
        if menu.as_ref().is_some_and(|menu| menu.kind == NoticeKind::Swap) {
            return Ok(words::no_swap(NoSwap::AskedAlready).to_owned());
        }
        let now = self.clock.now();
        let plan = self.roster.known_plan();
        let duty = self.roster.last_known(now);
        let me = actor.name.as_str();
        if !has_duty(&plan, me, (from, until), now) {
            return Ok(words::no_swap(NoSwap::NotHis).to_owned());
        }
        let colleague = duty.people().iter().find(|one| one.name == name && name != me);
        let Some(colleague) = colleague.filter(|one| one.chat.is_some()) else {
            return Ok(words::no_swap(NoSwap::Unreachable).to_owned());
        };
        let kind = ChangeKind::Override { replaces: Some(me.to_owned()) };
        let change = Change { kind, technician: name.to_owned(), from: from.max(now), until };
        let id = changes::make(tx, &change, ChangeState::Asked, me, now).await?;
        let asks = NoticePlan { loud: true, body: Some(id.clone()), ..NoticePlan::new(NoticeKind::Swap, name, 0) };
        people::by_all(tx, colleague, &asks, now).await?;
        let event = Event::new(now, EventKind::Roster, format!("{me} asks {name} to take over from {from} to {until}"));
        events::append(tx, &event.by(me)).await?;
        // the menu becomes the message that shows how far it is
        if let Some(menu) = menu.filter(|notice| notice.kind == NoticeKind::Reply) {
            replies::becomes(tx, menu.id, NoticeKind::Swap, &id, now).await?;
        } else {
            let shows = NoticePlan { body: Some(id), ..NoticePlan::new(NoticeKind::Swap, me, actor.chat) };
            notices::plan(tx, &shows, now).await?;
        }
        Ok(String::new())
    }
}

/// The coming times in which somebody has duty; what runs now begins now.
fn shifts_of(plan: &Plan, who: &str, now: DateTime<Utc>) -> Vec<Time> {
    let zone = plan.hours.zone;
    let mut shifts = Vec::new();
    for shift in plan.duties(now, now + BEYOND).into_iter().filter(|shift| shift.duty() == Some(who)) {
        let mut from = shift.from;
        while from < shift.until && from < now + AHEAD {
            let next = local(zone, from).checked_add_days(PIECE).map(|at| instant(zone, at));
            // a piece of a few hours more than a week is no piece of its own
            let whole = shift.until - from <= TimeDelta::days(8);
            let until = next.filter(|next| *next < shift.until && !whole).unwrap_or(shift.until);
            shifts.push((from, until));
            from = until;
        }
    }
    shifts.truncate(OFFERED);
    shifts
}

/// Whether somebody has duty all the time that is still to come.
pub(super) fn has_duty(plan: &Plan, who: &str, (from, until): Time, now: DateTime<Utc>) -> bool {
    let shifts = plan.duties(from.max(now), until);
    !shifts.is_empty() && shifts.iter().all(|shift| shift.duty() == Some(who))
}

/// Whether a colleague would be there all the time if he took over.
pub(super) fn is_there(plan: &Plan, asker: &str, colleague: &str, (from, until): Time, now: DateTime<Utc>) -> bool {
    let kind = ChangeKind::Override { replaces: Some(asker.to_owned()) };
    let mut after = plan.clone();
    after.changes.push(Change { kind, technician: colleague.to_owned(), from, until });
    let shifts = after.duties(from.max(now), until);
    !shifts.is_empty() && shifts.iter().all(|shift| shift.duty() == Some(colleague))
}
