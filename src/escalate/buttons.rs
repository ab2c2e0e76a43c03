//! The buttons under a notice: what its reader may do now. Pure.

use super::notifier::Button;
use crate::config::{Settings, View};
use crate::domain::act::Act;
use crate::domain::case::{Case, CaseId, CaseState, Reason};
use crate::domain::notice::{Menu, Notice};
use crate::wording::{self, Listed};

/// The times that have a button, in minutes.
const TIMES: [u32; 3] = [15, 30, 60];

type Rows = Vec<Vec<Button>>;

/// Under the alert of a case.
pub(super) fn of_alert(case: &Case, notice: &Notice, joined: u32, settings: &Settings) -> Rows {
    let reader = notice.recipient.as_str();
    let mine = case.state == CaseState::Taken && (case.taken_by.as_deref() == Some(reader) || reader == "office");
    let words = (settings.telegram.view == View::Full).then(|| key(&Act::Transcript, case.id));
    let mut rows = match (case.state, notice.menu) {
        (CaseState::Open | CaseState::Taken, Some(Menu::Reason)) if mine || case.state == CaseState::Open => {
            return reasons(case.id);
        }
        (CaseState::Taken, Some(Menu::Hand)) if mine => return colleagues(case, settings),
        (CaseState::Open, _) => vec![
            vec![key(&Act::Take, case.id)],
            vec![
                key(&Act::Pass(u32::try_from(case.progress.steps_begun).unwrap_or(u32::MAX)), case.id),
                opens(Menu::Reason, case.id),
            ],
            words.into_iter().collect(),
        ],
        (CaseState::Taken, _) if mine => of_taker(case, words, settings),
        (CaseState::Taken, _) => vec![words.into_iter().collect()],
        (CaseState::Closed, _) => return Vec::new(),
    };
    if joined > 0 && (case.state == CaseState::Open || mine) {
        rows.push(vec![key(&Act::Split(joined), case.id)]);
    }
    rows.retain(|row| !row.is_empty());
    rows
}

fn of_taker(case: &Case, words: Option<Button>, settings: &Settings) -> Rows {
    let id = case.id;
    let mut rows = Vec::new();
    if case.called_back_at.is_none() {
        rows.extend(times(id));
        rows.push(vec![key(&Act::CalledBack, id), key(&Act::Done, id)]);
    } else {
        rows.push(vec![key(&Act::Done, id)]);
    }
    // one a row: on a phone two of them would both be cut to "Zustimmung …"
    rows.push(vec![key(&Act::Consent(true), id)]);
    rows.push(vec![key(&Act::Consent(false), id)]);
    let hand = (settings.technicians.len() > 1).then(|| opens(Menu::Hand, id));
    rows.push(hand.into_iter().chain([key(&Act::GiveBack, id)]).collect());
    rows.push(words.into_iter().chain([opens(Menu::Reason, id)]).collect());
    rows
}

/// Under a list of cases: the open ones.
pub(super) fn of_bundle(cases: &[Listed]) -> Rows {
    let open = cases.iter().take(wording::LISTED).filter(|one| one.case.state == CaseState::Open);
    let row = |id: CaseId| {
        let take = Button { label: wording::take(id), data: Act::Take.data(id) };
        vec![take, Button { label: wording::show(id), data: Act::Show.data(id) }]
    };
    open.map(|one| row(one.case.id)).collect()
}

/// Under an offer.
pub(super) fn of_offer(case: &Case) -> Rows {
    vec![vec![key(&Act::Accept, case.id), key(&Act::Decline, case.id)]]
}

/// Under a reminder.
pub(super) fn of_reminder(case: &Case, unclosed: bool) -> Rows {
    if unclosed {
        return vec![vec![key(&Act::Done, case.id)]];
    }
    let [times, other] = times(case.id);
    vec![times, other, vec![key(&Act::CalledBack, case.id), key(&Act::GiveBack, case.id)]]
}

fn times(case: CaseId) -> [Vec<Button>; 2] {
    let other = Button { label: wording::menu(Menu::Eta).into(), data: format!("ask:{case}:eta") };
    [TIMES.into_iter().map(|minutes| key(&Act::Eta(minutes), case)).collect(), vec![other]]
}

fn reasons(case: CaseId) -> Rows {
    let mut rows: Rows = Reason::NAMED.into_iter().map(|why| vec![key(&Act::NoEmergency(why), case)]).collect();
    let other = Button { label: wording::other().into(), data: format!("ask:{case}:reason") };
    rows.push(vec![other, closes(case)]);
    rows
}

fn colleagues(case: &Case, settings: &Settings) -> Rows {
    let others = settings.technicians.iter().filter(|one| case.taken_by.as_deref() != Some(&one.name));
    let mut rows: Rows = others.map(|one| vec![key(&Act::HandOver(one.name.clone()), case.id)]).collect();
    rows.push(vec![closes(case.id)]);
    rows
}

fn key(act: &Act, case: CaseId) -> Button {
    Button { label: wording::button(act), data: act.data(case) }
}

fn opens(menu: Menu, case: CaseId) -> Button {
    Button { label: wording::menu(menu).into(), data: format!("menu:{case}:{}", menu.as_str()) }
}

fn closes(case: CaseId) -> Button {
    Button { label: wording::back().into(), data: format!("menu:{case}:") }
}
