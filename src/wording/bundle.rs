//! Several cases in one list, after an outage. Pure.

use super::safe;
use super::{hour, moment, title};
use crate::domain::assessment::Verdict;
use crate::domain::case::{Case, CaseState};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// So many cases are listed one by one.
pub const LISTED: usize = 20;
const COMPANY_MAX: usize = 60;

/// One case of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The case as it is now.
    pub case: Case,
    /// When the caller called.
    pub called_at: DateTime<Utc>,
    /// Who, where that may be seen.
    pub company: Option<String>,
}

/// The list: what is open first.
#[must_use]
pub fn bundle(cases: &[Listed], zone: Tz) -> String {
    let open = cases.iter().filter(|one| one.case.state == CaseState::Open).count();
    let head = match open {
        0 => "✅ Nach einer Störung: nichts mehr offen".to_owned(),
        1 => "🚨 NACH EINER STÖRUNG: 1 OFFENER VORGANG".to_owned(),
        more => format!("🚨 NACH EINER STÖRUNG: {more} OFFENE VORGÄNGE"),
    };
    let mut lines = vec![head, "Diese Alarme kommen verspätet, der Stand ist von jetzt.".to_owned(), String::new()];
    lines.extend(cases.iter().take(LISTED).map(|one| line(one, zone)));
    if cases.len() > LISTED {
        lines.push(format!("… und {} weitere: /offen", cases.len() - LISTED));
    }
    lines.join("\n")
}

fn line(one: &Listed, zone: Tz) -> String {
    let Listed { case, called_at, company } = one;
    let who = company.as_ref().map(|name| format!(" · {}", safe::line(name, COMPANY_MAX))).unwrap_or_default();
    let called = moment(*called_at, zone);
    match case.state {
        CaseState::Open => {
            let verdict = if case.unheard { "noch nicht abgehört" } else { title(case.verdict) };
            let mark = match (case.unheard, case.verdict) {
                (false, Verdict::Confirmed) => "🚨",
                (false, Verdict::Incomplete) => "🟠",
                _ => "🔴",
            };
            format!("{mark} {} · {verdict} · {called}{who}", case.id)
        }
        CaseState::Taken => {
            let by = case.taken_by.as_deref().unwrap_or_default();
            let at = case.taken_at.map(|at| format!(", {}", hour(at, zone))).unwrap_or_default();
            format!("👉 {} · übernommen von {by}{at}{who}", case.id)
        }
        CaseState::Closed => format!("✔ {} · beendet", case.id),
    }
}

/// The label of a button that takes a case out of a list.
#[must_use]
pub fn take(case: crate::domain::case::CaseId) -> String {
    format!("{case} übernehmen")
}
