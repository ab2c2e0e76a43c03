//! What must hold, said without the engine's own words.

use super::Flaw;
use super::model::Notice;
use super::night::{Night, Told};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::domain::act::Act;
use nachtwache::domain::case::{Case, CaseState};
use nachtwache::domain::life::Due;
use nachtwache::domain::notice::{Delivery, NoticeKind};

/// Back-off, one hold by Telegram, one lease of a step that died.
const TOLERANCE: TimeDelta = TimeDelta::minutes(6);

/// What is remembered of a case beside the case. Times are of a clock that is never set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watch {
    /// Since when nobody was told aloud although nobody has it.
    pub(crate) silent_since: TimeDelta,
    /// By when the taker wanted to have called back.
    pub(crate) promise: Option<TimeDelta>,
    /// How often somebody named a time.
    pub(crate) promises: u32,
    pub(crate) reminders: u32,
    /// How often the next step was begun early.
    pub(crate) passes: u32,
    /// How often it was rung beside the plan.
    pub(crate) extra: u32,
    /// How often it may have arrived without our knowing.
    pub(crate) unknowns: u32,
    /// An alert arrived nowhere while so many steps had begun.
    pub(crate) nowhere: Option<usize>,
    /// How long nobody has had it, all in all.
    pub(crate) open_for: TimeDelta,
    /// Alerts that rang, by person.
    pub(crate) alerts: Vec<u32>,
    /// What the customer said on the phone, as the technicians pressed it.
    pub(crate) consents: u32,
}

/// A case was woken.
pub(crate) fn woken(
    told: &mut Told,
    before: &Case,
    dues: &[Due],
    now: DateTime<Utc>,
    real: TimeDelta,
) -> Result<(), String> {
    let after = &told.case;
    if after.due_at.is_none_or(|at| at <= now) {
        return Err(format!("case {} was woken and is due {:?}, now {now}", after.id, after.due_at));
    }
    let resumed = dues.iter().any(|due| matches!(due, Due::Resumed(_)));
    let legal = match (before.state, after.state) {
        (CaseState::Open, CaseState::Open) => true,
        (CaseState::Taken, CaseState::Taken) => before.taken_by == after.taken_by,
        (CaseState::Taken, CaseState::Open) => resumed && before.called_back_at.is_none(),
        _ => false,
    };
    if !legal {
        return Err(format!("by time alone case {} went from {before:?} to {after:?}", after.id));
    }
    for due in dues {
        match due {
            Due::Remind(_) => told.watch.reminders += 1,
            Due::Resumed(_) => {
                told.watch.passes += 1;
                (told.watch.promise, told.watch.silent_since) = (None, real);
            }
            Due::Ring(_) if told.watch.nowhere.is_some_and(|steps| after.progress.steps_begun > steps) => {
                told.watch.nowhere = None;
            }
            _ => {}
        }
    }
    if told.watch.reminders > told.watch.promises {
        return Err(format!("case {}: reminded more often than anybody named a time", after.id));
    }
    Ok(())
}

impl Night<'_> {
    /// Somebody pressed, and it was done.
    pub(crate) fn acted(&mut self, index: usize, before: &Case, act: &Act, who: &str) -> Result<(), String> {
        let (now, real, patience) = (self.now(), self.real, self.firm.patience);
        let told = &mut self.cases[index];
        let after = &told.case;
        let mine = before.state == CaseState::Taken && before.taken_by.as_deref() == Some(who);
        let asked = before.offer.as_ref().is_some_and(|offer| offer.to == who && now < offer.until);
        let has_it =
            |case: &Case, name: Option<&str>| case.state == CaseState::Taken && case.taken_by.as_deref() == name;
        let open = before.state == CaseState::Open;
        let legal = match act {
            Act::Take => open && has_it(after, Some(who)),
            Act::Pass(_) => (open || mine) && after.state == CaseState::Open,
            Act::NoEmergency(_) => (open || mine) && after.state == CaseState::Closed,
            Act::Done => mine && after.state == CaseState::Closed,
            Act::GiveBack => mine && after.state == CaseState::Open,
            Act::Accept => before.state == CaseState::Taken && asked && has_it(after, Some(who)),
            Act::Decline => before.state == CaseState::Taken && asked && has_it(after, before.taken_by.as_deref()),
            Act::Consent(_) => mine && after == before,
            Act::Eta(_) | Act::CalledBack | Act::HandOver(_) => mine && has_it(after, Some(who)),
            Act::Transcript | Act::Show | Act::Split(_) => after == before,
        };
        if !legal {
            return Err(format!("{who} did {act:?}: {before:?} became {after:?}"));
        }
        let watch = &mut told.watch;
        match act {
            Act::Take | Act::Accept => (watch.promise, watch.nowhere) = (Some(real + patience.eta), None),
            Act::Eta(minutes) => watch.promise = Some(real + TimeDelta::minutes(i64::from(*minutes))),
            Act::Consent(_) => watch.consents += 1,
            Act::Pass(_) | Act::GiveBack => {
                watch.passes += 1;
                (watch.promise, watch.silent_since) = (None, real);
            }
            Act::CalledBack | Act::Done | Act::NoEmergency(_) => watch.promise = None,
            _ => {}
        }
        watch.promises += u32::from(matches!(act, Act::Take | Act::Accept | Act::Eta(_)));
        Ok(())
    }

    /// A message came onto a phone; `looked` is the case as it was when it was looked at before sending.
    pub(crate) fn arrived(&mut self, index: usize, looked: &Case) -> Result<(), String> {
        let Notice { case, to, kind, loud, .. } = self.notices[index];
        if !loud {
            return Ok(());
        }
        self.seen.loud += 1;
        let name = &self.firm.people[to].name;
        let his = looked.state == CaseState::Taken && looked.taken_by.as_ref() == Some(name);
        let right = match kind {
            NoticeKind::Alert => looked.state == CaseState::Open || his,
            NoticeKind::Offer => looked.offer.as_ref().is_some_and(|offer| offer.to == *name),
            NoticeKind::Remind => his,
            _ => true,
        };
        if !right {
            return Err(format!("{name} is told aloud ({kind:?}) of {looked:?}"));
        }
        let (real, watch) = (self.real, &mut self.cases[case].watch);
        if kind == NoticeKind::Alert {
            watch.silent_since = real;
            watch.alerts[to] += 1;
        }
        self.tell_story(|| format!("case {case}: {kind:?} rings at {name}"));
        Ok(())
    }

    /// At any time, dead or alive.
    pub(crate) fn holds(&self) -> Result<(), String> {
        if self.cases.len() != self.opened {
            return Err(format!("{} cases were opened, {} are there", self.opened, self.cases.len()));
        }
        for Told { case, watch, consents, .. } in &self.cases {
            if case.due_at.is_none() != (case.state == CaseState::Closed) {
                return Err(format!("case {} is {:?} and due {:?}", case.id, case.state, case.due_at));
            }
            if consents.len() != usize::try_from(watch.consents).unwrap() {
                return Err(format!("case {}: a consent that nobody noted: {consents:?}", case.id));
            }
            self.is_bounded(case, watch)?;
        }
        let trusted = self.notices.iter().find(|notice| notice.delivery == Delivery::Sent && notice.arrived == 0);
        trusted.map_or(Ok(()), |notice| Err(format!("counts as sent and never arrived: {notice:?}")))
    }

    /// Rings by the policy: one a repeat while nobody has it, one a step, one whenever something else asks for it.
    fn is_bounded(&self, case: &Case, watch: &Watch) -> Result<(), String> {
        let by_time = watch.open_for.num_seconds() / (self.firm.shortest_repeat_min() * 60);
        // quiet hours end, business hours begin or end, clocks are set on: once each
        let beside = 12 + i64::from(2 * watch.passes + watch.extra) + self.jumps;
        let rings = by_time + self.firm.most_steps() + beside;
        if i64::from(case.progress.rings) > rings {
            return Err(format!("case {} rang {} times, {rings} are the most", case.id, case.progress.rings));
        }
        let most = 2 * case.progress.rings + watch.unknowns;
        match watch.alerts.iter().find(|alerts| **alerts > most) {
            Some(alerts) => Err(format!("case {}: {alerts} alerts to one person, {most} are the most", case.id)),
            None => Ok(()),
        }
    }

    /// While the service is up and has done what was due.
    pub(crate) fn is_served(&self) -> Result<(), String> {
        let (now, real) = (self.now(), self.real);
        let reachable = self.firm.people.iter().zip(&self.lines).any(|(person, line)| {
            person.name != "office" && ((person.telegram && !line.blocked) || (person.second && line.second))
        });
        for Told { case, watch, .. } in &self.cases {
            if case.due_at.is_some_and(|at| at <= now) {
                return Err(format!("case {} was due at {:?} and is not served", case.id, case.due_at));
            }
            if case.state == CaseState::Open && watch.nowhere.is_some() {
                return Err(format!("case {}: an alert arrived nowhere, and nobody else is told", case.id));
            }
            let patience = self.firm.longest() + TOLERANCE + self.firm.quiet_for;
            let since = watch.silent_since.max(self.well_since);
            if case.state == CaseState::Open && reachable && !self.telegram_down && real - since > patience {
                return Err(format!("case {}: nobody was told for {} min", case.id, (real - since).num_minutes()));
            }
            let Some(promise) = watch.promise.filter(|_| case.state == CaseState::Taken) else { continue };
            if real - promise.max(self.up_since) > self.firm.patience.grace + TOLERANCE {
                return Err(format!("case {}: taken by {:?} and forgotten", case.id, case.taken_by));
            }
        }
        let late = self
            .notices
            .iter()
            .find(|notice| notice.due_at.is_some_and(|at| at <= now) || notice.second_at.is_some_and(|at| at <= now));
        late.map_or(Ok(()), |notice| Err(format!("not served: {notice:?}")))
    }

    /// After all faults are over and everything is done: what the phones show is what is true.
    pub(crate) fn phones_are_right(&self) -> Result<(), String> {
        for notice in &self.notices {
            let case = &self.cases[notice.case].case;
            let right = notice.shows.as_ref().is_none_or(|(state, by)| *state == case.state && *by == case.taken_by);
            if !right && !self.frozen(notice) {
                return Err(format!("the phone shows {:?} of {case:?}", notice.shows));
            }
        }
        Ok(())
    }

    /// A message that could not be changed twelve times, or on a phone that is blocked, stays as it is until the case changes.
    fn frozen(&self, notice: &Notice) -> bool {
        self.flaw != Flaw::None || (notice.due_at.is_none() && self.ever_blocked[notice.to])
    }
}
