//! One caller, several messages: does a report belong to a case that is open already?
//!
//! The caller must be the same (a number or an address in common), and the trouble (`rules::follow_up`). A subject line
//! alone never decides: the words do. What was not understood never joins: doubt is louder.

use super::rules::{Told, same_trouble, same_words};
use super::said::Said;
use crate::config::Settings;
use crate::domain::assessment::{Assessment, Verdict};
use crate::domain::case::{Case, CaseId, CaseState};
use crate::domain::phone;
use crate::domain::report::{Report, SAME_CALL};
use crate::store::joins::Why;
use crate::store::{Db, StoreError, assessments, cases, joins, reports};
use chrono::{DateTime, TimeDelta, Utc};

/// A report with what it says and what was read in it.
pub(super) struct Spoke<'a> {
    pub(super) report: &'a Report,
    pub(super) said: &'a Said,
    pub(super) found: &'a Assessment,
}

/// The open case that this report belongs to, and why.
pub(super) async fn case_to_join(
    settings: &Settings,
    reader: &mut Db,
    spoke: &Spoke<'_>,
    now: DateTime<Utc>,
) -> Result<Option<(CaseId, Why)>, StoreError> {
    let hours = settings.escalation.join_within_h;
    if hours == 0 || matches!(spoke.found.verdict, Verdict::Unclear | Verdict::Ignored) {
        return Ok(None);
    }
    let since = now - TimeDelta::hours(i64::from(hours));
    for case in cases::living(reader, since).await? {
        let mut ids = vec![case.report];
        ids.extend(joins::of_case(reader, case.id).await?.into_iter().map(|(id, _)| id));
        for id in ids.into_iter().filter(|id| *id != spoke.report.id) {
            let report = reports::find(reader, id).await?;
            let said = Said::of(&report, reader).await?;
            let Some(found) = assessments::find(reader, id).await? else { continue };
            if let Some(why) = belongs(settings, &Spoke { report: &report, said: &said, found: &found }, spoke) {
                return Ok(Some((case.id, why)));
            }
        }
    }
    Ok(None)
}

/// Whether a case can still be joined; asked again once its row is locked.
pub(super) fn is_joinable(case: &Case) -> bool {
    case.state != CaseState::Closed
}

fn belongs(settings: &Settings, earlier: &Spoke<'_>, later: &Spoke<'_>) -> Option<Why> {
    if !same_caller(settings, earlier, later) {
        return None;
    }
    let (before, now) = (earlier.said.text(), later.said.text());
    let apart = (later.report.called_at - earlier.report.called_at).abs();
    if apart <= SAME_CALL && later.report.medium == earlier.report.medium && same_words(&before, &now) {
        return Some(Why::SameMessage);
    }
    let earlier = Told { text: &before, description: earlier.found.fields.description.as_deref() };
    let later = Told { text: &now, description: later.found.fields.description.as_deref() };
    // an earlier message that told nothing leaves nothing to compare with
    (earlier.description.is_some() && same_trouble(earlier, later)).then_some(Why::SameTrouble)
}

fn same_caller(settings: &Settings, earlier: &Spoke<'_>, later: &Spoke<'_>) -> bool {
    let known = numbers(settings, earlier);
    let numbers = numbers(settings, later);
    if numbers.iter().any(|number| known.contains(number)) {
        return true;
    }
    // one address can be a whole firm's (a web form, a shared mailbox): then the numbers tell people apart
    let writes = earlier.said.sender().is_some() && earlier.said.sender() == later.said.sender();
    writes && (known.is_empty() || numbers.is_empty())
}

/// Every number by which the caller is known, without the firm's own.
fn numbers(settings: &Settings, spoke: &Spoke<'_>) -> Vec<String> {
    let fields = &spoke.found.fields;
    let spoken = fields.callback.clone().filter(|_| !fields.callback_doubtful);
    let displayed = spoke.report.caller.number.as_deref().and_then(phone::e164);
    spoken.into_iter().chain(displayed).filter(|number| !settings.terms.own_numbers.contains(number)).collect()
}
