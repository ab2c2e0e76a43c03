//! Who is told when, until somebody takes the case: a pure state machine over a written policy.
//!
//! A policy is a list of steps. A step begins so many minutes after the escalation began, tells its recipients and
//! repeats until the next step begins; the last step repeats for ever. So something is always due while a case is open.
//! After an outage everything overdue collapses into one ring. Within quiet hours a ring is silent, and at their end it is
//! rung again, loudly.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

/// One step of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Minutes after the escalation began.
    pub after_min: u32,
    /// "duty", "backup", "everyone", "office", `last_resort` or a technician's name.
    pub tell: Vec<String>,
    /// Minutes between repeats while this step lasts; none = once.
    pub repeat_every_min: Option<u32>,
}

/// When a policy rings silently: spans `[from, until)` of local time; one may cross midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quiet {
    /// The firm's time zone.
    pub zone: Tz,
    /// The spans.
    pub spans: Vec<(NaiveTime, NaiveTime)>,
}

impl Quiet {
    /// Never.
    #[must_use]
    pub fn never() -> Self {
        Self { zone: Tz::UTC, spans: Vec::new() }
    }

    /// Whether this instant is quiet.
    #[must_use]
    pub fn holds(&self, at: DateTime<Utc>) -> bool {
        !self.spans.is_empty() && self.holds_local(at.with_timezone(&self.zone).time())
    }

    fn holds_local(&self, time: NaiveTime) -> bool {
        self.spans.iter().any(
            |&(from, until)| {
                if from < until { (from..until).contains(&time) } else { time >= from || time < until }
            },
        )
    }

    fn never_ends(&self) -> bool {
        let minute = |minute: u32| NaiveTime::from_num_seconds_from_midnight_opt(minute * 60, 0);
        (0..24 * 60).filter_map(minute).all(|time| self.holds_local(time))
    }

    /// The first minute after `at` that is not quiet.
    fn ends_after(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let whole = at - TimeDelta::milliseconds(at.timestamp_millis().rem_euclid(60_000));
        // two days: the switch of the clocks lies within
        (1..=2 * 24 * 60)
            .map(|count| whole + minutes(count))
            .find(|then| !self.holds(*then))
            .unwrap_or(whole + minutes(1))
    }
}

/// A policy, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    steps: Vec<Step>,
    quiet: Quiet,
    /// How long an alert may stand unanswered before its recipient's other ways begin.
    pub second_after: TimeDelta,
}

/// Why a policy is refused: it could end without a human.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// No step at all.
    #[error("it has no step: nobody would ever be told")]
    Empty,
    /// The first step does not begin at once.
    #[error("its first step begins after {0} min: set `after_min = 0`")]
    LateStart(u32),
    /// Steps out of order.
    #[error("step {0} does not begin later than the one before it")]
    Order(usize),
    /// A step that tells nobody.
    #[error("step {0} tells nobody: name somebody in `tell`")]
    Nobody(usize),
    /// A repeat of zero minutes.
    #[error("step {0} repeats every 0 min: use at least 1")]
    Frantic(usize),
    /// The last step does not repeat.
    #[error("its last step does not repeat: set `repeat_every_min`, or the case would be forgotten")]
    Ends,
    /// Quiet hours without an end.
    #[error("its quiet hours never end: leave some part of the day out, or nobody would ever be woken")]
    Mute,
}

/// How far an escalation is. Stored with the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// When the escalation began (moved back by "Weitergeben").
    pub began_at: DateTime<Utc>,
    /// Steps begun so far.
    pub steps_begun: usize,
    /// Rings so far.
    pub rings: u32,
}

impl Progress {
    /// An escalation that begins at `now`.
    #[must_use]
    pub fn start(now: DateTime<Utc>) -> Self {
        Self { began_at: now, steps_begun: 0, rings: 0 }
    }
}

/// What to do now, and when to look again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// Whom to tell, as the policy names them, without doubles.
    pub tell: Vec<String>,
    /// The progress after it.
    pub progress: Progress,
    /// Whether it makes a sound.
    pub loud: bool,
    /// When something is due again: always after `now`.
    pub next_at: DateTime<Utc>,
}

impl Policy {
    /// A policy of these steps.
    ///
    /// # Errors
    /// Where it could end without a human.
    pub fn new(steps: Vec<Step>) -> Result<Self, PolicyError> {
        let first = steps.first().ok_or(PolicyError::Empty)?;
        if first.after_min != 0 {
            return Err(PolicyError::LateStart(first.after_min));
        }
        for (index, step) in steps.iter().enumerate() {
            if index > 0 && steps[index - 1].after_min >= step.after_min {
                return Err(PolicyError::Order(index + 1));
            }
            if step.tell.is_empty() {
                return Err(PolicyError::Nobody(index + 1));
            }
            if step.repeat_every_min == Some(0) {
                return Err(PolicyError::Frantic(index + 1));
            }
        }
        if steps.last().is_some_and(|step| step.repeat_every_min.is_none()) {
            return Err(PolicyError::Ends);
        }
        Ok(Self { steps, quiet: Quiet::never(), second_after: TimeDelta::zero() })
    }

    /// The same with quiet hours.
    ///
    /// # Errors
    /// Where they never end.
    pub fn quiet(self, quiet: Quiet) -> Result<Self, PolicyError> {
        if quiet.never_ends() { Err(PolicyError::Mute) } else { Ok(Self { quiet, ..self }) }
    }

    /// The same, with so long until a recipient's other ways begin.
    #[must_use]
    pub fn second_after(self, second_after: TimeDelta) -> Self {
        Self { second_after, ..self }
    }

    /// Its steps.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The ring that is due at `now`. Call only when due.
    #[must_use]
    pub fn ring(&self, progress: Progress, now: DateTime<Utc>) -> Ring {
        let running = self.begun_by(progress.began_at, now).max(progress.steps_begun).max(1).min(self.steps.len());
        let first_new = progress.steps_begun.min(running - 1);
        let mut tell: Vec<String> = Vec::new();
        for name in self.steps[first_new..running].iter().flat_map(|step| &step.tell) {
            if !tell.contains(name) {
                tell.push(name.clone());
            }
        }
        let after =
            Progress { began_at: progress.began_at, steps_begun: running, rings: progress.rings.saturating_add(1) };
        let next_at = self.next_at(after, now);
        if self.quiet.holds(now) {
            return Ring { tell, progress: after, loud: false, next_at: next_at.min(self.quiet.ends_after(now)) };
        }
        Ring { tell, progress: after, loud: true, next_at }
    }

    /// "Weitergeben": the escalation as if the next step began now. In the last step: rings it again now.
    #[must_use]
    pub fn passed_on(&self, progress: Progress, now: DateTime<Utc>) -> Progress {
        let next = progress.steps_begun.min(self.steps.len() - 1);
        Progress { began_at: now - minutes(self.steps[next].after_min), steps_begun: next, rings: progress.rings }
    }

    fn begun_by(&self, began_at: DateTime<Utc>, now: DateTime<Utc>) -> usize {
        self.steps.iter().take_while(|step| began_at + minutes(step.after_min) <= now).count()
    }

    fn next_at(&self, progress: Progress, now: DateTime<Utc>) -> DateTime<Utc> {
        let running = &self.steps[progress.steps_begun - 1];
        let repeat = running.repeat_every_min.map(|every| now + minutes(every));
        let step = self.steps.get(progress.steps_begun).map(|next| progress.began_at + minutes(next.after_min));
        let soonest = repeat.into_iter().chain(step).min();
        // A checked policy always has one of both; a minute is the safe answer if it had not.
        soonest.unwrap_or(now + minutes(1)).max(now + TimeDelta::seconds(1))
    }
}

fn minutes(count: u32) -> TimeDelta {
    TimeDelta::minutes(i64::from(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn step(after_min: u32, tell: &str, repeat: Option<u32>) -> Step {
        Step { after_min, tell: vec![tell.into()], repeat_every_min: repeat }
    }

    fn policy() -> Policy {
        Policy::new(vec![step(0, "duty", Some(5)), step(12, "everyone", Some(10))]).unwrap()
    }

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minute)
    }

    #[test]
    fn duty_is_rung_again_until_everyone_is_told() {
        let policy = policy();
        let mut progress = Progress::start(at(0));
        let mut told = Vec::new();
        let mut now = at(0);
        for _ in 0..5 {
            let ring = policy.ring(progress, now);
            told.push(((now - at(0)).num_minutes(), ring.tell.join("+")));
            progress = ring.progress;
            now = ring.next_at;
        }
        let expected = [(0, "duty"), (5, "duty"), (10, "duty"), (12, "everyone"), (22, "everyone")];
        assert_eq!(told, expected.map(|(minute, who)| (minute, who.to_owned())));
    }

    #[test]
    fn after_an_outage_one_ring_tells_all_that_were_overdue() {
        let ring = policy().ring(Progress::start(at(0)), at(600));
        assert_eq!(ring.tell, ["duty", "everyone"]);
        assert_eq!(ring.next_at, at(610));
    }

    #[test]
    fn passing_on_begins_the_next_step_at_once() {
        let policy = policy();
        let progress = policy.ring(Progress::start(at(0)), at(0)).progress;
        let ring = policy.ring(policy.passed_on(progress, at(1)), at(1));
        assert_eq!(ring.tell, ["everyone"]);
        let again = policy.ring(policy.passed_on(ring.progress, at(2)), at(2));
        assert_eq!(again.tell, ["everyone"]);
    }

    #[test]
    fn a_policy_that_can_end_without_a_human_is_refused() {
        assert_eq!(Policy::new(vec![]), Err(PolicyError::Empty));
        assert_eq!(Policy::new(vec![step(0, "duty", None)]), Err(PolicyError::Ends));
        assert_eq!(Policy::new(vec![step(3, "duty", Some(5))]), Err(PolicyError::LateStart(3)));
        assert_eq!(Policy::new(vec![step(0, "duty", None), step(0, "duty", Some(1))]), Err(PolicyError::Order(2)));
    }

    #[test]
    fn in_quiet_hours_it_rings_silently_and_at_their_end_aloud() {
        let berlin = chrono_tz::Europe::Berlin;
        let time = |hour, minute| NaiveTime::from_hms_opt(hour, minute, 0).unwrap();
        let quiet = Quiet { zone: berlin, spans: vec![(time(23, 0), time(6, 30))] };
        let policy = policy().quiet(quiet).unwrap();
        let night: DateTime<Utc> = "2026-11-21T03:00:00Z".parse().unwrap();
        let silent = policy.ring(Progress::start(night), night);
        assert!(!silent.loud);
        let late: DateTime<Utc> = "2026-11-21T05:26:00Z".parse().unwrap();
        let last = policy.ring(Progress { began_at: night, steps_begun: 2, rings: 9 }, late);
        assert_eq!((last.loud, last.next_at), (false, "2026-11-21T05:30:00Z".parse().unwrap()));
        assert!(policy.ring(last.progress, last.next_at).loud);
        let always = Quiet { zone: berlin, spans: vec![(time(6, 0), time(20, 0)), (time(20, 0), time(6, 0))] };
        assert_eq!(policy.clone().quiet(always), Err(PolicyError::Mute));
    }

    proptest! {
        #[test]
        fn while_open_something_is_always_due_and_somebody_is_told(
            gaps in prop::collection::vec((1u32..30, prop::option::of(1u32..20)), 0..4),
            last in 1u32..30,
            delays in prop::collection::vec((0i64..400, prop::bool::ANY), 1..40),
        ) {
            let mut steps = Vec::new();
            let mut after = 0;
            for (index, (gap, repeat)) in gaps.iter().enumerate() {
                steps.push(step(after, &format!("step{index}"), *repeat));
                after += gap;
            }
            steps.push(step(after, "last", Some(last)));
            let longest = steps.windows(2).map(|pair| pair[1].after_min - pair[0].after_min).chain([last]).max().unwrap();
            let policy = Policy::new(steps).unwrap();
            let mut progress = Progress::start(at(0));
            let mut now = at(0);
            for (late, pass) in delays {
                if pass {
                    progress = policy.passed_on(progress, now);
                }
                let ring = policy.ring(progress, now);
                prop_assert!(!ring.tell.is_empty());
                prop_assert!(ring.next_at > now);
                prop_assert!(ring.next_at <= now + minutes(longest));
                prop_assert!(ring.progress.steps_begun >= progress.steps_begun);
                progress = ring.progress;
                now = ring.next_at + TimeDelta::seconds(late);
            }
        }
    }
}
