//! A change of the plan made in the office, by command or at the page: what makes sense is noted, and those concerned read
//! of it as of one made in the chat: whoever has duty now, whoever had it, and the office.

use crate::config::Settings;
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::roster::{Change, ChangeKind, Plan};
use crate::roster::Duty;
use crate::store::phones::Phone;
use crate::store::roster::{self, ChangeState, Noted};
use crate::store::{StoreError, Tx, events, people, replies};
use crate::wording::swaps::{self as words, Swap, Swapping};
use chrono::{DateTime, Utc};

/// From when to when; the end is not part of it.
pub type Span = (DateTime<Utc>, DateTime<Utc>);

/// Why a change makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Senseless {
    /// It ends before it begins.
    #[error("the end is not after the beginning")]
    Backwards,
    /// It would change nothing any more.
    #[error("that time is over already: nothing would change")]
    Over,
    /// One stands in for himself.
    #[error("{0} would replace himself")]
    Himself(String),
    /// The two times of a swap overlap.
    #[error("the two times overlap: who is on duty then would not be clear")]
    Overlap,
}

/// One takes over from another; without one, from whoever has duty.
///
/// # Errors
/// Where that makes no sense.
pub fn take_over(
    technician: &str,
    replaces: Option<&str>,
    (from, until): Span,
    now: DateTime<Utc>,
) -> Result<Vec<Change>, Senseless> {
    if replaces == Some(technician) {
        return Err(Senseless::Himself(technician.to_owned()));
    }
    let kind = ChangeKind::Override { replaces: replaces.map(str::to_owned) };
    sensible(vec![Change { kind, technician: technician.to_owned(), from, until }], now)
}

/// Two swap: each takes the other's time.
///
/// # Errors
/// Where that makes no sense.
pub fn swap(
    (one, ones): (&str, Span),
    (other, others): (&str, Span),
    now: DateTime<Utc>,
) -> Result<Vec<Change>, Senseless> {
    let changes = [take_over(other, Some(one), ones, now)?, take_over(one, Some(other), others, now)?].concat();
    if ones.0 < others.1 && others.0 < ones.1 {
        return Err(Senseless::Overlap);
    }
    Ok(changes)
}

/// One is away.
///
/// # Errors
/// Where that makes no sense.
pub fn absence(technician: &str, (from, until): Span, now: DateTime<Utc>) -> Result<Vec<Change>, Senseless> {
    sensible(vec![Change { kind: ChangeKind::Absence, technician: technician.to_owned(), from, until }], now)
}

fn sensible(changes: Vec<Change>, now: DateTime<Utc>) -> Result<Vec<Change>, Senseless> {
    if changes.iter().any(|one| one.from >= one.until) {
        return Err(Senseless::Backwards);
    }
    if changes.iter().any(|one| one.until <= now) {
        return Err(Senseless::Over);
    }
    Ok(changes)
}

/// What a change says, for the story.
fn described(change: &Change) -> String {
    let (who, from, until) = (&change.technician, change.from, change.until);
    match &change.kind {
        ChangeKind::Absence => format!("{who} is away from {from} to {until}"),
        ChangeKind::Override { replaces: Some(other) } => format!("{who} stands in for {other} from {from} to {until}"),
        ChangeKind::Override { replaces: None } => format!("{who} takes over from {from} to {until}"),
    }
}

/// Who makes a change, when, and how it was before.
#[derive(Debug, Clone)]
pub struct Office<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The plan without the change.
    pub before: Plan,
    /// The phones that are paired.
    pub phones: Vec<Phone>,
    /// Who makes it.
    pub made_by: &'a str,
    /// When.
    pub now: DateTime<Utc>,
}

/// A time in which another has duty than before; none = nobody.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    had: Option<String>,
    has: Option<String>,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
}

impl Office<'_> {
    /// Notes the changes and tells those concerned; gives their identities.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn make(&self, tx: &mut Tx, changes: &[Change]) -> Result<Vec<String>, StoreError> {
        let mut after = self.before.clone();
        after.changes.extend_from_slice(changes);
        let mut ids = Vec::new();
        for change in changes {
            ids.push(roster::make(tx, change, ChangeState::Active, self.made_by, self.now).await?);
            self.note(tx, described(change)).await?;
        }
        self.tell(tx, &after, changes).await?;
        Ok(ids)
    }

    /// Takes a change back that counts or waits for an answer, and tells those concerned. `None`: there is no such change.
    ///
    /// # Errors
    /// Where the store refused.
    pub async fn withdraw(&self, tx: &mut Tx, id: &str) -> Result<Option<Noted>, StoreError> {
        let noted = roster::lock(tx, id).await?;
        let counts = noted.filter(|one| matches!(one.state, ChangeState::Active | ChangeState::Asked));
        let Some(noted) = counts else { return Ok(None) };
        roster::withdraw(tx, &noted.id).await?;
        // those who were asked see that it is over
        replies::refresh(tx, NoticeKind::Swap, &noted.id, self.now).await?;
        let mut after = self.before.clone();
        if let (ChangeState::Active, Some(at)) =
            (noted.state, after.changes.iter().position(|change| *change == noted.change))
        {
            after.changes.remove(at);
        }
        self.tell(tx, &after, std::slice::from_ref(&noted.change)).await?;
        self.note(tx, format!("taken back: {}", described(&noted.change))).await?;
        Ok(Some(noted))
    }

    async fn note(&self, tx: &mut Tx, what: String) -> Result<(), StoreError> {
        events::append(tx, &Event::new(self.now, EventKind::Roster, what).by(self.made_by)).await
    }

    /// Plans the messages about what is different from now on. Whoever has duty at once, at night, is woken.
    async fn tell(&self, tx: &mut Tx, after: &Plan, changes: &[Change]) -> Result<(), StoreError> {
        let (now, settings) = (self.now, self.settings);
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
