//! "/tausch", the answer: it counts from the moment the colleague agrees, never before. Not answered within a day, or
//! when the shift begins, it is over, and the asker is told that he has it still.

use super::head;
use super::swap::{has_duty, is_there};
use crate::acknowledge::{Actor, Desk};
use crate::domain::event::{Event, EventKind};
use crate::domain::notice::NoticeKind;
use crate::domain::roster::ChangeKind;
use crate::runtime::worker::{Round, Step};
use crate::store::roster::{self as changes, ChangeState, Noted};
use crate::store::{StoreError, Tx, events, replies};
use crate::wording::swaps::{self as words, NoSwap, Swap, Swapping};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};

/// So long a colleague may think about it.
const PATIENCE: TimeDelta = TimeDelta::hours(24);

/// Ends requests that nobody answers.
pub struct SwapStep {
    /// Where answers are written.
    pub desk: Desk,
}

#[async_trait]
impl Step for SwapStep {
    fn name(&self) -> String {
        "acknowledge.swaps".into()
    }

    async fn tick(&mut self) -> Result<Round, StoreError> {
        let desk = &self.desk;
        let now = desk.clock.now();
        let mut reader = desk.store.read().await?;
        // whom to tell, as it is now
        desk.roster.at(&mut reader, now).await?;
        drop(reader);
        let mut tx = desk.store.begin().await?;
        let Some(noted) = changes::take_lapsed(&mut tx, now - PATIENCE, now).await? else { return Ok(Round::Idle) };
        desk.decided(&mut tx, &noted, Swap::Lapsed).await?;
        tx.commit().await?;
        desk.ring();
        Ok(Round::Worked)
    }
}

/// As words see it; `None`: nobody asked for it.
fn swapping(noted: &Noted, state: Swap) -> Option<Swapping<'_>> {
    let ChangeKind::Override { replaces: Some(asker) } = &noted.change.kind else { return None };
    let (from, until) = (noted.change.from, noted.change.until);
    Some(Swapping { from_whom: asker, to_whom: &noted.change.technician, from, until, state })
}

fn is_over(noted: &Noted, now: DateTime<Utc>) -> bool {
    let begun = noted.change.from > noted.made_at && noted.change.from <= now;
    noted.state != ChangeState::Asked || begun || noted.change.until <= now || noted.made_at + PATIENCE <= now
}

impl Desk {
    pub(super) async fn agree_swap(&self, tx: &mut Tx, actor: &Actor, id: &str) -> Result<String, StoreError> {
        let noted = match self.asked(tx, id, |noted| noted.change.technician == actor.name).await? {
            Ok(noted) => noted,
            Err(why) => return Ok(words::no_swap(why).to_owned()),
        };
        let Some(swap) = swapping(&noted, Swap::Agreed) else { return Ok(words::no_swap(NoSwap::Over).to_owned()) };
        let (plan, time, now) = (self.roster.known_plan(), (swap.from, swap.until), self.clock.now());
        if !has_duty(&plan, swap.from_whom, time, now) {
            return Ok(words::no_swap(NoSwap::Over).to_owned());
        }
        if !is_there(&plan, swap.from_whom, swap.to_whom, time, now) {
            return Ok(words::no_swap(NoSwap::Away).to_owned());
        }
        changes::agree(tx, id).await?;
        self.decided(tx, &noted, Swap::Agreed).await?;
        let zone = self.settings.business_hours().zone;
        self.tell_office(tx, &words::swapped(swap, zone)).await?;
        let text = words::swap_for_colleague(swap, zone);
        Ok(head(&text))
    }

    pub(super) async fn refuse_swap(&self, tx: &mut Tx, actor: &Actor, id: &str) -> Result<String, StoreError> {
        let noted = match self.asked(tx, id, |noted| noted.change.technician == actor.name).await? {
            Ok(noted) => noted,
            Err(why) => return Ok(words::no_swap(why).to_owned()),
        };
        changes::refuse(tx, id).await?;
        self.decided(tx, &noted, Swap::Refused).await?;
        Ok(String::new())
    }

    pub(super) async fn withdraw_swap(&self, tx: &mut Tx, actor: &Actor, id: &str) -> Result<String, StoreError> {
        let noted = match self.asked(tx, id, |noted| noted.made_by == actor.name).await? {
            Ok(noted) => noted,
            Err(why) => return Ok(words::no_swap(why).to_owned()),
        };
        changes::withdraw(tx, id).await?;
        self.decided(tx, &noted, Swap::Withdrawn).await?;
        Ok(String::new())
    }

    /// The request, if it still waits for an answer and the one who pressed may give it.
    async fn asked(
        &self,
        tx: &mut Tx,
        id: &str,
        may: impl Fn(&Noted) -> bool,
    ) -> Result<Result<Noted, NoSwap>, StoreError> {
        Ok(match changes::lock(tx, id).await? {
            None => Err(NoSwap::Over),
            Some(noted) if !may(&noted) => Err(NoSwap::NotYours),
            Some(noted) if is_over(&noted, self.clock.now()) => Err(NoSwap::Over),
            Some(noted) => Ok(noted),
        })
    }

    /// Both phones show how it ended, and the asker is told: loudly where he keeps what he wanted to be rid of.
    async fn decided(&self, tx: &mut Tx, noted: &Noted, state: Swap) -> Result<(), StoreError> {
        let now = self.clock.now();
        replies::refresh(tx, NoticeKind::Swap, &noted.id, now).await?;
        let Some(swap) = swapping(noted, state) else { return Ok(()) };
        let event = match state {
            Swap::Agreed => "takes over",
            Swap::Refused => "does not take over",
            Swap::Withdrawn => "is no longer asked",
            Swap::Lapsed | Swap::Asked => "did not answer in time",
        };
        let event = Event::new(now, EventKind::Roster, format!("{} {event} for {}", swap.to_whom, swap.from_whom));
        events::append(tx, &event).await?;
        if state == Swap::Withdrawn {
            return Ok(());
        }
        let zone = self.settings.business_hours().zone;
        let duty = self.roster.last_known(now);
        match duty.named(swap.from_whom) {
            Some(asker) => {
                let loud = state != Swap::Agreed;
                self.tell(tx, asker, &words::swap_for_asker(swap, zone), loud).await
            }
            None => Ok(()),
        }
    }
}
