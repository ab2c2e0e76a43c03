//! "/test": an alarm as loud as a real one, by every way to whoever asked.

use super::gone;
use crate::acknowledge::{Actor, Desk};
use crate::domain::notice::{NoticeKind, Said};
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, notices, replies};
use crate::wording::commands as words;
use chrono::TimeDelta;

/// Nobody rings himself more often.
const BETWEEN: TimeDelta = TimeDelta::minutes(1);

impl Desk {
    pub(super) async fn test_alarm(&self, tx: &mut Tx, actor: &Actor) -> Result<(), StoreError> {
        let now = self.clock.now();
        let last = replies::newest(tx, NoticeKind::Test, &actor.name).await?;
        if last.is_some_and(|at| now - at < BETWEEN) {
            return self.reply(tx, actor, &Said::only(words::test_too_soon())).await;
        }
        let plan = Plan { loud: true, ..Plan::new(NoticeKind::Test, &actor.name, actor.chat) };
        notices::plan(tx, &plan, now).await?;
        let duty = self.roster.last_known(now);
        for channel in duty.named(&actor.name).map(|one| one.channels.as_slice()).unwrap_or_default() {
            notices::plan(tx, &plan.by(channel), now).await?;
        }
        Ok(())
    }

    /// The press says how long it took, and the alarm shows it from then on.
    pub(super) async fn test_arrived(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        message: Option<i64>,
    ) -> Result<String, StoreError> {
        let Some(message) = message else { return Ok(gone()) };
        let notice = replies::pressed(tx, actor.chat, message).await?;
        let Some(notice) = notice.filter(|one| one.kind == NoticeKind::Test && one.recipient == actor.name) else {
            return Ok(gone());
        };
        let now = self.clock.now();
        let seconds = match notice.body.as_deref().and_then(|body| body.parse().ok()) {
            Some(seconds) => seconds,
            None => (now - notice.created_at).num_seconds().max(0),
        };
        replies::becomes(tx, notice.id, NoticeKind::Test, &seconds.to_string(), now).await?;
        Ok(words::test_arrived(seconds))
    }
}
