//! "/dienst": who is on duty now, when that changes, and when it is the asker's turn.

use super::pause;
use crate::acknowledge::Desk;
use crate::domain::notice::Said;
use crate::store::StoreError;
use crate::wording::commands::{self as words, OnDutyNow};

impl Desk {
    pub(super) async fn on_duty(&self, me: &str) -> Result<Said, StoreError> {
        let now = self.clock.now();
        let mut reader = self.store.read().await?;
        let plan = self.roster.plan(&mut reader, now).await?;
        let pause = pause::running(&mut reader, me, now).await?;
        drop(reader);
        let on_duty = plan.at(now);
        let (next, mine) = (plan.next_handover(now), plan.next_shift_of(me, now));
        let text = words::on_duty(
            OnDutyNow {
                me,
                order: &on_duty.order,
                last_resort: &plan.last_resort,
                next: next.as_ref(),
                mine: mine.as_ref(),
                pause,
            },
            plan.hours.zone,
        );
        Ok(Said::only(text))
    }
}
