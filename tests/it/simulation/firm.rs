//! The firms of the nights: real settings, three kinds.

use chrono::{DateTime, TimeDelta, Utc};
use nachtwache::config::{Asked, Settings};
use nachtwache::domain::assessment::Verdict;
use nachtwache::domain::escalation::Policy;
use nachtwache::domain::hours::BusinessHours;
use nachtwache::domain::life::Patience;
use nachtwache::domain::roster::Plan;

const CHANNEL: &str =
    "[[channels]]\nkind = \"webhook\"\nname = \"push\"\nurl = \"http://127.0.0.1:9/\"\nbody = '{\"t\":\"{text}\"}'\n";

/// A rotation with rules, the policies as delivered.
const BIG: &str = r#"
[[technicians]]
name = "Anna"
telegram_chat = 1
channels = ["push"]
[[technicians]]
name = "Bernd"
telegram_chat = 2
[[technicians]]
name = "Clara"
telegram_chat = 3
channels = ["push"]
[[technicians]]
name = "Dora"
channels = ["push"]
[office]
telegram_chat = -5
[[roster.rotations]]
technicians = ["Anna", "Bernd", "Clara"]
begins = "2026-09-06 02:30"
days = 7
[[roster.weekly]]
technician = "Dora"
weekdays = ["holiday"]
"#;

/// Two people, short quiet hours for what is unclear.
const QUIET: &str = r#"
[[technicians]]
name = "Anna"
telegram_chat = 1
channels = ["push"]
[[technicians]]
name = "Bernd"
telegram_chat = 2
[[escalation.policies]]
verdicts = ["unclear"]
quiet = ["23:30-23:50", "02:10-02:40"]
steps = [{ after_min = 0, tell = ["duty"], repeat_every_min = 4 }, { after_min = 9, tell = ["everyone"], repeat_every_min = 8 }]
[[escalation.policies]]
verdicts = ["confirmed", "incomplete"]
steps = [{ after_min = 0, tell = ["duty"] }, { after_min = 3, tell = ["backup"] }, { after_min = 6, tell = ["everyone"], repeat_every_min = 5 }]
"#;

/// A plan with gaps, a written last resort, policies by line and hour, people who take their time.
const GAPS: &str = r#"
[[technicians]]
name = "Anna"
telegram_chat = 1
[[technicians]]
name = "Bernd"
telegram_chat = 2
channels = ["push"]
[[technicians]]
name = "Clara"
telegram_chat = 3
[office]
telegram_chat = -5
channels = ["push"]
[roster]
last_resort = ["Clara", "office"]
[[roster.weekly]]
technician = "Anna"
weekdays = ["mon", "wed", "sat"]
from = "18:00"
until = "02:30"
[[roster.weekly]]
technician = "Bernd"
weekdays = ["sun", "thu"]
from = "03:00"
until = "08:00"
[escalation]
eta_min = 20
resume_after_min = 5
offer_min = 3
unclosed_after_h = 2
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
lines = ["200"]
steps = [{ after_min = 0, tell = ["office"] }, { after_min = 4, tell = ["everyone", "office"], repeat_every_min = 6 }]
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
hours = "inside"
steps = [{ after_min = 0, tell = ["office"], repeat_every_min = 10 }, { after_min = 20, tell = ["everyone"], repeat_every_min = 10 }]
[[escalation.policies]]
verdicts = ["confirmed", "incomplete", "unclear"]
hours = "outside"
steps = [{ after_min = 0, tell = ["duty"], repeat_every_min = 3 }, { after_min = 10, tell = ["backup", "last_resort"], repeat_every_min = 7 }, { after_min = 15, tell = ["everyone"], repeat_every_min = 9 }]
"#;

/// Somebody who can be told; the office is one, too.
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) telegram: bool,
    pub(crate) second: bool,
}

/// A firm as its settings say.
pub(crate) struct Firm {
    pub(crate) people: Vec<Person>,
    pub(crate) plan: Plan,
    pub(crate) patience: Patience,
    /// Quiet hours of a night, all in all.
    pub(crate) quiet_for: TimeDelta,
    hours: BusinessHours,
    policies: Vec<((Verdict, bool, &'static str), Policy)>,
}

pub(crate) const VERDICTS: [Verdict; 3] = [Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear];
pub(crate) const LINES: [&str; 2] = ["100", "200"];

impl Firm {
    pub(crate) fn all() -> Vec<Self> {
        [BIG, QUIET, GAPS].map(Self::of).into()
    }

    fn of(text: &str) -> Self {
        let settings = Settings::parse(&format!("{text}\n{CHANNEL}")).unwrap();
        let hours = settings.business_hours();
        let mut policies = Vec::new();
        for verdict in VERDICTS {
            for outside in [true, false] {
                for line in LINES {
                    let asked = Asked { verdict, outside, line: Some(line) };
                    let policy = settings.escalation.policy(&asked, hours.zone).unwrap();
                    policies.push(((verdict, outside, line), policy));
                }
            }
        }
        let person = |name: &str, telegram, channels: &[String]| Person {
            name: name.to_owned(),
            telegram,
            second: !channels.is_empty(),
        };
        let mut people: Vec<Person> = settings
            .technicians
            .iter()
            .map(|one| person(&one.name, one.telegram_chat.is_some(), &one.channels))
            .collect();
        people.extend(settings.office.iter().map(|office| person("office", true, &office.channels)));
        let (plan, patience) = (settings.plan(&[], Vec::new()), settings.escalation.patience());
        let quiet_for = TimeDelta::minutes(if text.contains("quiet") { 60 } else { 0 });
        Self { people, plan, patience, quiet_for, hours, policies }
    }

    fn all_policies(&self) -> impl Iterator<Item = &Policy> {
        self.policies.iter().map(|(_, policy)| policy)
    }

    /// The longest that an open case may be silent by any of its policies.
    pub(crate) fn longest(&self) -> TimeDelta {
        self.all_policies().map(longest).max().expect("a firm has policies")
    }

    pub(crate) fn shortest_repeat_min(&self) -> i64 {
        let all = self.all_policies().flat_map(Policy::steps).filter_map(|step| step.repeat_every_min);
        all.min().expect("the last step repeats").into()
    }

    pub(crate) fn most_steps(&self) -> i64 {
        let most = self.all_policies().map(|policy| policy.steps().len()).max();
        i64::try_from(most.expect("a firm has policies")).unwrap()
    }

    /// The policy that rules at `now`.
    pub(crate) fn policy(&self, verdict: Verdict, line: &str, now: DateTime<Utc>) -> &Policy {
        let outside = !self.hours.is_open(now);
        let found = self.policies.iter().find(|(asked, _)| *asked == (verdict, outside, line));
        &found.expect("every case has a policy").1
    }

    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        self.people.iter().position(|one| one.name == name)
    }

    /// Whom a policy's words mean, by this plan.
    pub(crate) fn recipients(&self, plan: &Plan, words: &[String], now: DateTime<Utc>) -> Vec<usize> {
        let order = plan.at(now).order;
        let behind = |words: &[String]| {
            let mut found = Vec::new();
            for word in words {
                self.meant_by(plan, &order, word, &mut found);
            }
            found
        };
        let found = behind(words);
        let found = if found.is_empty() { behind(&plan.last_resort) } else { found };
        if found.is_empty() { behind(&["everyone".into()]) } else { found }
    }

    fn meant_by(&self, plan: &Plan, order: &[String], word: &str, found: &mut Vec<usize>) {
        let office = self.index("office");
        let place = |place: usize| order.get(place).and_then(|name| self.index(name));
        let meant: Vec<usize> = match word {
            "duty" => place(0).into_iter().collect(),
            "backup" => place(1).into_iter().collect(),
            "everyone" => (0..self.people.len()).filter(|index| Some(*index) != office).collect(),
            "office" => office.or(place(0)).into_iter().collect(),
            "last_resort" => {
                for word in plan.last_resort.iter().filter(|word| *word != "last_resort") {
                    self.meant_by(plan, order, word, found);
                }
                return;
            }
            name => self.index(name).into_iter().collect(),
        };
        for one in meant {
            if !found.contains(&one) {
                found.push(one);
            }
        }
    }
}

/// Every step, and one repeat of the last.
fn longest(policy: &Policy) -> TimeDelta {
    let steps = policy.steps();
    let last = steps.last().expect("a checked policy has steps");
    TimeDelta::minutes(i64::from(last.after_min + last.repeat_every_min.expect("the last one repeats")))
}
