//! A change made by command reaches those concerned like one made in the chat: whoever has duty now, whoever had it, and
//! the office.

use crate::config::Settings;
use crate::domain::roster::{Change, Plan};
use crate::roster::Duty;
use crate::roster::feed::Calendars;
use crate::store::phones::{self, Phone};
use crate::store::{Store, StoreError, Tx, people};
use crate::wording::swaps::{self as words, Swap, Swapping};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// What is known before a change.
pub(super) struct Told {
    /// The plan without it.
    pub(super) before: Plan,
    phones: Vec<Phone>,
}

/// A time in which another has duty than before; none = nobody.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    had: Option<String>,
    has: Option<String>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Told {
    pub(super) async fn read(settings: &Arc<Settings>, store: &Store, now: DateTime<Utc>) -> Result<Self, StoreError> {
        let mut reader = store.read().await?;
        let before = Calendars::default().plan(settings, &mut reader, now, now).await?;
        Ok(Self { before, phones: phones::all(&mut reader).await? })
    }

    /// Plans the messages about what is different from now on. Whoever has duty at once, at night, is woken.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx,
        settings: &Settings,
        after: &Plan,
        changes: &[Change],
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let zone = after.hours.zone;
        let duty = Duty::by(settings, after, &self.phones, now);
        for Turn { had, has, from, until } in turns(&self.before, after, changes, now) {
            let swap = had.as_deref().zip(has.as_deref()).map(|(from_whom, to_whom)| Swapping {
                from_whom,
                to_whom,
                from,
                until,
                state: Swap::Agreed,
            });
            let loud = from <= now && !settings.business_hours().is_open(now);
            if let Some(to) = has.as_deref().and_then(|name| duty.named(name)) {
                let text = swap
                    .map_or_else(|| words::has_duty(from, until, zone), |swap| words::swap_for_colleague(swap, zone));
                people::text(tx, to, &text, loud, now).await?;
            }
            if let Some(to) = had.as_deref().and_then(|name| duty.named(name)) {
                let text = swap.map_or_else(
                    || words::no_longer_has_duty(from, until, zone),
                    |swap| words::swap_for_asker(swap, zone),
                );
                people::text(tx, to, &text, false, now).await?;
            }
            if let (Some(office), Some(swap)) = (duty.office(), swap) {
                people::text(tx, office, &words::swapped(swap, zone), false, now).await?;
            }
        }
        Ok(())
    }
}

/// Who has duty instead of whom in the time of the changes, each pair once: one message, however often they take turns.
fn turns(before: &Plan, after: &Plan, changes: &[Change], now: DateTime<Utc>) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for change in changes {
        for new in after.duties(change.from.max(now), change.until) {
            let old = before.duties(new.from, new.until).into_iter().filter(|old| old.duty() != new.duty());
            for old in old {
                let (had, has) = (old.duty().map(str::to_owned), new.duty().map(str::to_owned));
                match turns.iter_mut().find(|turn| turn.had == had && turn.has == has) {
                    Some(turn) => turn.until = old.until,
                    None => turns.push(Turn { had, has, from: old.from, until: old.until }),
                }
            }
        }
    }
    turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::roster::ChangeKind;

    #[test]
    fn an_absence_turns_duty_over_from_now_on_and_withdrawn_turns_it_back() {
        let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        let (from, now, until) = (at("2026-11-21T12:00:00Z"), at("2026-11-21T21:00:00Z"), at("2026-11-22T12:00:00Z"));
        let before = Plan { order: vec!["Anna".into(), "Bernd".into()], ..Plan::default() };
        let away = Change { kind: ChangeKind::Absence, technician: "Anna".into(), from, until };
        let mut after = before.clone();
        after.changes.push(away.clone());
        let (anna, bernd) = (Some("Anna".to_owned()), Some("Bernd".to_owned()));
        let changes = [away];
        let turn =
            |had: &Option<String>, has: &Option<String>| Turn { had: had.clone(), has: has.clone(), from: now, until };
        assert_eq!(turns(&before, &after, &changes, now), [turn(&anna, &bernd)]);
        assert_eq!(turns(&after, &before, &changes, now), [turn(&bernd, &anna)]);
        assert_eq!(turns(&before, &before, &changes, now), []);
        assert_eq!(turns(&before, &after, &changes, until), []);
    }
}
