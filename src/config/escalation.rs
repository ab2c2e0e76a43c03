//! Who is told when, as data.

use crate::domain::assessment::Verdict;
use crate::domain::escalation::{Policy, PolicyError, Quiet, Step};
use crate::domain::life::Patience;
use chrono::{DateTime, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::Deserialize;

/// Inside or outside business hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inside {
    /// While the firm is open.
    Inside,
    /// Nights, weekends, holidays.
    Outside,
}

/// One policy: for which verdicts, when, and its steps.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicyRow {
    /// For which verdicts.
    pub verdicts: Vec<Verdict>,
    /// Inside or outside business hours; none = both.
    pub hours: Option<Inside>,
    /// Only for messages on these lines (mailboxes); none = all.
    #[serde(default)]
    pub lines: Vec<String>,
    /// Who is told when.
    pub steps: Vec<Step>,
    /// Spans of local time in which it rings silently, "23:00-06:30"; never for a confirmed emergency.
    #[serde(default)]
    pub quiet: Vec<String>,
    /// Minutes an alert may stand unanswered before its recipient's other ways begin.
    #[serde(default = "second_after_min")]
    pub second_after_min: u32,
}

/// Longest pause between two rings of a step, minutes.
const LONGEST_REPEAT: u32 = 120;

/// Longest time between the beginnings of two steps, minutes.
const LONGEST_GAP: u32 = 240;

/// Hours a day in which a policy with quiet hours still rings aloud, all together.
const LOUD_HOURS: usize = 8;

fn second_after_min() -> u32 {
    2
}

impl PolicyRow {
    fn fits(&self, asked: &Asked<'_>) -> bool {
        let hours = if asked.outside { Inside::Outside } else { Inside::Inside };
        self.verdicts.contains(&asked.verdict)
            && self.hours.is_none_or(|own| own == hours)
            && (self.lines.is_empty() || asked.line.is_some_and(|line| self.lines.iter().any(|own| own == line)))
    }

    fn policy(&self, zone: Tz) -> Result<Policy, String> {
        let wrong = |error: PolicyError| format!("escalation.policies: {error}");
        let spans = self.spans()?;
        if !spans.is_empty() && self.verdicts.contains(&Verdict::Confirmed) {
            return Err(
                "escalation.policies.quiet: a confirmed emergency is never quiet; give it a policy of its own".into()
            );
        }
        let policy = Policy::new(self.steps.clone()).and_then(|policy| policy.quiet(Quiet { zone, spans }));
        Ok(policy.map_err(wrong)?.second_after(TimeDelta::minutes(i64::from(self.second_after_min))))
    }

    fn spans(&self) -> Result<Vec<(NaiveTime, NaiveTime)>, String> {
        self.quiet.iter().map(|span| span_over_midnight(span)).collect()
    }

    /// What fits together and yet would let people sleep.
    fn complain(&self, wrong: &mut Vec<String>) {
        let mut complain = |key: &str, what: String| wrong.push(format!("escalation.policies.{key}: {what}"));
        if self.verdicts.is_empty() {
            complain("verdicts", "is empty, so the policy fits nothing; name a verdict or delete the policy".into());
        }
        if self.lines.iter().any(|line| line.trim().is_empty()) {
            complain("lines", "\"\" is no line; name a mailbox, or write [] for all".into());
        }
        let repeats = self.steps.iter().filter_map(|step| step.repeat_every_min);
        for every in repeats.filter(|every| *every > LONGEST_REPEAT) {
            complain("steps.repeat_every_min", format!("{every} is not between 1 and {LONGEST_REPEAT}"));
        }
        for pair in self.steps.windows(2) {
            let gap = pair[1].after_min.saturating_sub(pair[0].after_min);
            if gap > LONGEST_GAP {
                let what = format!("{gap} min pass before the step at {}", pair[1].after_min);
                complain("steps.after_min", format!("{what}; let at most {LONGEST_GAP} lie between two steps"));
            }
        }
        if self.spans().is_ok_and(|spans| loud_minutes(spans) < LOUD_HOURS * 60) {
            complain("quiet", format!("leaves less than {LOUD_HOURS} hours a day in which it rings aloud; shorten it"));
        }
    }
}

/// Minutes of a day that are in none of the spans.
fn loud_minutes(spans: Vec<(NaiveTime, NaiveTime)>) -> usize {
    let quiet = Quiet { zone: Tz::UTC, spans };
    (0..24 * 60).filter(|minute| !quiet.holds(DateTime::UNIX_EPOCH + TimeDelta::minutes(*minute))).count()
}

/// "23:00-06:30"
fn span_over_midnight(text: &str) -> Result<(NaiveTime, NaiveTime), String> {
    let time = |part: &str| NaiveTime::parse_from_str(part.trim(), "%H:%M").ok();
    let span = text.split_once(['-', '–']).and_then(|(from, until)| Some((time(from)?, time(until)?)));
    span.filter(|(from, until)| from != until)
        .ok_or_else(|| format!("escalation.policies.quiet: {text:?} is no span of time; write e.g. \"23:00-06:30\""))
}

/// For which policy is asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What the report is.
    pub verdict: Verdict,
    /// Outside business hours.
    pub outside: bool,
    /// The mailbox or line the message was left on.
    pub line: Option<&'a str>,
}

/// `[escalation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Escalation {
    /// Send the recording silently to the duty technician at once, outside business hours.
    pub first_notice: bool,
    /// Seconds without a verdict after which the report is escalated unheard.
    pub unheard_after_s: u64,
    /// End an untaken case that was opened unheard when the verdict then is "no emergency".
    pub close_harmless: bool,
    /// Hours within which a later message of the same caller about the same trouble joins his open case; 0 = never.
    pub join_within_h: u32,
    /// Minutes until the call-back where the taker names no time.
    pub eta_min: u32,
    /// Minutes after the reminder of a passed call-back until the escalation resumes.
    pub resume_after_min: u32,
    /// Minutes a colleague has to accept a case that is handed over.
    pub offer_min: u32,
    /// Hours after the call-back until the taker is asked whether the case is done.
    pub unclosed_after_h: u32,
    /// Minutes by which an alert must be late to be told in a list with the others that are.
    pub late_after_min: u32,
    /// The policies; the first that fits counts.
    pub policies: Vec<PolicyRow>,
}

impl Default for Escalation {
    fn default() -> Self {
        let step = |after_min, who: &[&str], every| Step {
            after_min,
            tell: who.iter().map(|&name| name.to_owned()).collect(),
            repeat_every_min: Some(every),
        };
        let row = |hours, steps| PolicyRow {
            verdicts: vec![Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear],
            hours: Some(hours),
            lines: Vec::new(),
            steps,
            quiet: Vec::new(),
            second_after_min: second_after_min(),
        };
        Self {
            first_notice: true,
            unheard_after_s: 90,
            close_harmless: true,
            join_within_h: 12,
            eta_min: 30,
            resume_after_min: 10,
            offer_min: 5,
            unclosed_after_h: 12,
            late_after_min: 3,
            policies: vec![
                row(
                    Inside::Outside,
                    vec![step(0, &["duty"], 3), step(10, &["duty", "backup"], 5), step(20, &["everyone"], 10)],
                ),
                row(Inside::Inside, vec![step(0, &["office"], 10), step(20, &["office", "duty"], 10)]),
            ],
        }
    }
}

impl Escalation {
    /// The policy for a verdict.
    ///
    /// # Errors
    /// Where none fits, or it could end without a human.
    pub fn policy(&self, asked: &Asked<'_>, zone: Tz) -> Result<Policy, String> {
        let row = self.policies.iter().find(|row| row.fits(asked)).ok_or_else(|| {
            let hours = if asked.outside { "outside" } else { "inside" };
            let verdict = asked.verdict.as_str();
            format!("escalation.policies: none for verdict {verdict:?} {hours} business hours on every line: add one")
        })?;
        row.policy(zone)
    }

    /// What is wrong with the policies: each must be whole, and every verdict that wakes people needs one at any time and
    /// on any line.
    pub(super) fn complaints(&self, zone: Tz) -> Vec<String> {
        let mut wrong: Vec<String> = self.policies.iter().filter_map(|row| row.policy(zone).err()).collect();
        self.policies.iter().for_each(|row| row.complain(&mut wrong));
        for verdict in [Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear] {
            for outside in [true, false] {
                wrong.extend(self.policy(&Asked { verdict, outside, line: None }, zone).err());
            }
        }
        wrong.dedup();
        wrong
    }

    /// How long people may take.
    #[must_use]
    pub fn patience(&self) -> Patience {
        let minutes = |count| TimeDelta::minutes(i64::from(count));
        Patience {
            eta: minutes(self.eta_min),
            grace: minutes(self.resume_after_min),
            offer: minutes(self.offer_min),
            unclosed: TimeDelta::hours(i64::from(self.unclosed_after_h)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Settings;

    fn complaint(text: &str) -> String {
        Settings::parse(text).err().map(|error| error.to_string()).unwrap_or_default()
    }

    /// A policy of these keys in front of one for everything else.
    fn policy(keys: &str, steps: &str) -> String {
        let always = "steps = [{ after_min = 0, tell = [\"everyone\"], repeat_every_min = 5 }]";
        let steps = if steps.is_empty() { always.to_owned() } else { format!("steps = [{steps}]") };
        let verdicts = if keys.contains("verdicts") { "" } else { "verdicts = [\"unclear\"]" };
        complaint(&format!(
            "[[escalation.policies]]\n{verdicts}\n{keys}\n{steps}\n\
             [[escalation.policies]]\nverdicts = [\"confirmed\", \"incomplete\", \"unclear\"]\n{always}\n"
        ))
    }

    #[test]
    fn a_policy_that_would_let_people_sleep_is_refused_by_its_key() {
        let step = |after: u32, every: u32| {
            format!("{{ after_min = {after}, tell = [\"everyone\"], repeat_every_min = {every} }}")
        };
        assert_eq!(policy("quiet = [\"22:00-10:00\", \"12:00-16:00\"]", &step(0, 120)), "");
        assert_eq!(policy("lines = [\"9782362\"]", &format!("{}, {}", step(0, 1), step(240, 120))), "");
        for (keys, steps, key) in [
            ("verdicts = []", String::new(), "policies.verdicts"),
            ("lines = [\"\"]", String::new(), "policies.lines"),
            ("lines = [\"200\", \" \"]", String::new(), "policies.lines"),
            ("", step(0, 121), "steps.repeat_every_min: 121"),
            ("", step(0, 0), "every 0 min"),
            ("", format!("{}, {}", step(0, 5), step(241, 5)), "steps.after_min: 241"),
            ("quiet = [\"22:00-10:00\", \"12:00-16:01\"]", String::new(), "policies.quiet"),
            ("quiet = [\"09:00-08:59\"]", String::new(), "policies.quiet"),
        ] {
            let told = policy(keys, &steps);
            assert!(told.contains(key), "{key}: {told:?}");
        }
    }

    #[test]
    fn policies_for_some_lines_only_do_not_cover_the_others() {
        let told = complaint(
            "[[escalation.policies]]\nverdicts = [\"confirmed\", \"incomplete\", \"unclear\"]\nlines = [\"200\"]\n\
             steps = [{ after_min = 0, tell = [\"everyone\"], repeat_every_min = 5 }]\n",
        );
        assert!(told.contains("on every line"), "{told}");
        let mut escalation = Escalation::default();
        escalation.policies[0].lines = vec![String::new()];
        let asked = Asked { verdict: Verdict::Confirmed, outside: true, line: None };
        assert!(escalation.policy(&asked, Tz::UTC).is_err(), "no line is not the line \"\"");
    }
}
