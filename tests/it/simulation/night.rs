//! One random night: calls, presses, faults, restarts, clocks.

use super::firm::{Firm, LINES, VERDICTS};
use super::model::{Notice, Round};
use super::oracle::Watch;
use super::{Dice, Flaw};
use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::domain::act::Act;
use nachtwache::domain::case::{Case, CaseId, CaseState, Reason};
use nachtwache::domain::notice::{Delivery, NoticeKind};
use nachtwache::domain::report::ReportId;
use nachtwache::domain::roster::{Change, ChangeKind, Plan};

/// A Saturday, both DST nights, Christmas Eve, a Sunday before a working day, New Year's Eve.
const STARTS: [&str; 6] = [
    "2026-11-21T21:14:00Z",
    "2026-10-24T22:40:00Z",
    "2027-03-27T22:40:00Z",
    "2026-12-24T16:30:00Z",
    "2026-11-23T03:30:00Z",
    "2026-12-31T21:00:00Z",
];

/// A case with what is beside it.
pub(crate) struct Told {
    pub(crate) case: Case,
    pub(crate) line: &'static str,
    pub(crate) consents: Vec<(String, bool)>,
    pub(crate) watch: Watch,
}

/// How somebody can be reached just now.
#[derive(Clone)]
pub(crate) struct Line {
    pub(crate) blocked: bool,
    pub(crate) second: bool,
}

/// What happened, so that nobody believes nights in which nothing did.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) cases: u64,
    pub(crate) rings: u64,
    pub(crate) loud: u64,
    pub(crate) other_ways: u64,
    pub(crate) lost: u64,
    pub(crate) acts: u64,
    pub(crate) refused: u64,
    pub(crate) deaths: u64,
    pub(crate) jumps: u64,
    pub(crate) changes: u64,
}

impl Seen {
    pub(crate) fn add(&mut self, other: &Self) {
        for (mine, more) in self.all().into_iter().zip([
            other.cases,
            other.rings,
            other.loud,
            other.other_ways,
            other.lost,
            other.acts,
            other.refused,
            other.deaths,
            other.jumps,
            other.changes,
        ]) {
            *mine += more;
        }
    }

    pub(crate) fn is_rich(&mut self) -> bool {
        self.all().into_iter().all(|count| *count > 0)
    }

    fn all(&mut self) -> [&mut u64; 10] {
        [
            &mut self.cases,
            &mut self.rings,
            &mut self.loud,
            &mut self.other_ways,
            &mut self.lost,
            &mut self.acts,
            &mut self.refused,
            &mut self.deaths,
            &mut self.jumps,
            &mut self.changes,
        ]
    }
}

/// The night.
pub(crate) struct Night<'a> {
    pub(crate) firm: &'a Firm,
    pub(crate) plan: Plan,
    pub(crate) dice: Dice,
    pub(crate) flaw: Flaw,
    start: DateTime<Utc>,
    /// Since the start, by a clock that is never set.
    pub(crate) real: TimeDelta,
    /// What the wall clock shows beyond that.
    offset: TimeDelta,
    /// The wall clock when the auditor looked last; durable.
    pub(crate) clock_seen: DateTime<Utc>,
    pub(crate) cases: Vec<Told>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) lines: Vec<Line>,
    pub(crate) telegram_down: bool,
    pub(crate) faulty: bool,
    up: bool,
    down_since: TimeDelta,
    /// Presses while the service is down: Telegram keeps them.
    waiting: Vec<(usize, Act, String)>,
    pub(crate) opened: usize,
    pub(crate) up_since: TimeDelta,
    pub(crate) well_since: TimeDelta,
    pub(crate) jumps: i64,
    pub(crate) ever_blocked: Vec<bool>,
    pub(crate) seen: Seen,
    story: Option<Vec<String>>,
}

type Held = Result<(), String>;

impl<'a> Night<'a> {
    pub(crate) fn new(firms: &'a [Firm], seed: u64, flaw: Flaw) -> Self {
        let mut dice = Dice::new(seed);
        let firm = dice.of(firms);
        let start: DateTime<Utc> = dice.of(&STARTS).parse().unwrap();
        let start = start + TimeDelta::seconds(dice.between(0, 3600));
        let people = firm.people.len();
        Self {
            firm,
            plan: firm.plan.clone(),
            flaw,
            start,
            real: TimeDelta::zero(),
            offset: TimeDelta::zero(),
            clock_seen: start,
            cases: Vec::new(),
            notices: Vec::new(),
            lines: vec![Line { blocked: false, second: true }; people],
            telegram_down: false,
            faulty: dice.percent(70),
            up: true,
            down_since: TimeDelta::zero(),
            waiting: Vec::new(),
            opened: 0,
            up_since: TimeDelta::zero(),
            well_since: TimeDelta::zero(),
            jumps: 0,
            ever_blocked: vec![false; people],
            seen: Seen::default(),
            story: None,
            dice,
        }
    }

    /// With its story.
    pub(crate) fn told(self) -> Self {
        Self { story: Some(Vec::new()), ..self }
    }

    pub(crate) fn story(&self) -> String {
        self.story.as_ref().map(|lines| lines.join("\n")).unwrap_or_default()
    }

    pub(crate) fn tell_story(&mut self, line: impl FnOnce() -> String) {
        let now = self.now();
        if let Some(story) = &mut self.story {
            story.push(format!("{} {}", now.format("%d. %H:%M:%S"), line()));
        }
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.start + self.real + self.offset
    }

    /// From the first call until all is closed and quiet.
    pub(crate) fn pass(&mut self) -> Held {
        self.call();
        self.settle()?;
        for _ in 0..self.dice.between(18, 42) {
            let seconds = if self.dice.percent(50) { self.dice.between(1, 90) } else { self.dice.between(60, 1200) };
            self.wait(TimeDelta::seconds(seconds))?;
            self.happens()?;
        }
        self.morning()
    }

    fn happens(&mut self) -> Held {
        self.forget_what_is_over();
        match self.dice.roll(100) {
            0..=9 if self.up && self.cases.len() < 4 => self.call(),
            0..=49 => self.somebody_presses()?,
            50..=57 => self.roster_changes(),
            58..=66 => self.weather_changes(),
            67..=70 => self.clock_jumps(),
            71..=76 => self.stops(),
            _ => {}
        }
        // who is down comes up again after a while
        if !self.up && self.dice.percent(40) {
            self.start_up()?;
        }
        self.settle()
    }

    /// Rows that nothing can change any more: only the scans get shorter.
    fn forget_what_is_over(&mut self) {
        self.notices.retain(|notice| {
            let waits = notice.due_at.is_some() || notice.second_at.is_some();
            let sent = notice.delivery == Delivery::Sent && !notice.second_way;
            waits || sent || (notice.delivery == Delivery::Sent && notice.arrived == 0)
        });
    }

    /// Everything works again; nobody answers, then somebody does; then it is quiet.
    fn morning(&mut self) -> Held {
        self.weather_is_fine();
        self.faulty = false;
        self.start_up()?;
        self.wait(self.firm.longest() + self.firm.quiet_for + TimeDelta::minutes(10))?;
        let closed = self.cases.iter().map(|told| told.case.state == CaseState::Closed).collect::<Vec<_>>();
        for (index, closed) in closed.into_iter().enumerate() {
            let somebody = self.firm.people[0].name.clone();
            let who = self.cases[index].case.taken_by.clone().unwrap_or(somebody);
            if !closed {
                self.press(index, &Act::Take, &who)?;
                self.press(index, &Act::Done, &who)?;
            }
        }
        self.settle()?;
        self.wait(TimeDelta::minutes(5))?;
        self.phones_are_right()?;
        let loud = self.seen.loud;
        self.wait(TimeDelta::hours(14))?;
        let left = self.cases.iter().find(|told| told.case.state != CaseState::Closed);
        match left {
            Some(told) => Err(format!("it cannot be closed: {:?}", told.case)),
            None if self.seen.loud != loud => Err("somebody is told aloud although all is closed".into()),
            None => Ok(()),
        }
    }

    /// Time passes, and what falls due meanwhile is done when it does.
    fn wait(&mut self, time: TimeDelta) -> Held {
        let end = self.real + time;
        while self.real < end {
            let now = self.now();
            let cases = self.cases.iter().filter_map(|told| told.case.due_at);
            let notices = self.notices.iter().flat_map(|notice| notice.due_at.into_iter().chain(notice.second_at));
            // the clocks tick in whole seconds here, the auditor looks every minute
            let due = cases.chain(notices).map(|at| (at - now).max(TimeDelta::seconds(1))).min();
            let step = due.filter(|_| self.up).unwrap_or(TimeDelta::MAX).min(end - self.real);
            self.real += step;
            for told in self.cases.iter_mut().filter(|told| told.case.state == CaseState::Open) {
                told.watch.open_for += step;
            }
            self.settle()?;
        }
        Ok(())
    }

    /// Everything that is due, unless the service is down or dies over it.
    fn settle(&mut self) -> Held {
        for _ in 0..2000 {
            if !self.up {
                return self.holds();
            }
            match self.step()? {
                Round::Worked => {}
                Round::Died => self.died(),
                Round::Idle => {
                    self.holds()?;
                    return self.is_served();
                }
            }
        }
        Err("it does not come to rest".into())
    }

    fn step(&mut self) -> Result<Round, String> {
        if self.dies() {
            return Ok(Round::Died);
        }
        self.audit();
        // planner and senders work side by side: either may be first
        if self.dice.percent(40) && self.send_one()? == Round::Worked {
            return Ok(Round::Worked);
        }
        if self.other_way() == Round::Worked {
            return Ok(Round::Worked);
        }
        match self.plan_one()? {
            Round::Idle => self.send_one(),
            worked => Ok(worked),
        }
    }

    pub(crate) fn dies(&mut self) -> bool {
        self.faulty && self.up && self.dice.roll(400) == 0
    }

    fn died(&mut self) {
        self.seen.deaths += 1;
        self.tell_story(|| "the service dies".into());
        self.up = false;
        self.down_since = self.real;
        if self.flaw == Flaw::DropsAtRestart && self.cases.len() > 1 {
            self.cases.pop();
            let left = self.cases.len();
            self.notices.retain(|notice| notice.case < left);
        }
    }

    /// What is in memory is gone, what is durable is there; presses first.
    fn start_up(&mut self) -> Held {
        if self.up {
            return Ok(());
        }
        self.tell_story(|| "the service starts".into());
        self.up = true;
        (self.up_since, self.well_since) = (self.real, self.real);
        if self.now() - self.clock_seen < self.real - self.down_since {
            // set back while nobody looked: how long that was cannot be known
            for told in &mut self.cases {
                told.watch.promise = told.watch.promise.map(|at| at + (self.real - self.down_since));
            }
        }
        if self.flaw == Flaw::TrustsTheJournal {
            for notice in self.notices.iter_mut().filter(|notice| notice.delivery == Delivery::Sending) {
                (notice.delivery, notice.due_at) = (Delivery::Sent, None);
            }
        }
        for (case, act, who) in std::mem::take(&mut self.waiting) {
            self.press(case, &act, &who)?;
        }
        self.settle()
    }

    fn stops(&mut self) {
        if self.up {
            self.died();
        }
    }

    fn call(&mut self) {
        let (now, id) = (self.now(), CaseId(1001 + i64::try_from(self.opened).unwrap()));
        let verdict = *self.dice.of(&VERDICTS);
        let case = Case::opened(id, ReportId::fresh(), verdict, false, now);
        let watch = Watch { silent_since: self.real, alerts: vec![0; self.firm.people.len()], ..Watch::default() };
        let line = *self.dice.of(&LINES);
        self.tell_story(|| format!("case {id} is opened: {verdict:?} on {line}"));
        self.cases.push(Told { case, line, consents: Vec::new(), watch });
        self.opened += 1;
        self.seen.cases += 1;
    }

    /// Any button that was ever under a message, by anybody, often twice, often two at once.
    fn somebody_presses(&mut self) -> Held {
        let case = self.dice.index(self.cases.len());
        let act = self.any_act(case);
        let keeper = self.cases[case].case.taken_by.clone();
        let asked = self.cases[case].case.offer.as_ref().map(|offer| offer.to.clone());
        let mut who = self.somebody();
        if self.dice.percent(60) {
            let accepts = matches!(act, Act::Accept | Act::Decline);
            who = if accepts { asked } else { keeper }.unwrap_or(who);
        }
        let times = if self.dice.percent(25) { 2 } else { 1 };
        for _ in 0..times {
            self.press(case, &act, &who)?;
        }
        if self.dice.percent(25) {
            let other = self.somebody();
            self.press(case, &act, &other)?;
        }
        Ok(())
    }

    fn somebody(&mut self) -> String {
        let technicians = self.firm.people.iter().filter(|person| person.name != "office").count();
        self.firm.people[self.dice.index(technicians)].name.clone()
    }

    fn any_act(&mut self, case: usize) -> Act {
        if self.cases[case].case.offer.is_some() && self.dice.percent(40) {
            return if self.dice.percent(70) { Act::Accept } else { Act::Decline };
        }
        match self.dice.roll(30) {
            0..=8 => Act::Take,
            9..=10 => {
                let begun = self.cases[case].case.progress.steps_begun;
                Act::Pass(u32::try_from(begun).unwrap() - u32::from(begun > 0 && self.dice.percent(20)))
            }
            11 => Act::NoEmergency(Reason::CanWait),
            12..=14 => Act::Eta(*self.dice.of(&[0, 1, 15, 30, 60, 720, 721])),
            15..=17 => Act::CalledBack,
            18 => Act::Consent(true),
            19 => Act::Consent(false),
            20 => Act::Done,
            21..=23 => Act::GiveBack,
            24..=26 => Act::HandOver(self.somebody()),
            27 => Act::Accept,
            28 => Act::Decline,
            _ => Act::Transcript,
        }
    }

    /// As `acknowledge::Desk::act_within`.
    fn press(&mut self, index: usize, act: &Act, who: &str) -> Held {
        if !self.up {
            self.waiting.push((index, act.clone(), who.to_owned()));
            return Ok(());
        }
        let Some(told) = self.cases.get(index) else { return Ok(()) };
        let (firm, now, before) = (self.firm, self.now(), told.case.clone());
        let careless = self.flaw == Flaw::AnybodyMay && *act == Act::Take;
        if !careless && let Err(refusal) = before.allows(act, who, now) {
            self.seen.refused += 1;
            self.tell_story(|| format!("{who} presses {act:?} on {}: {refusal:?}", before.id));
            return Ok(());
        }
        self.tell_story(|| format!("{who} presses {act:?} on {}", before.id));
        self.seen.acts += 1;
        let told = &mut self.cases[index];
        match act {
            Act::Consent(given) => told.consents.push((who.to_owned(), *given)),
            Act::Take if self.flaw == Flaw::MakesUpConsent => told.consents.push((who.to_owned(), true)),
            Act::HandOver(to) => {
                let Some(to) = firm.index(to).filter(|to| firm.people[*to].telegram) else { return Ok(()) };
                self.tell(index, to, NoticeKind::Offer, true, TimeDelta::zero());
            }
            _ => {}
        }
        if !act.only_shows() {
            let told = &mut self.cases[index];
            let policy = firm.policy(told.case.policy_verdict(), told.line, now);
            told.case.act(act, who, now, policy, &firm.patience);
            self.acted(index, &before, act, who)?;
            self.answered(index);
            self.refresh(index);
        }
        self.holds()
    }

    /// While a message is under way somebody may press.
    pub(crate) fn meanwhile(&mut self) -> Held {
        if self.dice.percent(6) { self.somebody_presses() } else { Ok(()) }
    }

    fn roster_changes(&mut self) {
        let (now, technician) = (self.now(), self.somebody());
        let replaces = if self.dice.percent(50) { Some(self.somebody()) } else { None };
        let kind = if self.dice.percent(50) { ChangeKind::Absence } else { ChangeKind::Override { replaces } };
        let from = now + TimeDelta::minutes(self.dice.between(-30, 60));
        let until = from + TimeDelta::minutes(self.dice.between(5, 300));
        self.tell_story(|| format!("{technician}: {kind:?} {from} - {until}"));
        self.plan.changes.push(Change { kind, technician, from, until });
        self.seen.changes += 1;
    }

    fn weather_changes(&mut self) {
        self.well_since = self.real;
        match self.dice.roll(6) {
            0 => {
                self.telegram_down = true;
                self.ever_blocked.fill(true);
            }
            1 => {
                let who = self.dice.index(self.lines.len());
                (self.lines[who].blocked, self.ever_blocked[who]) = (true, true);
            }
            2 => {
                let who = self.dice.index(self.lines.len());
                self.lines[who].second = false;
            }
            3 if self.dice.percent(40) => {
                self.lines.fill(Line { blocked: true, second: false });
                self.ever_blocked.fill(true);
            }
            _ => self.weather_is_fine(),
        }
        let lines: Vec<_> = self.lines.iter().map(|line| (line.blocked, line.second)).collect();
        let down = self.telegram_down;
        self.tell_story(|| format!("down: {down}, (blocked, second way): {lines:?}"));
    }

    fn weather_is_fine(&mut self) {
        self.well_since = self.real;
        self.telegram_down = false;
        self.lines.fill(Line { blocked: false, second: true });
    }

    fn clock_jumps(&mut self) {
        let seconds = match self.dice.roll(4) {
            0 => 7200,
            1 => -7200,
            2 => self.dice.between(-30_000, 30_000),
            _ => self.dice.between(-59, 59),
        };
        self.offset += TimeDelta::seconds(seconds);
        self.jumps += 1;
        self.seen.jumps += 1;
        self.tell_story(|| format!("the clock was set by {seconds} s"));
    }
}
