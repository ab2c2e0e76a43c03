//! A notice to somebody becomes one row a way: Telegram first, his other ways when that is not answered, at once where
//! Telegram is down or he has none.

use crate::domain::notice::{NoticeKind, Recipient};
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, notices, people};
use chrono::{DateTime, TimeDelta, Utc};

/// How people are told just now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ways {
    /// Telegram is down.
    pub(super) down: bool,
    /// How long a notice may stand unanswered.
    pub(super) second_after: TimeDelta,
    /// When the notices should have gone out; none = now.
    pub(super) wanted_at: Option<DateTime<Utc>>,
}

impl Ways {
    /// Plans a notice to somebody. A loud one goes on to his other ways by itself.
    pub(super) async fn tell(
        &self,
        tx: &mut Tx,
        to: &Recipient,
        plan: &Plan,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let plan = Plan { recipient: to.name.clone(), wanted_at: self.wanted_at, ..plan.clone() };
        let Some(chat) = to.chat else {
            for channel in to.channels.iter().filter(|_| plan.loud) {
                Self::by_channel(tx, &plan, channel, now).await?;
            }
            return Ok(());
        };
        let begins = if self.down { now } else { now + self.second_after };
        let second_at = (plan.loud && !to.channels.is_empty()).then_some(begins);
        let mut plan = Plan { chat, second_at, ..plan };
        if let (NoticeKind::Alert, Some(case)) = (plan.kind, plan.case) {
            // An older ring that never got out says nothing that this one does not; its other ways are not put off.
            let earlier = notices::supersede(tx, case, &plan).await?;
            plan.second_at = plan.second_at.map(|at| earlier.map_or(at, |earlier| earlier.min(at)));
        }
        notices::plan(tx, &plan, now).await.map(drop)
    }

    /// Tells somebody by Telegram; by all his ways where that is down or he has no chat.
    pub(super) async fn aloud(
        tx: &mut Tx,
        to: &Recipient,
        plan: &Plan,
        down: bool,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        match to.chat {
            Some(chat) if !down => {
                let plan = Plan { chat, recipient: to.name.clone(), ..plan.clone() };
                notices::plan(tx, &plan, now).await.map(drop)
            }
            _ => people::by_all(tx, to, plan, now).await,
        }
    }

    /// The same notice by another way.
    pub(super) async fn by_channel(
        tx: &mut Tx,
        plan: &Plan,
        channel: &str,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let plan = plan.by(channel);
        if let (NoticeKind::Alert, Some(case)) = (plan.kind, plan.case) {
            notices::supersede(tx, case, &plan).await?;
        }
        notices::plan(tx, &plan, now).await.map(drop)
    }
}
