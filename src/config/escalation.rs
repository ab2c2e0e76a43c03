//! Who is told when, as data.

use crate::domain::assessment::Verdict;
use crate::domain::escalation::{Policy, PolicyError, Step};
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
    /// Inside or outside business hours.
    pub hours: Inside,
    /// Who is told when.
    pub steps: Vec<Step>,
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
        let all = || vec![Verdict::Confirmed, Verdict::Incomplete, Verdict::Unclear];
        Self {
            first_notice: true,
            unheard_after_s: 90,
            close_harmless: true,
            join_within_h: 12,
            policies: vec![
                PolicyRow {
                    verdicts: all(),
                    hours: Inside::Outside,
                    steps: vec![step(0, &["duty"], 3), step(10, &["duty", "backup"], 5), step(20, &["everyone"], 10)],
                },
                PolicyRow {
                    verdicts: all(),
                    hours: Inside::Inside,
                    steps: vec![step(0, &["office"], 10), step(20, &["office", "duty"], 10)],
                },
            ],
        }
    }
}

impl Escalation {
    /// The policy for a verdict.
    ///
    /// # Errors
    /// Where none fits, or it could end without a human.
    pub fn policy(&self, verdict: Verdict, outside: bool) -> Result<Policy, String> {
        let hours = if outside { Inside::Outside } else { Inside::Inside };
        let fits = |row: &&PolicyRow| row.hours == hours && row.verdicts.contains(&verdict);
        let row = self.policies.iter().find(fits).ok_or_else(|| {
            format!("escalation.policies: none for verdict {:?} {hours:?} business hours: add one", verdict.as_str())
        })?;
        Policy::new(row.steps.clone()).map_err(|error: PolicyError| format!("escalation.policies: {error}"))
    }
}
