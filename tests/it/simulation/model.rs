//! The durable part, modelled after `escalate::{plan, ways, send, audit}`: each function is one transaction, and the service
//! may die between any two.

use super::Flaw;
use super::night::Night;
use super::oracle;
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::domain::case::{Case, CaseState};
use nachtwache::domain::life::Due;
use nachtwache::domain::notice::{Delivery, NoticeKind};

/// How long a step that died keeps its row.
const LEASE: TimeDelta = TimeDelta::minutes(2);
/// A notice that does not get out for so long begins its recipient's other way.
const STUCK: TimeDelta = TimeDelta::seconds(60);

/// One row: a message to one person by one way.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) case: usize,
    pub(crate) to: usize,
    pub(crate) second_way: bool,
    pub(crate) kind: NoticeKind,
    pub(crate) loud: bool,
    pub(crate) delivery: Delivery,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) due_at: Option<DateTime<Utc>>,
    pub(crate) second_at: Option<DateTime<Utc>>,
    pub(crate) attempt: u32,
    pub(crate) version: u32,
    pub(crate) repeated: bool,
    /// How often it came onto the phone, whatever we know of that.
    pub(crate) arrived: u32,
    /// What the phone shows of the case.
    pub(crate) shows: Option<(CaseState, Option<String>)>,
}

/// What came of a try.
enum Answer {
    Ok,
    Wait(i64),
    Again,
    Unknown,
    Lost,
}

/// What one round did.
#[derive(PartialEq, Eq)]
pub(crate) enum Round {
    Idle,
    Worked,
    Died,
}

impl Night<'_> {
    /// The auditor: a clock that was set back.
    pub(crate) fn audit(&mut self) {
        let now = self.now();
        let by = self.clock_seen - now;
        self.clock_seen = now;
        if by < TimeDelta::minutes(1) || self.flaw == Flaw::SetBackUnseen {
            return;
        }
        for told in &mut self.cases {
            told.case.set_back(by, now, &self.firm.patience);
            told.watch.extra += 1;
        }
        for notice in &mut self.notices {
            notice.due_at = notice.due_at.map(|at| at.min(now));
            notice.second_at = notice.second_at.map(|at| at.min(now));
        }
    }

    /// One case that is due.
    pub(crate) fn plan_one(&mut self) -> Result<Round, String> {
        let (firm, now) = (self.firm, self.now());
        let due = |case: &Case| case.due_at.filter(|at| *at <= now);
        let first = (0..self.cases.len()).filter(|index| due(&self.cases[*index].case).is_some());
        let Some(index) = first.min_by_key(|index| due(&self.cases[*index].case)) else { return Ok(Round::Idle) };
        let told = &mut self.cases[index];
        let before = told.case.clone();
        let policy = firm.policy(before.policy_verdict(), told.line, now);
        let dues = told.case.wake(now, policy, &firm.patience);
        match self.flaw {
            Flaw::PolicyStops if told.case.progress.rings >= 3 => told.case.due_at = None,
            Flaw::StandsStill => told.case.due_at = before.due_at,
            Flaw::ComesLate => told.case.due_at = told.case.due_at.map(|at| at + TimeDelta::hours(3)),
            Flaw::TakenIsKept if before.state == CaseState::Taken => {
                told.case = Case { due_at: Some(now + TimeDelta::hours(20)), ..before.clone() };
                return Ok(Round::Worked);
            }
            _ => {}
        }
        oracle::woken(told, &before, &dues, now, self.real)?;
        let after = told.case.clone();
        self.tell_story(|| format!("case {}: {dues:?}", after.id));
        for one in &dues {
            self.one(index, one, policy.second_after);
        }
        if after.state != before.state || after.offer != before.offer {
            self.refresh(index);
        }
        Ok(Round::Worked)
    }

    fn one(&mut self, case: usize, due: &Due, second_after: TimeDelta) {
        let (firm, now) = (self.firm, self.now());
        match due {
            Due::Ring(ring) => {
                self.seen.rings += 1;
                for to in firm.recipients(&self.plan, &ring.tell, now) {
                    for _ in 0..if self.flaw == Flaw::RingsThrice { 3 } else { 1 } {
                        self.tell(case, to, NoticeKind::Alert, ring.loud, second_after);
                    }
                }
            }
            Due::Remind(who) => self.tell_named(case, who, NoticeKind::Remind, true, second_after),
            Due::Unclosed(who) => self.tell_named(case, who, NoticeKind::Question, false, second_after),
            Due::Lapsed { keeper, .. } => self.tell_named(case, keeper, NoticeKind::Message, true, second_after),
            Due::Resumed(_) => {}
        }
    }

    fn tell_named(&mut self, case: usize, who: &str, kind: NoticeKind, loud: bool, second_after: TimeDelta) {
        if let Some(to) = self.firm.index(who) {
            self.tell(case, to, kind, loud, second_after);
        }
    }

    /// A notice to somebody, as `escalate::ways`.
    pub(crate) fn tell(&mut self, case: usize, to: usize, kind: NoticeKind, loud: bool, second_after: TimeDelta) {
        let (person, now) = (&self.firm.people[to], self.now());
        let second_way = !person.telegram;
        if second_way && !loud {
            return;
        }
        let mut second_at = (!second_way && loud && person.second).then_some(now + second_after);
        if kind == NoticeKind::Alert && self.flaw != Flaw::RingsThrice {
            let earlier = self.supersede(case, to, second_way);
            second_at = second_at.map(|at| earlier.map_or(at, |earlier| earlier.min(at)));
        }
        self.plan_notice(case, to, second_way, kind, loud, second_at);
    }

    fn supersede(&mut self, case: usize, to: usize, second_way: bool) -> Option<DateTime<Utc>> {
        let mut earlier: Option<DateTime<Utc>> = None;
        for notice in &mut self.notices {
            let same = (notice.case, notice.to, notice.second_way) == (case, to, second_way);
            if same && notice.kind == NoticeKind::Alert && notice.delivery == Delivery::Due {
                (notice.delivery, notice.due_at) = (Delivery::Gone, None);
                earlier = notice.second_at.take().into_iter().chain(earlier).min();
            }
        }
        earlier
    }

    fn plan_notice(
        &mut self,
        case: usize,
        to: usize,
        second_way: bool,
        kind: NoticeKind,
        loud: bool,
        second_at: Option<DateTime<Utc>>,
    ) {
        let now = self.now();
        self.notices.push(Notice {
            case,
            to,
            second_way,
            kind,
            loud,
            delivery: Delivery::Due,
            created_at: now,
            due_at: Some(now),
            second_at,
            attempt: 0,
            version: 0,
            repeated: false,
            arrived: 0,
            shows: None,
        });
    }

    /// A notice that nobody answered goes the other way.
    pub(crate) fn other_way(&mut self) -> Round {
        let now = self.now();
        let unanswered = self.notices.iter().position(|notice| notice.second_at.is_some_and(|at| at <= now));
        let Some(index) = unanswered.filter(|_| self.flaw != Flaw::OneWayOnly) else { return Round::Idle };
        self.notices[index].second_at = None;
        let (case, to, kind) = (self.notices[index].case, self.notices[index].to, self.notices[index].kind);
        if kind == NoticeKind::Alert {
            self.supersede(case, to, true);
        }
        self.plan_notice(case, to, true, kind, true, None);
        self.seen.other_ways += 1;
        Round::Worked
    }

    /// One notice that is due, loud ones first: look again, journal, send, write down what came of it.
    pub(crate) fn send_one(&mut self) -> Result<Round, String> {
        let now = self.now();
        let due = self.notices.iter().enumerate().filter(|(_, notice)| notice.due_at.is_some_and(|at| at <= now));
        let Some((index, _)) = due.min_by_key(|(_, notice)| (!notice.loud, notice.due_at)) else {
            return Ok(Round::Idle);
        };
        self.notices[index].attempt += 1;
        if self.notices[index].shows.is_some() {
            self.edit(index);
            return Ok(Round::Worked);
        }
        let notice = self.notices[index].clone();
        let looked = self.cases[notice.case].case.clone();
        if !self.is_wanted(&notice, &looked) {
            let notice = &mut self.notices[index];
            (notice.delivery, notice.due_at, notice.second_at) = (Delivery::Gone, None, None);
            return Ok(Round::Worked);
        }
        self.notices[index].repeated |= notice.delivery == Delivery::Sending;
        self.notices[index].delivery = Delivery::Sending;
        if self.dies() {
            self.notices[index].due_at = Some(now + LEASE);
            return Ok(Round::Died);
        }
        self.meanwhile()?;
        let (answer, arrives) = self.network(&notice);
        if arrives {
            self.notices[index].arrived += 1;
            self.arrived(index, &looked)?;
        }
        if self.dies() {
            self.cases[notice.case].watch.unknowns += 1;
            self.notices[index].due_at = Some(now + LEASE);
            return Ok(Round::Died);
        }
        self.meanwhile()?;
        self.tried(index, &notice, &looked, &answer);
        Ok(Round::Worked)
    }

    fn tried(&mut self, index: usize, before: &Notice, looked: &Case, answer: &Answer) {
        let now = self.now();
        let stuck = if matches!(answer, Answer::Lost) { now } else { before.created_at + STUCK };
        let notice = &mut self.notices[index];
        let changed = notice.version != before.version;
        let later = now + backoff(notice.attempt);
        let (delivery, due_at) = match answer {
            Answer::Ok => (Delivery::Sent, None),
            Answer::Wait(seconds) => (Delivery::Due, Some(now + TimeDelta::seconds(*seconds))),
            Answer::Again => (Delivery::Due, Some(later)),
            Answer::Unknown => (Delivery::Sending, Some(later)),
            Answer::Lost => (Delivery::Failed, None),
        };
        notice.delivery = delivery;
        notice.due_at = if changed && delivery != Delivery::Failed { Some(now) } else { due_at };
        if matches!(answer, Answer::Ok) {
            notice.attempt = 0;
            notice.shows = (!notice.second_way).then(|| (looked.state, looked.taken_by.clone()));
            if notice.second_way {
                notice.due_at = None;
            }
        } else {
            notice.second_at = notice.second_at.map(|at| at.min(stuck));
        }
        match answer {
            Answer::Unknown => self.cases[before.case].watch.unknowns += 1,
            Answer::Lost => self.next_one_now(before),
            _ => {}
        }
    }

    /// Whoever cannot be reached is not waited for.
    fn next_one_now(&mut self, notice: &Notice) {
        self.seen.lost += 1;
        let (firm, now) = (self.firm, self.now());
        let told = &mut self.cases[notice.case];
        if notice.kind != NoticeKind::Alert || told.case.state != CaseState::Open {
            return;
        }
        let policy = firm.policy(told.case.policy_verdict(), told.line, now);
        if told.case.progress.steps_begun >= policy.steps().len() {
            return;
        }
        told.watch.nowhere = Some(told.case.progress.steps_begun);
        told.watch.passes += 1;
        if self.flaw != Flaw::WaitsForTheLost {
            told.case.progress = policy.passed_on(told.case.progress, now);
            told.case.ring_now(now);
        }
    }

    fn edit(&mut self, index: usize) {
        let (answer, _) = self.network(&self.notices[index].clone());
        let now = self.now();
        let case = &self.cases[self.notices[index].case].case;
        let notice = &mut self.notices[index];
        let later = now + backoff(notice.attempt);
        notice.due_at = match answer {
            Answer::Ok => {
                notice.shows = Some((case.state, case.taken_by.clone()));
                None
            }
            Answer::Wait(seconds) => Some(now + TimeDelta::seconds(seconds)),
            Answer::Again | Answer::Unknown if notice.attempt < 12 => Some(later),
            _ => None,
        };
        if notice.due_at.is_none() {
            notice.attempt = 0;
        }
    }

    /// Whether it is still true, as `escalate::face`.
    fn is_wanted(&self, notice: &Notice, case: &Case) -> bool {
        let name = &self.firm.people[notice.to].name;
        let his = case.state == CaseState::Taken && case.taken_by.as_ref() == Some(name);
        match notice.kind {
            _ if self.flaw == Flaw::LooksNotAgain => true,
            NoticeKind::Alert => case.state == CaseState::Open || his,
            NoticeKind::Remind => his && case.called_back_at.is_none() && case.reminded_at.is_some(),
            NoticeKind::Question => his && case.called_back_at.is_some() && case.reminded_at.is_some(),
            NoticeKind::Offer => {
                case.state == CaseState::Taken && case.offer.as_ref().is_some_and(|one| one.to == *name)
            }
            _ => true,
        }
    }

    /// What the network makes of a call, and whether the message comes through.
    fn network(&mut self, notice: &Notice) -> (Answer, bool) {
        let line = &self.lines[notice.to];
        if notice.second_way {
            return match (line.second, self.dice.roll(2)) {
                (true, _) => (Answer::Ok, true),
                (false, 0) => (Answer::Lost, false),
                (false, _) => (Answer::Again, false),
            };
        }
        if line.blocked {
            return (Answer::Lost, false);
        }
        if self.telegram_down {
            return (if self.dice.percent(50) { Answer::Again } else { Answer::Unknown }, false);
        }
        match self.dice.roll(100) * u64::from(self.faulty) {
            92.. => (Answer::Wait(self.dice.between(1, 40)), false),
            87.. => (Answer::Again, false),
            84.. => (Answer::Unknown, true),
            81.. => (Answer::Unknown, false),
            _ => (Answer::Ok, true),
        }
    }

    /// Everything on the phones about this case is looked at again.
    pub(crate) fn refresh(&mut self, case: usize) {
        let now = self.now();
        let is = &self.cases[case].case;
        for notice in self.notices.iter_mut().filter(|notice| notice.case == case && !notice.second_way) {
            let right = |(state, by): &(CaseState, Option<String>)| *state == is.state && *by == is.taken_by;
            if notice.shows.as_ref().is_some_and(right) {
                // equal faces need no edit
                continue;
            }
            if matches!(notice.delivery, Delivery::Due | Delivery::Sending | Delivery::Sent) {
                notice.version += 1;
                if notice.delivery == Delivery::Sent && notice.due_at.is_none() {
                    notice.due_at = Some(now);
                }
            }
        }
    }

    /// Somebody answered: no other way begins.
    pub(crate) fn answered(&mut self, case: usize) {
        for notice in self.notices.iter_mut().filter(|notice| notice.case == case) {
            notice.second_at = None;
        }
    }
}

fn backoff(attempt: u32) -> TimeDelta {
    TimeDelta::seconds((1i64 << attempt.saturating_sub(1).min(6)).min(60))
}
