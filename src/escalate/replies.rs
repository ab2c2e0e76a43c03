//! How answers to commands look: what was said, test alarms, swaps as they stand. Pure.

use super::face::Wanted;
use super::notifier::{Button, Face};
use crate::config::Settings;
use crate::domain::act::Act;
use crate::domain::notice::{Notice, Said};
use crate::domain::roster::ChangeKind;
use crate::store::roster::{ChangeState, Noted};
use crate::wording::button;
use crate::wording::commands as words;
use crate::wording::swaps::{self, Swap, Swapping};

type Rows = Vec<Vec<Button>>;

/// An answer with its buttons.
pub(super) fn reply(notice: &Notice) -> Wanted {
    let Some(said) = notice.body.as_deref().and_then(Said::parse) else { return Wanted::Nothing };
    let key = |(label, data)| Button { label, data };
    show(said.text, said.keys.into_iter().map(|row| row.into_iter().map(key).collect()).collect())
}

/// A test alarm; tapped, how long it took.
pub(super) fn test(notice: &Notice) -> Wanted {
    if let Some(seconds) = notice.body.as_deref().and_then(|seconds| seconds.parse().ok()) {
        return show(words::test_arrived(seconds), Vec::new());
    }
    let arrived = Button { label: words::arrived().into(), data: "test:ok".into() };
    show(words::test_alarm(&notice.recipient), vec![vec![arrived]])
}

/// A swap, as the one who asks or the one who is asked sees it.
pub(super) fn swap(notice: &Notice, noted: Option<&Noted>, settings: &Settings) -> Wanted {
    let Some(noted) = noted else { return Wanted::Nothing };
    let ChangeKind::Override { replaces: Some(asker) } = &noted.change.kind else { return Wanted::Nothing };
    let state = match noted.state {
        ChangeState::Asked => Swap::Asked,
        ChangeState::Active => Swap::Agreed,
        ChangeState::Refused => Swap::Refused,
        ChangeState::Withdrawn => Swap::Withdrawn,
        ChangeState::Lapsed => Swap::Lapsed,
    };
    let (to, change) = (&noted.change.technician, &noted.change);
    let swap = Swapping { from_whom: asker, to_whom: to, from: change.from, until: change.until, state };
    let zone = settings.business_hours().zone;
    let waits = state == Swap::Asked;
    let key = |label: String, word: &str| Button { label, data: format!("{word}:{}", noted.id) };
    if notice.recipient == *asker {
        let back = waits.then(|| vec![key(swaps::withdraw().into(), "swapback")]);
        return show(swaps::swap_for_asker(swap, zone), back.into_iter().collect());
    }
    if !waits && notice.message.is_none() {
        // decided before it was asked: nobody is woken for it
        return Wanted::Nothing;
    }
    let answers = waits.then(|| vec![key(button(&Act::Accept), "swapyes"), key(button(&Act::Decline), "swapno")]);
    show(swaps::swap_for_colleague(swap, zone), answers.into_iter().collect())
}

fn show(text: String, buttons: Rows) -> Wanted {
    Wanted::Show(Face { text, buttons, attachment: None }, None)
}
