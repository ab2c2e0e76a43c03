//! "I am ready", tapped before a shift, or after it began.

use super::{Actor, Desk};
use crate::domain::notice::NoticeKind;
use crate::store::notices::Plan;
use crate::store::{StoreError, Tx, notices, ready};
use crate::wording;
use chrono::{DateTime, Utc};

impl Desk {
    /// Notes it. Those who were told that he did not are told, silently, that he did.
    ///
    /// # Errors
    /// Where the store refused: nothing was changed.
    pub(super) async fn ready(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        shift_at: DateTime<Utc>,
    ) -> Result<String, StoreError> {
        let now = self.clock.now();
        let Some(asked) = ready::find_within(tx, &actor.name, shift_at).await? else {
            return Ok(wording::watch::ready_over().to_owned());
        };
        if asked.ready_at.is_none() {
            ready::tapped(tx, &asked, now).await?;
            let duty = self.roster.last_known(now);
            let body = Some(wording::watch::ready_late(&actor.name, now, self.settings.business_hours().zone));
            for (name, chat) in asked.told.iter().filter_map(|name| Some((name, duty.named(name)?.chat?))) {
                let plan = Plan { body: body.clone(), ..Plan::new(NoticeKind::Message, name, chat) };
                notices::plan(tx, &plan, now).await?;
            }
        }
        Ok(wording::watch::ready_thanks().to_owned())
    }
}
